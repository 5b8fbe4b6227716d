//! Errors to gRPC codes and details: the only file that picks a code.
//!
//! Every refusal carries `google.rpc.ErrorInfo` (domain `clearlist`), `LocalizedMessage` in
//! Chinese, and `BadRequest` where a field is to blame.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::domain::question::Violation;

/// Domain of every `ErrorInfo`.
const DOMAIN: &str = "clearlist";
/// How long a caller should wait for a revision that is not there yet.
const REVISION_RETRY_DELAY: Duration = Duration::from_secs(5);

/// A question with refused fields.
#[must_use]
pub fn invalid(violations: &[Violation]) -> Status {
    let named: Vec<FieldViolation> = violations
        .iter()
        .map(|v| FieldViolation::new(v.field.name(), format!("{}: {}", v.reason, v.english)))
        .collect();
    let english = joined(violations.iter().map(|v| format!("{}: {}", v.field.name(), v.english)));
    let chinese = joined(violations.iter().map(|v| format!("{}：{}", v.field.name(), v.chinese)));
    let reason = violations.first().map_or("INVALID", |v| v.reason);
    refusal(Code::InvalidArgument, reason, named, english, chinese, None)
}

/// A field of a request that is no question.
#[must_use]
pub fn invalid_field(field: &str, reason: &str, english: &str, chinese: &str) -> Status {
    let named = vec![FieldViolation::new(field, format!("{reason}: {english}"))];
    let (english, chinese) = (format!("{field}: {english}"), format!("{field}：{chinese}"));
    refusal(Code::InvalidArgument, reason, named, english, chinese, None)
}

/// A revision was asked for that is not loaded.
#[must_use]
pub fn revision_not_reached(wanted: u64, newest: u64) -> Status {
    let english = format!("revision {wanted} is not loaded; the newest is {newest}");
    let chinese = format!("尚未加载第{wanted}版；最新为第{newest}版");
    let wait = Some(REVISION_RETRY_DELAY);
    refusal(Code::FailedPrecondition, "REVISION_NOT_REACHED", Vec::new(), english, chinese, wait)
}

/// A receipt was asked for and this server gives none.
#[must_use]
pub fn receipt_unavailable() -> Status {
    refusal(
        Code::Unimplemented,
        "RECEIPT_UNAVAILABLE",
        vec![FieldViolation::new("receipt", "RECEIPT_UNAVAILABLE: leave it out")],
        "receipt: this server gives no receipts; ask without".into(),
        "receipt：本服务不提供回执；请去掉该项".into(),
        None,
    )
}

fn refusal(
    code: Code,
    reason: &str,
    violations: Vec<FieldViolation>,
    english: String,
    chinese: String,
    retry: Option<Duration>,
) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    details.set_localized_message("zh-CN", chinese);
    Status::with_error_details(code, english, details)
}

/// The form a status takes inside a batch or a stream.
#[must_use]
pub fn to_rpc_status(status: &Status) -> tonic_types::Status {
    tonic_types::Status::decode(status.details()).unwrap_or_else(|_no_details| {
        tonic_types::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: Vec::new(),
        }
    })
}

/// The Chinese message of a status, if it carries one.
#[must_use]
pub fn chinese(status: &Status) -> Option<String> {
    status.get_error_details().localized_message().map(|m| m.message.clone())
}

/// The reason of a status, if it carries one.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    status.get_error_details().error_info().map(|i| i.reason.clone())
}

/// A status as it stood inside a batch.
#[must_use]
pub fn from_rpc_status(status: &tonic_types::Status) -> Status {
    let code = Code::from_i32(status.code);
    Status::with_details(code, status.message.clone(), status.encode_to_vec().into())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}
