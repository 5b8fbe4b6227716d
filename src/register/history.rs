//! A register as it stands: its policy, its statements, and which of them are in force when.

use std::sync::Arc;

use jiff::Timestamp;

use super::merkle::{Hash, MerkleTree};
use super::policy::Policy;
use super::record::TreeHead;
use super::statement::{RevisionStatement, Statement, SuspensionStatement};

/// A register: immutable; each accepted statement makes the next one.
#[derive(Debug, Clone)]
pub struct Register {
    policy: Arc<Policy>,
    tree: MerkleTree,
    statements: Vec<Arc<Accepted>>,
}

/// An accepted statement.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The statement.
    pub statement: Statement,
    /// Its bytes.
    pub text: Box<str>,
    /// When it was accepted, by the clock of the server that did; not signed.
    pub accept_time: Timestamp,
    /// The agencies that cosigned it, and when they say they did.
    pub cosigned: Vec<(String, Timestamp)>,
}

/// What answers at an instant: a revision, and the suspensions laid over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce<'a> {
    /// The revision.
    pub revision: &'a RevisionStatement,
    /// Size of the register that this rests on: the number of the revision or of the last
    /// suspension over it.
    pub number: u64,
    /// How many suspensions are over it. Where an earlier statement takes effect later, two
    /// instants have one number and not one answer; this tells them apart.
    pub suspensions: usize,
}

impl Register {
    /// The register without statements, under its first policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy: Arc::new(policy), tree: MerkleTree::default(), statements: Vec::new() }
    }

    /// Its name.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.policy.origin()
    }

    /// Number of statements.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size(), root: self.tree.root() }
    }

    /// The tree over the statements.
    #[must_use]
    pub const fn tree(&self) -> &MerkleTree {
        &self.tree
    }

    /// The policy the next statement must satisfy.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// A statement by its number, from 1.
    #[must_use]
    pub fn statement(&self, number: u64) -> Option<&Arc<Accepted>> {
        self.statements.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// Every statement, first to last.
    #[must_use]
    pub fn statements(&self) -> &[Arc<Accepted>] {
        &self.statements
    }

    /// Every revision, first to last.
    #[must_use]
    pub fn revisions(&self) -> impl DoubleEndedIterator<Item = &RevisionStatement> {
        self.statements.iter().filter_map(|accepted| match &accepted.statement {
            Statement::Revision(revision) => Some(revision),
            Statement::Policy(_) | Statement::Suspension(_) => None,
        })
    }

    /// What is in force at `at` for somebody who knows the first `known` statements: the
    /// highest-numbered revision with `effective` at or before `at`, expired or not.
    #[must_use]
    pub fn in_force(&self, at: Timestamp, known: u64) -> Option<InForce<'_>> {
        let mut revisions = self.revisions().rev();
        let revision = revisions.find(|r| r.number <= known && r.effective <= at)?;
        let over = self.suspensions_over(revision.number, at, known);
        let (suspensions, number) = over.fold((0, revision.number), |(n, _), s| (n + 1, s.number));
        Some(InForce { revision, number, suspensions })
    }

    /// The suspensions laid over a revision: numbered above it, known, and in force.
    pub fn suspensions_over(
        &self,
        revision: u64,
        at: Timestamp,
        known: u64,
    ) -> impl Iterator<Item = &SuspensionStatement> {
        let after = usize::try_from(revision).unwrap_or(usize::MAX);
        self.statements.iter().skip(after).filter_map(move |accepted| match &accepted.statement {
            Statement::Suspension(s) if s.number <= known && s.effective <= at => Some(s),
            _ => None,
        })
    }

    /// The next instant after `at` at which something else will be in force, or what is in
    /// force expires.
    #[must_use]
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let instants = self.statements.iter().flat_map(|accepted| match &accepted.statement {
            Statement::Revision(r) => [Some(r.effective), Some(r.expires)],
            Statement::Suspension(s) => [Some(s.effective), None],
            Statement::Policy(_) => [None, None],
        });
        instants.flatten().filter(|instant| *instant > at).min()
    }

    pub(super) fn with(&self, accepted: Accepted, leaf: Hash, policy: Option<Policy>) -> Self {
        let mut next = self.clone();
        next.tree.push(leaf);
        next.statements.push(Arc::new(accepted));
        if let Some(policy) = policy {
            next.policy = Arc::new(policy);
        }
        next
    }
}
