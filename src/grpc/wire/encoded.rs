//! Messages written straight to their bytes.
//!
//! An answer is some hundred short texts. As a generated message each is an allocation of its
//! own, and every nested message is measured once for each message around it; written field by
//! field, each text is copied once, from the list into the answer.

use std::fmt::{self, Display, Write};
use std::marker::PhantomData;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, encode_key, encode_varint, encoded_len_varint};
use prost::{DecodeError, Message};

/// An answer as its caller gets it, for a caller in this program.
#[must_use]
pub fn received<M: Message + Default>(sent: &impl Message) -> M {
    // The two are one message on the wire: `tests/properties.rs`.
    M::decode(sent.encode_to_vec().as_slice()).unwrap_or_default()
}

/// A message of type `M` as its bytes: on the wire, and inside other messages, what `M` would be.
pub struct Encoded<M> {
    bytes: Vec<u8>,
    message: PhantomData<fn() -> M>,
}

impl<M: Message + Default> Encoded<M> {
    /// Writes a message, of about so many bytes.
    pub(super) fn write(bytes_usual: usize, write: impl FnOnce(&mut Fields)) -> Self {
        let mut fields = Fields { bytes: Vec::with_capacity(bytes_usual) };
        write(&mut fields);
        Self { bytes: fields.bytes, message: PhantomData }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message itself.
    #[must_use]
    pub fn read(&self) -> M {
        // What was written here is a message: `tests/properties.rs`.
        M::decode(self.as_bytes()).unwrap_or_default()
    }
}

impl<M> Default for Encoded<M> {
    fn default() -> Self {
        Self { bytes: Vec::new(), message: PhantomData }
    }
}

impl<M> Clone for Encoded<M> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), message: PhantomData }
    }
}

impl<M> PartialEq for Encoded<M> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<M: Message + Default + fmt::Debug> fmt::Debug for Encoded<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

impl<M: Message + Default> Message for Encoded<M> {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.bytes);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        // A message with one more field is its bytes with that field's behind them.
        let mut field = M::default();
        field.merge_field(tag, wire_type, buf, ctx)?;
        field.encode_raw(&mut self.bytes);
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// The fields of a message, written in the order of their numbers. What is empty or zero is left
/// out, as proto3 has it.
#[derive(Debug)]
pub(super) struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// A text or bytes.
    pub(super) fn text(&mut self, field: u32, text: impl AsRef<[u8]>) {
        if !text.as_ref().is_empty() {
            self.item(field, text);
        }
    }

    /// A text of several, which stands also where it is empty.
    pub(super) fn item(&mut self, field: u32, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        encode_varint(text.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(text);
    }

    /// A text in pieces, which is not empty.
    pub(super) fn pieces(&mut self, field: u32, pieces: &[&str]) {
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        encode_varint(length as u64, &mut self.bytes);
        for piece in pieces {
            self.bytes.extend_from_slice(piece.as_bytes());
        }
    }

    /// A value as its text, which is not empty.
    pub(super) fn value(&mut self, field: u32, value: impl Display) {
        self.message(field, |text| {
            // Writing to memory does not fail.
            let _ = write!(text, "{value}");
        });
    }

    /// The number of an enum's value.
    pub(super) fn choice(&mut self, field: u32, choice: impl Into<i32>) {
        self.number(field, choice.into());
    }

    /// A number.
    pub(super) fn number(&mut self, field: u32, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            encode_key(field, WireType::Varint, &mut self.bytes);
            encode_varint(number.cast_unsigned(), &mut self.bytes);
        }
    }

    /// A number with a fraction.
    pub(super) fn double(&mut self, field: u32, number: f64) {
        if number != 0.0 {
            encode_key(field, WireType::SixtyFourBit, &mut self.bytes);
            self.bytes.put_f64_le(number);
        }
    }

    /// A message.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
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
