//! The gRPC face: messages in, decisions out.

pub mod clearance;
pub mod json;
pub mod proto;
pub mod status;
pub mod wire;
