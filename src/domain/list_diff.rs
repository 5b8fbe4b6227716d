//! What changed between two lists: rows added, removed, and fields changed with both values.

use std::collections::BTreeMap;

use super::cells::{
    ENTERPRISE_COLUMNS, ENTRY_COLUMNS, SCHEME_COLUMNS, enterprise_cells, entry_cells, scheme_cells,
};
use super::list::List;

/// Which kind of row changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// A scheme, by its id.
    Scheme,
    /// An enterprise, by its USCC.
    Enterprise,
    /// An entry, by its id.
    Entry,
}

/// One field with its value before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Column.
    pub column: &'static str,
    /// Value in the first list.
    pub before: String,
    /// Value in the second.
    pub after: String,
}

/// What happened to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only in the second list: its fields that are not empty.
    Added(Vec<(&'static str, String)>),
    /// Only in the first.
    Removed(Vec<(&'static str, String)>),
    /// In both, with different fields.
    Changed(Vec<FieldChange>),
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Which kind of row.
    pub kind: RowKind,
    /// Its key: scheme id, USCC or entry id.
    pub key: String,
    /// What happened to it.
    pub change: Change,
}

/// Every row that differs, schemes first, then enterprises, then entries, by key.
#[must_use]
pub fn diff(before: &List, after: &List) -> Vec<RowChange> {
    let mut out = Vec::new();
    let schemes = |list: &List| keyed(list.schemes().iter().map(scheme_cells));
    let enterprises = |list: &List| keyed(list.enterprises().iter().map(enterprise_cells));
    let entries = |list: &List| keyed(list.entries().iter().map(|e| entry_cells(list, e)));
    compare(RowKind::Scheme, &SCHEME_COLUMNS, &schemes(before), &schemes(after), &mut out);
    let (old, new) = (enterprises(before), enterprises(after));
    compare(RowKind::Enterprise, &ENTERPRISE_COLUMNS, &old, &new, &mut out);
    compare(RowKind::Entry, &ENTRY_COLUMNS, &entries(before), &entries(after), &mut out);
    out
}

/// Every row of a list, as added.
#[must_use]
pub fn added(list: &List) -> Vec<RowChange> {
    match List::build(Vec::new(), Vec::new(), Vec::new()) {
        Ok(nothing) => diff(&nothing, list),
        Err(_nothing_conflicts) => Vec::new(),
    }
}

type Keyed<const N: usize> = BTreeMap<String, [String; N]>;

/// Rows by their first cell, which is the key.
fn keyed<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> Keyed<N> {
    rows.map(|cells| (cells.first().cloned().unwrap_or_default(), cells)).collect()
}

fn compare<const N: usize>(
    kind: RowKind,
    columns: &[&'static str; N],
    before: &Keyed<N>,
    after: &Keyed<N>,
    out: &mut Vec<RowChange>,
) {
    let filled = |cells: &[String; N]| {
        let pairs = columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        pairs.map(|(column, cell)| (*column, cell.clone())).collect()
    };
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let change = match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => {
                let pairs = columns.iter().zip(old.iter().zip(new)).filter(|(_, (a, b))| a != b);
                let change = |(column, (a, b)): (&&'static str, (&String, &String))| FieldChange {
                    column,
                    before: a.clone(),
                    after: b.clone(),
                };
                Change::Changed(pairs.map(change).collect())
            }
            (None, Some(new)) => Change::Added(filled(new)),
            (Some(old), None) => Change::Removed(filled(old)),
            (None, None) => continue,
        };
        out.push(RowChange { kind, key: key.clone(), change });
    }
}
