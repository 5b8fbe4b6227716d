//! Logs: readable on a terminal, JSON otherwise, if not told. No material name, no USCC and no
//! token is ever logged: requests are named by their outcome alone.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Telemetry};

/// Sends logs to standard error.
pub fn init(settings: &Telemetry) {
    let filter = EnvFilter::try_new(&settings.filter);
    let filter = filter.unwrap_or_else(|_malformed| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let readable = match settings.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // A second initialisation (tests) changes nothing.
    let _already_set = if readable { builder.try_init() } else { builder.json().try_init() };
}

/// Whether a filter is one.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}
