//! Logs: readable on a terminal, JSON otherwise, if not told. No material name, no USCC and no
//! token is ever logged: requests are named by their outcome and their request id.

use std::fmt;
use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogFormat, Telemetry};

/// Id of the request that the calling thread works on: letters, digits, `-`, `_` and `.` only.
pub type CurrentRequest = fn() -> Option<String>;

/// Sends logs to standard error.
pub fn init(settings: &Telemetry, current_request: CurrentRequest) {
    let filter = EnvFilter::try_new(&settings.filter);
    let filter = filter.unwrap_or_else(|_malformed| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(is_terminal);
    let readable = match settings.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // A second initialisation (tests) changes nothing.
    let _already_set = if readable {
        let form = Form::Text;
        builder.map_event_format(|inner| WithRequest { inner, form, current_request }).try_init()
    } else {
        let builder = builder.json();
        let form = Form::Json;
        builder.map_event_format(|inner| WithRequest { inner, form, current_request }).try_init()
    };
}

/// Whether a filter is one.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

/// Lines with the id of their request. Not a span: one would cost every lookup what only a line
/// of the log needs.
struct WithRequest<F> {
    inner: F,
    form: Form,
    current_request: CurrentRequest,
}

impl<S, N, F> FormatEvent<S, N> for WithRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = (self.current_request)() else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        match (self.form, line.strip_prefix('{')) {
            (Form::Json, Some(rest)) => writeln!(writer, "{{\"request_id\":\"{id}\",{rest}"),
            _ => writeln!(writer, "{line} request_id={id}"),
        }
    }
}
