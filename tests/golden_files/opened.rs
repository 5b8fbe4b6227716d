//! The golden register opens long after all of it has expired, and says and proves what it did.

use std::process::{Command, Stdio};

use clearlist::register::record::ListHeads;
use clearlist::register::statement::to_hex;
use clearlist::service::opening;
use clearlist::service::replay::Replayed;

use super::files::{bytes, golden, list, text};
use super::making::{frames_text, register_tree_text};
use super::register::{Keys, ORIGIN, at, steps};

#[test]
fn the_register_replays_long_after_all_of_it_has_expired() {
    let (store, replayed) =
        opening::read(&golden().join("register"), |_, _| ()).expect("the register opens");
    let Replayed { register, newest, checkpoint } = replayed;
    assert_eq!((register.origin(), register.size()), (ORIGIN, 4));
    assert_eq!(register_tree_text(&register), text("register-tree.txt"));
    assert_eq!(
        to_hex(&register.head().root),
        "bfcb40171468602a40d3aa280032afa4e9cd83c7ed4cd907c5256a1d152ca10d"
    );
    assert_eq!(checkpoint, bytes("checkpoint-4.txt"));
    assert_eq!(register.policy().text(), text("policy-2.txt"));
    let newest = newest.expect("a list");
    assert_eq!(ListHeads::of(&newest), ListHeads::of(&list("list-2")));
    for (step, accepted) in steps(&Keys::new()).iter().zip(register.statements()) {
        assert_eq!(accepted.statement, step.statement);
        assert_eq!(accepted.accept_time, at(step.accepted));
    }
    assert_eq!(store.read(4).expect("it is there"), bytes("stored-4.txt"));
    assert_eq!(frames_text(&bytes("register/statements")), text("frames.txt"));
}

#[test]
fn the_register_says_what_is_in_force_when() {
    let (_, Replayed { register, .. }) =
        opening::read(&golden().join("register"), |_, _| ()).expect("the register opens");
    // The instant, the statements known, the number that answers, whether it has expired.
    let cases = [
        ("2025-12-31T23:59:59Z", 4, None),
        ("2026-01-01T00:00:00Z", 4, Some((1, false))),
        ("2026-02-28T23:59:59Z", 4, Some((1, false))),
        ("2026-03-01T00:00:00Z", 4, Some((3, false))),
        ("2026-03-01T00:00:00Z", 2, Some((1, false))),
        ("2026-04-01T00:00:00Z", 4, Some((4, false))),
        ("2026-04-01T00:00:00Z", 3, Some((3, false))),
        ("2026-07-01T00:00:00Z", 3, Some((3, true))),
        ("2026-09-30T23:59:59Z", 4, Some((4, false))),
        ("2026-10-01T00:00:00Z", 4, Some((4, true))),
    ];
    for (instant, known, expected) in cases {
        let found = register.in_force(at(instant), known);
        let found = found.map(|found| (found.number, found.revision.expires <= at(instant)));
        assert_eq!(found, expected, "{instant} known {known}");
    }
}

#[test]
fn the_register_is_verified_against_what_somebody_knows_of_it() {
    let verified = |rest: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        command.current_dir(golden()).args(["register", "verify", "--register", "register"]);
        command.args(rest).stdin(Stdio::null()).output().expect("the program starts").status.code()
    };
    // Each policy that was ever in force is known to somebody; one is in force.
    let cases: [(&[&str], i32); 6] = [
        (&[], 0),
        (&["--policy", "policy-2.txt"], 0),
        (&["--policy", "policy-1.txt"], 1),
        (&["--policy", "policy-2.txt", "--checkpoint", "checkpoint-1.txt"], 0),
        (&["--checkpoint", "checkpoint-3.txt"], 0),
        (&["--checkpoint", "policy-1.txt"], 2),
    ];
    for (rest, code) in cases {
        assert_eq!(verified(rest), Some(code), "{rest:?}");
    }
}
