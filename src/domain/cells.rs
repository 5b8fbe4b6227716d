//! A row as named texts: the columns of the list files, and the canonical text of each cell.
//!
//! One place knows the columns. Reading, comparing two lists and writing them all use it.

use super::entry::{Enterprise, EnterpriseState, Entry, EntryKind, EntryState, Listing, Scheme};
use super::list::List;

/// Columns of `schemes.csv`; `exclusions` may be absent.
pub const SCHEME_COLUMNS: [&str; 11] = [
    "scheme",
    "name_zh",
    "name_en",
    "authority",
    "listing",
    "customs_districts",
    "waived_documents",
    "remark_text",
    "permitted_use",
    "legal_basis",
    "exclusions",
];

/// Columns of `enterprises.csv`.
pub const ENTERPRISE_COLUMNS: [&str; 7] =
    ["uscc", "name_zh", "name_en", "state", "state_from", "state_until", "source_document"];

/// Columns of `entries.csv`.
pub const ENTRY_COLUMNS: [&str; 21] = [
    "entry_id",
    "scheme",
    "batch",
    "uscc",
    "kind",
    "name_zh",
    "name_en",
    "synonyms",
    "cas",
    "hs_code",
    "specification",
    "manufacturer",
    "origin_country",
    "quantity",
    "unit",
    "purpose",
    "customs_districts",
    "valid_from",
    "valid_to",
    "state",
    "source_document",
];

/// The cells of a scheme, in the order of [`SCHEME_COLUMNS`].
#[must_use]
pub fn scheme_cells(scheme: &Scheme) -> [String; 11] {
    [
        scheme.id.to_string(),
        scheme.name_zh.to_string(),
        scheme.name_en.to_string(),
        scheme.authority.to_string(),
        listing_name(scheme.listing).to_owned(),
        joined(&scheme.customs_districts),
        joined(&scheme.waived_documents),
        scheme.remark_text.to_string(),
        scheme.permitted_use.iter().map(|u| u.name()).collect::<Vec<_>>().join("|"),
        scheme.legal_basis.to_string(),
        joined(&scheme.exclusions),
    ]
}

/// The cells of an enterprise, in the order of [`ENTERPRISE_COLUMNS`].
#[must_use]
pub fn enterprise_cells(enterprise: &Enterprise) -> [String; 7] {
    [
        enterprise.uscc.to_string(),
        enterprise.name_zh.to_string(),
        enterprise.name_en.to_string(),
        enterprise_state_name(enterprise.state).to_owned(),
        or_empty(enterprise.state_from),
        or_empty(enterprise.state_until),
        enterprise.source_document.to_string(),
    ]
}

/// The cells of an entry of `list`, in the order of [`ENTRY_COLUMNS`].
#[must_use]
pub fn entry_cells(list: &List, entry: &Entry) -> [String; 21] {
    let name = |n: &Option<super::entry::ListedName>| {
        n.as_ref().map(|n| n.text.to_string()).unwrap_or_default()
    };
    [
        entry.id.to_string(),
        list.scheme_of(entry).map(|s| s.id.to_string()).unwrap_or_default(),
        entry.batch.to_string(),
        or_empty(list.enterprise_of(entry).map(|e| e.uscc)),
        kind_name(entry.kind).to_owned(),
        name(&entry.name_zh),
        name(&entry.name_en),
        entry.synonyms.iter().map(|n| &*n.text).collect::<Vec<_>>().join("|"),
        or_empty(entry.cas),
        or_empty(entry.hs_code),
        entry.specification.to_string(),
        entry.manufacturer.to_string(),
        entry.origin_country.to_string(),
        or_empty(entry.quantity.map(|q| q.value())),
        entry.quantity.map(|q| q.unit().name().to_owned()).unwrap_or_default(),
        entry.purpose.to_string(),
        joined(&entry.customs_districts),
        or_empty(entry.valid_from),
        or_empty(entry.valid_to),
        entry_state_name(entry.state).to_owned(),
        entry.source_document.to_string(),
    ]
}

/// Name of a listing style in list files.
#[must_use]
pub const fn listing_name(listing: Listing) -> &'static str {
    match listing {
        Listing::Rows => "rows",
        Listing::Directory => "directory",
    }
}

/// Name of an enterprise state in list files.
#[must_use]
pub const fn enterprise_state_name(state: EnterpriseState) -> &'static str {
    match state {
        EnterpriseState::Active => "active",
        EnterpriseState::Suspended => "suspended",
        EnterpriseState::Banned => "banned",
    }
}

/// Name of an entry kind in list files.
#[must_use]
pub const fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Item => "item",
        EntryKind::Class => "class",
    }
}

/// Name of an entry state in list files.
#[must_use]
pub const fn entry_state_name(state: EntryState) -> &'static str {
    match state {
        EntryState::Active => "active",
        EntryState::Suspended => "suspended",
        EntryState::Withdrawn => "withdrawn",
    }
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn joined(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
}
