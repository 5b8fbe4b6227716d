//! Asked by gRPC and in JSON: the same answers.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::register_service_client::RegisterServiceClient;
use clearlist::grpc::proto::v1::{CheckClearanceRequest, Decision};
use clearlist::grpc::proto::v1::{
    GetRegisterRequest, GetRevisionRequest, SubmitProposalRequest, ValidateProposalRequest,
};
use clearlist::register::statement::Statement;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::asking::{
    self, BATCH, CHECK, Running, SEARCH, client, for_each_verdict, good, timeless,
};
use super::http_1::{Request, ask};
use super::support::ceremony::{propose, revision};
use super::support::{files, row};

/// The HTTP status and the name that Connect has for a code.
fn in_http(code: Code) -> (u16, &'static str) {
    match code {
        Code::InvalidArgument => (400, "invalid_argument"),
        Code::NotFound => (404, "not_found"),
        Code::FailedPrecondition => (400, "failed_precondition"),
        Code::PermissionDenied => (403, "permission_denied"),
        Code::Unavailable => (503, "unavailable"),
        Code::Aborted => (409, "aborted"),
        other => panic!("no case for {other:?}"),
    }
}

/// The error of gRPC, as Connect writes it.
fn in_connect(status: &Status) -> Value {
    let (_, name) = in_http(status.code());
    let rpc = clearlist::grpc::status::to_rpc_status(status);
    let details: Vec<Value> = rpc.details.iter().map(detail).collect();
    json!({ "code": name, "message": status.message(), "details": details })
}

/// The name of a detail, and its fields in JSON.
fn detail(any: &prost_types::Any) -> Value {
    let name = any.type_url.rsplit('/').next().expect("a name");
    let fields = clearlist::grpc::json::to_json("google.protobuf.Any", any);
    let mut fields = fields.expect("it is known");
    fields.as_object_mut().expect("an object").remove("@type");
    json!({ "type": name, "debug": fields })
}

/// An error as it came, its details without their bytes, which say the same as their fields. The
/// order of a map in them may be another in each answer.
fn without_bytes(mut error: Value) -> Value {
    for one in error["details"].as_array_mut().expect("details") {
        let value = one.as_object_mut().expect("an object").remove("value").expect("bytes");
        let bytes = STANDARD_NO_PAD.decode(value.as_str().expect("a text")).expect("base64");
        let type_url = format!("type.googleapis.com/{}", one["type"].as_str().expect("a text"));
        let any = prost_types::Any { type_url, value: bytes };
        assert_eq!(detail(&any), *one, "the bytes say what the fields say");
    }
    error
}

/// Asks in JSON; it must be refused as gRPC was.
async fn refused_alike(running: &Running, path: &str, question: &Value, status: &Status) {
    let answer = ask(&running.address, &Request::json(path, question.to_string())).await;
    assert_eq!(without_bytes(answer.json()), in_connect(status), "{path} {question}");
    assert_eq!(answer.status, in_http(status.code()).0, "{path} {question}");
    assert_eq!(answer.header("content-type"), "application/json");
}

fn as_json(question: &CheckClearanceRequest) -> Value {
    asking::json("CheckClearanceRequest", question)
}

#[tokio::test]
async fn every_verdict_is_the_same_in_json() {
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    for (verdict, question) in for_each_verdict() {
        let by_grpc = client.check_clearance(question.clone()).await.expect("an answer");
        let by_grpc = by_grpc.into_inner();
        assert_eq!(by_grpc.decision.as_ref().map(Decision::verdict), Some(verdict));
        let asked = Request::json(CHECK, as_json(&question).to_string());
        let in_json = ask(&running.address, &asked).await;
        assert_eq!(in_json.status, 200);
        assert_eq!(in_json.header("content-type"), "application/json");
        let wanted = asking::json("CheckClearanceResponse", &by_grpc);
        assert_eq!(timeless(in_json.json()), timeless(wanted), "{verdict:?}");
        let time = in_json.json()["decision"]["decideTime"].as_str().map(str::to_owned);
        assert!(time.is_some_and(|time| time.ends_with('Z')), "a canonical time");
    }
}

#[tokio::test]
async fn curl_gets_every_verdict() {
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    for (verdict, question) in for_each_verdict() {
        let by_grpc = client.check_clearance(question.clone()).await.expect("an answer");
        let question = as_json(&question).to_string();
        let url = format!("http://{}{CHECK}", running.address);
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let mut curl = Command::new("curl");
            curl.args(["-sS", "--fail", version, "-H", "content-type: application/json"]);
            curl.args(["-d", &question, &url]);
            let run = tokio::task::spawn_blocking(move || curl.output()).await.expect("it runs");
            let Ok(output) = run else {
                asking::skipped("there is no curl");
                return;
            };
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{version}: {said}");
            let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let wanted = asking::json("CheckClearanceResponse", by_grpc.get_ref());
            assert_eq!(timeless(answer), timeless(wanted), "{verdict:?} {version}");
        }
    }
}

#[tokio::test]
async fn a_batch_with_a_bad_line_a_search_and_the_register_are_the_same_in_json() {
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    let mut bad = good();
    bad.hs_code = "3.00215E+09".into();
    let batch = asking::batch(vec![good(), bad, good()]);
    let question = asking::json("BatchCheckClearanceRequest", &batch).to_string();
    let by_grpc = client.batch_check_clearance(batch).await.expect("answers").into_inner();
    let in_json = ask(&running.address, &Request::json(BATCH, question)).await.json();
    let wanted = asking::json("BatchCheckClearanceResponse", &by_grpc);
    let details = &in_json["results"][1]["error"]["details"];
    assert_eq!(details[0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(timeless(in_json), timeless(wanted));

    let question = asking::json("SearchMaterialsRequest", &asking::search()).to_string();
    let by_grpc = client.search_materials(asking::search()).await.expect("a page").into_inner();
    let in_json = ask(&running.address, &Request::json(SEARCH, question)).await.json();
    assert_eq!(in_json, asking::json("SearchMaterialsResponse", &by_grpc));

    let mut register = RegisterServiceClient::connect(running.served.url()).await.expect("it is");
    let by_grpc = register.get_register(GetRegisterRequest {}).await.expect("it is").into_inner();
    let path = "/clearlist.v1.RegisterService/GetRegister";
    let in_json = ask(&running.address, &Request::json(path, "{}")).await.json();
    assert_eq!(in_json, asking::json("GetRegisterResponse", &by_grpc));
}

#[tokio::test]
async fn every_kind_of_error_is_the_same_in_json() {
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    let spoiled: [fn(&mut CheckClearanceRequest); 7] = [
        |q| q.hs_code = "3.00215E+09".into(),
        |q| {
            q.hs_code = "29".into();
            q.cas_number = "60-54-7".into();
            q.end_user_uscc = "911101085513850820".into();
        },
        |q| q.material_name.clear(),
        |q| q.scheme = "none".into(),
        |q| q.min_revision = 2,
        |q| q.known_at_revision = 9,
        |q| {
            q.declaration_date =
                Some(clearlist::grpc::proto::google::r#type::Date { year: 2001, month: 2, day: 3 });
        },
    ];
    for spoil in spoiled {
        let mut question = good();
        spoil(&mut question);
        let refused = client.check_clearance(question.clone()).await.expect_err("it is wrong");
        refused_alike(&running, CHECK, &as_json(&question), &refused).await;
    }
    let refused = client.batch_check_clearance(asking::batch(Vec::new())).await.expect_err("none");
    refused_alike(&running, BATCH, &json!({}), &refused).await;
    let too_many = asking::batch(vec![CheckClearanceRequest::default(); 10_001]);
    let refused = client.batch_check_clearance(too_many.clone()).await.expect_err("too many");
    let question = asking::json("BatchCheckClearanceRequest", &too_many);
    refused_alike(&running, BATCH, &question, &refused).await;

    let mut register = RegisterServiceClient::connect(running.served.url()).await.expect("it is");
    let unknown = GetRevisionRequest { number: 77 };
    let question = asking::json("GetRevisionRequest", &unknown);
    let refused = register.get_revision(unknown).await.expect_err("there is none");
    assert_eq!(refused.code(), Code::NotFound);
    refused_alike(&running, "/clearlist.v1.RegisterService/GetRevision", &question, &refused).await;
}

#[tokio::test]
async fn proposals_are_previewed_refused_and_accepted_alike() {
    let running = asking::start().await;
    let mut admin = AdminServiceClient::connect(running.served.url()).await.expect("it is");
    let register = running.served.register();
    let keys = &running.place.keys;
    let list = files(&[row("R", "四环素"), row("T", "青霉素")]);
    let statement = Statement::Revision(revision(&register, &list));
    let submit = "/clearlist.v1.AdminService/SubmitProposal";

    let unsigned = propose(&register, &statement, Some(&list), &[&keys.log]);
    let unsigned = SubmitProposalRequest { proposal: Some(unsigned) };
    let question = asking::json("SubmitProposalRequest", &unsigned);
    let refused = admin.submit_proposal(unsigned).await.expect_err("too few signed");
    assert_eq!(refused.code(), Code::PermissionDenied);
    refused_alike(&running, submit, &question, &refused).await;

    let signed = propose(&register, &statement, Some(&list), &keys.quorum());
    let look = ValidateProposalRequest { proposal: Some(signed.clone()) };
    let question = asking::json("ValidateProposalRequest", &look).to_string();
    let by_grpc = admin.validate_proposal(look).await.expect("a preview").into_inner();
    let path = "/clearlist.v1.AdminService/ValidateProposal";
    let in_json = ask(&running.address, &Request::json(path, question)).await;
    assert_eq!(in_json.json(), asking::json("ValidateProposalResponse", &by_grpc));

    let signed = SubmitProposalRequest { proposal: Some(signed) };
    let question = asking::json("SubmitProposalRequest", &signed).to_string();
    let in_json = ask(&running.address, &Request::json(submit, question)).await;
    assert_eq!(in_json.status, 200, "{:?}", in_json.json());
    assert_eq!(running.served.register().size(), 2, "it was accepted");
    let other = Statement::Revision(revision(&register, &files(&[row("X", "其他")])));
    let late = propose(&register, &other, Some(&files(&[row("X", "其他")])), &keys.quorum());
    let late = SubmitProposalRequest { proposal: Some(late) };
    let question = asking::json("SubmitProposalRequest", &late);
    let refused = admin.submit_proposal(late).await.expect_err("the place is taken");
    assert_eq!(refused.code(), Code::Aborted);
    refused_alike(&running, submit, &question, &refused).await;
}

#[tokio::test]
async fn while_no_list_is_in_force_json_is_told_when_to_come_again() {
    let place = super::support::ceremony::Place::empty();
    let served = place.serve().await;
    let running = Running { address: served.address.to_string(), served, place };
    let mut client = client(&running.address).await;
    let refused = client.check_clearance(good()).await.expect_err("there is no list");
    assert_eq!(refused.code(), Code::Unavailable);
    refused_alike(&running, CHECK, &as_json(&good()), &refused).await;
    let asked = Request::json(CHECK, as_json(&good()).to_string());
    assert_eq!(ask(&running.address, &asked).await.header("retry-after"), "5");
}
