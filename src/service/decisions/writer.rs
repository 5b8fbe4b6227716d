//! The one thread that writes answers: takes what waits, stores it in one transaction, tells
//! those who wait. When storing fails it says so to all of them, and tries again with the next.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::folder::{Folder, Lock, SegmentName};
use super::group::Unstored;
use super::keeper::Keeper;
use super::pace::Pace;
use super::queue::Waiting;
use super::segment::{Remedy, Segment, SegmentError, WAL_PAGES_MAX};
use super::{Clock, DecisionSettings, Mode, NotLogged, OpenLogError, Shared};

/// After a failure nothing is tried for so long, and what arrives is refused at once: a full
/// disk is asked four times a second, not thirty thousand times.
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// A failure that lasts is said again after this time.
const TELL_INTERVAL: Duration = Duration::from_mins(1);
/// A group that waits for more is begun at the latest so long after the one before: who comes
/// slowly waits no longer.
const GROUP_INTERVAL: Duration = Duration::from_millis(2);

/// The writer.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    folder: Folder,
    segment_bytes_max: u64,
    clock: Clock,
    /// Where those who wait run, if it was opened there.
    runtime: Option<Handle>,
    current: Option<Current>,
    /// Whether the newest file is to be written on, once it can be opened.
    reopen: bool,
    /// Set while the write-ahead log is being copied; then whether that is done.
    copying: Option<Arc<AtomicBool>>,
    /// Its pages when it was copied last.
    copied_pages: u32,
    failing: Option<Failing>,
    /// Losses that were said.
    told_lost: u64,
    told_lost_at: Option<Instant>,
    // The order of these two is the order of their end: the lock goes last.
    keeper: Keeper,
    _lock: Lock,
}

/// The segment in use, and which file it is.
#[derive(Debug)]
struct Current {
    segment: Segment,
    identity: (u64, u64),
}

/// Since when nothing is stored.
#[derive(Debug)]
struct Failing {
    retry_at: Instant,
    told_at: Instant,
}

impl Writer {
    /// Takes the directory and opens its newest segment, or begins one.
    pub(super) fn open(
        directory: &Path,
        settings: DecisionSettings,
        clock: Clock,
        shared: Arc<Shared>,
    ) -> Result<Self, OpenLogError> {
        let (folder, lock) = Folder::take(directory)?;
        let newest = folder.segments()?.pop();
        let in_use = newest.as_ref().map_or(0, |name| name.number);
        let keeper = Keeper::start(folder.clone(), settings.retention, clock, in_use)?;
        let mut writer = Self {
            shared,
            folder,
            segment_bytes_max: settings.segment_bytes_max,
            clock,
            runtime: Handle::try_current().ok(),
            current: None,
            reopen: newest.is_some(),
            copying: None,
            copied_pages: 0,
            failing: None,
            told_lost: 0,
            told_lost_at: None,
            keeper,
            _lock: lock,
        };
        match writer.begin() {
            Ok(()) => Ok(writer),
            // There may be room later; until then it is as when a disk fills up.
            Err(error) if error.is_full() => {
                writer.fail(&error);
                Ok(writer)
            }
            Err(SegmentError::Disk(error)) => Err(error.into()),
            Err(error) => {
                let file = newest.map(|name| name.file).unwrap_or_default();
                Err(match error {
                    SegmentError::Newer(version) => OpenLogError::Newer { file, version },
                    other => OpenLogError::Unusable { file, reason: other.to_string() },
                })
            }
        }
    }

    /// Stores what comes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let (mut pace, mut begun, mut told) = (Pace::default(), Instant::now(), 0);
        loop {
            let enough = |waiting| pace.enough(told, waiting);
            let Some(group) = self.shared.queue.take(enough, begun + GROUP_INTERVAL) else {
                return;
            };
            (begun, told) = (Instant::now(), group.units);
            self.store(group);
        }
    }

    /// Stores a group and tells those who wait for it.
    fn store(&mut self, mut group: Waiting) {
        let outcome = self.write(&mut group.answers);
        if outcome.is_err() {
            self.shared.count_unlogged(group.answers.count());
        }
        let replies = std::mem::take(&mut group.replies);
        self.shared.queue.give_back(group);
        let tell = move || {
            for reply in replies {
                // Who asked may have hung up. What is stored stays.
                let _ = reply.send(outcome);
            }
        };
        match &self.runtime {
            // From outside, each would be woken by itself, with a lock and perhaps a system call.
            Some(runtime) => drop(runtime.spawn(async { tell() })),
            None => tell(),
        }
        self.tell_losses();
    }

    fn write(&mut self, answers: &mut Unstored) -> Result<(), NotLogged> {
        let begun = Instant::now();
        if self.failing.as_ref().is_some_and(|failing| begun < failing.retry_at) {
            return Err(NotLogged);
        }
        match self.append(answers) {
            Ok(()) => {
                let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                let counters = &self.shared.counters;
                counters.last_commit_micros.store(micros, Ordering::Relaxed);
                counters.groups.fetch_add(1, Ordering::Relaxed);
                counters.records.fetch_add(answers.count() as u64, Ordering::Relaxed);
                if self.failing.take().is_some() {
                    counters.failing.store(0, Ordering::Relaxed);
                    tracing::warn!("the decision log takes answers again");
                }
                self.copy_wal();
                Ok(())
            }
            Err(error) => {
                self.shared.counters.failures.fetch_add(1, Ordering::Relaxed);
                self.recover(&error);
                self.fail(&error);
                Err(NotLogged)
            }
        }
    }

    fn append(&mut self, answers: &mut Unstored) -> Result<(), SegmentError> {
        let Some(oldest) = answers.oldest() else { return Ok(()) };
        let segment = self.segment_for(oldest)?;
        segment.append(answers)
    }

    /// The segment that takes answers of this time.
    fn segment_for(&mut self, oldest: i64) -> Result<&mut Segment, SegmentError> {
        let mut bytes = 0;
        if let Some(current) = &self.current {
            // Writing to a file that has no name any more succeeds, and nobody can read it.
            let there = std::fs::metadata(self.folder.path_of(current.segment.name()));
            bytes = there.as_ref().map_or(0, Metadata::len);
            if !there.is_ok_and(|there| identity(&there) == current.identity) {
                tracing::error!(
                    segment = current.segment.name().file,
                    "the newest file of the decision log was deleted or exchanged; what it held is gone, and another is begun"
                );
                self.current = None;
            }
        }
        if self.current.is_none() {
            self.begin()?;
        }
        let fits = match &self.current {
            Some(Current { segment, .. }) => {
                segment.takes(oldest) && segment.is_below(self.segment_bytes_max, bytes)?
            }
            None => false,
        };
        if !fits {
            if let Some(full) = self.current.take() {
                let (name, connection) = full.segment.into_parts();
                self.keeper.close(name, connection);
            }
            self.begin()?;
        }
        match &mut self.current {
            Some(current) => Ok(&mut current.segment),
            None => Err(SegmentError::Foreign),
        }
    }

    /// Opens the newest segment, if it is to be gone on with, or makes one.
    fn begin(&mut self) -> Result<(), SegmentError> {
        self.copying = None;
        self.copied_pages = 0;
        let newest = if self.reopen { self.folder.segments()?.pop() } else { None };
        let opened = match newest {
            Some(name) => match Segment::open(&self.folder, name.clone()) {
                Err(error) if error.remedy() == Remedy::SetAside => {
                    self.set_aside(&name, &error)?;
                    None
                }
                opened => Some(opened?),
            },
            None => None,
        };
        let segment = if let Some(segment) = opened {
            segment
        } else {
            let name = SegmentName::new(self.folder.next_number()?, (self.clock)());
            Segment::create(&self.folder, name)?
        };
        self.reopen = false;
        self.keeper.uses(segment.name());
        let identity = identity(&std::fs::metadata(self.folder.path_of(segment.name()))?);
        self.current = Some(Current { segment, identity });
        Ok(())
    }

    fn set_aside(&self, name: &SegmentName, error: &SegmentError) -> std::io::Result<()> {
        let aside = self.folder.set_aside(name)?;
        tracing::error!(
            segment = name.file,
            kept_as = aside.file,
            %error,
            "a file of the decision log is damaged; it is kept under another name, and another is begun"
        );
        Ok(())
    }

    /// Does about the segment in use what a failure demands.
    fn recover(&mut self, error: &SegmentError) {
        match error.remedy() {
            Remedy::Wait => (),
            Remedy::Leave => self.current = None,
            Remedy::SetAside => {
                let Some(current) = self.current.take() else { return };
                let (name, connection) = current.segment.into_parts();
                // Closed before it is renamed.
                drop(connection);
                if let Err(error) = self.set_aside(&name, error) {
                    tracing::error!(%error, "a damaged file of the decision log was not set aside");
                }
            }
        }
    }

    /// Notes a failure, and says it if it is new or lasts.
    fn fail(&mut self, error: &SegmentError) {
        let now = Instant::now();
        let told_at = self.failing.as_ref().map(|failing| failing.told_at);
        let is_told = told_at.is_some_and(|at| now.duration_since(at) < TELL_INTERVAL);
        if !is_told {
            match self.shared.mode {
                Mode::BestEffort => {
                    tracing::error!(%error, "the decision log takes no answers; they are given unlogged");
                }
                _ => {
                    tracing::error!(%error, "the decision log takes no answers; no question is answered");
                }
            }
        }
        self.shared.counters.failing.store(1, Ordering::Relaxed);
        let told_at = told_at.filter(|_| is_told).unwrap_or(now);
        self.failing = Some(Failing { retry_at: now + RETRY_DELAY, told_at });
    }

    /// Says how many answers were given unlogged.
    fn tell_losses(&mut self) {
        let lost = load(&self.shared.counters.lost);
        let is_time = self.told_lost_at.is_none_or(|at| at.elapsed() >= TELL_INTERVAL);
        if lost > self.told_lost && is_time {
            tracing::error!(lost, "answers were given that are not in the decision log");
            self.told_lost = lost;
            self.told_lost_at = Some(Instant::now());
        }
    }

    /// Has the write-ahead log copied when it is long, most of it elsewhere, the rest here: all
    /// of it must have been copied before it is begun anew.
    fn copy_wal(&mut self) {
        let Some(Current { segment, .. }) = &self.current else { return };
        let pages = segment.wal_pages();
        match &self.copying {
            Some(done) if done.load(Ordering::SeqCst) => {
                if let Err(error) = segment.checkpoint() {
                    tracing::debug!(%error, "the end of the write-ahead log was not copied");
                }
                self.copying = None;
                self.copied_pages = pages;
            }
            Some(_copying) => (),
            None => {
                if pages < self.copied_pages {
                    self.copied_pages = 0;
                }
                // A long reading keeps it from being begun anew. Then it is not tried each time.
                if pages >= WAL_PAGES_MAX && pages - self.copied_pages >= WAL_PAGES_MAX / 2 {
                    self.copying = Some(self.keeper.copy_wal(segment.name().clone()));
                }
            }
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Which file it is, whatever its name.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
