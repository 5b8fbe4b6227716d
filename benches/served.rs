//! `CheckClearance` as served against a bare tonic handler: the same messages, the same load, in
//! alternating rounds. Prints the ratio, and the processor time a request takes in each server,
//! which other programs on the machine disturb less; judges nothing.
//!
//! `cargo bench --bench served` (needs `h2load`: Debian package nghttp2-client)
#![allow(clippy::expect_used, reason = "a bench that cannot go on says so")]

use std::path::Path;
use std::pin::Pin;
use std::process::Command;

use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::clearance_service_server::{
    ClearanceService, ClearanceServiceServer,
};
use prost::Message;
use tokio_stream::Stream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

#[path = "support/server.rs"]
mod server;

use server::Server;

/// The allocator of the program, so that the bare handler has it too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Rounds of each server, one after the other in turn.
const ROUNDS: usize = 9;
/// Requests of a round.
const REQUESTS: u32 = 120_000;
/// Connections, and requests in flight on each: 64 in flight.
const CONNECTIONS: &str = "8";
const STREAMS: &str = "8";

/// A question that finds two rows, and one that finds six.
fn questions() -> [(&'static str, v1::CheckClearanceRequest); 2] {
    let question = |name: &str, code: &str, quantity: &str| v1::CheckClearanceRequest {
        hs_code: code.into(),
        material_name: name.into(),
        end_user_uscc: "91110108EXAMPLE11C".into(),
        quantity: Some(v1::Quantity { value: quantity.into(), unit: "g".into() }),
        customs_district: "0100".into(),
        r#use: v1::Use::Research.into(),
        scheme: "beijing-2022".into(),
        ..Default::default()
    };
    [
        ("two rows", question("恩替卡韦", "2933599053", "20")),
        ("six rows", question("四环素", "2941301100", "20")),
    ]
}

/// Decodes the question and answers with one ready answer.
struct Bare(v1::CheckClearanceResponse);

#[tonic::async_trait]
impl ClearanceService for Bare {
    async fn check_clearance(
        &self,
        _request: Request<v1::CheckClearanceRequest>,
    ) -> Result<Response<v1::CheckClearanceResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn batch_check_clearance(
        &self,
        _request: Request<v1::BatchCheckClearanceRequest>,
    ) -> Result<Response<v1::BatchCheckClearanceResponse>, Status> {
        Err(Status::unimplemented("bare"))
    }

    type StreamCheckClearanceStream =
        Pin<Box<dyn Stream<Item = Result<v1::StreamCheckClearanceResponse, Status>> + Send>>;

    async fn stream_check_clearance(
        &self,
        _request: Request<Streaming<v1::StreamCheckClearanceRequest>>,
    ) -> Result<Response<Self::StreamCheckClearanceStream>, Status> {
        Err(Status::unimplemented("bare"))
    }

    async fn search_materials(
        &self,
        _request: Request<v1::SearchMaterialsRequest>,
    ) -> Result<Response<v1::SearchMaterialsResponse>, Status> {
        Err(Status::unimplemented("bare"))
    }
}

/// What one round showed.
#[derive(Clone, Copy)]
struct Round {
    /// Requests a second.
    rate: f64,
    /// Processor time of a request, in microseconds.
    micros: f64,
}

/// One round.
fn load(server: &Server, body: &Path) -> Round {
    let before = server.processor();
    let url = format!("http://{}/clearlist.v1.ClearanceService/CheckClearance", server.address);
    let output = Command::new("h2load")
        .args(["-n", &REQUESTS.to_string(), "-c", CONNECTIONS, "-m", STREAMS, "-t", "1", "-d"])
        .arg(body)
        .args(["-H", "content-type: application/grpc", "-H", "te: trailers", &url])
        .output()
        .expect("h2load runs: apt-get install nghttp2-client");
    let text = String::from_utf8_lossy(&output.stdout);
    let finished = text.lines().find(|l| l.starts_with("finished in")).unwrap_or_default();
    let rate = finished.split(", ").nth(1).and_then(|r| r.split(' ').next());
    assert!(text.contains(" 0 failed, 0 errored"), "every request succeeds: {text}");
    Round {
        rate: rate.and_then(|r| r.parse().ok()).expect("h2load says its rate"),
        micros: (server.processor() - before) * 1e6 / f64::from(REQUESTS),
    }
}

async fn answer(address: &str, question: v1::CheckClearanceRequest) -> v1::CheckClearanceResponse {
    let url = format!("http://{address}");
    let mut client = ClearanceServiceClient::connect(url).await.expect("the server listens");
    client.check_clearance(question).await.expect("an answer").into_inner()
}

async fn serve_bare(ready: Vec<u8>) {
    let ready = v1::CheckClearanceResponse::decode(ready.as_slice()).expect("the ready answer");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("listening on {}", listener.local_addr().expect("an address"));
    tonic::transport::Server::builder()
        .add_service(ClearanceServiceServer::new(Bare(ready)))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .expect("served");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("bare") {
        let ready = std::fs::read(arguments.next().expect("a file")).expect("the ready answer");
        return runtime.block_on(serve_bare(ready));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = |arguments: &[&str], place: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        command.args(arguments).arg(place).args(["--listen", "127.0.0.1:0"]);
        Server::start(&mut command)
    };
    // The demo makes the register, and ends. What the decision log costs: `--bench decisions`.
    drop(program(&["demo", "--dir"], folder.path()));
    let register = folder.path().join("register");
    let clearlist = program(&["serve", "--decision-log", "off", "--register"], &register);
    println!("{CONNECTIONS} connections of {STREAMS} streams, {REQUESTS} requests a round");
    for (label, question) in questions() {
        let ready = runtime.block_on(answer(&clearlist.address, question.clone()));
        let verdict = ready.decision.as_ref().map(v1::Decision::verdict);
        assert_eq!(verdict, Some(v1::Verdict::Listed), "the load asks for the full answer");
        let ready_file = folder.path().join("answer.bin");
        std::fs::write(&ready_file, ready.encode_to_vec()).expect("written");
        let me = std::env::current_exe().expect("this program");
        let bare = Server::start(Command::new(me).arg("bare").arg(&ready_file));
        let message = question.encode_to_vec();
        println!("{label}: request {} bytes, answer {} bytes", message.len(), ready.encoded_len());
        let body = folder.path().join("request.bin");
        let length = u32::try_from(message.len()).expect("small").to_be_bytes();
        let framed = [&[0], length.as_slice(), &message].concat();
        std::fs::write(&body, framed).expect("written");
        compare(&clearlist, &bare, &body);
    }
}

/// Loads both in turn and prints what came of it.
fn compare(clearlist: &Server, bare: &Server, body: &Path) {
    let mut rounds: Vec<(Round, Round)> = Vec::new();
    for round in 0..=ROUNDS {
        let (ours, theirs) = (load(clearlist, body), load(bare, body));
        // The first round warms both up.
        if round > 0 {
            print_line(&format!("round {round}"), ours, theirs, ours.rate / theirs.rate);
            rounds.push((ours, theirs));
        }
    }
    let of = |value: &dyn Fn(&(Round, Round)) -> f64| median(rounds.iter().map(value).collect());
    let ours = Round { rate: of(&|r| r.0.rate), micros: of(&|r| r.0.micros) };
    let theirs = Round { rate: of(&|r| r.1.rate), micros: of(&|r| r.1.micros) };
    print_line("median", ours, theirs, of(&|r| r.0.rate / r.1.rate));
}

fn print_line(label: &str, ours: Round, theirs: Round, ratio: f64) {
    println!(
        "  {label}: clearlist {:>6.0}/s {:>5.1} µs   bare {:>6.0}/s {:>5.1} µs   ratio {ratio:.3}, of processor time {:.3}",
        ours.rate,
        ours.micros,
        theirs.rate,
        theirs.micros,
        theirs.micros / ours.micros,
    );
}
