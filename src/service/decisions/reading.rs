//! Reading a decision log, beside the server that writes it or without one: a few hundred
//! answers at a time, each time a look of its own, so that the writer is never held up.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Row, params};

use crate::domain::clearance::Verdict;

use super::folder::{Folder, SegmentName};
use super::segment::{LAG_MICROS_MAX, SegmentError, open_read_only};

/// Answers of one look.
const LOOK_ROWS: usize = 500;

/// Which answers are wanted; what is `None` is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Decided at or after this.
    pub from: Option<Timestamp>,
    /// Decided before this.
    pub until: Option<Timestamp>,
    /// For this end user, a USCC.
    pub end_user: Option<String>,
    /// Under this code, digits only.
    pub hs_code: Option<String>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Asked by this caller; empty for callers without a name.
    pub caller: Option<String>,
}

/// Which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    OldestFirst,
    /// The newest.
    NewestFirst,
}

/// A logged answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of docs/formats.md#decision-log")]
pub struct Logged {
    /// The file it is in.
    pub segment: String,
    pub id: i64,
    pub decide_time: Timestamp,
    pub caller: String,
    pub end_user: String,
    pub hs_code: String,
    pub verdict: String,
    pub revision: u64,
    pub correlation_id: String,
    pub answer: String,
}

/// What was not read.
#[derive(Debug, Default)]
pub struct Unread {
    /// Files that could not be read, or not to their end, and why.
    pub failed: Vec<(String, String)>,
    /// Files that the server set aside as damaged.
    pub set_aside: Vec<String>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Yes.
    More,
    /// No.
    Enough,
}

/// Reads the answers of a log, in the order in which they were logged or the reverse.
///
/// # Errors
/// The directory cannot be read, or `each` failed. A file that cannot be read ends nothing: it
/// is in [`Unread`].
pub fn read(
    directory: &Path,
    filter: &Filter,
    order: Order,
    mut each: impl FnMut(Logged) -> io::Result<Next>,
) -> io::Result<Unread> {
    let folder = Folder::at(directory);
    let mut segments = folder.segments()?;
    if order == Order::NewestFirst {
        segments.reverse();
    }
    let set_aside = folder.damaged()?.into_iter().map(|name| name.file).collect();
    let mut unread = Unread { failed: Vec::new(), set_aside };
    for name in segments {
        match read_segment(&folder, &name, filter, order, &mut each) {
            Ok(Next::More) => (),
            Ok(Next::Enough) => break,
            Err(ReadFailure::Taker(error)) => return Err(error),
            // Past its retention meanwhile.
            Err(ReadFailure::Segment(_)) if !folder.has(&name) => (),
            Err(ReadFailure::Segment(error)) => unread.failed.push((name.file, error.to_string())),
        }
    }
    Ok(unread)
}

enum ReadFailure {
    Segment(SegmentError),
    Taker(io::Error),
}

impl<E: Into<SegmentError>> From<E> for ReadFailure {
    fn from(error: E) -> Self {
        Self::Segment(error.into())
    }
}

fn read_segment(
    folder: &Folder,
    name: &SegmentName,
    filter: &Filter,
    order: Order,
    each: &mut impl FnMut(Logged) -> io::Result<Next>,
) -> Result<Next, ReadFailure> {
    let Some(connection) = open_read_only(folder, name)? else { return Ok(Next::More) };
    let from = filter.from.map_or(i64::MIN, Timestamp::as_microsecond);
    let until = filter.until.map_or(i64::MAX, Timestamp::as_microsecond);
    // An id is its answer's time, or later, by less than an hour.
    let (mut lowest, mut highest) = (from, until.saturating_add(LAG_MICROS_MAX));
    let direction = if order == Order::OldestFirst { "ASC" } else { "DESC" };
    let mut look = connection.prepare(&format!(
        "SELECT id, decide_time, caller, end_user, hs_code, verdict, revision, correlation_id, answer
         FROM answers
         WHERE id BETWEEN ?1 AND ?2 AND decide_time >= ?3 AND decide_time < ?4
           AND (?5 IS NULL OR end_user = ?5) AND (?6 IS NULL OR hs_code = ?6)
           AND (?7 IS NULL OR verdict = ?7) AND (?8 IS NULL OR caller = ?8)
         ORDER BY id {direction} LIMIT {LOOK_ROWS}"
    ))?;
    loop {
        let wanted = params![
            lowest,
            highest,
            from,
            until,
            filter.end_user,
            filter.hs_code,
            filter.verdict.map(Verdict::name),
            filter.caller
        ];
        let rows = look.query_map(wanted, |row| logged(&name.file, row))?;
        let rows: Vec<Logged> = rows.collect::<Result<_, _>>()?;
        let Some(last) = rows.last() else { return Ok(Next::More) };
        match order {
            Order::OldestFirst => lowest = last.id.saturating_add(1),
            Order::NewestFirst => highest = last.id.saturating_sub(1),
        }
        let is_end = rows.len() < LOOK_ROWS;
        for row in rows {
            if each(row).map_err(ReadFailure::Taker)? == Next::Enough {
                return Ok(Next::Enough);
            }
        }
        if is_end {
            return Ok(Next::More);
        }
    }
}

fn logged(segment: &str, row: &Row<'_>) -> rusqlite::Result<Logged> {
    let micros: i64 = row.get(1)?;
    let revision: i64 = row.get(6)?;
    Ok(Logged {
        segment: segment.to_owned(),
        id: row.get(0)?,
        decide_time: Timestamp::from_microsecond(micros)
            .map_err(|_never| rusqlite::Error::IntegralValueOutOfRange(1, micros))?,
        caller: row.get(2)?,
        end_user: row.get(3)?,
        hs_code: row.get(4)?,
        verdict: row.get(5)?,
        revision: u64::try_from(revision)
            .map_err(|_negative| rusqlite::Error::IntegralValueOutOfRange(6, revision))?,
        correlation_id: row.get(7)?,
        answer: row.get(8)?,
    })
}
