//! A list that gives every verdict, and the questions that get them.

use std::io::Write as _;
use std::path::PathBuf;

use clearlist::grpc::json::to_json;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::{
    BatchCheckClearanceRequest, CheckClearanceRequest, SearchMaterialsRequest, Verdict,
};
use serde_json::Value;
use tonic::transport::Channel;

use super::support::ceremony::{Place, Served};
use super::support::{CODE, OTHER, OWNER, files, row};

pub(crate) const CHECK: &str = "/clearlist.v1.ClearanceService/CheckClearance";
pub(crate) const BATCH: &str = "/clearlist.v1.ClearanceService/BatchCheckClearance";
pub(crate) const SEARCH: &str = "/clearlist.v1.ClearanceService/SearchMaterials";

/// A register, served in this process.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) served: Served,
    pub(crate) place: Place,
}

pub(crate) async fn start() -> Running {
    let place = Place::with(&files(&[row("R", "四环素"), row("S", "土霉素").with("uscc", OTHER)]));
    let served = place.serve().await;
    Running { address: served.address.to_string(), served, place }
}

pub(crate) fn good() -> CheckClearanceRequest {
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: "四环素".into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        correlation_id: "line-1".into(),
        ..Default::default()
    }
}

/// A question for each verdict.
pub(crate) fn for_each_verdict() -> [(Verdict, CheckClearanceRequest); 5] {
    let with = |change: fn(&mut CheckClearanceRequest)| {
        let mut question = good();
        change(&mut question);
        question
    };
    [
        (Verdict::Listed, good()),
        (Verdict::Conditional, with(|q| q.end_user_uscc.clear())),
        (Verdict::NotCovered, with(|q| q.material_name = "土霉素".into())),
        (Verdict::Candidate, with(|q| q.material_name = "四环素片".into())),
        (Verdict::NotListed, with(|q| q.material_name = "Unobtainium".into())),
    ]
}

pub(crate) fn batch(items: Vec<CheckClearanceRequest>) -> BatchCheckClearanceRequest {
    BatchCheckClearanceRequest { items }
}

pub(crate) fn search() -> SearchMaterialsRequest {
    SearchMaterialsRequest { text: "sihuansu".into(), ..Default::default() }
}

/// Says that something is not tested. The test runner shows what is written straight to standard
/// error, even of tests that pass.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// The folder of tools that `tests/run` brings, or the skip said aloud.
pub(crate) fn tools(what: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("CLEARLIST_TEST_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        skipped(&format!("{what} (tests/run brings what it needs)"));
    }
    tools
}

/// The JSON form of a message.
pub(crate) fn json(name: &str, message: &impl prost::Message) -> Value {
    to_json(&format!("clearlist.v1.{name}"), message).expect("a message of the API")
}

pub(crate) async fn client(address: &str) -> ClearanceServiceClient<Channel> {
    let url = format!("http://{address}");
    ClearanceServiceClient::connect(url).await.expect("it listens")
}

/// An answer without the times at which it was made.
pub(crate) fn timeless(mut answer: Value) -> Value {
    forget_times(&mut answer);
    answer
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("decideTime");
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}
