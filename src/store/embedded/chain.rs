//! The format of the file `statements`, and what is remembered of it.
//!
//! The file is [`MAGIC`], then frames without gaps: the genesis, which has number 0, and the
//! statements. A frame is the body's length (8 bytes, big-endian), the chain value, the body.
//! The chain value is SHA-256 over the chain value before, the number and the length (8 bytes
//! each, big-endian) and the body; before the genesis it is SHA-256 of the magic. So every byte
//! of the file is under the last chain value.

use sha2::{Digest, Sha256};

/// First line of the file.
pub(super) const MAGIC: &[u8; 22] = b"clearlist register v1\n";
/// Length and chain value.
pub(super) const HEADER_BYTES: u64 = 8 + 32;

/// Stands for all bytes of the file up to the end of one frame.
pub(super) type ChainValue = [u8; 32];

/// Where a frame ends, and the chain value there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Offset of the first byte behind it.
    pub(super) end: u64,
    pub(super) value: ChainValue,
}

impl Place {
    /// The end of the magic, where the genesis begins.
    fn origin() -> Self {
        Self { end: MAGIC.len() as u64, value: Sha256::digest(MAGIC).into() }
    }

    /// Offset of the body of the frame that begins here.
    pub(super) fn body(&self) -> u64 {
        self.end + HEADER_BYTES
    }

    /// The hash of the frame that begins here; its body is still to be fed.
    pub(super) fn hash(&self, number: u64, length: u64) -> Sha256 {
        let begun = Sha256::new().chain_update(self.value);
        begun.chain_update(number.to_be_bytes()).chain_update(length.to_be_bytes())
    }

    /// The end of the frame that begins here.
    pub(super) fn after(&self, number: u64, body: &[u8]) -> Self {
        let length = body.len() as u64;
        let value = self.hash(number, length).chain_update(body).finalize().into();
        Self { end: self.body() + length, value }
    }
}

/// What comes before the body of a frame.
pub(super) fn header(length: u64, value: &ChainValue) -> Vec<u8> {
    [length.to_be_bytes().as_slice(), value].concat()
}

/// The places of all verified frames: 40 bytes a statement, no bodies. With the chain values in
/// memory a read is compared with what opening verified, not with what the disk says by then.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// By number, the genesis first.
    places: Vec<Place>,
}

impl Chain {
    pub(super) fn push(&mut self, place: Place) {
        self.places.push(place);
    }

    /// Forgets every statement behind number `size`.
    pub(super) fn truncate(&mut self, size: u64) {
        self.places.truncate(usize::try_from(size).map_or(usize::MAX, |n| n.saturating_add(1)));
    }

    /// Number of the frame that would come next; 0 while there is no genesis.
    pub(super) fn next_number(&self) -> u64 {
        self.places.len() as u64
    }

    /// Statements.
    pub(super) fn size(&self) -> u64 {
        self.next_number().saturating_sub(1)
    }

    /// Where the next frame begins.
    pub(super) fn last(&self) -> Place {
        self.places.last().copied().unwrap_or_else(Place::origin)
    }

    /// Where frame `number` ends.
    pub(super) fn end_of(&self, number: u64) -> Option<Place> {
        self.places.get(usize::try_from(number).ok()?).copied()
    }

    /// Where frame `number` begins.
    pub(super) fn start_of(&self, number: u64) -> Option<Place> {
        number.checked_sub(1).map_or_else(|| Some(Place::origin()), |before| self.end_of(before))
    }
}
