//! The place of a statement: its number, the size and root of its checkpoint, its register, its
//! times; and what stands already.

use clearlist::register::merkle::leaf_hash;
use clearlist::register::record::TreeHead;
use clearlist::register::statement::Statement;
use clearlist::register::step::{Examined, Proposal, Refused, examine, step};

use super::{changed, everybody, first, heads, two, with_one, with_two};
use crate::ceremony::{
    Draft, ORIGIN, Outcome, accepted, empty_register, instant, now, propose_bytes, reasons,
    refused, refused_bytes, revision, seconds_from_now,
};

#[test]
fn a_number_that_is_taken_is_refused() {
    let register = with_two();
    let mut other = revision(1);
    other.document = "另一份".into();
    let draft = Draft::of(&empty_register(), &Statement::Revision(other)).signed(&two());
    assert_eq!(refused(&register, &draft, heads()), [Refused::Moved { size: 2, given: 1 }]);
}

#[test]
fn a_number_that_is_left_out_is_refused() {
    let register = with_two();
    for number in [0, 4, 5, (1 << 53) - 1] {
        let draft = Draft::of(&register, &Statement::Revision(revision(number))).signed(&two());
        let expected = [Refused::Moved { size: 2, given: number }];
        assert_eq!(refused(&register, &draft, heads()), expected);
    }
}

#[test]
fn a_checkpoint_of_another_size_is_refused() {
    let register = with_two();
    let good = Draft::of(&register, &Statement::Revision(revision(3)));
    let root = good.checkpoint.head().root;
    for size in [0, 1, 2, 4, u64::MAX] {
        let head = TreeHead { size, root };
        let draft = Draft::with(good.statement.clone(), ORIGIN, head).signed(&everybody());
        let expected = [Refused::Moved { size: 2, given: size }];
        assert_eq!(refused(&register, &draft, heads()), expected);
    }
}

#[test]
fn a_checkpoint_of_the_next_size_and_another_root_is_refused() {
    let register = with_two();
    let good = Draft::of(&register, &Statement::Revision(revision(3)));
    // A history in which the second statement was another.
    let mut other = revision(2);
    other.document = "另一份".into();
    let other = Draft::of(&with_one(), &Statement::Revision(other)).signed(&two());
    let split = accepted(&with_one(), &other, heads());
    let there = Draft::of(&split, &Statement::Revision(revision(3)));
    assert_eq!(there.statement, good.statement);
    assert_ne!(there.checkpoint.head(), good.checkpoint.head());
    let roots = [there.checkpoint.head().root, [0; 32], leaf_hash(&good.statement)];
    for root in roots {
        let head = TreeHead { size: 3, root };
        let draft = Draft::with(good.statement.clone(), ORIGIN, head).signed(&everybody());
        assert_eq!(refused(&register, &draft, heads()), [Refused::RootDiffers]);
    }
}

#[test]
fn what_stands_is_answered_as_standing_however_long_ago() {
    let register = with_two();
    let again = |draft: &Draft| {
        propose_bytes(&register, &draft.statement, draft.note().as_bytes(), heads())
    };
    let number = |outcome| match outcome {
        Ok(Outcome::Standing(number)) => number,
        other => panic!("not standing: {other:?}"),
    };
    let second = Draft::of(&with_one(), &Statement::Revision(revision(2))).signed(&two());
    assert_eq!(number(again(&first())), 1);
    assert_eq!(number(again(&second)), 2);
    // Years later it is expired, and stands.
    let later = instant("2036-01-01T00:00:00Z");
    let (draft, note) = (first(), first().note());
    let proposal = Proposal { statement: &draft.statement, checkpoint: note.as_bytes() };
    let examined = examine(&register, &proposal, later).expect("it stands");
    assert!(matches!(examined, Examined::Standing(1)), "{examined:?}");
    // With the checkpoint of another size it is no replay.
    let mixed = Draft { statement: first().statement, checkpoint: second.checkpoint };
    assert_eq!(refused(&register, &mixed, heads()), [Refused::Moved { size: 2, given: 1 }]);
    let root = first().checkpoint.head().root;
    for size in [0, 2, 3] {
        let head = TreeHead { size, root };
        let misplaced = Draft::with(first().statement, ORIGIN, head).signed(&two());
        let expected = [Refused::Moved { size: 2, given: 1 }];
        assert_eq!(refused(&register, &misplaced, heads()), expected);
    }
}

#[test]
fn a_statement_of_a_register_does_not_stand_in_another() {
    let draft = first();
    let note = draft.note().replacen(ORIGIN, "other.example/list", 1);
    let given = refused_bytes(&with_one(), &draft.statement, note.as_bytes(), heads());
    assert_eq!(reasons(&given)[0], "ORIGIN_DIFFERS");
}

#[test]
fn what_is_expired_is_refused_from_that_second_on() {
    let until = |seconds| {
        changed(|statement| {
            statement.effective = seconds_from_now(-1_000);
            statement.expires = seconds_from_now(seconds);
        })
    };
    for seconds in [0, -1, -999] {
        let expired = Refused::Expired { expires: seconds_from_now(seconds) };
        assert_eq!(refused(&empty_register(), &until(seconds), heads()), [expired]);
    }
    assert_eq!(accepted(&empty_register(), &until(1), heads()).size(), 1);
}

#[test]
fn what_expires_before_it_comes_into_force_is_refused() {
    for seconds in [0, 1, 100_000] {
        let (effective, expires) = (seconds_from_now(500 + seconds), seconds_from_now(500));
        let draft = changed(|statement| {
            statement.effective = effective;
            statement.expires = expires;
        });
        let expected = [Refused::TimesReversed { effective, expires }];
        assert_eq!(refused(&empty_register(), &draft, heads()), expected);
    }
}

#[test]
fn a_statement_or_a_checkpoint_of_another_register_is_refused() {
    let empty = empty_register();
    let expected = Refused::Origin { given: "other.example/list".into(), expected: ORIGIN.into() };
    let statement = changed(|statement| statement.origin = "other.example/list".into());
    let expected = [expected];
    assert_eq!(refused(&empty, &statement, heads()), expected);
    let good = first();
    let head = good.checkpoint.head();
    let other = Draft::with(good.statement, "other.example/list", head).signed(&everybody());
    assert_eq!(refused(&empty, &other, heads()), expected);
}

#[test]
fn a_candidate_is_not_taken_by_a_register_that_has_moved_since() {
    let empty = empty_register();
    let candidate = || {
        let (draft, note) = (first(), first().note());
        let proposal = Proposal { statement: &draft.statement, checkpoint: note.as_bytes() };
        match examine(&empty, &proposal, now()) {
            Ok(Examined::Next(candidate)) => *candidate,
            other => panic!("not the next: {other:?}"),
        }
    };
    let moved = step(&with_two(), candidate(), heads(), now()).expect_err("two stand there");
    assert_eq!(moved, [Refused::Moved { size: 2, given: 1 }]);
    let same = step(&with_one(), candidate(), heads(), now()).expect_err("it stands there");
    assert_eq!(same, [Refused::Moved { size: 1, given: 1 }]);
    assert_eq!(step(&empty, candidate(), heads(), now()).expect("it is the next").size(), 1);
}
