//! The text of a decision: what was asked, what was compared, what was decided, from which list
//! and when. It is what a service signs and what a replay compares; the decision log keeps its
//! values.
//!
//! Lines of `name value`; a value of several parts is JSON in the canonical form of RFC 8785.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::clearance::{Decision, Verdict};
use crate::domain::entry::Use;
use crate::domain::finding::{Finding, Reason};
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::question::{Question, RawQuestion, civil_date};

use super::merkle::Hash;
use super::statement::from_hex;

mod writing;

/// First line.
const TYPE: &str = "clearlist/decision/v1";
/// Names of the lines after it.
const LINES: [&str; 13] = [
    "origin",
    "question",
    "compared",
    "verdict",
    "reasons",
    "matches",
    "candidates",
    "declaration_date",
    "known",
    "revision",
    "list_root_sha256",
    "normal_form_version",
    "decide_time",
];

/// A decision as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionText<'a> {
    /// The register that was asked.
    pub origin: Cow<'a, str>,
    /// As asked.
    pub question: Asked<'a>,
    /// As compared.
    pub compared: Compared<'a>,
    /// The answer.
    pub verdict: Verdict,
    /// Why, in the decision's order.
    pub reasons: Vec<Reason>,
    /// Every entry that matches, best first.
    pub matches: Vec<Matching<'a>>,
    /// Ids of the entries that resemble, best first.
    pub candidates: Vec<Cow<'a, str>>,
    /// The day it is about.
    pub declaration_date: Date,
    /// Which list answered.
    pub source: Source,
    /// Version of the normal form in which names were compared.
    pub normal_form_version: u32,
    /// When.
    pub decide_time: Timestamp,
}

/// Which list answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Statements that were known.
    pub known: u64,
    /// Revision, as the decision names it.
    pub revision: u64,
    /// Root of its list tree.
    pub list_root: Hash,
}

/// A question as asked. Fields that were not given are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "the fields of a question")]
#[expect(missing_docs, reason = "the fields of the API, documented there")]
pub struct Asked<'a> {
    pub cas_number: Cow<'a, str>,
    pub correlation_id: Cow<'a, str>,
    pub customs_district: Cow<'a, str>,
    /// `YYYY-MM-DD`.
    pub declaration_date: Cow<'a, str>,
    pub end_user_uscc: Cow<'a, str>,
    pub hs_code: Cow<'a, str>,
    pub known_at_revision: u64,
    pub manufacturer: Cow<'a, str>,
    pub material_name: Cow<'a, str>,
    pub min_revision: u64,
    pub quantity: Option<Amount<'a>>,
    pub scheme: Cow<'a, str>,
    pub specification: Cow<'a, str>,
    #[serde(rename = "use")]
    pub intended_use: Cow<'a, str>,
}

/// The values that were compared. Fields that were not given are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "the values that were compared")]
#[expect(missing_docs, reason = "the fields of the API, documented there")]
pub struct Compared<'a> {
    pub cas_number: Cow<'a, str>,
    pub customs_district: Cow<'a, str>,
    pub end_user_uscc: Cow<'a, str>,
    pub hs_code: Cow<'a, str>,
    pub manufacturer: Cow<'a, str>,
    pub material_name: Cow<'a, str>,
    pub quantity: Option<Amount<'a>>,
    pub scheme: Cow<'a, str>,
    pub specification: Cow<'a, str>,
    #[serde(rename = "use")]
    pub intended_use: Cow<'a, str>,
}

/// A quantity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a value with a unit")]
pub struct Amount<'a> {
    /// Unit, as written.
    pub unit: Cow<'a, str>,
    /// Digits, as written.
    pub value: Cow<'a, str>,
}

/// An entry that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching<'a> {
    /// Its id.
    pub entry: Cow<'a, str>,
    /// What fails or is missing.
    pub reasons: Vec<Reason>,
    /// What it alone answers.
    pub verdict: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an entry that matches")]
struct MatchingWire<'a> {
    entry: Cow<'a, str>,
    reasons: Vec<Cow<'a, str>>,
    verdict: Cow<'a, str>,
}

impl<'a> Asked<'a> {
    /// A question with the revisions it asks for.
    #[must_use]
    pub fn new(raw: &RawQuestion<'a>, known_at_revision: u64, min_revision: u64) -> Self {
        let date = raw.declaration_date.map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
        Self {
            cas_number: raw.cas_number.into(),
            correlation_id: raw.correlation_id.into(),
            customs_district: raw.customs_district.into(),
            declaration_date: date.unwrap_or_default().into(),
            end_user_uscc: raw.end_user_uscc.into(),
            hs_code: raw.hs_code.into(),
            known_at_revision,
            manufacturer: raw.manufacturer.into(),
            material_name: raw.material_name.into(),
            min_revision,
            quantity: raw
                .quantity
                .map(|(value, unit)| Amount { unit: unit.into(), value: value.into() }),
            scheme: raw.scheme.into(),
            specification: raw.specification.into(),
            intended_use: raw.intended_use.map_or("", Use::name).into(),
        }
    }

    /// The question, to ask it again; `None` if its date or use is none.
    #[must_use]
    pub fn raw(&self) -> Option<RawQuestion<'_>> {
        let declaration_date = match &*self.declaration_date {
            "" => None,
            text => Some(day(text)?),
        };
        let intended_use = match &*self.intended_use {
            "" => None,
            name => Some(Use::parse(name).filter(|found| found.name() == name)?),
        };
        Some(RawQuestion {
            hs_code: &self.hs_code,
            material_name: &self.material_name,
            cas_number: &self.cas_number,
            end_user_uscc: &self.end_user_uscc,
            specification: &self.specification,
            manufacturer: &self.manufacturer,
            quantity: self.quantity.as_ref().map(|q| (&*q.value, &*q.unit)),
            customs_district: &self.customs_district,
            intended_use,
            scheme: &self.scheme,
            declaration_date,
            correlation_id: &self.correlation_id,
        })
    }
}

fn day(text: &str) -> Option<(i32, i32, i32)> {
    let date: Date = text.parse().ok()?;
    let parts = (i32::from(date.year()), i32::from(date.month()), i32::from(date.day()));
    (civil_date(parts)?.to_string() == text).then_some(parts)
}

impl<'a> Compared<'a> {
    /// `scheme`: a question that was parsed names it by its id.
    fn new(question: &'a Question, scheme: Cow<'a, str>) -> Self {
        let text = |shown: Option<String>| shown.unwrap_or_default().into();
        Self {
            cas_number: text(question.cas.map(|cas| cas.to_string())),
            customs_district: text(question.customs_district.map(|d| d.to_string())),
            end_user_uscc: question.end_user.as_ref().map_or("", |uscc| uscc.as_str()).into(),
            hs_code: question.hs_code.as_str().into(),
            manufacturer: question.manufacturer.as_ref().map_or("", |text| text.key()).into(),
            material_name: question.name.as_ref().map_or("", |name| name.normal()).into(),
            quantity: question.quantity.map(|q| Amount {
                unit: q.unit().name().into(),
                value: q.value().to_string().into(),
            }),
            scheme,
            specification: question.specification.as_ref().map_or("", |text| text.key()).into(),
            intended_use: question.intended_use.map_or("", Use::name).into(),
        }
    }
}

impl<'a> DecisionText<'a> {
    /// The text of a decision.
    #[must_use]
    pub fn new(
        origin: &'a str,
        asked: Asked<'a>,
        question: &'a Question,
        decided: &'a Decision<'_>,
        source: Source,
        decide_time: Timestamp,
    ) -> Self {
        Self {
            origin: origin.into(),
            compared: Compared::new(question, asked.scheme.clone()),
            question: asked,
            verdict: decided.verdict,
            reasons: reasons(&decided.findings),
            matches: decided
                .matches
                .iter()
                .map(|m| Matching {
                    entry: (&*m.entry.id).into(),
                    reasons: reasons(&m.findings),
                    verdict: m.verdict,
                })
                .collect(),
            candidates: decided.candidates.iter().map(|c| (&*c.entry.id).into()).collect(),
            declaration_date: question.declaration_date,
            source,
            normal_form_version: NORMAL_FORM_VERSION,
            decide_time,
        }
    }
}

/// A line of two texts that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub line: &'static str,
    /// What one text says.
    pub said: String,
    /// What the other says.
    pub again: String,
}

impl DecisionText<'_> {
    /// The lines that another text says otherwise.
    #[must_use]
    pub fn differences(&self, again: &DecisionText<'_>) -> Vec<Difference> {
        let (said, again) = (self.to_string(), again.to_string());
        let lines = LINES.iter().zip(said.lines().skip(1).zip(again.lines().skip(1)));
        let differing = lines.filter(|(_, (said, again))| said != again);
        let value = |line: &str| line.split_once(' ').map_or("", |(_, value)| value).to_owned();
        differing
            .map(|(line, (said, again))| Difference {
                line,
                said: value(said),
                again: value(again),
            })
            .collect()
    }
}

impl DecisionText<'static> {
    /// Reads a text: the lines of a decision, and what follows them.
    ///
    /// # Errors
    /// The line, from 1, that is not as this program writes it; every other spelling of the same
    /// is refused.
    pub fn parse(text: &str) -> Result<(Self, &str), usize> {
        let mut lines = Lines { rest: text, line: 0 };
        if lines.next()? != TYPE {
            return Err(lines.line);
        }
        let read = Self {
            origin: lines.value("origin")?.to_owned().into(),
            question: lines.json("question")?,
            compared: lines.json("compared")?,
            verdict: lines.read("verdict", Verdict::parse)?,
            reasons: reasons_of(&lines.json::<Vec<Cow<'_, str>>>("reasons")?).ok_or(lines.line)?,
            matches: {
                let wire: Vec<MatchingWire<'static>> = lines.json("matches")?;
                let read: Option<Vec<_>> = wire.into_iter().map(Matching::from_wire).collect();
                read.ok_or(lines.line)?
            },
            candidates: lines.json("candidates")?,
            declaration_date: lines.read("declaration_date", |text| text.parse().ok())?,
            source: {
                let known = lines.read("known", |text| text.parse().ok())?;
                let revision = lines.read("revision", |text| text.parse().ok())?;
                let list_root = lines.read("list_root_sha256", from_hex)?;
                Source { known, revision, list_root }
            },
            normal_form_version: {
                let known = |text: &str| text.parse().ok().filter(|v| *v == NORMAL_FORM_VERSION);
                lines.read("normal_form_version", known)?
            },
            decide_time: lines.read("decide_time", |text| text.parse().ok())?,
        };
        // One decision has one text: a space more or an escape less is another.
        let rest = lines.rest;
        let whole = text.get(..text.len() - rest.len()).unwrap_or_default();
        let again = read.to_string();
        if again != whole {
            let same = again.lines().zip(whole.lines()).take_while(|(a, b)| a == b).count();
            return Err(same + 1);
        }
        Ok((read, rest))
    }
}

impl<'a> Matching<'a> {
    fn from_wire(wire: MatchingWire<'a>) -> Option<Self> {
        Some(Self {
            entry: wire.entry,
            reasons: reasons_of(&wire.reasons)?,
            verdict: Verdict::parse(&wire.verdict)?,
        })
    }
}

fn reasons(findings: &[Finding<'_>]) -> Vec<Reason> {
    findings.iter().map(|finding| finding.reason).collect()
}

fn reasons_of(names: &[Cow<'_, str>]) -> Option<Vec<Reason>> {
    names.iter().map(|name| Reason::parse(name)).collect()
}

/// Lines that are read one after another.
struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, usize> {
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or(self.line)?;
        self.rest = rest;
        Ok(line)
    }

    fn value(&mut self, name: &str) -> Result<&'a str, usize> {
        let line = self.next()?;
        line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).ok_or(self.line)
    }

    fn read<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, usize> {
        read(self.value(name)?).ok_or(self.line)
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, usize> {
        let value = self.value(name)?;
        serde_json::from_str(value).map_err(|_malformed| self.line)
    }
}

impl fmt::Display for DecisionText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
