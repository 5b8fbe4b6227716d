//! Appends and openings on a disk that fails or lies: nothing acknowledged is lost, and everybody
//! is told the truth.

use std::time::Duration;

use clearlist::store::embedded::{Embedded, OpenError};
use clearlist::store::{AppendError, ReadError, Store};

use super::bodies;
use super::faulty_disk::{APPEND, ENDS, End, FAILURES, Fault, Memory, memory, open_on};
use super::files::{BODIES, Files, HISTORY, last};

#[test]
fn an_append_is_the_mark_beside_then_the_frame_then_the_mark() {
    let memory = memory();
    let store = open_on(&memory).expect("it is whole");
    memory.plan(&[]);
    store.append(4, b"five").expect("nothing fails");
    assert_eq!(memory.medium().log, APPEND);
    memory.end(End::PowerLost);
    assert_eq!(open_on(&memory).expect("it is whole").size(), 5);
}

#[test]
fn a_failure_that_can_be_undone_leaves_the_register_open() {
    for at in 0..3 {
        for fault in FAILURES {
            let memory = memory();
            let store = open_on(&memory).expect("it is whole");
            let before = memory.medium().shown.clone();
            memory.plan(&[(at, fault)]);
            let answer = store.append(4, b"five");
            let case = format!("{:?} {fault:?}: {answer:?}", APPEND.get(at));
            assert!(matches!(answer, Err(AppendError::NotStored { .. })), "{case}");
            assert_eq!(memory.medium().shown, before, "{case}");
            assert_eq!(store.size(), 4, "{case}");
            assert_eq!(store.follow(4, Duration::ZERO), 4, "{case}");
            store.append(4, b"5").expect("there is room again");
            memory.end(End::PowerLost);
            let store = open_on(&memory).expect("it is whole");
            assert_eq!(store.read(5).expect("it was acknowledged"), b"5", "{case}");
        }
    }
}

#[test]
fn a_failure_whose_outcome_is_unknown_closes_for_appends_and_reads_go_on() {
    // The last two: a write that fails, and then what would undo it.
    let undoing = [vec![1, 2], vec![1, 3]];
    let all = (3..6).map(|at| vec![at]).chain([vec![2, 3], vec![2, 4]]).chain(undoing);
    for faults in all {
        for fault in FAILURES {
            let memory = memory();
            let store = open_on(&memory).expect("it is whole");
            let planned: Vec<_> = faults.iter().map(|at| (*at, fault)).collect();
            memory.plan(&planned);
            let answer = store.append(4, b"five");
            let case = format!("{planned:?}: {answer:?}");
            assert!(matches!(answer, Err(AppendError::Unknown { .. })), "{case}");
            assert!(matches!(store.append(4, b"5"), Err(AppendError::Closed)), "{case}");
            assert!(matches!(store.append(5, b"6"), Err(AppendError::Closed)), "{case}");
            assert_eq!(bodies(&store), BODIES, "{case}");
        }
    }
}

/// What a caller was told of an append.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Stored,
    NotStored,
    Unknown,
}

/// Appends until `count` are stored, or the register is closed.
fn append_some(store: &Embedded, count: usize) -> Vec<(Vec<u8>, Told)> {
    let mut told = Vec::new();
    for attempt in 0_u8..8 {
        if told.iter().filter(|(_, told)| *told == Told::Stored).count() == count {
            break;
        }
        let body = vec![attempt; 30];
        let outcome = match store.append(store.size(), &body) {
            Ok(()) => Told::Stored,
            Err(AppendError::NotStored { .. } | AppendError::Closed) => Told::NotStored,
            Err(AppendError::Unknown { .. }) => Told::Unknown,
            Err(error) => panic!("{error}"),
        };
        told.push((body, outcome));
    }
    told
}

/// What was acknowledged is there in order, and nothing else but at most what is unknown.
fn kept(found: &[Vec<u8>], told: &[(Vec<u8>, Told)]) -> bool {
    let expected = |with_unknown: bool| -> Vec<&[u8]> {
        let before = BODIES.into_iter();
        let after = told
            .iter()
            .filter(|(_, told)| *told == Told::Stored || (with_unknown && *told == Told::Unknown));
        before.chain(after.map(|(body, _)| body.as_slice())).collect()
    };
    found == expected(false) || found == expected(true)
}

#[test]
fn nothing_acknowledged_is_lost_by_any_two_failures_and_any_end() {
    let points = 0..14;
    for first in points.clone() {
        for second in points.clone() {
            for fault in FAILURES {
                for end in ENDS {
                    let memory = memory();
                    let store = open_on(&memory).expect("it is whole");
                    memory.plan(&[(first, fault), (second, fault)]);
                    let told = append_some(&store, 2);
                    drop(store);
                    memory.end(end);
                    let case = format!("{first} {second} {fault:?} {end:?} {told:?}");
                    let store = open_on(&memory).unwrap_or_else(|error| panic!("{case}: {error}"));
                    let found = bodies(&store);
                    assert!(kept(&found, &told), "{case}: {found:?}");
                    // What it shows, it keeps.
                    memory.end(End::PowerLost);
                    let again = bodies(&open_on(&memory).expect("it was open before"));
                    assert_eq!(again, found, "{case}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_lost_when_opening_after_a_crash_fails_as_well() {
    for crash in 0..6 {
        for crash_fault in FAILURES {
            for first_end in ENDS {
                for at in 0..7 {
                    for fault in FAILURES {
                        for end in ENDS {
                            let memory = memory();
                            let store = open_on(&memory).expect("it is whole");
                            memory.plan(&[(crash, crash_fault), (crash + 1, crash_fault)]);
                            let told = append_some(&store, 1);
                            drop(store);
                            memory.end(first_end);
                            memory.plan(&[(at, fault)]);
                            let shown = open_on(&memory).ok().map(|store| bodies(&store));
                            memory.end(end);
                            let case = format!(
                                "{crash} {crash_fault:?} {first_end:?} {at} {fault:?} {end:?}"
                            );
                            let store = open_on(&memory).unwrap_or_else(|e| panic!("{case}: {e}"));
                            let found = bodies(&store);
                            assert!(kept(&found, &told), "{case}: {found:?}");
                            assert!(shown.is_none_or(|shown| shown == found), "{case}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_mark_shown_by_opening_outlasts_a_loss_of_power() {
    let memory = memory();
    let store = open_on(&memory).expect("it is whole");
    // In place, and not durable.
    memory.plan(&[(5, Fault::NotStored)]);
    store.append(4, b"five").expect_err("the mark was not synced");
    memory.end(End::Killed);
    let store = open_on(&memory).expect("a kill leaves this");
    // Durable, and not marked: with the mark before, there would be two behind it.
    memory.plan(&[(4, Fault::NotStored)]);
    store.append(5, b"six").expect_err("the mark took no place");
    memory.end(End::PowerLost);
    assert_eq!(open_on(&memory).expect("a loss of power leaves this").size(), 6);
}

#[test]
fn reading_beside_a_writer_that_appends_meanwhile_is_no_damage() {
    let history = &*HISTORY;
    let open = |before: usize, length: usize, after: usize| {
        let files = |size: usize| history.get(size).expect("it has as many").clone();
        let statements = files(length).statements;
        let memory = Memory::holding(&Files { statements, mark: files(before).mark });
        memory.medium().next_mark = Some(files(after).mark);
        Embedded::open_read_only_on(Box::new(memory)).map(|store| bodies(&store).len())
    };
    for (before, length, after, shown) in
        [(0, 4, 4, 4), (0, 4, 3, 3), (1, 2, 4, 2), (0, 0, 4, 0), (1, 3, 2, 2)]
    {
        let found = open(before, length, after);
        assert_eq!(found.expect("a writer does this"), shown, "{before} {length} {after}");
    }
    assert!(matches!(open(0, 4, 2), Err(OpenError::MarkBehind { held: 4, marked: 2 })));
    assert!(matches!(open(3, 2, 4), Err(OpenError::Missing { held: 2, marked: 3 })));

    let memory = self::memory();
    memory.medium().next_mark = Some(last(&Files::history(b"another", &BODIES)).mark);
    let exchanged = Embedded::open_read_only_on(Box::new(memory));
    assert!(matches!(exchanged, Err(OpenError::Rewritten { marked: 4 })));
}

#[test]
fn a_disk_that_lies_is_found_out_or_does_no_harm() {
    let mut found_out = 0;
    for at in 0..12 {
        for end in ENDS {
            let memory = memory();
            let store = open_on(&memory).expect("it is whole");
            memory.plan(&[(at, Fault::Lie)]);
            let told = append_some(&store, 2);
            drop(store);
            memory.end(end);
            match open_on(&memory) {
                Ok(store) => {
                    let found = bodies(&store);
                    // A mark that never became durable protects nothing behind it, and a disk
                    // that then loses nothing does no harm.
                    assert!(kept(&found, &told), "{at} {end:?}: {found:?} {told:?}");
                }
                Err(_refused) => found_out += 1,
            }
        }
    }
    assert!(found_out > 0, "no lie was ever found out");
}

#[test]
fn a_part_that_cannot_be_read_is_refused_by_number() {
    let long = vec![7; 2 * 1024 * 1024];
    let files = last(&Files::history(b"genesis", &[&long, &long, &long]));
    let memory = Memory::holding(&files);
    let store = open_on(&memory).expect("it is whole");
    memory.medium().unreadable_from = Some(5 * 1024 * 1024);
    let refusal = open_on(&memory).expect_err("it cannot be read");
    assert!(matches!(refusal, OpenError::Unreadable { number: 3, .. }), "{refusal:?}");
    assert!(matches!(store.read(3), Err(ReadError::Unreadable { number: 3, .. })));
    assert!(store.read(2).expect("it can be read") == long);
    memory.medium().unreadable_from = Some(0);
    let refusal = open_on(&memory).expect_err("it cannot be read");
    assert!(matches!(refusal, OpenError::Unreadable { number: 0, .. }), "{refusal:?}");
    assert!(matches!(store.genesis(), Err(ReadError::Unreadable { number: 0, .. })));
}
