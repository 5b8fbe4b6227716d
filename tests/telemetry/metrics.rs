//! Metrics: what is counted, that no caller makes new names, and that dashboard, alerts and manual
//! name what there is.

use std::collections::BTreeSet;
use std::path::Path;

use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::{
    BatchCheckClearanceRequest, CheckClearanceRequest, SubmitProposalRequest,
};
use clearlist::register::statement::Statement;
use tonic::{Code, Request};

use super::asking::{
    NAME, TOKEN, call, get, metrics, metrics_address, metrics_of, place, question, series, start,
    value,
};
use super::support::ceremony::{Place, propose, revision};
use super::support::server::Server;
use super::support::{CODE, OWNER, files, row};

#[tokio::test]
async fn known_traffic_is_counted_and_neither_metrics_nor_log_say_what_was_asked() {
    let place = place();
    let server = start(&place, &[]);
    let address = metrics_of(&server);
    let channel = server.connect().await;
    let mut client = ClearanceServiceClient::new(channel.clone());
    for _listed in 0..3 {
        let mut request = Request::new(question());
        let token = format!("Bearer {TOKEN}").parse().expect("a header");
        request.metadata_mut().insert("authorization", token);
        client.check_clearance(request).await.expect("an answer");
    }
    let unlisted = CheckClearanceRequest { material_name: "未列xyzzy".into(), ..question() };
    client.check_clearance(unlisted).await.expect("an answer");
    let wrong = CheckClearanceRequest { hs_code: "29".into(), ..question() };
    client.check_clearance(wrong).await.expect_err("a wrong code");
    let items = vec![question(); 5];
    client.batch_check_clearance(BatchCheckClearanceRequest { items }).await.expect("answers");
    // Signed by one of two.
    let (register, mut admin) = (place_register(&place), AdminServiceClient::new(channel.clone()));
    let statement = Statement::Revision(revision(&register, &files(&[row("R", NAME)])));
    let signers = [&place.keys.log, &place.keys.agencies[0]];
    let proposal = propose(&register, &statement, Some(&files(&[row("R", NAME)])), &signers);
    let refused = admin.submit_proposal(SubmitProposalRequest { proposal: Some(proposal) }).await;
    assert_eq!(refused.expect_err("too few").code(), Code::PermissionDenied);

    let text = metrics(&address);
    let check = "method=\"clearlist.v1.ClearanceService/CheckClearance\"";
    for (series, wanted) in [
        (format!("clearlist_requests_total{{{check},code=\"OK\"}}"), 4.0),
        (format!("clearlist_requests_total{{{check},code=\"INVALID_ARGUMENT\"}}"), 1.0),
        (format!("clearlist_request_duration_seconds_count{{{check}}}"), 5.0),
        (format!("clearlist_request_duration_seconds_bucket{{le=\"+Inf\",{check}}}"), 5.0),
        ("clearlist_verdicts_total{verdict=\"LISTED\"}".into(), 8.0),
        ("clearlist_verdicts_total{verdict=\"NOT_COVERED\"}".into(), 0.0),
        ("clearlist_proposals_total{outcome=\"refused\"}".into(), 1.0),
        ("clearlist_proposal_refusals_total{reason=\"QUORUM_NOT_MET\"}".into(), 1.0),
        ("clearlist_proposal_refusals_total{reason=\"SIGNATURE_INVALID\"}".into(), 0.0),
        ("clearlist_revision".into(), 1.0),
        ("clearlist_register_size".into(), 1.0),
        ("clearlist_index_entries".into(), 2.0),
        ("clearlist_index_names".into(), 2.0),
        ("clearlist_list_in_force".into(), 1.0),
        // It expires tomorrow.
        ("clearlist_list_expiring".into(), 1.0),
        ("clearlist_requests_in_flight".into(), 0.0),
        ("clearlist_connections_open".into(), 1.0),
        ("clearlist_tls_reload_failures_total".into(), 0.0),
    ] {
        let found = value(&text, &series);
        assert!((found - wanted).abs() < 0.5, "{series} is {found}, not {wanted}\n{text}");
    }
    let left = value(&text, "clearlist_list_expiry_seconds");
    assert!((1.0..=86_400.0).contains(&left), "{left}");
    let took = value(&text, &format!("clearlist_request_duration_seconds_sum{{{check}}}"));
    assert!(took > 0.0, "{text}");

    server.terminate();
    let said = server.ended().said;
    assert!(said.matches("clearlist::access").count() >= 7, "{said}");
    for text in [&text, &said] {
        for secret in [NAME, "xyzzy", OWNER, TOKEN, CODE] {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
}

/// The register of a place while a server runs on it.
fn place_register(place: &Place) -> clearlist::register::history::Register {
    let read = clearlist::service::opening::read(&place.register(), |_, _| ());
    read.expect("a good register").1.register
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own() {
    let place = place();
    let server = start(&place, &[]);
    let (address, main) = (metrics_of(&server), server.address().to_owned());
    assert_ne!(address, main);
    let (status, _) = get(&main, "/metrics");
    assert_ne!(status, 200, "the address of the service tells no metrics");
    assert_eq!(get(&address, "/elsewhere").0, 404);
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz"), (200, "serving\n".into()));
    let without = Server::start(&self::place().register());
    assert_eq!(metrics_address(&without.said()), None, "none by default");
}

#[tokio::test]
async fn hostile_paths_and_ids_make_no_new_names() {
    let place = place();
    let server = start(&place, &[]);
    let (address, channel) = (metrics_of(&server), server.connect().await);
    call(&channel, "/clearlist.v1.ClearanceService/No").await;
    let before = series(&metrics(&address));
    for nth in 0..200 {
        for path in [
            format!("/clearlist.v1.ClearanceService/Check{nth}"),
            format!("/clearlist.w{nth}.ClearanceService/CheckClearance"),
            format!("/x{nth}?clearlist_requests_total%7B%7D"),
        ] {
            assert_eq!(call(&channel, &path).await.code(), Code::Unimplemented, "{path}");
        }
    }
    let after = metrics(&address);
    assert_eq!(series(&after), before);
    let other = "clearlist_requests_total{method=\"other\",code=\"UNIMPLEMENTED\"}";
    assert!((value(&after, other) - 601.0).abs() < 0.5, "{after}");
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("clearlist_")).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn dashboard_alerts_and_manual_name_metrics_that_there_are() {
    let place = place();
    let server = start(&place, &[]);
    let text = metrics(&metrics_of(&server));
    let there: BTreeSet<String> = series(&text).iter().flat_map(|series| names(series)).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    for path in ["deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yaml"] {
        let named = names(&read(path));
        assert!(named.len() > 5, "{path} names metrics");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
    }
    let manual = names(&read("docs/operations.md"));
    let base = |name: &String| {
        let ends = ["_bucket", "_count", "_sum"];
        let cut = ends.iter().find_map(|end| name.strip_suffix(end));
        cut.unwrap_or(name).to_owned()
    };
    let there: BTreeSet<String> = there.iter().map(base).collect();
    let silent: Vec<_> = there.difference(&manual).collect();
    assert!(silent.is_empty(), "docs/operations.md does not tell of {silent:?}");
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana-dashboard.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 5));
}

#[tokio::test]
async fn every_reason_to_refuse_a_proposal_has_its_series() {
    let place = place();
    let server = start(&place, &[]);
    let text = metrics(&metrics_of(&server));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/register");
    let mut reasons = BTreeSet::new();
    for file in ["checkpoint.rs", "note.rs", "policy.rs", "statement.rs", "step.rs"] {
        let source = std::fs::read_to_string(sources.join(file)).expect("it is there");
        let texts = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
        let upper = |text: &&str| {
            text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        reasons.extend(texts.filter(upper).map(ToOwned::to_owned));
    }
    assert!(reasons.len() > 20, "{reasons:?}");
    for reason in reasons {
        value(&text, &format!("clearlist_proposal_refusals_total{{reason=\"{reason}\"}}"));
    }
}
