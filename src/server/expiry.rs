//! What comes into force and what is about to expire: in the log, and in the health of
//! `clearlist.freshness`. No answer depends on it: a lookup picks its list by its own time.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::now;
use crate::service::running::Running;
use crate::service::timeline::Answering;

/// The name under which health tells whether the list is fresh.
pub(super) const FRESHNESS: &str = "clearlist.freshness";
/// What is about to expire is told of again after this time.
const TELL_INTERVAL: Duration = Duration::from_hours(1);
/// Least time between two looks: a clock that was set back asks for none at all.
const LOOK_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// How a list stands to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// In force, and not near its expiry.
    Fresh,
    /// In force, and to expire within the time of the warning.
    NearExpiry,
    /// It was in force, and has expired.
    Expired,
    /// None is in force yet.
    Nothing,
}

impl Freshness {
    pub(super) fn of(answering: &Answering, at: Timestamp, warning: Duration) -> Self {
        match answering {
            Answering::Snapshot(snapshot) => {
                let left = snapshot.revision.expires.map(|expires| expires.duration_since(at));
                if left.is_some_and(|left| left <= signed(warning)) {
                    Self::NearExpiry
                } else {
                    Self::Fresh
                }
            }
            Answering::Expired(_) => Self::Expired,
            Answering::Nothing => Self::Nothing,
        }
    }

    fn status(self) -> ServingStatus {
        if self == Self::Fresh { ServingStatus::Serving } else { ServingStatus::NotServing }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// Tells health how the list stands now.
pub(super) async fn tell_freshness(
    running: &Running,
    health: &HealthReporter,
    warning: Duration,
) -> Freshness {
    let at = now();
    let fresh = Freshness::of(running.published().at(at), at, warning);
    health.set_service_status(FRESHNESS, fresh.status()).await;
    fresh
}

/// Says what comes into force, and ahead of time what is about to expire.
/// `said` is what health says of the list; watchers hear of changes only.
pub(super) async fn tell_of_time(
    running: Arc<Running>,
    health: HealthReporter,
    warning: Duration,
    mut said: Freshness,
) {
    let mut sizes = running.sizes();
    let mut told = None;
    loop {
        let (published, at) = (running.published(), now());
        let fresh = Freshness::of(published.at(at), at, warning);
        let mut near = None;
        match published.at(at) {
            Answering::Snapshot(snapshot) => {
                let number = snapshot.revision.number;
                if told != Some((number, false)) {
                    tracing::info!(revision = number, "in force");
                }
                told = Some((number, false));
                let left = snapshot.revision.expires.map(|expires| expires.duration_since(at));
                if let Some(left) = left.filter(|_| fresh == Freshness::NearExpiry) {
                    let hours = left.as_hours();
                    tracing::warn!(
                        revision = number,
                        hours,
                        "the list in force expires soon; every question is then refused"
                    );
                }
                near = left.map(|left| left.saturating_sub(signed(warning)));
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
        if fresh.status() != said.status() {
            health.set_service_status(FRESHNESS, fresh.status()).await;
        }
        said = fresh;
        let next = published.after(at).next().map(|period| period.from.duration_since(at));
        drop(published);
        let soon = [next, near.filter(SignedDuration::is_positive)];
        let soon = soon.into_iter().flatten().filter_map(|wait| Duration::try_from(wait).ok());
        let wait = soon.min().map_or(TELL_INTERVAL, |soon| soon.min(TELL_INTERVAL));
        tokio::select! {
            () = tokio::time::sleep(wait.max(LOOK_INTERVAL_MIN)) => {}
            changed = sizes.changed() => if changed.is_err() { return },
        }
    }
}
