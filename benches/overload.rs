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
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

#[path = "support/server.rs"]
mod server;

use server::{Server, question, request_file};

/// Rounds of each load, in turn.
const ROUNDS: usize = 5;
/// How long one round asks, in seconds.
const SECONDS: usize = 6;
/// Callers: connections, and requests in flight on each. The first is what the server does best.
const LOADS: [(usize, usize); 3] = [(8, 8), (64, 64), (128, 128)];
/// Requests that may wait for a thread: what the queue is bounded by.
const WAITING_MAX: usize = 256;

/// A server on the first processor.
struct Watched {
    server: Server,
    /// Where it tells its metrics.
    metrics: String,
}

impl Watched {
    fn start(register: &Path) -> Self {
        // Free until the server takes it.
        let metrics = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
        let metrics = metrics.expect("a free port").to_string();
        let mut command = Command::new("taskset");
        command
            .args(["-c", "0", env!("CARGO_BIN_EXE_clearlist"), "serve", "--decision-log", "off"])
            .args(["--set", &format!("limits.requests_waiting_max={WAITING_MAX}")])
            .args(["--set", &format!("telemetry.metrics_listen={metrics}")])
            .args(["--listen", "127.0.0.1:0", "--register"])
            .arg(register);
        Self { server: Server::start(&mut command), metrics }
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

    /// The same, when it has done with what the callers of the round before left behind.
    fn at_rest(&self) -> Vec<(String, f64)> {
        loop {
            let ended = self.ended();
            thread::sleep(Duration::from_millis(300));
            if self.ended() == ended {
                return ended;
            }
        }
    }

    /// Largest memory so far, in MiB.
    fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        kib.unwrap_or_default() / 1_024
    }
}

/// What one round gave, per second.
struct Round {
    answered: f64,
    refused: f64,
    /// Every other code that questions ended with.
    otherwise: Vec<(String, f64)>,
}

fn load(watched: &Watched, body: &Path, (connections, streams): (usize, usize)) -> Round {
    let url =
        format!("http://{}/clearlist.v1.ClearanceService/CheckClearance", watched.server.address);
    let count = |ended: &[(String, f64)], code: &str| {
        ended.iter().find(|(name, _)| name == code).map_or(0.0, |(_, count)| *count)
    };
    let (before, begun) = (watched.at_rest(), Instant::now());
    let output = Command::new("taskset")
        .args(["-c", "1", "h2load", "-D", &SECONDS.to_string(), "-t", "1", "-d"])
        .arg(body)
        .args(["-c", &connections.to_string(), "-m", &streams.to_string()])
        .args(["-H", "content-type: application/grpc", "-H", "te: trailers", &url])
        .output()
        .expect("h2load runs: apt-get install nghttp2-client");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (after, seconds) = (watched.ended(), begun.elapsed().as_secs_f64());
    let since = |code: &str| (count(&after, code) - count(&before, code)) / seconds;
    let others = after.iter().map(|(code, _)| code.as_str());
    let otherwise = others
        .filter(|code| !["OK", "UNAVAILABLE"].contains(code))
        .map(|code| (code.to_owned(), since(code)))
        .filter(|(_, number)| *number > 0.0)
        .collect();
    Round { answered: since("OK"), refused: since("UNAVAILABLE"), otherwise }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Watched::start(&server::register(&folder.path().join("demo")));
    let body = request_file(folder.path(), &question());
    let mut answered: [Vec<f64>; LOADS.len()] = Default::default();
    for round in 0..=ROUNDS {
        for (load_of, kept) in LOADS.into_iter().zip(&mut answered) {
            let found = load(&watched, &body, load_of);
            println!(
                "round {round}: {:>6} in flight: {:>6.0}/s answered, {:>6.0}/s told OVERLOADED, otherwise {:.0?}",
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
    println!("{} MiB of memory at most", watched.memory());
}
