//! Which names are the same name: the pairs of `name_pairs.csv`, asked as questions, and the
//! vectors of `normal_form.csv`.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use clearlist::domain::clearance::{Candidate, Verdict};
use clearlist::domain::material_name::MaterialName;

mod support;
use support::{ask, full, list, row};

struct Pair {
    query: String,
    listed: String,
    synonyms: String,
    cas: String,
    expected: String,
    why: String,
}

fn pairs() -> Vec<Pair> {
    let text = include_str!("name_pairs.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|record| {
        let record = record.expect("the pairs are CSV");
        let cell = |i| record.get(i).unwrap_or_default().to_owned();
        Pair {
            query: cell(0),
            listed: cell(1),
            synonyms: cell(2),
            cas: cell(3),
            expected: cell(4),
            why: cell(5),
        }
    });
    rows.collect()
}

/// What the pair answers on a list of its one entry, all under one code: (verdict, place of the
/// entry among the candidates).
fn answer_alone(pair: &Pair) -> Result<Verdict, String> {
    let entry = row("THIS", &pair.listed).with("synonyms", &pair.synonyms).with("cas", &pair.cas);
    let list = list(&[entry]);
    ask(&list, &full(&pair.query), |decision| decision.verdict)
        .map_err(|refused| refused.iter().map(|v| v.english.clone()).collect())
}

const YES_OR_NEARLY: [Verdict; 3] = [Verdict::Listed, Verdict::Conditional, Verdict::NotCovered];

#[test]
fn every_match_pair_is_the_same_name() {
    for pair in pairs().iter().filter(|p| p.expected == "match") {
        let answer = answer_alone(pair);
        let (query, listed, why) = (&pair.query, &pair.listed, &pair.why);
        assert_eq!(answer, Ok(Verdict::Listed), "{query} against {listed}: {why}");
    }
}

#[test]
fn no_other_pair_is_ever_the_same_name() {
    for pair in pairs().iter().filter(|p| p.expected != "match") {
        if let Ok(verdict) = answer_alone(pair) {
            let (query, listed, why) = (&pair.query, &pair.listed, &pair.why);
            assert!(!YES_OR_NEARLY.contains(&verdict), "{query} is not {listed}: {why}");
        }
    }
}

/// All listed names of the pairs and of the shipped example on one list: the candidate must be
/// found among the others.
#[test]
fn nine_of_ten_candidate_pairs_show_the_entry_among_the_first_five() {
    let pairs = pairs();
    let mut names: Vec<(String, String)> =
        pairs.iter().map(|p| (p.listed.clone(), p.cas.clone())).collect();
    let mut example = csv::Reader::from_reader(include_str!("../data/entries.csv").as_bytes());
    for record in example.records() {
        let record = record.expect("the example is CSV");
        let name = record.get(5).unwrap_or_default().to_owned();
        if !name.is_empty() {
            names.push((name, String::new()));
        }
    }
    // Of one name twice, the one with a CAS number stays.
    names.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    names.dedup_by(|a, b| a.0 == b.0);
    // Names of one normal form collide under one code: each gets its own.
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, (name, cas))| {
            row(&format!("E{i:03}"), name).with("hs_code", &format!("29413{i:05}")).with("cas", cas)
        })
        .collect();
    let list = list(&rows);
    let candidates: Vec<&Pair> = pairs.iter().filter(|p| p.expected == "candidate").collect();
    let mut missed = Vec::new();
    for pair in &candidates {
        let place = names.iter().position(|(name, _)| *name == pair.listed).expect("listed");
        let code = format!("29413{place:05}");
        let mut question = full(&pair.query);
        question.hs_code = &code;
        let (verdict, shown) = ask(&list, &question, |decision| {
            let name = |c: &Candidate<'_>| c.entry.name_zh.as_ref().map(|n| n.text.to_string());
            (decision.verdict, decision.candidates.iter().map(name).collect::<Vec<_>>())
        })
        .expect("a candidate pair can be asked");
        assert!(!YES_OR_NEARLY.contains(&verdict), "{}", pair.query);
        if !shown.iter().take(5).any(|name| name.as_ref() == Some(&pair.listed)) {
            missed.push(format!("{} → {} ({shown:?})", pair.query, pair.listed));
        }
    }
    let found = candidates.len() - missed.len();
    assert!(
        found * 10 >= candidates.len() * 9,
        "{found} of {}: missed {missed:#?}",
        candidates.len()
    );
    println!(
        "{found} of {} candidate pairs among the first five; missed {missed:#?}",
        candidates.len()
    );
}

#[test]
fn the_vectors_of_the_normal_form_hold() {
    let mut reader = csv::Reader::from_reader(include_str!("normal_form.csv").as_bytes());
    for record in reader.records() {
        let record = record.expect("the vectors are CSV");
        let cell = |i| record.get(i).unwrap_or_default();
        let (input, normal, steps) = (cell(0), cell(1), cell(2));
        match MaterialName::parse(input) {
            Ok(name) => {
                assert_eq!(name.normal(), normal, "{input}");
                let taken: Vec<&str> = name.steps().iter().map(|s| s.name).collect();
                assert_eq!(taken.join(" "), steps, "{input}");
            }
            Err(error) => {
                use clearlist::domain::message::Refusal;
                assert_eq!(
                    format!("refused {}", error.reason()),
                    format!("refused {steps}"),
                    "{input:?}"
                );
                assert_eq!(normal, "", "{input:?} was refused");
            }
        }
    }
}
