//! Canonical bytes of a row (a *record*), and the two trees over a list: the list tree, which
//! proves what is listed, and the name tree, which proves what is not.

use crate::domain::cells::{
    ENTERPRISE_COLUMNS, ENTRY_COLUMNS, SCHEME_COLUMNS, enterprise_cells, entry_cells, scheme_cells,
};
use crate::domain::entry::{Enterprise, Entry, Scheme};
use crate::domain::list::List;
use crate::domain::list_diff::RowKind;

use super::merkle::{Hash, MerkleTree, leaf_hash};

/// Columns that hold several values: arrays in a record.
const LISTS: [&str; 5] =
    ["customs_districts", "exclusions", "permitted_use", "synonyms", "waived_documents"];

/// Name of a kind of row in a record. Records are sorted by it first.
#[must_use]
pub const fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Enterprise => "enterprise",
        RowKind::Entry => "entry",
        RowKind::Scheme => "scheme",
    }
}

/// The record of a scheme: its JSON in the canonical form of RFC 8785.
#[must_use]
pub fn scheme_record(scheme: &Scheme) -> Vec<u8> {
    record(RowKind::Scheme, &SCHEME_COLUMNS, &scheme_cells(scheme))
}

/// The record of an enterprise.
#[must_use]
pub fn enterprise_record(enterprise: &Enterprise) -> Vec<u8> {
    record(RowKind::Enterprise, &ENTERPRISE_COLUMNS, &enterprise_cells(enterprise))
}

/// The record of an entry of `list`.
#[must_use]
pub fn entry_record(list: &List, entry: &Entry) -> Vec<u8> {
    record(RowKind::Entry, &ENTRY_COLUMNS, &entry_cells(list, entry))
}

/// `{"entry":{…},"kind":"entry"}`: the row stands inside, since an entry has a column `kind` of
/// its own. Empty cells are left out.
fn record(kind: RowKind, columns: &[&str], cells: &[String]) -> Vec<u8> {
    let mut fields: Vec<(&str, &String)> =
        columns.iter().copied().zip(cells).filter(|(_, cell)| !cell.is_empty()).collect();
    // Column names are ASCII, where UTF-16 order, which RFC 8785 wants, is byte order.
    fields.sort_unstable_by_key(|(column, _)| *column);
    let kind = kind_name(kind);
    let mut out = String::with_capacity(64 + cells.iter().map(|c| c.len() + 16).sum::<usize>());
    let open = |out: &mut String| {
        // "entry" and "enterprise" sort before "kind", "scheme" after it.
        if kind < "kind" {
            out.push('{');
        } else {
            out.push_str("{\"kind\":\"");
            out.push_str(kind);
            out.push_str("\",");
        }
        out.push('"');
        out.push_str(kind);
        out.push_str("\":{");
    };
    open(&mut out);
    for (nth, (column, cell)) in fields.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        push_string(&mut out, column);
        out.push(':');
        if LISTS.contains(column) {
            out.push('[');
            for (nth, part) in cell.split('|').enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                push_string(&mut out, part);
            }
            out.push(']');
        } else {
            push_string(&mut out, cell);
        }
    }
    out.push('}');
    if kind < "kind" {
        out.push_str(",\"kind\":\"");
        out.push_str(kind);
        out.push('"');
    }
    out.push('}');
    out.into_bytes()
}

/// A string as RFC 8785 section 3.2.2.2 writes it.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                out.push_str(if c < '\u{10}' { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(u32::from(c) % 16, 16));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The leaf of the name tree for one way to look an entry up: `name \0 code \0 entry id`. The
/// name is a normal form, a CAS number, or empty for a directory row.
#[must_use]
pub fn name_leaf(name: &str, hs_code: &str, entry_id: &str) -> Vec<u8> {
    [name, hs_code, entry_id].join("\0").into_bytes()
}

/// Root and size of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root.
    pub root: Hash,
}

/// What a revision says of its list. Made of a [`List`] only, so of a linted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListHeads {
    /// Of the list tree.
    pub list: TreeHead,
    /// Of the name tree.
    pub names: TreeHead,
    entries: usize,
}

impl ListHeads {
    /// Number of entries.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// The heads of both trees of a list.
    #[must_use]
    pub fn of(list: &List) -> Self {
        let (records, names) = trees(list);
        let head = |tree: &MerkleTree| TreeHead { size: tree.size(), root: tree.root() };
        Self { list: head(&records), names: head(&names), entries: list.entries().len() }
    }
}

/// The list tree and the name tree, built side by side.
#[must_use]
pub fn trees(list: &List) -> (MerkleTree, MerkleTree) {
    std::thread::scope(|scope| {
        let names = scope.spawn(|| name_tree(list));
        let records = list_tree(list);
        match names.join() {
            Ok(names) => (records, names),
            Err(panicked) => std::panic::resume_unwind(panicked),
        }
    })
}

/// The list tree: over the records, sorted by kind and key.
#[must_use]
pub fn list_tree(list: &List) -> MerkleTree {
    let mut enterprises: Vec<&Enterprise> = list.enterprises().iter().collect();
    enterprises.sort_unstable_by_key(|e| e.uscc);
    let mut entries: Vec<&Entry> = list.entries().iter().collect();
    entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let mut schemes: Vec<&Scheme> = list.schemes().iter().collect();
    schemes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let leaves = enterprises
        .into_iter()
        .map(enterprise_record)
        .chain(entries.into_iter().map(|e| entry_record(list, e)))
        .chain(schemes.into_iter().map(scheme_record));
    MerkleTree::over(leaves.map(|record| leaf_hash(&record)).collect())
}

/// The name tree: over [`name_leaves`].
#[must_use]
pub fn name_tree(list: &List) -> MerkleTree {
    MerkleTree::over(name_leaves(list).iter().map(|leaf| leaf_hash(leaf)).collect())
}

/// Every way to look an entry up, sorted bytewise.
#[must_use]
pub fn name_leaves(list: &List) -> Vec<Vec<u8>> {
    let mut leaves = Vec::with_capacity(list.entries().len() * 3);
    for entry in list.entries() {
        let code = entry.hs_code.as_ref().map_or("", |c| c.as_str());
        if entry.is_directory_row() {
            leaves.push(name_leaf("", code, &entry.id));
        }
        for name in entry.names() {
            leaves.push(name_leaf(&name.normal, code, &entry.id));
        }
        if let Some(cas) = entry.cas {
            leaves.push(name_leaf(&cas.to_string(), code, &entry.id));
        }
    }
    leaves.sort_unstable();
    leaves.dedup();
    leaves
}
