//! The register over a real socket: what is in force when, what was known when, and everything a
//! reader can ask of it.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use clearlist::domain::entry::EntryState;
use clearlist::formats::list_csv::ListFiles;
use clearlist::grpc::proto::google::r#type::Date;
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::register_service_client::RegisterServiceClient;
use clearlist::register::statement::{RevisionStatement, Statement};
use clearlist::service::timeline::Answering;
use jiff::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

mod support;

#[path = "register_service/reading.rs"]
mod reading;

use support::ceremony::{Place, Served, in_seconds, now, propose, revision, suspension};
use support::{CODE, OWNER, files, row};

/// A list with one material, named after its revision.
fn named(name: &str) -> ListFiles {
    files(&[row("A", name), row("B", "四环素")])
}

fn ask(name: &str) -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: name.into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

async fn check(
    served: &Served,
    request: v1::CheckClearanceRequest,
) -> Result<v1::Decision, Status> {
    let mut client = ClearanceServiceClient::connect(served.url()).await.expect("it listens");
    let response = client.check_clearance(request).await?.into_inner();
    Ok(response.decision.expect("a decision"))
}

/// Verdict and number of the revision that gave it, or the reason there is none.
async fn answer(served: &Served, request: v1::CheckClearanceRequest) -> (String, u64) {
    match check(served, request).await {
        Ok(decision) => {
            let number = decision.revision.as_ref().map_or(0, |r| r.number);
            (decision.verdict().as_str_name().to_owned(), number)
        }
        Err(status) => (reason(&status), 0),
    }
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

const LISTED: &str = "VERDICT_LISTED";
const NO: &str = "VERDICT_CANDIDATE";

async fn submit(
    place: &Place,
    served: &Served,
    files: &ListFiles,
    change: impl FnOnce(&mut RevisionStatement),
) -> u64 {
    let register = served.register();
    let mut next = revision(&register, files);
    change(&mut next);
    let proposal =
        propose(&register, &Statement::Revision(next), Some(files), &place.keys.quorum());
    send(served, proposal).await
}

async fn send(served: &Served, proposal: v1::Proposal) -> u64 {
    let mut client = AdminServiceClient::connect(served.url()).await.expect("it listens");
    let request = v1::SubmitProposalRequest { proposal: Some(proposal) };
    client.submit_proposal(request).await.expect("accepted").into_inner().number
}

async fn reader(served: &Served) -> RegisterServiceClient<Channel> {
    RegisterServiceClient::connect(served.url()).await.expect("it listens")
}

fn date(text: &str) -> Date {
    let date: jiff::civil::Date = text.parse().expect("a date");
    Date {
        year: i32::from(date.year()),
        month: i32::from(date.month()),
        day: i32::from(date.day()),
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[tokio::test]
async fn a_register_without_a_list_in_force_answers_nothing() {
    let place = Place::empty();
    let served = place.serve().await;
    let status = check(&served, ask("四环素")).await.expect_err("no list");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NO_LIST_YET"));
    assert!(status.get_error_details().retry_info().is_some());
    let found = reader(&served).await.get_register(v1::GetRegisterRequest {}).await;
    let found = found.expect("the register").into_inner();
    assert_eq!((found.size, found.in_force, found.checkpoint.len()), (0, None, 0));
    // A later list that is not in force yet changes nothing, and then does.
    submit(&place, &served, &named("后"), |next| next.effective = in_seconds(3_600)).await;
    assert_eq!(answer(&served, ask("后")).await.0, "NO_LIST_YET");
    submit(&place, &served, &named("今"), |_| ()).await;
    assert_eq!(answer(&served, ask("今")).await, (LISTED.into(), 2));
}

#[tokio::test]
async fn a_scheduled_revision_comes_into_force_by_itself_at_its_second() {
    let place = Place::with(&named("旧名材料"));
    let (served, other) = (place.serve().await, in_seconds(3));
    let number = submit(&place, &served, &named("新名材料"), |next| next.effective = other).await;
    assert_eq!(number, 2);
    let found = reader(&served).await.get_register(v1::GetRegisterRequest {}).await;
    let found = found.expect("the register").into_inner();
    assert_eq!(found.in_force.map(|r| r.number), Some(1));
    assert_eq!(found.next_scheduled.map(|r| r.number), Some(2));
    // Whatever the second, the answer is that of the revision in force at the time it names.
    loop {
        let decision = check(&served, ask("新名材料")).await.expect("a decision");
        let at = decision.decide_time.as_ref().expect("a time").seconds;
        let number = decision.revision.as_ref().map_or(0, |r| r.number);
        let due = at >= other.as_second();
        assert_eq!(number, if due { 2 } else { 1 }, "at {at}, due at {other}");
        assert_eq!(decision.verdict() == v1::Verdict::Listed, due);
        if due {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(&served, ask("旧名材料")).await, (NO.into(), 2));
}

#[tokio::test]
async fn the_past_is_answered_as_it_was_in_force_and_as_it_was_known() {
    let place = Place::empty();
    let span = |from: &'static str, to: &'static str| {
        move |next: &mut RevisionStatement| {
            (next.effective, next.expires) = (instant(from), instant(to));
        }
    };
    place.add(&named("一号材料"), span("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"));
    place.add(&named("二号材料"), span("2026-06-30T16:00:00Z", "2099-01-01T00:00:00Z"));
    // Found wrong later, and corrected back to March.
    place.add(&named("三号材料"), span("2026-03-01T00:00:00Z", "2098-01-01T00:00:00Z"));
    let served = place.serve().await;
    let asked = |name: &str, day: Option<&str>, known: u64| v1::CheckClearanceRequest {
        declaration_date: day.map(date),
        known_at_revision: known,
        ..ask(name)
    };
    let cases = [
        // What is known now: the correction is the highest number from March on. Once it has
        // expired, nothing is said: no older list speaks in its place.
        ("一号材料", Some("2026-02-01"), 0, LISTED, 1),
        ("三号材料", Some("2026-03-15"), 0, LISTED, 3),
        ("一号材料", Some("2026-03-15"), 0, NO, 3),
        ("二号材料", Some("2026-07-15"), 0, NO, 3),
        ("三号材料", None, 0, LISTED, 3),
        ("二号材料", Some("2098-06-15"), 0, "LIST_EXPIRED", 0),
        ("二号材料", Some("2098-06-15"), 2, LISTED, 2),
        ("一号材料", Some("2025-12-31"), 0, "NO_LIST_THEN", 0),
        // What was known with two statements. The last second of June 30 in Shanghai is one
        // second before 16:00 UTC.
        ("一号材料", Some("2026-03-15"), 2, LISTED, 1),
        ("一号材料", Some("2026-06-30"), 2, LISTED, 1),
        ("二号材料", Some("2026-07-01"), 2, LISTED, 2),
        ("二号材料", None, 2, LISTED, 2),
        ("一号材料", None, 1, LISTED, 1),
        ("二号材料", Some("2026-07-01"), 1, NO, 1),
        ("一号材料", None, 4, "REVISION_NOT_REACHED", 0),
    ];
    for (name, day, known, verdict, number) in cases {
        let found = answer(&served, asked(name, day, known)).await;
        assert_eq!(found, (verdict.to_owned(), number), "{name} {day:?} known {known}");
    }
    let mut client = ClearanceServiceClient::connect(served.url()).await.expect("it listens");
    let items = cases.iter().map(|(name, day, known, ..)| asked(name, *day, *known)).collect();
    let batch = client.batch_check_clearance(v1::BatchCheckClearanceRequest { items }).await;
    let results = batch.expect("a batch").into_inner().results;
    for ((name, day, known, verdict, number), result) in cases.iter().zip(results) {
        use v1::batch_check_clearance_result::Result as Outcome;
        match result.result.expect("a result") {
            Outcome::Decision(decision) => {
                assert_eq!(decision.verdict().as_str_name(), *verdict, "{name} {day:?} {known}");
                assert_eq!(decision.revision.map(|r| r.number), Some(*number));
            }
            Outcome::Error(error) => assert!(!error.message.is_empty() && *number == 0),
        }
    }
}

#[tokio::test]
async fn a_caller_may_demand_a_least_revision() {
    let place = Place::with(&named("四环"));
    let served = place.serve().await;
    let demand = |min_revision| v1::CheckClearanceRequest { min_revision, ..ask("四环") };
    assert_eq!(answer(&served, demand(1)).await, (LISTED.into(), 1));
    let status = check(&served, demand(2)).await.expect_err("not there yet");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason(&status), "REVISION_NOT_REACHED");
    assert!(status.get_error_details().retry_info().is_some());
    submit(&place, &served, &named("四环"), |_| ()).await;
    assert_eq!(answer(&served, demand(2)).await, (LISTED.into(), 2));
}

#[tokio::test]
async fn an_expired_list_answers_nothing_until_the_next_one() {
    let place = Place::empty();
    place.add(&named("旧单"), |next| next.expires = in_seconds(2));
    let served = place.serve().await;
    let until = loop {
        match check(&served, ask("旧单")).await {
            Ok(decision) => {
                assert_eq!(decision.verdict(), v1::Verdict::Listed);
                tokio::task::yield_now().await;
            }
            Err(status) => break status,
        }
    };
    assert_eq!((until.code(), reason(&until).as_str()), (Code::FailedPrecondition, "LIST_EXPIRED"));
    let found = reader(&served).await.get_register(v1::GetRegisterRequest {}).await;
    assert!(found.expect("the register").into_inner().expired);
    submit(&place, &served, &named("新单"), |_| ()).await;
    assert_eq!(answer(&served, ask("新单")).await, (LISTED.into(), 2));
    // A restart is no way around it.
    drop(served);
    let place = Place::empty();
    place.add(&named("旧单"), |next| next.expires = in_seconds(1));
    while now() < in_seconds(0) {}
    let served = place.serve().await;
    while answer(&served, ask("旧单")).await.0 != "LIST_EXPIRED" {}
}

#[tokio::test]
async fn a_suspension_stops_entries_at_once_and_the_next_revision_replaces_it() {
    let place = Place::with(&named("甲材料"));
    let served = place.serve().await;
    assert_eq!(answer(&served, ask("甲材料")).await, (LISTED.into(), 1));
    let stop = suspension(&served.register(), &["A"]);
    send(&served, propose(&served.register(), &stop, None, &place.keys.quorum())).await;
    let stopped = check(&served, ask("甲材料")).await.expect("a decision");
    assert_eq!(stopped.verdict(), v1::Verdict::NotCovered);
    let findings = &stopped.matches.first().expect("the row").findings;
    assert!(findings.iter().any(|f| f.reason() == v1::Reason::EntrySuspended));
    assert_eq!(stopped.revision.map(|r| r.number), Some(2));
    assert_eq!(answer(&served, ask("四环素")).await, (LISTED.into(), 2));
    let before = v1::CheckClearanceRequest { known_at_revision: 1, ..ask("甲材料") };
    assert_eq!(answer(&served, before.clone()).await, (LISTED.into(), 1));
    // The same after a restart, and after the next revision.
    drop(served);
    let served = serve_again(&place).await;
    assert_eq!(answer(&served, ask("甲材料")).await, ("VERDICT_NOT_COVERED".into(), 2));
    submit(&place, &served, &named("甲材料"), |_| ()).await;
    assert_eq!(answer(&served, ask("甲材料")).await, (LISTED.into(), 3));
    let known = v1::CheckClearanceRequest { known_at_revision: 2, ..ask("甲材料") };
    assert_eq!(answer(&served, known).await, ("VERDICT_NOT_COVERED".into(), 2));
}

/// The states of the entries that answer at an instant.
fn states_at(served: &Served, at: Timestamp) -> Vec<EntryState> {
    match served.running.published().at(at) {
        Answering::Snapshot(snapshot) => snapshot.list.entries().iter().map(|e| e.state).collect(),
        other => panic!("nothing answers: {other:?}"),
    }
}

async fn suspend_from(place: &Place, served: &Served, entry: &str, effective: Timestamp) {
    let Statement::Suspension(mut stop) = suspension(&served.register(), &[entry]) else {
        unreachable!("it was made as a suspension")
    };
    stop.effective = effective;
    let stop = Statement::Suspension(stop);
    send(served, propose(&served.register(), &stop, None, &place.keys.quorum())).await;
}

#[tokio::test]
async fn a_suspension_that_takes_effect_after_a_later_one_takes_effect() {
    let place = Place::with(&named("甲材料"));
    let served = place.serve().await;
    for (entry, seconds) in [("A", 200), ("B", 100)] {
        suspend_from(&place, &served, entry, in_seconds(seconds)).await;
    }
    assert_eq!(states_at(&served, now()), [EntryState::Active, EntryState::Active]);
    assert_eq!(states_at(&served, in_seconds(150)), [EntryState::Active, EntryState::Suspended]);
    assert_eq!(states_at(&served, in_seconds(250)), [EntryState::Suspended, EntryState::Suspended]);
}

#[tokio::test]
async fn a_suspended_enterprise_is_suspended_also_outside_the_window_of_an_old_ban() {
    let mut files = named("甲材料");
    let enterprises = String::from_utf8(files.enterprises).expect("UTF-8");
    let banned = format!("{OWNER},示例甲,Example A,banned,2020-01-01,2020-12-31,doc");
    let active = format!("{OWNER},示例甲,Example A,active,,,doc");
    assert!(enterprises.contains(&active));
    files.enterprises = enterprises.replace(&active, &banned).into_bytes();
    let place = Place::with(&files);
    let served = place.serve().await;
    assert_eq!(answer(&served, ask("甲材料")).await, (LISTED.into(), 1));
    let Statement::Suspension(mut stop) = suspension(&served.register(), &[]) else {
        unreachable!("it was made as a suspension")
    };
    stop.enterprises.push(OWNER.into());
    let stop = Statement::Suspension(stop);
    send(&served, propose(&served.register(), &stop, None, &place.keys.quorum())).await;
    assert_eq!(answer(&served, ask("甲材料")).await, ("VERDICT_NOT_COVERED".into(), 2));
}

/// Serves a register whose server in this process is ending.
async fn serve_again(place: &Place) -> Served {
    while clearlist::service::opening::open(&place.register(), now(), |_, _| ()).is_err() {
        tokio::task::yield_now().await;
    }
    place.serve().await
}
