//! C2SP checkpoints: the size and root of a register, as a note that is signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::merkle::Hash;
use super::note::{Note, NoteError};
use super::record::TreeHead;

/// A checkpoint, parsed and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
    note: Note,
}

impl Checkpoint {
    /// The checkpoint of a tree, without signatures yet; `None` for an origin that is no line.
    #[must_use]
    pub fn unsigned(origin: &str, head: TreeHead) -> Option<Self> {
        if origin.is_empty() || origin.contains('\n') {
            return None;
        }
        let text = format!("{origin}\n{}\n{}\n", head.size, BASE64.encode(head.root));
        Some(Self { origin: origin.to_owned(), head, note: Note::unsigned(text)? })
    }

    /// Reads a checkpoint. Extension lines are refused: nobody here says what they mean.
    ///
    /// # Errors
    /// [`NoteError`]: its form is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = Note::parse(bytes)?;
        let lines: Vec<&str> = note.text().lines().collect();
        let [origin, size, root] = lines.as_slice() else {
            return Err(NoteError::Form { line: 0 });
        };
        let size: u64 = size.parse().map_err(|_no_number| NoteError::Form { line: 0 })?;
        let root = BASE64.decode(root).map_err(|_no_base64| NoteError::Form { line: 0 })?;
        let root = Hash::try_from(root).map_err(|_length| NoteError::Form { line: 0 })?;
        let head = TreeHead { size, root };
        // One tree has one text: no leading zero, no plus sign, no other base64.
        let plain = Self::unsigned(origin, head).ok_or(NoteError::Form { line: 0 })?;
        if plain.note.text() != note.text() {
            return Err(NoteError::Form { line: 0 });
        }
        Ok(Self { note, ..plain })
    }

    /// The register it is of.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// The note it is.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The note it is, to add signatures.
    pub const fn note_mut(&mut self) -> &mut Note {
        &mut self.note
    }
}
