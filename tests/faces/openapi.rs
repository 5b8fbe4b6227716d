//! The `OpenAPI` document: what is served is what is printed, and it says what is true.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::asking;
use super::http_1::{Request, ask};
use super::support::server::program;

fn printed() -> Value {
    let output = program(&["openapi"]).output().expect("it runs");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Every `$ref` in a value.
fn references(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                out.insert(reference.clone());
            }
            fields.values().for_each(|value| references(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, out)),
        _ => {}
    }
}

#[tokio::test]
async fn it_is_served_at_two_paths_and_printed() {
    let running = asking::start().await;
    let printed = printed();
    for path in ["/", "/openapi.json"] {
        let served = ask(&running.address, &Request::of("GET", path)).await;
        assert_eq!(served.status, 200);
        assert_eq!(served.header("content-type"), "application/json");
        assert_eq!(served.json(), printed);
    }
}

#[test]
fn it_has_every_unary_method_and_no_other() {
    let document = printed();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    let unary: BTreeSet<String> = clearlist::grpc::json::methods()
        .filter(|method| method.is_unary())
        .map(clearlist::grpc::json::Method::path)
        .collect();
    assert_eq!(paths, unary.iter().collect::<Vec<_>>());
    assert!(unary.len() >= 9, "{unary:?}");
    for path in paths {
        let post = &document["paths"][path]["post"];
        assert_ne!(post["description"], "", "{path} has no comment");
        assert_eq!(post["responses"]["default"]["$ref"], "#/components/responses/Error");
    }
}

#[test]
fn nothing_it_points_to_is_missing_and_everything_has_a_description() {
    let document = printed();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("inside");
        assert!(document.pointer(pointer).is_some(), "{reference} is missing");
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(
            !schema["description"].as_str().unwrap_or_default().is_empty()
                || schema["type"] == "object" && name.starts_with("google."),
            "{name}"
        );
        let ours = name.starts_with("clearlist.");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            let said = schema["description"].as_str().unwrap_or_default();
            assert!(!ours || !said.is_empty(), "{name}.{field} has no description");
        }
    }
}

#[test]
fn each_kind_of_field_has_the_form_of_proto3_json() {
    let document = printed();
    let field = |message: &str, field: &str| {
        document["components"]["schemas"][format!("clearlist.v1.{message}")]["properties"][field]
            .clone()
    };
    let question = &document["components"]["schemas"]["clearlist.v1.CheckClearanceRequest"];
    assert_eq!(question["additionalProperties"], false, "unknown fields are refused");
    assert_eq!(field("CheckClearanceRequest", "hsCode")["type"], "string");
    assert_eq!(field("CheckClearanceRequest", "receipt")["type"], "boolean");
    assert_eq!(field("CheckClearanceRequest", "minRevision")["format"], "uint64");
    assert_eq!(field("CheckClearanceRequest", "minRevision")["type"], "string");
    assert_eq!(field("BatchCheckClearanceRequest", "items")["type"], "array");
    assert_eq!(field("SearchResult", "score")["type"], "number");
    assert_eq!(field("Revision", "rootSha256")["contentEncoding"], "base64");
    let verdict = &document["components"]["schemas"]["clearlist.v1.Verdict"];
    assert!(verdict["enum"].as_array().is_some_and(|all| all.contains(&"VERDICT_LISTED".into())));
    assert!(
        verdict["description"].as_str().is_some_and(|said| said.contains("`VERDICT_LISTED`: "))
    );
    let instant = &document["components"]["schemas"]["google.protobuf.Timestamp"];
    assert_eq!(instant["format"], "date-time");
    let result = &document["components"]["schemas"]["clearlist.v1.BatchCheckClearanceResult"];
    assert_eq!(result["allOf"][0]["oneOf"].as_array().map(Vec::len), Some(3), "one, other, none");
}

/// `tests/run` brings the validator and names its folder in `CLEARLIST_TEST_TOOLS`.
#[test]
fn a_validator_by_somebody_else_finds_no_fault() {
    let Some(tools) = asking::tools("the OpenAPI validator") else { return };
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), printed().to_string()).expect("it is written");
    let mut validator = Command::new(tools.join("venv/bin/python"));
    let output = validator.args(["-m", "openapi_spec_validator"]).arg(file.path()).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
