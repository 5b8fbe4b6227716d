//! What every register promises, written over a constructor so that each engine runs it; then
//! what the embedded one does with damaged files, failing disks, and a process that is killed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use clearlist::store::embedded::disk::Disk;
use clearlist::store::embedded::{CreateError, Embedded, OpenError};
use clearlist::store::{AppendError, BODY_BYTES_MAX, ReadError, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_hours(1);

// ---------------------------------------------------------------- what every register promises

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

fn bodies(store: &dyn Store) -> Vec<Vec<u8>> {
    (1..=store.size()).map(|number| store.read(number).expect("it is in the register")).collect()
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

// ------------------------------------------------------------------ files that were changed

/// The two files of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    statements: Vec<u8>,
    mark: Vec<u8>,
}

impl Files {
    fn read(directory: &Path) -> Self {
        let read = |name: &str| fs::read(directory.join(name)).expect("the register has the file");
        Self { statements: read("statements"), mark: read("high-water") }
    }

    fn write(&self, directory: &Path) {
        fs::write(directory.join("statements"), &self.statements).expect("it can be written");
        fs::write(directory.join("high-water"), &self.mark).expect("it can be written");
    }

    /// Those of a new register, after each append: as many as there are bodies, and one more.
    fn history(genesis: &[u8], bodies: &[&[u8]]) -> Vec<Self> {
        let place = directory();
        Embedded::create(place.path(), genesis).expect("an empty directory takes a register");
        let mut history = vec![Self::read(place.path())];
        let store = Embedded::open(place.path()).expect("it is new").store;
        for (size, body) in (0..).zip(bodies) {
            store.append(size, body).expect("the size is right");
            history.push(Self::read(place.path()));
        }
        history
    }

    /// How opening refuses them, for writing and for reading; nothing may change by it.
    fn refusal(&self) -> OpenError {
        let place = directory();
        self.write(place.path());
        let reading = Embedded::open_read_only(place.path()).expect_err("it is damaged");
        let writing = Embedded::open(place.path()).expect_err("it is damaged");
        assert_eq!(reading.to_string(), writing.to_string());
        assert_eq!(Self::read(place.path()), *self, "refusing changed something");
        writing
    }

    /// The statements and the bytes cut off.
    fn opened(&self) -> (Vec<Vec<u8>>, u64) {
        let place = directory();
        self.write(place.path());
        let opened = Embedded::open(place.path()).expect("a crash leaves this");
        let found = (bodies(&opened.store), opened.cut_bytes);
        let next = opened.store.size();
        opened.store.append(next, b"next").expect("it goes on");
        drop(opened);
        let again = Embedded::open(place.path()).expect("it was mended");
        assert_eq!((again.store.size(), again.cut_bytes), (next + 1, 0));
        found
    }
}

const BODIES: [&[u8]; 4] =
    [b"", b"one", b"two two", b"a statement that is longer than a header is"];

/// Where each frame ends, the magic first.
fn ends(genesis: &[u8], bodies: &[&[u8]]) -> Vec<usize> {
    let lengths = [genesis].into_iter().chain(bodies.iter().copied()).map(<[u8]>::len);
    let mut ends = vec![22];
    ends.extend(lengths.scan(22, |end, length| {
        *end += 40 + length;
        Some(*end)
    }));
    ends
}

/// The history of [`BODIES`].
static HISTORY: LazyLock<Vec<Files>> = LazyLock::new(|| Files::history(b"genesis", &BODIES));

fn last(history: &[Files]) -> Files {
    history.last().expect("a history has a beginning").clone()
}

#[test]
fn the_files_are_what_the_decision_page_says() {
    let mut statements = b"clearlist register v1\n".to_vec();
    let mut value = Sha256::digest(&statements);
    for (number, body) in (0_u64..).zip([b"genesis".as_slice(), b"", b"one"]) {
        let length = (body.len() as u64).to_be_bytes();
        value = Sha256::digest([&value, number.to_be_bytes().as_slice(), &length, body].concat());
        statements.extend([&length, value.as_slice(), body].concat());
    }
    let hex: String = value.iter().flat_map(|b| [b >> 4, b & 15]).map(hex_digit).collect();
    let mark = format!("clearlist high-water v1\n2\n{hex}\n").into_bytes();
    let history = Files::history(b"genesis", &[b"", b"one"]);
    assert_eq!(last(&history), Files { statements, mark });
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("it is under 16")
}

#[test]
fn one_flipped_bit_anywhere_in_the_statements_is_refused_by_number() {
    let files = last(&HISTORY);
    let ends = ends(b"genesis", &BODIES);
    assert_eq!(ends.last(), Some(&files.statements.len()));
    for at in 0..files.statements.len() {
        for bit in 0..8 {
            let mut files = files.clone();
            *files.statements.get_mut(at).expect("it is inside") ^= 1 << bit;
            let refusal = files.refusal();
            let frame = ends.iter().filter(|end| **end <= at).count();
            match (frame.checked_sub(1), &refusal) {
                (None, OpenError::NotARegister) => (),
                (Some(frame), OpenError::Damaged { number, .. }) => {
                    assert_eq!(*number, frame as u64, "byte {at} bit {bit}");
                    assert!(refusal.to_string().contains(&format!("statement {frame},")));
                }
                _ => panic!("byte {at} bit {bit}: {refusal:?}"),
            }
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_mark_is_refused() {
    let files = last(&HISTORY);
    for at in 0..files.mark.len() {
        for bit in 0..8 {
            let mut files = files.clone();
            *files.mark.get_mut(at).expect("it is inside") ^= 1 << bit;
            let refusal = files.refusal();
            let named = matches!(
                refusal,
                OpenError::MarkUnreadable | OpenError::Missing { .. } | OpenError::Rewritten { .. }
            );
            assert!(named, "byte {at} bit {bit}: {refusal:?}");
        }
    }
}

#[test]
fn a_mark_is_read_to_the_byte() {
    let files = last(&HISTORY);
    let text = String::from_utf8(files.mark.clone()).expect("it is text");
    let changed = [
        String::new(),
        format!("{text}\n"),
        format!("{text} "),
        text.trim_end().to_owned(),
        text.replace("\n4\n", "\n04\n"),
        text.replace("\n4\n", "\n+4\n"),
        text.replace("\n4\n", "\n\n"),
        text.replace("\n4\n", "\n18446744073709551616\n"),
        text.replace('\n', "\r\n"),
        text.to_uppercase(),
        text.repeat(2),
        "clearlist high-water v2".to_owned() + text.get(23..).expect("it goes on"),
        text.get(..text.len() - 2).expect("it is longer").to_owned() + "\n",
    ];
    for mark in changed {
        let refusal = Files { mark: mark.clone().into_bytes(), ..files.clone() }.refusal();
        assert!(matches!(refusal, OpenError::MarkUnreadable), "{mark:?}: {refusal:?}");
    }
    let huge = text.replace("\n4\n", "\n18446744073709551615\n").into_bytes();
    let refusal = Files { mark: huge, ..files }.refusal();
    assert!(matches!(refusal, OpenError::Missing { held: 4, marked: u64::MAX }), "{refusal:?}");
}

#[test]
fn cut_anywhere_the_register_opens_with_what_was_acknowledged_or_not_at_all() {
    let history = &*HISTORY;
    let ends = ends(b"genesis", &BODIES);
    let whole = last(history).statements;
    for (marked, files) in history.iter().enumerate().skip(2) {
        // The crash was in the append after the mark; less is lost data.
        let acknowledged = files.statements.len();
        let next = ends.get(marked + 2).copied().unwrap_or(acknowledged);
        for length in 0..=next {
            let statements = whole.get(..length).expect("it is inside").to_vec();
            let files = Files { statements, mark: files.mark.clone() };
            if length < acknowledged {
                let first = ends.iter().filter(|end| **end <= length).count().saturating_sub(1);
                match files.refusal() {
                    OpenError::NotARegister => assert!(length < 22),
                    OpenError::Damaged { number, .. } => assert_eq!(number, first as u64),
                    OpenError::Missing { held, marked: m } => {
                        assert_eq!((held + 1, m), (first as u64, marked as u64));
                    }
                    refusal => panic!("cut at {length}: {refusal:?}"),
                }
                continue;
            }
            let size = if length == next && next > acknowledged { marked + 1 } else { marked };
            let cut = if length == next { 0 } else { length - acknowledged };
            let expected = BODIES.get(..size).expect("it is inside");
            let (found, cut_bytes) = files.opened();
            assert_eq!(found, expected, "cut at {length}");
            assert_eq!(cut_bytes, cut as u64, "cut at {length}");
        }
    }
}

#[test]
fn reading_only_ignores_what_an_interrupted_append_left_and_changes_nothing() {
    let history = &*HISTORY;
    let [.., old, new] = history.as_slice() else { panic!("it has as many") };
    for length in old.statements.len()..=new.statements.len() {
        let statements = new.statements.get(..length).expect("it is inside").to_vec();
        let files = Files { statements, mark: old.mark.clone() };
        let place = directory();
        files.write(place.path());
        let store = Embedded::open_read_only(place.path()).expect("a crash leaves this");
        assert_eq!(bodies(&store), BODIES.get(..3).expect("it is inside"));
        assert_eq!(Files::read(place.path()), files);
    }
}

#[test]
fn a_last_frame_of_which_parts_are_zeros_is_cut_off() {
    let history = &*HISTORY;
    let [.., old, new] = history.as_slice() else { panic!("it has as many") };
    let (begin, end) = (old.statements.len(), new.statements.len());
    for zeros in [begin..end, begin..begin + 40, begin + 40..end, begin + 50..end, end - 1..end] {
        let mut files = Files { mark: old.mark.clone(), ..new.clone() };
        files.statements.get_mut(zeros.clone()).expect("it is inside").fill(0);
        let (found, cut_bytes) = files.opened();
        assert_eq!(found.len(), 3, "{zeros:?}");
        assert_eq!(cut_bytes, (end - begin) as u64, "{zeros:?}");
    }
}

#[test]
fn what_no_crash_leaves_behind_the_mark_is_refused() {
    let history = &*HISTORY;
    let [.., two, three, four] = history.as_slice() else { panic!("it has as many") };
    let behind = Files { mark: two.mark.clone(), ..four.clone() };
    let refusal = behind.refusal();
    assert!(matches!(refusal, OpenError::MarkBehind { held: 4, marked: 2 }), "{refusal:?}");

    let mut one_and_a_half = behind.clone();
    one_and_a_half.statements.pop();
    let refusal = one_and_a_half.refusal();
    assert!(matches!(refusal, OpenError::MarkBehind { held: 3, marked: 2 }), "{refusal:?}");

    // The body, the chain value and a low byte of the length of statement 3, with 4 behind it.
    let end = three.statements.len();
    for at in [end - 1, end - 8, two.statements.len() + 7] {
        let mut damaged = behind.clone();
        *damaged.statements.get_mut(at).expect("it is inside") ^= 1;
        let refusal = damaged.refusal();
        assert!(matches!(refusal, OpenError::Damaged { number: 3, .. }), "{at}: {refusal:?}");
    }
}

#[test]
fn a_file_of_another_time_or_another_register_is_refused() {
    let ours = &*HISTORY;
    let [.., older, _, now] = ours.as_slice() else { panic!("it has as many") };
    let other = last(&Files::history(b"another", &BODIES));
    let longer = last(&Files::history(b"another", &[b"1", b"2", b"3", b"4", b"5"]));
    let rewritten = last(&Files::history(b"genesis", &[b"", b"one", b"two twO", b"4"]));
    let with = |statements: &Files, mark: &Files| {
        Files { statements: statements.statements.clone(), mark: mark.mark.clone() }.refusal()
    };
    let refusals = [
        (with(older, now), "holds 2 statements and served 4 before: statement 3 is missing"),
        (with(now, older), "`high-water` is older than `statements`"),
        (with(&other, now), "another one, or was rewritten at or before statement 4"),
        (with(now, &other), "another one, or was rewritten at or before statement 4"),
        (with(&longer, now), "another one, or was rewritten at or before statement 4"),
        (with(now, &longer), "holds 4 statements and served 5 before: statement 5 is missing"),
        (with(&rewritten, now), "another one, or was rewritten at or before statement 4"),
    ];
    for (refusal, says) in refusals {
        assert!(refusal.to_string().contains(says), "{refusal} should say {says:?}");
    }
}

#[test]
fn a_missing_file_is_refused_by_name() {
    let files = last(&HISTORY);
    let place = directory();
    for (name, says) in
        [("statements", "`statements` is missing"), ("high-water", "`high-water` is missing")]
    {
        files.write(place.path());
        fs::remove_file(place.path().join(name)).expect("it was there");
        let writing = Embedded::open(place.path()).expect_err("a file is missing").to_string();
        let reading = Embedded::open_read_only(place.path()).expect_err("a file is missing");
        assert_eq!(reading.to_string(), writing);
        assert!(writing.contains(says), "{writing}");
    }
    let nowhere = place.path().join("nowhere");
    assert!(matches!(Embedded::open(&nowhere), Err(OpenError::StatementsMissing)));
    assert!(matches!(Embedded::open_read_only(&nowhere), Err(OpenError::StatementsMissing)));
    assert!(!nowhere.exists());
}

#[test]
fn a_statement_changed_behind_the_back_of_an_open_register_is_not_returned() {
    let files = last(&HISTORY);
    let rewritten = last(&Files::history(b"genesis", &[b"", b"One", b"two two", BODIES[3]]));
    let place = directory();
    files.write(place.path());
    let store = Embedded::open(place.path()).expect("it is whole").store;
    // Whole by itself: only what opening verified says that it is another.
    fs::write(place.path().join("statements"), &rewritten.statements).expect("it can be written");
    assert_eq!(store.genesis().expect("it is the same"), b"genesis");
    assert_eq!(store.read(1).expect("it is the same"), b"");
    assert!(matches!(store.read(2), Err(ReadError::Damaged { number: 2 })));
    fs::write(place.path().join("statements"), b"").expect("it can be written");
    assert!(matches!(store.read(2), Err(ReadError::Unreadable { number: 2, .. })));
}

#[test]
fn a_new_mark_is_given_to_a_whole_register_only() {
    let history = &*HISTORY;
    let [.., older, before, now] = history.as_slice() else { panic!("it has as many") };
    let remark = |files: &Files| {
        let place = directory();
        files.write(place.path());
        let marked = Embedded::remark(place.path());
        if marked.is_ok() {
            assert_eq!(Files::read(place.path()).mark, now.mark);
            Embedded::open(place.path()).expect("it is marked");
        } else {
            assert_eq!(Files::read(place.path()), *files, "refusing changed something");
        }
        marked
    };
    for mark in [b"".as_slice(), b"torn", &older.mark, &before.mark, &now.mark] {
        let files = Files { mark: mark.to_vec(), ..now.clone() };
        assert_eq!(remark(&files).expect("every statement is whole"), 4);
    }
    let mut torn = Files { mark: Vec::new(), ..now.clone() };
    torn.statements.pop();
    assert!(matches!(remark(&torn), Err(OpenError::Damaged { number: 4, .. })));
    // A mark that can be read says what is missing: it is not written over.
    let lost = Files { statements: before.statements.clone(), mark: now.mark.clone() };
    assert!(matches!(remark(&lost), Err(OpenError::Missing { held: 3, marked: 4 })));

    let place = directory();
    now.write(place.path());
    fs::remove_file(place.path().join("high-water")).expect("it was there");
    assert_eq!(Embedded::remark(place.path()).expect("every statement is whole"), 4);
    let _open = Embedded::open(place.path()).expect("it is marked");
    assert!(matches!(Embedded::remark(place.path()), Err(OpenError::Locked)));
}

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

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_and_nothing_panics(
        magic in any::<bool>(),
        bytes in vec(any::<u8>(), 0..200),
        mark in vec(any::<u8>(), 0..130),
    ) {
        let good = last(&HISTORY);
        let magic = if magic { b"clearlist register v1\n".as_slice() } else { b"" };
        let statements = [magic, &bytes].concat();
        for mark in [mark, good.mark] {
            let memory = Memory::holding(&Files { statements: statements.clone(), mark });
            prop_assert!(Embedded::open_on(Box::new(memory)).is_err());
        }
    }

    #[test]
    fn a_register_with_a_piece_changed_opens_as_it_was_or_not(
        marked in 0_usize..=4,
        at in any::<prop::sample::Index>(),
        removed in 0_usize..60,
        added in vec(prop_oneof![Just(0), any::<u8>()], 0..60),
    ) {
        let history = &*HISTORY;
        let files = history.get(marked).expect("it has as many");
        let mut statements = last(history).statements;
        let begin = at.index(statements.len());
        let end = statements.len().min(begin + removed);
        statements.splice(begin..end, added);
        let memory = Memory::holding(&Files { statements, mark: files.mark.clone() });
        if let Ok(opened) = Embedded::open_on(Box::new(memory)) {
            let found = bodies(&opened.store);
            prop_assert!(found.len() >= marked, "an acknowledged statement is gone");
            prop_assert_eq!(&found, BODIES.get(..found.len()).expect("no more than there were"));
        }
    }
}

// ------------------------------------------------------------------------ disks that fail

/// What changes a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write,
    Truncate,
    Sync,
    StageMark,
    CommitMark,
    SyncMark,
}

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It fails, and did nothing.
    NotStored,
    /// It fails, and did half of it.
    HalfStored,
    /// It fails, and did all of it.
    Stored,
    /// It succeeds, and did nothing.
    Lie,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// What the system was given, it keeps.
    Killed,
    /// What was not synced is lost.
    PowerLost,
    /// What was not synced is stored after all.
    PowerLostLate,
    /// Of what was not synced, only the last write is stored, and zeros before it.
    PowerLostOutOfOrder,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, new) => {
                let end = offset + new.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes.get_mut(*offset..end).expect("it was made to fit").copy_from_slice(new);
            }
            Self::Truncate(length) => bytes.truncate(*length),
        }
    }

    /// The first half of a write; a half truncation is none.
    fn half(&self) -> Option<Self> {
        let Self::Write(offset, new) = self else { return None };
        Some(Self::Write(*offset, new.get(..new.len() / 2)?.to_vec()))
    }
}

#[derive(Debug, Default)]
struct Medium {
    /// What is read.
    shown: Vec<u8>,
    /// What survives a loss of power.
    durable: Vec<u8>,
    /// What the next sync makes durable. A sync that fails forgets it, as systems do: the next
    /// one succeeds and makes nothing durable.
    unsynced: Vec<Change>,
    mark: Vec<u8>,
    durable_mark: Vec<u8>,
    staged: Vec<u8>,
    /// Operations so far, and which of them go wrong.
    count: usize,
    faults: Vec<(usize, Fault)>,
    log: Vec<Operation>,
    unreadable_from: Option<u64>,
    /// What a running writer makes of the mark once it has been read.
    next_mark: Option<Vec<u8>>,
}

/// A disk in memory; copies are the same disk.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Medium>>);

impl Memory {
    fn holding(files: &Files) -> Self {
        let Files { statements, mark } = files.clone();
        Self(Arc::new(Mutex::new(Medium {
            shown: statements.clone(),
            durable: statements,
            mark: mark.clone(),
            durable_mark: mark,
            ..Medium::default()
        })))
    }

    fn medium(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().expect("nobody panics")
    }

    /// From now on these operations, counted from 0, go wrong.
    fn plan(&self, faults: &[(usize, Fault)]) {
        let mut medium = self.medium();
        medium.count = 0;
        medium.log.clear();
        medium.faults = faults.to_vec();
    }

    fn end(&self, how: End) {
        self.plan(&[]);
        let mut medium = self.medium();
        let medium = &mut *medium;
        let unsynced = std::mem::take(&mut medium.unsynced);
        let kept = match how {
            End::Killed => {
                medium.unsynced = unsynced;
                return;
            }
            End::PowerLost => &[],
            End::PowerLostLate => unsynced.as_slice(),
            End::PowerLostOutOfOrder => unsynced.last().map_or(&[][..], std::slice::from_ref),
        };
        for change in kept {
            change.apply(&mut medium.durable);
        }
        if how == End::PowerLostLate {
            medium.durable_mark.clone_from(&medium.mark);
        }
        medium.shown.clone_from(&medium.durable);
        medium.mark.clone_from(&medium.durable_mark);
    }

    /// Does an operation, or lets it go wrong.
    fn run(
        &self,
        operation: Operation,
        whole: impl FnOnce(&mut Medium),
        half: impl FnOnce(&mut Medium),
        none: impl FnOnce(&mut Medium),
    ) -> io::Result<()> {
        let mut medium = self.medium();
        let number = medium.count;
        medium.count += 1;
        medium.log.push(operation);
        let fault = medium.faults.iter().find(|(at, _)| *at == number).map(|(_, fault)| *fault);
        match fault {
            None | Some(Fault::Stored) => whole(&mut medium),
            Some(Fault::HalfStored) => half(&mut medium),
            Some(Fault::NotStored | Fault::Lie) => none(&mut medium),
        }
        match fault {
            None | Some(Fault::Lie) => Ok(()),
            Some(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn change(&self, operation: Operation, change: Change) -> io::Result<()> {
        let keep = |medium: &mut Medium, change: Change| {
            change.apply(&mut medium.shown);
            medium.unsynced.push(change);
        };
        let half = change.half();
        self.run(
            operation,
            |medium| keep(medium, change),
            |medium| half.into_iter().for_each(|half| keep(medium, half)),
            |_| (),
        )
    }
}

fn offset(value: u64) -> usize {
    usize::try_from(value).expect("tests are small")
}

impl Disk for Memory {
    fn length(&self) -> io::Result<u64> {
        Ok(self.medium().shown.len() as u64)
    }

    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let medium = self.medium();
        let end = at + out.len() as u64;
        if medium.unreadable_from.is_some_and(|bad| end > bad && !out.is_empty()) {
            return Err(io::Error::other("bad sector"));
        }
        let bytes = medium.shown.get(offset(at)..offset(end));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Operation::Write, Change::Write(offset(at), bytes.to_vec()))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.change(Operation::Truncate, Change::Truncate(offset(length)))
    }

    fn sync(&self) -> io::Result<()> {
        let store = |medium: &mut Medium, count: usize| {
            for change in std::mem::take(&mut medium.unsynced).iter().take(count) {
                change.apply(&mut medium.durable);
            }
        };
        self.run(
            Operation::Sync,
            |medium| store(medium, usize::MAX),
            |medium| store(medium, 1),
            |medium| store(medium, 0),
        )
    }

    fn read_mark(&self) -> io::Result<Vec<u8>> {
        let mut medium = self.medium();
        let mark = medium.mark.clone();
        if let Some(next) = medium.next_mark.take() {
            medium.mark = next;
        }
        Ok(mark)
    }

    fn stage_mark(&self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).expect("a half is inside");
        self.run(
            Operation::StageMark,
            |medium| medium.staged = bytes.to_vec(),
            |medium| medium.staged = half.to_vec(),
            |_| (),
        )
    }

    fn commit_mark(&self) -> io::Result<()> {
        let commit = |medium: &mut Medium| medium.mark = medium.staged.clone();
        self.run(Operation::CommitMark, commit, |_| (), |_| ())
    }

    fn sync_mark(&self) -> io::Result<()> {
        let sync = |medium: &mut Medium| medium.durable_mark = medium.mark.clone();
        self.run(Operation::SyncMark, sync, |_| (), |_| ())
    }
}

/// The operations of an append, in order.
const APPEND: [Operation; 6] = [
    Operation::StageMark,
    Operation::Write,
    Operation::Write,
    Operation::Sync,
    Operation::CommitMark,
    Operation::SyncMark,
];

const FAILURES: [Fault; 3] = [Fault::NotStored, Fault::HalfStored, Fault::Stored];
const ENDS: [End; 4] = [End::Killed, End::PowerLost, End::PowerLostLate, End::PowerLostOutOfOrder];

fn memory() -> Memory {
    Memory::holding(&last(&HISTORY))
}

fn open_on(memory: &Memory) -> Result<Embedded, OpenError> {
    Embedded::open_on(Box::new(memory.clone())).map(|opened| opened.store)
}

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

// ------------------------------------------------------------------ processes of their own

/// Where a process of its own finds its register.
const REGISTER: &str = "CLEARLIST_TEST_REGISTER";

fn register() -> PathBuf {
    env::var_os(REGISTER).expect("this is run by another test").into()
}

/// One test of this program, as arguments of the program.
fn alone(test: &str) -> [String; 4] {
    [test, "--exact", "--ignored", "--nocapture"].map(str::to_owned)
}

fn this_program() -> PathBuf {
    env::current_exe().expect("a running program has a file")
}

/// Different for each number, some of them long.
fn body_of(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 7919 % 30_000).expect("it is small");
    number.to_be_bytes().into_iter().cycle().take(length).collect()
}

/// The numbers a process says, until it ends.
fn numbers(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    // A line that was cut by the end has no newline, and may have lost digits: a line ends in !.
    let line = |line: String| line.strip_prefix("stored ")?.strip_suffix('!')?.parse().ok();
    lines.map_while(Result::ok).filter_map(line)
}

#[test]
#[ignore = "run by nothing_acknowledged_is_lost_when_the_process_is_killed"]
fn process_that_appends_until_it_is_killed() {
    let store = Embedded::open(&register()).expect("what a kill leaves is opened").store;
    for size in store.size().. {
        store.append(size, &body_of(size + 1)).expect("the size is right");
        println!("stored {}!", size + 1);
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let place = directory();
    Embedded::create(place.path(), b"genesis").expect("the directory is empty");
    let mut size = 0;
    for round in 0_usize..50 {
        let mut child = Command::new(this_program())
            .args(alone("process_that_appends_until_it_is_killed"))
            .env(REGISTER, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test program runs");
        let mut numbers = numbers(&mut child);
        let first = numbers.by_ref().nth(round % 5).expect("it appends until it is killed");
        if round == 0 {
            assert!(matches!(Embedded::open(place.path()), Err(OpenError::Locked)));
            let reader = Embedded::open_read_only(place.path()).expect("it is whole");
            assert!(reader.size() >= first);
        }
        // At another point of an append each time.
        (0..round * 2_000).for_each(|_| std::hint::spin_loop());
        child.kill().expect("it runs");
        let acknowledged = numbers.last().unwrap_or(first);
        child.wait().expect("it was killed");

        let opened = Embedded::open(place.path()).expect("what a kill leaves is opened");
        let found = opened.store.size();
        assert!(found >= acknowledged && acknowledged > size, "{found} of {acknowledged}");
        assert!(found <= acknowledged + 1, "{found}: more than one was not acknowledged");
        for number in size + 1..=found {
            assert_eq!(opened.store.read(number).expect("it is whole"), body_of(number));
        }
        size = found;
    }
}

#[test]
#[ignore = "run by a_full_disk_refuses_and_loses_nothing"]
fn process_that_may_not_write_long_files() {
    let store = Embedded::open(&register()).expect("it is new").store;
    let refused = (0..).find_map(|size| store.append(size, &[7; 1000]).err());
    let refused = refused.expect("the disk is full at last");
    assert!(matches!(refused, AppendError::NotStored { .. }), "{refused}");
    let size = store.size();
    let again = store.append(size, &[7; 1000]);
    assert!(matches!(again, Err(AppendError::NotStored { .. })), "{again:?}");
    assert_eq!(store.read(size).expect("it was acknowledged"), [7; 1000]);
    let long = store.append(size, &vec![7; 10_000_000]);
    assert!(matches!(long, Err(AppendError::NotStored { .. })), "{long:?}");
    println!("stored {size}!");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let place = directory();
    Embedded::create(place.path(), b"genesis").expect("the directory is empty");
    // A file that may not grow fails as on a full disk: part of it is written, then an error.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""])
        .arg(this_program())
        .args(alone("process_that_may_not_write_long_files"))
        .env(REGISTER, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let said: Vec<u64> = numbers(&mut child).collect();
    assert!(child.wait().expect("it ends").success());
    let opened = Embedded::open(place.path()).expect("it is whole");
    assert_eq!(opened.cut_bytes, 0, "a refused append was not undone");
    assert_eq!(said, [opened.store.size()]);
    assert!(opened.store.size() > 10);
    opened.store.append(opened.store.size(), &[7; 1000]).expect("there is room again");
}

#[test]
#[ignore = "takes long without optimisation"]
fn a_body_at_the_limit_is_read_back() {
    let place = directory();
    let body = vec![7; BODY_BYTES_MAX];
    embedded(place.path()).append(0, &body).expect("it is not over the limit");
    assert!(embedded(place.path()).read(1).expect("it was acknowledged") == body);
}
