//! `clearlist check-file`: a whole order or manifest, CSV in, CSV out. The input's columns are
//! kept and the answer's added; a bad line is reported and the rest goes on.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::domain::quantity;
use crate::formats::table::{Records, text};
use crate::grpc::json::to_json;
use crate::grpc::{proto::v1, status};

use super::answer::{reason_name, verdict_name};
use super::check::{date_of, use_of};
use super::source::{Source, report_status, status_text};
use super::{Lang, Manner, Outcome, Output, SourceArgs, complain};

/// Questions of one call: small enough for steady progress, large enough to waste no time.
const CHUNK_ITEMS: usize = 500;

/// The answer's columns.
const ANSWER_COLUMNS: [&str; 7] = [
    "clearlist_verdict",
    "clearlist_reasons",
    "clearlist_what_to_do",
    "clearlist_entry_ids",
    "clearlist_candidate_ids",
    "clearlist_list",
    "clearlist_error",
];

/// Columns that are read, each with its other names.
const QUESTION_COLUMNS: [(&str, &[&str]); 13] = [
    ("hs_code", &["商品编号", "商品编码", "hs编码", "hs"]),
    ("material_name", &["商品名称", "物品名称", "名称", "name"]),
    ("cas_number", &["cas号", "cas"]),
    ("end_user_uscc", &["消费使用单位", "消费使用单位代码", "统一社会信用代码", "uscc"]),
    ("specification", &["规格", "规格型号"]),
    ("manufacturer", &["生产商", "制造商", "生产厂家"]),
    ("quantity", &["数量", "申报数量"]),
    ("unit", &["单位", "申报单位", "计量单位"]),
    ("customs_district", &["关区", "申报地海关", "关区代码"]),
    ("use", &["用途"]),
    ("scheme", &["方案"]),
    ("declaration_date", &["申报日期", "日期"]),
    ("correlation_id", &["序号", "项号"]),
];

/// Arguments of `clearlist check-file`.
#[derive(Debug, Args)]
pub(super) struct CheckFileArgs {
    /// CSV file (UTF-8) with one question a line
    file: PathBuf,
    /// Where the answers go [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, args: CheckFileArgs) -> Outcome {
    let lang = manner.lang;
    let lines = match Lines::read(lang, &args.file) {
        Ok(lines) => lines,
        Err(outcome) => return outcome,
    };
    let mut source = match Source::open(lang, &args.source).await {
        Ok(source) => source,
        Err(outcome) => return outcome,
    };
    let mut answers = match Answers::create(manner, &args, &lines) {
        Ok(answers) => answers,
        Err(error) => return cannot_write(lang, &error),
    };
    let progress = ProgressBar::new(lines.rows.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}") {
        progress.set_style(style);
    }
    for chunk in lines.rows.chunks(CHUNK_ITEMS) {
        let asked: Vec<v1::CheckClearanceRequest> =
            chunk.iter().filter_map(|row| row.question.clone().ok()).collect();
        let results = if asked.is_empty() {
            Vec::new()
        } else {
            match source.batch(asked).await {
                Ok(results) => results,
                Err(refused) => return report_status(lang, &refused),
            }
        };
        let mut results = results.into_iter();
        for row in chunk {
            let written = match &row.question {
                Err(problem) => answers.write_error(row, problem),
                Ok(_) => answers.write_result(row, results.next()),
            };
            if let Err(error) = written {
                return cannot_write(lang, &error);
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    match answers.finish() {
        Ok(counts) => counts.report(lang),
        Err(error) => cannot_write(lang, &error),
    }
}

fn cannot_write(lang: Lang, error: &io::Error) -> Outcome {
    complain(&format!("{} {error}", lang.pick("cannot write the answers:", "无法写入结果：")));
    Outcome::Failed
}

/// A line of the file: its cells as they were, and what it asks.
struct FileRow {
    line: u64,
    cells: Vec<String>,
    question: Result<v1::CheckClearanceRequest, String>,
}

/// The file, read whole.
struct Lines {
    header: Vec<String>,
    rows: Vec<FileRow>,
}

impl Lines {
    fn read(lang: Lang, path: &Path) -> Result<Self, Outcome> {
        let failed = |message: String| {
            complain(&format!("{}: {message}", path.display()));
            Outcome::Failed
        };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let content = text("", &bytes).map_err(|problem| {
            let said = lang.pick(&problem.english, &problem.chinese);
            failed(format!("{} {}: {said}", lang.pick("line", "第几行"), problem.line))
        })?;
        let mut records = Records::new(content);
        let mut header: Option<(Vec<String>, Columns)> = None;
        let mut rows = Vec::new();
        while let Some(record) = records.next().map_err(|error| failed(error.to_string()))? {
            let line = record.line;
            let cells: Vec<String> = record.cells.iter().map(ToOwned::to_owned).collect();
            let Some((names, columns)) = &header else {
                let columns = Columns::find(&cells);
                if columns.places.iter().take(3).all(Option::is_none) {
                    return Err(failed(
                        lang.pick(
                            "the first line must name the columns; hs_code and material_name or cas_number are needed",
                            "首行应为列名；需要商品编号，以及商品名称或CAS号",
                        )
                        .to_owned(),
                    ));
                }
                header = Some((cells, columns));
                continue;
            };
            let question = if record.open_quote {
                Err(lang.pick("a quotation mark is never closed", "引号没有闭合").to_owned())
            } else if cells.len() == names.len() {
                columns.question(lang, &cells)
            } else {
                let (found, wanted) = (cells.len(), names.len());
                Err(match lang {
                    Lang::En => format!("the line has {found} cells and the header {wanted}"),
                    Lang::Zh => format!("该行有{found}个单元格，而表头有{wanted}个"),
                })
            };
            rows.push(FileRow { line, cells, question });
        }
        let Some((header, _)) = header else {
            return Err(failed(lang.pick("the file is empty", "文件为空").to_owned()));
        };
        Ok(Self { header, rows })
    }
}

/// Where the question's columns stand in the file.
struct Columns {
    places: Vec<Option<usize>>,
}

impl Columns {
    fn find(header: &[String]) -> Self {
        let place = |(name, others): &(&str, &[&str])| {
            header.iter().position(|given| {
                let given = given.trim().to_lowercase();
                given == *name || others.contains(&given.as_str())
            })
        };
        Self { places: QUESTION_COLUMNS.iter().map(place).collect() }
    }

    fn cell<'a>(&self, cells: &'a [String], column: &str) -> &'a str {
        let nth = QUESTION_COLUMNS.iter().position(|(name, _)| *name == column);
        nth.and_then(|n| self.places.get(n).copied().flatten())
            .and_then(|place| cells.get(place))
            .map_or("", |cell| cell.trim())
    }

    fn question(&self, lang: Lang, cells: &[String]) -> Result<v1::CheckClearanceRequest, String> {
        let get = |column| self.cell(cells, column).to_owned();
        let (quantity, unit) = (get("quantity"), get("unit"));
        let refused = |column: &str, given: &str| match lang {
            Lang::En => format!("{column}: `{given}` cannot be read"),
            Lang::Zh => format!("{column}：无法识别`{given}`"),
        };
        let (given_use, given_date) = (get("use"), get("declaration_date"));
        Ok(v1::CheckClearanceRequest {
            hs_code: get("hs_code"),
            material_name: get("material_name"),
            cas_number: get("cas_number"),
            end_user_uscc: get("end_user_uscc"),
            specification: get("specification"),
            manufacturer: get("manufacturer"),
            quantity: (!quantity.is_empty()).then(|| {
                let (value, own_unit) = quantity::split(&quantity);
                let unit = if own_unit.is_empty() { unit } else { own_unit.to_owned() };
                v1::Quantity { value: value.to_owned(), unit }
            }),
            customs_district: get("customs_district"),
            r#use: match given_use.as_str() {
                "" => v1::Use::Unspecified.into(),
                given => use_of(given).ok_or_else(|| refused("use", given))?,
            },
            scheme: get("scheme"),
            declaration_date: match given_date.as_str() {
                "" => None,
                given => Some(date_of(given).ok_or_else(|| refused("declaration_date", given))?),
            },
            correlation_id: get("correlation_id"),
            ..Default::default()
        })
    }
}

/// How many lines ended how.
#[derive(Default)]
struct Counts {
    listed: usize,
    other: usize,
    errors: usize,
}

impl Counts {
    fn report(&self, lang: Lang) -> Outcome {
        let Self { listed, other, errors } = self;
        let lines = listed + other + errors;
        anstream::eprintln!(
            "{}",
            match lang {
                Lang::En => format!(
                    "{lines} lines: {listed} LISTED, {other} other answers, {errors} could not be answered"
                ),
                Lang::Zh =>
                    format!("共{lines}行：{listed}行LISTED，{other}行其他结论，{errors}行无法回答"),
            }
        );
        match (errors, other) {
            (0, 0) => Outcome::Yes,
            (0, _) => Outcome::No,
            _ => Outcome::Failed,
        }
    }
}

/// Where answers go: CSV with the input's columns, or JSON lines.
enum Sink {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Json(Box<dyn Write>),
}

/// Writes the answers and counts them.
struct Answers {
    lang: Lang,
    sink: Sink,
    width: usize,
    counts: Counts,
}

impl Answers {
    fn create(manner: Manner, args: &CheckFileArgs, lines: &Lines) -> io::Result<Self> {
        let out: Box<dyn Write> = match &args.out {
            Some(path) => Box::new(BufWriter::new(File::create(path)?)),
            None => Box::new(BufWriter::new(io::stdout())),
        };
        let sink = match manner.output {
            Output::Json => Sink::Json(out),
            Output::Text => {
                let mut writer = csv::WriterBuilder::new().from_writer(out);
                let added = ANSWER_COLUMNS.iter().map(|c| (*c).to_owned());
                writer.write_record(lines.header.iter().cloned().chain(added))?;
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self { lang: manner.lang, sink, width: lines.header.len(), counts: Counts::default() })
    }

    fn write_error(&mut self, row: &FileRow, problem: &str) -> io::Result<()> {
        self.counts.errors += 1;
        anstream::eprintln!("{} {}: {problem}", self.lang.pick("line", "行"), row.line);
        match &mut self.sink {
            Sink::Csv(_) => self.write_cells(row, ["", "", "", "", "", "", problem]),
            Sink::Json(out) => writeln!(out, "{}", json!({ "line": row.line, "error": problem })),
        }
    }

    fn write_result(
        &mut self,
        row: &FileRow,
        result: Option<v1::BatchCheckClearanceResult>,
    ) -> io::Result<()> {
        use v1::batch_check_clearance_result::Result as Outcome;
        let lang = self.lang;
        let decision = match result.and_then(|r| r.result) {
            Some(Outcome::Decision(decision)) => decision,
            Some(Outcome::Error(error)) => {
                let refused = status::from_rpc_status(&error);
                return self.write_error(row, &status_text(lang, &refused));
            }
            None => {
                return self
                    .write_error(row, lang.pick("the server sent no answer", "服务器未返回结论"));
            }
        };
        if decision.verdict() == v1::Verdict::Listed {
            self.counts.listed += 1;
        } else {
            self.counts.other += 1;
        }
        match &mut self.sink {
            Sink::Csv(_) => {
                let cells = answer_cells(lang, &decision);
                self.write_cells(row, cells.each_ref().map(String::as_str))
            }
            Sink::Json(out) => {
                let decision = to_json("clearlist.v1.Decision", &decision).unwrap_or_default();
                writeln!(out, "{}", json!({ "line": row.line, "decision": decision }))
            }
        }
    }

    /// The row as it was, filled or cut to the header's width, then the answer.
    fn write_cells(&mut self, row: &FileRow, answer: [&str; 7]) -> io::Result<()> {
        let Sink::Csv(writer) = &mut self.sink else { return Ok(()) };
        let kept =
            row.cells.iter().map(String::as_str).chain(std::iter::repeat("")).take(self.width);
        writer.write_record(kept.chain(answer))?;
        Ok(())
    }

    fn finish(self) -> io::Result<Counts> {
        match self.sink {
            Sink::Csv(mut writer) => writer.flush()?,
            Sink::Json(mut out) => out.flush()?,
        }
        Ok(self.counts)
    }
}

/// The cells of [`ANSWER_COLUMNS`].
fn answer_cells(lang: Lang, decision: &v1::Decision) -> [String; 7] {
    let joined = |texts: Vec<String>, between: &str| texts.join(between);
    let reasons = decision.findings.iter().map(|f| reason_name(f.reason)).collect();
    let sentence = |f: &v1::Finding| lang.pick(&f.message_en, &f.message_zh).to_owned();
    let id =
        |entry: &Option<v1::Entry>| entry.as_ref().map(|e| e.entry_id.clone()).unwrap_or_default();
    let revision = decision.revision.clone().unwrap_or_default();
    let list = if revision.number == 0 {
        "unsigned".to_owned()
    } else {
        format!("{} {}", revision.origin, revision.number)
    };
    [
        verdict_name(decision.verdict),
        joined(reasons, "|"),
        joined(decision.findings.iter().map(sentence).collect(), " "),
        joined(decision.matches.iter().map(|m| id(&m.entry)).collect(), "|"),
        joined(decision.candidates.iter().map(|c| id(&c.entry)).collect(), "|"),
        list,
        String::new(),
    ]
}
