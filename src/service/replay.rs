//! The stored statements to a register: the same `step` that accepted each, over again.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::domain::list::List;
use crate::domain::message::Refusal;
use crate::formats::list_records;
use crate::formats::stored::Stored;
use crate::register::history::Register;
use crate::register::policy::{Policy, PolicyError};
use crate::register::record::ListHeads;
use crate::register::statement::Statement;
use crate::register::step::{Examined, Proposal, ProposedList, Refused, examine, step};
use crate::store::{ReadError, Store};

/// A register replayed to its end.
#[derive(Debug)]
pub struct Replayed {
    /// The register.
    pub register: Register,
    /// The list of the newest revision.
    pub newest: Option<Arc<List>>,
    /// The checkpoint of the last statement, as it was signed; empty without statements.
    pub checkpoint: Vec<u8>,
}

/// Why a stored register is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store could not give a statement.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The first policy of the register cannot be read.
    #[error("the register's first policy cannot be read: {}", .0.english())]
    Genesis(PolicyError),
    /// A statement is stored in no form this program knows.
    #[error(
        "statement {number} is stored in a form this program does not know; it may have been written by a later version"
    )]
    Form {
        /// The statement.
        number: u64,
    },
    /// A statement would not be accepted.
    #[error("statement {number} is not what was signed: {}", reasons(refused))]
    Refused {
        /// The statement.
        number: u64,
        /// Every reason.
        refused: Vec<Refused>,
    },
    /// The list of a statement does not pass lint.
    #[error("the list of statement {number} cannot be read: {problem}")]
    List {
        /// The statement.
        number: u64,
        /// The first problem.
        problem: String,
    },
}

fn reasons(refused: &[Refused]) -> String {
    refused.iter().map(Refusal::english).collect::<Vec<_>>().join("; ")
}

/// Statements read ahead of the one that is verified.
const READ_AHEAD_MAX: usize = 4;

/// Replays a store, from the policy it began with. `progress` hears of each statement.
///
/// # Errors
/// [`ReplayError`] names the first statement that is not what it was.
pub fn replay(
    store: &dyn Store,
    genesis: &[u8],
    mut progress: impl FnMut(u64, u64),
) -> Result<Replayed, ReplayError> {
    let text = String::from_utf8_lossy(genesis);
    let policy = Policy::parse(&text).map_err(ReplayError::Genesis)?;
    let mut register = Register::new(policy);
    let mut newest: Option<Arc<List>> = None;
    let mut checkpoint = Vec::new();
    let size = store.size();
    // Lists are read on one processor and verified on another. Nothing that is read is believed
    // before its own statement, and all before it, are verified.
    std::thread::scope(|scope| {
        let (ahead, read) = sync_channel(READ_AHEAD_MAX);
        scope.spawn(move || read_ahead(store, size, &ahead));
        for number in 1..=size {
            let Ok(found) = read.recv() else { break };
            let ReadAhead { stored, list } = found?;
            register = again(&register, &stored, list.as_deref(), newest.as_deref(), number)?;
            newest = list.or(newest);
            checkpoint = stored.checkpoint;
            progress(number, size);
        }
        Ok(Replayed { register, newest, checkpoint })
    })
}

/// A stored statement, and the list it makes if it is a revision.
struct ReadAhead {
    stored: Stored,
    list: Option<Arc<List>>,
}

/// Reads every statement in turn, until one cannot be read or nobody wants more.
fn read_ahead(store: &dyn Store, size: u64, ahead: &SyncSender<Result<ReadAhead, ReplayError>>) {
    let mut newest: Option<Arc<List>> = None;
    for number in 1..=size {
        let found = read(store, number).and_then(|stored| {
            let is_revision =
                matches!(Statement::parse(&stored.statement), Ok(Statement::Revision(_)));
            let list = is_revision
                .then(|| changed(newest.as_deref(), &stored, number).map(Arc::new))
                .transpose()?;
            Ok(ReadAhead { stored, list })
        });
        if let Ok(ReadAhead { list: Some(list), .. }) = &found {
            newest = Some(Arc::clone(list));
        }
        let last = found.is_err();
        if ahead.send(found).is_err() || last {
            return;
        }
    }
}

/// The list after the changes that are stored with a revision.
fn changed(newest: Option<&List>, stored: &Stored, number: u64) -> Result<List, ReplayError> {
    list_records::apply(newest, &stored.delta).map_err(|problems| {
        let problem = problems.first().map(|p| p.english.clone()).unwrap_or_default();
        ReplayError::List { number, problem }
    })
}

/// Accepts a stored statement again.
fn again(
    register: &Register,
    stored: &Stored,
    list: Option<&List>,
    newest: Option<&List>,
    number: u64,
) -> Result<Register, ReplayError> {
    let refused = |refused| ReplayError::Refused { number, refused };
    let proposal = Proposal { statement: &stored.statement, checkpoint: &stored.checkpoint };
    // What was in time when it was accepted is judged by that time.
    let at = stored.accept_time;
    let candidate = match examine(register, &proposal, at).map_err(refused)? {
        Examined::Next(candidate) => *candidate,
        Examined::Standing(earlier) => {
            let size = register.size();
            return Err(refused(vec![Refused::Moved { size, given: earlier }]));
        }
    };
    let heads = list.map(ListHeads::of);
    let list = heads.as_ref().map_or(ProposedList::Newest(newest), ProposedList::Heads);
    step(register, candidate, list, at).map_err(refused)
}

/// A stored statement.
///
/// # Errors
/// [`ReplayError`]: it cannot be read.
pub fn read(store: &dyn Store, number: u64) -> Result<Stored, ReplayError> {
    Stored::parse(&store.read(number)?).ok_or(ReplayError::Form { number })
}

/// The list of a past revision, from what changed up to it: from the beginning, or from the list
/// of an earlier revision. Its statements were all verified at start-up; the store gives no other
/// bytes than it verified then.
///
/// # Errors
/// [`ReplayError`]: the store fails, or the list is not the one its statement names.
pub fn list_of(
    store: &dyn Store,
    register: &Register,
    revision: u64,
    earlier: Option<(u64, &Arc<List>)>,
) -> Result<Arc<List>, ReplayError> {
    let mut list = earlier.map(|(_, list)| Arc::clone(list));
    for number in earlier.map_or(1, |(number, _)| number + 1)..=revision {
        let accepted = register.statement(number);
        if !accepted.is_some_and(|a| matches!(a.statement, Statement::Revision(_))) {
            continue;
        }
        list = Some(Arc::new(changed(list.as_deref(), &read(store, number)?, number)?));
    }
    let named = register.statement(revision).map(|accepted| &accepted.statement);
    match (list, named) {
        (Some(list), Some(Statement::Revision(named))) if named.is_of(&ListHeads::of(&list)) => {
            Ok(list)
        }
        _ => Err(ReplayError::Refused { number: revision, refused: vec![Refused::ListDiffers] }),
    }
}
