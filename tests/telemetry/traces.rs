//! Traces, as a collector gets them, and a collector that is away.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use clearlist::grpc::proto::v1::CheckClearanceRequest;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::register::statement::to_hex;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::asking::{NAME, PATIENCE, TOKEN, place, question, start};
use super::support::{CODE, OWNER};

/// A collector of traces: keeps what it is sent.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("no panic").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Begins one; what is sent to it, and where it listens.
    async fn begin() -> (Self, String) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let served = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(served);
        (collector, format!("telemetry.otlp_endpoint=http://{address}"))
    }

    fn spans(&self) -> Vec<Span> {
        let sent = self.0.lock().expect("no panic");
        let resources = sent.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// An attribute of a span, if it is text.
fn attribute(span: &Span, key: &str) -> Option<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        other => panic!("{key}: {other:?}"),
    }
}

#[tokio::test]
async fn traces_go_to_the_collector_as_the_conventions_want_them_and_name_nothing() {
    let (collector, endpoint) = Collector::begin().await;
    let place = place();
    let server = start(&place, &[&endpoint, "telemetry.trace_one_in=1"]);
    let mut client = ClearanceServiceClient::new(server.connect().await);
    let mut request = Request::new(question());
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let context = format!("00-{trace}-{parent}-01");
    request.metadata_mut().insert("traceparent", context.parse().expect("a header"));
    request.metadata_mut().insert("x-request-id", "order-1".parse().expect("a header"));
    client.check_clearance(request).await.expect("an answer");
    let mut unsampled = Request::new(question());
    let context = format!("00-{trace}-{parent}-00");
    unsampled.metadata_mut().insert("traceparent", context.parse().expect("a header"));
    client.check_clearance(unsampled).await.expect("an answer");
    let refused = CheckClearanceRequest { hs_code: "29".into(), ..question() };
    client.check_clearance(refused).await.expect_err("a wrong code");
    let mut expired = Request::new(question());
    expired.metadata_mut().insert("grpc-timeout", "0n".parse().expect("a header"));
    client.check_clearance(expired).await.expect_err("no time at all");
    server.terminate();
    let ended = tokio::task::spawn_blocking(move || server.ended()).await.expect("no panic");
    assert_eq!(ended.code, Some(0), "{}", ended.said);

    let spans = collector.spans();
    let method = "clearlist.v1.ClearanceService/CheckClearance";
    let codes: Vec<_> =
        spans.iter().map(|span| attribute(span, "rpc.response.status_code")).collect();
    let wanted = ["OK", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED"].map(|it| Some(it.to_owned()));
    assert_eq!(codes, wanted, "{spans:?}");
    for span in &spans {
        assert_eq!((&*span.name, span.kind), (method, SpanKind::Server as i32), "{span:?}");
        assert_eq!(attribute(span, "rpc.method").as_deref(), Some(method));
        assert_eq!(attribute(span, "rpc.system.name").as_deref(), Some("grpc"));
        assert!(span.end_time_unix_nano > span.start_time_unix_nano, "{span:?}");
    }
    let of_caller = (to_hex(&spans[0].trace_id), to_hex(&spans[0].parent_span_id));
    assert_eq!(of_caller, (trace.to_owned(), parent.to_owned()));
    assert_eq!(attribute(&spans[0], "clearlist.request_id").as_deref(), Some("order-1"));
    assert_eq!(spans[1].parent_span_id, Vec::<u8>::new());
    let failed =
        |span: &Span| span.status.as_ref().is_some_and(|it| it.code() == StatusCode::Error);
    // A wrong question is no failure of the service.
    assert_eq!(spans.iter().map(failed).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(attribute(&spans[2], "error.type").as_deref(), Some("DEADLINE_EXCEEDED"));

    let everything = format!("{:?}", collector.0.lock().expect("no panic"));
    assert!(everything.contains("\"clearlist\""), "the service's name: {everything}");
    for secret in [NAME, OWNER, CODE, TOKEN] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nothing_but_the_traces() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint =
        format!("telemetry.otlp_endpoint=http://{}", listener.local_addr().expect("it is bound"));
    // It takes connections, and never answers.
    let place = place();
    let server = start(&place, &[&endpoint, "telemetry.trace_one_in=1"]);
    let mut client = ClearanceServiceClient::new(server.connect().await);
    for _question in 0..20 {
        client.check_clearance(question()).await.expect("an answer");
    }
    let begun = Instant::now();
    server.terminate();
    let ended = tokio::task::spawn_blocking(move || server.ended()).await.expect("no panic");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}
