//! What is logged in which mode, and when.

use std::collections::BTreeMap;

use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use tokio_stream::StreamExt;

use super::asking::{batch, check, counts, log_of, logged, place, question};
use super::support::server::{Launched, Server};
use super::support::{CODE, OWNER};

fn once(ids: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    ids.into_iter().map(|id| (id, 1)).collect()
}

#[tokio::test]
async fn each_answer_is_in_the_log_when_it_arrives_whatever_the_call() {
    let place = place();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    let decision = check(&channel, question("unary")).await.expect("an answer");
    let found = logged(&log_of(&place));
    let [one] = found.as_slice() else { panic!("one record: {found:?}") };
    assert_eq!((one.correlation_id.as_str(), one.caller.as_str()), ("unary", ""));
    assert_eq!((one.hs_code.as_str(), one.end_user.as_str()), (CODE, OWNER));
    assert_eq!((one.verdict.as_str(), one.revision), ("LISTED", 1));
    let decided = decision.decide_time.expect("a decision has its time");
    let micros = decided.seconds * 1_000_000 + i64::from(decided.nanos) / 1_000;
    assert_eq!(one.decide_time.as_microsecond(), micros);
    assert!(one.answer.contains(CODE), "{}", one.answer);

    // The log keeps values, and its text is made of them: the one that a receipt signs.
    let mut client = ClearanceServiceClient::new(channel.clone());
    let proven = v1::CheckClearanceRequest { receipt: true, ..question("proven") };
    let proven = client.check_clearance(proven).await.expect("an answer").into_inner();
    let note = proven.receipt.expect("a receipt").decision_note;
    let found = logged(&log_of(&place));
    let last = found.last().expect("it is logged");
    assert!(note.starts_with(&last.answer), "{note}\n{}", last.answer);
    assert!(last.answer.contains("\ndecide_time "), "{}", last.answer);

    let ids: Vec<String> = (0..100).map(|n| format!("batch-{n}")).collect();
    let items = ids.iter().map(|id| question(id)).collect();
    assert_eq!(batch(&channel, items).await.expect("a batch").len(), 100);
    let expected = ids.iter().cloned().chain(["unary", "proven"].map(str::to_owned));
    assert_eq!(counts(&log_of(&place)), once(expected.clone()));

    let sent: Vec<String> = (0..300).map(|n| format!("stream-{n:03}")).collect();
    let items = sent
        .clone()
        .into_iter()
        .map(|id| v1::StreamCheckClearanceRequest { item: Some(question(&id)) });
    let mut client = ClearanceServiceClient::new(channel.clone());
    let answers = client.stream_check_clearance(tokio_stream::iter(items)).await;
    let mut answers = answers.expect("a stream").into_inner();
    let mut got = Vec::new();
    while let Some(answer) = answers.next().await {
        got.push(answer.expect("an answer").correlation_id);
        // Not only at the end: what arrived is there.
        if got.len() % 100 == 1 {
            let in_log = counts(&log_of(&place));
            assert!(got.iter().all(|id| in_log.get(id) == Some(&1)));
        }
    }
    assert_eq!(got, sent, "answers of a stream keep its order");
    assert_eq!(counts(&log_of(&place)), once(expected.chain(sent)));
}

#[tokio::test]
async fn what_is_no_answer_is_not_logged() {
    let place = place();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    let bad = v1::CheckClearanceRequest { hs_code: "29".into(), ..question("bad") };
    check(&channel, bad.clone()).await.expect_err("a code of two digits");
    let later = v1::CheckClearanceRequest { min_revision: 9, ..question("later") };
    check(&channel, later).await.expect_err("no such revision yet");
    let request = v1::SearchMaterialsRequest { text: "四环".into(), ..Default::default() };
    let mut client = ClearanceServiceClient::new(channel.clone());
    client.search_materials(request).await.expect("a search");
    let results = batch(&channel, vec![bad, question("good")]).await.expect("a batch");
    assert_eq!(results.len(), 2);
    assert_eq!(counts(&log_of(&place)), once(["good".to_owned()]));
}

#[tokio::test]
async fn a_log_that_is_off_leaves_no_trace() {
    let place = place();
    let launched = Launched::with(&place.register(), &["decisions.mode=off"]);
    let server = launched.listening().expect("it starts");
    check(&server.connect().await, question("off")).await.expect("an answer");
    assert!(!log_of(&place).exists());
}

#[tokio::test]
async fn best_effort_logs_too_and_what_waits_is_stored_at_the_end() {
    let place = place();
    let launched = Launched::with(&place.register(), &["decisions.mode=best-effort"]);
    let server = launched.listening().expect("it starts");
    let channel = server.connect().await;
    for nth in 0..50 {
        check(&channel, question(&nth.to_string())).await.expect("an answer");
    }
    drop(channel);
    server.terminate();
    assert_eq!(server.ended().code, Some(0));
    assert_eq!(counts(&log_of(&place)), once((0..50).map(|nth| nth.to_string())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_at_once_have_each_answer_logged_once() {
    let place = place();
    let server = Server::start(&place.register());
    let mut callers = Vec::new();
    for caller in 0..64 {
        let channel = server.connect().await;
        callers.push(tokio::spawn(async move {
            for nth in 0..20 {
                check(&channel, question(&format!("{caller}-{nth}"))).await.expect("an answer");
            }
        }));
    }
    for caller in callers {
        caller.await.expect("a caller");
    }
    let expected = (0..64).flat_map(|c| (0..20).map(move |n| format!("{c}-{n}")));
    assert_eq!(counts(&log_of(&place)), once(expected));
}
