//! Errors to gRPC codes and details: the only file that picks a code.
//!
//! Every refusal carries `google.rpc.ErrorInfo` (domain `clearlist`), `LocalizedMessage` in
//! Chinese, and `BadRequest` where a field is to blame.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::caller::Unwelcome;
use crate::domain::message::{Refusal, excerpt, shown};
use crate::domain::question::Violation;
use crate::formats::table::Problem;
use crate::register::policy::QuorumError;
use crate::register::step::{Refused, Which};
use crate::service::intake::SubmitError;
use crate::service::running::Unanswerable;
use crate::store::AppendError;

/// Domain of every `ErrorInfo`.
const DOMAIN: &str = "clearlist";
/// Reason of a request that is larger than its limit: in HTTP it has a status of its own.
pub(super) const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
/// Of what is wrong with JSON so much is said.
const JSON_FAULT_CHARS_MAX: usize = 200;
/// How long a caller should wait for a revision that is not there yet.
const REVISION_RETRY_DELAY: Duration = Duration::from_secs(5);
/// How long a submitter should wait while other proposals are worked on: one takes seconds.
const BUSY_RETRY_DELAY: Duration = Duration::from_secs(5);
/// How long a caller should wait for a decision log that takes answers again.
const LOG_RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long a submitter should wait for room on a disk.
const STORE_RETRY_DELAY: Duration = Duration::from_mins(1);

/// How long a caller should wait while there is too much to do: longer than what waits takes,
/// so that not everybody is back before it is done.
const OVERLOAD_RETRY_DELAY: Duration = Duration::from_millis(500);

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

/// No list answers a question.
#[must_use]
pub fn unanswerable(error: &Unanswerable) -> Status {
    let precondition = Code::FailedPrecondition;
    match error {
        Unanswerable::NotReached { wanted, size } => revision_not_reached(*wanted, *size),
        Unanswerable::Expired(revision) => {
            let number = revision.number;
            let since = revision.expires.map(|t| t.to_string()).unwrap_or_default();
            let english = format!(
                "the list in force then, revision {number}, expired at {since}; no other list is asked in its place"
            );
            let chinese =
                format!("当时有效的清单（第{number}版）已于{since}失效；不以其他版本代答");
            refusal(precondition, "LIST_EXPIRED", Vec::new(), english, chinese, None)
        }
        Unanswerable::NothingThen { at } => {
            let english = format!("no list was in force at {at}, as far as was known then");
            let chinese = format!("按当时所知，{at}没有任何有效清单");
            refusal(precondition, "NO_LIST_THEN", Vec::new(), english, chinese, None)
        }
        Unanswerable::NothingYet => refusal(
            Code::Unavailable,
            "NO_LIST_YET",
            Vec::new(),
            "no list is in force yet; the agencies have not signed one".into(),
            "尚无有效清单；各机构还没有签署".into(),
            Some(REVISION_RETRY_DELAY),
        ),
        Unanswerable::Past(error) => {
            tracing::error!(%error, "a past list cannot be read");
            unreadable()
        }
    }
}

/// The register cannot be read.
#[must_use]
pub fn unreadable() -> Status {
    refusal(
        Code::DataLoss,
        "REGISTER_UNREADABLE",
        Vec::new(),
        "the stored register cannot be read; its operator has been told".into(),
        "存储的登记簿无法读取；已通知运行方".into(),
        None,
    )
}

/// There is no such revision.
#[must_use]
pub fn revision_unknown(number: u64, size: u64) -> Status {
    let english =
        format!("there is no revision {number} with a list; the register has {size} statements");
    let chinese = format!("没有带清单的第{number}版；登记簿共有{size}条声明");
    refusal(Code::NotFound, "REVISION_UNKNOWN", Vec::new(), english, chinese, None)
}

/// A page token of another listing.
#[must_use]
pub fn page_token() -> Status {
    invalid_field(
        "page_token",
        "PAGE_TOKEN",
        "the token is of another listing or another revision; start again without it",
        "该翻页标记属于另一次查询或另一版清单；请不带标记重新查询",
    )
}

/// The server is stopping.
#[must_use]
pub fn stopping() -> Status {
    refusal(
        Code::Unavailable,
        "STOPPING",
        Vec::new(),
        "the server is stopping; ask again in a moment".into(),
        "服务正在停止；请稍后重试".into(),
        Some(BUSY_RETRY_DELAY),
    )
}

/// A watcher does not keep up.
#[must_use]
pub fn watch_too_slow(size: u64) -> Status {
    let english = format!("statements were not read in time; watch again from size {size}");
    let chinese = format!("未及时读取；请从第{size}条起重新订阅");
    refusal(Code::Aborted, "WATCH_TOO_SLOW", Vec::new(), english, chinese, None)
}

/// Other proposals are being worked on.
#[must_use]
pub fn busy() -> Status {
    refusal(
        Code::Unavailable,
        "BUSY",
        Vec::new(),
        "other proposals are being worked on; send it again in a moment".into(),
        "正在处理其他提案；请稍后重新提交".into(),
        Some(BUSY_RETRY_DELAY),
    )
}

/// There is more to do than can be done.
#[must_use]
pub fn overloaded() -> Status {
    refusal(
        Code::Unavailable,
        "OVERLOADED",
        Vec::new(),
        "there are more requests than this server can answer; ask again in a moment".into(),
        "请求过多，服务暂时无法应答；请稍后重试".into(),
        Some(OVERLOAD_RETRY_DELAY),
    )
}

/// A message is not there in the time that messages get.
#[must_use]
pub fn message_late() -> Status {
    refusal(
        Code::DeadlineExceeded,
        "MESSAGE_LATE",
        Vec::new(),
        "the message did not come in time; nothing was done with what came".into(),
        "消息未在规定时间内到达；已收到的部分未作处理".into(),
        None,
    )
}

/// A caller asks more than it may; after this time it may ask again.
#[must_use]
pub fn rate_exceeded(wait: Duration) -> Status {
    refusal(
        Code::ResourceExhausted,
        "RATE_EXCEEDED",
        Vec::new(),
        "more was asked than one caller may; ask again later, or ask the operator for more".into(),
        "提问超过每个调用方的速率上限；请稍后重试，或向运行方申请提高上限".into(),
        Some(wait),
    )
}

/// Somebody is not let in.
#[must_use]
pub fn unwelcome(why: &Unwelcome) -> Status {
    let code = match why {
        Unwelcome::Missing | Unwelcome::Invalid(_) => Code::Unauthenticated,
        Unwelcome::RoleMissing { .. } => Code::PermissionDenied,
        Unwelcome::MethodUnknown => Code::Unimplemented,
    };
    let facts = match why {
        Unwelcome::RoleMissing { role } => HashMap::from([("role".into(), (*role).into())]),
        _ => HashMap::new(),
    };
    refusal_with(code, why.reason(), Vec::new(), why.english(), why.chinese(), None, facts)
}

/// The caller's deadline has passed.
#[must_use]
pub fn deadline_exceeded() -> Status {
    refusal(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        Vec::new(),
        "the deadline of the call has passed; a proposal may stand all the same, send it again and see".into(),
        "调用已超过期限；若为提案，仍可能已生效，可重新提交以查明".into(),
        None,
    )
}

/// A `grpc-timeout` that is none.
#[must_use]
pub fn timeout_malformed(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::InvalidArgument,
        "TIMEOUT_MALFORMED",
        Vec::new(),
        format!(
            "grpc-timeout is `{given}`; it is one to eight digits and a unit, H, M, S, m, u or n"
        ),
        format!("grpc-timeout 为 `{given}`；应为一至八位数字加单位H、M、S、m、u或n"),
        None,
    )
}

/// A `Connect-Timeout-Ms` that is none.
#[must_use]
pub fn connect_timeout_malformed(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::InvalidArgument,
        "TIMEOUT_MALFORMED",
        Vec::new(),
        format!("connect-timeout-ms is `{given}`; it is one to ten digits, of milliseconds"),
        format!("connect-timeout-ms 为 `{given}`；应为一至十位数字，单位毫秒"),
        None,
    )
}

/// Another version of the Connect protocol than there is.
#[must_use]
pub fn protocol_version_unknown(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::InvalidArgument,
        "PROTOCOL_VERSION_UNKNOWN",
        Vec::new(),
        format!("connect-protocol-version is `{given}`; it is 1, or left out"),
        format!("connect-protocol-version 为 `{given}`；应为1，或省略"),
        None,
    )
}

/// A request body that is not the JSON form of its message.
#[must_use]
pub fn json_malformed(line: usize, column: usize, what: &str) -> Status {
    // It may hold a name of the caller's.
    let what: String = shown(what).chars().take(JSON_FAULT_CHARS_MAX).collect();
    refusal(
        Code::InvalidArgument,
        "JSON_MALFORMED",
        Vec::new(),
        format!(
            "line {line}, column {column} of the request: {what}; GET /openapi.json says what it may hold"
        ),
        format!("请求第{line}行第{column}列：{what}；可用GET /openapi.json查看格式"),
        None,
    )
}

/// A request body with less than it said.
#[must_use]
pub fn body_incomplete() -> Status {
    refusal(
        Code::InvalidArgument,
        "BODY_INCOMPLETE",
        Vec::new(),
        "the request ended before all of it was there; send it again".into(),
        "请求未传送完整；请重新发送".into(),
        None,
    )
}

/// A request body above its limit.
#[must_use]
pub fn body_too_large() -> Status {
    refusal(
        Code::ResourceExhausted,
        BODY_TOO_LARGE,
        Vec::new(),
        "the request is larger than this server takes; split it".into(),
        "请求超过服务器上限；请拆分后发送".into(),
        None,
    )
}

/// A request body that is compressed.
#[must_use]
pub fn encoding_unknown(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::Unimplemented,
        "CONTENT_ENCODING_UNKNOWN",
        Vec::new(),
        format!(
            "content-encoding is `{given}`; send JSON as it is, or use gRPC, which may be gzip"
        ),
        format!("content-encoding 为 `{given}`；JSON请勿压缩，或改用gRPC（可用gzip）"),
        None,
    )
}

/// A request body of another kind than any that is taken.
#[must_use]
pub fn content_type_unknown(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::InvalidArgument,
        "CONTENT_TYPE_UNKNOWN",
        Vec::new(),
        format!(
            "content-type is `{given}`; it is application/json, application/grpc or application/grpc-web"
        ),
        format!(
            "content-type 为 `{given}`；应为application/json、application/grpc或application/grpc-web"
        ),
        None,
    )
}

/// An HTTP method by which nothing is asked here.
#[must_use]
pub fn http_method_unknown(given: &str, allowed: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::Unimplemented,
        "HTTP_METHOD_UNKNOWN",
        Vec::new(),
        format!("the HTTP method is `{given}`; here it is {allowed}"),
        format!("HTTP方法为 `{given}`；此处应为{allowed}"),
        None,
    )
}

/// A path without anything behind it.
#[must_use]
pub fn path_unknown(given: &str) -> Status {
    let given = excerpt(given);
    refusal(
        Code::Unimplemented,
        "PATH_UNKNOWN",
        Vec::new(),
        format!("there is nothing at `{given}`; GET /openapi.json lists what there is"),
        format!("`{given}` 不存在；可用GET /openapi.json查看全部接口"),
        None,
    )
}

/// A method with a stream in it, asked in JSON.
#[must_use]
pub fn stream_in_json(path: &str) -> Status {
    let path = excerpt(path);
    refusal(
        Code::Unimplemented,
        "STREAM_IN_JSON",
        Vec::new(),
        format!("`{path}` has a stream of messages, which JSON has not; use gRPC"),
        format!("`{path}` 为流式方法，JSON不支持；请使用gRPC"),
        None,
    )
}

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

/// The answer was decided and could not be logged, so it is not given.
#[must_use]
pub fn not_logged() -> Status {
    refusal(
        Code::Unavailable,
        "DECISION_LOG_UNAVAILABLE",
        Vec::new(),
        "the decision log takes no answers, and none is given unlogged; ask again in a moment"
            .into(),
        "决定日志无法写入，未记录的结论不予答复；请稍后重试".into(),
        Some(LOG_RETRY_DELAY),
    )
}

/// The receipts of a batch are too large together.
#[must_use]
pub fn receipts_too_large(bytes_max: usize) -> Status {
    invalid_field(
        "items",
        "RECEIPTS_TOO_LARGE",
        &format!(
            "the receipts of this batch have more than {bytes_max} bytes; ask for them in smaller batches, or in a stream"
        ),
        &format!("该批凭证共超过{bytes_max}字节；请分成较小批次，或用流式查询"),
    )
}

/// A receipt was asked for and no register signed the list.
#[must_use]
pub fn receipt_unavailable() -> Status {
    refusal(
        Code::FailedPrecondition,
        "RECEIPT_UNAVAILABLE",
        vec![FieldViolation::new("receipt", "RECEIPT_UNAVAILABLE: ask a served register")],
        "receipt: nobody signed this list, so nothing proves an answer; ask a served register"
            .into(),
        "receipt：该清单未经签署，无从证明；请向提供登记簿的服务查询".into(),
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
