//! `clearlist decisions`: what was answered, read from the log's own files, also while a server
//! writes them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use crate::domain::clearance::Verdict;
use crate::domain::message::{Refusal, shown};
use crate::domain::{hs_code, uscc};
use crate::service::decisions::DIRECTORY;
use crate::service::decisions::reading::{Filter, Logged, Next, Order, Unread, read};

use super::{Lang, Manner, Outcome, Output, complain, instant};

/// Commands over decision logs.
#[derive(Debug, Subcommand)]
pub(super) enum DecisionsCommand {
    /// Show answers, the newest first
    #[command(after_help = "\
Example:
  clearlist decisions list --register register --from 2026-11-01 --end-user 91110108EXAMPLE11C")]
    List {
        #[command(flatten)]
        place: PlaceArgs,
        #[command(flatten)]
        filter: FilterArgs,
        /// Answers to show
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u64,
    },
    /// Write answers out whole, the oldest first
    #[command(after_help = "\
Example:
  clearlist decisions export --register register --from 2026-01-01 --until 2027-01-01 -o 2026.jsonl

JSON lines hold each answer exactly. CSV is for spreadsheets: a cell that one would take for a
formula (it begins with = + - @, tab or return) gets a ' before it.")]
    Export {
        #[command(flatten)]
        place: PlaceArgs,
        #[command(flatten)]
        filter: FilterArgs,
        /// Form of the lines
        #[arg(long, value_enum, default_value = "json-lines")]
        format: Format,
        /// File to make, readable by its owner only [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Which log.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct PlaceArgs {
    /// Directory of the decision log
    #[arg(long, value_name = "DIR")]
    decisions: Option<PathBuf>,
    /// Register directory with the log in it
    #[arg(long, value_name = "DIR")]
    register: Option<PathBuf>,
}

/// Which answers.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Decided at or after this: 2026-11-01 (00:00 in Asia/Shanghai) or an instant
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Decided before this
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// For this end user
    #[arg(long, value_name = "USCC")]
    end_user: Option<String>,
    /// Under this code, to its last digit
    #[arg(long, value_name = "CODE")]
    hs: Option<String>,
    /// With this verdict
    #[arg(long, value_enum)]
    verdict: Option<VerdictArg>,
    /// Asked by this caller; empty for callers without a name
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
}

/// A verdict, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerdictArg {
    Listed,
    Conditional,
    NotCovered,
    Candidate,
    NotListed,
}

/// Form of exported lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line.
    JsonLines,
    /// One line a record, with a header.
    Csv,
}

/// Runs the command.
pub(super) fn run(manner: Manner, command: DecisionsCommand) -> Outcome {
    let lang = manner.lang;
    let done = match command {
        DecisionsCommand::List { place, filter, limit } => list(manner, &place, &filter, limit),
        DecisionsCommand::Export { place, filter, format, out } => {
            let format = if manner.output == Output::Json { Format::JsonLines } else { format };
            export(lang, &place, &filter, format, out.as_deref())
        }
    };
    done.unwrap_or_else(|outcome| outcome)
}

impl PlaceArgs {
    fn directory(&self) -> PathBuf {
        match (&self.decisions, &self.register) {
            (Some(decisions), _) => decisions.clone(),
            (None, register) => register.clone().unwrap_or_default().join(DIRECTORY),
        }
    }
}

impl FilterArgs {
    fn parse(&self, lang: Lang) -> Result<Filter, Outcome> {
        let refused = |option: &str, refusal: &dyn Refusal| {
            let (english, chinese) = (refusal.english(), refusal.chinese());
            complain(&match lang {
                Lang::En => format!("{option}: {english}"),
                Lang::Zh => format!("{option}：{chinese}"),
            });
            Outcome::Usage
        };
        let at = |option, given: &Option<String>| {
            given.as_ref().map(|given| instant::parse(lang, option, given)).transpose()
        };
        let end_user = self.end_user.as_ref().map(|given| {
            let (uscc, _steps) = uscc::parse(given).map_err(|e| refused("--end-user", &e))?;
            Ok(uscc.as_str().to_owned())
        });
        let hs_code = self.hs.as_ref().map(|given| {
            let parsed = hs_code::parse(given).map_err(|e| refused("--hs", &e))?;
            Ok(parsed.code.as_str().to_owned())
        });
        Ok(Filter {
            from: at("--from", &self.from)?,
            until: at("--until", &self.until)?,
            end_user: end_user.transpose()?,
            hs_code: hs_code.transpose()?,
            verdict: self.verdict.map(|verdict| match verdict {
                VerdictArg::Listed => Verdict::Listed,
                VerdictArg::Conditional => Verdict::Conditional,
                VerdictArg::NotCovered => Verdict::NotCovered,
                VerdictArg::Candidate => Verdict::Candidate,
                VerdictArg::NotListed => Verdict::NotListed,
            }),
            caller: self.caller.clone(),
        })
    }
}

fn list(
    manner: Manner,
    place: &PlaceArgs,
    filter: &FilterArgs,
    limit: u64,
) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let filter = filter.parse(lang)?;
    let directory = place.directory();
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut shown_rows, mut is_more) = (0, false);
    let unread = read(&directory, &filter, Order::NewestFirst, |logged| {
        if shown_rows == limit {
            is_more = true;
            return Ok(Next::Enough);
        }
        match manner.output {
            Output::Json => json_line(&mut out, &logged)?,
            Output::Text => {
                if shown_rows == 0 {
                    table_line(&mut out, lang.pick_row(&HEADER_EN, &HEADER_ZH))?;
                }
                table_row(&mut out, &logged)?;
            }
        }
        shown_rows += 1;
        Ok(Next::More)
    });
    let unread = unread.and_then(|unread| out.flush().map(|()| unread));
    let unread = unread.map_err(|error| failed(lang, &directory, &error))?;
    if manner.output == Output::Text && shown_rows == 0 {
        anstream::eprintln!("{}", lang.pick("no answer fits", "没有符合条件的记录"));
    }
    if is_more {
        anstream::eprintln!(
            "{}",
            lang.pick(
                "there are more; raise --limit, or use export",
                "还有更多记录；请提高--limit，或使用export"
            )
        );
    }
    Ok(report(lang, &unread))
}

fn export(
    lang: Lang,
    place: &PlaceArgs,
    filter: &FilterArgs,
    format: Format,
    out: Option<&Path>,
) -> Result<Outcome, Outcome> {
    let filter = filter.parse(lang)?;
    let directory = place.directory();
    // Readable first: an empty file must not be left where there is no log.
    std::fs::read_dir(&directory).map_err(|error| failed(lang, &directory, &error))?;
    let mut file = None;
    let sink: Box<dyn Write> = match out {
        Some(path) => {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let made = made.and_then(|made| Ok((made.try_clone()?, made)));
            let (also, made) = made.map_err(|error| failed(lang, path, &error))?;
            file = Some(also);
            Box::new(made)
        }
        None => Box::new(io::stdout().lock()),
    };
    let written = write_out(&directory, &filter, format, sink, file.as_ref());
    let unread = written.map_err(|error| failed(lang, &directory, &error))?;
    Ok(report(lang, &unread))
}

fn write_out(
    directory: &Path,
    filter: &Filter,
    format: Format,
    sink: Box<dyn Write>,
    file: Option<&File>,
) -> io::Result<Unread> {
    let mut sink = BufWriter::new(sink);
    let unread = match format {
        Format::JsonLines => read(directory, filter, Order::OldestFirst, |logged| {
            json_line(&mut sink, &logged)?;
            Ok(Next::More)
        })?,
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut sink);
            csv.write_record(COLUMNS)?;
            let unread = read(directory, filter, Order::OldestFirst, |logged| {
                csv.write_record(cells(&logged).map(|cell| for_spreadsheets(&cell)))?;
                Ok(Next::More)
            })?;
            csv.flush()?;
            unread
        }
    };
    sink.flush()?;
    if let Some(file) = file {
        file.sync_all()?;
    }
    Ok(unread)
}

/// Names of what is exported, in JSON and CSV.
const COLUMNS: [&str; 10] = [
    "segment",
    "id",
    "decide_time",
    "caller",
    "end_user",
    "hs_code",
    "verdict",
    "revision",
    "correlation_id",
    "answer",
];

fn cells(logged: &Logged) -> [String; 10] {
    [
        logged.segment.clone(),
        logged.id.to_string(),
        logged.decide_time.to_string(),
        logged.caller.clone(),
        logged.end_user.clone(),
        logged.hs_code.clone(),
        logged.verdict.clone(),
        logged.revision.to_string(),
        logged.correlation_id.clone(),
        logged.answer.clone(),
    ]
}

fn json_line(out: &mut impl Write, logged: &Logged) -> io::Result<()> {
    let line = json!({
        "segment": logged.segment,
        "id": logged.id,
        "decide_time": logged.decide_time.to_string(),
        "caller": logged.caller,
        "end_user": logged.end_user,
        "hs_code": logged.hs_code,
        "verdict": logged.verdict,
        "revision": logged.revision,
        "correlation_id": logged.correlation_id,
        "answer": logged.answer,
    });
    writeln!(out, "{line}")
}

/// A cell that no spreadsheet takes for a formula: correlation ids are whatever a caller sent.
fn for_spreadsheets(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

/// Heads of the table, and the width of each column.
const HEADER_EN: [&str; 7] =
    ["decided (+08:00)", "verdict", "code", "end user", "revision", "caller", "correlation id"];
const HEADER_ZH: [&str; 7] =
    ["时间(+08:00)", "结论", "商品编号", "消费使用单位", "修订", "查询方", "序号"];
const WIDTHS: [usize; 7] = [23, 11, 10, 18, 8, 12, 0];

impl Lang {
    const fn pick_row<'a>(
        self,
        english: &'a [&'a str; 7],
        chinese: &'a [&'a str; 7],
    ) -> &'a [&'a str; 7] {
        match self {
            Self::En => english,
            Self::Zh => chinese,
        }
    }
}

fn table_row(out: &mut impl Write, logged: &Logged) -> io::Result<()> {
    let revision = logged.revision.to_string();
    let (caller, correlation_id) = (shown(&logged.caller), shown(&logged.correlation_id));
    table_line(
        out,
        &[
            &local(logged.decide_time),
            &logged.verdict,
            &logged.hs_code,
            &logged.end_user,
            &revision,
            &caller,
            &correlation_id,
        ],
    )
}

fn table_line(out: &mut impl Write, cells: &[&str; 7]) -> io::Result<()> {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(WIDTHS) {
        line.push_str(cell);
        // A Chinese character is two columns wide.
        let columns: usize = cell.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(columns) + 2));
    }
    writeln!(out, "{}", line.trim_end())
}

/// `2026-11-22 13:52:01.123`
fn local(at: Timestamp) -> String {
    let zoned = at.to_zoned(instant::zone());
    zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn failed(lang: Lang, place: &Path, error: &io::Error) -> Outcome {
    let place = place.display();
    complain(&match lang {
        Lang::En => format!("{place}: {error}"),
        Lang::Zh => format!("{place}：{error}"),
    });
    Outcome::Failed
}

/// Says what was not read; nobody shall take a part for the whole.
fn report(lang: Lang, unread: &Unread) -> Outcome {
    for (file, reason) in &unread.failed {
        complain(&match lang {
            Lang::En => format!("`{file}` was not read, or not to its end: {reason}"),
            Lang::Zh => format!("`{file}`未能读取或未读到末尾：{reason}"),
        });
    }
    for file in &unread.set_aside {
        complain(&match lang {
            Lang::En => format!("`{file}` was set aside as damaged and is not read"),
            Lang::Zh => format!("`{file}`因损坏被搁置，未读取"),
        });
    }
    let is_whole = unread.failed.is_empty() && unread.set_aside.is_empty();
    if is_whole { Outcome::Yes } else { Outcome::Failed }
}
