//! What the server says of itself, by a server in a process of its own: metrics, health over
//! time, the log. And what it never says: what was asked, and by whom.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "telemetry/asking.rs"]
mod asking;
#[path = "telemetry/health.rs"]
mod health;
#[path = "telemetry/metrics.rs"]
mod metrics;
#[path = "telemetry/request_ids.rs"]
mod request_ids;
#[path = "telemetry/traces.rs"]
mod traces;
