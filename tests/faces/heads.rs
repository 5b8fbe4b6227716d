//! What the head of a request may say, and what each refusal is.

use serde_json::{Value, json};

use super::asking::{self, CHECK, good};
use super::http_1::{Answer, Connection, Request, ask};

fn question() -> String {
    asking::json("CheckClearanceRequest", &good()).to_string()
}

fn reason(answer: &Answer) -> String {
    let body = answer.json();
    let details = body["details"].as_array().cloned().unwrap_or_default();
    let info = details.iter().find(|detail| detail["type"] == "google.rpc.ErrorInfo");
    let reason = info.and_then(|info| info["debug"]["reason"].as_str());
    let chinese = details.iter().any(|d| d["type"] == "google.rpc.LocalizedMessage");
    assert!(chinese, "{body}");
    reason.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn each_wrong_head_is_refused_with_its_status_and_reason() {
    let running = asking::start().await;
    let post = || Request::json(CHECK, question());
    let plain = || Request::of("POST", CHECK).body(question());
    let cases = [
        (plain(), 415, "CONTENT_TYPE_UNKNOWN"),
        (plain().with("content-type", "text/plain"), 415, "CONTENT_TYPE_UNKNOWN"),
        (
            plain().with("content-type", "application/json; charset=gbk"),
            415,
            "CONTENT_TYPE_UNKNOWN",
        ),
        (Request::of("GET", CHECK), 405, "HTTP_METHOD_UNKNOWN"),
        (Request::of("PUT", "/openapi.json"), 405, "HTTP_METHOD_UNKNOWN"),
        (Request::json("/clearlist.v1.ClearanceService/Clear", "{}"), 404, "PATH_UNKNOWN"),
        (Request::json("/grpc.health.v1.Health/Check", "{}"), 404, "PATH_UNKNOWN"),
        (Request::of("GET", "/favicon.ico"), 404, "PATH_UNKNOWN"),
        (
            Request::json("/clearlist.v1.ClearanceService/StreamCheckClearance", "{}"),
            501,
            "STREAM_IN_JSON",
        ),
        (post().with("connect-protocol-version", "2"), 400, "PROTOCOL_VERSION_UNKNOWN"),
        (post().with("content-encoding", "gzip"), 501, "CONTENT_ENCODING_UNKNOWN"),
        (post().with("connect-timeout-ms", ""), 400, "TIMEOUT_MALFORMED"),
        (post().with("connect-timeout-ms", "5s"), 400, "TIMEOUT_MALFORMED"),
        (post().with("connect-timeout-ms", "12345678901"), 400, "TIMEOUT_MALFORMED"),
        (post().with("connect-timeout-ms", "0"), 504, "DEADLINE_EXCEEDED"),
    ];
    for (request, status, wanted) in cases {
        let answer = ask(&running.address, &request).await;
        let asked = (request.verb, request.path, &request.headers);
        assert_eq!((answer.status, reason(&answer).as_str()), (status, wanted), "{asked:?}");
        assert_eq!(answer.header("content-type"), "application/json");
        if status == 405 {
            let allowed = if request.path == CHECK { "POST" } else { "GET, HEAD" };
            assert_eq!(answer.header("allow"), allowed);
        }
    }
}

#[tokio::test]
async fn heads_that_are_right_in_another_way_change_nothing() {
    let running = asking::start().await;
    let mut connection = Connection::to(&running.address).await;
    let plain = Request::of("POST", CHECK).body(question());
    let post = Request::json(CHECK, question());
    let good = [
        plain.with("content-type", "Application/JSON; charset=UTF-8"),
        post.clone().with("connect-protocol-version", "1"),
        post.clone().with("content-encoding", "identity"),
        post.clone().with("connect-timeout-ms", "9999999999"),
        post.clone().with("connect-timeout-ms", "60000"),
        // Not for this form: a caller of JSON has Connect's.
        post.clone().with("grpc-timeout", "nonsense"),
        post.with("accept-encoding", "gzip").with("grpc-encoding", "zstd"),
    ];
    for request in good {
        // All on one connection, one after another.
        let answer = connection.ask(&request).await;
        assert_eq!(answer.status, 200, "{:?}: {}", request.headers, answer.json());
        assert_eq!(answer.json()["decision"]["verdict"], "VERDICT_LISTED");
    }
}

#[tokio::test]
async fn json_that_is_no_question_is_refused_naming_field_and_place() {
    let running = asking::start().await;
    let code = r#""hsCode":"2941301100""#;
    let cases = [
        (String::new(), "line 1, column 0"),
        ("{".to_owned(), "line 1, column 1"),
        ("[]".to_owned(), "line 1, column"),
        (format!("{{{code}}} x"), "line 1, column 25"),
        (
            format!("{{{code},\n  \"hsCod\":\"1\"}}"),
            "line 2, column 9 of the request: unrecognized field name 'hsCod'",
        ),
        (format!("{{{code},\"use\":\"USE_FUN\"}}"), "unrecognized enum value 'USE_FUN'"),
        (format!("{{{code},\"receipt\":\"yes\"}}"), "line 1, column 38"),
        (format!("{{{code},\"minRevision\":-1}}"), "line 1, column"),
        (format!("{{{code},{code}}}"), "field `hsCode` is given twice"),
        (format!("{{{code},\"hs_code\":\"1\"}}"), "field `hs_code` is given twice"),
        ("{\"materialName\":\"\\ud800\"}".to_owned(), "line 1, column"),
    ];
    for (body, wanted) in cases {
        let answer = ask(&running.address, &Request::json(CHECK, body.clone())).await;
        let said = answer.json();
        assert_eq!((answer.status, reason(&answer).as_str()), (400, "JSON_MALFORMED"), "{body}");
        assert_eq!(said["code"], "invalid_argument");
        let message = said["message"].as_str().unwrap_or_default();
        assert!(message.contains(wanted), "{body}: {message}");
    }
    let answer = ask(&running.address, &Request::json(CHECK, b"{\"hsCode\":\"\xFF\"}")).await;
    assert_eq!(reason(&answer), "JSON_MALFORMED");
}

#[tokio::test]
async fn both_spellings_of_a_field_and_numbers_in_texts_are_taken() {
    let running = asking::start().await;
    let spelled = json!({
        "hs_code": "2941301100",
        "material_name": "四环素",
        "endUserUscc": "91110108551385082Q",
        "use": 1,
        "minRevision": "1",
        "knownAtRevision": 0,
        "quantity": null,
    });
    let answer = ask(&running.address, &Request::json(CHECK, spelled.to_string())).await;
    let answer: Value = answer.json();
    assert_eq!(answer["decision"]["verdict"], "VERDICT_LISTED", "{answer}");
    assert_eq!(answer["decision"]["revision"]["number"], "1", "64 bits are a text");
}
