//! The server when things go wrong: killed at any moment, a disk that is full or fails, a
//! register that is not what it was, submitters that hang up. What is asked is always the same:
//! is everything acknowledged there, is nothing else, and is everybody told the truth?

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "crash/calls.rs"]
mod calls;
#[path = "crash/disks.rs"]
mod disks;
#[path = "crash/faulty_disk.rs"]
mod faulty_disk;
#[path = "crash/hang_ups.rs"]
mod hang_ups;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/ledger.rs"]
mod ledger;
#[path = "crash/lists.rs"]
mod lists;
#[path = "crash/refusals.rs"]
mod refusals;
#[path = "crash/submitters.rs"]
mod submitters;
