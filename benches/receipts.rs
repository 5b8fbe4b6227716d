//! What a receipt costs: one caller asks a server, over a list of 100,000 entries and over the
//! example list, with and without a receipt in turn. Prints figures and judges nothing.
//!
//! `cargo bench --bench receipts`
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on says so"
)]

use std::time::Instant;

use clearlist::formats::list_csv::ListFiles;
use clearlist::formats::receipt::{verify, write};
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::register::policy::Policy;
use clearlist::register::receipt::Receipt;
use hdrhistogram::Histogram;

#[path = "../tests/support/ceremony.rs"]
mod ceremony;
#[path = "support/generated.rs"]
mod generated;

use ceremony::{Place, Served};
use generated::{OWNER, code, files, names};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Materials of the list, two entries a material.
const MATERIALS: usize = 50_000;
/// Questions of each kind, of each sort.
const QUESTIONS: usize = 20_000;
/// Receipts of each sort that are checked.
const CHECKED: usize = 2_000;

/// Nanoseconds, from one to a minute.
type Times = Histogram<u64>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(asked());
}

fn times() -> Times {
    Times::new(3).expect("three digits")
}

fn micros(times: &Times, quantile: f64) -> f64 {
    times.value_at_quantile(quantile) as f64 / 1_000.0
}

async fn asked() {
    let listed = |nth: usize| v1::CheckClearanceRequest {
        hs_code: code(nth % MATERIALS),
        material_name: names(nth % MATERIALS).0,
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    };
    let unlike = |nth: usize| v1::CheckClearanceRequest {
        hs_code: "9999999999".into(),
        material_name: format!("qzxwvkj{nth}"),
        ..listed(nth)
    };
    let absent = |nth: usize| v1::CheckClearanceRequest {
        material_name: format!("{}ZQX", names(nth % MATERIALS).0),
        ..listed(nth)
    };
    let mut figures = Figures::default();
    {
        let place = Place::with(&files(MATERIALS, 0));
        let served = place.serve().await;
        figures.ask(&served, "two rows match", &listed).await;
        figures.ask(&served, "none matches, none resembles", &unlike).await;
        figures.ask(&served, "none matches, ten resemble", &absent).await;
    }
    {
        let list = example();
        let written = misspelt(&list);
        let place = Place::with(&list);
        let served = place.serve().await;
        let question = |nth: usize| {
            let (hs_code, material_name) = written[nth % written.len()].clone();
            v1::CheckClearanceRequest { hs_code, material_name, ..listed(nth) }
        };
        figures.ask(&served, "the example list, its names misspelt", &question).await;
    }
    figures.added.sort_unstable();
    println!(
        "all questions: a receipt adds {:.0} µs at the median of the pairs",
        figures.added[figures.added.len() / 2] as f64 / 1_000.0
    );
    println!("a receipt is checked in {:.0} µs at the median", micros(&figures.checked, 0.5));
}

/// The list in `data/`.
fn example() -> ListFiles {
    ListFiles {
        schemes: include_bytes!("../data/schemes.csv").to_vec(),
        enterprises: include_bytes!("../data/enterprises.csv").to_vec(),
        entries: include_bytes!("../data/entries.csv").to_vec(),
    }
}

/// Every code of the list with its names as somebody mistypes them: a letter lost, a letter more.
fn misspelt(list: &ListFiles) -> Vec<(String, String)> {
    let mut rows = csv::Reader::from_reader(list.entries.as_slice());
    let header = rows.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|h| h == name).expect("the column");
    let columns = [column("hs_code"), column("name_zh"), column("name_en")];
    let mut written = Vec::new();
    for (nth, row) in rows.records().enumerate() {
        let row = row.expect("a row");
        let [code, zh, en] = columns.map(|column| &row[column]);
        // Some rows have no code; a declaration always has.
        let code = if code.is_empty() { "9999999999" } else { code };
        for name in [zh, en].into_iter().filter(|name| name.chars().count() > 1) {
            let omitted = nth % name.chars().count();
            let shorter = name.chars().enumerate().filter(|(place, _)| *place != omitted);
            written.push((code.to_owned(), shorter.map(|(_, letter)| letter).collect()));
            written.push((code.to_owned(), format!("{name}x")));
        }
    }
    written
}

/// What was measured.
struct Figures {
    /// What each receipt added, in nanoseconds.
    added: Vec<i64>,
    /// How long the check of a receipt took.
    checked: Times,
}

impl Default for Figures {
    fn default() -> Self {
        Self { added: Vec::new(), checked: times() }
    }
}

impl Figures {
    /// Asks questions of one kind, prints what their receipts cost, and checks some of them.
    async fn ask(
        &mut self,
        served: &Served,
        kind: &str,
        question: &dyn Fn(usize) -> v1::CheckClearanceRequest,
    ) {
        let mut client = ClearanceServiceClient::connect(served.url()).await.expect("it listens");
        let (mut taken, mut kept) = ([times(), times()], Vec::new());
        let (mut bytes, mut candidates) = (0, 0);
        for nth in 0..QUESTIONS {
            // Another material each time, and which comes first changes.
            let mut took = [0, 0];
            for receipt in [nth % 2 == 0, nth % 2 == 1] {
                let request = v1::CheckClearanceRequest { receipt, ..question(nth * 7_919) };
                let begun = Instant::now();
                let answer = client.check_clearance(request).await.expect("an answer");
                let nanos = u64::try_from(begun.elapsed().as_nanos()).expect("short");
                taken[usize::from(receipt)].record(nanos).expect("in range");
                took[usize::from(receipt)] = nanos;
                let answer = answer.into_inner();
                if let Some(v1::Receipt { decision_note, list_proof }) = answer.receipt {
                    bytes += decision_note.len() + list_proof.len();
                    candidates += answer.decision.expect("a decision").candidates.len();
                    if kept.len() < CHECKED {
                        kept.push(Receipt { decision_note, list_proof });
                    }
                }
            }
            let [without, with] = took;
            self.added.push(with.cast_signed() - without.cast_signed());
        }
        let [without, with] = &taken;
        println!(
            "{kind}: median {:.0} µs without a receipt, {:.0} µs with, {:.0} µs more \
             (99th percentile {:.0} and {:.0} µs); a receipt has {:.1} KB, {:.1} candidates",
            micros(without, 0.5),
            micros(with, 0.5),
            micros(with, 0.5) - micros(without, 0.5),
            micros(without, 0.99),
            micros(with, 0.99),
            bytes as f64 / QUESTIONS as f64 / 1_000.0,
            candidates as f64 / QUESTIONS as f64,
        );
        self.check(served, &kept);
    }

    fn check(&mut self, served: &Served, kept: &[Receipt]) {
        let policy = Policy::parse(served.register().policy().text()).expect("a policy");
        let keys = served.running.service_keys().expect("the service's keys");
        for receipt in kept {
            let begun = Instant::now();
            let held = verify(receipt, &policy, keys.current.verifier());
            let nanos = u64::try_from(begun.elapsed().as_nanos()).expect("short");
            self.checked.record(nanos).expect("in range");
            assert!(held.is_ok() && !write(receipt).is_empty(), "{:?}", held.err());
        }
    }
}
