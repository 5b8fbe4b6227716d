//! More than can be done: what is too much is told so, at once, and the rest goes on.

use std::time::{Duration, Instant};

use clearlist::grpc::proto::v1::CheckClearanceRequest;
use clearlist::grpc::status;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::asking::{self, client, question};
use super::support::server::Server;

/// A refusal for being too much, with everything a caller needs.
fn is_overloaded(refused: &Status) {
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let details = refused.get_error_details();
    let info = details.error_info().expect("a reason");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("OVERLOADED", "clearlist"));
    let delay = details.retry_info().expect("when to come again").retry_delay;
    assert!(delay.is_some_and(|delay| delay >= Duration::from_millis(100)), "{delay:?}");
    assert!(status::chinese(refused).is_some());
}

#[tokio::test]
async fn what_is_too_much_is_told_so_and_health_answers_all_the_while() {
    let place = asking::place();
    // Two may wait for a thread.
    let server = Server::with(&place.register(), &["limits.requests_waiting_max=2"]);
    let channel = server.connect().await;
    let mut health = HealthClient::new(server.connect().await);
    let (begun, mut answered, mut refused) = (Instant::now(), 0, 0);
    while (answered == 0 || refused == 0) && begun.elapsed() < Duration::from_secs(10) {
        let asking: Vec<_> = (0..400)
            .map(|nth| {
                let mut client = client(&channel);
                let request =
                    CheckClearanceRequest { correlation_id: format!("line-{nth}"), ..question() };
                tokio::spawn(async move { client.check_clearance(request).await })
            })
            .collect();
        let state = health.check(HealthCheckRequest::default()).await.expect("health answers");
        assert_eq!(state.into_inner().status, 1, "SERVING");
        for (nth, asked) in asking.into_iter().enumerate() {
            match asked.await.expect("no panic") {
                Ok(answer) => {
                    let decision = answer.into_inner().decision.expect("a decision");
                    assert_eq!(decision.correlation_id, format!("line-{nth}"));
                    answered += 1;
                }
                Err(status) => {
                    is_overloaded(&status);
                    refused += 1;
                }
            }
        }
    }
    println!("{answered} answered, {refused} refused");
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    asking::ask(&channel).await.expect("when it is over, all are answered");
}

#[tokio::test]
async fn open_calls_beyond_the_pool_are_told_so_and_each_connection_keeps_its_own() {
    let place = asking::place();
    let few = ["limits.requests_open_max=1", "limits.requests_per_connection_assured=2"];
    let server = Server::with(&place.register(), &few);
    let greedy = server.connect().await;
    // A stream ends with its questions: who drops the sender ends it.
    let open = || {
        let (say, said) = tokio::sync::mpsc::channel(1);
        let mut client = client(&greedy);
        async move {
            let answers = client.stream_check_clearance(ReceiverStream::new(said)).await;
            answers.map(|answers| (say, answers))
        }
    };
    // Headers of an answer come when the stream is taken: two of its own, one of the pool.
    let taken = [
        open().await.expect("its own"),
        open().await.expect("its own"),
        open().await.expect("of the pool"),
    ];
    is_overloaded(&open().await.expect_err("no more"));
    // Somebody else has his own, and health has room beyond.
    asking::ask(&server.connect().await).await.expect("an answer");
    let mut health = HealthClient::new(greedy.clone());
    health.check(HealthCheckRequest::default()).await.expect("health answers");
    drop(taken);
    let begun = Instant::now();
    while open().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5), "what was given back is not there");
    }
}

#[tokio::test]
async fn who_is_refused_is_read_slower_and_others_are_not() {
    const QUESTIONS: u32 = 2_000;
    // What `server/pace.rs` asks for each refusal.
    const REST_EACH: Duration = Duration::from_micros(100);
    let place = asking::place();
    let few = ["limits.requests_open_max=1", "limits.requests_per_connection_assured=1"];
    let server = Server::with(&place.register(), &few);
    let (greedy, modest) = (server.connect().await, server.connect().await);
    let mut held = Vec::new();
    for _stream in 0..2 {
        let (say, said) = tokio::sync::mpsc::channel(1);
        let answers = client(&greedy).stream_check_clearance(ReceiverStream::new(said)).await;
        held.push((say, answers.expect("its own, and one of the pool")));
    }
    let begun = Instant::now();
    let flood: Vec<_> = (0..QUESTIONS)
        .map(|_nth| {
            let mut client = client(&greedy);
            tokio::spawn(async move { client.check_clearance(question()).await })
        })
        .collect();
    let mut answered = 0;
    while flood.iter().any(|asked| !asked.is_finished()) {
        asking::ask(&modest).await.expect("an answer");
        answered += 1;
    }
    for asked in flood {
        is_overloaded(&asked.await.expect("no panic").expect_err("no place"));
    }
    // It is heard once all that went before is paid for.
    is_overloaded(&client(&greedy).check_clearance(question()).await.expect_err("no place"));
    let took = begun.elapsed();
    println!("{QUESTIONS} refused in {took:?}, {answered} of another answered");
    assert!(took >= REST_EACH * QUESTIONS, "{took:?}");
    assert!(answered > 0, "nobody else was answered");
    drop(held);
    let begun = Instant::now();
    while asking::ask(&greedy).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it is not read again");
    }
}

#[tokio::test]
async fn a_batch_above_the_setting_is_refused() {
    let place = asking::place();
    let server = Server::with(&place.register(), &["limits.batch_items_max=5"]);
    let mut client = client(&server.connect().await);
    client.batch_check_clearance(asking::batch(5)).await.expect("five");
    let refused = client.batch_check_clearance(asking::batch(6)).await.expect_err("six");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("1 to 5"), "{refused:?}");
}

#[tokio::test]
async fn a_message_above_the_setting_is_refused() {
    let place = asking::place();
    let server = Server::with(&place.register(), &["limits.message_bytes_max=16KiB"]);
    let mut client = client(&server.connect().await);
    client.batch_check_clearance(asking::batch(100)).await.expect("a small one");
    let refused = client.batch_check_clearance(asking::batch(1_000)).await.expect_err("large");
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
}

#[tokio::test]
async fn batches_that_find_no_place_are_told_so_and_single_questions_are_answered() {
    let place = asking::place();
    let server = Server::with(&place.register(), &["limits.batches_open_max=1"]);
    let batches: Vec<_> = {
        let channel = server.connect().await;
        let ask = |_nth| {
            let mut client = client(&channel);
            tokio::spawn(async move { client.batch_check_clearance(asking::batch(2_000)).await })
        };
        (0..8).map(ask).collect()
    };
    let single = server.connect().await;
    for _question in 0..20 {
        let begun = Instant::now();
        asking::ask(&single).await.expect("an answer");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    let mut answered = 0;
    for batch in batches {
        match batch.await.expect("no panic") {
            Ok(answer) => {
                assert_eq!(answer.into_inner().results.len(), 2_000);
                answered += 1;
            }
            Err(status) => is_overloaded(&status),
        }
    }
    assert!((1..8).contains(&answered), "{answered} of 8 answered");
}
