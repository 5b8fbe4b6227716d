//! Messages to values and back: the only file that knows both.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::clearance::{Candidate, Decision, Match, MatchedBy, Verdict};
use crate::domain::entry::{Entry, EntryKind, EntryState, Use};
use crate::domain::field::{Field, Step};
use crate::domain::finding::{Effect, Finding, Reason};
use crate::domain::list::List;
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::question::{Question, RawQuestion, Violation, civil_date};
use crate::register::receipt::Receipt;
use crate::service::running::Wanted;
use crate::service::snapshot::{Revision, Snapshot};

use super::proto::{google::r#type::Date as WireDate, v1};

pub mod register;

/// A question as it arrived.
///
/// # Errors
/// [`Violation`] for an enum value of no meaning.
pub fn raw_question(request: &v1::CheckClearanceRequest) -> Result<RawQuestion<'_>, Violation> {
    Ok(RawQuestion {
        hs_code: &request.hs_code,
        material_name: &request.material_name,
        cas_number: &request.cas_number,
        end_user_uscc: &request.end_user_uscc,
        specification: &request.specification,
        manufacturer: &request.manufacturer,
        quantity: request.quantity.as_ref().map(|q| (&*q.value, &*q.unit)),
        customs_district: &request.customs_district,
        intended_use: intended_use(request.r#use)?,
        scheme: &request.scheme,
        declaration_date: request.declaration_date.map(|d| (d.year, d.month, d.day)),
        correlation_id: &request.correlation_id,
    })
}

/// Which list a question asks for. A date that is none is for the question's own parser to
/// refuse.
#[must_use]
pub fn wanted(request: &v1::CheckClearanceRequest) -> Wanted {
    let date = request.declaration_date.and_then(|d| civil_date((d.year, d.month, d.day)));
    Wanted { date, known: request.known_at_revision, min: request.min_revision }
}

fn intended_use(given: i32) -> Result<Option<Use>, Violation> {
    match v1::Use::try_from(given) {
        Ok(v1::Use::Unspecified) => Ok(None),
        Ok(v1::Use::Research) => Ok(Some(Use::Research)),
        Ok(v1::Use::Clinical) => Ok(Some(Use::Clinical)),
        Ok(v1::Use::Sale) => Ok(Some(Use::Sale)),
        Err(_unknown) => Err(Violation::new(
            Field::Use,
            "USE_UNKNOWN",
            format!("{given} is no use; give RESEARCH, CLINICAL or SALE"),
            format!("{given}不是有效的用途；请填RESEARCH、CLINICAL或SALE"),
        )),
    }
}

/// The wire value of a use.
#[must_use]
pub const fn use_to_wire(intended: Use) -> v1::Use {
    match intended {
        Use::Research => v1::Use::Research,
        Use::Clinical => v1::Use::Clinical,
        Use::Sale => v1::Use::Sale,
    }
}

/// A decision, complete.
#[must_use]
pub fn decision(
    snapshot: &Snapshot,
    question: &Question,
    decided: &Decision<'_>,
    correlation_id: String,
    now: Timestamp,
) -> v1::Decision {
    let list = &snapshot.list;
    let matches: Vec<v1::Match> = decided.matches.iter().map(|m| matched(list, m)).collect();
    // The decision begins with the findings of the deciding match; their sentences are made.
    let made = matches.first().map_or(&[][..], |deciding| &deciding.findings);
    let further = decided.findings.iter().skip(made.len());
    v1::Decision {
        verdict: verdict(decided.verdict).into(),
        findings: made.iter().cloned().chain(further.map(finding)).collect(),
        matches,
        candidates: decided.candidates.iter().map(|c| candidate(list, c)).collect(),
        candidate_total: u32::try_from(decided.candidate_total).unwrap_or(u32::MAX),
        declaration_date: Some(date(question.declaration_date)),
        normalization: question
            .steps
            .iter()
            .map(|(field, step)| self::step(*field, step))
            .collect(),
        normal_form_version: NORMAL_FORM_VERSION,
        revision: Some(revision(&snapshot.revision)),
        decide_time: Some(timestamp(now)),
        correlation_id,
    }
}

/// A receipt.
#[must_use]
pub fn receipt(receipt: Receipt) -> v1::Receipt {
    v1::Receipt { decision_note: receipt.decision_note, list_proof: receipt.list_proof }
}

fn step(field: Field, step: &Step) -> v1::NormalizationStep {
    v1::NormalizationStep {
        field: field.name().to_owned(),
        step: step.name.to_owned(),
        before: step.before.clone(),
        after: step.after.clone(),
    }
}

fn matched(list: &List, matched: &Match<'_>) -> v1::Match {
    let scheme = list.scheme_of(matched.entry);
    v1::Match {
        entry: Some(entry(list, matched.entry)),
        matched_by: matched_by(matched.matched_by).into(),
        matched_text: matched.matched_text.to_string(),
        findings: matched.findings.iter().map(finding).collect(),
        verdict: verdict(matched.verdict).into(),
        waived_documents: scheme
            .map(|s| s.waived_documents.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        remark_text: scheme.map(|s| s.remark_text.to_string()).unwrap_or_default(),
    }
}

fn candidate(list: &List, candidate: &Candidate<'_>) -> v1::Candidate {
    v1::Candidate {
        entry: Some(entry(list, candidate.entry)),
        score: candidate.score,
        differences: candidate.differences.iter().map(finding).collect(),
        matched_text: candidate.matched_text.to_owned(),
    }
}

/// A finding with its texts.
fn finding(finding: &Finding<'_>) -> v1::Finding {
    v1::Finding {
        reason: reason(finding.reason).into(),
        field: finding.reason.field().name().to_owned(),
        expected: finding.expected.to_string(),
        given: finding.given.to_string(),
        message_en: finding.english(),
        message_zh: finding.chinese(),
        effect: effect(finding.reason.effect()).into(),
    }
}

/// An entry of a list.
#[must_use]
pub fn entry(list: &List, entry: &Entry) -> v1::Entry {
    let enterprise = list.enterprise_of(entry);
    let name = |n: &Option<crate::domain::entry::ListedName>| {
        n.as_ref().map(|n| n.text.to_string()).unwrap_or_default()
    };
    v1::Entry {
        entry_id: entry.id.to_string(),
        scheme: list.scheme_of(entry).map(|s| s.id.to_string()).unwrap_or_default(),
        batch: entry.batch.to_string(),
        uscc: enterprise.map(|e| e.uscc.as_str().to_owned()).unwrap_or_default(),
        enterprise_name_zh: enterprise.map(|e| e.name_zh.to_string()).unwrap_or_default(),
        kind: match entry.kind {
            EntryKind::Item => v1::EntryKind::Item,
            EntryKind::Class => v1::EntryKind::Class,
        }
        .into(),
        name_zh: name(&entry.name_zh),
        name_en: name(&entry.name_en),
        synonyms: entry.synonyms.iter().map(|s| s.text.to_string()).collect(),
        cas: entry.cas.map(|c| c.to_string()).unwrap_or_default(),
        hs_code: entry.hs_code.as_ref().map(|c| c.as_str().to_owned()).unwrap_or_default(),
        specification: entry.specification.to_string(),
        manufacturer: entry.manufacturer.to_string(),
        origin_country: entry.origin_country.to_string(),
        quantity: entry.quantity.map(|q| v1::Quantity {
            value: q.value().to_string(),
            unit: q.unit().name().to_owned(),
        }),
        purpose: entry.purpose.to_string(),
        customs_districts: entry.customs_districts.iter().map(ToString::to_string).collect(),
        valid_from: entry.valid_from.map(date),
        valid_to: entry.valid_to.map(date),
        state: match entry.state {
            EntryState::Active => v1::EntryState::Active,
            EntryState::Suspended => v1::EntryState::Suspended,
            EntryState::Withdrawn => v1::EntryState::Withdrawn,
        }
        .into(),
        source_document: entry.source_document.to_string(),
    }
}

/// A revision.
#[must_use]
pub fn revision(revision: &Revision) -> v1::Revision {
    v1::Revision {
        origin: revision.origin.clone(),
        number: revision.number,
        root_sha256: prost::bytes::Bytes::copy_from_slice(&revision.root_sha256),
        effective_time: revision.effective.map(timestamp),
        expire_time: revision.expires.map(timestamp),
    }
}

fn date(date: Date) -> WireDate {
    WireDate {
        year: i32::from(date.year()),
        month: i32::from(date.month()),
        day: i32::from(date.day()),
    }
}

pub(super) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() }
}

const fn verdict(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Listed => v1::Verdict::Listed,
        Verdict::Conditional => v1::Verdict::Conditional,
        Verdict::NotCovered => v1::Verdict::NotCovered,
        Verdict::Candidate => v1::Verdict::Candidate,
        Verdict::NotListed => v1::Verdict::NotListed,
    }
}

const fn matched_by(matched_by: MatchedBy) -> v1::MatchedBy {
    match matched_by {
        MatchedBy::NameZh => v1::MatchedBy::NameZh,
        MatchedBy::NameEn => v1::MatchedBy::NameEn,
        MatchedBy::Synonym => v1::MatchedBy::Synonym,
        MatchedBy::Cas => v1::MatchedBy::Cas,
        MatchedBy::Directory => v1::MatchedBy::Directory,
    }
}

const fn effect(effect: Effect) -> v1::Effect {
    match effect {
        Effect::Missing => v1::Effect::Missing,
        Effect::Fails => v1::Effect::Fails,
        Effect::Differs => v1::Effect::Differs,
        Effect::Note => v1::Effect::Note,
    }
}

const fn reason(reason: Reason) -> v1::Reason {
    match reason {
        Reason::EndUserMissing => v1::Reason::EndUserMissing,
        Reason::EndUserNotOnEntry => v1::Reason::EndUserNotOnEntry,
        Reason::EntryExpired => v1::Reason::EntryExpired,
        Reason::EntryNotYetValid => v1::Reason::EntryNotYetValid,
        Reason::EntrySuspended => v1::Reason::EntrySuspended,
        Reason::EntryWithdrawn => v1::Reason::EntryWithdrawn,
        Reason::EnterpriseSuspended => v1::Reason::EnterpriseSuspended,
        Reason::EnterpriseBanned => v1::Reason::EnterpriseBanned,
        Reason::EnterpriseNotActive => v1::Reason::EnterpriseNotActive,
        Reason::HsCodeIncomplete => v1::Reason::HsCodeIncomplete,
        Reason::HsCodeDiffers => v1::Reason::HsCodeDiffers,
        Reason::NameDiffers => v1::Reason::NameDiffers,
        Reason::CasDiffers => v1::Reason::CasDiffers,
        Reason::CasCheckDigitWrong => v1::Reason::CasCheckDigitWrong,
        Reason::ClassEntry => v1::Reason::ClassEntry,
        Reason::SpecificationMissing => v1::Reason::SpecificationMissing,
        Reason::SpecificationDiffers => v1::Reason::SpecificationDiffers,
        Reason::ManufacturerMissing => v1::Reason::ManufacturerMissing,
        Reason::ManufacturerDiffers => v1::Reason::ManufacturerDiffers,
        Reason::CustomsDistrictMissing => v1::Reason::CustomsDistrictMissing,
        Reason::CustomsDistrictNotCovered => v1::Reason::CustomsDistrictNotCovered,
        Reason::QuantityMissing => v1::Reason::QuantityMissing,
        Reason::QuantityExceeded => v1::Reason::QuantityExceeded,
        Reason::UnitNotComparable => v1::Reason::UnitNotComparable,
        Reason::UseMissing => v1::Reason::UseMissing,
        Reason::UseNotPermitted => v1::Reason::UseNotPermitted,
        Reason::DirectoryScope => v1::Reason::DirectoryScope,
        Reason::SchemeExclusion => v1::Reason::SchemeExclusion,
        Reason::LookAlikeCharacters => v1::Reason::LookAlikeCharacters,
        Reason::NoEntry => v1::Reason::NoEntry,
    }
}
