//! The signed history of a list as values: no I/O, no clock.

mod canonical_json;
pub mod checkpoint;
pub mod decision_text;
pub mod evidence;
pub mod history;
pub mod list_trees;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod receipt;
pub mod record;
pub mod statement;
pub mod step;
pub mod tlog_proof;
