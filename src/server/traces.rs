//! Spans over OTLP, if a collector is set: one for each traced request, with its method, code,
//! duration and request id, after the semantic conventions of RPC 1.45. Never what it asks or who
//! asks. The only module that knows OpenTelemetry.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span as Recorded};
use tonic::Code;

use super::methods::{Method, code_name};
use crate::config::Telemetry;
use crate::grpc::request_id::RequestId;

/// How long the last spans may take to be sent: the end of the process waits for it.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Name of a method that is none, as the conventions want it.
const OTHER: &str = "_OTHER";

/// Where spans go.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

impl Traces {
    /// What the settings say; `None` if no collector is set. Does not wait for the collector: one
    /// that is away costs the spans, and nothing else. To be called inside a runtime.
    pub(super) fn open(settings: &Telemetry) -> Result<Option<Arc<Self>>, ExporterBuildError> {
        if settings.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let exporter =
            SpanExporter::builder().with_tonic().with_endpoint(&*settings.otlp_endpoint).build()?;
        let share = 1.0 / f64::from(settings.trace_one_in.max(1));
        let root = Sampler::TraceIdRatioBased(share);
        let resource = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(resource)
            .build();
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        Ok(Some(Arc::new(Self { provider, tracer, propagator: TraceContextPropagator::new() })))
    }

    /// A request has begun, maybe as part of a trace of its caller. `None` if it is not traced.
    pub(super) fn begin(
        &self,
        headers: &HeaderMap,
        method: &Method,
        id: &RequestId,
    ) -> Option<Span> {
        let caller = self.propagator.extract_with_context(&Context::new(), &Headers(headers));
        let method =
            if method.is_known() { Cow::Owned(method.name().into()) } else { OTHER.into() };
        let attributes = vec![
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", String::from(&*method)),
            KeyValue::new("clearlist.request_id", id.as_str().to_owned()),
        ];
        let span = self.tracer.span_builder(method).with_kind(SpanKind::Server);
        let span = span.with_attributes(attributes).start_with_context(&self.tracer, &caller);
        span.is_recording().then_some(Span(span))
    }

    /// Sends what waits, if the collector takes it at once. Blocks.
    pub(super) fn close(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(CLOSE_TIMEOUT) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// A request that is traced.
#[derive(Debug)]
pub(super) struct Span(Recorded);

impl Span {
    /// It ended.
    pub(super) fn end(mut self, code: Code) {
        let name = code_name(code);
        self.0.set_attribute(KeyValue::new("rpc.response.status_code", name));
        if is_failure_of_server(code) {
            self.0.set_attribute(KeyValue::new("error.type", name));
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

/// The codes that the conventions count as errors of a server; the others are answers.
const fn is_failure_of_server(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// Headers, as OpenTelemetry reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
