//! What a request is answered from: one list and the name of its revision, immutable.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::list::List;
use crate::formats::list_csv::ListFiles;
use crate::register::history::InForce;
use crate::register::list_trees::ListTrees;

/// Names the list that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Name of the register; empty for a list that no register signed.
    pub origin: String,
    /// Revision number; 0 for a list that no register signed.
    pub number: u64,
    /// What identifies the list.
    pub root_sha256: [u8; 32],
    /// When it came into force.
    pub effective: Option<Timestamp>,
    /// When it stops answering.
    pub expires: Option<Timestamp>,
}

/// The list of a revision as the agencies signed it, and what proves its rows.
#[derive(Debug)]
pub struct SignedList {
    /// Number of the revision's statement.
    pub number: u64,
    /// The list.
    pub list: Arc<List>,
    /// Built at once for a list that will answer, else when the first receipt is asked for.
    trees: OnceLock<ListTrees>,
}

impl SignedList {
    /// The list of a revision.
    #[must_use]
    pub const fn new(number: u64, list: Arc<List>) -> Self {
        Self { number, list, trees: OnceLock::new() }
    }

    /// The list of a revision with its trees.
    #[must_use]
    pub fn with_trees(number: u64, list: Arc<List>, trees: ListTrees) -> Self {
        Self { number, list, trees: OnceLock::from(trees) }
    }

    /// The trees over it.
    #[must_use]
    pub fn trees(&self) -> &ListTrees {
        self.trees.get_or_init(|| ListTrees::of(&self.list))
    }

    /// Builds index and trees now, so that no question waits for them.
    pub fn prepare(&self) {
        self.list.prepare();
        let _built = self.trees();
    }
}

/// A list and its revision.
#[derive(Debug)]
pub struct Snapshot {
    /// The list, with the suspensions over it.
    pub list: Arc<List>,
    /// The list without them; `None` if no register signed it.
    pub signed: Option<Arc<SignedList>>,
    /// Its revision.
    pub revision: Revision,
    /// How many suspensions are laid over it; the revision's number alone does not tell.
    pub suspensions: usize,
}

impl Snapshot {
    /// Whether it is what was found in force, under the name that has.
    #[must_use]
    pub fn is_of(&self, named: &Revision, found: &InForce<'_>) -> bool {
        self.revision == *named && self.suspensions == found.suspensions
    }

    /// A snapshot of list files that no register signed.
    #[must_use]
    pub fn unsigned(list: List, files: &ListFiles) -> Self {
        let revision = Revision {
            origin: String::new(),
            number: 0,
            root_sha256: digest(files),
            effective: None,
            expires: None,
        };
        Self { list: Arc::new(list), signed: None, revision, suspensions: 0 }
    }
}

/// SHA-256 over the three files, each preceded by its length as 8 bytes, big-endian.
fn digest(files: &ListFiles) -> [u8; 32] {
    let mut hash = Sha256::new();
    for bytes in [&files.schemes, &files.enterprises, &files.entries] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize().into()
}
