//! Where answers come from: a server, or a list folder with the same code behind it.

use std::path::Path;

use tonic::{Code, Status};

use crate::formats::table::Problem;
use crate::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use crate::grpc::proto::{answers, v1};
use crate::grpc::{clearance, status, wire};
use crate::server::now;
use crate::service::folder::{self, FolderError};
use crate::service::snapshot::Snapshot;

use super::link::{Link, ServerArgs};
use super::{Lang, Outcome, SourceArgs, complain};

/// A batch of 10,000 answers has some tens of megabytes.
pub(super) const RESPONSE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Answers questions.
pub(super) enum Source {
    /// Over the network.
    Server(Box<ClearanceServiceClient<Link>>),
    /// From a list folder in this process.
    Folder(Box<Snapshot>),
}

impl Source {
    /// Connects, or reads the folder; says what is wrong otherwise.
    pub(super) async fn open(lang: Lang, args: &SourceArgs) -> Result<Self, Outcome> {
        if let Some(folder) = &args.list {
            return Ok(Self::Folder(Box::new(open_folder(lang, folder)?)));
        }
        connect(lang, &args.server).await
    }

    pub(super) async fn check(
        &mut self,
        request: v1::CheckClearanceRequest,
    ) -> Result<v1::CheckClearanceResponse, Status> {
        match self {
            Self::Server(client) => Ok(client.check_clearance(request).await?.into_inner()),
            Self::Folder(snapshot) => {
                clearance::answer_unsigned(snapshot, &request, now()).map(|decided| {
                    v1::CheckClearanceResponse {
                        decision: Some(decided.decision.read()),
                        receipt: None,
                    }
                })
            }
        }
    }

    pub(super) async fn batch(
        &mut self,
        items: Vec<v1::CheckClearanceRequest>,
    ) -> Result<Vec<v1::BatchCheckClearanceResult>, Status> {
        match self {
            Self::Server(client) => {
                let request = v1::BatchCheckClearanceRequest { items };
                Ok(client.batch_check_clearance(request).await?.into_inner().results)
            }
            Self::Folder(snapshot) => {
                let now = now();
                let decide = |item: &_| clearance::answer_unsigned(snapshot, item, now);
                let none = |_| Err(status::receipt_unavailable());
                let results = clearance::answer_batch(&items, decide, none)?;
                let sent = answers::BatchCheckClearanceResponse { results };
                Ok(wire::received::<v1::BatchCheckClearanceResponse>(&sent).results)
            }
        }
    }

    pub(super) async fn search(
        &mut self,
        request: v1::SearchMaterialsRequest,
    ) -> Result<v1::SearchMaterialsResponse, Status> {
        match self {
            Self::Server(client) => Ok(client.search_materials(request).await?.into_inner()),
            Self::Folder(snapshot) => clearance::answer_search(snapshot, &request),
        }
    }
}

async fn connect(lang: Lang, server: &ServerArgs) -> Result<Source, Outcome> {
    let instead = lang.pick(
        "start one with `clearlist demo`, name another with --server, or ask a folder with --list DIR",
        "请用 `clearlist demo` 启动，用 --server 指定其他地址，或用 --list DIR 查询清单文件夹",
    );
    let client = ClearanceServiceClient::new(server.connect(lang, instead).await?);
    Ok(Source::Server(Box::new(client.max_decoding_message_size(RESPONSE_BYTES_MAX))))
}

/// Reads a list folder, or says everything that is wrong with it.
pub(super) fn open_folder(lang: Lang, path: &Path) -> Result<Snapshot, Outcome> {
    match folder::read_files(path).and_then(|files| folder::load(&files)) {
        Ok(snapshot) => Ok(snapshot),
        Err(error) => {
            report_folder(lang, &error);
            Err(Outcome::Failed)
        }
    }
}

/// Says what is wrong with a folder, problem by problem.
pub(super) fn report_folder(lang: Lang, error: &FolderError) {
    match error {
        FolderError::Read { path, source } => complain(&match lang {
            Lang::En => format!("cannot read {}: {source}", path.display()),
            Lang::Zh => format!("无法读取 {}：{source}", path.display()),
        }),
        FolderError::Problems { problems } => {
            for problem in problems {
                anstream::eprintln!("{}", problem_line(lang, problem));
            }
            complain(&match lang {
                Lang::En => format!("{}; nothing was loaded", counted(problems.len())),
                Lang::Zh => format!("共{}个问题；未加载任何内容", problems.len()),
            });
        }
    }
}

/// `1 problem`, `5 problems`.
pub(super) fn counted(problems: usize) -> String {
    if problems == 1 { "1 problem".into() } else { format!("{problems} problems") }
}

/// `entries.csv:12:10 (hs_code): what and what to do`.
pub(super) fn problem_line(lang: Lang, problem: &Problem) -> String {
    let text = lang.pick(&problem.english, &problem.chinese);
    format!("{}: {text} [{}]", problem.place(), problem.reason)
}

/// Says why a question was not answered, and how that ends the command.
pub(super) fn report_status(lang: Lang, refused: &Status) -> Outcome {
    complain(&status_text(lang, refused));
    match refused.code() {
        Code::InvalidArgument => Outcome::Usage,
        _ => Outcome::Failed,
    }
}

/// The message of a status in the reader's language.
pub(super) fn status_text(lang: Lang, refused: &Status) -> String {
    let chinese = (lang == Lang::Zh).then(|| status::chinese(refused)).flatten();
    let text = chinese.unwrap_or_else(|| refused.message().to_owned());
    match status::reason(refused) {
        Some(reason) => format!("{text} [{reason}]"),
        None => format!("{text} [{:?}]", refused.code()),
    }
}
