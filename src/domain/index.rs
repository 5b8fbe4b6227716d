//! Where names, codes and numbers are found: exact keys for the decision, and an inverted index
//! of pieces of names for candidates.
//!
//! Exact look-ups and similarity never mix: the decision reads only the exact maps. The
//! similarity search is complete, not a heuristic: it finds every name that shares enough
//! pieces with the query, whatever else is listed, so that adding unrelated entries
//! changes no answer.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::cas_number::CasNumber;
use super::entry::{Entry, EntryKind};
use super::hs_code::HsCode;
use super::similarity;

mod pieces;

use pieces::{Pieces, cut, long_pieces, short_pieces};

type Map<K, V> = HashMap<K, V, RandomState>;

/// Least share of the pieces of both names that makes them similar, in percent: what a short
/// name keeps with one wrong character.
const SHORT_SHARED_MIN: usize = 50;
/// The same for long names, which keep more.
const LONG_SHARED_MIN: usize = 70;
/// Queries of at most this many characters are compared by [`short_pieces`], longer ones by
/// [`long_pieces`].
const SHORT_CHARS_MAX: usize = 13;
/// Longest listed name looked for inside a longer query, in characters.
const CONTAINED_CHARS_MAX: usize = 40;
/// Least resemblance of a listed name found inside a longer query.
const CONTAINED_SCORE_MIN: f64 = 0.6;
/// How many of the similar names are compared letter by letter; the others rank behind them.
const COMPARED_CLOSELY_MAX: usize = 12;

/// A listed name's place among all distinct names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct NameId(u32);

/// The index of a list. Positions count from 0 in the list's entries.
#[derive(Debug, Default)]
pub struct Index {
    /// Normal form to name and to where its entries stand in `name_entries`.
    names: Map<Box<str>, (NameId, u32, u32)>,
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
    key_lengths: Lengths,
    short: Pieces,
    long: Pieces,
}

/// Which lengths in bytes any key has, so that parts of no such length are not looked up.
#[derive(Debug, Default)]
struct Lengths(Vec<bool>);

impl Lengths {
    fn has(&self, text: &str) -> bool {
        self.0.get(text.len()).copied().unwrap_or(false)
    }

    fn add(&mut self, text: &str) {
        if self.0.len() <= text.len() {
            self.0.resize(text.len() + 1, false);
        }
        if let Some(slot) = self.0.get_mut(text.len()) {
            *slot = true;
        }
    }
}

#[derive(Debug)]
struct Key {
    text: Box<str>,
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

/// Names that resemble a query, and how many entries bear one of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resembling<'a> {
    /// Best first.
    pub names: Vec<Similar<'a>>,
    /// Entries that bear a name that resembles the query, those not in `names` too. An entry
    /// with several such names counts once for each.
    pub total: usize,
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
        let mut ids: Map<&str, NameId> = Map::default();
        let mut uses: Vec<(NameId, u32)> = Vec::with_capacity(entries.len() * 2);
        for (position, entry) in (0_u32..).zip(entries) {
            for name in entry.names() {
                let next = NameId(u32::try_from(ids.len()).unwrap_or(u32::MAX));
                uses.push((*ids.entry(&name.normal).or_insert(next), position));
            }
        }
        uses.sort_unstable();
        uses.dedup();
        self.name_starts.reserve(ids.len() + 1);
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
        let at = |i: u32| self.name_starts.get(i as usize).copied().unwrap_or(0);
        let placed = |(name, id): (&str, NameId)| (name.into(), (id, at(id.0), at(id.0 + 1)));
        self.names = ids.into_iter().map(placed).collect();
    }

    fn add_keys(&mut self) {
        let mut sorted: Vec<(&str, NameId)> =
            self.names.iter().map(|(n, (id, ..))| (&**n, *id)).collect();
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
            keys.push(Key { text, is_pinyin, names: vec![name] });
        };
        for (normal, id) in sorted {
            let key = similarity::key(normal);
            if let Some(pinyin) = similarity::pinyin_key(&key) {
                add(pinyin, true, id);
            }
            add(key, false, id);
        }
        for key in &keys {
            self.key_lengths.add(&key.text);
        }
        // The two are independent, and by far the longest part of building a list.
        (self.short, self.long) = std::thread::scope(|scope| {
            let short = scope.spawn(|| Pieces::build(&keys, short_pieces));
            let long = Pieces::build(&keys, long_pieces);
            match short.join() {
                Ok(short) => (short, long),
                // An index without its short names would call similar ones unknown.
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        });
        self.keys = keys;
        self.by_key = by_key;
    }

    /// Entries that bear exactly this normal form as a name.
    #[must_use]
    pub fn by_name(&self, normal: &str) -> &[u32] {
        let Some((_, from, to)) = self.names.get(normal) else { return &[] };
        self.name_entries.get(*from as usize..*to as usize).unwrap_or(&[])
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
        cut(&self.name_entries, &self.name_starts, id.0)
    }

    /// The listed names that resemble the query (a normal form) most: at most `names_max`, best
    /// first.
    #[must_use]
    pub fn similar(&self, query_normal: &str, names_max: usize) -> Resembling<'_> {
        let query = similarity::key(query_normal);
        if query.is_empty() || query.bytes().all(|b| b.is_ascii_digit()) {
            // Digits alone are a code or a number: they resemble no name.
            return Resembling::default();
        }
        let mut close = Vec::new();
        self.add_sharing_pieces(&query, &mut close);
        self.add_same_key(&query, &mut close);
        self.add_contained(&query, &mut close);
        // A key found in several ways counts once, with its best score.
        close.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(b.0.total_cmp(&a.0)));
        close.dedup_by_key(|(_, id)| *id);
        let named = |id: u32| self.keys.get(id as usize).map_or(&[][..], |k| &k.names);
        let bearing = |id: u32| named(id).iter().map(|n| self.entries_of(*n).len()).sum::<usize>();
        let total = close.iter().map(|(_, id)| bearing(*id)).sum();
        let best_first = |a: &(f64, u32), b: &(f64, u32)| {
            b.0.total_cmp(&a.0).then_with(|| self.key_text(a.1).cmp(self.key_text(b.1)))
        };
        if close.len() > names_max {
            close.select_nth_unstable_by(names_max, best_first);
            close.truncate(names_max);
        }
        close.sort_unstable_by(best_first);
        let best = close
            .into_iter()
            .flat_map(|(score, id)| named(id).iter().map(move |name| (score, *name)))
            .map(|(score, name)| Similar { entries: self.entries_of(name), score })
            .collect();
        Resembling { names: best, total }
    }

    /// The same key, or the same sound.
    fn add_same_key(&self, query: &str, close: &mut Vec<(f64, u32)>) {
        close.extend(self.by_key.get(query).map(|id| (0.98, *id)));
        if let Some(sound) = similarity::pinyin_key(query) {
            close.extend(self.by_key.get(sound.as_str()).map(|id| (0.92, *id)));
        }
    }

    /// Listed names inside the query: the parent of a salt, the name before a grade.
    fn add_contained(&self, query: &str, close: &mut Vec<(f64, u32)>) {
        let starts: Vec<usize> =
            query.char_indices().map(|(i, _)| i).chain([query.len()]).collect();
        for (i, &from) in starts.iter().enumerate() {
            let ends = starts.get(i + 2..).unwrap_or(&[]).iter().take(CONTAINED_CHARS_MAX);
            for &to in ends {
                let Some(part) = query.get(from..to) else { continue };
                if part.len() < 3 || part.len() == query.len() || !self.key_lengths.has(part) {
                    continue;
                }
                let Some(&id) = self.by_key.get(part) else { continue };
                if self.keys.get(id as usize).is_some_and(|k| k.is_pinyin) {
                    continue;
                }
                let score = similarity::score(query, part);
                if score >= CONTAINED_SCORE_MIN {
                    close.push((0.97 * score, id));
                }
            }
        }
    }

    /// Names that share enough pieces.
    fn add_sharing_pieces(&self, query: &str, close: &mut Vec<(f64, u32)>) {
        let is_short = query.chars().count() <= SHORT_CHARS_MAX;
        let (pieces, wanted, shared_min) = if is_short {
            (&self.short, short_pieces(query), SHORT_SHARED_MIN)
        } else {
            (&self.long, long_pieces(query), LONG_SHARED_MIN)
        };
        let mut found: Vec<(f64, u32)> = pieces
            .sharing(&wanted, shared_min)
            .into_iter()
            .map(|(id, shared)| {
                let both = share(2 * shared, wanted.len() + pieces.of_key(id).len());
                (both.max(share(shared, wanted.len()) * 0.6), id)
            })
            .collect();
        let rank = |a: &(f64, u32), b: &(f64, u32)| {
            b.0.total_cmp(&a.0).then_with(|| self.key_text(a.1).cmp(self.key_text(b.1)))
        };
        if found.len() > COMPARED_CLOSELY_MAX {
            found.select_nth_unstable_by(COMPARED_CLOSELY_MAX, rank);
        }
        for (i, (pieces, id)) in found.into_iter().enumerate() {
            let compared = i < COMPARED_CLOSELY_MAX;
            let closely = if compared { similarity::score(query, self.key_text(id)) } else { 0.0 };
            // Pieces alone never rank above a name compared letter by letter that looks alike.
            close.push((0.97 * closely.max(pieces * 0.7), id));
        }
    }

    fn key_text(&self, id: u32) -> &str {
        self.keys.get(id as usize).map_or("", |k| &k.text)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pieces are far below 2^52")]
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
