//! Processes of their own: one that is killed while it appends, one whose disk is full.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clearlist::store::embedded::{Embedded, OpenError};
use clearlist::store::{AppendError, Store};

use super::{body_of, directory};

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
            .args(alone("processes::process_that_appends_until_it_is_killed"))
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
        .args(alone("processes::process_that_may_not_write_long_files"))
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
