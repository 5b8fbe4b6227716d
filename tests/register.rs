//! The signed history from outside: known answers, other implementations, properties, and one
//! test for every way somebody might try to get a statement in that two agencies did not sign.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on says so"
)]

use proptest::prelude::ProptestConfig;

mod support;

#[path = "register/ceremony.rs"]
mod ceremony;
#[path = "register/checkpoint.rs"]
mod checkpoint;
#[path = "register/history.rs"]
mod history;
#[path = "register/merkle.rs"]
mod merkle;
#[path = "register/note.rs"]
mod note;
#[path = "register/policy.rs"]
mod policy;
#[path = "register/proof.rs"]
mod proof;
#[path = "register/record.rs"]
mod record;
#[path = "register/statement.rs"]
mod statement;
#[path = "register/step.rs"]
mod step;

/// No file of failures beside the tests: what fails becomes an example of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
