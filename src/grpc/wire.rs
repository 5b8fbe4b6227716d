//! Messages to values and back: the only file that knows both.

use jiff::Timestamp;

use crate::domain::entry::Use;
use crate::domain::field::Field;
use crate::domain::question::{RawQuestion, Violation, civil_date};
use crate::register::receipt::Receipt;
use crate::service::running::Wanted;

use super::proto::v1;

mod answer;
mod encoded;
mod questions;
pub mod register;

pub use answer::{decision, entry, revision};
pub use encoded::{Encoded, received};
pub use questions::Questions;

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

/// A receipt.
#[must_use]
pub fn receipt(receipt: Receipt) -> v1::Receipt {
    v1::Receipt { decision_note: receipt.decision_note, list_proof: receipt.list_proof }
}

pub(super) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() }
}
