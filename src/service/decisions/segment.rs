//! One file of the log: an `SQLite` database with one table, a row for each transaction.
//!
//! Its write-ahead log is synced once a transaction, and is written over from its beginning each
//! time all of it has been copied into the database: a file that does not grow is synced
//! in half the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, ffi, params};

use super::folder::{Folder, SegmentName};
use super::group::{Packer, Unstored};
use crate::domain::shanghai;

/// `application_id` of a segment: `CLdl`.
pub(super) const APPLICATION_ID: i64 = 0x434C_646C;
/// `user_version` of a segment: its format.
pub(super) const FORMAT: i64 = 3;
/// The format before, which holds texts and not their values: it is read, and no more is written
/// in it.
const FORMAT_BEFORE: i64 = 2;
/// How far an id may run ahead of its answer's time, in microseconds: an hour. If the clock was
/// set back by more, or an answer waited for longer, a new segment is begun. So a reader finds
/// all answers before an instant without reading what was logged an hour after it.
pub(super) const LAG_MICROS_MAX: i64 = 3_600_000_000;
/// Page size, in bytes: the default. A few answers alone take one.
const PAGE_BYTES: u32 = 4_096;
/// Once the write-ahead log has so many pages (8 MiB), it is copied into the database. Everybody's
/// syncs wait for those of copying: longer for more, more often for less.
pub(super) const WAL_PAGES_MAX: u32 = 2_048;
/// A write-ahead log that somebody's long reading let grow beyond this is cut, in bytes.
const WAL_BYTES_KEPT: u32 = 2 * WAL_PAGES_MAX * PAGE_BYTES;
/// How long to wait for a reader that opens a segment at the same moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The table. The key is the id of the group's first answer, and a time: see
/// [`Packer::pack`].
const SCHEMA: &str = "
CREATE TABLE groups (
    id      INTEGER PRIMARY KEY,
    last_id INTEGER NOT NULL,
    answers BLOB NOT NULL
) STRICT;";
const INSERT: &str = "INSERT INTO groups VALUES (?1, ?2, ?3)";
const NEWEST: &str = "SELECT last_id FROM groups ORDER BY id DESC LIMIT 1";

/// Why a segment could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SegmentError {
    /// The library says so.
    #[error("{0}")]
    Library(#[from] rusqlite::Error),
    /// The system says so.
    #[error("{0}")]
    Disk(#[from] std::io::Error),
    /// A later version wrote it.
    #[error("format {0} is of a later version")]
    Newer(i64),
    /// It is an `SQLite` database of something else.
    #[error("it is no decision log")]
    Foreign,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Try again: what was being written is undone, and the segment is good.
    Wait,
    /// What it holds cannot be read: set it aside.
    SetAside,
    /// What was being written may or may not be there: leave it, and begin another.
    Leave,
}

impl SegmentError {
    /// What to do about it.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Library(rusqlite::Error::SqliteFailure(error, _)) => {
                match (error.code, error.extended_code) {
                    (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Remedy::SetAside,
                    // The table is not as it was made.
                    (_, ffi::SQLITE_ERROR) => Remedy::SetAside,
                    // A limit on the size of files is told as a failed write, a full disk below
                    // the index as a failed change of its size.
                    (ErrorCode::DiskFull, _)
                    | (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => Remedy::Wait,
                    // A failed sync above all: the system forgets what it could not write, and
                    // a second sync that succeeds says nothing about it.
                    _ => Remedy::Leave,
                }
            }
            Self::Foreign | Self::Library(_) => Remedy::SetAside,
            Self::Disk(_) | Self::Newer(_) => Remedy::Leave,
        }
    }

    /// Whether there is no room.
    pub(super) fn is_full(&self) -> bool {
        use std::io::ErrorKind;
        match self {
            Self::Disk(error) => matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            ),
            Self::Library(_) => self.remedy() == Remedy::Wait,
            _ => false,
        }
    }
}

/// A segment that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    name: SegmentName,
    connection: Connection,
    packer: Packer,
    newest_id: i64,
    /// The month it was begun in; others have segments of their own.
    month: Option<Date>,
    /// Whether it has the format that is written.
    is_current: bool,
    /// Pages in the write-ahead log since it was last begun anew.
    wal_pages: Arc<AtomicU32>,
}

impl Segment {
    /// Makes a segment. It exists once this returns; otherwise nothing of it is left, if the
    /// disk allows.
    pub(super) fn create(folder: &Folder, name: SegmentName) -> Result<Self, SegmentError> {
        folder.make(&name)?;
        let made = Self::connect(folder, &name).and_then(|connected| {
            folder.sync()?;
            Ok(connected)
        });
        match made {
            Ok(connected) => Self::with(name, connected),
            Err(error) => {
                // It holds nothing. If it stays, it is used or deleted as an empty one later.
                let _left = folder.delete(&name);
                Err(error)
            }
        }
    }

    /// Opens a segment to write on in it.
    pub(super) fn open(folder: &Folder, name: SegmentName) -> Result<Self, SegmentError> {
        let (connection, format) = Self::connect(folder, &name)?;
        // What a dead process left in the write-ahead log may have been read from memory that
        // a failed sync never wrote: it is written again, elsewhere, and synced.
        connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)?;
        folder.sync()?;
        Self::with(name, (connection, format))
    }

    fn with(
        name: SegmentName,
        (mut connection, format): (Connection, i64),
    ) -> Result<Self, SegmentError> {
        let newest = newest(&connection)?;
        let wal_pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&wal_pages);
        connection.wal_hook(Some(move |_wal: &mut Wal, pages: i32| {
            seen.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        let month = newest.map(month_of);
        let (packer, newest_id) = (Packer::new(), newest.unwrap_or(0));
        let is_current = format == FORMAT;
        Ok(Self { name, connection, packer, newest_id, month, is_current, wal_pages })
    }

    /// Opens the database, and makes it one if it is empty. With its format.
    fn connect(folder: &Folder, name: &SegmentName) -> Result<(Connection, i64), SegmentError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.path_of(name), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Only an empty file takes it.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_row| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection
            .pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_row| Ok(()))?;
        if is_empty(&connection)? {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {SCHEMA}
                 PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {FORMAT};
                 COMMIT;"
            ))?;
        }
        let format = check(&connection)?;
        Ok((connection, format))
    }

    /// Its name.
    pub(super) const fn name(&self) -> &SegmentName {
        &self.name
    }

    /// Whether the database is smaller than so many bytes; `file` is how large its own file is,
    /// without the write-ahead log.
    pub(super) fn is_below(&self, bytes_max: u64, file: u64) -> Result<bool, SegmentError> {
        let page = u64::from(PAGE_BYTES);
        // At most each page of the log is a new one. Asking takes a transaction.
        if file + u64::from(self.wal_pages()) * page < bytes_max {
            return Ok(true);
        }
        let mut pages = self.connection.prepare_cached("PRAGMA page_count")?;
        let pages: u32 = pages.query_row([], |row| row.get(0))?;
        Ok(u64::from(pages) * page < bytes_max)
    }

    /// Whether it takes answers of this time, in microseconds: the month is the one it was begun in or before,
    /// and the next id is not far ahead. One of the format before takes none.
    pub(super) fn takes(&self, oldest: i64) -> bool {
        self.is_current
            && self.month.is_none_or(|month| month_of(oldest) <= month)
            && self.newest_id - oldest < LAG_MICROS_MAX
    }

    /// Pages in the write-ahead log.
    pub(super) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    /// Stores answers in one transaction, durably.
    ///
    /// # Errors
    /// After [`Remedy::Wait`] none of them is stored; otherwise that is not known.
    pub(super) fn append(&mut self, answers: &mut Unstored) -> Result<(), SegmentError> {
        let oldest = answers.oldest();
        let Some(packed) = self.packer.pack(answers, self.newest_id)? else { return Ok(()) };
        // One statement is one transaction.
        let mut insert = self.connection.prepare_cached(INSERT)?;
        insert.execute(params![packed.first_id, packed.last_id, packed.bytes])?;
        self.newest_id = packed.last_id;
        self.month = self.month.or(oldest.map(month_of));
        Ok(())
    }

    /// Copies what is left of the write-ahead log into the database. If all of it was copied,
    /// the next transaction begins it anew.
    pub(super) fn checkpoint(&self) -> Result<(), SegmentError> {
        self.connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
        Ok(())
    }

    /// Its parts, to be closed elsewhere.
    pub(super) fn into_parts(self) -> (SegmentName, Connection) {
        (self.name, self.connection)
    }
}

/// The first day of the month, in Shanghai, of a time in microseconds.
fn month_of(micros: i64) -> Date {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    shanghai::today(at).first_of_month()
}

/// The newest id in a segment.
fn newest(connection: &Connection) -> Result<Option<i64>, SegmentError> {
    Ok(connection.query_row(NEWEST, [], |row| row.get(0)).optional()?)
}

fn is_empty(connection: &Connection) -> Result<bool, SegmentError> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

/// The format of an open database, if it is a segment that this program can read.
fn check(connection: &Connection) -> Result<i64, SegmentError> {
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match (id, format) {
        (APPLICATION_ID, FORMAT_BEFORE | FORMAT) => Ok(format),
        (APPLICATION_ID, newer) if newer > FORMAT => Err(SegmentError::Newer(newer)),
        _ => Err(SegmentError::Foreign),
    }
}

/// Opens a segment for reading, beside whoever writes to it. `None` if it was begun and never
/// written to.
pub(super) fn open_read_only(
    folder: &Folder,
    name: &SegmentName,
) -> Result<Option<Connection>, SegmentError> {
    let open = |access: OpenFlags| -> Result<Option<Connection>, SegmentError> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.path_of(name), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        if is_empty(&connection)? {
            return Ok(None);
        }
        check(&connection)?;
        Ok(Some(connection))
    };
    match open(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        // The process that closed it died half-way; whoever opens it next takes that back.
        Err(SegmentError::Library(rusqlite::Error::SqliteFailure(error, _)))
            if error.code == ErrorCode::ReadOnly =>
        {
            open(OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        opened => opened,
    }
}

/// The newest id of a segment; every time in it is at or before that. `None` if it is empty.
pub(super) fn newest_id(folder: &Folder, name: &SegmentName) -> Result<Option<i64>, SegmentError> {
    match open_read_only(folder, name)? {
        Some(connection) => newest(&connection),
        None => Ok(None),
    }
}

/// Copies the write-ahead log of a segment that is in use into its database. Delays no writer.
pub(super) fn copy_wal(folder: &Folder, name: &SegmentName) -> Result<(), SegmentError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.path_of(name), flags)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
    // While that was copied and synced, more came. What is left for the writer is less.
    connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
    Ok(())
}

/// Makes one file of a segment that nobody writes to any more.
pub(super) fn tidy(connection: &Connection) -> Result<(), SegmentError> {
    connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)?;
    connection.pragma_update_and_check(None, "journal_mode", "delete", |_row| Ok(()))?;
    Ok(())
}

/// As [`tidy`], of a segment that is not open.
pub(super) fn tidy_closed(folder: &Folder, name: &SegmentName) -> Result<(), SegmentError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.path_of(name), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "full")?;
    tidy(&connection)
}
