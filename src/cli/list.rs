//! `clearlist list lint` and `clearlist list diff`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::domain::list_diff::{Change, RowChange, RowKind, diff};
use crate::domain::message::shown;
use crate::formats::list_csv;
use crate::formats::table::Problem;
use crate::service::folder;
use crate::service::snapshot::Snapshot;

use super::source::{counted, open_folder, problem_line, report_folder};
use super::{Lang, Manner, Outcome, Output};

/// Commands over list folders.
#[derive(Debug, Subcommand)]
pub(super) enum ListCommand {
    /// Check a list folder; all problems at once
    #[command(after_help = "Example:\n  clearlist list lint data")]
    Lint {
        /// Folder with schemes.csv, enterprises.csv and entries.csv
        dir: PathBuf,
    },
    /// Say what changed between two list folders
    #[command(after_help = "Example:\n  clearlist list diff last-month this-month")]
    Diff {
        /// The list before
        before: PathBuf,
        /// The list after
        after: PathBuf,
    },
}

/// Runs the command.
pub(super) fn run(manner: Manner, command: ListCommand) -> Outcome {
    match command {
        ListCommand::Lint { dir } => lint(manner, &dir),
        ListCommand::Diff { before, after } => {
            let lang = manner.lang;
            match (open_folder(lang, &before), open_folder(lang, &after)) {
                (Ok(before), Ok(after)) => print_diff(manner, &before, &after),
                (Err(outcome), _) | (_, Err(outcome)) => outcome,
            }
        }
    }
}

fn lint(manner: Manner, dir: &Path) -> Outcome {
    let files = match folder::read_files(dir) {
        Ok(files) => files,
        Err(error) => {
            report_folder(manner.lang, &error);
            return Outcome::Failed;
        }
    };
    let (list, warnings, problems) = match list_csv::read(&files) {
        Ok(read) => (
            Some([
                read.list.schemes().len(),
                read.list.enterprises().len(),
                read.list.entries().len(),
            ]),
            read.warnings(),
            Vec::new(),
        ),
        Err(problems) => (None, Vec::new(), problems),
    };
    match manner.output {
        Output::Json => {
            let all = |problems: &[Problem]| problems.iter().map(problem_json).collect::<Vec<_>>();
            let report = json!({ "problems": all(&problems), "warnings": all(&warnings) });
            anstream::println!("{report}");
        }
        Output::Text => print_lint(manner.lang, list, &warnings, &problems),
    }
    if problems.is_empty() { Outcome::Yes } else { Outcome::No }
}

fn print_lint(lang: Lang, list: Option<[usize; 3]>, warnings: &[Problem], problems: &[Problem]) {
    for problem in problems {
        anstream::println!("{}", problem_line(lang, problem));
    }
    for warning in warnings {
        let label = lang.pick("warning", "提醒");
        anstream::println!("{label}: {}", problem_line(lang, warning));
    }
    let Some([schemes, enterprises, entries]) = list else {
        anstream::println!(
            "{}",
            match lang {
                Lang::En => format!("{}; this list cannot be loaded", counted(problems.len())),
                Lang::Zh => format!("共{}个问题；该清单无法加载", problems.len()),
            }
        );
        return;
    };
    anstream::println!(
        "{}",
        match lang {
            Lang::En => format!(
                "good: {schemes} schemes, {enterprises} enterprises, {entries} entries; {} warnings",
                warnings.len()
            ),
            Lang::Zh => format!(
                "合格：{schemes}个方案，{enterprises}家企业，{entries}条；{}条提醒",
                warnings.len()
            ),
        }
    );
}

fn problem_json(problem: &Problem) -> serde_json::Value {
    json!({
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "header": problem.header,
        "cell": problem.cell,
        "reason": problem.reason,
        "messageEn": problem.english,
        "messageZh": problem.chinese,
    })
}

fn print_diff(manner: Manner, before: &Snapshot, after: &Snapshot) -> Outcome {
    let changes = diff(&before.list, &after.list);
    if manner.output == Output::Json {
        anstream::println!(
            "{}",
            json!({ "changes": changes.iter().map(change_json).collect::<Vec<_>>() })
        );
    } else {
        for change in &changes {
            anstream::println!("{}", change_text(change));
        }
        anstream::println!(
            "{}",
            match manner.lang {
                Lang::En => format!("{} rows differ", changes.len()),
                Lang::Zh => format!("{}行不同", changes.len()),
            }
        );
    }
    if changes.is_empty() { Outcome::Yes } else { Outcome::No }
}

fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Scheme => "scheme",
        RowKind::Enterprise => "enterprise",
        RowKind::Entry => "entry",
    }
}

/// A row that differs, for a person's eyes; one field a line where both have it.
pub(super) fn change_text(change: &RowChange) -> String {
    let (kind, key) = (kind_name(change.kind), shown(&change.key));
    let fields = |fields: &[(&str, String)]| {
        fields.iter().map(|(c, v)| format!("{c}={}", shown(v))).collect::<Vec<_>>().join(" ")
    };
    match &change.change {
        Change::Added(cells) => format!("+ {kind} {key}  {}", fields(cells)),
        Change::Removed(cells) => format!("- {kind} {key}  {}", fields(cells)),
        Change::Changed(changed) => {
            let mut out = format!("~ {kind} {key}");
            for field in changed {
                let (before, after) = (shown(&field.before), shown(&field.after));
                let _ = write!(out, "\n    {}: `{before}` → `{after}`", field.column);
            }
            out
        }
    }
}

/// The same for programs.
pub(super) fn change_json(change: &RowChange) -> serde_json::Value {
    let object = |fields: &[(&'static str, String)]| {
        fields.iter().map(|(c, v)| ((*c).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>()
    };
    let (what, detail) = match &change.change {
        Change::Added(cells) => ("added", json!(object(cells))),
        Change::Removed(cells) => ("removed", json!(object(cells))),
        Change::Changed(fields) => (
            "changed",
            fields
                .iter()
                .map(|f| json!({ "field": f.column, "before": f.before, "after": f.after }))
                .collect(),
        ),
    };
    json!({ "kind": kind_name(change.kind), "key": change.key, "change": what, "fields": detail })
}
