//! Canonical bytes of a row (a *record*), and the two trees over a list: the list tree, which
//! proves what is listed, and the name tree, which proves what is not.

use std::fmt::{Display, Write};

use crate::domain::cells::{enterprise_state_name, entry_state_name, kind_name, listing_name};
use crate::domain::entry::{Enterprise, Entry, Scheme};
use crate::domain::list::List;
use crate::domain::list_diff::RowKind;

use super::merkle::{Hash, MerkleTree, leaf_hash};

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
    let uses = scheme.permitted_use.iter().map(|u| u.name());
    // "kind" sorts before "scheme".
    let mut row = Object::open("{\"kind\":\"scheme\",\"scheme\":{");
    row.text("authority", &scheme.authority)
        .list("customs_districts", scheme.customs_districts.iter())
        .list("exclusions", scheme.exclusions.iter())
        .text("legal_basis", &scheme.legal_basis)
        .text("listing", listing_name(scheme.listing))
        .text("name_en", &scheme.name_en)
        .text("name_zh", &scheme.name_zh)
        .list("permitted_use", uses)
        .text("remark_text", &scheme.remark_text)
        .text("scheme", &scheme.id)
        .list("waived_documents", scheme.waived_documents.iter());
    Record { kind: RowKind::Scheme, key: scheme.id.clone(), bytes: row.close("}}") }
}

/// The record of an enterprise.
#[must_use]
pub fn enterprise_record(enterprise: &Enterprise) -> Record {
    let mut row = Object::open("{\"enterprise\":{");
    row.text("name_en", &enterprise.name_en)
        .text("name_zh", &enterprise.name_zh)
        .text("source_document", &enterprise.source_document)
        .text("state", enterprise_state_name(enterprise.state))
        .value("state_from", enterprise.state_from)
        .value("state_until", enterprise.state_until)
        .text("uscc", enterprise.uscc.as_str());
    let bytes = row.close("},\"kind\":\"enterprise\"}");
    Record { kind: RowKind::Enterprise, key: enterprise.uscc.as_str().into(), bytes }
}

/// The record of an entry of `list`. The row stands inside the record, since an entry has a
/// column `kind` of its own.
#[must_use]
pub fn entry_record(list: &List, entry: &Entry) -> Record {
    let name = |name: &'_ Option<crate::domain::entry::ListedName>| {
        name.as_ref().map(|n| n.text.clone()).unwrap_or_default()
    };
    let mut row = Object::open("{\"entry\":{");
    row.text("batch", &entry.batch)
        .value("cas", entry.cas)
        .list("customs_districts", entry.customs_districts.iter())
        .text("entry_id", &entry.id)
        .text("hs_code", entry.hs_code.as_ref().map_or("", |code| code.as_str()))
        .text("kind", kind_name(entry.kind))
        .text("manufacturer", &entry.manufacturer)
        .text("name_en", &name(&entry.name_en))
        .text("name_zh", &name(&entry.name_zh))
        .text("origin_country", &entry.origin_country)
        .text("purpose", &entry.purpose)
        .value("quantity", entry.quantity.map(|q| q.value()))
        .text("scheme", list.scheme_of(entry).map_or("", |s| &s.id))
        .text("source_document", &entry.source_document)
        .text("specification", &entry.specification)
        .text("state", entry_state_name(entry.state))
        .list("synonyms", entry.synonyms.iter().map(|n| &n.text))
        .text("unit", entry.quantity.map_or("", |q| q.unit().name()))
        .text("uscc", list.enterprise_of(entry).map_or("", |e| e.uscc.as_str()))
        .value("valid_from", entry.valid_from)
        .value("valid_to", entry.valid_to);
    let bytes = row.close("},\"kind\":\"entry\"}");
    Record { kind: RowKind::Entry, key: entry.id.clone(), bytes }
}

/// The inner object of a record, written field by field in sorted order. Fields without a value
/// are left out. Column names are ASCII, where UTF-16 order, which RFC 8785 wants, is byte order.
struct Object {
    out: String,
    first: bool,
}

impl Object {
    fn open(beginning: &str) -> Self {
        let mut out = String::with_capacity(512);
        out.push_str(beginning);
        Self { out, first: true }
    }

    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.key(key);
            push_string(&mut self.out, value);
        }
        self
    }

    /// A value whose text needs no escaping.
    fn value(&mut self, key: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.key(key);
            // Writing to a string cannot fail.
            let _ = write!(self.out, "\"{value}\"");
        }
        self
    }

    fn list(&mut self, key: &str, values: impl Iterator<Item = impl ToString>) -> &mut Self {
        let mut separator = '[';
        for value in values {
            if separator == '[' {
                self.key(key);
            }
            self.out.push(separator);
            push_string(&mut self.out, &value.to_string());
            separator = ',';
        }
        if separator == ',' {
            self.out.push(']');
        }
        self
    }

    fn close(&mut self, end: &str) -> Vec<u8> {
        self.out.push_str(end);
        std::mem::take(&mut self.out).into_bytes()
    }
}

/// A string as RFC 8785 section 3.2.2.2 writes it.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    if !text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        out.push_str(text);
        out.push('"');
        return;
    }
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
        Self::with_records(list).0
    }

    /// The heads of both trees of a list, and its records.
    #[must_use]
    pub fn with_records(list: &List) -> (Self, Vec<Record>) {
        let head = |tree: &MerkleTree| TreeHead { size: tree.size(), root: tree.root() };
        let work = || {
            let records = records(list);
            (head(&list_tree(&records)), records)
        };
        // The trees share nothing; of a short list they are done before a thread has begun.
        let ((of_records, records), names) = if list.entries().len() < THREAD_ENTRIES_MIN {
            (work(), head(&name_tree(list)))
        } else {
            std::thread::scope(|scope| {
                let names = scope.spawn(|| head(&name_tree(list)));
                let records = work();
                let names =
                    names.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
                (records, names)
            })
        };
        (Self { list: of_records, names, entries: list.entries().len() }, records)
    }
}

/// Lists with fewer entries are not worth a thread.
const THREAD_ENTRIES_MIN: usize = 4_000;

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
    let mut leaves = Vec::with_capacity(list.entries().len() * 3);
    for entry in list.entries() {
        let code = entry.hs_code.as_ref().map_or("", |c| c.as_str());
        if entry.is_directory_row() {
            let uscc = list.enterprise_of(entry).map_or("", |e| e.uscc.as_str());
            leaves.push(name_leaf("", uscc, &entry.id));
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
