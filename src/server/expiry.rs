//! What comes into force and what is about to expire, in the log. Nothing depends on it: a lookup
//! picks its list by its own time.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::now;
use crate::service::running::Running;
use crate::service::timeline::Answering;

/// A list that expires within this time is warned of.
const EXPIRY_WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);
/// And again after this time.
const TELL_INTERVAL: Duration = Duration::from_hours(1);

/// Says what comes into force, and ahead of time what is about to expire.
pub(super) async fn tell_of_time(running: Arc<Running>) {
    let mut sizes = running.sizes();
    let mut told = None;
    loop {
        let (published, at) = (running.published(), now());
        match published.at(at) {
            Answering::Snapshot(snapshot) => {
                let number = snapshot.revision.number;
                if told != Some((number, false)) {
                    tracing::info!(revision = number, "in force");
                }
                told = Some((number, false));
                let left = snapshot.revision.expires.map(|expires| expires.duration_since(at));
                if let Some(left) = left.filter(|left| *left < EXPIRY_WARNING) {
                    let hours = left.as_hours();
                    tracing::warn!(
                        revision = number,
                        hours,
                        "the list in force expires soon; every question is then refused"
                    );
                }
            }
            Answering::Expired(revision) => {
                tracing::error!(
                    revision = revision.number,
                    "the list in force has expired; every question is refused"
                );
                told = Some((revision.number, true));
            }
            Answering::Nothing => tracing::warn!("no list is in force yet"),
        }
        let next = published.after(at).next().map(|period| period.from.duration_since(at));
        drop(published);
        let wait = next.and_then(|next| Duration::try_from(next).ok());
        let wait = wait.map_or(TELL_INTERVAL, |next| next.min(TELL_INTERVAL));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = sizes.changed() => if changed.is_err() { return },
        }
    }
}
