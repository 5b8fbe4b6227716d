//! File descriptors: a connection is one, and most systems give a process 1,024 unless it asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything else: the register, logs, the runtime, connections that just ended.
const OTHERS: u64 = 256;

/// Asks for as many as so many connections need, as far as the system lets it.
pub(super) fn make_room(connections_max: u32) {
    let wanted = u64::from(connections_max) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    // None is no limit.
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let possible = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit });
    if raised.is_err() || possible < wanted {
        tracing::warn!(
            wanted,
            possible,
            "the process may open fewer files than limits.connections_max needs"
        );
    }
}
