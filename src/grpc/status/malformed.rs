//! Requests that are not what HTTP, JSON, Connect or gRPC want: what was given, and what it may
//! be.

use tonic::{Code, Status};

use super::refusal;
use crate::domain::message::{excerpt, shown};

/// Reason of a request that is larger than its limit: in HTTP it has a status of its own.
pub(in crate::grpc) const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
/// Of what is wrong with JSON so much is said.
const JSON_FAULT_CHARS_MAX: usize = 200;

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
