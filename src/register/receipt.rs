//! Receipts: what the service says it decided, signed with its own key, and what the agencies
//! signed that shows it. Made here, and checked here without a server.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::clearance::Decision;
use crate::domain::list::List;
use crate::domain::question::Question;
use crate::domain::shanghai;

use super::checkpoint::Checkpoint;
use super::decision_text::DecisionText;
use super::evidence::{Evidence, Gap, Line, Shown, Standpoint, wanted};
use super::history::Register;
use super::list_trees::ListTrees;
use super::merkle::{Hash, MerkleTree, is_included, leaf_hash};
use super::note::{Note, NoteSigner, VerifierKey};
use super::policy::Policy;
use super::statement::{from_hex, to_hex};
use super::tlog_proof::TlogProof;

mod refusal;

pub use refusal::ReceiptError;

/// First line of the note over a batch.
const BATCH_TYPE: &str = "clearlist/decisions/v1";
/// Largest list proof, in bytes: evidence holds every row of one name.
pub const PROOF_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a hash in JSON: base64 in quotes, and a comma.
const HASH_BYTES_WRITTEN: usize = 47;

/// A receipt: two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The decision, or the batch it was a line of, as a note signed by the service.
    pub decision_note: String,
    /// The statement in force within the newest checkpoint, with the evidence: a C2SP tlog-proof.
    pub list_proof: String,
}

/// What of the register a decision note binds: the checkpoint that is shown with it, and the
/// policy that checkpoint satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    checkpoint: Hash,
    policy: Hash,
}

impl Binding {
    /// Of a register's newest checkpoint and its policy.
    #[must_use]
    pub fn new(checkpoint: &[u8], policy: &str) -> Self {
        Self {
            checkpoint: Sha256::digest(checkpoint).into(),
            policy: Sha256::digest(policy).into(),
        }
    }

    fn lines(&self) -> String {
        let (checkpoint, policy) = (to_hex(&self.checkpoint), to_hex(&self.policy));
        format!("checkpoint_sha256 {checkpoint}\npolicy_sha256 {policy}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let mut hash = |name: &str| from_hex(lines.next()?.strip_prefix(name)?);
        let read =
            Self { checkpoint: hash("checkpoint_sha256 ")?, policy: hash("policy_sha256 ")? };
        (read.lines() == text).then_some(read)
    }
}

/// A decision with its evidence, to be signed.
#[derive(Debug, Clone)]
pub struct Unsigned {
    /// The text that is signed: of the decision, and what it binds.
    text: String,
    evidence: Evidence,
    proof: TlogProof,
}

impl Unsigned {
    /// Gathers what a receipt shows. `list` is the one in force as it was signed, `revision` the
    /// number of its statement, `known` how many statements were known; `None` only if the
    /// register does not have them.
    #[must_use]
    pub fn gather(
        (register, checkpoint, binding): (&Register, &[u8], &Binding),
        (revision, known): (u64, u64),
        (list, trees): (&List, &ListTrees),
        (question, decided): (&Question, &Decision<'_>),
        text: &str,
    ) -> Option<Self> {
        let evidence =
            Evidence::gather(register, (revision, known), (list, trees), question, decided)?;
        let index = revision.checked_sub(1)?;
        let proof = TlogProof {
            extra: Vec::new(),
            index,
            path: register.tree().inclusion(index, register.size())?,
            checkpoint: str::from_utf8(checkpoint).ok()?.to_owned(),
        };
        Some(Self { text: [text, &*binding.lines()].concat(), evidence, proof })
    }

    /// About how many bytes its receipt will have.
    #[must_use]
    pub fn bytes_about(&self) -> usize {
        let Evidence { later, names, records, statement, .. } = &self.evidence;
        let spans = later.iter().chain(names).chain(records);
        let shown: usize = spans
            .map(|span| {
                let leaves: usize = span.leaves.iter().map(String::len).sum();
                leaves + HASH_BYTES_WRITTEN * span.path.len()
            })
            .sum();
        // Base64 writes three bytes as four; the note comes beside it.
        (shown + statement.len()) * 4 / 3 + self.proof.checkpoint.len() + 2 * self.text.len()
    }

    fn finish(mut self, decision_note: String) -> Receipt {
        let bytes = self.bytes_about() + decision_note.len();
        self.proof.extra = self.evidence.to_bytes_about(bytes);
        Receipt { decision_note, list_proof: self.proof.text() }
    }
}

/// Signs one decision.
#[must_use]
pub fn sign(service: &NoteSigner, mut unsigned: Unsigned, now: Timestamp) -> Receipt {
    let note = signed(service, std::mem::take(&mut unsigned.text), now);
    unsigned.finish(note)
}

/// Signs the decisions of a batch, all with one signature; each is a receipt of its own.
#[must_use]
pub fn sign_batch(
    service: &NoteSigner,
    origin: &str,
    lines: Vec<Unsigned>,
    now: Timestamp,
) -> Vec<Receipt> {
    let tree = MerkleTree::over(lines.iter().map(|l| leaf_hash(l.text.as_bytes())).collect());
    let (size, root) = (tree.size(), to_hex(&tree.root()));
    let text = format!("{BATCH_TYPE}\norigin {origin}\nlines {size}\nlines_root_sha256 {root}\n");
    let note = signed(service, text, now);
    let finished = (0..).zip(lines).map(|(index, mut line)| {
        let path = tree.inclusion(index, size).unwrap_or_default();
        line.evidence.line = Some(Line { index, path, text: std::mem::take(&mut line.text) });
        line.finish(note.clone())
    });
    finished.collect()
}

fn signed(service: &NoteSigner, text: String, now: Timestamp) -> String {
    let line = service.sign(&text, now);
    // The texts are lines of JSON, hexadecimal and names of keys: no control characters.
    let Some(mut note) = Note::unsigned(text) else { return String::new() };
    note.add(line);
    note.to_string()
}

/// A receipt as far as it can be checked without deciding again.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What the service says it decided.
    pub text: DecisionText<'static>,
    /// Its lines.
    pub lines: String,
    /// What the agencies signed.
    pub shown: Shown,
    /// The records that were shown, each of the list.
    pub records: Vec<String>,
    /// Agencies that cosigned the checkpoint, and when.
    pub cosigned: Vec<(String, Timestamp)>,
    /// Size of the register at that checkpoint.
    pub size: u64,
    /// The instant the decision is about.
    pub at: Timestamp,
    /// How many lines the batch had; `None` for a decision that was signed alone.
    pub batch: Option<u64>,
    evidence: Evidence,
}

impl Checked {
    /// Checks that every entry under the names of the question is shown, now that the question
    /// is read.
    ///
    /// # Errors
    /// [`ReceiptError::Gap`].
    pub fn names_of(mut self, question: &Question) -> Result<Self, ReceiptError> {
        let wanted = wanted(question, !self.text.matches.is_empty());
        self.shown = self.evidence.check_names(&wanted, self.shown).map_err(ReceiptError::Gap)?;
        Ok(self)
    }
}

/// Checks a receipt: the service's signature, the agencies' signatures, and that what is shown
/// is in what they signed.
///
/// # Errors
/// [`ReceiptError`]: what failed, the first.
pub fn check(
    receipt: &Receipt,
    policy: &Policy,
    service: &VerifierKey,
) -> Result<Checked, ReceiptError> {
    let note = Note::parse(receipt.decision_note.as_bytes()).map_err(ReceiptError::Note)?;
    // The service's signature and no other: a line that nobody checks could say anything.
    let signatures = note.verified_by(service).map_err(ReceiptError::Note)?;
    if signatures.is_empty() || note.signatures().len() != 1 {
        return Err(ReceiptError::NotOfService { service: service.name().to_owned() });
    }
    if receipt.list_proof.len() > PROOF_BYTES_MAX {
        return Err(ReceiptError::ProofForm { line: 0 });
    }
    let proof =
        TlogProof::parse(&receipt.list_proof).map_err(|line| ReceiptError::ProofForm { line })?;
    let evidence = Evidence::parse(&proof.extra).ok_or(ReceiptError::EvidenceForm)?;
    let (lines, batch) = match &evidence.line {
        None => (note.text(), None),
        Some(line) => (line.text.as_str(), Some(in_batch(note.text(), line)?)),
    };
    let (text, rest) =
        DecisionText::parse(lines).map_err(|line| ReceiptError::DecisionForm { line })?;
    let last = lines.lines().count();
    let binding = Binding::parse(rest).ok_or(ReceiptError::DecisionForm { line: last })?;
    let lines = lines.to_owned();
    if batch.as_ref().is_some_and(|(origin, _)| *origin != text.origin) {
        return Err(ReceiptError::NotInBatch);
    }

    let checkpoint =
        Checkpoint::parse(proof.checkpoint.as_bytes()).map_err(ReceiptError::Checkpoint)?;
    if *checkpoint.origin() != text.origin || *policy.origin() != text.origin {
        return Err(ReceiptError::Origin {
            decision: text.origin.into_owned(),
            checkpoint: checkpoint.origin().to_owned(),
            policy: policy.origin().to_owned(),
        });
    }
    let quorum = policy.quorum(&checkpoint).map_err(ReceiptError::Quorum)?;
    let bound = Binding::new(proof.checkpoint.as_bytes(), policy.text());
    if bound.policy != binding.policy {
        return Err(ReceiptError::PolicyDiffers);
    }
    if bound.checkpoint != binding.checkpoint {
        return Err(ReceiptError::CheckpointDiffers);
    }

    let head = checkpoint.head();
    // What was in force for somebody who knows less than there is, is told only to who asks so.
    let asked = text.question.known_at_revision;
    if text.source.known != (if asked == 0 { head.size } else { asked }) {
        return Err(ReceiptError::Gap(Gap::Later));
    }
    let at = shanghai::instant_of(text.declaration_date, text.decide_time);
    let standpoint = Standpoint { origin: &text.origin, head: &head, known: text.source.known, at };
    let shown = evidence.check(proof.index, &proof.path, &standpoint).map_err(ReceiptError::Gap)?;
    if shown.revision.list.root != text.source.list_root || shown.number != text.source.revision {
        return Err(ReceiptError::OtherRevision {
            said: text.source.revision,
            shown: shown.number,
        });
    }
    let records = evidence.records.iter().flat_map(|span| span.leaves.clone()).collect();
    let cosigned = quorum.cosigned().to_vec();
    let batch = batch.map(|(_, size)| size);
    Ok(Checked { text, lines, shown, records, cosigned, size: head.size, at, batch, evidence })
}

/// The origin and the size of the batch that a line is of.
fn in_batch(note: &str, line: &Line) -> Result<(String, u64), ReceiptError> {
    let malformed = ReceiptError::DecisionForm { line: 1 };
    let lines: Vec<&str> = note.lines().collect();
    let [BATCH_TYPE, origin, size, root] = lines.as_slice() else { return Err(malformed) };
    let origin = origin.strip_prefix("origin ");
    // In one spelling: `parse` alone would take `+2` and `02`.
    let number = |text: &str| text.parse().ok().filter(|number: &u64| number.to_string() == text);
    let size = size.strip_prefix("lines ").and_then(number);
    let root = root.strip_prefix("lines_root_sha256 ").and_then(from_hex);
    let (Some(origin), Some(size), Some(root)) = (origin, size, root) else {
        return Err(malformed);
    };
    if !is_included(&leaf_hash(line.text.as_bytes()), line.index, size, &line.path, &root) {
        return Err(ReceiptError::NotInBatch);
    }
    Ok((origin.to_owned(), size))
}
