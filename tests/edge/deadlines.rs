//! `grpc-timeout`, as a caller writes it.

use std::time::{Duration, Instant};

use clearlist::grpc::status;
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status};

use super::asking::{self, client, in_stream, question};
use super::frames::{self, BATCH, CHECK};
use super::support::server::Server;

/// Asks with this header.
async fn ask(server: &Server, timeout: &str) -> Result<(), Status> {
    let mut request = Request::new(question());
    request.metadata_mut().insert("grpc-timeout", timeout.parse().expect("it is ASCII"));
    client(&server.connect().await).check_clearance(request).await.map(drop)
}

#[tokio::test]
async fn a_malformed_timeout_is_refused_and_says_what_one_is() {
    let place = asking::place();
    let server = Server::start(&place.register());
    let malformed = ["", "S", "10", "-1S", "1.5S", "123456789S", "5 S", "5s", "1H1M", "１S"];
    for timeout in malformed.into_iter().filter(|timeout| timeout.is_ascii()) {
        let refused = ask(&server, timeout).await.expect_err(timeout);
        assert_eq!(refused.code(), Code::InvalidArgument, "{timeout:?}: {refused:?}");
        assert_eq!(status::reason(&refused).as_deref(), Some("TIMEOUT_MALFORMED"), "{timeout:?}");
        assert!(status::chinese(&refused).is_some(), "{timeout:?}");
    }
}

#[tokio::test]
async fn a_timeout_that_is_long_enough_changes_nothing() {
    let place = asking::place();
    let server = Server::start(&place.register());
    for timeout in ["99999999H", "1M", "60S", "99999m", "99999999u", "99999999n", "0000010S"] {
        ask(&server, timeout).await.expect(timeout);
    }
}

/// Asks as a client that has no clock of its own, which would hide the server's answer: with this
/// timeout, and with the message only if it is given.
async fn ask_without_clock(
    server: &Server,
    path: &str,
    timeout: &str,
    message: Option<Vec<u8>>,
) -> Status {
    let stream = TcpStream::connect(server.address()).await.expect("it listens");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
    let speaking = tokio::spawn(connection);
    let request = http::Request::post(format!("http://test{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout);
    let request = request.body(()).expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("it is open");
    if let Some(message) = message {
        body.send_data(message.into(), true).expect("it is open");
    }
    let answer = answer.await.expect("an answer");
    speaking.abort();
    Status::from_header_map(answer.headers()).expect("a status")
}

fn is_exceeded(refused: &Status) {
    assert_eq!(refused.code(), Code::DeadlineExceeded, "{refused:?}");
    assert_eq!(status::reason(refused).as_deref(), Some("DEADLINE_EXCEEDED"), "{refused:?}");
    assert!(status::chinese(refused).is_some());
}

#[tokio::test]
async fn a_timeout_that_has_passed_is_answered_as_such_and_the_work_is_not_begun() {
    let place = asking::place();
    let server = Server::start(&place.register());
    for timeout in ["0S", "1n", "0m", "1u"] {
        let begun = Instant::now();
        let late = frames::framed(&asking::batch(10_000));
        is_exceeded(&ask_without_clock(&server, BATCH, timeout, Some(late)).await);
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_call_whose_message_does_not_come_ends_at_its_deadline() {
    let place = asking::place();
    let server = Server::start(&place.register());
    let begun = Instant::now();
    is_exceeded(&ask_without_clock(&server, CHECK, "300m", None).await);
    let took = begun.elapsed();
    assert!((300..1_300).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends_at_its_deadline() {
    let place = asking::place();
    let server = Server::start(&place.register());
    let long = frames::framed(&asking::batch(10_000));
    is_exceeded(&ask_without_clock(&server, BATCH, "20m", Some(long)).await);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_with_its_status_after_its_answers() {
    let place = asking::place();
    let server = Server::start(&place.register());
    let questions = tokio_stream::once(in_stream()).chain(tokio_stream::pending());
    let mut request = Request::new(questions);
    request.metadata_mut().insert("grpc-timeout", "400m".parse().expect("it is ASCII"));
    let begun = Instant::now();
    let answers = client(&server.connect().await).stream_check_clearance(request).await;
    let mut answers = answers.expect("it is open").into_inner();
    answers.next().await.expect("an answer").expect("an answer");
    let refused = answers.next().await.expect("an end").expect_err("it ends at its deadline");
    assert_eq!(refused.code(), Code::DeadlineExceeded, "{refused:?}");
    assert_eq!(status::reason(&refused).as_deref(), Some("DEADLINE_EXCEEDED"));
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}
