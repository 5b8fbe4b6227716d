//! Canonical bytes of a row (a *record*), and the two trees over a list: the list tree, which
//! proves what is listed, and the name tree, which proves what is not.

use crate::domain::cells::{enterprise_state_name, entry_state_name, kind_name, listing_name};
use crate::domain::entry::{Enterprise, Entry, Scheme};
use crate::domain::list::List;
use crate::domain::list_diff::RowKind;
use crate::domain::parallel::both;

use super::canonical_json::Object;
use super::merkle::{Hash, MerkleTree, leaf_hash};

/// Most records are shorter, in bytes.
const RECORD_BYTES_USUAL: usize = 512;

/// Name of a kind of row in a record. Records are sorted by it first.
#[must_use]
pub const fn row_kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Enterprise => "enterprise",
        RowKind::Entry => "entry",
        RowKind::Scheme => "scheme",
    }
}

/// One row in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its kind.
    pub kind: RowKind,
    /// Its key: scheme id, USCC or entry id.
    pub key: Box<str>,
    /// Its JSON in the canonical form of RFC 8785.
    pub bytes: Vec<u8>,
}

/// The record of a scheme.
#[must_use]
pub fn scheme_record(scheme: &Scheme) -> Record {
    // "kind" sorts before "scheme".
    let bytes = written("{\"kind\":\"scheme\",\"scheme\":", "}", |row| {
        row.text("authority", &scheme.authority)
            .list("customs_districts", scheme.customs_districts.iter().map(ToString::to_string))
            .list("exclusions", &scheme.exclusions)
            .text("legal_basis", &scheme.legal_basis)
            .text("listing", listing_name(scheme.listing))
            .text("name_en", &scheme.name_en)
            .text("name_zh", &scheme.name_zh)
            .list("permitted_use", scheme.permitted_use.iter().map(|u| u.name()))
            .text("remark_text", &scheme.remark_text)
            .text("scheme", &scheme.id)
            .list("waived_documents", &scheme.waived_documents);
    });
    Record { kind: RowKind::Scheme, key: scheme.id.clone(), bytes }
}

/// The record of an enterprise.
#[must_use]
pub fn enterprise_record(enterprise: &Enterprise) -> Record {
    let bytes = written("{\"enterprise\":", ",\"kind\":\"enterprise\"}", |row| {
        row.text("name_en", &enterprise.name_en)
            .text("name_zh", &enterprise.name_zh)
            .text("source_document", &enterprise.source_document)
            .text("state", enterprise_state_name(enterprise.state))
            .value("state_from", enterprise.state_from)
            .value("state_until", enterprise.state_until)
            .text("uscc", enterprise.uscc.as_str());
    });
    Record { kind: RowKind::Enterprise, key: enterprise.uscc.as_str().into(), bytes }
}

/// The record of an entry of `list`. The row stands inside the record, since an entry has a
/// column `kind` of its own.
#[must_use]
pub fn entry_record(list: &List, entry: &Entry) -> Record {
    let bytes = written("{\"entry\":", ",\"kind\":\"entry\"}", |row| {
        row.text("batch", &entry.batch)
            .value("cas", entry.cas)
            .list("customs_districts", entry.customs_districts.iter().map(ToString::to_string))
            .text("entry_id", &entry.id)
            .text("hs_code", entry.hs_code.as_ref().map_or("", |code| code.as_str()))
            .text("kind", kind_name(entry.kind))
            .text("manufacturer", &entry.manufacturer)
            .text("name_en", entry.name_en.as_ref().map_or("", |name| &name.text))
            .text("name_zh", entry.name_zh.as_ref().map_or("", |name| &name.text))
            .text("origin_country", &entry.origin_country)
            .text("purpose", &entry.purpose)
            .value("quantity", entry.quantity.map(|q| q.value()))
            .text("scheme", list.scheme_of(entry).map_or("", |s| &s.id))
            .text("source_document", &entry.source_document)
            .text("specification", &entry.specification)
            .text("state", entry_state_name(entry.state))
            .list("synonyms", entry.synonyms.iter().map(|name| &name.text))
            .text("unit", entry.quantity.map_or("", |q| q.unit().name()))
            .text("uscc", list.enterprise_of(entry).map_or("", |e| e.uscc.as_str()))
            .value("valid_from", entry.valid_from)
            .value("valid_to", entry.valid_to);
    });
    Record { kind: RowKind::Entry, key: entry.id.clone(), bytes }
}

/// The bytes of a record: a row's cells by the names of their columns, empty ones left out, with
/// what stands before and after the row.
fn written(before: &str, after: &str, cells: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(RECORD_BYTES_USUAL);
    out.extend_from_slice(before.as_bytes());
    let mut row = Object::open(&mut out);
    cells(&mut row);
    row.close();
    out.extend_from_slice(after.as_bytes());
    out
}

/// The leaf of the name tree for one way to look an entry up: `name \0 code \0 entry id`. The
/// name is a normal form or a CAS number. A directory row has no name and stands under its
/// enterprise: `\0 uscc \0 entry id`.
#[must_use]
pub fn name_leaf(name: &str, code: &str, entry_id: &str) -> Vec<u8> {
    [name, code, entry_id].join("\0").into_bytes()
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
        let (records, names) = both_trees(list, || list_tree(&records(list)), || name_tree(list));
        Self::new(&records, &names, list.entries().len())
    }

    /// Heads of trees that are there.
    pub(super) fn new(list: &MerkleTree, names: &MerkleTree, entries: usize) -> Self {
        let head = |tree: &MerkleTree| TreeHead { size: tree.size(), root: tree.root() };
        Self { list: head(list), names: head(names), entries }
    }
}

/// Lists with fewer entries are not worth a thread.
const THREAD_ENTRIES_MIN: usize = 4_000;

/// Work for the list tree and for the name tree of a list. The trees share nothing; of a short
/// list they are done before a thread has begun.
pub(super) fn both_trees<A, B: Send>(
    list: &List,
    records: impl FnOnce() -> A,
    names: impl FnOnce() -> B + Send,
) -> (A, B) {
    if list.entries().len() < THREAD_ENTRIES_MIN {
        (records(), names())
    } else {
        both(records, names)
    }
}

/// The records of a list, sorted by kind and key.
#[must_use]
pub fn records(list: &List) -> Vec<Record> {
    let mut enterprises: Vec<&Enterprise> = list.enterprises().iter().collect();
    enterprises.sort_unstable_by_key(|e| e.uscc);
    let mut entries: Vec<&Entry> = list.entries().iter().collect();
    entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let mut schemes: Vec<&Scheme> = list.schemes().iter().collect();
    schemes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let enterprises = enterprises.into_iter().map(enterprise_record);
    let entries = entries.into_iter().map(|e| entry_record(list, e));
    enterprises.chain(entries).chain(schemes.into_iter().map(scheme_record)).collect()
}

/// The list tree: over the records of a list.
#[must_use]
pub fn list_tree(records: &[Record]) -> MerkleTree {
    MerkleTree::over(records.iter().map(|record| leaf_hash(&record.bytes)).collect())
}

/// The name tree: over [`name_leaves`].
#[must_use]
pub fn name_tree(list: &List) -> MerkleTree {
    MerkleTree::over(name_leaves(list).iter().map(|leaf| leaf_hash(leaf)).collect())
}

/// Every way to look an entry up, sorted bytewise.
#[must_use]
pub fn name_leaves(list: &List) -> Vec<Vec<u8>> {
    borne_name_leaves(list).into_iter().map(|(leaf, _entry)| leaf).collect()
}

/// The same, each with the place in the list of the entry that it leads to.
pub(super) fn borne_name_leaves(list: &List) -> Vec<(Vec<u8>, u32)> {
    let mut leaves = Vec::with_capacity(list.entries().len() * 3);
    for (place, entry) in (0..).zip(list.entries()) {
        let code = entry.hs_code.as_ref().map_or("", |c| c.as_str());
        if entry.is_directory_row() {
            let uscc = list.enterprise_of(entry).map_or("", |e| e.uscc.as_str());
            leaves.push((name_leaf("", uscc, &entry.id), place));
        }
        for name in entry.names() {
            leaves.push((name_leaf(&name.normal, code, &entry.id), place));
        }
        if let Some(cas) = entry.cas {
            leaves.push((name_leaf(&cas.to_string(), code, &entry.id), place));
        }
    }
    leaves.sort_unstable();
    leaves.dedup();
    leaves
}
