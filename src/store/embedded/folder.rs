//! The directory of a register: the only place that knows its files.
//!
//! `statements` is the register, `high-water` its mark, `high-water.new` a mark that has not
//! taken its place yet, `lock` an empty file that the one writing process holds.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::mark::MARK_BYTES_MAX;

const STATEMENTS: &str = "statements";
const STATEMENTS_NEW: &str = "statements.new";
const MARK: &str = "high-water";
const MARK_NEW: &str = "high-water.new";
const LOCK: &str = "lock";

/// The right to write to a directory; given back when dropped, or when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// # Errors
    /// [`TryLockError::WouldBlock`] if another process has it.
    pub(super) fn take(path: &Path) -> Result<Self, TryLockError> {
        // A file of its own: the register file is exchanged when a backup is restored, and a
        // lock on it would be exchanged with it.
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600);
        let file = file.open(path.join(LOCK)).map_err(TryLockError::Error)?;
        file.try_lock()?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that is being started may have the file open
        // for a moment longer, and would keep the lock. If this fails, closing has to do.
        let _closed_next = self.file.unlock();
    }
}

/// An open register directory.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    statements: File,
    /// `None` if opened for reading only.
    _lock: Option<Lock>,
}

impl Folder {
    /// Makes the directory if it is not there; what it is in must be.
    pub(super) fn make(path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => (),
        }
        match path.canonicalize()?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Whether the directory holds a register file.
    pub(super) fn has_statements(path: &Path) -> io::Result<bool> {
        path.join(STATEMENTS).try_exists()
    }

    /// The bytes of the mark in a directory.
    pub(super) fn mark_in(path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path.join(MARK))?.take(MARK_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Puts both files of a new register there. It exists once this returns; interrupted, it
    /// may be a mark alone.
    pub(super) fn fill(
        path: &Path,
        statements: &[u8],
        mark: &[u8],
        _lock: &Lock,
    ) -> io::Result<()> {
        write_new(&path.join(MARK_NEW), mark)?;
        write_new(&path.join(STATEMENTS_NEW), statements)?;
        fs::rename(path.join(MARK_NEW), path.join(MARK))?;
        // Durable in this order: a register without a mark would be refused for ever.
        sync_directory(path)?;
        fs::rename(path.join(STATEMENTS_NEW), path.join(STATEMENTS))?;
        sync_directory(path)
    }

    /// For reading and writing.
    pub(super) fn open(path: &Path, lock: Lock) -> io::Result<Self> {
        let statements = OpenOptions::new().read(true).write(true).open(path.join(STATEMENTS))?;
        Ok(Self { path: path.to_owned(), statements, _lock: Some(lock) })
    }

    /// For reading only.
    pub(super) fn open_read_only(path: &Path) -> io::Result<Self> {
        let statements = File::open(path.join(STATEMENTS))?;
        Ok(Self { path: path.to_owned(), statements, _lock: None })
    }
}

impl Disk for Folder {
    fn length(&self) -> io::Result<u64> {
        Ok(self.statements.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.statements.read_exact_at(out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.statements.write_all_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.statements.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        // Not sync_data: a cut that is undone by a loss of power would bring back a statement
        // that was answered as not stored.
        self.statements.sync_all()
    }

    fn read_mark(&self) -> io::Result<Vec<u8>> {
        Self::mark_in(&self.path)
    }

    fn stage_mark(&self, bytes: &[u8]) -> io::Result<()> {
        write_new(&self.path.join(MARK_NEW), bytes)
    }

    fn commit_mark(&self) -> io::Result<()> {
        fs::rename(self.path.join(MARK_NEW), self.path.join(MARK))
    }

    fn sync_mark(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }
}

/// A file with durable bytes, under a name that is not yet durable.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
