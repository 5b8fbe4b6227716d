//! JSON as nobody means it: bounded, refused, and the next caller is answered.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::asking::{self, BATCH, CHECK, good};
use super::http_1::{Answer, Connection, Request, ask};
use super::support::ceremony::Place;
use super::support::server::Server;
use super::support::{files, row};

/// What the process may hold once it is over, whatever came.
const RESIDENT_BYTES_MAX: u64 = 192 << 20;
/// Within this time what is free goes back to the system; the allocator keeps it for ten seconds.
const GIVEN_BACK_WITHIN: Duration = Duration::from_mins(1);

/// A server of its own, with these settings.
fn server(settings: &[&str]) -> (Place, Server) {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::with(&place.register(), settings);
    (place, server)
}

fn question() -> Request<'static> {
    Request::json(CHECK, asking::json("CheckClearanceRequest", &good()).to_string())
}

async fn next_is_answered(server: &Server) {
    assert_eq!(ask(server.address(), &question()).await.status, 200);
    let given_back = async {
        while server.resident_bytes() >= RESIDENT_BYTES_MAX {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = tokio::time::timeout(GIVEN_BACK_WITHIN, given_back).await;
    assert!(in_time.is_ok(), "{} MiB", server.resident_bytes() >> 20);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

fn is_too_large(answer: &Answer) {
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["code"], "resource_exhausted");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_with_a_length_and_without() {
    let (_place, server) = server(&["limits.message_bytes_max=64KiB"]);
    let large = Request::json(CHECK, vec![b' '; 100_000]);
    is_too_large(&ask(server.address(), &large).await);
    // Its length alone is enough: none of it is sent.
    let mut said = Connection::to(server.address()).await;
    said.write(&[&large.head(), &b"content-length: 99999999999\r\n\r\n"[..]].concat()).await;
    is_too_large(&said.read().await.expect("an answer"));
    let mut chunked = Connection::to(server.address()).await;
    chunked.write(&[&large.head(), &b"transfer-encoding: chunked\r\n\r\n"[..]].concat()).await;
    chunked.write(format!("{:x}\r\n{}\r\n0\r\n\r\n", 70_000, " ".repeat(70_000)).as_bytes()).await;
    is_too_large(&chunked.read().await.expect("an answer"));
    next_is_answered(&server).await;
}

#[tokio::test]
async fn a_body_in_chunks_is_read() {
    let (_place, server) = server(&[]);
    let asked = question();
    let mut connection = Connection::to(server.address()).await;
    connection.write(&[&asked.head(), &b"transfer-encoding: chunked\r\n\r\n"[..]].concat()).await;
    for chunk in asked.body.chunks(7) {
        connection.write(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
        connection.write(&[chunk, b"\r\n"].concat()).await;
    }
    connection.write(b"0\r\n\r\n").await;
    let answer = connection.read().await.expect("an answer");
    assert_eq!(answer.json()["decision"]["verdict"], "VERDICT_LISTED");
}

#[tokio::test]
async fn objects_without_end_and_without_bottom_are_refused() {
    let (_place, server) = server(&[]);
    let many = format!(r#"{{"items":[{{}}{}]}}"#, ",{}".repeat(4_000_000));
    is_too_large(&ask(server.address(), &Request::json(BATCH, many)).await);
    for (open, close) in [("[", "]"), (r#"{"items":"#, "}")] {
        let deep = open.repeat(50_000) + "1" + &close.repeat(50_000);
        let answer = ask(server.address(), &Request::json(BATCH, deep)).await;
        assert_eq!(answer.status, 400, "{:?}", answer.json());
    }
    let wide: Vec<String> = (0..200_000).map(|nth| format!(r#""f{nth}":1"#)).collect();
    let wide = format!("{{{}}}", wide.join(","));
    assert_eq!(ask(server.address(), &Request::json(CHECK, wide)).await.status, 400);
    let number = format!(r#"{{"minRevision":{}}}"#, "9".repeat(100_000));
    assert_eq!(ask(server.address(), &Request::json(CHECK, number)).await.status, 400);
    next_is_answered(&server).await;
}

#[tokio::test]
async fn half_a_request_ends_at_its_deadline_or_with_its_sender_and_holds_nobody() {
    let (_place, server) = server(&[]);
    let asked = question().with("connect-timeout-ms", "300");
    let mut half = Connection::to(server.address()).await;
    half.write(&[&asked.head(), &b"content-length: 1000\r\n\r\n{\"hsCode\""[..]].concat()).await;
    let answer = half.read().await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["code"]), (504, &json!("deadline_exceeded")));
    // Who ends his side in the middle is not answered as if it were all.
    let mut ended = Connection::to(server.address()).await;
    ended.write(&[&question().head(), &b"content-length: 1000\r\n\r\n{}"[..]].concat()).await;
    ended.0.shutdown().await.expect("it is open");
    let answer = tokio::time::timeout(Duration::from_secs(5), ended.read()).await.expect("soon");
    assert!(answer.is_none_or(|answer| answer.status == 400));
    next_is_answered(&server).await;
}

#[tokio::test]
async fn the_largest_batch_is_answered_in_json_too() {
    let running = asking::start().await;
    let batch = asking::batch(vec![good(); 10_000]);
    let body = asking::json("BatchCheckClearanceRequest", &batch).to_string();
    let answer = ask(&running.address, &Request::json(BATCH, body)).await;
    assert_eq!(answer.json()["results"].as_array().map(Vec::len), Some(10_000));
}

#[tokio::test]
async fn an_overloaded_server_says_so_in_json() {
    let few = ["limits.requests_open_max=1", "limits.requests_per_connection_assured=1"];
    let (_place, server) = server(&few);
    // On one connection of HTTP/1.1 there is one request at a time: others take the common place.
    let mut raw = h2_connection(server.address()).await;
    let mut open = Vec::new();
    for _nth in 0..2 {
        let request = request();
        let (answer, body) = raw.send_request(request, false).expect("it is open");
        open.push((answer, body));
    }
    let (answer, mut body) = raw.send_request(request(), false).expect("it is open");
    // It is refused whatever it would ask.
    let refused = answer.await.expect("an answer");
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    let mut stream = refused.into_body();
    let said = stream.data().await.expect("a body").expect("a body");
    assert!(String::from_utf8_lossy(&said).contains("\"OVERLOADED\""), "{said:?}");
    body.send_reset(h2::Reason::CANCEL);
    drop(open);
}

fn request() -> http::Request<()> {
    let url = format!("http://test{CHECK}");
    let request = http::Request::post(url).header("content-type", "application/json");
    request.body(()).expect("a request")
}

async fn h2_connection(address: &str) -> h2::client::SendRequest<bytes::Bytes> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    client.ready().await.expect("it is open")
}

#[tokio::test]
async fn a_reader_of_json_that_takes_nothing_is_cut_off() {
    let (_place, server) = server(&["limits.unread_timeout=1s"]);
    let body = asking::json("BatchCheckClearanceRequest", &asking::batch(vec![good(); 10_000]));
    let asked = Request::json(BATCH, body.to_string());
    let mut deaf = Connection::to(server.address()).await;
    let head = format!("content-length: {}\r\n\r\n", asked.body.len());
    deaf.write(&[&asked.head(), head.as_bytes(), &asked.body].concat()).await;
    let cut_off = async {
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        // What is written after the cut is answered with a reset.
        while deaf.0.write_all(b"x").await.is_ok() {
            beat.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), cut_off).await.expect("it is cut off");
    next_is_answered(&server).await;
}

#[tokio::test]
async fn an_idle_connection_of_http_1_is_closed_in_time() {
    let (_place, server) = server(&["limits.handshake_timeout=500ms"]);
    let mut idle = Connection::to(server.address()).await;
    assert_eq!(idle.ask(&question()).await.status, 200);
    assert_eq!(idle.ask(&question()).await.status, 200, "it is kept from one to the next");
    let closed = tokio::time::timeout(Duration::from_secs(5), idle.read()).await;
    assert!(closed.expect("it is closed").is_none());
}
