//! Every open connection, and when one must go: too old, too quiet, never begun, never reading.
//!
//! A coarse clock ([`PULSE`]) is written by one task and read by everybody, and that task looks
//! at all connections each time: no timer and no look at a clock per connection, request or
//! frame. Requests are counted here, since a connection with one open is not idle.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::counts::Counts;
use super::pace::{Pace, Room};
use crate::config::Limits;

/// How often all connections are looked at; also the step of the coarse clock.
const PULSE: Duration = Duration::from_millis(100);
/// A connection that was told to go and has no request open is gone within this time, or cut off:
/// the last messages of a goodbye need one round trip.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);
/// Health and reflection may have so many requests open beyond the limit.
const CHEAP_REQUESTS_SPARE: u32 = 1_024;

/// Steps of the coarse clock that are at least this long.
fn pulses(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(PULSE.as_millis())).unwrap_or(u64::MAX)
}

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    counts: Arc<Counts>,
    /// Steps of [`PULSE`] since the start.
    pulse: AtomicU64,
    /// Requests that have arrived and that no thread has begun.
    waiting: AtomicU32,
    /// Open requests beyond those that each connection is assured of.
    beyond: AtomicU32,
    /// Those that are not read for a while.
    pace: Pace,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    jitter: RandomState,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    all: Arc<Connections>,
    accepted: u64,
    /// Its own age limit, in pulses.
    age_max: u64,
    /// TLS is agreed and HTTP has begun.
    begun: AtomicBool,
    /// A request has come.
    asked: AtomicBool,
    /// Open requests.
    requests: AtomicU32,
    /// Those of them that wait for something else than for the client to read.
    patient: AtomicU32,
    /// Requests refused since it was last read.
    refused: AtomicU32,
    /// When something was last taken by the client, or a request ended.
    moved: AtomicU64,
    /// When it was told to go; 0 while it was not.
    told: AtomicU64,
    tell: Mutex<Option<oneshot::Sender<()>>>,
    task: OnceLock<AbortHandle>,
}

/// What must happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    /// It is told to go, and finishes what it has.
    Goodbye,
    /// It is cut off.
    Cut,
}

/// What a request is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// A question, a proposal: refused when there are too many.
    Work,
    /// Health and reflection: what tells an operator why the rest is refused.
    Cheap,
}

/// Takes a connection out of the books when it ends, however it ends.
#[derive(Debug)]
pub(super) struct Entered(pub(super) Arc<Connection>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.all.book().remove(&self.0.id);
        self.0.all.counts.connections_ended.add();
    }
}

impl Connections {
    pub(super) fn new(limits: Limits, counts: Arc<Counts>) -> Self {
        Self {
            limits,
            counts,
            // 0 is "never".
            pulse: AtomicU64::new(1),
            waiting: AtomicU32::new(0),
            beyond: AtomicU32::new(0),
            pace: Pace::default(),
            next: AtomicU64::new(0),
            open: Mutex::default(),
            jitter: RandomState::new(),
        }
    }

    fn book(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        // Nothing is left half done under this lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.pulse.load(Ordering::Relaxed)
    }

    /// Open connections.
    pub(super) fn len(&self) -> usize {
        self.book().len()
    }

    /// A place for a new connection, and what tells it to go. If all are taken, one without a
    /// request makes room; `None` if there is no such.
    pub(super) fn enter(self: &Arc<Self>) -> Option<(Entered, oneshot::Receiver<()>)> {
        let (tell, told) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let now = self.now();
        let connection = Arc::new(Connection {
            id,
            all: Arc::clone(self),
            accepted: now,
            age_max: self.age_max(id),
            begun: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            patient: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            moved: AtomicU64::new(now),
            told: AtomicU64::new(0),
            tell: Mutex::new(Some(tell)),
            task: OnceLock::new(),
        });
        let displaced = {
            let mut book = self.book();
            let places = usize::try_from(self.limits.connections_max).unwrap_or(usize::MAX);
            let displaced = if book.len() < places {
                None
            } else {
                let Some(id) = least_wanted(&book) else {
                    self.counts.connections_refused.add();
                    return None;
                };
                book.remove(&id)
            };
            book.insert(id, Arc::clone(&connection));
            displaced
        };
        if let Some(displaced) = displaced {
            self.counts.connections_displaced.add();
            displaced.end();
        }
        self.counts.connections_accepted.add();
        Some((Entered(connection), told))
    }

    /// The age limit, give or take a tenth.
    fn age_max(&self, id: u64) -> u64 {
        let middle = pulses(self.limits.connection_age_max);
        let spread = (middle / 5).max(1);
        middle - spread / 2 + self.jitter.hash_one(id) % spread
    }

    /// Requests that may come before half of those wait that may: who is woken now is read a
    /// moment later.
    fn room(&self) -> Room {
        let limits = &self.limits;
        let most = limits.requests_waiting_max.div_ceil(2);
        if self.beyond.load(Ordering::SeqCst) >= limits.requests_open_max {
            return Room { now: 0, most };
        }
        let waiting = self.waiting.load(Ordering::SeqCst);
        Room { now: most.saturating_sub(waiting), most }
    }

    /// Lets connections that rest be read, if there is room.
    fn wake_resting(&self) {
        self.pace.make_use_of(|| self.room());
    }

    /// Looks at all connections, for ever.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut beat = tokio::time::interval(PULSE);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let begun = beat.tick().await;
        loop {
            let at = beat.tick().await;
            let now = 1 + pulses(at.duration_since(begun));
            self.pulse.store(now, Ordering::Relaxed);
            let due: Vec<(Arc<Connection>, Due)> = {
                let book = self.book();
                let due = book.values().map(|open| (open, open.due(now)));
                let due = due.filter(|(_, due)| *due != Due::Nothing);
                due.map(|(open, due)| (Arc::clone(open), due)).collect()
            };
            for (connection, due) in due {
                match due {
                    Due::Nothing => {}
                    Due::Goodbye => connection.say_goodbye(),
                    Due::Cut => {
                        self.counts.connections_cut.add();
                        connection.end();
                    }
                }
            }
        }
    }

    /// Tells all connections to go.
    pub(super) fn say_goodbye(&self) {
        let open: Vec<Arc<Connection>> = self.book().values().cloned().collect();
        for connection in open {
            connection.say_goodbye();
        }
    }

    /// Cuts off all connections; how many there were.
    pub(super) fn cut(&self) -> usize {
        let open: Vec<Arc<Connection>> = self.book().values().cloned().collect();
        for connection in &open {
            self.counts.connections_cut.add();
            connection.end();
        }
        open.len()
    }
}

/// Whom a new connection displaces: one that never began, one that never asked, the one longest
/// without a request. Somebody who only opens connections displaces his own first.
fn least_wanted(book: &HashMap<u64, Arc<Connection>>) -> Option<u64> {
    let idle = book.values().filter(|open| open.requests.load(Ordering::Relaxed) == 0);
    let rank = |open: &&Arc<Connection>| {
        (
            open.begun.load(Ordering::Relaxed),
            open.asked.load(Ordering::Relaxed),
            open.moved.load(Ordering::Relaxed),
            open.id,
        )
    };
    idle.min_by_key(rank).map(|open| open.id)
}

impl Connection {
    /// What cuts it off.
    pub(super) fn runs_as(&self, task: AbortHandle) {
        // Set once, by whoever started the task.
        let _first = self.task.set(task);
    }

    /// TLS is agreed and HTTP has begun.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
        self.moved.store(self.all.now(), Ordering::Relaxed);
    }

    /// TLS was not agreed.
    pub(super) fn handshake_failed(&self) {
        self.all.counts.handshakes_failed.add();
    }

    fn say_goodbye(&self) {
        let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tell) = tell {
            self.told.store(self.all.now(), Ordering::Relaxed);
            // It may have ended by itself just now.
            let _ended = tell.send(());
        }
    }

    fn end(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    fn due(&self, now: u64) -> Due {
        let limits = &self.all.limits;
        let since = |then: u64| now.saturating_sub(then);
        let (told, requests) =
            (self.told.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed));
        let still = since(self.moved.load(Ordering::Relaxed));
        let unread = requests > self.patient.load(Ordering::Relaxed);
        if told > 0 {
            let grace = if requests == 0 { GOODBYE_TIMEOUT } else { limits.connection_age_grace };
            // Its last request may have ended later than it was told.
            let quiet = since(told) >= pulses(grace) && (requests > 0 || still >= pulses(grace));
            if quiet || unread && still >= pulses(limits.unread_timeout) {
                return Due::Cut;
            }
        } else if !self.begun.load(Ordering::Relaxed) {
            if since(self.accepted) >= pulses(limits.handshake_timeout) {
                return Due::Cut;
            }
        } else if unread && still >= pulses(limits.unread_timeout) {
            return Due::Cut;
        } else if requests == 0 && still >= pulses(limits.idle_timeout)
            || since(self.accepted) >= self.age_max
        {
            return Due::Goodbye;
        }
        Due::Nothing
    }

    /// Counts a request in; `None` if there are too many.
    pub(super) fn admit(self: &Arc<Self>, weight: Weight) -> Option<Admitted> {
        let (all, limits) = (&self.all, &self.all.limits);
        let work = weight == Weight::Work;
        if work && all.waiting.load(Ordering::Relaxed) >= limits.requests_waiting_max {
            return self.refuse();
        }
        let open = self.requests.fetch_add(1, Ordering::Relaxed);
        let beyond = open >= limits.requests_per_connection_assured;
        if beyond {
            let spare = if work { 0 } else { CHEAP_REQUESTS_SPARE };
            let places = limits.requests_open_max.saturating_add(spare);
            if all.beyond.fetch_add(1, Ordering::Relaxed) >= places {
                all.beyond.fetch_sub(1, Ordering::Relaxed);
                self.requests.fetch_sub(1, Ordering::Relaxed);
                return self.refuse();
            }
        }
        if open == 0 && !self.asked.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
            self.begin();
        }
        all.waiting.fetch_add(1, Ordering::Relaxed);
        Some(Admitted { connection: Arc::clone(self), waiting: true, patient: false, beyond })
    }

    fn refuse<T>(&self) -> Option<T> {
        self.all.counts.requests_refused.add();
        self.refused.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Requests that were refused since this was last asked.
    pub(super) fn take_refused(&self) -> u32 {
        if self.refused.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// Requests that are not answered, or whose answers are not read.
    pub(super) fn open_requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether it was told to go.
    pub(super) fn was_told(&self) -> bool {
        self.told.load(Ordering::Relaxed) > 0
    }

    /// Where it rests.
    pub(super) fn pace(&self) -> &Pace {
        &self.all.pace
    }

    /// Lets connections that rest be read, if there is room.
    pub(super) fn wake_resting(&self) {
        self.all.wake_resting();
    }
}

/// A request that is counted in, until this is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    connection: Arc<Connection>,
    waiting: bool,
    patient: bool,
    beyond: bool,
}

impl Admitted {
    /// A thread has begun it.
    pub(super) fn begun(&mut self) {
        if self.waiting {
            self.waiting = false;
            self.connection.all.waiting.fetch_sub(1, Ordering::SeqCst);
            self.connection.wake_resting();
        }
    }

    /// It waits for the rest of its message, for the store, for news: not for its reader.
    pub(super) fn waits(&mut self) {
        if !self.patient {
            self.patient = true;
            self.connection.patient.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something for its reader came of it, or its reader took something.
    pub(super) fn moved(&mut self) {
        if self.patient {
            self.patient = false;
            self.connection.patient.fetch_sub(1, Ordering::Relaxed);
        }
        self.connection.moved.store(self.connection.all.now(), Ordering::Relaxed);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.begun();
        // What idle time is counted from.
        self.moved();
        if self.beyond {
            self.connection.all.beyond.fetch_sub(1, Ordering::SeqCst);
            self.connection.wake_resting();
        }
        self.connection.requests.fetch_sub(1, Ordering::Relaxed);
    }
}
