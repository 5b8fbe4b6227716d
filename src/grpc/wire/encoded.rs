//! Messages written straight to their bytes, field by field, that know which message they are.

use std::fmt;
use std::marker::PhantomData;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

use crate::service::fields::Fields;

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
        let mut fields = Fields::with_room(bytes_usual);
        write(&mut fields);
        Self { bytes: fields.into_bytes(), message: PhantomData }
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
