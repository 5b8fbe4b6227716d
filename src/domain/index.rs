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
use super::parallel::both;
use super::similarity::{self, Compared};

mod keys;
mod names;
mod pieces;

use keys::Keys;
use names::Names;
use pieces::{Cut, Pieces};

type Map<K, V> = HashMap<K, V, RandomState>;

/// Least share of the pieces of both names that makes them similar, in percent: what a short
/// name keeps with one wrong character.
const SHORT_SHARED_MIN: usize = 50;
/// The same for long names, which keep more.
const LONG_SHARED_MIN: usize = 70;
/// Queries of at most this many characters are compared by [`Cut::Short`], longer ones by
/// [`Cut::Long`].
const SHORT_CHARS_MAX: usize = 13;
/// Longest listed name looked for inside a longer query, in characters.
const CONTAINED_CHARS_MAX: usize = 40;
/// Least resemblance of a listed name found inside a longer query.
const CONTAINED_SCORE_MIN: f64 = 0.6;
/// How many of the similar names are compared letter by letter; the others rank behind them.
const COMPARED_CLOSELY_MAX: usize = 12;

/// The index of a list. Positions count from 0 in the list's entries.
#[derive(Debug, Default)]
pub struct Index {
    names: Names,
    cas: Map<CasNumber, Vec<u32>>,
    cas_bodies: Map<u64, Vec<u32>>,
    directory: Map<usize, Vec<u32>>,
    /// Class rows by code.
    classes: Vec<(HsCode, u32)>,
    /// All coded rows by code, for a person's search.
    codes: Vec<(HsCode, u32)>,
    keys: Keys,
    short: Pieces,
    long: Pieces,
}

/// A resemblance, and the key it is of.
type Scored = (f64, u32);

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
        let (names, normals) = Names::build(entries);
        let keys = Keys::build(&normals, &names);
        // The two are independent, and long work.
        let (short, long) =
            both(|| Pieces::build(&keys, Cut::Short), || Pieces::build(&keys, Cut::Long));
        let mut index = Self { names, keys, short, long, ..Self::default() };
        index.add_numbers(entries);
        index
    }

    /// How many distinct names it holds, by their normal form.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names.len()
    }

    /// The exact keys alone: enough to lint a list, not to search it.
    pub(super) fn exact(entries: &[Entry]) -> Self {
        let (names, _) = Names::build(entries);
        let mut index = Self { names, ..Self::default() };
        index.add_numbers(entries);
        index
    }

    fn add_numbers(&mut self, entries: &[Entry]) {
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

    /// Entries that bear exactly this normal form as a name.
    #[must_use]
    pub fn by_name(&self, normal: &str) -> &[u32] {
        self.names.get(normal)
    }

    /// The entries of every name, and the directory rows of every enterprise.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.names.each().chain(self.directory.values().map(Vec::as_slice))
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

    /// The listed names that resemble the query (a normal form) most: at most `names_max`, best
    /// first.
    #[must_use]
    pub fn similar(&self, query_normal: &str, names_max: usize) -> Resembling<'_> {
        let query = similarity::key(query_normal);
        if query.is_empty() || query.bytes().all(|b| b.is_ascii_digit()) {
            // Digits alone are a code or a number: they resemble no name.
            return Resembling::default();
        }
        let (mut close, mut further) = self.sharing_pieces(&query);
        self.add_same_key(&query, &mut further);
        self.add_contained(&query, &mut further);
        // A key found in several ways counts once, with its best score.
        further.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(b.0.total_cmp(&a.0)));
        further.dedup_by_key(|(_, id)| *id);
        let sharing = close.len();
        for (score, id) in further {
            let known = close.get(..sharing).unwrap_or(&[]).binary_search_by_key(&id, |c| c.1);
            match known.ok().and_then(|at| close.get_mut(at)) {
                Some((best, _)) => *best = best.max(score),
                None => close.push((score, id)),
            }
        }
        let total = close.iter().map(|(_, id)| self.keys.bearing(*id)).sum();
        if close.len() > names_max {
            close.select_nth_unstable_by(names_max, best_first);
            close.truncate(names_max);
        }
        close.sort_unstable_by(best_first);
        let best = close
            .into_iter()
            .flat_map(|(score, id)| self.keys.names(id).iter().map(move |name| (score, *name)))
            .map(|(score, name)| Similar { entries: self.names.entries_of(name), score })
            .collect();
        Resembling { names: best, total }
    }

    /// The same key, or the same sound.
    fn add_same_key(&self, query: &str, close: &mut Vec<Scored>) {
        close.extend(self.keys.find(query).map(|id| (0.98, id)));
        if let Some(sound) = similarity::pinyin_key(query) {
            close.extend(self.keys.find(&sound).map(|id| (0.92, id)));
        }
    }

    /// Listed names inside the query: the parent of a salt, the name before a grade.
    fn add_contained(&self, query: &str, close: &mut Vec<Scored>) {
        let compared = Compared::new(query);
        let starts: Vec<usize> =
            query.char_indices().map(|(i, _)| i).chain([query.len()]).collect();
        for (i, &from) in starts.iter().enumerate() {
            let ends = starts.get(i + 2..).unwrap_or(&[]).iter().take(CONTAINED_CHARS_MAX);
            for &to in ends {
                let Some(part) = query.get(from..to) else { continue };
                if part.len() < 3 || part.len() == query.len() {
                    continue;
                }
                let Some(id) = self.keys.find(part).filter(|id| !self.keys.is_pinyin(*id)) else {
                    continue;
                };
                let score = compared.score(part);
                if score >= CONTAINED_SCORE_MIN {
                    close.push((0.97 * score, id));
                }
            }
        }
    }

    /// Names that share enough pieces, in the order of their keys; and the closest of them once
    /// more, compared letter by letter.
    fn sharing_pieces(&self, query: &str) -> (Vec<Scored>, Vec<Scored>) {
        let is_short = query.chars().count() <= SHORT_CHARS_MAX;
        let (pieces, shared_min) =
            if is_short { (&self.short, SHORT_SHARED_MIN) } else { (&self.long, LONG_SHARED_MIN) };
        let wanted = pieces.wanted(query);
        let score = |(id, shared): (u32, usize)| {
            let both = share(2 * shared, wanted.len() + pieces.size(id));
            (both.max(share(shared, wanted.len()) * 0.6), id)
        };
        let mut found: Vec<Scored> =
            pieces.sharing(&wanted, shared_min).into_iter().map(score).collect();
        let mut closest = found.clone();
        if closest.len() > COMPARED_CLOSELY_MAX {
            closest.select_nth_unstable_by(COMPARED_CLOSELY_MAX, best_first);
            closest.truncate(COMPARED_CLOSELY_MAX);
        }
        let compared = Compared::new(query);
        for (score, id) in &mut closest {
            *score = 0.97 * compared.score(self.keys.text(*id));
        }
        // Pieces alone never rank above a name compared letter by letter that looks alike.
        for (score, _) in &mut found {
            *score = 0.97 * (*score * 0.7);
        }
        (found, closest)
    }
}

/// The higher score first; among equals the key whose text comes first.
fn best_first(a: &Scored, b: &Scored) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// A place in an array of the index; none is as long as 2^32.
fn place(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The part of `all` that belongs to `nth`.
fn cut<'a, T>(all: &'a [T], starts: &[u32], nth: u32) -> &'a [T] {
    let at = |i: usize| starts.get(i).map(|s| *s as usize);
    match (at(nth as usize), at(nth as usize + 1)) {
        (Some(from), Some(to)) => all.get(from..to).unwrap_or(&[]),
        _ => &[],
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
