//! What a connection writes, gathered: the answers of requests that were at work at the same time
//! leave together. Otherwise each leaves alone, in one or two writes of its own, and a write costs
//! more than a decision.
//!
//! What is written is held until every task that was ready then has had its turn: the connection
//! wakes itself and goes to the end of the queue. Where nothing else is to be done that is at
//! once. It is bounded in bytes, and a large piece passes without being copied.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is held at most: two frames as large as most clients take them, 16 KiB each, with what
/// stands before and after them. Whoever writes more waits until it has left.
const HELD_BYTES_MAX: usize = 40 * 1024;
/// Room that is made at once: some answers.
const HELD_BYTES_USUAL: usize = 8 * 1024;
/// A piece of this size is worth a write of its own; such a frame is not.
const LARGE_BYTES_MIN: usize = 20 * 1024;

/// What a stream and the turns of its connection share. One task uses it.
#[derive(Debug, Default)]
struct Shared {
    /// Something is held.
    is_held: AtomicBool,
    /// What is held leaves now.
    is_leaving: AtomicBool,
}

/// A stream that holds what is written to it.
#[derive(Debug)]
pub(super) struct Gathered<I> {
    stream: I,
    held: BytesMut,
    shared: Arc<Shared>,
}

/// The turns of the connection that writes to a [`Gathered`].
#[derive(Debug)]
pub(super) struct Turns(Arc<Shared>);

/// Holds what is written to a stream. The connection must be polled by [`Turns::poll`].
pub(super) fn gathered<I>(stream: I) -> (Gathered<I>, Turns) {
    let shared = Arc::<Shared>::default();
    let turns = Turns(Arc::clone(&shared));
    (Gathered { stream, held: BytesMut::new(), shared }, turns)
}

impl Turns {
    /// One turn of the connection. What was held since an earlier one leaves, with what this
    /// adds.
    pub(super) fn poll<F: Future>(
        &self,
        mut speaking: Pin<&mut F>,
        context: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let leaves = self.0.is_held.load(Ordering::Relaxed);
        let polled = speaking.as_mut().poll(context);
        if polled.is_ready() || !leaves {
            return polled;
        }
        self.0.is_leaving.store(true, Ordering::Relaxed);
        let polled = speaking.poll(context);
        self.0.is_leaving.store(false, Ordering::Relaxed);
        polled
    }
}

impl<I: AsyncWrite + Unpin> Gathered<I> {
    /// Writes what is held.
    fn leave(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.held))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(written);
        }
        // A quiet connection keeps no room.
        self.held = BytesMut::new();
        self.shared.is_held.store(false, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Gathered<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Gathered<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let is_large = length >= LARGE_BYTES_MIN;
        if is_large || self.held.len() + length > HELD_BYTES_MAX {
            ready!(self.leave(context))?;
        }
        if is_large {
            return Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        }
        if !self.shared.is_held.swap(true, Ordering::Relaxed) {
            self.held.reserve(HELD_BYTES_USUAL);
            context.waker().wake_by_ref();
        }
        for piece in pieces {
            self.held.extend_from_slice(piece);
        }
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_leaving = self.shared.is_leaving.load(Ordering::Relaxed);
        if !is_leaving && !self.held.is_empty() {
            // The next turn is on its way.
            return Poll::Ready(Ok(()));
        }
        ready!(self.leave(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.leave(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
