//! Bytes to values and back. No I/O: callers bring the bytes.

pub mod list_csv;
pub mod table;
