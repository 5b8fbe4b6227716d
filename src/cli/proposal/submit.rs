//! `clearlist proposal submit`: a proposal to its register's server, and what became of it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::cli::link::ServerArgs;
use crate::cli::source::{RESPONSE_BYTES_MAX, counted, status_text};
use crate::cli::{Lang, Manner, Outcome, Output, complain, instant};
use crate::domain::message::shown;
use crate::formats::proposal::{Fault, PROPOSAL_BYTES_MAX, ProposalFile, examine};
use crate::grpc::json::to_json;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::admin_service_client::AdminServiceClient;
use crate::grpc::status;
use crate::server::now;

use super::{read, refuse};

/// Arguments of `clearlist proposal submit`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SubmitArgs {
    /// The proposal file
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    /// Ask only what the server would say; nothing is changed
    #[arg(long)]
    validate: bool,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, args: &SubmitArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let file = read(lang, &args.file)?;
    // The server's clock counts: what has expired here may have been accepted there long ago.
    let mut faults = examine(&file, now()).faults;
    faults.retain(|fault| !Fault::is_of_clock(fault));
    if !faults.is_empty() {
        return Err(refuse(lang, &args.file, &faults));
    }
    let instead = lang.pick("name another with --server", "请用 --server 指定其他地址");
    let channel = args.server.connect(lang, instead).await?;
    let mut client = AdminServiceClient::new(channel)
        .max_decoding_message_size(RESPONSE_BYTES_MAX)
        .max_encoding_message_size(2 * PROPOSAL_BYTES_MAX);
    let proposal = Some(message(file));
    if args.validate {
        let request = v1::ValidateProposalRequest { proposal };
        return match client.validate_proposal(request).await {
            Ok(response) => Ok(validated(manner, &response.into_inner())),
            Err(status) => Err(refused(manner, &status, Asked::Whether)),
        };
    }
    match client.submit_proposal(v1::SubmitProposalRequest { proposal }).await {
        Ok(response) => Ok(accepted(manner, &response.into_inner())),
        Err(status) => Err(refused(manner, &status, Asked::ToAccept)),
    }
}

fn message(file: ProposalFile) -> v1::Proposal {
    v1::Proposal {
        statement: file.statement.into_bytes().into(),
        checkpoint: file.checkpoint.into_bytes().into(),
        list: file.list.map(|list| v1::ListFiles {
            schemes_csv: list.schemes.into(),
            enterprises_csv: list.enterprises.into(),
            entries_csv: list.entries.into(),
        }),
    }
}

fn accepted(manner: Manner, response: &v1::SubmitProposalResponse) -> Outcome {
    if manner.output == Output::Json {
        let json = to_json("clearlist.v1.SubmitProposalResponse", response);
        anstream::println!("{}", json.unwrap_or_default());
        return Outcome::Yes;
    }
    let number = response.number;
    let how = match (response.already_accepted, manner.lang) {
        (false, Lang::En) => format!("accepted as statement {number}"),
        (false, Lang::Zh) => format!("已接受为第{number}号声明"),
        (true, Lang::En) => format!("it was accepted before, as statement {number}"),
        (true, Lang::Zh) => format!("此前已接受为第{number}号声明"),
    };
    anstream::println!("{how}");
    let lines = [
        (manner.lang.pick("accepted", "接受于"), &response.accept_time),
        (manner.lang.pick("in force", "生效"), &response.effective_time),
    ];
    for (label, time) in lines {
        if let Some(at) = time.as_ref().and_then(|t| jiff::Timestamp::from_second(t.seconds).ok()) {
            anstream::println!("  {label} {}", instant::text(at));
        }
    }
    Outcome::Yes
}

fn validated(manner: Manner, response: &v1::ValidateProposalResponse) -> Outcome {
    let lang = manner.lang;
    let good = response.violations.is_empty();
    let outcome = if good { Outcome::Yes } else { Outcome::No };
    if manner.output == Output::Json {
        let json = to_json("clearlist.v1.ValidateProposalResponse", response);
        anstream::println!("{}", json.unwrap_or_default());
        return outcome;
    }
    for violation in &response.violations {
        let text = shown(lang.pick(&violation.message_en, &violation.message_zh));
        let place = shown(&violation.place);
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        anstream::println!("{place}{text} [{}]", shown(&violation.reason));
    }
    let number = response.number;
    let verdict = match (good, response.already_accepted, lang) {
        (true, true, Lang::En) => format!("it was accepted before, as statement {number}"),
        (true, true, Lang::Zh) => format!("此前已接受为第{number}号声明"),
        (true, false, Lang::En) => format!("it would be accepted as statement {number}"),
        (true, false, Lang::Zh) => format!("将被接受为第{number}号声明"),
        (false, _, Lang::En) => {
            format!("{}: it would be refused", counted(response.violations.len()))
        }
        (false, _, Lang::Zh) => format!("共{}个问题：将被拒绝", response.violations.len()),
    };
    anstream::println!("{verdict}");
    if let Some(count) = &response.count {
        let v1::ChangeCount { added, removed, changed } = count;
        anstream::println!(
            "{}",
            match lang {
                Lang::En => format!("rows: {added} added, {removed} removed, {changed} changed"),
                Lang::Zh => format!("行：新增{added}，删除{removed}，修改{changed}"),
            }
        );
    }
    outcome
}

/// What the server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Whether it would accept.
    Whether,
    /// To accept.
    ToAccept,
}

/// Whether a status is the register's no: it names a reason, and nothing was changed.
fn is_refusal(status: &Status) -> bool {
    let answered = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::PermissionDenied
            | Code::Aborted
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::OutOfRange
            | Code::NotFound
    );
    answered && status::reason(status).is_some()
}

/// Whether a status leaves open what became of the proposal. A server that names a reason, such
/// as a full disk, knows, unless that is what it says.
fn is_unknown(status: &Status) -> bool {
    let told = status::reason(status).is_some_and(|reason| reason != "OUTCOME_UNKNOWN");
    let never_read = [Code::Unimplemented, Code::Unauthenticated, Code::ResourceExhausted];
    !told && !never_read.contains(&status.code())
}

fn refused(manner: Manner, status: &Status, asked: Asked) -> Outcome {
    let lang = manner.lang;
    let details = status.get_error_details();
    let violations = details.bad_request().map(|b| b.field_violations.clone()).unwrap_or_default();
    let refused = is_refusal(status);
    if manner.output == Output::Json {
        let violations: Vec<Value> = violations
            .iter()
            .map(|v| json!({ "place": v.field, "message": v.description }))
            .collect();
        let report = json!({
            "accepted": false,
            "outcomeKnown": refused || !is_unknown(status),
            "code": format!("{:?}", status.code()),
            "reason": status::reason(status),
            "messageEn": status.message(),
            "messageZh": status::chinese(status),
            "violations": violations,
        });
        anstream::println!("{report}");
    }
    for violation in &violations {
        let (field, what) = (shown(&violation.field), shown(&violation.description));
        anstream::eprintln!("{field}: {what}");
    }
    complain(&shown(&status_text(lang, status)));
    if refused {
        return Outcome::No;
    }
    if asked == Asked::ToAccept && is_unknown(status) {
        complain(lang.pick(
            "it is not known whether the proposal was accepted; submit the same file again, which changes nothing if it was",
            "无法得知提案是否已被接受；请再次提交同一文件，若已接受则不会有任何变化",
        ));
    }
    Outcome::Failed
}
