//! Both trees over a list, kept to prove with: which rows it has, and which names it has not.

use std::collections::BTreeSet;

use crate::domain::entry::Scheme;
use crate::domain::list::List;

use super::evidence::{NAME_SEPARATOR, Span, Wanted};
use super::merkle::{MerkleTree, leaf_hash};
use super::record::{
    ListHeads, Record, borne_name_leaves, both_trees, enterprise_record, entry_record,
    scheme_record,
};

/// The trees over one list, without the list: 100,000 entries take about 40 MB.
#[derive(Debug)]
pub struct ListTrees {
    /// Places in the list of its enterprises, entries and schemes, in the order of the list tree.
    enterprises: Vec<u32>,
    entries: Vec<u32>,
    schemes: Vec<u32>,
    /// Where each entry of the list stands in `entries`: found by its id, it would be a search.
    ranks: Vec<u32>,
    records: MerkleTree,
    /// The leaves of the name tree, one after another, and where each ends.
    leaves: Vec<u8>,
    ends: Vec<usize>,
    /// Places in `entries` of what they lead to: found by their ids, each would be a search.
    bearers: Vec<u32>,
    names: MerkleTree,
}

impl ListTrees {
    /// The trees over a list.
    #[must_use]
    pub fn of(list: &List) -> Self {
        Self::telling(list, |_record| ())
    }

    /// The trees over a list, and its records in the order of the list tree.
    #[must_use]
    pub fn with_records(list: &List) -> (Self, Vec<Record>) {
        let mut records = Vec::with_capacity(list.entries().len());
        let trees = Self::telling(list, |record| records.push(record));
        (trees, records)
    }

    fn telling(list: &List, mut tell: impl FnMut(Record)) -> Self {
        let enterprises = sorted(list.enterprises(), |e| e.uscc);
        let entries = sorted(list.entries(), |e| &*e.id);
        let schemes = sorted(list.schemes(), |s| &*s.id);
        let ranks = ranks(&entries);
        let hash_records = || {
            let mut hashes = Vec::with_capacity(enterprises.len() + entries.len() + schemes.len());
            let mut add = |record: Record| {
                hashes.push(leaf_hash(&record.bytes));
                tell(record);
            };
            at(list.enterprises(), &enterprises).map(enterprise_record).for_each(&mut add);
            at(list.entries(), &entries).map(|e| entry_record(list, e)).for_each(&mut add);
            at(list.schemes(), &schemes).map(scheme_record).for_each(&mut add);
            MerkleTree::over(hashes)
        };
        let hash_names = || {
            let (mut leaves, mut ends, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
            let mut bearers = Vec::new();
            for (leaf, place) in borne_name_leaves(list) {
                hashes.push(leaf_hash(&leaf));
                leaves.extend_from_slice(&leaf);
                ends.push(leaves.len());
                bearers.extend(ranks.get(place as usize));
            }
            leaves.shrink_to_fit();
            (leaves, ends, bearers, MerkleTree::over(hashes))
        };
        let (records, (leaves, ends, bearers, names)) = both_trees(list, hash_records, hash_names);
        Self { enterprises, entries, schemes, ranks, records, leaves, ends, bearers, names }
    }

    /// What a revision says of the list.
    #[must_use]
    pub fn heads(&self) -> ListHeads {
        ListHeads::new(&self.records, &self.names, self.entries.len())
    }

    /// The leaves that show which entries stand under what is wanted, with a neighbour on either
    /// side where there is one. The entries are added to `rows`. `list` is the one the trees are
    /// over.
    #[must_use]
    pub fn names<'a>(&self, list: &'a List, wanted: &Wanted, rows: &mut Rows<'a>) -> Span {
        let size = self.ends.len();
        let (from, to) = match wanted {
            Wanted::First => (0, usize::from(size > 0)),
            Wanted::Under(name) => {
                let prefix = [name.as_bytes(), &[NAME_SEPARATOR]].concat();
                let from = self.first_leaf(|leaf| leaf >= &*prefix);
                let is_other = |nth: &usize| !self.leaf(*nth).starts_with(&prefix);
                let to = (from..size).find(is_other).unwrap_or(size);
                (from.saturating_sub(1), size.min(to + 1))
            }
        };
        let mut leaves = Vec::with_capacity(to - from);
        for nth in from..to {
            // Names, codes and ids: texts all of them.
            let leaf = str::from_utf8(self.leaf(nth)).unwrap_or_default();
            if wanted.is_one(leaf)
                && let Some(place) = self.bearers.get(nth)
            {
                self.add_at(list, *place as usize, rows);
            }
            leaves.push(leaf.to_owned());
        }
        span(&self.names, from, leaves)
    }

    /// The records with these keys, each run of neighbours with one proof. Keys that the list
    /// does not have are left out.
    #[must_use]
    pub fn records(&self, list: &List, rows: &Rows<'_>) -> Vec<Span> {
        let mut places = BTreeSet::new();
        for uscc in &rows.enterprises {
            let key =
                |place: &u32| list.enterprises().get(*place as usize).map(|e| e.uscc.as_str());
            places.extend(find(&self.enterprises, key, uscc));
        }
        let before = self.enterprises.len();
        places.extend(rows.entries.iter().map(|place| before + place));
        let before = before + self.entries.len();
        for id in &rows.schemes {
            let key = |place: &u32| list.schemes().get(*place as usize).map(|s| &*s.id);
            places.extend(find(&self.schemes, key, id).map(|place| before + place));
        }
        let mut spans: Vec<(usize, Vec<String>)> = Vec::new();
        for place in places {
            let record = String::from_utf8(self.record(list, place)).unwrap_or_default();
            match spans.last_mut() {
                Some((from, records)) if *from + records.len() == place => records.push(record),
                _ => spans.push((place, vec![record])),
            }
        }
        spans.into_iter().map(|(from, records)| span(&self.records, from, records)).collect()
    }

    /// The first leaf of the name tree of which `is_past` holds; it holds of all after it.
    fn first_leaf(&self, is_past: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_past(self.leaf(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn leaf(&self, nth: usize) -> &[u8] {
        let end = |nth: usize| self.ends.get(nth).copied();
        let start = nth.checked_sub(1).map_or(Some(0), end);
        let bounds = start.zip(end(nth));
        bounds.and_then(|(start, end)| self.leaves.get(start..end)).unwrap_or_default()
    }

    /// The bytes of a record by its place in the list tree.
    fn record(&self, list: &List, place: usize) -> Vec<u8> {
        let row = |places: &[u32], before: usize| {
            let within = place.checked_sub(before)?;
            places.get(within).map(|p| *p as usize)
        };
        let record = if let Some(row) = row(&self.enterprises, 0) {
            list.enterprises().get(row).map(enterprise_record)
        } else if let Some(row) = row(&self.entries, self.enterprises.len()) {
            list.entries().get(row).map(|entry| entry_record(list, entry))
        } else {
            let before = self.enterprises.len() + self.entries.len();
            row(&self.schemes, before).and_then(|row| list.schemes().get(row)).map(scheme_record)
        };
        record.map(|record| record.bytes).unwrap_or_default()
    }
}

/// Rows that are to be proven.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    enterprises: BTreeSet<&'a str>,
    /// Places among the entries, in the order of their ids.
    entries: BTreeSet<usize>,
    schemes: BTreeSet<&'a str>,
}

impl<'a> Rows<'a> {
    /// Adds a scheme.
    pub fn scheme(&mut self, scheme: &'a Scheme) {
        self.schemes.insert(&scheme.id);
    }
}

impl ListTrees {
    /// Adds the entry at this place of the list, if there is one, with its scheme and its
    /// enterprise.
    pub fn add_entry<'a>(&self, list: &'a List, place: usize, rows: &mut Rows<'a>) {
        if let Some(rank) = self.ranks.get(place) {
            self.add_at(list, *rank as usize, rows);
        }
    }

    /// Adds the entry at this place among those sorted by their ids.
    fn add_at<'a>(&self, list: &'a List, place: usize, rows: &mut Rows<'a>) {
        let row = self.entries.get(place).and_then(|row| list.entries().get(*row as usize));
        let Some(entry) = row else { return };
        rows.entries.insert(place);
        rows.schemes.extend(list.scheme_of(entry).map(|scheme| &*scheme.id));
        rows.enterprises.extend(list.enterprise_of(entry).map(|e| e.uscc.as_str()));
    }
}

/// Places of rows, sorted by their keys. A list has fewer than 2^32 rows.
fn sorted<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<u32> {
    let mut places: Vec<(K, u32)> = (0..).zip(rows).map(|(place, row)| (key(row), place)).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

/// Of each row, where its place stands among those that are sorted.
fn ranks(sorted: &[u32]) -> Vec<u32> {
    let mut ranks = vec![0; sorted.len()];
    for (rank, place) in (0..).zip(sorted) {
        if let Some(at) = ranks.get_mut(*place as usize) {
            *at = rank;
        }
    }
    ranks
}

fn at<'a, T>(rows: &'a [T], places: &'a [u32]) -> impl Iterator<Item = &'a T> {
    places.iter().filter_map(|place| rows.get(*place as usize))
}

fn find<'a>(places: &[u32], key: impl Fn(&u32) -> Option<&'a str>, wanted: &str) -> Option<usize> {
    places.binary_search_by(|place| key(place).unwrap_or_default().cmp(wanted)).ok()
}

fn span(tree: &MerkleTree, from: usize, leaves: Vec<String>) -> Span {
    let start = from as u64;
    let end = start + leaves.len() as u64;
    Span { path: tree.span(start, end).unwrap_or_default(), leaves, start }
}
