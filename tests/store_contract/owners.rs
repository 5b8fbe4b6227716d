//! Who has a directory: a register is made once, one process writes it, others read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, thread};

use clearlist::store::embedded::{CreateError, Embedded, OpenError};
use clearlist::store::{AppendError, Store};

use super::{body_of, directory};

#[test]
fn a_register_is_made_once() {
    let place = directory();
    let register = place.path().join("register");
    let create = |genesis: &[u8]| Embedded::create(&register, genesis);
    create(b"genesis").expect("the directory is empty");
    assert!(matches!(create(b"other"), Err(CreateError::Exists)));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&register), 0o700);
    assert_eq!(mode(&register.join("statements")), 0o600);
    assert_eq!(mode(&register.join("high-water")), 0o600);
    let store = Embedded::open(&register).expect("it is new").store;
    assert_eq!(store.genesis().expect("it is there"), b"genesis");
    assert!(matches!(create(b"other"), Err(CreateError::Locked)));
    store.append(0, b"one").expect("the size is right");
    drop(store);

    // A mark that counts statements belongs to a register that was lost.
    fs::remove_file(register.join("statements")).expect("it was there");
    assert!(matches!(create(b"other"), Err(CreateError::Exists)));
    fs::write(register.join("high-water"), "unreadable").expect("it can be written");
    assert!(matches!(create(b"other"), Err(CreateError::Exists)));
}

#[test]
fn an_interrupted_creation_can_be_done_again() {
    let place = directory();
    Embedded::create(place.path(), b"genesis").expect("the directory is empty");
    fs::rename(place.path().join("statements"), place.path().join("statements.new"))
        .expect("it can be renamed");
    assert!(matches!(Embedded::open(place.path()), Err(OpenError::StatementsMissing)));
    Embedded::create(place.path(), b"other").expect("there is none yet");
    let store = Embedded::open(place.path()).expect("it is new").store;
    assert_eq!(store.genesis().expect("it is there"), b"other");
}

#[test]
fn one_process_writes_and_others_read() {
    let place = directory();
    Embedded::create(place.path(), b"genesis").expect("the directory is empty");
    let writer = Embedded::open(place.path()).expect("it is new").store;
    let refusal = Embedded::open(place.path()).expect_err("one is writing");
    assert!(matches!(refusal, OpenError::Locked), "{refusal:?}");
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for size in 0..200 {
                writer.append(size, &body_of(size + 1)).expect("the size is right");
            }
        });
        while !writing.is_finished() {
            let acknowledged = writer.size();
            let reader = Embedded::open_read_only(place.path()).expect("it is whole");
            assert!((acknowledged..=writer.size() + 1).contains(&reader.size()));
            for number in 1..=reader.size() {
                assert_eq!(reader.read(number).expect("it is whole"), body_of(number));
            }
            let answer = reader.append(reader.size(), b"other");
            assert!(matches!(answer, Err(AppendError::Closed)), "{answer:?}");
        }
    });
    drop(writer);
    Embedded::open(place.path()).expect("nobody is writing");
}
