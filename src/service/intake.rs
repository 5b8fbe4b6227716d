//! The single writer: everything that can refuse, then the append, then the publication, which
//! cannot fail. Runs on a thread of its own: a submitter that hangs up cancels nothing.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::domain::list::List;
use crate::domain::list_diff::{self, RowChange};
use crate::formats::list_csv::{self, ListFiles};
use crate::formats::list_records::{self, Delta};
use crate::formats::stored::Stored;
use crate::formats::table::Problem;
use crate::register::history::Register;
use crate::register::list_trees::ListTrees;
use crate::register::record::{ListHeads, Record, records};
use crate::register::statement::Statement;
use crate::register::step::{Candidate, Examined, Proposal, ProposedList, Refused, examine, step};
use crate::store::AppendError;

use super::priority::{run_when_idle, when_idle, yield_to_lookups};
use super::running::Running;
use super::snapshot::SignedList;
use super::tally::Tally;
use super::timeline::Published;

/// Proposals that may wait. Each may hold some 100 MB.
const WAITING_MAX: usize = 2;

/// Reads the clock.
pub type Clock = fn() -> Timestamp;

/// A proposal as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// The statement's bytes.
    pub statement: Vec<u8>,
    /// The checkpoint's bytes.
    pub checkpoint: Vec<u8>,
    /// The list of a revision.
    pub list: Option<ListFiles>,
}

/// The statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub number: u64,
    /// When it was accepted.
    pub accept_time: Timestamp,
    /// When it comes into force; `None` for a policy.
    pub effective: Option<Timestamp>,
    /// Whether it stood there before.
    pub already: bool,
}

/// Why a statement does not stand, or may not.
#[derive(Debug)]
pub enum SubmitError {
    /// It is refused: every reason, never none.
    Refused(Vec<Refused>),
    /// Its list does not pass lint: every problem, never none.
    Lint(Vec<Problem>),
    /// The store did not take it.
    Store(AppendError),
    /// Other proposals are being worked on.
    Busy,
    /// The writer has ended.
    Ended,
}

/// What a proposal would do.
#[derive(Debug, Default)]
pub struct Preview {
    /// Reasons to refuse it.
    pub refused: Vec<Refused>,
    /// Problems of its list.
    pub problems: Vec<Problem>,
    /// What would change against the newest revision.
    pub changes: Vec<RowChange>,
    /// The number it would get, or has.
    pub number: u64,
    /// Whether it stands already.
    pub already: bool,
}

struct Job {
    submission: Submission,
    reply: oneshot::Sender<Result<Standing, SubmitError>>,
}

/// Hands proposals to the writer.
#[derive(Debug, Clone)]
pub struct Intake {
    jobs: SyncSender<Job>,
    tally: Arc<Tally>,
}

impl Intake {
    /// Starts the writer of a running register. It ends when the last `Intake` is gone.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(running: Arc<Running>, clock: Clock) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let tally = Arc::clone(running.tally());
        std::thread::Builder::new()
            .name("intake".into())
            .spawn(move || write(&running, &waiting, clock))?;
        Ok(Self { jobs, tally })
    }

    /// Submits a proposal.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(&self, submission: Submission) -> Result<Standing, SubmitError> {
        let (reply, outcome) = oneshot::channel();
        match self.jobs.try_send(Job { submission, reply }) {
            Ok(()) => match outcome.await {
                Ok(outcome) => outcome,
                Err(_writer_ended) => self.turned_away(SubmitError::Ended),
            },
            Err(TrySendError::Full(_)) => self.turned_away(SubmitError::Busy),
            Err(TrySendError::Disconnected(_)) => self.turned_away(SubmitError::Ended),
        }
    }

    /// The writer has not seen it.
    fn turned_away(&self, error: SubmitError) -> Result<Standing, SubmitError> {
        let outcome = Err(error);
        self.tally.proposed(&outcome);
        outcome
    }
}

fn write(running: &Running, waiting: &Receiver<Job>, clock: Clock) {
    yield_to_lookups();
    while let Ok(Job { submission, reply }) = waiting.recv() {
        let outcome = accept(running, submission, clock());
        running.tally().proposed(&outcome);
        // The submitter may have hung up. The statement stands either way.
        drop(reply.send(outcome));
    }
}

/// How long a lookup may still hold what was published before.
const RETIRE_DELAY: Duration = Duration::from_secs(1);

/// Frees a list that answers no more, on a thread of its own: it takes milliseconds, which no
/// lookup shall pay by being the last to hold it, and the next proposal need not wait.
fn retire(before: Arc<Published>) {
    let free = move || {
        run_when_idle();
        std::thread::sleep(RETIRE_DELAY);
        drop(before);
    };
    // Without a thread it is freed now, at once.
    drop(std::thread::Builder::new().name("retire".into()).spawn(free));
}

/// Everything that can refuse, the append, the publication. For the one writer of a register.
///
/// # Errors
/// [`SubmitError`]; unless it is [`AppendError::Unknown`], the register is as it was.
pub fn accept(
    running: &Running,
    submission: Submission,
    now: Timestamp,
) -> Result<Standing, SubmitError> {
    let now = whole_second(now);
    let published = running.published();
    let register = &published.register;
    let proposal =
        Proposal { statement: &submission.statement, checkpoint: &submission.checkpoint };
    let candidate = match examine(register, &proposal, now).map_err(SubmitError::Refused)? {
        Examined::Next(candidate) => *candidate,
        Examined::Standing(number) => return Ok(standing(register, number, now, true)),
    };
    let Prepared { next, signed, delta } =
        prepare(register, candidate, submission.list, published.newest.clone(), now)?;
    let number = next.size();
    let stored = Stored {
        accept_time: now,
        statement: submission.statement,
        checkpoint: submission.checkpoint,
        delta,
    };
    // The last thing that can fail before the append: lists that are in force and not at hand.
    let newest_number = next.revisions().next_back().map(|r| r.number);
    let newest = signed.or_else(|| {
        let (number, list) = newest_number.zip(published.newest.clone())?;
        Some(Arc::new(SignedList::new(number, list)))
    });
    let list = newest.as_ref().map(|newest| Arc::clone(&newest.list));
    let checkpoint = stored.checkpoint.clone();
    let prepared = Published::new(next, checkpoint, list, now, |register, number| {
        // What answered before keeps its index and its trees.
        let at_hand = published.signed(number).or_else(|| newest.clone());
        match at_hand.filter(|signed| signed.number == number) {
            Some(signed) => Ok(signed),
            None => running.signed(register, number),
        }
    });
    let prepared = prepared.map_err(|_unreadable| {
        SubmitError::Store(AppendError::NotStored {
            source: std::io::Error::other("the list in force cannot be read from the register"),
        })
    })?;
    let body = stored.to_bytes();
    running.store().append(register.size(), &body).map_err(SubmitError::Store)?;
    let standing = standing(&prepared.register, number, now, false);
    drop(published);
    retire(running.publish(Arc::new(prepared)));
    Ok(standing)
}

struct Prepared {
    next: Register,
    /// Of a revision.
    signed: Option<Arc<SignedList>>,
    delta: Delta,
}

/// The next register and its list, if the list is what the statement says.
fn prepare(
    register: &Register,
    candidate: Candidate,
    files: Option<ListFiles>,
    newest: Option<Arc<List>>,
    now: Timestamp,
) -> Result<Prepared, SubmitError> {
    let Some(files) = files else {
        let list = ProposedList::Newest(newest.as_deref());
        let next = step(register, candidate, list, now).map_err(SubmitError::Refused)?;
        return Ok(Prepared { next, signed: None, delta: Delta::default() });
    };
    // A list with a statement that has none is refused before it is read.
    if !matches!(candidate.statement(), Statement::Revision(_)) {
        return Err(SubmitError::Refused(vec![Refused::ListNotExpected]));
    }
    let read = when_idle(move || Read::of(&files, newest.as_deref()));
    let Read { list, trees, delta } = read.map_err(SubmitError::Lint)?;
    let next = step(register, candidate, ProposedList::Heads(&trees.heads()), now)
        .map_err(SubmitError::Refused)?;
    let signed = SignedList::with_trees(next.size(), Arc::new(list), trees);
    Ok(Prepared { next, signed: Some(Arc::new(signed)), delta })
}

/// A list as it was proposed, ready to answer, and what it changes. All of the work on every
/// row is done here: whoever publishes it no longer runs in idle time.
struct Read {
    list: List,
    trees: ListTrees,
    delta: Delta,
}

impl Read {
    fn of(files: &ListFiles, before: Option<&List>) -> Result<Self, Vec<Problem>> {
        let list = list_csv::read(files)?.list;
        list.prepare();
        let (trees, after) = ListTrees::with_records(&list);
        let before: Vec<Record> = before.map(records).unwrap_or_default();
        let delta = list_records::delta(&before, after);
        Ok(Self { list, trees, delta })
    }
}

/// Everything [`Intake::submit`] would check, and what would change; nothing is written.
#[must_use]
pub fn preview(published: &Published, submission: &Submission, now: Timestamp) -> Preview {
    let now = whole_second(now);
    let register = &published.register;
    let proposal =
        Proposal { statement: &submission.statement, checkpoint: &submission.checkpoint };
    let mut preview = Preview { number: register.size() + 1, ..Preview::default() };
    let candidate = match examine(register, &proposal, now) {
        Ok(Examined::Next(candidate)) => Some(*candidate),
        Ok(Examined::Standing(number)) => {
            (preview.number, preview.already) = (number, true);
            return preview;
        }
        Err(refused) => {
            preview.refused = refused;
            None
        }
    };
    let list = match submission.list.as_ref().map(list_csv::read) {
        Some(Ok(read)) => Some(read.list),
        Some(Err(problems)) => {
            preview.problems = problems;
            return preview;
        }
        None => None,
    };
    let heads = list.as_ref().map(ListHeads::of);
    if let Some(candidate) = candidate {
        let list = match &heads {
            Some(heads) => ProposedList::Heads(heads),
            None => ProposedList::Newest(published.newest.as_deref()),
        };
        preview.refused.extend(step(register, candidate, list, now).err().unwrap_or_default());
    }
    if let Some(list) = &list {
        preview.changes = match &published.newest {
            Some(newest) => list_diff::diff(newest, list),
            None => list_diff::added(list),
        };
    }
    preview
}

fn standing(register: &Register, number: u64, now: Timestamp, already: bool) -> Standing {
    let accepted = register.statement(number);
    let effective = accepted.and_then(|accepted| match &accepted.statement {
        Statement::Revision(revision) => Some(revision.effective),
        Statement::Suspension(suspension) => Some(suspension.effective),
        Statement::Policy(_) => None,
    });
    let accept_time = accepted.map_or(now, |accepted| accepted.accept_time);
    Standing { number, accept_time, effective, already }
}

/// Times of the register are whole seconds.
fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
