//! `clearlist decisions`: beside a running server, by every filter, in every form.

use std::fs;
use std::path::Path;
use std::process::Output;

use clearlist::grpc::proto::v1;
use serde_json::Value;

use super::asking::{batch, check, log_of, place, question};
use super::support::ceremony::Place;
use super::support::server::{Server, program};
use super::support::{CODE, OTHER, OWNER};

fn run(log: &Path, arguments: &[&str]) -> Output {
    let place = ["--decisions", log.to_str().expect("a path in UTF-8")];
    let all = [&["decisions"], &arguments[..1], &place, &arguments[1..]].concat();
    program(&all).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The correlation ids of JSON lines.
fn ids(output: &Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let line = |line: &str| -> String {
        let value: Value = serde_json::from_str(line).expect("a line is JSON");
        value["correlation_id"].as_str().expect("a text").to_owned()
    };
    text(&output.stdout).lines().map(line).collect()
}

/// A served register with five answers.
async fn served() -> (Place, Server) {
    let place = place();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    check(&channel, question("listed")).await.expect("an answer");
    let other = v1::CheckClearanceRequest { end_user_uscc: OTHER.into(), ..question("other") };
    check(&channel, other).await.expect("an answer");
    let nobody = v1::CheckClearanceRequest { end_user_uscc: String::new(), ..question("nobody") };
    let code = v1::CheckClearanceRequest { hs_code: "2933599053".into(), ..question("code") };
    let formula = question("=1+1");
    batch(&channel, vec![nobody, code, formula]).await.expect("a batch");
    (place, server)
}

#[tokio::test]
async fn a_running_servers_log_is_listed_by_each_filter() {
    let (place, _server) = served().await;
    let log = log_of(&place);
    let list = |more: &[&str]| ids(&run(&log, &[&["list", "--output", "json"], more].concat()));
    let all = ["=1+1", "code", "nobody", "other", "listed"];
    assert_eq!(list(&[]), all, "the newest first");
    assert_eq!(list(&["--limit", "2"]), all[..2]);
    assert_eq!(list(&["--end-user", OTHER]), ["other"]);
    assert_eq!(list(&["--end-user", &OWNER.to_lowercase()]), ["=1+1", "code", "listed"]);
    assert_eq!(list(&["--hs", "2933.59.90.53"]), ["code"]);
    assert_eq!(list(&["--verdict", "conditional"]), ["nobody"]);
    assert_eq!(list(&["--verdict", "not-covered"]), ["other"]);
    assert_eq!(list(&["--caller", ""]), all);
    assert_eq!(list(&["--caller", "broker"]), Vec::<String>::new());
    assert_eq!(list(&["--from", "2020-01-01", "--until", "2020-02-01"]), Vec::<String>::new());
    assert_eq!(list(&["--from", "2020-01-01"]), all);
    assert_eq!(list(&["--until", "2020-01-01"]), Vec::<String>::new());
    assert_eq!(
        list(&["--hs", CODE, "--verdict", "listed", "--end-user", OWNER]),
        ["=1+1", "listed"]
    );
    // By way of the register's directory.
    let register = place.register();
    let register = register.to_str().expect("a path in UTF-8");
    let by_register = ["decisions", "list", "--register", register, "--output", "json"];
    assert_eq!(ids(&program(&by_register).output().expect("it runs")), all);
}

#[tokio::test]
async fn the_table_shows_what_people_look_for_in_both_languages() {
    let (place, _server) = served().await;
    for (lang, head, more) in
        [("en", "decided (+08:00)", "there are more"), ("zh", "消费使用单位", "还有更多记录")]
    {
        let output = run(&log_of(&place), &["list", "--lang", lang, "--limit", "3"]);
        assert_eq!(output.status.code(), Some(0));
        let shown = text(&output.stdout);
        assert_eq!(shown.lines().count(), 4, "{shown}");
        assert!(shown.lines().next().is_some_and(|line| line.contains(head)), "{shown}");
        assert!(shown.contains(CODE) && shown.contains("CONDITIONAL"), "{shown}");
        assert!(text(&output.stderr).contains(more), "{output:?}");
    }
}

#[tokio::test]
async fn an_export_is_whole_in_order_private_and_never_overwrites() {
    use std::os::unix::fs::PermissionsExt;
    let (place, _server) = served().await;
    let log = log_of(&place);
    let all = ["listed", "other", "nobody", "code", "=1+1"];
    let exported = run(&log, &["export"]);
    assert_eq!(ids(&exported), all, "the oldest first");
    let first: Value =
        serde_json::from_str(text(&exported.stdout).lines().next().expect("a line")).expect("JSON");
    for column in ["segment", "decide_time", "caller", "end_user", "hs_code", "verdict", "answer"] {
        assert!(first[column].is_string(), "{column}: {first}");
    }
    assert_eq!((first["revision"].as_u64(), first["id"].is_i64()), (Some(1), true));

    let file = place.path().join("out.csv");
    let to_file = ["export", "--format", "csv", "-o", file.to_str().expect("a path in UTF-8")];
    assert_eq!(run(&log, &to_file).status.code(), Some(0));
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let mut csv = csv::Reader::from_path(&file).expect("it is CSV");
    let headers: Vec<String> = csv.headers().expect("a header").iter().map(Into::into).collect();
    let column = headers.iter().position(|name| name == "correlation_id").expect("a column");
    let cells: Vec<String> =
        csv.records().map(|line| line.expect("a line")[column].to_owned()).collect();
    // No spreadsheet computes what a caller sent.
    assert_eq!(cells, ["listed", "other", "nobody", "code", "'=1+1"]);
    let again = run(&log, &to_file);
    assert_eq!(again.status.code(), Some(3), "{again:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_wrong_options_are_refused() {
    let (place, server) = served().await;
    server.kill();
    let log = log_of(&place);
    for wrong in [
        ["--end-user", "91110108551385082P"],
        ["--hs", "29x"],
        ["--from", "last week"],
        ["--verdict", "maybe"],
    ] {
        let output = run(&log, &[&["list"], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let nowhere = run(&place.path().join("nowhere"), &["export"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(nowhere.stdout.is_empty());
    fs::write(log.join("00000009-20260101T000000Z.sqlite"), "nothing of the kind".repeat(99))
        .expect("it can be written");
    fs::write(log.join("00000008-20260101T000000Z.sqlite.damaged"), "").expect("it can be written");
    let output = run(&log, &["export"]);
    // A part is not taken for the whole.
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stdout).lines().count(), 5);
    let said = text(&output.stderr);
    assert!(said.contains("00000009-20260101T000000Z.sqlite` was not read"), "{said}");
    assert!(said.contains("damaged` was set aside"), "{said}");
}

#[tokio::test]
async fn an_export_is_decided_again_from_the_register_with_the_same_outcome() {
    let (place, _server) = served().await;
    let file = place.path().join("out.jsonl");
    let file = file.to_str().expect("a path in UTF-8");
    assert_eq!(run(&log_of(&place), &["export", "-o", file]).status.code(), Some(0));
    let register = place.register();
    let register = register.to_str().expect("a path in UTF-8");
    let replay = ["receipt", "replay", file, "--register", register];
    let output = program(&replay).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("5 decided again, all identical"), "{output:?}");
}
