//! A CSV table with a header, read strictly and told precisely: every problem of a file with
//! its line and column, and spreadsheet damage by its name.

use crate::domain::message::excerpt;

/// Largest file, in bytes. A list of 100,000 rows has about 30 MB.
pub const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A problem at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File name. Example: `entries.csv`.
    pub file: &'static str,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: u64,
    /// Column, from 1; 0 where the line as a whole is meant.
    pub column: usize,
    /// Header of the column; empty where the line as a whole is meant.
    pub header: String,
    /// The cell, shortened.
    pub cell: String,
    /// Stable name of the problem.
    pub reason: &'static str,
    /// What happened and what to do, in English.
    pub english: String,
    /// The same in Chinese.
    pub chinese: String,
}

impl Problem {
    /// A problem of a line, or with line 0 of the file.
    #[must_use]
    pub fn of_line(
        file: &'static str,
        line: u64,
        reason: &'static str,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self {
            file,
            line,
            column: 0,
            header: String::new(),
            cell: String::new(),
            reason,
            english: english.into(),
            chinese: chinese.into(),
        }
    }

    /// `entries.csv:12:10 (hs_code)`, as editors and people read it.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (0, _) => self.file.to_owned(),
            (line, 0) => format!("{}:{line}", self.file),
            (line, column) => format!("{}:{line}:{column} ({})", self.file, self.header),
        }
    }
}

/// A row: its line and its cells as the file has them.
#[derive(Debug, Clone)]
pub struct Row {
    /// Line it begins on, from 1.
    pub line: u64,
    record: csv::StringRecord,
}

/// The rows of a file, and where its columns stand.
#[derive(Debug, Clone)]
pub struct Table {
    /// File name.
    pub file: &'static str,
    /// For each wanted column, its place in the file, from 1; 0 where an optional one is absent.
    pub places: Vec<usize>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Columns a file must have, and may have.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Must be there.
    pub required: &'static [&'static str],
    /// May be there; absent cells read as empty.
    pub optional: &'static [&'static str],
}

impl Columns {
    /// All of them, the required first.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

/// Checks that bytes are UTF-8 text and strips a BOM.
///
/// # Errors
/// Says which encoding it looks like instead, and where it stops being UTF-8.
pub fn text<'a>(file: &'static str, bytes: &'a [u8]) -> Result<&'a str, Box<Problem>> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Box::new(Problem::of_line(
            file,
            0,
            "FILE_TOO_LARGE",
            format!("the file has {} bytes; at most {FILE_BYTES_MAX} are read", bytes.len()),
            format!("文件有{}字节；最多读取{FILE_BYTES_MAX}字节", bytes.len()),
        )));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Box::new(Problem::of_line(
            file,
            1,
            "NOT_UTF8",
            "the file is UTF-16; save it as \"CSV UTF-8\"",
            "文件为UTF-16编码；请另存为“CSV UTF-8”",
        )));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or(&[]);
        let line = 1 + good.iter().filter(|b| **b == b'\n').count() as u64;
        let (english, chinese) = if looks_gb18030(bytes) {
            (
                "the file is not UTF-8; it looks like GB18030, what Excel writes in China: save it as \"CSV UTF-8\"",
                "文件不是UTF-8编码，看来是GB18030（中文版Excel的默认编码）；请另存为“CSV UTF-8”",
            )
        } else {
            (
                "the file is not UTF-8 from this line on; save it as \"CSV UTF-8\"",
                "文件自此行起不是UTF-8编码；请另存为“CSV UTF-8”",
            )
        };
        Box::new(Problem::of_line(file, line, "NOT_UTF8", english, chinese))
    })
}

/// Whether all bytes above ASCII pair up as GB18030 pairs them.
fn looks_gb18030(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    let mut pairs = 0;
    while let Some(&byte) = rest.next() {
        if byte < 0x80 {
            continue;
        }
        let second = rest.next().copied().unwrap_or(0);
        if !(0x81..=0xFE).contains(&byte) || !(0x30..=0xFE).contains(&second) || second == 0x7F {
            return false;
        }
        pairs += 1;
    }
    pairs > 0
}

impl Table {
    /// The cell of a wanted column, trimmed of surrounding spaces; empty where an optional
    /// column is absent.
    #[must_use]
    pub fn cell<'a>(&self, row: &'a Row, column: usize) -> &'a str {
        let place = self.places.get(column).and_then(|place| place.checked_sub(1));
        place.and_then(|i| row.record.get(i)).unwrap_or("").trim()
    }

    /// The cell of the first wanted column, the key of every list file.
    #[must_use]
    pub fn key<'a>(&self, row: &'a Row) -> &'a str {
        self.cell(row, 0)
    }

    /// Reads a file with these columns.
    ///
    /// # Errors
    /// Every problem of its form: encoding, quotes, header, cell counts. Nothing is returned of
    /// a file with one.
    pub fn read(file: &'static str, bytes: &[u8], columns: Columns) -> Result<Self, Vec<Problem>> {
        let text = text(file, bytes).map_err(|problem| vec![*problem])?;
        let mut problems = Vec::new();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut header = None;
        let mut rows = Vec::new();
        loop {
            let start = reader.position().byte();
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    problems.push(Problem::of_line(
                        file,
                        reader.position().line(),
                        "CSV_FORM",
                        format!("the line cannot be read as CSV: {error}"),
                        format!("该行无法按CSV读取：{error}"),
                    ));
                    break;
                }
            }
            let line = record.position().map_or(0, csv::Position::line);
            let end = reader.position().byte();
            if has_open_quote(text, start, end) {
                problems.push(open_quote(file, line));
                break;
            }
            let Some((_, width)) = &header else {
                header = Some((find_columns(file, &record, columns, &mut problems), record.len()));
                continue;
            };
            if record.len() != *width {
                problems.push(cell_count(file, line, record.len(), *width));
                continue;
            }
            rows.push(Row { line, record: record.clone() });
        }
        let Some((places, _)) = header else {
            problems.push(Problem::of_line(
                file,
                0,
                "FILE_EMPTY",
                "the file is empty; its first line must name the columns",
                "文件为空；首行应为列名",
            ));
            return Err(problems);
        };
        if problems.is_empty() { Ok(Self { file, places, rows }) } else { Err(problems) }
    }
}

/// Whether the record between two byte offsets has an odd number of quotes: one was opened and
/// the reader ran on to the end of the file with it.
pub(crate) fn has_open_quote(text: &str, start: u64, end: u64) -> bool {
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    let raw = text.as_bytes().get(range).unwrap_or(&[]);
    raw.iter().filter(|b| **b == b'"').count() % 2 == 1
}

fn open_quote(file: &'static str, line: u64) -> Problem {
    Problem::of_line(
        file,
        line,
        "QUOTE_OPEN",
        "a quotation mark on this line is never closed, so the lines after it cannot be told apart; the file may be cut off",
        "该行的引号没有闭合，其后各行无法区分；文件可能不完整",
    )
}

fn cell_count(file: &'static str, line: u64, found: usize, wanted: usize) -> Problem {
    Problem::of_line(
        file,
        line,
        "CELL_COUNT",
        format!(
            "the line has {found} cells and the header {wanted}; a comma may be missing or the file cut off"
        ),
        format!("该行有{found}个单元格，而表头有{wanted}个；可能缺少逗号或文件不完整"),
    )
}

/// Where each wanted column stands, from 1; 0 for an optional one that is absent.
fn find_columns(
    file: &'static str,
    header: &csv::StringRecord,
    columns: Columns,
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let wanted: Vec<&str> = columns.all().collect();
    for (i, given) in header.iter().enumerate() {
        let given = given.trim();
        let repeated = header.iter().take(i).any(|earlier| earlier.trim() == given);
        let (reason, english, chinese) = if repeated {
            (
                "COLUMN_REPEATED",
                format!("column `{}` stands twice", excerpt(given)),
                format!("列`{}`重复", excerpt(given)),
            )
        } else if wanted.contains(&given) {
            continue;
        } else {
            let nearest = nearest(given, &wanted);
            (
                "COLUMN_UNKNOWN",
                format!(
                    "`{}` is no column of this file; the nearest is `{nearest}`",
                    excerpt(given)
                ),
                format!("`{}`不是该文件的列；最接近的是`{nearest}`", excerpt(given)),
            )
        };
        let mut problem = Problem::of_line(file, 1, reason, english, chinese);
        (problem.column, problem.header) = (i + 1, excerpt(given));
        problems.push(problem);
    }
    for missing in columns.required.iter().filter(|c| !header.iter().any(|h| h.trim() == **c)) {
        problems.push(Problem::of_line(
            file,
            1,
            "COLUMN_MISSING",
            format!("column `{missing}` is missing"),
            format!("缺少列`{missing}`"),
        ));
    }
    let place =
        |column: &&str| header.iter().position(|h| h.trim() == *column).map_or(0, |i| i + 1);
    wanted.iter().map(place).collect()
}

/// The known name that is nearest to a given one.
#[must_use]
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> &'a str {
    let given = excerpt(given);
    known.iter().min_by_key(|k| strsim::damerau_levenshtein(k, &given)).copied().unwrap_or("")
}
