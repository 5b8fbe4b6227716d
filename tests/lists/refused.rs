//! Refused lists: where, for which reason, in which words, and all faults at once.

use clearlist::formats::list_csv::ListFiles;
use clearlist::formats::table::Problem;

use super::broken::{Case, Of, cell, cut_behind, gb18030, replaced, replaced_in, sound, utf_16};
use super::cases::{cases_of_cells, cases_of_form};
use super::support::{files, read, row};

/// Place and reason of each problem.
pub(crate) fn seen(problems: &[Problem]) -> Vec<(String, &'static str)> {
    problems.iter().map(|problem| (problem.place(), problem.reason)).collect()
}

pub(crate) fn problems(files: &ListFiles) -> Vec<(String, &'static str)> {
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
