//! What a GET is answered: the description of the JSON face.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use crate::grpc::openapi;

/// Where it is; who looks at the address itself is told the same.
const PATHS: [&str; 2] = ["/openapi.json", "/"];

/// Made once: it is the same for everybody.
static OPENAPI: LazyLock<Bytes> = LazyLock::new(|| openapi::document().to_string().into());

pub(super) fn is_page(path: &str) -> bool {
    PATHS.contains(&path)
}

/// The `OpenAPI` document.
pub(super) fn openapi() -> Response<Bytes> {
    let mut answer = Response::new(OPENAPI.clone());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
