//! A service that lies, with its own key and everything it is given: nobody is convinced.

use std::sync::Arc;

use clearlist::domain::clearance::Verdict;
use clearlist::domain::message::Refusal;
use clearlist::domain::question::RawQuestion;
use clearlist::domain::shanghai;
use clearlist::formats::list_csv::ListFiles;
use clearlist::register::evidence::Evidence;
use clearlist::register::note::{Note, NoteSigner};
use clearlist::register::receipt::{Receipt, sign, sign_batch};
use clearlist::register::statement::Statement;
use clearlist::register::tlog_proof::TlogProof;
use clearlist::service::intake::{Submission, accept};
use clearlist::service::snapshot::{SignedList, Snapshot};
use jiff::Timestamp;

use crate::made::Service;
use crate::script::Cases;
use crate::support::ceremony::{Place, in_seconds, now, propose, suspension};
use crate::support::{CODE, OTHER, OWNER, files, full, read, row};

/// The reason a receipt is refused with, here and by the script.
#[track_caller]
fn refused(service: &Service, receipt: &Receipt) -> &'static str {
    let reason = service.verified(receipt).expect_err("a lie").reason();
    let published = service.published();
    let policy = published.register.policy().text();
    let mut script = Cases::new();
    script.add(receipt, policy, &service.key.verifier().to_string(), false);
    script.check();
    reason
}

/// The receipt holds, here and for the script.
#[track_caller]
fn holds(service: &Service, receipt: &Receipt) {
    if let Err(error) = service.verified(receipt) {
        panic!("{}", error.english());
    }
    let published = service.published();
    let policy = published.register.policy().text();
    let mut script = Cases::new();
    script.add(receipt, policy, &service.key.verifier().to_string(), true);
    script.check();
}

/// A snapshot that claims to be the one in force, over another list.
fn forged(service: &Service, files: &ListFiles, now: Timestamp) -> Snapshot {
    let real = service.snapshot(now);
    let list = Arc::new(read(files).expect("a list"));
    let number = real.signed.as_ref().expect("a signed list").number;
    Snapshot {
        signed: Some(Arc::new(SignedList::new(number, Arc::clone(&list)))),
        list,
        revision: real.revision.clone(),
        suspensions: real.suspensions,
    }
}

/// The receipt with another decision, signed by the service all the same.
fn saying(key: &NoteSigner, receipt: &Receipt, from: &str, to: &str) -> Receipt {
    let note = Note::parse(receipt.decision_note.as_bytes()).expect("a note");
    assert!(note.text().contains(from), "{}", note.text());
    let mut other = Note::unsigned(note.text().replace(from, to)).expect("a text");
    let signature = key.sign(other.text(), now());
    other.add(signature);
    Receipt { decision_note: other.to_string(), ..receipt.clone() }
}

/// The same, on one line alone.
fn saying_on(key: &NoteSigner, receipt: &Receipt, line: &str, from: &str, to: &str) -> Receipt {
    let note = Note::parse(receipt.decision_note.as_bytes()).expect("a note");
    let said = note.text().lines().find(|said| said.starts_with(&format!("{line} ")));
    let said = said.expect("the line");
    assert!(said.contains(from), "{said}");
    saying(key, receipt, said, &said.replace(from, to))
}

/// The receipt with other evidence.
fn showing(receipt: &Receipt, change: impl FnOnce(&mut Evidence)) -> Receipt {
    let mut proof = TlogProof::parse(&receipt.list_proof).expect("a proof");
    let mut evidence = Evidence::parse(&proof.extra).expect("evidence");
    change(&mut evidence);
    proof.extra = evidence.to_bytes();
    Receipt { list_proof: proof.to_string(), ..receipt.clone() }
}

#[test]
fn a_row_that_nobody_signed_is_not_listed_whatever_the_service_signs() {
    let service = Service::over(&files(&[row("A", "四环素"), row("B", "土霉素")]));
    let now = now();
    let more = files(&[row("A", "四环素"), row("B", "土霉素"), row("C", "非法物品")]);
    let forged = forged(&service, &more, now);
    let (unsigned, verdict) = service.decided_from(&forged, &full("非法物品"), now);
    assert_eq!(verdict, Verdict::Listed);
    let lie = sign(&service.key, unsigned, now);
    assert_eq!(refused(&service, &lie), "RECORD_NOT_IN_LIST");
}

#[test]
fn a_row_is_signed_as_it_stands_and_not_with_another_limit() {
    let limited = |limit| row("A", "四环素").with("quantity", limit).with("unit", "g");
    let service = Service::over(&files(&[limited("10")]));
    let asked = RawQuestion { quantity: Some(("15", "g")), ..full("四环素") };
    let now = now();
    let (honest, verdict) = service.receipt(&asked, now);
    assert_eq!(verdict, Verdict::NotCovered);
    assert!(service.verified(&honest).is_ok());
    let forged = forged(&service, &files(&[limited("20")]), now);
    let (unsigned, verdict) = service.decided_from(&forged, &asked, now);
    assert_eq!(verdict, Verdict::Listed);
    assert_eq!(refused(&service, &sign(&service.key, unsigned, now)), "RECORD_NOT_IN_LIST");
}

#[test]
fn another_verdict_over_the_same_rows_does_not_follow_from_them() {
    let service = Service::over(&files(&[row("A", "四环素").with("state", "withdrawn")]));
    let (honest, verdict) = service.receipt(&full("四环素"), now());
    assert_eq!(verdict, Verdict::NotCovered);
    let lie = saying(&service.key, &honest, "NOT_COVERED", "LISTED");
    assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE");
}

#[test]
fn each_row_answers_what_follows_and_nothing_else() {
    let rows = [
        row("A", "四环素").with("specification", "98%"),
        row("B", "四环素").with("state", "withdrawn").with("uscc", OTHER),
    ];
    let service = Service::over(&files(&rows));
    let asked = RawQuestion { specification: "98%", ..full("四环素") };
    let (honest, verdict) = service.receipt(&asked, now());
    assert_eq!(verdict, Verdict::Listed);
    holds(&service, &honest);
    for (line, from, to) in [
        // Of the row that does not decide.
        ("matches", "NOT_COVERED", "LISTED"),
        // Of the row whose text only the service can compare: it bears the name, whatever it says.
        ("matches", "\"LISTED\"", "\"NOT_LISTED\""),
        ("verdict", "LISTED", "NOT_LISTED"),
        ("verdict", "LISTED", "NOT_COVERED"),
    ] {
        let lie = saying_on(&service.key, &honest, line, from, to);
        assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE", "{from} on {line}");
    }
}

#[test]
fn candidates_are_named_if_they_are_the_answer_and_only_then() {
    let service = Service::over(&files(&[row("A", "四环素"), row("B", "土霉素")]));
    let (honest, verdict) = service.receipt(&full("四环寨"), now());
    assert_eq!(verdict, Verdict::Candidate);
    let lie = saying_on(&service.key, &honest, "candidates", "\"A\"", "");
    assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE");
    let (honest, verdict) = service.receipt(&full("四环素"), now());
    assert_eq!(verdict, Verdict::Listed);
    let lie = saying_on(&service.key, &honest, "candidates", "[]", "[\"A\"]");
    assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE");
}

#[test]
fn what_was_compared_is_what_was_asked() {
    let limited = row("A", "四环素").with("quantity", "10").with("unit", "g");
    let service = Service::over(&files(&[limited]));
    let asked =
        RawQuestion { quantity: Some(("5", "g")), specification: "98%", ..full("四环素") };
    let (honest, verdict) = service.receipt(&asked, now());
    assert_eq!(verdict, Verdict::Listed);
    holds(&service, &honest);
    for (from, to) in [
        (CODE, "2941301200"),
        (OWNER, OTHER),
        ("research", "sale"),
        ("\"5\"", "\"15\""),
        ("{\"end", "{\"cas_number\":\"60-54-8\",\"end"),
        (",\"specification\":\"98%\"", ""),
    ] {
        let lie = saying_on(&service.key, &honest, "question", from, to);
        assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE", "{from}");
    }
    // A code in another spelling would match nothing.
    for (from, to) in [(OWNER, OWNER.to_lowercase()), (CODE, format!("{CODE} "))] {
        let lie = saying_on(&service.key, &honest, "compared", from, &to);
        assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE", "{from}");
    }
    let lie = saying_on(&service.key, &honest, "question", "\"5\"", "\"5 g\"");
    assert_eq!(refused(&service, &lie), "QUESTION_FORM");
}

#[test]
fn another_day_than_the_one_that_was_asked_about_is_not_decided() {
    let service = Service::over(&files(&[row("A", "四环素")]));
    let now = now();
    let (honest, _) = service.receipt(&full("四环素"), now);
    let today = shanghai::today(now);
    let plain = today.strftime("%Y%m%d").to_string();
    let today = today.to_string();
    let lie = saying_on(&service.key, &honest, "declaration_date", &today, &plain);
    assert_eq!(refused(&service, &lie), "DECISION_FORM");
    let tomorrow = shanghai::today(now).tomorrow().expect("a day").to_string();
    let lie = saying_on(&service.key, &honest, "declaration_date", &today, &tomorrow);
    assert!(["NOT_IN_FORCE", "DECIDES_OTHERWISE"].contains(&refused(&service, &lie)));
    let lie =
        saying_on(&service.key, &honest, "question", "{", "{\"declaration_date\":\"2026-01-01\",");
    assert_eq!(refused(&service, &lie), "DECIDES_OTHERWISE");
}

#[test]
fn a_batch_has_its_size_in_one_spelling() {
    let service = Service::over(&files(&[row("A", "四环素")]));
    let lines = vec![service.decided(&full("四环素"), now()).0; 2];
    let published = service.published();
    let batch = sign_batch(&service.key, published.register.origin(), lines, now());
    let honest = batch.last().expect("a receipt");
    holds(&service, honest);
    for other in ["02", "+2", "２"] {
        let lie = saying_on(&service.key, honest, "lines", "2", other);
        assert_eq!(refused(&service, &lie), "DECISION_FORM", "{other}");
    }
}

#[test]
fn a_row_of_another_name_proves_nothing_about_this_one() {
    let service = Service::over(&files(&[row("A", "四环素"), row("B", "土霉素")]));
    let now = now();
    let (listed, _) = service.receipt(&full("四环素"), now);
    // The proof of one material under the question about another.
    let lie = saying(&service.key, &listed, "四环素", "非法物品");
    // Whether its place happens to be shown or not, nobody of that name stands there.
    assert!(["NAMES_NOT_ALL_SHOWN", "DECIDES_OTHERWISE"].contains(&refused(&service, &lie)));
}

#[test]
fn a_listed_material_cannot_be_denied() {
    let service = Service::over(&files(&[row("A", "四环素"), row("B", "土霉素")]));
    let now = now();
    let forged = forged(&service, &files(&[row("B", "土霉素")]), now);
    let (unsigned, verdict) = service.decided_from(&forged, &full("四环素"), now);
    assert!(verdict >= Verdict::Candidate);
    let denied = sign(&service.key, unsigned, now);
    assert!(["RECORD_NOT_IN_LIST", "NAMES_NOT_IN_LIST"].contains(&refused(&service, &denied)));

    // With the true tree, the neighbours leave out the row between them.
    let (listed, _) = service.receipt(&full("四环素"), now);
    let hidden = showing(&listed, |evidence| {
        let name = evidence.names.first_mut().expect("the name");
        name.leaves.pop();
    });
    assert_eq!(refused(&service, &hidden), "NAMES_NOT_IN_LIST");
    let elsewhere = service.receipt(&full("完全不同的物品"), now).0;
    let names = TlogProof::parse(&elsewhere.list_proof).expect("a proof");
    let names = Evidence::parse(&names.extra).expect("evidence").names;
    let moved = showing(&listed, |evidence| evidence.names = names);
    assert!(["NAMES_NOT_ALL_SHOWN", "DECIDES_OTHERWISE"].contains(&refused(&service, &moved)));
}

#[test]
fn a_row_that_bears_the_name_cannot_be_left_out() {
    let rows = [row("A", "四环素").with("state", "withdrawn"), row("B", "土霉素")];
    let service = Service::over(&files(&rows));
    let (honest, _) = service.receipt(&full("四环素"), now());
    let hidden = showing(&honest, |evidence| evidence.records.clear());
    let reason = service.verified(&hidden).expect_err("a lie").reason();
    assert!(["RECORD_MISSING", "RECORD_FORM"].contains(&reason), "{reason}");
}

/// A register whose row was suspended after its revision.
fn suspended() -> Service {
    // The rows stand in another order than their ids.
    let place = Place::with(&files(&[row("B", "土霉素"), row("A", "四环素")]));
    let running = place.open();
    let register = running.published().register.clone();
    let statement: Statement = suspension(&register, &["A"]);
    let proposal = propose(&register, &statement, None, &place.keys.quorum());
    let submission = Submission {
        statement: proposal.statement.into(),
        checkpoint: proposal.checkpoint.into(),
        list: None,
    };
    accept(&running, submission, now()).expect("a suspension");
    drop(running);
    Service::at(place)
}

#[test]
fn a_suspension_is_proven_and_cannot_be_hidden() {
    let service = suspended();
    let now = now();
    let (honest, verdict) = service.receipt(&full("四环素"), now);
    assert_eq!(verdict, Verdict::NotCovered);
    let verified = service.verified(&honest).expect("it holds");
    assert_eq!(verified.checked.shown.suspensions.len(), 1);
    holds(&service, &honest);

    let hidden = showing(&honest, |evidence| evidence.later = None);
    assert_eq!(refused(&service, &hidden), "LATER_STATEMENTS_NOT_SHOWN");
    let lie = saying(&service.key, &hidden, "\nknown 2\n", "\nknown 1\n");
    assert_eq!(refused(&service, &lie), "LATER_STATEMENTS_NOT_SHOWN");
}

#[test]
fn a_suspended_candidate_is_shown_as_it_was_signed() {
    let service = suspended();
    let now = now();
    let (receipt, verdict) = service.receipt(&full("四环寨"), now);
    assert_eq!(verdict, Verdict::Candidate);
    let verified = service.verified(&receipt).expect("it holds");
    assert_eq!(verified.checked.text.candidates, ["A"]);
    assert!(verified.checked.records.iter().any(|record| record.contains("四环素")));
}

#[test]
fn a_revision_that_was_replaced_is_not_in_force() {
    let place = Place::with(&files(&[row("A", "四环素")]));
    let first = Service::at(place);
    let now = now();
    let old = first.snapshot(now);
    let Service { place, running, .. } = first;
    drop(running);
    place.add(&files(&[row("B", "土霉素")]), |_| ());
    let service = Service::at(place);
    let (unsigned, verdict) = service.decided_from(&old, &full("四环素"), now);
    assert_eq!(verdict, Verdict::Listed);
    assert_eq!(refused(&service, &sign(&service.key, unsigned, now)), "NOT_IN_FORCE");
}

#[test]
fn a_revision_that_is_not_in_force_yet_proves_nothing_today() {
    let place = Place::with(&files(&[row("B", "土霉素")]));
    place.add(&files(&[row("A", "四环素"), row("B", "土霉素")]), |next| {
        next.effective = in_seconds(3_600);
        next.expires = in_seconds(7_200);
    });
    let service = Service::at(place);
    let later = in_seconds(3_700);
    let future = service.snapshot(later);
    let (unsigned, verdict) = service.decided_from(&future, &full("四环素"), now());
    assert_eq!(verdict, Verdict::Listed);
    assert_eq!(refused(&service, &sign(&service.key, unsigned, now())), "NOT_IN_FORCE");
}

#[test]
fn somebody_elses_signature_is_not_the_services() {
    let service = Service::over(&files(&[row("A", "四环素")]));
    let (honest, _) = service.receipt(&full("四环素"), now());
    // The log key is the drafter's, an agency's key signs checkpoints: neither signs decisions.
    let forged = saying(&service.place.keys.log, &honest, "LISTED", "LISTED");
    assert_eq!(refused(&service, &forged), "SERVICE_SIGNATURE");
}
