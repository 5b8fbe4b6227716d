//! Proposals that do not stand: refused by the rules, by lint, or not stored.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::FieldViolation;

use super::{busy, joined, refusal, refusal_with};
use crate::domain::message::Refusal;
use crate::formats::table::Problem;
use crate::register::policy::QuorumError;
use crate::register::step::{Refused, Which};
use crate::service::intake::SubmitError;
use crate::store::AppendError;

/// How long a submitter should wait for room on a disk.
const STORE_RETRY_DELAY: Duration = Duration::from_mins(1);

/// A proposal that does not stand, or may not.
#[must_use]
pub fn not_accepted(error: &SubmitError) -> Status {
    match error {
        SubmitError::Refused(refused) => refused_proposal(refused),
        SubmitError::Lint(problems) => lint(problems),
        SubmitError::Busy => busy(),
        SubmitError::Ended => refusal(
            Code::Unavailable,
            "REGISTER_CLOSED",
            Vec::new(),
            "the register takes no statements; its operator must restart the server".into(),
            "登记簿已停止接收声明；须由运行方重启服务".into(),
            None,
        ),
        SubmitError::Store(error) => not_stored(error),
    }
}

fn refused_proposal(refused: &[Refused]) -> Status {
    let code = match refused.first() {
        Some(Refused::Moved { .. }) => Code::Aborted,
        Some(Refused::Quorum { error: QuorumError::NotMet { .. }, .. }) => Code::PermissionDenied,
        Some(Refused::Quorum { error: QuorumError::LogSignature { .. }, .. }) => {
            Code::PermissionDenied
        }
        Some(Refused::Expired { .. } | Refused::SignedInFuture { .. }) => Code::FailedPrecondition,
        _ => Code::InvalidArgument,
    };
    let named: Vec<FieldViolation> = refused
        .iter()
        .map(|r| FieldViolation::new("proposal", format!("{}: {}", r.reason(), r.english())))
        .collect();
    let english = joined(refused.iter().map(Refusal::english));
    let chinese = joined(refused.iter().map(Refusal::chinese));
    let reason = refused.first().map_or("REFUSED", Refusal::reason);
    let facts = refused.first().map(facts).unwrap_or_default();
    refusal_with(code, reason, named, english, chinese, None, facts)
}

/// What a program needs of a refusal, as names and values.
fn facts(refused: &Refused) -> HashMap<String, String> {
    let pairs = match refused {
        Refused::Moved { size, given } => {
            vec![("size", size.to_string()), ("given", given.to_string())]
        }
        Refused::Quorum { which, error: QuorumError::NotMet { lacking, unknown, repeated } } => {
            let policy = if *which == Which::Current { "current" } else { "proposed" };
            let mut pairs = vec![("policy", policy.to_owned())];
            for lack in lacking {
                let (group, absent) = (&lack.group, lack.absent.join(","));
                pairs.push((
                    "lacking",
                    format!("{group}: {} of {}, without {absent}", lack.signed, lack.needed),
                ));
            }
            pairs.push(("unknown", unknown.join(",")));
            pairs.push(("repeated", repeated.join(",")));
            pairs
        }
        _ => Vec::new(),
    };
    let mut out: HashMap<String, String> = HashMap::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let slot = out.entry(name.to_owned()).or_default();
        if !slot.is_empty() {
            slot.push_str("; ");
        }
        slot.push_str(&value);
    }
    out
}

/// Texts of problems in an error, in bytes: some clients take no more than 8 KiB of trailers, and
/// there they stand in base64.
const LINT_BYTES_MAX: usize = 3_000;

fn lint(problems: &[Problem]) -> Status {
    let mut bytes = 0;
    let fits = |p: &&Problem| {
        bytes += p.place().len() + p.reason.len() + p.english.len() + 8;
        bytes <= LINT_BYTES_MAX
    };
    let shown = problems.iter().take_while(fits);
    let named: Vec<FieldViolation> = shown
        .map(|p| FieldViolation::new(p.place(), format!("{}: {}", p.reason, p.english)))
        .collect();
    let (total, shown) = (problems.len(), named.len());
    let first = problems.first();
    let (english, chinese) = (
        first.map(|p| format!("{}: {}", p.place(), p.english)).unwrap_or_default(),
        first.map(|p| format!("{}：{}", p.place(), p.chinese)).unwrap_or_default(),
    );
    let english = format!(
        "the list does not pass lint, {total} problems, {shown} of them in the details, all of them by ValidateProposal; the first: {english}"
    );
    let chinese = format!(
        "清单未通过检查，共{total}个问题，详情列出{shown}个，ValidateProposal列出全部；第一个：{chinese}"
    );
    refusal(Code::InvalidArgument, "LIST_INVALID", named, english, chinese, None)
}

fn not_stored(error: &AppendError) -> Status {
    match error {
        AppendError::Moved { size } => {
            refused_proposal(&[Refused::Moved { size: *size, given: *size }])
        }
        AppendError::TooLarge { .. } => refusal(
            Code::InvalidArgument,
            "PROPOSAL_TOO_LARGE",
            Vec::new(),
            error.to_string(),
            "该声明超过存储上限；请缩小清单".into(),
            None,
        ),
        AppendError::NotStored { .. } => {
            tracing::error!(%error, "a statement was not stored");
            refusal(
                Code::Unavailable,
                "NOT_STORED",
                Vec::new(),
                "the statement was not stored, the disk is full or failing; nothing has changed, send it again later".into(),
                "声明未能存储，磁盘已满或故障；没有任何变化，请稍后重新提交".into(),
                Some(STORE_RETRY_DELAY),
            )
        }
        AppendError::Unknown { .. } => {
            tracing::error!(%error, "whether a statement was stored is not known");
            refusal(
                Code::Unknown,
                "OUTCOME_UNKNOWN",
                Vec::new(),
                "whether the statement was stored is not known; the register takes no more until the server is restarted, then GetRegister tells".into(),
                "声明是否已存储未知；重启服务前登记簿不再接收声明，重启后由GetRegister得知".into(),
                None,
            )
        }
        AppendError::Closed => not_accepted(&SubmitError::Ended),
    }
}
