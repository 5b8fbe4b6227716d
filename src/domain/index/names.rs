//! The distinct names of a list by their normal form, each with the entries that bear it.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::entry::{Entry, ListedName};
use super::{Map, cut, place};

/// A listed name's place among all distinct names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NameId(u32);

/// Which entries bear which name.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_normal: Map<Arc<str>, Bearers>,
    /// Entries of each name, as one array cut by `starts`.
    entries: Vec<u32>,
    starts: Vec<u32>,
}

/// The entries that bear a name. One or two stand beside the name: a decision waits for memory
/// more than for anything else, and this is one array less to wait for.
#[derive(Debug, Clone, Copy)]
enum Bearers {
    One([u32; 1]),
    Two([u32; 2]),
    Many(NameId),
}

impl Names {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_normal.len()
    }

    /// The names of these entries, and their normal forms.
    pub(super) fn build(entries: &[Entry]) -> (Self, Vec<(NameId, &str)>) {
        // Entries of one material share their names, so most are told apart by address alone.
        let mut by_address: Map<usize, u32> = Map::default();
        let mut listed: Vec<&ListedName> = Vec::new();
        let mut uses: Vec<(u32, u32)> = Vec::with_capacity(entries.len() * 2);
        for (position, entry) in (0_u32..).zip(entries) {
            for name in entry.names() {
                let nth =
                    *by_address.entry(Arc::as_ptr(&name.normal).addr()).or_insert_with(|| {
                        listed.push(name);
                        place(listed.len() - 1)
                    });
                uses.push((nth, position));
            }
        }
        let mut by_normal: Map<Arc<str>, Bearers> =
            HashMap::with_capacity_and_hasher(listed.len(), foldhash::fast::RandomState::default());
        let mut normals: Vec<(NameId, &str)> = Vec::with_capacity(listed.len());
        let mut ids: Vec<NameId> = Vec::with_capacity(listed.len());
        for name in listed {
            let bearers = by_normal.entry(Arc::clone(&name.normal)).or_insert_with(|| {
                let id = NameId(place(normals.len()));
                normals.push((id, &name.normal));
                Bearers::Many(id)
            });
            if let Bearers::Many(id) = *bearers {
                ids.push(id);
            }
        }
        let named =
            uses.iter().filter_map(|(nth, position)| Some((*ids.get(*nth as usize)?, *position)));
        let (entries, starts) = grouped(named, normals.len());
        for bearers in by_normal.values_mut() {
            let Bearers::Many(id) = *bearers else { continue };
            match *cut(&entries, &starts, id.0) {
                [one] => *bearers = Bearers::One([one]),
                [one, other] => *bearers = Bearers::Two([one, other]),
                _ => {}
            }
        }
        (Self { by_normal, entries, starts }, normals)
    }

    /// Entries that bear exactly this normal form.
    pub(super) fn get(&self, normal: &str) -> &[u32] {
        match self.by_normal.get(normal) {
            Some(Bearers::One(entries)) => entries,
            Some(Bearers::Two(entries)) => entries,
            Some(Bearers::Many(id)) => self.entries_of(*id),
            None => &[],
        }
    }

    /// Entries that bear this name.
    pub(super) fn entries_of(&self, id: NameId) -> &[u32] {
        cut(&self.entries, &self.starts, id.0)
    }

    /// The entries of every name, name by name.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u32]> {
        (0..place(self.starts.len().saturating_sub(1))).map(|id| self.entries_of(NameId(id)))
    }
}

/// Positions by the name they belong to, as one array and where each name's part begins.
/// Positions come in ascending order and stay so; one that comes twice for a name is kept once.
fn grouped(
    named: impl Iterator<Item = (NameId, u32)> + Clone,
    count: usize,
) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; count + 1];
    let mut last = vec![u32::MAX; count];
    let distinct = named.filter(move |(id, position)| {
        let before = last.get_mut(id.0 as usize);
        before.is_some_and(|before| std::mem::replace(before, *position) != *position)
    });
    for (id, _) in distinct.clone() {
        if let Some(start) = starts.get_mut(id.0 as usize + 1) {
            *start += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut free = starts.clone();
    let mut entries = vec![0_u32; total as usize];
    for (id, position) in distinct {
        let Some(next) = free.get_mut(id.0 as usize) else { continue };
        if let Some(slot) = entries.get_mut(*next as usize) {
            *slot = position;
        }
        *next += 1;
    }
    (entries, starts)
}
