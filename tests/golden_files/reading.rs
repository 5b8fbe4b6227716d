//! A golden file of each format is read as what was said, and written again to the byte.

use std::fs;
use std::process::Command;

use clearlist::domain::clearance::Verdict;
use clearlist::domain::list_diff::RowKind;
use clearlist::formats::key_file::KeyFile;
use clearlist::formats::list_records::{Delta, apply, delta};
use clearlist::formats::proposal::{ProposalFile, check};
use clearlist::formats::receipt as receipt_file;
use clearlist::formats::stored::Stored;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::note::{Role, VerifierKey, cosigned_message};
use clearlist::register::policy::Policy;
use clearlist::register::receipt::Receipt;
use clearlist::register::record::{ListHeads, records};
use clearlist::register::statement::{Statement, to_hex};
use clearlist::register::tlog_proof::TlogProof;
use jiff::Timestamp;

use super::files::{bytes, file_name, files_below, golden, list, text};
use super::register::{Keys, ORIGIN, PASSPHRASE, at, service_key, signer, steps};

#[test]
fn a_receipt_is_read_and_holds_under_the_policy_of_its_checkpoint() {
    let policy = Policy::parse(&text("policy-2.txt")).expect("a policy");
    let alone =
        Receipt { decision_note: text("decision-note.txt"), list_proof: text("list-proof.txt") };
    let in_batch = receipt_file::read(&bytes("batch-receipt.json")).expect("a receipt");
    assert_eq!(in_batch.decision_note, text("batch-note.txt"));
    for (receipt, verdict, batch) in
        [(&alone, Verdict::NotCovered, None), (&in_batch, Verdict::NotListed, Some(2))]
    {
        let name = verdict.name();
        let verified = receipt_file::verify(receipt, &policy, service_key().verifier());
        let checked = verified.expect(name).checked;
        assert_eq!((checked.text.verdict, checked.batch), (verdict, batch), "{name}");
        assert_eq!((checked.size, checked.shown.number), (4, 3), "{name}");
        assert_eq!(checked.shown.suspensions.len(), 1, "{name}");
    }
    let proof = TlogProof::parse(&alone.list_proof).expect("a proof");
    assert_eq!(proof.extra, bytes("evidence.json"));
    assert_eq!(proof.checkpoint, text("checkpoint-4.txt"));
}

#[test]
fn a_decision_log_of_each_format_is_exported_as_what_was_answered() {
    for format in ["decisions-2", "decisions-3"] {
        let log = tempfile::tempdir().expect("a directory");
        for (name, bytes) in files_below(&golden().join(format)) {
            fs::write(log.path().join(name), bytes).expect("it can be written");
        }
        let mut export = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        export.args(["decisions", "export", "--decisions"]).arg(log.path());
        let exported = export.output().expect("it runs");
        assert!(exported.status.success(), "{format}: {exported:?}");
        let lines = String::from_utf8(exported.stdout).expect("text");
        assert_eq!(lines, text(&format!("{format}.jsonl")), "{format}");
    }
}

#[test]
fn a_record_is_read_as_its_row_and_gives_its_bytes_again() {
    let keys =
        ["91110108551385082Q", "91110108EXAMPLE11C", "D-1", "E-1", "E-2", "directory", "rows"];
    let stored: Vec<Vec<u8>> =
        keys.iter().map(|key| bytes(&format!("record-{key}.json"))).collect();
    let first = apply(None, &Delta { removed: Vec::new(), records: stored.clone() });
    let again: Vec<Vec<u8>> =
        records(&first.expect("the records make a list")).into_iter().map(|r| r.bytes).collect();
    assert_eq!(again, stored);
    let from_files: Vec<Vec<u8>> = records(&list("list-1")).into_iter().map(|r| r.bytes).collect();
    assert_eq!(from_files, stored);
}

#[test]
fn the_roots_of_a_small_list_are_these() {
    let heads = ListHeads::of(&list("list-1"));
    assert_eq!((heads.list.size, heads.names.size), (7, 6));
    assert!(text("list-tree.txt").ends_with(&format!("{} root\n", to_hex(&heads.list.root))));
    assert!(text("name-tree.txt").ends_with(&format!("{} root\n", to_hex(&heads.names.root))));
    assert_eq!(
        to_hex(&heads.list.root),
        "0a983cc202673790f9efa0388744dda4ac49cb7f63f500d3fc56df73e9e47c82"
    );
    assert_eq!(
        to_hex(&heads.names.root),
        "1ede1381f2f0902ad0b5f88f43a63a045f05859a495eab2cd3c684c08613bd86"
    );
}

#[test]
fn a_statement_of_each_type_is_read_as_what_was_said() {
    for step in steps(&Keys::new()) {
        let name = file_name("statement", step.statement.number(), "json");
        let read = Statement::parse(&bytes(&name)).expect(&name);
        assert_eq!(read, step.statement, "{name}");
        assert_eq!(read.to_bytes(), bytes(&name), "{name}");
    }
}

#[test]
fn a_policy_is_read_and_every_checkpoint_satisfies_it() {
    let keys = Keys::new();
    let [first, second] =
        ["policy-1.txt", "policy-2.txt"].map(|name| Policy::parse(&text(name)).expect("a policy"));
    assert_eq!((first.origin(), first.log()), (ORIGIN, keys.log.verifier()));
    let names: Vec<&str> = second.agencies().map(|(name, _)| name).collect();
    assert_eq!(names, ["customs", "drugs", "health"]);
    for step in steps(&keys) {
        let number = step.statement.number();
        let name = file_name("checkpoint", number, "txt");
        let checkpoint = Checkpoint::parse(&bytes(&name)).expect(&name);
        assert_eq!((checkpoint.origin(), checkpoint.head().size), (ORIGIN, number));
        assert_eq!(checkpoint.note().to_string(), text(&name));
        // A policy change is signed as both policies want.
        let held: &[&Policy] = match number {
            1 => &[&first],
            2 => &[&first, &second],
            _ => &[&second],
        };
        let expected: Vec<(String, Timestamp)> =
            step.cosigned.iter().map(|(name, time)| ((*name).into(), at(time))).collect();
        for policy in held {
            assert_eq!(policy.quorum(&checkpoint).expect("enough signed").cosigned(), expected);
        }
        // The message that was signed is the one in the file.
        let message = bytes(&file_name("cosigned", number, "txt"));
        let (agency, time) = step.cosigned[0];
        assert_eq!(message, cosigned_message(checkpoint.note().text(), at(time)));
        let line = keys.agency(agency).sign(checkpoint.note().text(), at(time));
        assert!(checkpoint.note().signatures().contains(&line), "signatures are deterministic");
    }
}

#[test]
fn the_keys_are_those_of_their_seeds() {
    let [log, agency, service] = [Role::Note, Role::Cosigner, Role::Note];
    let roles = [log, agency, agency, agency, agency, service];
    let text = text("keys.txt");
    assert_eq!(text.lines().count(), roles.len());
    for (seed, (line, role)) in (1_u8..).zip(text.lines().zip(roles)) {
        let (hex, vkey) = line.split_once(' ').expect("a seed and a key");
        assert_eq!(hex, to_hex(&[seed; 32]));
        let read = VerifierKey::parse(vkey).expect("a verifier key");
        assert_eq!(&read, signer(read.name(), role, seed).verifier());
        assert_eq!(read.to_string(), vkey);
    }
}

#[test]
fn key_files_plain_and_sealed_open_as_one_key() {
    let keys = Keys::new();
    for (name, passphrase) in [("plain.key", None), ("sealed.key", Some(PASSPHRASE))] {
        let file = KeyFile::parse(&bytes(name)).expect(name);
        assert_eq!(file.is_sealed(), passphrase.is_some());
        let opened = file.open(None, None, passphrase).expect(name);
        assert_eq!(opened.verifier(), keys.agency("customs").verifier());
        assert_eq!(opened.key().as_bytes(), &[2; 32]);
    }
}

#[test]
fn a_proposal_file_is_read_checked_and_written_again() {
    let proposal = ProposalFile::parse(&bytes("proposal.json")).expect("a proposal");
    assert_eq!(proposal.to_json().expect("it can be written"), text("proposal.json"));
    assert_eq!(proposal.statement, text("statement-4.json"));
    assert_eq!(proposal.checkpoint, text("checkpoint-4.txt"));
    assert_eq!(proposal.base.checkpoint, text("checkpoint-3.txt"));
    let newest = proposal.base.newest.as_ref().expect("a revision before it");
    assert_eq!((newest.number, newest.statement.as_str()), (1, text("statement-1.json").as_str()));
    let checked = check(&proposal, at("2026-03-30T04:00:00Z")).expect("nothing is wrong");
    assert!(checked.quorum().is_ok());
    let told = delta(
        &records(checked.base_list().expect("a list")),
        records(checked.list().expect("a list")),
    );
    assert_eq!(told.removed, [(RowKind::Entry, "E-2".into())]);
    assert_eq!(told.records.len(), 2);
}

#[test]
fn a_stored_statement_is_read_and_written_again() {
    let stored = Stored::parse(&bytes("stored-4.txt")).expect("a stored statement");
    assert_eq!(stored.to_bytes(), bytes("stored-4.txt"));
    assert_eq!(stored.statement, bytes("statement-4.json"));
    assert_eq!(stored.checkpoint, bytes("checkpoint-4.txt"));
    assert_eq!(stored.accept_time, at("2026-03-30T04:00:00Z"));
    assert_eq!(stored.delta.removed, [(RowKind::Entry, "E-2".into())]);
    let ids: Vec<bool> =
        stored.delta.records.iter().map(|r| r.starts_with(b"{\"entry\":{")).collect();
    assert_eq!(ids, [true, true]);
}
