//! Golden files: what was once signed and stored is read for ever and means what it meant, and
//! docs/formats.md quotes it to the byte.
//!
//! `cargo test --test golden -- --ignored` writes `tests/golden/` anew. A change of its files is
//! a change of a format: other implementations and stored registers depend on them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clearlist::domain::clearance::{Verdict, decide};
use clearlist::domain::list::List;
use clearlist::domain::list_diff::RowKind;
use clearlist::domain::question::{Question, RawQuestion};
use clearlist::domain::shanghai;
use clearlist::formats::key_file::{self, KeyFile, Seal};
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::formats::list_records::{Delta, apply, delta};
use clearlist::formats::proposal::{Base, BaseRevision, ProposalFile, check};
use clearlist::formats::receipt as receipt_file;
use clearlist::formats::stored::Stored;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::decision_text::{Asked, DecisionText, Source};
use clearlist::register::history::Register;
use clearlist::register::merkle::leaf_hash;
use clearlist::register::note::{Note, NoteSigner, Role, VerifierKey, cosigned_message};
use clearlist::register::policy::Policy;
use clearlist::register::receipt::{Receipt, Unsigned, sign, sign_batch};
use clearlist::register::record::{ListHeads, list_tree, name_leaves, name_tree, records};
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement, to_hex,
};
use clearlist::register::tlog_proof::TlogProof;
use clearlist::service::folder;
use clearlist::service::intake::{Submission, accept};
use clearlist::service::opening;
use clearlist::service::replay::Replayed;
use clearlist::service::running::{Running, Wanted};
use clearlist::store::Store;
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Name of the register.
const ORIGIN: &str = "register.example/white-list";
/// Opens `sealed.key`.
const PASSPHRASE: &[u8] = b"golden passphrase";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(golden().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn list_files(name: &str) -> ListFiles {
    folder::read_files(&golden().join(name)).expect("the list files are there")
}

fn list(name: &str) -> List {
    list_csv::read(&list_files(name)).expect("the list lints").list
}

/// A key whose seed is one byte, 32 times.
fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

/// The log key and the agencies: the name in the policy, the key, its seed.
struct Keys {
    log: NoteSigner,
    agencies: [(&'static str, NoteSigner, u8); 4],
}

impl Keys {
    fn new() -> Self {
        let names = [("customs", 2), ("drugs", 3), ("science", 4), ("health", 5)];
        let agency = |(name, seed): (&'static str, u8)| {
            (name, signer(&format!("{name}.example"), Role::Cosigner, seed), seed)
        };
        Self { log: signer(ORIGIN, Role::Note, 1), agencies: names.map(agency) }
    }

    fn agency(&self, name: &str) -> &NoteSigner {
        let found = self.agencies.iter().find(|(known, ..)| *known == name);
        &found.expect("an agency").1
    }

    /// Two of three agencies.
    fn policy(&self, names: [&str; 3]) -> String {
        let mut out = format!("# Two of three agencies.\nlog {}\n", self.log.verifier());
        for name in names {
            writeln!(out, "witness {name} {}", self.agency(name).verifier()).expect("written");
        }
        writeln!(out, "group agencies 2 {}\nquorum agencies", names.join(" ")).expect("written");
        out
    }

    fn first_policy(&self) -> String {
        self.policy(["customs", "drugs", "science"])
    }

    fn second_policy(&self) -> String {
        self.policy(["customs", "drugs", "health"])
    }
}

/// A statement of the golden register: who cosigned it when, when it was accepted.
struct Step {
    statement: Statement,
    list: Option<&'static str>,
    cosigned: [(&'static str, &'static str); 2],
    accepted: &'static str,
}

fn revision(number: u64, list_name: &str, effective: &str, expires: &str) -> Statement {
    let heads = ListHeads::of(&list(list_name));
    Statement::Revision(RevisionStatement {
        origin: ORIGIN.into(),
        number,
        list: heads.list,
        names: heads.names,
        normal_form_version: 1,
        effective: at(effective),
        expires: at(expires),
        document: "公告1号 \"试行\"".into(),
    })
}

/// Everything the golden register was told, in order. It expired long ago, and opens.
fn steps(keys: &Keys) -> Vec<Step> {
    let policy = Statement::Policy(PolicyStatement {
        origin: ORIGIN.into(),
        number: 2,
        policy: keys.second_policy(),
        document: String::new(),
    });
    let suspension = Statement::Suspension(SuspensionStatement {
        origin: ORIGIN.into(),
        number: 3,
        entries: vec!["E-1".into()],
        enterprises: vec!["91110108EXAMPLE11C".into()],
        effective: at("2026-03-01T00:00:00Z"),
        document: "紧急通知".into(),
    });
    vec![
        Step {
            statement: revision(1, "list-1", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"),
            list: Some("list-1"),
            cosigned: [("customs", "2025-12-30T02:00:00Z"), ("drugs", "2025-12-30T03:00:00Z")],
            accepted: "2025-12-30T04:00:00Z",
        },
        Step {
            statement: policy,
            list: None,
            cosigned: [("customs", "2026-02-01T02:00:00Z"), ("drugs", "2026-02-01T03:00:00Z")],
            accepted: "2026-02-01T04:00:00Z",
        },
        Step {
            statement: suspension,
            list: None,
            cosigned: [("drugs", "2026-03-01T02:00:00Z"), ("health", "2026-03-01T03:00:00Z")],
            accepted: "2026-03-01T04:00:00Z",
        },
        Step {
            statement: revision(4, "list-2", "2026-04-01T00:00:00Z", "2026-10-01T00:00:00Z"),
            list: Some("list-2"),
            cosigned: [("customs", "2026-03-30T02:00:00Z"), ("health", "2026-03-30T03:00:00Z")],
            accepted: "2026-03-30T04:00:00Z",
        },
    ]
}

/// What the next statement is drafted on.
fn base(register: &Register, checkpoint: &[u8]) -> Base {
    let newest = register.revisions().next_back().map(|revision| BaseRevision {
        number: revision.number,
        statement: String::from_utf8(Statement::Revision(revision.clone()).to_bytes())
            .expect("UTF-8"),
        inclusion: register
            .tree()
            .inclusion(revision.number - 1, register.size())
            .expect("it is in the tree"),
        list: list_files("list-1"),
    });
    Base {
        policy: register.policy().text().to_owned(),
        size: register.size(),
        frontier: register.tree().frontier().hashes().to_vec(),
        checkpoint: String::from_utf8(checkpoint.to_vec()).expect("UTF-8"),
        newest,
    }
}

fn file_name(kind: &str, number: u64, extension: &str) -> String {
    format!("{kind}-{number}.{extension}")
}

/// Writes everything but the list folders, which are written by hand.
fn make(folder: &Path) {
    let keys = Keys::new();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("the file can be written");
    };
    write("keys.txt", keys_text(&keys).as_bytes());
    write("policy-1.txt", keys.first_policy().as_bytes());
    write("policy-2.txt", keys.second_policy().as_bytes());
    let key = keys.agency("customs");
    write("plain.key", key_file::write(key, None).expect("a key").as_bytes());
    let seal = Seal { passphrase: PASSPHRASE, salt: [0x11; 16], iv: [0x22; 16] };
    write("sealed.key", key_file::write(key, Some(&seal)).expect("a key").as_bytes());
    let first = list("list-1");
    for record in records(&first) {
        write(&format!("record-{}.json", record.key), &record.bytes);
    }
    write("list-tree.txt", list_tree_text(&first).as_bytes());
    write("name-tree.txt", name_tree_text(&first).as_bytes());

    let register = folder.join("register");
    opening::make(&register, &keys.first_policy()).expect("a register");
    for Step { statement, list, cosigned, accepted } in steps(&keys) {
        let running = opening::open(&register, at(accepted), |_, _| ()).expect("it opens");
        let published = running.published();
        let number = statement.number();
        let files = list.map(list_files);
        let base = base(&published.register, &published.checkpoint);
        let mut proposal = ProposalFile::draft(base, &statement, files, &keys.log, at(accepted))
            .expect("it can be drafted");
        let note = Note::parse(proposal.checkpoint.as_bytes()).expect("a note");
        let (_, first_time) = cosigned[0];
        write(
            &file_name("cosigned", number, "txt"),
            &cosigned_message(note.text(), at(first_time)),
        );
        for (name, time) in cosigned {
            let line = keys.agency(name).sign(note.text(), at(time));
            proposal = proposal.with_signature(line).expect("a note");
        }
        write(&file_name("statement", number, "json"), proposal.statement.as_bytes());
        write(&file_name("checkpoint", number, "txt"), proposal.checkpoint.as_bytes());
        if number == 4 {
            write("proposal.json", proposal.to_json().expect("it can be written").as_bytes());
        }
        let submission = Submission {
            statement: proposal.statement.into_bytes(),
            checkpoint: proposal.checkpoint.into_bytes(),
            list: proposal.list,
        };
        let standing = accept(&running, submission, at(accepted)).expect("it is accepted");
        assert_eq!((standing.number, standing.already), (number, false));
    }
    // Only the writer's; empty, and made again when it is missing.
    fs::remove_file(register.join("lock")).expect("the lock can be removed");
    // The service's own key is another in every register.
    fs::remove_dir_all(register.join("service-keys")).expect("it has its keys there");
    let (store, replayed) = opening::read(&register, |_, _| ()).expect("it opens");
    write("register-tree.txt", register_tree_text(&replayed.register).as_bytes());
    write("stored-4.txt", &store.read(4).expect("it is there"));
    let statements = fs::read(register.join("statements")).expect("it is there");
    write("frames.txt", frames_text(&statements).as_bytes());
    let [alone, in_batch] = receipts(store, replayed);
    write("decision-note.txt", alone.decision_note.as_bytes());
    write("list-proof.txt", alone.list_proof.as_bytes());
    let proof = TlogProof::parse(&alone.list_proof).expect("a proof");
    write("evidence.json", &proof.extra);
    write("batch-note.txt", in_batch.decision_note.as_bytes());
    write("batch-receipt.json", &receipt_file::write(&in_batch));
}

/// The service's key.
fn service_key() -> NoteSigner {
    signer(&format!("{ORIGIN}/service"), Role::Note, 6)
}

/// While entry E-1 is suspended: a receipt about it, and the second of two lines of a batch,
/// about a name that is not listed.
fn receipts(store: Arc<dyn Store>, replayed: Replayed) -> [Receipt; 2] {
    let now = at("2026-03-15T02:00:00.25Z");
    let running = Running::open(store, replayed, now).expect("it answers");
    let published = running.published();
    let unsigned = |material_name| {
        let raw = RawQuestion {
            hs_code: "2941.30.12.00",
            material_name,
            end_user_uscc: "91110108EXAMPLE11C",
            quantity: Some(("2", "克")),
            ..RawQuestion::default()
        };
        let wanted = Wanted { date: None, known: 3, min: 0 };
        let snapshot = running.find(&published, wanted, now).expect("a list");
        let question = Question::parse(&raw, &snapshot.list, shanghai::today(now)).expect("good");
        let decided = decide(&snapshot.list, &question);
        let (revision, list_root) = (snapshot.revision.number, snapshot.revision.root_sha256);
        let source = Source { known: 3, revision, list_root };
        let asked = Asked::new(&raw, 3, 0);
        let text = DecisionText::new(ORIGIN, asked, &question, &decided, source, now);
        let signed = snapshot.signed.as_ref().expect("a signed list");
        Unsigned::gather(
            (&published.register, &published.checkpoint, &published.binding),
            (signed.number, 3),
            (&signed.list, signed.trees()),
            (&question, &decided),
            &text.to_string(),
        )
        .expect("evidence")
    };
    let alone = sign(&service_key(), unsigned("四環素鹽酸鹽"), now);
    let lines = vec![unsigned("四環素鹽酸鹽"), unsigned("山梨醇")];
    let mut batch = sign_batch(&service_key(), ORIGIN, lines, now);
    [alone, batch.pop().expect("two lines")]
}

fn keys_text(keys: &Keys) -> String {
    let line = |seed: u8, key: &NoteSigner| format!("{} {}\n", to_hex(&[seed; 32]), key.verifier());
    let agencies = keys.agencies.iter().map(|(_, key, seed)| line(*seed, key));
    let service = line(6, &service_key());
    std::iter::once(line(1, &keys.log)).chain(agencies).chain([service]).collect()
}

/// The hash of each leaf and what it is of, then the root.
fn list_tree_text(list: &List) -> String {
    let all = records(list);
    let lines = all.iter().map(|r| format!("{} {}\n", to_hex(&leaf_hash(&r.bytes)), r.key));
    let root = format!("{} root\n", to_hex(&list_tree(&all).root()));
    lines.chain([root]).collect()
}

fn name_tree_text(list: &List) -> String {
    let leaves = name_leaves(list);
    let lines = leaves.iter().map(|leaf| {
        let shown = String::from_utf8_lossy(leaf).replace('\0', "\\0");
        format!("{} {shown}\n", to_hex(&leaf_hash(leaf)))
    });
    let root = format!("{} root\n", to_hex(&name_tree(list).root()));
    lines.chain([root]).collect()
}

fn register_tree_text(register: &Register) -> String {
    let tree = register.tree();
    let leaf = |number: u64| to_hex(&tree.leaf(number - 1).expect("a leaf"));
    let root = |size: u64| to_hex(&tree.root_at(size).expect("a root"));
    let leaves = (1..=register.size()).map(|n| format!("{} statement {n}\n", leaf(n)));
    let roots = (0..=register.size()).map(|n| format!("{} root of size {n}\n", root(n)));
    leaves.chain(roots).collect()
}

/// The frames of a register file, read without the program: number, offset, length of the body,
/// chain value, which is computed again.
fn frames_text(file: &[u8]) -> String {
    let magic = b"clearlist register v1\n";
    let mut rest = file.strip_prefix(magic).expect("the first line");
    let mut value: [u8; 32] = Sha256::digest(magic).into();
    let (mut out, mut offset) = (String::new(), magic.len());
    for number in 0_u64.. {
        let Some((length, behind)) = rest.split_first_chunk::<8>() else { break };
        let (stored, behind) = behind.split_first_chunk::<32>().expect("a chain value");
        let bytes = usize::try_from(u64::from_be_bytes(*length)).expect("short");
        let (body, behind) = behind.split_at_checked(bytes).expect("a whole body");
        let hash = Sha256::new().chain_update(value).chain_update(number.to_be_bytes());
        value = hash.chain_update(length).chain_update(body).finalize().into();
        assert_eq!(value, *stored, "frame {number}");
        let hex = to_hex(&value);
        writeln!(out, "frame {number} offset {offset} length {bytes} chain {hex}").expect("text");
        (rest, offset) = (behind, offset + 40 + bytes);
    }
    assert!(rest.is_empty(), "bytes behind the last frame");
    out
}

/// Every file below a folder by its path from there.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                out.insert(name, fs::read(&path).expect("the file can be read"));
            }
        }
    }
    out
}

fn is_by_hand(name: &str) -> bool {
    name.starts_with("list-1/") || name.starts_with("list-2/")
}

#[test]
#[ignore = "writes the golden files anew: for a new format only"]
fn write_the_golden_files() {
    let (folder, place) = (golden(), tempfile::tempdir().expect("a folder"));
    make(place.path());
    for name in files_below(&folder).keys().filter(|name| !is_by_hand(name)) {
        fs::remove_file(folder.join(name)).expect("the file can be removed");
    }
    fs::create_dir_all(folder.join("register")).expect("the folder can be made");
    for (name, bytes) in files_below(place.path()) {
        fs::write(folder.join(name), bytes).expect("the file can be written");
    }
}

#[test]
fn a_receipt_is_read_and_holds_under_the_policy_of_its_checkpoint() {
    let policy = Policy::parse(&text("policy-2.txt")).expect("a policy");
    let alone =
        Receipt { decision_note: text("decision-note.txt"), list_proof: text("list-proof.txt") };
    let in_batch = receipt_file::read(&bytes("batch-receipt.json")).expect("a receipt");
    assert_eq!(in_batch.decision_note, text("batch-note.txt"));
    for (receipt, verdict, batch) in
        [(&alone, Verdict::NotCovered, None), (&in_batch, Verdict::NotListed, Some(2))]
    {
        let name = verdict.name();
        let verified = receipt_file::verify(receipt, &policy, service_key().verifier());
        let checked = verified.expect(name).checked;
        assert_eq!((checked.text.verdict, checked.batch), (verdict, batch), "{name}");
        assert_eq!((checked.size, checked.shown.number), (4, 3), "{name}");
        assert_eq!(checked.shown.suspensions.len(), 1, "{name}");
    }
    let proof = TlogProof::parse(&alone.list_proof).expect("a proof");
    assert_eq!(proof.extra, bytes("evidence.json"));
    assert_eq!(proof.checkpoint, text("checkpoint-4.txt"));
}

#[test]
fn the_program_writes_every_golden_file_to_the_byte() {
    let place = tempfile::tempdir().expect("a folder");
    make(place.path());
    let written = files_below(place.path());
    let mut stored = files_below(&golden());
    stored.retain(|name, _| !is_by_hand(name));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&stored));
    for (name, bytes) in stored {
        assert_eq!(written.get(&name), Some(&bytes), "{name}");
    }
}

#[test]
fn a_record_is_read_as_its_row_and_gives_its_bytes_again() {
    let keys =
        ["91110108551385082Q", "91110108EXAMPLE11C", "D-1", "E-1", "E-2", "directory", "rows"];
    let stored: Vec<Vec<u8>> =
        keys.iter().map(|key| bytes(&format!("record-{key}.json"))).collect();
    let first = apply(None, &Delta { removed: Vec::new(), records: stored.clone() });
    let again: Vec<Vec<u8>> =
        records(&first.expect("the records make a list")).into_iter().map(|r| r.bytes).collect();
    assert_eq!(again, stored);
    let from_files: Vec<Vec<u8>> = records(&list("list-1")).into_iter().map(|r| r.bytes).collect();
    assert_eq!(from_files, stored);
}

#[test]
fn the_roots_of_a_small_list_are_these() {
    let heads = ListHeads::of(&list("list-1"));
    assert_eq!((heads.list.size, heads.names.size), (7, 6));
    assert!(text("list-tree.txt").ends_with(&format!("{} root\n", to_hex(&heads.list.root))));
    assert!(text("name-tree.txt").ends_with(&format!("{} root\n", to_hex(&heads.names.root))));
    assert_eq!(
        to_hex(&heads.list.root),
        "0a983cc202673790f9efa0388744dda4ac49cb7f63f500d3fc56df73e9e47c82"
    );
    assert_eq!(
        to_hex(&heads.names.root),
        "1ede1381f2f0902ad0b5f88f43a63a045f05859a495eab2cd3c684c08613bd86"
    );
}

#[test]
fn a_statement_of_each_type_is_read_as_what_was_said() {
    for step in steps(&Keys::new()) {
        let name = file_name("statement", step.statement.number(), "json");
        let read = Statement::parse(&bytes(&name)).expect(&name);
        assert_eq!(read, step.statement, "{name}");
        assert_eq!(read.to_bytes(), bytes(&name), "{name}");
    }
}

#[test]
fn a_policy_is_read_and_every_checkpoint_satisfies_it() {
    let keys = Keys::new();
    let [first, second] =
        ["policy-1.txt", "policy-2.txt"].map(|name| Policy::parse(&text(name)).expect("a policy"));
    assert_eq!((first.origin(), first.log()), (ORIGIN, keys.log.verifier()));
    let names: Vec<&str> = second.agencies().map(|(name, _)| name).collect();
    assert_eq!(names, ["customs", "drugs", "health"]);
    for step in steps(&keys) {
        let number = step.statement.number();
        let name = file_name("checkpoint", number, "txt");
        let checkpoint = Checkpoint::parse(&bytes(&name)).expect(&name);
        assert_eq!((checkpoint.origin(), checkpoint.head().size), (ORIGIN, number));
        assert_eq!(checkpoint.note().to_string(), text(&name));
        // A policy change is signed as both policies want.
        let held: &[&Policy] = match number {
            1 => &[&first],
            2 => &[&first, &second],
            _ => &[&second],
        };
        let expected: Vec<(String, Timestamp)> =
            step.cosigned.iter().map(|(name, time)| ((*name).into(), at(time))).collect();
        for policy in held {
            assert_eq!(policy.quorum(&checkpoint).expect("enough signed").cosigned(), expected);
        }
        // The message that was signed is the one in the file.
        let message = bytes(&file_name("cosigned", number, "txt"));
        let (agency, time) = step.cosigned[0];
        assert_eq!(message, cosigned_message(checkpoint.note().text(), at(time)));
        let line = keys.agency(agency).sign(checkpoint.note().text(), at(time));
        assert!(checkpoint.note().signatures().contains(&line), "signatures are deterministic");
    }
}

#[test]
fn the_keys_are_those_of_their_seeds() {
    let [log, agency, service] = [Role::Note, Role::Cosigner, Role::Note];
    let roles = [log, agency, agency, agency, agency, service];
    let text = text("keys.txt");
    assert_eq!(text.lines().count(), roles.len());
    for (seed, (line, role)) in (1_u8..).zip(text.lines().zip(roles)) {
        let (hex, vkey) = line.split_once(' ').expect("a seed and a key");
        assert_eq!(hex, to_hex(&[seed; 32]));
        let read = VerifierKey::parse(vkey).expect("a verifier key");
        assert_eq!(&read, signer(read.name(), role, seed).verifier());
        assert_eq!(read.to_string(), vkey);
    }
}

#[test]
fn key_files_plain_and_sealed_open_as_one_key() {
    let keys = Keys::new();
    for (name, passphrase) in [("plain.key", None), ("sealed.key", Some(PASSPHRASE))] {
        let file = KeyFile::parse(&bytes(name)).expect(name);
        assert_eq!(file.is_sealed(), passphrase.is_some());
        let opened = file.open(None, None, passphrase).expect(name);
        assert_eq!(opened.verifier(), keys.agency("customs").verifier());
        assert_eq!(opened.key().as_bytes(), &[2; 32]);
    }
}

#[test]
fn a_proposal_file_is_read_checked_and_written_again() {
    let proposal = ProposalFile::parse(&bytes("proposal.json")).expect("a proposal");
    assert_eq!(proposal.to_json().expect("it can be written"), text("proposal.json"));
    assert_eq!(proposal.statement, text("statement-4.json"));
    assert_eq!(proposal.checkpoint, text("checkpoint-4.txt"));
    assert_eq!(proposal.base.checkpoint, text("checkpoint-3.txt"));
    let newest = proposal.base.newest.as_ref().expect("a revision before it");
    assert_eq!((newest.number, newest.statement.as_str()), (1, text("statement-1.json").as_str()));
    let checked = check(&proposal, at("2026-03-30T04:00:00Z")).expect("nothing is wrong");
    assert!(checked.quorum().is_ok());
    let told = delta(
        &records(checked.base_list().expect("a list")),
        records(checked.list().expect("a list")),
    );
    assert_eq!(told.removed, [(RowKind::Entry, "E-2".into())]);
    assert_eq!(told.records.len(), 2);
}

#[test]
fn a_stored_statement_is_read_and_written_again() {
    let stored = Stored::parse(&bytes("stored-4.txt")).expect("a stored statement");
    assert_eq!(stored.to_bytes(), bytes("stored-4.txt"));
    assert_eq!(stored.statement, bytes("statement-4.json"));
    assert_eq!(stored.checkpoint, bytes("checkpoint-4.txt"));
    assert_eq!(stored.accept_time, at("2026-03-30T04:00:00Z"));
    assert_eq!(stored.delta.removed, [(RowKind::Entry, "E-2".into())]);
    let ids: Vec<bool> =
        stored.delta.records.iter().map(|r| r.starts_with(b"{\"entry\":{")).collect();
    assert_eq!(ids, [true, true]);
}

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

/// The code blocks of a page whose first line names a golden file: ```` ```text golden/NAME ````.
fn quoted(page: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = info.split_once(" golden/") {
            out.push((name.to_owned(), block.join("\n") + "\n"));
        }
    }
    out
}

#[test]
fn the_page_of_formats_quotes_every_golden_file_to_the_byte() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let quoted = quoted(&page);
    for (name, block) in &quoted {
        let file = text(name);
        // A file may end without a line end; a block cannot.
        let file = if file.ends_with('\n') { file } else { file + "\n" };
        assert_eq!(*block, file, "golden/{name}");
    }
    let quoted: BTreeSet<&str> = quoted.iter().map(|(name, _)| name.as_str()).collect();
    let files = files_below(&golden());
    // One of each kind is enough.
    let others = ["register/statements", "policy-2.txt"];
    let is_other = |name: &str| {
        let nth = ["cosigned-", "checkpoint-"];
        let later = nth.iter().any(|kind| name.starts_with(kind) && !name.contains("-1."));
        later || others.contains(&name) || name == "statement-4.json" || name.starts_with("list-2/")
    };
    for name in files.keys().filter(|name| !is_other(name)) {
        assert!(quoted.contains(name.as_str()), "docs/formats.md does not quote golden/{name}");
    }
    for name in others {
        assert!(page.contains(&format!("tests/golden/{name}")), "{name} is not named");
    }
}
