//! The register that the next statement is drafted on, as a server or a folder has it. Not
//! believed here: whoever uses it checks it.

use std::path::Path;

use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::cli::source::{RESPONSE_BYTES_MAX, channel, report_status};
use crate::cli::{Lang, Outcome, complain};
use crate::domain::message::excerpt;
use crate::formats::list_csv::{FILES, ListFiles};
use crate::formats::proposal::{Base, BaseRevision};
use crate::formats::table::FILE_BYTES_MAX;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::register_service_client::RegisterServiceClient;
use crate::register::merkle::Hash;

type Client = RegisterServiceClient<Channel>;

/// How often a register may move while it is read. Statements take days to sign.
const ATTEMPTS_MAX: usize = 3;
/// Statements asked for at once while the newest revision is looked for.
const PAGE_STATEMENTS: u32 = 100;

/// The register in a folder.
pub(super) fn base_of_register(lang: Lang, folder: &Path) -> Result<Base, Outcome> {
    complain(&match lang {
        Lang::En => format!(
            "{}: drafting on a register folder is not there yet; draft from its server with --server",
            folder.display()
        ),
        Lang::Zh => format!(
            "{}：尚不支持以登记簿文件夹为依据起草；请用--server从其服务器起草",
            folder.display()
        ),
    });
    Err(Outcome::Failed)
}

/// The register of a server.
pub(super) async fn base_of_server(lang: Lang, url: &str) -> Result<Base, Outcome> {
    let instead = lang.pick("name another with --server", "请用 --server 指定其他地址");
    let channel = channel(lang, url, instead).await?;
    let mut client = Client::new(channel).max_decoding_message_size(RESPONSE_BYTES_MAX);
    for _attempt in 0..ATTEMPTS_MAX {
        match read(&mut client).await {
            Ok(base) => return Ok(base),
            Err(Unread::Moved) => {}
            Err(Unread::Refused(status)) if status.code() == Code::Unimplemented => {
                complain(lang.pick(
                    "this server has no register: it serves a list folder; name another with --server",
                    "该服务器没有登记簿，只提供清单文件夹；请用 --server 指定其他地址",
                ));
                return Err(Outcome::Failed);
            }
            Err(Unread::Refused(status)) => return Err(report_status(lang, &status)),
            Err(Unread::Malformed(what)) => {
                complain(&match lang {
                    Lang::En => format!("the server's answer cannot be used: {what}"),
                    Lang::Zh => format!("服务器的回答无法使用：{what}"),
                });
                return Err(Outcome::Failed);
            }
        }
    }
    complain(lang.pick(
        "the register moved each time it was read; try again",
        "每次读取时登记簿都有变动；请重试",
    ));
    Err(Outcome::Failed)
}

/// Why a register was not read.
enum Unread {
    /// Another statement was accepted between two calls.
    Moved,
    /// The server refused.
    Refused(Status),
    /// The answer has not the form that the API promises; names the field.
    Malformed(&'static str),
}

impl From<Status> for Unread {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

async fn read(client: &mut Client) -> Result<Base, Unread> {
    let register = client.get_register(v1::GetRegisterRequest {}).await?.into_inner();
    let size = register.size;
    let newest = match newest_revision(client, size).await? {
        Some(number) => Some(revision(client, number, size).await?),
        None => None,
    };
    Ok(Base {
        policy: register.policy,
        size,
        frontier: hashes("frontier_sha256", &register.frontier_sha256)?,
        checkpoint: text("checkpoint", register.checkpoint)?,
        newest,
    })
}

/// Number of the newest revision, looked for from the newest statement back.
async fn newest_revision(client: &mut Client, size: u64) -> Result<Option<u64>, Unread> {
    let mut page_token = String::new();
    let mut seen = 0;
    while seen < size {
        let request = v1::ListRevisionsRequest { page_size: PAGE_STATEMENTS, page_token };
        let page = client.list_revisions(request).await?.into_inner();
        if page.total_size != size {
            return Err(Unread::Moved);
        }
        let revision = v1::StatementType::Revision;
        if let Some(found) = page.statements.iter().find(|s| s.r#type() == revision) {
            return Ok(Some(found.number));
        }
        if page.next_page_token.is_empty() || page.statements.is_empty() {
            break;
        }
        seen += page.statements.len() as u64;
        page_token = page.next_page_token;
    }
    Ok(None)
}

async fn revision(client: &mut Client, number: u64, size: u64) -> Result<BaseRevision, Unread> {
    let answer = client.get_revision(v1::GetRevisionRequest { number }).await?.into_inner();
    if answer.proof_size != size {
        return Err(Unread::Moved);
    }
    let statement = answer.statement.ok_or(Unread::Malformed("statement"))?.statement;
    let mut list = ListFiles::default();
    let request = v1::ExportRevisionRequest { number };
    let mut pieces = client.export_revision(request).await?.into_inner();
    while let Some(piece) = pieces.message().await? {
        let [schemes, enterprises, entries] = FILES;
        let file = match piece.file {
            file if file == schemes => &mut list.schemes,
            file if file == enterprises => &mut list.enterprises,
            file if file == entries => &mut list.entries,
            other => {
                tracing::debug!(file = excerpt(&other), "a piece of an unknown file");
                return Err(Unread::Malformed("file"));
            }
        };
        if file.len() + piece.chunk.len() > FILE_BYTES_MAX {
            return Err(Unread::Malformed("chunk"));
        }
        file.extend_from_slice(&piece.chunk);
    }
    Ok(BaseRevision {
        number,
        statement: text("statement", statement)?,
        inclusion: hashes("inclusion_sha256", &answer.inclusion_sha256)?,
        list,
    })
}

fn text(field: &'static str, bytes: impl Into<Vec<u8>>) -> Result<String, Unread> {
    String::from_utf8(bytes.into()).map_err(|_no_utf8| Unread::Malformed(field))
}

fn hashes(field: &'static str, given: &[impl AsRef<[u8]>]) -> Result<Vec<Hash>, Unread> {
    let hash = |bytes: &[u8]| Hash::try_from(bytes).map_err(|_length| Unread::Malformed(field));
    given.iter().map(|bytes| hash(bytes.as_ref())).collect()
}
