//! Values as people type them: what each is read as, and by which name each other is refused.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::cmp::Ordering;

use clearlist::domain::customs_district::CustomsDistrict;
use clearlist::domain::message::Refusal;
use clearlist::domain::quantity::Quantity;
use clearlist::domain::question::{RawQuestion, Violation};
use clearlist::domain::{cas_number, hs_code, uscc};

mod support;
use support::{OWNER, full, list, question, row};

/// Reads a value and says it with its steps, `value [step step]`, or the reason of its refusal,
/// which must speak to both readers.
fn said<T>(read: Result<T, impl Refusal>, value: impl FnOnce(T) -> String) -> String {
    match read {
        Ok(read) => value(read),
        Err(refusal) => {
            speaks_both_languages(&refusal.english(), &refusal.chinese());
            refusal.reason().to_owned()
        }
    }
}

fn speaks_both_languages(english: &str, chinese: &str) {
    assert!(english.starts_with(|c: char| c.is_ascii_graphic()), "{english}");
    assert!(english.contains(' '), "a sentence: {english}");
    assert!(!english.ends_with('.'), "{english}");
    assert!(chinese.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)), "{chinese}");
}

fn steps(steps: &[clearlist::domain::field::Step]) -> String {
    steps.iter().flat_map(|s| [" ", s.name]).collect()
}

fn hs(given: &str) -> String {
    said(hs_code::parse(given), |parsed| {
        let suffix = parsed.ciq_suffix.map(|s| format!("+{s}")).unwrap_or_default();
        format!("{}{suffix}{}", parsed.code, steps(&parsed.steps))
    })
}

fn credit_code(given: &str) -> String {
    said(uscc::parse(given), |(code, taken)| format!("{code}{}", steps(&taken)))
}

fn cas(given: &str) -> String {
    said(cas_number::parse(given), |(number, taken)| format!("{number}{}", steps(&taken)))
}

fn quantity(value: &str, unit: &str) -> String {
    said(Quantity::parse(value, unit), |quantity| quantity.to_string())
}

fn district(given: &str) -> String {
    said(CustomsDistrict::parse(given), |district| district.to_string())
}

fn hold(cases: &[(&str, &str)], read: fn(&str) -> String) {
    for (given, expected) in cases {
        assert_eq!(read(given), *expected, "{given:?}");
    }
}

#[test]
fn a_code_is_read_however_it_is_divided_and_says_what_was_changed() {
    let cases = [
        ("2941301100", "2941301100"),
        ("29413011", "29413011"),
        ("294130", "294130"),
        ("0511100010", "0511100010"),
        ("2941.30.11.00", "2941301100 code-separators"),
        ("2941.3011.00", "2941301100 code-separators"),
        ("29 41 30 11 00", "2941301100 code-separators"),
        ("2941-30-1100", "2941301100 code-separators"),
        ("2941–30—1100", "2941301100 half-width code-separators"),
        ("2941．30．1100", "2941301100 half-width code-separators"),
        ("２９４１３０１１００", "2941301100 half-width"),
        (" 2941301100\t", "2941301100 half-width"),
        ("\u{FEFF}2941301100\u{200B}", "2941301100 half-width"),
        ("\u{200B} 2941301100 \u{200B}", "2941301100 half-width"),
        ("3002150090101", "3002150090+101 ciq-suffix"),
        ("3002.15.0090.101", "3002150090+101 code-separators ciq-suffix"),
    ];
    hold(&cases, hs);
}

#[test]
fn a_code_that_is_not_whole_is_refused_by_the_name_of_the_damage() {
    let long = "2".repeat(hs_code::INPUT_BYTES_MAX + 1);
    let cases = [
        ("", "HS_CODE_MISSING"),
        ("  \u{200B}", "HS_CODE_MISSING"),
        (long.as_str(), "HS_CODE_TOO_LONG"),
        ("3.00215E+09", "HS_CODE_SCIENTIFIC_NOTATION"),
        ("3.002e9", "HS_CODE_SCIENTIFIC_NOTATION"),
        ("2941E6", "HS_CODE_SCIENTIFIC_NOTATION"),
        ("29413011O0", "HS_CODE_NOT_DIGITS"),
        ("HS 2941301100", "HS_CODE_NOT_DIGITS"),
        ("2941/30", "HS_CODE_NOT_DIGITS"),
        ("٢٩٤١٣٠", "HS_CODE_NOT_DIGITS"),
        ("+294130", "HS_CODE_NOT_DIGITS"),
        ("300215009.0", "HS_CODE_SEPARATORS"),
        ("2.94130", "HS_CODE_SEPARATORS"),
        (".294130", "HS_CODE_SEPARATORS"),
        ("-294130", "HS_CODE_SEPARATORS"),
        ("51110", "HS_CODE_LOST_ZERO"),
        ("5111000", "HS_CODE_LOST_ZERO"),
        ("511100010", "HS_CODE_LOST_ZERO"),
        ("511100010101", "HS_CODE_LOST_ZERO"),
        ("29413011000", "HS_CODE_REBATE_FORM"),
        ("2941", "HS_CODE_LENGTH"),
        ("29413011001011", "HS_CODE_LENGTH"),
        ("0011100010", "HS_CODE_CHAPTER"),
        ("0011100010101", "HS_CODE_CHAPTER"),
    ];
    hold(&cases, hs);
}

#[test]
fn a_credit_code_is_read_in_any_width_and_case_and_says_so() {
    let cases = [
        (OWNER, OWNER),
        ("91110108551385082q", "91110108551385082Q uscc-form"),
        ("９１１１０１０８５５１３８５０８２Ｑ", "91110108551385082Q uscc-form"),
        (" 9111 0108-5513 8508-2Q\u{200B}", "91110108551385082Q uscc-form"),
    ];
    hold(&cases, credit_code);
}

#[test]
fn a_credit_code_that_was_mistyped_or_cut_is_refused() {
    let long = "9".repeat(129);
    let cases = [
        ("", "USCC_MISSING"),
        (" - ", "USCC_MISSING"),
        ("91110108551385083Q", "USCC_CHECK_CHARACTER"),
        ("91110108551385082R", "USCC_CHECK_CHARACTER"),
        ("19110108551385082Q", "USCC_CHECK_CHARACTER"),
        ("9I110108551385082Q", "USCC_CHARACTER"),
        ("9111O108551385082Q", "USCC_CHARACTER"),
        ("9111S108551385082Q", "USCC_CHARACTER"),
        ("9111V108551385082Q", "USCC_CHARACTER"),
        ("9111Z108551385082Q", "USCC_CHARACTER"),
        ("9111é108551385082Q", "USCC_CHARACTER"),
        ("9111010855138508", "USCC_LENGTH"),
        ("91110108551385082QQ", "USCC_LENGTH"),
        (long.as_str(), "USCC_LENGTH"),
        ("911101085513850", "USCC_CUT_BY_SPREADSHEET"),
        ("911101085513850000", "USCC_CUT_BY_SPREADSHEET"),
        ("9.11101E+17", "USCC_CUT_BY_SPREADSHEET"),
    ];
    hold(&cases, credit_code);
}

#[test]
fn a_cas_number_is_read_with_any_dash_and_width() {
    let cases = [
        ("60-54-8", "60-54-8"),
        ("7732-18-5", "7732-18-5"),
        ("67–68−5", "67-68-5 cas-form"),
        ("６７－６８－５", "67-68-5 cas-form"),
        (" 67-68-5\n", "67-68-5 cas-form"),
        ("\u{200B}67-68-5\u{FEFF}", "67-68-5 cas-form"),
        ("\u{200B} 67-68-5 \u{200B}", "67-68-5 cas-form"),
    ];
    hold(&cases, cas);
}

#[test]
fn a_cas_number_that_was_mistyped_or_made_a_date_is_refused() {
    let long = "6".repeat(129);
    let cases = [
        ("67-68-6", "CAS_CHECK_DIGIT"),
        ("76-68-5", "CAS_CHECK_DIGIT"),
        ("7732-18-4", "CAS_CHECK_DIGIT"),
        ("1967-08-05", "CAS_FORM"),
        ("67/68/5", "CAS_FORM"),
        ("67685", "CAS_FORM"),
        ("067-68-5", "CAS_FORM"),
        ("6-68-5", "CAS_FORM"),
        ("12345678-68-5", "CAS_FORM"),
        ("67-6-5", "CAS_FORM"),
        ("67-68-5-1", "CAS_FORM"),
        ("67-68-", "CAS_FORM"),
        ("67 -68-5", "CAS_FORM"),
        ("CAS 67-68-5", "CAS_FORM"),
        ("", "CAS_FORM"),
        (long.as_str(), "CAS_FORM"),
    ];
    hold(&cases, cas);
}

#[test]
fn quantities_compare_where_units_convert_and_nowhere_else() {
    use Ordering::{Equal, Greater, Less};
    let read = |text: &str| {
        let (value, unit) = clearlist::domain::quantity::split(text);
        Quantity::parse(value, unit).expect("a good quantity")
    };
    let cases = [
        ("1 kg", "1000 g", Some(Equal)),
        ("0.5 g", "500 mg", Some(Equal)),
        ("1 t", "1000公斤", Some(Equal)),
        ("20 g", "20.00000 克", Some(Equal)),
        ("20.000000001 g", "20 g", Some(Greater)),
        ("999 g", "1 kg", Some(Less)),
        ("5 \u{B5}g", "5 \u{3BC}g", Some(Equal)),
        ("5 ug", "5000 ng", Some(Equal)),
        ("99999999999999 t", "99999999999999.999999999 ng", Some(Greater)),
        ("0.000000001 ng", "99999999999999 t", Some(Less)),
        ("1 L", "1000 mL", Some(Equal)),
        ("1 升", "999999 µl", Some(Greater)),
        ("1 g", "1 mL", None),
        ("1 瓶", "1 支", None),
        ("1 瓶", "1 bottle", Some(Equal)),
        ("2 瓶", "1 瓶", Some(Greater)),
        ("1 瓶", "1 g", None),
        ("1 IU", "1 U", None),
        ("1 IU", "1 g", None),
    ];
    for (one, other, expected) in cases {
        assert_eq!(read(one).compare(&read(other)), expected, "{one} to {other}");
        let turned = expected.map(Ordering::reverse);
        assert_eq!(read(other).compare(&read(one)), turned, "{other} to {one}");
    }
}

#[test]
fn a_quantity_is_a_plain_decimal_of_a_known_unit() {
    let cases = [
        ("20", "g", "20 g"),
        ("020.50", "克", "20.50 g"),
        ("1", "KILOGRAM", "1 kg"),
        ("1", " mg ", "1 mg"),
        ("1e3", "g", "QUANTITY_VALUE"),
        ("+1", "g", "QUANTITY_VALUE"),
        ("-1", "g", "QUANTITY_VALUE"),
        ("1,000", "g", "QUANTITY_VALUE"),
        ("1 000", "g", "QUANTITY_VALUE"),
        ("1_000", "g", "QUANTITY_VALUE"),
        ("１", "g", "QUANTITY_VALUE"),
        (".5", "g", "QUANTITY_VALUE"),
        ("5.", "g", "QUANTITY_VALUE"),
        ("1.2.3", "g", "QUANTITY_VALUE"),
        ("", "g", "QUANTITY_VALUE"),
        ("NaN", "g", "QUANTITY_VALUE"),
        ("100000000000000", "g", "QUANTITY_VALUE"),
        ("0.0000000001", "g", "QUANTITY_VALUE"),
        ("0", "g", "QUANTITY_ZERO"),
        ("0.00", "g", "QUANTITY_ZERO"),
        ("1", "", "QUANTITY_UNIT"),
        ("1", "stone", "QUANTITY_UNIT"),
        ("1", "mM", "QUANTITY_UNIT"),
        ("1", "G", "QUANTITY_UNIT"),
        ("1", "MG", "QUANTITY_UNIT"),
    ];
    for (value, unit, expected) in cases {
        assert_eq!(quantity(value, unit), expected, "{value} {unit}");
    }
}

#[test]
fn a_whole_customs_district_covers_its_ports_and_no_others() {
    let read = |given| CustomsDistrict::parse(given).expect("four digits");
    let cases = [
        ("0100", "0100", true),
        ("0100", "0101", true),
        ("0100", "0199", true),
        ("0100", "0200", false),
        ("0100", "1001", false),
        ("0101", "0101", true),
        ("0101", "0100", false),
        ("0101", "0102", false),
        ("2200", "2249", true),
    ];
    for (listed, declared, covers) in cases {
        assert_eq!(read(listed).covers(read(declared)), covers, "{listed} covers {declared}");
    }
    let refused = ["", "100", "01000", "01OO", "０１００", " 0100", "+100", "北京海关"];
    let mut forms = vec![("0100", "0100"), ("9999", "9999")];
    forms.extend(refused.map(|given| (given, "CUSTOMS_DISTRICT_FORM")));
    hold(&forms, district);
}

/// The violations of the question that leaves nothing open, changed in one place.
fn refused(change: impl FnOnce(&mut RawQuestion<'_>)) -> Vec<Violation> {
    let mut raw = full("四环素");
    change(&mut raw);
    question(&list(&[row("A", "四环素")]), &raw).err().unwrap_or_default()
}

#[test]
fn a_declaration_date_is_a_day_that_exists_in_a_year_that_can_be_meant() {
    let cases = [
        ((2026, 2, 28), true),
        ((2026, 2, 29), false),
        ((2028, 2, 29), true),
        ((2000, 1, 1), true),
        ((2199, 12, 31), true),
        ((1999, 12, 31), false),
        ((2200, 1, 1), false),
        ((2026, 4, 31), false),
        ((2026, 0, 1), false),
        ((2026, 13, 1), false),
        ((2026, 1, 0), false),
        ((2026, 257, 1), false),
        ((0, 0, 0), false),
        ((i32::MIN, i32::MAX, i32::MIN), false),
    ];
    for (day, good) in cases {
        let reasons: Vec<_> =
            refused(|raw| raw.declaration_date = Some(day)).iter().map(|v| v.reason).collect();
        let expected = if good { vec![] } else { vec!["DATE_INVALID"] };
        assert_eq!(reasons, expected, "{day:?}");
    }
}

type Change = fn(&mut RawQuestion<'_>);

#[test]
fn every_violation_of_a_question_speaks_both_languages() {
    let cases: [(&str, Change); 11] = [
        ("HS_CODE_MISSING", |raw| raw.hs_code = ""),
        ("NAME_EMPTY", |raw| raw.material_name = "---"),
        ("NAME_SUPERSCRIPT", |raw| raw.material_name = "Ca²⁺"),
        ("NAME_CONTROL_CHARACTER", |raw| raw.material_name = "a\u{202E}b"),
        ("NAME_DAMAGED", |raw| raw.material_name = "四\u{FFFD}素"),
        ("NAME_OR_CAS_MISSING", |raw| raw.material_name = ""),
        ("CAS_CONTRADICTS_NAME", |raw| {
            (raw.material_name, raw.cas_number) = ("DMSO (CAS 67-68-5)", "60-54-8");
        }),
        ("QUANTITY_UNIT", |raw| raw.quantity = Some(("1", "箩"))),
        ("CUSTOMS_DISTRICT_FORM", |raw| raw.customs_district = "北京"),
        ("SCHEME_UNKNOWN", |raw| raw.scheme = "nowhere"),
        ("DATE_INVALID", |raw| raw.declaration_date = Some((2026, 2, 29))),
    ];
    for (reason, change) in cases {
        let violations = refused(change);
        assert_eq!(violations.iter().map(|v| v.reason).collect::<Vec<_>>(), [reason]);
        for violation in violations {
            speaks_both_languages(&violation.english, &violation.chinese);
        }
    }
}

#[test]
fn every_field_that_is_too_long_is_named_at_once() {
    const LONG: &str = match std::str::from_utf8(&[b'a'; 1_021]) {
        Ok(text) => text,
        Err(_not_text) => "",
    };
    let too_long = refused(|raw| {
        (raw.material_name, raw.correlation_id) = (LONG, LONG);
        (raw.specification, raw.manufacturer) = (LONG, LONG);
    });
    let reasons: Vec<_> = too_long.iter().map(|v| v.reason).collect();
    assert_eq!(reasons, ["NAME_TOO_LONG", "FIELD_TOO_LONG", "FIELD_TOO_LONG", "FIELD_TOO_LONG"]);
    for violation in too_long {
        speaks_both_languages(&violation.english, &violation.chinese);
    }
}
