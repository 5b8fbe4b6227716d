//! Decisions of the past, decided again from the stored register.

use crate::domain::clearance::decide;
use crate::domain::message::Refusal;
use crate::domain::shanghai;
use crate::formats::receipt::question;
use crate::register::decision_text::{DecisionText, Difference, Source};
use crate::register::history::Register;
use crate::store::Store;

use super::past::PastLists;
use super::replay::ReplayError;

/// A register to decide from.
#[derive(Debug)]
pub struct Again<'a> {
    store: &'a dyn Store,
    register: &'a Register,
    past: PastLists,
}

/// What became of a decision that was made again.
#[derive(Debug)]
pub enum Outcome {
    /// The same, to the letter.
    Identical,
    /// These lines differ.
    Differs(Vec<Difference>),
    /// It could not be made: no such list was in force, or the question is none now.
    Impossible(String),
}

impl<'a> Again<'a> {
    /// Decides from a register.
    #[must_use]
    pub fn new(store: &'a dyn Store, register: &'a Register) -> Self {
        Self { store, register, past: PastLists::default() }
    }

    /// The revision whose list a decision rests on. Decisions taken in its order read every list
    /// once.
    #[must_use]
    pub fn revision(&self, text: &DecisionText<'_>) -> u64 {
        let at = shanghai::instant_of(text.declaration_date, text.decide_time);
        let found = self.register.in_force(at, text.source.known);
        found.map_or(0, |found| found.revision.number)
    }

    /// Makes a decision again.
    ///
    /// # Errors
    /// [`ReplayError`]: the store does not give a list as it was.
    pub fn decide(&self, text: &DecisionText<'_>) -> Result<Outcome, ReplayError> {
        let (origin, size) = (self.register.origin(), self.register.size());
        if *text.origin != *origin {
            let problem = format!("it is of register `{}`, not of `{origin}`", text.origin);
            return Ok(Outcome::Impossible(problem));
        }
        let known = text.source.known;
        if known > size {
            let problem = format!("it knew {known} statements; the register has {size}");
            return Ok(Outcome::Impossible(problem));
        }
        let at = shanghai::instant_of(text.declaration_date, text.decide_time);
        let found = self.past.snapshot(self.store, self.register, at, known)?;
        let in_force = |s: &super::snapshot::Snapshot| s.revision.expires.is_none_or(|e| at < e);
        let Some(snapshot) = found.filter(in_force) else {
            return Ok(Outcome::Impossible(format!("no list was in force at {at}")));
        };
        let asked = match question(text, &snapshot.list) {
            Ok(asked) => asked,
            Err(error) => return Ok(Outcome::Impossible(error.english())),
        };
        let decided = decide(&snapshot.list, &asked);
        let (revision, list_root) = (snapshot.revision.number, snapshot.revision.root_sha256);
        let source = Source { known, revision, list_root };
        let question = text.question.clone();
        let again = DecisionText::new(origin, question, &asked, &decided, source, text.decide_time);
        let differences = text.differences(&again);
        Ok(if differences.is_empty() { Outcome::Identical } else { Outcome::Differs(differences) })
    }
}
