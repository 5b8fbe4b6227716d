//! No bytes make the reader of statements panic, and one statement has one spelling.
#![no_main]

use clearlist::domain::message::Refusal;
use clearlist::register::statement::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Statement::parse(bytes) {
    Ok(statement) => assert_eq!(statement.to_bytes(), bytes),
    Err(error) => assert!(!error.english().is_empty() && !error.chinese().is_empty()),
});
