//! What answers when: the register as published, and for every instant from then on the list
//! that is in force. A scheduled revision comes into force by its time alone.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::list::List;
use crate::register::history::{InForce, Register};
use crate::register::receipt::Binding;
use crate::register::statement::{SuspensionStatement, suspended};

use super::snapshot::{Revision, SignedList, Snapshot};

/// The register as published. Immutable; a new statement publishes the next one.
#[derive(Debug)]
pub struct Published {
    /// The register.
    pub register: Register,
    /// The checkpoint of its last statement, as it was signed; empty without statements.
    pub checkpoint: Vec<u8>,
    /// What a receipt binds of the two.
    pub binding: Binding,
    /// The list of the newest revision, in force or not: what the next proposal is held against.
    pub newest: Option<Arc<List>>,
    /// By their beginnings, in order. The first begins when this was published.
    periods: Vec<Period>,
}

/// A stretch of time with one answer.
#[derive(Debug, Clone)]
pub struct Period {
    /// Its first instant.
    pub from: Timestamp,
    /// What answers in it.
    pub answer: Answering,
}

/// What answers.
#[derive(Debug, Clone)]
pub enum Answering {
    /// This list.
    Snapshot(Arc<Snapshot>),
    /// Nothing: the revision in force has expired.
    Expired(Revision),
    /// Nothing: no revision is in force yet.
    Nothing,
}

impl Published {
    /// A register with what answers from `now` on. `list_of` brings the list of a revision.
    ///
    /// # Errors
    /// What `list_of` says.
    pub fn new<E>(
        register: Register,
        checkpoint: Vec<u8>,
        newest: Option<Arc<List>>,
        now: Timestamp,
        mut list_of: impl FnMut(&Register, u64) -> Result<Arc<SignedList>, E>,
    ) -> Result<Self, E> {
        let mut periods: Vec<Period> = Vec::new();
        let mut next = Some(now);
        while let Some(from) = next {
            next = register.next_change(from);
            let known = register.size();
            let in_force = register.in_force(from, known);
            let answer = match in_force {
                None => Answering::Nothing,
                Some(found) if found.revision.expires <= from => {
                    Answering::Expired(revision(&register, &found))
                }
                Some(found) => {
                    let named = revision(&register, &found);
                    let same = periods.iter().find_map(|p| match &p.answer {
                        Answering::Snapshot(s) if s.is_of(&named, &found) => Some(Arc::clone(s)),
                        _ => None,
                    });
                    Answering::Snapshot(if let Some(snapshot) = same {
                        snapshot
                    } else {
                        let signed = list_of(&register, found.revision.number)?;
                        signed.prepare();
                        Arc::new(snapshot(&register, &found, &signed, from, known))
                    })
                }
            };
            periods.push(Period { from, answer });
        }
        let binding = Binding::new(&checkpoint, register.policy().text());
        Ok(Self { register, checkpoint, binding, newest, periods })
    }

    /// What answers at an instant not before this was published.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> &Answering {
        let found = self.periods.iter().rev().find(|period| period.from <= now);
        // A clock set back asks for a time before the first period: what was in force when this
        // was published is the nearest that is known to be true.
        found.or(self.periods.first()).map_or(&Answering::Nothing, |period| &period.answer)
    }

    /// The stretches of time after an instant.
    pub fn after(&self, now: Timestamp) -> impl Iterator<Item = &Period> {
        self.periods.iter().filter(move |period| period.from > now)
    }

    /// The list of a revision, if it answers in one of the periods.
    #[must_use]
    pub fn signed(&self, number: u64) -> Option<Arc<SignedList>> {
        let mut signed = self.snapshots().filter_map(|snapshot| snapshot.signed.as_ref());
        signed.find(|signed| signed.number == number).map(Arc::clone)
    }

    /// Every snapshot it holds.
    pub fn snapshots(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.periods.iter().filter_map(|period| match &period.answer {
            Answering::Snapshot(snapshot) => Some(snapshot),
            Answering::Expired(_) | Answering::Nothing => None,
        })
    }
}

/// The name of what is in force.
#[must_use]
pub fn revision(register: &Register, found: &InForce<'_>) -> Revision {
    Revision {
        origin: register.origin().to_owned(),
        number: found.number,
        root_sha256: found.revision.list.root,
        effective: Some(found.revision.effective),
        expires: Some(found.revision.expires),
    }
}

/// A list as it stands at `at`, the suspensions laid over it.
#[must_use]
pub fn snapshot(
    register: &Register,
    found: &InForce<'_>,
    signed: &Arc<SignedList>,
    at: Timestamp,
    known: u64,
) -> Snapshot {
    let over: Vec<&SuspensionStatement> =
        register.suspensions_over(found.revision.number, at, known).collect();
    let list = if over.is_empty() {
        Arc::clone(&signed.list)
    } else {
        Arc::new(suspended(&signed.list, over.iter().copied()))
    };
    let revision = revision(register, found);
    Snapshot { list, signed: Some(Arc::clone(signed)), revision, suspensions: found.suspensions }
}
