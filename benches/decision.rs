//! What a decision costs on a list of 100,000 generated entries: reading, memory, exact
//! decisions, candidates. Prints figures and judges nothing.
//!
//! `cargo bench --bench decision`
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on says so"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use clearlist::domain::clearance::{Verdict, decide};
use clearlist::domain::entry::Use;
use clearlist::domain::list::List;
use clearlist::domain::question::{Question, RawQuestion};
use clearlist::formats::list_csv;
use hdrhistogram::Histogram;
use jiff::civil::date;

#[path = "support/generated.rs"]
mod generated;

use generated::{OWNER, code, files, names};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Entries of the list; every material is listed for two enterprises.
const ENTRIES: usize = 100_000;
const MATERIALS: usize = ENTRIES / 2;
/// Questions of each kind.
const QUESTIONS: usize = 20_000;

fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    let kilobytes: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    kilobytes / 1024.0
}

fn question(list: &List, hs_code: &str, name: &str) -> Question {
    let raw = RawQuestion {
        hs_code,
        material_name: name,
        end_user_uscc: OWNER,
        quantity: Some(("20", "g")),
        customs_district: "0100",
        intended_use: Some(Use::Research),
        ..RawQuestion::default()
    };
    Question::parse(&raw, list, date(2026, 11, 22)).expect("a good question")
}

/// Times of one kind of question.
struct Times(Histogram<u64>);

impl Times {
    fn new() -> Self {
        Self(Histogram::new(3).expect("three digits"))
    }

    fn record(&mut self, time: Duration) {
        self.0.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).expect("in range");
    }

    fn print(&self, label: &str) {
        let micros = |q| self.0.value_at_quantile(q) as f64 / 1000.0;
        let (median, p99, max) = (micros(0.5), micros(0.99), micros(1.0));
        println!("{label:<44} median {median:>9.3} µs   p99 {p99:>9.3} µs   max {max:>9.3} µs");
    }
}

fn measure(label: &str, mut run: impl FnMut(usize)) {
    let mut times = Times::new();
    for n in 0..QUESTIONS {
        let start = Instant::now();
        run(n);
        times.record(start.elapsed());
    }
    times.print(label);
}

/// A typo, by kind: a letter doubled, a letter lost, two letters swapped, a character replaced.
fn mistyped(name: &str, n: usize) -> String {
    let mut chars: Vec<char> = name.chars().collect();
    let at = 1 + n * 7 % (chars.len() - 2);
    match n % 4 {
        0 => chars.insert(at, chars[at]),
        1 => drop(chars.remove(at)),
        2 => chars.swap(at - 1, at),
        _ => chars[at] = if chars[at].is_ascii() { 'x' } else { '坏' },
    }
    chars.into_iter().collect()
}

fn main() {
    let files = files(MATERIALS, 0);
    let before = resident_megabytes();
    let start = Instant::now();
    let list = list_csv::read(&files).expect("the generated list is good").list;
    let took = start.elapsed();
    drop(files);
    println!(
        "{ENTRIES} entries, {} distinct names: read, linted and indexed in {:.3} s; resident {:.0} MB (of which {before:.0} MB before)",
        2 * MATERIALS,
        took.as_secs_f64(),
        resident_megabytes(),
    );
    for (which, materials) in [("any of all", MATERIALS), ("one of 500", 500)] {
        let (mut exact, mut whole) = (Times::new(), Times::new());
        for i in 0..QUESTIONS {
            let n = i * 7919 % materials;
            let (hs_code, (name, _)) = (code(n), names(n));
            let start = Instant::now();
            let question = question(&list, &hs_code, black_box(&name));
            let read = start.elapsed();
            let decision = decide(&list, black_box(&question));
            let all = start.elapsed();
            assert!(decision.verdict == Verdict::Listed);
            exact.record(all.saturating_sub(read));
            whole.record(all);
            black_box(decision);
        }
        exact.print(&format!("exact decision, {which}"));
        whole.print(&format!("reading the question and deciding, {which}"));
    }
    for (label, pick) in [("Chinese", 0), ("English", 1)] {
        let near: Vec<Question> = (0..QUESTIONS)
            .map(|i| {
                let n = i * 7919 % MATERIALS;
                let (zh, en) = names(n);
                question(&list, &code(n), &mistyped(if pick == 0 { &zh } else { &en }, i))
            })
            .collect();
        let mut found = 0;
        measure(&format!("candidates for a mistyped {label} name"), |n| {
            let decision = decide(&list, black_box(&near[n]));
            found += usize::from(decision.verdict == Verdict::Candidate);
            black_box(decision);
        });
        println!("  {found} of {QUESTIONS} had candidates");
    }
    let unknown: Vec<Question> = (0..QUESTIONS)
        .map(|n| question(&list, "9018390000", &format!("不存在的材料{}", n * 31)))
        .collect();
    measure("nothing similar", |n| {
        black_box(decide(&list, black_box(&unknown[n])));
    });
}
