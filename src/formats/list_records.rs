//! A list as records: what changed between two lists, the next list from what changed, and the
//! list files of a list.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use crate::domain::cells::{
    ENTERPRISE_COLUMNS, ENTRY_COLUMNS, SCHEME_COLUMNS, enterprise_cells, entry_cells, scheme_cells,
};
use crate::domain::entry::{Enterprise, Entry};
use crate::domain::list::List;
use crate::domain::list_diff::RowKind;
use crate::register::record::{Record, row_kind_name};

use super::list_csv::{self, ListFiles, Rows};
use super::table::Problem;

/// What changed from one list to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// Keys of rows that are gone.
    pub removed: Vec<(RowKind, Box<str>)>,
    /// Records of rows that are new or changed.
    pub records: Vec<Vec<u8>>,
}

/// What changed between the records of two lists, each sorted as [`records`] sorts.
///
/// [`records`]: crate::register::record::records
#[must_use]
pub fn delta(before: &[Record], after: Vec<Record>) -> Delta {
    let known: HashMap<(RowKind, &str), &[u8]> =
        before.iter().map(|r| ((r.kind, &*r.key), r.bytes.as_slice())).collect();
    let kept: HashSet<(RowKind, &str)> = after.iter().map(|r| (r.kind, &*r.key)).collect();
    let gone = before.iter().filter(|r| !kept.contains(&(r.kind, &*r.key)));
    let removed = gone.map(|r| (r.kind, r.key.clone())).collect();
    let differs = |r: &Record| known.get(&(r.kind, &*r.key)).is_none_or(|bytes| *bytes != r.bytes);
    Delta { removed, records: after.into_iter().filter(differs).map(|r| r.bytes).collect() }
}

/// The list after what changed. Rows that did not change are not read again.
///
/// # Errors
/// Every problem of the changed rows, or of the list as a whole.
pub fn apply(before: Option<&List>, delta: &Delta) -> Result<List, Vec<Problem>> {
    let changed = Changed::read(delta)?;
    match before {
        Some(before) if !changed.has_schemes => changed.merged(before),
        // A scheme says how its rows are read: with another scheme every row is read anew.
        Some(before) => {
            let mut tables = Tables::of(before);
            tables.update(changed.tables, &delta.removed);
            build(list_csv::read_rows(&tables.files())?)
        }
        None => build(list_csv::read_rows(&changed.tables.files())?),
    }
}

fn build(rows: Rows) -> Result<List, Vec<Problem>> {
    List::build_unindexed(rows.schemes, rows.enterprises, rows.entries)
        .map_err(|conflicts| list_csv::conflicts(&conflicts, &rows.lines))
}

/// The list files of a list: each row in canonical form, sorted by key.
#[must_use]
pub fn to_files(list: &List) -> ListFiles {
    Tables::of(list).files()
}

/// Rows as cells, by key.
#[derive(Debug, Default)]
struct Tables {
    schemes: BTreeMap<String, Vec<String>>,
    enterprises: BTreeMap<String, Vec<String>>,
    entries: BTreeMap<String, Vec<String>>,
}

impl Tables {
    fn of(list: &List) -> Self {
        let mut tables = Self::default();
        for scheme in list.schemes() {
            tables.add(RowKind::Scheme, scheme_cells(scheme).to_vec());
        }
        for enterprise in list.enterprises() {
            tables.add(RowKind::Enterprise, enterprise_cells(enterprise).to_vec());
        }
        for entry in list.entries() {
            tables.add(RowKind::Entry, entry_cells(list, entry).to_vec());
        }
        tables
    }

    const fn of_kind(&mut self, kind: RowKind) -> &mut BTreeMap<String, Vec<String>> {
        match kind {
            RowKind::Scheme => &mut self.schemes,
            RowKind::Enterprise => &mut self.enterprises,
            RowKind::Entry => &mut self.entries,
        }
    }

    fn add(&mut self, kind: RowKind, cells: Vec<String>) {
        let key = cells.first().cloned().unwrap_or_default();
        self.of_kind(kind).insert(key, cells);
    }

    fn update(&mut self, changed: Self, removed: &[(RowKind, Box<str>)]) {
        for (kind, key) in removed {
            self.of_kind(*kind).remove(&**key);
        }
        self.schemes.extend(changed.schemes);
        self.enterprises.extend(changed.enterprises);
        self.entries.extend(changed.entries);
    }

    fn files(&self) -> ListFiles {
        ListFiles {
            schemes: csv_of(&SCHEME_COLUMNS, self.schemes.values()),
            enterprises: csv_of(&ENTERPRISE_COLUMNS, self.enterprises.values()),
            entries: csv_of(&ENTRY_COLUMNS, self.entries.values()),
        }
    }
}

fn csv_of<'a>(columns: &[&str], rows: impl Iterator<Item = &'a Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Rows of equal length into memory: nothing that could fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// The changed rows as cells.
struct Changed<'a> {
    tables: Tables,
    removed: &'a [(RowKind, Box<str>)],
    has_schemes: bool,
}

impl<'a> Changed<'a> {
    fn read(delta: &'a Delta) -> Result<Self, Vec<Problem>> {
        let mut tables = Tables::default();
        for bytes in &delta.records {
            let (kind, cells) = cells_of(bytes).ok_or_else(|| vec![unreadable(bytes)])?;
            tables.add(kind, cells);
        }
        let removed = &delta.removed;
        let has_schemes =
            !tables.schemes.is_empty() || removed.iter().any(|(kind, _)| *kind == RowKind::Scheme);
        Ok(Self { tables, removed, has_schemes })
    }

    /// The unchanged rows of `before` and the changed ones, read as a small list of their own.
    fn merged(mut self, before: &List) -> Result<List, Vec<Problem>> {
        for scheme in before.schemes() {
            self.tables.add(RowKind::Scheme, scheme_cells(scheme).to_vec());
        }
        let gone: HashSet<(RowKind, &str)> =
            self.removed.iter().map(|(kind, key)| (*kind, &**key)).collect();
        let replaced = |kind: RowKind, key: &str, tables: &Tables| {
            gone.contains(&(kind, key))
                || match kind {
                    RowKind::Enterprise => tables.enterprises.contains_key(key),
                    _ => tables.entries.contains_key(key),
                }
        };
        let mut enterprises: Vec<Enterprise> = before
            .enterprises()
            .iter()
            .filter(|e| !replaced(RowKind::Enterprise, e.uscc.as_str(), &self.tables))
            .cloned()
            .collect();
        let kept = enterprises.len();
        // Enterprises that changed entries refer to are read with them, and stand once.
        let changed: HashSet<String> = self.tables.enterprises.keys().cloned().collect();
        let uscc_column = ENTRY_COLUMNS.iter().position(|c| *c == "uscc").unwrap_or(usize::MAX);
        let referred: HashSet<String> =
            self.tables.entries.values().filter_map(|e| e.get(uscc_column).cloned()).collect();
        for enterprise in enterprises.iter().take(kept) {
            if referred.contains(enterprise.uscc.as_str()) {
                self.tables.add(RowKind::Enterprise, enterprise_cells(enterprise).to_vec());
            }
        }
        let mut rows = list_csv::read_rows(&self.tables.files())?;
        let is_changed = |e: &Enterprise| changed.contains(e.uscc.as_str());
        enterprises.extend(rows.enterprises.iter().filter(|e| is_changed(e)).cloned());
        let place: HashMap<_, usize> =
            enterprises.iter().enumerate().map(|(place, e)| (e.uscc, place)).collect();
        let scheme_place: HashMap<&str, usize> =
            before.schemes().iter().enumerate().map(|(place, s)| (&*s.id, place)).collect();
        // An enterprise that is gone leaves its entries dangling, which lint refuses.
        let moved = |entry: &mut Entry, uscc: Option<&Enterprise>| {
            let found = uscc.and_then(|e| place.get(&e.uscc)).copied();
            entry.enterprise = found.unwrap_or(usize::MAX);
        };
        let mut entries = Vec::with_capacity(before.entries().len() + rows.entries.len());
        for entry in before.entries() {
            if !replaced(RowKind::Entry, &entry.id, &self.tables) {
                let mut entry = entry.clone();
                let enterprise = before.enterprise_of(&entry);
                moved(&mut entry, enterprise);
                entries.push(entry);
            }
        }
        for mut entry in rows.entries.drain(..) {
            let enterprise = rows.enterprises.get(entry.enterprise);
            moved(&mut entry, enterprise);
            let scheme = rows.schemes.get(entry.scheme);
            entry.scheme =
                scheme.and_then(|s| scheme_place.get(&*s.id)).copied().unwrap_or(usize::MAX);
            entries.push(entry);
        }
        let schemes = before.schemes().to_vec();
        build(Rows { schemes, enterprises, lines: vec![0; entries.len()], entries })
    }
}

/// A cell of a record.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    kind: String,
    #[serde(default)]
    scheme: BTreeMap<String, Cell>,
    #[serde(default)]
    enterprise: BTreeMap<String, Cell>,
    #[serde(default)]
    entry: BTreeMap<String, Cell>,
}

/// The cells of a record in the order of its columns.
fn cells_of(bytes: &[u8]) -> Option<(RowKind, Vec<String>)> {
    let mut raw: RawRecord = serde_json::from_slice(bytes).ok()?;
    let (kind, columns, row): (_, &[&str], _) = if raw.kind == row_kind_name(RowKind::Scheme) {
        (RowKind::Scheme, &SCHEME_COLUMNS, &mut raw.scheme)
    } else if raw.kind == row_kind_name(RowKind::Enterprise) {
        (RowKind::Enterprise, &ENTERPRISE_COLUMNS, &mut raw.enterprise)
    } else if raw.kind == row_kind_name(RowKind::Entry) {
        (RowKind::Entry, &ENTRY_COLUMNS, &mut raw.entry)
    } else {
        return None;
    };
    let mut cell = |column: &&str| match row.remove(*column) {
        Some(Cell::Text(text)) => text,
        Some(Cell::List(parts)) => parts.join("|"),
        None => String::new(),
    };
    let cells = columns.iter().map(&mut cell).collect();
    // A field that is no column would be lost.
    row.is_empty().then_some((kind, cells))
}

fn unreadable(bytes: &[u8]) -> Problem {
    let given = crate::domain::message::excerpt(&String::from_utf8_lossy(bytes));
    Problem::of_line(
        "records",
        0,
        "RECORD_UNREADABLE",
        format!("`{given}` is no record of a list"),
        format!("`{given}`不是清单记录"),
    )
}
