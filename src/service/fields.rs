//! Fields of protobuf messages, written straight to their bytes.
//!
//! An answer is some hundred short texts. As a generated message each is an allocation of its
//! own, and every nested message is measured once for each message around it; written field by
//! field, each text is copied once, from the list into the answer.

use std::fmt::{self, Display, Write};

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// The fields of a message, written in the order of their numbers. What is empty or zero is left
/// out, as proto3 has it.
#[derive(Debug)]
pub struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// No fields, with room for so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// Fields that are written already, to be followed by others.
    #[must_use]
    pub const fn after(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Their bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A text or bytes.
    pub fn text(&mut self, field: u32, text: impl AsRef<[u8]>) {
        if !text.as_ref().is_empty() {
            self.item(field, text);
        }
    }

    /// A text of several, which stands also where it is empty.
    pub fn item(&mut self, field: u32, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        encode_varint(text.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(text);
    }

    /// A text in pieces, which is not empty.
    pub fn pieces(&mut self, field: u32, pieces: &[&str]) {
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        encode_varint(length as u64, &mut self.bytes);
        for piece in pieces {
            self.bytes.extend_from_slice(piece.as_bytes());
        }
    }

    /// A value as its text, which is not empty.
    pub fn value(&mut self, field: u32, value: impl Display) {
        self.message(field, |text| {
            // Writing to memory does not fail.
            let _ = write!(text, "{value}");
        });
    }

    /// The number of an enum's value.
    pub fn choice(&mut self, field: u32, choice: impl Into<i32>) {
        self.number(field, choice.into());
    }

    /// A number.
    pub fn number(&mut self, field: u32, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            encode_key(field, WireType::Varint, &mut self.bytes);
            encode_varint(number.cast_unsigned(), &mut self.bytes);
        }
    }

    /// A number with a fraction.
    pub fn double(&mut self, field: u32, number: f64) {
        if number != 0.0 {
            encode_key(field, WireType::SixtyFourBit, &mut self.bytes);
            self.bytes.put_f64_le(number);
        }
    }

    /// A message.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        // The length stands before what it is the length of. One byte is kept for it, and most
        // texts and dates need no more; what is longer makes room.
        let place = self.bytes.len();
        self.bytes.push(0);
        write(self);
        let end = self.bytes.len();
        let length = (end - place - 1) as u64;
        let more = encoded_len_varint(length) - 1;
        if more > 0 {
            self.bytes.resize(end + more, 0);
            self.bytes.copy_within(place + 1..end, place + 1 + more);
        }
        encode_varint(length, &mut self.bytes.get_mut(place..).unwrap_or_default());
    }
}

impl Write for Fields {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
