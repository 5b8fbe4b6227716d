//! The gRPC face: messages in, answers out.

pub mod admin;
pub mod allowance;
pub mod aside;
pub mod caller;
pub mod clearance;
pub mod connect;
pub mod json;
pub mod openapi;
pub mod proto;
pub mod register;
pub mod request_id;
pub mod status;
mod turns;
pub mod wire;
