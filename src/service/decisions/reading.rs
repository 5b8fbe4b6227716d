//! Reading a decision log, beside the server that writes it or without one: a few groups at a
//! time, each time a look of its own, so that the writer is never held up.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::params;

use crate::domain::clearance::Verdict;
use crate::register::decision_text::DecisionText;

use super::folder::{Folder, SegmentName};
use super::segment::{LAG_MICROS_MAX, SegmentError, open_read_only};
use super::stored::Group;

/// Groups of one look.
const LOOK_GROUPS: usize = 16;

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
    let wanted = Wanted::new(filter);
    let (mut lowest, mut highest) = (wanted.from, wanted.highest_id());
    let direction = if order == Order::OldestFirst { "ASC" } else { "DESC" };
    // The group before the first of that time may reach into it.
    let mut look = connection.prepare(&format!(
        "SELECT id, last_id, answers FROM groups
         WHERE id BETWEEN coalesce((SELECT max(id) FROM groups WHERE id <= ?1), ?1) AND ?2
           AND last_id >= ?1
         ORDER BY id {direction} LIMIT {LOOK_GROUPS}"
    ))?;
    loop {
        let groups = look.query_map(params![lowest, highest], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?;
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let Some(&(id, last_id, _)) = groups.last() else { return Ok(Next::More) };
        match order {
            Order::OldestFirst => lowest = last_id.saturating_add(1),
            Order::NewestFirst => highest = id.saturating_sub(1),
        }
        let is_end = groups.len() < LOOK_GROUPS;
        for (_, _, packed) in groups {
            let mut answers = Group::unpack(&packed)?.answers;
            if order == Order::NewestFirst {
                answers.reverse();
            }
            for stored in answers {
                let (id, caller) = (stored.id, stored.caller.clone());
                let decision = stored.decided()?;
                if wanted.has(&caller, &decision) {
                    let logged = Logged::new(&name.file, id, caller, &decision);
                    if each(logged).map_err(ReadFailure::Taker)? == Next::Enough {
                        return Ok(Next::Enough);
                    }
                }
            }
        }
        if is_end {
            return Ok(Next::More);
        }
    }
}

/// A filter in what is stored.
struct Wanted<'a> {
    filter: &'a Filter,
    /// Microseconds.
    from: i64,
    until: i64,
}

impl<'a> Wanted<'a> {
    fn new(filter: &'a Filter) -> Self {
        let from = filter.from.map_or(i64::MIN, Timestamp::as_microsecond);
        let until = filter.until.map_or(i64::MAX, Timestamp::as_microsecond);
        Self { filter, from, until }
    }

    /// An id is its answer's time, or later, by less than an hour.
    const fn highest_id(&self) -> i64 {
        self.until.saturating_add(LAG_MICROS_MAX)
    }

    fn has(&self, caller: &str, decision: &DecisionText<'_>) -> bool {
        let Filter { end_user, hs_code, verdict, caller: by, .. } = self.filter;
        let is = |wanted: &Option<String>, it: &str| wanted.as_ref().is_none_or(|w| w == it);
        (self.from..self.until).contains(&decision.decide_time.as_microsecond())
            && is(end_user, &decision.compared.end_user_uscc)
            && is(hs_code, &decision.compared.hs_code)
            && verdict.is_none_or(|wanted| wanted == decision.verdict)
            && is(by, caller)
    }
}

impl Logged {
    fn new(segment: &str, id: i64, caller: String, decision: &DecisionText<'_>) -> Self {
        Self {
            segment: segment.to_owned(),
            id,
            decide_time: decision.decide_time,
            caller,
            end_user: decision.compared.end_user_uscc.to_string(),
            hs_code: decision.compared.hs_code.to_string(),
            verdict: decision.verdict.name().to_owned(),
            revision: decision.source.revision,
            correlation_id: decision.question.correlation_id.to_string(),
            answer: decision.text(),
        }
    }
}
