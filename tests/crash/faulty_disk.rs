//! A disk over the files of a real register directory that can be told to fail: what it leaves,
//! the real program opens.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clearlist::service::replay::replay;
use clearlist::service::running::Running;
use clearlist::store::embedded::Embedded;
use clearlist::store::embedded::disk::Disk;

use super::support::ceremony::now;

/// What is wrong with the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// A write stores half of its bytes, then there is no room.
    Full,
    /// No file can be made or written.
    ReadOnly,
    /// As [`Fault::Full`], and what was written cannot be cut off again.
    FullForEver,
    /// A sync fails; what was written is on disk.
    SyncFailsAfter,
    /// A sync fails; what was written is lost.
    SyncFailsBefore,
    /// The mark cannot take its place; the statement is on disk.
    MarkFails,
    /// The mark takes its place, and whether that is durable is not known.
    MarkSyncFails,
}

/// A register directory; copies are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct FaultyDisk {
    directory: PathBuf,
    statements: Arc<File>,
    /// The fault, and the length that was synced last.
    state: Arc<Mutex<(Fault, u64)>>,
}

impl FaultyDisk {
    /// The disk of a register directory, which works.
    pub(crate) fn of(directory: &Path) -> Self {
        let open = OpenOptions::new().read(true).write(true).open(directory.join("statements"));
        let statements = open.expect("a register has the file");
        let length = statements.metadata().expect("it is open").len();
        let state = Arc::new(Mutex::new((Fault::None, length)));
        Self { directory: directory.to_owned(), statements: Arc::new(statements), state }
    }

    /// From now on this is wrong with it.
    pub(crate) fn set(&self, fault: Fault) {
        self.state.lock().expect("nobody panics").0 = fault;
    }

    fn fault(&self) -> Fault {
        self.state.lock().expect("nobody panics").0
    }

    /// The register on it, open.
    pub(crate) fn open(&self) -> Running {
        let store = Embedded::open_on(Box::new(self.clone())).expect("a good register").store;
        let genesis = store.genesis().expect("it was verified");
        let replayed = replay(&store, &genesis, |_, _| ()).expect("it was accepted");
        Running::open(Arc::new(store), replayed, now()).expect("its list was accepted")
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn broken() -> io::Error {
    io::Error::other("input/output error")
}

impl Disk for FaultyDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.statements.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.statements.read_exact_at(out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.fault() {
            Fault::Full | Fault::FullForEver => {
                let half = bytes.get(..bytes.len() / 2).expect("a half is inside");
                self.statements.write_all_at(half, offset)?;
                Err(full())
            }
            Fault::ReadOnly => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => self.statements.write_all_at(bytes, offset),
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        match self.fault() {
            Fault::FullForEver => Err(broken()),
            _ => self.statements.set_len(length),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock().expect("nobody panics");
        match state.0 {
            Fault::SyncFailsAfter => Err(broken()),
            Fault::SyncFailsBefore => {
                self.statements.set_len(state.1)?;
                Err(broken())
            }
            _ => {
                state.1 = self.length()?;
                self.statements.sync_all()
            }
        }
    }

    fn read_mark(&self) -> io::Result<Vec<u8>> {
        fs::read(self.directory.join("high-water"))
    }

    fn stage_mark(&self, bytes: &[u8]) -> io::Result<()> {
        if self.fault() == Fault::ReadOnly {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let mut file = File::create(self.directory.join("high-water.new"))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn commit_mark(&self) -> io::Result<()> {
        if self.fault() == Fault::MarkFails {
            return Err(broken());
        }
        fs::rename(self.directory.join("high-water.new"), self.directory.join("high-water"))
    }

    fn sync_mark(&self) -> io::Result<()> {
        if self.fault() == Fault::MarkSyncFails {
            return Err(broken());
        }
        File::open(&self.directory)?.sync_all()
    }
}
