//! Signals, caught from the moment before anybody can learn that the server is there.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM, caught from the moment this exists. So is SIGHUP, which ends nothing: where
/// there are files to look at, others wait for it.
#[derive(Debug)]
pub struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
    _hang_up: Signal,
}

impl StopSignal {
    /// Starts to catch the signals. Do this before anybody can learn that the server is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn register() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves when one of them arrives.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
