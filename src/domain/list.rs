//! A list: schemes, enterprises and entries, built whole, linted whole, immutable after.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use jiff::civil::Date;

use super::entry::{Enterprise, EnterpriseState, Entry, EntryState, ListedName, Scheme};
use super::index::Index;
use super::material_name::{MaterialName, NameError, passes_for_another};
use super::message::{Refusal, excerpt};
use super::uscc::Uscc;

/// A list that passed lint. Nothing else can build one.
#[derive(Debug)]
pub struct List {
    schemes: Vec<Scheme>,
    enterprises: Vec<Enterprise>,
    entries: Vec<Entry>,
    by_uscc: HashMap<Uscc, usize, RandomState>,
    /// Built at once for a list that will answer, else when it is first asked.
    index: OnceLock<Arc<Index>>,
}

impl List {
    /// Lints the rows together and indexes them. Rows refer to schemes and enterprises by
    /// position.
    ///
    /// # Errors
    /// Every conflict between rows, not the first.
    pub fn build(
        schemes: Vec<Scheme>,
        enterprises: Vec<Enterprise>,
        entries: Vec<Entry>,
    ) -> Result<Self, Vec<Conflict>> {
        Self::build_indexed(schemes, enterprises, entries, true)
    }

    /// Lints the rows together as [`List::build`] does; the index is built when it is first
    /// asked for. For a list that is checked and will hardly answer: a past revision.
    ///
    /// # Errors
    /// Every conflict between rows, not the first.
    pub fn build_unindexed(
        schemes: Vec<Scheme>,
        enterprises: Vec<Enterprise>,
        entries: Vec<Entry>,
    ) -> Result<Self, Vec<Conflict>> {
        Self::build_indexed(schemes, enterprises, entries, false)
    }

    fn build_indexed(
        schemes: Vec<Scheme>,
        enterprises: Vec<Enterprise>,
        entries: Vec<Entry>,
        indexed: bool,
    ) -> Result<Self, Vec<Conflict>> {
        let mut conflicts = dangling(&schemes, &enterprises, &entries);
        let index = OnceLock::new();
        if indexed {
            let index = index.get_or_init(|| Arc::new(Index::build(&entries)));
            conflicts.extend(collisions(&entries, index));
        } else {
            conflicts.extend(collisions(&entries, &Index::exact(&entries)));
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let by_uscc = enterprises.iter().enumerate().map(|(i, e)| (e.uscc, i)).collect();
        Ok(Self { schemes, enterprises, entries, by_uscc, index })
    }

    /// The schemes.
    #[must_use]
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// The enterprises.
    #[must_use]
    pub fn enterprises(&self) -> &[Enterprise] {
        &self.enterprises
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where names, codes and numbers are found.
    #[must_use]
    pub fn index(&self) -> &Index {
        self.index.get_or_init(|| Arc::new(Index::build(&self.entries)))
    }

    /// Builds the index now, so that no question waits for it.
    pub fn prepare(&self) {
        self.index.get_or_init(|| Arc::new(Index::build(&self.entries)));
    }

    /// The list with some entries and enterprises suspended, every row in its place. States are
    /// no part of lint or index, so it is as good as this one, and shares the index.
    #[must_use]
    pub fn suspended(
        &self,
        is_entry: impl Fn(&Entry) -> bool,
        is_enterprise: impl Fn(&Enterprise) -> bool,
    ) -> Self {
        self.prepare();
        let mut entries = self.entries.clone();
        // What was withdrawn stays withdrawn.
        let active = |e: &&mut Entry| e.state == EntryState::Active && is_entry(e);
        for entry in entries.iter_mut().filter(active) {
            entry.state = EntryState::Suspended;
        }
        let mut enterprises = self.enterprises.clone();
        for enterprise in enterprises.iter_mut().filter(|e| is_enterprise(e)) {
            // A ban without a window stays a ban. Outside its window one lets everything through.
            let window = enterprise.state_from.is_some() || enterprise.state_until.is_some();
            if enterprise.state != EnterpriseState::Banned || window {
                enterprise.state = EnterpriseState::Suspended;
                (enterprise.state_from, enterprise.state_until) = (None, None);
            }
        }
        let (schemes, by_uscc) = (self.schemes.clone(), self.by_uscc.clone());
        Self { schemes, enterprises, entries, by_uscc, index: self.index.clone() }
    }

    /// The scheme of an entry of this list; `None` only for an entry of another list.
    #[must_use]
    pub fn scheme_of(&self, entry: &Entry) -> Option<&Scheme> {
        self.schemes.get(entry.scheme)
    }

    /// The enterprise of an entry of this list; `None` only for an entry of another list.
    #[must_use]
    pub fn enterprise_of(&self, entry: &Entry) -> Option<&Enterprise> {
        self.enterprises.get(entry.enterprise)
    }

    /// Position of the scheme with this id.
    #[must_use]
    pub fn scheme_by_id(&self, id: &str) -> Option<usize> {
        self.schemes.iter().position(|s| &*s.id == id)
    }

    /// Position of the enterprise with this code.
    #[must_use]
    pub fn enterprise_by_uscc(&self, uscc: Uscc) -> Option<usize> {
        self.by_uscc.get(&uscc).copied()
    }

    /// What a keeper of the list should look at, although it is no error: names that two
    /// different materials share under one code, and rows that can never answer LISTED.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut out = Vec::new();
        for (position, entry) in self.entries.iter().enumerate() {
            if entry.hs_code.is_some_and(|code| !code.is_full()) {
                out.push(Warning::CodeIncomplete { entry: position });
            }
        }
        let mut seen: HashMap<(&str, _), usize, RandomState> = HashMap::default();
        for (position, entry) in self.entries.iter().enumerate() {
            for name in entry.names() {
                let first = *seen.entry((&*name.normal, entry.hs_code)).or_insert(position);
                let Some(other) = self.entries.get(first) else { continue };
                let same_name = other.name_zh.as_ref().map(|n| &n.normal)
                    == entry.name_zh.as_ref().map(|n| &n.normal);
                let same_cas = matches!((other.cas, entry.cas), (Some(a), Some(b)) if a == b);
                if !same_name && !same_cas {
                    let name = (*name.text).into();
                    out.push(Warning::NameShared { entry: position, other: first, name });
                }
            }
        }
        out
    }
}

/// Two rows that cannot stand in one list, or a row that refers to nothing. Positions count
/// from 0 in the entries given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// One enterprise and scheme has two rows with one code and one name, valid at once.
    Collision {
        /// The later row.
        entry: usize,
        /// The earlier row.
        other: usize,
        /// The name they share, as the later row writes it; empty for directory rows.
        name: Box<str>,
    },
    /// A row refers to a scheme or an enterprise that is not there.
    Dangling {
        /// The row.
        entry: usize,
    },
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The code has 6 or 8 digits: the row gives candidates and never LISTED.
    CodeIncomplete {
        /// The row.
        entry: usize,
    },
    /// Two materials share a name under one code.
    NameShared {
        /// The later row.
        entry: usize,
        /// The earlier row.
        other: usize,
        /// The name.
        name: Box<str>,
    },
}

fn dangling(schemes: &[Scheme], enterprises: &[Enterprise], entries: &[Entry]) -> Vec<Conflict> {
    let broken = |e: &Entry| e.scheme >= schemes.len() || e.enterprise >= enterprises.len();
    let positions = entries.iter().enumerate().filter(|(_, e)| broken(e));
    positions.map(|(entry, _)| Conflict::Dangling { entry }).collect()
}

/// Each pair of colliding rows once, in the order of the later row and of its names.
fn collisions(entries: &[Entry], index: &Index) -> Vec<Conflict> {
    let at = |position: u32| entries.get(position as usize);
    let mut found: Vec<(u32, usize, u32)> = Vec::new();
    let key = |position: &u32| at(*position).map(|e| (e.scheme, e.enterprise, e.hs_code));
    let mut rows: Vec<u32> = Vec::new();
    for group in index.groups().filter(|group| group.len() > 1) {
        rows.clear();
        rows.extend(group);
        // Of one key in the order of the list, as they came.
        rows.sort_by_key(key);
        for alike in rows.chunk_by(|a, b| key(a) == key(b)) {
            for (nth, later) in alike.iter().enumerate() {
                for earlier in alike.iter().take(nth) {
                    let Some((first, second)) = at(*earlier).zip(at(*later)) else { continue };
                    if overlaps(first, second) {
                        found.push((*later, shared_name(second, first), *earlier));
                    }
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    let conflicts = found.into_iter().map(|(later, nth, earlier)| Conflict::Collision {
        entry: later as usize,
        other: earlier as usize,
        name: at(later)
            .and_then(|e| e.names().nth(nth))
            .map(|n| (*n.text).into())
            .unwrap_or_default(),
    });
    conflicts.collect()
}

/// Which name of a row is the first that another has too; past the last for directory rows.
fn shared_name(entry: &Entry, other: &Entry) -> usize {
    let shared = |n: &ListedName| other.names().any(|o| o.normal == n.normal);
    entry.names().position(shared).unwrap_or(usize::MAX)
}

fn overlaps(a: &Entry, b: &Entry) -> bool {
    let from = |e: &Entry| e.valid_from.unwrap_or(Date::MIN);
    let to = |e: &Entry| e.valid_to.unwrap_or(Date::MAX);
    from(a) <= to(b) && from(b) <= to(a)
}

/// Reads a name for a list. Lists are kept cleaner than questions: no letters of other
/// scripts, no look-alikes, nothing that is not part of the name.
///
/// # Errors
/// [`ListedNameError`] says what must not stand in a listed name.
pub fn listed_name(text: &str) -> Result<ListedName, ListedNameError> {
    let parsed = MaterialName::parse(text).map_err(ListedNameError::Name)?;
    // As written too: folding case makes α of a Greek capital that is drawn like A. What NFKC
    // makes plain (Ⅷ) is not meant.
    let greek_capital = |c: char| matches!(c, 'Α'..='Ω') && passes_for_another(c);
    if parsed.has_look_alikes() || text.chars().any(greek_capital) {
        return Err(ListedNameError::LookAlike { given: excerpt(text) });
    }
    let is_number = parsed.as_cas().is_some() || parsed.broken_cas().is_some();
    if is_number || parsed.steps().iter().any(|step| step.name == "attributes") {
        return Err(ListedNameError::Attributes { given: excerpt(text) });
    }
    Ok(ListedName { text: text.into(), normal: parsed.normal().into() })
}

/// Why a name cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedNameError {
    /// It is no name.
    Name(NameError),
    /// It holds letters that pass for others.
    LookAlike {
        /// The name.
        given: String,
    },
    /// It carries a catalogue number, a lot, a CAS number or a package size.
    Attributes {
        /// The name.
        given: String,
    },
}

impl Refusal for ListedNameError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Name(error) => error.reason(),
            Self::LookAlike { .. } => "NAME_LOOK_ALIKE",
            Self::Attributes { .. } => "NAME_WITH_ATTRIBUTES",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Name(error) => error.english(),
            Self::LookAlike { given } => format!(
                "`{given}` mixes in letters of another script that look like others; type it in Latin, Greek and Chinese characters"
            ),
            Self::Attributes { given } => format!(
                "`{given}` carries a catalogue number, lot, CAS number or package size; move it to its own column"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Name(error) => error.chinese(),
            Self::LookAlike { given } => {
                format!("`{given}`混入了形近的其他文字；请用拉丁、希腊字母和汉字书写")
            }
            Self::Attributes { given } => {
                format!("`{given}`含有货号、批号、CAS号或包装规格；请移到相应的列")
            }
        }
    }
}
