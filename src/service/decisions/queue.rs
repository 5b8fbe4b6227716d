//! What waits to be stored: bounded, taken by one thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::group::Unstored;
use super::{Answered, NotLogged};

/// Records that may wait: some batches of 10,000, some 50 MB. More than a disk that works lets
/// pile up.
const RECORDS_MAX: usize = 50_000;
/// Records of one transaction, unless one unit alone has more: beyond it, a sync is a small part
/// of the cost, and those who wait wait longer.
const GROUP_RECORDS_MAX: usize = 4_096;

/// More records are written down before the others are kept from handing theirs over.
const QUICK_RECORDS_MAX: usize = 64;

/// Who waits for what was handed over.
pub(super) type Reply = oneshot::Sender<Result<(), NotLogged>>;

/// What one transaction stores.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) answers: Unstored,
    pub(super) replies: Vec<Reply>,
    /// How often something was handed over.
    pub(super) units: usize,
}

/// There is no room, or the log is closed.
#[derive(Debug)]
pub(super) struct Unqueued;

#[derive(Debug, Default)]
struct State {
    groups: VecDeque<Waiting>,
    /// Room of one that was stored.
    spare: Waiting,
    units: usize,
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

    /// Adds answers that are stored all together or not at all. More than the queue takes are
    /// taken if nothing waits.
    pub(super) fn push(&self, unit: &[Answered], reply: Option<Reply>) -> Result<(), Unqueued> {
        let written = (unit.len() > QUICK_RECORDS_MAX).then(|| Unstored::new(unit));
        let mut state = self.lock();
        let records = state.records + unit.len();
        if state.closed || (state.records > 0 && records > RECORDS_MAX) {
            return Err(Unqueued);
        }
        state.records = records;
        state.units += 1;
        match state.groups.back_mut() {
            Some(last) if last.answers.count() + unit.len() <= GROUP_RECORDS_MAX => {
                match &written {
                    Some(written) => last.answers.append(written),
                    None => last.answers.add(unit),
                }
                last.replies.extend(reply);
                last.units += 1;
            }
            _ => {
                let mut next = std::mem::take(&mut state.spare);
                match written {
                    Some(written) => next.answers = written,
                    None => next.answers.add(unit),
                }
                next.replies.extend(reply);
                next.units = 1;
                state.groups.push_back(next);
            }
        }
        let wake = state.wake_at.is_some_and(|at| state.units >= at);
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

    /// Waits until something was handed over, and from then on until that was enough times or
    /// it is `until`. How often is enough is said when it is known how many wait by now. `None` if
    /// the queue is closed and empty.
    pub(super) fn take(
        &self,
        enough: impl FnOnce(usize) -> usize,
        until: Instant,
    ) -> Option<Waiting> {
        let mut state = self.lock();
        let enough = enough(state.units);
        while state.groups.is_empty() && !state.closed {
            state.wake_at = Some(1);
            state = self.grown.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        while state.units < enough && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.wake_at = Some(enough);
            let waited = self.grown.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wake_at = None;
        let taken = state.groups.pop_front()?;
        state.records -= taken.answers.count();
        state.units -= taken.units;
        Some(taken)
    }

    /// Takes back the room of a group that was stored.
    pub(super) fn give_back(&self, mut stored: Waiting) {
        stored.answers.clear();
        stored.replies.clear();
        self.lock().spare = stored;
    }
}
