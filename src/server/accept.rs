//! One listener: its connections, taken, told to go, cut off.
//!
//! tonic's own loop waits at the end for every connection, and so for ever for a client that
//! says nothing or reads nothing. Here each connection is a task that can be ended.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tonic::codegen::StdError;
use tonic::transport::server::TcpIncoming;

use super::connections::{Connection, Connections, Entered};
use super::gathered::gathered;
use super::pace::Reading;
use super::peer::PeerIdentity;
use super::tls::Tls;
use crate::config::Limits;

/// A peer that has been silent for this long is asked, by the system, whether it is there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// And again after this long without an answer,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// so many times; then it is given up.
const KEEPALIVE_RETRIES: u32 = 2;
/// Streams a client opened and took back before anything was done for them; more and it is told
/// to go (CVE-2023-44487). A client that gives up a search with each key pressed has one or two.
const RESETS_PENDING_MAX: usize = 20;
/// Streams that had to be reset for the client's faults; more and it is told to go
/// (RUSTSEC-2024-0003).
const FAULTY_STREAMS_MAX: usize = 256;
/// Bytes of an answer that wait in one stream for its reader.
const SEND_BUFFER_BYTES_MAX: usize = 256 * 1024;
/// Least buffer that HTTP/1.1 is read with.
const HTTP_1_BUFFER_BYTES_MIN: usize = 8 * 1024;
/// After a failure to accept, e.g. for lack of file descriptors, it is tried again.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// Bytes that are read of a connection in a row. Then others have their turn: a proposal of 30 MB
/// would keep a thread from answering for tens of milliseconds.
const ROW_BYTES_MAX: usize = 128 * 1024;
/// Bytes with which HTTP/2 begins. Less is not yet a connection.
const PREFACE_BYTES: usize = 24;

/// What answers the requests of one connection.
pub(super) trait Answers<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send + 'static>
    + Send
    + 'static
{
}

impl<S, B> Answers<B> for S where
    S: Service<
            Request<Incoming>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send + 'static,
        > + Send
        + 'static
{
}

/// A listener and what is behind it.
pub(super) struct Door<F> {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) connections: Arc<Connections>,
    pub(super) limits: Limits,
    /// What answers the requests of a connection.
    pub(super) face: F,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drained {
    /// Connections that were still open at the grace limit.
    pub(super) cut: usize,
}

impl<F> Door<F> {
    /// Takes connections until `stop`, then lets them finish for at most `drain_timeout`.
    pub(super) async fn serve<S, B>(
        self,
        stop: impl Future<Output = ()>,
        drain_timeout: Duration,
    ) -> Drained
    where
        F: Fn(&Arc<Connection>, IpAddr) -> S + Clone + Send + 'static,
        S: Answers<B>,
        B: Body<Data = Bytes, Error: Into<StdError> + Send + Sync> + Send + 'static,
    {
        let connections = Arc::clone(&self.connections);
        let watching = AbortOnDrop(tokio::spawn(Arc::clone(&connections).watch()));
        // Every connection holds the one end; the other learns when the last is gone.
        let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
        self.accept(stop, alive).await;
        connections.say_goodbye();
        let drained = tokio::time::timeout(drain_timeout, all_gone.recv()).await;
        let cut = if drained.is_ok() { 0 } else { connections.cut() };
        drop(watching);
        Drained { cut }
    }

    /// When this returns, the socket is closed.
    async fn accept<S, B>(self, stop: impl Future<Output = ()>, alive: mpsc::Sender<Infallible>)
    where
        F: Fn(&Arc<Connection>, IpAddr) -> S + Clone + Send + 'static,
        S: Answers<B>,
        B: Body<Data = Bytes, Error: Into<StdError> + Send + Sync> + Send + 'static,
    {
        let http = self.http();
        // Probes of the system, not pings of HTTP/2: those cost a lock and a look at the clock
        // for every frame of every call.
        let mut incoming = TcpIncoming::from(self.listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE_IDLE))
            .with_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .with_keepalive_retries(Some(KEEPALIVE_RETRIES));
        let mut stop = pin!(stop);
        loop {
            let stream = tokio::select! {
                biased;
                () = &mut stop => return,
                stream = incoming.next() => match stream {
                    Some(Ok(stream)) => stream,
                    Some(Err(error)) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                        continue;
                    }
                    None => return,
                },
            };
            // All places have a request open: who comes is told by the closed connection.
            let Some((entered, told)) = self.connections.enter() else { continue };
            let connection = Arc::clone(&entered.0);
            let attending = attend(
                Arrival { stream, entered, told, alive: alive.clone() },
                self.tls.clone(),
                http.clone(),
                self.face.clone(),
            );
            let task = tokio::spawn(attending);
            connection.runs_as(task.abort_handle());
        }
    }

    fn http(&self) -> auto::Builder<TokioExecutor> {
        let header_bytes_max = self.limits.header_bytes_max;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.handshake_timeout)
            .max_buf_size(header_bytes_max.bytes().max(HTTP_1_BUFFER_BYTES_MIN));
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams_per_connection_max)
            .max_header_list_size(header_bytes_max.bytes_u32())
            .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
            .max_local_error_reset_streams(FAULTY_STREAMS_MAX)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            // gRPC has no use for it, and it is a look at the clock for every answer.
            .auto_date_header(false);
        http
    }
}

/// Ends a task with its owner.
pub(super) struct AbortOnDrop(pub(super) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection that was taken.
struct Arrival {
    stream: TcpStream,
    entered: Entered,
    told: oneshot::Receiver<()>,
    alive: mpsc::Sender<Infallible>,
}

/// One connection, from its handshake to its end.
async fn attend<F, S, B>(
    arrival: Arrival,
    tls: Option<Arc<Tls>>,
    http: auto::Builder<TokioExecutor>,
    face: F,
) where
    F: Fn(&Arc<Connection>, IpAddr) -> S + Send,
    S: Answers<B>,
    B: Body<Data = Bytes, Error: Into<StdError> + Send + Sync> + Send + 'static,
{
    let Arrival { stream, entered, mut told, alive } = arrival;
    let connection = Arc::clone(&entered.0);
    // Without one it has ended already.
    let Ok(address) = stream.peer_addr() else { return };
    let service = face(&connection, address.ip());
    match tls {
        None => {
            let service = Known { inner: service, peer: None };
            speak(stream, &connection, told, &http, service).await;
        }
        Some(tls) => {
            let handshake = tls.acceptor().accept(stream);
            // Whoever is not through by then has nothing in flight.
            let shaken = tokio::select! {
                shaken = handshake => shaken,
                _ = &mut told => return,
            };
            match shaken {
                Ok(stream) => {
                    let peer = PeerIdentity::of(stream.get_ref().1.peer_certificates());
                    let service = Known { inner: service, peer: peer.map(Arc::new) };
                    speak(stream, &connection, told, &http, service).await;
                }
                Err(error) => {
                    connection.handshake_failed();
                    tracing::debug!(%error, "a TLS handshake failed");
                }
            }
        }
    }
    // In this order: who waits for the last connection finds the books without it.
    drop(entered);
    drop(alive);
}

/// HTTP, until it ends by itself, or is told to.
async fn speak<I, S, B>(
    stream: I,
    connection: &Arc<Connection>,
    told: oneshot::Receiver<()>,
    http: &auto::Builder<TokioExecutor>,
    service: S,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Answers<B>,
    B: Body<Data = Bytes, Error: Into<StdError> + Send + Sync> + Send + 'static,
{
    let reading = Reading::new(Arc::clone(connection));
    let connection = Arc::clone(connection);
    let stream = Heard { stream, silent: PREFACE_BYTES, row: 0, connection, reading };
    let (stream, turns) = gathered(stream);
    let mut speaking = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        biased;
        ended = poll_fn(|context| turns.poll(speaking.as_mut(), context)) => ended,
        _ = told => {
            speaking.as_mut().graceful_shutdown();
            poll_fn(|context| turns.poll(speaking.as_mut(), context)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Requests of a peer whose certificate is known.
#[derive(Debug, Clone)]
struct Known<S> {
    inner: S,
    peer: Option<Arc<PeerIdentity>>,
}

impl<S, A> Service<Request<A>> for Known<S>
where
    S: Service<Request<A>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<A>) -> Self::Future {
        if let Some(peer) = &self.peer {
            request.extensions_mut().insert(Arc::clone(peer));
        }
        self.inner.call(request)
    }
}

/// A stream that is read no faster than it may, and tells when so much was heard that HTTP has
/// begun.
struct Heard<I> {
    stream: I,
    silent: usize,
    /// Bytes read in a row.
    row: usize,
    connection: Arc<Connection>,
    reading: Reading,
}

impl<I: AsyncRead + Unpin> AsyncRead for Heard<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        ready!(self.reading.poll(context));
        if self.row > ROW_BYTES_MAX {
            self.row = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let heard = buffer.filled().len() - before;
        self.row = if polled.is_pending() { 0 } else { self.row + heard };
        if self.silent > 0 {
            self.silent = self.silent.saturating_sub(heard);
            if self.silent == 0 {
                self.connection.begin();
            }
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Heard<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
