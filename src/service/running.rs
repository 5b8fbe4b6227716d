//! The running register: read without a lock, replaced by one writer.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::watch;

use crate::domain::list::List;
use crate::domain::shanghai;
use crate::register::history::Register;
use crate::store::Store;

use super::past::PastLists;
use super::replay::{ReplayError, Replayed, list_of};
use super::service_keys::{self, ServiceKeys, ServiceKeysError};
use super::snapshot::{Revision, SignedList, Snapshot};
use super::tally::Tally;
use super::timeline::{self, Answering, Published};

/// A register that answers.
#[derive(Debug)]
pub struct Running {
    published: ArcSwap<Published>,
    store: Arc<dyn Store>,
    past: PastLists,
    /// What was answered and proposed, for metrics.
    tally: Arc<Tally>,
    /// With which receipts are signed; none for a register that is only read.
    service_keys: ArcSwapOption<ServiceKeys>,
    /// Where they are kept.
    service_keys_folder: OnceLock<PathBuf>,
    /// Size of the register, for those who wait for it to grow.
    size: watch::Sender<u64>,
    /// Whether the server is stopping, for those who would wait for ever.
    stopping: watch::Sender<bool>,
}

/// Which list a question is to be answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The declaration's day; `None` = today.
    pub date: Option<Date>,
    /// Statements known; 0 = all.
    pub known: u64,
    /// Least size of the register; 0 = any.
    pub min: u64,
}

/// Why no list answers.
#[derive(Debug)]
pub enum Unanswerable {
    /// The register has not as many statements.
    NotReached {
        /// How many were asked for.
        wanted: u64,
        /// How many there are.
        size: u64,
    },
    /// The list that was in force had expired.
    Expired(Revision),
    /// Nothing was in force then.
    NothingThen {
        /// The instant.
        at: Timestamp,
    },
    /// Nothing is in force yet.
    NothingYet,
    /// The store does not give a past list as it was.
    Past(ReplayError),
}

impl Running {
    /// Publishes a replayed register.
    ///
    /// # Errors
    /// [`ReplayError`]: a list that is in force cannot be brought.
    pub fn open(
        store: Arc<dyn Store>,
        replayed: Replayed,
        now: Timestamp,
    ) -> Result<Self, ReplayError> {
        let Replayed { register, newest, checkpoint } = replayed;
        let newest_number = register.revisions().next_back().map(|r| r.number);
        let held = newest.clone();
        let list = |register: &Register, number| -> Result<Arc<SignedList>, ReplayError> {
            let list = match &held {
                Some(list) if newest_number == Some(number) => Arc::clone(list),
                _ => list_of(&*store, register, number, None)?,
            };
            Ok(Arc::new(SignedList::new(number, list)))
        };
        let published = Published::new(register, checkpoint, newest, now, list)?;
        let size = watch::Sender::new(published.register.size());
        let stopping = watch::Sender::new(false);
        let published = ArcSwap::from_pointee(published);
        let (past, service_keys) = (PastLists::default(), ArcSwapOption::empty());
        let service_keys_folder = OnceLock::new();
        let tally = Arc::default();
        Ok(Self {
            published,
            store,
            past,
            tally,
            service_keys,
            service_keys_folder,
            size,
            stopping,
        })
    }

    /// What was answered and proposed since the start.
    #[must_use]
    pub const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The register as it stands, to keep for a while.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// The register as it stands, for one lookup.
    #[must_use]
    pub fn load(&self) -> arc_swap::Guard<Arc<Published>> {
        self.published.load()
    }

    /// Signs receipts with the keys in a folder from now on.
    pub fn sign_with(&self, keys: ServiceKeys, folder: PathBuf) {
        self.service_keys.store(Some(Arc::new(keys)));
        // A register has one folder of keys.
        let _same = self.service_keys_folder.set(folder);
    }

    /// Takes the keys from their folder if the one that signs is another now; whether it is.
    ///
    /// # Errors
    /// [`ServiceKeysError`]; the old key signs on.
    pub fn take_rotated_keys(&self) -> Result<bool, ServiceKeysError> {
        let (Some(keys), Some(folder)) = (self.service_keys(), self.service_keys_folder.get())
        else {
            return Ok(false);
        };
        if service_keys::written(folder) == keys.written {
            return Ok(false);
        }
        let Some(next) = ServiceKeys::read(folder)? else { return Ok(false) };
        let is_other = !next.current.verifier().is_same_key(keys.current.verifier());
        self.service_keys.store(Some(Arc::new(next)));
        Ok(is_other)
    }

    /// The keys that sign receipts; `None` if there are none.
    #[must_use]
    pub fn service_keys(&self) -> Option<Arc<ServiceKeys>> {
        self.service_keys.load_full()
    }

    /// Where its statements are kept.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Tells of every new size.
    #[must_use]
    pub fn sizes(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// Tells those who wait for statements that the server is stopping.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Resolves when the server is stopping.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives as long as this does.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Replaces what is published. Only the one writer calls it.
    pub(super) fn publish(&self, next: Arc<Published>) -> Arc<Published> {
        let size = next.register.size();
        let before = self.published.swap(next);
        self.size.send_replace(size);
        before
    }

    /// The list for a question about today, without waiting; `None` if it is about another day
    /// or an earlier knowledge, for which [`Running::find`] may have to read the store.
    ///
    /// # Errors
    /// [`Unanswerable`]: no list answers.
    #[must_use]
    pub fn current(
        published: &Published,
        wanted: Wanted,
        now: Timestamp,
    ) -> Option<Result<&Arc<Snapshot>, Unanswerable>> {
        let size = published.register.size();
        let needed = wanted.min.max(wanted.known);
        if needed > size {
            return Some(Err(Unanswerable::NotReached { wanted: needed, size }));
        }
        let is_today = wanted.date.is_none_or(|date| date == shanghai::today(now));
        let knows_all = wanted.known == 0 || wanted.known == size;
        (is_today && knows_all).then(|| match published.at(now) {
            Answering::Snapshot(snapshot) => Ok(snapshot),
            Answering::Expired(revision) => Err(Unanswerable::Expired(revision.clone())),
            Answering::Nothing => Err(Unanswerable::NothingYet),
        })
    }

    /// The list for any question. May block.
    ///
    /// # Errors
    /// [`Unanswerable`]: no list answers.
    pub fn find(
        &self,
        published: &Published,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Arc<Snapshot>, Unanswerable> {
        if let Some(found) = Self::current(published, wanted, now) {
            return found.map(Arc::clone);
        }
        let register = &published.register;
        let known = if wanted.known == 0 { register.size() } else { wanted.known };
        let at = wanted.date.map_or(now, |date| shanghai::instant_of(date, now));
        let Some(found) = register.in_force(at, known) else {
            return Err(Unanswerable::NothingThen { at });
        };
        let named = timeline::revision(register, &found);
        if found.revision.expires <= at {
            return Err(Unanswerable::Expired(named));
        }
        if let Some(same) = published.snapshots().find(|s| s.is_of(&named, &found)) {
            return Ok(Arc::clone(same));
        }
        match self.past.snapshot(&*self.store, register, at, known) {
            Ok(Some(snapshot)) => Ok(Arc::new(snapshot)),
            Ok(None) => Err(Unanswerable::NothingThen { at }),
            Err(error) => Err(Unanswerable::Past(error)),
        }
    }

    /// The register with its first `number` statements: its newest revision with every
    /// suspension laid over it, whatever the time. `None` before the first revision. May block.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub fn with_statements(
        &self,
        register: &Register,
        number: u64,
    ) -> Result<Option<Arc<Snapshot>>, ReplayError> {
        let found = self.past.snapshot(&*self.store, register, Timestamp::MAX, number)?;
        Ok(found.map(Arc::new))
    }

    /// The list of a revision as it was signed, whatever is in force. May block.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub(super) fn signed(
        &self,
        register: &Register,
        number: u64,
    ) -> Result<Arc<SignedList>, ReplayError> {
        self.past.list(&*self.store, register, number)
    }

    /// The list of a revision, whatever is in force. May block.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub fn list(&self, register: &Register, number: u64) -> Result<Arc<List>, ReplayError> {
        self.signed(register, number).map(|signed| Arc::clone(&signed.list))
    }
}
