//! Bytes to values and back. No I/O: callers bring the bytes.

pub mod key_file;
pub mod list_csv;
pub mod list_records;
pub mod proposal;
pub mod receipt;
pub mod stored;
pub mod table;
