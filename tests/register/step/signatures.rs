//! Whose signatures are enough, which do not count, and which spoil the others.

use clearlist::domain::message::Refusal;
use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::policy::QuorumError;
use clearlist::register::statement::Statement;
use clearlist::register::step::{CLOCK_SKEW_SECONDS, Refused, Which};

use super::{NO_LIST, changed, first, heads, two, with_one};
use crate::ceremony::{
    COMMERCE, CUSTOMS, DRUGS, Draft, HEALTH, LOG, STRANGER, accepted, empty_register, flipped,
    line, now, policy_change, policy_of, propose_bytes, reasons, refused, refused_bytes, revision,
    seconds_from_now, signer,
};

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
