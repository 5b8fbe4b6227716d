//! What a list may not hold: one case for each refusal of the lint, with its place; what is
//! accepted all the same; the shipped example; and what `list diff` says of two lists.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

mod support;

#[path = "lists/accepted.rs"]
mod accepted;
#[path = "lists/broken.rs"]
mod broken;
#[path = "lists/cases.rs"]
mod cases;
#[path = "lists/differences.rs"]
mod differences;
#[path = "lists/refused.rs"]
mod refused;
