//! From one register to the next: a whole ceremony, and one test for each way to cheat. The
//! register of these tests belongs to three agencies, of which two decide.

use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::domain::message::Refusal;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::history::Register;
use clearlist::register::merkle::{is_consistent, is_included, leaf_hash};
use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::policy::QuorumError;
use clearlist::register::record::{ListHeads, TreeHead};
use clearlist::register::statement::{RevisionStatement, Statement};
use clearlist::register::step::{
    CLOCK_SKEW_SECONDS, Examined, Proposal, ProposedList, Refused, Which, examine, step,
};

use crate::ceremony::{
    COMMERCE, CUSTOMS, DRUGS, Draft, HEADS, HEALTH, LIST, LOG, NEXT_LOG, ORIGIN, Outcome, SCIENCE,
    STRANGER, accepted, empty_register, flipped, instant, line, now, policy_change, policy_of,
    propose_bytes, reasons, refused, refused_bytes, revision, seconds_from_now, signer, suspension,
};
use crate::support::{OWNER, list, row};

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

/// Changes a revision.
type Change = fn(&mut RevisionStatement);

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
fn any_two_agencies_are_enough_and_all_three_are_not_too_many() {
    let empty = empty_register();
    let statement = Statement::Revision(revision(1));
    for agencies in [
        &[&LOG, &DRUGS, &CUSTOMS][..],
        &[&CUSTOMS, &COMMERCE, &LOG],
        &[&DRUGS, &LOG, &COMMERCE],
        &[&DRUGS, &CUSTOMS, &COMMERCE, &LOG],
    ] {
        let signers: Vec<&NoteSigner> = agencies.iter().map(|key| &***key).collect();
        let next = accepted(&empty, &Draft::of(&empty, &statement).signed(&signers), heads());
        assert_eq!(next.statements()[0].cosigned.len(), signers.len() - 1);
    }
}

#[test]
fn one_agency_is_not_enough() {
    let empty = empty_register();
    let draft = Draft::of(&empty, &Statement::Revision(revision(1))).signed(&[&LOG, &DRUGS]);
    let refused = refused(&empty, &draft, heads());
    let [Refused::Quorum { which: Which::Current, error }] = &refused[..] else {
        panic!("{refused:?}")
    };
    let QuorumError::NotMet { lacking, unknown, repeated } = error else { panic!("{error:?}") };
    assert_eq!((lacking[0].needed, lacking[0].signed), (2, 1));
    assert_eq!(lacking[0].absent, ["customs", "commerce"]);
    assert!(unknown.is_empty() && repeated.is_empty());
}

#[test]
fn the_log_key_alone_is_not_enough_and_nothing_goes_without_it() {
    let empty = empty_register();
    let draft = || Draft::of(&empty, &Statement::Revision(revision(1)));
    assert_eq!(reasons(&refused(&empty, &draft().signed(&[&LOG]), heads())), ["QUORUM_NOT_MET"]);
    let agencies = draft().signed(&[&DRUGS, &CUSTOMS, &COMMERCE]);
    assert_eq!(reasons(&refused(&empty, &agencies, heads())), ["LOG_SIGNATURE_MISSING"]);
    let unsigned = draft();
    assert_eq!(reasons(&refused(&empty, &unsigned, heads())), ["CHECKPOINT_FORM"]);
}

#[test]
fn one_agency_twice_is_not_two() {
    let empty = empty_register();
    let draft = Draft::of(&empty, &Statement::Revision(revision(1)))
        .signed(&[&LOG, &DRUGS])
        .signed_at(&[&DRUGS], seconds_from_now(-60));
    assert_eq!(draft.checkpoint.note().signatures().len(), 3);
    let refused = refused(&empty, &draft, heads());
    assert_eq!(reasons(&refused), ["QUORUM_NOT_MET"]);
    assert!(refused[0].english().contains("signed twice and counted once: drugs.example/office"));
}

#[test]
fn an_unknown_signer_does_not_count_and_does_no_harm() {
    let empty = empty_register();
    let statement = Statement::Revision(revision(1));
    let short = Draft::of(&empty, &statement).signed(&[&LOG, &DRUGS, &STRANGER]);
    let refused = refused(&empty, &short, heads());
    assert_eq!(reasons(&refused), ["QUORUM_NOT_MET"]);
    assert!(refused[0].english().contains("not in the policy: stranger.example/office"));
    let enough = Draft::of(&empty, &statement).signed(&[&LOG, &DRUGS, &STRANGER, &CUSTOMS]);
    assert_eq!(accepted(&empty, &enough, heads()).statements()[0].cosigned.len(), 2);
}

#[test]
fn an_agency_s_plain_signature_is_no_cosignature() {
    let empty = empty_register();
    let plain = signer(CUSTOMS.verifier().name(), Role::Note, 4);
    let draft =
        Draft::of(&empty, &Statement::Revision(revision(1))).signed(&[&LOG, &DRUGS, &plain]);
    assert_eq!(reasons(&refused(&empty, &draft, heads())), ["QUORUM_NOT_MET"]);
}

#[test]
fn one_bad_signature_of_a_known_signer_spoils_what_two_others_signed() {
    let empty = empty_register();
    let good = first().note();
    for signer in [&COMMERCE, &DRUGS, &LOG] {
        let forged = format!("{good}{}", line(signer.verifier(), &[9; 72]));
        let given = refused_bytes(&empty, &first().statement, forged.as_bytes(), heads());
        assert_eq!(reasons(&given), ["SIGNATURE_INVALID"]);
        assert!(given[0].english().contains(signer.verifier().name()));
    }
}

#[test]
fn signatures_of_another_statement_do_not_sign_this_one() {
    let empty = empty_register();
    let other = changed(|statement| statement.document = "另一份".into());
    let lines = other.note().split_once("\n\n").expect("signatures").1.to_owned();
    let text = first().checkpoint.note().text().to_owned();
    let mixed = format!("{text}\n{lines}");
    let given = refused_bytes(&empty, &first().statement, mixed.as_bytes(), heads());
    assert_eq!(reasons(&given), ["SIGNATURE_INVALID"]);
    // The whole checkpoint of another statement is of another tree.
    let given = refused_bytes(&empty, &first().statement, other.note().as_bytes(), heads());
    assert_eq!(reasons(&given), ["ROOT_DIFFERS"]);
}

#[test]
fn a_cosignature_with_another_time_is_a_bad_signature() {
    let empty = empty_register();
    let draft = Draft::of(&empty, &Statement::Revision(revision(1)));
    let text = draft.checkpoint.note().text().to_owned();
    let sound = draft.signed(&[&LOG, &DRUGS]);
    let signature = CUSTOMS.key();
    let message = clearlist::register::note::cosigned_message(&text, now());
    let bytes = ed25519_dalek::Signer::sign(signature, &message).to_bytes();
    let at = |seconds: i64| {
        let seconds = u64::try_from(seconds).expect("after 1970").to_be_bytes();
        format!("{}{}", sound.note(), line(CUSTOMS.verifier(), &[&seconds[..], &bytes].concat()))
    };
    let sent = |note: String| propose_bytes(&empty, &sound.statement, note.as_bytes(), heads());
    assert!(sent(at(now().as_second())).is_ok());
    let refused = sent(at(now().as_second() - 1)).expect_err("another second");
    assert_eq!(reasons(&refused), ["SIGNATURE_INVALID"]);
}

#[test]
fn one_flipped_bit_anywhere_in_the_statement_is_refused() {
    let (empty, good) = (empty_register(), first());
    let note = good.note();
    for at in 0..good.statement.len() {
        let bytes = flipped(&good.statement, at * 8 + at % 8);
        let refused = propose_bytes(&empty, &bytes, note.as_bytes(), heads());
        let refused = refused.expect_err("the statement is another");
        let reason = refused[0].reason();
        let known = reason.starts_with("STATEMENT_")
            || ["ROOT_DIFFERS", "ORIGIN_DIFFERS", "REGISTER_MOVED"].contains(&reason);
        assert!(known, "byte {at}: {reason}");
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_checkpoint_is_refused() {
    let (empty, good) = (empty_register(), first());
    let note = good.note().into_bytes();
    for at in 0..note.len() {
        let bytes = flipped(&note, at * 8 + at % 8);
        let refused = propose_bytes(&empty, &good.statement, &bytes, heads());
        assert!(!refused.expect_err("the checkpoint is another").is_empty(), "byte {at}");
    }
}

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
fn a_change_of_policy_is_signed_by_those_who_lose_and_those_who_gain() {
    let register = with_one();
    let text = policy_of(&LOG, "2", &[&COMMERCE, &HEALTH, &SCIENCE]);
    let change = policy_change(2, text.clone());
    let signed = |signers: &[&NoteSigner]| Draft::of(&register, &change).signed(signers);
    let which = |refused: &[Refused]| -> Vec<Which> {
        let which = refused.iter().map(|refused| match refused {
            Refused::Quorum { which, error: QuorumError::NotMet { .. } } => *which,
            other => panic!("{other:?}"),
        });
        which.collect()
    };
    let old = signed(&[&LOG, &DRUGS, &CUSTOMS]);
    assert_eq!(which(&refused(&register, &old, NO_LIST)), [Which::Proposed]);
    let new = signed(&[&LOG, &HEALTH, &SCIENCE]);
    assert_eq!(which(&refused(&register, &new, NO_LIST)), [Which::Current]);
    let neither = signed(&[&LOG, &COMMERCE]);
    assert_eq!(which(&refused(&register, &neither, NO_LIST)).len(), 2);
    // Who is in both counts in both.
    let both = signed(&[&LOG, &DRUGS, &COMMERCE, &HEALTH]);
    let next = accepted(&register, &both, NO_LIST);
    assert_eq!(next.policy().text(), text);
    // From then on the old quorum decides nothing.
    let draft = |signers: &[&NoteSigner]| {
        Draft::of(&next, &Statement::Revision(revision(3))).signed(signers)
    };
    assert_eq!(reasons(&refused(&next, &draft(&two()), heads())), ["QUORUM_NOT_MET"]);
    assert_eq!(accepted(&next, &draft(&[&LOG, &HEALTH, &SCIENCE]), heads()).size(), 3);
}

#[test]
fn a_new_log_key_signs_the_change_beside_the_old_one() {
    let register = with_one();
    let change = policy_change(2, policy_of(&NEXT_LOG, "2", &[&DRUGS, &CUSTOMS, &COMMERCE]));
    let signed = |signers: &[&NoteSigner]| Draft::of(&register, &change).signed(signers);
    for log in [&LOG, &NEXT_LOG] {
        let draft = signed(&[log, &DRUGS, &CUSTOMS]);
        let refused = refused(&register, &draft, NO_LIST);
        assert_eq!(reasons(&refused), ["LOG_SIGNATURE_MISSING"]);
    }
    let next = accepted(&register, &signed(&[&LOG, &NEXT_LOG, &DRUGS, &CUSTOMS]), NO_LIST);
    let draft = Draft::of(&next, &Statement::Revision(revision(3))).signed(&two());
    assert_eq!(reasons(&refused(&next, &draft, heads())), ["LOG_SIGNATURE_MISSING"]);
}

#[test]
fn a_policy_that_is_none_or_of_another_register_is_refused() {
    let register = with_one();
    let signed = |policy: String| Draft::of(&register, &policy_change(2, policy)).signed(&two());
    let none = signed("quorum none\n".into());
    assert_eq!(reasons(&refused(&register, &none, NO_LIST)), ["POLICY_INVALID"]);
    let log = signer("other.example/list", Role::Note, 1);
    let other = policy_of(&log, "2", &[&DRUGS, &CUSTOMS]);
    let expected = Refused::Origin { given: "other.example/list".into(), expected: ORIGIN.into() };
    assert_eq!(refused(&register, &signed(other), NO_LIST), [expected]);
    let weaker = signed(policy_of(&LOG, "0", &[&DRUGS, &CUSTOMS]));
    assert_eq!(reasons(&refused(&register, &weaker, NO_LIST)), ["POLICY_INVALID"]);
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
fn a_cosignature_from_the_future_is_refused_beyond_what_clocks_differ() {
    let empty = empty_register();
    let signed = |seconds| {
        Draft::of(&empty, &Statement::Revision(revision(1)))
            .signed(&[&LOG, &DRUGS])
            .signed_at(&[&CUSTOMS], seconds_from_now(seconds))
    };
    let late = CLOCK_SKEW_SECONDS + 1;
    let expected = Refused::SignedInFuture { signer: "customs".into(), at: seconds_from_now(late) };
    assert_eq!(refused(&empty, &signed(late), heads()), [expected]);
    for seconds in [CLOCK_SKEW_SECONDS, 0, -400_000_000] {
        let next = accepted(&empty, &signed(seconds), heads());
        assert_eq!(next.statements()[0].cosigned[1].1, seconds_from_now(seconds));
    }
    // Of an agency that only the proposed policy knows, too.
    let register = with_one();
    let change = policy_change(2, policy_of(&LOG, "any", &[&HEALTH, &DRUGS]));
    let draft =
        Draft::of(&register, &change).signed(&two()).signed_at(&[&HEALTH], seconds_from_now(late));
    let expected = Refused::SignedInFuture { signer: "health".into(), at: seconds_from_now(late) };
    assert_eq!(refused(&register, &draft, NO_LIST), [expected]);
}

#[test]
fn a_revision_of_another_list_is_refused() {
    let other = ListHeads::of(&list(&[row("E1", "四环素"), row("E2", "土霉素")]));
    let empty = empty_register();
    assert_eq!(
        refused(&empty, &first(), ProposedList::Heads(&other)),
        [Refused::ListDiffers],
        "the list is another"
    );
    let changes: [(&str, Change); 5] = [
        ("list root", |s| s.list.root[31] ^= 1),
        ("list size", |s| s.list.size += 1),
        ("name root", |s| s.names.root[0] ^= 0x80),
        ("name size", |s| s.names.size -= 1),
        ("trees exchanged", |s| std::mem::swap(&mut s.list, &mut s.names)),
    ];
    for (what, change) in changes {
        assert_eq!(refused(&empty, &changed(change), heads()), [Refused::ListDiffers], "{what}");
    }
}

#[test]
fn a_revision_without_its_list_is_refused() {
    let empty = empty_register();
    assert_eq!(refused(&empty, &first(), NO_LIST), [Refused::ListMissing]);
    assert_eq!(refused(&empty, &first(), newest()), [Refused::ListMissing]);
}

#[test]
fn a_list_without_entries_is_refused() {
    let none = ListHeads::of(&list(&[]));
    let draft = changed(|statement| {
        statement.list = none.list;
        statement.names = none.names;
    });
    let refused = refused(&empty_register(), &draft, ProposedList::Heads(&none));
    assert_eq!(refused, [Refused::ListEmpty]);
}

#[test]
fn another_version_of_the_normal_form_is_refused() {
    for given in [0, NORMAL_FORM_VERSION + 1, u32::MAX] {
        let draft = changed(|statement| statement.normal_form_version = given);
        let expected = [Refused::NormalForm { given }];
        assert_eq!(refused(&empty_register(), &draft, heads()), expected);
    }
}

#[test]
fn a_list_that_comes_with_another_statement_is_refused() {
    let register = with_one();
    let statements =
        [policy_change(2, crate::ceremony::first_policy()), suspension(2, &["E1"], &[])];
    for statement in statements {
        let draft = Draft::of(&register, &statement).signed(&two());
        assert_eq!(refused(&register, &draft, heads()), [Refused::ListNotExpected]);
        assert_eq!(accepted(&register, &draft, newest()).size(), 2);
    }
}

#[test]
fn what_is_not_on_the_list_cannot_be_suspended() {
    let register = with_one();
    let draft = |entries: &[&str], enterprises: &[&str]| {
        Draft::of(&register, &suspension(2, entries, enterprises)).signed(&two())
    };
    let unknown = |ids: &[&str]| {
        vec![Refused::SuspendsUnknown { ids: ids.iter().map(|id| (*id).to_owned()).collect() }]
    };
    let cases: [(&[&str], &[&str], &[&str]); 5] = [
        (&["E1", "E3"], &[], &["E3"]),
        (&["e1"], &[], &["e1"]),
        (&[OWNER], &["E1"], &[OWNER, "E1"]),
        (&["E2"], &["91110114EXAMPLE2XR"], &["91110114EXAMPLE2XR"]),
        (&[""], &[], &[""]),
    ];
    for (entries, enterprises, expected) in cases {
        let given = refused(&register, &draft(entries, enterprises), newest());
        assert_eq!(given, unknown(expected));
    }
    let many: Vec<String> = (0..40).map(|n| format!("无{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused_many = refused(&register, &draft(&many, &[]), newest());
    assert_eq!(refused_many, unknown(&many[..10]), "ten are enough to see what is wrong");
    assert_eq!(accepted(&register, &draft(&["E2", "E1"], &[OWNER]), newest()).size(), 2);
}

#[test]
fn a_suspension_of_nothing_or_before_any_list_is_refused() {
    let register = with_one();
    let nothing = Draft::of(&register, &suspension(2, &[], &[])).signed(&two());
    assert_eq!(refused(&register, &nothing, newest()), [Refused::SuspendsNothing]);
    let empty = empty_register();
    let early = Draft::of(&empty, &suspension(1, &["E1"], &[])).signed(&two());
    assert_eq!(refused(&empty, &early, NO_LIST), [Refused::ListMissing]);
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
