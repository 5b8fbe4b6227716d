//! Pages of other origins, as a browser asks for them.

use super::asking::{self, CHECK, good};
use super::http_1::{Answer, Request, ask};
use super::support::ceremony::Place;
use super::support::server::Server;
use super::support::{files, row};

const PAGE: &str = "https://erp.example";

fn preflight(origin: &str) -> Request<'_> {
    Request::of("OPTIONS", CHECK)
        .with("origin", origin)
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "content-type,authorization")
}

fn question(origin: &str) -> Request<'_> {
    let question = asking::json("CheckClearanceRequest", &good()).to_string();
    Request::json(CHECK, question).with("origin", origin)
}

fn admitted(answer: &Answer) -> &str {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn only_pages_of_the_allowed_origins_may_ask_and_read() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let origins = format!("web.allowed_origins={PAGE} https://two.example:8443");
    let server = Server::with(&place.register(), &[&origins]);
    for origin in [PAGE, "https://two.example:8443"] {
        let may = ask(server.address(), &preflight(origin)).await;
        assert_eq!((may.status, admitted(&may)), (204, origin));
        assert!(may.header("access-control-allow-headers").contains("authorization"));
        assert_eq!(may.header("vary"), "origin");
        let answer = ask(server.address(), &question(origin)).await;
        assert_eq!((answer.status, admitted(&answer)), (200, origin));
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("grpc-status-details-bin"), "{exposed}");
    }
    let near = ["https://erp.example.evil", "http://erp.example", "null", "https://erp.example:1"];
    for origin in near {
        let may = ask(server.address(), &preflight(origin)).await;
        assert_eq!((may.status, admitted(&may)), (403, ""), "{origin}");
        // A browser lets no page read this; another client is no page.
        let answer = ask(server.address(), &question(origin)).await;
        assert_eq!((answer.status, admitted(&answer)), (200, ""), "{origin}");
    }
}

#[tokio::test]
async fn without_the_setting_no_page_may_and_with_a_star_every_one() {
    let running = asking::start().await;
    let may = ask(&running.address, &preflight(PAGE)).await;
    assert_eq!((may.status, admitted(&may)), (403, ""));
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::with(&place.register(), &["web.allowed_origins=*"]);
    let may = ask(server.address(), &preflight("https://any.example")).await;
    assert_eq!((may.status, admitted(&may)), (204, "https://any.example"));
}

#[tokio::test]
async fn an_error_can_be_read_by_its_page_and_an_options_without_origin_is_a_wrong_method() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::with(&place.register(), &[format!("web.allowed_origins={PAGE}")]);
    let refused = ask(server.address(), &Request::json(CHECK, "{").with("origin", PAGE)).await;
    assert_eq!((refused.status, admitted(&refused)), (400, PAGE));
    assert_eq!(ask(server.address(), &Request::of("OPTIONS", CHECK)).await.status, 405);
}
