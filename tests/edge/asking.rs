//! Well-behaved callers.

use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::{
    BatchCheckClearanceRequest, CheckClearanceRequest, Decision, StreamCheckClearanceRequest,
};
use tonic::Status;
use tonic::transport::Channel;

use super::support::ceremony::Place;
use super::support::{CODE, OWNER, files, row};

/// A register with one row.
pub(crate) fn place() -> Place {
    Place::with(&files(&[row("R", "四环素")]))
}

/// A question that row answers.
pub(crate) fn question() -> CheckClearanceRequest {
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: "四环素".into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

/// A batch of so many of it.
pub(crate) fn batch(items: usize) -> BatchCheckClearanceRequest {
    BatchCheckClearanceRequest { items: vec![question(); items] }
}

/// The same, in a stream.
pub(crate) fn in_stream() -> StreamCheckClearanceRequest {
    StreamCheckClearanceRequest { item: Some(question()) }
}

pub(crate) fn client(channel: &Channel) -> ClearanceServiceClient<Channel> {
    ClearanceServiceClient::new(channel.clone()).max_decoding_message_size(1 << 28)
}

/// Asks; the answer must be one.
pub(crate) async fn ask(channel: &Channel) -> Result<Decision, Status> {
    let answer = client(channel).check_clearance(question()).await?;
    Ok(answer.into_inner().decision.expect("an answer has a decision"))
}
