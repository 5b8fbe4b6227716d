//! Proposals drafted as a submitter far away drafts them: from what the server says of its
//! register, and nothing else.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::grpc::proto::v1;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::merkle::{Frontier, Hash, leaf_hash};
use clearlist::register::note::NoteSigner;
use clearlist::register::record::{ListHeads, TreeHead};
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};

use super::ceremony::{in_seconds, sign};

/// A place at the end of a register.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Name of the register.
    pub origin: String,
    /// The number the next statement gets.
    pub number: u64,
    /// The policy it must satisfy.
    pub policy: String,
    frontier: Frontier,
}

impl Draft {
    /// The place behind what the server says it has.
    pub fn after(register: &v1::GetRegisterResponse) -> Self {
        let hash = |bytes: &prost::bytes::Bytes| Hash::try_from(&**bytes).expect("32 bytes");
        let hashes = register.frontier_sha256.iter().map(hash).collect();
        Self {
            origin: register.origin.clone(),
            number: register.size + 1,
            policy: register.policy.clone(),
            frontier: Frontier::new(register.size, hashes).expect("a frontier of that size"),
        }
    }

    /// A revision, in force for a day from a minute ago.
    pub fn revision(&self, files: &ListFiles, document: &str) -> Statement {
        let heads = ListHeads::of(&list_csv::read(files).expect("a good list").list);
        Statement::Revision(RevisionStatement {
            origin: self.origin.clone(),
            number: self.number,
            list: heads.list,
            names: heads.names,
            normal_form_version: 1,
            effective: in_seconds(-60),
            expires: in_seconds(86_400),
            document: document.into(),
        })
    }

    /// A suspension, from a minute ago.
    pub fn suspension(&self, entries: &[&str], enterprises: &[&str], document: &str) -> Statement {
        let owned = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        Statement::Suspension(SuspensionStatement {
            origin: self.origin.clone(),
            number: self.number,
            entries: owned(entries),
            enterprises: owned(enterprises),
            effective: in_seconds(-60),
            document: document.into(),
        })
    }

    /// A policy change.
    pub fn policy_change(&self, policy: &str, document: &str) -> Statement {
        Statement::Policy(PolicyStatement {
            origin: self.origin.clone(),
            number: self.number,
            policy: policy.into(),
            document: document.into(),
        })
    }

    /// A proposal, signed.
    pub fn propose(
        &self,
        statement: &Statement,
        files: Option<&ListFiles>,
        signers: &[&NoteSigner],
    ) -> v1::Proposal {
        let bytes = statement.to_bytes();
        let next = self.frontier.with(leaf_hash(&bytes));
        let head = TreeHead { size: next.size(), root: next.root() };
        let checkpoint = Checkpoint::unsigned(&self.origin, head).expect("a good origin");
        v1::Proposal {
            statement: bytes.into(),
            checkpoint: sign(checkpoint, signers).into(),
            list: files.map(|files| v1::ListFiles {
                schemes_csv: files.schemes.clone().into(),
                enterprises_csv: files.enterprises.clone().into(),
                entries_csv: files.entries.clone().into(),
            }),
        }
    }
}
