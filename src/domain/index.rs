//! Where names, codes and numbers are found: exact keys for the decision, and an inverted index
//! of pieces of names for candidates.
//!
//! Exact look-ups and similarity never mix: the decision reads only the exact maps. The
//! similarity search is complete, not a heuristic: it finds every name that shares enough
//! pieces with the query, whatever else is listed, so that adding unrelated entries
//! changes no answer.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::cas_number::CasNumber;
use super::entry::{Entry, EntryKind};
use super::hs_code::HsCode;
use super::material_name::is_han;
use super::similarity;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Least share of the pieces of both names that makes them similar, in percent: what a short
/// name keeps with one wrong character.
const SHORT_SHARED_MIN: usize = 50;
/// The same for long names, which keep more.
const LONG_SHARED_MIN: usize = 70;
/// Least share of the query's pieces found in a longer name that makes it similar, in percent.
const QUERY_FOUND_MIN: usize = 80;
/// Queries of at most this many characters are compared by [`short_pieces`], longer ones by
/// [`long_pieces`].
const SHORT_CHARS_MAX: usize = 13;
/// Longest listed name looked for inside a longer query, in characters.
const CONTAINED_CHARS_MAX: usize = 40;
/// Least resemblance of a listed name found inside a longer query.
const CONTAINED_SCORE_MIN: f64 = 0.6;
/// How many of the similar names are compared letter by letter; the others rank behind them.
const COMPARED_CLOSELY_MAX: usize = 12;
/// What looking a key's pieces up costs, in steps of walking a list: measured with
/// `benches/decision.rs`; it moves time, never a result.
const LOOK_UP_COST: usize = 200;

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

/// The distinct letter pairs of a key, with its ends marked, and its single Chinese characters:
/// a three-character name with one wrong character shares no pair, but it shares characters.
fn short_pieces(key: &str) -> Vec<u64> {
    let mut out = Vec::with_capacity(key.len() + 2);
    let mut previous = u64::from(u32::from('^'));
    for c in key.chars() {
        let this = u64::from(u32::from(c));
        out.push(previous << 21 | this);
        if is_han(c) {
            out.push(this);
        }
        previous = this;
    }
    out.push(previous << 21 | u64::from(u32::from('$')));
    out.sort_unstable();
    out.dedup();
    out
}

/// The distinct pairs of Chinese characters and triples of anything else, with the ends marked:
/// in long names pairs of letters are so common that they tell nothing.
fn long_pieces(key: &str) -> Vec<u64> {
    let chars: Vec<u64> = ['^']
        .into_iter()
        .chain(key.chars())
        .chain(['$'])
        .map(|c| u64::from(u32::from(c)))
        .collect();
    let han = |c: u64| u32::try_from(c).ok().and_then(char::from_u32).is_some_and(is_han);
    let mut out: Vec<u64> = chars
        .windows(3)
        .filter_map(|window| match *window {
            [a, b, _] if han(a) && han(b) => Some(a << 21 | b),
            [a, b, c] => Some(a << 42 | b << 21 | c),
            _ => None,
        })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Pieces of keys, each with the keys it occurs in, and of each key its pieces.
#[derive(Debug, Default)]
struct Pieces {
    ids: Map<u64, u32>,
    /// Keys of each piece, as one array cut by `starts`.
    keys: Vec<u32>,
    starts: Vec<u32>,
    /// Sorted pieces of each key, as one array cut by `key_starts`.
    of_keys: Vec<u32>,
    key_starts: Vec<u32>,
}

impl Pieces {
    fn build(keys: &[Key], pieces_of: fn(&str) -> Vec<u64>) -> Self {
        let mut ids: Map<u64, u32> = Map::default();
        let mut counts: Vec<u32> = Vec::new();
        let mut of_keys: Vec<u32> = Vec::with_capacity(keys.len() * 16);
        let mut key_starts: Vec<u32> = Vec::with_capacity(keys.len() + 1);
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        for key in keys {
            let from = of_keys.len();
            key_starts.push(place(from));
            for piece in pieces_of(&key.text) {
                let next = place(counts.len());
                let id = *ids.entry(piece).or_insert(next);
                if id == next {
                    counts.push(0);
                }
                if let Some(count) = counts.get_mut(id as usize) {
                    *count += 1;
                }
                of_keys.push(id);
            }
            if let Some(own) = of_keys.get_mut(from..) {
                own.sort_unstable();
            }
        }
        key_starts.push(place(of_keys.len()));
        of_keys.shrink_to_fit();
        let mut starts = Vec::with_capacity(counts.len() + 1);
        let mut total = 0;
        for count in &counts {
            starts.push(total);
            total += count;
        }
        starts.push(total);
        let mut places = starts.clone();
        let mut members = vec![0; total as usize];
        for key in 0..place(keys.len()) {
            for piece in cut(&of_keys, &key_starts, key) {
                if let Some(place) = places.get_mut(*piece as usize) {
                    if let Some(slot) = members.get_mut(*place as usize) {
                        *slot = key;
                    }
                    *place += 1;
                }
            }
        }
        Self { ids, keys: members, starts, of_keys, key_starts }
    }

    fn keys_with(&self, piece: u32) -> &[u32] {
        cut(&self.keys, &self.starts, piece)
    }

    fn of_key(&self, key: u32) -> &[u32] {
        cut(&self.of_keys, &self.key_starts, key)
    }

    /// Every key that shares enough of the wanted pieces (`shared_min` percent of both or
    /// [`QUERY_FOUND_MIN`] of the query), with how many it shares.
    ///
    /// Whoever shares enough has one of the rarer pieces: only their lists can bring a key in.
    /// The most common pieces, whose lists are by far the longest, are then looked up in the keys
    /// brought in, unless walking their lists is less work. Complete all the same.
    fn sharing(&self, wanted: &[u64], shared_min: usize) -> Vec<(u32, usize)> {
        let least = |own: usize| {
            let of_both = (shared_min * (wanted.len() + own)).div_ceil(200);
            of_both.min((QUERY_FOUND_MIN * wanted.len()).div_ceil(100)).max(1)
        };
        // A name has at least the pieces it shares: below this many, `least` of none is met.
        let floor = (shared_min * wanted.len()).div_ceil(200 - shared_min).max(1);
        let mut ids: Vec<u32> = wanted.iter().filter_map(|p| self.ids.get(p).copied()).collect();
        ids.sort_unstable_by_key(|id| self.keys_with(*id).len());
        // Pieces no key has are the rarest of all.
        let absent = wanted.len() - ids.len();
        let bringing = (wanted.len() + 1).saturating_sub(floor + absent).min(ids.len());
        let (bringing, common) = ids.split_at_checked(bringing).unwrap_or((&ids, &[]));
        let mut counts: Vec<u16> = vec![0; self.key_starts.len()];
        let mut touched: Vec<u32> = Vec::new();
        for id in bringing {
            for &key in self.keys_with(*id) {
                if let Some(count) = counts.get_mut(key as usize) {
                    if *count == 0 {
                        touched.push(key);
                    }
                    *count += 1;
                }
            }
        }
        let count_of =
            |counts: &[u16], key: u32| counts.get(key as usize).map_or(0, |c| usize::from(*c));
        // Only whoever can still reach what it needs is looked at further.
        let mut able: Vec<(u32, usize)> = touched
            .into_iter()
            .map(|key| (key, least(self.of_key(key).len())))
            .filter(|(key, least)| count_of(&counts, *key) + common.len() >= *least)
            .collect();
        let walk: usize = common.iter().map(|id| self.keys_with(*id).len()).sum();
        if walk <= able.len() * LOOK_UP_COST {
            for id in common {
                for &key in self.keys_with(*id) {
                    if let Some(count) = counts.get_mut(key as usize).filter(|c| **c > 0) {
                        *count += 1;
                    }
                }
            }
        } else {
            let mut common = common.to_vec();
            common.sort_unstable();
            for (key, _) in &able {
                let more = u16::try_from(shared_of_sorted(&common, self.of_key(*key)));
                if let (Some(count), Ok(more)) = (counts.get_mut(*key as usize), more) {
                    *count += more;
                }
            }
        }
        able.retain(|(key, least)| count_of(&counts, *key) >= *least);
        able.into_iter().map(|(key, _)| (key, count_of(&counts, key))).collect()
    }
}

/// The part of `all` that belongs to `nth`.
fn cut<'a>(all: &'a [u32], starts: &[u32], nth: u32) -> &'a [u32] {
    let at = |i: usize| starts.get(i).map(|s| *s as usize);
    match (at(nth as usize), at(nth as usize + 1)) {
        (Some(from), Some(to)) => all.get(from..to).unwrap_or(&[]),
        _ => &[],
    }
}

/// How many members two sorted lists share.
fn shared_of_sorted(a: &[u32], b: &[u32]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut shared = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            Ordering::Less => drop(a.next()),
            Ordering::Greater => drop(b.next()),
            Ordering::Equal => {
                shared += 1;
                a.next();
                b.next();
            }
        }
    }
    shared
}
