//! Code generated from `proto/`, in modules nested as the packages are.
#![allow(
    clippy::pedantic,
    clippy::large_enum_variant,
    clippy::doc_lazy_continuation,
    reason = "generated; the proto files are the manual"
)]

/// `google`.
pub mod google {
    /// `google.type`.
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

/// `clearlist`.
pub mod clearlist {
    /// `clearlist.v1`.
    pub mod v1 {
        tonic::include_proto!("clearlist.v1");
    }

    /// `clearlist.v1` as the server answers: a decision is the bytes of its message, written
    /// straight. On the wire the two are one.
    pub mod answers {
        include!(concat!(env!("OUT_DIR"), "/answers/clearlist.v1.rs"));
    }
}

pub use clearlist::{answers, v1};

/// The descriptors of every proto file, with comments: what reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/api.binpb"));
