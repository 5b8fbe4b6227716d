//! No text makes the reader of policies panic; what it reads asks for signatures that a note
//! can hold, and is not satisfied by none.
#![no_main]

use clearlist::domain::message::Refusal;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::policy::{MEMBERS_MAX, Policy};
use clearlist::register::record::TreeHead;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match Policy::parse(text) {
    Ok(policy) => {
        assert_eq!(policy.text(), text);
        assert!((1..=MEMBERS_MAX).contains(&policy.agencies().count()));
        let head = TreeHead { size: 1, root: [0; 32] };
        let unsigned = Checkpoint::unsigned(policy.origin(), head).expect("an origin is a line");
        assert!(policy.quorum(&unsigned).is_err(), "nobody has signed");
    }
    Err(error) => assert!(!error.english().is_empty() && !error.chinese().is_empty()),
});
