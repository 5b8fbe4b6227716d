//! The rules of a white list: no I/O, no clock, no async, no wire types.

pub mod cas_number;
pub mod cells;
pub mod clearance;
pub mod customs_district;
pub mod entry;
pub mod field;
pub mod finding;
pub mod hs_code;
pub mod index;
pub mod list;
pub mod list_diff;
pub mod material_name;
pub mod message;
pub(crate) mod parallel;
pub mod quantity;
pub mod question;
pub mod search;
pub mod shanghai;
pub mod similarity;
pub mod uscc;
