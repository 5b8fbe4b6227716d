//! The gRPC face: messages in, answers out.

pub mod admin;
pub mod aside;
pub mod caller;
pub mod clearance;
pub mod json;
pub mod proto;
pub mod register;
pub mod status;
mod turns;
pub mod wire;
