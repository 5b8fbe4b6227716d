//! From one register to the next: a whole ceremony, and one test for each way to cheat. The
//! register of these tests belongs to three agencies, of which two decide.

use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::history::Register;
use clearlist::register::merkle::{is_consistent, is_included, leaf_hash};
use clearlist::register::note::NoteSigner;
use clearlist::register::record::ListHeads;
use clearlist::register::statement::{RevisionStatement, Statement};
use clearlist::register::step::ProposedList;

use crate::ceremony::{
    COMMERCE, CUSTOMS, DRUGS, Draft, HEADS, HEALTH, LIST, LOG, ORIGIN, Outcome, SCIENCE, accepted,
    empty_register, now, policy_change, policy_of, propose_bytes, reasons, refused, refused_bytes,
    revision, seconds_from_now, suspension,
};
use crate::support::{OWNER, list};

#[path = "step/lists.rs"]
mod lists;
#[path = "step/place.rs"]
mod place;
#[path = "step/policies.rs"]
mod policies;
#[path = "step/signatures.rs"]
mod signatures;

/// The log and two of three agencies.
fn two() -> [&'static NoteSigner; 3] {
    [&LOG, &DRUGS, &CUSTOMS]
}

/// Everybody a policy of these tests knows.
fn everybody() -> [&'static NoteSigner; 6] {
    [&LOG, &DRUGS, &CUSTOMS, &COMMERCE, &HEALTH, &SCIENCE]
}

fn heads() -> ProposedList<'static> {
    ProposedList::Heads(&HEADS)
}

fn newest() -> ProposedList<'static> {
    ProposedList::Newest(Some(&LIST))
}

const NO_LIST: ProposedList<'static> = ProposedList::Newest(None);

fn first() -> Draft {
    Draft::of(&empty_register(), &Statement::Revision(revision(1))).signed(&two())
}

/// A register with one revision.
fn with_one() -> Register {
    accepted(&empty_register(), &first(), heads())
}

/// A register with two.
fn with_two() -> Register {
    let register = with_one();
    let second = Draft::of(&register, &Statement::Revision(revision(2))).signed(&two());
    accepted(&register, &second, heads())
}

/// The first revision with something changed, signed by everybody.
fn changed(change: impl FnOnce(&mut RevisionStatement)) -> Draft {
    let mut statement = revision(1);
    change(&mut statement);
    Draft::of(&empty_register(), &Statement::Revision(statement)).signed(&everybody())
}

#[test]
fn a_list_a_change_of_policy_and_a_suspension_are_taken_one_after_another() {
    let empty = empty_register();
    assert_eq!((empty.size(), empty.origin()), (0, ORIGIN));

    let one = with_one();
    assert_eq!(one.size(), 1);
    let standing = one.statement(1).expect("the first");
    assert_eq!(standing.statement, Statement::Revision(revision(1)));
    assert_eq!(standing.accept_time, now());
    assert_eq!(standing.cosigned, [("drugs".into(), now()), ("customs".into(), now())]);
    assert_eq!(one.head(), first().checkpoint.head());

    let wider = policy_of(&LOG, "3", &[&DRUGS, &CUSTOMS, &COMMERCE, &HEALTH]);
    let change = Draft::of(&one, &policy_change(2, wider.clone()))
        .signed(&[&LOG, &DRUGS, &CUSTOMS, &HEALTH]);
    let two_statements = accepted(&one, &change, NO_LIST);
    assert_eq!(two_statements.policy().text(), wider);
    assert_ne!(one.policy().text(), wider, "the register before stays what it was");

    let stop = Draft::of(&two_statements, &suspension(3, &["E2"], &[OWNER]))
        .signed(&[&LOG, &COMMERCE, &HEALTH, &DRUGS]);
    let three = accepted(&two_statements, &stop, newest());

    let last = Draft::of(&three, &Statement::Revision(revision(4)))
        .signed(&[&LOG, &COMMERCE, &HEALTH, &CUSTOMS]);
    let four = accepted(&three, &last, heads());
    let types: Vec<&str> =
        four.statements().iter().map(|accepted| accepted.statement.type_name()).collect();
    assert_eq!(
        types,
        [
            "clearlist/revision/v1",
            "clearlist/policy/v1",
            "clearlist/suspension/v1",
            "clearlist/revision/v1"
        ]
    );
    assert_eq!(four.revisions().map(|r| r.number).collect::<Vec<_>>(), [1, 4]);

    // Each head holds each statement and begins with each head before it.
    let head = four.head();
    for number in 1..=4 {
        let bytes = four.statement(number).expect("it stands").statement.to_bytes();
        let proof = four.tree().inclusion(number - 1, 4).expect("a proof");
        assert!(is_included(&leaf_hash(&bytes), number - 1, 4, &proof, &head.root), "{number}");
        let before = four.tree().root_at(number).expect("it had that size");
        let proof = four.tree().consistency(number, 4).expect("a proof");
        assert!(is_consistent((number, &before), (4, &head.root), &proof), "{number}");
    }
    let before = [&one, &two_statements, &three].map(Register::head);
    for head in before {
        assert_eq!(four.tree().root_at(head.size), Some(head.root));
    }
    assert!(four.statement(0).is_none() && four.statement(5).is_none());
}

#[test]
fn a_statement_of_one_type_cannot_be_passed_as_another() {
    let register = with_one();
    let types = ["revision", "policy", "suspension"];
    let statements = [
        Statement::Revision(revision(2)),
        policy_change(2, crate::ceremony::first_policy()),
        suspension(2, &["E1"], &[]),
    ];
    for (own, statement) in types.iter().zip(&statements) {
        for other in types.iter().filter(|other| *other != own) {
            let text = String::from_utf8(statement.to_bytes()).expect("UTF-8");
            let from = format!("clearlist/{own}/v1");
            let bytes = text.replace(&from, &format!("clearlist/{other}/v1")).into_bytes();
            let head = clearlist::register::step::next_head(&register, leaf_hash(&bytes));
            let draft = Draft::with(bytes, ORIGIN, head).signed(&everybody());
            assert_eq!(reasons(&refused(&register, &draft, newest())), ["STATEMENT_FIELD"]);
        }
    }
}

#[test]
fn bytes_that_are_neither_statement_nor_checkpoint_are_refused_for_both() {
    let given = refused_bytes(&empty_register(), b"{", b"{", heads());
    assert_eq!(reasons(&given), ["STATEMENT_JSON", "CHECKPOINT_FORM"]);
    let swapped =
        refused_bytes(&empty_register(), first().note().as_bytes(), &first().statement, heads());
    assert_eq!(reasons(&swapped), ["STATEMENT_JSON", "CHECKPOINT_FORM"]);
}

#[test]
fn all_reasons_are_given_at_once() {
    let mut statement = revision(7);
    statement.origin = "other.example/list".into();
    statement.effective = seconds_from_now(-10);
    statement.expires = seconds_from_now(-20);
    let draft = Draft::of(&empty_register(), &Statement::Revision(statement)).signed(&[&LOG]);
    let expected = [
        "ORIGIN_DIFFERS",
        "REGISTER_MOVED",
        "EXPIRES_BEFORE_EFFECTIVE",
        "PROPOSAL_EXPIRED",
        "QUORUM_NOT_MET",
    ];
    assert_eq!(reasons(&refused(&empty_register(), &draft, heads())), expected);
    let other = ListHeads::of(&list(&[]));
    let draft = changed(|statement| statement.normal_form_version = 9);
    let given = refused(&empty_register(), &draft, ProposedList::Heads(&other));
    assert_eq!(reasons(&given), ["NORMAL_FORM_VERSION", "LIST_EMPTY", "LIST_ROOT_DIFFERS"]);
}

#[test]
fn a_history_replayed_from_its_bytes_is_the_same() {
    let live = with_two();
    let drafts =
        [first(), Draft::of(&with_one(), &Statement::Revision(revision(2))).signed(&two())];
    let stored: Vec<(Vec<u8>, String)> =
        drafts.iter().map(|draft| (draft.statement.clone(), draft.note())).collect();
    let mut replayed = empty_register();
    for (statement, note) in &stored {
        let checkpoint = Checkpoint::parse(note.as_bytes()).expect("it was stored");
        assert_eq!(checkpoint.note().to_string(), *note);
        replayed = match propose_bytes(&replayed, statement, note.as_bytes(), heads()) {
            Ok(Outcome::Accepted(next)) => next,
            other => panic!("not accepted: {other:?}"),
        };
    }
    assert_eq!(format!("{replayed:?}"), format!("{live:?}"));
}
