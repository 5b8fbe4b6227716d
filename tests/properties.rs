//! What holds for every input: nothing panics, the normal form is idempotent, the order of a
//! list and rows that have nothing to do with a question change nothing, and a batch answers
//! as its questions alone.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use clearlist::domain::clearance::{Verdict, decide};
use clearlist::domain::customs_district::CustomsDistrict;
use clearlist::domain::list::List;
use clearlist::domain::material_name::{MAX_BYTES, MaterialName};
use clearlist::domain::quantity::Quantity;
use clearlist::domain::question::RawQuestion;
use clearlist::domain::{cas_number, hs_code, uscc};
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::grpc::clearance::{answer_batch, answer_unsigned};
use clearlist::grpc::proto::{answers, v1};
use clearlist::grpc::status::receipt_unavailable;
use clearlist::grpc::status::to_rpc_status;
use clearlist::service::snapshot::Snapshot;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use prost::Message;

mod support;
use support::random::{Cells, NAMES, list_of, raw_question, rows};
use support::{CODE, ENTERPRISES, ENTRIES, OTHER, OWNER, Row, SCHEMES, question, row};

/// Pieces that some step or refusal looks at, to be put together in any order.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "青", "霉素", "四環素", "皂甙", "醯", "々", "A", "e", "IL", "Co", "CoCl", "NaCl", "In", "L", "N", "dl",
    "α", "β", "Β", "µ", "alpha", "'alpha'", "BETA", "ß", "ẞ", "ɑ", "é", "e\u{301}", "а", "İ", "ſ", "K", "Ω",
    "-", "--", "–", "—", "−", "ー", "一", "－", " ", "  ", "\t", "\n", "\u{3000}", "\u{A0}", "\u{200B}", "\u{FEFF}",
    "(", ")", "（", "）", "[", "]", "【", "】", "〔", "﹝", "⦅", "<", "{", ",", "，", ";", "；", ".", "。", ":", "：",
    "0", "1", "8", "12", "½", "²", "①", "₂", "Ⅷ", "ⅳ", "０", "９", "Ｈ", "ｉ", "ﬁ", "㎎", "㎡", "℃", "Å", "™", "®", "©",
    "′", "″", "‴", "´", "`", "’", "“", "\"", "·", "•", "・", "●", "+", "/", "%", "±", "\u{0}", "\u{202E}", "\u{FFFD}",
    "CAS 67-68-5", "CAS号：60-54-8", "67-68-5", "(CAS 67-68-6)", "500ml/瓶", " 96 T/盒", ", 500 g", "1,000 g",
    "Cat# 1-2", "Cat. No. A1", "货号：A1", "Lot 7", "批号：B2", "规格：1kg", "가", "ハ", "ﾊ", "ﾞ", "ก", "ا", "𝟙", "😀",
];

fn name_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat())]
}

/// Nearly a number of some kind.
fn code_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9０-９.eE+ \u{2010}-\u{2015}-]{0,20}",
        "[0-9]{6,13}|[0-9]{4}|[0-9]{1,14}\\.[0-9]{1,9}|[1-9][0-9]{1,6}-[0-9]{2}-[0-9]",
        "9111010855138508[0-9][0-9A-Z]",
    ]
}

/// The verdict and the ids of what matched, best first.
fn answered(list: &List, raw: &RawQuestion<'_>) -> (Verdict, Vec<String>) {
    let question = question(list, raw).expect("a good question");
    let decision = decide(list, &question);
    let ids = decision.matches.iter().map(|m| m.entry.id.to_string()).collect();
    (decision.verdict, ids)
}

/// Rows, and the same in another order.
fn shuffled() -> impl Strategy<Value = (Vec<Cells>, Vec<Cells>)> {
    rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

fn id_of(row: &Cells) -> &str {
    row.iter().find(|(column, _)| *column == "entry_id").map_or("", |(_, id)| id)
}

const UNRELATED: [&str; 5] = ["无关物品甲", "无关物品乙", "Unrelated thing", "木椅", "Wqzjx"];

/// Bytes that are sometimes nearly a file.
fn file(header: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let cells = select(
        &[
            "A",
            "rows",
            OWNER,
            "item",
            CODE,
            ",",
            ",,,",
            "\"",
            "\n",
            "\r\n",
            "\u{FEFF}",
            "2026-01-01",
            "active",
        ][..],
    );
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(any::<u8>(), 0..200).prop_map(move |bytes| [header.as_bytes(), &bytes[..]].concat()),
        vec(cells, 0..60).prop_map(move |cells| [header, &cells.concat()].concat().into_bytes()),
        Just(header.as_bytes().to_vec()),
    ]
}

/// A request that is sometimes refused.
fn request() -> impl Strategy<Value = v1::CheckClearanceRequest> {
    let fields = (
        select(&[CODE, "2941.30.11.00", "29413011", "300215009.0", ""][..]),
        prop_oneof![select(&NAMES[..]).prop_map(str::to_owned), name_text()],
        select(&[OWNER, OTHER, "", "91110108551385083Q"][..]),
        (-1..5_i32, "[a-z]{0,140}"),
        option::of((2025..2028_i32, 0..14_i32, 0..33_i32)),
        (any::<bool>(), 0..2_u64),
    );
    fields.prop_map(|(hs_code, name, uscc, (intended, label), day, (receipt, revision))| {
        v1::CheckClearanceRequest {
            hs_code: hs_code.to_owned(),
            material_name: name,
            end_user_uscc: uscc.to_owned(),
            r#use: intended,
            correlation_id: label,
            declaration_date: day.map(|(year, month, day)| {
                clearlist::grpc::proto::google::r#type::Date { year, month, day }
            }),
            receipt,
            min_revision: revision,
            ..Default::default()
        }
    })
}

/// No file of failures beside the tests: what fails becomes an example of its own.
fn cases() -> ProptestConfig {
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_normal_form_of_a_normal_form_is_itself(given in name_text()) {
        let Ok(name) = MaterialName::parse(&given) else { return Ok(()) };
        // Folding can make a text longer than a name may be given.
        prop_assume!(name.normal().len() <= MAX_BYTES);
        let again = MaterialName::parse(name.normal());
        let again = again.map_err(|e| TestCaseError::fail(format!("{given:?}: {e:?}")))?;
        prop_assert_eq!(again.normal(), name.normal());
        prop_assert_eq!(again.steps(), &[]);
    }

    #[test]
    fn no_value_makes_its_reader_panic(given in name_text(), code in code_text(), unit in name_text()) {
        for text in [&given, &code] {
            if let Ok(parsed) = hs_code::parse(text) {
                prop_assert_eq!(parsed.code.as_str(), parsed.code.to_string());
                prop_assert!(matches!(parsed.code.as_str().len(), 6 | 8 | 10));
            }
            if let Ok((code, _)) = uscc::parse(text) {
                prop_assert_eq!(uscc::from_exact(code.as_str()), Ok(code));
            }
            if let Ok((number, _)) = cas_number::parse(text) {
                prop_assert_eq!(cas_number::from_exact(&number.to_string()), Ok(number));
            }
            if let Ok(district) = CustomsDistrict::parse(text) {
                prop_assert_eq!(&district.to_string(), text);
            }
            for unit in [unit.as_str(), "g"] {
                if let Ok(quantity) = Quantity::parse(text, unit) {
                    prop_assert_eq!(quantity.compare(&quantity), Some(std::cmp::Ordering::Equal));
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_of_lists_panic(
        schemes in file(SCHEMES),
        enterprises in file(ENTERPRISES),
        entries in file(ENTRIES),
    ) {
        if let Err(problems) = list_csv::read(&ListFiles { schemes, enterprises, entries }) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn the_order_of_a_list_changes_no_answer((rows, shuffled) in shuffled(), raw in raw_question()) {
        prop_assert_eq!(answered(&list_of(&rows), &raw), answered(&list_of(&shuffled), &raw));
    }

    #[test]
    fn unrelated_rows_change_no_answer(
        rows in rows(),
        names in subsequence(&UNRELATED[..], 1..=5),
        raw in raw_question(),
    ) {
        let unrelated = names.iter().enumerate().map(|(i, name)| {
            row(&format!("U{i}"), name).with("hs_code", "8471300000").0
        });
        let more: Vec<Cells> = unrelated.chain(rows.iter().cloned()).collect();
        prop_assert_eq!(answered(&list_of(&rows), &raw), answered(&list_of(&more), &raw));
    }

    #[test]
    fn without_the_rows_that_matched_nothing_is_listed(rows in rows(), raw in raw_question()) {
        let (before, matched) = answered(&list_of(&rows), &raw);
        let no = [Verdict::Candidate, Verdict::NotListed];
        prop_assert_eq!(no.contains(&before), matched.is_empty());
        let left = |row: &Cells| !matched.iter().any(|id| id == id_of(row));
        let rest: Vec<Cells> = rows.into_iter().filter(left).collect();
        prop_assert!(no.contains(&answered(&list_of(&rest), &raw).0));
    }

    #[test]
    fn a_batch_answers_each_question_as_if_it_were_alone(
        rows in rows(),
        items in vec(request(), 1..6),
    ) {
        use answers::batch_check_clearance_result::Result as Outcome;
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().expect("an instant");
        let snapshot = Snapshot::unsigned(list_of(&rows), &ListFiles::default());
        let decide = |item: &_| answer_unsigned(&snapshot, item, now);
        let together =
            answer_batch(&items, decide, |_| Err(receipt_unavailable())).expect("a good batch");
        prop_assert_eq!(together.len(), items.len());
        for (item, result) in items.iter().zip(together) {
            let alone = match answer_unsigned(&snapshot, item, now) {
                Ok(decided) => Outcome::Decision(decided.decision),
                Err(refused) => Outcome::Error(to_rpc_status(&refused)),
            };
            prop_assert_eq!(result.result, Some(alone));
        }
    }
    // A length of one byte, of two and of three.
    #[test]
    fn an_answer_is_the_bytes_that_its_message_encodes_to(
        rows in rows(),
        item in request(),
        purpose_bytes in prop_oneof![0_usize..300, 16_300_usize..16_500],
    ) {
        let now: Timestamp = "2026-11-22T03:00:00.5Z".parse().expect("an instant");
        let purpose = "x".repeat(purpose_bytes);
        let with_purpose = |row: &Cells| Row(row.clone()).with("purpose", &purpose).0;
        let rows: Vec<Cells> = rows.iter().map(with_purpose).collect();
        let snapshot = Snapshot::unsigned(list_of(&rows), &ListFiles::default());
        if let Ok(decided) = answer_unsigned(&snapshot, &item, now) {
            let decision = decided.decision;
            let message = v1::Decision::decode(decision.as_bytes()).expect("a message");
            prop_assert_eq!(message.encode_to_vec(), decision.as_bytes());
            prop_assert_eq!(decision.read(), message);
        }
    }
}
