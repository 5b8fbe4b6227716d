//! Keys, signatures and notes: the specification's examples, and whatever is nearly one.

use clearlist::domain::message::Refusal;
use clearlist::register::note::{
    KeyError, NOTE_BYTES_MAX, Note, NoteError, Role, SIGNATURES_MAX, VerifierKey, attached,
    cosigned_message,
};
use clearlist::register::policy::Policy;
use ed25519_dalek::{Signature, Signer, Verifier, VerifyingKey};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::cases;
use crate::ceremony::{DRUGS, LOG, STRANGER, flipped, line, now, signer, unhex, vkey, well_said};

/// The example of the specification (C2SP signed-note).
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/// Its other example, of a text with an empty line.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
    ed è subito sera.\n\n\u{2014} quasimodo.example/salvatore \
    NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn parsed(note: &str) -> Note {
    Note::parse(note.as_bytes()).expect("a note")
}

fn key(text: &str) -> VerifierKey {
    VerifierKey::parse(text).expect("a verifier key")
}

fn point(bytes: &[u8]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes.try_into().expect("32 bytes")).ok()
}

#[test]
fn the_example_of_the_specification_verifies() {
    let (note, key) = (parsed(NOTE), key(VKEY));
    assert_eq!(note.verified_by(&key), Ok(vec![None]));
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!((key.name(), key.role()), ("example.com/foo", Role::Note));
    assert_eq!(key.to_string(), VKEY);
    assert_eq!(note.to_string(), NOTE);
}

#[test]
fn one_flipped_bit_in_the_text_of_the_example_is_a_bad_signature() {
    let length = "This is an example message.".len();
    for bit in (0..length * 8).step_by(3) {
        let Ok(note) = Note::parse(&flipped(NOTE.as_bytes(), bit)) else { continue };
        let bad = NoteError::Signature { signer: "example.com/foo".into() };
        assert_eq!(note.verified_by(&key(VKEY)), Err(bad), "bit {bit}");
    }
}

#[test]
fn a_text_goes_to_the_last_empty_line() {
    let note = parsed(POEM);
    assert!(note.text().ends_with("sole:\n\ned è subito sera.\n"));
    assert_eq!(note.signatures().len(), 1);
    assert_eq!(note.to_string(), POEM);
    // A text may end in empty lines, or be nothing else.
    for text in ["a\n\n", "\n", "\n\n\n"] {
        let whole = format!("{text}\n{}", line(LOG.verifier(), &[0; 64]));
        let note = parsed(&whole);
        assert_eq!((note.text(), note.to_string()), (text, whole.clone()));
    }
}

#[test]
fn the_bytes_that_are_cosigned_are_those_of_the_specification() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let at = Timestamp::from_second(1_679_315_147).expect("an instant");
    let message = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    assert_eq!(cosigned_message(text, at), message.as_bytes());
    // The key signs these bytes, and its line carries the seconds before the signature.
    let signature = DRUGS.key().sign(message.as_bytes()).to_bytes();
    let bytes = [&1_679_315_147_u64.to_be_bytes()[..], &signature].concat();
    let mut note = Note::unsigned(text.into()).expect("a text");
    note.add(DRUGS.sign(text, at));
    assert_eq!(note.to_string(), format!("{text}\n{}", line(DRUGS.verifier(), &bytes)));
    assert_eq!(note.verified_by(DRUGS.verifier()), Ok(vec![Some(at)]));
}

#[test]
fn a_verifier_key_is_written_as_it_is_read() {
    for signer in [&LOG, &DRUGS] {
        let text = signer.verifier().to_string();
        assert_eq!(&key(&text), signer.verifier());
        assert_eq!(key(&text).to_string(), text);
        let bytes = signer.key().verifying_key();
        let written =
            vkey(signer.verifier().name(), signer.verifier().role().type_byte(), bytes.as_bytes());
        assert_eq!(text, written, "another way to compute the id");
    }
    let same = |a: &VerifierKey, b: &VerifierKey| (a == b, a.is_same_key(b));
    let renamed = signer("other.example/office", Role::Note, 3);
    assert_eq!(same(DRUGS.verifier(), renamed.verifier()), (false, true));
    assert_eq!(same(DRUGS.verifier(), STRANGER.verifier()), (false, false));
}

#[test]
fn a_verifier_key_with_anything_wrong_is_refused_with_its_reason() {
    let good = LOG.key().verifying_key();
    let bytes = good.as_bytes();
    let of = |name: &str| vkey(name, 0x01, bytes);
    let no_point = (2..=255).find(|y| point(&[&[*y][..], &[0; 31]].concat()).is_none());
    let no_point = [&[no_point.expect("half of all are none")][..], &[0; 31]].concat();
    let cases: Vec<(&str, String, &str)> = vec![
        ("nothing", String::new(), "KEY_MALFORMED"),
        ("a name", "example.com/foo".into(), "KEY_MALFORMED"),
        ("no key", "example.com/foo+530d903a".into(), "KEY_MALFORMED"),
        ("an empty key", "example.com/foo+530d903a+".into(), "KEY_MALFORMED"),
        ("another id", VKEY.replace("530d903a", "530d903b"), "KEY_ID"),
        ("the id in capitals", VKEY.replace("530d903a", "530D903A"), "KEY_ID"),
        ("the id cut", VKEY.replace("530d903a", "530d903"), "KEY_ID"),
        ("the id of another name", VKEY.replace("foo", "bar"), "KEY_ID"),
        ("the id of another type", VKEY.replace("+Aeky", "+BOky"), "KEY_ID"),
        ("a space behind", format!("{VKEY} "), "KEY_MALFORMED"),
        ("a plus sign behind", format!("{VKEY}+"), "KEY_MALFORMED"),
        ("another alphabet", vkey("a", 1, &[0xff; 32]).replace('/', "_"), "KEY_MALFORMED"),
        ("padding too much", format!("{VKEY}="), "KEY_MALFORMED"),
        ("a key too short", vkey("a", 1, &bytes[1..]), "KEY_MALFORMED"),
        ("a key too long", vkey("a", 1, &[bytes, &[0][..]].concat()), "KEY_MALFORMED"),
        ("no point of the curve", vkey("a", 1, &no_point), "KEY_MALFORMED"),
        ("type 0x00", vkey("a", 0x00, bytes), "KEY_TYPE"),
        ("ECDSA", vkey("a", 0x02, &[7; 91]), "KEY_TYPE"),
        ("RFC 6962", vkey("a", 0x05, bytes), "KEY_TYPE"),
        ("ML-DSA-44", vkey("a", 0x06, &[7; 1312]), "KEY_TYPE"),
        ("type 0xff", vkey("a", 0xff, bytes), "KEY_TYPE"),
        ("no name", of(""), "KEY_NAME"),
        ("a space", of("a b"), "KEY_NAME"),
        ("a tab", of("a\tb"), "KEY_NAME"),
        ("a line end", of("a\nb"), "KEY_NAME"),
        ("a control character", of("a\u{1}b"), "KEY_NAME"),
        ("a no-break space", of("a\u{a0}b"), "KEY_NAME"),
        ("an ideographic space", of("a\u{3000}b"), "KEY_NAME"),
        ("a line separator", of("a\u{2028}b"), "KEY_NAME"),
        ("256 bytes", of(&"n".repeat(256)), "KEY_NAME"),
    ];
    for (wrong, text, reason) in cases {
        let error = VerifierKey::parse(&text).expect_err(wrong);
        assert_eq!(error.reason(), reason, "{wrong}: {text}");
        well_said(&error);
    }
    let plus = VerifierKey::new("a+b", Role::Note, good).expect_err("a plus sign");
    assert_eq!(plus, KeyError::Name { given: "a+b".into() });
    assert!(VerifierKey::parse(&of(&"n".repeat(255))).is_ok());
    assert!(VerifierKey::parse(&of("药监局/一处")).is_ok());
}

/// Every point of small order in every spelling: first the eight canonical ones.
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn no_key_of_small_order_is_taken() {
    for (nth, encoding) in SMALL_ORDER.into_iter().enumerate() {
        for type_byte in [0x01, 0x04] {
            let text = vkey("weak.example", type_byte, &unhex(encoding));
            let reason = VerifierKey::parse(&text).expect_err(encoding).reason();
            // A reader of points may refuse the second spellings before anybody looks.
            let fits = reason == "KEY_WEAK" || (nth >= 8 && reason == "KEY_MALFORMED");
            assert!(fits, "{encoding}: {reason}");
        }
    }
}

#[test]
fn no_key_in_a_second_spelling_is_taken() {
    // y + p for small y: the same point as y, in other bytes.
    let spelled = |low: u8, sign: u8| [&[low][..], &[0xff; 30], &[0x7f | sign]].concat();
    let mut met = 0;
    for (low, sign) in (0xed..=0xff).flat_map(|low| [(low, 0x00), (low, 0x80)]) {
        let bytes = spelled(low, sign);
        let error = VerifierKey::parse(&vkey("twice.example", 0x01, &bytes));
        let reason = error.expect_err("a second spelling").reason();
        if point(&bytes).is_some() {
            met += 1;
            assert_eq!(reason, "KEY_WEAK", "{low:02x}");
        }
    }
    assert!(met > 4, "the library reads no second spelling any more: {met}");
}

#[test]
fn who_forges_for_a_key_of_small_order_is_stopped_where_keys_are_enrolled() {
    // A = R = identity, S = 0: the equation SB = R + kA holds for every message.
    let identity = point(&unhex(SMALL_ORDER[0])).expect("the identity is a point");
    let forged = Signature::from_bytes(
        &[&unhex(SMALL_ORDER[0])[..], &[0; 32]].concat().try_into().expect("64"),
    );
    assert!(identity.verify(b"anything", &forged).is_ok(), "the forgery is a real one");
    let weak = Err(KeyError::Weak { name: "weak.example".into() });
    assert_eq!(VerifierKey::new("weak.example", Role::Cosigner, identity).map(|_| ()), weak);
    let vkey = vkey("weak.example", 0x04, identity.as_bytes());
    let policy = format!("log {}\nwitness weak {vkey}\nquorum weak\n", LOG.verifier());
    let error = Policy::parse(&policy).expect_err("a weak key");
    assert_eq!((error.reason(), error.line), ("KEY_WEAK", 2));
}

/// The order of the base point, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
fn a_second_signature_made_of_the_first_is_refused() {
    let text = "text\n";
    let signature = LOG.key().sign(text.as_bytes()).to_bytes();
    // S + L: the same equation, other bytes.
    let mut second = signature;
    let mut carry = 0;
    for (byte, add) in second[32..].iter_mut().zip(unhex(ORDER)) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_ne!(signature, second);
    let bad = NoteError::Signature { signer: LOG.verifier().name().to_owned() };
    assert!(attached(LOG.verifier(), text, now(), &signature).is_ok());
    assert_eq!(attached(LOG.verifier(), text, now(), &second), Err(bad.clone()));
    let note = parsed(&format!("{text}\n{}", line(LOG.verifier(), &second)));
    assert_eq!(note.verified_by(LOG.verifier()), Err(bad));
}

/// Of the log key for "text\n": R is the identity and S = k a, made by hand.
const WITHOUT_NONCE: &str = "0100000000000000000000000000000000000000000000000000000000000000\
    3777571940ee7be9f8ff4e09e1fb6f0740d2ca4e806a6ab4c0d6f35bddf19c0f";

#[test]
fn a_signature_that_lax_verifiers_take_is_refused() {
    let text = "text\n";
    let bytes: [u8; 64] = unhex(WITHOUT_NONCE).try_into().expect("64 bytes");
    let public = LOG.key().verifying_key();
    let lax = public.verify(text.as_bytes(), &Signature::from_bytes(&bytes));
    assert!(lax.is_ok(), "the signature is not what it is said to be");
    let bad = NoteError::Signature { signer: LOG.verifier().name().to_owned() };
    assert_eq!(attached(LOG.verifier(), text, now(), &bytes), Err(bad));
}

#[test]
fn a_cosignature_is_of_its_second_and_of_its_text() {
    let (text, at) = ("text\n", now());
    let good = DRUGS.key().sign(&cosigned_message(text, at)).to_bytes();
    let seconds = u64::try_from(at.as_second()).expect("after 1970");
    let bad = Err(NoteError::Signature { signer: DRUGS.verifier().name().to_owned() });
    let verified = |seconds: u64, signature: &[u8]| {
        let bytes = [&seconds.to_be_bytes()[..], signature].concat();
        parsed(&format!("{text}\n{}", line(DRUGS.verifier(), &bytes))).verified_by(DRUGS.verifier())
    };
    assert_eq!(verified(seconds, &good), Ok(vec![Some(at)]));
    for other in [seconds + 1, seconds - 1, 0, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX] {
        assert_eq!(verified(other, &good), bad, "{other}");
    }
    for cut in [0, 1, 63] {
        assert_eq!(verified(seconds, &good[..cut]), bad, "{cut} bytes");
    }
    assert_eq!(verified(seconds, &[&good[..], &[0]].concat()), bad);
    let plain = DRUGS.key().sign(text.as_bytes()).to_bytes();
    assert_eq!(verified(seconds, &plain), bad, "a signature of the bare text");
    let short = parsed(&format!("{text}\n{}", line(DRUGS.verifier(), &[0; 7])));
    assert_eq!(short.verified_by(DRUGS.verifier()), bad);
    for bit in (0..good.len() * 8).step_by(11) {
        assert_eq!(verified(seconds, &flipped(&good, bit)), bad, "bit {bit}");
    }
}

#[test]
fn a_signature_made_elsewhere_is_taken_only_from_the_key_that_made_it() {
    let (text, at) = ("text\n", now());
    let message = cosigned_message(text, at);
    let signature = DRUGS.key().sign(&message).to_bytes();
    let made = attached(DRUGS.verifier(), text, at, &signature).expect("the key made it");
    assert_eq!(made, DRUGS.sign(text, at));
    let refused = |signer: &VerifierKey, text, signature: &[u8]| {
        attached(signer, text, at, signature).expect_err("not its signature")
    };
    let named = |signer: &VerifierKey| NoteError::Signature { signer: signer.name().to_owned() };
    assert_eq!(refused(STRANGER.verifier(), text, &signature), named(STRANGER.verifier()));
    assert_eq!(refused(DRUGS.verifier(), "other\n", &signature), named(DRUGS.verifier()));
    assert_eq!(refused(DRUGS.verifier(), text, b""), named(DRUGS.verifier()));
    assert_eq!(refused(LOG.verifier(), text, &signature), named(LOG.verifier()));
}

#[test]
fn lines_of_unknown_keys_are_no_signatures_even_under_a_known_name_or_id() {
    let known = DRUGS.verifier();
    let id = known.to_string().split('+').nth(1).expect("an id").to_owned();
    let renewed = signer(known.name(), Role::Cosigner, 99);
    let as_note = signer(known.name(), Role::Note, 3);
    let mut note = Note::unsigned("text\n".into()).expect("a text");
    note.add(renewed.sign("text\n", now()));
    note.add(as_note.sign("text\n", now()));
    assert_eq!(note.verified_by(known), Ok(vec![]));
    assert_eq!(note.signatures().iter().filter(|l| l.name() == known.name()).count(), 2);
    let own = line(known, &[0; 72]);
    assert!(own.contains(known.name()) && !id.is_empty());
    let same_id = parsed(&format!("text\n\n{}", own.replace("drugs", "drogs")));
    assert_eq!(same_id.verified_by(known), Ok(vec![]));
    let both = parsed(&format!("text\n\n{own}"));
    assert_eq!(both.verified_by(known), Err(NoteError::Signature { signer: known.name().into() }));
}

#[test]
fn a_line_that_stands_there_is_not_added_again() {
    let mut note = Note::unsigned("text\n".into()).expect("a text");
    note.add(LOG.sign("text\n", now()));
    note.add(LOG.sign("text\n", now()));
    assert_eq!(note.signatures().len(), 1);
}

#[test]
fn a_text_that_no_note_can_have_is_refused() {
    for text in ["", "text", "a\tb\n", "a\r\n", "\u{0}\n", "a\u{1b}[0m\n", "a\nb"] {
        assert_eq!(Note::unsigned(text.into()), None, "{text:?}");
    }
    for text in ["\n", "é\u{7f}\n", "a\n\nb\n", "\u{2028}\n"] {
        assert!(Note::unsigned(text.into()).is_some(), "{text:?}");
    }
}

#[test]
fn a_note_that_is_none_is_refused_at_its_line() {
    let sound = line(LOG.verifier(), &[7; 64]);
    let with = |lines: &str| format!("one\ntwo\n\n{lines}");
    let at = |line| NoteError::Form { line };
    let name = LOG.verifier().name();
    let cases: Vec<(&str, String, NoteError)> = vec![
        ("nothing", String::new(), at(0)),
        ("a text", "one\n".into(), at(0)),
        ("no empty line", format!("one\n{sound}"), at(0)),
        ("no text", format!("\n{sound}"), at(0)),
        ("no signatures", with(""), at(4)),
        ("the last line not ended", with(sound.trim_end()), at(4)),
        ("a second line not ended", with(&format!("{sound}{}", sound.trim_end())), at(4)),
        ("a bad second line", with(&format!("{sound}x\n")), at(5)),
        ("an en dash", with(&sound.replace('\u{2014}', "\u{2013}")), at(4)),
        ("a hyphen", with(&sound.replace('\u{2014}', "-")), at(4)),
        ("two spaces", with(&sound.replace("\u{2014} ", "\u{2014}  ")), at(4)),
        ("a plus in the name", with(&sound.replace(name, "a+b")), at(4)),
        ("a space in the name", with(&sound.replace(name, "a b")), at(4)),
        ("an ideographic space", with(&sound.replace(name, "a\u{3000}b")), at(4)),
        ("no name", with(&sound.replace(name, "")), at(4)),
        ("no signature", with(&format!("\u{2014} {name}\n")), at(4)),
        ("an empty signature", with(&format!("\u{2014} {name} \n")), at(4)),
        ("only an id", with(&line(LOG.verifier(), &[])), at(4)),
        ("half an id", with(&format!("\u{2014} {name} AAA=\n")), at(4)),
        ("something behind", with(&sound.replace('\n', " \n")), at(4)),
        ("no padding", with(&line(LOG.verifier(), &[7; 63]).replace('=', "")), at(4)),
        ("bits in the padding", with(&format!("\u{2014} {name} AAAAAAB=\n")), at(4)),
        ("another alphabet", with(&line(LOG.verifier(), &[255; 65]).replace('/', "_")), at(4)),
        ("CRLF", with(&sound).replace('\n', "\r\n"), at(0)),
        ("a tab in the text", with(&sound).replace("two", "t\two"), at(0)),
        ("an escape in the text", with(&sound).replace("two", "\u{1b}two"), at(0)),
        ("a control in the name", with(&sound.replace(name, "a\u{1}b")), at(4)),
        ("65 signatures", with(&sound.repeat(SIGNATURES_MAX + 1)), NoteError::TooManySignatures),
        (
            "a byte too much",
            "x".repeat(NOTE_BYTES_MAX + 1),
            NoteError::TooLarge { bytes: NOTE_BYTES_MAX + 1 },
        ),
    ];
    for (wrong, note, error) in cases {
        let given = Note::parse(note.as_bytes()).expect_err(wrong);
        assert_eq!(given, error, "{wrong}");
        well_said(&given);
    }
    assert_eq!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n"), Err(at(0)), "not UTF-8");
    for count in [1, 16, SIGNATURES_MAX] {
        let whole = with(&sound.repeat(count));
        assert_eq!(parsed(&whole).to_string(), whole, "{count} signatures");
    }
}

/// Pieces of notes, to be put together in any order.
const PIECES: [&str; 16] = [
    "\n",
    "\n\n",
    "\u{2014} ",
    "\u{2014}",
    " ",
    "a",
    "drugs.example/office",
    "+",
    "AAAAAAA=",
    "AAAAAAAA",
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=",
    "\u{2014} example.com/foo AAAAAAAA\n",
    "\t",
    "\r",
    "药",
    "20852163\n",
];

fn nearly_a_note() -> impl Strategy<Value = Vec<u8>> {
    let spoilt = |(at, byte): (Index, u8)| {
        let mut bytes = POEM.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    };
    prop_oneof![
        vec(any::<u8>(), 0..120),
        any::<String>().prop_map(String::into_bytes),
        vec(select(&PIECES[..]), 0..14).prop_map(|pieces| pieces.concat().into_bytes()),
        vec(select(&PIECES[..]), 0..6).prop_map(|pieces| format!(
            "{}\n\n\u{2014} a AAAAAAAA\n",
            pieces.concat()
        )
        .into_bytes()),
        any::<(Index, u8)>().prop_map(spoilt),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_is_read_as_a_note_is_written_as_it_was(bytes in nearly_a_note()) {
        match Note::parse(&bytes) {
            Ok(note) => {
                let text = note.to_string();
                prop_assert_eq!(text.as_bytes(), &bytes[..]);
                prop_assert!(note.verified_by(&key(VKEY)).is_ok_and(|times| times.is_empty())
                    || text.contains("example.com/foo"));
            }
            Err(error) => well_said(&error),
        }
    }

    #[test]
    fn what_is_read_as_a_verifier_key_is_written_as_it_was(
        noise in any::<String>(),
        at in any::<Index>(),
        key in any::<[u8; 32]>(),
        type_byte in select(&[0x01, 0x04, 0x02][..]),
    ) {
        let mut spoilt = VKEY.to_owned();
        spoilt.insert_str(at.index(VKEY.len()), &noise);
        for text in [noise, spoilt, vkey("a.example", type_byte, &key)] {
            match VerifierKey::parse(&text) {
                Ok(key) => prop_assert_eq!(key.to_string(), text),
                Err(error) => well_said(&error),
            }
        }
    }

}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_signature_is_verified_by_its_own_key_only(
        text in "[^\u{0}-\u{1f}]{0,40}\n",
        seconds in 0..4_102_444_800_i64,
    ) {
        let at = Timestamp::from_second(seconds).expect("an instant");
        let mut note = Note::unsigned(text.clone()).expect("a text");
        note.add(DRUGS.sign(&text, at));
        note.add(LOG.sign(&text, at));
        let note = parsed(&note.to_string());
        prop_assert_eq!(note.verified_by(DRUGS.verifier()), Ok(vec![Some(at)]));
        prop_assert_eq!(note.verified_by(LOG.verifier()), Ok(vec![None]));
        prop_assert_eq!(note.verified_by(STRANGER.verifier()), Ok(vec![]));
    }
}
