//! Making, opening and marking a register directory, and why one is refused.

use std::fs::TryLockError;
use std::io;
use std::path::Path;

use super::chain::{Chain, MAGIC, header};
use super::disk::Disk;
use super::folder::{Folder, Lock};
use super::mark::Mark;
use super::verify::{Contents, Tail};
use super::{Access, Embedded};
use crate::store::BODY_BYTES_MAX;

/// What every refusal of a register ends with.
const RESTORE: &str = "restore both files from a backup (docs/operations.md)";

/// Why a register was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is one already.
    #[error("the directory holds a register already; choose another, or open that one")]
    Exists,
    /// The genesis is over [`BODY_BYTES_MAX`].
    #[error("a genesis of {bytes} bytes is over the limit of {}; make it smaller", BODY_BYTES_MAX)]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Another process is writing there.
    #[error("another process holds the directory; stop it, or choose another directory")]
    Locked,
    /// The disk failed. It may be tried again.
    #[error("the register was not made: {source}; mend the disk, then try again")]
    Disk {
        /// What the system said.
        source: io::Error,
    },
}

/// Why a register was not opened. Nothing was changed, unless it was [`OpenError::Disk`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no register file.
    #[error("the file `statements` is missing; name another directory, or {}", RESTORE)]
    StatementsMissing,
    /// There is no mark.
    #[error(
        "the file `high-water` is missing, so nobody can say how many statements were served; {}",
        RESTORE
    )]
    MarkMissing,
    /// The mark is not one, to the byte.
    #[error("the file `high-water` is damaged; {}", RESTORE)]
    MarkUnreadable,
    /// The register file does not begin as one.
    #[error("the file `statements` does not begin as a register does; {}", RESTORE)]
    NotARegister,
    /// Another process has it open for writing.
    #[error("another process has the register open for writing; stop it, or open for reading only")]
    Locked,
    /// A frame does not match its chain value, or is cut short.
    #[error(
        "statement {number}, at byte {offset} of `statements`, is damaged or cut short (0 is the \
         genesis); {}",
        RESTORE
    )]
    Damaged {
        /// Its number; 0 is the genesis.
        number: u64,
        /// Where its frame begins.
        offset: u64,
    },
    /// The register is shorter than it was.
    #[error(
        "the register holds {held} statements and served {marked} before: statement {} is \
         missing; {}", held.saturating_add(1), RESTORE
    )]
    Missing {
        /// Statements there are.
        held: u64,
        /// Statements there were.
        marked: u64,
    },
    /// The register is whole, and not the one that was marked.
    #[error(
        "the register is another one, or was rewritten at or before statement {marked}; {}",
        RESTORE
    )]
    Rewritten {
        /// Statements the mark counts.
        marked: u64,
    },
    /// The register has more behind the mark than one interrupted append leaves.
    #[error(
        "the file `high-water` is older than `statements`: it counts {marked} statements, and the \
         register goes on behind statement {held}; {}, or mark the register anew if nothing else \
         is wrong",
        RESTORE
    )]
    MarkBehind {
        /// Whole statements there are.
        held: u64,
        /// Statements the mark counts.
        marked: u64,
    },
    /// A part of the register file cannot be read. Files are read in large pieces, so it may be
    /// a little further on.
    #[error(
        "cannot read `statements` at statement {number} or within 1 MiB behind it: {source}; mend \
         the disk, or {}",
        RESTORE
    )]
    Unreadable {
        /// The statement; 0 is the genesis.
        number: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The disk failed otherwise.
    #[error("cannot {what}: {source}; mend the disk, then try again")]
    Disk {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn disk(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { what, source }
    }

    fn of_statements(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::StatementsMissing,
            _ => Self::Disk { what: "open the file `statements`", source },
        }
    }

    fn of_lock(error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => Self::Locked,
            // There is no such directory.
            TryLockError::Error(e) if e.kind() == io::ErrorKind::NotFound => {
                Self::StatementsMissing
            }
            TryLockError::Error(source) => Self::Disk { what: "lock the register", source },
        }
    }
}

/// A register open for writing.
#[derive(Debug)]
pub struct Opened {
    /// The register.
    pub store: Embedded,
    /// Bytes that an interrupted append had left at the end, and that were cut off. Nobody was
    /// told that they were stored.
    pub cut_bytes: u64,
}

impl Embedded {
    /// Makes a register without statements in `directory`, which is made if it is not there.
    /// Interrupted, it can be done again.
    ///
    /// # Errors
    /// [`CreateError::Exists`] if there is a register, or a part of one that served statements.
    pub fn create(directory: &Path, genesis: &[u8]) -> Result<(), CreateError> {
        if genesis.len() > BODY_BYTES_MAX {
            return Err(CreateError::TooLarge { bytes: genesis.len() });
        }
        let disk = |source| CreateError::Disk { source };
        Folder::make(directory).map_err(disk)?;
        let lock = Lock::take(directory).map_err(|error| match error {
            TryLockError::WouldBlock => CreateError::Locked,
            TryLockError::Error(source) => CreateError::Disk { source },
        })?;
        // A mark that counts nothing, alone, is what an interrupted creation leaves. One that
        // counts belongs to a register that somebody should look for.
        let served = match Folder::mark_in(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            bytes => Mark::parse(&bytes.map_err(disk)?).is_none_or(|mark| mark.size > 0),
        };
        if served || Folder::has_statements(directory).map_err(disk)? {
            return Err(CreateError::Exists);
        }
        let place = Chain::default().last().after(0, genesis);
        let head = header(genesis.len() as u64, &place.value);
        let statements = [MAGIC, head.as_slice(), genesis].concat();
        let mark = Mark { size: 0, value: place.value }.text();
        Folder::fill(directory, &statements, mark.as_bytes(), &lock).map_err(disk)
    }

    /// Opens the register in `directory` for reading and writing, having checked every byte.
    ///
    /// # Errors
    /// [`OpenError`] names the file or the statement, and what to do.
    pub fn open(directory: &Path) -> Result<Opened, OpenError> {
        let lock = Lock::take(directory).map_err(OpenError::of_lock)?;
        let folder = Folder::open(directory, lock).map_err(OpenError::of_statements)?;
        Self::open_on(Box::new(folder))
    }

    /// Opens the register on a disk for reading and writing.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_on(disk: Box<dyn Disk>) -> Result<Opened, OpenError> {
        let mark = read_mark(&*disk)?;
        let contents = Contents::of(&*disk)?;
        contents.hold(&mark)?;
        contents.end_at(&mark)?;
        let Contents { chain, tail } = contents;
        let cut_bytes = match tail {
            Tail::Torn { bytes } => bytes,
            Tail::Nothing | Tail::Damaged => 0,
        };
        if cut_bytes > 0 {
            let cut = disk.truncate(chain.last().end).and_then(|()| disk.sync());
            cut.map_err(OpenError::disk("cut off an interrupted append"))?;
        }
        let unmarked = chain.size() > mark.size;
        let store = Self::new(disk, chain, Access::Open);
        if unmarked {
            store.adopt_last().map_err(OpenError::disk("keep the last statement"))?;
        }
        // The mark may be in place since just before a crash, and not durable yet.
        store.disk.sync_mark().map_err(OpenError::disk("keep the high-water mark"))?;
        Ok(Opened { store, cut_bytes })
    }

    /// Opens the register in `directory` for reading, as far as it is marked, having checked
    /// every byte. Changes nothing and takes no lock: another process may be writing, and what
    /// it appends from now on is not seen.
    ///
    /// # Errors
    /// As [`Embedded::open`], without [`OpenError::Locked`].
    pub fn open_read_only(directory: &Path) -> Result<Self, OpenError> {
        let folder = Folder::open_read_only(directory).map_err(OpenError::of_statements)?;
        Self::open_read_only_on(Box::new(folder))
    }

    /// Opens the register on a disk for reading.
    ///
    /// # Errors
    /// As [`Embedded::open_read_only`].
    pub fn open_read_only_on(disk: Box<dyn Disk>) -> Result<Self, OpenError> {
        let before = read_mark(&*disk)?;
        let contents = Contents::of(&*disk)?;
        // The writer may have marked more while this was reading. At the time the length was
        // taken there was at most one statement more than this mark counts.
        let after = read_mark(&*disk)?;
        contents.hold(&before)?;
        contents.end_at(&after)?;
        if contents.chain.size() >= after.size {
            contents.hold(&after)?;
        }
        let mut chain = contents.chain;
        chain.truncate(after.size);
        Ok(Self::new(disk, chain, Access::Closed))
    }

    /// Gives a register whose mark is lost, damaged or behind a new one, and returns the
    /// statements it counts. For a person who knows from elsewhere how many there should be:
    /// without the mark, nothing shows that statements are missing at the end.
    ///
    /// # Errors
    /// As [`Embedded::open`]: every byte must belong to a whole statement, and a mark that can
    /// be read must not be contradicted.
    pub fn remark(directory: &Path) -> Result<u64, OpenError> {
        let lock = Lock::take(directory).map_err(OpenError::of_lock)?;
        let disk = Folder::open(directory, lock).map_err(OpenError::of_statements)?;
        let contents = Contents::of(&disk)?;
        match read_mark(&disk) {
            Ok(mark) => contents.hold(&mark)?,
            Err(OpenError::MarkMissing | OpenError::MarkUnreadable) => (),
            Err(error) => return Err(error),
        }
        if contents.tail != Tail::Nothing || contents.chain.next_number() == 0 {
            return Err(contents.damaged());
        }
        let mark = Mark { size: contents.chain.size(), value: contents.chain.last().value };
        let marked = disk.stage_mark(mark.text().as_bytes()).and_then(|()| disk.commit_mark());
        let durable = marked.and_then(|()| disk.sync_mark());
        durable.map_err(OpenError::disk("write the high-water mark"))?;
        Ok(mark.size)
    }
}

fn read_mark(disk: &dyn Disk) -> Result<Mark, OpenError> {
    let bytes = disk.read_mark().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => OpenError::MarkMissing,
        _ => OpenError::Disk { what: "read the file `high-water`", source },
    })?;
    Mark::parse(&bytes).ok_or(OpenError::MarkUnreadable)
}
