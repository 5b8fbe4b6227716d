//! Names cut into pieces, and which names share enough of them.
//!
//! Complete by construction: whatever shares enough is found, whatever else is listed.

use super::super::material_name::is_han;
use super::keys::Keys;
use super::{Map, cut, place};

/// Least share of the query's pieces found in a longer name that makes it similar, in percent.
const QUERY_FOUND_MIN: usize = 80;

/// Counts that are looked at together.
const LANES: usize = 32;

/// How names are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cut {
    /// Letter pairs, with the ends marked, and single Chinese characters: a three-character
    /// name with one wrong character shares no pair, but it shares characters.
    #[default]
    Short,
    /// Pairs of Chinese characters and triples of anything else, with the ends marked: in long
    /// names pairs of letters are so common that they tell nothing.
    Long,
}

impl Cut {
    /// The distinct pieces of a key.
    pub(super) fn distinct(self, key: &str) -> Vec<u64> {
        let mut out = Vec::with_capacity(key.len() + 1);
        self.each(key, |piece| out.push(piece));
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Shows every piece of a key, repeated ones too: at most one more than it has bytes.
    fn each(self, key: &str, mut see: impl FnMut(u64)) {
        let mut before = (0, false);
        let mut last = (u64::from('^'), false);
        let ends = [('$', false)].into_iter();
        for (c, is_han) in key.chars().map(|c| (c, is_han(c))).chain(ends) {
            let this = u64::from(c);
            match self {
                Self::Short => {
                    see(last.0 << 21 | this);
                    if is_han {
                        see(this);
                    }
                }
                // The first character alone makes no triple.
                Self::Long if before.0 == 0 => {}
                Self::Long if before.1 && last.1 => see(before.0 << 21 | last.0),
                Self::Long => see(before.0 << 42 | last.0 << 21 | this),
            }
            before = last;
            last = (this, is_han);
        }
    }
}

/// Pieces of keys, each with the keys it occurs in.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    cut: Cut,
    ids: Map<u64, u32>,
    /// Keys of each piece, as one array cut by `starts`.
    keys: Vec<u32>,
    starts: Vec<u32>,
    /// How many distinct pieces each key has.
    sizes: Vec<u32>,
}

impl Pieces {
    pub(super) fn build(keys: &Keys, cut: Cut) -> Self {
        let mut ids: Map<u64, u32> = Map::default();
        // Of each piece: how many keys have it, and the last that was seen to.
        let mut seen: Vec<(u32, u32)> = Vec::new();
        let mut pieces: Vec<u32> = Vec::with_capacity(keys.text_bytes() + keys.len());
        let mut sizes: Vec<u32> = Vec::with_capacity(keys.len());
        for (key, text) in (0_u32..).zip(keys.each_text()) {
            let before = pieces.len();
            cut.each(text, |piece| {
                let next = place(seen.len());
                let id = *ids.entry(piece).or_insert(next);
                if id == next {
                    seen.push((0, u32::MAX));
                }
                if let Some((count, last)) = seen.get_mut(id as usize).filter(|s| s.1 != key) {
                    *last = key;
                    *count += 1;
                    pieces.push(id);
                }
            });
            sizes.push(place(pieces.len() - before));
        }
        let mut starts = Vec::with_capacity(seen.len() + 1);
        let mut total = 0;
        for (count, _) in &seen {
            starts.push(total);
            total += count;
        }
        starts.push(total);
        let mut free = starts.clone();
        let mut members = vec![0; total as usize];
        let mut pieces = pieces.into_iter();
        for (key, size) in (0_u32..).zip(&sizes) {
            for piece in pieces.by_ref().take(*size as usize) {
                let Some(next) = free.get_mut(piece as usize) else { continue };
                if let Some(slot) = members.get_mut(*next as usize) {
                    *slot = key;
                }
                *next += 1;
            }
        }
        Self { cut, ids, keys: members, starts, sizes }
    }

    /// How many distinct pieces a key has.
    pub(super) fn size(&self, key: u32) -> usize {
        self.sizes.get(key as usize).map_or(0, |size| *size as usize)
    }

    /// The distinct pieces of a query.
    pub(super) fn wanted(&self, query: &str) -> Vec<u64> {
        self.cut.distinct(query)
    }

    /// Every key that shares enough of the wanted pieces (`shared_min` percent of both or
    /// [`QUERY_FOUND_MIN`] of the query), with how many it shares, in the order of the keys.
    pub(super) fn sharing(&self, wanted: &[u64], shared_min: usize) -> Vec<(u32, usize)> {
        let of_query = (QUERY_FOUND_MIN * wanted.len()).div_ceil(100);
        let least =
            |own: usize| (shared_min * (wanted.len() + own)).div_ceil(200).min(of_query).max(1);
        // A name has at least the pieces it shares: below this many, `least` of none is met.
        let floor = (shared_min * wanted.len()).div_ceil(200 - shared_min).max(1);
        let lists: Vec<&[u32]> = wanted
            .iter()
            .filter_map(|piece| self.ids.get(piece))
            .map(|id| cut(&self.keys, &self.starts, *id))
            .collect();
        if lists.len() < floor {
            return Vec::new();
        }
        let mut counts = vec![0_u16; self.sizes.len()];
        for list in lists {
            for &key in list {
                if let Some(count) = counts.get_mut(key as usize) {
                    *count += 1;
                }
            }
        }
        let mut out = Vec::new();
        for (first, counts) in (0_u32..).step_by(LANES).zip(counts.chunks(LANES)) {
            // Most keys share nothing, and are passed over many at a time.
            if usize::from(counts.iter().fold(0, |most, count| *count.max(&most))) < floor {
                continue;
            }
            for (key, count) in (first..).zip(counts) {
                let shared = usize::from(*count);
                if shared >= floor && shared >= least(self.size(key)) {
                    out.push((key, shared));
                }
            }
        }
        out
    }
}
