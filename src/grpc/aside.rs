//! A service whose calls run on a thread that yields to all others.
//!
//! A proposal has tens of megabytes. To take it apart (decompress, decode, copy) on the thread
//! that it came in on is work of tens of milliseconds, and every lookup there would wait for it.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

use super::request_id::carried;
use crate::service::priority::run_when_idle;

/// A service, its calls run aside.
#[derive(Debug, Clone)]
pub struct Aside<S> {
    inner: S,
    thread: Handle,
    /// The thread ends when the last of these is gone.
    _lives: Arc<oneshot::Sender<()>>,
}

impl<S> Aside<S> {
    /// Starts the thread of a service.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(inner: S) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (lives, ended) = oneshot::channel();
        thread::Builder::new().name("aside".into()).spawn(move || {
            // Threads that it starts, for previews, inherit.
            run_when_idle();
            // Nothing is ever sent: what is waited for is that nobody could.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { inner, thread: handle, _lives: Arc::new(lives) })
    }
}

impl<S: NamedService> NamedService for Aside<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Aside<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The services that tonic generates are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut inner = self.inner.clone();
        let called = self.thread.spawn(carried(async move { inner.call(request).await }));
        Box::pin(async move {
            called.await.unwrap_or_else(|failed| {
                Ok(Status::internal(format!("the call ended early: {failed}")).into_http())
            })
        })
    }
}
