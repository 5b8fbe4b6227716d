//! The thread behind the writer: copies write-ahead logs, closes full segments, deletes those
//! past their retention. Nobody's answer waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::Clock;
use super::folder::{Folder, SegmentName};
use super::segment::{self, SegmentError};

/// How often it looks for segments past their retention, and for such as were left untidy.
const ROUND_INTERVAL: Duration = Duration::from_hours(1);

/// What it is asked for.
#[derive(Debug)]
enum Job {
    CopyWal { name: SegmentName, done: Arc<AtomicBool> },
    Close { name: SegmentName, connection: Connection },
}

/// The thread, as the writer sees it. It ends, when all is done, with this.
#[derive(Debug)]
pub(super) struct Keeper {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    in_use: Arc<AtomicU64>,
}

impl Keeper {
    /// Starts the thread. Until told otherwise it touches no segment from the given number on.
    pub(super) fn start(
        folder: Folder,
        retention: SignedDuration,
        clock: Clock,
        in_use: u64,
    ) -> std::io::Result<Self> {
        let in_use = Arc::new(AtomicU64::new(in_use));
        let (jobs, waiting) = channel();
        let work = Work { folder, retention, clock, in_use: Arc::clone(&in_use) };
        let thread = std::thread::Builder::new().name("decision-files".into());
        let thread = thread.spawn(move || work.run(&waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), in_use })
    }

    /// From now on this segment is written to, and none before it.
    pub(super) fn uses(&self, name: &SegmentName) {
        self.in_use.store(name.number, Ordering::SeqCst);
    }

    /// Copies the write-ahead log of the segment in use; then `done` is true.
    pub(super) fn copy_wal(&self, name: SegmentName) -> Arc<AtomicBool> {
        let done = Arc::new(AtomicBool::new(false));
        self.ask(Job::CopyWal { name, done: Arc::clone(&done) });
        done
    }

    /// Closes a segment that is written to no more.
    pub(super) fn close(&self, name: SegmentName, connection: Connection) {
        self.ask(Job::Close { name, connection });
    }

    fn ask(&self, job: Job) {
        // A thread that is gone leaves the work to the next start; nothing is lost by it.
        if let Some(jobs) = &self.jobs {
            let _gone = jobs.send(job);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the keeper of the decision log ended early");
        }
    }
}

struct Work {
    folder: Folder,
    retention: SignedDuration,
    clock: Clock,
    in_use: Arc<AtomicU64>,
}

impl Work {
    fn run(&self, waiting: &Receiver<Job>) {
        self.round();
        loop {
            match waiting.recv_timeout(ROUND_INTERVAL) {
                Ok(Job::CopyWal { name, done }) => {
                    let copied = segment::copy_wal(&self.folder, &name);
                    Self::tell(&name, "its write-ahead log was not copied", copied);
                    done.store(true, Ordering::SeqCst);
                }
                Ok(Job::Close { name, connection }) => {
                    let tidied = segment::tidy(&connection);
                    drop(connection);
                    Self::tell(&name, "it was not closed; that is tried again", tidied);
                    self.round();
                }
                Err(RecvTimeoutError::Timeout) => self.round(),
                Err(RecvTimeoutError::Disconnected) => {
                    // Those that somebody was reading when they were to be closed.
                    self.each_behind(Self::tidy);
                    return;
                }
            }
        }
    }

    fn tell(name: &SegmentName, what: &str, outcome: Result<(), SegmentError>) {
        if let Err(error) = outcome {
            tracing::warn!(segment = name.file, %error, "a file of the decision log: {what}");
        }
    }

    /// Closes and deletes what is to be closed and deleted.
    fn round(&self) {
        self.each_behind(|work, name| {
            work.tidy(name);
            let kept = work.delete_if_old(name);
            Self::tell(
                name,
                "whether it is past its retention is not known, or it was not deleted",
                kept,
            );
        });
    }

    /// Does something with every segment before the one in use.
    fn each_behind(&self, work: impl Fn(&Self, &SegmentName)) {
        let segments = match self.folder.segments() {
            Ok(segments) => segments,
            Err(error) => {
                tracing::error!(%error, "the decision log's directory cannot be read");
                return;
            }
        };
        let in_use = self.in_use.load(Ordering::SeqCst);
        for name in segments.iter().filter(|name| name.number < in_use) {
            work(self, name);
        }
    }

    fn tidy(&self, name: &SegmentName) {
        if self.folder.is_untidy(name) {
            let tidied = segment::tidy_closed(&self.folder, name);
            Self::tell(name, "it was not closed; that is tried again", tidied);
        }
    }

    fn delete_if_old(&self, name: &SegmentName) -> Result<(), SegmentError> {
        let oldest_kept = (self.clock)().saturating_sub(self.retention);
        let oldest_kept = oldest_kept.map_or(i64::MIN, Timestamp::as_microsecond);
        let newest = segment::newest_id(&self.folder, name)?;
        if newest.is_some_and(|newest| newest >= oldest_kept) {
            return Ok(());
        }
        self.folder.delete(name)?;
        tracing::info!(
            segment = name.file,
            "a file of the decision log was past its retention, or empty, and was deleted"
        );
        Ok(())
    }
}
