//! Which threads go first.

/// How much the writer yields to lookups, of 0 (not at all) to 19: reading a list of 100,000 rows
/// takes every processor for a second. With 10 it still has a tenth of a busy machine.
const WRITER_NICENESS: i32 = 10;

/// Lets lookups go before this thread. On Linux a thread's id names that thread; those it starts
/// inherit.
pub fn yield_to_lookups() {
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), WRITER_NICENESS) {
        tracing::debug!(%error, "the writer keeps its priority");
    }
}
