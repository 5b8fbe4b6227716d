//! A server killed again and again while many ask: what was answered is in the log, once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::server;
use clearlist::service::decisions::reading::Filter;
use tokio_stream::StreamExt;
use tonic::transport::Channel;

use super::asking::{batch, check, counts, log_of, logged_with, place, question};
use super::support::server::Launched;

/// Kills under load.
const ROUNDS: u64 = 120;
/// Callers, by what they call: questions, batches, streams.
const CALLERS: u64 = 12;
/// A server is killed so many milliseconds after the load began.
const KILL_AFTER_MS: std::ops::Range<u64> = 3..90;

/// What was answered, by correlation id.
type Answered = Arc<Mutex<Vec<String>>>;

fn note(answered: &Answered, ids: impl IntoIterator<Item = String>) {
    answered.lock().expect("nobody panicked").extend(ids);
}

/// Asks until the server is gone.
async fn ask(
    channel: Channel,
    caller: u64,
    name: String,
    answered: Answered,
    stop: Arc<AtomicBool>,
) {
    let mut nth = 0;
    while !stop.load(Ordering::SeqCst) {
        nth += 1;
        let id = format!("{name}-{nth}");
        match caller % 4 {
            0 | 1 => match check(&channel, question(&id)).await {
                Ok(decision) => note(&answered, [decision.correlation_id]),
                Err(_gone) => return,
            },
            2 => {
                let items = (0..7).map(|line| question(&format!("{id}-{line}"))).collect();
                match batch(&channel, items).await {
                    Ok(results) => note(&answered, results.into_iter().map(|r| r.correlation_id)),
                    Err(_gone) => return,
                }
            }
            _ => {
                let items: Vec<_> = (0..50)
                    .map(|line| v1::StreamCheckClearanceRequest {
                        item: Some(question(&format!("{id}-{line}"))),
                    })
                    .collect();
                let mut client = ClearanceServiceClient::new(channel.clone());
                let opened = client.stream_check_clearance(tokio_stream::iter(items)).await;
                let Ok(answers) = opened else { return };
                let mut answers = answers.into_inner();
                while let Some(Ok(answer)) = answers.next().await {
                    note(&answered, [answer.correlation_id]);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_that_was_received_is_in_the_log_once_however_often_the_server_is_killed() {
    let place = place();
    let log = log_of(&place);
    // Small files, so that kills hit their ends too.
    let small = ["decisions.segment_bytes_max=1MiB"];
    let (mut all, mut unreceived) = (BTreeSet::new(), 0);
    for round in 0..ROUNDS {
        let begun = Filter { from: Some(server::now()), ..Filter::default() };
        let server = Launched::with(&place.register(), &small).listening().expect("it starts");
        let (answered, stop) = (Answered::default(), Arc::new(AtomicBool::new(false)));
        let mut callers = Vec::new();
        for caller in 0..CALLERS {
            let channel = server.connect().await;
            let name = format!("r{round}-c{caller}");
            callers.push(tokio::spawn(ask(
                channel,
                caller,
                name,
                Arc::clone(&answered),
                Arc::clone(&stop),
            )));
        }
        let span = KILL_AFTER_MS.end - KILL_AFTER_MS.start;
        let after = KILL_AFTER_MS.start + round * 37 % span;
        tokio::time::sleep(Duration::from_millis(after)).await;
        server.kill();
        stop.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.await.expect("a caller");
        }
        let answered = std::mem::take(&mut *answered.lock().expect("nobody panicked"));
        let mut in_log: Vec<String> =
            logged_with(&log, &begun).into_iter().map(|found| found.correlation_id).collect();
        let stored = in_log.len();
        in_log.sort_unstable();
        in_log.dedup();
        assert_eq!(in_log.len(), stored, "round {round}: an answer is in the log twice");
        let missing: Vec<&String> =
            answered.iter().filter(|id| in_log.binary_search(id).is_err()).collect();
        assert!(missing.is_empty(), "round {round}: answered and not logged: {missing:?}");
        unreceived += stored - answered.len();
        all.extend(answered);
    }
    let counts = counts(&log);
    assert!(counts.values().all(|count| *count == 1), "an answer is in the log twice");
    assert!(all.iter().all(|id| counts.contains_key(id)), "an earlier answer was lost later");
    assert!(all.len() as u64 > ROUNDS * 10, "the load was a load: {}", all.len());
    println!(
        "{ROUNDS} kills under load; {} answers received, each in the log once; {unreceived} more logged and not received",
        all.len()
    );
}
