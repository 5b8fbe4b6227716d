//! What the decision log costs: `CheckClearance` served with `--decision-log required` and with
//! `off`, the same load in alternating rounds. Prints throughput, latencies and their ratio, and
//! judges nothing.
//!
//! `cargo bench --bench decisions` (needs `h2load`: Debian package nghttp2-client)
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on says so"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "support/server.rs"]
mod server;

use server::{Server, question, request_file};

/// Rounds of each server, one after the other in turn: many short ones, so that a machine which
/// stands still now and then spoils some of them and not their median.
const ROUNDS: usize = 31;
/// Requests of a round.
const REQUESTS: usize = 24_000;
/// How the callers are spread: connections, and requests in flight on each.
const CALLERS: [(usize, usize); 4] = [(64, 1), (8, 8), (16, 1), (1, 1)];

/// One round: requests a second, and every latency in microseconds, sorted.
fn load(server: &Server, body: &Path, callers: (usize, usize), requests: usize) -> (f64, Vec<u64>) {
    let url = format!("http://{}/clearlist.v1.ClearanceService/CheckClearance", server.address);
    let log = body.with_extension("log");
    // h2load adds to a log that is there.
    let _ = fs::remove_file(&log);
    let (connections, streams) = (callers.0.to_string(), callers.1.to_string());
    let output = Command::new("h2load")
        .args(["-n", &requests.to_string(), "-c", &connections, "-m", &streams, "-t", "1", "-d"])
        .arg(body)
        .arg(format!("--log-file={}", log.display()))
        .args(["-H", "content-type: application/grpc", "-H", "te: trailers", &url])
        .output()
        .expect("h2load runs: apt-get install nghttp2-client");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" 0 failed, 0 errored"), "every request succeeds: {text}");
    let finished = text.lines().find(|l| l.starts_with("finished in")).unwrap_or_default();
    let rate = finished.split(", ").nth(1).and_then(|r| r.split(' ').next());
    let rate = rate.and_then(|r| r.parse().ok()).expect("h2load says its rate");
    let lines = fs::read_to_string(&log).expect("h2load wrote its log");
    let mut latencies: Vec<u64> =
        lines.lines().filter_map(|l| l.split('\t').nth(2)?.parse().ok()).collect();
    assert_eq!(latencies.len(), requests, "a latency of each");
    latencies.sort_unstable();
    (rate, latencies)
}

/// What the rounds of one server gave.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    latencies: Vec<u64>,
}

impl Rounds {
    fn add(&mut self, (rate, latencies): (f64, Vec<u64>)) -> f64 {
        self.rates.push(rate);
        self.latencies.extend(latencies);
        rate
    }

    /// Milliseconds.
    fn percentile(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let nth = self.latencies.len() * percent / 100;
        self.latencies.get(nth).copied().unwrap_or(0) as f64 / 1_000.0
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve = |mode: &str| {
        let register = server::register(&folder.path().join(mode));
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        command.args(["serve", "--decision-log", mode, "--listen", "127.0.0.1:0", "--register"]);
        Server::start(command.arg(register).env("RUST_LOG", "warn"))
    };
    let (off, required) = (serve("off"), serve("required"));
    let body = request_file(folder.path(), &question());
    for callers in CALLERS {
        // One caller alone takes ten times as long.
        let in_flight = callers.0 * callers.1;
        let requests = if in_flight == 1 { REQUESTS / 20 } else { REQUESTS };
        println!(
            "{in_flight} in flight, on {} connections; {requests} requests a round",
            callers.0
        );
        compare(&off, &required, &body, callers, requests);
    }
    let logged = folder.path().join("required/register/decisions");
    let bytes: u64 = fs::read_dir(logged)
        .expect("the log is there")
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum();
    let answers = CALLERS.iter().map(|c| if c.0 == 1 { REQUESTS / 20 } else { REQUESTS });
    let answers = answers.sum::<usize>() * (ROUNDS + 1);
    println!("log: {} MiB, {} bytes an answer", bytes >> 20, bytes / answers as u64);
}

/// Loads both in turn and prints what came of it.
fn compare(off: &Server, required: &Server, body: &Path, callers: (usize, usize), requests: usize) {
    let (mut without, mut with) = (Rounds::default(), Rounds::default());
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let (a, b) = (load(off, body, callers, requests), load(required, body, callers, requests));
        // The first round warms both up.
        if round > 0 {
            let (a, b) = (without.add(a), with.add(b));
            println!("  round {round}: off {a:>7.0}/s  required {b:>7.0}/s  ratio {:.3}", b / a);
            ratios.push(b / a);
        }
    }
    for (name, rounds) in [("off", &mut without), ("required", &mut with)] {
        println!(
            "  {name:<8} {:>7.0}/s  latency ms: 50th {:.3}  99th {:.3}",
            median(rounds.rates.clone()),
            rounds.percentile(50),
            rounds.percentile(99)
        );
    }
    println!("  ratio of pairs, median: {:.3}", median(ratios));
}
