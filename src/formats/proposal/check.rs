//! A proposal held against itself, without a network: the register it was drafted on is signed,
//! the checkpoint is that register with the statement, the list is the statement's, and every
//! signature on it is good. Everything wrong is said.

use jiff::Timestamp;

use crate::domain::list::List;
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::message::excerpt;
use crate::formats::list_csv::{self, ListFiles};
use crate::formats::table::Problem;
use crate::register::checkpoint::Checkpoint;
use crate::register::merkle::{Frontier, Hash, is_included, leaf_hash};
use crate::register::note::{Role, VerifierKey};
use crate::register::policy::{Policy, Quorum, QuorumError};
use crate::register::record::{ListHeads, TreeHead};
use crate::register::statement::{RevisionStatement, Statement};
use crate::register::step::{CLOCK_SKEW_SECONDS, ProposedList, Refused, contents, times};

use super::{Base, BaseRevision, Fault, ProposalFile};

/// What could be read of a proposal, and everything that is wrong with it. For a person's eyes;
/// nothing is done with it before it is [`Checked`].
#[derive(Debug)]
pub struct Examined {
    /// Everything wrong.
    pub faults: Vec<Fault>,
    /// The policy it must satisfy.
    pub policy: Option<Policy>,
    /// The policy it proposes.
    pub proposed: Option<Policy>,
    /// The statement.
    pub statement: Option<Statement>,
    /// The checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// The list of a revision.
    pub list: Option<List>,
    /// The list of the newest revision before it.
    pub base_list: Option<List>,
    /// The signatures that are good.
    pub signatures: Vec<SignatureSeen>,
}

/// A good signature under the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureSeen {
    /// Who made it: the name in the policy, for the log key the register's.
    pub name: String,
    /// The key.
    pub key: VerifierKey,
    /// When it says it was made; a log key does not say.
    pub at: Option<Timestamp>,
}

/// A proposal with nothing wrong. Nothing but [`check`] makes one; signatures may be lacking.
#[derive(Debug)]
pub struct Checked {
    policy: Policy,
    proposed: Option<Policy>,
    statement: Statement,
    checkpoint: Checkpoint,
    list: Option<List>,
    base_list: Option<List>,
    signatures: Vec<SignatureSeen>,
}

/// What a checkpoint still lacks under a policy, if anything.
pub type Held = Result<Quorum, QuorumError>;

impl Checked {
    /// The policy it must satisfy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy it proposes, which it must satisfy too.
    #[must_use]
    pub const fn proposed(&self) -> Option<&Policy> {
        self.proposed.as_ref()
    }

    /// The statement.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The checkpoint of the register with it.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The list of a revision.
    #[must_use]
    pub const fn list(&self) -> Option<&List> {
        self.list.as_ref()
    }

    /// The list of the newest revision before it.
    #[must_use]
    pub const fn base_list(&self) -> Option<&List> {
        self.base_list.as_ref()
    }

    /// The signatures under the checkpoint, all good.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureSeen] {
        &self.signatures
    }

    /// Everybody who may sign it, each key once: log keys and agencies of the policy and of the
    /// proposed one.
    #[must_use]
    pub fn keys(&self) -> Vec<(&str, &VerifierKey)> {
        known_keys(Some(&self.policy), self.proposed.as_ref())
    }

    /// Whether the signatures satisfy the policy.
    ///
    /// # Errors
    /// What is lacking.
    pub fn quorum(&self) -> Held {
        self.policy.quorum(&self.checkpoint)
    }

    /// Whether they satisfy the proposed policy; `None` without one.
    #[must_use]
    pub fn proposed_quorum(&self) -> Option<Held> {
        self.proposed.as_ref().map(|policy| policy.quorum(&self.checkpoint))
    }
}

impl Examined {
    /// The proof that nothing is wrong.
    ///
    /// # Errors
    /// Everything that is; never nothing.
    pub fn checked(self) -> Result<Checked, Vec<Fault>> {
        match self {
            Self {
                faults,
                policy: Some(policy),
                proposed,
                statement: Some(statement),
                checkpoint: Some(checkpoint),
                list,
                base_list,
                signatures,
            } if faults.is_empty() => {
                Ok(Checked { policy, proposed, statement, checkpoint, list, base_list, signatures })
            }
            Self { faults, .. } => Err(faults),
        }
    }

    /// Whether the signatures satisfy the policy and the proposed one, as far as they were read.
    #[must_use]
    pub fn quorums(&self) -> Vec<Held> {
        let policies = [&self.policy, &self.proposed].into_iter().flatten();
        let Some(checkpoint) = &self.checkpoint else { return Vec::new() };
        policies.map(|policy| policy.quorum(checkpoint)).collect()
    }
}

/// Checks a proposal.
///
/// # Errors
/// Everything that is wrong with it; never nothing.
pub fn check(proposal: &ProposalFile, now: Timestamp) -> Result<Checked, Vec<Fault>> {
    examine(proposal, now).checked()
}

/// Checks what a statement is about to be drafted on.
///
/// # Errors
/// Everything that is wrong with it; never nothing.
pub fn check_base(base: &Base) -> Result<(Policy, Option<List>), Vec<Fault>> {
    let read = BaseRead::of(base);
    match read.policy {
        Some(policy) if read.faults.is_empty() => Ok((policy, read.list)),
        _ => Err(read.faults),
    }
}

/// Looks at everything in a proposal.
#[must_use]
pub fn examine(proposal: &ProposalFile, now: Timestamp) -> Examined {
    let BaseRead { mut faults, policy, frontier, list: base_list } = BaseRead::of(&proposal.base);
    let statement = Statement::parse(proposal.statement.as_bytes());
    let statement = kept(statement.map_err(Refused::Statement), &mut faults);
    let checkpoint = Checkpoint::parse(proposal.checkpoint.as_bytes());
    let checkpoint = kept(checkpoint.map_err(Refused::Checkpoint), &mut faults);

    if let Some(policy) = &policy {
        let origins = [
            statement.as_ref().map(Statement::origin),
            checkpoint.as_ref().map(Checkpoint::origin),
        ];
        for given in origins.into_iter().flatten().filter(|given| *given != policy.origin()) {
            faults.push(Fault::Refused(origin_differs(given, policy)));
        }
    }
    if let (Some(frontier), Some(statement), Some(checkpoint)) =
        (&frontier, &statement, &checkpoint)
    {
        let leaf = leaf_hash(proposal.statement.as_bytes());
        faults.extend(place(frontier, statement.number(), leaf, checkpoint.head()));
    }
    let proposed = match &statement {
        Some(Statement::Policy(change)) => {
            kept(Policy::parse(&change.policy).map_err(Refused::Policy), &mut faults)
        }
        _ => None,
    };
    if let (Some(policy), Some(proposed)) = (&policy, &proposed)
        && policy.origin() != proposed.origin()
    {
        faults.push(Fault::Refused(origin_differs(proposed.origin(), policy)));
    }
    let list = proposal.list.as_ref().and_then(|files| read_list(files, Fault::List, &mut faults));
    if let Some(statement) = &statement {
        faults.extend(times(statement, now).into_iter().map(Fault::Refused));
        let heads = list.as_ref().map(ListHeads::of);
        let compared = proposal.base.newest.is_none() || base_list.is_some();
        // A list that cannot be read was said to be so; it is not missing as well.
        let list = match (&heads, &proposal.list, statement) {
            (Some(heads), ..) => Some(ProposedList::Heads(heads)),
            (None, Some(_), _) => None,
            (None, None, Statement::Suspension(_)) if !compared => None,
            (None, None, _) => Some(ProposedList::Newest(base_list.as_ref())),
        };
        let refused = list.map(|list| contents(statement, list)).unwrap_or_default();
        faults.extend(refused.into_iter().map(Fault::Refused));
    }
    let mut signatures = Vec::new();
    if let Some(checkpoint) = &checkpoint {
        let known = known_keys(policy.as_ref(), proposed.as_ref());
        signatures = good_signatures(checkpoint, &known, now, &mut faults);
    }
    Examined { faults, policy, proposed, statement, checkpoint, list, base_list, signatures }
}

fn kept<T>(read: Result<T, Refused>, faults: &mut Vec<Fault>) -> Option<T> {
    read.map_err(|refused| faults.push(Fault::Refused(refused))).ok()
}

fn origin_differs(given: &str, policy: &Policy) -> Refused {
    Refused::Origin { given: excerpt(given), expected: policy.origin().to_owned() }
}

/// Whether the checkpoint is the register with the statement.
fn place(frontier: &Frontier, number: u64, leaf: Hash, head: TreeHead) -> Option<Fault> {
    let next = frontier.with(leaf);
    let given = if number == next.size() { head.size } else { number };
    if given != next.size() {
        return Some(Fault::Refused(Refused::Moved { size: frontier.size(), given }));
    }
    (head.root != next.root()).then_some(Fault::Refused(Refused::RootDiffers))
}

fn read_list(
    files: &ListFiles,
    fault: fn(Problem) -> Fault,
    faults: &mut Vec<Fault>,
) -> Option<List> {
    match list_csv::read(files) {
        Ok(read) => Some(read.list),
        Err(problems) => {
            faults.extend(problems.into_iter().map(fault));
            None
        }
    }
}

/// Every key of these policies once, under its name there.
fn known_keys<'a>(
    policy: Option<&'a Policy>,
    proposed: Option<&'a Policy>,
) -> Vec<(&'a str, &'a VerifierKey)> {
    let mut out: Vec<(&str, &VerifierKey)> = Vec::new();
    for policy in [policy, proposed].into_iter().flatten() {
        for (name, key) in std::iter::once((policy.origin(), policy.log())).chain(policy.agencies())
        {
            if !out.iter().any(|(_, known)| *known == key) {
                out.push((name, key));
            }
        }
    }
    out
}

fn good_signatures(
    checkpoint: &Checkpoint,
    known: &[(&str, &VerifierKey)],
    now: Timestamp,
    faults: &mut Vec<Fault>,
) -> Vec<SignatureSeen> {
    let note = checkpoint.note();
    let latest = now.as_second().saturating_add(CLOCK_SKEW_SECONDS);
    let mut out = Vec::new();
    for (name, key) in known {
        let times = match note.verified_by(key) {
            Ok(times) => times,
            Err(error) => {
                faults.push(Fault::Signature(error));
                continue;
            }
        };
        for at in times {
            if let Some(at) = at.filter(|at| at.as_second() > latest) {
                let signer = (*name).to_owned();
                faults.push(Fault::Refused(Refused::SignedInFuture { signer, at }));
            }
            out.push(SignatureSeen { name: (*name).to_owned(), key: (*key).clone(), at });
        }
    }
    // A line nobody vouches for may be meant to look like one that somebody does.
    let lines = note.signatures().iter();
    for line in lines.filter(|line| !known.iter().any(|(_, key)| key.made(line))) {
        faults.push(Fault::SignatureUnknown { name: excerpt(line.name()) });
    }
    out
}

/// What could be read of a base.
#[derive(Default)]
struct BaseRead {
    faults: Vec<Fault>,
    policy: Option<Policy>,
    frontier: Option<Frontier>,
    list: Option<List>,
}

impl BaseRead {
    fn of(base: &Base) -> Self {
        let mut read = Self::default();
        match Policy::parse(&base.policy) {
            Ok(policy) => read.policy = Some(policy),
            Err(error) => read.faults.push(Fault::Policy(error)),
        }
        read.frontier = base.frontier();
        if read.frontier.is_none() {
            read.faults.push(Fault::BaseFrontier { size: base.size, given: base.frontier.len() });
        }
        if base.size > 0 {
            read.checkpoint(base);
        } else if !base.checkpoint.is_empty() || base.newest.is_some() {
            read.faults.push(Fault::BaseNotEmpty);
        }
        if let Some(newest) = &base.newest {
            read.newest(base, newest);
        }
        read
    }

    /// The register is the one that a quorum signed. Whatever policies it had before, its newest
    /// checkpoint satisfies the one that is in force since.
    fn checkpoint(&mut self, base: &Base) {
        let checkpoint = match Checkpoint::parse(base.checkpoint.as_bytes()) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                self.faults.push(Fault::BaseCheckpoint(error));
                return;
            }
        };
        if let Some(frontier) = &self.frontier
            && checkpoint.head() != (TreeHead { size: base.size, root: frontier.root() })
        {
            self.faults.push(Fault::BaseHead);
        }
        let Some(policy) = &self.policy else { return };
        if checkpoint.origin() != policy.origin() {
            let expected = policy.origin().to_owned();
            self.faults.push(Fault::BaseOrigin { given: excerpt(checkpoint.origin()), expected });
        }
        if let Err(error) = policy.quorum(&checkpoint) {
            self.faults.push(Fault::BaseQuorum(error));
        }
    }

    /// The newest revision stands in the register, and its list is its own.
    fn newest(&mut self, base: &Base, newest: &BaseRevision) {
        let list = read_list(&newest.list, Fault::BaseList, &mut self.faults);
        let revision = match Statement::parse(newest.statement.as_bytes()) {
            Ok(Statement::Revision(revision)) => revision,
            Ok(_) => {
                self.faults.push(Fault::BaseNoRevision);
                return;
            }
            Err(error) => {
                self.faults.push(Fault::BaseStatement(error));
                return;
            }
        };
        if let Some(policy) = &self.policy
            && revision.origin != policy.origin()
        {
            let expected = policy.origin().to_owned();
            self.faults.push(Fault::BaseOrigin { given: excerpt(&revision.origin), expected });
        }
        let leaf = leaf_hash(newest.statement.as_bytes());
        let included = |frontier: &Frontier, index| {
            is_included(&leaf, index, base.size, &newest.inclusion, &frontier.root())
        };
        let index = revision.number.checked_sub(1).filter(|_| revision.number == newest.number);
        let stands = index.zip(self.frontier.as_ref());
        if !stands.is_some_and(|(index, frontier)| included(frontier, index)) {
            self.faults.push(Fault::BaseRevisionOutside { number: newest.number });
        }
        if let Some(list) = list {
            if is_of(&revision, &ListHeads::of(&list)) {
                self.list = Some(list);
            } else {
                self.faults.push(Fault::BaseListDiffers { number: newest.number });
            }
        }
    }
}

/// Whether a list is that of an accepted revision. Its names may have been signed in an older
/// normal form, which is not computed any more; its rows are the same in every one.
fn is_of(revision: &RevisionStatement, heads: &ListHeads) -> bool {
    if revision.normal_form_version == NORMAL_FORM_VERSION {
        revision.is_of(heads)
    } else {
        revision.list == heads.list
    }
}

impl SignatureSeen {
    /// Whether the log key made it.
    #[must_use]
    pub fn is_of_log(&self) -> bool {
        self.key.role() == Role::Note
    }
}
