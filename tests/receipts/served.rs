//! Receipts over a real socket: every verdict, past days, past revisions, batches and streams.

use std::collections::BTreeSet;

use clearlist::formats::list_csv::ListFiles;
use clearlist::formats::receipt::{Verified, verify};
use clearlist::grpc::proto::google::r#type::Date;
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use clearlist::grpc::proto::v1::register_service_client::RegisterServiceClient;
use clearlist::register::note::VerifierKey;
use clearlist::register::policy::Policy;
use clearlist::register::receipt::Receipt;
use jiff::Timestamp;
use tokio_stream::StreamExt;
use tonic_types::StatusExt;

use crate::script::Cases;
use crate::support::ceremony::{Place, Served, in_seconds, now};
use crate::support::{CODE, OTHER, OWNER, files, row};

/// A list whose questions have every verdict.
fn every_kind() -> ListFiles {
    files(&[
        row("A", "四环素").with("quantity", "20").with("unit", "g").with("cas", "60-54-8"),
        row("B", "土霉素").with("state", "suspended"),
        row("C", "重组人IL-2").with("hs_code", "3002150090").with("uscc", OTHER),
        row("D", "").with("scheme", "directory").with("uscc", OTHER).with("hs_code", ""),
    ])
}

fn ask(code: &str, name: &str) -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: code.into(),
        material_name: name.into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        receipt: true,
        correlation_id: format!("{code} {name}"),
        ..Default::default()
    }
}

/// Questions with every verdict, with and without an end user.
fn questions() -> Vec<v1::CheckClearanceRequest> {
    let grams = |value: &str| Some(v1::Quantity { value: value.into(), unit: "g".into() });
    let listed = v1::CheckClearanceRequest { quantity: grams("20"), ..ask(CODE, "四環素") };
    let conditional = ask(CODE, "四环素");
    let too_much = v1::CheckClearanceRequest { quantity: grams("20.1"), ..conditional.clone() };
    let suspended = ask(CODE, "土霉素");
    let near = ask(CODE, "四环寨");
    let other_code = ask("2941909099", "四环素");
    let by_cas = v1::CheckClearanceRequest {
        material_name: String::new(),
        cas_number: "60-54-8".into(),
        ..ask(CODE, "")
    };
    let directory = v1::CheckClearanceRequest {
        end_user_uscc: OTHER.into(),
        ..ask(CODE, "不在清单的物品")
    };
    let none = ask("9999999999", "qzxwvkj");
    let anonymous = v1::CheckClearanceRequest { end_user_uscc: String::new(), ..none.clone() };
    let one_scheme = v1::CheckClearanceRequest { scheme: "rows".into(), ..anonymous.clone() };
    let short = ask("29413011", "四环素");
    vec![
        listed,
        conditional,
        too_much,
        suspended,
        near,
        other_code,
        by_cas,
        directory,
        none,
        anonymous,
        one_scheme,
        short,
    ]
}

/// What an auditor has: the policy and the service's key.
struct Auditor {
    policy: String,
    key: String,
}

impl Auditor {
    async fn of(served: &Served) -> Self {
        let mut reader = RegisterServiceClient::connect(served.url()).await.expect("it listens");
        let found = reader.get_register(v1::GetRegisterRequest {}).await.expect("a register");
        let found = found.into_inner();
        Self { policy: found.policy, key: found.service_keys[0].vkey.clone() }
    }

    fn verified(&self, receipt: &v1::Receipt) -> Verified {
        let policy = Policy::parse(&self.policy).expect("a policy");
        let key = VerifierKey::parse(&self.key).expect("a key");
        verify(&plain(receipt), &policy, &key).expect("it holds")
    }
}

fn plain(receipt: &v1::Receipt) -> Receipt {
    let v1::Receipt { decision_note, list_proof } = receipt.clone();
    Receipt { decision_note, list_proof }
}

/// That a receipt says what the decision said.
fn is_of(verified: &Verified, decision: &v1::Decision) {
    let said = &verified.checked.text;
    assert_eq!(format!("VERDICT_{}", said.verdict.name()), decision.verdict().as_str_name());
    let ids = |matches: &[v1::Match]| -> Vec<String> {
        matches.iter().filter_map(|m| Some(m.entry.as_ref()?.entry_id.clone())).collect()
    };
    let entries: Vec<String> = said.matches.iter().map(|m| m.entry.to_string()).collect();
    assert_eq!(entries, ids(&decision.matches));
    assert_eq!(said.candidates.len(), decision.candidates.len());
    assert_eq!(said.question.correlation_id, decision.correlation_id);
    let time = decision.decide_time.expect("a time");
    assert_eq!(said.decide_time, Timestamp::new(time.seconds, time.nanos).expect("a time"));
}

async fn client(served: &Served) -> ClearanceServiceClient<tonic::transport::Channel> {
    ClearanceServiceClient::connect(served.url()).await.expect("it listens")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verdict_is_proven_alone_in_a_batch_and_in_a_stream() {
    let place = Place::with(&every_kind());
    let served = place.serve().await;
    let auditor = Auditor::of(&served).await;
    let mut client = client(&served).await;
    let mut script = Cases::new();
    let mut verdicts = BTreeSet::new();
    for question in questions() {
        let answer = client.check_clearance(question).await.expect("an answer").into_inner();
        let (decision, receipt) = (answer.decision.expect("one"), answer.receipt.expect("asked"));
        verdicts.insert(decision.verdict().as_str_name());
        is_of(&auditor.verified(&receipt), &decision);
        script.add(&plain(&receipt), &auditor.policy, &auditor.key, true);
    }
    assert_eq!(verdicts.len(), 5, "{verdicts:?}");

    // Some of a batch ask for a receipt, one is malformed.
    let mut items = questions();
    items[3].receipt = false;
    items[5].hs_code = "x".into();
    let request = v1::BatchCheckClearanceRequest { items };
    let results = client.batch_check_clearance(request).await.expect("answers").into_inner();
    let mut notes = BTreeSet::new();
    for (nth, result) in results.results.iter().enumerate() {
        use v1::batch_check_clearance_result::Result as Outcome;
        assert_eq!(result.receipt.is_some(), nth != 3 && nth != 5, "{nth}");
        let (Some(receipt), Some(Outcome::Decision(decision))) = (&result.receipt, &result.result)
        else {
            continue;
        };
        let verified = auditor.verified(receipt);
        assert_eq!(verified.checked.batch, Some(10));
        is_of(&verified, decision);
        notes.insert(receipt.decision_note.clone());
        script.add(&plain(receipt), &auditor.policy, &auditor.key, true);
    }
    assert_eq!(notes.len(), 1, "one signature for all lines");

    let items =
        questions().into_iter().map(|item| v1::StreamCheckClearanceRequest { item: Some(item) });
    let answers = client.stream_check_clearance(tokio_stream::iter(items)).await;
    let mut answers = answers.expect("a stream").into_inner();
    while let Some(answer) = answers.next().await {
        let answer = answer.expect("an answer");
        let receipt = answer.receipt.expect("asked for");
        let _holds = auditor.verified(&receipt);
        script.add(&plain(&receipt), &auditor.policy, &auditor.key, true);
    }
    script.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_revision_three_holds_when_the_register_is_at_three_hundred() {
    let place = Place::empty();
    for number in 1..=3 {
        let name = format!("第{number}版的材料");
        place.add(&files(&[row("A", &name), row("B", "四环素")]), |next| {
            next.effective = in_seconds(-86_400 * 3 + number);
        });
    }
    let served = place.serve().await;
    let auditor = Auditor::of(&served).await;
    let mut early = ask(CODE, "第3版的材料");
    let answer = client(&served).await.check_clearance(early.clone()).await.expect("an answer");
    let archived = answer.into_inner().receipt.expect("asked for");
    for number in 4..=300 {
        let name = format!("第{number}版的材料");
        place.add_to(&served.running, &files(&[row("A", &name), row("B", "四环素")]), |next| {
            next.effective = in_seconds(-3_600);
        });
    }
    let held = auditor.verified(&archived);
    assert_eq!((held.checked.text.source.revision, held.checked.size), (3, 3));
    let mut script = Cases::new();
    script.add(&plain(&archived), &auditor.policy, &auditor.key, true);

    // The same knowledge, asked for today: proven within the newest checkpoint.
    let auditor = Auditor::of(&served).await;
    early.known_at_revision = 3;
    let answer = client(&served).await.check_clearance(early.clone()).await.expect("an answer");
    let answer = answer.into_inner();
    assert_eq!(answer.decision.expect("one").verdict(), v1::Verdict::Listed);
    let again = answer.receipt.expect("asked for");
    let held = auditor.verified(&again);
    assert_eq!((held.checked.text.source.revision, held.checked.size), (3, 300));
    script.add(&plain(&again), &auditor.policy, &auditor.key, true);

    // Another day: what was in force then, with all that is known now.
    // Two days back: an hour ago may be yesterday.
    let day = clearlist::domain::shanghai::today(in_seconds(-2 * 86_400));
    early.known_at_revision = 0;
    early.declaration_date = Some(Date {
        year: i32::from(day.year()),
        month: i32::from(day.month()),
        day: i32::from(day.day()),
    });
    let answer = client(&served).await.check_clearance(early).await.expect("an answer");
    let answer = answer.into_inner();
    assert_eq!(answer.decision.expect("one").verdict(), v1::Verdict::Listed);
    let then = answer.receipt.expect("asked for");
    let held = auditor.verified(&then);
    assert_eq!((held.checked.text.source.revision, held.checked.text.source.known), (3, 300));
    assert!(held.checked.at < now());
    script.add(&plain(&then), &auditor.policy, &auditor.key, true);
    script.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_signs_from_then_on_and_the_old_one_stays_listed() {
    let place = Place::with(&every_kind());
    let served = place.serve().await;
    let before = Auditor::of(&served).await;
    let mut client = client(&served).await;
    let ask = ask(CODE, "四环素");
    let old = client.check_clearance(ask.clone()).await.expect("an answer").into_inner().receipt;
    let old = old.expect("asked for");
    crate::command_line::clearlist(&["key", "rotate", "--register"], &[&place.register()]);
    let after = loop {
        let found = Auditor::of(&served).await;
        if found.key != before.key {
            break found;
        }
    };
    let new = client.check_clearance(ask).await.expect("an answer").into_inner().receipt;
    let _new_key = after.verified(&new.expect("asked for"));
    let _old_key = before.verified(&old);
    let mut reader = RegisterServiceClient::connect(served.url()).await.expect("it listens");
    let listed = reader.get_register(v1::GetRegisterRequest {}).await.expect("a register");
    let keys = listed.into_inner().service_keys;
    let vkeys: Vec<&str> = keys.iter().map(|key| key.vkey.as_str()).collect();
    assert_eq!(vkeys, [after.key.as_str(), before.key.as_str()]);
    assert!(keys[0].retire_time.is_none() && keys[1].retire_time.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_nothing_in_force_is_no_receipt() {
    let place = Place::empty();
    let served = place.serve().await;
    let refused = client(&served).await.check_clearance(ask(CODE, "四环素")).await;
    let reason = refused.expect_err("no list").get_error_details();
    assert_eq!(reason.error_info().expect("info").reason, "NO_LIST_YET");
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_are_too_large_together_are_refused_and_the_next_batch_is_answered() {
    // Every receipt shows every row of the name.
    let coded =
        |n: usize| row(&format!("E{n:04}"), "四环素").with("hs_code", &format!("29413{n:05}"));
    let place = Place::with(&files(&(0..600).map(coded).collect::<Vec<_>>()));
    let served = place.serve().await;
    let mut client = client(&served).await.max_decoding_message_size(usize::MAX);
    let many =
        v1::BatchCheckClearanceRequest { items: vec![ask("2941300001", "四环素"); 1_000] };
    let refused = client.batch_check_clearance(many).await.expect_err("too large");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().expect("info").reason, "RECEIPTS_TOO_LARGE");
    let few = v1::BatchCheckClearanceRequest { items: vec![ask("2941300001", "四环素"); 3] };
    let answered = client.batch_check_clearance(few).await.expect("an answer").into_inner();
    assert!(answered.results.iter().all(|result| result.receipt.is_some()));
}
