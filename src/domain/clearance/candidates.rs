//! Entries that resemble a question nothing matched: near names, other codes, class rows,
//! parents and children, numbers with a mistyped check digit. Ranked for a person.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::cas_number::CasError;
use super::super::entry::{Entry, EntryKind};
use super::super::finding::{Finding, Reason};
use super::super::list::List;
use super::super::question::Question;
use super::super::similarity::{self, Compared};
use super::cas_contradicts;

/// Most candidates an answer carries; the decision says how many there are in all.
pub const CANDIDATES_MAX: usize = 10;

/// Names that are ranked as candidates: several times [`CANDIDATES_MAX`], because one entry may
/// bear several of them.
const NAMES_MAX: usize = 48;

/// A similar entry.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Its place in the list, from 0.
    pub place: usize,
    /// Resemblance from 0 to 1; ranks, decides nothing.
    pub score: f64,
    /// What differs from the question.
    pub differences: Vec<Finding<'a>>,
    /// Which name of the entry resembles the question's; empty for a number or a code.
    pub matched_text: &'a str,
}

/// The best candidates, and how many there are in all.
pub(super) fn find<'a>(list: &'a List, question: &'a Question) -> (Vec<Candidate<'a>>, usize) {
    let mut found = Found { scores: HashMap::default(), further: 0, list, question };
    let index = list.index();
    if let Some(name) = &question.name {
        // The name itself, under another code, as a class, or with another CAS number.
        found.add(index.by_name(name.normal()).iter().copied(), 1.0);
        let resembling = index.similar(name.normal(), NAMES_MAX);
        found.further =
            resembling.total - resembling.names.iter().map(|n| n.entries.len()).sum::<usize>();
        for similar in resembling.names {
            found.add(similar.entries.iter().copied(), similar.score);
        }
        if let Some(CasError::CheckDigit { body, .. }) = name.broken_cas() {
            found.add(index.by_cas_body(*body).iter().copied(), 0.9);
        }
    }
    if let Some(cas) = question.cas {
        found.add(index.by_cas(cas).iter().copied(), 0.95);
    }
    // A class row under this code may be what the material belongs to, whatever its name.
    found.add(index.related_classes(question.hs_code), 0.45);
    found.ranked()
}

struct Found<'a> {
    scores: HashMap<u32, f64, RandomState>,
    /// Entries that resemble less than the best [`NAMES_MAX`] names do; counted, not ranked.
    further: usize,
    list: &'a List,
    question: &'a Question,
}

impl<'a> Found<'a> {
    fn add(&mut self, positions: impl Iterator<Item = u32>, score: f64) {
        for position in positions {
            let in_scheme = |e: &Entry| self.question.scheme.is_none_or(|s| s == e.scheme);
            if self.list.entries().get(position as usize).is_some_and(in_scheme) {
                let best = self.scores.entry(position).or_insert(0.0);
                *best = best.max(score);
            }
        }
    }

    /// Best first; among equals the end user's own rows, then rows under a related code. One
    /// row of each material comes before further rows of the same, so that many enterprises
    /// listing one material do not hide the next.
    fn ranked(self) -> (Vec<Candidate<'a>>, usize) {
        let total = self.scores.len() + self.further;
        let mut rows: Vec<Row<'a>> =
            self.scores.iter().filter_map(|(p, s)| self.row(*p, *s)).collect();
        rows.sort_by(Row::compare);
        let mut seen: HashMap<&str, usize, RandomState> = HashMap::default();
        let mut ordered: Vec<(usize, Row<'a>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let name = row.entry.name_zh.as_ref().map_or("", |n| &n.normal);
            let nth = seen.entry(name).or_insert(0);
            ordered.push((*nth, row));
            *nth += 1;
        }
        ordered.sort_by_key(|(nth, _)| *nth);
        let best = ordered.into_iter().take(CANDIDATES_MAX);
        let likened = self.question.name.as_ref().map(|name| Likened::new(name.normal()));
        (best.map(|(_, row)| self.candidate(&row, likened.as_ref())).collect(), total)
    }

    fn row(&self, position: u32, score: f64) -> Option<Row<'a>> {
        let place = position as usize;
        let entry = self.list.entries().get(place)?;
        let own = self.list.enterprise_of(entry).map(|e| e.uscc) == self.question.end_user;
        let related = entry.hs_code.is_some_and(|c| c.is_related(&self.question.hs_code));
        Some(Row { entry, place, score, own, related })
    }

    fn candidate(&self, row: &Row<'a>, likened: Option<&Likened>) -> Candidate<'a> {
        Candidate {
            entry: row.entry,
            place: row.place,
            score: row.score,
            differences: differences(row.entry, self.question),
            matched_text: likened.map_or("", |name| name.closest_name(row.entry)),
        }
    }
}

/// A name that those of entries are compared with, by spelling and by sound.
#[derive(Debug)]
pub(in crate::domain) struct Likened {
    key: Compared,
    sound: Option<Compared>,
}

impl Likened {
    /// Gets a normal form ready.
    pub(in crate::domain) fn new(normal: &str) -> Self {
        let key = similarity::key(normal);
        let sound = similarity::pinyin_key(&key).map(|sound| Compared::new(&sound));
        Self { key: Compared::new(&key), sound }
    }

    fn score(&self, normal: &str) -> f64 {
        let listed = similarity::key(normal);
        // Without Chinese characters a key is its own sound.
        let sound = self.sound.as_ref().unwrap_or(&self.key);
        let by_sound = similarity::pinyin_key(&listed).map_or(0.0, |p| sound.score(&p));
        self.key.score(&listed).max(by_sound * 0.95)
    }

    /// The name of an entry that resembles it most, as listed.
    pub(in crate::domain) fn closest_name<'a>(&self, entry: &'a Entry) -> &'a str {
        let mut best = ("", -1.0);
        for name in entry.names() {
            let this = self.score(&name.normal);
            if this > best.1 {
                best = (&*name.text, this);
            }
        }
        best.0
    }
}

struct Row<'a> {
    entry: &'a Entry,
    place: usize,
    score: f64,
    own: bool,
    related: bool,
}

impl Row<'_> {
    fn compare(a: &Self, b: &Self) -> std::cmp::Ordering {
        b.score
            .total_cmp(&a.score)
            .then_with(|| b.own.cmp(&a.own))
            .then_with(|| b.related.cmp(&a.related))
            .then_with(|| a.entry.id.cmp(&b.entry.id))
    }
}

/// What keeps an entry from matching.
fn differences<'a>(entry: &'a Entry, question: &'a Question) -> Vec<Finding<'a>> {
    let mut out = Vec::new();
    if let Some(code) = entry.hs_code
        && (code != question.hs_code || !code.is_full())
    {
        let incomplete = code.is_related(&question.hs_code);
        let reason = if incomplete { Reason::HsCodeIncomplete } else { Reason::HsCodeDiffers };
        out.push(Finding::new(reason, code.to_string(), question.hs_code.to_string()));
    }
    if let Some(name) = &question.name {
        let listed = entry.name_zh.as_ref().map_or("", |n| &*n.text);
        if !entry.names().any(|n| *n.normal == *name.normal()) {
            out.push(Finding::new(Reason::NameDiffers, listed, name.given()));
        }
    }
    if let (Some(listed), Some(given)) = (entry.cas, question.cas)
        && cas_contradicts(entry, question)
    {
        out.push(Finding::new(Reason::CasDiffers, listed.to_string(), given.to_string()));
    }
    if entry.kind == EntryKind::Class {
        out.push(Finding::new(Reason::ClassEntry, "item", "class"));
    }
    out
}
