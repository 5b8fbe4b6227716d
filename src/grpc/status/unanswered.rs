//! Questions and readings that get no answer: no list, no revision, no receipt, no log.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::FieldViolation;

use super::{invalid_field, refusal};
use crate::service::running::Unanswerable;

/// How long a caller should wait for a revision that is not there yet.
const REVISION_RETRY_DELAY: Duration = Duration::from_secs(5);
/// How long a caller should wait for a decision log that takes answers again.
const LOG_RETRY_DELAY: Duration = Duration::from_secs(1);

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

/// A watcher does not keep up.
#[must_use]
pub fn watch_too_slow(size: u64) -> Status {
    let english = format!("statements were not read in time; watch again from size {size}");
    let chinese = format!("未及时读取；请从第{size}条起重新订阅");
    refusal(Code::Aborted, "WATCH_TOO_SLOW", Vec::new(), english, chinese, None)
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
