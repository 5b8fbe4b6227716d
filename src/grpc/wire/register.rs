//! Messages of the register to values and back.

use crate::domain::list_diff::{Change, RowChange, RowKind};
use crate::domain::message::Refusal;
use crate::formats::list_csv::ListFiles;
use crate::formats::stored::Stored;
use crate::formats::table::Problem;
use crate::register::history::Accepted;
use crate::register::merkle::Hash;
use crate::register::note::VerifierKey;
use crate::register::statement::Statement;
use crate::service::intake::{Preview, Standing, Submission};

use jiff::Timestamp;

use super::timestamp;
use crate::grpc::proto::v1;

/// Rows a preview shows.
const PREVIEW_ROWS_MAX: usize = 10_000;

/// A proposal as it arrived.
#[must_use]
pub fn submission(proposal: v1::Proposal) -> Submission {
    Submission {
        statement: proposal.statement.into(),
        checkpoint: proposal.checkpoint.into(),
        list: proposal.list.map(|files| ListFiles {
            schemes: files.schemes_csv.into(),
            enterprises: files.enterprises_csv.into(),
            entries: files.entries_csv.into(),
        }),
    }
}

/// A statement that stands.
#[must_use]
pub fn standing(standing: &Standing) -> v1::SubmitProposalResponse {
    v1::SubmitProposalResponse {
        number: standing.number,
        accept_time: Some(timestamp(standing.accept_time)),
        effective_time: standing.effective.map(timestamp),
        already_accepted: standing.already,
    }
}

/// What a proposal would do.
#[must_use]
pub fn preview(preview: &Preview) -> v1::ValidateProposalResponse {
    let refused = preview.refused.iter().map(|refused| v1::Violation {
        reason: refused.reason().to_owned(),
        place: String::new(),
        message_en: refused.english(),
        message_zh: refused.chinese(),
    });
    v1::ValidateProposalResponse {
        violations: refused.chain(preview.problems.iter().map(problem)).collect(),
        changes: preview.changes.iter().take(PREVIEW_ROWS_MAX).map(row_change).collect(),
        count: Some(count(&preview.changes)),
        number: preview.number,
        already_accepted: preview.already,
    }
}

fn problem(problem: &Problem) -> v1::Violation {
    v1::Violation {
        reason: problem.reason.to_owned(),
        place: problem.place(),
        message_en: problem.english.clone(),
        message_zh: problem.chinese.clone(),
    }
}

/// A row that differs.
#[must_use]
pub fn row_change(change: &RowChange) -> v1::RowChange {
    let field = |column: &str, before: &str, after: &str| v1::FieldChange {
        column: column.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let (kind, fields) = match &change.change {
        Change::Added(cells) => {
            let fields = cells.iter().map(|(column, cell)| field(column, "", cell));
            (v1::ChangeKind::Added, fields.collect())
        }
        Change::Removed(cells) => {
            let fields = cells.iter().map(|(column, cell)| field(column, cell, ""));
            (v1::ChangeKind::Removed, fields.collect())
        }
        Change::Changed(changes) => {
            let fields = changes.iter().map(|c| field(c.column, &c.before, &c.after));
            (v1::ChangeKind::Changed, fields.collect())
        }
    };
    v1::RowChange {
        kind: match change.kind {
            RowKind::Scheme => v1::RowKind::Scheme,
            RowKind::Enterprise => v1::RowKind::Enterprise,
            RowKind::Entry => v1::RowKind::Entry,
        }
        .into(),
        key: change.key.clone(),
        change: kind.into(),
        fields,
    }
}

/// How many rows differ.
#[must_use]
pub fn count(changes: &[RowChange]) -> v1::ChangeCount {
    let mut count = v1::ChangeCount::default();
    for change in changes {
        match change.change {
            Change::Added(_) => count.added += 1,
            Change::Removed(_) => count.removed += 1,
            Change::Changed(_) => count.changed += 1,
        }
    }
    count
}

/// A statement with its bytes.
#[must_use]
pub fn statement(accepted: &Accepted, stored: Stored) -> v1::Statement {
    let (kind, effective, expires) = match &accepted.statement {
        Statement::Revision(r) => (v1::StatementType::Revision, Some(r.effective), Some(r.expires)),
        Statement::Policy(_) => (v1::StatementType::Policy, None, None),
        Statement::Suspension(s) => (v1::StatementType::Suspension, Some(s.effective), None),
    };
    let cosignature = |(agency, at): &(String, jiff::Timestamp)| v1::Cosignature {
        agency: agency.clone(),
        cosign_time: Some(timestamp(*at)),
    };
    v1::Statement {
        number: accepted.statement.number(),
        r#type: kind.into(),
        statement: stored.statement.into(),
        checkpoint: stored.checkpoint.into(),
        accept_time: Some(timestamp(accepted.accept_time)),
        effective_time: effective.map(timestamp),
        expire_time: expires.map(timestamp),
        document: accepted.statement.document().to_owned(),
        cosignatures: accepted.cosigned.iter().map(cosignature).collect(),
    }
}

/// Hashes, 32 bytes each.
#[must_use]
pub fn hashes(hashes: &[Hash]) -> Vec<prost::bytes::Bytes> {
    hashes.iter().map(|hash| prost::bytes::Bytes::copy_from_slice(hash)).collect()
}

/// A key of the service, and when it was retired.
#[must_use]
pub fn service_key(key: &VerifierKey, retired: Option<Timestamp>) -> v1::ServiceKey {
    v1::ServiceKey { vkey: key.to_string(), retire_time: retired.map(timestamp) }
}
