//! The directory of a decision log: the only place that knows the names of its files.
//!
//! `NNNNNNNN-YYYYMMDDTHHMMSSZ.sqlite` is a segment: a running number, and when it was begun. So
//! names sort by age. Beside a segment that is in use, or was when a process died, lie its
//! `-wal` and `-shm`. What is damaged gets `.damaged` behind its name and is not touched again.
//! `lock` is empty, and held by the process that writes.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::OpenLogError;

/// Name of the log's directory inside a register's, unless told otherwise.
pub const DIRECTORY: &str = "decisions";

const LOCK: &str = "lock";
const SUFFIX: &str = ".sqlite";
const DAMAGED: &str = ".damaged";
/// What the library puts beside a file in use; the last while a file is being closed.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A segment by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentName {
    /// Its running number, from 1.
    pub(super) number: u64,
    /// The file's name.
    pub(super) file: String,
}

impl SegmentName {
    /// The name of a segment that is begun now.
    pub(super) fn new(number: u64, begun: Timestamp) -> Self {
        let begun = begun.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        Self { number, file: format!("{number:08}-{begun}{SUFFIX}") }
    }

    /// Reads a file's name; also that of a damaged segment, which only says its number.
    fn parse(file: &str) -> Option<Self> {
        let (number, _) = file.split_once('-').filter(|(digits, _)| digits.len() >= 8)?;
        Some(Self { number: number.parse().ok()?, file: file.to_owned() })
    }

    fn is_whole(&self) -> bool {
        self.file.ends_with(SUFFIX)
    }

    fn is_damaged(&self) -> bool {
        self.file.ends_with(DAMAGED)
    }
}

/// The right to write to a directory; given back when dropped, or when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A child process that is being started may have the file open for a moment longer. If
        // this fails, closing has to do.
        let _closed_next = self.file.unlock();
    }
}

/// A log's directory.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A directory that is there, for reading.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the directory if it is not there, closes it to all but its owner, and takes it for
    /// writing.
    pub(super) fn take(path: &Path) -> Result<(Self, Lock), OpenLogError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                if let Some(parent) = path.canonicalize()?.parent() {
                    File::open(parent)?.sync_all()?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(error.into()),
        }
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600);
        let file = file.open(path.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok((Self::at(path), Lock { file })),
            Err(TryLockError::WouldBlock) => Err(OpenLogError::Locked),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Every segment, damaged ones too, by number.
    fn all(&self) -> io::Result<Vec<SegmentName>> {
        let mut found = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let name = file?.file_name();
            found.extend(name.to_str().and_then(SegmentName::parse));
        }
        found.sort();
        Ok(found)
    }

    /// The segments, oldest first.
    pub(super) fn segments(&self) -> io::Result<Vec<SegmentName>> {
        Ok(self.all()?.into_iter().filter(SegmentName::is_whole).collect())
    }

    /// The segments that were set aside, oldest first.
    pub(super) fn damaged(&self) -> io::Result<Vec<SegmentName>> {
        Ok(self.all()?.into_iter().filter(SegmentName::is_damaged).collect())
    }

    /// The number after the highest ever seen here.
    pub(super) fn next_number(&self) -> io::Result<u64> {
        Ok(self.all()?.last().map_or(1, |newest| newest.number.saturating_add(1)))
    }

    /// The path of a segment.
    pub(super) fn path_of(&self, name: &SegmentName) -> PathBuf {
        self.path.join(&name.file)
    }

    /// Whether a segment is there.
    pub(super) fn has(&self, name: &SegmentName) -> bool {
        self.path_of(name).exists()
    }

    /// Whether something of a segment is still in a file beside it.
    pub(super) fn is_untidy(&self, name: &SegmentName) -> bool {
        BESIDE.iter().any(|suffix| self.beside(name, suffix).exists())
    }

    fn beside(&self, name: &SegmentName, suffix: &str) -> PathBuf {
        self.path.join(format!("{}{suffix}", name.file))
    }

    /// Makes the empty, private file of a segment. The library gives the files that it puts
    /// beside it the same mode.
    pub(super) fn make(&self, name: &SegmentName) -> io::Result<()> {
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path_of(name))?;
        // Whatever the umask was.
        file.set_permissions(Permissions::from_mode(0o600))
    }

    /// Makes names durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Deletes a segment, its own file first: without it nothing beside it is ever read.
    pub(super) fn delete(&self, name: &SegmentName) -> io::Result<()> {
        fs::remove_file(self.path_of(name))?;
        for suffix in BESIDE {
            match fs::remove_file(self.beside(name, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => (),
            }
        }
        self.sync()
    }

    /// Gives a damaged segment, and what lies beside it, another name, under which the library
    /// still finds all of it.
    pub(super) fn set_aside(&self, name: &SegmentName) -> io::Result<SegmentName> {
        let file = format!("{}{DAMAGED}", name.file);
        for suffix in BESIDE {
            match fs::rename(self.beside(name, suffix), self.path.join(format!("{file}{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => (),
            }
        }
        fs::rename(self.path_of(name), self.path.join(&file))?;
        self.sync()?;
        Ok(SegmentName { number: name.number, file })
    }
}
