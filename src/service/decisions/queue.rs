//! What waits to be stored: bounded, taken by one thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::{Answered, NotLogged};

/// Records that may wait: some batches of 10,000, some 50 MB. More than a disk that works lets
/// pile up.
const RECORDS_MAX: usize = 50_000;
/// Records of one transaction, unless one unit alone has more: beyond it, a sync is a small part
/// of the cost, and those who wait wait longer.
const GROUP_RECORDS_MAX: usize = 4_096;

/// Records that are stored together, and who waits for that.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) records: Vec<Answered>,
    pub(super) reply: Option<oneshot::Sender<Result<(), NotLogged>>>,
}

/// There is no room, or the log is closed.
#[derive(Debug)]
pub(super) struct Unqueued;

#[derive(Debug, Default)]
struct State {
    units: VecDeque<Unit>,
    records: usize,
    closed: bool,
    /// The writer sleeps until so many units wait; `None` while it is awake.
    wake_at: Option<usize>,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    grown: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a unit. One that is larger than the queue is taken if nothing waits.
    pub(super) fn push(&self, unit: Unit) -> Result<(), Unqueued> {
        let mut state = self.lock();
        let records = state.records + unit.records.len();
        if state.closed || (state.records > 0 && records > RECORDS_MAX) {
            return Err(Unqueued);
        }
        state.records = records;
        state.units.push_back(unit);
        let wake = state.wake_at.is_some_and(|at| state.units.len() >= at);
        if wake {
            // Once is enough: waking costs a system call.
            state.wake_at = None;
        }
        drop(state);
        if wake {
            self.grown.notify_one();
        }
        Ok(())
    }

    /// Records that wait.
    pub(super) fn records(&self) -> usize {
        self.lock().records
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.grown.notify_one();
    }

    /// Waits until there is a unit, and from then on until there are `enough` or it is `until`.
    /// Moves what there is to `group`; false if the queue is closed and empty.
    pub(super) fn take(
        &self,
        enough: usize,
        until: Option<Instant>,
        group: &mut Vec<Unit>,
    ) -> bool {
        let mut state = self.lock();
        while state.units.is_empty() && !state.closed {
            state.wake_at = Some(1);
            state = self.grown.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        while let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now()))
            && state.units.len() < enough
            && !state.closed
            && !left.is_zero()
        {
            state.wake_at = Some(enough);
            let waited = self.grown.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wake_at = None;
        let mut records = 0;
        while let Some(next) = state.units.front()
            && (group.is_empty() || records + next.records.len() <= GROUP_RECORDS_MAX)
        {
            records += next.records.len();
            group.extend(state.units.pop_front());
        }
        state.records -= records;
        !group.is_empty()
    }
}
