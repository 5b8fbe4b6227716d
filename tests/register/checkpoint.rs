//! Checkpoints: one tree has one text.

use clearlist::domain::message::Refusal;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::note::SignatureLine;
use clearlist::register::record::TreeHead;
use proptest::prelude::*;

use crate::cases;
use crate::ceremony::{DRUGS, LOG, flipped, now, unhex, well_said};

/// The example of the specification (C2SP tlog-cosignature).
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX\
    3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

#[test]
fn the_example_of_the_specification_is_read() {
    let read = Checkpoint::parse(EXAMPLE.as_bytes()).expect("the example");
    assert_eq!(read.origin(), "example.com/behind-the-sofa");
    assert_eq!(read.head().size, 20_852_163);
    let root = unhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    assert_eq!(read.head().root[..], root[..]);
    let names: Vec<&str> = read.note().signatures().iter().map(SignatureLine::name).collect();
    assert_eq!(names, ["example.com/behind-the-sofa", "witness.example.com/w1"]);
    assert_eq!(read.note().to_string(), EXAMPLE);
}

#[test]
fn any_other_spelling_of_a_tree_is_refused() {
    let cases = [
        ("a leading zero", EXAMPLE.replace("\n20852163", "\n020852163")),
        ("a plus sign", EXAMPLE.replace("\n20852163", "\n+20852163")),
        ("a minus sign", EXAMPLE.replace("\n20852163", "\n-20852163")),
        ("a size with a space", EXAMPLE.replace("20852163\n", "20852163 \n")),
        ("a size of other digits", EXAMPLE.replace("20852163", "２０852163")),
        ("a size of 2^64", EXAMPLE.replace("20852163", "18446744073709551616")),
        ("no size", EXAMPLE.replace("20852163", "")),
        ("no origin", EXAMPLE.replacen("example.com/behind-the-sofa", "", 1)),
        ("an extension line", EXAMPLE.replacen(ROOT, &format!("{ROOT}\nmore"), 1)),
        ("an empty extension line", EXAMPLE.replacen(ROOT, &format!("{ROOT}\n"), 1)),
        ("no root", EXAMPLE.replace(&format!("{ROOT}\n"), "")),
        ("a root without padding", EXAMPLE.replace(ROOT, ROOT.trim_end_matches('='))),
        ("bits in the padding", EXAMPLE.replace("q2I=", "q2J=")),
        ("another alphabet", EXAMPLE.replace("qom/Xajj", "qom_Xajj")),
        ("a root of hexadecimal digits", EXAMPLE.replace(ROOT, &"0".repeat(64))),
        (
            "a root of 31 bytes",
            EXAMPLE.replace(ROOT, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw=="),
        ),
        (
            "a root of 33 bytes",
            EXAMPLE.replace(ROOT, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2Jx"),
        ),
        ("a space before the root", EXAMPLE.replacen(ROOT, &format!(" {ROOT}"), 1)),
        ("no signatures", EXAMPLE.split_once('\u{2014}').expect("lines").0.to_owned()),
    ];
    for (wrong, text) in cases {
        assert_ne!(text, EXAMPLE, "{wrong}: nothing was replaced");
        let error = Checkpoint::parse(text.as_bytes()).expect_err(wrong);
        assert_eq!(error.reason(), "CHECKPOINT_FORM", "{wrong}");
        well_said(&error);
    }
}

#[test]
fn an_origin_that_is_no_line_has_no_checkpoint() {
    let head = TreeHead { size: 1, root: [7; 32] };
    for origin in ["", "\n", "a\nb", "a\tb", "a\r", "\u{0}"] {
        assert_eq!(Checkpoint::unsigned(origin, head), None, "{origin:?}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_checkpoint_is_read_as_it_was_written(
        origin in "[^\u{0}-\u{1f}]{1,20}",
        size in prop_oneof![0..20_u64, any::<u64>()],
        root in any::<[u8; 32]>(),
    ) {
        let head = TreeHead { size, root };
        let mut written = Checkpoint::unsigned(&origin, head).expect("an origin");
        let text = written.note().text().to_owned();
        written.note_mut().add(LOG.sign(&text, now()));
        written.note_mut().add(DRUGS.sign(&text, now()));
        let read = Checkpoint::parse(written.note().to_string().as_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&written));
        prop_assert_eq!((written.origin(), written.head()), (&*origin, head));
    }

    #[test]
    fn one_flipped_bit_gives_another_checkpoint_or_none(bit in any::<prop::sample::Index>()) {
        let bytes = flipped(EXAMPLE.as_bytes(), bit.index(EXAMPLE.len() * 8));
        let read = Checkpoint::parse(&bytes);
        prop_assert_ne!(&read, &Checkpoint::parse(EXAMPLE.as_bytes()));
        if let Ok(other) = read {
            prop_assert_eq!(other.note().to_string().into_bytes(), bytes);
        }
    }
}
