//! `clearlist receipt replay`: decisions made again from a stored register.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use crate::cli::serve::refuse;
use crate::cli::{Lang, Manner, Outcome, Output, complain};
use crate::domain::message::{excerpt, shown};
use crate::formats::receipt::{self, RECEIPT_BYTES_MAX};
use crate::register::decision_text::DecisionText;
use crate::register::evidence::Evidence;
use crate::register::note::Note;
use crate::register::tlog_proof::TlogProof;
use crate::service::again::{self, Again};
use crate::service::opening;

/// Differences shown in full.
const SHOWN_MAX: usize = 20;
/// From so many decisions on a bar shows how far it is.
const PROGRESS_MIN: usize = 1_000;

/// A decision as it is exported. Other fields repeat what its text says.
#[derive(Deserialize)]
struct Exported {
    answer: String,
}

/// A decision, and the line of the file it stands on.
struct Given {
    line: usize,
    text: DecisionText<'static>,
}

pub(super) fn run(manner: Manner, path: &Path, register: &Path) -> Result<(), Outcome> {
    let lang = manner.lang;
    let mut given = read(lang, path)?;
    let (store, replayed) =
        opening::read(register, |_, _| ()).map_err(|error| refuse(lang, register, &error))?;
    let again = Again::new(&*store, &replayed.register);
    let count = given.len();
    // Every list is read once.
    given.sort_by_key(|given| (again.revision(&given.text), given.line));
    let bar = indicatif::ProgressBar::hidden();
    if count >= PROGRESS_MIN {
        bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        bar.set_length(count as u64);
    }
    let mut differing: Vec<(usize, again::Outcome)> = Vec::new();
    for Given { line, text } in &given {
        let outcome = again.decide(text).map_err(|error| refuse(lang, register, &error.into()))?;
        if !matches!(outcome, again::Outcome::Identical) {
            differing.push((*line, outcome));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    differing.sort_by_key(|(line, _)| *line);
    match manner.output {
        Output::Text => report(lang, count, &differing),
        Output::Json => {
            let lines: Vec<usize> = differing.iter().map(|(line, _)| *line).collect();
            let found = json!({ "decisions": count, "identical": count - lines.len(), "differing_lines": lines });
            anstream::println!("{found}");
        }
    }
    if differing.is_empty() { Ok(()) } else { Err(Outcome::No) }
}

fn report(lang: Lang, count: usize, differing: &[(usize, again::Outcome)]) {
    for (line, outcome) in differing.iter().take(SHOWN_MAX) {
        match outcome {
            again::Outcome::Identical => {}
            again::Outcome::Impossible(problem) => {
                let what = lang.pick("cannot be decided again:", "无法重新判定：");
                anstream::println!("{line}: {what} {}", shown(problem));
            }
            again::Outcome::Differs(differences) => {
                for difference in differences {
                    let (said, again) = (shown(&difference.said), shown(&difference.again));
                    anstream::println!("{line}: {}: {said} → {again}", difference.line);
                }
            }
        }
    }
    let differs = differing.len();
    anstream::println!(
        "{}",
        match lang {
            Lang::En if differs == 0 => format!("{count} decided again, all identical"),
            Lang::En => format!("{count} decided again, {differs} DIFFER"),
            Lang::Zh if differs == 0 => format!("已重新判定{count}项，全部一致"),
            Lang::Zh => format!("已重新判定{count}项，{differs}项不一致"),
        }
    );
}

/// The decisions of a file.
fn read(lang: Lang, path: &Path) -> Result<Vec<Given>, Outcome> {
    let fail = |problem: String| {
        complain(&format!("{}: {problem}", path.display()));
        Outcome::Failed
    };
    let file = File::open(path).map_err(|error| fail(error.to_string()))?;
    let mut out = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file.take(u64::MAX)).split(b'\n')) {
        let bytes = line.map_err(|error| fail(error.to_string()))?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let text = decision(&bytes).ok_or_else(|| {
            let what = lang.pick(
                "is neither a receipt nor an exported decision",
                "既不是凭证，也不是导出的结论",
            );
            fail(format!("{number}: `{}` {what}", excerpt(&String::from_utf8_lossy(&bytes))))
        })?;
        out.push(Given { line: number, text });
    }
    Ok(out)
}

fn decision(bytes: &[u8]) -> Option<DecisionText<'static>> {
    if let Ok(exported) = serde_json::from_slice::<Exported>(bytes) {
        return DecisionText::parse(&exported.answer).ok().map(|(text, _)| text);
    }
    if bytes.len() > RECEIPT_BYTES_MAX {
        return None;
    }
    let receipt = receipt::read(bytes).ok()?;
    let proof = TlogProof::parse(&receipt.list_proof).ok()?;
    let evidence = Evidence::parse(&proof.extra)?;
    let note = Note::parse(receipt.decision_note.as_bytes()).ok()?;
    let text = evidence.line.as_ref().map_or(note.text(), |line| &line.text);
    DecisionText::parse(text).ok().map(|(text, _)| text)
}
