//! No bytes make the readers of receipts panic, nor what follows the paths in them, whatever
//! sizes are claimed; what they read is written as it was. A forged signature is not found by
//! guessing: the parts behind it are read here by themselves.
#![no_main]

use clearlist::formats::receipt;
use clearlist::register::decision_text::DecisionText;
use clearlist::register::evidence::{Evidence, Standpoint};
use clearlist::register::record::TreeHead;
use clearlist::register::tlog_proof::TlogProof;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, u64, u64, i32, Vec<u8>)| {
    let (index, size, known, seconds, bytes) = input;
    if let Ok(read) = receipt::read(&bytes) {
        assert_eq!(receipt::read(&receipt::write(&read)), Ok(read));
    }
    let head = TreeHead { size, root: [0; 32] };
    let at = Timestamp::from_second(i64::from(seconds)).expect("within some decades of 1970");
    let standpoint = Standpoint { origin: "example.org/list", head: &head, known, at };
    if let Some(evidence) = Evidence::parse(&bytes) {
        assert_eq!(evidence.to_bytes(), bytes);
        let path: Vec<[u8; 32]> = bytes.chunks_exact(32).filter_map(|c| c.try_into().ok()).collect();
        // Whether it holds is for the head to say; that it can be said is asked here.
        let _ = evidence.check(index, &path, &standpoint);
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return };
    if let Ok(proof) = TlogProof::parse(text) {
        assert_eq!(proof.text(), text);
    }
    if let Ok((decision, rest)) = DecisionText::parse(text) {
        assert_eq!(decision.text() + rest, text);
    }
});
