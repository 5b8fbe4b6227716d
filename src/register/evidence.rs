//! What shows, beside the statement itself, that a decision rests on what was signed: every row
//! that bears on it with its path to the list root, the neighbours in the name tree between which
//! nothing else can stand, and the statements after it that might have replaced it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::domain::clearance::Decision;
use crate::domain::list::List;
use crate::domain::question::Question;

use super::canonical_json::{Object, push_list, push_string};
use super::history::Register;
use super::list_trees::{ListTrees, Rows};
use super::merkle::{Hash, is_included, is_span, leaf_hash};
use super::record::TreeHead;
use super::statement::{RevisionStatement, Statement, SuspensionStatement};
use super::tlog_proof::{hash_of, push_base64};

/// Ends each part of a leaf of the name tree.
pub const NAME_SEPARATOR: u8 = 0;

/// Leaves that stand side by side in a tree, with the proof that they do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "leaves with their path")]
pub struct Span {
    /// The leaves.
    pub leaves: Vec<String>,
    /// Roots of the parts of the tree beside them, left to right.
    #[serde(deserialize_with = "read_hashes")]
    pub path: Vec<Hash>,
    /// Place of the first, from 0.
    pub start: u64,
}

/// What of the name tree is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Every leaf of this name, and a neighbour on either side.
    Under(String),
    /// The first leaf, which is that of a directory row if the list has one.
    First,
}

/// Everything a decision rests on but the statement's own path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the evidence of a decision")]
pub struct Evidence {
    /// The statements after it that were known, in the register tree.
    #[serde(default)]
    pub later: Option<Span>,
    /// The line of a batch that this is about.
    #[serde(default)]
    pub line: Option<Line>,
    /// In the name tree, one for each that is wanted.
    pub names: Vec<Span>,
    /// In the list tree.
    pub records: Vec<Span>,
    /// The revision that was in force.
    pub statement: String,
}

/// One line of a batch: a leaf of the tree whose root the note names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a line of a batch")]
pub struct Line {
    /// Its place, from 0.
    pub index: u64,
    /// Siblings from the leaf up.
    #[serde(deserialize_with = "read_hashes")]
    pub path: Vec<Hash>,
    /// The text of its decision.
    pub text: String,
}

/// What evidence shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The revision that was in force.
    pub revision: RevisionStatement,
    /// The suspensions laid over it.
    pub suspensions: Vec<SuspensionStatement>,
    /// Size of the register that the answer rests on.
    pub number: u64,
    /// Ids of the entries under the names that were wanted: all there are.
    pub entries: Vec<String>,
}

/// What evidence does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The statement is none, or no revision of this register.
    Statement,
    /// The statement is not in the register at its place.
    StatementPath,
    /// The statements after it are not all there, or not in the register.
    Later,
    /// Another revision was in force, or this one was not.
    NotInForce,
    /// Leaves are not in the name tree at their place.
    NamePath,
    /// Something may stand between the leaves that are shown, or they are of another name.
    NameGap,
    /// A row is not in the list at its place.
    RecordPath,
}

/// When, and knowing what, a decision was made.
#[derive(Debug, Clone, Copy)]
pub struct Standpoint<'a> {
    /// Name of the register.
    pub origin: &'a str,
    /// Size and root of the register that is proven.
    pub head: &'a TreeHead,
    /// Statements that were known.
    pub known: u64,
    /// The instant that was asked about.
    pub at: Timestamp,
}

/// What of the name tree decides a question: who bears the name, and which directory rows the
/// end user has. Without an end user a decision that no entry matches says whether there are
/// directory rows at all.
#[must_use]
pub fn wanted(question: &Question, is_matched: bool) -> Vec<Wanted> {
    let name = question.name.as_ref().map(|name| name.normal().to_owned());
    let name = name.or_else(|| question.cas.map(|cas| cas.to_string()));
    // A directory row stands under no name and its enterprise's code.
    let directory = match question.end_user.as_ref() {
        Some(uscc) => Some(Wanted::Under(format!("\0{}", uscc.as_str()))),
        None => (!is_matched).then_some(Wanted::First),
    };
    name.map(Wanted::Under).into_iter().chain(directory).collect()
}

impl Evidence {
    /// The evidence for a decision on a question, from the list as it was signed. `revision` is
    /// the number of its statement.
    #[must_use]
    pub fn gather(
        register: &Register,
        (revision, known): (u64, u64),
        (list, trees): (&List, &ListTrees),
        question: &Question,
        decided: &Decision<'_>,
    ) -> Option<Self> {
        let statement = register.statement(revision)?.text.to_string();
        let wanted = wanted(question, !decided.matches.is_empty());
        // Of the list as it was signed: a suspension changes no record and no place.
        let mut rows = Rows::default();
        let names = wanted.iter().map(|wanted| trees.names(list, wanted, &mut rows)).collect();
        for candidate in &decided.candidates {
            trees.add_entry(list, candidate.place, &mut rows);
        }
        if let Some(scheme) = question.scheme.and_then(|nth| list.schemes().get(nth)) {
            rows.scheme(scheme);
        }
        let later = revision..known;
        let later = (!later.is_empty()).then(|| Span {
            leaves: (revision + 1..=known)
                .filter_map(|number| register.statement(number))
                .map(|accepted| accepted.text.to_string())
                .collect(),
            path: register.tree().span(revision, known).unwrap_or_default(),
            start: revision,
        });
        Some(Self { later, line: None, names, records: trees.records(list, &rows), statement })
    }

    /// Reads evidence; `None` if it is not exactly as this program writes it.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        (read.to_bytes() == bytes).then_some(read)
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_about(0)
    }

    /// The same, of about so many bytes.
    #[must_use]
    pub fn to_bytes_about(&self, bytes: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes);
        let mut object = Object::open(&mut out);
        if let Some(later) = &self.later {
            later.write(object.field("later"));
        }
        if let Some(line) = &self.line {
            line.write(object.field("line"));
        }
        push_list(object.field("names"), &self.names, |out, span| span.write(out));
        push_list(object.field("records"), &self.records, |out, span| span.write(out));
        push_string(object.field("statement"), &self.statement);
        object.close();
        out
    }

    /// Checks what does not depend on the question: the statement with its path, that it was in
    /// force, and that every record is of its list.
    ///
    /// # Errors
    /// The first [`Gap`].
    pub fn check(
        &self,
        index: u64,
        path: &[Hash],
        standpoint: &Standpoint<'_>,
    ) -> Result<Shown, Gap> {
        let Standpoint { origin, head, known, at } = *standpoint;
        let Ok(Statement::Revision(revision)) = Statement::parse(self.statement.as_bytes()) else {
            return Err(Gap::Statement);
        };
        if revision.origin != origin || revision.number != index.saturating_add(1) {
            return Err(Gap::Statement);
        }
        let leaf = leaf_hash(self.statement.as_bytes());
        if !is_included(&leaf, index, head.size, path, &head.root) {
            return Err(Gap::StatementPath);
        }
        if known < revision.number || head.size < known {
            return Err(Gap::Later);
        }
        let suspensions = self.replacing(&revision, standpoint)?;
        if at < revision.effective || revision.expires <= at {
            return Err(Gap::NotInForce);
        }
        if self.records.iter().any(|span| span.leaves.is_empty() || !span.is_of(&revision.list)) {
            return Err(Gap::RecordPath);
        }
        let number = suspensions.last().map_or(revision.number, |s| s.number);
        Ok(Shown { revision, suspensions, number, entries: Vec::new() })
    }

    /// The suspensions among the statements after a revision, if those are all there and no
    /// other revision is in force.
    fn replacing(
        &self,
        revision: &RevisionStatement,
        standpoint: &Standpoint<'_>,
    ) -> Result<Vec<SuspensionStatement>, Gap> {
        let Standpoint { origin, head, known, at } = *standpoint;
        let Some(later) = &self.later else {
            return if known == revision.number { Ok(Vec::new()) } else { Err(Gap::Later) };
        };
        let count = later.leaves.len() as u64;
        if later.start != revision.number
            || later.start.checked_add(count) != Some(known)
            || !later.is_of(head)
        {
            return Err(Gap::Later);
        }
        let mut suspensions = Vec::new();
        for (number, bytes) in (revision.number + 1..).zip(&later.leaves) {
            let next = Statement::parse(bytes.as_bytes()).map_err(|_malformed| Gap::Later)?;
            if next.number() != number || next.origin() != origin {
                return Err(Gap::Later);
            }
            match next {
                Statement::Revision(next) if next.effective <= at => return Err(Gap::NotInForce),
                Statement::Suspension(next) if next.effective <= at => suspensions.push(next),
                Statement::Revision(_) | Statement::Suspension(_) | Statement::Policy(_) => {}
            }
        }
        Ok(suspensions)
    }

    /// Checks that the name tree is shown as far as a question wants it, and adds the entries
    /// that stand there.
    ///
    /// # Errors
    /// The first [`Gap`].
    pub fn check_names(&self, wanted: &[Wanted], mut shown: Shown) -> Result<Shown, Gap> {
        if self.names.len() != wanted.len() {
            return Err(Gap::NameGap);
        }
        for (span, wanted) in self.names.iter().zip(wanted) {
            if !span.is_of(&shown.revision.names) {
                return Err(Gap::NamePath);
            }
            if !wanted.is_whole(span, shown.revision.names.size) {
                return Err(Gap::NameGap);
            }
            shown.entries.extend(wanted.entries(span).map(str::to_owned));
        }
        shown.entries.sort_unstable();
        shown.entries.dedup();
        Ok(shown)
    }
}

impl Line {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.number("index", self.index);
        push_list(object.field("path"), &self.path, push_hash);
        push_string(object.field("text"), &self.text);
        object.close();
    }
}

impl Span {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        push_list(object.field("leaves"), &self.leaves, |out, leaf| push_string(out, leaf));
        push_list(object.field("path"), &self.path, push_hash);
        object.number("start", self.start);
        object.close();
    }

    fn is_of(&self, head: &TreeHead) -> bool {
        let hashes: Vec<Hash> = self.leaves.iter().map(|l| leaf_hash(l.as_bytes())).collect();
        is_span(&hashes, self.start, head.size, &self.path, &head.root)
    }
}

impl Wanted {
    /// Whether a leaf is one of those wanted.
    pub(super) fn is_one(&self, leaf: &str) -> bool {
        match self {
            Self::Under(name) => {
                let rest = leaf.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.as_bytes().first() == Some(&NAME_SEPARATOR))
            }
            Self::First => leaf.as_bytes().first() == Some(&NAME_SEPARATOR),
        }
    }

    /// The ids of the entries that are wanted.
    fn entries<'a>(&'a self, span: &'a Span) -> impl Iterator<Item = &'a str> {
        let leaves = span.leaves.iter().map(String::as_str);
        leaves.filter(|leaf| self.is_one(leaf)).filter_map(|leaf| leaf.rsplit('\0').next())
    }

    /// Whether the leaves begin before everything that is wanted, and end after it, or at an end
    /// of the tree.
    fn is_whole(&self, span: &Span, size: u64) -> bool {
        let end = span.start + span.leaves.len() as u64;
        // The tree is sorted, or no list would have passed: what stands out of order hides.
        if !span.leaves.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()) {
            return false;
        }
        match self {
            Self::First => span.start == 0 && end == size.min(1),
            Self::Under(name) => {
                let prefix = format!("{name}\0");
                let first = span.leaves.first().map(String::as_bytes);
                let last = span.leaves.last().map(String::as_bytes);
                let before = first.is_none_or(|first| first < prefix.as_bytes());
                let after = last.is_none_or(|last| {
                    last >= prefix.as_bytes() && !last.starts_with(prefix.as_bytes())
                });
                (span.start == 0 || before) && (end == size || after)
            }
        }
    }
}

fn push_hash(out: &mut Vec<u8>, hash: &Hash) {
    out.push(b'"');
    push_base64(out, hash);
    out.push(b'"');
}

fn read_hashes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Hash>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let hashes: Option<Vec<Hash>> = texts.iter().map(|text| hash_of(text)).collect();
    hashes.ok_or_else(|| serde::de::Error::custom("a hash is 32 bytes in base64"))
}
