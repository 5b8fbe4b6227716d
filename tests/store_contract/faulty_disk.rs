//! A disk in memory whose operations go wrong as planned, and which loses what is lost when the
//! process or the machine ends.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use clearlist::store::embedded::disk::Disk;
use clearlist::store::embedded::{Embedded, OpenError};

use super::files::{Files, HISTORY, last};

/// What changes a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Write,
    Truncate,
    Sync,
    StageMark,
    CommitMark,
    SyncMark,
}

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails, and did nothing.
    NotStored,
    /// It fails, and did half of it.
    HalfStored,
    /// It fails, and did all of it.
    Stored,
    /// It succeeds, and did nothing.
    Lie,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// What the system was given, it keeps.
    Killed,
    /// What was not synced is lost.
    PowerLost,
    /// What was not synced is stored after all.
    PowerLostLate,
    /// Of what was not synced, only the last write is stored, and zeros before it.
    PowerLostOutOfOrder,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, new) => {
                let end = offset + new.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes.get_mut(*offset..end).expect("it was made to fit").copy_from_slice(new);
            }
            Self::Truncate(length) => bytes.truncate(*length),
        }
    }

    /// The first half of a write; a half truncation is none.
    fn half(&self) -> Option<Self> {
        let Self::Write(offset, new) = self else { return None };
        Some(Self::Write(*offset, new.get(..new.len() / 2)?.to_vec()))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Medium {
    /// What is read.
    pub(crate) shown: Vec<u8>,
    /// What survives a loss of power.
    durable: Vec<u8>,
    /// What the next sync makes durable. A sync that fails forgets it, as systems do: the next
    /// one succeeds and makes nothing durable.
    unsynced: Vec<Change>,
    mark: Vec<u8>,
    durable_mark: Vec<u8>,
    staged: Vec<u8>,
    /// Operations so far, and which of them go wrong.
    count: usize,
    faults: Vec<(usize, Fault)>,
    pub(crate) log: Vec<Operation>,
    pub(crate) unreadable_from: Option<u64>,
    /// What a running writer makes of the mark once it has been read.
    pub(crate) next_mark: Option<Vec<u8>>,
}

/// A disk in memory; copies are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Medium>>);

impl Memory {
    pub(crate) fn holding(files: &Files) -> Self {
        let Files { statements, mark } = files.clone();
        Self(Arc::new(Mutex::new(Medium {
            shown: statements.clone(),
            durable: statements,
            mark: mark.clone(),
            durable_mark: mark,
            ..Medium::default()
        })))
    }

    pub(crate) fn medium(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().expect("nobody panics")
    }

    /// From now on these operations, counted from 0, go wrong.
    pub(crate) fn plan(&self, faults: &[(usize, Fault)]) {
        let mut medium = self.medium();
        medium.count = 0;
        medium.log.clear();
        medium.faults = faults.to_vec();
    }

    pub(crate) fn end(&self, how: End) {
        self.plan(&[]);
        let mut medium = self.medium();
        let medium = &mut *medium;
        let unsynced = std::mem::take(&mut medium.unsynced);
        let kept = match how {
            End::Killed => {
                medium.unsynced = unsynced;
                return;
            }
            End::PowerLost => &[],
            End::PowerLostLate => unsynced.as_slice(),
            End::PowerLostOutOfOrder => unsynced.last().map_or(&[][..], std::slice::from_ref),
        };
        for change in kept {
            change.apply(&mut medium.durable);
        }
        if how == End::PowerLostLate {
            medium.durable_mark.clone_from(&medium.mark);
        }
        medium.shown.clone_from(&medium.durable);
        medium.mark.clone_from(&medium.durable_mark);
    }

    /// Does an operation, or lets it go wrong.
    fn run(
        &self,
        operation: Operation,
        whole: impl FnOnce(&mut Medium),
        half: impl FnOnce(&mut Medium),
        none: impl FnOnce(&mut Medium),
    ) -> io::Result<()> {
        let mut medium = self.medium();
        let number = medium.count;
        medium.count += 1;
        medium.log.push(operation);
        let fault = medium.faults.iter().find(|(at, _)| *at == number).map(|(_, fault)| *fault);
        match fault {
            None | Some(Fault::Stored) => whole(&mut medium),
            Some(Fault::HalfStored) => half(&mut medium),
            Some(Fault::NotStored | Fault::Lie) => none(&mut medium),
        }
        match fault {
            None | Some(Fault::Lie) => Ok(()),
            Some(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn change(&self, operation: Operation, change: Change) -> io::Result<()> {
        let keep = |medium: &mut Medium, change: Change| {
            change.apply(&mut medium.shown);
            medium.unsynced.push(change);
        };
        let half = change.half();
        self.run(
            operation,
            |medium| keep(medium, change),
            |medium| half.into_iter().for_each(|half| keep(medium, half)),
            |_| (),
        )
    }
}

fn offset(value: u64) -> usize {
    usize::try_from(value).expect("tests are small")
}

impl Disk for Memory {
    fn length(&self) -> io::Result<u64> {
        Ok(self.medium().shown.len() as u64)
    }

    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let medium = self.medium();
        let end = at + out.len() as u64;
        if medium.unreadable_from.is_some_and(|bad| end > bad && !out.is_empty()) {
            return Err(io::Error::other("bad sector"));
        }
        let bytes = medium.shown.get(offset(at)..offset(end));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Operation::Write, Change::Write(offset(at), bytes.to_vec()))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.change(Operation::Truncate, Change::Truncate(offset(length)))
    }

    fn sync(&self) -> io::Result<()> {
        let store = |medium: &mut Medium, count: usize| {
            for change in std::mem::take(&mut medium.unsynced).iter().take(count) {
                change.apply(&mut medium.durable);
            }
        };
        self.run(
            Operation::Sync,
            |medium| store(medium, usize::MAX),
            |medium| store(medium, 1),
            |medium| store(medium, 0),
        )
    }

    fn read_mark(&self) -> io::Result<Vec<u8>> {
        let mut medium = self.medium();
        let mark = medium.mark.clone();
        if let Some(next) = medium.next_mark.take() {
            medium.mark = next;
        }
        Ok(mark)
    }

    fn stage_mark(&self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).expect("a half is inside");
        self.run(
            Operation::StageMark,
            |medium| medium.staged = bytes.to_vec(),
            |medium| medium.staged = half.to_vec(),
            |_| (),
        )
    }

    fn commit_mark(&self) -> io::Result<()> {
        let commit = |medium: &mut Medium| medium.mark = medium.staged.clone();
        self.run(Operation::CommitMark, commit, |_| (), |_| ())
    }

    fn sync_mark(&self) -> io::Result<()> {
        let sync = |medium: &mut Medium| medium.durable_mark = medium.mark.clone();
        self.run(Operation::SyncMark, sync, |_| (), |_| ())
    }
}

/// The operations of an append, in order.
pub(crate) const APPEND: [Operation; 6] = [
    Operation::StageMark,
    Operation::Write,
    Operation::Write,
    Operation::Sync,
    Operation::CommitMark,
    Operation::SyncMark,
];

pub(crate) const FAILURES: [Fault; 3] = [Fault::NotStored, Fault::HalfStored, Fault::Stored];
pub(crate) const ENDS: [End; 4] =
    [End::Killed, End::PowerLost, End::PowerLostLate, End::PowerLostOutOfOrder];

pub(crate) fn memory() -> Memory {
    Memory::holding(&last(&HISTORY))
}

pub(crate) fn open_on(memory: &Memory) -> Result<Embedded, OpenError> {
    Embedded::open_on(Box::new(memory.clone())).map(|opened| opened.store)
}
