//! The decision log: what is in it, when, for how long, and what happens when it cannot be
//! written. Most tests run the real server and read its files beside it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "decisions/asking.rs"]
mod asking;
#[path = "decisions/commands.rs"]
mod commands;
#[path = "decisions/files.rs"]
mod files;
#[path = "decisions/full_disks.rs"]
mod full_disks;
#[path = "decisions/kills.rs"]
mod kills;
#[path = "decisions/modes.rs"]
mod modes;
#[path = "decisions/secrets.rs"]
mod secrets;
