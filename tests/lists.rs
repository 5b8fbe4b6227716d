//! What a list may not hold: one case for each refusal of the lint, with its place; what is
//! accepted all the same; the shipped example; and what `list diff` says of two lists.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::collections::BTreeSet;
use std::path::Path;

use clearlist::domain::cells::{enterprise_state_name, entry_state_name, kind_name};
use clearlist::domain::list_diff::{Change, RowChange, diff};
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::formats::table::Problem;
use clearlist::service::folder;

mod support;
use support::{OTHER, OWNER, Row, files, list, read, row};

/// A list with one thing wrong.
struct Case {
    wrong: &'static str,
    files: ListFiles,
    /// `file:line:column (header)`, as `Problem::place` writes it.
    place: &'static str,
    reason: &'static str,
}

fn case(wrong: &'static str, files: ListFiles, place: &'static str, reason: &'static str) -> Case {
    Case { wrong, files, place, reason }
}

fn sound() -> Row {
    row("E1", "四环素")
}

/// The one entry with one cell set.
fn cell(column: &'static str, value: &str) -> ListFiles {
    files(&[sound().with(column, value)])
}

#[derive(Clone, Copy)]
enum Of {
    Schemes,
    Enterprises,
    Entries,
}

fn bytes_of(files: &mut ListFiles, of: Of) -> &mut Vec<u8> {
    match of {
        Of::Schemes => &mut files.schemes,
        Of::Enterprises => &mut files.enterprises,
        Of::Entries => &mut files.entries,
    }
}

fn text_of(files: &mut ListFiles, of: Of) -> String {
    String::from_utf8(bytes_of(files, of).clone()).expect("the lists of tests are UTF-8")
}

/// `files` with one text of one file replaced wherever it stands.
fn replaced_in(mut files: ListFiles, of: Of, from: &str, to: &str) -> ListFiles {
    let text = text_of(&mut files, of);
    assert!(text.contains(from), "nothing to break: {from} is not there");
    *bytes_of(&mut files, of) = text.replace(from, to).into_bytes();
    files
}

/// The list of one entry with one text of one file replaced.
fn replaced(of: Of, from: &str, to: &str) -> ListFiles {
    replaced_in(files(&[sound()]), of, from, to)
}

/// The list of one entry with one file replaced by these bytes.
fn bytes(of: Of, bytes: &[u8]) -> ListFiles {
    let mut files = files(&[sound()]);
    *bytes_of(&mut files, of) = bytes.to_vec();
    files
}

/// Two entries, the second cut off behind this text.
fn cut_behind(kept: &str) -> ListFiles {
    let mut files = files(&[sound(), row("E2", "肝素钠")]);
    let text = text_of(&mut files, Of::Entries);
    let (before, _lost) = text.split_once(kept).expect("there is something to cut behind");
    files.entries = format!("{before}{kept}").into_bytes();
    files
}

/// What Excel writes as "Unicode text".
fn utf_16(of: Of) -> ListFiles {
    let text = text_of(&mut files(&[sound()]), of);
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    bytes(of, &units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

/// What Excel writes as "CSV" in China: 示例甲 is CA BE C0 FD BC D7.
fn gb18030() -> ListFiles {
    let head = support::ENTERPRISES.as_bytes();
    let rest = b",,active,,,doc\n";
    let line = [OWNER.as_bytes(), b",\xCA\xBE\xC0\xFD\xBC\xD7", rest].concat();
    bytes(Of::Enterprises, &[head, &line].concat())
}

fn twice(first: Row, second: Row) -> ListFiles {
    files(&[first, second])
}

#[expect(clippy::too_many_lines, reason = "the case is data, and there are many")]
fn cases_of_cells() -> Vec<Case> {
    let same = || row("E2", "四环素");
    vec![
        case(
            "unknown scheme",
            cell("scheme", "rowz"),
            "entries.csv:2:2 (scheme)",
            "REFERENCE_UNKNOWN",
        ),
        case(
            "unknown enterprise",
            cell("uscc", "91110114EXAMPLE2XR"),
            "entries.csv:2:4 (uscc)",
            "REFERENCE_UNKNOWN",
        ),
        case(
            "USCC with a wrong check character",
            cell("uscc", "91110108551385082R"),
            "entries.csv:2:4 (uscc)",
            "USCC_CHECK_CHARACTER",
        ),
        case(
            "the same in the enterprises",
            replaced(Of::Enterprises, OTHER, "91110108EXAMPLE11D"),
            "enterprises.csv:3:1 (uscc)",
            "USCC_CHECK_CHARACTER",
        ),
        case(
            "USCC in scientific notation",
            cell("uscc", "9.11101E+17"),
            "entries.csv:2:4 (uscc)",
            "USCC_CUT_BY_SPREADSHEET",
        ),
        case(
            "USCC of 15 digits",
            cell("uscc", "911101085513850"),
            "entries.csv:2:4 (uscc)",
            "USCC_CUT_BY_SPREADSHEET",
        ),
        case(
            "USCC of 15 digits filled with zeros",
            cell("uscc", "911101085513852000"),
            "entries.csv:2:4 (uscc)",
            "USCC_CUT_BY_SPREADSHEET",
        ),
        case(
            "USCC with an O for a zero",
            cell("uscc", "9111O108551385082Q"),
            "entries.csv:2:4 (uscc)",
            "USCC_CHARACTER",
        ),
        case(
            "CAS number with a wrong check digit",
            cell("cas", "60-54-7"),
            "entries.csv:2:9 (cas)",
            "CAS_CHECK_DIGIT",
        ),
        case(
            "CAS number that became a date",
            cell("cas", "1960/5/8"),
            "entries.csv:2:9 (cas)",
            "CAS_FORM",
        ),
        case(
            "HS code of 9 digits",
            cell("hs_code", "294130110"),
            "entries.csv:2:10 (hs_code)",
            "HS_CODE_LOST_ZERO",
        ),
        case(
            "HS code of 11 digits",
            cell("hs_code", "29413011000"),
            "entries.csv:2:10 (hs_code)",
            "HS_CODE_REBATE_FORM",
        ),
        case(
            "HS code in scientific notation",
            cell("hs_code", "2.9413E+09"),
            "entries.csv:2:10 (hs_code)",
            "HS_CODE_SCIENTIFIC_NOTATION",
        ),
        case(
            "HS code with points",
            cell("hs_code", "2941.30.11.00"),
            "entries.csv:2:10 (hs_code)",
            "HS_CODE_NOT_DIGITS",
        ),
        case("no HS code", cell("hs_code", ""), "entries.csv:2:10 (hs_code)", "HS_CODE_MISSING"),
        case(
            "entry_id twice",
            twice(sound(), row("E1", "肝素钠")),
            "entries.csv:3:1 (entry_id)",
            "KEY_REPEATED",
        ),
        case(
            "one material twice, valid at once",
            twice(sound(), same()),
            "entries.csv:3",
            "ENTRIES_COLLIDE",
        ),
        case(
            "one material twice, the last day of one the first of the other",
            twice(sound().with("valid_to", "2026-06-30"), same().with("valid_from", "2026-06-30")),
            "entries.csv:3",
            "ENTRIES_COLLIDE",
        ),
        case(
            "synonym that is the name of the other row",
            twice(sound(), row("E2", "土霉素").with("synonyms", "四 环 素|氧四环素")),
            "entries.csv:3",
            "ENTRIES_COLLIDE",
        ),
        case("no name", cell("name_zh", ""), "entries.csv:2:6 (name_zh)", "CELL_EMPTY"),
        case(
            "name that is empty in its normal form",
            cell("name_zh", "（——）"),
            "entries.csv:2:6 (name_zh)",
            "NAME_EMPTY",
        ),
        case(
            "name with a Cyrillic а",
            cell("name_en", "Tetr\u{430}cycline"),
            "entries.csv:2:7 (name_en)",
            "NAME_LOOK_ALIKE",
        ),
        case(
            "synonym with a Cyrillic а",
            cell("synonyms", "TC|Tetr\u{430}cycline"),
            "entries.csv:2:8 (synonyms)",
            "NAME_LOOK_ALIKE",
        ),
        case(
            "name with a package size",
            cell("name_zh", "四环素 25g/瓶"),
            "entries.csv:2:6 (name_zh)",
            "NAME_WITH_ATTRIBUTES",
        ),
        case(
            "name with a CAS number",
            cell("name_zh", "四环素 (CAS 60-54-8)"),
            "entries.csv:2:6 (name_zh)",
            "NAME_WITH_ATTRIBUTES",
        ),
        case(
            "unknown unit",
            files(&[sound().with("quantity", "20").with("unit", "grm")]),
            "entries.csv:2:15 (unit)",
            "QUANTITY_UNIT",
        ),
        case(
            "quantity without unit",
            cell("quantity", "20"),
            "entries.csv:2:15 (unit)",
            "CELL_EMPTY",
        ),
        case(
            "unit without quantity",
            cell("unit", "g"),
            "entries.csv:2:14 (quantity)",
            "CELL_EMPTY",
        ),
        case(
            "quantity of zero",
            files(&[sound().with("quantity", "0.0").with("unit", "g")]),
            "entries.csv:2:14 (quantity)",
            "QUANTITY_ZERO",
        ),
        case(
            "quantity with a comma",
            files(&[sound().with("quantity", "1,000").with("unit", "g")]),
            "entries.csv:2:14 (quantity)",
            "QUANTITY_VALUE",
        ),
        case(
            "valid_to before valid_from",
            files(&[sound().with("valid_from", "2026-07-01").with("valid_to", "2026-06-30")]),
            "entries.csv:2:19 (valid_to)",
            "DATES_REVERSED",
        ),
        case(
            "the same of an enterprise's state",
            replaced(
                Of::Enterprises,
                "Example B,active,,",
                "Example B,banned,2026-07-01,2026-06-30",
            ),
            "enterprises.csv:3:6 (state_until)",
            "DATES_REVERSED",
        ),
        case(
            "day that does not exist",
            cell("valid_from", "2026-02-30"),
            "entries.csv:2:18 (valid_from)",
            "DATE_INVALID",
        ),
        case(
            "date as Excel shows it",
            cell("valid_to", "2026/6/30"),
            "entries.csv:2:19 (valid_to)",
            "DATE_INVALID",
        ),
        case("unknown state", cell("state", "actve"), "entries.csv:2:20 (state)", "WORD_UNKNOWN"),
        case(
            "state in capitals",
            cell("state", "Active"),
            "entries.csv:2:20 (state)",
            "WORD_UNKNOWN",
        ),
        case("no state", cell("state", ""), "entries.csv:2:20 (state)", "CELL_EMPTY"),
        case(
            "unknown state of an enterprise",
            replaced(Of::Enterprises, "Example B,active", "Example B,withdrawn"),
            "enterprises.csv:3:4 (state)",
            "WORD_UNKNOWN",
        ),
        case("unknown kind", cell("kind", "group"), "entries.csv:2:5 (kind)", "WORD_UNKNOWN"),
        case(
            "unknown listing",
            replaced(Of::Schemes, "authority,directory,", "authority,list,"),
            "schemes.csv:3:5 (listing)",
            "WORD_UNKNOWN",
        ),
        case(
            "waived document without namespace",
            replaced(Of::Schemes, "authority,rows,,supervision:Q", "authority,rows,,Q"),
            "schemes.csv:2:7 (waived_documents)",
            "DOCUMENT_NAMESPACE",
        ),
        case(
            "empty permitted_use",
            replaced(Of::Schemes, "备注句,research", "备注句,"),
            "schemes.csv:2:9 (permitted_use)",
            "CELL_EMPTY",
        ),
        case(
            "unknown use",
            replaced(Of::Schemes, "备注句,research", "备注句,research|resale"),
            "schemes.csv:2:9 (permitted_use)",
            "WORD_UNKNOWN",
        ),
        case(
            "scheme twice",
            replaced(Of::Schemes, "directory,目录方案", "rows,目录方案"),
            "schemes.csv:3:1 (scheme)",
            "KEY_REPEATED",
        ),
        case(
            "enterprise twice",
            replaced(Of::Enterprises, OTHER, OWNER),
            "enterprises.csv:3:1 (uscc)",
            "KEY_REPEATED",
        ),
    ]
}

fn cases_of_form() -> Vec<Case> {
    vec![
        case(
            "missing column",
            replaced_in(
                replaced(Of::Enterprises, ",source_document\n", "\n"),
                Of::Enterprises,
                ",doc\n",
                "\n",
            ),
            "enterprises.csv:1",
            "COLUMN_MISSING",
        ),
        case(
            "unknown column",
            replaced(Of::Schemes, "exclusions\n", "exclusion\n"),
            "schemes.csv:1:11 (exclusion)",
            "COLUMN_UNKNOWN",
        ),
        case(
            "repeated column",
            replaced(Of::Schemes, "exclusions\n", "scheme\n"),
            "schemes.csv:1:11 (scheme)",
            "COLUMN_REPEATED",
        ),
        case(
            "last line with too few cells",
            cut_behind("\"E2\",\"rows\""),
            "entries.csv:3",
            "CELL_COUNT",
        ),
        case(
            "quote that is open at the end",
            cut_behind("\"E2\",\"ro"),
            "entries.csv:3",
            "QUOTE_OPEN",
        ),
        case(
            "line with a cell too many",
            replaced(Of::Entries, "\"E1\"", "\"E1\",\"E1\""),
            "entries.csv:2",
            "CELL_COUNT",
        ),
        case("GB18030", gb18030(), "enterprises.csv:2", "NOT_UTF8"),
        case("UTF-16", utf_16(Of::Entries), "entries.csv:1", "NOT_UTF8"),
        case(
            "bytes of no encoding",
            bytes(Of::Entries, b"entry_id\n\xC3\x28\n"),
            "entries.csv:2",
            "NOT_UTF8",
        ),
        case("empty file", bytes(Of::Schemes, b""), "schemes.csv", "FILE_EMPTY"),
        case(
            "file with a BOM only",
            bytes(Of::Entries, b"\xEF\xBB\xBF"),
            "entries.csv",
            "FILE_EMPTY",
        ),
    ]
}

/// Place and reason of each problem.
fn seen(problems: &[Problem]) -> Vec<(String, &'static str)> {
    problems.iter().map(|problem| (problem.place(), problem.reason)).collect()
}

fn problems(files: &ListFiles) -> Vec<(String, &'static str)> {
    read(files).err().map_or_else(Vec::new, |found| seen(&found))
}

#[test]
fn a_list_with_one_fault_is_refused_at_its_place_for_its_reason_and_no_other() {
    for case in cases_of_cells().iter().chain(&cases_of_form()) {
        let Case { wrong, files, place, reason } = case;
        assert_eq!(problems(files), [((*place).to_owned(), *reason)], "{wrong}");
    }
}

#[test]
fn every_problem_says_what_to_do_in_both_languages() {
    let han = |text: &str| text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
    for case in cases_of_cells().iter().chain(&cases_of_form()) {
        for problem in read(&case.files).expect_err(case.wrong) {
            let (english, chinese) = (&problem.english, &problem.chinese);
            assert!(!english.is_empty() && !english.ends_with('.'), "{}: {english}", case.wrong);
            assert!(han(chinese) && !chinese.ends_with('。'), "{}: {chinese}", case.wrong);
        }
    }
}

#[test]
fn what_was_mistyped_is_told_with_the_nearest_that_is_known() {
    let mistyped = [
        ("scheme", cell("scheme", "rowz"), "`rows`"),
        ("state", cell("state", "actve"), "`active`"),
        ("enterprise", cell("uscc", "91110114EXAMPLE2XR"), "`91110108EXAMPLE11C`"),
        ("column", replaced(Of::Schemes, "exclusions\n", "exclusion\n"), "`exclusions`"),
        ("required column", replaced(Of::Entries, "hs_code", "hscode"), "`hs_code`"),
    ];
    for (what, files, nearest) in mistyped {
        let found = read(&files).expect_err(what);
        let told = found.iter().any(|p| p.english.contains(nearest) && p.chinese.contains(nearest));
        assert!(told, "{what}: {found:?}");
    }
}

#[test]
fn gb18030_and_utf_16_are_called_by_their_names() {
    for (name, files) in [("GB18030", gb18030()), ("UTF-16", utf_16(Of::Schemes))] {
        let found = read(&files).expect_err(name);
        assert!(found.iter().all(|p| p.english.contains(name) && p.chinese.contains(name)));
    }
}

#[test]
fn five_faults_in_three_files_are_five_problems() {
    let rows = [
        sound().with("cas", "60-54-7").with("hs_code", "294130110"),
        row("E2", "肝素钠").with("state", "gone"),
    ];
    let files = replaced_in(
        files(&rows),
        Of::Schemes,
        "authority,rows,,supervision:Q",
        "authority,rows,,Q",
    );
    let files = replaced_in(files, Of::Enterprises, "Example B,active,,", "Example B,active,soon,");
    let wanted = [
        ("schemes.csv:2:7 (waived_documents)", "DOCUMENT_NAMESPACE"),
        ("enterprises.csv:3:5 (state_from)", "DATE_INVALID"),
        ("entries.csv:2:9 (cas)", "CAS_CHECK_DIGIT"),
        ("entries.csv:2:10 (hs_code)", "HS_CODE_LOST_ZERO"),
        ("entries.csv:3:20 (state)", "WORD_UNKNOWN"),
    ];
    assert_eq!(problems(&files), wanted.map(|(place, reason)| (place.to_owned(), reason)));
}

#[test]
fn faults_of_form_in_three_files_are_told_at_once() {
    let files = replaced_in(cut_behind("\"E2\",\"rows\""), Of::Schemes, ",remark_text", ",remark");
    let files = replaced_in(files, Of::Enterprises, "Example B,active", "Example B");
    let wanted = [
        ("schemes.csv:1:8 (remark)", "COLUMN_UNKNOWN"),
        ("schemes.csv:1", "COLUMN_MISSING"),
        ("enterprises.csv:3", "CELL_COUNT"),
        ("entries.csv:3", "CELL_COUNT"),
    ];
    assert_eq!(problems(&files), wanted.map(|(place, reason)| (place.to_owned(), reason)));
}

#[test]
fn a_form_that_spreadsheets_write_makes_the_same_list() {
    let plain = files(&[sound(), row("E2", "肝素钠")]);
    let of_all = |change: &dyn Fn(Vec<u8>) -> Vec<u8>| ListFiles {
        schemes: change(plain.schemes.clone()),
        enterprises: change(plain.enterprises.clone()),
        entries: change(plain.entries.clone()),
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let forms = [
        ("BOM", of_all(&|bytes| [b"\xEF\xBB\xBF".to_vec(), bytes].concat())),
        ("CRLF", of_all(&|bytes| text(bytes).replace('\n', "\r\n").into_bytes())),
        ("no line end at the end", of_all(&|bytes| text(bytes).trim_end().as_bytes().to_vec())),
        ("empty lines at the end", of_all(&|bytes| [bytes, b"\n\n".to_vec()].concat())),
    ];
    let wanted = read(&plain).expect("the plain form is a list");
    for (form, files) in forms {
        let found = read(&files).map_err(|problems| seen(&problems)).expect(form);
        assert_eq!(diff(&wanted, &found), [], "{form}");
    }
}

#[test]
fn the_line_of_a_fault_is_the_line_an_editor_shows() {
    let broken =
        || files(&[sound().with("purpose", "研究"), row("E2", "肝素钠").with("state", "gone")]);
    let forms = [
        ("CRLF", replaced_in(broken(), Of::Entries, "\n", "\r\n"), "entries.csv:3:20 (state)"),
        (
            "behind an empty line",
            replaced_in(broken(), Of::Entries, "\n\"E2\"", "\n\n\"E2\""),
            "entries.csv:4:20 (state)",
        ),
        (
            "behind a cell of two lines",
            replaced_in(broken(), Of::Entries, "研究", "研\n究"),
            "entries.csv:4:20 (state)",
        ),
    ];
    let wanted = forms.each_ref().map(|(form, _, place)| (*form, vec![(*place).to_owned()]));
    let places = |files| problems(files).into_iter().map(|(place, _)| place).collect();
    assert_eq!(forms.each_ref().map(|(form, files, _)| (*form, places(files))), wanted);
}

#[test]
fn a_refused_directory_does_not_make_its_rows_look_wrong() {
    let nameless = sound().with("scheme", "directory").with("name_zh", "").with("hs_code", "");
    let (from, to) = ("authority,directory,,supervision:Q", "authority,directory,,Q");
    let files = replaced_in(files(&[nameless]), Of::Schemes, from, to);
    let wanted = ("schemes.csv:3:7 (waived_documents)".to_owned(), "DOCUMENT_NAMESPACE");
    assert_eq!(problems(&files), [wanted]);
}

#[test]
fn a_permitted_use_of_separators_alone_permits_nothing_and_is_refused() {
    let files = replaced(Of::Schemes, "备注句,research", "备注句,|");
    let wanted = ("schemes.csv:2:9 (permitted_use)".to_owned(), "CELL_EMPTY");
    assert_eq!(problems(&files), [wanted]);
}

#[test]
fn schemes_without_the_exclusions_column_are_accepted() {
    let schemes = "scheme,name_zh,name_en,authority,listing,customs_districts,waived_documents,remark_text,permitted_use,legal_basis\n\
                   rows,行式方案,Rows,authority,rows,,supervision:Q,备注句,research,basis\n";
    assert_eq!(problems(&bytes(Of::Schemes, schemes.as_bytes())), []);
}

#[test]
fn columns_may_stand_in_any_order() {
    let enterprises = format!(
        "state,uscc,name_zh,name_en,source_document,state_until,state_from\nactive,{OWNER},示例甲,A,doc,,\n"
    );
    assert_eq!(problems(&bytes(Of::Enterprises, enterprises.as_bytes())), []);
}

#[test]
fn one_material_may_stand_twice_where_the_rows_are_not_for_the_same() {
    let same = || row("E2", "四环素");
    let apart = [
        (
            "one after the other",
            twice(sound().with("valid_to", "2026-06-30"), same().with("valid_from", "2026-07-01")),
        ),
        ("two enterprises", twice(sound(), same().with("uscc", OTHER))),
        ("two codes", twice(sound(), same().with("hs_code", "2941301200"))),
        ("two schemes", twice(sound(), same().with("scheme", "directory"))),
    ];
    for (why, files) in apart {
        assert_eq!(problems(&files), [], "{why}");
    }
}

#[test]
fn a_row_of_a_directory_may_name_no_material_and_a_row_of_rows_must() {
    let nameless = sound().with("name_zh", "").with("hs_code", "");
    assert_eq!(problems(&files(&[nameless.clone().with("scheme", "directory")])), []);
    let wanted = [
        ("entries.csv:2:6 (name_zh)", "CELL_EMPTY"),
        ("entries.csv:2:10 (hs_code)", "HS_CODE_MISSING"),
    ];
    let wanted = wanted.map(|(place, reason)| (place.to_owned(), reason));
    assert_eq!(problems(&files(&[nameless])), wanted);
}

#[test]
fn a_code_of_six_digits_is_a_warning_and_no_fault() {
    let read = list_csv::read(&cell("hs_code", "294130")).expect("six digits can be listed");
    assert_eq!(seen(&read.warnings()), [("entries.csv:2".to_owned(), "CODE_INCOMPLETE")]);
}

#[test]
fn the_shipped_example_is_a_list_of_every_kind_of_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let files = folder::read_files(&folder).expect("the example can be read");
    let list = read(&files).map_err(|problems| seen(&problems)).expect("no problems");
    let (schemes, enterprises) = (list.schemes().len(), list.enterprises().len());
    assert!(list.entries().len() >= 150, "{} entries", list.entries().len());
    assert!(schemes >= 6, "{schemes} schemes");
    assert!(enterprises >= 12, "{enterprises} enterprises");
    let entries = list.entries().iter();
    let states: BTreeSet<_> = entries.clone().map(|e| entry_state_name(e.state)).collect();
    assert_eq!(states, BTreeSet::from(["active", "suspended", "withdrawn"]));
    let kinds: BTreeSet<_> = entries.clone().map(|e| kind_name(e.kind)).collect();
    assert_eq!(kinds, BTreeSet::from(["item", "class"]));
    let lengths: BTreeSet<_> =
        entries.filter_map(|e| e.hs_code.map(|code| code.as_str().len())).collect();
    assert_eq!(lengths, BTreeSet::from([6, 8, 10]));
    let enterprises = list.enterprises().iter();
    let states: BTreeSet<_> = enterprises.map(|e| enterprise_state_name(e.state)).collect();
    assert_eq!(states, BTreeSet::from(["active", "suspended", "banned"]));
}

/// One line for each changed field, one for each row that came or went.
fn told(changes: &[RowChange]) -> Vec<String> {
    let name = |cells: &[(&str, String)]| {
        cells.iter().find(|(column, _)| *column == "name_zh").map_or("", |(_, v)| v).to_owned()
    };
    let lines = changes.iter().flat_map(|RowChange { kind, key, change }| match change {
        Change::Added(cells) => vec![format!("+ {kind:?} {key} {}", name(cells))],
        Change::Removed(cells) => vec![format!("- {kind:?} {key} {}", name(cells))],
        Change::Changed(fields) => fields
            .iter()
            .map(|f| format!("~ {kind:?} {key} {}: {} → {}", f.column, f.before, f.after))
            .collect(),
    });
    lines.collect()
}

#[test]
fn a_diff_names_rows_that_came_and_went_and_fields_with_both_values() {
    let kept = sound().with("quantity", "20").with("unit", "g");
    let before = list(&[kept.clone(), row("E2", "肝素钠")]);
    let after = [row("E3", "木糖"), kept.with("quantity", "30").with("state", "suspended")];
    let after = replaced_in(files(&after), Of::Schemes, "备注句", "新备注");
    let after = replaced_in(after, Of::Enterprises, "示例乙", "示例丙");
    let after = read(&after).expect("the second list is good");
    let forth = [
        "~ Scheme rows remark_text: 备注句 → 新备注",
        "~ Enterprise 91110108EXAMPLE11C name_zh: 示例乙 → 示例丙",
        "~ Entry E1 quantity: 20 → 30",
        "~ Entry E1 state: active → suspended",
        "- Entry E2 肝素钠",
        "+ Entry E3 木糖",
    ];
    assert_eq!(told(&diff(&before, &after)), forth);
    let back = [
        "~ Scheme rows remark_text: 新备注 → 备注句",
        "~ Enterprise 91110108EXAMPLE11C name_zh: 示例丙 → 示例乙",
        "~ Entry E1 quantity: 30 → 20",
        "~ Entry E1 state: suspended → active",
        "+ Entry E2 肝素钠",
        "- Entry E3 木糖",
    ];
    assert_eq!(told(&diff(&after, &before)), back);
}

#[test]
fn the_order_of_rows_is_no_difference() {
    let (one, two) = (sound(), row("E2", "肝素钠"));
    assert_eq!(diff(&list(&[one.clone(), two.clone()]), &list(&[two, one])), []);
}
