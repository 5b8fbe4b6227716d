//! The register in two files of a directory, every byte of them under a hash.
//!
//! What is acknowledged is on disk, and is there when the register is opened again, or opening
//! is refused. The order of an append is what that rests on: next mark beside the mark, frame,
//! sync, mark, sync. Why not a database: `docs/decisions/0007-register-file.md`.

mod chain;
pub mod disk;
mod folder;
mod mark;
mod opening;
mod verify;

pub use opening::{CreateError, OpenError, Opened};

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::Digest;

use self::chain::{Chain, ChainValue, Place, header};
use self::disk::Disk;
use self::mark::Mark;
use super::{AppendError, BODY_BYTES_MAX, ReadError, Store};

/// Whether statements are appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Open,
    Closed,
}

/// A register in a directory.
#[derive(Debug)]
pub struct Embedded {
    disk: Box<dyn Disk>,
    /// One append at a time. Held while the disk works, which readers do not wait for.
    access: Mutex<Access>,
    /// What is durable, and thereby shown.
    chain: Mutex<Chain>,
    grown: Condvar,
}

impl Embedded {
    fn new(disk: Box<dyn Disk>, chain: Chain, access: Access) -> Self {
        Self { disk, access: Mutex::new(access), chain: Mutex::new(chain), grown: Condvar::new() }
    }

    /// What the register was made with, checked.
    ///
    /// # Errors
    /// As [`Store::read`]; the genesis has number 0.
    pub fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        self.body(0)
    }

    /// Nothing that can panic happens while it is held, so what a poisoned lock guards is whole.
    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn body(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let (start, end, size) = {
            let chain = self.chain();
            (chain.start_of(number), chain.end_of(number), chain.size())
        };
        let (Some(start), Some(end)) = (start, end) else {
            return Err(ReadError::Absent { number, size });
        };
        let length = end.end - start.body();
        let unreadable = |source| ReadError::Unreadable { number, source };
        let room = usize::try_from(length).map_err(io::Error::other).map_err(unreadable)?;
        let mut body = vec![0; room];
        self.disk.read_at(start.body(), &mut body).map_err(unreadable)?;
        let value = start.hash(number, length).chain_update(&body).finalize();
        if ChainValue::from(value) != end.value {
            return Err(ReadError::Damaged { number });
        }
        Ok(body)
    }

    fn write(&self, start: Place, end: Place, body: &[u8]) -> io::Result<()> {
        self.disk.write_at(start.end, &header(body.len() as u64, &end.value))?;
        self.disk.write_at(start.body(), body)
    }

    /// Writes statement `mark.size`, which goes from `start` to `end`.
    fn store(&self, start: Place, end: Place, body: &[u8], mark: &Mark) -> Result<(), AppendError> {
        // First, since it is what fails on a full disk that has room for the frame only; and
        // from here on, nothing has to be undone if it does.
        let staged = self.disk.stage_mark(mark.text().as_bytes());
        staged.map_err(|source| AppendError::NotStored { source })?;
        if let Err(source) = self.write(start, end, body) {
            let undone = self.disk.truncate(start.end).and_then(|()| self.disk.sync());
            return Err(match undone {
                Ok(()) => AppendError::NotStored { source },
                Err(_also) => AppendError::Unknown { source },
            });
        }
        // A failed sync says nothing about what is on disk, and cutting the frame off would need
        // another. A mark that fails leaves a durable statement behind the old mark or the new
        // one: `stored` would let it be lost unnoticed, `not stored` would be false.
        self.disk
            .sync()
            .and_then(|()| self.disk.commit_mark())
            .and_then(|()| self.disk.sync_mark())
            .map_err(|source| AppendError::Unknown { source })
    }

    /// Makes the last statement durable and marks it, after a crash before its mark.
    fn adopt_last(&self) -> io::Result<()> {
        let (number, end, start) = {
            let chain = self.chain();
            (chain.size(), chain.last(), chain.start_of(chain.size()))
        };
        let Some(start) = start else { return Ok(()) };
        // Written once more: what was read may be in memory only, and if a sync failed before
        // the crash the system believes that it is on disk and would sync nothing.
        let body = self.body(number).map_err(io::Error::other)?;
        let mark = Mark { size: number, value: end.value };
        self.disk.stage_mark(mark.text().as_bytes())?;
        self.write(start, end, &body)?;
        self.disk.sync()?;
        self.disk.commit_mark()
    }
}

impl Store for Embedded {
    fn size(&self) -> u64 {
        self.chain().size()
    }

    fn append(&self, size: u64, body: &[u8]) -> Result<(), AppendError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes: body.len() });
        }
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if *access == Access::Closed {
            return Err(AppendError::Closed);
        }
        let (start, number) = {
            let chain = self.chain();
            if chain.size() != size {
                return Err(AppendError::Moved { size: chain.size() });
            }
            (chain.last(), chain.next_number())
        };
        let end = start.after(number, body);
        // Closed while the outcome is open, so that whatever ends this call early leaves it so.
        *access = Access::Closed;
        let stored = self.store(start, end, body, &Mark { size: number, value: end.value });
        if !matches!(stored, Err(AppendError::Unknown { .. })) {
            *access = Access::Open;
        }
        if stored.is_ok() {
            self.chain().push(end);
            self.grown.notify_all();
        }
        stored
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        if number == 0 {
            return Err(ReadError::Absent { number, size: self.size() });
        }
        self.body(number)
    }

    fn follow(&self, size: u64, patience: Duration) -> u64 {
        let waited =
            self.grown.wait_timeout_while(self.chain(), patience, |chain| chain.size() <= size);
        waited.unwrap_or_else(PoisonError::into_inner).0.size()
    }
}
