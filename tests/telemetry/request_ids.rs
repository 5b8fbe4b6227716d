//! What a request is called, in its answer and in the log.

use std::collections::BTreeSet;

use clearlist::grpc::proto::v1::CheckClearanceRequest;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use tonic::Request;

use super::asking::{place, question, start};

#[tokio::test]
async fn an_id_that_is_a_plain_word_is_kept_and_any_other_is_replaced() {
    let place = place();
    let server = start(&place, &[]);
    let mut client = ClearanceServiceClient::new(server.connect().await);
    let mut ids = BTreeSet::new();
    for (given, kept) in [("order-4711.a_B", true), ("a b", false), ("\"},{", false)] {
        let mut request = Request::new(question());
        request.metadata_mut().insert("x-request-id", given.parse().expect("a header"));
        let answer = client.check_clearance(request).await.expect("an answer");
        let id = answer.metadata().get("x-request-id").expect("an id").to_str().expect("text");
        assert_eq!(id == given, kept, "{given} {id}");
        assert!(ids.insert(id.to_owned()), "{id}");
        let line = format!("{{\"request_id\":\"{id}\",\"timestamp\"");
        assert!(server.said().lines().any(|said| said.starts_with(&line)), "{}", server.said());
    }
    let refused = CheckClearanceRequest { hs_code: "29".into(), ..question() };
    let refused = client.check_clearance(refused).await.expect_err("a wrong code");
    assert!(refused.metadata().contains_key("x-request-id"), "errors have one, too");
}
