//! No bytes make the reader of list files panic; what it accepts has no problem and what it
//! refuses has one.
#![no_main]

use clearlist::formats::list_csv::{self, ListFiles};
use libfuzzer_sys::fuzz_target;

// 0xFF occurs in no UTF-8 text, so it can divide the three files.
fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |b| *b == 0xFF);
    let mut part = || parts.next().unwrap_or_default().to_vec();
    let files = ListFiles { schemes: part(), enterprises: part(), entries: part() };
    if let Err(problems) = list_csv::read(&files) {
        assert!(!problems.is_empty(), "refused without a problem");
    }
});
