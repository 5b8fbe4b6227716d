//! A server that tells everything it may, what is asked of it, and how its second address is read.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use clearlist::grpc::proto::v1::CheckClearanceRequest;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::support::ceremony::Place;
use super::support::server::Server;
use super::support::{CODE, OWNER, files, row};

/// A name that no program would say by itself.
pub(crate) const NAME: &str = "四环素奇物";
pub(crate) const TOKEN: &str = "clt_5f0c2a9e77d1b3";
/// Longest that anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn place() -> Place {
    Place::with(&files(&[row("R", NAME), row("S", "葡萄糖")]))
}

/// Settings of every server here: a second address, and everything it may say in the log.
pub(crate) fn settings<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut settings = vec![
        "telemetry.metrics_listen=127.0.0.1:0",
        "telemetry.filter=info,clearlist=debug",
        "telemetry.access_log=info",
        "telemetry.format=json",
    ];
    settings.extend(more);
    settings
}

pub(crate) fn start(place: &Place, more: &[&str]) -> Server {
    Server::with(&place.register(), &settings(more))
}

/// Asks until there is an answer.
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// Where metrics are told, by what the log says.
pub(crate) fn metrics_address(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("metrics are told"))?;
    let (_, rest) = line.split_once("\"address\":\"")?;
    rest.split_once('"').map(|(address, _)| address.to_owned())
}

pub(crate) fn metrics_of(server: &Server) -> String {
    metrics_address(&server.said()).expect("the second address is in the log")
}

/// Status and body of a page.
pub(crate) fn get(address: &str, page: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "GET {page} HTTP/1.1\r\nhost: x\r\n\r\n").expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

pub(crate) fn metrics(address: &str) -> String {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// The number of a series, named with its labels.
pub(crate) fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} in\n{text}")).parse().expect("a number")
}

/// Every series without its number.
pub(crate) fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series.to_owned())).collect()
}

pub(crate) fn question() -> CheckClearanceRequest {
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: NAME.into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

/// A call of any path, with no message.
pub(crate) async fn call(channel: &Channel, path: &str) -> Status {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("it is connected");
    let path = path.parse().expect("a path");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(Request::new(()), path, codec).await.expect_err("no such method")
}
