//! What a request is answered from: one list and the name of its revision, immutable.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::list::List;
use crate::formats::list_csv::ListFiles;

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

/// A list and its revision.
#[derive(Debug)]
pub struct Snapshot {
    /// The list.
    pub list: List,
    /// Its revision.
    pub revision: Revision,
}

impl Snapshot {
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
        Self { list, revision }
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
