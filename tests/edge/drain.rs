//! SIGTERM, with somebody attached who would hold it for ever.

use std::error::Error as _;
use std::iter;
use std::time::{Duration, Instant};

use clearlist::grpc::proto::v1::StreamCheckClearanceRequest;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::asking::{self, ask, batch, client, in_stream};
use super::authorities::{Authority, TlsFiles};
use super::frames::{self, BATCH, INITIAL_WINDOW_SIZE, Raw, begin, message, window_update};
use super::support::server::{Ended, Server};

/// What running calls get.
const GRACE: Duration = Duration::from_secs(2);
/// And what the process may need on top of it.
const SLACK: Duration = Duration::from_secs(1);
/// Bytes of a batch's answer exceed what the system keeps for a reader who does not read.
const LARGE_BATCH: usize = 10_000;

/// Somebody with calls in flight when the signal comes: a batch that takes a while, and a stream
/// with questions yet to be asked.
struct InFlight {
    batch: tokio::task::JoinHandle<usize>,
    stream: tokio::task::JoinHandle<usize>,
}

/// Questions of the stream that are asked after the signal.
const LATE_QUESTIONS: usize = 20;

impl InFlight {
    async fn begin(channel: Channel) -> Self {
        let (say, said) = tokio::sync::mpsc::channel(1);
        let asking = tokio_stream::wrappers::ReceiverStream::new(said);
        let opening = tokio::spawn({
            let mut client = client(&channel);
            async move { client.stream_check_clearance(asking).await }
        });
        say.send(in_stream()).await.expect("the stream is open");
        let answers = opening.await.expect("no panic").expect("the stream is open");
        let mut answers = answers.into_inner();
        answers.next().await.expect("an answer").expect("an answer");
        let stream = tokio::spawn(async move {
            for _question in 0..LATE_QUESTIONS {
                tokio::time::sleep(GRACE / 4 / u32::try_from(LATE_QUESTIONS).expect("few")).await;
                say.send(in_stream()).await.expect("the stream is open");
                answers.next().await.expect("an answer").expect("an answer");
            }
            drop(say);
            answers.fold(LATE_QUESTIONS, |count, _more| count + 1).await
        });
        let asking = async move { client(&channel).batch_check_clearance(batch(2_000)).await };
        let batch = tokio::spawn(async move {
            asking.await.expect("it is answered").into_inner().results.len()
        });
        // Until the batch is on its way: nothing says so, and less time only tests less.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Self { batch, stream }
    }

    async fn end(self) {
        assert_eq!(self.batch.await.expect("no panic"), 2_000);
        assert_eq!(self.stream.await.expect("no panic"), LATE_QUESTIONS);
    }
}

/// Tells a server to stop, and waits for its end and for those who are well-behaved.
async fn stop(server: Server, in_flight: InFlight) -> (Ended, Duration) {
    let begun = Instant::now();
    server.terminate();
    let ending = tokio::task::spawn_blocking(move || (server.ended(), begun.elapsed()));
    in_flight.end().await;
    let (ended, took) = ending.await.expect("no panic");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(took < GRACE + SLACK, "it took {took:?}: {}", ended.said);
    (ended, took)
}

fn settings() -> Vec<String> {
    vec![format!("shutdown.drain_timeout={}ms", GRACE.as_millis())]
}

#[tokio::test]
async fn a_silent_connection_does_not_hold_the_end() {
    let place = asking::place();
    let server = Server::with(&place.register(), &settings());
    let silent = TcpStream::connect(server.address()).await.expect("it listens");
    let in_flight = InFlight::begin(server.connect().await).await;
    let (_ended, took) = stop(server, in_flight).await;
    assert!(took < GRACE, "nothing of it was in flight, and it took {took:?}");
    drop(silent);
}

#[tokio::test]
async fn a_half_open_handshake_does_not_hold_the_end() {
    let (place, authority) = (asking::place(), Authority::new("ours"));
    let files = TlsFiles::write(place.path(), &authority.server("one"), &authority.pem());
    let server = Server::with(&place.register(), &[settings(), files.settings("none")].concat());
    let mut half_open = TcpStream::connect(server.address()).await.expect("it listens");
    // The head of a client's first record, and a little of what it announces.
    half_open.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.expect("it is open");
    let url = format!("https://{}", server.address());
    let endpoint = Endpoint::from_shared(url).expect("a URL");
    let endpoint = endpoint.tls_config(authority.believed()).expect("a certificate");
    let channel = endpoint.connect().await.expect("it listens");
    let in_flight = InFlight::begin(channel).await;
    let (_ended, took) = stop(server, in_flight).await;
    assert!(took < GRACE, "nothing of it was in flight, and it took {took:?}");
    drop(half_open);
}

#[tokio::test]
async fn a_client_that_stops_reading_its_socket_is_cut_off_at_the_grace_limit() {
    let place = asking::place();
    let server = Server::with(&place.register(), &settings());
    let most = i32::MAX.unsigned_abs();
    let mut deaf = Raw::hard_of_hearing(server.address()).await;
    deaf.begin(&[(INITIAL_WINDOW_SIZE, most)]).await;
    let window = window_update(0, most - 65_535);
    let calls = [window, begin(1, BATCH, &[]), message(1, &batch(LARGE_BATCH))];
    deaf.write(&calls.concat()).await.expect("it is open");
    let in_flight = InFlight::begin(server.connect().await).await;
    let (ended, took) = stop(server, in_flight).await;
    assert!(took >= GRACE, "{took:?}: it was reading after all");
    assert!(ended.said.contains("cut off"), "{}", ended.said);
    drop(deaf);
}

#[tokio::test]
async fn a_client_that_opens_no_window_is_cut_off_at_the_grace_limit() {
    let place = asking::place();
    let server = Server::with(&place.register(), &settings());
    let mut closed = Raw::begun(server.address(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let calls = [begin(1, BATCH, &[]), message(1, &batch(10))];
    closed.write(&calls.concat()).await.expect("it is open");
    let in_flight = InFlight::begin(server.connect().await).await;
    let (ended, took) = stop(server, in_flight).await;
    assert!(took >= GRACE, "{took:?}: it was answered after all");
    assert!(ended.said.contains("cut off"), "{}", ended.said);
}

#[tokio::test]
async fn an_endless_stream_is_cut_off_at_the_grace_limit() {
    let place = asking::place();
    let server = Server::with(&place.register(), &settings());
    let endless = async_questions();
    let channel = server.connect().await;
    let answers = client(&channel).stream_check_clearance(endless).await.expect("it is open");
    let mut answers = answers.into_inner();
    let answered = tokio::spawn(async move {
        let mut count = 0;
        while let Some(Ok(_answer)) = answers.next().await {
            count += 1;
        }
        count
    });
    let in_flight = InFlight::begin(server.connect().await).await;
    let (ended, took) = stop(server, in_flight).await;
    assert!(took >= GRACE, "{took:?}: it ended after all");
    assert!(ended.said.contains("cut off"), "{}", ended.said);
    // It was answered to the last.
    assert!(answered.await.expect("no panic") > 100);
}

/// A question every ten milliseconds, for ever.
fn async_questions() -> impl tokio_stream::Stream<Item = StreamCheckClearanceRequest> {
    let beat = tokio::time::interval(Duration::from_millis(10));
    tokio_stream::wrappers::IntervalStream::new(beat).map(|_beat| in_stream())
}

#[tokio::test]
async fn idle_callers_and_watchers_of_health_do_not_hold_the_end() {
    let place = asking::place();
    let server = Server::with(&place.register(), &settings());
    let idle = server.connect().await;
    ask(&idle).await.expect("an answer");
    let mut health = HealthClient::new(server.connect().await);
    let whole = HealthCheckRequest::default();
    let mut states = health.watch(whole.clone()).await.expect("it watches").into_inner();
    let first = states.next().await.expect("a state").expect("a state");
    assert_eq!(first.status, 1, "SERVING");
    let begun = Instant::now();
    server.terminate();
    let second = states.next().await.expect("a state").expect("a state");
    assert_eq!(second.status, 2, "NOT_SERVING");
    let ended = tokio::task::spawn_blocking(move || server.ended()).await.expect("no panic");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(begun.elapsed() < Duration::from_secs(1), "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn it_goes_on_for_the_notice_time_and_says_that_it_will_not() {
    let place = asking::place();
    let notice = [settings(), vec!["shutdown.notice_time=700ms".into()]].concat();
    let server = Server::with(&place.register(), &notice);
    let mut health = HealthClient::new(server.connect().await);
    server.terminate();
    let said = Instant::now();
    loop {
        let state = health.check(HealthCheckRequest::default()).await.expect("it answers");
        if state.into_inner().status == 2 {
            break;
        }
    }
    let fresh = server.connect().await;
    ask(&fresh).await.expect("it goes on");
    assert!(said.elapsed() < Duration::from_millis(700), "the test was too slow to show it");
    let address = server.address().to_owned();
    let ended = tokio::task::spawn_blocking(move || server.ended()).await.expect("no panic");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    let refused = ask(&fresh).await.expect_err("it is gone");
    assert_eq!(refused.code(), Code::Unavailable);
}

/// Asks on a connection that may be going. What the client's library gives back because it had
/// not been sent when the connection closed is asked again, as gRPC's own libraries do by
/// themselves; whatever was sent must be answered.
async fn ask_wherever(channel: &Channel) {
    for _attempt in 0..3 {
        match ask(channel).await {
            Ok(_decision) => return,
            Err(refused) if was_not_sent(&refused) => {}
            Err(refused) => panic!("a call was cut off: {refused:?}"),
        }
    }
    panic!("it cannot be sent");
}

/// hyper says so only of a request that no connection has taken.
fn was_not_sent(refused: &Status) -> bool {
    let first = refused.source();
    let mut causes = iter::successors(first, |cause| (*cause).source());
    causes.any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled))
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_no_call_on_it_fails() {
    let place = asking::place();
    let young = ["limits.connection_age_max=500ms", "limits.connection_age_grace=2s"];
    let server = Server::with(&place.register(), &young);
    let mut raw = Raw::begun(server.address(), &[]).await;
    let channel = server.connect().await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        ask_wherever(&channel).await;
    }
    let frame = raw.wait_for(frames::GOAWAY).await.expect("it is told");
    assert_eq!(frame.payload[4..8], [0; 4], "no error");
    assert!(raw.is_closed_within(Duration::from_secs(5)).await, "and closed");
    server.kill();
}
