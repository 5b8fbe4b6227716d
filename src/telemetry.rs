//! Logs: readable on a terminal, JSON otherwise. No material name, no USCC and no token is ever
//! logged: requests are named by their outcome alone.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Sends logs to standard error; `filter` as `RUST_LOG` writes it.
pub fn init(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_malformed| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second initialisation (tests) changes nothing.
    let _already_set = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().try_init()
    };
}
