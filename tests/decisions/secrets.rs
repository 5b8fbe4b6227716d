//! What the program says of itself holds no name and no USCC.

use super::asking::{NAME, batch, check, log_of, logged, place, question};
use super::support::OWNER;
use super::support::server::{Launched, program};
use clearlist::grpc::proto::v1;
use prost::bytes::Bytes;

/// A name that is on no list, and an end user who is on none.
const UNLISTED: &str = "Zzyzxol";

#[tokio::test]
async fn logs_and_traces_name_no_material_and_no_enterprise() {
    let place = place();
    let register = place.register();
    let register = register.to_str().expect("a path in UTF-8");
    let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--register", register]);
    // Everything of this program, and what the libraries below say.
    command.env("RUST_LOG", "trace");
    let server = Launched::run(command).listening().expect("it starts");
    let channel = server.connect().await;
    check(&channel, question("a")).await.expect("an answer");
    let unlisted = v1::CheckClearanceRequest { material_name: UNLISTED.into(), ..question("b") };
    check(&channel, unlisted.clone()).await.expect("an answer");
    batch(&channel, vec![unlisted, question("c")]).await.expect("a batch");
    let refused = v1::CheckClearanceRequest {
        end_user_uscc: OWNER.replace('Q', "P"),
        material_name: UNLISTED.into(),
        ..question("d")
    };
    check(&channel, refused).await.expect_err("a wrong check character");
    // The log's own failures too.
    let log = log_of(&place);
    for file in std::fs::read_dir(&log).expect("it is there") {
        let path = file.expect("it can be listed").path();
        if path.extension().is_some() {
            std::fs::remove_file(path).expect("it is ours");
        }
    }
    check(&channel, question("e")).await.expect("an answer");
    assert_eq!(logged(&log).len(), 1);
    drop(channel);
    server.terminate();
    let ended = server.ended();
    assert!(ended.said.contains("deleted or exchanged"), "the failure was said");
    assert!(ended.said.len() > 1_000, "a trace says much");
    let escaped: String = NAME.chars().flat_map(char::escape_unicode).collect();
    for secret in [NAME, UNLISTED, OWNER, OWNER.trim_end_matches('Q'), &escaped] {
        assert!(!ended.said.contains(secret), "`{secret}` is in the trace");
    }
    // As bytes, as a library may show them.
    let bytes = format!("{:?}", Bytes::from_static(NAME.as_bytes()));
    let numbers = format!("{:?}", NAME.as_bytes());
    for shown in [bytes.trim_matches(['b', '"']), numbers.trim_matches(['[', ']'])] {
        assert!(!ended.said.contains(shown), "`{shown}` is in the trace");
    }
}
