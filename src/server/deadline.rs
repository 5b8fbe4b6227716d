//! `grpc-timeout`: work that nobody waits for any more is not begun, and what is not done in
//! time ends with `DEADLINE_EXCEEDED`. A caller without a deadline costs one look at the headers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::counts::Counts;
use crate::grpc::status;

/// The header.
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Digits it has at most, by the protocol.
const DIGITS_MAX: usize = 8;
/// No timer is set further ahead: nothing runs so long.
const AHEAD_MAX: Duration = Duration::from_hours(30 * 24);

/// Requests, each until its deadline.
#[derive(Debug, Clone)]
pub(super) struct Deadlines<S> {
    inner: S,
    counts: Arc<Counts>,
}

impl<S> Deadlines<S> {
    pub(super) const fn new(inner: S, counts: Arc<Counts>) -> Self {
        Self { inner, counts }
    }
}

/// The time a caller waits.
///
/// # Errors
/// The header is there and is no timeout.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let mut given = headers.get_all(TIMEOUT).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let read = if given.next().is_none() { read(first) } else { None };
    read.map(Some)
        .ok_or_else(|| status::timeout_malformed(&String::from_utf8_lossy(first.as_bytes())))
}

/// One to eight digits and a unit.
fn read(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(number * 60 * 60),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

impl<S, A, B> Service<Request<A>> for Deadlines<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
{
    type Response = Response<Timed<B>>;
    type Error = Infallible;
    type Future = Timing<S::Future>;

    fn call(&self, request: Request<A>) -> Self::Future {
        match timeout(request.headers()) {
            Ok(timeout) => {
                let at = timeout.map(|timeout| Instant::now() + timeout.min(AHEAD_MAX));
                let deadline = at.map(|at| Deadline::new(at, Arc::clone(&self.counts)));
                Timing::Running { future: self.inner.call(request), deadline, looked: false }
            }
            Err(refused) => Timing::Refused { refused },
        }
    }
}

/// A deadline, and a timer once somebody waits for it.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    counts: Arc<Counts>,
}

impl Deadline {
    const fn new(at: Instant, counts: Arc<Counts>) -> Self {
        Self { at, timer: None, counts }
    }

    fn exceeded(&self) -> Status {
        self.counts.deadlines_exceeded.add();
        status::deadline_exceeded()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        timer.as_mut().poll(context)
    }
}

pin_project! {
    /// An answer on its way, with a deadline or without.
    #[project = TimingNow]
    pub(super) enum Timing<F> {
        Running { #[pin] future: F, deadline: Option<Deadline>, looked: bool },
        /// Its timeout is none.
        Refused { refused: Status },
    }
}

impl<F, B> Future for Timing<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Timed<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ends_with = |status: &Status| {
            let body = |()| Timed { body: None, deadline: None };
            Poll::Ready(Ok(status.clone().into_http::<()>().map(body)))
        };
        match self.project() {
            TimingNow::Running { future, deadline, looked } => {
                if let Some(deadline) = deadline.as_mut().filter(|_| !*looked) {
                    *looked = true;
                    if Instant::now() >= deadline.at {
                        return ends_with(&deadline.exceeded());
                    }
                }
                if let Poll::Ready(answer) = future.poll(context) {
                    let deadline = deadline.take();
                    let timed = |body| Timed { body: Some(body), deadline };
                    return Poll::Ready(answer.map(|answer| answer.map(timed)));
                }
                let Some(deadline) = deadline else { return Poll::Pending };
                ready!(deadline.poll(context));
                ends_with(&deadline.exceeded())
            }
            TimingNow::Refused { refused } => ends_with(refused),
        }
    }
}

pin_project! {
    /// The body of an answer: a stream ends at the deadline too.
    #[derive(Debug)]
    pub(super) struct Timed<B> {
        #[pin]
        body: Option<B>,
        deadline: Option<Deadline>,
    }
}

impl<B: Body<Data = Bytes>> Body for Timed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polled = body.poll_frame(context);
        let Some(deadline) = this.deadline.as_mut().filter(|_| polled.is_pending()) else {
            return polled;
        };
        if deadline.poll(context).is_pending() {
            return Poll::Pending;
        }
        let mut trailers = HeaderMap::new();
        // It cannot fail: what it writes was read from a status of ours.
        let _written = deadline.exceeded().add_header(&mut trailers);
        this.body.set(None);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // Data may end early.
        match (&self.body, &self.deadline) {
            (None, _) => SizeHint::with_exact(0),
            (Some(body), None) => body.size_hint(),
            (Some(_), Some(_)) => SizeHint::default(),
        }
    }
}
