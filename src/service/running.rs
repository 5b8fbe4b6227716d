//! The running register: read without a lock, replaced by one writer.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use tokio::sync::watch;

use crate::domain::list::List;
use crate::register::history::Register;
use crate::store::Store;

use super::past::PastLists;
use super::replay::{ReplayError, Replayed, list_of};
use super::snapshot::{Revision, Snapshot};
use super::timeline::{self, Answering, Published};

/// The civil date in Asia/Shanghai, which has kept +08:00 since 1991.
#[must_use]
pub fn today_in_shanghai(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::fixed(Offset::constant(8))).date()
}

/// The last second of a day in Asia/Shanghai; `None` at the end of time.
#[must_use]
pub fn last_second_of(day: Date) -> Option<Timestamp> {
    let zoned = day.at(23, 59, 59, 0).to_zoned(TimeZone::fixed(Offset::constant(8)));
    zoned.ok().map(|z| z.timestamp())
}

/// A register that answers.
#[derive(Debug)]
pub struct Running {
    published: ArcSwap<Published>,
    store: Arc<dyn Store>,
    past: PastLists,
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
        let published =
            Published::new(register, checkpoint, newest, now, |register, number| match &held {
                Some(list) if newest_number == Some(number) => Ok(Arc::clone(list)),
                _ => list_of(&*store, register, number).map(Arc::new),
            })?;
        let size = watch::Sender::new(published.register.size());
        let stopping = watch::Sender::new(false);
        let published = ArcSwap::from_pointee(published);
        Ok(Self { published, store, past: PastLists::default(), size, stopping })
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
        let is_today = wanted.date.is_none_or(|date| date == today_in_shanghai(now));
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
        let at = match wanted.date.filter(|date| *date != today_in_shanghai(now)) {
            None => now,
            Some(date) => last_second_of(date).unwrap_or(now),
        };
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

    /// The list of a revision, whatever is in force. May block.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub fn list(&self, register: &Register, number: u64) -> Result<Arc<List>, ReplayError> {
        self.past.list(&*self.store, register, number)
    }
}
