//! The log's files: their modes, when one ends and the next begins, how long they are kept, and
//! what becomes of such as cannot be used.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use clearlist::domain::clearance::Verdict;
use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::register::decision_text::{Asked, Compared, DecisionText, Source};
use clearlist::server;
use clearlist::service::decisions::reading::Filter;
use clearlist::service::decisions::{
    Answered, DecisionLog, DecisionSettings, Mode, OpenLogError, SEGMENT_BYTES_MIN,
};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::asking::{check, counts, log_of, logged, logged_with, place, question};
use super::support::server::{Launched, Server};
use super::support::{CODE, OWNER};

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn record(decide_time: Timestamp, id: &str) -> Answered {
    let mut answered = Answered::new(&DecisionText {
        origin: "register.example/white-list".into(),
        question: Asked {
            correlation_id: id.into(),
            specification: noise(id, 2_000).into(),
            ..Asked::default()
        },
        compared: Compared {
            end_user_uscc: OWNER.into(),
            hs_code: CODE.into(),
            ..Compared::default()
        },
        verdict: Verdict::Listed,
        reasons: Vec::new(),
        matches: Vec::new(),
        candidates: Vec::new(),
        declaration_date: date(2026, 3, 1),
        source: Source { known: 1, revision: 1, list_root: [0; 32] },
        normal_form_version: NORMAL_FORM_VERSION,
        decide_time,
    });
    answered.set_caller("caller");
    answered
}

/// A text that cannot be packed, another one for each name.
fn noise(name: &str, length: usize) -> String {
    let mut state =
        name.bytes().fold(1_u64, |state, byte| state.wrapping_mul(257) + u64::from(byte));
    let mut letter = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from(state >> 58).expect("six bits"))
    };
    (0..length).map(|_nth| letter()).collect()
}

fn open(log: &Path, settings: DecisionSettings) -> DecisionLog {
    DecisionLog::open(log, settings, server::now).expect("the log opens")
}

/// Names of the files that end so.
fn names(log: &Path, suffix: &str) -> Vec<String> {
    let files = fs::read_dir(log).expect("the directory is there");
    let name = |file: std::io::Result<fs::DirEntry>| {
        file.expect("it can be listed").file_name().into_string().expect("a name in ASCII")
    };
    let mut names: Vec<String> = files.map(name).filter(|name| name.ends_with(suffix)).collect();
    names.sort();
    names
}

/// Waits for what another thread does.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn directory_and_files_are_private_whatever_the_umask() {
    let place = place();
    let mut command = Command::new("bash");
    command
        .args(["-c", "umask 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_clearlist"), "serve"])
        .args(["--listen", "127.0.0.1:0", "--register"])
        .arg(place.register())
        .env("LANG", "C");
    let server = Launched::run(command).listening().expect("it starts");
    check(&server.connect().await, question("1")).await.expect("an answer");
    let mode =
        |path: PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let log = log_of(&place);
    assert_eq!(mode(log.clone()), 0o700);
    let files = names(&log, "");
    for suffix in [".sqlite", ".sqlite-wal", ".sqlite-shm", "lock"] {
        assert!(files.iter().any(|name| name.ends_with(suffix)), "{suffix}: {files:?}");
    }
    for file in files {
        assert_eq!(mode(log.join(&file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_directory_that_was_open_to_others_is_closed_to_them() {
    let log = directory();
    fs::set_permissions(log.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    open(log.path(), DecisionSettings::default()).close();
    let mode = fs::metadata(log.path()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_full_file_is_closed_and_the_next_begun_and_nothing_is_lost_or_twice() {
    let log = directory();
    let settings =
        DecisionSettings { segment_bytes_max: SEGMENT_BYTES_MIN, ..DecisionSettings::default() };
    let decisions = open(log.path(), settings);
    for nth in 0..40 {
        let now = server::now();
        let records: Vec<Answered> = (0..50).map(|n| record(now, &format!("{nth}-{n}"))).collect();
        decisions.submit(&records).await.expect("it is logged");
        assert_eq!(logged(log.path()).len(), (nth + 1) * 50);
    }
    let figures = decisions.figures();
    assert_eq!((figures.records, figures.groups, figures.queued), (2_000, 40, 0));
    decisions.close();
    let segments = names(log.path(), ".sqlite");
    assert!((4..=6).contains(&segments.len()), "4 MB in files of 1 MiB: {segments:?}");
    assert!(segments[0].starts_with("00000001-"), "{segments:?}");
    for name in &segments {
        let bytes = fs::metadata(log.path().join(name)).expect("it is there").len();
        assert!(bytes < SEGMENT_BYTES_MIN + 200_000, "{name}: {bytes}");
    }
    assert_eq!(names(log.path(), "-wal"), Vec::<String>::new(), "closed files are whole");
    let counts = counts(log.path());
    assert_eq!(counts.len(), 2_000);
    assert!(counts.values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_file_that_was_read_when_it_was_to_be_closed_is_closed_at_the_end() {
    let log = directory();
    let settings =
        DecisionSettings { segment_bytes_max: SEGMENT_BYTES_MIN, ..DecisionSettings::default() };
    let decisions = open(log.path(), settings);
    let mut reader = None;
    while names(log.path(), ".sqlite").len() < 2 {
        let now = server::now();
        let records: Vec<Answered> = (0..50).map(|n| record(now, &n.to_string())).collect();
        decisions.submit(&records).await.expect("it is logged");
        reader.get_or_insert_with(|| {
            let first = log.path().join(&names(log.path(), ".sqlite")[0]);
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let reader = rusqlite::Connection::open_with_flags(first, flags).expect("it is there");
            let groups = reader.query_row("SELECT count(*) FROM groups", [], |row| row.get(0));
            assert_eq!(groups, Ok(1));
            reader
        });
    }
    // Long enough to try; while it is read it cannot be closed.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(names(log.path(), "-wal").len(), 2);
    drop(reader);
    decisions.close();
    assert_eq!(names(log.path(), "-wal"), Vec::<String>::new(), "closed files are whole");
}

#[tokio::test]
async fn many_who_wait_share_a_transaction() {
    let log = directory();
    let decisions = open(log.path(), DecisionSettings::default());
    let tickets: Vec<_> = (0..2_000)
        .map(|nth| decisions.submit(&[record(server::now(), &nth.to_string())]))
        .collect();
    for ticket in tickets {
        ticket.await.expect("it is logged");
    }
    let figures = decisions.figures();
    assert_eq!(figures.records, 2_000);
    assert!(figures.groups < 500, "{figures:?}");
}

#[tokio::test]
async fn each_month_has_files_of_its_own_and_ids_are_times() {
    let log = directory();
    let decisions = open(log.path(), DecisionSettings::default());
    // The month ends in Shanghai, at 16:00 UTC.
    let times = ["2026-03-31T15:59:59Z", "2026-03-31T16:00:00Z", "2026-03-31T16:00:00Z"].map(at);
    for (nth, time) in times.into_iter().enumerate() {
        decisions.submit(&[record(time, &nth.to_string())]).await.expect("it is logged");
    }
    let found = logged(log.path());
    let ids: Vec<i64> = found.iter().map(|found| found.id).collect();
    let [march, april, _] = times.map(Timestamp::as_microsecond);
    assert_eq!(ids, [march, april, april + 1]);
    assert_ne!(found[0].segment, found[1].segment);
    assert_eq!(found[1].segment, found[2].segment);
}

#[tokio::test]
async fn answers_are_found_by_time_after_the_clock_was_set_back() {
    let log = directory();
    let decisions = open(log.path(), DecisionSettings::default());
    let times = [
        "2026-03-10T12:00:00Z", // a clock that is two days ahead
        "2026-03-10T12:00:01Z",
        "2026-03-08T12:00:00Z",
        "2026-03-08T12:30:00Z",
        "2026-03-08T12:00:30Z", // and half an hour
        "2026-03-08T12:31:00Z",
    ];
    for time in times {
        decisions.submit(&[record(at(time), time)]).await.expect("it is logged");
    }
    assert_eq!(logged(log.path()).len(), times.len());
    for (from, until) in [(0, 10), (7, 9), (9, 11), (0, 9)] {
        let day =
            |day: i64| at("2026-03-01T00:00:00Z") + SignedDuration::from_hours(24 * (day - 1));
        let (from, until) = (day(from.max(1)), day(until));
        let filter = Filter { from: Some(from), until: Some(until), ..Filter::default() };
        let mut found: Vec<String> =
            logged_with(log.path(), &filter).into_iter().map(|l| l.correlation_id).collect();
        found.sort_unstable();
        let mut expected: Vec<&str> =
            times.into_iter().filter(|t| (from..until).contains(&at(t))).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{from} to {until}");
    }
    let minute = Filter {
        from: Some(at("2026-03-08T12:00:00Z")),
        until: Some(at("2026-03-08T12:01:00Z")),
        ..Filter::default()
    };
    assert_eq!(logged_with(log.path(), &minute).len(), 2);
}

#[tokio::test]
async fn a_file_is_deleted_once_its_newest_answer_is_past_the_retention() {
    static SECOND: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_second(SECOND.load(Ordering::SeqCst)).expect("a time")
    }
    let set = |time: &str| SECOND.store(at(time).as_second(), Ordering::SeqCst);
    let log = directory();
    let settings = DecisionSettings {
        retention: SignedDuration::from_hours(24 * 40),
        ..DecisionSettings::default()
    };
    let start = || DecisionLog::open(log.path(), settings, clock).expect("the log opens");
    let months = ["2026-01-20T00:00:00Z", "2026-02-20T00:00:00Z", "2026-03-20T00:00:00Z"];
    set(months[2]);
    let decisions = start();
    for time in months {
        decisions.submit(&[record(at(time), time)]).await.expect("it is logged");
    }
    // January is 59 days old, and was looked at when March was begun.
    until("January is deleted", || names(log.path(), ".sqlite").len() == 2);
    decisions.close();
    assert_eq!(logged(log.path()).len(), 2);
    // 40 days after February's last answer it is kept, a second later it is not.
    for (now, kept) in [("2026-04-01T00:00:00Z", 2), ("2026-04-01T00:00:01Z", 1)] {
        set(now);
        let decisions = start();
        decisions.close();
        assert_eq!(names(log.path(), ".sqlite").len(), kept, "{now}");
    }
    // The newest is in use, and stays however old it is.
    set("2030-01-01T00:00:00Z");
    start().close();
    assert_eq!(logged(log.path()).len(), 1);
}

#[tokio::test]
async fn a_damaged_newest_file_is_kept_under_another_name_and_answers_go_on() {
    for (nth, damage) in ["no database", "cut in half", "another table"].into_iter().enumerate() {
        let log = directory();
        let decisions = open(log.path(), DecisionSettings::default());
        let records: Vec<Answered> =
            (0..100).map(|n| record(server::now(), &n.to_string())).collect();
        decisions.submit(&records).await.expect("it is logged");
        decisions.close();
        let newest = log.path().join(&names(log.path(), ".sqlite")[0]);
        match nth {
            0 => fs::write(&newest, "not a database, and long enough for a header".repeat(9)),
            1 => {
                let bytes = fs::read(&newest).expect("it can be read");
                fs::write(&newest, &bytes[..bytes.len() / 2])
            }
            _ => {
                let connection = rusqlite::Connection::open(&newest).expect("a database");
                connection.execute_batch("ALTER TABLE groups RENAME TO other").expect("renamed");
                Ok(())
            }
        }
        .expect("it can be written");
        let before = fs::read(&newest).expect("it can be read");
        let decisions = open(log.path(), DecisionSettings::default());
        let stored = decisions.submit(&[record(server::now(), "after")]).await;
        // Damage that shows only when it is written to costs one answer, which is refused.
        if stored.is_err() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            decisions.submit(&[record(server::now(), "after")]).await.expect("it is logged");
        }
        decisions.close();
        let aside = names(log.path(), ".sqlite.damaged");
        assert_eq!(aside.len(), 1, "{damage}");
        assert_eq!(fs::read(log.path().join(&aside[0])).expect("it is there"), before, "{damage}");
        let segments = names(log.path(), ".sqlite");
        assert_eq!(segments.len(), 1, "{damage}");
        assert!(segments[0].starts_with("00000002-"), "{damage}: {segments:?}");
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_and_not_touched() {
    let log = directory();
    open(log.path(), DecisionSettings::default()).close();
    let newest = log.path().join(&names(log.path(), ".sqlite")[0]);
    let connection = rusqlite::Connection::open(&newest).expect("a database");
    connection.execute_batch("PRAGMA user_version = 4").expect("it is ours");
    drop(connection);
    let opened = DecisionLog::open(log.path(), DecisionSettings::default(), server::now);
    assert!(matches!(opened, Err(OpenLogError::Newer { version: 4, .. })), "{opened:?}");
    assert_eq!(names(log.path(), ".sqlite").len(), 1);
}

#[tokio::test]
async fn a_file_of_the_format_before_is_read_and_takes_no_more() {
    // Before its retention ends.
    fn clock() -> Timestamp {
        at("2026-11-24T00:00:00Z")
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/decisions-2");
    let log = directory();
    let before = &names(&golden, ".sqlite")[0];
    fs::copy(golden.join(before), log.path().join(before)).expect("it can be copied");
    let decisions = DecisionLog::open(log.path(), DecisionSettings::default(), clock);
    let decisions = decisions.expect("the log opens");
    for id in ["one", "two"] {
        decisions.submit(&[record(clock(), id)]).await.expect("it is logged");
    }
    decisions.close();
    let found = logged(log.path());
    let segment = |nth: usize| &*found[nth].segment;
    assert_eq!(found.len(), 7);
    assert!((0..5).all(|nth| segment(nth) == before), "{found:?}");
    assert_eq!(segment(5), segment(6));
    assert!(segment(5).starts_with("00000002-"), "{found:?}");
    assert_eq!(names(log.path(), ".sqlite").len(), 2);
}

#[tokio::test]
async fn two_do_not_write_to_one_log() {
    let log = directory();
    let first = open(log.path(), DecisionSettings::default());
    let second = DecisionLog::open(log.path(), DecisionSettings::default(), server::now);
    assert!(matches!(second, Err(OpenLogError::Locked)), "{second:?}");
    first.close();
    open(log.path(), DecisionSettings::default()).close();
}

#[tokio::test]
async fn a_file_that_is_deleted_under_the_server_is_noticed_and_another_begun() {
    let log = directory();
    let decisions = open(log.path(), DecisionSettings::default());
    decisions.submit(&[record(server::now(), "gone")]).await.expect("it is logged");
    for name in names(log.path(), "") {
        if name != "lock" {
            fs::remove_file(log.path().join(name)).expect("it is there");
        }
    }
    decisions.submit(&[record(server::now(), "kept")]).await.expect("it is logged");
    let found = logged(log.path());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].correlation_id, "kept");
    assert!(found[0].segment.starts_with("00000001-") || found[0].segment.starts_with("00000002-"));
}

#[tokio::test]
async fn a_log_that_is_closed_takes_nothing() {
    for mode in [Mode::Required, Mode::BestEffort] {
        let log = directory();
        let decisions = open(log.path(), DecisionSettings { mode, ..DecisionSettings::default() });
        decisions.close();
        let told = decisions.submit(&[record(server::now(), "late")]).await;
        assert_eq!(told.is_ok(), mode == Mode::BestEffort);
        let figures = decisions.figures();
        let expected = if mode == Mode::BestEffort { (1, 0) } else { (0, 1) };
        assert_eq!((figures.lost, figures.refused), expected);
        assert_eq!(logged(log.path()).len(), 0);
    }
}

#[tokio::test]
async fn a_server_that_was_killed_goes_on_with_the_same_file() {
    let place = place();
    for nth in 0..3 {
        let server = Server::start(&place.register());
        check(&server.connect().await, question(&nth.to_string())).await.expect("an answer");
        server.kill();
    }
    assert_eq!(names(&log_of(&place), ".sqlite").len(), 1);
    assert_eq!(logged(&log_of(&place)).len(), 3);
}
