//! The register that the next statement is drafted on, as a server or a folder has it. Not
//! believed here: whoever uses it checks it.

use tonic::Status;

use crate::cli::register::Reader;
use crate::cli::source::report_status;
use crate::cli::{Lang, Outcome, complain};
use crate::formats::proposal::{Base, BaseRevision};
use crate::grpc::proto::v1;
use crate::register::merkle::Hash;

/// How often a register may move while it is read. Statements take days to sign.
const ATTEMPTS_MAX: usize = 3;
/// Statements asked for at once while the newest revision is looked for.
const PAGE_STATEMENTS: u32 = 100;

/// The register of a server or of a directory.
pub(super) async fn base(lang: Lang, reader: &mut Reader) -> Result<Base, Outcome> {
    for _attempt in 0..ATTEMPTS_MAX {
        match read(reader).await {
            Ok(base) => return Ok(base),
            Err(Unread::Moved) => {}
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

async fn read(reader: &mut Reader) -> Result<Base, Unread> {
    let register = reader.get().await?;
    let size = register.size;
    let newest = match newest_revision(reader, size).await? {
        Some(number) => Some(revision(reader, number, size).await?),
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
async fn newest_revision(reader: &mut Reader, size: u64) -> Result<Option<u64>, Unread> {
    let mut page_token = String::new();
    let mut seen = 0;
    while seen < size {
        let page = reader.revisions(PAGE_STATEMENTS, page_token).await?;
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

async fn revision(reader: &mut Reader, number: u64, size: u64) -> Result<BaseRevision, Unread> {
    let answer = reader.revision(number).await?;
    if answer.proof_size != size {
        return Err(Unread::Moved);
    }
    let statement = answer.statement.ok_or(Unread::Malformed("statement"))?.statement;
    let list = reader.export(number).await?;
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
