//! The decision log: every answered question, durable before its answer leaves.
//!
//! Callers hand their records to one writer thread, which takes whatever waits, stores it in one
//! transaction with one sync, and then tells all of them. A caller that hangs up cancels nothing.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

mod answer;
mod folder;
mod group;
mod keeper;
mod pace;
mod queue;
pub mod reading;
mod segment;
mod stored;
mod writer;

pub use answer::Answered;
pub use folder::DIRECTORY;

use queue::Queue;
use writer::Writer;

/// Reads the clock.
pub type Clock = fn() -> Timestamp;

/// What happens to a question when its answer cannot be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is not answered.
    #[default]
    Required,
    /// It is answered, and the loss is counted and said.
    BestEffort,
    /// Nothing is ever logged.
    Off,
}

/// Three years, one of them with a leap day, and 90 days: customs audits come up to three years
/// after release (docs/sources.md#audit-window).
pub const RETENTION_DEFAULT: SignedDuration = SignedDuration::from_hours((3 * 365 + 1 + 90) * 24);
/// A file of this size holds two to four million answers, and is copied in seconds.
pub const SEGMENT_BYTES_DEFAULT: u64 = 1 << 30;
/// Smallest bound of a file: below it, more files are made than answers kept.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 20;

/// How the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionSettings {
    /// What a log that fails means for lookups. Default: [`Mode::Required`].
    pub mode: Mode,
    /// Files whose newest answer is older than this are deleted. Default: [`RETENTION_DEFAULT`].
    pub retention: SignedDuration,
    /// A file that has reached this size takes no more, and the next is begun; so at each
    /// month's end. In bytes, default [`SEGMENT_BYTES_DEFAULT`]. A file may exceed it by one
    /// transaction.
    pub segment_bytes_max: u64,
}

impl Default for DecisionSettings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            retention: RETENTION_DEFAULT,
            segment_bytes_max: SEGMENT_BYTES_DEFAULT,
        }
    }
}

/// The answers were not logged, and in [`Mode::Required`] must not be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the decision log did not take the answer")]
pub struct NotLogged;

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    /// Another process writes there.
    #[error("another process writes to it; stop that one, or name another directory")]
    Locked,
    /// A later version wrote it.
    #[error(
        "`{file}` has format {version}, which a later version of this program wrote; start that one"
    )]
    Newer {
        /// The file.
        file: String,
        /// Its format.
        version: i64,
    },
    /// The directory or a file of it cannot be used.
    #[error("{0}")]
    Disk(#[from] std::io::Error),
    /// The newest file cannot be used, though it is not damaged.
    #[error("`{file}`: {reason}")]
    Unusable {
        /// The file.
        file: String,
        /// What the system or the library says.
        reason: String,
    },
}

/// What the log has done since it was opened, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionFigures {
    /// Answers stored.
    pub records: u64,
    /// Transactions that stored them, each with one sync.
    pub groups: u64,
    /// Answers given and not stored. Only in [`Mode::BestEffort`].
    pub lost: u64,
    /// Answers refused because they could not be stored. Only in [`Mode::Required`].
    pub refused: u64,
    /// Transactions that failed.
    pub failures: u64,
    /// Answers that wait to be stored.
    pub queued: u64,
    /// How long the last successful transaction took, in microseconds.
    pub last_commit_micros: u64,
    /// Whether the last attempt to store failed.
    pub failing: bool,
}

#[derive(Debug, Default)]
struct Counters {
    records: AtomicU64,
    groups: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
    last_commit_micros: AtomicU64,
    failing: AtomicU64,
}

/// What callers, the writer and whoever reads figures share.
#[derive(Debug)]
struct Shared {
    mode: Mode,
    queue: Queue,
    counters: Counters,
}

impl Shared {
    /// Counts records that are not stored.
    fn count_unlogged(&self, records: usize) {
        let counter = match self.mode {
            Mode::BestEffort => &self.counters.lost,
            _ => &self.counters.refused,
        };
        counter.fetch_add(records as u64, Ordering::Relaxed);
    }
}

/// Hands answers to the log. Copies hand to the same one.
#[derive(Debug, Clone)]
pub struct DecisionLog {
    kept: Option<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    shared: Arc<Shared>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl DecisionLog {
    /// A log that keeps nothing.
    #[must_use]
    pub const fn off() -> Self {
        Self { kept: None }
    }

    /// Opens the log in a directory, which is made if it is not there. A newest file that is
    /// damaged is set aside under another name, which the program's log says; on a full disk the
    /// log opens, and takes answers once there is room.
    ///
    /// # Errors
    /// [`OpenLogError`]; no file was deleted or shortened.
    pub fn open(
        directory: &Path,
        settings: DecisionSettings,
        clock: Clock,
    ) -> Result<Self, OpenLogError> {
        if settings.mode == Mode::Off {
            return Ok(Self::off());
        }
        let shared = Arc::new(Shared {
            mode: settings.mode,
            queue: Queue::default(),
            counters: Counters::default(),
        });
        let writer = Writer::open(directory, settings, clock, Arc::clone(&shared))?;
        let thread = std::thread::Builder::new().name("decisions".into());
        let thread = thread.spawn(move || writer.run())?;
        let writer = Arc::new(Mutex::new(Some(thread)));
        Ok(Self { kept: Some(Kept { shared, writer }) })
    }

    /// Whether anything is kept at all. If not, no record need be made.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Queues records, to be stored all together or not at all. The ticket resolves once they
    /// are durable; in [`Mode::BestEffort`], and without records, at once.
    #[must_use]
    pub fn submit(&self, records: &[Answered]) -> Ticket {
        let Some(Kept { shared, .. }) = self.kept.as_ref().filter(|_| !records.is_empty()) else {
            return Ticket(Waiting::Over(Ok(())));
        };
        let count = records.len();
        let (reply, outcome) = match shared.mode {
            Mode::Required => {
                let (reply, outcome) = oneshot::channel();
                (Some(reply), Waiting::For(outcome))
            }
            _ => (None, Waiting::Over(Ok(()))),
        };
        match shared.queue.push(records, reply) {
            Ok(()) => Ticket(outcome),
            Err(_full_or_closed) => {
                shared.count_unlogged(count);
                let answered_anyway = shared.mode == Mode::BestEffort;
                Ticket(Waiting::Over(if answered_anyway { Ok(()) } else { Err(NotLogged) }))
            }
        }
    }

    /// What the log has done.
    #[must_use]
    pub fn figures(&self) -> DecisionFigures {
        let Some(Kept { shared, .. }) = &self.kept else { return DecisionFigures::default() };
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &shared.counters;
        DecisionFigures {
            records: of(&counters.records),
            groups: of(&counters.groups),
            lost: of(&counters.lost),
            refused: of(&counters.refused),
            failures: of(&counters.failures),
            queued: shared.queue.records() as u64,
            last_commit_micros: of(&counters.last_commit_micros),
            failing: of(&counters.failing) != 0,
        }
    }

    /// Stores what is queued, takes no more, and waits until the files are closed. Blocks.
    pub fn close(&self) {
        let Some(Kept { shared, writer }) = &self.kept else { return };
        shared.queue.close();
        let thread = writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the decision log ended early");
        }
    }
}

/// Resolves once records are durable.
#[derive(Debug)]
pub struct Ticket(Waiting);

#[derive(Debug)]
enum Waiting {
    For(oneshot::Receiver<Result<(), NotLogged>>),
    Over(Result<(), NotLogged>),
}

impl Future for Ticket {
    type Output = Result<(), NotLogged>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Over(outcome) => Poll::Ready(*outcome),
            Waiting::For(outcome) => {
                // A writer that ended without a word stored nothing that it spoke of.
                Pin::new(outcome).poll(context).map(|told| told.unwrap_or(Err(NotLogged)))
            }
        }
    }
}
