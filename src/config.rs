//! Settings: every one with its section, unit, default and reason, declared once. From the
//! declaration come the structs, the reading of file, environment and flags, what
//! `--print-config` prints, and `clearlist.example.toml`.
//!
//! No setting is a secret: keys are files, and a setting is where they are.

mod contradictions;
mod load;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use load::{Given, Problem, Source};
pub use value::{ByteSize, Choice, Origins, Value};

use value::choice;

choice! {
    /// What happens to answers that cannot be logged.
    DecisionLog {
        /// Nothing is logged.
        Off = "off",
        /// Nothing unlogged is answered.
        Required = "required",
        /// Answered, counted and told of.
        BestEffort = "best-effort",
    }
}

choice! {
    /// Whether callers show a certificate.
    ClientCertificates {
        /// None is asked for.
        None = "none",
        /// One is asked for; who has none may connect, with no identity from it.
        Optional = "optional",
        /// Who has none cannot connect.
        Required = "required",
    }
}

choice! {
    /// At which level each request has its line in the log.
    AccessLog {
        /// Only seen if the filter says so.
        Debug = "debug",
        /// Seen by default.
        Info = "info",
    }
}

choice! {
    /// Form of the logs.
    LogFormat {
        /// Readable on a terminal, JSON otherwise.
        Auto = "auto",
        /// Readable.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

/// What the example file begins with.
const EXAMPLE_HEAD: [&str; 4] = [
    "Every setting of `clearlist serve`, with its default. A file needs only what differs.",
    "An environment variable goes over the file: CLEARLIST_, the section, the name, as in",
    "CLEARLIST_LIMITS_CONNECTIONS_MAX. A flag goes over both: --set limits.connections_max=100.",
    "Durations have a unit: ms, s, min, h. Sizes too: B, KiB, MiB, GiB. An empty text is \"not set\".",
];

/// Declares sections and settings. The comment of a setting is its documentation: it stands in
/// the example file as it is here.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $Type:ty = $default:expr, )+
        }
    )+) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section { $( $(#[doc = $doc])+ pub $key: $Type, )+ }

            impl $Section {
                const DOC: &'static [&'static str] = &[$($section_doc),+];
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $key: $default, )+ }
                }
            }
        )+

        /// Everything that can be set.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Settings { $( $(#[doc = $section_doc])+ pub $section: $Section, )+ }

        impl Settings {
            /// Shows every setting, in the order of the example file.
            fn each(&mut self, mut see: impl FnMut(Key, &mut dyn Value)) {
                $( $(
                    let key = Key {
                        section: stringify!($section),
                        name: stringify!($key),
                        section_doc: $Section::DOC,
                        doc: &[$($doc),+],
                    };
                    see(key, &mut self.$section.$key);
                )+ )+
            }
        }
    };
}

/// Which setting it is.
#[derive(Debug, Clone, Copy)]
struct Key {
    section: &'static str,
    name: &'static str,
    section_doc: &'static [&'static str],
    doc: &'static [&'static str],
}

impl Key {
    /// As flags and messages name it: `limits.connections_max`.
    fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// As the environment names it: `CLEARLIST_LIMITS_CONNECTIONS_MAX`.
    fn variable(&self) -> String {
        format!("CLEARLIST_{}_{}", self.section, self.name).to_uppercase()
    }
}

settings! {
    /// Where it listens.
    listen: Listen {
        /// Address and port. Port 0 lets the system pick, and the first line on standard output
        /// names it. The flag is --listen.
        address: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 50_051)),
        /// Serve an address that is not loopback without TLS: everyone on the way can read every
        /// question and change every answer. For use behind a proxy that has TLS.
        allow_plaintext_on_public_address: bool = false,
    }

    /// What is served.
    register: Register {
        /// The register directory, made by `clearlist register init`, on a file system with locks,
        /// sync and atomic rename. The flag is --register. Empty: `serve` refuses to start.
        directory: Option<PathBuf> = None,
        /// A list in force that expires within this time is warned of: in the log every hour, by
        /// the metric `clearlist_list_expiring`, and by `clearlist.freshness`, which is then
        /// `NOT_SERVING`. Two weeks: a revision is drafted, passed around and signed in days.
        expiry_warning: Duration = Duration::from_hours(14 * 24),
    }

    /// The log of every answer.
    decisions: Decisions {
        /// "required", nothing unlogged is answered; "best-effort", answered, counted and told of;
        /// "off". The flag is --decision-log.
        mode: DecisionLog = DecisionLog::Required,
        /// Its directory, on a local disk. Empty: `decisions` in the register directory. The flag is
        /// --decisions.
        directory: Option<PathBuf> = None,
        /// Days a logged answer is kept at least: three years, one of them a leap year, and 90
        /// days. Customs may ask for three years after release; the goods are released some weeks
        /// after the question.
        retention_days: u32 = 3 * 365 + 1 + 90,
        /// A file of the log is closed, and the next begun, at this size or at the month's end.
        /// Whole files are removed when all in them is old enough. Two to four million answers.
        segment_bytes_max: ByteSize = ByteSize::mib(1_024),
    }

    /// TLS 1.2 and 1.3. Without certificate and key there is none. The files are looked at again
    /// every `reload_interval` and at SIGHUP: what is good takes the place of what was, for new
    /// connections; what is not is told of in the log, and what was there stays.
    tls: Tls {
        /// The server's certificate in PEM, followed by those between it and the authority.
        certificate: Option<PathBuf> = None,
        /// Its private key in PEM: PKCS#8, SEC 1 or PKCS#1, not sealed with a passphrase.
        key: Option<PathBuf> = None,
        /// Authorities, in PEM, whose client certificates are believed.
        client_ca: Option<PathBuf> = None,
        /// "none"; "optional", a certificate is asked for and may be missing; "required".
        client_certificates: ClientCertificates = ClientCertificates::None,
        /// How often the files are looked at.
        reload_interval: Duration = Duration::from_secs(10),
    }

    /// Who callers are and what they may do. Without `callers` and `jwks` nobody is asked, and
    /// everybody may do everything. With either, a caller shows a client certificate, or sends
    /// `authorization: Bearer` and an API token or JWT; what is wrong is refused, also where
    /// something else shown would do. Health answers everybody.
    identity: Identity {
        /// File of callers, a line for each credential: name, roles with commas, and `sha256:` of an
        /// API token, or `uri:`, `dns:`, `email:` or `ip:` and a name in client certificates. Roles:
        /// lookup, ask questions; read, read the register; submit, hand in proposals, of which only
        /// signatures decide; operate, for later. `clearlist token new` makes tokens and their lines.
        callers: Option<PathBuf> = None,
        /// File of public keys (JWK set) whose JWTs are believed: RS, PS, ES256, ES384, `EdDSA`.
        jwks: Option<PathBuf> = None,
        /// What `iss` of a JWT must be. Needed with `jwks`.
        jwt_issuer: String = String::new(),
        /// What `aud` of a JWT must be or hold, so that a token for another service is no good here.
        /// Needed with `jwks`.
        jwt_audience: String = String::new(),
        /// Claim of a JWT with roles, as a list, or as one text with spaces like `scope`. Its `sub` is
        /// the caller's name.
        jwt_roles_claim: String = "roles".into(),
        /// How far the clock of an issuer may be off.
        jwt_leeway: Duration = Duration::from_secs(30),
        /// How often the files are looked at, also at SIGHUP: how long a revoked token is good at most.
        reload_interval: Duration = Duration::from_secs(5),
        /// Whether reflection, the API's manual, answers everybody; false: whoever has the role read.
        open_reflection: bool = true,
        /// Serve an address that is not loopback without asking who calls: everyone who reaches it may
        /// ask, read the register and hand in proposals.
        allow_anonymous_on_public_address: bool = false,
    }

    /// Browsers. gRPC-Web and JSON are answered at the same address as gRPC; which pages may use
    /// them, a browser asks the server.
    web: Web {
        /// Origins whose pages may ask and read the answer: scheme, host and port as the browser
        /// shows them, with spaces between; "*" is all. Empty: no page of another origin may. It
        /// keeps out nobody but browsers.
        allowed_origins: Origins = Origins::default(),
    }

    /// What one process takes on. Beyond each limit callers are told, or wait; nothing queues
    /// without bound.
    limits: Limits {
        /// Open connections. One that waits costs about 20 KiB, and a file descriptor: the limit
        /// of the process is raised as far as the system lets it. When all are taken, one that
        /// never asked anything makes room for the next, then the one longest without a request.
        connections_max: u32 = 4_096,
        /// From the connection until TLS is agreed and HTTP has begun; also for the head of each
        /// HTTP/1.1 request. A client needs some round trips, of at most half a second each.
        handshake_timeout: Duration = Duration::from_secs(10),
        /// A connection without an open request is told to go after this long. Clients connect
        /// again by themselves; firewalls forget silent connections after about an hour.
        idle_timeout: Duration = Duration::from_mins(15),
        /// A connection is told to go at this age, give or take a tenth, so that callers spread
        /// over servers that were added.
        connection_age_max: Duration = Duration::from_hours(1),
        /// What is still open this long after that is cut off. Streams of more questions than this
        /// takes are better split.
        connection_age_grace: Duration = Duration::from_mins(10),
        /// A client that reads nothing of what waits for it is cut off after this long: answers
        /// nobody takes are memory.
        unread_timeout: Duration = Duration::from_mins(1),
        /// Open requests of one connection, by HTTP/2's own means: the client waits. One that
        /// wants more opens another connection.
        streams_per_connection_max: u32 = 1_024,
        /// Open requests each connection may have whatever the others do.
        requests_per_connection_assured: u32 = 16,
        /// Open requests beyond those, of all connections together, streams and watchers
        /// included. A request costs about 3 KiB besides its message. Beyond it: UNAVAILABLE.
        requests_open_max: u32 = 16_384,
        /// Requests that have arrived and that no thread has begun: about 50 ms of work for one
        /// processor, and room for what some callers send at once. Who comes when so many wait is told at once: UNAVAILABLE, and when to come
        /// again. Health and reflection still answer.
        requests_waiting_max: u32 = 4_096,
        /// All headers of a request. Tokens and trace contexts take some kilobytes.
        header_bytes_max: ByteSize = ByteSize::kib(16),
        /// A message that is one question: its longest fields together have 4 KiB.
        question_bytes_max: ByteSize = ByteSize::kib(64),
        /// The message of a batch: the most questions, of the longest usual size.
        message_bytes_max: ByteSize = ByteSize::mib(16),
        /// One proposal: a list of 100,000 rows has about 30 MB.
        proposal_bytes_max: ByteSize = ByteSize::mib(128),
        /// Batches and proposals that have not come whole, all together. Beyond it: UNAVAILABLE.
        messages_bytes_max: ByteSize = ByteSize::mib(512),
        /// A batch or a proposal must have come whole after this long: the largest proposal, at
        /// nine megabits a second. Beyond it: `DEADLINE_EXCEEDED`.
        message_timeout: Duration = Duration::from_mins(2),
        /// Questions of a batch, 10,000 at most: a declaration has 50 lines, a procurement run some
        /// thousands.
        batch_items_max: u32 = 10_000,
        /// Batches of more than 32 questions that are worked on, as many at once as there are
        /// processors, or wait for that. The largest may hold 100 MiB. Beyond it: UNAVAILABLE.
        batches_open_max: u32 = 32,
        /// Questions a known caller may ask each second, over all its connections: a processor answers
        /// some ten thousand. A batch counts its questions, any other call is one; a stream is slowed
        /// to the rate. Beyond it: `RESOURCE_EXHAUSTED`, and when to come again. 0: no limit.
        caller_questions_per_second_max: u32 = 1_000,
        /// The same for all callers at one IP address (of IPv6: one /64), where nobody is asked who he
        /// is. 0: no limit, since behind a proxy all have one address.
        address_questions_per_second_max: u32 = 0,
        /// Questions either may ask at once after a pause: two of the largest batches.
        questions_burst_max: u32 = 20_000,
    }

    /// From SIGTERM or SIGINT to the end.
    shutdown: Shutdown {
        /// How long it goes on as before after health turned `NOT_SERVING`, so that whoever spreads
        /// the load has noticed. Kubernetes removes endpoints within some seconds.
        notice_time: Duration = Duration::ZERO,
        /// From then on, nobody may connect, and what runs may finish for this long. Then everything
        /// is cut off.
        drain_timeout: Duration = Duration::from_secs(10),
    }

    /// What it says of itself. Never a material name, a USCC or a token.
    telemetry: Telemetry {
        /// Which logs, as `RUST_LOG` writes it: "info", "warn,clearlist=debug". `RUST_LOG` counts as the
        /// environment variable of this setting, if its own is not set.
        filter: String = "info".into(),
        /// "auto", readable on a terminal and JSON otherwise; "text"; "json". On standard error.
        format: LogFormat = LogFormat::Auto,
        /// One line for each request, with method, code, duration and request id: "debug" or
        /// "info" is its level, `clearlist::access` its name in the filter.
        access_log: AccessLog = AccessLog::Debug,
        /// Address and port of /metrics, /livez and /readyz, by plain HTTP/1.1. Nothing there is
        /// about a caller or a question, and nothing can be changed; still, only who looks after
        /// the service should reach it. Empty: none.
        metrics_listen: Option<SocketAddr> = None,
        /// Collector to which traces go, by OTLP over gRPC without TLS, as `http://HOST:PORT`. One
        /// span for each traced request, with its method, code, duration and request id. Empty: none.
        otlp_endpoint: String = String::new(),
        /// Of the requests that do not come as part of a trace, one in so many is traced. 1: each.
        trace_one_in: u32 = 100,
    }
}

impl Identity {
    /// Whether callers are asked who they are.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.callers.is_some() || self.jwks.is_some()
    }
}

impl Settings {
    /// The example file: every setting with its documentation and its default.
    #[must_use]
    pub fn example() -> String {
        let mut lines: Vec<String> = EXAMPLE_HEAD.iter().map(|line| format!("# {line}")).collect();
        let comment = |line: &&str| format!("#{line}");
        let mut section = "";
        Self::default().each(|key, value| {
            lines.push(String::new());
            if key.section != section {
                section = key.section;
                lines.extend(key.section_doc.iter().map(comment));
                lines.push(format!("[{section}]"));
            }
            lines.extend(key.doc.iter().map(comment));
            lines.push(format!("{} = {}", key.name, value.show()));
        });
        lines.join("\n") + "\n"
    }

    /// Every setting as it is, and where it came from: a file that can be read again.
    #[must_use]
    pub fn print(&self, sources: &BTreeMap<String, Source>) -> String {
        let (mut lines, mut section) = (Vec::new(), "");
        self.clone().each(|key, value| {
            if key.section != section {
                section = key.section;
                lines.push(format!("[{section}]"));
            }
            let source = sources.get(&key.path()).map_or("default".into(), ToString::to_string);
            lines.push(format!("{} = {}  # {source}", key.name, value.show()));
        });
        lines.join("\n") + "\n"
    }
}
