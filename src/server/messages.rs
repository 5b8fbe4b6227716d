//! Large messages on their way in: all of them together have so many bytes, and each comes in
//! its time. A batch or a proposal is kept until its last byte is there; without this, one
//! connection could make the server keep a thousand beginnings.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tonic::codegen::StdError;

use crate::grpc::status;

/// What all large messages that are not yet whole may have together.
#[derive(Debug)]
pub(super) struct Budget {
    bytes_max: usize,
    timeout: Duration,
    bytes: AtomicUsize,
}

impl Budget {
    pub(super) const fn new(bytes_max: usize, timeout: Duration) -> Self {
        Self { bytes_max, timeout, bytes: AtomicUsize::new(0) }
    }
}

/// What one message has taken of the budget; given back when this is dropped.
#[derive(Debug)]
struct Taken {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Taken {
    /// Whether there was so much left.
    fn more(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        let before = self.budget.bytes.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.budget.bytes_max
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

pin_project! {
    /// The body of a request with one large message.
    pub(super) struct Large<B> {
        #[pin]
        body: B,
        taken: Taken,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<B> Large<B> {
    pub(super) fn new(body: B, budget: &Arc<Budget>) -> Self {
        Self { body, taken: Taken { budget: Arc::clone(budget), bytes: 0 }, timer: None }
    }
}

impl<B> Body for Large<B>
where
    B: Body<Data = Bytes, Error: Into<StdError>>,
{
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = self.project();
        match this.body.poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                if this.taken.more(bytes) {
                    Poll::Ready(Some(Ok(frame)))
                } else {
                    Poll::Ready(Some(Err(status::overloaded().into())))
                }
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let timeout = this.taken.budget.timeout;
                let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
                match timer.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(status::message_late().into()))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
