//! Lists of past revisions: brought from the store when somebody asks, a few of them kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::register::history::Register;
use crate::store::Store;

use super::replay::{self, ReplayError};
use super::snapshot::{SignedList, Snapshot};
use super::timeline;

/// Past lists kept in memory: an audit asks about one or two at a time.
const KEPT_MAX: usize = 3;

/// The past lists that were asked for last.
#[derive(Debug, Default)]
pub struct PastLists {
    /// Held while a list is brought, so that many callers bring it once.
    kept: Mutex<VecDeque<Arc<SignedList>>>,
}

impl PastLists {
    /// The list of a revision. Blocks while it is brought.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub fn list(
        &self,
        store: &dyn Store,
        register: &Register,
        number: u64,
    ) -> Result<Arc<SignedList>, ReplayError> {
        // A bringer that panicked left the queue whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|signed| signed.number == number)
            && let Some(found) = kept.remove(at)
        {
            kept.push_front(Arc::clone(&found));
            return Ok(found);
        }
        let before = kept.iter().filter(|signed| signed.number < number);
        let nearest = before.max_by_key(|signed| signed.number);
        let nearest = nearest.map(|signed| (signed.number, &signed.list));
        let list = replay::list_of(store, register, number, nearest)?;
        list.prepare();
        let signed = Arc::new(SignedList::new(number, list));
        kept.truncate(KEPT_MAX - 1);
        kept.push_front(Arc::clone(&signed));
        Ok(signed)
    }

    /// What was in force at `at` for somebody who knew the first `known` statements; `None` if
    /// nothing was.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give it as it was.
    pub fn snapshot(
        &self,
        store: &dyn Store,
        register: &Register,
        at: Timestamp,
        known: u64,
    ) -> Result<Option<Snapshot>, ReplayError> {
        let Some(found) = register.in_force(at, known) else { return Ok(None) };
        let list = self.list(store, register, found.revision.number)?;
        Ok(Some(timeline::snapshot(register, &found, &list, at, known)))
    }
}
