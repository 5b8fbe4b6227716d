//! Whose pages may ask: what a browser wants to hear before it lets a page of another origin ask,
//! and read the answer (CORS). It protects those who browse, not this server: whoever is no
//! browser does not look at it.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::config::Origins;

/// What a page may send: what the two protocols and an identity need.
const SENT: &str = "authorization, connect-protocol-version, connect-timeout-ms, content-type, grpc-timeout, traceparent, x-grpc-web, x-user-agent";
/// What of an answer a page may read.
const READ: &str = "grpc-message, grpc-status, grpc-status-details-bin, retry-after";
/// Seconds for which a browser need not ask again: the longest that Chromium takes.
const MAX_AGE_SECONDS: &str = "7200";

/// The origins that may.
#[derive(Debug)]
pub(super) struct Browsers(Origins);

impl Browsers {
    pub(super) fn new(allowed: &Origins) -> Self {
        Self(allowed.clone())
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.0.allows(origin))
    }

    /// The answer to a browser that asks whether a page may ask; `None` if it is not that.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        if request.method() != Method::OPTIONS {
            return None;
        }
        let headers = request.headers();
        let origin = headers.get(ORIGIN)?;
        headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let mut answer = Response::new(Bytes::new());
        if self.allows(origin) {
            *answer.status_mut() = StatusCode::NO_CONTENT;
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECONDS));
        } else {
            *answer.status_mut() = StatusCode::FORBIDDEN;
        }
        self.admit(Some(origin), answer.headers_mut());
        Some(answer)
    }

    /// Says in an answer that its page may read it.
    pub(super) fn admit(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let Some(origin) = origin else { return };
        // A cache must not give this answer to another origin.
        headers.append(VARY, HeaderValue::from_static("origin"));
        if self.allows(origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        }
    }
}
