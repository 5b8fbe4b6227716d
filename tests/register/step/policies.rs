//! Changes of policy: signed by those who lose and those who gain, the new log key included.

use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::policy::QuorumError;
use clearlist::register::statement::Statement;
use clearlist::register::step::{Refused, Which};

use super::{NO_LIST, heads, two, with_one};
use crate::ceremony::{
    COMMERCE, CUSTOMS, DRUGS, Draft, HEALTH, LOG, NEXT_LOG, ORIGIN, SCIENCE, accepted,
    policy_change, policy_of, reasons, refused, revision, signer,
};

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
