//! The verdict table of the contract, a test per reason, in both languages.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::collections::BTreeSet;

use clearlist::domain::clearance::Verdict::{
    self, Candidate, Conditional, Listed, NotCovered, NotListed,
};
use clearlist::domain::entry::Use;
use clearlist::domain::finding::Reason;
use clearlist::domain::list::List;
use clearlist::domain::question::RawQuestion;

mod support;
use support::{CODE, OTHER, OWNER, Row, ask, full, list, read, row, verdict};

const NAME: &str = "四环素";

/// One way to give one reason: the row, the question, the answer.
struct Case {
    reason: Reason,
    row: Row,
    question: fn(&mut RawQuestion<'static>),
    verdict: Verdict,
}

fn case(
    reason: Reason,
    verdict: Verdict,
    row: Row,
    question: fn(&mut RawQuestion<'static>),
) -> Case {
    Case { reason, row, question, verdict }
}

fn plain() -> Row {
    row("R1", NAME)
}

fn directory() -> Row {
    let material = ["name_zh", "hs_code"];
    material.iter().fold(plain().with("scheme", "directory"), |row, c| row.with(c, ""))
}

fn cases() -> Vec<Case> {
    use Reason as R;
    vec![
        case(R::EndUserMissing, Conditional, plain(), |q| q.end_user_uscc = ""),
        case(R::EndUserNotOnEntry, NotCovered, plain(), |q| q.end_user_uscc = OTHER),
        case(R::EntryExpired, NotCovered, plain().with("valid_to", "2026-11-21"), |_| ()),
        case(R::EntryNotYetValid, NotCovered, plain().with("valid_from", "2026-11-23"), |_| ()),
        case(R::EntrySuspended, NotCovered, plain().with("state", "suspended"), |_| ()),
        case(R::EntryWithdrawn, NotCovered, plain().with("state", "withdrawn"), |_| ()),
        case(R::HsCodeIncomplete, Candidate, plain(), |q| q.hs_code = "294130"),
        case(R::HsCodeIncomplete, Candidate, plain().with("hs_code", "294130"), |_| ()),
        case(R::HsCodeIncomplete, Candidate, plain().with("hs_code", "294130"), |q| {
            q.hs_code = "294130";
        }),
        case(R::HsCodeDiffers, Candidate, plain(), |q| q.hs_code = "2941301200"),
        case(R::NameDiffers, Candidate, plain(), |q| q.material_name = "四环素片"),
        case(R::CasDiffers, Candidate, plain().with("cas", "60-54-8"), |q| {
            q.cas_number = "67-68-5";
        }),
        case(R::CasCheckDigitWrong, Candidate, plain().with("cas", "60-54-8"), |q| {
            q.material_name = "CAS 60-54-7";
        }),
        case(R::ClassEntry, Candidate, plain().with("kind", "class"), |_| ()),
        case(R::SpecificationMissing, Conditional, plain().with("specification", "≥98%"), |_| ()),
        case(R::SpecificationDiffers, NotCovered, plain().with("specification", "≥98%"), |q| {
            q.specification = "≥95%";
        }),
        case(R::ManufacturerMissing, Conditional, plain().with("manufacturer", "ACME"), |_| ()),
        case(R::ManufacturerDiffers, NotCovered, plain().with("manufacturer", "ACME"), |q| {
            q.manufacturer = "Other";
        }),
        case(
            R::CustomsDistrictMissing,
            Conditional,
            plain().with("customs_districts", "0100"),
            |_| (),
        ),
        case(
            R::CustomsDistrictNotCovered,
            NotCovered,
            plain().with("customs_districts", "0100|0200"),
            |q| q.customs_district = "2200",
        ),
        case(R::QuantityMissing, Conditional, limited(), |_| ()),
        case(R::QuantityExceeded, NotCovered, limited(), |q| q.quantity = Some(("0.2001", "kg"))),
        case(R::UnitNotComparable, Conditional, limited(), |q| q.quantity = Some(("2", "瓶"))),
        case(R::UseMissing, Conditional, plain(), |q| q.intended_use = None),
        case(R::UseNotPermitted, NotCovered, plain(), |q| q.intended_use = Some(Use::Sale)),
        case(R::DirectoryScope, Conditional, directory(), |_| ()),
        case(R::SchemeExclusion, Conditional, directory(), |_| ()),
        case(R::LookAlikeCharacters, NotListed, plain(), |q| q.material_name = "Абв"),
        case(R::NoEntry, NotListed, plain(), |q| q.material_name = "完全不同的东西"),
    ]
}

fn limited() -> Row {
    plain().with("quantity", "200").with("unit", "g")
}

/// Whether the enterprise state gives this reason, which the shared rows cannot show.
fn with_enterprise_state(state: &str) -> List {
    let mut files = support::files(&[plain()]);
    let text = String::from_utf8(files.enterprises).expect("made of text");
    files.enterprises = text.replace("示例甲,Example A,active,,", state).into_bytes();
    read(&files).expect("the state makes a list")
}

fn asked(question: fn(&mut RawQuestion<'static>)) -> RawQuestion<'static> {
    let mut raw = full(NAME);
    question(&mut raw);
    raw
}

#[test]
fn every_reason_is_given_with_its_verdict_and_in_both_languages() {
    let mut seen = BTreeSet::new();
    let mut check = |list: &List, raw: &RawQuestion<'_>, reason: Reason, wanted: Verdict| {
        let found = ask(list, raw, |decision| {
            assert_eq!(decision.verdict, wanted, "{reason:?}");
            let differences = decision.candidates.iter().flat_map(|c| &c.differences);
            let all = decision.findings.iter().chain(differences);
            let this = all.clone().find(|f| f.reason == reason);
            this.map(|f| (f.english(), f.chinese()))
        });
        let texts = found.expect("a good question");
        assert!(texts.is_some(), "{reason:?} was not given");
        let (english, chinese) = texts.unwrap_or_default();
        let has_han = |s: &str| s.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
        assert!(has_han(&chinese), "{reason:?} speaks no Chinese: {chinese}");
        assert!(english.starts_with(|c: char| c.is_ascii()), "{reason:?}: {english}");
        seen.insert(reason);
    };
    for case in cases() {
        check(&list(&[case.row]), &asked(case.question), case.reason, case.verdict);
    }
    let states = [
        ("示例甲,Example A,suspended,2026-01-01,2026-12-31", Reason::EnterpriseSuspended),
        ("示例甲,Example A,banned,,2028-01-01", Reason::EnterpriseBanned),
        ("示例甲,Example A,active,,2026-01-01", Reason::EnterpriseNotActive),
    ];
    for (state, reason) in states {
        check(&with_enterprise_state(state), &asked(|_| ()), reason, NotCovered);
    }
    let missing: Vec<Reason> = Reason::ALL.into_iter().filter(|r| !seen.contains(r)).collect();
    assert!(missing.is_empty(), "no case gives {missing:?}");
}

#[test]
fn a_row_with_nothing_open_is_listed() {
    assert_eq!(verdict(&list(&[plain()]), &full(NAME)), Listed);
    let row = limited().with("specification", "≥98%").with("manufacturer", "ACME 公司");
    let row = row.with("customs_districts", "0100").with("cas", "60-54-8");
    let mut raw = full(NAME);
    raw.quantity = Some(("200000", "mg"));
    raw.specification = "≥ 98％";
    raw.manufacturer = "acme公司";
    raw.customs_district = "0101";
    raw.cas_number = "60-54-8";
    assert_eq!(verdict(&list(&[row]), &raw), Listed);
}

#[test]
fn both_ends_of_a_validity_are_inside_it() {
    let row = plain().with("valid_from", "2026-11-22").with("valid_to", "2026-11-22");
    let list = list(&[row]);
    let on = |day: (i32, i32, i32)| {
        let mut raw = full(NAME);
        raw.declaration_date = Some(day);
        verdict(&list, &raw)
    };
    assert_eq!(on((2026, 11, 22)), Listed);
    assert_eq!(on((2026, 11, 21)), NotCovered);
    assert_eq!(on((2026, 11, 23)), NotCovered);
}

#[test]
fn a_suspension_that_is_over_stops_nothing() {
    let over = with_enterprise_state("示例甲,Example A,suspended,2025-01-01,2025-12-31");
    assert_eq!(verdict(&over, &full(NAME)), Listed);
}

#[test]
fn the_best_of_several_rows_wins_and_all_are_returned() {
    let rows = [
        row("R1", NAME).with("state", "withdrawn").with("valid_to", "2025-12-31"),
        row("R2", NAME).with("valid_from", "2026-01-01"),
        row("R3", NAME).with("uscc", OTHER),
    ];
    let list = list(&rows);
    let answer = ask(&list, &full(NAME), |d| {
        (d.verdict, d.matches.iter().map(|m| m.entry.id.to_string()).collect::<Vec<_>>())
    });
    assert_eq!(answer, Ok((Listed, vec!["R2".into(), "R1".into(), "R3".into()])));
}

#[test]
fn a_cas_number_alone_matches_and_a_contradicting_name_does_not() {
    let list = list(&[plain().with("cas", "60-54-8")]);
    let mut raw = full("");
    raw.cas_number = "60-54-8";
    assert_eq!(verdict(&list, &raw), Listed);
    raw.material_name = "土霉素";
    assert_eq!(verdict(&list, &raw), Candidate);
}

#[test]
fn a_directory_row_answers_its_own_enterprise_only_and_never_with_a_plain_yes() {
    let list = list(&[directory()]);
    let of = |uscc: &'static str| {
        let mut raw = full("随便什么");
        raw.end_user_uscc = uscc;
        verdict(&list, &raw)
    };
    assert_eq!(of(OWNER), Conditional);
    assert_eq!(of(OTHER), NotListed);
    assert_eq!(of(""), NotListed);
}

#[test]
fn a_directory_row_that_fails_hides_no_candidate_and_says_why_it_fails() {
    let list = list(&[directory().with("state", "suspended"), row("R2", NAME)]);
    let raw = full("四环素片");
    let answer = ask(&list, &raw, |d| {
        (d.verdict, d.findings.iter().any(|f| f.reason == Reason::EntrySuspended))
    });
    assert_eq!(answer, Ok((Candidate, true)));
}

#[test]
fn a_scheme_narrows_the_question_and_an_unknown_one_is_refused() {
    let list = list(&[plain()]);
    let mut raw = full(NAME);
    raw.scheme = "rows";
    assert_eq!(verdict(&list, &raw), Listed);
    raw.scheme = "directory";
    assert_eq!(verdict(&list, &raw), NotListed);
    raw.scheme = "row";
    let refused = ask(&list, &raw, |_| ()).expect_err("no such scheme");
    assert!(refused.iter().any(|v| v.reason == "SCHEME_UNKNOWN" && v.english.contains("rows")));
}

#[test]
fn every_refused_field_is_named_at_once() {
    let list = list(&[plain()]);
    let raw = RawQuestion {
        hs_code: "3.00215E+09",
        material_name: "10⁸",
        cas_number: "60-54-7",
        end_user_uscc: "911101085513850820",
        quantity: Some(("1e3", "g")),
        customs_district: "Beijing",
        scheme: "none",
        declaration_date: Some((2026, 2, 29)),
        ..RawQuestion::default()
    };
    let refused = ask(&list, &raw, |_| ()).expect_err("everything is wrong");
    let fields: BTreeSet<&str> = refused.iter().map(|v| v.field.name()).collect();
    let wanted = [
        "cas_number",
        "customs_district",
        "declaration_date",
        "end_user_uscc",
        "hs_code",
        "material_name",
        "quantity",
        "scheme",
    ];
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), wanted);
    assert_eq!(CODE.len(), 10);
}
