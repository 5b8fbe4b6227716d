//! What a receipt costs: one caller asks a server over a list of 100,000 entries, with and without
//! a receipt in turn. Prints figures and judges nothing.
//!
//! `cargo bench --bench receipts`
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on says so"
)]

use std::time::Instant;

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

use ceremony::Place;
use generated::{OWNER, code, files, names};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Materials of the list, two entries a material.
const MATERIALS: usize = 50_000;
/// Questions of each kind, of each sort.
const QUESTIONS: usize = 20_000;
/// Receipts that are checked.
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
    let place = Place::with(&files(MATERIALS, 0));
    let served = place.serve().await;
    let mut client = ClearanceServiceClient::connect(served.url()).await.expect("it listens");
    let listed = |nth: usize| v1::CheckClearanceRequest {
        hs_code: code(nth % MATERIALS),
        material_name: names(nth % MATERIALS).0,
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    };
    let absent = |nth: usize| v1::CheckClearanceRequest {
        material_name: format!("{}ZQX", names(nth % MATERIALS).0),
        ..listed(nth)
    };
    let unlike = |nth: usize| v1::CheckClearanceRequest {
        hs_code: "9999999999".into(),
        material_name: format!("qzxwvkj{nth}"),
        ..listed(nth)
    };
    let kinds: [(&str, &dyn Fn(usize) -> v1::CheckClearanceRequest); 3] = [
        ("two rows match", &listed),
        ("none matches, none resembles", &unlike),
        ("none matches, ten resemble", &absent),
    ];
    let mut kept = Vec::new();
    let mut added = Vec::with_capacity(kinds.len() * QUESTIONS);
    for (kind, question) in kinds {
        let mut taken = [times(), times()];
        let mut bytes = 0;
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
                if let Some(v1::Receipt { decision_note, list_proof }) = answer.into_inner().receipt
                {
                    bytes += decision_note.len() + list_proof.len();
                    if kept.len() < CHECKED {
                        kept.push(Receipt { decision_note, list_proof });
                    }
                }
            }
            let [without, with] = took;
            added.push(with.cast_signed() - without.cast_signed());
        }
        let [without, with] = &taken;
        println!(
            "{kind}: median {:.0} µs without a receipt, {:.0} µs with, {:.0} µs more \
             (99th percentile {:.0} and {:.0} µs); a receipt has {:.1} KB",
            micros(without, 0.5),
            micros(with, 0.5),
            micros(with, 0.5) - micros(without, 0.5),
            micros(without, 0.99),
            micros(with, 0.99),
            bytes as f64 / QUESTIONS as f64 / 1_000.0,
        );
    }
    added.sort_unstable();
    println!(
        "all questions: a receipt adds {:.0} µs at the median of the pairs",
        added[added.len() / 2] as f64 / 1_000.0
    );
    let policy = Policy::parse(served.register().policy().text()).expect("a policy");
    let keys = served.running.service_keys().expect("the service's keys");
    let mut checked = times();
    for receipt in &kept {
        let begun = Instant::now();
        let held = verify(receipt, &policy, keys.current.verifier());
        let nanos = u64::try_from(begun.elapsed().as_nanos()).expect("short");
        checked.record(nanos).expect("in range");
        assert!(held.is_ok() && !write(receipt).is_empty(), "{:?}", held.err());
    }
    println!("a receipt is checked in {:.0} µs at the median", micros(&checked, 0.5));
}
