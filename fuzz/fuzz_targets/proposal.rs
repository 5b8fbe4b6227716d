//! No bytes make the reader of proposal files panic, nor what is looked at before anything of one
//! is shown; what it reads is read again from what it writes.
#![no_main]

use clearlist::formats::proposal::{ProposalFile, check, examine};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(proposal) = ProposalFile::parse(bytes) else { return };
    let now = Timestamp::from_second(1_790_000_000).expect("a day of 2026");
    let _ = examine(&proposal, now).checked();
    if let Err(faults) = check(&proposal, now) {
        assert!(!faults.is_empty(), "refused without a fault");
    }
    let text = proposal.to_json().expect("what was read can be written");
    let again = ProposalFile::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(again.to_json().ok(), Some(text));
});
