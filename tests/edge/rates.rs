//! Who asks too much is told so, and the others are answered.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use clearlist::grpc::status;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::asking::{self, ask, batch, client, in_stream, question};
use super::credentials::{bearer, call, put, reason, token};
use super::support::server::Server;

fn shown<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = MetadataValue::try_from(bearer(token)).expect("it can be sent");
    request.metadata_mut().insert("authorization", value);
    request
}

async fn ask_as(channel: &Channel, token: &str) -> Result<(), Status> {
    client(channel).check_clearance(shown(question(), token)).await.map(drop)
}

/// How long to wait, as the refusal says.
fn wait(refused: &Status) -> Duration {
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(status::reason(refused).as_deref(), Some("RATE_EXCEEDED"));
    assert!(status::chinese(refused).is_some_and(|text| text.contains("速率")));
    let details = refused.get_error_details();
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    retry.expect("it says when to come again")
}

/// Asks until it is too much: how often it was answered, and what was said then.
async fn until_refused(ask: impl AsyncFn() -> Result<(), Status>) -> (usize, Status) {
    for answered in 0..1_000 {
        if let Err(refused) = ask().await {
            return (answered, refused);
        }
    }
    panic!("it is never too much");
}

#[tokio::test]
async fn a_caller_beyond_its_rate_is_told_when_to_come_again_and_others_are_answered() {
    let ((greedy, one), (modest, two)) = (token("greedy", "lookup"), token("modest", "lookup"));
    let (second, three) = token("greedy", "lookup");
    let place = asking::place();
    let callers = place.path().join("callers");
    put(&callers, &[one, two, three].join("\n"));
    let settings = [
        format!("identity.callers={}", callers.display()),
        "limits.caller_questions_per_second_max=2".into(),
        "limits.questions_burst_max=20".into(),
    ];
    let server = Server::with(&place.register(), &settings);
    let (channel, other) = (server.connect().await, server.connect().await);
    let begun = Instant::now();
    let (answered, refused) = until_refused(async || ask_as(&channel, &greedy).await).await;
    let more = usize::try_from(begun.elapsed().as_millis() / 500).expect("a while") + 1;
    assert!((20..=20 + more).contains(&answered), "{answered} answers at once");
    assert!(wait(&refused) <= Duration::from_millis(500), "{:?}", wait(&refused));
    // Another connection and another token of the same caller make no difference.
    let again = ask_as(&other, &second).await.expect_err("the caller is the same");
    wait(&again);
    ask_as(&channel, &modest).await.expect("the other caller");
    let health = call(&channel, "/grpc.health.v1.Health/Check", &[]).await;
    assert_eq!(reason(&health), "-");
    // Who waits as told is answered.
    tokio::time::sleep(wait(&again)).await;
    ask_as(&other, &second).await.expect("it has waited");
    // A batch counts its questions: the largest can be asked, and takes its time afterwards.
    let large = || shown(batch(100), &modest);
    client(&other).batch_check_clearance(large()).await.expect("the first");
    let refused = client(&other).batch_check_clearance(large()).await.expect_err("the second");
    let told = wait(&refused);
    assert!(told > Duration::from_secs(30) && told < Duration::from_mins(1), "{told:?}");
    wait(&ask_as(&channel, &modest).await.expect_err("nor a single question"));
    let gone = ask_as(&channel, "clearlist_unknown").await.expect_err("nobody");
    assert_eq!(gone.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_stream_is_slowed_to_the_rate_and_answered_whole() {
    let place = asking::place();
    let settings = ["limits.address_questions_per_second_max=50", "limits.questions_burst_max=1"];
    let server = Server::with(&place.register(), &settings);
    let channel = server.connect().await;
    let begun = Instant::now();
    let questions = tokio_stream::iter(vec![in_stream(); 26]);
    let answers = client(&channel).stream_check_clearance(questions).await.expect("a stream");
    let mut answers = answers.into_inner();
    let mut answered = 0;
    while answers.message().await.expect("an answer").is_some() {
        answered += 1;
    }
    assert_eq!(answered, 26);
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn where_nobody_is_asked_who_he_is_an_address_counts() {
    let place = asking::place();
    let settings = ["limits.address_questions_per_second_max=1", "limits.questions_burst_max=5"];
    let server = Server::with(&place.register(), &settings);
    let channel = server.connect().await;
    let (answered, refused) = until_refused(async || ask(&channel).await.map(drop)).await;
    assert!(answered >= 5, "{answered}");
    assert!(wait(&refused) <= Duration::from_secs(1));
    let same = ask(&server.connect().await).await.expect_err("the same address");
    wait(&same);
    let elsewhere: IpAddr = "127.0.0.2".parse().expect("an address");
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address())).expect("a URL");
    let channel = endpoint.local_address(Some(elsewhere)).connect().await.expect("it listens");
    ask(&channel).await.expect("another address");
}
