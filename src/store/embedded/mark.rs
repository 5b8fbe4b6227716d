//! The high-water mark: how many statements were acknowledged, and the chain value there. Who
//! takes statements away from the end of the register contradicts it.

use super::chain::ChainValue;

/// Longest mark, in bytes.
pub(super) const MARK_BYTES_MAX: u64 = 24 + 21 + 65;

/// First line of the file.
const TITLE: &str = "clearlist high-water v1";

/// What was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Statements.
    pub(super) size: u64,
    /// Chain value behind the last of them.
    pub(super) value: ChainValue,
}

impl Mark {
    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let hex = self.value.map(|byte| format!("{byte:02x}")).concat();
        format!("{TITLE}\n{}\n{hex}\n", self.size)
    }

    /// The mark a file holds; `None` if it is not one, to the byte.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(bytes).ok()?.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        let hex = lines.next()?.as_bytes();
        let mut value = ChainValue::default();
        for (byte, digits) in value.iter_mut().zip(hex.chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let mark = Self { size, value };
        // Leading zeros, capitals, a sign, a missing line: whatever is read leniently above is
        // not what we write, so it was changed.
        (mark.text().as_bytes() == bytes).then_some(mark)
    }
}
