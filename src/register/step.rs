//! A register and a proposal to the next register, or every reason why not. Pure: the same
//! function decides for a proposal that arrives and for a stored statement at start-up.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::list::List;
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::message::{Refusal, excerpt};

use super::checkpoint::Checkpoint;
use super::history::{Accepted, Register};
use super::merkle::{Hash, leaf_hash};
use super::note::NoteError;
use super::policy::{Policy, PolicyError, Quorum, QuorumError};
use super::record::{ListHeads, TreeHead};
use super::statement::{Statement, StatementError};

/// How far ahead of the server's clock an agency's clock may be, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 300;

/// A proposal, as it was received.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The statement's bytes.
    pub statement: &'a [u8],
    /// The checkpoint's bytes.
    pub checkpoint: &'a [u8],
}

/// A proposal whose statement, place and signatures were looked at, not yet its list.
#[derive(Debug)]
pub enum Examined {
    /// The very same statement stands in the register already, under this number.
    Standing(u64),
    /// It is the next statement.
    Next(Box<Candidate>),
}

/// The next statement, if its list is what it says.
#[derive(Debug)]
pub struct Candidate {
    statement: Statement,
    leaf: Hash,
    /// What the agencies signed: the head of the register with this statement.
    head: TreeHead,
    quorum: Quorum,
    policy: Option<Policy>,
}

impl Candidate {
    /// The statement.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// Checks everything that needs no list.
///
/// # Errors
/// Every reason to refuse the proposal, never none; the first is the one to act on.
pub fn examine(
    register: &Register,
    proposal: &Proposal<'_>,
    now: Timestamp,
) -> Result<Examined, Vec<Refused>> {
    let read = (
        Statement::parse(proposal.statement).map_err(Refused::Statement),
        Checkpoint::parse(proposal.checkpoint).map_err(Refused::Checkpoint),
    );
    let (statement, checkpoint) = match read {
        (Ok(statement), Ok(checkpoint)) => (statement, checkpoint),
        (statement, checkpoint) => {
            return Err(statement.err().into_iter().chain(checkpoint.err()).collect());
        }
    };
    let leaf = leaf_hash(proposal.statement);
    let number = statement.number();
    let standing = number.checked_sub(1).and_then(|index| register.tree().leaf(index));
    if standing == Some(leaf)
        && checkpoint.origin() == register.origin()
        && register.tree().root_at(number) == Some(checkpoint.head().root)
        && checkpoint.head().size == number
    {
        return Ok(Examined::Standing(number));
    }
    let mut refused = Vec::new();
    for origin in [statement.origin(), checkpoint.origin()] {
        if origin != register.origin() {
            let expected = register.origin().to_owned();
            refused.push(Refused::Origin { given: excerpt(origin), expected });
        }
    }
    refused.extend(place(register, number, leaf, checkpoint.head()));
    refused.extend(times(&statement, now));
    let next_policy = match &statement {
        Statement::Policy(change) => match new_policy(register, &change.policy) {
            Ok(policy) => Some(policy),
            Err(fault) => {
                refused.push(fault);
                None
            }
        },
        Statement::Revision(_) | Statement::Suspension(_) => None,
    };
    let quorum = signatures(register.policy(), Which::Current, &checkpoint, now);
    // Who loses the right to sign and who gains it must both agree.
    if let Some(policy) = &next_policy {
        refused.extend(signatures(policy, Which::Proposed, &checkpoint, now).err());
    }
    match quorum {
        Ok(quorum) if refused.is_empty() => {
            let (head, policy) = (checkpoint.head(), next_policy);
            Ok(Examined::Next(Box::new(Candidate { statement, leaf, head, quorum, policy })))
        }
        quorum => {
            refused.extend(quorum.err());
            Err(refused)
        }
    }
}

/// The next register.
///
/// # Errors
/// Every reason why the list is not what the statement says, or that the register has moved
/// since the candidate was examined; nothing has changed.
pub fn step(
    register: &Register,
    candidate: Candidate,
    list: ProposedList<'_>,
    now: Timestamp,
) -> Result<Register, Vec<Refused>> {
    // While the list was read, another statement may have taken the place.
    let moved = place(register, candidate.statement.number(), candidate.leaf, candidate.head);
    let refused: Vec<Refused> =
        moved.into_iter().chain(contents(&candidate.statement, list)).collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    let cosigned = candidate.quorum.cosigned().to_vec();
    let statement = candidate.statement;
    // The bytes that were signed: no other spelling of a statement is one. They are JSON.
    let text = String::from_utf8(statement.to_bytes()).unwrap_or_default().into();
    let accepted = Accepted { statement, text, accept_time: now, cosigned };
    Ok(register.with(accepted, candidate.leaf, candidate.policy))
}

/// What comes with a statement.
#[derive(Debug, Clone, Copy)]
pub enum ProposedList<'a> {
    /// The linted list of a revision.
    Heads(&'a ListHeads),
    /// No list; this is the newest one, which a suspension refers to.
    Newest(Option<&'a List>),
}

/// The head a register has once `leaf` is added.
#[must_use]
pub fn next_head(register: &Register, leaf: Hash) -> TreeHead {
    let next = register.tree().frontier().with(leaf);
    TreeHead { size: next.size(), root: next.root() }
}

fn place(register: &Register, number: u64, leaf: Hash, head: TreeHead) -> Option<Refused> {
    let next = next_head(register, leaf);
    let given = if number == next.size { head.size } else { number };
    if given != next.size {
        return Some(Refused::Moved { size: register.size(), given });
    }
    (head.root != next.root).then_some(Refused::RootDiffers)
}

/// What is wrong with a statement's times.
pub(crate) fn times(statement: &Statement, now: Timestamp) -> Vec<Refused> {
    let Statement::Revision(revision) = statement else { return Vec::new() };
    let mut out = Vec::new();
    if revision.effective >= revision.expires {
        let (effective, expires) = (revision.effective, revision.expires);
        out.push(Refused::TimesReversed { effective, expires });
    }
    if revision.expires <= now {
        out.push(Refused::Expired { expires: revision.expires });
    }
    out
}

fn new_policy(register: &Register, text: &str) -> Result<Policy, Refused> {
    let policy = Policy::parse(text).map_err(Refused::Policy)?;
    if policy.origin() == register.origin() {
        return Ok(policy);
    }
    let expected = register.origin().to_owned();
    Err(Refused::Origin { given: excerpt(policy.origin()), expected })
}

fn signatures(
    policy: &Policy,
    which: Which,
    checkpoint: &Checkpoint,
    now: Timestamp,
) -> Result<Quorum, Refused> {
    let quorum = policy.quorum(checkpoint).map_err(|error| Refused::Quorum { which, error })?;
    let latest = now.as_second().saturating_add(CLOCK_SKEW_SECONDS);
    match quorum.cosigned().iter().find(|(_, at)| at.as_second() > latest) {
        Some((signer, at)) => Err(Refused::SignedInFuture { signer: signer.clone(), at: *at }),
        None => Ok(quorum),
    }
}

/// What is wrong with a statement and the list it comes with.
pub(crate) fn contents(statement: &Statement, list: ProposedList<'_>) -> Vec<Refused> {
    match (statement, list) {
        (Statement::Revision(revision), ProposedList::Heads(heads)) => {
            let mut out = Vec::new();
            if revision.normal_form_version != NORMAL_FORM_VERSION {
                out.push(Refused::NormalForm { given: revision.normal_form_version });
            }
            // An empty list would stop every shipment; entries are withdrawn by their state.
            if heads.entries() == 0 {
                out.push(Refused::ListEmpty);
            }
            if !revision.is_of(heads) {
                out.push(Refused::ListDiffers);
            }
            out
        }
        (Statement::Revision(_), ProposedList::Newest(_)) => vec![Refused::ListMissing],
        (_, ProposedList::Heads(_)) => vec![Refused::ListNotExpected],
        (Statement::Policy(_), ProposedList::Newest(_)) => Vec::new(),
        (Statement::Suspension(suspension), ProposedList::Newest(newest)) => {
            let Some(list) = newest else { return vec![Refused::ListMissing] };
            let ids: HashSet<&str> = list.entries().iter().map(|e| &*e.id).collect();
            let entries = suspension.entries.iter().filter(|id| !ids.contains(id.as_str()));
            let codes: HashSet<&str> = list.enterprises().iter().map(|e| e.uscc.as_str()).collect();
            let enterprises =
                suspension.enterprises.iter().filter(|code| !codes.contains(code.as_str()));
            let unknown: Vec<String> =
                entries.chain(enterprises).take(10).map(|id| excerpt(id)).collect();
            if !unknown.is_empty() {
                vec![Refused::SuspendsUnknown { ids: unknown }]
            } else if suspension.entries.is_empty() && suspension.enterprises.is_empty() {
                vec![Refused::SuspendsNothing]
            } else {
                Vec::new()
            }
        }
    }
}

/// Which policy a checkpoint was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one in force.
    Current,
    /// The one a policy change proposes.
    Proposed,
}

/// Why a proposal is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The statement cannot be read.
    Statement(StatementError),
    /// The checkpoint cannot be read.
    Checkpoint(NoteError),
    /// The proposed policy cannot be read.
    Policy(PolicyError),
    /// It is for another register.
    Origin {
        /// The register it names.
        given: String,
        /// This register.
        expected: String,
    },
    /// It is not the next size.
    Moved {
        /// Size of the register.
        size: u64,
        /// The number or size given.
        given: u64,
    },
    /// The checkpoint's root is not that of the register with the statement.
    RootDiffers,
    /// The signatures do not satisfy a policy.
    Quorum {
        /// Which policy.
        which: Which,
        /// Why.
        error: QuorumError,
    },
    /// A cosignature says that it was made later than now.
    SignedInFuture {
        /// The agency.
        signer: String,
        /// When it says it signed.
        at: Timestamp,
    },
    /// `effective` is not before `expires`.
    TimesReversed {
        /// First instant in force.
        effective: Timestamp,
        /// First instant out of force.
        expires: Timestamp,
    },
    /// It is out of force already.
    Expired {
        /// Since when.
        expires: Timestamp,
    },
    /// The names stand in another version of the normal form.
    NormalForm {
        /// The version it names.
        given: u32,
    },
    /// The list's roots or sizes are not those of the statement.
    ListDiffers,
    /// The list has no entries.
    ListEmpty,
    /// There is no list.
    ListMissing,
    /// A list came with a statement that has none.
    ListNotExpected,
    /// It suspends what is not on the newest list.
    SuspendsUnknown {
        /// At most ten of them.
        ids: Vec<String>,
    },
    /// It suspends nothing.
    SuspendsNothing,
}

impl Refusal for Refused {
    fn reason(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.reason(),
            Self::Checkpoint(error) => error.reason(),
            Self::Policy(error) => error.reason(),
            Self::Origin { .. } => "ORIGIN_DIFFERS",
            Self::Moved { .. } => "REGISTER_MOVED",
            Self::RootDiffers => "ROOT_DIFFERS",
            Self::Quorum { error, .. } => error.reason(),
            Self::SignedInFuture { .. } => "COSIGNATURE_IN_FUTURE",
            Self::TimesReversed { .. } => "EXPIRES_BEFORE_EFFECTIVE",
            Self::Expired { .. } => "PROPOSAL_EXPIRED",
            Self::NormalForm { .. } => "NORMAL_FORM_VERSION",
            Self::ListDiffers => "LIST_ROOT_DIFFERS",
            Self::ListEmpty => "LIST_EMPTY",
            Self::ListMissing => "LIST_MISSING",
            Self::ListNotExpected => "LIST_NOT_EXPECTED",
            Self::SuspendsUnknown { .. } => "SUSPENSION_UNKNOWN",
            Self::SuspendsNothing => "SUSPENSION_EMPTY",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Statement(error) => error.english(),
            Self::Checkpoint(error) => error.english(),
            Self::Policy(error) => error.english(),
            Self::Origin { given, expected } => {
                format!("it is for the register `{given}`; this is `{expected}`")
            }
            Self::Moved { size, given } => format!(
                "it proposes statement {given}; the register has {size} and takes {} next; draft it anew",
                size + 1
            ),
            Self::RootDiffers => "the checkpoint's root is not that of this register with this statement; the register it was drafted from, or the statement, is another".into(),
            Self::Quorum { which: Which::Current, error } => error.english(),
            Self::Quorum { which: Which::Proposed, error } => {
                format!("under the proposed policy: {}", error.english())
            }
            Self::SignedInFuture { signer, at } => {
                format!("`{signer}` says that it signed at {at}, which is still to come; check its clock and sign again")
            }
            Self::TimesReversed { effective, expires } => {
                format!("it expires at {expires}, not after it comes into force at {effective}")
            }
            Self::Expired { expires } => format!("it expired at {expires}; draft it anew"),
            Self::NormalForm { given } => format!(
                "its names stand in version {given} of the normal form; this server has version {NORMAL_FORM_VERSION}"
            ),
            Self::ListDiffers => "the list is not the one the statement was made for: roots or sizes differ".into(),
            Self::ListEmpty => "the list has no entries; withdraw entries by their state".into(),
            Self::ListMissing => "there is no list to go with it".into(),
            Self::ListNotExpected => "a list came with it; only a revision has one".into(),
            Self::SuspendsUnknown { ids } => {
                format!("not on the newest list: {}", ids.join(", "))
            }
            Self::SuspendsNothing => "it suspends nothing; name entries or enterprises".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Statement(error) => error.chinese(),
            Self::Checkpoint(error) => error.chinese(),
            Self::Policy(error) => error.chinese(),
            Self::Origin { given, expected } => {
                format!("该提案属于登记簿`{given}`；本登记簿为`{expected}`")
            }
            Self::Moved { size, given } => format!(
                "该提案为第{given}号声明；登记簿现有{size}条，下一条应为第{}号；请重新起草",
                size + 1
            ),
            Self::RootDiffers => {
                "检查点的根与本登记簿加上该声明后的根不符；起草所依据的登记簿或声明不同".into()
            }
            Self::Quorum { which: Which::Current, error } => error.chinese(),
            Self::Quorum { which: Which::Proposed, error } => {
                format!("按拟议的签署规则：{}", error.chinese())
            }
            Self::SignedInFuture { signer, at } => {
                format!("`{signer}`自称于{at}签署，而该时刻尚未到来；请校准时钟后重新签署")
            }
            Self::TimesReversed { effective, expires } => {
                format!("失效时间{expires}不晚于生效时间{effective}")
            }
            Self::Expired { expires } => format!("提案已于{expires}失效；请重新起草"),
            Self::NormalForm { given } => {
                format!("名称采用第{given}版规范形式；本服务为第{NORMAL_FORM_VERSION}版")
            }
            Self::ListDiffers => "清单与声明不符：根或条数不同".into(),
            Self::ListEmpty => "清单没有任何条目；撤销条目请用其状态".into(),
            Self::ListMissing => "缺少随附的清单".into(),
            Self::ListNotExpected => "不应附带清单；只有修订才附清单".into(),
            Self::SuspendsUnknown { ids } => format!("最新清单中没有：{}", ids.join("、")),
            Self::SuspendsNothing => "没有暂停任何对象；请指明条目或企业".into(),
        }
    }
}
