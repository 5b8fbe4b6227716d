//! Receipt files, and the whole check of a receipt: its signatures and proofs, and then the same
//! decision once more, from the rows that it shows and nothing else.

use serde::{Deserialize, Serialize};

use crate::domain::clearance::decide;
use crate::domain::list::List;
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::question::Question;
use crate::domain::shanghai;
use crate::register::decision_text::DecisionText;
use crate::register::note::VerifierKey;
use crate::register::policy::Policy;
use crate::register::receipt::{self, Checked, PROOF_BYTES_MAX, Receipt, ReceiptError};
use crate::register::statement::suspended;

use super::list_records::{self, Delta};

/// Largest receipt file, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 2 * PROOF_BYTES_MAX;

/// The JSON of a receipt: the proto3 JSON form of `clearlist.v1.Receipt`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a receipt")]
struct Wire {
    decision_note: String,
    list_proof: String,
}

/// Reads a receipt file.
///
/// # Errors
/// What is wrong with its JSON.
pub fn read(bytes: &[u8]) -> Result<Receipt, String> {
    if bytes.len() > RECEIPT_BYTES_MAX {
        return Err(format!("it has {} bytes; at most {RECEIPT_BYTES_MAX}", bytes.len()));
    }
    let Wire { decision_note, list_proof } =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(Receipt { decision_note, list_proof })
}

/// The bytes of a receipt file.
#[must_use]
pub fn write(receipt: &Receipt) -> Vec<u8> {
    let Receipt { decision_note, list_proof } = receipt.clone();
    // Two strings: nothing that could fail.
    serde_json::to_vec(&Wire { decision_note, list_proof }).unwrap_or_default()
}

/// A receipt that holds: what it says follows from rows that the agencies signed.
#[derive(Debug)]
pub struct Verified {
    /// What was checked.
    pub checked: Checked,
    /// The rows that were shown, as they stood: suspensions are laid over them.
    pub rows: List,
}

/// Checks a receipt whole.
///
/// # Errors
/// [`ReceiptError`]: what failed, the first.
pub fn verify(
    receipt: &Receipt,
    policy: &Policy,
    service: &VerifierKey,
) -> Result<Verified, ReceiptError> {
    let checked = receipt::check(receipt, policy, service)?;
    if checked.shown.revision.normal_form_version != NORMAL_FORM_VERSION {
        return Err(ReceiptError::Rows {
            problem: format!(
                "they are in normal form version {}; this program knows {NORMAL_FORM_VERSION}",
                checked.shown.revision.normal_form_version
            ),
        });
    }
    let records = checked.records.iter().map(|record| record.clone().into_bytes()).collect();
    let delta = Delta { removed: Vec::new(), records };
    let rows = list_records::apply(None, &delta).map_err(|problems| {
        let problem = problems.first().map(|p| p.english.clone()).unwrap_or_default();
        ReceiptError::Rows { problem }
    })?;
    let rows = suspended(&rows, checked.shown.suspensions.iter());
    let question = question(&checked.text, &rows)?;
    let checked = checked.names_of(&question)?;
    // A row that is not here could decide otherwise.
    let similar = checked.text.candidates.iter().map(|id| &**id);
    for id in checked.shown.entries.iter().map(String::as_str).chain(similar) {
        if !rows.entries().iter().any(|entry| *entry.id == *id) {
            return Err(ReceiptError::RowMissing { entry: id.to_owned() });
        }
    }
    let said = &checked.text;
    let decided = decide(&rows, &question);
    let (source, time) = (said.source, said.decide_time);
    let asked = said.question.clone();
    let mut again = DecisionText::new(&said.origin, asked, &question, &decided, source, time);
    // Which entries resemble, and in which order, takes the whole list; whether any does, not.
    if !said.candidates.is_empty() && !again.candidates.is_empty() {
        again.candidates.clone_from(&said.candidates);
    }
    if let Some(first) = said.differences(&again).into_iter().next() {
        return Err(ReceiptError::DecidesOtherwise {
            line: first.line,
            said: first.said,
            follows: first.again,
        });
    }
    Ok(Verified { checked, rows })
}

/// The question of a decision, to ask it again.
///
/// # Errors
/// [`ReceiptError::Question`].
pub fn question(text: &DecisionText<'_>, list: &List) -> Result<Question, ReceiptError> {
    let refused = |problem: String| ReceiptError::Question { problem };
    let raw = text.question.raw().ok_or_else(|| refused("its date or its use is none".into()))?;
    Question::parse(&raw, list, shanghai::today(text.decide_time)).map_err(|violations| {
        refused(violations.into_iter().next().map(|v| v.english).unwrap_or_default())
    })
}
