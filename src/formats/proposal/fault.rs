//! What can be wrong with a proposal.

use crate::domain::message::Refusal;
use crate::formats::table::Problem;
use crate::register::note::NoteError;
use crate::register::policy::{PolicyError, QuorumError};
use crate::register::statement::StatementError;
use crate::register::step::Refused;

/// One thing that is wrong with a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A register with this base would refuse it too, for this reason.
    Refused(Refused),
    /// A problem in its list.
    List(Problem),
    /// A known key's signature under the checkpoint is bad.
    Signature(NoteError),
    /// A signature under the checkpoint is by a key that no policy knows.
    SignatureUnknown {
        /// Name on the line.
        name: String,
    },
    /// The base's policy cannot be read.
    Policy(PolicyError),
    /// The base's policy is not the one that the reader knows to be in force.
    PolicyDiffers,
    /// The base's frontier is not one of its size.
    BaseFrontier {
        /// Number of statements.
        size: u64,
        /// Number of hashes.
        given: usize,
    },
    /// The base has no statements, and a checkpoint or a revision all the same.
    BaseNotEmpty,
    /// The base's checkpoint cannot be read.
    BaseCheckpoint(NoteError),
    /// The base's checkpoint or revision is of another register.
    BaseOrigin {
        /// The register it names.
        given: String,
        /// The register of the policy.
        expected: String,
    },
    /// The base's frontier and its checkpoint are not of one tree.
    BaseHead,
    /// The base's checkpoint does not satisfy its policy.
    BaseQuorum(QuorumError),
    /// The base's revision cannot be read.
    BaseStatement(StatementError),
    /// The base's revision is another kind of statement.
    BaseNoRevision,
    /// The base's revision is not in the register at its number.
    BaseRevisionOutside {
        /// The number.
        number: u64,
    },
    /// A problem in the list of the base's revision.
    BaseList(Problem),
    /// The list of the base's revision is not the one it was signed with.
    BaseListDiffers {
        /// Its number.
        number: u64,
    },
}

impl Fault {
    /// The place in a list file, or empty.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::List(problem) | Self::BaseList(problem) => problem.place(),
            _ => String::new(),
        }
    }

    /// Whether it depends on what time it is; a server's clock is the one that counts.
    #[must_use]
    pub const fn is_of_clock(&self) -> bool {
        matches!(self, Self::Refused(Refused::Expired { .. } | Refused::SignedInFuture { .. }))
    }
}

impl Refusal for Fault {
    fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.reason(),
            Self::List(problem) | Self::BaseList(problem) => problem.reason,
            Self::Signature(error) | Self::BaseCheckpoint(error) => error.reason(),
            Self::SignatureUnknown { .. } => "SIGNATURE_UNKNOWN",
            Self::Policy(error) => error.reason(),
            Self::PolicyDiffers => "POLICY_DIFFERS",
            Self::BaseFrontier { .. } => "BASE_FRONTIER",
            Self::BaseNotEmpty => "BASE_NOT_EMPTY",
            Self::BaseOrigin { .. } => "ORIGIN_DIFFERS",
            Self::BaseHead => "BASE_ROOT_DIFFERS",
            Self::BaseQuorum(_) => "BASE_NOT_SIGNED",
            Self::BaseStatement(error) => error.reason(),
            Self::BaseNoRevision => "BASE_NO_REVISION",
            Self::BaseRevisionOutside { .. } => "BASE_REVISION_OUTSIDE",
            Self::BaseListDiffers { .. } => "BASE_LIST_DIFFERS",
        }
    }

    fn english(&self) -> String {
        let again = "get the proposal again from whoever drafted it";
        match self {
            Self::Refused(refused) => refused.english(),
            Self::List(problem) => problem.english.clone(),
            Self::Signature(error) => error.english(),
            Self::SignatureUnknown { name } => format!(
                "a signature under the checkpoint says it is by `{name}`, with a key that the policy does not know; take it out"
            ),
            Self::Policy(error) => format!("the register's policy: {}", error.english()),
            Self::PolicyDiffers => format!(
                "it was drafted under another policy than the one you named; if the policy has not changed since, {again}"
            ),
            Self::BaseFrontier { size, given } => format!(
                "a register with {size} statements has {} frontier hashes, not {given}; {again}",
                size.count_ones()
            ),
            Self::BaseNotEmpty => format!(
                "it was drafted on a register without statements, which has no checkpoint and no revision; {again}"
            ),
            Self::BaseCheckpoint(error) => {
                format!("the checkpoint it was drafted on: {}", error.english())
            }
            Self::BaseOrigin { given, expected } => {
                format!(
                    "it was drafted on the register `{given}`; the policy is that of `{expected}`"
                )
            }
            Self::BaseHead => format!(
                "the register it was drafted on is not the one that was signed: its hashes do not give the checkpoint's root; {again}"
            ),
            Self::BaseQuorum(error) => format!(
                "the checkpoint it was drafted on is not signed as the policy wants: {}",
                error.english()
            ),
            Self::BaseStatement(error) => {
                format!("the revision it is compared with: {}", error.english())
            }
            Self::BaseNoRevision => {
                format!("the revision it is compared with is another kind of statement; {again}")
            }
            Self::BaseRevisionOutside { number } => format!(
                "revision {number}, which it is compared with, is not in the register that was signed; {again}"
            ),
            Self::BaseList(problem) => {
                format!("in the list it is compared with: {}", problem.english)
            }
            Self::BaseListDiffers { number } => format!(
                "the list it is compared with is not that of revision {number}: what it shows as changed would be wrong; {again}"
            ),
        }
    }

    fn chinese(&self) -> String {
        let again = "请向起草方重新索取提案";
        match self {
            Self::Refused(refused) => refused.chinese(),
            Self::List(problem) => problem.chinese.clone(),
            Self::Signature(error) => error.chinese(),
            Self::SignatureUnknown { name } => {
                format!("检查点上有自称`{name}`的签名，其密钥不在签署规则内；请将其去除")
            }
            Self::Policy(error) => format!("登记簿的签署规则：{}", error.chinese()),
            Self::PolicyDiffers => {
                format!("起草所依据的签署规则不是您指定的签署规则；若签署规则未曾变更，{again}")
            }
            Self::BaseFrontier { size, given } => format!(
                "有{size}条声明的登记簿应有{}个前沿哈希，而不是{given}个；{again}",
                size.count_ones()
            ),
            Self::BaseNotEmpty => {
                format!("起草所依据的登记簿没有声明，不应有检查点或修订；{again}")
            }
            Self::BaseCheckpoint(error) => format!("起草所依据的检查点：{}", error.chinese()),
            Self::BaseOrigin { given, expected } => {
                format!("起草所依据的登记簿是`{given}`；签署规则属于`{expected}`")
            }
            Self::BaseHead => {
                format!("起草所依据的登记簿不是所签署的登记簿：其哈希得不出检查点的根；{again}")
            }
            Self::BaseQuorum(error) => {
                format!("起草所依据的检查点没有按签署规则签署：{}", error.chinese())
            }
            Self::BaseStatement(error) => format!("用于比对的修订：{}", error.chinese()),
            Self::BaseNoRevision => format!("用于比对的修订是另一种声明；{again}"),
            Self::BaseRevisionOutside { number } => {
                format!("用于比对的第{number}号修订不在所签署的登记簿中；{again}")
            }
            Self::BaseList(problem) => format!("用于比对的清单：{}", problem.chinese),
            Self::BaseListDiffers { number } => {
                format!("用于比对的清单不是第{number}号修订的清单，所显示的变更会是错的；{again}")
            }
        }
    }
}
