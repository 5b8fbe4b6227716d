//! The calls these tests make, and the reason of a refusal.

use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::register_service_client::RegisterServiceClient;
use clearlist::grpc::proto::v1::{self, CheckClearanceRequest};
use clearlist::grpc::status;
use tonic::Status;
use tonic::transport::Channel;

use super::support::draft::Draft;

/// Largest answer: the statements of a whole register.
const ANSWER_BYTES_MAX: usize = 1 << 28;

/// Submits a proposal.
pub(crate) async fn submit(
    channel: &Channel,
    proposal: &v1::Proposal,
) -> Result<v1::SubmitProposalResponse, Status> {
    let request = v1::SubmitProposalRequest { proposal: Some(proposal.clone()) };
    let answer = AdminServiceClient::new(channel.clone()).submit_proposal(request).await;
    answer.map(tonic::Response::into_inner)
}

/// Asks a question.
pub(crate) async fn check(
    channel: &Channel,
    question: CheckClearanceRequest,
) -> Result<v1::Decision, Status> {
    let answer = ClearanceServiceClient::new(channel.clone()).check_clearance(question).await;
    answer.map(|answer| answer.into_inner().decision.expect("an answer has a decision"))
}

/// The register as it stands.
pub(crate) async fn get_register(channel: &Channel) -> Result<v1::GetRegisterResponse, Status> {
    let request = v1::GetRegisterRequest {};
    let answer = RegisterServiceClient::new(channel.clone()).get_register(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The place behind the last statement.
pub(crate) async fn draft(channel: &Channel) -> Draft {
    Draft::after(&get_register(channel).await.expect("the register answers"))
}

/// One statement, with its proof.
pub(crate) async fn get_revision(
    channel: &Channel,
    number: u64,
) -> Result<v1::GetRevisionResponse, Status> {
    let request = v1::GetRevisionRequest { number };
    let client = RegisterServiceClient::new(channel.clone());
    let answer = client.max_decoding_message_size(ANSWER_BYTES_MAX).get_revision(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The bytes of one statement, which must be there.
pub(crate) async fn statement(channel: &Channel, number: u64) -> v1::Statement {
    let found = get_revision(channel, number).await.expect("the statement is there");
    found.statement.expect("an answer has the statement")
}

/// Every statement, first to last.
pub(crate) async fn statements(channel: &Channel) -> Vec<v1::Statement> {
    let client = RegisterServiceClient::new(channel.clone());
    let mut client = client.max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut request = v1::ListRevisionsRequest { page_size: 1_000, page_token: String::new() };
    let mut found = Vec::new();
    loop {
        let page = client.list_revisions(request.clone()).await.expect("the register is read");
        let page = page.into_inner();
        found.extend(page.statements);
        if page.next_page_token.is_empty() {
            assert_eq!(found.len() as u64, page.total_size);
            found.reverse();
            return found;
        }
        request.page_token = page.next_page_token;
    }
}

/// The reason of a refusal by the server itself; `None` if the connection failed.
pub(crate) fn reason(refused: &Status) -> Option<String> {
    status::reason(refused)
}

/// The reason of a submission that must be refused.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> String {
    let refused = outcome.expect_err("it is refused");
    reason(&refused).unwrap_or_else(|| panic!("no refusal of the server: {refused:?}"))
}
