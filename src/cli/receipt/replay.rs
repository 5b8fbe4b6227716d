//! `clearlist receipt replay`: decisions made again from a stored register.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
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
/// From so many bytes of a file on a bar shows how far it is.
const PROGRESS_BYTES_MIN: u64 = 1 << 20;
/// Decisions that are read before they are decided again, in the order of the lists they rest
/// on. Some 4 KB of memory each.
const BLOCK: usize = 25_000;

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

/// What came of all of them.
#[derive(Default)]
struct Found {
    decisions: usize,
    /// Lines that do not say the same again.
    differing: Vec<usize>,
    /// What the first of those say.
    shown: Vec<(usize, again::Outcome)>,
}

pub(super) fn run(manner: Manner, path: &Path, register: &Path) -> Result<(), Outcome> {
    let lang = manner.lang;
    let fail = |problem: &dyn Display| {
        complain(&format!("{}: {problem}", path.display()));
        Outcome::Failed
    };
    let file = File::open(path).map_err(|error| fail(&error))?;
    let bytes = file.metadata().map_or(0, |about| about.len());
    let (store, replayed) =
        opening::read(register, |_, _| ()).map_err(|error| refuse(lang, register, &error))?;
    let again = Again::new(&*store, &replayed.register);
    let bar = indicatif::ProgressBar::hidden();
    if bytes >= PROGRESS_BYTES_MIN {
        bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        bar.set_length(bytes);
    }
    let mut found = Found::default();
    let mut lines = (1..).zip(BufReader::new(bar.wrap_read(file)).split(b'\n'));
    loop {
        let mut block = Vec::new();
        for (line, read) in lines.by_ref() {
            let given = read.map_err(|error| fail(&error))?;
            if given.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match decision(&given) {
                Some(text) => block.push(Given { line, text }),
                None => found.add(line, again::Outcome::Impossible(neither(lang, &given))),
            }
            if block.len() == BLOCK {
                break;
            }
        }
        if block.is_empty() {
            break;
        }
        // Every list is read once.
        block.sort_by_key(|given| (again.revision(&given.text), given.line));
        for Given { line, text } in &block {
            let outcome = again.decide(text);
            found.add(*line, outcome.map_err(|error| refuse(lang, register, &error.into()))?);
        }
    }
    bar.finish_and_clear();
    found.differing.sort_unstable();
    match manner.output {
        Output::Text => report(lang, &mut found),
        Output::Json => {
            let Found { decisions, differing, .. } = &found;
            let identical = decisions - differing.len();
            anstream::println!(
                "{}",
                json!({ "decisions": decisions, "identical": identical, "differing_lines": differing })
            );
        }
    }
    if found.differing.is_empty() { Ok(()) } else { Err(Outcome::No) }
}

impl Found {
    fn add(&mut self, line: usize, outcome: again::Outcome) {
        self.decisions += 1;
        if matches!(outcome, again::Outcome::Identical) {
            return;
        }
        self.differing.push(line);
        // Within a block they come in another order than that of the file.
        self.shown.push((line, outcome));
        if self.shown.len() > 2 * SHOWN_MAX {
            self.keep_first();
        }
    }

    fn keep_first(&mut self) {
        self.shown.sort_by_key(|(line, _)| *line);
        self.shown.truncate(SHOWN_MAX);
    }
}

/// What is said of a line that holds no decision.
fn neither(lang: Lang, given: &[u8]) -> String {
    let what =
        lang.pick("is neither a receipt nor an exported decision", "既不是凭证，也不是导出的结论");
    format!("`{}` {what}", excerpt(&String::from_utf8_lossy(given)))
}

fn report(lang: Lang, found: &mut Found) {
    found.keep_first();
    for (line, outcome) in &found.shown {
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
    let (count, differs) = (found.decisions, found.differing.len());
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
