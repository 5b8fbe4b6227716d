//! The running list.

pub mod folder;
pub mod snapshot;
