//! Composition: one register, its services, one socket. Reads the clock.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::grpc::admin::Admin;
use crate::grpc::clearance::Clearance;
use crate::grpc::proto::DESCRIPTORS;
use crate::grpc::proto::answers::clearance_service_server::ClearanceServiceServer;
use crate::grpc::proto::v1::admin_service_server::AdminServiceServer;
use crate::grpc::proto::v1::register_service_server::RegisterServiceServer;
use crate::grpc::register::Reading;
use crate::service::intake::Intake;
use crate::service::running::Running;
use crate::service::timeline::Answering;

/// Largest request, in bytes: 10,000 questions of the longest usual size.
const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest proposal, in bytes: a list of 100,000 rows has about 30 MB.
const PROPOSAL_BYTES_MAX: usize = 128 * 1024 * 1024;
/// A list that expires within this time is warned of.
const EXPIRY_WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);
/// And again after this time.
const TELL_INTERVAL: Duration = Duration::from_hours(1);
/// How often the service's key is looked at.
const KEYS_INTERVAL: Duration = Duration::from_secs(2);
/// Streams one connection may have open: a caller that wants more opens another connection.
const CONNECTION_STREAMS_MAX: u32 = 1_024;
/// A peer that has been silent for this long is asked whether it is there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// And again after this long without an answer,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// so many times; then it is given up.
const KEEPALIVE_RETRIES: u32 = 2;
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

/// Serves a register until `stop` resolves, then lets running calls finish for at most
/// ten seconds.
///
/// # Errors
/// What the transport says.
pub async fn serve(
    running: Arc<Running>,
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
    let clearance = ClearanceServiceServer::new(Clearance::new(Arc::clone(&running), now))
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let reading = RegisterServiceServer::new(Reading::new(Arc::clone(&running), now))
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let intake = Intake::start(Arc::clone(&running), now).map_err(ServeError::Intake)?;
    let admin = AdminServiceServer::new(Admin::new(Arc::clone(&running), intake, now))
        .max_decoding_message_size(PROPOSAL_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    health.set_serving::<RegisterServiceServer<Reading>>().await;
    health.set_serving::<AdminServiceServer<Admin>>().await;
    let watched = tokio::spawn(tell_of_time(Arc::clone(&running)));
    let rotated = tokio::spawn(take_rotated_keys(Arc::clone(&running)));
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        health.set_not_serving::<ClearanceServiceServer<Clearance>>().await;
        health.set_not_serving::<RegisterServiceServer<Reading>>().await;
        health.set_not_serving::<AdminServiceServer<Admin>>().await;
        running.stop();
        // Nobody waits any more only if serving has already ended.
        let _ = stopping.send(());
    };
    // Probes of the system, not pings of HTTP/2: those cost a lock and a look at the clock for
    // every frame of every call.
    let incoming = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE_IDLE))
        .with_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .with_keepalive_retries(Some(KEEPALIVE_RETRIES));
    let serving = Server::builder()
        .max_concurrent_streams(Some(CONNECTION_STREAMS_MAX))
        .add_service(health_service)
        .add_service(reflection_v1)
        .add_service(reflection_v1alpha)
        .add_service(clearance)
        .add_service(reading)
        .add_service(admin)
        .serve_with_incoming_shutdown(incoming, signal);
    // A client that never reads or never speaks would hold the drain for ever.
    let hard_stop = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN_TIMEOUT).await,
            Err(_serving_ended) => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        served = serving => served.map_err(ServeError::from),
        () = hard_stop => {
            tracing::warn!("some connections did not end within the drain timeout; cut off");
            Ok(())
        }
    };
    watched.abort();
    rotated.abort();
    ended
}

/// Says in the log what comes into force, and ahead of time what is about to expire. Nothing
/// depends on it: a lookup picks its list by its own time.
async fn tell_of_time(running: Arc<Running>) {
    let mut sizes = running.sizes();
    let mut told = None;
    loop {
        let (published, at) = (running.published(), now());
        match published.at(at) {
            Answering::Snapshot(snapshot) => {
                let number = snapshot.revision.number;
                if told != Some((number, false)) {
                    tracing::info!(revision = number, "in force");
                }
                told = Some((number, false));
                let left = snapshot.revision.expires.map(|expires| expires.duration_since(at));
                if let Some(left) = left.filter(|left| *left < EXPIRY_WARNING) {
                    let hours = left.as_hours();
                    tracing::warn!(
                        revision = number,
                        hours,
                        "the list in force expires soon; every question is then refused"
                    );
                }
            }
            Answering::Expired(revision) => {
                tracing::error!(
                    revision = revision.number,
                    "the list in force has expired; every question is refused"
                );
                told = Some((revision.number, true));
            }
            Answering::Nothing => tracing::warn!("no list is in force yet"),
        }
        let next = published.after(at).next().map(|period| period.from.duration_since(at));
        drop(published);
        let wait = next.and_then(|next| Duration::try_from(next).ok());
        let wait = wait.map_or(TELL_INTERVAL, |next| next.min(TELL_INTERVAL));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = sizes.changed() => if changed.is_err() { return },
        }
    }
}

/// Signs receipts with the next key once somebody has rotated it.
async fn take_rotated_keys(running: Arc<Running>) {
    loop {
        tokio::time::sleep(KEYS_INTERVAL).await;
        let running = Arc::clone(&running);
        // A file is looked at, and hardly ever read.
        let taken = tokio::task::spawn_blocking(move || running.take_rotated_keys()).await;
        match taken {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("receipts are signed with the next key from now on"),
            Ok(Err(error)) => tracing::error!(%error, "receipts are signed with the old key"),
            Err(error) => tracing::error!(%error, "receipts are signed with the old key"),
        }
    }
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("the gRPC transport failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The writer of the register cannot start.
    #[error("the register's writer cannot start: {0}")]
    Intake(io::Error),
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
