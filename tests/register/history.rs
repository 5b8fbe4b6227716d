//! What is in force when: against the definition, statement by statement.

use clearlist::register::history::{InForce, Register};
use clearlist::register::policy::Policy;
use clearlist::register::statement::{RevisionStatement, Statement, SuspensionStatement};
use clearlist::register::step::ProposedList;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::ceremony::{
    DRUGS, Draft, HEADS, LIST, LOG, ORIGIN, accepted, policy_change, policy_of, revision,
    seconds_from_now,
};

/// A statement as a case names it: seconds from now.
#[derive(Debug, Clone, Copy)]
enum Case {
    Revision { effective: i64, lasts: i64 },
    Suspension { effective: i64 },
    Policy,
}

/// One agency decides here: what is asked is the calendar.
fn alone() -> String {
    policy_of(&LOG, "1", &[&DRUGS])
}

fn register_of(cases: &[Case]) -> Register {
    let mut register = Register::new(Policy::parse(&alone()).expect("a good policy"));
    for (number, case) in (1..).zip(cases) {
        let (statement, list) = match *case {
            Case::Revision { effective, lasts } => {
                let effective = seconds_from_now(effective);
                // What is expired on arrival is refused.
                let expires =
                    effective.max(seconds_from_now(0)) + jiff::SignedDuration::from_secs(lasts);
                let revision = RevisionStatement { effective, expires, ..revision(number) };
                (Statement::Revision(revision), ProposedList::Heads(&HEADS))
            }
            Case::Suspension { effective } => {
                let suspension = SuspensionStatement {
                    origin: ORIGIN.into(),
                    number,
                    entries: vec!["E1".into()],
                    enterprises: vec![],
                    effective: seconds_from_now(effective),
                    document: String::new(),
                };
                (Statement::Suspension(suspension), ProposedList::Newest(Some(&LIST)))
            }
            Case::Policy => (policy_change(number, alone()), ProposedList::Newest(None)),
        };
        let draft = Draft::of(&register, &statement).signed(&[&LOG, &DRUGS]);
        register = accepted(&register, &draft, list);
    }
    register
}

/// The definition: the highest-numbered revision that is known and effective, and the
/// suspensions above it that are known and effective.
fn defined(register: &Register, at: Timestamp, known: u64) -> Option<(u64, Vec<u64>)> {
    let mut best: Option<u64> = None;
    for accepted in register.statements() {
        if let Statement::Revision(r) = &accepted.statement
            && r.number <= known
            && r.effective <= at
        {
            best = best.max(Some(r.number));
        }
    }
    let best = best?;
    let mut over = Vec::new();
    for accepted in register.statements() {
        if let Statement::Suspension(s) = &accepted.statement
            && s.number > best
            && s.number <= known
            && s.effective <= at
        {
            over.push(s.number);
        }
    }
    Some((best, over))
}

/// Everything an answer depends on at an instant.
fn standing(register: &Register, at: Timestamp, known: u64) -> Option<(u64, Vec<u64>)> {
    let InForce { revision, number, .. } = register.in_force(at, known)?;
    let over: Vec<u64> =
        register.suspensions_over(revision.number, at, known).map(|s| s.number).collect();
    assert_eq!(number, over.last().copied().unwrap_or(revision.number));
    Some((revision.number, over))
}

fn expired(register: &Register, at: Timestamp) -> bool {
    register.in_force(at, u64::MAX).is_some_and(|now| now.revision.expires <= at)
}

const INSTANTS: [i64; 7] = [-100, -1, 0, 1, 50, 99, 100];

fn case() -> impl Strategy<Value = Case> {
    let instant = || prop::sample::select(&INSTANTS[..]);
    let lasts = prop::sample::select(&[101_i64, 150, 1_000][..]);
    prop_oneof![
        4 => (instant(), lasts).prop_map(|(effective, lasts)| Case::Revision { effective, lasts }),
        2 => instant().prop_map(|effective| Case::Suspension { effective }),
        1 => Just(Case::Policy),
    ]
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn what_is_in_force_is_what_the_definition_says(cases in vec(case(), 0..6)) {
        let register = register_of(&cases);
        let probes: Vec<Timestamp> = INSTANTS
            .iter()
            .chain(&[-101, 2, 51, 101, 150, 200, 250, 1_000, 1_100, 2_000])
            .map(|seconds| seconds_from_now(*seconds))
            .collect();
        for at in &probes {
            for known in (0..=register.size() + 1).chain([u64::MAX]) {
                prop_assert_eq!(standing(&register, *at, known), defined(&register, *at, known));
            }
            // Until the next change nothing changes; what is told as one lies ahead.
            let next = register.next_change(*at);
            prop_assert!(next.is_none_or(|next| next > *at));
            let all = u64::MAX;
            for later in probes.iter().filter(|l| *l > at && next.is_none_or(|next| **l < next)) {
                prop_assert_eq!(standing(&register, *later, all), standing(&register, *at, all));
                prop_assert_eq!(expired(&register, *later), expired(&register, *at));
            }
        }
    }
}

#[test]
fn a_later_number_wins_even_where_it_came_into_force_earlier() {
    let register = register_of(&[
        Case::Revision { effective: 50, lasts: 1_000 },
        Case::Revision { effective: 0, lasts: 1_000 },
    ]);
    let number = |seconds, known| {
        register.in_force(seconds_from_now(seconds), known).map(|now| now.revision.number)
    };
    assert_eq!(number(-1, 2), None);
    assert_eq!(number(0, 2), Some(2));
    assert_eq!(number(50, 2), Some(2));
    assert_eq!(number(50, 1), Some(1), "who knows one statement only");
    assert_eq!(number(50, 0), None);
}

#[test]
fn an_expired_revision_stays_in_force_so_that_the_answer_can_say_so() {
    let register = register_of(&[Case::Revision { effective: 0, lasts: 101 }]);
    let late = seconds_from_now(1_000_000);
    let now = register.in_force(late, 1).expect("nothing came after it");
    assert!(now.revision.expires < late);
}

#[test]
fn a_suspension_lies_over_the_revisions_before_it_until_a_later_one_comes_into_force() {
    let register = register_of(&[
        Case::Revision { effective: 0, lasts: 1_000 },
        Case::Revision { effective: 50, lasts: 1_000 },
        Case::Suspension { effective: 1 },
        Case::Policy,
        Case::Revision { effective: 99, lasts: 1_000 },
    ]);
    let at = |seconds| standing(&register, seconds_from_now(seconds), 5);
    assert_eq!(at(0), Some((1, vec![])));
    assert_eq!(at(1), Some((1, vec![3])));
    assert_eq!(at(50), Some((2, vec![3])), "it is numbered above the second, too");
    assert_eq!(at(99), Some((5, vec![])));
    assert_eq!(register.next_change(seconds_from_now(1)), Some(seconds_from_now(50)));
    let number = register.in_force(seconds_from_now(50), 5).map(|now| now.number);
    assert_eq!(number, Some(3), "the answer rests on three statements");
}
