//! Free-text search for a person's eyes: names in Chinese and Latin script, pinyin, CAS numbers,
//! codes and their beginnings, entry ids. Ranked; never a decision.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::clearance::Likened;
use super::entry::Entry;
use super::list::List;
use super::material_name::MaterialName;

/// An entry that resembles the text.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Resemblance from 0 to 1.
    pub score: f64,
}

/// Every entry that resembles the text, best first; `scheme` restricts it to one.
#[must_use]
pub fn search<'a>(list: &'a List, text: &MaterialName, scheme: Option<usize>) -> Vec<Hit<'a>> {
    let index = list.index();
    let mut scores: HashMap<u32, f64, RandomState> = HashMap::default();
    let mut add = |positions: &mut dyn Iterator<Item = u32>, score: f64| {
        for position in positions {
            let best = scores.entry(position).or_insert(0.0);
            *best = f64::max(*best, score);
        }
    };
    add(&mut index.by_name(text.normal()).iter().copied(), 1.0);
    for similar in index.similar(text.normal(), usize::MAX).names {
        add(&mut similar.entries.iter().copied(), similar.score);
    }
    if let Some(cas) = text.as_cas().or(text.cas()) {
        add(&mut index.by_cas(cas).iter().copied(), 1.0);
    }
    let digits: String = text.normal().chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    if (4..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        add(&mut index.by_code_digits(&digits), 0.9);
    }
    let by_id =
        (0_u32..).zip(list.entries()).filter(|(_, e)| e.id.eq_ignore_ascii_case(text.given()));
    add(&mut by_id.map(|(position, _)| position), 1.0);
    let entry_at = |(position, score): (u32, f64)| {
        list.entries().get(position as usize).map(|entry| Hit { entry, score })
    };
    let mut hits: Vec<Hit<'a>> = scores
        .into_iter()
        .filter_map(entry_at)
        .filter(|hit| scheme.is_none_or(|s| s == hit.entry.scheme))
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.entry.id.cmp(&b.entry.id)));
    hits
}

/// Which text of the entry resembles the search most.
#[must_use]
pub fn matched_text(entry: &Entry, text: &MaterialName) -> String {
    let cas = text.as_cas().or(text.cas());
    match entry.cas {
        Some(listed) if Some(listed) == cas => listed.to_string(),
        _ if text.normal().bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            entry.hs_code.map(|c| c.to_string()).unwrap_or_default()
        }
        _ => Likened::new(text.normal()).closest_name(entry).to_owned(),
    }
}
