//! Requests that are answered before they have wholly come: a refusal does not wait for a message
//! it will not read. What is left of the message is read to its end all the same and thrown away,
//! or HTTP/2 takes what comes late for a fault of the client, and after some hundred of those
//! tells it to go, with all its other calls.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::runtime::Handle;

/// So long the rest of a message may take,
const REST_TIMEOUT: Duration = Duration::from_secs(1);
/// and so many bytes it may have: a question that was on its way. What is larger is cut off.
const REST_BYTES_MAX: usize = 64 * 1024;

/// A request's body; `None` once it has been read to its end.
#[derive(Debug)]
pub(super) struct Whole(Option<Incoming>);

impl Whole {
    pub(super) const fn new(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let Some(rest) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(REST_TIMEOUT, read_to_end(rest)));
        }
    }
}

async fn read_to_end(mut rest: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) =
        std::future::poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await
        && bytes <= REST_BYTES_MAX
    {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}
