//! A register server in memory, as small as the ceremony needs: what it says and whether it
//! accepts is decided by the same pure functions as everywhere.
#![allow(unreachable_pub, reason = "a part of a test binary")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use clearlist::domain::message::Refusal;
use clearlist::formats::list_csv::{self, FILES, ListFiles};
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::admin_service_server::{AdminService, AdminServiceServer};
use clearlist::grpc::proto::v1::register_service_server::{RegisterService, RegisterServiceServer};
use clearlist::register::history::Register;
use clearlist::register::policy::Policy;
use clearlist::register::record::ListHeads;
use clearlist::register::statement::Statement;
use clearlist::register::step::{Examined, Proposal, ProposedList, examine, step};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// A running server; it ends with the value.
pub struct SmallRegister {
    pub url: String,
    /// What it holds.
    pub held: Held,
    _runtime: Runtime,
}

/// What a server holds, shared with its services.
#[derive(Clone)]
pub struct Held(Arc<Mutex<Inner>>);

struct Inner {
    register: Register,
    bytes: Vec<(String, String)>,
    lists: HashMap<u64, ListFiles>,
    /// Says of the next proposals that the connection was lost, whatever becomes of them.
    silent: bool,
    /// Says of the next proposals that this happened to them.
    failing: Option<&'static str>,
    /// Exports these files instead of those that were accepted.
    lie: Option<ListFiles>,
}

impl SmallRegister {
    /// A register without statements under a policy.
    pub fn start(policy: &str) -> Self {
        let policy = Policy::parse(policy).expect("the policy is good");
        let held = Held(Arc::new(Mutex::new(Inner {
            register: Register::new(policy),
            bytes: Vec::new(),
            lists: HashMap::new(),
            silent: false,
            failing: None,
            lie: None,
        })));
        let runtime = Runtime::new().expect("threads can be started");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let listener = runtime.block_on(TcpListener::bind(any)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let serving = Server::builder()
            .add_service(RegisterServiceServer::new(held.clone()))
            .add_service(AdminServiceServer::new(held.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        runtime.spawn(serving);
        Self { url, held, _runtime: runtime }
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics while it holds the lock")
    }

    /// From now on no proposal is answered.
    pub fn fall_silent(&self) {
        self.lock().silent = true;
    }

    /// From now on proposals are answered with this reason, as a disk that fails makes a server do.
    pub fn fail_with(&self, reason: &'static str) {
        self.lock().failing = Some(reason);
    }

    /// From now on other files are exported than were accepted.
    pub fn lie_about(&self, list: ListFiles) {
        self.lock().lie = Some(list);
    }

    /// Number of statements.
    pub fn size(&self) -> u64 {
        self.lock().register.size()
    }
}

fn refused(faults: &[clearlist::register::step::Refused]) -> Status {
    let first = faults.first().expect("a refusal has a reason");
    let mut details = ErrorDetails::new();
    details.set_error_info(first.reason(), "clearlist", HashMap::new());
    let named = faults
        .iter()
        .map(|f| FieldViolation::new("proposal", format!("{}: {}", f.reason(), f.english())));
    details.set_bad_request(named.collect::<Vec<_>>());
    details.set_localized_message("zh-CN", first.chinese());
    let code = if first.reason() == "QUORUM_NOT_MET" {
        Code::PermissionDenied
    } else {
        Code::InvalidArgument
    };
    Status::with_error_details(code, first.english(), details)
}

fn list_files(list: &v1::ListFiles) -> ListFiles {
    ListFiles {
        schemes: list.schemes_csv.to_vec(),
        enterprises: list.enterprises_csv.to_vec(),
        entries: list.entries_csv.to_vec(),
    }
}

impl Inner {
    fn next(
        &self,
        proposal: &v1::Proposal,
    ) -> Result<Result<Register, u64>, Vec<clearlist::register::step::Refused>> {
        let now = Timestamp::now();
        let bytes = Proposal { statement: &proposal.statement, checkpoint: &proposal.checkpoint };
        let candidate = match examine(&self.register, &bytes, now)? {
            Examined::Standing(number) => return Ok(Err(number)),
            Examined::Next(candidate) => candidate,
        };
        let read = |files: &ListFiles| list_csv::read(files).expect("a list that lints").list;
        let heads = proposal.list.as_ref().map(|list| ListHeads::of(&read(&list_files(list))));
        let newest = self.register.revisions().next_back().map(|revision| revision.number);
        let newest = newest.and_then(|number| self.lists.get(&number)).map(read);
        let list = match &heads {
            Some(heads) => ProposedList::Heads(heads),
            None => ProposedList::Newest(newest.as_ref()),
        };
        step(&self.register, *candidate, list, now).map(Ok)
    }
}

#[tonic::async_trait]
impl AdminService for Held {
    async fn validate_proposal(
        &self,
        request: Request<v1::ValidateProposalRequest>,
    ) -> Result<Response<v1::ValidateProposalResponse>, Status> {
        let proposal = request.into_inner().proposal.unwrap_or_default();
        let answer = match self.lock().next(&proposal) {
            Ok(Ok(next)) => {
                v1::ValidateProposalResponse { number: next.size(), ..Default::default() }
            }
            Ok(Err(number)) => v1::ValidateProposalResponse {
                number,
                already_accepted: true,
                ..Default::default()
            },
            Err(faults) => v1::ValidateProposalResponse {
                violations: faults
                    .iter()
                    .map(|fault| v1::Violation {
                        reason: fault.reason().into(),
                        place: String::new(),
                        message_en: fault.english(),
                        message_zh: fault.chinese(),
                    })
                    .collect(),
                ..Default::default()
            },
        };
        Ok(Response::new(answer))
    }

    async fn submit_proposal(
        &self,
        request: Request<v1::SubmitProposalRequest>,
    ) -> Result<Response<v1::SubmitProposalResponse>, Status> {
        let proposal = request.into_inner().proposal.unwrap_or_default();
        let mut inner = self.lock();
        if inner.silent {
            return Err(Status::unavailable("the connection was lost"));
        }
        if let Some(reason) = inner.failing {
            let mut details = ErrorDetails::new();
            details.set_error_info(reason, "clearlist", HashMap::new());
            return Err(Status::with_error_details(Code::Unavailable, "the disk fails", details));
        }
        let (number, already_accepted) = match inner.next(&proposal) {
            Err(faults) => return Err(refused(&faults)),
            Ok(Err(number)) => (number, true),
            Ok(Ok(next)) => {
                let number = next.size();
                inner.register = next;
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it was read");
                let texts = (text(&proposal.statement), text(&proposal.checkpoint));
                inner.bytes.push(texts);
                if let Some(list) = &proposal.list {
                    inner.lists.insert(number, list_files(list));
                }
                (number, false)
            }
        };
        let answer = v1::SubmitProposalResponse { number, already_accepted, ..Default::default() };
        Ok(Response::new(answer))
    }
}

type Pieces<T> = tokio_stream::Iter<std::vec::IntoIter<Result<T, Status>>>;

#[tonic::async_trait]
impl RegisterService for Held {
    async fn get_register(
        &self,
        _request: Request<v1::GetRegisterRequest>,
    ) -> Result<Response<v1::GetRegisterResponse>, Status> {
        let inner = self.lock();
        let frontier = inner.register.tree().frontier();
        let checkpoint = inner.bytes.last().map(|(_, checkpoint)| checkpoint.clone());
        Ok(Response::new(v1::GetRegisterResponse {
            origin: inner.register.origin().into(),
            size: inner.register.size(),
            checkpoint: checkpoint.unwrap_or_default().into_bytes().into(),
            policy: inner.register.policy().text().into(),
            frontier_sha256: frontier.hashes().iter().map(|h| h.to_vec().into()).collect(),
            ..Default::default()
        }))
    }

    async fn get_revision(
        &self,
        request: Request<v1::GetRevisionRequest>,
    ) -> Result<Response<v1::GetRevisionResponse>, Status> {
        let (inner, number) = (self.lock(), request.into_inner().number);
        let size = inner.register.size();
        let index = usize::try_from(number - 1).expect("small");
        let (statement, _) = inner.bytes.get(index).ok_or(Status::not_found("unknown"))?;
        let inclusion = inner.register.tree().inclusion(number - 1, size).unwrap_or_default();
        Ok(Response::new(v1::GetRevisionResponse {
            statement: Some(v1::Statement {
                number,
                statement: statement.clone().into_bytes().into(),
                ..Default::default()
            }),
            proof_size: size,
            inclusion_sha256: inclusion.iter().map(|h| h.to_vec().into()).collect(),
            ..Default::default()
        }))
    }

    async fn list_revisions(
        &self,
        request: Request<v1::ListRevisionsRequest>,
    ) -> Result<Response<v1::ListRevisionsResponse>, Status> {
        // One statement a page: readers must page.
        let inner = self.lock();
        let token = request.into_inner().page_token;
        let size = inner.register.size();
        let number = token.parse().unwrap_or(size);
        let accepted = inner.register.statement(number).ok_or(Status::not_found("unknown"))?;
        let kind = match accepted.statement {
            Statement::Revision(_) => v1::StatementType::Revision,
            Statement::Policy(_) => v1::StatementType::Policy,
            Statement::Suspension(_) => v1::StatementType::Suspension,
        };
        let next = number - 1;
        let statement = v1::Statement { number, r#type: kind.into(), ..Default::default() };
        Ok(Response::new(v1::ListRevisionsResponse {
            statements: vec![statement],
            next_page_token: if next == 0 { String::new() } else { next.to_string() },
            total_size: size,
        }))
    }

    async fn diff_revisions(
        &self,
        _request: Request<v1::DiffRevisionsRequest>,
    ) -> Result<Response<v1::DiffRevisionsResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_entries(
        &self,
        _request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    type ExportRevisionStream = Pieces<v1::ExportRevisionResponse>;

    async fn export_revision(
        &self,
        request: Request<v1::ExportRevisionRequest>,
    ) -> Result<Response<Self::ExportRevisionStream>, Status> {
        let (inner, number) = (self.lock(), request.into_inner().number);
        let list = inner.lie.as_ref().or_else(|| inner.lists.get(&number));
        let list = list.ok_or(Status::not_found("unknown"))?;
        let files = FILES.into_iter().zip([&list.schemes, &list.enterprises, &list.entries]);
        // In small pieces: readers must join them.
        let pieces = files.flat_map(|(file, bytes)| {
            bytes.chunks(100).map(move |chunk| {
                Ok(v1::ExportRevisionResponse { file: file.into(), chunk: chunk.to_vec().into() })
            })
        });
        Ok(Response::new(tokio_stream::iter(pieces.collect::<Vec<_>>())))
    }

    type WatchRegisterStream = Pieces<v1::WatchRegisterResponse>;

    async fn watch_register(
        &self,
        _request: Request<v1::WatchRegisterRequest>,
    ) -> Result<Response<Self::WatchRegisterStream>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}
