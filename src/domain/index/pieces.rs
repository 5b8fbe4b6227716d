//! Names cut into pieces, and which names share enough of them.
//!
//! Complete by construction: whatever shares enough is found, whatever else is listed.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::material_name::is_han;
use super::Key;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Least share of the query's pieces found in a longer name that makes it similar, in percent.
const QUERY_FOUND_MIN: usize = 80;
/// What looking a key's pieces up costs, in steps of walking a list: measured with
/// `benches/decision.rs`; it moves time, never a result.
const LOOK_UP_COST: usize = 200;

/// The distinct letter pairs of a key, with its ends marked, and its single Chinese characters:
/// a three-character name with one wrong character shares no pair, but it shares characters.
pub(super) fn short_pieces(key: &str) -> Vec<u64> {
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
pub(super) fn long_pieces(key: &str) -> Vec<u64> {
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
pub(super) struct Pieces {
    ids: Map<u64, u32>,
    /// Keys of each piece, as one array cut by `starts`.
    keys: Vec<u32>,
    starts: Vec<u32>,
    /// Sorted pieces of each key, as one array cut by `key_starts`.
    of_keys: Vec<u32>,
    key_starts: Vec<u32>,
}

impl Pieces {
    pub(super) fn build(keys: &[Key], pieces_of: fn(&str) -> Vec<u64>) -> Self {
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

    pub(super) fn of_key(&self, key: u32) -> &[u32] {
        cut(&self.of_keys, &self.key_starts, key)
    }

    /// Every key that shares enough of the wanted pieces (`shared_min` percent of both or
    /// [`QUERY_FOUND_MIN`] of the query), with how many it shares.
    ///
    /// Whoever shares enough has one of the rarer pieces: only their lists can bring a key in.
    /// The most common pieces, whose lists are by far the longest, are then looked up in the keys
    /// brought in, unless walking their lists is less work. Complete all the same.
    pub(super) fn sharing(&self, wanted: &[u64], shared_min: usize) -> Vec<(u32, usize)> {
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
pub(super) fn cut<'a>(all: &'a [u32], starts: &[u32], nth: u32) -> &'a [u32] {
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
