//! A browser's client, by somebody else: connect-web, in Node, whose `fetch` stands in for the
//! browser's. It asks by gRPC-Web and in JSON, and its answers are those of gRPC.

use std::process::Command;

use serde_json::{Value, json};

use super::asking::{self, client, for_each_verdict, good, timeless, tools};

#[tokio::test]
async fn a_browsers_client_gets_the_decisions_and_errors_of_grpc() {
    let Some(tools) = tools("connect-web") else { return };
    let running = asking::start().await;
    let mut client = client(&running.address).await;
    let mut wrong = good();
    wrong.hs_code = "29".into();
    wrong.cas_number = "60-54-7".into();
    let mut later = good();
    later.min_revision = 2;
    let questions: Vec<_> =
        for_each_verdict().into_iter().map(|(_, q)| q).chain([wrong, later]).collect();
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for question in questions {
        asked.push(asking::json("CheckClearanceRequest", &question));
        wanted.push(match client.check_clearance(question).await {
            Ok(answer) => timeless(asking::json("CheckClearanceResponse", answer.get_ref())),
            Err(refused) => json!({
                "code": refused.code() as i32,
                "message": refused.message(),
                "reason": clearlist::grpc::status::reason(&refused),
                "chinese": clearlist::grpc::status::chinese(&refused),
            }),
        });
    }
    let folder = tools.join("browser");
    let mut node = Command::new("node");
    node.arg(folder.join("browser.mjs")).arg(running.served.url());
    node.arg(folder.join("api.binpb")).arg(Value::from(asked).to_string());
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("it runs");
    let output = output.expect("node is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answers: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for form in ["grpcWeb", "json"] {
        assert_eq!(timeless(answers[form].clone()), Value::from(wanted.clone()), "{form}");
    }
}
