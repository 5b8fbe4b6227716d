//! What a register costs: starting on 1,000 revisions, accepting a revision of 100,000 entries,
//! and what lookups notice of it. Prints figures and judges nothing.
//!
//! The server is the built program in a process of its own. This process asks, one question every
//! two milliseconds whether or not the last was answered. What is submitted is drafted, signed
//! and encoded before anything is measured, and sent by a third process, which yields to the
//! other two. Windows of equal length, quiet and not, take turns: what both have is the machine.
//!
//! A virtual machine stands still for milliseconds whenever its host likes. Two threads that go
//! before everything else (for which this must run as root) notice when, and a lookup's time is
//! given twice: as it was, and without those times.
//!
//! `cargo bench --bench register`
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on says so"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::register::statement::Statement;
use clearlist::service::intake::{Submission, accept};
use hdrhistogram::Histogram;
use prost::Message;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

#[path = "../tests/support/ceremony.rs"]
mod ceremony;
#[path = "support/generated.rs"]
mod generated;
#[path = "support/server.rs"]
mod server;
#[path = "support/standstill.rs"]
mod standstill;

use ceremony::{Place, now, propose, revision};
use generated::{OWNER, code, files, names};
use server::Server;
use standstill::Watch;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Revisions replayed at a start, and the materials of each, two entries a material.
const REVISIONS: usize = 1_000;
const SMALL_MATERIALS: usize = 500;
/// Materials of the large list, two entries a material.
const LARGE_MATERIALS: usize = 50_000;
/// Large revisions submitted, one a round.
const ROUNDS: usize = 6;
/// How long lookups are timed in each round, once quiet and once with a revision.
/// Longer than an acceptance, and than freeing what was replaced, on a busy machine too.
const WINDOW: Duration = Duration::from_secs(6);
/// From one lookup to the next.
const PACE: Duration = Duration::from_millis(2);
/// Connections that take turns.
const CONNECTIONS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    if let [_, word, url, request] = arguments.as_slice()
        && word == "submit"
    {
        return runtime.block_on(submit(url.clone(), Path::new(request)));
    }
    // With a word, only what follows it.
    if !arguments.iter().any(|argument| argument == "activation") {
        replay();
    }
    // With the log, lookups wait for the disk that the revision is written to as well.
    for log in ["off", "required"] {
        runtime.block_on(activation(log));
    }
}

/// Starts on a register of many revisions, each with one entry changed.
fn replay() {
    let place = Place::empty();
    let running = place.open();
    for nth in 0..REVISIONS {
        let files = files(SMALL_MATERIALS, nth);
        let register = running.published().register.clone();
        let statement = Statement::Revision(revision(&register, &files));
        let proposal = propose(&register, &statement, Some(&files), &place.keys.quorum());
        let submission = Submission {
            statement: proposal.statement.into(),
            checkpoint: proposal.checkpoint.into(),
            list: Some(files),
        };
        accept(&running, submission, now()).expect("an accepted revision");
    }
    drop(running);
    let stored = std::fs::metadata(place.register().join("statements")).expect("the file").len();
    for round in 1..=3 {
        let start = Instant::now();
        let running = place.open();
        println!(
            "start {round} on {} revisions of {} entries, {:.1} MB: {:.2} s",
            running.published().register.size(),
            2 * SMALL_MATERIALS,
            stored as f64 / 1e6,
            start.elapsed().as_secs_f64(),
        );
    }
}

/// Large revisions of one register, each ready to be sent: its directory with the first, and a
/// request for each further one.
fn prepare() -> (Place, Vec<PathBuf>) {
    let place = Place::with(&files(LARGE_MATERIALS, 0));
    // The server works on the register as it is now; here a copy of it goes on.
    let ahead = place.path().join("ahead");
    let mut copy = Command::new("cp");
    let copied = copy.arg("-a").arg(place.register()).arg(&ahead).status().expect("cp runs");
    assert!(copied.success(), "copied");
    let running = clearlist::service::opening::open(&ahead, now(), |_, _| ());
    let running = running.expect("a good register");
    let request = |round: usize| {
        let files = files(LARGE_MATERIALS, round);
        let register = running.published().register.clone();
        let statement = Statement::Revision(revision(&register, &files));
        let proposal = propose(&register, &statement, Some(&files), &place.keys.quorum());
        let submission = Submission {
            statement: proposal.statement.clone().into(),
            checkpoint: proposal.checkpoint.clone().into(),
            list: Some(files),
        };
        accept(&running, submission, now()).expect("an accepted revision");
        let path = place.path().join(format!("request-{round}"));
        let request = v1::SubmitProposalRequest { proposal: Some(proposal) };
        // Synced: the system would write it while lookups wait for the same disk.
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(&request.encode_to_vec()).and_then(|()| file.sync_all()).expect("written");
        path
    };
    let requests = (1..=ROUNDS).map(request).collect();
    (place, requests)
}

/// Times lookups in turns: quiet, and while a large revision is sent, read, verified, stored and
/// put in force, and what it replaced is freed.
async fn activation(log: &str) {
    println!("lookups with the decision log {log}");
    let (place, requests) = prepare();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
    command.args(["serve", "--decision-log", log, "--listen", "127.0.0.1:0", "--register"]);
    command.arg(place.register());
    let server = Server::start(&mut command);
    let watch = Watch::start();
    let url = format!("http://{}", server.address);
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(ClearanceServiceClient::connect(url.clone()).await.expect("it listens"));
    }
    ask(&clients, &watch).await;
    let mut accepted = Vec::new();
    let (mut quiets, mut busies) = (Vec::new(), Vec::new());
    for (round, request) in (1..).zip(&requests) {
        // Whatever others have written: a sync of ours would wait for it.
        Command::new("sync").status().expect("sync runs");
        let read = server.pages_read();
        let quiet = ask(&clients, &watch).await;
        let read_quiet = server.pages_read() - read;
        let mut submitter = Submitter::start(&url, request);
        let (processor, read) = (server.processor(), server.pages_read());
        submitter.send();
        let busy = ask(&clients, &watch).await;
        println!(
            "round {round}: processor {:.2} s; pages waited for {read_quiet} quiet, {} with a revision",
            server.processor() - processor,
            server.pages_read() - read,
        );
        let seconds = submitter.outcome();
        println!("  quiet");
        quiet.print();
        println!("  a revision of 100,000 entries, accepted in {seconds:.2} s");
        busy.print();
        accepted.push(seconds);
        quiets.push(quiet);
        busies.push(busy);
    }
    println!("of {ROUNDS} rounds, median and most:");
    println!("  accepted in {:.2} s, {:.2} s", median(&accepted), most(&accepted));
    print_longer("as they were", &quiets, &busies, |times| &times.whole);
    print_longer("without standstills", &quiets, &busies, |times| &times.own);
    let still = |windows: &[Times]| -> Vec<f64> {
        windows.iter().map(|times| times.still.as_secs_f64() * 1e3).collect()
    };
    // If revisions made them, there would be more with than without.
    let (quiet, busy) = (sorted(&still(&quiets)), sorted(&still(&busies)));
    println!("  standstills in ms: quiet {quiet:.0?}, with a revision {busy:.0?}");
}

/// The longest lookups of all windows, shortest first, and how much longer those were that met a
/// revision than those of the quiet window before.
fn print_longer(name: &str, quiets: &[Times], busies: &[Times], of: fn(&Times) -> &Histogram<u64>) {
    let longest = |windows: &[Times]| -> Vec<f64> {
        windows.iter().map(|times| longest(of(times))).collect()
    };
    let (quiet, busy) = (longest(quiets), longest(busies));
    let longer: Vec<f64> = busy.iter().zip(&quiet).map(|(busy, quiet)| busy - quiet).collect();
    println!("  longest lookup, {name}: {:+.1} ms, {:+.1} ms", median(&longer), most(&longer));
    println!("    quiet {:.1?}, with a revision {:.1?}", sorted(&quiet), sorted(&busy));
}

/// How long the lookups of a window took.
struct Times {
    /// From the question to its answer.
    whole: Histogram<u64>,
    /// The same without the times at which the machine stood still.
    own: Histogram<u64>,
    /// How long it stood still.
    still: Duration,
}

fn longest(times: &Histogram<u64>) -> f64 {
    times.max() as f64 / 1e6
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: &[f64]) -> f64 {
    sorted(values).get(values.len() / 2).copied().unwrap_or(0.0)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MIN, f64::max)
}

impl Times {
    fn print(&self) {
        for (name, times) in [("as they were", &self.whole), ("without standstills", &self.own)] {
            let millis = |q| times.value_at_quantile(q) as f64 / 1e6;
            println!(
                "    {name:<19}   median {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   longest {:.2} ms",
                millis(0.5),
                millis(0.99),
                millis(0.999),
                longest(times),
            );
        }
        println!(
            "    {} lookups; the machine stood still for {:.0?}",
            self.whole.len(),
            self.still
        );
    }
}

/// Asks for the length of a window, at a steady pace, and waits for every answer.
async fn ask(clients: &[ClearanceServiceClient<Channel>], watch: &Watch) -> Times {
    let mut pace = tokio::time::interval(PACE);
    // After a standstill, questions asked all at once would wait for each other. Those that could
    // not be asked in time are not asked: nobody waited for an answer.
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut asked = Vec::new();
    let began = Instant::now();
    for (nth, client) in clients.iter().cycle().enumerate() {
        pace.tick().await;
        if began.elapsed() > WINDOW {
            break;
        }
        let (mut client, n) = (client.clone(), nth * 7_919 % LARGE_MATERIALS);
        let request = v1::CheckClearanceRequest {
            hs_code: code(n),
            material_name: names(n).0,
            end_user_uscc: OWNER.into(),
            r#use: 1,
            ..Default::default()
        };
        asked.push(tokio::spawn(async move {
            let start = Instant::now();
            client.check_clearance(request).await.expect("no lookup fails");
            (start, Instant::now())
        }));
    }
    let empty = || Histogram::<u64>::new(3).expect("three digits");
    let (mut whole, mut own) = (empty(), empty());
    let record = |times: &mut Histogram<u64>, took: Duration| {
        times.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)).expect("in range");
    };
    let mut lookups = Vec::new();
    for answered in asked {
        lookups.push(answered.await.expect("every lookup is answered"));
    }
    let still = watch.since(began);
    for (start, end) in lookups {
        record(&mut whole, end - start);
        record(&mut own, (end - start).saturating_sub(still.within(start, end)));
    }
    Times { whole, own, still: still.within(began, Instant::now()) }
}

/// A process that has a request in memory and sends it when told to.
struct Submitter {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Submitter {
    fn start(url: &str, request: &Path) -> Self {
        let me = std::env::current_exe().expect("this program");
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(me).args(["submit", url]).arg(request);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the submitter starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        lines.next().expect("it is ready").expect("text");
        Self { child, lines }
    }

    fn send(&mut self) {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "send").expect("it listens");
    }

    /// Seconds from sending to the answer.
    fn outcome(&mut self) -> f64 {
        let line = self.lines.next().expect("an outcome").expect("text");
        self.child.wait().expect("it ends");
        line.parse().expect("accepted")
    }
}

async fn submit(url: String, request: &Path) {
    let bytes = std::fs::read(request).expect("a request");
    let request = v1::SubmitProposalRequest::decode(bytes.as_slice()).expect("a request");
    let client = AdminServiceClient::connect(url).await.expect("it listens");
    let mut client = client.max_encoding_message_size(1 << 30);
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).expect("told to send");
    let start = Instant::now();
    client.submit_proposal(request).await.expect("accepted");
    println!("{:.3}", start.elapsed().as_secs_f64());
}
