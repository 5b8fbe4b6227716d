//! How a list changes: keys are made, a proposal is drafted, shown, signed on several machines
//! and accepted. And every way in which that must not happen.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

#[path = "support/small_register.rs"]
mod small_register;
mod support;

#[path = "ceremony/any_bytes.rs"]
mod any_bytes;
#[path = "ceremony/faults.rs"]
mod faults;
#[path = "ceremony/key_files.rs"]
mod key_files;
#[path = "ceremony/machine.rs"]
mod machine;
#[path = "ceremony/proposals.rs"]
mod proposals;
#[path = "ceremony/served.rs"]
mod served;
#[path = "ceremony/signing.rs"]
mod signing;
#[path = "ceremony/statements.rs"]
mod statements;
