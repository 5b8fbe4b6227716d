//! Code generated from `proto/clearlist/log/`: the messages that the log stores, to be read, and
//! the numbers of their fields, to be written. `MATCH_ENTRY` is that of `Match.entry`.
#![allow(clippy::pedantic, unreachable_pub, reason = "generated; the proto file is the manual")]

include!(concat!(env!("OUT_DIR"), "/clearlist.log.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/log_fields.rs"));
