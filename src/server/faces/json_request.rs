//! A request in JSON, as one of gRPC: its head now, its body when it is read. So everything that
//! stands before a service stands before this too, and hears of a body only when it is wanted.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TE,
    TRANSFER_ENCODING,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method as Verb, Request, Response, StatusCode, Version,
};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::body::Body as AnswerBody;
use tonic::server::NamedService;

use super::json_answer::refused;
use super::pages;
use crate::config::Limits;
use crate::grpc::admin::Admin;
use crate::grpc::json::{self, Method};
use crate::grpc::proto::v1::admin_service_server::AdminServiceServer;
use crate::grpc::status;

const JSON: &str = "application/json";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const CONNECT_TIMEOUT: HeaderName = HeaderName::from_static("connect-timeout-ms");
const CONNECT_VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");

/// Headers that are about the bytes of this request on this connection, or have another form in
/// gRPC. All others go on: who asks, which trace it is.
const NOT_HANDED_ON: [HeaderName; 12] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    EXPECT,
    TRANSFER_ENCODING,
    KEEP_ALIVE,
    GRPC_TIMEOUT,
    GRPC_ENCODING,
    GRPC_ACCEPT_ENCODING,
    CONNECT_TIMEOUT,
    CONNECT_VERSION,
];

/// The version of Connect.
const VERSION: &[u8] = b"1";
/// Digits of a timeout in Connect, and in gRPC.
const TIMEOUT_DIGITS_MAX: usize = 10;
const GRPC_TIMEOUT_MAX: u64 = 99_999_999;

/// From here on, JSON is read and written beside the network threads: some milliseconds, for which
/// other callers would wait.
pub(super) const LARGE_BYTES_MIN: usize = 64 * 1_024;

/// What is answered without asking: a page, or a refusal. Boxed: it is the rare case.
type AtOnce = Box<Response<Bytes>>;

/// The request as gRPC, and the method it is of.
pub(super) fn read<B>(
    request: Request<B>,
    limits: &Limits,
) -> Result<(Request<AnswerBody>, &'static Method), AtOnce>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let path = request.uri().path();
    if pages::is_page(path) {
        return Err(Box::new(match *request.method() {
            Verb::GET | Verb::HEAD => pages::openapi(),
            _ => wrong_verb(request.method(), "GET, HEAD"),
        }));
    }
    let Some(method) = json::method(path) else {
        let mut answer = refused(&status::path_unknown(path));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return Err(Box::new(answer));
    };
    if request.method() != Verb::POST {
        return Err(Box::new(wrong_verb(request.method(), "POST")));
    }
    let timeout = head(request.headers())?;
    if !method.is_unary() {
        return Err(Box::new(refused(&status::stream_in_json(path))));
    }
    let bytes_max = if path.strip_prefix('/').is_some_and(of_admin) {
        // Its files stand in base64: four characters for three bytes.
        limits.proposal_bytes_max.bytes().saturating_mul(4) / 3
    } else {
        limits.message_bytes_max.bytes()
    };
    let (mut parts, body) = request.into_parts();
    // What the services know of.
    parts.version = Version::HTTP_2;
    for name in &NOT_HANDED_ON {
        parts.headers.remove(name);
    }
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    parts.headers.insert(TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout {
        parts.headers.insert(GRPC_TIMEOUT, timeout);
    }
    let body = AsGrpc { body, method, bytes_max, state: State::Reading(BytesMut::new(), 0) };
    Ok((Request::from_parts(parts, AnswerBody::new(body)), method))
}

fn of_admin(path: &str) -> bool {
    path.split_once('/')
        .is_some_and(|(service, _)| service == <AdminServiceServer<Admin> as NamedService>::NAME)
}

/// What the head of a request must say; its timeout as gRPC writes it.
fn head(headers: &HeaderMap) -> Result<Option<HeaderValue>, AtOnce> {
    let given = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kind = given(&CONTENT_TYPE).unwrap_or_default();
    if !is_json(kind) {
        let mut answer = refused(&status::content_type_unknown(&text(kind)));
        *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        answer.headers_mut().insert(ACCEPT_POST, HeaderValue::from_static(JSON));
        return Err(Box::new(answer));
    }
    if let Some(version) = given(&CONNECT_VERSION).filter(|version| *version != VERSION) {
        return Err(Box::new(refused(&status::protocol_version_unknown(&text(version)))));
    }
    if let Some(encoding) = given(&CONTENT_ENCODING).filter(|encoding| *encoding != b"identity") {
        let mut answer = refused(&status::encoding_unknown(&text(encoding)));
        answer.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        return Err(Box::new(answer));
    }
    let Some(timeout) = given(&CONNECT_TIMEOUT) else { return Ok(None) };
    let malformed = || Box::new(refused(&status::connect_timeout_malformed(&text(timeout))));
    grpc_timeout(timeout).map(Some).ok_or_else(malformed)
}

/// `application/json`, in UTF-8 if it says in what.
fn is_json(kind: &[u8]) -> bool {
    let Ok(kind) = str::from_utf8(kind) else { return false };
    let (kind, parameter) = kind.split_once(';').unwrap_or((kind, ""));
    let parameter = parameter.trim();
    kind.trim().eq_ignore_ascii_case(JSON)
        && (parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8"))
}

/// Milliseconds, as gRPC writes them: in eight digits, of seconds if it needs more.
fn grpc_timeout(digits: &[u8]) -> Option<HeaderValue> {
    let plain = (1..=TIMEOUT_DIGITS_MAX).contains(&digits.len());
    if !plain || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let milliseconds: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    let written = if milliseconds > GRPC_TIMEOUT_MAX {
        format!("{}S", milliseconds / 1_000)
    } else {
        format!("{milliseconds}m")
    };
    written.parse().ok()
}

fn wrong_verb(given: &Verb, allowed: &'static str) -> Response<Bytes> {
    let mut answer = refused(&status::http_method_unknown(given.as_str(), allowed));
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

pin_project! {
    /// The body of a request in JSON, read as a message of gRPC.
    struct AsGrpc<B> {
        #[pin]
        body: B,
        method: &'static Method,
        bytes_max: usize,
        state: State,
    }
}

enum State {
    /// What has come, and how many bytes that were: what is above the limit is not kept.
    Reading(BytesMut, usize),
    /// All has come, and is large.
    Turning(JoinHandle<Result<Bytes, Status>>),
    Done,
}

impl<B: Body<Data = Bytes>> Body for AsGrpc<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        loop {
            let turned = match this.state {
                State::Done => return Poll::Ready(None),
                State::Turning(turning) => {
                    let turned = ready!(Pin::new(turning).poll(context));
                    turned.unwrap_or_else(|failed| {
                        Err(Status::internal(format!("the request cannot be read: {failed}")))
                    })
                }
                State::Reading(read, total) => {
                    match ready!(take(this.body.as_mut(), context, read, total, *this.bytes_max)) {
                        Ok(None) => continue,
                        Ok(Some(json)) if json.len() < LARGE_BYTES_MIN => {
                            this.method.request(&json)
                        }
                        Ok(Some(json)) => {
                            let method = *this.method;
                            let turn = move || method.request(&json);
                            *this.state = State::Turning(tokio::task::spawn_blocking(turn));
                            continue;
                        }
                        Err(status) => Err(status),
                    }
                }
            };
            *this.state = State::Done;
            return Poll::Ready(Some(turned.map(Frame::data)));
        }
    }
}

/// Takes what has come; all of it, once it is all there.
fn take<B: Body<Data = Bytes>>(
    body: Pin<&mut B>,
    context: &mut Context<'_>,
    read: &mut BytesMut,
    total: &mut usize,
    bytes_max: usize,
) -> Poll<Result<Option<BytesMut>, Status>> {
    let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // Who sends a little too much reads the refusal only when he is through with it.
    let patience = bytes_max.saturating_mul(2);
    if total.saturating_add(least) > patience {
        return Poll::Ready(Err(status::body_too_large()));
    }
    Poll::Ready(match ready!(body.poll_frame(context)) {
        Some(Ok(frame)) => {
            if let Ok(data) = frame.into_data() {
                *total += data.len();
                if *total <= bytes_max {
                    read.extend_from_slice(&data);
                } else {
                    *read = BytesMut::new();
                }
            }
            Ok(None)
        }
        Some(Err(_cut_off)) => Err(status::body_incomplete()),
        None if *total > bytes_max => Err(status::body_too_large()),
        None => Ok(Some(std::mem::take(read))),
    })
}
