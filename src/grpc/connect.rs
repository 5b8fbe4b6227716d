//! The unary form of the Connect protocol for errors: an HTTP status, and JSON with the details.
//! <https://connectrpc.com/docs/protocol#error-codes>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{json, status};

/// A closed connection has no status in HTTP's own list; nginx's number is in use for it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// A refusal, as Connect writes it.
#[derive(Debug)]
pub struct Written {
    /// The HTTP status.
    pub http: StatusCode,
    /// `{"code": …, "message": …, "details": […]}`.
    pub body: Value,
    /// Seconds after which to ask again, for `Retry-After`.
    pub retry_seconds: Option<u64>,
}

/// The name of a code, and its HTTP status.
fn code(code: Code) -> (&'static str, StatusCode) {
    match code {
        Code::Cancelled => {
            let closed = StatusCode::from_u16(CLIENT_CLOSED_REQUEST);
            ("canceled", closed.unwrap_or(StatusCode::BAD_REQUEST))
        }
        Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
        Code::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
        Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
        Code::AlreadyExists => ("already_exists", StatusCode::CONFLICT),
        Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
        Code::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS),
        Code::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST),
        Code::Aborted => ("aborted", StatusCode::CONFLICT),
        Code::OutOfRange => ("out_of_range", StatusCode::BAD_REQUEST),
        Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
        Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        Code::DataLoss => ("data_loss", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
        // An answer is never an error of code OK.
        Code::Unknown | Code::Ok => ("unknown", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The names of all codes, for whoever describes them.
pub(super) fn code_names() -> Vec<&'static str> {
    (1..=16).map(|number| code(Code::from_i32(number)).0).collect()
}

/// A status as Connect writes it.
#[must_use]
pub fn write(refused: &Status) -> Written {
    let (name, http) = code(refused.code());
    let details: Vec<Value> = status::to_rpc_status(refused).details.iter().map(detail).collect();
    let too_large = status::reason(refused).is_some_and(|reason| reason == status::BODY_TOO_LARGE);
    let retry = refused.get_details_retry_info().and_then(|info| info.retry_delay);
    let mut body = json!({ "code": name, "message": refused.message() });
    if let Some(object) = body.as_object_mut().filter(|_| !details.is_empty()) {
        object.insert("details".into(), details.into());
    }
    Written {
        // 429 would say: the same again, later.
        http: if too_large { StatusCode::PAYLOAD_TOO_LARGE } else { http },
        body,
        retry_seconds: retry
            .map(|delay| delay.as_millis().div_ceil(1_000))
            .and_then(|seconds| u64::try_from(seconds).ok()),
    }
}

fn detail(any: &prost_types::Any) -> Value {
    let full_name = any.type_url.rsplit('/').next().unwrap_or_default();
    let mut out = json!({ "type": full_name, "value": STANDARD_NO_PAD.encode(&any.value) });
    let debug = json::bytes_to_json(full_name, &any.value);
    if let (Some(object), Some(debug)) = (out.as_object_mut(), debug) {
        object.insert("debug".into(), debug);
    }
    out
}
