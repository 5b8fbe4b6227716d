//! `ClearanceService`: a request to a question, a question to a decision, a decision to an
//! answer, the answer into the decision log, and only then to its caller. One snapshot a request;
//! no lock, and nothing is read from storage but for questions about the past.

use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::domain::clearance::{Verdict, decide};
use crate::domain::material_name::MaterialName;
use crate::domain::message::Refusal;
use crate::domain::question::{Question, find_scheme};
use crate::domain::search::{matched_text, search};
use crate::domain::shanghai;
use crate::register::decision_text::{Asked, DecisionText, Source};
use crate::register::receipt::{self, Unsigned};
use crate::service::decisions::{Answered, DecisionLog, Ticket};
use crate::service::running::{Running, Unanswerable, Wanted};
use crate::service::snapshot::Snapshot;
use crate::service::timeline::Published;

use super::allowance::Allowance;
use super::caller::Caller;
use super::proto::answers::clearance_service_server::ClearanceService;
use super::proto::{answers, v1};
use super::turns::Turns;
use super::wire::{Encoded, Questions};
use super::{status, wire};

mod in_flight;

use in_flight::InFlight;

/// Most questions of a batch: a declaration has 50 lines, a procurement run some thousands.
pub const BATCH_ITEMS_MAX: usize = 10_000;
/// Most bytes of all receipts of a batch: ten thousand of the usual size. A name that hundreds of
/// entries bear makes each of its receipts large.
const RECEIPTS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Batches above this many questions are decided off the network threads, so that they delay no
/// other caller.
const BATCH_ITEMS_INLINE_MAX: usize = 32;
/// Results of a search page, if the caller does not say.
const PAGE_SIZE_DEFAULT: usize = 20;
/// Most results of a search page.
const PAGE_SIZE_MAX: usize = 200;

/// Reads the clock.
pub type Clock = fn() -> Timestamp;

/// The service over a register.
#[derive(Debug, Clone)]
pub struct Clearance {
    running: Arc<Running>,
    log: DecisionLog,
    clock: Clock,
    batch_items_max: usize,
    turns: Turns,
}

impl Clearance {
    /// Serves a register and logs every answer, with batches of so many questions, at most [`BATCH_ITEMS_MAX`], and so
    /// many batches at once.
    #[must_use]
    pub fn new(
        running: Arc<Running>,
        log: DecisionLog,
        clock: Clock,
        batch_items_max: usize,
        batches_open_max: usize,
    ) -> Self {
        let batch_items_max = batch_items_max.min(BATCH_ITEMS_MAX);
        Self { running, log, clock, batch_items_max, turns: Turns::new(batches_open_max) }
    }

    /// Decides one question from the list that it asks about.
    async fn decide(&self, request: &v1::CheckClearanceRequest) -> Result<Decided, Status> {
        let (now, wanted) = ((self.clock)(), wire::wanted(request));
        {
            let published = self.running.load();
            if let Some(found) = Running::current(&published, wanted, now) {
                let snapshot = found.map_err(|error| status::unanswerable(&error))?;
                let served = Some((&**published, &self.log));
                let decided = decide_from(served, snapshot, request, now)?;
                self.running.tally().decided(decided.verdict);
                return Ok(decided);
            }
        }
        // The past is read from the store, which must not hold up the network threads.
        let (service, request) = (self.clone(), request.clone());
        let work = move || service.decide_at(&service.running.published(), &request, now);
        // Boxed, for it is rare and large.
        Box::pin(self.turns.run(work)).await?
    }

    /// Decides one question at one state of the register. May block for a question about the past.
    fn decide_at(
        &self,
        published: &Published,
        request: &v1::CheckClearanceRequest,
        now: Timestamp,
    ) -> Result<Decided, Status> {
        let found = self.running.find(published, wire::wanted(request), now);
        let snapshot = found.map_err(|error| status::unanswerable(&error))?;
        let decided = decide_from(Some((published, &self.log)), &snapshot, request, now)?;
        self.running.tally().decided(decided.verdict);
        Ok(decided)
    }

    /// Queues what the log keeps, under the name of who asked.
    fn log_for(&self, caller: Option<&Caller>, records: &mut [Answered]) -> Ticket {
        if let Some(caller) = caller {
            for record in &mut *records {
                record.set_caller(&caller.name);
            }
        }
        self.log.submit(records)
    }

    /// Signs a receipt if one was asked for.
    fn sign(&self, unsigned: Option<Unsigned>) -> Result<Option<v1::Receipt>, Status> {
        let Some(unsigned) = unsigned else { return Ok(None) };
        let keys = self.running.service_keys().ok_or_else(status::receipt_unavailable)?;
        let receipt = receipt::sign(&keys.current, unsigned, (self.clock)());
        Ok(Some(wire::receipt(receipt)))
    }

    /// Signs the receipts of a batch.
    fn sign_batch(&self, lines: Vec<Unsigned>) -> Result<Vec<v1::Receipt>, Status> {
        let keys = self.running.service_keys().ok_or_else(status::receipt_unavailable)?;
        let published = self.running.published();
        let origin = published.register.origin();
        let receipts = receipt::sign_batch(&keys.current, origin, lines, (self.clock)());
        Ok(receipts.into_iter().map(wire::receipt).collect())
    }
}

/// A question that was decided.
#[derive(Debug)]
pub struct Decided {
    /// The decision.
    pub decision: Encoded<v1::Decision>,
    /// Its verdict.
    verdict: Verdict,
    /// What its receipt will show, if one was asked for.
    receipt: Option<Unsigned>,
    /// What the log keeps of it; `None` if nothing is logged.
    record: Option<Answered>,
}

/// Answers one question from a list folder, which no register signed: it has no other time than
/// now and no revision.
///
/// # Errors
/// The status a unary call ends with.
pub fn answer_unsigned(
    snapshot: &Snapshot,
    request: &v1::CheckClearanceRequest,
    now: Timestamp,
) -> Result<Decided, Status> {
    let wanted = request.min_revision.max(request.known_at_revision);
    if wanted > 0 {
        return Err(status::revision_not_reached(wanted, 0));
    }
    decide_from(None, snapshot, request, now)
}

/// Decides one question from a list. What a unary call, a batch, a stream and the command line
/// share. Without a register there is no receipt, and nothing is logged.
///
/// # Errors
/// The status a unary call ends with.
fn decide_from(
    served: Option<(&Published, &DecisionLog)>,
    snapshot: &Snapshot,
    request: &v1::CheckClearanceRequest,
    now: Timestamp,
) -> Result<Decided, Status> {
    let raw = wire::raw_question(request).map_err(|violation| status::invalid(&[violation]))?;
    let question = Question::parse(&raw, &snapshot.list, shanghai::today(now))
        .map_err(|violations| status::invalid(&violations))?;
    let decided = decide(&snapshot.list, &question);
    let is_logged = served.is_some_and(|(_, log)| log.is_kept());
    let (mut receipt, mut record) = (None, None);
    if request.receipt || is_logged {
        let (published, _) = served.ok_or_else(status::receipt_unavailable)?;
        let register = &published.register;
        let known = match request.known_at_revision {
            0 => register.size(),
            known => known,
        };
        let source = Source {
            known,
            revision: snapshot.revision.number,
            list_root: snapshot.revision.root_sha256,
        };
        let asked = Asked::new(&raw, request.known_at_revision, request.min_revision);
        let decision =
            DecisionText::new(register.origin(), asked, &question, &decided, source, now);
        if request.receipt {
            let signed = snapshot.signed.as_ref().ok_or_else(status::receipt_unavailable)?;
            let unsigned = Unsigned::gather(
                (register, &published.checkpoint, &published.binding),
                (signed.number, known),
                (&signed.list, signed.trees()),
                (&question, &decided),
                &decision.text(),
            );
            receipt = Some(unsigned.ok_or_else(status::receipt_unavailable)?);
        }
        record = is_logged.then(|| Answered::new(&decision));
    }
    let correlation_id = &request.correlation_id;
    let decision = wire::decision(snapshot, &question, &decided, correlation_id, now);
    Ok(Decided { decision, verdict: decided.verdict, receipt, record })
}

/// Answers a batch, each item by `decide`, and all receipts that were asked for by one `sign`.
///
/// # Errors
/// For a batch of no or too many items, and if it cannot be signed; a malformed item has its own
/// error.
pub fn answer_batch(
    items: &[v1::CheckClearanceRequest],
    mut decide: impl FnMut(&v1::CheckClearanceRequest) -> Result<Decided, Status>,
    sign: impl FnOnce(Vec<Unsigned>) -> Result<Vec<v1::Receipt>, Status>,
) -> Result<Vec<answers::BatchCheckClearanceResult>, Status> {
    use answers::batch_check_clearance_result::Result as Outcome;
    check_batch_size(items.len(), BATCH_ITEMS_MAX)?;
    let (mut to_sign, mut receipts_bytes) = (Vec::new(), 0);
    let mut is_signed = Vec::with_capacity(items.len());
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let decided = decide(item).map(|decided| {
            is_signed.push(decided.receipt.is_some());
            receipts_bytes += decided.receipt.as_ref().map_or(0, Unsigned::bytes_about);
            to_sign.extend(decided.receipt);
            decided.decision
        });
        let outcome = match decided {
            Ok(decision) => Outcome::Decision(decision),
            Err(refused) => {
                is_signed.push(false);
                Outcome::Error(status::to_rpc_status(&refused))
            }
        };
        if receipts_bytes > RECEIPTS_BYTES_MAX {
            return Err(status::receipts_too_large(RECEIPTS_BYTES_MAX));
        }
        results.push(answers::BatchCheckClearanceResult {
            result: Some(outcome),
            correlation_id: echo(&item.correlation_id),
            receipt: None,
        });
    }
    if !to_sign.is_empty() {
        let signed = results.iter_mut().zip(is_signed).filter(|(_, is_signed)| *is_signed);
        for ((result, _), receipt) in signed.zip(sign(to_sign)?) {
            result.receipt = Some(receipt);
        }
    }
    Ok(results)
}

fn check_batch_size(size: usize, max: usize) -> Result<(), Status> {
    if (1..=max).contains(&size) {
        return Ok(());
    }
    Err(status::invalid_field(
        "items",
        "BATCH_SIZE",
        &format!("{size} questions; a batch has 1 to {max}"),
        &format!("共{size}个问题；一批为1至{max}个"),
    ))
}

/// A correlation id to send back; one that is refused for its length is not.
fn echo(correlation_id: &str) -> String {
    let fits = correlation_id.len() <= crate::domain::question::CORRELATION_ID_BYTES_MAX;
    if fits { correlation_id.to_owned() } else { String::new() }
}

/// Answers a search.
///
/// # Errors
/// The status the call ends with.
pub fn answer_search(
    snapshot: &Snapshot,
    request: &v1::SearchMaterialsRequest,
) -> Result<v1::SearchMaterialsResponse, Status> {
    let list = &snapshot.list;
    let text = MaterialName::parse(&request.text).map_err(|error| {
        status::invalid_field("text", error.reason(), &error.english(), &error.chinese())
    })?;
    let scheme = match request.scheme.as_str() {
        "" => None,
        id => Some(find_scheme(id, list).map_err(|violation| status::invalid(&[violation]))?),
    };
    let page_size = match usize::try_from(request.page_size) {
        Ok(0) => PAGE_SIZE_DEFAULT,
        Ok(size) if size <= PAGE_SIZE_MAX => size,
        _ => {
            return Err(status::invalid_field(
                "page_size",
                "PAGE_SIZE",
                &format!("{} results; a page has 1 to {PAGE_SIZE_MAX}", request.page_size),
                &format!("每页{}条；应为1至{PAGE_SIZE_MAX}条", request.page_size),
            ));
        }
    };
    let search_id = search_id(snapshot, request);
    let from = page_start(&request.page_token, &search_id)?;
    let hits = search(list, &text, scheme);
    let total = hits.len();
    let page = hits.into_iter().skip(from).take(page_size);
    let results: Vec<v1::SearchResult> = page
        .map(|hit| v1::SearchResult {
            entry: Some(wire::entry(list, hit.entry)),
            score: hit.score,
            matched_text: matched_text(hit.entry, &text),
        })
        .collect();
    let next = from + results.len();
    Ok(v1::SearchMaterialsResponse {
        next_page_token: if next < total { format!("{next}-{search_id}") } else { String::new() },
        results,
        total_size: u32::try_from(total).unwrap_or(u32::MAX),
        revision: Some(wire::revision(&snapshot.revision)),
    })
}

/// What ties a page token to its search and its list.
fn search_id(snapshot: &Snapshot, request: &v1::SearchMaterialsRequest) -> String {
    let mut hash = Sha256::new();
    hash.update(snapshot.revision.root_sha256);
    // Under one number more suspensions may take effect while somebody pages.
    hash.update((snapshot.suspensions as u64).to_be_bytes());
    hash.update((request.scheme.len() as u64).to_be_bytes());
    hash.update(&request.scheme);
    hash.update(&request.text);
    let beginning =
        hash.finalize().iter().take(8).fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
    format!("{beginning:016x}")
}

fn page_start(token: &str, search_id: &str) -> Result<usize, Status> {
    if token.is_empty() {
        return Ok(0);
    }
    let read = token.split_once('-').filter(|(_, id)| *id == search_id);
    read.and_then(|(from, _)| from.parse().ok()).ok_or_else(|| {
        status::invalid_field(
            "page_token",
            "PAGE_TOKEN",
            "the token is of another search or another list; start again without it",
            "该翻页标记属于另一次查询或另一版清单；请不带标记重新查询",
        )
    })
}

#[tonic::async_trait]
impl ClearanceService for Clearance {
    async fn check_clearance(
        &self,
        request: Request<v1::CheckClearanceRequest>,
    ) -> Result<Response<answers::CheckClearanceResponse>, Status> {
        let Decided { decision, receipt, mut record, .. } = self.decide(request.get_ref()).await?;
        let receipt = self.sign(receipt)?;
        let caller = request.extensions().get::<Caller>();
        let logged = self.log_for(caller, record.as_mut_slice());
        // What is not needed any more is given back before the wait, not after: the next question
        // uses it while it is in the processor's cache.
        drop((request, record));
        logged.await.map_err(|_not_logged| status::not_logged())?;
        Ok(Response::new(answers::CheckClearanceResponse { decision: Some(decision), receipt }))
    }

    async fn batch_check_clearance(
        &self,
        request: Request<Questions>,
    ) -> Result<Response<answers::BatchCheckClearanceResponse>, Status> {
        let allowance = request.extensions().get::<Arc<Allowance>>().cloned();
        let caller = request.extensions().get::<Caller>().cloned();
        let questions = request.into_inner();
        check_batch_size(questions.count(), self.batch_items_max)?;
        let items = questions.items;
        if let Some(allowance) = allowance {
            allowance.take(items.len()).map_err(status::rate_exceeded)?;
        }
        // Every item is answered from one state of the register, at one time.
        let (published, now) = (self.running.published(), (self.clock)());
        let is_quick = |item: &v1::CheckClearanceRequest| {
            !item.receipt && Running::current(&published, wire::wanted(item), now).is_some()
        };
        let is_inline = items.len() <= BATCH_ITEMS_INLINE_MAX && items.iter().all(is_quick);
        let service = self.clone();
        let work = move || {
            let mut records = Vec::new();
            let decide = |item: &_| {
                let mut decided = service.decide_at(&published, item, now)?;
                records.extend(decided.record.take());
                Ok(decided)
            };
            let results = answer_batch(&items, decide, |lines| service.sign_batch(lines))?;
            Ok::<_, Status>((results, records))
        };
        let (results, mut records) =
            if is_inline { work()? } else { self.turns.run_large(work).await?? };
        // All lines or none.
        let logged = self.log_for(caller.as_ref(), &mut records);
        drop(records);
        logged.await.map_err(|_not_logged| status::not_logged())?;
        Ok(Response::new(answers::BatchCheckClearanceResponse { results }))
    }

    type StreamCheckClearanceStream =
        Pin<Box<dyn Stream<Item = Result<answers::StreamCheckClearanceResponse, Status>> + Send>>;

    async fn stream_check_clearance(
        &self,
        request: Request<Streaming<v1::StreamCheckClearanceRequest>>,
    ) -> Result<Response<Self::StreamCheckClearanceStream>, Status> {
        let service = self.clone();
        let allowance = request.extensions().get::<Arc<Allowance>>().cloned();
        let caller = request.extensions().get::<Caller>().cloned();
        let answers = request.into_inner().then(move |message| {
            let (service, allowance) = (service.clone(), allowance.clone());
            let caller = caller.clone();
            async move {
                use answers::stream_check_clearance_response::Result as Outcome;
                if let Some(allowance) = allowance {
                    allowance.wait().await;
                }
                let item = message?.item.unwrap_or_default();
                let answered = service.decide(&item).await.and_then(|decided| {
                    let receipt = service.sign(decided.receipt)?;
                    Ok((decided.decision, receipt, decided.record))
                });
                let (outcome, receipt, mut record) = match answered {
                    Ok((decision, receipt, record)) => {
                        (Outcome::Decision(decision), receipt, record)
                    }
                    Err(refused) => (Outcome::Error(status::to_rpc_status(&refused)), None, None),
                };
                let (result, correlation_id) = (Some(outcome), echo(&item.correlation_id));
                let response =
                    answers::StreamCheckClearanceResponse { result, correlation_id, receipt };
                Ok((response, service.log_for(caller.as_ref(), record.as_mut_slice())))
            }
        });
        // A caller that sends without reading is slowed by flow control: no more is read ahead
        // than may wait for the log.
        Ok(Response::new(Box::pin(InFlight::new(answers))))
    }

    async fn search_materials(
        &self,
        request: Request<v1::SearchMaterialsRequest>,
    ) -> Result<Response<v1::SearchMaterialsResponse>, Status> {
        let published = self.running.load();
        let current = Running::current(&published, Wanted::default(), (self.clock)());
        let snapshot = current
            .unwrap_or(Err(Unanswerable::NothingYet))
            .map_err(|error| status::unanswerable(&error))?;
        answer_search(snapshot, request.get_ref()).map(Response::new)
    }
}
