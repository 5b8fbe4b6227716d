//! Which threads go first: those that answer lookups.
//!
//! Reading a list of 100,000 rows takes a processor for a second. A lookup that wakes while its
//! processor does that waits for the next tick of the scheduler, 4 ms, whatever the nice values
//! are; only a thread of the policy for idle time makes way at once. But on a machine that is
//! never idle such a thread hardly runs, and no revision may be kept out by asking enough.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
};

/// How much the writer yields to lookups, of 0 (not at all) to 19: with 10 it still has a tenth
/// of a busy machine.
const WRITER_NICENESS: i32 = 10;
/// So long work waits for idle time. Reading 100,000 rows takes a slow machine some seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Gives this thread a tenth of a busy machine. On Linux a thread's id names that thread; those
/// it starts inherit.
pub fn yield_to_lookups() {
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), WRITER_NICENESS) {
        tracing::debug!(%error, "the writer keeps its priority");
    }
}

/// From now on this thread, and those it starts, run while no other wants to.
pub fn run_when_idle() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    // It also asks for a nice value of 0, which means nothing here and which not everybody gets.
    if thread_schedule_policy() != Ok(policy) {
        tracing::debug!(?set, "a thread keeps its priority");
    }
}

/// Does long work while nobody else wants to run; if that takes too long, here. Blocks.
pub fn when_idle<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    when_idle_within(PATIENCE, work)
}

fn when_idle_within<T, F>(patience: Duration, work: F) -> T
where
    T: Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    let work = Arc::new(work);
    let (give, given) = sync_channel(1);
    let theirs = Arc::clone(&work);
    let started = thread::Builder::new().name("idle".into()).spawn(move || {
        run_when_idle();
        // Nobody may wait for it any more.
        drop(give.send(theirs()));
    });
    let done = started.ok().and_then(|_thread| given.recv_timeout(patience).ok());
    done.unwrap_or_else(|| work())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    use super::{when_idle, when_idle_within};

    #[test]
    fn work_is_done_in_idle_time() {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(when_idle(thread_schedule_policy), Ok(idle));
        assert_ne!(thread_schedule_policy(), Ok(idle), "who asked for it goes on as before");
    }

    #[test]
    fn work_that_finds_no_idle_time_is_done_by_who_asked_for_it() {
        let here = thread::current().id();
        let (_end, ended) = channel::<()>();
        let ended = Mutex::new(ended);
        // Elsewhere it goes on until this test ends.
        let done = when_idle_within(Duration::from_millis(20), move || {
            let there = thread::current().id();
            if there != here {
                let _ended = ended.lock().map(|ended| ended.recv());
            }
            there
        });
        assert_eq!(done, here);
    }
}
