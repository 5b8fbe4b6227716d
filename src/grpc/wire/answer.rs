//! A decision, and what it is made of, field by field: the only description of how values become
//! the messages of an answer. Where a message itself is wanted it is read from what was written.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::clearance::{Candidate, Decision, Match, MatchedBy, Verdict};
use crate::domain::entry::{Entry, EntryKind, EntryState, ListedName};
use crate::domain::field::{Field, Step};
use crate::domain::finding::{Effect, Finding, Reason};
use crate::domain::list::List;
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::quantity::Quantity;
use crate::domain::question::Question;
use crate::grpc::proto::v1;
use crate::service::fields::Fields;
use crate::service::snapshot::{Revision, Snapshot};

use super::encoded::Encoded;

// The numbers of the fields, from the proto files: `ENTRY_HS_CODE` is that of `Entry.hs_code`.
include!(concat!(env!("OUT_DIR"), "/fields.rs"));

/// Usual bytes of an answer without its rows,
const DECISION_BYTES: usize = 512;
/// and of each row.
const ROW_BYTES: usize = 512;

/// A decision, complete.
#[must_use]
pub fn decision(
    snapshot: &Snapshot,
    question: &Question,
    decided: &Decision<'_>,
    correlation_id: &str,
    now: Timestamp,
) -> Encoded<v1::Decision> {
    let list = &snapshot.list;
    let rows = decided.matches.len() + decided.candidates.len();
    Encoded::write(DECISION_BYTES + rows * ROW_BYTES, |out| {
        out.choice(DECISION_VERDICT, verdict(decided.verdict));
        for finding in &decided.findings {
            out.message(DECISION_FINDINGS, |out| write_finding(out, finding));
        }
        for found in &decided.matches {
            out.message(DECISION_MATCHES, |out| write_match(out, list, found));
        }
        for candidate in &decided.candidates {
            out.message(DECISION_CANDIDATES, |out| write_candidate(out, list, candidate));
        }
        let total = u32::try_from(decided.candidate_total).unwrap_or(u32::MAX);
        out.number(DECISION_CANDIDATE_TOTAL, total);
        for (field, step) in &question.steps {
            out.message(DECISION_NORMALIZATION, |out| write_step(out, *field, step));
        }
        out.number(DECISION_NORMAL_FORM_VERSION, NORMAL_FORM_VERSION);
        out.message(DECISION_REVISION, |out| write_revision(out, &snapshot.revision));
        out.message(DECISION_DECLARATION_DATE, |out| write_date(out, question.declaration_date));
        out.message(DECISION_DECIDE_TIME, |out| write_timestamp(out, now));
        out.text(DECISION_CORRELATION_ID, correlation_id);
    })
}

/// An entry of a list.
#[must_use]
pub fn entry(list: &List, entry: &Entry) -> v1::Entry {
    Encoded::<v1::Entry>::write(ROW_BYTES, |out| write_entry(out, list, entry)).read()
}

/// A revision.
#[must_use]
pub fn revision(revision: &Revision) -> v1::Revision {
    Encoded::<v1::Revision>::write(DECISION_BYTES, |out| write_revision(out, revision)).read()
}

fn write_step(out: &mut Fields, field: Field, step: &Step) {
    out.text(NORMALIZATION_STEP_FIELD, field.name());
    out.text(NORMALIZATION_STEP_STEP, step.name);
    out.text(NORMALIZATION_STEP_BEFORE, &step.before);
    out.text(NORMALIZATION_STEP_AFTER, &step.after);
}

fn write_match(out: &mut Fields, list: &List, found: &Match<'_>) {
    out.message(MATCH_ENTRY, |out| write_entry(out, list, found.entry));
    out.choice(MATCH_MATCHED_BY, matched_by(found.matched_by));
    out.text(MATCH_MATCHED_TEXT, &*found.matched_text);
    for finding in &found.findings {
        out.message(MATCH_FINDINGS, |out| write_finding(out, finding));
    }
    out.choice(MATCH_VERDICT, verdict(found.verdict));
    if let Some(scheme) = list.scheme_of(found.entry) {
        for document in &scheme.waived_documents {
            out.item(MATCH_WAIVED_DOCUMENTS, &**document);
        }
        out.text(MATCH_REMARK_TEXT, &*scheme.remark_text);
    }
}

fn write_candidate(out: &mut Fields, list: &List, candidate: &Candidate<'_>) {
    out.message(CANDIDATE_ENTRY, |out| write_entry(out, list, candidate.entry));
    out.double(CANDIDATE_SCORE, candidate.score);
    for finding in &candidate.differences {
        out.message(CANDIDATE_DIFFERENCES, |out| write_finding(out, finding));
    }
    out.text(CANDIDATE_MATCHED_TEXT, candidate.matched_text);
}

/// A finding with its texts.
fn write_finding(out: &mut Fields, finding: &Finding<'_>) {
    out.choice(FINDING_REASON, reason(finding.reason));
    out.text(FINDING_FIELD, finding.reason.field().name());
    out.text(FINDING_EXPECTED, &*finding.expected);
    out.text(FINDING_GIVEN, &*finding.given);
    finding.say_english(|pieces| out.pieces(FINDING_MESSAGE_EN, pieces));
    finding.say_chinese(|pieces| out.pieces(FINDING_MESSAGE_ZH, pieces));
    out.choice(FINDING_EFFECT, effect(finding.reason.effect()));
}

fn write_entry(out: &mut Fields, list: &List, entry: &Entry) {
    out.text(ENTRY_ENTRY_ID, &*entry.id);
    if let Some(scheme) = list.scheme_of(entry) {
        out.text(ENTRY_SCHEME, &*scheme.id);
    }
    out.text(ENTRY_BATCH, &*entry.batch);
    if let Some(enterprise) = list.enterprise_of(entry) {
        out.text(ENTRY_USCC, enterprise.uscc.as_str());
        out.text(ENTRY_ENTERPRISE_NAME_ZH, &*enterprise.name_zh);
    }
    out.choice(ENTRY_KIND, kind(entry.kind));
    out.text(ENTRY_NAME_ZH, text_of(entry.name_zh.as_ref()));
    out.text(ENTRY_NAME_EN, text_of(entry.name_en.as_ref()));
    for synonym in &entry.synonyms {
        out.item(ENTRY_SYNONYMS, &*synonym.text);
    }
    if let Some(cas) = entry.cas {
        out.value(ENTRY_CAS, cas);
    }
    if let Some(code) = &entry.hs_code {
        out.text(ENTRY_HS_CODE, code.as_str());
    }
    out.text(ENTRY_SPECIFICATION, &*entry.specification);
    out.text(ENTRY_MANUFACTURER, &*entry.manufacturer);
    out.text(ENTRY_ORIGIN_COUNTRY, &*entry.origin_country);
    if let Some(quantity) = entry.quantity {
        out.message(ENTRY_QUANTITY, |out| write_quantity(out, quantity));
    }
    out.text(ENTRY_PURPOSE, &*entry.purpose);
    for district in &entry.customs_districts {
        out.value(ENTRY_CUSTOMS_DISTRICTS, district);
    }
    if let Some(day) = entry.valid_from {
        out.message(ENTRY_VALID_FROM, |out| write_date(out, day));
    }
    if let Some(day) = entry.valid_to {
        out.message(ENTRY_VALID_TO, |out| write_date(out, day));
    }
    out.choice(ENTRY_STATE, state(entry.state));
    out.text(ENTRY_SOURCE_DOCUMENT, &*entry.source_document);
}

fn text_of(name: Option<&ListedName>) -> &str {
    name.map_or("", |name| &name.text)
}

fn write_quantity(out: &mut Fields, quantity: Quantity) {
    out.value(QUANTITY_VALUE, quantity.value());
    out.text(QUANTITY_UNIT, quantity.unit().name());
}

fn write_revision(out: &mut Fields, revision: &Revision) {
    out.text(REVISION_ORIGIN, &revision.origin);
    out.number(REVISION_NUMBER, revision.number.cast_signed());
    out.text(REVISION_ROOT_SHA256, revision.root_sha256);
    if let Some(effective) = revision.effective {
        out.message(REVISION_EFFECTIVE_TIME, |out| write_timestamp(out, effective));
    }
    if let Some(expires) = revision.expires {
        out.message(REVISION_EXPIRE_TIME, |out| write_timestamp(out, expires));
    }
}

fn write_date(out: &mut Fields, date: Date) {
    out.number(DATE_YEAR, date.year());
    out.number(DATE_MONTH, date.month());
    out.number(DATE_DAY, date.day());
}

fn write_timestamp(out: &mut Fields, instant: Timestamp) {
    out.number(TIMESTAMP_SECONDS, instant.as_second());
    out.number(TIMESTAMP_NANOS, instant.subsec_nanosecond());
}

const fn kind(kind: EntryKind) -> v1::EntryKind {
    match kind {
        EntryKind::Item => v1::EntryKind::Item,
        EntryKind::Class => v1::EntryKind::Class,
    }
}

const fn state(state: EntryState) -> v1::EntryState {
    match state {
        EntryState::Active => v1::EntryState::Active,
        EntryState::Suspended => v1::EntryState::Suspended,
        EntryState::Withdrawn => v1::EntryState::Withdrawn,
    }
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
