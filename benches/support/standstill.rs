//! When the machine itself stood still.
//!
//! A thread on each processor sleeps for a quarter of a millisecond at a time, at a priority before
//! which nothing else goes. If it wakes late, then because its processor did not run, or the system
//! did not let go of it: no other thread made it wait.
#![allow(unreachable_pub, reason = "as the other parts of benches")]
#![allow(clippy::expect_used, reason = "a bench that cannot go on says so")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// How long it sleeps.
const SLEEP: Duration = Duration::from_micros(250);
/// Later than this is late: timers themselves are some tens of microseconds late.
const LATE: Duration = Duration::from_micros(150);
/// Of 1 to 99.
const PRIORITY: u8 = 50;

/// From when to when.
type Span = (Instant, Instant);

/// Threads that watch, until this is dropped.
pub struct Watch {
    spans: Arc<Mutex<Vec<Span>>>,
    ended: Arc<AtomicBool>,
}

impl Watch {
    /// Starts the threads. Without the right to go first they end at once, and say so: they
    /// would notice what other threads do.
    pub fn start() -> Self {
        let watch = Self { spans: Arc::default(), ended: Arc::default() };
        let processors = thread::available_parallelism().expect("some processors").get();
        for processor in 0..processors {
            let (spans, ended) = (Arc::clone(&watch.spans), Arc::clone(&watch.ended));
            thread::spawn(move || {
                let mut only = CpuSet::new();
                only.set(processor);
                let first = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
                let priority = ThreadPriority::Crossplatform(
                    PRIORITY.try_into().expect("a priority of this system"),
                );
                let set = set_thread_priority_and_policy(thread_native_id(), priority, first);
                if set.is_err() || sched_setaffinity(None, &only).is_err() {
                    eprintln!(
                        "not root: what the machine did to processor {processor} is not known"
                    );
                    return;
                }
                while !ended.load(Ordering::Relaxed) {
                    let due = Instant::now() + SLEEP;
                    thread::sleep(SLEEP);
                    let woke = Instant::now();
                    if woke > due + LATE {
                        spans.lock().expect("nobody panics").push((due, woke));
                    }
                }
            });
        }
        watch
    }

    /// What was noticed from a time on.
    pub fn since(&self, start: Instant) -> Standstills {
        // One that has not ended yet is noticed at its end.
        thread::sleep(8 * SLEEP);
        let mut spans = self.spans.lock().expect("nobody panics").clone();
        spans.retain(|(_, end)| *end > start);
        spans.sort();
        // What both processors noticed counts once.
        spans.dedup_by(|next, last| {
            let touch = next.0 <= last.1;
            if touch {
                last.1 = last.1.max(next.1);
            }
            touch
        });
        Standstills(spans)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Times at which a processor stood still, none overlapping.
pub struct Standstills(Vec<Span>);

impl Standstills {
    /// How long, between two times.
    pub fn within(&self, start: Instant, end: Instant) -> Duration {
        let part = |(from, to): &Span| (*to).min(end).saturating_duration_since((*from).max(start));
        self.0.iter().map(part).sum()
    }
}
