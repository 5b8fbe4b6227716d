//! Who is turned away whatever is asked: too much, too late, not let in, not now.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};

use super::super::caller::Unwelcome;
use super::{refusal, refusal_with};
use crate::domain::message::Refusal;

/// How long a submitter should wait while other proposals are worked on: one takes seconds.
const BUSY_RETRY_DELAY: Duration = Duration::from_secs(5);
/// How long a caller should wait while there is too much to do: longer than what waits takes,
/// so that not everybody is back before it is done.
const OVERLOAD_RETRY_DELAY: Duration = Duration::from_millis(500);

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
