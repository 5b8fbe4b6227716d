//! The second address, for those who look after the service: `/metrics`, `/livez`, `/readyz`, by
//! plain HTTP/1.1. It answers from before the register is read until the process ends.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::body::Body;

use super::metrics::Metrics;

/// Open connections; who comes beyond them waits in the system's queue.
const CONNECTIONS_MAX: usize = 32;
/// One connection, with its one request: whoever asks here is near and quick.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// After a failure to accept it is tried again.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The form of `/metrics`.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How far the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The register is being read and verified.
    Replaying,
    /// Everything is answered.
    Serving,
    /// It was told to stop.
    Stopping,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Replaying, Self::Serving, Self::Stopping];

    const fn name(self) -> &'static str {
        match self {
            Self::Replaying => "replaying",
            Self::Serving => "serving",
            Self::Stopping => "stopping",
        }
    }
}

/// What is told.
#[derive(Debug, Default)]
pub struct Overview {
    stage: AtomicU8,
    metrics: OnceLock<Arc<Metrics>>,
}

impl Overview {
    /// From now on it is at this stage.
    pub(super) fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    fn stage(&self) -> Stage {
        let stage = usize::from(self.stage.load(Ordering::Relaxed));
        Stage::ALL.get(stage).copied().unwrap_or(Stage::Stopping)
    }

    /// From now on there are metrics.
    pub(super) fn show(&self, metrics: Metrics) {
        // A server has one set of them.
        let _first = self.metrics.set(Arc::new(metrics));
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri().path() {
            "/livez" => plain(StatusCode::OK, "alive"),
            "/readyz" => {
                let stage = self.stage();
                let ready = stage == Stage::Serving;
                let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                plain(status, stage.name())
            }
            "/metrics" => match self.metrics.get() {
                Some(metrics) => {
                    let mut answer = Response::new(Body::new(metrics.text()));
                    let form = HeaderValue::from_static(OPENMETRICS);
                    answer.headers_mut().insert(CONTENT_TYPE, form);
                    answer
                }
                None => plain(StatusCode::SERVICE_UNAVAILABLE, self.stage().name()),
            },
            _ => plain(StatusCode::NOT_FOUND, "/metrics, /livez or /readyz"),
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(Body::new(format!("{text}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// Tells, for as long as it is polled.
pub async fn tell(listener: TcpListener, overview: Arc<Overview>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection for metrics could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let overview = Arc::clone(&overview);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                std::future::ready(Ok::<_, Infallible>(overview.answer(&request)))
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).keep_alive(false);
            let speaking = http.serve_connection(TokioIo::new(stream), answer);
            // What goes wrong there is the asker's matter; he asks again.
            let _ended = tokio::time::timeout(CONNECTION_TIME, speaking).await;
            drop(place);
        });
    }
}
