//! All golden files made again: by `write_the_golden_files` for a new format, otherwise only to be
//! compared with those that stand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use clearlist::domain::clearance::decide;
use clearlist::domain::list::List;
use clearlist::domain::question::{Question, RawQuestion};
use clearlist::domain::shanghai;
use clearlist::formats::key_file::{self, Seal};
use clearlist::formats::proposal::{Base, BaseRevision, ProposalFile};
use clearlist::formats::receipt as receipt_file;
use clearlist::register::decision_text::{Asked, DecisionText, Source};
use clearlist::register::history::Register;
use clearlist::register::merkle::leaf_hash;
use clearlist::register::note::{Note, NoteSigner, cosigned_message};
use clearlist::register::receipt::{Receipt, Unsigned, sign, sign_batch};
use clearlist::register::record::{list_tree, name_leaves, name_tree, records};
use clearlist::register::statement::{Statement, to_hex};
use clearlist::register::tlog_proof::TlogProof;
use clearlist::service::intake::{Submission, accept};
use clearlist::service::opening;
use clearlist::service::replay::Replayed;
use clearlist::service::running::{Running, Wanted};
use clearlist::store::Store;
use sha2::{Digest, Sha256};

use super::files::{file_name, files_below, golden, is_by_hand, list, list_files};
use super::register::{Keys, ORIGIN, PASSPHRASE, Step, at, service_key, steps};

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

pub(crate) fn register_tree_text(register: &Register) -> String {
    let tree = register.tree();
    let leaf = |number: u64| to_hex(&tree.leaf(number - 1).expect("a leaf"));
    let root = |size: u64| to_hex(&tree.root_at(size).expect("a root"));
    let leaves = (1..=register.size()).map(|n| format!("{} statement {n}\n", leaf(n)));
    let roots = (0..=register.size()).map(|n| format!("{} root of size {n}\n", root(n)));
    leaves.chain(roots).collect()
}

/// The frames of a register file, read without the program: number, offset, length of the body,
/// chain value, which is computed again.
pub(crate) fn frames_text(file: &[u8]) -> String {
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
