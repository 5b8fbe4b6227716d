//! How many requests: each is counted in, or told at once to come again; and until when it was
//! counted, its answer read to the end or given up.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;

use super::connections::{Admitted, Connection, Weight};
use crate::grpc::status;

/// Paths that are answered however much there is to do.
const CHEAP_PATHS: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// The answer to what is too much. Made once: refusing must cost less than answering.
static OVERLOADED: LazyLock<HeaderMap> =
    LazyLock::new(|| status::overloaded().into_http::<()>().into_parts().0.headers);

/// Requests of one connection, counted.
#[derive(Debug, Clone)]
pub(super) struct Requests<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S> Requests<S> {
    pub(super) const fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }
}

fn weight(path: &str) -> Weight {
    let cheap = CHEAP_PATHS.iter().any(|beginning| path.starts_with(beginning));
    if cheap { Weight::Cheap } else { Weight::Work }
}

impl<S, A, B> Service<Request<A>> for Requests<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
{
    type Response = Response<Counted<B>>;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn call(&self, request: Request<A>) -> Self::Future {
        match self.connection.admit(weight(request.uri().path())) {
            Some(admitted) => {
                let future = self.inner.call(request);
                Answering::Admitted { future, admitted: Some(admitted) }
            }
            None => Answering::Refused,
        }
    }
}

pin_project! {
    /// An answer on its way.
    #[project = AnsweringNow]
    pub(super) enum Answering<F> {
        /// By the services.
        Admitted { #[pin] future: F, admitted: Option<Admitted> },
        /// By nobody.
        Refused,
    }
}

impl<F, B> Future for Answering<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Counted<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringNow::Admitted { future, admitted } => {
                if let Some(admitted) = admitted {
                    admitted.begun();
                }
                match future.poll(context) {
                    Poll::Ready(answer) => {
                        if let Some(admitted) = admitted {
                            admitted.moved();
                        }
                        let admitted = admitted.take();
                        let counted = |body| Counted { body: Some(body), admitted };
                        Poll::Ready(answer.map(|answer| answer.map(counted)))
                    }
                    Poll::Pending => {
                        if let Some(admitted) = admitted {
                            admitted.waits();
                        }
                        Poll::Pending
                    }
                }
            }
            AnsweringNow::Refused => {
                let mut answer = Response::new(Counted { body: None, admitted: None });
                answer.headers_mut().clone_from(&OVERLOADED);
                Poll::Ready(Ok(answer))
            }
        }
    }
}

pin_project! {
    /// The body of an answer: its request counts until it is gone.
    #[derive(Debug)]
    pub(super) struct Counted<B> {
        #[pin]
        body: Option<B>,
        admitted: Option<Admitted>,
    }
}

/// An answer that was read to its end here, and goes to its reader in another form.
pub(super) trait HandedOn {
    /// Its reader took a piece of it.
    fn taken(self: Pin<&mut Self>);
}

impl<B> HandedOn for Counted<B> {
    fn taken(self: Pin<&mut Self>) {
        if let Some(admitted) = self.project().admitted {
            admitted.moved();
        }
    }
}

impl<B: Body<Data = Bytes>> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let polled = body.poll_frame(context);
        if let Some(admitted) = this.admitted {
            // It is asked for the next piece when its reader has taken the one before.
            admitted.moved();
            if polled.is_pending() {
                admitted.waits();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
