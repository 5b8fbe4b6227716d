//! Several times more than the server can do: how much is still answered, and whether all else
//! is told so. The server has one processor, the callers another. Prints figures and judges
//! nothing.
//!
//! `cargo bench --bench overload` (needs `h2load`: Debian package nghttp2-client; two processors)
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on says so"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clearlist::grpc::proto::v1;
use prost::Message;

/// Rounds of each load, in turn.
const ROUNDS: usize = 5;
/// How long one round asks, in seconds.
const SECONDS: usize = 6;
/// Callers: connections, and requests in flight on each. The first is what the server does best.
const LOADS: [(usize, usize); 3] = [(8, 8), (64, 64), (128, 128)];
/// Requests that may wait for a thread: what the queue is bounded by.
const WAITING_MAX: usize = 256;

/// A question that finds two rows.
fn question() -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: "2933599053".into(),
        material_name: "恩替卡韦".into(),
        end_user_uscc: "91110108EXAMPLE11C".into(),
        quantity: Some(v1::Quantity { value: "20".into(), unit: "g".into() }),
        customs_district: "0100".into(),
        r#use: v1::Use::Research.into(),
        scheme: "beijing-2022".into(),
        ..Default::default()
    }
}

/// A server process on the first processor, ended when this is dropped.
struct Server {
    child: Child,
    address: String,
    metrics: String,
}

impl Server {
    fn start(register: &Path) -> Self {
        let waiting = format!("limits.requests_waiting_max={WAITING_MAX}");
        let mut child = Command::new("taskset")
            .args(["-c", "0", env!("CARGO_BIN_EXE_clearlist"), "serve", "--register"])
            .arg(register)
            .args(["--listen", "127.0.0.1:0", "--decision-log", "off"])
            .args(["--set", &waiting, "--set", "telemetry.metrics_listen=127.0.0.1:0"])
            .args(["--set", "telemetry.format=json"])
            .env("LANG", "C")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
        let told = said.find_map(|line| {
            let line = line.ok().filter(|line| line.contains("metrics are told"))?;
            let address = line.split("\"address\":\"").nth(1)?.split('"').next()?;
            Some(address.to_owned())
        });
        std::thread::spawn(move || said.for_each(drop));
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.next().expect("it says where it listens").expect("text");
        let address = line.split("listening on ").nth(1).unwrap_or_default();
        let address = address.split([' ', ':']).take(2).collect::<Vec<_>>().join(":");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, metrics: told.expect("it says where metrics are told") }
    }

    /// Questions by the code they ended with.
    fn ended(&self) -> Vec<(String, f64)> {
        let mut stream = TcpStream::connect(&self.metrics).expect("metrics are told");
        let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("it listens");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text");
        let of =
            "clearlist_requests_total{method=\"clearlist.v1.ClearanceService/CheckClearance\",";
        let lines = text.lines().filter_map(|line| line.strip_prefix(of));
        lines
            .filter_map(|line| {
                let (label, count) = line.split_once("} ")?;
                let code = label.split('"').nth(1)?;
                Some((code.to_owned(), count.parse().ok()?))
            })
            .collect()
    }

    /// Largest memory so far, in MiB.
    fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        kib.unwrap_or_default() / 1_024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one round gave, per second.
struct Round {
    answered: f64,
    refused: f64,
    otherwise: f64,
}

fn load(server: &Server, body: &Path, (connections, streams): (usize, usize)) -> Round {
    let url = format!("http://{}/clearlist.v1.ClearanceService/CheckClearance", server.address);
    let count = |ended: &[(String, f64)], code: &str| {
        ended.iter().find(|(name, _)| name == code).map_or(0.0, |(_, count)| *count)
    };
    let (before, begun) = (server.ended(), Instant::now());
    let output = Command::new("taskset")
        .args(["-c", "1", "h2load", "-D", &SECONDS.to_string(), "-t", "1", "-d"])
        .arg(body)
        .args(["-c", &connections.to_string(), "-m", &streams.to_string()])
        .args(["-H", "content-type: application/grpc", "-H", "te: trailers", &url])
        .output()
        .expect("h2load runs: apt-get install nghttp2-client");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (after, seconds) = (server.ended(), begun.elapsed().as_secs_f64());
    let since = |code: &str| (count(&after, code) - count(&before, code)) / seconds;
    let all: f64 = after.iter().map(|(_, count)| count).sum::<f64>()
        - before.iter().map(|(_, count)| count).sum::<f64>();
    let (answered, refused) = (since("OK"), since("UNAVAILABLE"));
    Round { answered, refused, otherwise: all / seconds - answered - refused }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("demo");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_clearlist"));
    let demo = demo.args(["demo", "--listen", "127.0.0.1:0", "--dir"]).arg(&place);
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut line = String::new();
    let out = demo.stdout.take().expect("piped");
    BufReader::new(out).read_line(&mut line).expect("it says that it listens");
    demo.kill().expect("it runs");
    demo.wait().expect("it ends");
    let server = Server::start(&place.join("register"));
    let message = question().encode_to_vec();
    let length = u32::try_from(message.len()).expect("small").to_be_bytes();
    let body = folder.path().join("request.bin");
    fs::write(&body, [&[0], length.as_slice(), &message].concat()).expect("written");
    let mut answered: [Vec<f64>; LOADS.len()] = Default::default();
    for round in 0..=ROUNDS {
        for (load_of, kept) in LOADS.into_iter().zip(&mut answered) {
            let found = load(&server, &body, load_of);
            println!(
                "round {round}: {:>6} in flight: {:>6.0}/s answered, {:>6.0}/s told OVERLOADED, {:.0}/s otherwise",
                load_of.0 * load_of.1,
                found.answered,
                found.refused,
                found.otherwise
            );
            // The first round warms up.
            if round > 0 {
                kept.push(found.answered);
            }
        }
    }
    let medians = answered.map(median);
    let best = medians.iter().copied().fold(0.0, f64::max);
    for ((connections, streams), answered) in LOADS.into_iter().zip(medians) {
        println!(
            "{:>6} in flight: {answered:>6.0}/s answered, {:.2} of the best",
            connections * streams,
            answered / best
        );
    }
    println!("{} MiB of memory at most", server.memory());
}
