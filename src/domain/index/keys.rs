//! The search keys of all names, in the order of their texts: a key's number says where it
//! stands among the others, and keys that begin alike are neighbours.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::super::parallel::on_all_processors;
use super::super::similarity;
use super::names::{NameId, Names};
use super::{cut, place};

/// Search keys, each with the names it stands for.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// All texts, one after the other; each begins at its place in `text_starts`.
    texts: String,
    text_starts: Vec<u32>,
    /// A key made of pinyin is found by Latin letters only as such.
    is_pinyin: Vec<bool>,
    /// Names of each key, as one array cut by `name_starts`.
    names: Vec<NameId>,
    name_starts: Vec<u32>,
    /// How many entries bear a name of each key; an entry that bears two counts twice.
    bearing: Vec<u32>,
    by_text: HashTable<u32>,
    hasher: RandomState,
    /// Which lengths in bytes any key has, so that parts of no such length are not looked up.
    has_length: Vec<bool>,
}

/// A key of one name.
struct KeyOf<'a> {
    text: &'a str,
    name: NameId,
    is_pinyin: bool,
}

impl Keys {
    /// The keys of these names, which are given with their normal forms.
    pub(super) fn build(normals: &[(NameId, &str)], names: &Names) -> Self {
        let shares = on_all_processors(normals, keys_of);
        let mut all: Vec<KeyOf<'_>> = shares
            .iter()
            .flatten()
            .map(|(text, name, is_pinyin)| KeyOf { text, name: *name, is_pinyin: *is_pinyin })
            .collect();
        // Merges the shares, which are sorted.
        all.sort_by(|a, b| (a.text, a.name).cmp(&(b.text, b.name)));
        all.dedup_by(|again, key| {
            let same = again.text == key.text && again.name == key.name;
            key.is_pinyin &= again.is_pinyin || !same;
            same
        });
        let mut keys = Self::default();
        keys.add(&all, names);
        keys
    }

    fn add(&mut self, sorted: &[KeyOf<'_>], names: &Names) {
        self.texts.reserve_exact(sorted.iter().map(|key| key.text.len()).sum());
        for group in sorted.chunk_by(|a, b| a.text == b.text) {
            let Some(KeyOf { text, .. }) = group.first() else { continue };
            if self.has_length.len() <= text.len() {
                self.has_length.resize(text.len() + 1, false);
            }
            if let Some(slot) = self.has_length.get_mut(text.len()) {
                *slot = true;
            }
            self.text_starts.push(place(self.texts.len()));
            self.texts.push_str(text);
            self.is_pinyin.push(group.iter().all(|key| key.is_pinyin));
            self.name_starts.push(place(self.names.len()));
            self.names.extend(group.iter().map(|key| key.name));
            let entries = group.iter().map(|key| names.entries_of(key.name).len());
            self.bearing.push(place(entries.sum()));
        }
        self.text_starts.push(place(self.texts.len()));
        self.name_starts.push(place(self.names.len()));
        let mut by_text = HashTable::with_capacity(self.len());
        let hash = |id: u32| self.hasher.hash_one(self.text(id));
        for id in 0..place(self.len()) {
            by_text.insert_unique(hash(id), id, |id| hash(*id));
        }
        self.by_text = by_text;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bearing.len()
    }

    /// Every text, in order.
    pub(super) fn each_text(&self) -> impl Iterator<Item = &str> {
        (0..place(self.len())).map(|id| self.text(id))
    }

    /// All texts together, in bytes.
    pub(super) fn text_bytes(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, id: u32) -> &str {
        let at = |id: usize| self.text_starts.get(id).map(|start| *start as usize);
        match (at(id as usize), at(id as usize + 1)) {
            (Some(from), Some(to)) => self.texts.get(from..to).unwrap_or(""),
            _ => "",
        }
    }

    /// The key with exactly this text.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        if !self.has_length.get(text.len()).is_some_and(|has| *has) {
            return None;
        }
        self.by_text.find(self.hasher.hash_one(text), |id| self.text(*id) == text).copied()
    }

    pub(super) fn is_pinyin(&self, id: u32) -> bool {
        self.is_pinyin.get(id as usize).is_some_and(|is| *is)
    }

    pub(super) fn names(&self, id: u32) -> &[NameId] {
        cut(&self.names, &self.name_starts, id)
    }

    /// How many entries bear a name of this key.
    pub(super) fn bearing(&self, id: u32) -> usize {
        self.bearing.get(id as usize).map_or(0, |count| *count as usize)
    }
}

/// The keys of some names and whether each is made of pinyin, in order.
fn keys_of(normals: &[(NameId, &str)]) -> Vec<(String, NameId, bool)> {
    let mut out = Vec::with_capacity(normals.len() * 2);
    for (name, normal) in normals {
        let key = similarity::key(normal);
        if let Some(pinyin) = similarity::pinyin_key(&key) {
            out.push((pinyin, *name, true));
        }
        out.push((key, *name, false));
    }
    out.retain(|(text, ..)| !text.is_empty());
    out.sort_unstable();
    out
}
