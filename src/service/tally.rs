//! What was answered and what was proposed since the start, as numbers that only grow: for
//! metrics. Every set of names is closed: nothing that a caller sends becomes a name here.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::clearance::Verdict;
use crate::domain::message::Refusal;

use super::intake::{Standing, SubmitError};
use crate::store::AppendError;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// So many more.
    pub fn add_many(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of proposals.
const OUTCOMES: [&str; 8] = [
    "accepted",
    "stood_already",
    "refused",
    "list_invalid",
    "busy",
    "not_stored",
    "unknown",
    "register_closed",
];

/// Reasons a proposal is refused for: those of [`Refusal`] in `register`.
const REASONS: [&str; 32] = [
    "CHECKPOINT_FORM",
    "CHECKPOINT_TOO_LARGE",
    "COSIGNATURE_IN_FUTURE",
    "EXPIRES_BEFORE_EFFECTIVE",
    "KEY_ID",
    "KEY_MALFORMED",
    "KEY_NAME",
    "KEY_REPEATED",
    "KEY_TYPE",
    "KEY_WEAK",
    "LIST_EMPTY",
    "LIST_MISSING",
    "LIST_NOT_EXPECTED",
    "LIST_ROOT_DIFFERS",
    "LOG_SIGNATURE_MISSING",
    "NORMAL_FORM_VERSION",
    "ORIGIN_DIFFERS",
    "POLICY_INVALID",
    "PROPOSAL_EXPIRED",
    "QUORUM_NOT_MET",
    "REGISTER_MOVED",
    "ROOT_DIFFERS",
    "SIGNATURE_INVALID",
    "STATEMENT_FIELD",
    "STATEMENT_JSON",
    "STATEMENT_NOT_CANONICAL",
    "STATEMENT_TOO_LARGE",
    "STATEMENT_TYPE",
    "SUSPENSION_EMPTY",
    "SUSPENSION_UNKNOWN",
    // What none of the others is, should one be forgotten here.
    OTHER,
    // Of the list, not of the statement.
    LIST_INVALID,
];
/// Stands for a reason that is missing in [`REASONS`].
const OTHER: &str = "OTHER";
/// The list does not pass lint.
const LIST_INVALID: &str = "LIST_INVALID";

/// A closed set of names, each with its number.
#[derive(Debug)]
pub struct Named<const N: usize> {
    names: [&'static str; N],
    counts: [Count; N],
}

impl<const N: usize> Named<N> {
    fn new(names: [&'static str; N]) -> Self {
        Self { names, counts: std::array::from_fn(|_| Count::default()) }
    }

    fn add(&self, name: &str) -> bool {
        let found = self.names.iter().zip(&self.counts).find(|(known, _)| **known == name);
        found.map(|(_, count)| count.add()).is_some()
    }

    /// Every name with its number.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.names.iter().zip(&self.counts).map(|(name, count)| (*name, count.get()))
    }
}

/// What was answered and proposed.
#[derive(Debug)]
pub struct Tally {
    verdicts: [Count; Verdict::ALL.len()],
    /// Proposals by what became of them.
    pub proposals: Named<{ OUTCOMES.len() }>,
    /// Reasons of those that were refused. One proposal may have several.
    pub refusals: Named<{ REASONS.len() }>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            verdicts: Default::default(),
            proposals: Named::new(OUTCOMES),
            refusals: Named::new(REASONS),
        }
    }
}

impl Tally {
    /// A question was decided.
    pub fn decided(&self, verdict: Verdict) {
        if let Some(count) = self.verdicts.get(verdict as usize) {
            count.add();
        }
    }

    /// Every verdict, and how often it was given.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let of = |verdict: Verdict| self.verdicts.get(verdict as usize).map_or(0, Count::get);
        Verdict::ALL.into_iter().map(move |verdict| (verdict.name(), of(verdict)))
    }

    /// A proposal was worked on, or could not be.
    pub(super) fn proposed(&self, outcome: &Result<Standing, SubmitError>) {
        let name = match outcome {
            Ok(Standing { already: false, .. }) => "accepted",
            Ok(Standing { already: true, .. }) => "stood_already",
            Err(SubmitError::Refused(refused)) => {
                for reason in refused.iter().map(Refusal::reason) {
                    self.refused(reason);
                }
                "refused"
            }
            Err(SubmitError::Lint(_)) => {
                self.refused(LIST_INVALID);
                "list_invalid"
            }
            Err(SubmitError::Busy) => "busy",
            Err(SubmitError::Store(AppendError::Unknown { .. })) => "unknown",
            Err(SubmitError::Store(AppendError::Closed) | SubmitError::Ended) => "register_closed",
            Err(SubmitError::Store(_)) => "not_stored",
        };
        self.proposals.add(name);
    }

    fn refused(&self, reason: &str) {
        if !self.refusals.add(reason) {
            self.refusals.add(OTHER);
        }
    }
}
