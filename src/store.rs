//! The durable register: an append-only sequence of statements, numbered from 1 without gaps,
//! each written once and never changed.
//!
//! A store knows numbers and bytes. What a statement says is the business of its readers.

pub mod embedded;

use std::fmt::Debug;
use std::io;
use std::time::Duration;

/// Largest body of a statement, in bytes. A list of 100,000 rows has about 30 MB.
pub const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A register that keeps what it was given. Calls block: callers run them on threads of their
/// own.
pub trait Store: Send + Sync + Debug {
    /// Statements that are durable now; also the number of the last one.
    fn size(&self) -> u64;

    /// Appends `body` as statement `size + 1`, only if the register has `size` statements. It
    /// is durable on return.
    ///
    /// # Errors
    /// After every error but [`AppendError::Unknown`] the register is as it was.
    fn append(&self, size: u64, body: &[u8]) -> Result<(), AppendError>;

    /// The body of statement `number`, from 1, checked to be the bytes that were appended.
    ///
    /// # Errors
    /// [`ReadError`]; no changed byte is ever returned.
    fn read(&self, number: u64) -> Result<Vec<u8>, ReadError>;

    /// Waits until there are more than `size` statements, at most for `patience`. Returns
    /// [`size`](Self::size) as it then is.
    fn follow(&self, size: u64, patience: Duration) -> u64;
}

/// Why a statement was not appended, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The register is not at the size the caller thought. Nothing was stored.
    #[error("the register has {size} statements by now; look at the new ones and try again")]
    Moved {
        /// Its size.
        size: u64,
    },
    /// The body is over [`BODY_BYTES_MAX`]. Nothing was stored.
    #[error(
        "a statement of {bytes} bytes is over the limit of {}; make it smaller",
        BODY_BYTES_MAX
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The disk is full, read-only or failing. Nothing was stored, and a later attempt may be.
    #[error("the statement was not stored: {source}; make room or mend the disk, then try again")]
    NotStored {
        /// What the system said.
        source: io::Error,
    },
    /// Whether the statement is stored is not known. The store is closed for appending; opening
    /// it again decides.
    #[error(
        "whether the statement was stored is not known: {source}; open the register again and \
         look before sending it again"
    )]
    Unknown {
        /// What the system said.
        source: io::Error,
    },
    /// The store is closed for appending, after [`AppendError::Unknown`] or since it was opened
    /// for reading only. Nothing was stored.
    #[error("the register is closed for appending; open it again for writing")]
    Closed,
}

/// Why a statement could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No statement has this number.
    #[error("there is no statement {number}; the register has 1 to {size}")]
    Absent {
        /// The number asked for.
        number: u64,
        /// Size of the register.
        size: u64,
    },
    /// The bytes are not those that were appended.
    #[error(
        "statement {number} was changed on disk since the register was opened; stop, and restore \
         the register from a backup (docs/operations.md)"
    )]
    Damaged {
        /// The statement.
        number: u64,
    },
    /// The bytes could not be read.
    #[error("statement {number} cannot be read: {source}; mend the disk")]
    Unreadable {
        /// The statement.
        number: u64,
        /// What the system said.
        source: io::Error,
    },
}
