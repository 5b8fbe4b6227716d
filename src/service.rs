//! The running list: what answers, how a new revision comes in, how the past is looked up.

pub mod again;
pub mod decisions;
pub mod fields;
pub mod folder;
pub mod intake;
pub mod opening;
pub mod past;
pub mod priority;
pub mod replay;
pub mod running;
pub mod service_keys;
pub mod snapshot;
pub mod tally;
pub mod timeline;
