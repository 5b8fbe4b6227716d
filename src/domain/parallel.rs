//! Work on a long slice, shared among all processors.

use std::thread;

/// Shorter slices are done before a thread would have begun.
const SHARED_MIN: usize = 256;

/// Hands each processor its share of a slice; results come in the order of the shares.
pub(crate) fn on_all_processors<'a, I: Sync, T: Send>(
    all: &'a [I],
    work: impl Fn(&'a [I]) -> T + Sync,
) -> Vec<T> {
    if all.len() < SHARED_MIN {
        return vec![work(all)];
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let work = &work;
        let working: Vec<_> =
            all.chunks(share).map(|share| scope.spawn(move || work(share))).collect();
        let finished = working.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
        });
        finished.collect()
    })
}

/// Two independent pieces of work at once.
pub(crate) fn both<A, B: Send>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> (A, B) {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        (here, there.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)))
    })
}
