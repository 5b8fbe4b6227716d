//! What the server says of itself, by a server in a process of its own: metrics, health over
//! time, the log. And what it never says: what was asked, and by whom.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::{
    BatchCheckClearanceRequest, CheckClearanceRequest, SubmitProposalRequest,
};
use clearlist::register::statement::{Statement, to_hex};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

mod support;
use support::ceremony::{Place, in_seconds, propose, revision};
use support::server::{Launched, Server};
use support::{CODE, OWNER, files, row};

/// A name that no program would say by itself.
const NAME: &str = "四环素奇物";
const TOKEN: &str = "clt_5f0c2a9e77d1b3";
/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn place() -> Place {
    Place::with(&files(&[row("R", NAME), row("S", "葡萄糖")]))
}

/// Settings of every server here: a second address, and everything it may say in the log.
fn settings<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut settings = vec![
        "telemetry.metrics_listen=127.0.0.1:0",
        "telemetry.filter=info,clearlist=debug",
        "telemetry.access_log=info",
        "telemetry.format=json",
    ];
    settings.extend(more);
    settings
}

fn start(place: &Place, more: &[&str]) -> Server {
    Server::with(&place.register(), &settings(more))
}

/// Asks until there is an answer.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// Where metrics are told, by what the log says.
fn metrics_address(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("metrics are told"))?;
    let (_, rest) = line.split_once("\"address\":\"")?;
    rest.split_once('"').map(|(address, _)| address.to_owned())
}

fn metrics_of(server: &Server) -> String {
    metrics_address(&server.said()).expect("the second address is in the log")
}

/// Status and body of a page.
fn get(address: &str, page: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "GET {page} HTTP/1.1\r\nhost: x\r\n\r\n").expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

fn metrics(address: &str) -> String {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// The number of a series, named with its labels.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} in\n{text}")).parse().expect("a number")
}

/// Every series without its number.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series.to_owned())).collect()
}

fn question() -> CheckClearanceRequest {
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: NAME.into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

/// A call of any path, with no message.
async fn call(channel: &Channel, path: &str) -> Status {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("it is connected");
    let path = path.parse().expect("a path");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(Request::new(()), path, codec).await.expect_err("no such method")
}

#[tokio::test]
async fn known_traffic_is_counted_and_neither_metrics_nor_log_say_what_was_asked() {
    let place = place();
    let server = start(&place, &[]);
    let address = metrics_of(&server);
    let channel = server.connect().await;
    let mut client = ClearanceServiceClient::new(channel.clone());
    for _listed in 0..3 {
        let mut request = Request::new(question());
        let token = format!("Bearer {TOKEN}").parse().expect("a header");
        request.metadata_mut().insert("authorization", token);
        client.check_clearance(request).await.expect("an answer");
    }
    let unlisted = CheckClearanceRequest { material_name: "未列xyzzy".into(), ..question() };
    client.check_clearance(unlisted).await.expect("an answer");
    let wrong = CheckClearanceRequest { hs_code: "29".into(), ..question() };
    client.check_clearance(wrong).await.expect_err("a wrong code");
    let items = vec![question(); 5];
    client.batch_check_clearance(BatchCheckClearanceRequest { items }).await.expect("answers");
    // Signed by one of two.
    let (register, mut admin) = (place_register(&place), AdminServiceClient::new(channel.clone()));
    let statement = Statement::Revision(revision(&register, &files(&[row("R", NAME)])));
    let signers = [&place.keys.log, &place.keys.agencies[0]];
    let proposal = propose(&register, &statement, Some(&files(&[row("R", NAME)])), &signers);
    let refused = admin.submit_proposal(SubmitProposalRequest { proposal: Some(proposal) }).await;
    assert_eq!(refused.expect_err("too few").code(), Code::PermissionDenied);

    let text = metrics(&address);
    let check = "method=\"clearlist.v1.ClearanceService/CheckClearance\"";
    for (series, wanted) in [
        (format!("clearlist_requests_total{{{check},code=\"OK\"}}"), 4.0),
        (format!("clearlist_requests_total{{{check},code=\"INVALID_ARGUMENT\"}}"), 1.0),
        (format!("clearlist_request_duration_seconds_count{{{check}}}"), 5.0),
        (format!("clearlist_request_duration_seconds_bucket{{le=\"+Inf\",{check}}}"), 5.0),
        ("clearlist_verdicts_total{verdict=\"LISTED\"}".into(), 8.0),
        ("clearlist_verdicts_total{verdict=\"NOT_COVERED\"}".into(), 0.0),
        ("clearlist_proposals_total{outcome=\"refused\"}".into(), 1.0),
        ("clearlist_proposal_refusals_total{reason=\"QUORUM_NOT_MET\"}".into(), 1.0),
        ("clearlist_proposal_refusals_total{reason=\"SIGNATURE_INVALID\"}".into(), 0.0),
        ("clearlist_revision".into(), 1.0),
        ("clearlist_register_size".into(), 1.0),
        ("clearlist_index_entries".into(), 2.0),
        ("clearlist_index_names".into(), 2.0),
        ("clearlist_list_in_force".into(), 1.0),
        // It expires tomorrow.
        ("clearlist_list_expiring".into(), 1.0),
        ("clearlist_requests_in_flight".into(), 0.0),
        ("clearlist_connections_open".into(), 1.0),
        ("clearlist_tls_reload_failures_total".into(), 0.0),
    ] {
        let found = value(&text, &series);
        assert!((found - wanted).abs() < 0.5, "{series} is {found}, not {wanted}\n{text}");
    }
    let left = value(&text, "clearlist_list_expiry_seconds");
    assert!((1.0..=86_400.0).contains(&left), "{left}");
    let took = value(&text, &format!("clearlist_request_duration_seconds_sum{{{check}}}"));
    assert!(took > 0.0, "{text}");

    server.terminate();
    let said = server.ended().said;
    assert!(said.matches("clearlist::access").count() >= 7, "{said}");
    for text in [&text, &said] {
        for secret in [NAME, "xyzzy", OWNER, TOKEN, CODE] {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
}

/// The register of a place while a server runs on it.
fn place_register(place: &Place) -> clearlist::register::history::Register {
    let read = clearlist::service::opening::read(&place.register(), |_, _| ());
    read.expect("a good register").1.register
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own() {
    let place = place();
    let server = start(&place, &[]);
    let (address, main) = (metrics_of(&server), server.address().to_owned());
    assert_ne!(address, main);
    let (status, _) = get(&main, "/metrics");
    assert_ne!(status, 200, "the address of the service tells no metrics");
    assert_eq!(get(&address, "/elsewhere").0, 404);
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz"), (200, "serving\n".into()));
    let without = Server::start(&self::place().register());
    assert_eq!(metrics_address(&without.said()), None, "none by default");
}

#[tokio::test]
async fn hostile_paths_and_ids_make_no_new_names() {
    let place = place();
    let server = start(&place, &[]);
    let (address, channel) = (metrics_of(&server), server.connect().await);
    call(&channel, "/clearlist.v1.ClearanceService/No").await;
    let before = series(&metrics(&address));
    for nth in 0..200 {
        for path in [
            format!("/clearlist.v1.ClearanceService/Check{nth}"),
            format!("/clearlist.w{nth}.ClearanceService/CheckClearance"),
            format!("/x{nth}?clearlist_requests_total%7B%7D"),
        ] {
            assert_eq!(call(&channel, &path).await.code(), Code::Unimplemented, "{path}");
        }
    }
    let after = metrics(&address);
    assert_eq!(series(&after), before);
    let other = "clearlist_requests_total{method=\"other\",code=\"UNIMPLEMENTED\"}";
    assert!((value(&after, other) - 601.0).abs() < 0.5, "{after}");
}

#[tokio::test]
async fn an_id_that_is_a_plain_word_is_kept_and_any_other_is_replaced() {
    let place = place();
    let server = start(&place, &[]);
    let mut client = ClearanceServiceClient::new(server.connect().await);
    let mut ids = BTreeSet::new();
    for (given, kept) in [("order-4711.a_B", true), ("a b", false), ("\"},{", false)] {
        let mut request = Request::new(question());
        request.metadata_mut().insert("x-request-id", given.parse().expect("a header"));
        let answer = client.check_clearance(request).await.expect("an answer");
        let id = answer.metadata().get("x-request-id").expect("an id").to_str().expect("text");
        assert_eq!(id == given, kept, "{given} {id}");
        assert!(ids.insert(id.to_owned()), "{id}");
        let line = format!("{{\"request_id\":\"{id}\",\"timestamp\"");
        assert!(server.said().lines().any(|said| said.starts_with(&line)), "{}", server.said());
    }
    let refused = CheckClearanceRequest { hs_code: "29".into(), ..question() };
    let refused = client.check_clearance(refused).await.expect_err("a wrong code");
    assert!(refused.metadata().contains_key("x-request-id"), "errors have one, too");
}

/// The statuses of a name, as they come.
async fn watch(server: &Server, name: &str) -> impl tokio_stream::Stream<Item = i32> + use<> {
    let request = HealthCheckRequest { service: name.into() };
    let answers = HealthClient::new(server.connect().await).watch(request).await;
    answers.expect("it is watched").into_inner().map(|answer| answer.expect("news").status)
}

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

#[tokio::test]
async fn freshness_ends_before_the_list_does() {
    let place = Place::empty();
    place.add(&files(&[row("R", NAME)]), |next| next.expires = in_seconds(15));
    let server = start(&place, &["register.expiry_warning=7s"]);
    let mut fresh = Box::pin(watch(&server, "clearlist.freshness").await);
    assert_eq!(fresh.next().await, Some(SERVING));
    assert_eq!(fresh.next().await, Some(NOT_SERVING));
    let text = metrics(&metrics_of(&server));
    assert!((value(&text, "clearlist_list_expiring") - 1.0).abs() < 0.5, "{text}");
    assert!((value(&text, "clearlist_list_in_force") - 1.0).abs() < 0.5, "{text}");
    let mut client = ClearanceServiceClient::new(server.connect().await);
    client.check_clearance(question()).await.expect("it still answers");
    let mut whole = Box::pin(watch(&server, "").await);
    assert_eq!(whole.next().await, Some(SERVING), "the service is there all the same");
}

#[tokio::test]
async fn freshness_begins_when_a_scheduled_list_comes_into_force() {
    let place = Place::empty();
    place.add(&files(&[row("R", NAME)]), |next| next.effective = in_seconds(6));
    let server = start(&place, &["register.expiry_warning=1h"]);
    let mut fresh = Box::pin(watch(&server, "clearlist.freshness").await);
    assert_eq!(fresh.next().await, Some(NOT_SERVING));
    assert_eq!(fresh.next().await, Some(SERVING));
}

#[test]
fn ready_is_not_said_while_the_register_is_read() {
    let place = place();
    // The last file that a start reads is one that does not end until the test says so.
    let key = place.register().join("service-keys/current.key");
    let bytes = std::fs::read(&key).expect("the service has a key");
    std::fs::remove_file(&key).expect("it is removed");
    assert!(Command::new("mkfifo").arg(&key).status().expect("mkfifo runs").success());
    let launched = Launched::with(&place.register(), &settings(&[]));
    let address = wait("it says where metrics are", || metrics_address(&launched.said()));
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz"), (503, "replaying\n".into()));
    assert_eq!(get(&address, "/metrics").0, 503);
    std::fs::write(&key, &bytes).expect("it is waited for");
    let server = launched.listening().expect("it is served");
    wait("it is ready", || (get(&address, "/readyz").0 == 200).then_some(()));
    drop(server);
}

#[tokio::test]
async fn ready_ends_with_the_signal_and_questions_are_answered_on() {
    let place = place();
    let server = start(&place, &["shutdown.notice_time=5s"]);
    let (address, channel) = (metrics_of(&server), server.connect().await);
    server.terminate();
    wait("it is not ready", || {
        (get(&address, "/readyz") == (503, "stopping\n".into())).then_some(())
    });
    assert_eq!(get(&address, "/livez").0, 200, "it is not to be killed for that");
    ClearanceServiceClient::new(channel).check_clearance(question()).await.expect("an answer");
    assert_eq!(server.ended().code, Some(0));
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("clearlist_")).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn dashboard_alerts_and_manual_name_metrics_that_there_are() {
    let place = place();
    let server = start(&place, &[]);
    let text = metrics(&metrics_of(&server));
    let there: BTreeSet<String> = series(&text).iter().flat_map(|series| names(series)).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    for path in ["deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yaml"] {
        let named = names(&read(path));
        assert!(named.len() > 5, "{path} names metrics");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
    }
    let manual = names(&read("docs/operations.md"));
    let base = |name: &String| {
        let ends = ["_bucket", "_count", "_sum"];
        let cut = ends.iter().find_map(|end| name.strip_suffix(end));
        cut.unwrap_or(name).to_owned()
    };
    let there: BTreeSet<String> = there.iter().map(base).collect();
    let silent: Vec<_> = there.difference(&manual).collect();
    assert!(silent.is_empty(), "docs/operations.md does not tell of {silent:?}");
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana-dashboard.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 5));
}

#[tokio::test]
async fn every_reason_to_refuse_a_proposal_has_its_series() {
    let place = place();
    let server = start(&place, &[]);
    let text = metrics(&metrics_of(&server));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/register");
    let mut reasons = BTreeSet::new();
    for file in ["checkpoint.rs", "note.rs", "policy.rs", "statement.rs", "step.rs"] {
        let source = std::fs::read_to_string(sources.join(file)).expect("it is there");
        let texts = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
        let upper = |text: &&str| {
            text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        reasons.extend(texts.filter(upper).map(ToOwned::to_owned));
    }
    assert!(reasons.len() > 20, "{reasons:?}");
    for reason in reasons {
        value(&text, &format!("clearlist_proposal_refusals_total{{reason=\"{reason}\"}}"));
    }
}

#[tokio::test]
async fn systemd_hears_of_the_start_when_it_listens_and_of_the_end() {
    let place = place();
    let path = place.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let hear = || {
        let mut heard = [0; 256];
        let length = socket.recv(&mut heard).expect("it says something");
        String::from_utf8_lossy(&heard[..length]).trim_end().to_owned()
    };
    let register = place.register().display().to_string();
    let mut command =
        support::server::program(&["serve", "--listen", "127.0.0.1:0", "--register", &register]);
    command.env("NOTIFY_SOCKET", &path);
    let launched = Launched::run(command);
    assert_eq!(hear(), "READY=1");
    let server = launched.listening().expect("it is served");
    ClearanceServiceClient::new(server.connect().await)
        .check_clearance(question())
        .await
        .expect("an answer");
    server.terminate();
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(server.ended().code, Some(0));
}

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
