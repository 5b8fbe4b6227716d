//! Statements: their exact bytes, and that nothing else is one.

use clearlist::domain::message::Refusal;
use clearlist::register::record::TreeHead;
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, STATEMENT_BYTES_MAX, Statement, StatementError,
    SuspensionStatement, from_hex, to_hex,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::cases;
use crate::ceremony::{instant, well_said};

const REVISION: &str = "{\"document\":\"京药监发〔2026〕1号 \\\"试点\\\"\",\
    \"effective\":\"2026-12-01T00:00:00Z\",\
    \"expires\":\"2027-12-01T00:00:00Z\",\
    \"list_root_sha256\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\
    \"list_size\":262,\
    \"name_root_sha256\":\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\",\
    \"name_size\":9007199254740991,\
    \"normal_form_version\":1,\
    \"number\":1,\
    \"origin\":\"register.example/white-list\",\
    \"type\":\"clearlist/revision/v1\"}";

const POLICY: &str = "{\"document\":\"\",\
    \"number\":2,\
    \"origin\":\"register.example/white-list\",\
    \"policy\":\"# 两家\\n\\twitness a\\\\b\\n\",\
    \"type\":\"clearlist/policy/v1\"}";

const SUSPENSION: &str = "{\"document\":\"急\",\
    \"effective\":\"2026-11-22T03:00:00Z\",\
    \"enterprises\":[\"91110108EXAMPLE11C\"],\
    \"entries\":[\"BJ2022-B01-002\",\"BJ2022-B01-001\"],\
    \"number\":3,\
    \"origin\":\"register.example/white-list\",\
    \"type\":\"clearlist/suspension/v1\"}";

const GOLDEN: [&str; 3] = [REVISION, POLICY, SUSPENSION];

fn revision() -> Statement {
    Statement::Revision(RevisionStatement {
        origin: "register.example/white-list".into(),
        number: 1,
        list: TreeHead { size: 262, root: std::array::from_fn(|n| n.to_le_bytes()[0]) },
        names: TreeHead { size: (1 << 53) - 1, root: [0xff; 32] },
        normal_form_version: 1,
        effective: instant("2026-12-01T00:00:00Z"),
        expires: instant("2027-12-01T00:00:00Z"),
        document: "京药监发〔2026〕1号 \"试点\"".into(),
    })
}

fn policy() -> Statement {
    Statement::Policy(PolicyStatement {
        origin: "register.example/white-list".into(),
        number: 2,
        policy: "# 两家\n\twitness a\\b\n".into(),
        document: String::new(),
    })
}

fn suspension() -> Statement {
    Statement::Suspension(SuspensionStatement {
        origin: "register.example/white-list".into(),
        number: 3,
        entries: vec!["BJ2022-B01-002".into(), "BJ2022-B01-001".into()],
        enterprises: vec!["91110108EXAMPLE11C".into()],
        effective: instant("2026-11-22T03:00:00Z"),
        document: "急".into(),
    })
}

#[test]
fn each_type_of_statement_has_these_bytes() {
    for (statement, bytes) in [revision(), policy(), suspension()].iter().zip(GOLDEN) {
        assert_eq!(String::from_utf8(statement.to_bytes()).expect("UTF-8"), bytes);
        assert_eq!(Statement::parse(bytes.as_bytes()).as_ref(), Ok(statement));
        assert!(bytes.contains(&format!("\"type\":\"{}\"", statement.type_name())));
        assert!(bytes.contains(&format!("\"number\":{},", statement.number())));
        assert!(bytes.contains(statement.origin()));
    }
    assert_eq!(revision().document(), "京药监发〔2026〕1号 \"试点\"");
}

/// Every character that RFC 8785 escapes, and those that others do.
#[test]
fn characters_are_escaped_as_rfc_8785_says_and_no_further() {
    let mut document: String = (0..0x20_u8).map(char::from).collect();
    document += "\"\\/\u{7f}\u{80}é京\u{2028}\u{2029}\u{feff}\u{fffd}\u{1f600}<>&'";
    let escaped = "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\
        \\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\
        \\u001b\\u001c\\u001d\\u001e\\u001f\\\"\\\\/\u{7f}\u{80}é京\u{2028}\u{2029}\u{feff}\u{fffd}\
        \u{1f600}<>&'";
    let bytes = POLICY.replace("\"document\":\"\"", &format!("\"document\":\"{escaped}\""));
    let statement = Statement::parse(bytes.as_bytes()).expect("canonical");
    assert_eq!(statement.document(), document);
    assert_eq!(statement.to_bytes(), bytes.as_bytes());
}

/// What is wrong, one text of a golden statement, what stands there instead, the reason.
#[rustfmt::skip]
const REFUSED: &[(&str, &str, &str, &str, &str)] = &[
    ("a space", REVISION, "\"number\":1", "\"number\": 1", "STATEMENT_NOT_CANONICAL"),
    ("a line end behind", POLICY, "policy/v1\"}", "policy/v1\"}\n", "STATEMENT_NOT_CANONICAL"),
    ("a space before", POLICY, "{\"document\"", " {\"document\"", "STATEMENT_NOT_CANONICAL"),
    ("a byte order mark", POLICY, "{\"document\"", "\u{feff}{\"document\"", "STATEMENT_JSON"),
    ("fields in another order", POLICY, "\"document\":\"\",\"number\":2", "\"number\":2,\"document\":\"\"", "STATEMENT_NOT_CANONICAL"),
    ("a field nobody knows", REVISION, ",\"type\"", ",\"signed\":true,\"type\"", "STATEMENT_JSON"),
    ("a field in capitals", REVISION, "\"number\"", "\"Number\"", "STATEMENT_JSON"),
    ("a field twice", REVISION, "\"number\":1", "\"number\":1,\"number\":1", "STATEMENT_JSON"),
    ("a field of another type", REVISION, ",\"type\"", ",\"policy\":\"\",\"type\"", "STATEMENT_NOT_CANONICAL"),
    ("entries in a revision", REVISION, ",\"expires\"", ",\"entries\":[],\"expires\"", "STATEMENT_NOT_CANONICAL"),
    ("an empty foreign field", POLICY, ",\"number\"", ",\"effective\":null,\"number\"", "STATEMENT_NOT_CANONICAL"),
    ("something behind", REVISION, "/v1\"}", "/v1\"}{}", "STATEMENT_JSON"),
    ("an array", REVISION, "{\"document\"", "[{\"document\"", "STATEMENT_JSON"),
    ("cut", REVISION, "\"}", "\"", "STATEMENT_JSON"),
    ("no document", SUSPENSION, "\"document\":\"急\",", "", "STATEMENT_NOT_CANONICAL"),
    ("no number", REVISION, "\"number\":1,", "", "STATEMENT_JSON"),
    ("no origin", REVISION, "\"origin\":\"register.example/white-list\",", "", "STATEMENT_JSON"),
    ("no type", REVISION, ",\"type\":\"clearlist/revision/v1\"", "", "STATEMENT_JSON"),
    ("no effective", REVISION, "\"effective\":\"2026-12-01T00:00:00Z\",", "", "STATEMENT_FIELD effective"),
    ("no expires", REVISION, "\"expires\":\"2027-12-01T00:00:00Z\",", "", "STATEMENT_FIELD expires"),
    ("no list_size", REVISION, "\"list_size\":262,", "", "STATEMENT_FIELD list_size"),
    ("no name_size", REVISION, "\"name_size\":9007199254740991,", "", "STATEMENT_FIELD name_size"),
    ("no normal form", REVISION, "\"normal_form_version\":1,", "", "STATEMENT_FIELD normal_form_version"),
    ("no policy", POLICY, "\"policy\":\"# 两家\\n\\twitness a\\\\b\\n\",", "", "STATEMENT_FIELD policy"),
    ("no entries", SUSPENSION, "\"entries\":[\"BJ2022-B01-002\",\"BJ2022-B01-001\"],", "", "STATEMENT_FIELD entries"),
    ("no enterprises", SUSPENSION, "\"enterprises\":[\"91110108EXAMPLE11C\"],", "", "STATEMENT_FIELD enterprises"),
    ("a suspension at no time", SUSPENSION, "\"effective\":\"2026-11-22T03:00:00Z\",", "", "STATEMENT_FIELD effective"),
    ("null", REVISION, "\"list_size\":262", "\"list_size\":null", "STATEMENT_FIELD list_size"),
    ("a type nobody knows", REVISION, "revision/v1", "revision/v2", "STATEMENT_TYPE"),
    ("a type in capitals", REVISION, "clearlist/revision", "Clearlist/revision", "STATEMENT_TYPE"),
    ("a revision said to be a policy", REVISION, "clearlist/revision", "clearlist/policy", "STATEMENT_FIELD policy"),
    ("a revision said to be a suspension", REVISION, "clearlist/revision", "clearlist/suspension", "STATEMENT_FIELD entries"),
    ("a suspension said to be a revision", SUSPENSION, "clearlist/suspension", "clearlist/revision", "STATEMENT_FIELD list_size"),
    ("a policy said to be a suspension", POLICY, "clearlist/policy", "clearlist/suspension", "STATEMENT_FIELD entries"),
    ("an escaped letter", SUSPENSION, "急", "\\u6025", "STATEMENT_NOT_CANONICAL"),
    ("an escaped slash", SUSPENSION, "clearlist/", "clearlist\\/", "STATEMENT_NOT_CANONICAL"),
    ("a long escape", POLICY, "\\n\\t", "\\n\\u0009", "STATEMENT_NOT_CANONICAL"),
    ("an escape in capitals", POLICY, "\\n\\t", "\\n\\u000B", "STATEMENT_NOT_CANONICAL"),
    ("half a surrogate pair", SUSPENSION, "急", "\\ud83d", "STATEMENT_JSON"),
    ("a control character", SUSPENSION, "急", "\u{1}", "STATEMENT_JSON"),
    ("an escaped field name", SUSPENSION, "\"number\"", "\"n\\u0075mber\"", "STATEMENT_NOT_CANONICAL"),
    ("an hour's offset", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T08:00:00+08:00", "STATEMENT_FIELD effective"),
    ("no offset as a number", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00+00:00", "STATEMENT_FIELD effective"),
    ("a fraction of a second", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00.5Z", "STATEMENT_FIELD effective"),
    ("no fraction of a second", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00.0Z", "STATEMENT_FIELD effective"),
    ("a small t", REVISION, "2026-12-01T00:00:00Z", "2026-12-01t00:00:00Z", "STATEMENT_FIELD effective"),
    ("a small z", REVISION, "2027-12-01T00:00:00Z", "2027-12-01T00:00:00z", "STATEMENT_FIELD expires"),
    ("a space for the T", REVISION, "2026-12-01T00:00:00Z", "2026-12-01 00:00:00Z", "STATEMENT_FIELD effective"),
    ("no seconds", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T00:00Z", "STATEMENT_FIELD effective"),
    ("a leap second", REVISION, "2026-12-01T00:00:00Z", "2026-12-31T23:59:60Z", "STATEMENT_FIELD effective"),
    ("the 24th hour", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T24:00:00Z", "STATEMENT_FIELD effective"),
    ("a day that is none", REVISION, "2026-12-01T00:00:00Z", "2026-02-29T00:00:00Z", "STATEMENT_FIELD effective"),
    ("no zone", REVISION, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00 ", "STATEMENT_FIELD effective"),
    ("a day only", REVISION, "2026-12-01T00:00:00Z", "2026-12-01", "STATEMENT_FIELD effective"),
    ("a time as a number", REVISION, "\"2026-12-01T00:00:00Z\"", "1796083200", "STATEMENT_JSON"),
    ("a root in capitals", REVISION, "0a0b0c", "0A0B0C", "STATEMENT_FIELD list_root_sha256"),
    ("a root too short", REVISION, "1e1f\"", "1e\"", "STATEMENT_FIELD list_root_sha256"),
    ("a root too long", REVISION, "ffff\"", "ffff00\"", "STATEMENT_FIELD name_root_sha256"),
    ("a root of other letters", REVISION, "0a0b0c", "0g0b0c", "STATEMENT_FIELD list_root_sha256"),
    ("a root of 64 bytes that are no digits", REVISION, "ffffffffff\"", "ffff药药\"", "STATEMENT_FIELD name_root_sha256"),
    ("a number of 2^53", REVISION, "\"number\":1", "\"number\":9007199254740992", "STATEMENT_FIELD number"),
    ("a size of 2^53", REVISION, "\"name_size\":9007199254740991", "\"name_size\":9007199254740992", "STATEMENT_FIELD name_size"),
    ("a size of 2^53 + 1", REVISION, "\"list_size\":262", "\"list_size\":9007199254740993", "STATEMENT_FIELD list_size"),
    ("a number of 2^64", REVISION, "\"number\":1", "\"number\":18446744073709551616", "STATEMENT_JSON"),
    ("a normal form of 2^32", REVISION, "\"normal_form_version\":1", "\"normal_form_version\":4294967296", "STATEMENT_JSON"),
    ("a number below 0", REVISION, "\"number\":1", "\"number\":-1", "STATEMENT_JSON"),
    ("minus 0", REVISION, "\"number\":1", "\"number\":-0", "STATEMENT_JSON"),
    ("a number with a point", REVISION, "\"number\":1", "\"number\":1.0", "STATEMENT_JSON"),
    ("a number with an exponent", REVISION, "\"number\":1", "\"number\":1e0", "STATEMENT_JSON"),
    ("a number with a zero before", REVISION, "\"number\":1", "\"number\":01", "STATEMENT_JSON"),
    ("a number as a string", REVISION, "\"number\":1", "\"number\":\"1\"", "STATEMENT_JSON"),
    ("entries as a string", SUSPENSION, "[\"91110108EXAMPLE11C\"]", "\"91110108EXAMPLE11C\"", "STATEMENT_JSON"),
    ("an entry that is a number", SUSPENSION, "\"BJ2022-B01-002\"", "2", "STATEMENT_JSON"),
];

#[test]
fn any_other_spelling_is_refused_with_its_reason() {
    for (wrong, golden, from, to, expected) in REFUSED {
        assert!(golden.contains(from), "{wrong}: nothing to break");
        let text = golden.replacen(from, to, 1);
        let error = Statement::parse(text.as_bytes()).expect_err(wrong);
        let (reason, field) = expected.split_once(' ').unwrap_or((expected, ""));
        assert_eq!(error.reason(), reason, "{wrong}: {error:?}");
        if !field.is_empty() {
            assert_eq!(error.english().split(' ').nth(3), Some(field), "{wrong}: {error:?}");
        }
        well_said(&error);
    }
}

#[test]
fn bytes_that_are_no_text_and_too_many_bytes_are_refused() {
    for bytes in [&b""[..], b"\xff", b"{\"document\":\"\xff\"}", b"null", b"[]", b"{}"] {
        let error = Statement::parse(bytes).expect_err("no statement");
        assert_eq!(error.reason(), "STATEMENT_JSON", "{bytes:?}");
        assert!(!error.english().contains("struct"), "{}", error.english());
        well_said(&error);
    }
    let bytes = vec![b'['; STATEMENT_BYTES_MAX + 1];
    let error = StatementError::TooLarge { bytes: bytes.len() };
    assert_eq!(Statement::parse(&bytes), Err(error.clone()));
    well_said(&error);
    assert_eq!(Statement::parse(&bytes[1..]).expect_err("brackets").reason(), "STATEMENT_JSON");
}

#[test]
fn a_refusal_repeats_only_a_piece_of_what_was_sent() {
    let long = "a\u{1b}药".repeat(100_000);
    let escaped = serde_json::to_string(&long).expect("a string");
    for text in [
        REVISION.replacen("\"number\"", &escaped, 1),
        REVISION.replacen("\"clearlist/revision/v1\"", &escaped, 1),
        REVISION.replacen("\"number\":1", &format!("\"number\":{escaped}"), 1),
    ] {
        let error = Statement::parse(text.as_bytes()).expect_err("no statement");
        assert!(error.english().len() < 600, "{} bytes", error.english().len());
        well_said(&error);
    }
    let misspelled = Statement::parse(b"{\n\"nummer\":1}").expect_err("no such field").english();
    assert!(misspelled.contains("`nummer`") && misspelled.contains("line 2"), "{misspelled}");
}

#[test]
fn digests_are_written_in_lower_case_digits_and_read_so() {
    let root: [u8; 32] = std::array::from_fn(|n| (n * 9).to_le_bytes()[0]);
    assert_eq!(from_hex(&to_hex(&root)), Some(root));
    assert_eq!(to_hex(&[0x0f, 0xa0]), "0fa0");
    for text in ["", "0", &"0".repeat(63), &"0".repeat(65), &"G".repeat(64), &"A".repeat(64)] {
        assert_eq!(from_hex(text), None, "{text}");
    }
}

/// Up to the last instant that jiff has.
fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![1_700_000_000..2_000_000_000_i64, -62_167_219_200..253_402_207_200_i64]
        .prop_map(|second| Timestamp::from_second(second).expect("an instant"))
}

fn integer() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..1_u64 << 53, Just((1 << 53) - 1)]
}

fn head() -> impl Strategy<Value = TreeHead> {
    (integer(), any::<[u8; 32]>()).prop_map(|(size, root)| TreeHead { size, root })
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let common = || (any::<String>(), integer(), any::<String>());
    let revision = (common(), head(), head(), any::<u32>(), time(), time()).prop_map(
        |((origin, number, document), list, names, normal_form_version, effective, expires)| {
            Statement::Revision(RevisionStatement {
                origin,
                number,
                list,
                names,
                normal_form_version,
                effective,
                expires,
                document,
            })
        },
    );
    let policy = (common(), any::<String>()).prop_map(|((origin, number, document), policy)| {
        Statement::Policy(PolicyStatement { origin, number, policy, document })
    });
    let ids = || vec(any::<String>(), 0..4);
    let suspension = (common(), ids(), ids(), time()).prop_map(
        |((origin, number, document), entries, enterprises, effective)| {
            Statement::Suspension(SuspensionStatement {
                origin,
                number,
                entries,
                enterprises,
                effective,
                document,
            })
        },
    );
    prop_oneof![revision, policy, suspension]
}

fn nearly_a_statement() -> impl Strategy<Value = Vec<u8>> {
    let replaced = |(golden, at, byte): (&str, Index, u8)| {
        let mut bytes = golden.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    };
    let removed = |(golden, at, byte): (&str, Index, bool)| {
        let mut bytes = golden.as_bytes().to_vec();
        let at = at.index(bytes.len());
        if byte {
            bytes.remove(at);
        } else {
            bytes.insert(at, bytes[at]);
        }
        bytes
    };
    prop_oneof![
        vec(any::<u8>(), 0..200),
        any::<String>().prop_map(String::into_bytes),
        (select(&GOLDEN[..]), any::<Index>(), any::<u8>()).prop_map(replaced),
        (select(&GOLDEN[..]), any::<Index>(), any::<bool>()).prop_map(removed),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_statement_is_read_as_it_was_written(statement in any_statement()) {
        let read = Statement::parse(&statement.to_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&statement));
    }

    #[test]
    fn what_is_read_as_a_statement_is_written_as_it_was(bytes in nearly_a_statement()) {
        match Statement::parse(&bytes) {
            Ok(statement) => prop_assert_eq!(statement.to_bytes(), bytes),
            Err(error) => well_said(&error),
        }
    }

    /// Another reader of JSON, and fields sorted by hand.
    #[test]
    fn bytes_are_the_sorted_json_of_their_fields(statement in any_statement()) {
        let bytes = statement.to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        prop_assert_eq!(crate::record::canonical(&value).into_bytes(), bytes);
    }
}
