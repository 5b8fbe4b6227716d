//! The few operations the register needs of a disk, so that tests can make each of them fail.

use std::fmt::Debug;
use std::io;

/// A register file and its mark. Nothing is durable before the sync that follows it.
pub trait Disk: Send + Sync + Debug {
    /// Length of the register file, in bytes.
    ///
    /// # Errors
    /// Whatever the system says, as for all operations here.
    fn length(&self) -> io::Result<u64>;

    /// Fills `out` with the bytes of the register file from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there are fewer.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` into the register file.
    ///
    /// # Errors
    /// Any part of them may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the register file to `length` bytes.
    ///
    /// # Errors
    /// It may have been cut.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes the register file durable, its length included.
    ///
    /// # Errors
    /// What was written since the last sync may be lost, now or later, and a second sync that
    /// succeeds does not mean otherwise.
    fn sync(&self) -> io::Result<()>;

    /// The bytes of the mark; more than a mark can have need not be read.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    fn read_mark(&self) -> io::Result<Vec<u8>>;

    /// Writes the next mark beside the mark, and makes its bytes durable.
    ///
    /// # Errors
    /// The mark is as it was.
    fn stage_mark(&self, bytes: &[u8]) -> io::Result<()>;

    /// Puts the staged mark into the mark's place.
    ///
    /// # Errors
    /// The mark is the old one or the new one.
    fn commit_mark(&self) -> io::Result<()>;

    /// Makes it durable which mark is in place.
    ///
    /// # Errors
    /// After a loss of power the mark may be the one before.
    fn sync_mark(&self) -> io::Result<()>;
}
