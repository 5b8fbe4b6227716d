//! What a register costs: starting on 1,000 revisions, accepting a revision of 100,000 entries,
//! and what lookups notice of it. Prints figures and judges nothing.
//!
//! `cargo bench --bench register`
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on says so"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clearlist::formats::list_csv::ListFiles;
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::register::statement::Statement;
use clearlist::server;
use clearlist::service::intake::{Submission, accept};
use hdrhistogram::Histogram;

#[path = "../tests/support/ceremony.rs"]
mod ceremony;
#[path = "support/generated.rs"]
mod generated;

use ceremony::{Place, Served, propose, revision};
use generated::{OWNER, code, files, names};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Revisions replayed at a start, and the materials of each, two entries a material.
const REVISIONS: usize = 1_000;
const SMALL_MATERIALS: usize = 500;
/// Materials of the large list, two entries a material.
const LARGE_MATERIALS: usize = 50_000;
/// Callers that ask while a large revision comes in.
const CALLERS: usize = 4;
/// Large revisions submitted.
const ROUNDS: usize = 5;

fn main() {
    replay();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(activation());
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
        accept(&running, submission, server::now()).expect("an accepted revision");
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

/// Submits large revisions over the network while callers ask.
async fn activation() {
    let place = Place::with(&files(LARGE_MATERIALS, 0));
    let served = place.serve().await;
    for kind in ["quiet", "while a revision of 100,000 entries comes in"] {
        let (stop, counted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let caller = |nth| ask(served.url(), nth, Arc::clone(&stop), Arc::clone(&counted));
        let callers: Vec<_> = (0..CALLERS).map(|nth| tokio::spawn(caller(nth))).collect();
        if kind == "quiet" {
            counted.store(true, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(15)).await;
        } else {
            for round in 1..=ROUNDS {
                let files = tokio::task::spawn_blocking(move || files(LARGE_MATERIALS, round));
                let files = files.await.expect("a list");
                submit(&place, &served, files, round, &counted).await;
            }
        }
        stop.store(true, Ordering::Relaxed);
        let mut all = Histogram::<u64>::new(3).expect("three digits");
        for caller in callers {
            all.add(caller.await.expect("every lookup is answered")).expect("the same range");
        }
        let micros = |q| all.value_at_quantile(q) as f64 / 1000.0;
        println!(
            "{kind}: {} lookups   median {:.0} µs   p99 {:.0} µs   p99.9 {:.0} µs   max {:.0} µs",
            all.len(),
            micros(0.5),
            micros(0.99),
            micros(0.999),
            micros(1.0)
        );
    }
}

/// Submits a list. Lookups are timed from the submission until what it replaced is freed.
async fn submit(
    place: &Place,
    served: &Served,
    files: ListFiles,
    round: usize,
    counted: &AtomicBool,
) {
    let register = served.register();
    let drafted = {
        let (register, files) = (register.clone(), files.clone());
        tokio::task::spawn_blocking(move || revision(&register, &files))
    };
    let statement = Statement::Revision(drafted.await.expect("a statement"));
    let proposal = propose(&register, &statement, Some(&files), &place.keys.quorum());
    let client = AdminServiceClient::connect(served.url()).await.expect("it listens");
    let mut client = client.max_encoding_message_size(1 << 30);
    let request = v1::SubmitProposalRequest { proposal: Some(proposal) };
    counted.store(true, Ordering::Relaxed);
    let start = Instant::now();
    client.submit_proposal(request).await.expect("accepted");
    println!("submitted {round}: {:.2} s", start.elapsed().as_secs_f64());
    tokio::time::sleep(Duration::from_secs(2)).await;
    counted.store(false, Ordering::Relaxed);
}

/// Asks one question after another, at most a thousand a second, and times those it shall.
async fn ask(
    url: String,
    nth: usize,
    stop: Arc<AtomicBool>,
    counted: Arc<AtomicBool>,
) -> Histogram<u64> {
    let mut client = ClearanceServiceClient::connect(url).await.expect("it listens");
    let mut times = Histogram::<u64>::new(3).expect("three digits");
    let mut n = nth;
    while !stop.load(Ordering::Relaxed) {
        n = (n + 7_919) % LARGE_MATERIALS;
        let request = v1::CheckClearanceRequest {
            hs_code: code(n),
            material_name: names(n).0,
            end_user_uscc: OWNER.into(),
            r#use: 1,
            ..Default::default()
        };
        let start = Instant::now();
        client.check_clearance(request).await.expect("no lookup fails");
        let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if counted.load(Ordering::Relaxed) {
            times.record(took).expect("in range");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    times
}
