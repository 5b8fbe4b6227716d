//! A statement as it is stored: the bytes that were signed, when they were accepted, and what
//! changed in the list. Text, in parts that say their length:
//!
//! ```text
//! clearlist statement v1
//! accepted 2026-11-22T04:00:00Z
//! statement 412
//! <412 bytes>
//! checkpoint 530
//! <530 bytes>
//! removed 1
//! entry 11
//! BJ2022-0001
//! records 2
//! record 361
//! <361 bytes>
//! …
//! ```
//!
//! Nothing here is believed: at start-up every statement goes through the same `step` that
//! accepted it, and the records must give the roots that were signed.

use jiff::Timestamp;

use crate::domain::list_diff::RowKind;
use crate::register::record::row_kind_name;

use super::list_records::Delta;

/// First line of a stored statement.
const MAGIC: &str = "clearlist statement v1";

/// A statement and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// When it was accepted, by the clock of the server that did.
    pub accept_time: Timestamp,
    /// The statement's bytes.
    pub statement: Vec<u8>,
    /// The checkpoint's bytes.
    pub checkpoint: Vec<u8>,
    /// What changed in the list; nothing for a policy or a suspension.
    pub delta: Delta,
}

impl Stored {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.delta.records.iter().map(|r| r.len() + 16).sum::<usize>();
        let mut out = Vec::with_capacity(size + self.statement.len() + self.checkpoint.len() + 256);
        let line = |out: &mut Vec<u8>, text: &str| {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
        };
        let part = |out: &mut Vec<u8>, name: &str, bytes: &[u8]| {
            line(out, &format!("{name} {}", bytes.len()));
            out.extend_from_slice(bytes);
            out.push(b'\n');
        };
        line(&mut out, MAGIC);
        line(&mut out, &format!("accepted {}", self.accept_time));
        part(&mut out, "statement", &self.statement);
        part(&mut out, "checkpoint", &self.checkpoint);
        line(&mut out, &format!("removed {}", self.delta.removed.len()));
        for (kind, key) in &self.delta.removed {
            part(&mut out, row_kind_name(*kind), key.as_bytes());
        }
        line(&mut out, &format!("records {}", self.delta.records.len()));
        for record in &self.delta.records {
            part(&mut out, "record", record);
        }
        out
    }

    /// Reads the bytes of a stored statement; `None` for anything else.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        (rest.line()? == MAGIC).then_some(())?;
        let accept_time = rest.line()?.strip_prefix("accepted ")?.parse().ok()?;
        let statement = rest.part("statement")?.to_vec();
        let checkpoint = rest.part("checkpoint")?.to_vec();
        let mut delta = Delta::default();
        for _nth in 0..rest.number("removed")? {
            let (kind, key) = [RowKind::Enterprise, RowKind::Entry, RowKind::Scheme]
                .into_iter()
                .find_map(|kind| Some((kind, rest.part(row_kind_name(kind))?)))?;
            delta.removed.push((kind, str::from_utf8(key).ok()?.into()));
        }
        for _nth in 0..rest.number("records")? {
            delta.records.push(rest.part("record")?.to_vec());
        }
        rest.0.is_empty().then_some(Self { accept_time, statement, checkpoint, delta })
    }
}

/// What is not read yet. A part that does not fit leaves it as it was.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn line(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|b| *b == b'\n')?;
        let (line, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        str::from_utf8(line).ok()
    }

    fn number(&mut self, name: &str) -> Option<usize> {
        let before = self.0;
        let number = self.line().and_then(|line| {
            let digits = line.strip_prefix(name)?.strip_prefix(' ')?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        });
        if number.is_none() {
            self.0 = before;
        }
        number
    }

    fn part(&mut self, name: &str) -> Option<&'a [u8]> {
        let length = self.number(name)?;
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest.strip_prefix(b"\n")?;
        Some(part)
    }
}
