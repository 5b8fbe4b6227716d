//! The rows of one list file as cells: read on all processors, every refused cell told with its
//! place.

use crate::domain::customs_district::CustomsDistrict;
use crate::domain::message::{Refusal, excerpt};
use crate::domain::parallel::on_all_processors;
use crate::domain::question::civil_date;

use super::super::table::{Problem, Row, Table, nearest};

/// Reads every row, on all processors, but for rows of which a cell was refused. Problems come in
/// the order of the rows.
pub(super) fn rows<T: Send>(
    table: &Table,
    columns: &[&'static str],
    problems: &mut Vec<Problem>,
    read: impl Fn(&mut Cells<'_>) -> Option<T> + Sync,
) -> Vec<T> {
    let read_all = |rows: &[Row]| {
        let mut problems = Vec::new();
        // The first share makes room for the others, so that its rows stay where they are:
        // memory never touched before is what reading waits for most.
        let is_first = std::ptr::eq(rows.as_ptr(), table.rows.as_ptr());
        let room = if is_first { table.rows.len() } else { rows.len() };
        let mut values = Vec::with_capacity(room);
        for row in rows {
            let before = problems.len();
            let value = read(&mut Cells { table, row, columns, problems: &mut problems });
            values.extend(value.filter(|_| problems.len() == before));
        }
        (values, problems)
    };
    let mut out = Vec::new();
    for (values, found) in on_all_processors(&table.rows, read_all) {
        if out.is_empty() {
            out = values;
        } else {
            out.extend(values);
        }
        problems.extend(found);
    }
    out
}

/// The cells of one row, and where their problems go.
pub(super) struct Cells<'a> {
    table: &'a Table,
    row: &'a Row,
    columns: &'a [&'static str],
    problems: &'a mut Vec<Problem>,
}

impl<'a> Cells<'a> {
    pub(super) fn place(&self, column: &str) -> usize {
        self.columns.iter().position(|c| *c == column).unwrap_or(usize::MAX)
    }

    pub(super) fn get(&self, column: &'static str) -> &'a str {
        self.table.cell(self.row, self.place(column))
    }

    pub(super) fn refuse(
        &mut self,
        column: &'static str,
        reason: &'static str,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) {
        self.problems.push(Problem {
            file: self.table.file,
            line: self.row.line,
            column: self.table.places.get(self.place(column)).copied().unwrap_or(0),
            header: column.to_owned(),
            cell: excerpt(self.get(column)),
            reason,
            english: english.into(),
            chinese: chinese.into(),
        });
    }

    pub(super) fn keep<T>(
        &mut self,
        column: &'static str,
        read: Result<T, impl Refusal>,
    ) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(column, error.reason(), error.english(), error.chinese());
                None
            }
        }
    }

    /// A cell that must not be empty.
    pub(super) fn filled(&mut self, column: &'static str) -> Option<&'a str> {
        let cell = self.get(column);
        if cell.is_empty() {
            self.refuse(
                column,
                "CELL_EMPTY",
                "the cell is empty and must not be",
                "该单元格不能为空",
            );
            return None;
        }
        Some(cell)
    }

    pub(super) fn text(&self, column: &'static str) -> Box<str> {
        self.get(column).into()
    }

    pub(super) fn parts(&self, column: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        parts(self.get(column))
    }

    /// One of a closed set of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        column: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let cell = self.filled(column)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == cell) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let (list, near) = (known.join(", "), nearest(cell, &known));
        self.refuse(
            column,
            "WORD_UNKNOWN",
            format!("`{}` is none of {list}; the nearest is `{near}`", excerpt(cell)),
            format!("`{}`不是{list}之一；最接近的是`{near}`", excerpt(cell)),
        );
        None
    }

    pub(super) fn date(&mut self, column: &'static str) -> Option<jiff::civil::Date> {
        let cell = self.get(column);
        if cell.is_empty() {
            return None;
        }
        let read = iso_date(cell);
        if read.is_none() {
            self.refuse(
                column,
                "DATE_INVALID",
                format!("`{}` is no date; write YYYY-MM-DD, as in 2026-03-31", excerpt(cell)),
                format!("`{}`不是日期；请写成YYYY-MM-DD，如2026-03-31", excerpt(cell)),
            );
        }
        read
    }

    pub(super) fn districts(&mut self, column: &'static str) -> Box<[CustomsDistrict]> {
        let parts: Vec<&str> = self.parts(column).collect();
        parts
            .into_iter()
            .filter_map(|part| {
                let read = CustomsDistrict::parse(part);
                self.keep(column, read)
            })
            .collect()
    }
}

/// `YYYY-MM-DD` and nothing else.
pub(crate) fn iso_date(text: &str) -> Option<jiff::civil::Date> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !digits(y, 4) || !digits(m, 2) || !digits(d, 2) {
        return None;
    }
    civil_date((y.parse().ok()?, m.parse().ok()?, d.parse().ok()?))
}

/// The parts of a cell that holds a list.
pub(super) fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('|').map(str::trim).filter(|part| !part.is_empty())
}
