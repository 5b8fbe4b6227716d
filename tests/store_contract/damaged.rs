//! Files that were changed, cut off, exchanged or lost: opened if a crash may leave them so,
//! refused by number otherwise, and changed by no refusal.

use std::fs;

use clearlist::store::embedded::{Embedded, OpenError};
use clearlist::store::{ReadError, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::faulty_disk::Memory;
use super::files::{BODIES, Files, HISTORY, ends, last};
use super::{bodies, directory};

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
