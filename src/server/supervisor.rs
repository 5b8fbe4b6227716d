//! What systemd is told, if it started the process: `READY` when everything is verified and
//! connections are taken, `STOPPING` when it was told to stop.

use sd_notify::NotifyState;

pub(super) fn ready() {
    say(NotifyState::Ready);
}

pub(super) fn stopping() {
    say(NotifyState::Stopping);
}

/// Nothing, if nobody listens.
fn say(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
