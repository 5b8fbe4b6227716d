//! Errors to gRPC codes and details: this file and its folder are the only place that picks a
//! code.
//!
//! Every refusal carries `google.rpc.ErrorInfo` (domain `clearlist`), `LocalizedMessage` in
//! Chinese, and `BadRequest` where a field is to blame.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::domain::question::Violation;

mod malformed;
mod proposal;
mod turned_away;
mod unanswered;

pub(super) use malformed::BODY_TOO_LARGE;
pub use malformed::{
    body_incomplete, body_too_large, connect_timeout_malformed, content_type_unknown,
    encoding_unknown, http_method_unknown, json_malformed, path_unknown, protocol_version_unknown,
    stream_in_json, timeout_malformed,
};
pub use proposal::not_accepted;
pub use turned_away::{
    busy, deadline_exceeded, message_late, overloaded, rate_exceeded, stopping, unwelcome,
};
pub use unanswered::{
    not_logged, page_token, receipt_unavailable, receipts_too_large, revision_not_reached,
    revision_unknown, unanswerable, unreadable, watch_too_slow,
};

/// Domain of every `ErrorInfo`.
const DOMAIN: &str = "clearlist";

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

fn refusal(
    code: Code,
    reason: &str,
    violations: Vec<FieldViolation>,
    english: String,
    chinese: String,
    retry: Option<Duration>,
) -> Status {
    refusal_with(code, reason, violations, english, chinese, retry, HashMap::new())
}

fn refusal_with(
    code: Code,
    reason: &str,
    violations: Vec<FieldViolation>,
    english: String,
    chinese: String,
    retry: Option<Duration>,
    facts: HashMap<String, String>,
) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, facts);
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
