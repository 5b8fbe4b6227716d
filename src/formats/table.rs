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

/// A row: its line, and where its cells stand.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Line it begins on, from 1.
    pub line: u64,
    /// Its first cell's place among the cells of all rows.
    first: usize,
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
    cells: Cells,
}

/// The cells of all rows in one text: a string of its own for each would cost more than reading.
#[derive(Debug, Clone, Default)]
struct Cells {
    text: String,
    /// Where each cell ends in `text`; a file is far below 4 GiB ([`FILE_BYTES_MAX`]).
    ends: Vec<u32>,
}

impl Cells {
    fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn get(&self, place: usize) -> Option<&str> {
        let end = |place: usize| self.ends.get(place).map(|end| *end as usize);
        let start = place.checked_sub(1).map_or(Some(0), end)?;
        self.text.get(start..end(place)?)
    }
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
    let marked = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    if marked || bytes.contains(&0) {
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
    pub fn cell(&self, row: &Row, column: usize) -> &str {
        let place = self.places.get(column).and_then(|place| place.checked_sub(1));
        place.and_then(|i| self.cells.get(row.first + i)).unwrap_or("")
    }

    /// The cell of the first wanted column, the key of every list file.
    #[must_use]
    pub fn key(&self, row: &Row) -> &str {
        self.cell(row, 0)
    }

    /// The table of a file of which nothing could be read.
    #[must_use]
    pub fn empty(file: &'static str) -> Self {
        Self { file, places: Vec::new(), rows: Vec::new(), cells: Cells::default() }
    }

    /// Reads a file with these columns: what of it can be read, and every problem of its form
    /// (encoding, quotes, header, cell counts). No table without a header that can be read.
    #[must_use]
    pub fn read(
        file: &'static str,
        bytes: &[u8],
        columns: Columns,
    ) -> (Option<Self>, Vec<Problem>) {
        let text = match text(file, bytes) {
            Ok(text) => text,
            Err(problem) => return (None, vec![*problem]),
        };
        let mut problems = Vec::new();
        let mut records = Records::new(text);
        let mut header: Option<(Vec<usize>, usize)> = None;
        let mut rows = Vec::new();
        let mut cells = Cells::default();
        loop {
            let (line, record) = match records.next() {
                Ok(Some(Record { line, open_quote: true, .. })) => {
                    problems.push(open_quote(file, line));
                    break;
                }
                Ok(Some(Record { line, cells, .. })) => (line, cells),
                Ok(None) => break,
                Err(error) => {
                    problems.push(unreadable(file, records.line, &error));
                    break;
                }
            };
            let Some((_, width)) = &header else {
                let places = find_columns(file, record, columns, &mut problems);
                if !problems.is_empty() {
                    return (None, problems);
                }
                header = Some((places, record.len()));
                // Nothing that follows is longer than the file, or has more ends of cells.
                cells.text.reserve(text.len());
                let ends = text.bytes().filter(|b| matches!(b, b',' | b'\n')).count();
                cells.ends.reserve(ends + 1);
                continue;
            };
            if record.len() == *width {
                rows.push(Row { line, first: cells.ends.len() });
                record.iter().for_each(|cell| cells.push(cell.trim()));
            } else {
                problems.push(cell_count(file, line, record.len(), *width));
            }
        }
        let Some((places, _)) = header else {
            if problems.is_empty() {
                problems.push(Problem::of_line(
                    file,
                    0,
                    "FILE_EMPTY",
                    "the file is empty; its first line must name the columns",
                    "文件为空；首行应为列名",
                ));
            }
            return (None, problems);
        };
        (Some(Self { file, places, rows, cells }), problems)
    }
}

/// The records of a CSV text, each with the line an editor shows it on.
pub struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    /// The record being read.
    buffer: csv::StringRecord,
    /// How far lines were counted, in bytes.
    counted: usize,
    /// Line at `counted`, from 1.
    line: u64,
}

/// One record.
#[derive(Debug)]
pub struct Record<'a> {
    /// Line it begins on, from 1.
    pub line: u64,
    /// A quote opened in it is never closed, so it ran on to the end of the file.
    pub open_quote: bool,
    /// Its cells.
    pub cells: &'a csv::StringRecord,
}

impl<'a> Records<'a> {
    /// Records of a text; the first is the header.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).from_reader(text.as_bytes());
        Self { text, reader, buffer: csv::StringRecord::new(), counted: 0, line: 1 }
    }

    /// The next record; empty lines are passed over.
    ///
    /// # Errors
    /// What the CSV reader says.
    #[expect(clippy::should_implement_trait, reason = "an error ends it; an iterator would go on")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, csv::Error> {
        let offset = |reader: &csv::Reader<_>| {
            usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
        };
        let mut start = offset(&self.reader);
        if !self.reader.read_record(&mut self.buffer)? {
            return Ok(None);
        }
        let end = offset(&self.reader);
        let bytes = self.text.as_bytes();
        // The reader leaves the end of a line, and empty lines, to the next record.
        while bytes.get(start).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
            start += 1;
        }
        let passed = bytes.get(self.counted..start).unwrap_or(&[]);
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.counted = start;
        let raw = bytes.get(start..end).unwrap_or(&[]);
        let open_quote = end >= bytes.len() && ends_inside_quotes(raw);
        Ok(Some(Record { line: self.line, open_quote, cells: &self.buffer }))
    }
}

/// Whether a record ends inside a quoted cell. A quote inside an unquoted cell is a character.
fn ends_inside_quotes(raw: &[u8]) -> bool {
    let (mut quoted, mut cell_begins) = (false, true);
    for byte in raw {
        match (byte, quoted) {
            (b'"', true) => quoted = false,
            // A doubled quote inside a quoted cell closes and opens again.
            (b'"', false) if cell_begins => quoted = true,
            _ => {}
        }
        cell_begins = !quoted && matches!(byte, b',' | b'\n' | b'"');
    }
    quoted
}

fn unreadable(file: &'static str, line: u64, error: &csv::Error) -> Problem {
    let english = format!("the line cannot be read as CSV: {error}");
    let chinese = format!("该行无法按CSV读取：{error}");
    Problem::of_line(file, line, "CSV_FORM", english, chinese)
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
