//! Records and the two trees over a list: exact bytes, and what they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clearlist::domain::cas_number;
use clearlist::domain::cells::{
    ENTERPRISE_COLUMNS, ENTRY_COLUMNS, SCHEME_COLUMNS, enterprise_cells, entry_cells, scheme_cells,
};
use clearlist::domain::customs_district::CustomsDistrict;
use clearlist::domain::entry::{
    Enterprise, EnterpriseState, Entry, EntryKind, EntryState, ListedName, Listing, Scheme, Use,
};
use clearlist::domain::hs_code::HsCode;
use clearlist::domain::list::{List, listed_name};
use clearlist::domain::material_name::MaterialName;
use clearlist::domain::quantity::Quantity;
use clearlist::domain::uscc;
use clearlist::formats::list_csv::ListFiles;
use clearlist::register::merkle::{is_included, leaf_hash};
use clearlist::register::record::{
    ListHeads, enterprise_record, entry_record, list_tree, name_leaf, name_leaves, name_tree,
    records as records_of, scheme_record,
};
use clearlist::service::folder;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::Value;

use crate::cases;
use crate::support::{self, ENTERPRISES, ENTRIES, OTHER, OWNER, Row, SCHEMES, row};

/// JSON with its fields sorted, as RFC 8785 sorts them, without what is under test.
pub(crate) fn canonical(value: &Value) -> String {
    let string = |text: &str| serde_json::to_string(text).expect("a string");
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<Vec<u16>, (&String, &Value)> =
                fields.iter().map(|(k, v)| (k.encode_utf16().collect(), (k, v))).collect();
            let fields = sorted.values().map(|(k, v)| format!("{}:{}", string(k), canonical(v)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => string(text),
        other => other.to_string(),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

fn boxed(texts: &[&str]) -> Box<[Box<str>]> {
    texts.iter().map(|text| (*text).into()).collect()
}

fn district(code: &str) -> CustomsDistrict {
    CustomsDistrict::parse(code).expect("a district")
}

fn scheme() -> Scheme {
    Scheme {
        id: "beijing-2022".into(),
        name_zh: "北京市\"试点\"".into(),
        name_en: "Beijing\tpilot".into(),
        authority: "局\\处".into(),
        listing: Listing::Rows,
        customs_districts: Box::new([district("0100"), district("2200")]),
        waived_documents: boxed(&["supervision:Q"]),
        remark_text: "".into(),
        permitted_use: Box::new([Use::Research, Use::Clinical]),
        legal_basis: "京药监发〔2022〕166号\n(2022-06-20)".into(),
        exclusions: boxed(&["麻醉药品 / narcotics", "\"<&>\""]),
    }
}

#[test]
fn a_scheme_has_this_record() {
    assert_eq!(
        text(scheme_record(&scheme()).bytes),
        "{\"kind\":\"scheme\",\"scheme\":{\"authority\":\"局\\\\处\",\
         \"customs_districts\":[\"0100\",\"2200\"],\
         \"exclusions\":[\"麻醉药品 / narcotics\",\"\\\"<&>\\\"\"],\
         \"legal_basis\":\"京药监发〔2022〕166号\\n(2022-06-20)\",\"listing\":\"rows\",\
         \"name_en\":\"Beijing\\tpilot\",\"name_zh\":\"北京市\\\"试点\\\"\",\
         \"permitted_use\":[\"research\",\"clinical\"],\"scheme\":\"beijing-2022\",\
         \"waived_documents\":[\"supervision:Q\"]}}"
    );
}

fn enterprise(document: &str) -> Enterprise {
    Enterprise {
        uscc: uscc::from_exact(OWNER).expect("a code"),
        name_zh: "示例甲".into(),
        name_en: "".into(),
        state: EnterpriseState::Suspended,
        state_from: Some(date(2026, 1, 31)),
        state_until: None,
        source_document: document.into(),
    }
}

#[test]
fn an_enterprise_has_this_record() {
    assert_eq!(
        text(
            enterprise_record(&enterprise("x\u{0}\u{8}\u{b}\u{c}\r\u{1f}\u{7f}\u{2028}\u{1f600}"))
                .bytes
        ),
        "{\"enterprise\":{\"name_zh\":\"示例甲\",\
         \"source_document\":\"x\\u0000\\b\\u000b\\f\\r\\u001f\u{7f}\u{2028}\u{1f600}\",\
         \"state\":\"suspended\",\"state_from\":\"2026-01-31\",\"uscc\":\"91110108551385082Q\"},\
         \"kind\":\"enterprise\"}"
    );
}

fn entry() -> Entry {
    let named = |text: &str| listed_name(text).expect("a name");
    Entry {
        id: "E\"1\"".into(),
        scheme: 0,
        batch: "第一批".into(),
        enterprise: 0,
        kind: EntryKind::Item,
        name_zh: Some(named("盐酸四环素")),
        name_en: Some(named("Tetracycline HCl")),
        synonyms: Box::new([named("TC-HCl"), named("四環素鹽酸鹽")]),
        cas: Some(cas_number::from_exact("64-75-5").expect("a CAS number")),
        hs_code: Some(HsCode::from_digits("2941301200").expect("a code")),
        specification: "≥95%".into(),
        manufacturer: "Example \\ GmbH".into(),
        origin_country: "DE".into(),
        quantity: Some(Quantity::parse("2.50", "g").expect("a quantity")),
        purpose: "诱导\n研究".into(),
        customs_districts: Box::new([district("0100")]),
        valid_from: Some(date(2025, 1, 1)),
        valid_to: Some(date(2027, 12, 31)),
        state: EntryState::Active,
        source_document: "".into(),
    }
}

fn built(entry: Entry) -> List {
    List::build(vec![scheme()], vec![enterprise("")], vec![entry]).expect("a list")
}

#[test]
fn an_entry_has_this_record() {
    let list = built(entry());
    assert_eq!(
        text(entry_record(&list, &list.entries()[0]).bytes),
        "{\"entry\":{\"batch\":\"第一批\",\"cas\":\"64-75-5\",\"customs_districts\":[\"0100\"],\
         \"entry_id\":\"E\\\"1\\\"\",\"hs_code\":\"2941301200\",\"kind\":\"item\",\
         \"manufacturer\":\"Example \\\\ GmbH\",\"name_en\":\"Tetracycline HCl\",\
         \"name_zh\":\"盐酸四环素\",\"origin_country\":\"DE\",\"purpose\":\"诱导\\n研究\",\
         \"quantity\":\"2.50\",\"scheme\":\"beijing-2022\",\"specification\":\"≥95%\",\
         \"state\":\"active\",\"synonyms\":[\"TC-HCl\",\"四環素鹽酸鹽\"],\"unit\":\"g\",\
         \"uscc\":\"91110108551385082Q\",\"valid_from\":\"2025-01-01\",\
         \"valid_to\":\"2027-12-31\"},\"kind\":\"entry\"}"
    );
}

#[test]
fn a_row_of_nothing_has_no_empty_fields() {
    let bare = Entry {
        batch: "".into(),
        name_zh: None,
        name_en: None,
        synonyms: Box::new([]),
        cas: None,
        hs_code: None,
        specification: "".into(),
        manufacturer: "".into(),
        origin_country: "".into(),
        quantity: None,
        purpose: "".into(),
        customs_districts: Box::new([]),
        valid_from: None,
        valid_to: None,
        ..entry()
    };
    let list = built(bare);
    assert_eq!(
        text(entry_record(&list, &list.entries()[0]).bytes),
        "{\"entry\":{\"entry_id\":\"E\\\"1\\\"\",\"kind\":\"item\",\"scheme\":\"beijing-2022\",\
         \"state\":\"active\",\"uscc\":\"91110108551385082Q\"},\"kind\":\"entry\"}"
    );
    let under_its_enterprise = b"\x0091110108551385082Q\0E\"1\"".to_vec();
    assert_eq!(name_leaves(&list), [under_its_enterprise], "a directory row has no name");
}

#[test]
fn an_entry_is_looked_up_by_each_name_and_its_cas_number_in_sorted_order() {
    let list = built(entry());
    let leaves: Vec<String> = name_leaves(&list).into_iter().map(text).collect();
    let names = ["64-75-5", "tc-hcl", "tetracycline hcl", "四环素盐酸盐", "盐酸四环素"];
    let expected = names.map(|name| format!("{name}\0{}\0E\"1\"", "2941301200"));
    let mut by_hand: Vec<String> = list.entries()[0]
        .names()
        .map(|name| name.normal.to_string())
        .chain(["64-75-5".to_owned()])
        .map(|name| text(name_leaf(&name, "2941301200", "E\"1\"")))
        .collect();
    by_hand.sort();
    assert_eq!(leaves, by_hand);
    assert_eq!(leaves, expected);
}

#[test]
fn names_with_one_normal_form_are_one_leaf() {
    let named = |text: &str| listed_name(text).expect("a name");
    let synonyms = Box::new([named("鹽酸四環素"), named("盐酸 四环素")]);
    let list = built(Entry { synonyms, name_en: None, cas: None, ..entry() });
    assert_eq!(list.entries()[0].names().count(), 3);
    assert_eq!(name_leaves(&list), [name_leaf("盐酸四环素", "2941301200", "E\"1\"")]);
}

fn example() -> ListFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    folder::read_files(&folder).expect("the worked example can be read")
}

fn read(files: &ListFiles) -> List {
    support::read(files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A record says what its cells say, and is its own canonical form.
fn check(record: &[u8], kind: &str, columns: &[&str], cells: &[String]) {
    let value: Value = serde_json::from_slice(record).expect("JSON");
    assert_eq!(canonical(&value).as_bytes(), record);
    assert_eq!(value["kind"], kind);
    let fields = value[kind].as_object().expect("the row");
    assert_eq!(value.as_object().map(serde_json::Map::len), Some(2));
    let mut said = 0;
    for (column, cell) in columns.iter().zip(cells) {
        let given = match fields.get(*column) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                items.join("|")
            }
            Some(other) => panic!("{column}: {other}"),
        };
        assert_eq!(given, *cell, "{column}");
        said += usize::from(!given.is_empty());
    }
    assert_eq!(fields.len(), said, "nothing else is there, and nothing empty");
}

#[test]
fn every_record_of_the_worked_example_is_canonical_and_complete() {
    let list = read(&example());
    for scheme in list.schemes() {
        check(&scheme_record(scheme).bytes, "scheme", &SCHEME_COLUMNS, &scheme_cells(scheme));
    }
    for enterprise in list.enterprises() {
        let cells = enterprise_cells(enterprise);
        check(&enterprise_record(enterprise).bytes, "enterprise", &ENTERPRISE_COLUMNS, &cells);
    }
    for entry in list.entries() {
        let cells = entry_cells(&list, entry);
        check(&entry_record(&list, entry).bytes, "entry", &ENTRY_COLUMNS, &cells);
    }
    assert!(list.entries().len() > 200);
}

#[test]
fn the_leaves_of_the_list_tree_are_its_records_by_kind_and_key() {
    let list = read(&example());
    let mut records: Vec<((&str, String), Vec<u8>)> = Vec::new();
    for e in list.enterprises() {
        records.push((("enterprise", e.uscc.to_string()), enterprise_record(e).bytes));
    }
    for e in list.entries() {
        records.push((("entry", e.id.to_string()), entry_record(&list, e).bytes));
    }
    for s in list.schemes() {
        records.push((("scheme", s.id.to_string()), scheme_record(s).bytes));
    }
    records.sort();
    let (tree, names) = (list_tree(&records_of(&list)), name_tree(&list));
    assert_eq!(names, name_tree(&list));
    assert_eq!(tree.size(), records.len() as u64);
    for (index, (key, record)) in (0..).zip(&records) {
        let proof = tree.inclusion(index, tree.size()).expect("the leaf is there");
        let leaf = leaf_hash(record);
        assert!(is_included(&leaf, index, tree.size(), &proof, &tree.root()), "{key:?}");
    }
    let heads = ListHeads::of(&list);
    assert_eq!((heads.list.size, heads.list.root), (tree.size(), tree.root()));
    assert_eq!((heads.names.size, heads.names.root), (names.size(), names.root()));
    assert_eq!(heads.entries(), list.entries().len());
}

#[test]
fn whoever_asks_for_a_listed_name_finds_its_leaf() {
    let list = read(&example());
    let leaves: BTreeSet<Vec<u8>> = name_leaves(&list).into_iter().collect();
    let sorted: Vec<_> = leaves.iter().cloned().collect();
    assert_eq!(name_leaves(&list), sorted, "sorted, each once");
    for entry in list.entries() {
        let code = entry.hs_code.map(|code| code.to_string()).unwrap_or_default();
        let asked = entry.names().map(|name| {
            MaterialName::parse(&name.text).expect("a listed name").normal().to_owned()
        });
        let asked = asked.chain(entry.cas.map(|cas| cas.to_string()));
        for name in asked {
            assert!(leaves.contains(&name_leaf(&name, &code, &entry.id)), "{}: {name}", entry.id);
        }
        let uscc = list.enterprise_of(entry).expect("its enterprise").uscc.as_str();
        let row = leaves.contains(&name_leaf("", uscc, &entry.id));
        assert_eq!(row, entry.is_directory_row(), "{}", entry.id);
    }
}

/// The rows of each file in another order.
fn reordered(files: &ListFiles, order: impl Fn(&mut Vec<&str>)) -> ListFiles {
    let reorder = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let (header, rows) = text.split_once('\n').expect("a header");
        let mut rows: Vec<&str> = rows.lines().collect();
        order(&mut rows);
        format!("{header}\n{}\n", rows.join("\n")).into_bytes()
    };
    ListFiles {
        schemes: reorder(&files.schemes),
        enterprises: reorder(&files.enterprises),
        entries: reorder(&files.entries),
    }
}

#[test]
fn the_trees_do_not_depend_on_the_order_of_rows() {
    let files = example();
    let heads = ListHeads::of(&read(&files));
    let turned = reordered(&files, |rows| rows.reverse());
    let dealt = reordered(&files, |rows| rows.sort_by_key(|row| (row.len() % 7, row.len())));
    assert_ne!(turned.entries, files.entries);
    assert_ne!(dealt.entries, turned.entries);
    for other in [turned, dealt] {
        assert_eq!(ListHeads::of(&read(&other)), heads);
    }
}

/// Each column of an entry: what it holds, and what it is changed to.
const ENTRY_CHANGES: [(&str, &str, &str); 21] = [
    ("entry_id", "E1", "E9"),
    ("scheme", "rows", "rows-2"),
    ("batch", "第一批", "第二批"),
    ("uscc", OWNER, OTHER),
    ("kind", "item", "class"),
    ("name_zh", "四环素", "土霉素"),
    ("name_en", "Tetracycline", "Oxytetracycline"),
    ("synonyms", "TC", "TC|Achromycin"),
    ("cas", "60-54-8", "64-75-5"),
    ("hs_code", "2941301100", "2941301200"),
    ("specification", "≥95%", "≥98%"),
    ("manufacturer", "Example Chem", "Example Chem."),
    ("origin_country", "DE", "US"),
    ("quantity", "20", "2.0"),
    ("unit", "g", "mg"),
    ("purpose", "研究", "研究开发"),
    ("customs_districts", "0100", "0100|2200"),
    ("valid_from", "2025-01-01", "2025-01-02"),
    ("valid_to", "2027-12-31", "2027-12-30"),
    ("state", "active", "withdrawn"),
    ("source_document", "doc", "Doc"),
];

const ENTERPRISE_CHANGES: [(&str, &str, &str); 7] = [
    ("uscc", "91110114EXAMPLE2XR", "91110115EXAMPLE388"),
    ("name_zh", "示例丙", "示例丁"),
    ("name_en", "Example C", "Example D"),
    ("state", "suspended", "banned"),
    ("state_from", "2026-01-01", "2026-01-02"),
    ("state_until", "2026-12-31", ""),
    ("source_document", "doc", "doc 2"),
];

const SCHEME_CHANGES: [(&str, &str, &str); 11] = [
    ("scheme", "third", "fourth"),
    ("name_zh", "方案三", "方案四"),
    ("name_en", "Third", "Fourth"),
    ("authority", "authority", "Authority"),
    ("listing", "rows", "directory"),
    ("customs_districts", "0100", "0100|2200"),
    ("waived_documents", "supervision:Q", "supervision:A"),
    ("remark_text", "备注", "备 注"),
    ("permitted_use", "research", "research|clinical"),
    ("legal_basis", "basis", ""),
    ("exclusions", "麻醉药品", "麻醉药品|精神药品"),
];

/// Columns that the name tree rests on.
const OF_NAMES: [&str; 6] = ["entry_id", "name_zh", "name_en", "synonyms", "cas", "hs_code"];

/// A line of a file with one column changed; `None` changes none.
fn line_of(columns: &str, cells: &[(&str, &str, &str)], changed: Option<&str>) -> String {
    let cell = |column| {
        let (_, before, after) = cells.iter().find(|(c, ..)| *c == column).expect("a cell");
        if changed == Some(column) { *after } else { *before }
    };
    columns.trim_end().split(',').map(cell).collect::<Vec<_>>().join(",") + "\n"
}

fn with_line(files: &ListFiles, file: &str, line: &str) -> ListFiles {
    let mut out = files.clone();
    let bytes = match file {
        "schemes" => &mut out.schemes,
        "enterprises" => &mut out.enterprises,
        _ => &mut out.entries,
    };
    bytes.extend(line.as_bytes());
    out
}

#[test]
fn any_changed_cell_changes_the_root() {
    let mut base = support::files(&[row("E0", "肝素钠")]);
    base.schemes.extend("rows-2,行式二,,,rows,,,,research,,\n".as_bytes());
    let mut changed = 0;
    for (file, header, cells) in [
        ("schemes", SCHEMES, &SCHEME_CHANGES[..]),
        ("enterprises", ENTERPRISES, &ENTERPRISE_CHANGES[..]),
        ("entries", ENTRIES, &ENTRY_CHANGES[..]),
    ] {
        let heads =
            |column| ListHeads::of(&read(&with_line(&base, file, &line_of(header, cells, column))));
        let before = heads(None);
        let mut roots = BTreeSet::from([before.list.root]);
        for column in header.trim_end().split(',') {
            let after = heads(Some(column));
            assert!(roots.insert(after.list.root), "{file}, {column}");
            assert_eq!(after.list.size, before.list.size, "{file}, {column}");
            let of_names = file == "entries" && OF_NAMES.contains(&column);
            assert_eq!(after.names != before.names, of_names, "{file}, {column}");
            changed += 1;
        }
    }
    assert_eq!(changed, SCHEME_COLUMNS.len() + ENTERPRISE_COLUMNS.len() + ENTRY_COLUMNS.len());
}

#[test]
fn a_row_more_or_less_changes_the_root() {
    let rows: Vec<Row> = (0..5).map(|n| row(&format!("E{n}"), &format!("物品{n}甲"))).collect();
    let mut roots = BTreeSet::new();
    for count in 0..=rows.len() {
        let heads = ListHeads::of(&support::list(&rows[..count]));
        assert_eq!(heads.entries(), count);
        assert!(roots.insert((heads.list.root, heads.names.root)), "{count} rows");
    }
}

proptest! {
    #![proptest_config(cases(192))]

    /// Cells as no list file could hold them.
    #[test]
    fn records_of_any_text_are_canonical(
        texts in prop::collection::vec(any::<String>(), 5),
        parts in prop::collection::vec("[^|]{1,8}", 0..3),
    ) {
        let boxed = |n: usize| Box::<str>::from(texts[n].as_str());
        let parts: Box<[Box<str>]> = parts.iter().map(|part| part.as_str().into()).collect();
        let scheme = Scheme {
            id: boxed(0),
            name_zh: boxed(1),
            name_en: boxed(2),
            remark_text: boxed(3),
            legal_basis: boxed(4),
            exclusions: parts.clone(),
            ..scheme()
        };
        check(&scheme_record(&scheme).bytes, "scheme", &SCHEME_COLUMNS, &scheme_cells(&scheme));
        let enterprise = Enterprise { name_en: boxed(1), ..enterprise(&texts[0]) };
        let cells = enterprise_cells(&enterprise);
        check(&enterprise_record(&enterprise).bytes, "enterprise", &ENTERPRISE_COLUMNS, &cells);
        let named = parts.iter().map(|part| ListedName { text: (**part).into(), normal: (**part).into() });
        let list = built(Entry {
            id: boxed(0),
            batch: boxed(1),
            specification: boxed(2),
            purpose: boxed(3),
            source_document: boxed(4),
            synonyms: named.collect(),
            ..entry()
        });
        let entry = &list.entries()[0];
        let cells = entry_cells(&list, entry);
        check(&entry_record(&list, entry).bytes, "entry", &ENTRY_COLUMNS, &cells);
    }

    /// What parts name, code and id in a leaf of the name tree stands in no name.
    #[test]
    fn no_normal_form_holds_what_divides_a_leaf(given in any::<String>()) {
        if let Ok(name) = MaterialName::parse(&given) {
            prop_assert!(!name.normal().contains('\0'));
        }
    }
}
