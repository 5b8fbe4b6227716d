//! The answer of gRPC to a request that came in JSON, as JSON.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Body;
use tonic::{Code, Status};

use super::super::requests::HandedOn;
use super::Said;
use super::json_request::LARGE_BYTES_MIN;
use crate::grpc::connect;
use crate::grpc::json::Method;

/// An answer goes to its reader in pieces of this size: what was not taken shows, and a connection
/// on which nothing is taken is cut off.
const PIECE_BYTES_MAX: usize = 64 * 1_024;

/// JSON on its way to its reader.
#[derive(Debug)]
pub(super) struct JsonAnswer<B> {
    rest: Bytes,
    /// What it was made of: its request counts until this is gone.
    made_of: Option<Pin<Box<B>>>,
}

impl<B> JsonAnswer<B> {
    pub(super) const fn whole(bytes: Bytes) -> Self {
        Self { rest: bytes, made_of: None }
    }

    /// Bytes that are left.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.rest.len()).unwrap_or(u64::MAX)
    }
}

impl<B: HandedOn> JsonAnswer<B> {
    /// The next piece: asked for when the one before was taken.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        if let Some(made_of) = &mut self.made_of {
            made_of.as_mut().taken();
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES_MAX));
        Some(piece).filter(|piece| !piece.is_empty())
    }
}

/// Waits for the answer, and writes it as JSON.
pub(super) async fn translate<F, B>(
    answering: F,
    method: &'static Method,
) -> Result<Response<Said<B>>, Infallible>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Body<Data = Bytes, Error = Status>,
{
    let (head, body) = answering.await?.into_parts();
    let mut made_of = Box::pin(body);
    let read = match Status::from_header_map(&head.headers) {
        Some(status) => Err(status),
        None => whole(made_of.as_mut()).await,
    };
    let written = match read {
        Ok(framed) => write(framed, method).await,
        Err(status) => Err(status),
    };
    let mut answer = match written {
        Ok(json) => json_response(json),
        Err(status) => refused(&status),
    };
    let kept = head.headers.iter().filter(|(name, _)| is_metadata(name));
    for (name, value) in kept {
        answer.headers_mut().append(name, value.clone());
    }
    let with_body = |rest| Said::Json { body: JsonAnswer { rest, made_of: Some(made_of) } };
    Ok(answer.map(with_body))
}

/// The message of a unary answer, as gRPC framed it.
async fn whole<B>(mut body: Pin<&mut B>) -> Result<Vec<u8>, Status>
where
    B: Body<Data = Bytes, Error = Status>,
{
    let mut framed = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        match frame?.into_data() {
            Ok(data) => framed.extend_from_slice(&data),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_else(|_neither| HeaderMap::new());
                if let Some(status) = Status::from_header_map(&trailers)
                    && status.code() != Code::Ok
                {
                    return Err(status);
                }
            }
        }
    }
    Ok(framed)
}

/// What is large is written beside the network threads.
async fn write(framed: Vec<u8>, method: &'static Method) -> Result<Bytes, Status> {
    if framed.len() < LARGE_BYTES_MIN {
        return method.answer(&framed);
    }
    let writing = tokio::task::spawn_blocking(move || method.answer(&framed));
    let failed = |error| Status::internal(format!("the writing of the answer failed: {error}"));
    writing.await.map_err(failed)?
}

fn json_response(json: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(json);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// A refusal in the form of Connect.
pub(super) fn refused(status: &Status) -> Response<Bytes> {
    let written = connect::write(status);
    let mut answer = json_response(written.body.to_string().into());
    *answer.status_mut() = written.http;
    if let Some(seconds) = written.retry_seconds {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// Whether a header says something to the caller, and not to the protocol.
fn is_metadata(name: &HeaderName) -> bool {
    let of_protocol = [CONTENT_TYPE, CONTENT_LENGTH, TRAILER];
    !of_protocol.contains(name) && !name.as_str().starts_with("grpc-")
}
