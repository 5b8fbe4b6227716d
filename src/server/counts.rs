//! What happened since the start, as numbers that only grow: for the log, and for metrics.

pub use crate::service::tally::Count;

/// Of the transport, below what a request asks.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections taken.
    pub connections_accepted: Count,
    /// Of those, how many have ended.
    pub connections_ended: Count,
    /// Connections that were not taken, because all places had a request open.
    pub connections_refused: Count,
    /// Connections that had to make room for others.
    pub connections_displaced: Count,
    /// Connections cut off: no beginning, or nothing read, or still there after the grace time.
    pub connections_cut: Count,
    /// TLS handshakes that failed.
    pub handshakes_failed: Count,
    /// Requests that were told to come again.
    pub requests_refused: Count,
    /// Requests whose deadline had passed.
    pub deadlines_exceeded: Count,
    /// Certificates, keys and authorities that took the place of others.
    pub tls_reloads: Count,
    /// New ones that could not: those before are still there.
    pub tls_reload_failures: Count,
    /// Requests of callers that did not say who they are, were not believed, or may not.
    pub callers_refused: Count,
    /// Requests beyond what their caller may ask.
    pub rates_exceeded: Count,
    /// Callers and keys of issuers that took the place of others.
    pub identity_reloads: Count,
    /// New ones that could not: those before are still there.
    pub identity_reload_failures: Count,
}
