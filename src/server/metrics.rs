//! Every metric, by name: what `/metrics` says. Numbers are kept where they arise, and read here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::counts::{Count, Counts};
use super::expiry::Freshness;
use super::methods::{BOUNDS_MICROSECONDS, Method, Methods};
use super::now;
use crate::service::decisions::DecisionLog;
use crate::service::running::Running;
use crate::service::timeline::Answering;

/// Where the numbers are.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) running: Arc<Running>,
    pub(super) log: DecisionLog,
    pub(super) counts: Arc<Counts>,
    pub(super) methods: Arc<Methods>,
    pub(super) expiry_warning: Duration,
    pub(super) started: Timestamp,
}

impl Metrics {
    /// The text, in the form of `OpenMetrics`; empty if it cannot be written.
    pub(super) fn text(self: &Arc<Self>) -> String {
        let (mut registry, mut out) = (Registry::default(), String::new());
        registry.register_collector(Box::new(Arc::clone(self)));
        // Writing to a string does not fail.
        text::encode(&mut out, &registry).map(|()| out).unwrap_or_default()
    }
}

/// Writes metrics.
struct Writing<'a>(DescriptorEncoder<'a>);

impl Writing<'_> {
    fn begin(&mut self, name: &str, help: &str, kind: MetricType, write: Write) -> fmt::Result {
        write(&mut self.0.encode_descriptor(name, help, None, kind)?)
    }

    fn counter(&mut self, name: &str, help: &str, count: &Count) -> fmt::Result {
        self.count(name, help, count.get())
    }

    fn count(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        self.begin(name, help, MetricType::Counter, &mut |metric| number(metric, count))
    }

    fn counters<'a>(
        &mut self,
        (name, help, label): (&str, &str, &'static str),
        mut counts: impl Iterator<Item = (&'a str, u64)>,
    ) -> fmt::Result {
        self.begin(name, help, MetricType::Counter, &mut |metric| {
            counts.try_for_each(|(value, count)| {
                number(&mut metric.encode_family(&[(label, value)])?, count)
            })
        })
    }

    fn gauge(&mut self, name: &str, help: &str, level: i64) -> fmt::Result {
        self.begin(name, help, MetricType::Gauge, &mut |metric| metric.encode_gauge(&level))
    }
}

type Write<'a> = &'a mut dyn FnMut(&mut MetricEncoder<'_>) -> fmt::Result;

fn number(metric: &mut MetricEncoder<'_>, count: u64) -> fmt::Result {
    metric.encode_counter::<NoLabelSet, _, f64>(&count, None)
}

fn level(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Writing(encoder);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        out.begin("clearlist_build", "This program", MetricType::Info, &mut |metric| {
            metric.encode_info(&version)
        })?;
        out.gauge(
            "clearlist_start_time_seconds",
            "When it began to serve, in seconds since 1970",
            self.started.as_second(),
        )?;
        self.requests(&mut out)?;
        self.list(&mut out)?;
        self.proposals(&mut out)?;
        self.transport(&mut out)
    }
}

impl Metrics {
    fn requests(&self, out: &mut Writing<'_>) -> fmt::Result {
        let help = "Requests that ended, by method and gRPC code";
        out.begin("clearlist_requests", help, MetricType::Counter, &mut |metric| {
            for method in self.methods.each() {
                for (code, count) in method.codes() {
                    let labels = [("method", method.name()), ("code", code)];
                    number(&mut metric.encode_family(&labels)?, count)?;
                }
            }
            Ok(())
        })?;
        let help = "How long requests took, from their headers to the last byte of the answer";
        let name = "clearlist_request_duration_seconds";
        out.begin(name, help, MetricType::Histogram, &mut |metric| {
            for method in self.methods.each() {
                let (counts, nanoseconds) = method.durations();
                let bounds = BOUNDS_MICROSECONDS.map(Duration::from_micros);
                let bounds = bounds.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
                let total = counts.iter().sum();
                let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
                let sum = Duration::from_nanos(nanoseconds).as_secs_f64();
                let labels = [("method", method.name())];
                let mut metric = metric.encode_family(&labels)?;
                metric.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)?;
            }
            Ok(())
        })?;
        let open: u64 = self.methods.each().map(Method::open).sum();
        out.gauge("clearlist_requests_in_flight", "Requests that have not ended", level(open))?;
        let help = "Questions that were decided, by verdict; each line of a batch or stream counts";
        let tally = self.running.tally();
        out.counters(("clearlist_verdicts", help, "verdict"), tally.verdicts())
    }

    fn list(&self, out: &mut Writing<'_>) -> fmt::Result {
        let (published, at) = (self.running.published(), now());
        let answering = published.at(at);
        let size = published.register.size();
        out.gauge("clearlist_register_size", "Statements in the register", level(size))?;
        let (revision, list) = match answering {
            Answering::Snapshot(snapshot) => (Some(&snapshot.revision), Some(&snapshot.list)),
            Answering::Expired(revision) => (Some(revision), None),
            Answering::Nothing => (None, None),
        };
        out.gauge(
            "clearlist_revision",
            "Number of the revision in force, or of the one that expired; 0 for none",
            level(revision.map_or(0, |revision| revision.number)),
        )?;
        let fresh = Freshness::of(answering, at, self.expiry_warning);
        out.gauge(
            "clearlist_list_in_force",
            "1 while a list answers, else 0",
            i64::from(list.is_some()),
        )?;
        out.gauge(
            "clearlist_list_expiring",
            "1 while the list in force expires within register.expiry_warning, or has expired",
            i64::from(matches!(fresh, Freshness::NearExpiry | Freshness::Expired)),
        )?;
        if let Some(expires) = revision.and_then(|revision| revision.expires) {
            out.gauge(
                "clearlist_list_expiry_seconds",
                "Seconds until the list in force expires; negative since it has. Absent without one",
                expires.duration_since(at).as_secs(),
            )?;
        }
        let index = list.map(|list| (list.entries().len(), list.index().names()));
        let (entries, names) = index.unwrap_or_default();
        out.gauge("clearlist_index_entries", "Entries of the list in force", level(entries))?;
        out.gauge("clearlist_index_names", "Distinct names in its index", level(names))
    }

    fn proposals(&self, out: &mut Writing<'_>) -> fmt::Result {
        let tally = self.running.tally();
        let help = "Proposals, by what became of them";
        out.counters(("clearlist_proposals", help, "outcome"), tally.proposals.each())?;
        let help = "Reasons proposals were refused for; one proposal may have several";
        let refusals = ("clearlist_proposal_refusals", help, "reason");
        out.counters(refusals, tally.refusals.each())?;
        let log = self.log.figures();
        out.gauge(
            "clearlist_decision_log_waiting",
            "Answers that wait to be written to the decision log",
            level(log.queued),
        )?;
        let help = "Answers that were given and are not in the decision log";
        out.count("clearlist_decision_log_lost", help, log.lost)?;
        let help = "Answers that were refused because the decision log could not be written";
        out.count("clearlist_decision_log_refused", help, log.refused)?;
        let help = "Times the decision log could not be written";
        out.count("clearlist_decision_log_failures", help, log.failures)
    }

    fn transport(&self, out: &mut Writing<'_>) -> fmt::Result {
        let counts = &*self.counts;
        let ended = counts.connections_ended.get();
        let open = counts.connections_accepted.get().saturating_sub(ended);
        out.gauge("clearlist_connections_open", "Open connections", level(open))?;
        let each: [(&str, &str, &Count); 9] = [
            ("connections_accepted", "Connections taken", &counts.connections_accepted),
            (
                "connections_refused",
                "Connections not taken: all places had a request open",
                &counts.connections_refused,
            ),
            (
                "connections_displaced",
                "Connections that made room for others",
                &counts.connections_displaced,
            ),
            ("connections_cut", "Connections cut off", &counts.connections_cut),
            ("tls_handshakes_failed", "TLS handshakes that failed", &counts.handshakes_failed),
            (
                "requests_overloaded",
                "Requests that were told to come again",
                &counts.requests_refused,
            ),
            (
                "deadlines_exceeded",
                "Requests whose deadline had passed",
                &counts.deadlines_exceeded,
            ),
            ("tls_reloads", "TLS files that took the place of others", &counts.tls_reloads),
            (
                "tls_reload_failures",
                "New TLS files that could not; those before stay",
                &counts.tls_reload_failures,
            ),
        ];
        let mut each = each.into_iter();
        each.try_for_each(|(name, help, count)| {
            out.counter(&format!("clearlist_{name}"), help, count)
        })
    }
}
