//! An answer as it is stored: the fields of its decision text, as protobuf
//! (docs/formats.md#decision-log). The text itself is written when somebody reads it: that costs
//! more than all else a caller does for the log, and few answers are ever read.

use std::io;

use jiff::Timestamp;

use crate::domain::clearance::Verdict;
use crate::domain::finding::Reason;
use crate::register::decision_text::{Amount, Asked, Compared, DecisionText, Matching, Source};
use crate::service::fields::Fields;

use super::stored::{
    self, ANSWER_CALLER, ANSWER_DECISION, DECISION_ASKED, DECISION_CANDIDATES, DECISION_COMPARED,
    DECISION_DECIDE_NANOS, DECISION_DECIDE_SECONDS, DECISION_DECLARATION_DATE, DECISION_KNOWN,
    DECISION_LIST_ROOT_SHA256, DECISION_MATCHES, DECISION_NORMAL_FORM_VERSION, DECISION_ORIGIN,
    DECISION_REASONS, DECISION_REVISION, DECISION_VERDICT, MATCH_ENTRY, MATCH_REASONS,
    MATCH_VERDICT, QUANTITY_UNIT, QUANTITY_VALUE, QUESTION_CAS_NUMBER, QUESTION_CORRELATION_ID,
    QUESTION_CUSTOMS_DISTRICT, QUESTION_DECLARATION_DATE, QUESTION_END_USER_USCC, QUESTION_HS_CODE,
    QUESTION_KNOWN_AT_REVISION, QUESTION_MANUFACTURER, QUESTION_MATERIAL_NAME,
    QUESTION_MIN_REVISION, QUESTION_QUANTITY, QUESTION_SCHEME, QUESTION_SPECIFICATION,
    QUESTION_USE,
};

/// What most answers take, in bytes.
const BYTES_USUAL: usize = 1_024;

/// An answered question, as the log keeps it but for its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Microseconds since 1970.
    pub(super) decide_time: i64,
    /// Fields of [`stored::Answer`].
    pub(super) bytes: Vec<u8>,
}

impl Answered {
    /// An answer to a caller without a name.
    #[must_use]
    pub fn new(decision: &DecisionText<'_>) -> Self {
        let mut out = Fields::with_room(BYTES_USUAL);
        out.message(ANSWER_DECISION, |out| write_decision(out, decision));
        Self { decide_time: decision.decide_time.as_microsecond(), bytes: out.into_bytes() }
    }

    /// Adds who asked, once.
    pub fn set_caller(&mut self, caller: &str) {
        let mut out = Fields::after(std::mem::take(&mut self.bytes));
        out.text(ANSWER_CALLER, caller);
        self.bytes = out.into_bytes();
    }
}

fn write_decision(out: &mut Fields, decision: &DecisionText<'_>) {
    let DecisionText { question, compared, source, decide_time, .. } = decision;
    out.text(DECISION_ORIGIN, &*decision.origin);
    out.message(DECISION_ASKED, |out| write_asked(out, question));
    out.message(DECISION_COMPARED, |out| write_compared(out, compared));
    out.text(DECISION_VERDICT, decision.verdict.name());
    for reason in &decision.reasons {
        out.item(DECISION_REASONS, reason.name());
    }
    for matching in &decision.matches {
        out.message(DECISION_MATCHES, |out| write_matching(out, matching));
    }
    for candidate in &decision.candidates {
        out.item(DECISION_CANDIDATES, &**candidate);
    }
    out.value(DECISION_DECLARATION_DATE, decision.declaration_date);
    out.number(DECISION_KNOWN, source.known.cast_signed());
    out.number(DECISION_REVISION, source.revision.cast_signed());
    out.text(DECISION_LIST_ROOT_SHA256, source.list_root);
    out.number(DECISION_NORMAL_FORM_VERSION, decision.normal_form_version);
    out.number(DECISION_DECIDE_SECONDS, decide_time.as_second());
    out.number(DECISION_DECIDE_NANOS, decide_time.subsec_nanosecond());
}

fn write_asked(out: &mut Fields, asked: &Asked<'_>) {
    out.text(QUESTION_CAS_NUMBER, &*asked.cas_number);
    out.text(QUESTION_CORRELATION_ID, &*asked.correlation_id);
    out.text(QUESTION_CUSTOMS_DISTRICT, &*asked.customs_district);
    out.text(QUESTION_DECLARATION_DATE, &*asked.declaration_date);
    out.text(QUESTION_END_USER_USCC, &*asked.end_user_uscc);
    out.text(QUESTION_HS_CODE, &*asked.hs_code);
    out.number(QUESTION_KNOWN_AT_REVISION, asked.known_at_revision.cast_signed());
    out.text(QUESTION_MANUFACTURER, &*asked.manufacturer);
    out.text(QUESTION_MATERIAL_NAME, &*asked.material_name);
    out.number(QUESTION_MIN_REVISION, asked.min_revision.cast_signed());
    write_quantity(out, asked.quantity.as_ref());
    out.text(QUESTION_SCHEME, &*asked.scheme);
    out.text(QUESTION_SPECIFICATION, &*asked.specification);
    out.text(QUESTION_USE, &*asked.intended_use);
}

fn write_compared(out: &mut Fields, compared: &Compared<'_>) {
    out.text(QUESTION_CAS_NUMBER, &*compared.cas_number);
    out.text(QUESTION_CUSTOMS_DISTRICT, &*compared.customs_district);
    out.text(QUESTION_END_USER_USCC, &*compared.end_user_uscc);
    out.text(QUESTION_HS_CODE, &*compared.hs_code);
    out.text(QUESTION_MANUFACTURER, &*compared.manufacturer);
    out.text(QUESTION_MATERIAL_NAME, &*compared.material_name);
    write_quantity(out, compared.quantity.as_ref());
    out.text(QUESTION_SCHEME, &*compared.scheme);
    out.text(QUESTION_SPECIFICATION, &*compared.specification);
    out.text(QUESTION_USE, &*compared.intended_use);
}

fn write_quantity(out: &mut Fields, quantity: Option<&Amount<'_>>) {
    let Some(quantity) = quantity else { return };
    out.message(QUESTION_QUANTITY, |out| {
        out.text(QUANTITY_UNIT, &*quantity.unit);
        out.text(QUANTITY_VALUE, &*quantity.value);
    });
}

fn write_matching(out: &mut Fields, matching: &Matching<'_>) {
    out.text(MATCH_ENTRY, &*matching.entry);
    for reason in &matching.reasons {
        out.item(MATCH_REASONS, reason.name());
    }
    out.text(MATCH_VERDICT, matching.verdict.name());
}

impl stored::Answer {
    /// What was decided.
    ///
    /// # Errors
    /// It holds no decision, or one with a value that this program does not know.
    pub(super) fn decided(self) -> io::Result<DecisionText<'static>> {
        let id = self.id;
        #[expect(deprecated, reason = "files of format 2 are read")]
        let text = &self.text;
        let read = match self.decision {
            Some(decision) => decision.read(),
            None => DecisionText::parse(text).ok().map(|(decision, _rest)| decision),
        };
        read.ok_or_else(|| {
            io::Error::other(format!(
                "answer {id} cannot be read; it is damaged, or a later version wrote it"
            ))
        })
    }
}

impl stored::Decision {
    fn read(self) -> Option<DecisionText<'static>> {
        let list_root = self.list_root_sha256.try_into().ok()?;
        Some(DecisionText {
            origin: self.origin.into(),
            question: self.asked?.asked(),
            compared: self.compared?.compared(),
            verdict: Verdict::parse(&self.verdict)?,
            reasons: reasons(&self.reasons)?,
            matches: self.matches.into_iter().map(stored::Match::read).collect::<Option<_>>()?,
            candidates: self.candidates.into_iter().map(Into::into).collect(),
            declaration_date: self.declaration_date.parse().ok()?,
            source: Source { known: self.known, revision: self.revision, list_root },
            normal_form_version: self.normal_form_version,
            decide_time: Timestamp::new(self.decide_seconds, self.decide_nanos).ok()?,
        })
    }
}

impl stored::Question {
    fn asked(self) -> Asked<'static> {
        Asked {
            cas_number: self.cas_number.into(),
            correlation_id: self.correlation_id.into(),
            customs_district: self.customs_district.into(),
            declaration_date: self.declaration_date.into(),
            end_user_uscc: self.end_user_uscc.into(),
            hs_code: self.hs_code.into(),
            known_at_revision: self.known_at_revision,
            manufacturer: self.manufacturer.into(),
            material_name: self.material_name.into(),
            min_revision: self.min_revision,
            quantity: self.quantity.map(stored::Quantity::read),
            scheme: self.scheme.into(),
            specification: self.specification.into(),
            intended_use: self.r#use.into(),
        }
    }

    fn compared(self) -> Compared<'static> {
        Compared {
            cas_number: self.cas_number.into(),
            customs_district: self.customs_district.into(),
            end_user_uscc: self.end_user_uscc.into(),
            hs_code: self.hs_code.into(),
            manufacturer: self.manufacturer.into(),
            material_name: self.material_name.into(),
            quantity: self.quantity.map(stored::Quantity::read),
            scheme: self.scheme.into(),
            specification: self.specification.into(),
            intended_use: self.r#use.into(),
        }
    }
}

impl stored::Quantity {
    fn read(self) -> Amount<'static> {
        Amount { unit: self.unit.into(), value: self.value.into() }
    }
}

impl stored::Match {
    fn read(self) -> Option<Matching<'static>> {
        Some(Matching {
            entry: self.entry.into(),
            reasons: reasons(&self.reasons)?,
            verdict: Verdict::parse(&self.verdict)?,
        })
    }
}

fn reasons(names: &[String]) -> Option<Vec<Reason>> {
    names.iter().map(|name| Reason::parse(name)).collect()
}
