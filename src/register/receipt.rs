//! Receipts: what the service says it decided, signed with its own key, and what the agencies
//! signed that shows it. Made here, and checked here without a server.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::clearance::Decision;
use crate::domain::list::List;
use crate::domain::message::Refusal;
use crate::domain::question::Question;
use crate::domain::shanghai;

use super::checkpoint::Checkpoint;
use super::decision_text::DecisionText;
use super::evidence::{Evidence, Gap, Line, Shown, Standpoint, wanted};
use super::history::Register;
use super::list_trees::ListTrees;
use super::merkle::{Hash, MerkleTree, is_included, leaf_hash};
use super::note::{Note, NoteError, NoteSigner, VerifierKey};
use super::policy::{Policy, QuorumError};
use super::statement::{from_hex, to_hex};
use super::tlog_proof::TlogProof;

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
        Some(Self { text: text.to_owned() + &binding.lines(), evidence, proof })
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
        self.proof.extra = self.evidence.to_bytes_about(self.bytes_about());
        Receipt { decision_note, list_proof: self.proof.text() }
    }
}

/// Signs one decision.
#[must_use]
pub fn sign(service: &NoteSigner, unsigned: Unsigned, now: Timestamp) -> Receipt {
    let note = signed(service, unsigned.text.clone(), now);
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
    let size = size.strip_prefix("lines ").and_then(|size| size.parse().ok());
    let root = root.strip_prefix("lines_root_sha256 ").and_then(from_hex);
    let (Some(origin), Some(size), Some(root)) = (origin, size, root) else {
        return Err(malformed);
    };
    if !is_included(&leaf_hash(line.text.as_bytes()), line.index, size, &line.path, &root) {
        return Err(ReceiptError::NotInBatch);
    }
    Ok((origin.to_owned(), size))
}

/// Why a receipt is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptError {
    /// The decision note is none, or its signature is bad.
    Note(NoteError),
    /// The decision note is not signed by the service's key, and by it alone.
    NotOfService {
        /// Name of the key.
        service: String,
    },
    /// The text of the decision is not in its form.
    DecisionForm {
        /// Line, from 1.
        line: usize,
    },
    /// The line is not in the batch that was signed.
    NotInBatch,
    /// The list proof is no tlog-proof.
    ProofForm {
        /// Line, from 1; 0 for the proof as a whole.
        line: usize,
    },
    /// The evidence in the list proof is not in its form.
    EvidenceForm,
    /// The checkpoint is none.
    Checkpoint(NoteError),
    /// Decision, checkpoint and policy are of different registers.
    Origin {
        /// What the decision says.
        decision: String,
        /// What the checkpoint says.
        checkpoint: String,
        /// What the policy says.
        policy: String,
    },
    /// The checkpoint does not satisfy the policy.
    Quorum(QuorumError),
    /// The policy is another than the one the receipt was made under.
    PolicyDiffers,
    /// The checkpoint is another than the one the service signed for.
    CheckpointDiffers,
    /// Something is not shown.
    Gap(Gap),
    /// The decision names another revision or another list than is shown.
    OtherRevision {
        /// What the decision says.
        said: u64,
        /// What is shown.
        shown: u64,
    },
    /// The rows that are shown are no list.
    Rows {
        /// The first problem.
        problem: String,
    },
    /// A row that bears on the decision is not shown.
    RowMissing {
        /// Its id.
        entry: String,
    },
    /// The question cannot be asked.
    Question {
        /// The first reason.
        problem: String,
    },
    /// The rows that are shown decide otherwise.
    DecidesOtherwise {
        /// What differs: a line of the decision's text.
        line: &'static str,
        /// What the service says.
        said: String,
        /// What follows from the rows.
        follows: String,
    },
}

impl Refusal for ReceiptError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Note(NoteError::Signature { .. }) | Self::NotOfService { .. } => {
                "SERVICE_SIGNATURE"
            }
            Self::Note(_) => "DECISION_NOTE_FORM",
            Self::DecisionForm { .. } => "DECISION_FORM",
            Self::NotInBatch => "BATCH_LINE",
            Self::ProofForm { .. } => "LIST_PROOF_FORM",
            Self::EvidenceForm => "EVIDENCE_FORM",
            Self::Checkpoint(_) => "CHECKPOINT_FORM",
            Self::Origin { .. } => "ORIGIN_DIFFERS",
            Self::Quorum(error) => error.reason(),
            Self::PolicyDiffers => "POLICY_DIFFERS",
            Self::CheckpointDiffers => "CHECKPOINT_DIFFERS",
            Self::Gap(Gap::Statement) => "STATEMENT_FORM",
            Self::Gap(Gap::StatementPath) => "STATEMENT_NOT_IN_REGISTER",
            Self::Gap(Gap::Later) => "LATER_STATEMENTS_NOT_SHOWN",
            Self::Gap(Gap::NotInForce) => "NOT_IN_FORCE",
            Self::Gap(Gap::NamePath) => "NAMES_NOT_IN_LIST",
            Self::Gap(Gap::NameGap) => "NAMES_NOT_ALL_SHOWN",
            Self::Gap(Gap::RecordPath) => "RECORD_NOT_IN_LIST",
            Self::OtherRevision { .. } => "REVISION_DIFFERS",
            Self::Rows { .. } => "RECORD_FORM",
            Self::RowMissing { .. } => "RECORD_MISSING",
            Self::Question { .. } => "QUESTION_FORM",
            Self::DecidesOtherwise { .. } => "DECIDES_OTHERWISE",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Note(NoteError::Signature { signer }) => {
                format!("the service's signature by `{signer}` does not fit the decision note")
            }
            Self::Note(error) => format!("the decision note: {}", error.english()),
            Self::NotOfService { service } => format!(
                "the decision note is not signed by `{service}` alone; give the verifier key the service had then"
            ),
            Self::DecisionForm { line } => {
                format!("line {line} of the decision is not in its form")
            }
            Self::NotInBatch => "the decision is not in the batch that the service signed".into(),
            Self::ProofForm { line: 0 } => "the list proof is no C2SP tlog-proof".into(),
            Self::ProofForm { line } => format!("line {line} of the list proof is not in its form"),
            Self::EvidenceForm => "the evidence in the list proof is not in its form".into(),
            Self::Checkpoint(error) => format!("the checkpoint: {}", error.english()),
            Self::Origin { decision, checkpoint, policy } => format!(
                "the decision is of register `{decision}`, the checkpoint of `{checkpoint}`, the policy of `{policy}`"
            ),
            Self::Quorum(error) => format!("the checkpoint: {}", error.english()),
            Self::PolicyDiffers => {
                "this is not the policy the receipt was made under; give that one, byte for byte"
                    .into()
            }
            Self::CheckpointDiffers => {
                "the checkpoint is not the one that the service signed for".into()
            }
            Self::Gap(gap) => gap.english().into(),
            Self::OtherRevision { said, shown } => format!(
                "the decision says revision {said}; what is shown is revision {shown}, or its list another"
            ),
            Self::Rows { problem } => format!("the rows that are shown are no list: {problem}"),
            Self::RowMissing { entry } => {
                format!("entry `{entry}` bears on the decision and is not shown")
            }
            Self::Question { problem } => format!("the question cannot be asked: {problem}"),
            Self::DecidesOtherwise { line, said, follows } => format!(
                "the rows that are shown decide otherwise: `{line}` is said to be {said}, and is {follows}"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Note(NoteError::Signature { signer }) => {
                format!("服务密钥`{signer}`的签名与结论签名文本不符")
            }
            Self::Note(error) => format!("结论签名文本：{}", error.chinese()),
            Self::NotOfService { service } => {
                format!("结论签名文本并非仅由`{service}`签名；请提供服务当时的验证公钥")
            }
            Self::DecisionForm { line } => format!("结论第{line}行格式不符"),
            Self::NotInBatch => "该结论不在服务所签的批次中".into(),
            Self::ProofForm { line: 0 } => "清单证明不是C2SP tlog-proof格式".into(),
            Self::ProofForm { line } => format!("清单证明第{line}行格式不符"),
            Self::EvidenceForm => "清单证明中的证据格式不符".into(),
            Self::Checkpoint(error) => format!("检查点：{}", error.chinese()),
            Self::Origin { decision, checkpoint, policy } => format!(
                "结论属于登记簿`{decision}`，检查点属于`{checkpoint}`，签署规则属于`{policy}`"
            ),
            Self::Quorum(error) => format!("检查点：{}", error.chinese()),
            Self::PolicyDiffers => {
                "这不是出具凭证时的签署规则；请提供当时的策略文件，须逐字节一致".into()
            }
            Self::CheckpointDiffers => "检查点不是服务签名时所用的检查点".into(),
            Self::Gap(gap) => gap.chinese().into(),
            Self::OtherRevision { said, shown } => {
                format!("结论称依据第{said}版；所示为第{shown}版，或清单不同")
            }
            Self::Rows { problem } => format!("所示各行不构成清单：{problem}"),
            Self::RowMissing { entry } => format!("条目`{entry}`影响结论但未出示"),
            Self::Question { problem } => format!("无法提出该问题：{problem}"),
            Self::DecidesOtherwise { line, said, follows } => {
                format!("依所示各行得出不同结论：`{line}`称为{said}，实为{follows}")
            }
        }
    }
}

impl Gap {
    const fn english(self) -> &'static str {
        match self {
            Self::Statement => "the statement is no revision of this register at its place",
            Self::StatementPath => "the statement is not in the register the agencies signed",
            Self::Later => {
                "the statements after the revision are not all shown, or not in the register the agencies signed"
            }
            Self::NotInForce => "the revision that is shown was not in force at that time",
            Self::NamePath => "names that are shown are not in the list the agencies signed",
            Self::NameGap => {
                "the names that are shown leave room for others: nothing shows what is not listed"
            }
            Self::RecordPath => "a row that is shown is not in the list the agencies signed",
        }
    }

    const fn chinese(self) -> &'static str {
        match self {
            Self::Statement => "所示声明不是该登记簿此处的版本声明",
            Self::StatementPath => "所示声明不在各机构所签的登记簿中",
            Self::Later => "该版本之后的声明未全部出示，或不在各机构所签的登记簿中",
            Self::NotInForce => "所示版本当时并未生效",
            Self::NamePath => "所示名称不在各机构所签的清单中",
            Self::NameGap => "所示名称之间可能另有名称：不足以证明未列入",
            Self::RecordPath => "所示的行不在各机构所签的清单中",
        }
    }
}
