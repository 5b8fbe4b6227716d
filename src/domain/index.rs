//! Where names, codes and numbers are found: exact keys for the decision, and an inverted index
//! of letter pairs for candidates.
//!
//! Exact look-ups and similarity never mix: the decision reads only the exact maps. The
//! similarity search is complete, not a heuristic: it returns every name that shares enough
//! letter pairs with the query, whatever else is listed, so that adding unrelated entries
//! changes no answer.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::cas_number::CasNumber;
use super::entry::{Entry, EntryKind};
use super::hs_code::HsCode;
use super::material_name::is_han;
use super::similarity;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Least share of the letter pairs of both names that makes them similar.
const PAIRS_SHARED_MIN: f64 = 0.5;
/// Least share of the query's letter pairs found in a longer name that makes it similar.
const QUERY_PAIRS_FOUND_MIN: f64 = 0.8;
/// Least share of a query's letter pairs that any similar name has: the smaller of what the two
/// limits above imply, since a name with `n` of the query's `q` pairs reaches
/// `2n / (q + own)` ≥ 0.5 only from `n ≥ q / 3` on.
const QUERY_PAIRS_FLOOR: (usize, usize) = (1, 3);
/// Longest listed name looked for inside a longer query, in characters.
const CONTAINED_CHARS_MAX: usize = 40;
/// Longest query searched by similarity, in characters: the declaration's name field holds 255.
const QUERY_CHARS_MAX: usize = 255;
/// How many of the similar names are compared letter by letter; the others rank behind by
/// shared pairs.
const COMPARED_CLOSELY_MAX: usize = 48;

/// A listed name's place among all distinct names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct NameId(u32);

/// The index of a list. Positions count from 0 in the list's entries.
#[derive(Debug, Default)]
pub struct Index {
    /// Normal form to name.
    names: Map<Box<str>, NameId>,
    /// Entries of each name, as one array cut by `name_starts`.
    name_entries: Vec<u32>,
    name_starts: Vec<u32>,
    cas: Map<CasNumber, Vec<u32>>,
    cas_bodies: Map<u64, Vec<u32>>,
    directory: Map<usize, Vec<u32>>,
    /// Class rows by code.
    classes: Vec<(HsCode, u32)>,
    /// All coded rows by code, for a person's search.
    codes: Vec<(HsCode, u32)>,
    /// Search keys, each with the names it stands for.
    keys: Vec<Key>,
    by_key: Map<Box<str>, u32>,
    pairs: Pairs,
}

#[derive(Debug)]
struct Key {
    text: Box<str>,
    pairs: u32,
    /// A key made of pinyin is found by Latin letters only as such.
    is_pinyin: bool,
    names: Vec<NameId>,
}

/// A name that resembles a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similar<'a> {
    /// Entries that bear the name.
    pub entries: &'a [u32],
    /// Resemblance from 0 to 1.
    pub score: f64,
}

impl Index {
    pub(super) fn build(entries: &[Entry]) -> Self {
        let mut index = Self::default();
        index.add_exact(entries);
        index.add_names(entries);
        index.add_keys();
        index
    }

    fn add_exact(&mut self, entries: &[Entry]) {
        for (position, entry) in (0_u32..).zip(entries) {
            if let Some(cas) = entry.cas {
                self.cas.entry(cas).or_default().push(position);
                self.cas_bodies.entry(cas.body()).or_default().push(position);
            }
            if entry.is_directory_row() {
                self.directory.entry(entry.enterprise).or_default().push(position);
            }
            if let Some(code) = entry.hs_code {
                self.codes.push((code, position));
                if entry.kind == EntryKind::Class {
                    self.classes.push((code, position));
                }
            }
        }
        self.codes.sort_unstable();
        self.classes.sort_unstable();
    }

    fn add_names(&mut self, entries: &[Entry]) {
        let mut uses: Vec<(NameId, u32)> = Vec::with_capacity(entries.len() * 2);
        for (position, entry) in (0_u32..).zip(entries) {
            for name in entry.names() {
                let next = NameId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
                let id = match self.names.get(&name.normal) {
                    Some(id) => *id,
                    None => *self.names.entry(name.normal.clone()).or_insert(next),
                };
                uses.push((id, position));
            }
        }
        uses.sort_unstable();
        uses.dedup();
        self.name_starts.reserve(self.names.len() + 1);
        self.name_starts.push(0);
        let mut current = 0;
        for (id, position) in uses {
            while current < id.0 {
                self.name_starts.push(u32::try_from(self.name_entries.len()).unwrap_or(u32::MAX));
                current += 1;
            }
            self.name_entries.push(position);
        }
        self.name_starts.push(u32::try_from(self.name_entries.len()).unwrap_or(u32::MAX));
    }

    fn add_keys(&mut self) {
        let mut sorted: Vec<(&str, NameId)> =
            self.names.iter().map(|(n, id)| (&**n, *id)).collect();
        sorted.sort_unstable_by_key(|(_, id)| *id);
        let mut keys: Vec<Key> = Vec::with_capacity(sorted.len() * 2);
        let mut by_key: Map<Box<str>, u32> =
            HashMap::with_capacity_and_hasher(sorted.len() * 2, RandomState::default());
        let mut add = |text: String, is_pinyin: bool, name: NameId| {
            if text.is_empty() {
                return;
            }
            if let Some(&id) = by_key.get(text.as_str()) {
                if let Some(key) = keys.get_mut(id as usize) {
                    key.is_pinyin &= is_pinyin;
                    if !key.names.contains(&name) {
                        key.names.push(name);
                    }
                }
                return;
            }
            let id = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            let text: Box<str> = text.into();
            by_key.insert(text.clone(), id);
            keys.push(Key { text, pairs: 0, is_pinyin, names: vec![name] });
        };
        for (normal, id) in sorted {
            let key = similarity::key(normal);
            if let Some(pinyin) = similarity::pinyin_key(&key) {
                add(pinyin, true, id);
            }
            add(key, false, id);
        }
        self.pairs = Pairs::build(&mut keys);
        self.keys = keys;
        self.by_key = by_key;
    }

    /// Entries that bear exactly this normal form as a name.
    #[must_use]
    pub fn by_name(&self, normal: &str) -> &[u32] {
        self.names.get(normal).map_or(&[], |id| self.entries_of(*id))
    }

    /// Entries with this CAS number.
    #[must_use]
    pub fn by_cas(&self, cas: CasNumber) -> &[u32] {
        self.cas.get(&cas).map_or(&[], Vec::as_slice)
    }

    /// Entries whose CAS number has these digits before its check digit.
    #[must_use]
    pub fn by_cas_body(&self, body: u64) -> &[u32] {
        self.cas_bodies.get(&body).map_or(&[], Vec::as_slice)
    }

    /// Directory rows of the enterprise at this position.
    #[must_use]
    pub fn directory_rows(&self, enterprise: usize) -> &[u32] {
        self.directory.get(&enterprise).map_or(&[], Vec::as_slice)
    }

    /// Whether the list has directory rows at all.
    #[must_use]
    pub fn has_directory_rows(&self) -> bool {
        !self.directory.is_empty()
    }

    /// Class rows whose code is the beginning of this one, or begins with it.
    pub fn related_classes(&self, code: HsCode) -> impl Iterator<Item = u32> + use<'_> {
        related(&self.classes, code.as_str())
    }

    /// Rows whose code begins with these digits, or is the beginning of them.
    pub fn by_code_digits<'a>(&'a self, digits: &str) -> impl Iterator<Item = u32> + use<'a> {
        related(&self.codes, digits)
    }

    fn entries_of(&self, id: NameId) -> &[u32] {
        let at = |i: u32| self.name_starts.get(i as usize).map(|s| *s as usize);
        match (at(id.0), at(id.0 + 1)) {
            (Some(from), Some(to)) => self.name_entries.get(from..to).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// Every listed name that resembles the query (a normal form), best first.
    #[must_use]
    pub fn similar(&self, query_normal: &str) -> Vec<Similar<'_>> {
        let query: String = similarity::key(query_normal).chars().take(QUERY_CHARS_MAX).collect();
        let mut scores: Map<u32, f64> = Map::default();
        if query.is_empty() || query.bytes().all(|b| b.is_ascii_digit()) {
            // Digits alone are a code or a number: they resemble no name.
            return Vec::new();
        }
        self.add_same_key(&query, &mut scores);
        self.add_contained(&query, &mut scores);
        self.add_sharing_pairs(&query, &mut scores);
        let mut by_name: Map<NameId, f64> = Map::default();
        for (key, score) in scores {
            for name in self.keys.get(key as usize).map_or(&[][..], |k| &k.names) {
                let best = by_name.entry(*name).or_insert(0.0);
                *best = best.max(score);
            }
        }
        let mut found: Vec<(NameId, f64)> = by_name.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
            .into_iter()
            .map(|(id, score)| Similar { entries: self.entries_of(id), score })
            .collect()
    }

    /// The same key, or the same sound.
    fn add_same_key(&self, query: &str, scores: &mut Map<u32, f64>) {
        if let Some(&id) = self.by_key.get(query) {
            scores.insert(id, 0.98);
        }
        if let Some(sound) = similarity::pinyin_key(query)
            && let Some(&id) = self.by_key.get(sound.as_str())
        {
            let best = scores.entry(id).or_insert(0.0);
            *best = best.max(0.92);
        }
    }

    /// Listed names inside the query: the parent of a salt, the name before a grade.
    fn add_contained(&self, query: &str, scores: &mut Map<u32, f64>) {
        let starts: Vec<usize> =
            query.char_indices().map(|(i, _)| i).chain([query.len()]).collect();
        for (i, &from) in starts.iter().enumerate() {
            for &to in starts.get(i + 2..).unwrap_or(&[]).iter().take(CONTAINED_CHARS_MAX) {
                let Some(part) = query.get(from..to) else { continue };
                if part.len() < 3 || part.len() == query.len() {
                    continue;
                }
                if let Some(&id) = self.by_key.get(part) {
                    if self.keys.get(id as usize).is_some_and(|k| k.is_pinyin) {
                        continue;
                    }
                    let score = 0.97 * similarity::score(query, part);
                    if score >= 0.6 * 0.97 {
                        let best = scores.entry(id).or_insert(0.0);
                        *best = best.max(score);
                    }
                }
            }
        }
    }

    /// Names that share enough letter pairs.
    fn add_sharing_pairs(&self, query: &str, scores: &mut Map<u32, f64>) {
        let wanted = pairs_of(query);
        let mut close: Vec<(f64, u32)> = Vec::new();
        for (id, shared) in self.pairs.sharing(&wanted, self.keys.len()) {
            let Some(key) = self.keys.get(id as usize) else { continue };
            let both = share(2 * shared, wanted.len() + key.pairs as usize);
            let of_query = share(shared, wanted.len());
            if both >= PAIRS_SHARED_MIN || of_query >= QUERY_PAIRS_FOUND_MIN {
                close.push((both.max(of_query * 0.6), id));
            }
        }
        let rank = |a: &(f64, u32), b: &(f64, u32)| {
            b.0.total_cmp(&a.0).then_with(|| self.key_text(a.1).cmp(self.key_text(b.1)))
        };
        if close.len() > COMPARED_CLOSELY_MAX {
            close.select_nth_unstable_by(COMPARED_CLOSELY_MAX, rank);
        }
        for (i, (pairs, id)) in close.into_iter().enumerate() {
            let closely = if i < COMPARED_CLOSELY_MAX {
                similarity::score(query, self.key_text(id))
            } else {
                0.0
            };
            // Pairs alone never rank above a name compared letter by letter that looks alike.
            let score = 0.97 * closely.max(pairs * 0.8);
            let best = scores.entry(id).or_insert(0.0);
            *best = best.max(score);
        }
    }

    fn key_text(&self, id: u32) -> &str {
        self.keys.get(id as usize).map_or("", |k| &k.text)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of letter pairs are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Rows in `sorted` whose code begins with `digits` or is a beginning of them.
fn related<'a>(sorted: &'a [(HsCode, u32)], digits: &str) -> impl Iterator<Item = u32> + use<'a> {
    let from = sorted.partition_point(|(code, _)| code.as_str() < digits);
    let longer = sorted.get(from..).unwrap_or(&[]);
    let digits = digits.to_owned();
    let shorter: Vec<u32> = [6, 8]
        .into_iter()
        .filter(|length| *length < digits.len())
        .filter_map(|length| digits.get(..length))
        .flat_map(|beginning| {
            let at = sorted.partition_point(|(code, _)| code.as_str() < beginning);
            let rest = sorted.get(at..).unwrap_or(&[]);
            rest.iter().take_while(move |(code, _)| code.as_str() == beginning).map(|(_, e)| *e)
        })
        .collect();
    longer
        .iter()
        .take_while(move |(code, _)| code.as_str().starts_with(&digits))
        .map(|(_, entry)| *entry)
        .chain(shorter)
}

/// The distinct letter pairs of a key, with its ends marked, and its single Chinese characters:
/// a three-character name with one wrong character shares no pair, but it shares characters.
fn pairs_of(key: &str) -> Vec<u64> {
    let mut out = Vec::with_capacity(key.len() + 2);
    let mut previous = u64::from(u32::from('^'));
    for c in key.chars() {
        let this = u64::from(u32::from(c));
        out.push(previous << 32 | this);
        if is_han(c) {
            out.push(this);
        }
        previous = this;
    }
    out.push(previous << 32 | u64::from(u32::from('$')));
    out.sort_unstable();
    out.dedup();
    out
}

/// Letter pairs, each with the keys it occurs in.
#[derive(Debug, Default)]
struct Pairs {
    ids: Map<u64, u32>,
    starts: Vec<u32>,
    keys: Vec<u32>,
}

impl Pairs {
    fn build(keys: &mut [Key]) -> Self {
        let mut ids: Map<u64, u32> = Map::default();
        let mut counts: Vec<u32> = Vec::new();
        let mut flat: Vec<u32> = Vec::with_capacity(keys.len() * 16);
        for key in keys.iter_mut() {
            let pairs = pairs_of(&key.text);
            key.pairs = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
            for pair in pairs {
                let next = u32::try_from(counts.len()).unwrap_or(u32::MAX);
                let id = *ids.entry(pair).or_insert(next);
                if id == next {
                    counts.push(0);
                }
                if let Some(count) = counts.get_mut(id as usize) {
                    *count += 1;
                }
                flat.push(id);
            }
        }
        let mut starts = Vec::with_capacity(counts.len() + 1);
        let mut total = 0;
        for count in &counts {
            starts.push(total);
            total += count;
        }
        starts.push(total);
        let mut places = starts.clone();
        let mut members = vec![0; total as usize];
        let mut flat = flat.into_iter();
        for (id, key) in (0_u32..).zip(keys.iter()) {
            for pair in flat.by_ref().take(key.pairs as usize) {
                if let Some(place) = places.get_mut(pair as usize) {
                    if let Some(slot) = members.get_mut(*place as usize) {
                        *slot = id;
                    }
                    *place += 1;
                }
            }
        }
        Self { ids, starts, keys: members }
    }

    fn keys_with(&self, pair: u64) -> &[u32] {
        let Some(&id) = self.ids.get(&pair) else { return &[] };
        let at = |i: usize| self.starts.get(i).map(|s| *s as usize);
        match (at(id as usize), at(id as usize + 1)) {
            (Some(from), Some(to)) => self.keys.get(from..to).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// Every key that has at least [`QUERY_PAIRS_FLOOR`] of the wanted pairs, with how many.
    ///
    /// Whoever has that many has one of the rarer ones: only those lists can bring a key in; the
    /// most common ones only raise the count of keys already in. Complete, and it walks few of
    /// the long lists whole.
    fn sharing(&self, wanted: &[u64], key_count: usize) -> Vec<(u32, usize)> {
        let mut lists: Vec<&[u32]> = wanted.iter().map(|pair| self.keys_with(*pair)).collect();
        lists.sort_unstable_by_key(|list| list.len());
        let (part, whole) = QUERY_PAIRS_FLOOR;
        let floor = (wanted.len() * part).div_ceil(whole).max(1);
        let bringing = wanted.len() + 1 - floor.min(wanted.len());
        let mut counts: Vec<u16> = vec![0; key_count];
        let mut touched: Vec<u32> = Vec::new();
        for (i, list) in lists.into_iter().enumerate() {
            for &key in list {
                let Some(count) = counts.get_mut(key as usize) else { continue };
                if *count == 0 {
                    if i >= bringing {
                        continue;
                    }
                    touched.push(key);
                }
                *count += 1;
            }
        }
        let count_of = |key: u32| counts.get(key as usize).map_or(0, |c| usize::from(*c));
        touched.iter().map(|key| (*key, count_of(*key))).filter(|(_, n)| *n >= floor).collect()
    }
}
