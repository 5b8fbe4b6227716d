//! The four methods over real sockets: answers, error details, limits, hostile input.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::net::SocketAddr;

use clearlist::grpc::proto::google::r#type::Date;
use clearlist::grpc::proto::v1::batch_check_clearance_result::Result as BatchResult;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::stream_check_clearance_response::Result as StreamResult;
use clearlist::grpc::proto::v1::{
    BatchCheckClearanceRequest, CheckClearanceRequest, Entry, SearchMaterialsRequest,
    StreamCheckClearanceRequest, Verdict,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

mod support;
use support::ceremony::{Place, Served};
use support::{CODE, OWNER, files, row};

type Client = ClearanceServiceClient<Channel>;
type Spoil = fn(&mut CheckClearanceRequest);

/// A register of 31 rows, served.
struct Running {
    address: SocketAddr,
    _place: Place,
    _served: Served,
}

async fn start() -> Running {
    let rows: Vec<_> = (0..30)
        .map(|n| row(&format!("R{n:02}"), &format!("四环素衍生物{n}号")))
        .chain([row("T", "四环素").with("cas", "60-54-8")])
        .collect();
    let place = Place::with(&files(&rows));
    let served = place.serve().await;
    Running { address: served.address, _place: place, _served: served }
}

async fn client(running: &Running) -> Client {
    let url = format!("http://{}", running.address);
    Client::connect(url).await.expect("the server listens").max_decoding_message_size(1 << 28)
}

fn good() -> CheckClearanceRequest {
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: "四环素".into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

fn field_of(status: &Status) -> String {
    let details = status.get_error_details();
    assert_eq!(details.error_info().map(|i| i.domain.as_str()), Some("clearlist"));
    assert_eq!(details.localized_message().map(|m| m.locale.as_str()), Some("zh-CN"));
    let named = details.bad_request().map(|b| b.field_violations.clone()).unwrap_or_default();
    named.first().map(|v| v.field.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_question_is_answered_with_everything_the_answer_rests_on() {
    let running = start().await;
    let mut request = good();
    request.hs_code = "2941.30.11.00".into();
    request.correlation_id = "line-7".into();
    let response = client(&running).await.check_clearance(request).await.expect("an answer");
    let decision = response.into_inner().decision.expect("a decision");
    assert_eq!(decision.verdict(), Verdict::Listed);
    assert_eq!(decision.correlation_id, "line-7");
    assert_eq!(decision.normal_form_version, 1);
    let matched = decision.matches.first().expect("the match");
    assert_eq!(matched.waived_documents, ["supervision:Q"]);
    assert_eq!(matched.remark_text, "备注句");
    let step = decision.normalization.first().expect("the changed code");
    assert_eq!((step.field.as_str(), step.after.as_str()), ("hs_code", CODE));
    assert_eq!(decision.revision.map(|r| r.root_sha256.len()), Some(32));
    assert!(decision.decide_time.is_some() && decision.declaration_date.is_some());
}

#[tokio::test]
async fn a_bad_field_is_named_with_a_reason_and_a_chinese_message() {
    let running = start().await;
    let mut client = client(&running).await;
    let cases: [(&str, Spoil); 6] = [
        ("hs_code", |q| q.hs_code = "3.00215E+09".into()),
        ("material_name", |q| q.material_name = "x".repeat(50_000)),
        ("material_name", |q| q.material_name.clear()),
        ("use", |q| q.r#use = 77),
        ("correlation_id", |q| q.correlation_id = "x".repeat(129)),
        ("declaration_date", |q| q.declaration_date = Some(Date::default())),
    ];
    for (field, spoil) in cases {
        let mut request = good();
        spoil(&mut request);
        let refused = client.check_clearance(request).await.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert_eq!(field_of(&refused), field);
        assert!(refused.message().len() < 1_000, "{field}: an error repeats no megabytes");
    }
    assert!(client.check_clearance(good()).await.is_ok(), "the next caller is answered");
}

#[tokio::test]
async fn what_this_server_cannot_do_is_said_and_not_guessed() {
    let running = start().await;
    let mut client = client(&running).await;
    let mut later = good();
    later.min_revision = 2;
    let refused = client.check_clearance(later).await.expect_err("no revision 2");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().map(|i| i.reason.as_str()), Some("REVISION_NOT_REACHED"));
    assert!(details.retry_info().is_some());
}

#[tokio::test]
async fn a_batch_answers_every_line_in_order_and_a_bad_one_spoils_no_other() {
    let running = start().await;
    let item = |n: usize| {
        let mut request = good();
        request.correlation_id = format!("line-{n}");
        if n % 100 == 99 {
            request.hs_code = "941301100".into();
        } else if n.is_multiple_of(2) {
            request.material_name = format!("四环素衍生物{}号", n % 30);
        }
        request
    };
    let request = BatchCheckClearanceRequest { items: (0..10_000).map(item).collect() };
    let response = client(&running).await.batch_check_clearance(request).await.expect("answers");
    let results = response.into_inner().results;
    assert_eq!(results.len(), 10_000);
    let (mut decisions, mut errors) = (0, 0);
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.correlation_id, format!("line-{n}"));
        match result.result.expect("a result") {
            BatchResult::Decision(decision) => {
                assert_eq!(decision.verdict(), Verdict::Listed, "line {n}");
                decisions += 1;
            }
            BatchResult::Error(error) => {
                assert_eq!(n % 100, 99, "line {n}: {}", error.message);
                assert!(error.message.starts_with("hs_code:"), "{}", error.message);
                assert_eq!(error.details.len(), 3, "info, bad request, message");
                errors += 1;
            }
        }
    }
    assert_eq!((decisions, errors), (9_900, 100));
}

#[tokio::test]
async fn a_batch_of_none_or_too_many_is_refused() {
    let running = start().await;
    let mut client = client(&running).await;
    for size in [0, 10_001] {
        let request = BatchCheckClearanceRequest { items: vec![good(); size] };
        let refused = client.batch_check_clearance(request).await.expect_err("wrong size");
        assert_eq!((refused.code(), field_of(&refused).as_str()), (Code::InvalidArgument, "items"));
    }
}

#[tokio::test]
async fn a_stream_keeps_its_order_and_outlives_a_bad_question() {
    let running = start().await;
    let questions = tokio_stream::iter((0..20_000).map(|n| {
        let mut item = good();
        item.correlation_id = n.to_string();
        if n % 1_000 == 500 {
            item.hs_code = "29".into();
        }
        StreamCheckClearanceRequest { item: Some(item) }
    }));
    let response =
        client(&running).await.stream_check_clearance(questions).await.expect("a stream");
    let mut answers = response.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.next().await {
        let answer = answer.expect("the stream goes on");
        assert_eq!(answer.correlation_id, count.to_string());
        let is_error = matches!(answer.result, Some(StreamResult::Error(_)));
        assert_eq!(is_error, count % 1_000 == 500);
        count += 1;
    }
    assert_eq!(count, 20_000);
}

#[tokio::test]
async fn the_pages_of_a_search_hold_every_entry_once() {
    let running = start().await;
    let mut client = client(&running).await;
    let mut request =
        SearchMaterialsRequest { text: "sihuansu".into(), page_size: 7, ..Default::default() };
    let mut ids = Vec::new();
    loop {
        let page = client.search_materials(request.clone()).await.expect("a page").into_inner();
        let id = |entry: Option<Entry>| entry.map(|e| e.entry_id).unwrap_or_default();
        ids.extend(page.results.into_iter().map(|r| id(r.entry)));
        assert_eq!(page.total_size, 31);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(ids.first().map(String::as_str), Some("T"), "the best comes first");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 31);
    request.text = "other".into();
    request.page_token = "7-0000000000000000".into();
    let refused = client.search_materials(request).await.expect_err("a foreign token");
    assert_eq!(field_of(&refused), "page_token");
}

#[tokio::test]
async fn hostile_bytes_end_their_own_connection_and_no_other() {
    let running = start().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // A frame header that promises 16,384 bytes of DATA, and three of them.
    let half_a_message = [preface.as_slice(), &[0, 0x40, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3]].concat();
    let hostile: [&[u8]; 4] = [b"GET / HTTP/1.1\r\n\r\n", preface, &half_a_message, &[0xFF; 4_096]];
    for bytes in hostile {
        let mut socket = TcpStream::connect(running.address).await.expect("the server listens");
        socket.write_all(bytes).await.expect("bytes are taken");
        drop(socket);
        let mut silent = TcpStream::connect(running.address).await.expect("the server listens");
        silent.write_all(bytes).await.expect("bytes are taken");
        let answered = client(&running).await.check_clearance(good()).await;
        assert!(answered.is_ok(), "another caller is answered while the bytes hang");
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_and_the_next_is_answered() {
    let running = start().await;
    let mut client = client(&running).await;
    let mut huge = good();
    huge.material_name = "x".repeat(17 * 1024 * 1024);
    let refused = client.check_clearance(huge).await.expect_err("too large");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(client.check_clearance(good()).await.is_ok());
}

#[tokio::test]
async fn health_and_both_reflections_answer() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::{v1, v1alpha};
    let running = start().await;
    let channel = Channel::from_shared(format!("http://{}", running.address)).expect("a URL");
    let channel = channel.connect().await.expect("the server listens");
    let service = "clearlist.v1.ClearanceService".to_owned();
    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest { service: service.clone() })
        .await
        .expect("health answers");
    assert_eq!(health.into_inner().status, 1, "SERVING");
    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(channel.clone())
        .server_reflection_info(tokio_stream::iter([ask]))
        .await
        .expect("reflection answers")
        .into_inner();
    let answer = format!("{:?}", answers.next().await);
    assert!(answer.contains(&service), "{answer}");
    let ask = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(service),
        ),
    };
    let mut alpha = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = alpha.server_reflection_info(tokio_stream::iter([ask])).await;
    let answer = answers.expect("reflection answers").into_inner().next().await;
    let response = answer.and_then(Result::ok).and_then(|a| a.message_response);
    let named = match response {
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(
            files,
        )) => {
            let name = b"CheckClearance";
            files.file_descriptor_proto.iter().any(|f| f.windows(name.len()).any(|w| w == name))
        }
        _ => false,
    };
    assert!(named, "the descriptor with its methods");
}
