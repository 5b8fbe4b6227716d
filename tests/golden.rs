//! Golden files: what was once signed and stored is read for ever and means what it meant, and
//! docs/formats.md quotes it to the byte.
//!
//! `cargo test --test golden -- --ignored` writes `tests/golden/` anew. A change of its files is
//! a change of a format: other implementations and stored registers depend on them.
//!
//! The modules stand in `golden_files/`: whatever stands in `golden/` is compared and written anew.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

#[path = "golden_files/files.rs"]
mod files;
#[path = "golden_files/making.rs"]
mod making;
#[path = "golden_files/opened.rs"]
mod opened;
#[path = "golden_files/quoted.rs"]
mod quoted;
#[path = "golden_files/reading.rs"]
mod reading;
#[path = "golden_files/register.rs"]
mod register;
