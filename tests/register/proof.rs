//! Proofs checked by a program that shares nothing with Clearlist: `proof.py`, with the Python
//! package `cryptography` alone. `tests/run` brings it and names the folder of tools in
//! `CLEARLIST_TEST_TOOLS`; without it the test says by name that it was skipped.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clearlist::domain::list::List;
use clearlist::register::history::Register;
use clearlist::register::merkle::{Hash, MerkleTree};
use clearlist::register::record::{list_tree, name_leaves, name_tree, records};
use clearlist::register::statement::Statement;
use clearlist::register::step::ProposedList;

use crate::ceremony::{
    CUSTOMS, DRUGS, Draft, HEADS, LIST, LOG, STRANGER, accepted, empty_register, first_policy,
    flipped, hex, revision, suspension,
};

/// The folder of tools, or the skip said aloud: the test runner shows what is written straight
/// to standard error, even of tests that pass.
fn tools(what: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("CLEARLIST_TEST_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (tests/run brings what it needs)");
    }
    tools
}

fn json(proof: &[Hash]) -> serde_json::Value {
    proof.iter().map(|hash| hex(hash)).collect()
}

fn record_bytes(list: &List) -> Vec<Vec<u8>> {
    records(list).into_iter().map(|record| record.bytes).collect()
}

/// Where each of these leaves stands in a tree, and why.
fn leaves(tree: &MerkleTree, leaves: &[Vec<u8>]) -> serde_json::Value {
    let hash = |leaf: &[u8]| clearlist::register::merkle::leaf_hash(leaf);
    let prove = |leaf: &Vec<u8>| {
        let index = (0..tree.size()).find(|n| tree.leaf(*n) == Some(hash(leaf)));
        let index = index.expect("the leaf is there");
        let proof = tree.inclusion(index, tree.size()).expect("a proof");
        let leaf = String::from_utf8(leaf.clone()).expect("UTF-8");
        serde_json::json!({ "leaf": leaf, "index": index, "proof": json(&proof) })
    };
    leaves.iter().map(prove).collect()
}

/// What somebody would receive: a policy, an old head, a checkpoint, statements, and proofs.
fn write(folder: &Path) {
    let mut register = empty_register();
    let mut checkpoints = Vec::new();
    for number in 1..=7 {
        let (statement, list) = if number == 4 {
            (suspension(number, &["E2"], &[]), ProposedList::Newest(Some(&LIST)))
        } else {
            (Statement::Revision(revision(number)), ProposedList::Heads(&HEADS))
        };
        let draft = Draft::of(&register, &statement).signed(&[&LOG, &DRUGS, &CUSTOMS, &STRANGER]);
        register = accepted(&register, &draft, list);
        checkpoints.push(draft.note());
    }
    let tree = register.tree();
    let prove = |number: u64| {
        let proof = tree.inclusion(number - 1, tree.size()).expect("a proof");
        serde_json::json!({ "number": number, "proof": json(&proof) })
    };
    let extend = |size: u64| {
        let root = tree.root_at(size).expect("it had that size");
        let proof = tree.consistency(size, tree.size()).expect("a proof");
        serde_json::json!({ "size": size, "root": hex(&root), "proof": json(&proof) })
    };
    let proofs = serde_json::json!({
        "cosigned": ["drugs", "customs"],
        "statements": (1..=register.size()).map(prove).collect::<Vec<_>>(),
        "heads": (1..=register.size()).map(extend).collect::<Vec<_>>(),
        "records": leaves(&list_tree(&records(&LIST)), &record_bytes(&LIST)),
        "names": leaves(&name_tree(&LIST), &name_leaves(&LIST)),
    });
    let put = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("the folder takes files");
    };
    put("policy", first_policy().as_bytes());
    put("checkpoint", checkpoints.last().expect("seven").as_bytes());
    put("proofs.json", proofs.to_string().as_bytes());
    for number in 1..=register.size() {
        put(&format!("statement-{number}"), &statement(&register, number));
    }
}

fn statement(register: &Register, number: u64) -> Vec<u8> {
    register.statement(number).expect("it stands").statement.to_bytes()
}

fn verify(tools: &Path, folder: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/register/proof.py");
    let mut python = Command::new(tools.join("venv/bin/python"));
    python.arg("-B").arg(script).arg(folder).output().expect("Python starts")
}

#[test]
fn a_program_that_shares_nothing_with_this_one_verifies_the_proofs_and_only_the_right_ones() {
    let Some(tools) = tools("proofs checked in Python") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let output = verify(&tools, folder.path());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(text.trim(), "verified: 7 statements, 7 heads, 6 records, 2 names");

    // It would say so if something were wrong: one bit of each file, and of each kind of proof.
    let spoilt: [(&str, Spoil); 6] = [
        ("checkpoint", |bytes| flipped(bytes, 8)),
        ("checkpoint", |bytes| flipped(bytes, (bytes.len() / 2) * 8)),
        ("statement-3", |bytes| flipped(bytes, 100)),
        ("policy", |bytes| flipped(bytes, (bytes.len() / 2) * 8)),
        ("proofs.json", |bytes| replaced(bytes, "\"number\":3", "\"number\":5")),
        ("proofs.json", |bytes| replaced(bytes, "\"size\":6", "\"size\":5")),
    ];
    for (name, spoil) in spoilt {
        let path = folder.path().join(name);
        let good = fs::read(&path).expect("it was written");
        fs::write(&path, spoil(&good)).expect("the folder takes files");
        assert!(!verify(&tools, folder.path()).status.success(), "{name} was spoilt");
        fs::write(&path, good).expect("the folder takes files");
    }
    assert!(verify(&tools, folder.path()).status.success(), "all is as it was");
}

/// Breaks a file.
type Spoil = fn(&[u8]) -> Vec<u8>;

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(from), "nothing to break: {from}");
    text.replacen(from, to, 1).into_bytes()
}
