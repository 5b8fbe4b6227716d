//! gRPC-Web by hand: frames, the frame of trailers, and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clearlist::grpc::proto::v1::StreamCheckClearanceResponse;
use clearlist::grpc::proto::v1::{CheckClearanceResponse, StreamCheckClearanceRequest};
use prost::Message;

use super::asking::{self, CHECK, client, for_each_verdict, good, timeless};
use super::http_1::{Answer, Request, ask};

/// The flag of the frame that holds trailers.
const TRAILERS: u8 = 0x80;

fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
    [&[0], &length[..], &bytes].concat()
}

/// The messages of a body, and its trailers.
fn unframed(mut body: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (mut messages, mut trailers) = (Vec::new(), String::new());
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (payload, next) = rest.split_at(length);
        match *flag {
            0 => messages.push(payload.to_vec()),
            TRAILERS => trailers = String::from_utf8(payload.to_vec()).expect("trailers are text"),
            other => panic!("flag {other}"),
        }
        body = next;
    }
    assert!(body.is_empty(), "{body:?} is left");
    (messages, trailers)
}

/// The status, wherever it stands: an answer without message has it in its head.
fn status(answer: &Answer, trailers: &str) -> String {
    let of_trailers = trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"));
    of_trailers.unwrap_or_else(|| answer.header("grpc-status")).trim().to_owned()
}

#[tokio::test]
async fn every_verdict_is_the_same_by_grpc_web_binary_and_text() {
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    for (verdict, question) in for_each_verdict() {
        let by_grpc = client.check_clearance(question.clone()).await.expect("an answer");
        let wanted = timeless(asking::json("CheckClearanceResponse", by_grpc.get_ref()));
        for kind in
            ["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"]
        {
            let text = kind.ends_with("text");
            let body = framed(&question);
            let body = if text { STANDARD.encode(body).into_bytes() } else { body };
            let asked = Request::of("POST", CHECK).body(body);
            let asked =
                asked.with("content-type", kind).with("accept", kind).with("x-grpc-web", "1");
            let answer = ask(&running.address, &asked).await;
            assert_eq!(answer.status, 200);
            assert!(answer.header("content-type").starts_with("application/grpc-web"));
            let bytes = if text { from_text(&answer.body) } else { answer.body.clone() };
            let (messages, trailers) = unframed(&bytes);
            assert_eq!(status(&answer, &trailers), "0", "{kind}: {trailers}");
            let message = CheckClearanceResponse::decode(messages[0].as_slice()).expect("it is");
            let by_web = timeless(asking::json("CheckClearanceResponse", &message));
            assert_eq!(by_web, wanted, "{verdict:?} {kind}");
        }
    }
}

/// Base64, each piece of it padded by itself.
fn from_text(body: &[u8]) -> Vec<u8> {
    let quads = body.chunks(4).map(|quad| STANDARD.decode(quad).expect("base64"));
    quads.flatten().collect()
}

#[tokio::test]
async fn an_error_by_grpc_web_has_the_status_and_details_of_grpc() {
    let running = asking::start().await;
    let mut question = good();
    question.hs_code = "29".into();
    let refused = client(&running.address).await.check_clearance(question.clone()).await;
    let refused = refused.expect_err("it is wrong");
    let asked = Request::of("POST", CHECK).with("content-type", "application/grpc-web");
    let answer = ask(&running.address, &asked.clone().body(framed(&question))).await;
    let (_, trailers) = unframed(&answer.body);
    assert_eq!(status(&answer, &trailers), "3");
    let details = trailers.lines().find_map(|line| line.strip_prefix("grpc-status-details-bin:"));
    let details = details.unwrap_or_else(|| answer.header("grpc-status-details-bin")).trim();
    let lenient = base64::engine::general_purpose::STANDARD_NO_PAD;
    let details = lenient.decode(details.trim_end_matches('=')).expect("base64");
    assert_eq!(details, refused.details());

    let late = asked.with("grpc-timeout", "0m").body(framed(&question));
    let answer = ask(&running.address, &late).await;
    assert_eq!(status(&answer, &unframed(&answer.body).1), "4", "deadlines hold for it too");
}

#[tokio::test]
async fn a_stream_of_answers_comes_by_grpc_web() {
    let running = asking::start().await;
    let item = framed(&StreamCheckClearanceRequest { item: Some(good()) });
    let path = "/clearlist.v1.ClearanceService/StreamCheckClearance";
    let asked = Request::of("POST", path).with("content-type", "application/grpc-web");
    let answer = ask(&running.address, &asked.body(item.repeat(3))).await;
    let (messages, trailers) = unframed(&answer.body);
    assert_eq!((messages.len(), status(&answer, &trailers).as_str()), (3, "0"));
    for message in messages {
        let answer = StreamCheckClearanceResponse::decode(message.as_slice()).expect("it is");
        assert_eq!(answer.correlation_id, "line-1");
    }
}

#[tokio::test]
async fn half_a_frame_is_refused() {
    let running = asking::start().await;
    let mut half = framed(&good());
    half.truncate(20);
    let asked = Request::of("POST", CHECK).with("content-type", "application/grpc-web");
    let answer = ask(&running.address, &asked.body(half)).await;
    assert_ne!(status(&answer, &unframed(&answer.body).1), "0");
}
