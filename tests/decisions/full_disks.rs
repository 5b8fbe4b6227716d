//! Disks without room: what is answered meanwhile, and that it ends by itself.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use clearlist::grpc::status;
use tonic::transport::Channel;

use super::asking::{batch, check, counts, log_of, logged, place, question};
use super::support::ceremony::Place;
use super::support::server::{Launched, Server};

/// Lifts the limit on the size of files of a running server.
fn make_room(server: &Server) {
    let of_server = format!("--pid={}", server.id());
    let raised = Command::new("prlimit").args([&of_server, "--fsize=unlimited:"]).status();
    assert!(raised.expect("prlimit can be run").success(), "the limit was lifted");
}

fn start(place: &Place, kibibytes: u64, mode: &str) -> Server {
    let settings = [format!("decisions.mode={mode}")];
    let launched = Launched::with_on_full_disk(&place.register(), kibibytes, &settings);
    launched.listening().expect("it starts")
}

/// Asks until the log is full; gives what was answered until then.
async fn fill(channel: &Channel) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    for nth in 0..20_000 {
        let id = format!("before-{nth}");
        match check(channel, question(&id)).await {
            Ok(_) => assert!(answered.insert(id)),
            Err(refused) => {
                is_refused(&refused);
                return answered;
            }
        }
    }
    panic!("the limit never bit");
}

fn is_refused(refused: &tonic::Status) {
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
    assert_eq!(status::reason(refused).as_deref(), Some("DECISION_LOG_UNAVAILABLE"));
    assert!(status::chinese(refused).is_some_and(|chinese| chinese.contains("日志")));
}

/// Asks until there is an answer again.
async fn recovers(channel: &Channel) {
    let begun = Instant::now();
    while let Err(refused) = check(channel, question("again")).await {
        is_refused(&refused);
        assert!(begun.elapsed() < Duration::from_secs(20), "it recovers by itself");
    }
}

#[tokio::test]
async fn required_refuses_while_there_is_no_room_and_answers_by_itself_when_there_is() {
    let place = place();
    let server = start(&place, 512, "required");
    let channel = server.connect().await;
    let mut answered = fill(&channel).await;
    assert!(answered.len() > 10, "some were logged before");
    for nth in 0..50 {
        let refused = check(&channel, question(&format!("full-{nth}"))).await;
        is_refused(&refused.expect_err("nothing unlogged is answered"));
    }
    let items = (0..5).map(|nth| question(&format!("full-batch-{nth}"))).collect();
    is_refused(&batch(&channel, items).await.expect_err("nor in a batch"));
    make_room(&server);
    recovers(&channel).await;
    answered.insert("again".to_owned());
    for nth in 0..20 {
        let id = format!("after-{nth}");
        check(&channel, question(&id)).await.expect("an answer");
        answered.insert(id);
    }
    server.kill();
    // A full disk loses nothing that was there, and stores nothing that was refused.
    let in_log = counts(&log_of(&place));
    assert_eq!(in_log.keys().cloned().collect::<BTreeSet<_>>(), answered);
    assert!(in_log.values().all(|count| *count == 1));
}

#[tokio::test]
async fn best_effort_answers_on_counts_what_is_lost_and_logs_again_when_there_is_room() {
    let place = place();
    let server = start(&place, 512, "best-effort");
    let channel = server.connect().await;
    for nth in 0..1_500 {
        check(&channel, question(&nth.to_string())).await.expect("answers go on");
    }
    make_room(&server);
    let begun = Instant::now();
    while !counts(&log_of(&place)).contains_key("again") {
        check(&channel, question("again")).await.expect("answers go on");
        assert!(begun.elapsed() < Duration::from_secs(20), "it recovers by itself");
    }
    let ended = server.kill();
    let in_log = logged(&log_of(&place)).len();
    assert!((10..1_500).contains(&in_log), "{in_log}");
    for said in ["given unlogged", "that are not in the decision log", "takes answers again"] {
        assert!(ended.said.contains(said), "{said}: {}", ended.said);
    }
}

#[tokio::test]
async fn a_server_starts_on_a_full_disk_and_answers_once_there_is_room() {
    let place = place();
    // Less than a page: not even a file can be begun.
    let server = start(&place, 4, "required");
    let channel = server.connect().await;
    for _attempt in 0..3 {
        is_refused(&check(&channel, question("early")).await.expect_err("no room"));
    }
    make_room(&server);
    recovers(&channel).await;
    server.kill();
    let server = Server::start(&place.register());
    check(&server.connect().await, question("restarted")).await.expect("an answer");
    let ids: Vec<String> = counts(&log_of(&place)).into_keys().collect();
    assert_eq!(ids, ["again", "restarted"]);
}
