//! What every register promises, written over a constructor so that each engine runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use clearlist::store::embedded::Embedded;
use clearlist::store::{AppendError, BODY_BYTES_MAX, ReadError, Store};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{bodies, directory};

/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_hours(1);

/// Opens the one register of a directory, which is empty the first time.
type Open = fn(&Path) -> Box<dyn Store>;

fn embedded(directory: &Path) -> Box<dyn Store> {
    let directory = directory.join("register");
    if !directory.exists() {
        Embedded::create(&directory, b"genesis").expect("an empty directory takes a register");
    }
    Box::new(Embedded::open(&directory).expect("what was closed is opened").store)
}

macro_rules! contract {
    ($engine:ident: $($promise:ident)*) => {
        mod $engine {
            $(#[test]
            fn $promise() {
                super::$promise(super::$engine);
            })*
        }
    };
}

contract! { embedded:
    a_new_register_has_no_statement
    bodies_of_any_kind_are_read_back
    an_append_at_another_size_stores_nothing
    a_body_over_the_limit_stores_nothing
    sixteen_threads_give_each_number_to_exactly_one
    what_was_appended_is_there_after_reopening
    following_returns_at_once_when_there_is_more
    following_ends_with_its_patience
    an_append_wakes_every_follower
    any_sequence_of_appends_is_a_list
}

fn a_new_register_has_no_statement(open: Open) {
    let place = directory();
    let store = open(place.path());
    assert_eq!(store.size(), 0);
    for number in [0, 1, 2, u64::MAX] {
        let read = store.read(number);
        assert!(matches!(read, Err(ReadError::Absent { size: 0, .. })), "{number}: {read:?}");
    }
}

fn bodies_of_any_kind_are_read_back(open: Open) {
    let place = directory();
    let store = open(place.path());
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies = [vec![], vec![0], every_byte, vec![], b"\n".repeat(3 * 1024 * 1024 + 1)];
    for (size, body) in (0..).zip(&bodies) {
        store.append(size, body).expect("the size is right");
        assert_eq!(store.size(), size + 1);
    }
    for (number, body) in (1..).zip(&bodies) {
        assert!(store.read(number).expect("it was appended") == *body, "statement {number}");
    }
    assert!(matches!(store.read(0), Err(ReadError::Absent { .. })), "0 is no statement");
    assert!(matches!(store.read(6), Err(ReadError::Absent { number: 6, size: 5 })));
}

fn an_append_at_another_size_stores_nothing(open: Open) {
    let place = directory();
    let store = open(place.path());
    store.append(0, b"one").expect("the size is right");
    store.append(1, b"two").expect("the size is right");
    for size in [0, 1, 3, u64::MAX] {
        let answer = store.append(size, b"other");
        assert!(matches!(answer, Err(AppendError::Moved { size: 2 })), "{size}: {answer:?}");
    }
    assert_eq!(bodies(&*store), [b"one", b"two"]);
    store.append(2, b"three").expect("the size is right");
}

fn a_body_over_the_limit_stores_nothing(open: Open) {
    let place = directory();
    let store = open(place.path());
    let answer = store.append(0, &vec![0; BODY_BYTES_MAX + 1]);
    assert!(matches!(answer, Err(AppendError::TooLarge { bytes }) if bytes == BODY_BYTES_MAX + 1));
    assert_eq!(store.size(), 0);
}

fn sixteen_threads_give_each_number_to_exactly_one(open: Open) {
    const STATEMENTS: u64 = 64;
    let place = directory();
    let store = open(place.path());
    let won: Mutex<BTreeMap<u64, Vec<u8>>> = Mutex::default();
    thread::scope(|scope| {
        for racer in 0_u64..16 {
            let (store, won) = (&store, &won);
            scope.spawn(move || {
                loop {
                    let size = store.size();
                    if size >= STATEMENTS {
                        return;
                    }
                    let body = [racer.to_be_bytes(), size.to_be_bytes()].concat();
                    match store.append(size, &body) {
                        Ok(()) => {
                            let mut won = won.lock().expect("nobody panics");
                            assert_eq!(won.insert(size + 1, body), None, "two won {size}");
                        }
                        Err(AppendError::Moved { size: now }) => assert!(now > size),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(store.size(), STATEMENTS);
    let won: Vec<Vec<u8>> = won.into_inner().expect("nobody panics").into_values().collect();
    assert_eq!(bodies(&*store), won);
}

fn what_was_appended_is_there_after_reopening(open: Open) {
    let place = directory();
    for round in 0_u8..5 {
        let store = open(place.path());
        assert_eq!(store.size(), u64::from(round));
        store.append(u64::from(round), &[round]).expect("the size is right");
    }
    assert_eq!(bodies(&*open(place.path())), [[0], [1], [2], [3], [4]]);
}

fn following_returns_at_once_when_there_is_more(open: Open) {
    let place = directory();
    let store = open(place.path());
    store.append(0, b"one").expect("the size is right");
    assert_eq!(store.follow(0, FOR_EVER), 1);
    assert_eq!(store.follow(0, Duration::MAX), 1);
}

fn following_ends_with_its_patience(open: Open) {
    let place = directory();
    let store = open(place.path());
    assert_eq!(store.follow(0, Duration::ZERO), 0);
    assert_eq!(store.follow(u64::MAX, Duration::ZERO), 0);
    let (begun, patience) = (Instant::now(), Duration::from_millis(30));
    assert_eq!(store.follow(0, patience), 0);
    assert!(begun.elapsed() >= patience);
}

fn an_append_wakes_every_follower(open: Open) {
    let place = directory();
    let store = open(place.path());
    thread::scope(|scope| {
        let follow = |size| {
            scope.spawn({
                let store = &store;
                move || store.follow(size, FOR_EVER)
            })
        };
        let followers = [0, 0, 0, 1].map(|size| (size, follow(size)));
        // A refused append is no news.
        store.append(7, b"other").expect_err("the size is wrong");
        store.append(0, b"one").expect("the size is right");
        store.append(1, b"two").expect("the size is right");
        for (size, follower) in followers {
            assert!(follower.join().expect("nobody panics") > size);
        }
    });
}

fn any_sequence_of_appends_is_a_list(open: Open) {
    let steps = vec((0_u64..3, vec(any::<u8>(), 0..40), any::<bool>()), 0..12);
    proptest!(ProptestConfig::with_cases(24), |(steps in steps)| {
        let place = directory();
        let mut store = open(place.path());
        let mut list: Vec<Vec<u8>> = Vec::new();
        for (off, body, reopen) in steps {
            let size = list.len() as u64;
            match store.append((size + off).saturating_sub(1), &body) {
                Ok(()) => list.push(body),
                Err(AppendError::Moved { size: now }) => prop_assert_eq!(now, size),
                Err(error) => prop_assert!(false, "{}", error),
            }
            if reopen {
                drop(store);
                store = open(place.path());
            }
            prop_assert_eq!(&bodies(&*store), &list);
        }
    });
}

#[test]
#[ignore = "takes long without optimisation"]
fn a_body_at_the_limit_is_read_back() {
    let place = directory();
    let body = vec![7; BODY_BYTES_MAX];
    embedded(place.path()).append(0, &body).expect("it is not over the limit");
    assert!(embedded(place.path()).read(1).expect("it was acknowledged") == body);
}
