//! Receipts: what they prove is checked by the program and by a script that shares nothing with
//! it; whatever is altered, and whatever a dishonest service makes up, is refused by both.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "receipts/altered.rs"]
mod altered;
#[path = "receipts/command_line.rs"]
mod command_line;
#[path = "receipts/dishonest.rs"]
mod dishonest;
#[path = "receipts/made.rs"]
mod made;
#[path = "receipts/script.rs"]
mod script;
#[path = "receipts/served.rs"]
mod served;
