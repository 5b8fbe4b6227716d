//! The signed history of a list as values: no I/O, no clock.

pub mod checkpoint;
pub mod history;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod record;
pub mod statement;
pub mod step;
