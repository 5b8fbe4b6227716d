//! What is seen of each request: its method, code and duration, counted and logged; its id, in
//! its answer and in every line of the log. Never what it asks or who asks.
//!
//! Two looks at the clock and five atomic additions a request; no lock, nothing is formatted
//! unless somebody reads the line.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;
use tonic::Code;

use super::methods::{Method, Methods, code_name};
use super::requests::HandedOn;
use super::traces::{Span, Traces};
use crate::config::AccessLog;
use crate::grpc::request_id::{self, RequestId, Working};

/// The header or trailer with the code.
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Requests, each seen from its beginning to its end.
#[derive(Debug, Clone)]
pub(super) struct Observed<S> {
    inner: S,
    methods: Arc<Methods>,
    log: AccessLog,
    traces: Option<Arc<Traces>>,
}

impl<S> Observed<S> {
    pub(super) const fn new(
        inner: S,
        methods: Arc<Methods>,
        log: AccessLog,
        traces: Option<Arc<Traces>>,
    ) -> Self {
        Self { inner, methods, log, traces }
    }
}

/// A request that has not ended.
#[derive(Debug)]
struct Call {
    method: Arc<Method>,
    begun: Instant,
    id: RequestId,
    log: AccessLog,
    span: Option<Span>,
    /// How it ends if nobody says so: its caller went away.
    code: Code,
}

impl Call {
    /// Ends it.
    fn end(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        self.method.end(self.code, took);
        if let Some(span) = self.span.take() {
            span.end(self.code);
        }
        let _working = Working::on(Some(self.id.clone()));
        let (method, code) = (self.method.name(), code_name(self.code));
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match self.log {
            AccessLog::Debug => {
                tracing::debug!(target: "clearlist::access", method, code, microseconds, "answered");
            }
            AccessLog::Info => {
                tracing::info!(target: "clearlist::access", method, code, microseconds, "answered");
            }
        }
    }
}

/// The code that headers or trailers say.
fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get(GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

impl<S, A, B> Service<Request<A>> for Observed<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
{
    type Response = Response<Seen<B>>;
    type Error = Infallible;
    type Future = Seeing<S::Future>;

    fn call(&self, request: Request<A>) -> Self::Future {
        let id = RequestId::of(request.headers());
        let method = Arc::clone(self.methods.find(request.uri().path()));
        method.begin();
        let traces = self.traces.as_ref();
        let span = traces.and_then(|traces| traces.begin(request.headers(), &method, &id));
        let begun = Instant::now();
        let working = Working::on(Some(id.clone()));
        let future = self.inner.call(request);
        drop(working);
        let call = Call { method, begun, id, log: self.log, span, code: Code::Cancelled };
        Seeing { future, call: Some(call) }
    }
}

pin_project! {
    /// An answer on its way.
    pub(super) struct Seeing<F> { #[pin] future: F, call: Option<Call> }
}

impl<F, B> Future for Seeing<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Seen<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let working = Working::on(this.call.as_ref().map(|call| call.id.clone()));
        let Ok(mut answer) = ready!(this.future.poll(context));
        drop(working);
        if let Some(header) = this.call.as_ref().map(|call| call.id.to_header()) {
            answer.headers_mut().insert(request_id::HEADER, header);
        }
        let mut call = this.call.take();
        let code = match code_in(answer.headers()) {
            // Nothing of gRPC follows.
            None if answer.status() != StatusCode::OK => Some(Code::Unknown),
            code => code,
        };
        if let (Some(code), Some(call)) = (code, call.take_if(|_| code.is_some())) {
            call.end(code);
        }
        Poll::Ready(Ok(answer.map(|body| Seen { body, call })))
    }
}

pin_project! {
    /// The body of an answer: the code stands at its end.
    #[derive(Debug)]
    pub(super) struct Seen<B> { #[pin] body: B, call: Option<Call> }
}

impl<B: HandedOn> HandedOn for Seen<B> {
    fn taken(self: Pin<&mut Self>) {
        self.project().body.taken();
    }
}

impl<B: Body<Data = Bytes>> Body for Seen<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let working = this.call.as_ref().map(|call| Working::on(Some(call.id.clone())));
        let polled = ready!(this.body.poll_frame(context));
        drop(working);
        let code = match &polled {
            Some(Ok(frame)) => frame.trailers_ref().map(|it| code_in(it).unwrap_or(Code::Unknown)),
            Some(Err(_)) | None => Some(Code::Unknown),
        };
        if let (Some(code), Some(call)) = (code, this.call.take_if(|_| code.is_some())) {
            call.end(code);
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
