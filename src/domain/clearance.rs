//! `decide(list, question)`: the decision as a pure function.
//!
//! Only exact comparison makes a match: the full code, and the name in normal form or the CAS
//! number. Then every condition of the entry is weighed. Similarity is consulted only when
//! nothing matched, and yields candidates for a person.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::entry::{EnterpriseStanding, Entry, EntryKind, EntryState, Scheme};
use super::finding::{Effect, Finding, Reason};
use super::list::List;
use super::question::Question;

mod candidates;

pub(super) use candidates::Likened;
pub use candidates::{CANDIDATES_MAX, Candidate};

/// The answer, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Matches, and every condition holds.
    Listed,
    /// Matches, nothing fails, something was not given.
    Conditional,
    /// Matches, and a condition fails.
    NotCovered,
    /// Nothing matches; similar entries exist.
    Candidate,
    /// Nothing matches and nothing is similar.
    NotListed,
}

impl Verdict {
    /// Every verdict, best first.
    pub const ALL: [Self; 5] =
        [Self::Listed, Self::Conditional, Self::NotCovered, Self::Candidate, Self::NotListed];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "LISTED",
            Self::Conditional => "CONDITIONAL",
            Self::NotCovered => "NOT_COVERED",
            Self::Candidate => "CANDIDATE",
            Self::NotListed => "NOT_LISTED",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What of an entry matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedBy {
    /// Its Chinese name.
    NameZh,
    /// Its English name.
    NameEn,
    /// A recorded synonym.
    Synonym,
    /// Its CAS number.
    Cas,
    /// Its enterprise: a directory row.
    Directory,
}

/// An entry that matches, and how its conditions stand.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What matched.
    pub matched_by: MatchedBy,
    /// The text that matched, as listed.
    pub matched_text: Cow<'a, str>,
    /// What fails or is missing.
    pub findings: Vec<Finding<'a>>,
    /// What this entry alone answers.
    pub verdict: Verdict,
}

/// The decision on one question.
#[derive(Debug, Clone)]
pub struct Decision<'a> {
    /// The answer.
    pub verdict: Verdict,
    /// Why: of the deciding match, then of the question itself.
    pub findings: Vec<Finding<'a>>,
    /// Every entry that matches, best first.
    pub matches: Vec<Match<'a>>,
    /// Similar entries, best first; only when nothing matches.
    pub candidates: Vec<Candidate<'a>>,
    /// How many similar entries there are in all.
    pub candidate_total: usize,
}

/// Decides a question.
#[must_use]
pub fn decide<'a>(list: &'a List, question: &'a Question) -> Decision<'a> {
    let mut matches = item_matches(list, question);
    let mut findings = Vec::new();
    for row in directory_matches(list, question) {
        if row.verdict == Verdict::Conditional {
            matches.push(row);
        } else {
            // Nothing of the material matched, so a directory row that fails covers nothing and
            // refuses nothing; it says why it does not help.
            let fails = |f: &Finding<'_>| f.reason.effect() == Effect::Fails;
            findings.extend(row.findings.into_iter().filter(fails));
        }
    }
    matches.sort_by(|a, b| a.verdict.cmp(&b.verdict).then_with(|| a.entry.id.cmp(&b.entry.id)));
    if let Some(best) = matches.first() {
        findings.clone_from(&best.findings);
        findings.extend(notes(question));
        let verdict = best.verdict;
        return Decision { verdict, findings, matches, candidates: Vec::new(), candidate_total: 0 };
    }
    let (candidates, candidate_total) = candidates::find(list, question);
    findings.extend(notes(question));
    if !question.hs_code.is_full() {
        let given = question.hs_code.to_string();
        findings.push(Finding::new(Reason::HsCodeIncomplete, "10 digits", given));
    }
    let verdict = if candidates.is_empty() {
        findings.push(Finding::new(Reason::NoEntry, "", ""));
        Verdict::NotListed
    } else {
        Verdict::Candidate
    };
    let directory_may_hold = list.index().has_directory_rows()
        && question.scheme.is_none_or(|s| list.schemes().get(s).is_some_and(is_directory));
    if question.end_user.is_none() && directory_may_hold {
        findings.push(Finding::new(Reason::EndUserMissing, "", ""));
    }
    Decision { verdict, findings, matches, candidates, candidate_total }
}

fn is_directory(scheme: &Scheme) -> bool {
    scheme.listing == super::entry::Listing::Directory
}

/// Every entry that matches by full code and by name or CAS number.
fn item_matches<'a>(list: &'a List, question: &'a Question) -> Vec<Match<'a>> {
    let named: &[u32] = match (&question.name, question.cas) {
        _ if !question.hs_code.is_full() => &[],
        (Some(name), _) => list.index().by_name(name.normal()),
        (None, Some(cas)) => list.index().by_cas(cas),
        (None, None) => &[],
    };
    let entries = named.iter().filter_map(|position| list.entries().get(*position as usize));
    // All are looked at before one is weighed: they lie apart, and memory brings them together.
    let matching: Vec<&Entry> = entries.filter(|entry| is_match(entry, question)).collect();
    let weighed = matching.into_iter().map(|entry| {
        let (matched_by, matched_text) = what_matched(entry, question);
        weigh(list, question, entry, matched_by, matched_text)
    });
    weighed.collect()
}

/// The end user's directory rows, which name no material.
fn directory_matches<'a>(list: &'a List, question: &'a Question) -> Vec<Match<'a>> {
    let enterprise = question.end_user.and_then(|uscc| list.enterprise_by_uscc(uscc));
    let rows = enterprise.map_or(&[][..], |enterprise| list.index().directory_rows(enterprise));
    let entries = rows.iter().filter_map(|position| list.entries().get(*position as usize));
    let asked = entries.filter(|entry| question.scheme.is_none_or(|scheme| scheme == entry.scheme));
    let weighed = asked.map(|entry| {
        let named = list.enterprise_of(entry).map_or("", |e| &e.name_zh);
        weigh(list, question, entry, MatchedBy::Directory, named.into())
    });
    weighed.collect()
}

/// An item with exactly this code, in the scheme asked for, whose CAS number does not contradict.
fn is_match(entry: &Entry, question: &Question) -> bool {
    entry.kind == EntryKind::Item
        && entry.hs_code == Some(question.hs_code)
        && question.scheme.is_none_or(|scheme| scheme == entry.scheme)
        && !cas_contradicts(entry, question)
}

fn cas_contradicts(entry: &Entry, question: &Question) -> bool {
    matches!((entry.cas, question.cas), (Some(listed), Some(given)) if listed != given)
}

fn what_matched<'a>(entry: &'a Entry, question: &Question) -> (MatchedBy, Cow<'a, str>) {
    if let Some(name) = &question.name {
        let same = |n: &super::entry::ListedName| *n.normal == *name.normal();
        if let Some(zh) = entry.name_zh.as_ref().filter(|n| same(n)) {
            return (MatchedBy::NameZh, (&*zh.text).into());
        }
        if let Some(en) = entry.name_en.as_ref().filter(|n| same(n)) {
            return (MatchedBy::NameEn, (&*en.text).into());
        }
        if let Some(synonym) = entry.synonyms.iter().find(|n| same(n)) {
            return (MatchedBy::Synonym, (&*synonym.text).into());
        }
    }
    (MatchedBy::Cas, entry.cas.map(|c| c.to_string()).unwrap_or_default().into())
}

/// Weighs every condition of an entry that matches.
fn weigh<'a>(
    list: &'a List,
    question: &'a Question,
    entry: &'a Entry,
    matched_by: MatchedBy,
    matched_text: Cow<'a, str>,
) -> Match<'a> {
    let mut findings = Vec::new();
    check_end_user(list, question, entry, &mut findings);
    check_state_and_dates(question, entry, &mut findings);
    if let Some(scheme) = list.scheme_of(entry) {
        check_district(question, entry, scheme, &mut findings);
        check_use(question, scheme, &mut findings);
        if is_directory(scheme) {
            findings.push(Finding::new(Reason::DirectoryScope, &*scheme.name_zh, ""));
            for exclusion in &scheme.exclusions {
                findings.push(Finding::new(Reason::SchemeExclusion, &**exclusion, ""));
            }
        }
    }
    check_quantity(question, entry, &mut findings);
    check_texts(question, entry, &mut findings);
    let worst = findings.iter().map(|f| f.reason.effect()).max();
    let verdict = match worst {
        None | Some(Effect::Note) => Verdict::Listed,
        Some(Effect::Missing) => Verdict::Conditional,
        // No `Differs` is ever pushed here: the entry matches.
        Some(Effect::Fails | Effect::Differs) => Verdict::NotCovered,
    };
    Match { entry, matched_by, matched_text, findings, verdict }
}

fn check_end_user<'a>(
    list: &'a List,
    question: &'a Question,
    entry: &'a Entry,
    out: &mut Vec<Finding<'a>>,
) {
    let Some(enterprise) = list.enterprise_of(entry) else { return };
    let wanted = enterprise.uscc.as_str();
    match &question.end_user {
        None => out.push(Finding::new(Reason::EndUserMissing, wanted, "")),
        Some(given) if *given != enterprise.uscc => {
            out.push(Finding::new(Reason::EndUserNotOnEntry, wanted, given.as_str()));
        }
        Some(_) => {}
    }
    let reason = match enterprise.state_on(question.declaration_date) {
        EnterpriseStanding::Active => return,
        EnterpriseStanding::Suspended => Reason::EnterpriseSuspended,
        EnterpriseStanding::Banned => Reason::EnterpriseBanned,
        EnterpriseStanding::NotActive => Reason::EnterpriseNotActive,
    };
    let day = |d: Option<jiff::civil::Date>| d.map(|d| d.to_string()).unwrap_or_default();
    let window = match (enterprise.state_from, enterprise.state_until) {
        (None, None) => String::new(),
        (from, until) => format!("{}–{}", day(from), day(until)),
    };
    out.push(Finding::new(reason, window, wanted));
}

fn check_state_and_dates(question: &Question, entry: &Entry, out: &mut Vec<Finding<'_>>) {
    match entry.state {
        EntryState::Active => {}
        EntryState::Suspended => {
            out.push(Finding::new(Reason::EntrySuspended, "active", "suspended"));
        }
        EntryState::Withdrawn => {
            out.push(Finding::new(Reason::EntryWithdrawn, "active", "withdrawn"));
        }
    }
    let day = question.declaration_date;
    if let Some(from) = entry.valid_from.filter(|from| day < *from) {
        out.push(Finding::new(Reason::EntryNotYetValid, from.to_string(), day.to_string()));
    }
    if let Some(to) = entry.valid_to.filter(|to| *to < day) {
        out.push(Finding::new(Reason::EntryExpired, to.to_string(), day.to_string()));
    }
}

fn check_district(question: &Question, entry: &Entry, scheme: &Scheme, out: &mut Vec<Finding<'_>>) {
    let covered = if entry.customs_districts.is_empty() {
        &scheme.customs_districts
    } else {
        &entry.customs_districts
    };
    if covered.is_empty() {
        return;
    }
    let names = || join(covered.iter().map(ToString::to_string));
    match question.customs_district {
        None => out.push(Finding::new(Reason::CustomsDistrictMissing, names(), "")),
        Some(given) if !covered.iter().any(|c| c.covers(given)) => {
            out.push(Finding::new(Reason::CustomsDistrictNotCovered, names(), given.to_string()));
        }
        Some(_) => {}
    }
}

fn check_use(question: &Question, scheme: &Scheme, out: &mut Vec<Finding<'_>>) {
    let names = || join(scheme.permitted_use.iter().map(|u| u.name().to_owned()));
    match question.intended_use {
        None => out.push(Finding::new(Reason::UseMissing, names(), "")),
        Some(given) if !scheme.permitted_use.contains(&given) => {
            out.push(Finding::new(Reason::UseNotPermitted, names(), given.name()));
        }
        Some(_) => {}
    }
}

fn check_quantity(question: &Question, entry: &Entry, out: &mut Vec<Finding<'_>>) {
    let Some(limit) = &entry.quantity else { return };
    match &question.quantity {
        None => out.push(Finding::new(Reason::QuantityMissing, limit.to_string(), "")),
        Some(given) => match given.compare(limit) {
            None => out.push(Finding::new(
                Reason::UnitNotComparable,
                limit.to_string(),
                given.to_string(),
            )),
            Some(Ordering::Greater) => {
                out.push(Finding::new(
                    Reason::QuantityExceeded,
                    limit.to_string(),
                    given.to_string(),
                ));
            }
            Some(Ordering::Less | Ordering::Equal) => {}
        },
    }
}

fn check_texts<'a>(question: &'a Question, entry: &'a Entry, out: &mut Vec<Finding<'a>>) {
    let listed = &*entry.specification;
    match &question.specification {
        _ if listed.is_empty() => {}
        None => out.push(Finding::new(Reason::SpecificationMissing, listed, "")),
        Some(given) if !given.is_specification(listed) => {
            out.push(Finding::new(Reason::SpecificationDiffers, listed, given.given()));
        }
        Some(_) => {}
    }
    let listed = &*entry.manufacturer;
    match &question.manufacturer {
        _ if listed.is_empty() => {}
        None => out.push(Finding::new(Reason::ManufacturerMissing, listed, "")),
        Some(given) if !given.is_manufacturer(listed) => {
            out.push(Finding::new(Reason::ManufacturerDiffers, listed, given.given()));
        }
        Some(_) => {}
    }
}

/// What is to be said about the question itself.
fn notes(question: &Question) -> Vec<Finding<'_>> {
    let mut out = Vec::new();
    if let Some(name) = &question.name {
        if let Some(super::cas_number::CasError::CheckDigit { given, computed, .. }) =
            name.broken_cas()
        {
            out.push(Finding::new(Reason::CasCheckDigitWrong, computed.to_string(), given));
        }
        if name.has_look_alikes() {
            out.push(Finding::new(Reason::LookAlikeCharacters, "", name.given()));
        }
    }
    out
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
