//! Whatever form a request has, one path answers it: gRPC goes through as it is, gRPC-Web and JSON
//! become gRPC and their answers what they came as. The outermost layer, so that identity, limits
//! and deadlines are the same for all.

mod browsers;
mod json_answer;
mod json_request;
mod pages;
mod web;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body as AnswerBody;
use tonic::codegen::BoxFuture;

use super::requests::HandedOn;
use super::unread::Whole;
use crate::config::{Limits, Web};

use browsers::Browsers;

use json_answer::JsonAnswer;

/// What the content type of gRPC begins with,
const GRPC: &[u8] = b"application/grpc";
/// and of gRPC-Web.
const GRPC_WEB: &[u8] = b"application/grpc-web";

/// What every connection's faces share.
#[derive(Debug)]
pub(super) struct Manners {
    browsers: Browsers,
    limits: Limits,
}

impl Manners {
    pub(super) fn new(web: &Web, limits: &Limits) -> Self {
        Self { browsers: Browsers::new(&web.allowed_origins), limits: limits.clone() }
    }
}

/// Requests of any form, for what answers those of gRPC.
#[derive(Debug, Clone)]
pub(super) struct Faces<S> {
    inner: S,
    manners: Arc<Manners>,
}

impl<S> Faces<S> {
    pub(super) const fn new(inner: S, manners: Arc<Manners>) -> Self {
        Self { inner, manners }
    }
}

/// The form of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Grpc,
    GrpcWeb,
    /// JSON, or nothing that is known.
    Other,
}

fn form(headers: &HeaderMap) -> Form {
    let given = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !given.starts_with(GRPC) {
        Form::Other
    } else if given.starts_with(GRPC_WEB) {
        Form::GrpcWeb
    } else {
        Form::Grpc
    }
}

/// A response to what is not plain gRPC.
type Translated<B> = BoxFuture<Response<Said<B>>, Infallible>;

impl<S, B> Service<Request<Incoming>> for Faces<S>
where
    S: Service<Request<Whole>, Response = Response<B>, Error = Infallible>,
    S: Service<
            Request<AnswerBody>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send + 'static,
        >,
    S: Clone + Send + 'static,
    B: Body<Data = Bytes, Error = Status> + HandedOn + Send + 'static,
{
    type Response = Response<Said<B>>;
    type Error = Infallible;
    type Future = Answering<<S as Service<Request<Whole>>>::Future, B>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let request = request.map(Whole::new);
        let form = form(request.headers());
        if form == Form::Grpc {
            return Answering::Grpc { future: self.inner.call(request) };
        }
        let manners = Arc::clone(&self.manners);
        if let Some(answer) = manners.browsers.preflight(&request) {
            return Answering::at_once(answer);
        }
        let origin = request.headers().get(ORIGIN).cloned();
        let translated: Translated<B> = match form {
            Form::Grpc | Form::GrpcWeb => Box::pin(web::ask(self.inner.clone(), request)),
            Form::Other => match json_request::read(request, &manners.limits) {
                Ok((asked, method)) => {
                    Box::pin(json_answer::translate(self.inner.call(asked), method))
                }
                Err(answer) => Box::pin(std::future::ready(Ok((*answer).map(Said::whole)))),
            },
        };
        Answering::Other {
            future: Box::pin(async move {
                let mut answer = translated.await?;
                manners.browsers.admit(origin.as_ref(), answer.headers_mut());
                Ok(answer)
            }),
        }
    }
}

pin_project! {
    /// An answer on its way.
    #[project = AnsweringNow]
    pub(super) enum Answering<F, B> {
        Grpc { #[pin] future: F },
        Other { future: Translated<B> },
    }
}

impl<F, B: Send + 'static> Answering<F, B> {
    fn at_once(answer: Response<Bytes>) -> Self {
        Self::Other { future: Box::pin(std::future::ready(Ok(answer.map(Said::whole)))) }
    }
}

impl<F, B> Future for Answering<F, B>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Said<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringNow::Grpc { future } => {
                let grpc = |answer: Response<B>| answer.map(|body| Said::Grpc { body });
                future.poll(context).map(|answer| answer.map(grpc))
            }
            AnsweringNow::Other { future } => future.as_mut().poll(context),
        }
    }
}

pin_project! {
    /// The body of an answer.
    #[project = SaidNow]
    #[derive(Debug)]
    pub(super) enum Said<B> {
        Grpc { #[pin] body: B },
        Web { body: AnswerBody },
        Json { body: JsonAnswer<B> },
    }
}

impl<B> Said<B> {
    /// What is there at once.
    fn whole(bytes: Bytes) -> Self {
        Self::Json { body: JsonAnswer::whole(bytes) }
    }
}

impl<B: Body<Data = Bytes, Error = Status> + HandedOn> Body for Said<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.project() {
            SaidNow::Grpc { body } => body.poll_frame(context),
            SaidNow::Web { body } => Pin::new(body).poll_frame(context),
            SaidNow::Json { body } => Poll::Ready(body.next().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Grpc { body } => body.is_end_stream(),
            Self::Web { body } => body.is_end_stream(),
            Self::Json { body } => body.len() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Grpc { body } => body.size_hint(),
            Self::Web { body } => body.size_hint(),
            Self::Json { body } => SizeHint::with_exact(body.len()),
        }
    }
}
