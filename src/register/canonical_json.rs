//! JSON in the canonical form of RFC 8785, written: objects, strings, integers and lists of them.
//! Whoever writes an object names its fields in sorted order; their names are ASCII, where the
//! order of UTF-16, which RFC 8785 wants, is byte order. A receipt is some hundred strings, and
//! somebody waits for it.

use std::fmt::Display;
use std::io::Write;

/// Adds a string, as RFC 8785 section 3.2.2.2 writes it, which is as `serde_json` does.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail, and a string has a form in JSON.
    let _ = serde_json::to_writer(out, text);
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
    use super::push_string;

    #[test]
    fn a_string_is_written_as_the_specification_says() {
        // RFC 8785 section 3.2.2.2: two-letter escapes where there are such, else lower-case
        // hexadecimal below a space, and all else as it is.
        let short = [(8, 'b'), (9, 't'), (10, 'n'), (12, 'f'), (13, 'r'), (34, '"'), (92, '\\')];
        for c in ('\0'..='\u{a0}').chain("酶\u{2028}\u{fffd}\u{10ffff}".chars()) {
            let wanted = match (short.iter().find(|(code, _)| *code == u32::from(c)), c) {
                (Some((_, letter)), _) => format!("\"\\{letter}\""),
                (None, '\0'..' ') => format!("\"\\u{:04x}\"", u32::from(c)),
                _ => format!("\"{c}\""),
            };
            let mut out = Vec::new();
            push_string(&mut out, &c.to_string());
            assert_eq!(String::from_utf8(out).unwrap_or_default(), wanted);
        }
    }
}
