//! A batch as it comes. An item without fields has two bytes, and some hundred once it is read:
//! what is beyond any batch is counted and not kept.

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, message, skip_field};
use prost::{DecodeError, Message};

use crate::grpc::clearance::BATCH_ITEMS_MAX;
use crate::grpc::proto::v1::CheckClearanceRequest;

/// `BatchCheckClearanceRequest.items`.
const ITEMS: u32 = 1;

/// The questions of a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Questions {
    /// The first of them, as many as a batch may have.
    pub items: Vec<CheckClearanceRequest>,
    /// How many came beyond that.
    beyond: usize,
}

impl Questions {
    /// How many came.
    #[must_use]
    pub fn count(&self) -> usize {
        self.items.len() + self.beyond
    }
}

impl Message for Questions {
    fn encode_raw(&self, out: &mut impl BufMut) {
        message::encode_repeated(ITEMS, &self.items, out);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        from: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag != ITEMS {
            return skip_field(wire_type, tag, from, context);
        }
        if self.items.len() < BATCH_ITEMS_MAX {
            return message::merge_repeated(wire_type, &mut self.items, from, context);
        }
        self.beyond += 1;
        skip_field(wire_type, tag, from, context)
    }

    fn encoded_len(&self) -> usize {
        message::encoded_len_repeated(ITEMS, &self.items)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
