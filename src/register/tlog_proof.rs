//! C2SP tlog-proof: a leaf's inclusion in a checkpointed tree, as a text.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64_simd::AppendBase64Encode;

use super::merkle::Hash;

/// First line.
const TYPE: &str = "c2sp.org/tlog-proof@v1";
/// Most hashes of a path: trees have fewer than 2^64 leaves.
const PATH_MAX: usize = 64;

/// A proof, parsed and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application's own, which nothing here vouches for.
    pub extra: Vec<u8>,
    /// The leaf, counted from 0.
    pub index: u64,
    /// Siblings from the leaf up.
    pub path: Vec<Hash>,
    /// The checkpoint, as it was signed.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof. Of the spellings that the specification leaves open one is accepted:
    /// base64 with padding and zero unused bits.
    ///
    /// # Errors
    /// The line, from 1, that is not in its form.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(0_usize)?;
        let mut lines = (1..).zip(head.split('\n'));
        let mut next = || lines.next().ok_or(0_usize);
        let (number, first) = next()?;
        if first != TYPE {
            return Err(number);
        }
        let (mut number, mut line) = next()?;
        let mut extra = Vec::new();
        if let Some(given) = line.strip_prefix("extra ") {
            extra = BASE64.decode(given).map_err(|_no_base64| number)?;
            (number, line) = next()?;
        }
        let digits = line.strip_prefix("index ").ok_or(number)?;
        let index: u64 = digits.parse().map_err(|_no_number| number)?;
        if index.to_string() != digits {
            return Err(number);
        }
        let mut path = Vec::new();
        for (number, line) in lines {
            path.push(hash_of(line).filter(|_| path.len() < PATH_MAX).ok_or(number)?);
        }
        Ok(Self { extra, index, path, checkpoint: checkpoint.to_owned() })
    }
}

impl TlogProof {
    /// The proof as a text.
    #[must_use]
    pub fn text(&self) -> String {
        // Base64 writes three bytes as four, and each hash has a line.
        let bytes = self.extra.len() * 4 / 3 + 48 * self.path.len() + self.checkpoint.len();
        let mut out = String::with_capacity(bytes + 64);
        out.push_str(TYPE);
        if !self.extra.is_empty() {
            out.push_str("\nextra ");
            push_base64(&mut out, &self.extra);
        }
        // Writing to memory cannot fail.
        let _ = writeln!(out, "\nindex {}", self.index);
        for hash in &self.path {
            push_base64(&mut out, hash);
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }
}

/// Adds bytes in base64.
pub(super) fn push_base64(out: &mut impl AppendBase64Encode, bytes: &[u8]) {
    base64_simd::STANDARD.encode_append(bytes, out);
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A hash in base64; `None` for any other spelling of it.
#[must_use]
pub fn hash_of(text: &str) -> Option<Hash> {
    Hash::try_from(BASE64.decode(text).ok()?).ok()
}
