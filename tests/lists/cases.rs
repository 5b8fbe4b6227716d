//! One list for each refusal of the lint, with the one thing that is wrong with it, its place and
//! its reason.

use super::broken::{
    Case, Of, bytes, case, cell, cut_behind, gb18030, replaced, replaced_in, sound, twice, utf_16,
};
use super::support::{OTHER, OWNER, files, row};

#[expect(clippy::too_many_lines, reason = "the case is data, and there are many")]
pub(crate) fn cases_of_cells() -> Vec<Case> {
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

pub(crate) fn cases_of_form() -> Vec<Case> {
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
