//! What is accepted all the same, and the shipped example.

use std::collections::BTreeSet;
use std::path::Path;

use clearlist::domain::cells::{enterprise_state_name, entry_state_name, kind_name};
use clearlist::domain::list_diff::diff;
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::service::folder;

use super::broken::{Of, bytes, cell, sound, twice};
use super::refused::{problems, seen};
use super::support::{OTHER, OWNER, files, read, row};

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
