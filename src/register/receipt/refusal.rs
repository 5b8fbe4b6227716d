//! Why a receipt is not believed, in both languages.

use crate::domain::message::Refusal;
use crate::register::evidence::Gap;
use crate::register::note::NoteError;
use crate::register::policy::QuorumError;

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
