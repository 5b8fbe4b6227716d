//! Questions of these tests, and what the log says of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::service::decisions::reading::{Filter, Logged, Next, Order, read};
use tonic::Status;
use tonic::transport::Channel;

use super::support::ceremony::Place;
use super::support::{CODE, OWNER, files, row};

/// A listed material, which no log but this one may show.
pub(crate) const NAME: &str = "四环素";

/// A register with a few rows.
pub(crate) fn place() -> Place {
    Place::with(&files(&[row("R1", NAME), row("R2", "红霉素")]))
}

/// The log of a register.
pub(crate) fn log_of(place: &Place) -> PathBuf {
    place.register().join("decisions")
}

/// A question with an answer: LISTED.
pub(crate) fn question(correlation_id: &str) -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: NAME.into(),
        end_user_uscc: OWNER.into(),
        r#use: v1::Use::Research.into(),
        correlation_id: correlation_id.into(),
        ..Default::default()
    }
}

/// Asks one question.
pub(crate) async fn check(
    channel: &Channel,
    question: v1::CheckClearanceRequest,
) -> Result<v1::Decision, Status> {
    let answer = ClearanceServiceClient::new(channel.clone()).check_clearance(question).await;
    answer.map(|answer| answer.into_inner().decision.expect("an answer has a decision"))
}

/// Asks a batch.
pub(crate) async fn batch(
    channel: &Channel,
    items: Vec<v1::CheckClearanceRequest>,
) -> Result<Vec<v1::BatchCheckClearanceResult>, Status> {
    let request = v1::BatchCheckClearanceRequest { items };
    let answer = ClearanceServiceClient::new(channel.clone()).batch_check_clearance(request).await;
    answer.map(|answer| answer.into_inner().results)
}

/// Everything in a log, as it stands, oldest first.
pub(crate) fn logged(log: &Path) -> Vec<Logged> {
    logged_with(log, &Filter::default())
}

/// What fits a filter, oldest first.
pub(crate) fn logged_with(log: &Path, filter: &Filter) -> Vec<Logged> {
    let mut found = Vec::new();
    let unread = read(log, filter, Order::OldestFirst, |logged| {
        found.push(logged);
        Ok(Next::More)
    });
    let unread = unread.expect("the log is read");
    assert!(unread.failed.is_empty() && unread.set_aside.is_empty(), "{unread:?}");
    found
}

/// How often each correlation id is in a log.
pub(crate) fn counts(log: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for found in logged(log) {
        *counts.entry(found.correlation_id).or_default() += 1;
    }
    counts
}
