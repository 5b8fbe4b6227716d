//! What was sent to one register, what was acknowledged and what was answered, and whether the
//! register that is found after a crash agrees with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use clearlist::grpc::proto::v1;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::merkle::{Hash, is_included, leaf_hash};
use clearlist::register::statement::{RevisionStatement, Statement};
use tonic::transport::Channel;

use super::calls;
use super::lists::{Answers, Suspended};

/// What a statement that was sent says.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A revision with the list of this variant.
    Revision(u64),
    /// A suspension.
    Suspension(Suspended),
    /// A change to the policy of this generation.
    Policy(u8),
}

/// A proposal that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) checkpoint: Vec<u8>,
    pub(crate) content: Content,
}

/// Every proposal that was sent, by its statement; written down before it is sent.
pub(crate) type Outbox = Arc<Mutex<HashMap<Vec<u8>, Sent>>>;

/// A statement whose acceptance was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) statement: Vec<u8>,
    pub(crate) answer: v1::SubmitProposalResponse,
}

/// A question that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// Which of the questions.
    pub(crate) nth: usize,
    /// As known with so many statements; 0 = all.
    pub(crate) known_at: u64,
    pub(crate) decision: v1::Decision,
}

/// What one round brought.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Sent, and never answered.
    pub(crate) unanswered: Vec<v1::Proposal>,
    pub(crate) answered: Vec<Answered>,
}

impl Observed {
    /// With what another saw.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.unanswered.extend(other.unanswered);
        self.answered.extend(other.answered);
    }
}

/// One register, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) outbox: Outbox,
    /// What was found in the register, first to last.
    standing: Vec<(v1::Statement, Content)>,
    answers: Answers,
}

impl Ledger {
    /// Statements that are known to stand.
    pub(crate) fn size(&self) -> usize {
        self.standing.len()
    }

    /// The number of a statement that stands.
    pub(crate) fn number_of(&self, statement: &[u8]) -> Option<u64> {
        let found = self.standing.iter().find(|(known, _)| *known.statement == *statement);
        found.map(|(known, _)| known.number)
    }

    /// Holds the register a server shows against everything that was seen of it before.
    pub(crate) async fn check(&mut self, channel: &Channel, seen: &Observed) {
        let register = calls::get_register(channel).await.expect("the register answers");
        let found = calls::statements(channel).await;
        assert_eq!(found.len() as u64, register.size);
        assert!(found.len() >= self.standing.len(), "the register has become shorter");
        let new = found.get(self.standing.len()..).expect("it is not shorter").to_vec();
        for ((known, _), found) in self.standing.iter().zip(&found) {
            assert_eq!(known, found, "statement {} has changed", known.number);
        }
        // Each submitter had at most one proposal on its way when the server was killed.
        let acknowledged = seen.acknowledged.iter().filter(|a| !a.answer.already_accepted).count();
        let unanswered = seen.unanswered.len();
        // The revision that the register was made with.
        let first = usize::from(self.standing.is_empty());
        assert!(
            new.len() <= first + acknowledged + unanswered,
            "{} new statements; {acknowledged} acknowledged and {unanswered} unanswered",
            new.len()
        );
        for statement in new {
            assert_eq!(statement.number, self.standing.len() as u64 + 1);
            let sent =
                self.outbox.lock().expect("nobody panics").get(&*statement.statement).cloned();
            let sent = sent.expect("a statement stands that nobody sent");
            assert_eq!(*statement.checkpoint, *sent.checkpoint, "with another checkpoint");
            self.standing.push((statement, sent.content));
        }
        for acknowledged in &seen.acknowledged {
            self.check_acknowledged(channel, acknowledged).await;
        }
        let last = found.last().expect("a register here has a revision");
        assert_eq!(register.checkpoint, last.checkpoint, "the checkpoint of another size");
        let generation = format!("agency1.example/{}", self.generation());
        assert!(register.policy.contains(&generation), "another policy: {}", register.policy);
        for answered in &seen.answered {
            self.check_answered(answered);
        }
    }

    /// An acknowledged statement stands under its number, with the very bytes, and with a proof.
    async fn check_acknowledged(&self, channel: &Channel, acknowledged: &Acknowledged) {
        let number = acknowledged.answer.number;
        let shown = calls::get_revision(channel, number).await;
        let shown = shown.unwrap_or_else(|lost| panic!("statement {number} is lost: {lost}"));
        let statement = shown.statement.expect("an answer has the statement");
        assert_eq!(*statement.statement, *acknowledged.statement, "statement {number}");
        assert_eq!(statement.number, number);
        assert_eq!(statement.accept_time, acknowledged.answer.accept_time, "statement {number}");
        assert_eq!(statement.effective_time, acknowledged.answer.effective_time);
        let checkpoint = Checkpoint::parse(&shown.proof_checkpoint).expect("a checkpoint");
        let hash = |bytes: &prost::bytes::Bytes| Hash::try_from(&**bytes).expect("32 bytes");
        let proof: Vec<Hash> = shown.inclusion_sha256.iter().map(hash).collect();
        let (leaf, size) = (leaf_hash(&acknowledged.statement), shown.proof_size);
        assert_eq!(checkpoint.head().size, size);
        let proven = is_included(&leaf, number - 1, size, &proof, &checkpoint.head().root);
        assert!(proven, "statement {number} of {size} is not proven");
    }

    /// An answer is, to the last field, that of the whole revision it names.
    fn check_answered(&mut self, answered: &Answered) {
        let decision = &answered.decision;
        let revision = decision.revision.as_ref().expect("an answer names its revision");
        let number = revision.number;
        let known = match usize::try_from(answered.known_at).expect("a small number") {
            0 => usize::try_from(number).expect("a small number"),
            known => known,
        };
        let known = self.standing.get(..known).expect("an answer from a statement that is gone");
        // The last statement that was known and changes answers is the one that is named.
        let is_list = |(_, content): &&(_, Content)| !matches!(content, Content::Policy(_));
        let named = known.iter().rev().find(is_list).map(|(statement, _)| statement.number);
        assert_eq!(Some(number), named, "as known at {}", answered.known_at);
        let of = || newest_list(known);
        let expected = self.answers.expected(number, answered.nth, decision, of);
        assert_eq!(decision, expected, "not the list of revision {number}");
    }

    /// The generation of the policy in force.
    fn generation(&self) -> u8 {
        let changed = self.standing.iter().rev().find_map(|(_, content)| match content {
            Content::Policy(generation) => Some(*generation),
            Content::Revision(_) | Content::Suspension(_) => None,
        });
        changed.unwrap_or(1)
    }
}

/// The newest revision of these statements, its variant, and what was suspended since.
fn newest_list(known: &[(v1::Statement, Content)]) -> (RevisionStatement, u64, Suspended) {
    let mut suspended = Suspended::default();
    for (statement, content) in known.iter().rev() {
        match content {
            Content::Policy(_) => {}
            Content::Suspension(more) => {
                suspended.entries.extend(&more.entries);
                suspended.enterprises.extend(&more.enterprises);
            }
            Content::Revision(variant) => {
                let Ok(Statement::Revision(signed)) = Statement::parse(&statement.statement) else {
                    panic!("statement {} is no revision", statement.number)
                };
                return (signed, *variant, suspended);
            }
        }
    }
    panic!("no revision is known")
}
