//! JSON in the canonical form of RFC 8785, written: objects, strings, integers and lists of them.
//! Whoever writes an object names its fields in sorted order; their names are ASCII, where the
//! order of UTF-16, which RFC 8785 wants, is byte order. A receipt is some hundred strings, and
//! somebody waits for it.

use std::fmt::Display;
use std::io::Write;

/// Adds a string, as RFC 8785 section 3.2.2.2 writes it.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((eight, next)) = rest.split_first_chunk::<8>() {
        let plain = plain_bytes(*eight);
        // A copy of fixed length that is then cut takes less than one of any length.
        let length = out.len() + plain;
        out.extend_from_slice(eight);
        out.truncate(length);
        match eight.get(plain) {
            None => rest = next,
            Some(byte) => {
                push_escaped(out, *byte);
                rest = rest.get(plain + 1..).unwrap_or_default();
            }
        }
    }
    for byte in rest {
        push_escaped(out, *byte);
    }
    out.push(b'"');
}

/// How many bytes come before the first that is escaped. All eight at once: in a record within a
/// string it is every eighth, nowhere in particular, and a processor that guesses at each byte
/// guesses wrong as often.
fn plain_bytes(eight: [u8; 8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * LOW;
    let all = u64::from_le_bytes(eight);
    // The highest bit of each byte that is below one of at most 128, and of no other.
    let below = |bytes: u64, bound: u64| !(((bytes & !HIGH) + (HIGH - bound * LOW)) | bytes) & HIGH;
    let is = |byte: u8| below(all ^ (u64::from(byte) * LOW), 1);
    let escaped = below(all, 0x20) | is(b'"') | is(b'\\');
    // Bits; all 64 if there is none.
    escaped.trailing_zeros() as usize / 8
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        // It ends each part of a leaf of the name tree.
        0x00 => return out.extend_from_slice(b"\\u0000"),
        0x01..0x20 => {
            // Writing to memory cannot fail.
            let _ = write!(out, "\\u{byte:04x}");
            return;
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Adds a list.
pub(super) fn push_list<T>(
    out: &mut Vec<u8>,
    values: impl IntoIterator<Item = T>,
    push: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (nth, value) in values.into_iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        push(out, value);
    }
    out.push(b']');
}

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub(super) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true }
    }

    /// Begins a field. Its value is to be added to what this gives.
    pub(super) fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Adds a string; an empty one is left out.
    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            push_string(self.field(name), value);
        }
        self
    }

    /// Adds a value whose text needs no escaping, as a string; nothing is left out.
    pub(super) fn value(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            // Writing to memory cannot fail.
            let _ = write!(self.field(name), "\"{value}\"");
        }
        self
    }

    /// Adds an integer, below 2^53.
    pub(super) fn number(&mut self, name: &str, value: u64) -> &mut Self {
        let _ = write!(self.field(name), "{value}");
        self
    }

    /// Adds strings; an empty list is left out.
    pub(super) fn list(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> &mut Self {
        let mut values = values.into_iter().peekable();
        if values.peek().is_some() {
            push_list(self.field(name), values, |out, value| push_string(out, value.as_ref()));
        }
        self
    }

    /// Ends the object.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::push_string;

    fn written(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        push_string(&mut out, text);
        out
    }

    #[test]
    fn every_character_below_128_is_written_as_serde_json_writes_it() {
        // Which for strings is the canonical form.
        for c in '\0'..='\u{80}' {
            for text in [format!("{c}"), format!("酶{c}\"")] {
                assert_eq!(written(&text), serde_json::to_vec(&text).unwrap_or_default());
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(text in "[ -~\"\\\\\u{0}-\u{1f}酶é]{0,40}") {
            prop_assert_eq!(written(&text), serde_json::to_vec(&text).unwrap_or_default());
        }
    }
}
