//! Composition: one register, its services, one address. Reads the clock.
//!
//! A connection passes `accept` and `tls`; a request of it the layers of `face`, outermost
//! first, and then a service.

mod accept;
mod connections;
pub mod counts;
mod deadline;
mod descriptors;
mod expiry;
mod faces;
mod gathered;
pub mod identity;
mod messages;
mod methods;
mod metrics;
mod observed;
mod overview;
mod pace;
pub mod peer;
mod requests;
mod rotation;
mod services;
mod signals;
mod supervisor;
mod tls;
mod traces;
mod unread;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::config::{AccessLog, Settings};
use crate::grpc::admin::Admin;
use crate::grpc::aside::Aside;
use crate::grpc::clearance::Clearance;
use crate::grpc::proto::DESCRIPTORS;
use crate::grpc::proto::answers::clearance_service_server::ClearanceServiceServer;
use crate::grpc::proto::v1::admin_service_server::AdminServiceServer;
use crate::grpc::proto::v1::register_service_server::RegisterServiceServer;
use crate::grpc::register::Reading;
use crate::service::decisions::DecisionLog;
use crate::service::intake::Intake;
use crate::service::running::Running;

use accept::{AbortOnDrop, Door};
use connections::{Connection, Connections};
use counts::Counts;
use deadline::Deadlines;
use faces::{Faces, Manners};
use identity::{Desk, Identified, Identity, IdentityError};
use messages::Budget;
use methods::Methods;
use metrics::Metrics;
use observed::Observed;
use overview::Stage;
use requests::Requests;
use services::{All, Services};
use tls::{Reload, Tls};
use traces::Traces;

pub use identity::check as check_identity;
pub use overview::{Overview, tell};
pub use signals::StopSignal;
pub use tls::{TlsError, check as check_tls};

/// Whoever watches health has heard of the end within this time; then his stream ends too.
const LAST_WORD_TIME: Duration = Duration::from_millis(200);

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

/// What is served.
#[derive(Debug)]
pub struct Parts {
    /// The register.
    pub running: Arc<Running>,
    /// Where every answer goes before it leaves.
    pub log: DecisionLog,
    /// What happens on the way to it.
    pub counts: Arc<Counts>,
    /// What is told of it at the second address.
    pub overview: Arc<Overview>,
}

impl Parts {
    /// A register and its log, with nothing counted yet.
    #[must_use]
    pub fn new(running: Arc<Running>, log: DecisionLog) -> Self {
        Self { running, log, counts: Arc::default(), overview: Arc::default() }
    }
}

/// What a request passes before a service answers it.
type Face = Faces<Observed<Requests<Deadlines<Identified<Services>>>>>;

/// The layers of one connection, innermost first. Within `faces` every request is one of gRPC.
fn face(shared: &Shared, connection: &Arc<Connection>, address: IpAddr) -> Face {
    let identified = Identified::new(shared.services.clone(), &shared.desk, address);
    let deadlines = Deadlines::new(identified, Arc::clone(&shared.counts));
    let requests = Requests::new(deadlines, Arc::clone(connection));
    let (methods, traces) = (Arc::clone(&shared.methods), shared.traces.clone());
    let observed = Observed::new(requests, methods, shared.access_log, traces);
    Faces::new(observed, Arc::clone(&shared.manners))
}

/// What all connections share.
#[derive(Clone)]
struct Shared {
    services: Services,
    desk: Arc<Desk>,
    counts: Arc<Counts>,
    methods: Arc<Methods>,
    manners: Arc<Manners>,
    access_log: AccessLog,
    traces: Option<Arc<Traces>>,
}

/// A server that can serve: everything that can fail is behind it.
pub struct Ready {
    running: Arc<Running>,
    log: DecisionLog,
    shared: Shared,
    overview: Arc<Overview>,
    settings: Settings,
    tls: Option<(Arc<Tls>, Reload)>,
    /// Looks at the files of callers again.
    callers: Option<identity::Reload>,
    health: HealthReporter,
}

/// Makes a server of its parts. To be called before anybody is told that it is there.
///
/// # Errors
/// It cannot serve: [`ServeError`].
pub fn ready(parts: Parts, settings: Settings) -> Result<Ready, ServeError> {
    let Parts { running, log, counts, overview } = parts;
    let tls = Tls::open(&settings.tls, Arc::clone(&counts))?;
    let identity = Identity::open(&settings.identity, Arc::clone(&counts))?;
    descriptors::make_room(settings.limits.connections_max);
    let health = HealthReporter::new();
    let services = services(&running, &log, &settings, &health)?;
    let described = [DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET];
    let reflected = [
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let methods = Arc::new(Methods::of(&[described, reflected].concat())?);
    overview.show(Metrics {
        running: Arc::clone(&running),
        log: log.clone(),
        counts: Arc::clone(&counts),
        methods: Arc::clone(&methods),
        expiry_warning: settings.register.expiry_warning,
        started: now(),
    });
    let access_log = settings.telemetry.access_log;
    let (identity, callers) = identity.unzip();
    let desk = Arc::new(Desk::new(identity, &settings.limits, Arc::clone(&counts)));
    let manners = Arc::new(Manners::new(&settings.web, &settings.limits));
    let traces = Traces::open(&settings.telemetry)?;
    let shared = Shared { services, desk, counts, methods, manners, access_log, traces };
    Ok(Ready { running, log, shared, overview, settings, tls, callers, health })
}

impl Ready {
    /// Serves until `stop` resolves, then lets running calls finish for the time the settings
    /// give them, whatever clients do. Then the log is closed.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let Self { running, log, shared, overview, settings, tls, callers, health } = self;
        let traces = shared.traces.clone();
        let (tls, reload) = tls.unzip();
        let reloading = reload.map(|reload| AbortOnDrop(tokio::spawn(reload.run())));
        let meeting = callers.map(|reload| AbortOnDrop(tokio::spawn(reload.run())));
        // Whether the list is fresh, `telling` says.
        for name in HEALTH_NAMES.into_iter().filter(|name| *name != expiry::FRESHNESS) {
            health.set_service_status(name, ServingStatus::Serving).await;
        }
        let warning = settings.register.expiry_warning;
        let said = expiry::tell_freshness(&running, &health, warning).await;
        let telling = expiry::tell_of_time(Arc::clone(&running), health.clone(), warning, said);
        let telling = AbortOnDrop(tokio::spawn(telling));
        let rotating = AbortOnDrop(tokio::spawn(rotation::take_keys(Arc::clone(&running))));
        let connections =
            Arc::new(Connections::new(settings.limits.clone(), Arc::clone(&shared.counts)));
        let door = Door {
            listener,
            tls,
            connections: Arc::clone(&connections),
            limits: settings.limits,
            face: move |connection: &Arc<Connection>, address| face(&shared, connection, address),
        };
        overview.enter(Stage::Serving);
        supervisor::ready();
        let stop = async {
            stop.await;
            overview.enter(Stage::Stopping);
            supervisor::stopping();
            // It would say again that the list is fresh.
            drop(telling);
            for name in HEALTH_NAMES {
                health.set_service_status(name, ServingStatus::NotServing).await;
            }
            tokio::time::sleep(settings.shutdown.notice_time).await;
            running.stop();
            tracing::info!(connections = connections.len(), "stopping");
            tokio::spawn(end_watches(health.clone()));
        };
        let drained = door.serve(stop, settings.shutdown.drain_timeout).await;
        if drained.cut > 0 {
            tracing::warn!(
                connections = drained.cut,
                "some connections did not end within the drain timeout; cut off"
            );
        }
        drop((rotating, reloading, meeting));
        // Answers may still wait to be stored that nobody waits for any more.
        let closing = tokio::task::spawn_blocking(move || {
            log.close();
            if let Some(traces) = traces {
                traces.close();
            }
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "the decision log was not closed");
        }
    }
}

/// Names under which health is told; the empty one is the whole.
const HEALTH_NAMES: [&str; 5] = [
    "",
    <ClearanceServiceServer<Clearance> as tonic::server::NamedService>::NAME,
    <RegisterServiceServer<Reading> as tonic::server::NamedService>::NAME,
    <AdminServiceServer<Admin> as tonic::server::NamedService>::NAME,
    expiry::FRESHNESS,
];

/// A stream of health ends with the name it is about, and would hold the drain otherwise.
async fn end_watches(mut health: HealthReporter) {
    tokio::time::sleep(LAST_WORD_TIME).await;
    for name in HEALTH_NAMES {
        health.clear_service_status(name).await;
    }
}

type ReflectionBuilder = tonic_reflection::server::Builder<'static>;

/// Reflection over everything that is served.
fn described() -> ReflectionBuilder {
    ReflectionBuilder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

// The two stay functions of their own: built by one function, the second used memory that the
// first had given away. A fault of the compiler (docs/decisions/0019).
#[inline(never)]
fn with_reflection_v1(
    routes: Routes,
    bytes_max: usize,
) -> Result<Routes, tonic_reflection::server::Error> {
    Ok(routes.add_service(described().build_v1()?.max_decoding_message_size(bytes_max)))
}

#[inline(never)]
fn with_reflection_v1alpha(
    routes: Routes,
    bytes_max: usize,
) -> Result<Routes, tonic_reflection::server::Error> {
    Ok(routes.add_service(described().build_v1alpha()?.max_decoding_message_size(bytes_max)))
}

fn services(
    running: &Arc<Running>,
    log: &DecisionLog,
    settings: &Settings,
    health: &HealthReporter,
) -> Result<Services, ServeError> {
    let limits = &settings.limits;
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let (items_max, batches_max) = (count(limits.batch_items_max), count(limits.batches_open_max));
    let clearance = Clearance::new(Arc::clone(running), log.clone(), now, items_max, batches_max);
    let clearance = ClearanceServiceServer::new(clearance)
        .max_decoding_message_size(limits.question_bytes_max.bytes())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let batches = clearance.clone().max_decoding_message_size(limits.message_bytes_max.bytes());
    let reading = RegisterServiceServer::new(Reading::new(Arc::clone(running), now))
        .max_decoding_message_size(limits.question_bytes_max.bytes())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let intake = Intake::start(Arc::clone(running), now).map_err(ServeError::Intake)?;
    let admin = AdminServiceServer::new(Admin::new(Arc::clone(running), intake, now))
        .max_decoding_message_size(limits.proposal_bytes_max.bytes())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let admin = Aside::new(admin).map_err(ServeError::Intake)?;
    let question_bytes_max = limits.question_bytes_max.bytes();
    let health = HealthServer::new(HealthService::from_health_reporter(health.clone()))
        .max_decoding_message_size(question_bytes_max);
    Ok(Services::new(All {
        clearance,
        batches,
        register: reading,
        admin,
        others: with_reflection_v1alpha(
            with_reflection_v1(Routes::new(health), question_bytes_max)?,
            question_bytes_max,
        )?,
        large: Arc::new(Budget::new(limits.messages_bytes_max.bytes(), limits.message_timeout)),
    }))
}

/// Why serving cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Callers cannot be known.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The writer of the register cannot start.
    #[error("the register's writer cannot start: {0}")]
    Intake(io::Error),
    /// The descriptors built into this program are broken.
    #[error("the API descriptors cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Traces cannot be sent.
    #[error("telemetry.otlp_endpoint: {0}")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The methods in them cannot be told.
    #[error("the API descriptors cannot be read: {0}")]
    Descriptors(#[from] prost::DecodeError),
}
