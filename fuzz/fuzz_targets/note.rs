//! No bytes make the readers of notes, checkpoints and keys panic; what they read is written as
//! it was.
#![no_main]

use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::note::{Note, VerifierKey};
use libfuzzer_sys::fuzz_target;

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let key = VerifierKey::parse(VKEY).expect("the key is good");
        // Whether it is signed is for the key to say; that it can be said is asked here.
        let _ = note.verified_by(&key);
    }
    if let Ok(checkpoint) = Checkpoint::parse(bytes) {
        assert_eq!(checkpoint.note().to_string().as_bytes(), bytes);
        let plain = Checkpoint::unsigned(checkpoint.origin(), checkpoint.head());
        let plain = plain.expect("what was read can be written");
        assert_eq!(plain.note().text(), checkpoint.note().text());
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = VerifierKey::parse(text)
    {
        assert_eq!(key.to_string(), text);
    }
});
