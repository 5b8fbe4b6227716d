//! The edge of the server, over real sockets and in a process of its own: clients that are slow,
//! silent, greedy or malicious, certificates that change, settings that are wrong. What is asked
//! is always the same: does it end when told, are well-behaved callers answered, is everybody
//! told the truth?

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "edge/abuse.rs"]
mod abuse;
#[path = "edge/asking.rs"]
mod asking;
#[path = "edge/authorities.rs"]
mod authorities;
#[path = "edge/configured.rs"]
mod configured;
#[path = "edge/credentials.rs"]
mod credentials;
#[path = "edge/deadlines.rs"]
mod deadlines;
#[path = "edge/drain.rs"]
mod drain;
#[path = "edge/frames.rs"]
mod frames;
#[path = "edge/identity.rs"]
mod identity;
#[path = "edge/overload.rs"]
mod overload;
#[path = "edge/rates.rs"]
mod rates;
#[path = "edge/tls.rs"]
mod tls;
