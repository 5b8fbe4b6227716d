//! The register that is proposed to: its log, three agencies of which two decide, two lists, and
//! the proposals that bring them.

use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::domain::message::Refusal;
use clearlist::formats::key_file;
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::formats::proposal::{Base, BaseRevision, Fault, ProposalFile};
use clearlist::register::merkle::{MerkleTree, leaf_hash};
use clearlist::register::note::{Note, NoteSigner, Role};
use clearlist::register::record::ListHeads;
use clearlist::register::statement::{RevisionStatement, Statement};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde_json::Value;

use super::machine::Machine;
use super::support::{files, row};

pub(crate) const ORIGIN: &str = "register.example/list";
/// When lists of these tests come into force and expire; the second is far ahead, since the
/// program reads the real clock.
pub(crate) const EFFECTIVE: &str = "2026-01-01T00:00:00Z";
pub(crate) const EXPIRES: &str = "2090-01-01T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The clock of what is checked in this process.
pub(crate) fn today() -> Timestamp {
    at("2026-11-22T02:00:00Z")
}

pub(crate) fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

pub(crate) fn log_key() -> NoteSigner {
    signer(ORIGIN, Role::Note, 1)
}

/// Short name in the policy, and the key.
pub(crate) fn agencies() -> [(&'static str, NoteSigner); 3] {
    [("customs", 2), ("drug", 3), ("science", 4)]
        .map(|(name, seed)| (name, signer(&format!("{name}.example"), Role::Cosigner, seed)))
}

/// Two of three agencies.
pub(crate) fn policy() -> String {
    policy_of(&log_key(), &agencies())
}

pub(crate) fn policy_of(log: &NoteSigner, agencies: &[(&str, NoteSigner)]) -> String {
    let mut text = format!("log {}\n", log.verifier());
    for (name, key) in agencies {
        text.extend(["witness ", name, " ", &key.verifier().to_string(), "\n"]);
    }
    let names: Vec<&str> = agencies.iter().map(|(name, _)| *name).collect();
    text + &format!("group agencies 2 {}\nquorum agencies\n", names.join(" "))
}

pub(crate) fn write_key(machine: &Machine, name: &str, signer: &NoteSigner) {
    let text = key_file::write(signer, None).expect("a key can be written");
    machine.write(name, text.as_bytes());
}

pub(crate) fn empty_base() -> Base {
    Base { policy: policy(), size: 0, frontier: vec![], checkpoint: String::new(), newest: None }
}

pub(crate) fn first_list() -> ListFiles {
    files(&[row("A", "四环素"), row("B", "木糖")])
}

/// B is gone, C is new, A may come in smaller amounts.
pub(crate) fn second_list() -> ListFiles {
    files(&[row("A", "四环素").with("quantity", "20").with("unit", "g"), row("C", "胰岛素")])
}

pub(crate) fn revision(number: u64, list: &ListFiles) -> RevisionStatement {
    let heads = ListHeads::of(&list_csv::read(list).expect("the list lints").list);
    RevisionStatement {
        origin: ORIGIN.into(),
        number,
        list: heads.list,
        names: heads.names,
        normal_form_version: NORMAL_FORM_VERSION,
        effective: at(EFFECTIVE),
        expires: at(EXPIRES),
        document: "Notice 12 of 2026".into(),
    }
}

pub(crate) fn drafted(base: Base, statement: &Statement, list: Option<ListFiles>) -> ProposalFile {
    ProposalFile::draft(base, statement, list, &log_key(), today()).expect("it can be drafted")
}

/// The first list, on an empty register.
pub(crate) fn first_proposal() -> ProposalFile {
    let list = first_list();
    drafted(empty_base(), &Statement::Revision(revision(1, &list)), Some(list))
}

pub(crate) fn signed_by(proposal: &ProposalFile, key: &NoteSigner) -> ProposalFile {
    let note = Note::parse(proposal.checkpoint.as_bytes()).expect("a note");
    proposal.clone().with_signature(key.sign(note.text(), today())).expect("a note")
}

/// The register with these proposals accepted, under the policy in force since.
pub(crate) fn base_after(accepted: &[&ProposalFile], policy: &str) -> Base {
    let mut tree = MerkleTree::default();
    for proposal in accepted {
        tree.push(leaf_hash(proposal.statement.as_bytes()));
    }
    let newest = accepted.iter().enumerate().rev().find(|(_, p)| p.list.is_some());
    Base {
        policy: policy.to_owned(),
        size: tree.size(),
        frontier: tree.frontier().hashes().to_vec(),
        checkpoint: accepted.last().expect("one at least").checkpoint.clone(),
        newest: newest.map(|(index, proposal)| BaseRevision {
            number: index as u64 + 1,
            statement: proposal.statement.clone(),
            inclusion: tree.inclusion(index as u64, tree.size()).expect("it is in the tree"),
            list: proposal.list.clone().expect("it has a list"),
        }),
    }
}

pub(crate) fn first_accepted() -> ProposalFile {
    let [(_, customs), (_, drug), _] = agencies();
    signed_by(&signed_by(&first_proposal(), &customs), &drug)
}

/// The second list, on a register with the first.
pub(crate) fn second_proposal() -> ProposalFile {
    let list = second_list();
    let base = base_after(&[&first_accepted()], &policy());
    drafted(base, &Statement::Revision(revision(2, &list)), Some(list))
}

pub(crate) fn reasons(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(Refusal::reason).collect()
}

pub(crate) fn to_value(proposal: &ProposalFile) -> Value {
    serde_json::from_str(&proposal.to_json().expect("it can be written")).expect("JSON")
}

pub(crate) fn write_proposal(machine: &Machine, name: &str, proposal: &ProposalFile) {
    machine.write(name, proposal.to_json().expect("it can be written"));
}
