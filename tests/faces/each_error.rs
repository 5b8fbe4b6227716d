//! Each error a lookup can end with, from the real server, told alike by gRPC, to curl and to a
//! browser's client by gRPC-Web and in JSON: code, sentence, reason, and the sentence in Chinese.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clearlist::grpc::proto::google::r#type::Date;
use clearlist::grpc::proto::v1::CheckClearanceRequest;
use clearlist::grpc::status;
use clearlist::server::identity::callers::new_token;
use clearlist::server::identity::roles::Roles;
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

use super::asking::{self, CHECK, batch, client, good, skipped, tools};
use super::support::ceremony::{Place, in_seconds};
use super::support::server::{Launched, Server};
use super::support::{files, row};

/// A question that is refused.
struct Refused {
    question: CheckClearanceRequest,
    token: Option<String>,
    /// Headers that set a deadline, as gRPC and as Connect write them.
    timeout: Option<[&'static str; 2]>,
    code: Code,
    reason: &'static str,
}

fn refused(code: Code, reason: &'static str) -> Refused {
    Refused { question: good(), token: None, timeout: None, code, reason }
}

/// A list that is in force.
fn place() -> Place {
    Place::with(&files(&[row("R", "四环素")]))
}

/// A sentence without its numbers: the time until it is worth coming again is another each time.
fn countless(sentence: &str) -> String {
    sentence.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// What is told of an error. Connect numbers codes as gRPC does.
fn told(code: i32, message: &str, reason: Option<&str>, chinese: Option<&str>) -> Value {
    let chinese = chinese.map(countless);
    json!({ "code": code, "message": countless(message), "reason": reason, "chinese": chinese })
}

fn told_by_grpc(error: &Status) -> Value {
    let (reason, chinese) = (status::reason(error), status::chinese(error));
    told(error.code() as i32, error.message(), reason.as_deref(), chinese.as_deref())
}

async fn by_grpc(address: &str, asked: &Refused) -> Status {
    if let Some([timeout, _]) = asked.timeout {
        return without_clock(address, &asked.question, timeout).await;
    }
    let mut request = Request::new(asked.question.clone());
    if let Some(token) = &asked.token {
        let value = MetadataValue::try_from(format!("Bearer {token}")).expect("it can be sent");
        request.metadata_mut().insert("authorization", value);
    }
    client(address).await.check_clearance(request).await.expect_err(asked.reason)
}

/// By gRPC, with no clock of its own, which would hide what the server says.
async fn without_clock(address: &str, question: &CheckClearanceRequest, timeout: &str) -> Status {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let speaking = tokio::spawn(connection);
    let request = http::Request::post(format!("http://{address}{CHECK}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout);
    let request = request.body(()).expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("it is open");
    let message = question.encode_to_vec();
    let length = u32::try_from(message.len()).expect("small").to_be_bytes();
    body.send_data([&[0], length.as_slice(), &message].concat().into(), true).expect("it is open");
    let answer = answer.await.expect("an answer");
    speaking.abort();
    Status::from_header_map(answer.headers()).expect("a status")
}

async fn output(mut command: Command) -> Option<Vec<u8>> {
    let run = tokio::task::spawn_blocking(move || command.output()).await.expect("it runs");
    let output = run.ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// A detail of an error in JSON, by the end of its name.
fn detail<'a>(error: &'a Value, name: &str) -> &'a Value {
    let details = error["details"].as_array().expect("details");
    let found = details.iter().find(|one| one["type"] == format!("google.rpc.{name}"));
    &found.expect(name)["debug"]
}

/// By curl; `None` if there is none.
async fn by_curl(address: &str, asked: &Refused) -> Option<Value> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-H", "content-type: application/json", "-d"]);
    curl.arg(asking::json("CheckClearanceRequest", &asked.question).to_string());
    if let Some(token) = &asked.token {
        curl.args(["-H", &format!("authorization: Bearer {token}")]);
    }
    if let Some([_, timeout]) = asked.timeout {
        curl.args(["-H", &format!("connect-timeout-ms: {timeout}")]);
    }
    curl.arg(format!("http://{address}{CHECK}"));
    Some(serde_json::from_slice(&output(curl).await?).expect("JSON"))
}

/// What curl was told.
fn told_to_curl(error: &Value, code: Code) -> Value {
    assert_eq!(error["code"], name_of(code), "{error}");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    told(
        code as i32,
        error["message"].as_str().expect("a sentence"),
        text(&detail(error, "ErrorInfo")["reason"]).as_deref(),
        text(&detail(error, "LocalizedMessage")["message"]).as_deref(),
    )
}

/// The name that Connect has for a code.
fn name_of(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "invalid_argument",
        Code::FailedPrecondition => "failed_precondition",
        Code::Unavailable => "unavailable",
        Code::Unauthenticated => "unauthenticated",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::DeadlineExceeded => "deadline_exceeded",
        other => panic!("no case for {other:?}"),
    }
}

/// By a browser's client, in both its forms, so many times at once; `None` if its tools are not
/// there.
async fn by_browser(address: &str, asked: &Refused, times: usize) -> Option<[Value; 2]> {
    let folder = tools("connect-web")?.join("browser");
    let mut node = Command::new("node");
    node.arg(folder.join("browser.mjs")).arg(format!("http://{address}"));
    let question = asking::json("CheckClearanceRequest", &asked.question);
    node.arg(folder.join("api.binpb")).arg(Value::from(vec![question; times]).to_string());
    if let Some(token) = &asked.token {
        node.env("TOKEN", token);
    }
    if let Some(timeout) = asked.timeout {
        node.env("TIMEOUT", timeout.join(" "));
    }
    let mut answers: Value = serde_json::from_slice(&output(node).await?).expect("JSON");
    Some(["grpcWeb", "json"].map(|form| answers[form].take()))
}

/// What a page was told.
fn told_to_page(error: &Value) -> Value {
    let code = error["code"].as_i64().and_then(|code| i32::try_from(code).ok());
    told(
        code.unwrap_or_else(|| panic!("{error}")),
        error["message"].as_str().expect("a sentence"),
        error["reason"].as_str(),
        error["chinese"].as_str(),
    )
}

/// Asks in all ways; each must be told the same.
async fn alike(address: &str, asked: Refused) {
    let error = by_grpc(address, &asked).await;
    assert_eq!(error.code(), asked.code, "{error:?}");
    assert_eq!(status::reason(&error).as_deref(), Some(asked.reason), "{error:?}");
    let wanted = told_by_grpc(&error);
    assert!(wanted["chinese"].is_string(), "{wanted}");
    match by_curl(address, &asked).await {
        Some(said) => assert_eq!(told_to_curl(&said, asked.code), wanted, "curl"),
        None => skipped("there is no curl"),
    }
    for said in by_browser(address, &asked, 1).await.into_iter().flatten() {
        assert_eq!(told_to_page(&said[0]), wanted, "a browser's client");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question() {
    let place = place();
    let server = Server::start(&place.register());
    let with = |change: fn(&mut CheckClearanceRequest), code, reason| {
        let mut refused = refused(code, reason);
        change(&mut refused.question);
        refused
    };
    let each = [
        with(
            |q| q.hs_code = "3.0E+09".into(),
            Code::InvalidArgument,
            "HS_CODE_SCIENTIFIC_NOTATION",
        ),
        with(|q| q.min_revision = 2, Code::FailedPrecondition, "REVISION_NOT_REACHED"),
        with(
            |q| q.declaration_date = Some(Date { year: 2001, month: 2, day: 3 }),
            Code::FailedPrecondition,
            "NO_LIST_THEN",
        ),
    ];
    for asked in each {
        alike(server.address(), asked).await;
    }
}

#[tokio::test]
async fn a_deadline_that_has_passed() {
    let place = place();
    let server = Server::start(&place.register());
    let timeout = Some(["0S", "0"]);
    let passed = Refused { timeout, ..refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED") };
    alike(server.address(), passed).await;
}

/// Callers that ask without a pause, until this is dropped.
struct Crowd(Arc<AtomicBool>);

impl Crowd {
    async fn at(address: &str) -> Self {
        let crowd = Self(Arc::default());
        for _connection in 0..4 {
            let client = client(address).await;
            for _caller in 0..64 {
                let (mut client, gone) = (client.clone(), Arc::clone(&crowd.0));
                tokio::spawn(async move {
                    while !gone.load(Ordering::Relaxed) {
                        // Answered or told to come again.
                        let _either = client.check_clearance(good()).await;
                    }
                });
            }
        }
        crowd
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_can_be_done() {
    /// Who comes while another is being answered is turned away; now and then nobody is.
    const ATTEMPTS: usize = 300;
    let place = place();
    let server = Server::with(&place.register(), &["limits.requests_waiting_max=1"]);
    let address = server.address();
    let _crowd = Crowd::at(address).await;
    let asked = refused(Code::Unavailable, "OVERLOADED");
    let mut client = client(address).await;
    let mut wanted = None;
    for _attempt in 0..ATTEMPTS {
        wanted = client.check_clearance(good()).await.err();
        if wanted.is_some() {
            break;
        }
    }
    let wanted = wanted.expect("one is too many");
    assert_eq!(status::reason(&wanted).as_deref(), Some(asked.reason), "{wanted:?}");
    let wanted = told_by_grpc(&wanted);
    let mut said = None;
    for _attempt in 0..ATTEMPTS {
        said = by_curl(address, &asked).await;
        if said.as_ref().is_none_or(|said| said["code"].is_string()) {
            break;
        }
    }
    match said {
        Some(said) => assert_eq!(told_to_curl(&said, asked.code), wanted, "curl"),
        None => skipped("there is no curl"),
    }
    for said in by_browser(address, &asked, ATTEMPTS).await.into_iter().flatten() {
        let said = said.as_array().expect("an answer to each");
        let turned_away = said.iter().find(|said| said["code"].is_number());
        assert_eq!(told_to_page(turned_away.expect("one is too many")), wanted, "a page");
    }
}

#[tokio::test]
async fn no_list_answers() {
    let place = Place::empty();
    let server = Server::start(&place.register());
    alike(server.address(), refused(Code::Unavailable, "NO_LIST_YET")).await;

    let place = Place::empty();
    place.add(&files(&[row("R", "四环素")]), |next| next.expires = in_seconds(1));
    let server = Server::start(&place.register());
    while client(server.address()).await.check_clearance(good()).await.is_ok() {}
    alike(server.address(), refused(Code::FailedPrecondition, "LIST_EXPIRED")).await;
}

#[tokio::test]
async fn who_is_not_known_may_not_or_asks_too_much() {
    let place = place();
    let token = |name: &str, roles: &str| {
        new_token(name, Roles::parse(roles).expect("roles")).expect("randomness")
    };
    let ((broker, one), (reader, two)) = (token("broker", "lookup"), token("reader", "read"));
    let callers = place.path().join("callers");
    std::fs::write(&callers, [one, two].join("\n")).expect("it can be written");
    let settings = [
        format!("identity.callers={}", callers.display()),
        "limits.caller_questions_per_second_max=1".into(),
        "limits.questions_burst_max=1".into(),
    ];
    let server = Server::with(&place.register(), &settings);
    let with = |token: &str, code, reason| Refused {
        token: Some(token.to_owned()),
        ..refused(code, reason)
    };
    alike(server.address(), refused(Code::Unauthenticated, "CREDENTIAL_MISSING")).await;
    let unknown = with("clearlist_unknown", Code::Unauthenticated, "CREDENTIAL_INVALID");
    alike(server.address(), unknown).await;
    alike(server.address(), with(&reader, Code::PermissionDenied, "ROLE_MISSING")).await;
    // A batch takes its time afterwards: nothing is let in for minutes.
    let mut large = Request::new(batch(vec![good(); 300]));
    let value = MetadataValue::try_from(format!("Bearer {}", &*broker)).expect("it can be sent");
    large.metadata_mut().insert("authorization", value);
    client(server.address()).await.batch_check_clearance(large).await.expect("the first");
    alike(server.address(), with(&broker, Code::ResourceExhausted, "RATE_EXCEEDED")).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_decision_log_takes_nothing() {
    let place = place();
    let full = Launched::with_on_full_disk(&place.register(), 4, &["decisions.mode=required"]);
    let server = full.listening().expect("it starts");
    alike(server.address(), refused(Code::Unavailable, "DECISION_LOG_UNAVAILABLE")).await;
}
