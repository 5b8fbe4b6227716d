//! The proto3 JSON form of any message of the API, from its descriptors.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use super::proto::DESCRIPTORS;

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());

/// The message in proto3 JSON; `None` only if `full_name` is no message of the API.
#[must_use]
pub fn to_json(full_name: &str, message: &impl Message) -> Option<serde_json::Value> {
    let descriptor = POOL.as_ref()?.get_message_by_name(full_name)?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok()?;
    serde_json::to_value(&dynamic).ok()
}
