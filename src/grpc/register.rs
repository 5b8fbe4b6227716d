//! `RegisterService`: the register and its lists, for reading.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::domain::list::List;
use crate::domain::list_diff;
use crate::formats::list_csv::FILES;
use crate::formats::list_records::to_files;
use crate::register::statement::{Statement, to_hex};
use crate::service::intake::Clock;
use crate::service::replay::{self, ReplayError};
use crate::service::running::{Running, Unanswerable};
use crate::service::snapshot::Snapshot;
use crate::service::timeline::{Answering, Published};

use super::proto::v1;
use super::proto::v1::register_service_server::RegisterService;
use super::{status, wire};

/// Statements of a page.
const STATEMENTS: PageSize = PageSize { default: 50, max: 1_000 };
/// Entries of a page.
const ENTRIES: PageSize = PageSize { default: 100, max: 1_000 };
/// Changed rows of a page.
const CHANGES: PageSize = PageSize { default: 1_000, max: 10_000 };
/// Bytes of a list file in one message.
const CHUNK_BYTES: usize = 64 * 1024;
/// Messages that wait for a reader.
const WAITING_MAX: usize = 8;
/// A watcher that takes nothing for this long is told to resynchronize.
const WATCH_PATIENCE: Duration = Duration::from_secs(30);

/// The service over a running register.
#[derive(Debug, Clone)]
pub struct Reading {
    running: Arc<Running>,
    clock: Clock,
    watch_patience: Duration,
}

impl Reading {
    /// Reads a register.
    #[must_use]
    pub const fn new(running: Arc<Running>, clock: Clock) -> Self {
        Self { running, clock, watch_patience: WATCH_PATIENCE }
    }

    /// With another patience for watchers that do not read.
    #[must_use]
    pub fn with_watch_patience(self, watch_patience: Duration) -> Self {
        Self { watch_patience, ..self }
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Running, &Published) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let (running, published) = (Arc::clone(&self.running), self.running.published());
        tokio::task::spawn_blocking(move || work(&running, &published))
            .await
            .map_err(|failed| Status::internal(format!("the reading ended early: {failed}")))?
    }
}

struct PageSize {
    default: usize,
    max: usize,
}

impl PageSize {
    fn of(&self, given: u32) -> Result<usize, Status> {
        match usize::try_from(given) {
            Ok(0) => Ok(self.default),
            Ok(size) if size <= self.max => Ok(size),
            _ => Err(status::invalid_field(
                "page_size",
                "PAGE_SIZE",
                &format!("{given} results; a page has 1 to {}", self.max),
                &format!("每页{given}条；应为1至{}条", self.max),
            )),
        }
    }
}

/// A token of numbers: where the page begins and what it is a page of.
fn numbers<const N: usize>(token: &str) -> Result<[u64; N], Status> {
    let parts: Option<Vec<u64>> = token.split('-').map(|part| part.parse().ok()).collect();
    parts.and_then(|parts| parts.try_into().ok()).ok_or_else(status::page_token)
}

fn unreadable(error: &ReplayError) -> Status {
    tracing::error!(%error, "the register cannot be read");
    status::unreadable()
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A statement with its bytes, from the store.
fn statement(
    running: &Running,
    published: &Published,
    number: u64,
) -> Result<v1::Statement, Status> {
    let size = published.register.size();
    let accepted = published.register.statement(number);
    let accepted = accepted.ok_or_else(|| status::revision_unknown(number, size))?;
    let stored = replay::read(&**running.store(), number).map_err(|error| unreadable(&error))?;
    Ok(wire::register::statement(accepted, stored))
}

/// The list of a revision, as signed; 0 = the newest.
fn list(running: &Running, published: &Published, number: u64) -> Result<(u64, Arc<List>), Status> {
    let register = &published.register;
    let newest = register.revisions().next_back().map(|r| r.number);
    let number = if number == 0 { newest.unwrap_or(0) } else { number };
    if Some(number) == newest
        && let Some(list) = &published.newest
    {
        return Ok((number, Arc::clone(list)));
    }
    match register.statement(number).map(|accepted| &accepted.statement) {
        Some(Statement::Revision(_)) => {
            let list = running.list(register, number).map_err(|error| unreadable(&error))?;
            Ok((number, list))
        }
        _ => Err(status::revision_unknown(number, register.size())),
    }
}

/// The list a page of entries is of.
fn pinned(
    running: &Running,
    published: &Published,
    number: u64,
    now: Timestamp,
) -> Result<Arc<Snapshot>, Status> {
    match published.at(now) {
        Answering::Snapshot(s) if number == 0 || s.revision.number == number => {
            return Ok(Arc::clone(s));
        }
        Answering::Expired(revision) if number == 0 => {
            return Err(status::unanswerable(&Unanswerable::Expired(revision.clone())));
        }
        Answering::Nothing if number == 0 => {
            return Err(status::unanswerable(&Unanswerable::NothingYet));
        }
        _ => {}
    }
    let size = published.register.size();
    if number > size {
        return Err(status::revision_unknown(number, size));
    }
    let found = running.with_statements(&published.register, number);
    found.map_err(|error| unreadable(&error))?.ok_or_else(|| status::revision_unknown(number, size))
}

#[tonic::async_trait]
impl RegisterService for Reading {
    async fn get_register(
        &self,
        _request: Request<v1::GetRegisterRequest>,
    ) -> Result<Response<v1::GetRegisterResponse>, Status> {
        let (published, now) = (self.running.published(), (self.clock)());
        let (in_force, expired) = match published.at(now) {
            Answering::Snapshot(snapshot) => (Some(wire::revision(&snapshot.revision)), false),
            Answering::Expired(named) => (Some(wire::revision(named)), true),
            Answering::Nothing => (None, false),
        };
        let next = published.after(now).find_map(|period| match &period.answer {
            Answering::Snapshot(s) => Some(wire::revision(&s.revision)),
            Answering::Expired(_) | Answering::Nothing => None,
        });
        let register = &published.register;
        let frontier = register.tree().frontier();
        Ok(Response::new(v1::GetRegisterResponse {
            origin: register.origin().to_owned(),
            size: register.size(),
            checkpoint: published.checkpoint.clone().into(),
            policy: register.policy().text().to_owned(),
            in_force,
            expired,
            next_scheduled: next,
            frontier_sha256: wire::register::hashes(frontier.hashes()),
            service_keys: self.running.service_keys().map_or_else(Vec::new, |keys| {
                keys.public()
                    .map(|(key, retired)| wire::register::service_key(key, retired))
                    .collect()
            }),
        }))
    }

    async fn get_revision(
        &self,
        request: Request<v1::GetRevisionRequest>,
    ) -> Result<Response<v1::GetRevisionResponse>, Status> {
        let number = request.get_ref().number;
        let response = self.read(move |running, published| {
            let register = &published.register;
            let size = register.size();
            let number = if number == 0 { size } else { number };
            let statement = statement(running, published, number)?;
            let proof = number.checked_sub(1).and_then(|at| register.tree().inclusion(at, size));
            Ok(v1::GetRevisionResponse {
                statement: Some(statement),
                proof_size: size,
                inclusion_sha256: wire::register::hashes(&proof.unwrap_or_default()),
                proof_checkpoint: published.checkpoint.clone().into(),
            })
        });
        response.await.map(Response::new)
    }

    async fn list_revisions(
        &self,
        request: Request<v1::ListRevisionsRequest>,
    ) -> Result<Response<v1::ListRevisionsResponse>, Status> {
        let request = request.into_inner();
        let page_size = STATEMENTS.of(request.page_size)?;
        let response = self.read(move |running, published| {
            let size = published.register.size();
            // The token is the number to go on with, so that new statements move no page.
            let from = match request.page_token.as_str() {
                "" => size,
                token => numbers::<1>(token)?.into_iter().next().unwrap_or(0),
            };
            if from > size {
                return Err(status::page_token());
            }
            let page: Vec<u64> = (1..=from).rev().take(page_size).collect();
            let next = page.last().map_or(0, |last| last - 1);
            let statements = page.iter().map(|number| statement(running, published, *number));
            Ok(v1::ListRevisionsResponse {
                statements: statements.collect::<Result<_, _>>()?,
                next_page_token: if next > 0 { next.to_string() } else { String::new() },
                total_size: size,
            })
        });
        response.await.map(Response::new)
    }

    async fn diff_revisions(
        &self,
        request: Request<v1::DiffRevisionsRequest>,
    ) -> Result<Response<v1::DiffRevisionsResponse>, Status> {
        let request = request.into_inner();
        let page_size = CHANGES.of(request.page_size)?;
        let response = self.read(move |running, published| {
            let (before, after, from) = match request.page_token.as_str() {
                "" => (request.before, request.after, 0),
                token => {
                    let [before, after, from] = numbers::<3>(token)?;
                    (before, after, from)
                }
            };
            let (after, later) = list(running, published, after)?;
            let changes = if before == 0 {
                list_diff::added(&later)
            } else {
                list_diff::diff(&list(running, published, before)?.1, &later)
            };
            let page = changes.iter().skip(place(from)).take(page_size);
            let page: Vec<v1::RowChange> = page.map(wire::register::row_change).collect();
            let next = from + page.len() as u64;
            let more = next < changes.len() as u64;
            Ok(v1::DiffRevisionsResponse {
                changes: page,
                count: Some(wire::register::count(&changes)),
                next_page_token: if more {
                    format!("{before}-{after}-{next}")
                } else {
                    String::new()
                },
            })
        });
        response.await.map(Response::new)
    }

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        let (request, now) = (request.into_inner(), (self.clock)());
        let page_size = ENTRIES.of(request.page_size)?;
        let response = self.read(move |running, published| {
            let (number, from, of) = match request.page_token.split_once('/') {
                None if request.page_token.is_empty() => (request.number, 0, None),
                None => return Err(status::page_token()),
                Some((place, of)) => {
                    let [number, from] = numbers::<2>(place)?;
                    (number, from, Some(of))
                }
            };
            let snapshot = pinned(running, published, number, now)?;
            // Under one number more suspensions may take effect while somebody pages.
            let root = to_hex(&snapshot.revision.root_sha256);
            let is_of = format!("{root}-{}", snapshot.suspensions);
            if of.is_some_and(|of| of != is_of) {
                return Err(status::page_token());
            }
            let list = &snapshot.list;
            let mut entries: Vec<_> = list.entries().iter().collect();
            entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            let page = entries.iter().skip(place(from)).take(page_size);
            let page: Vec<v1::Entry> = page.map(|entry| wire::entry(list, entry)).collect();
            let next = from + page.len() as u64;
            let more = next < entries.len() as u64;
            let number = snapshot.revision.number;
            Ok(v1::ListEntriesResponse {
                entries: page,
                next_page_token: if more {
                    format!("{number}-{next}/{is_of}")
                } else {
                    String::new()
                },
                total_size: u32::try_from(entries.len()).unwrap_or(u32::MAX),
                revision: Some(wire::revision(&snapshot.revision)),
            })
        });
        response.await.map(Response::new)
    }

    type ExportRevisionStream =
        Pin<Box<dyn Stream<Item = Result<v1::ExportRevisionResponse, Status>> + Send>>;

    async fn export_revision(
        &self,
        request: Request<v1::ExportRevisionRequest>,
    ) -> Result<Response<Self::ExportRevisionStream>, Status> {
        let number = request.get_ref().number;
        let files = self.read(move |running, published| {
            list(running, published, number).map(|(_, list)| to_files(&list))
        });
        let files = files.await?;
        let contents = [files.schemes, files.enterprises, files.entries];
        let chunks = FILES.into_iter().zip(contents).flat_map(|(file, bytes)| {
            let bytes = prost::bytes::Bytes::from(bytes);
            let starts = (0..bytes.len().max(1)).step_by(CHUNK_BYTES);
            let chunk = move |from: usize| v1::ExportRevisionResponse {
                file: file.to_owned(),
                chunk: bytes.slice(from..bytes.len().min(from + CHUNK_BYTES)),
            };
            starts.map(chunk).collect::<Vec<_>>()
        });
        let messages = chunks.map(Ok).collect::<Vec<_>>();
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    type WatchRegisterStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchRegisterResponse, Status>> + Send>>;

    async fn watch_register(
        &self,
        request: Request<v1::WatchRegisterRequest>,
    ) -> Result<Response<Self::WatchRegisterStream>, Status> {
        let have = request.get_ref().size;
        let size = self.running.load().register.size();
        if have > size {
            return Err(status::revision_not_reached(have, size));
        }
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let watcher = self.clone();
        // Ends when the reader hangs up, does not read, or is told of a failure.
        tokio::spawn(async move { watcher.tell(have, &sender).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

impl Reading {
    /// Sends every statement after the first `have`, by its number, so without gap or repeat.
    async fn tell(
        &self,
        mut have: u64,
        sender: &mpsc::Sender<Result<v1::WatchRegisterResponse, Status>>,
    ) {
        let mut sizes = self.running.sizes();
        loop {
            while have < self.running.load().register.size() {
                let number = have + 1;
                let next =
                    self.read(move |running, published| statement(running, published, number));
                let next = next.await.map(|s| v1::WatchRegisterResponse { statement: Some(s) });
                let failed = next.is_err();
                match sender.send_timeout(next, self.watch_patience).await {
                    Ok(()) if !failed => have = number,
                    Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                        // The queue is full: the reader finds this once it has read the rest.
                        drop(sender.send(Err(status::watch_too_slow(have))).await);
                        return;
                    }
                    _ => return,
                }
            }
            tokio::select! {
                changed = sizes.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
                () = self.running.stopped() => {
                    // A reader that is gone needs no word of it.
                    drop(sender.try_send(Err(status::stopping())));
                    return;
                }
            }
        }
    }
}
