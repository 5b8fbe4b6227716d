//! Registers that the program refuses to serve: which statement or file, why, exit code 3, and
//! not a byte changed by the attempt.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use clearlist::grpc::proto::v1;
use clearlist::server;
use clearlist::service::intake::{Submission, accept};
use clearlist::store::Store;
use clearlist::store::embedded::Embedded;
use tempfile::TempDir;

use super::calls;
use super::lists;
use super::submitters::Dice;
use super::support::ceremony::{Keys, Place, policy_change, propose, suspension};
use super::support::server::{Launched, Server};

/// Files of a register directory, by name; a directory has no bytes.
type Files = BTreeMap<String, Option<Vec<u8>>>;

fn files_in(directory: &Path) -> Files {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("the name is text");
        let is_file = entry.file_type().expect("it has a type").is_file();
        (name, is_file.then(|| fs::read(entry.path()).expect("the file can be read")))
    };
    entries.map(|entry| read(entry.expect("the directory can be listed"))).collect()
}

fn write(directory: &Path, files: &Files) {
    fs::create_dir_all(directory).expect("a directory can be made");
    for (name, bytes) in files {
        // The service's keys and the decision log lie beside the register, and are no part of it.
        let Some(bytes) = bytes else { continue };
        fs::write(directory.join(name), bytes).expect("a file can be written");
    }
}

/// A directory with these files in it.
fn holding(files: &Files) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory can be made");
    write(directory.path(), files);
    directory
}

/// What the program says when it refuses to serve a directory.
fn refusal(directory: &Path) -> String {
    let before = directory.exists().then(|| files_in(directory));
    let ended = match Launched::on(directory).listening() {
        Err(ended) => ended,
        Ok(server) => {
            server.kill();
            panic!("a register that is not what it was is served");
        }
    };
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    let after = directory.exists().then(|| files_in(directory));
    assert_eq!(before, after, "refusing changed something: {}", ended.said);
    let place = directory.display().to_string();
    assert!(ended.said.contains(&place), "{} should say {place}", ended.said);
    assert!(ended.said.starts_with("clearlist: "), "{}", ended.said);
    ended.said
}

/// As [`refusal`], of files.
fn refusal_of(files: &Files) -> String {
    refusal(holding(files).path())
}

/// The files of a register after each of its statements: revisions, a suspension, a policy
/// change. Each of another generation is another register from its first policy on.
fn history(generation: u8) -> Vec<Files> {
    let (now, next) = (Keys::new(generation), Keys::new(generation + 2));
    let directory = tempfile::tempdir().expect("a directory can be made");
    let register = directory.path().join("register");
    clearlist::service::opening::make(&register, &now.policy()).expect("a register");
    let mut history = Vec::new();
    for number in 1..=6 {
        let running = clearlist::service::opening::open(&register, server::now(), |_, _| ());
        let running = running.expect("a good register");
        let before = &running.published().register;
        let list = lists::variant(number);
        let mut signers = now.quorum();
        let (statement, list) = match number {
            3 => (suspension(before, &["R1", "R5"]), None),
            6 => {
                signers.extend(next.quorum().into_iter().skip(1));
                (policy_change(before, &next.policy()), None)
            }
            _ => {
                let revision = super::support::ceremony::revision(before, &list);
                (clearlist::register::statement::Statement::Revision(revision), Some(list))
            }
        };
        let v1::Proposal { statement, checkpoint, .. } =
            propose(before, &statement, list.as_ref(), &signers);
        let submission =
            Submission { statement: statement.into(), checkpoint: checkpoint.into(), list };
        accept(&running, submission, server::now()).expect("an accepted statement");
        history.push(files_in(&register));
    }
    history
}

static OURS: LazyLock<Vec<Files>> = LazyLock::new(|| history(1));

/// The files of a history after `size` statements.
fn after(history: &[Files], size: usize) -> &Files {
    history.get(size - 1).expect("it has as many")
}

fn now() -> &'static Files {
    OURS.last().expect("it has statements")
}

fn bytes<'a>(files: &'a Files, name: &str) -> &'a [u8] {
    files.get(name).and_then(Option::as_deref).expect("a register has the file")
}

/// One file of each.
fn mixed(statements: &Files, mark: &Files) -> Files {
    let mut files = statements.clone();
    files.insert("high-water".into(), Some(bytes(mark, "high-water").to_vec()));
    files
}

/// Which statement a byte of the file belongs to: 0 is the genesis; `None` for the first line.
fn statement_at(statements: &[u8], at: usize) -> Option<u64> {
    let mut begin = 22;
    let mut number = None;
    while begin <= at {
        let length = statements.get(begin..begin + 8).expect("a frame has a length");
        let length = u64::from_be_bytes(length.try_into().expect("8 bytes"));
        begin += 40 + usize::try_from(length).expect("it is small");
        number = Some(number.map_or(0, |number| number + 1));
    }
    number
}

#[test]
fn a_file_of_an_earlier_day_or_of_another_register_is_refused() {
    let (ours, now, theirs) = (&*OURS, now(), history(2));
    let theirs_now = theirs.last().expect("it has statements");
    let cases = [
        ("older statements", mixed(after(ours, 4), now), "holds 4 statements and served 6 before"),
        ("by one", mixed(after(ours, 5), now), "statement 6 is missing"),
        ("to the first", mixed(after(ours, 1), now), "statement 2 is missing"),
        ("an older mark", mixed(now, after(ours, 4)), "it counts 4 statements"),
        ("another's statements", mixed(theirs_now, now), "another one, or was rewritten"),
        ("another's mark", mixed(now, theirs_now), "another one, or was rewritten"),
        ("another's, shorter", mixed(after(&theirs, 3), now), "statement 4 is missing"),
        ("another's mark, earlier", mixed(now, after(&theirs, 3)), "at or before statement 3"),
    ];
    for (case, files, says) in cases {
        let said = refusal_of(&files);
        assert!(said.contains(says), "{case}: {said} should say {says:?}");
    }
}

#[test]
fn one_changed_byte_anywhere_is_refused_with_its_statement_or_its_file() {
    const SEED: u64 = 11;
    let mut dice = Dice(SEED);
    let whole = now();
    let directory = holding(whole);
    let mut change = |name: &str, at: usize| {
        let mut bytes = bytes(whole, name).to_vec();
        let byte = bytes.get_mut(at).expect("it is inside");
        *byte ^= u8::try_from(1 + dice.below(255)).expect("it is small");
        fs::write(directory.path().join(name), bytes).expect("a file can be written");
        let said = refusal(directory.path());
        write(directory.path(), whole);
        said
    };
    let statements = bytes(whole, "statements");
    let spread = (0..46).map(|nth| nth * (statements.len() - 1) / 45);
    // The first line, the length and the chain value of the genesis, and a body.
    for at in spread.chain([1, 21, 22, 29, 30, 61, 62]) {
        let said = change("statements", at);
        let says = match statement_at(statements, at) {
            None => "`statements` does not begin as a register does".into(),
            Some(number) => format!("statement {number}, at byte "),
        };
        assert!(said.contains(&says), "byte {at} of seed {SEED}: {said} should say {says:?}");
    }
    let mark = bytes(whole, "high-water");
    for at in (0..15).map(|nth| nth * (mark.len() - 1) / 14) {
        let said = change("high-water", at);
        let told = ["`high-water` is damaged", "is missing", "another one, or was rewritten"];
        let told = told.iter().any(|says| said.contains(says));
        assert!(told, "byte {at} of the mark, seed {SEED}: {said}");
    }
    Server::start(directory.path()).kill();
}

#[test]
fn a_file_that_is_missing_or_cannot_be_written_is_refused_by_name() {
    for name in ["statements", "high-water"] {
        let mut files = now().clone();
        files.remove(name);
        let said = refusal_of(&files);
        assert!(said.contains(&format!("the file `{name}` is missing")), "{said}");
    }
    let nowhere = tempfile::tempdir().expect("a directory can be made").path().join("nowhere");
    assert!(refusal(&nowhere).contains("`statements` is missing"));
    assert!(!nowhere.exists());

    // Where a directory is, no file can be made or written, by nobody.
    let mut files = now().clone();
    files.remove("lock");
    let directory = holding(&files);
    fs::create_dir(directory.path().join("lock")).expect("a directory can be made");
    assert!(refusal(directory.path()).contains("lock the register"));
}

#[test]
fn cut_short_a_register_is_refused_with_the_statement_that_is_not_whole() {
    let whole = now();
    let statements = bytes(whole, "statements");
    for nth in 1..8 {
        let length = nth * statements.len() / 8;
        let mut files = whole.clone();
        let short = statements.get(..length).expect("it is inside").to_vec();
        files.insert("statements".into(), Some(short));
        let number = statement_at(statements, length).expect("it is behind the first line");
        let said = refusal_of(&files);
        assert!(said.contains(&format!("statement {number}, at byte ")), "{length}: {said}");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_register_is_refused_and_the_first_goes_on() {
    let place = Place::with(&lists::variant(1));
    let first = Server::start(&place.register());
    let channel = first.connect().await;
    for _attempt in 0..3 {
        let said = refusal(&place.register());
        assert!(said.contains("another process has the register open for writing"), "{said}");
        let answer = calls::check(&channel, lists::question(0)).await;
        assert!(answer.is_ok(), "the first goes on: {answer:?}");
    }
    // A server that was killed leaves nothing that would keep the next from starting.
    first.kill();
    Server::start(&place.register()).kill();
}

/// Bodies of a register, the genesis first.
fn bodies_of(files: &Files) -> Vec<Vec<u8>> {
    let directory = holding(files);
    let store = Embedded::open_read_only(directory.path()).expect("a good register");
    let bodies = (1..=store.size()).map(|number| store.read(number).expect("it is whole"));
    [store.genesis().expect("it is whole")].into_iter().chain(bodies).collect()
}

/// A register of these bodies in which every hash is right: what somebody can make who can
/// write the files and cannot sign.
fn forged(bodies: &[Vec<u8>]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (genesis, bodies) = bodies.split_first().expect("a register has a genesis");
    Embedded::create(directory.path(), genesis).expect("the directory is empty");
    let store = Embedded::open(directory.path()).expect("it is new").store;
    for (size, body) in (0..).zip(bodies) {
        store.append(size, body).expect("the size is right");
    }
    directory
}

fn replaced(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(body).expect("a stored statement is text");
    assert!(text.contains(from), "there is no {from:?} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_register_forged_with_all_its_hashes_right_is_refused_with_the_statement_nobody_signed() {
    type Forge = fn(&mut Vec<Vec<u8>>);
    let cases: [(&str, Forge, &str); 9] = [
        (
            "a row of a list changed",
            |bodies| bodies[2] = replaced(&bodies[2], "\"variant 2\"", "\"variant 9\""),
            "statement 2 is not what was signed: the list is not the one",
        ),
        (
            "a statement changed",
            |bodies| bodies[3] = replaced(&bodies[3], "\"R1\"", "\"R2\""),
            "statement 3 is not what was signed: ",
        ),
        (
            "two exchanged",
            |bodies| bodies.swap(4, 5),
            "statement 4 is not what was signed: it proposes statement 5",
        ),
        (
            "one left out",
            |bodies| drop(bodies.remove(2)),
            "statement 2 is not what was signed: it proposes statement 3",
        ),
        (
            "one there twice",
            |bodies| bodies.insert(3, bodies[2].clone()),
            "statement 3 is not what was signed: it proposes statement 2",
        ),
        (
            "accepted after it expired",
            |bodies| bodies[2] = replaced(&bodies[2], "accepted 20", "accepted 29"),
            "statement 2 is not what was signed: it expired at",
        ),
        (
            "something else at the end",
            |bodies| bodies.push(b"what is this".to_vec()),
            "statement 7 is stored in a form this program does not know",
        ),
        (
            "the policy of others at the beginning",
            |bodies| bodies[0] = Keys::new(2).policy().into_bytes(),
            "statement 1 is not what was signed: ",
        ),
        (
            "no policy at the beginning",
            |bodies| bodies[0] = b"quorum nobody\n".to_vec(),
            "the register's first policy cannot be read",
        ),
    ];
    let bodies = bodies_of(now());
    Server::start(forged(&bodies).path()).kill();
    for (case, forge, says) in cases {
        let mut bodies = bodies.clone();
        forge(&mut bodies);
        let said = refusal(forged(&bodies).path());
        assert!(said.contains(says), "{case}: {said} should say {says:?}");
    }
}
