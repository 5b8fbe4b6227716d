//! Composition: one snapshot, its services, one socket. Reads the clock.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::grpc::clearance::Clearance;
use crate::grpc::proto::DESCRIPTORS;
use crate::grpc::proto::v1::clearance_service_server::ClearanceServiceServer;
use crate::service::snapshot::Snapshot;

/// Largest request, in bytes: 10,000 questions of the longest usual size.
const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Streams one connection may have open: a caller that wants more opens another connection.
const CONNECTION_STREAMS_MAX: u32 = 1_024;
/// A connection whose peer is gone is found by a ping after this long.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// And given up if the ping is not answered for this long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// What is still running this long after the signal to stop is cut off.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The clock of the whole service.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A socket that listens.
///
/// # Errors
/// What the system says, e.g. that the address is in use.
pub async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves a snapshot until `stop` resolves, then lets running calls finish for at most
/// ten seconds.
///
/// # Errors
/// What the transport says.
pub async fn serve(
    snapshot: Arc<Snapshot>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ClearanceServiceServer<Clearance>>().await;
    let reflection = |builder: tonic_reflection::server::Builder<'static>| {
        builder
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let reflection_v1 = reflection(tonic_reflection::server::Builder::configure()).build_v1()?;
    let reflection_v1alpha =
        reflection(tonic_reflection::server::Builder::configure()).build_v1alpha()?;
    let clearance = ClearanceServiceServer::new(Clearance::new(snapshot, now))
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        health.set_not_serving::<ClearanceServiceServer<Clearance>>().await;
        // Nobody waits any more only if serving has already ended.
        let _ = stopping.send(());
    };
    let serving = Server::builder()
        .max_concurrent_streams(Some(CONNECTION_STREAMS_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(health_service)
        .add_service(reflection_v1)
        .add_service(reflection_v1alpha)
        .add_service(clearance)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), signal);
    // A client that never reads or never speaks would hold the drain for ever.
    let hard_stop = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN_TIMEOUT).await,
            Err(_serving_ended) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = serving => Ok(served?),
        () = hard_stop => {
            tracing::warn!("some connections did not end within the drain timeout; cut off");
            Ok(())
        }
    }
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("the gRPC transport failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors built into this program are broken.
    #[error("the API descriptors cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// SIGINT and SIGTERM, caught from the moment this exists.
#[derive(Debug)]
pub struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    /// Starts to catch the signals. Do this before anybody can learn that the server is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn register() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Resolves when one of them arrives.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
