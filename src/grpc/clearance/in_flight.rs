//! The answers of a stream that wait for the decision log: several at once, given in order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::Status;

use crate::grpc::proto::answers::StreamCheckClearanceResponse;
use crate::grpc::proto::answers::stream_check_clearance_response::Result as Outcome;
use crate::grpc::status;
use crate::service::decisions::Ticket;

/// Answers of a stream that may wait: as many as arrive while the log syncs once, and few enough
/// that a caller who sends without reading costs little.
const WAITING_MAX: usize = 64;
/// Questions decided in one go, before other tasks of the thread have a turn.
const GO_MAX: usize = 8;

/// A line of a stream, and the promise that it is logged.
type Line = Result<(StreamCheckClearanceResponse, Ticket), Status>;

/// A stream of lines, each given once it is logged.
pub(super) struct InFlight<S> {
    /// `None` once it has ended.
    lines: Option<Pin<Box<S>>>,
    waiting: VecDeque<Line>,
}

impl<S: Stream<Item = Line>> InFlight<S> {
    /// Reads `lines` ahead of what is given.
    pub(super) fn new(lines: S) -> Self {
        Self { lines: Some(Box::pin(lines)), waiting: VecDeque::new() }
    }

    /// Has questions decided as long as there are any and there is room.
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        for _nth in 0..GO_MAX {
            let Some(lines) = self.lines.as_mut() else { return };
            if self.waiting.len() >= WAITING_MAX {
                return;
            }
            match lines.as_mut().poll_next(context) {
                Poll::Ready(Some(line)) => self.waiting.push_back(line),
                Poll::Ready(None) => self.lines = None,
                Poll::Pending => return,
            }
        }
        // There may be more, and nobody else would say so.
        context.waker().wake_by_ref();
    }
}

impl<S: Stream<Item = Line>> Stream for InFlight<S> {
    type Item = Result<StreamCheckClearanceResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.read_ahead(context);
        let has_ended = self.lines.is_none();
        let logged = match self.waiting.front_mut() {
            Some(Ok((_, ticket))) => match Pin::new(ticket).poll(context) {
                Poll::Ready(logged) => logged,
                Poll::Pending => return Poll::Pending,
            },
            Some(Err(_)) => Ok(()),
            None if has_ended => return Poll::Ready(None),
            None => return Poll::Pending,
        };
        let line = self.waiting.pop_front();
        Poll::Ready(line.map(|line| {
            let (mut response, _) = line?;
            if logged.is_err() {
                // The line says so for itself; those behind it may fare better.
                let refused = status::to_rpc_status(&status::not_logged());
                response.result = Some(Outcome::Error(refused));
                response.receipt = None;
            }
            Ok(response)
        }))
    }
}
