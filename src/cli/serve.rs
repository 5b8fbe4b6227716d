//! `clearlist serve`: a register, served.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::SignedDuration;

use crate::config::{self, Given, Problem, Settings};
use crate::grpc::request_id;
use crate::server::{self, Overview, Parts, now};
use crate::service::decisions::{DIRECTORY, DecisionLog, DecisionSettings, Mode};
use crate::service::opening::{self, OpeningError};
use crate::service::running::Running;
use crate::service::timeline::Answering;
use crate::telemetry;

use super::{Lang, Manner, Outcome, complain};

/// Registers with fewer statements are replayed before a progress bar could be read.
const PROGRESS_STATEMENTS_MIN: u64 = 100;

/// Arguments of `clearlist serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Settings file; clearlist.example.toml has every setting
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; port 0 lets the system pick [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Register directory, made by `clearlist register init`
    #[arg(long, value_name = "DIR")]
    register: Option<String>,
    /// What a decision log that takes no answers means: required, no question is answered;
    /// best-effort, answers are given unlogged and counted; off, there is no log [default: required]
    #[arg(long, value_name = "MODE")]
    decision_log: Option<String>,
    /// Directory of the decision log [default: `decisions` in the register directory]
    #[arg(long, value_name = "DIR")]
    decisions: Option<String>,
    /// One setting, over file and environment, e.g. `limits.connections_max=100`
    #[arg(long, value_name = "SECTION.NAME=VALUE")]
    set: Vec<String>,
    /// Only say what is wrong with the settings; exit code 0 if nothing is
    #[arg(long, conflicts_with = "print_config")]
    check_config: bool,
    /// Only print all settings as they are, and where each came from
    #[arg(long)]
    print_config: bool,
}

/// What flags are short for.
const LISTEN: (&str, &str) = ("--listen", "listen.address");
const REGISTER: (&str, &str) = ("--register", "register.directory");
const DECISION_LOG: (&str, &str) = ("--decision-log", "decisions.mode");
const DECISIONS: (&str, &str) = ("--decisions", "decisions.directory");

/// Serves a register directory.
pub(super) async fn run(
    manner: Manner,
    environment: Vec<(String, String)>,
    args: ServeArgs,
) -> Outcome {
    let lang = manner.lang;
    let (settings, sources) = match given(lang, environment, &args).and_then(|given| {
        let loaded = Settings::load(&given);
        loaded.map_err(|problems| complain_of(lang, &problems))
    }) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    if args.print_config {
        anstream::print!("{}", settings.print(&sources));
        return Outcome::Yes;
    }
    let Some(directory) = settings.register.directory.clone() else {
        complain(lang.pick(
            "which register? Name its directory with --register or register.directory",
            "哪个登记簿？请用 --register 或 register.directory 指定其目录",
        ));
        return Outcome::Usage;
    };
    if args.check_config {
        return check(lang, &settings);
    }
    telemetry::init(&settings.telemetry, request_id::current_text);
    let overview = Arc::new(Overview::default());
    // Before the register is read: a long start is seen, not guessed.
    if let Some(address) = settings.telemetry.metrics_listen
        && let Err(outcome) = tell(lang, address, &overview).await
    {
        return outcome;
    }
    let mut stop = match caught() {
        Ok(stop) => stop,
        Err(outcome) => return outcome,
    };
    // The register first: its lock says whether another server has all of this.
    let decisions = settings.decisions.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let running = open(lang, &directory)?;
        Ok((running, open_log(lang, &directory, &decisions)?))
    });
    let opened = tokio::select! {
        opened = reading => opened,
        // The reading cannot be called off. It leaves behind what a kill would.
        () = stop.wait() => std::process::exit(0),
    };
    match opened {
        Ok(Ok((running, log))) => {
            serve(lang, settings, running, log, overview, stop, |_address| String::new()).await
        }
        Ok(Err(outcome)) => outcome,
        Err(panicked) => {
            complain(&panicked.to_string());
            Outcome::Failed
        }
    }
}

/// Signals, caught from now on.
pub(super) fn caught() -> Result<server::StopSignal, Outcome> {
    server::StopSignal::register().map_err(|error| {
        complain(&error.to_string());
        Outcome::Failed
    })
}

/// Answers at the second address until the process ends.
async fn tell(lang: Lang, address: SocketAddr, overview: &Arc<Overview>) -> Result<(), Outcome> {
    let (listener, address) = server::bind(address).await.map_err(|error| {
        complain(&match lang {
            Lang::En => format!("cannot listen on telemetry.metrics_listen {address}: {error}"),
            Lang::Zh => format!("无法监听 telemetry.metrics_listen {address}：{error}"),
        });
        Outcome::Failed
    })?;
    tracing::info!(%address, "metrics are told");
    tokio::spawn(server::tell(listener, Arc::clone(overview)));
    Ok(())
}

/// File, environment and flags, read.
fn given(
    lang: Lang,
    environment: Vec<(String, String)>,
    args: &ServeArgs,
) -> Result<Given, Outcome> {
    let mut given = Given { environment, ..Given::default() };
    if let Some(path) = &args.config {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            complain(&match lang {
                Lang::En => format!("cannot read the settings file {place}: {error}"),
                Lang::Zh => format!("无法读取设置文件 {place}：{error}"),
            });
            Outcome::Usage
        })?;
        given.file = Some((place, text));
    }
    for setting in &args.set {
        let Some((path, value)) = setting.split_once('=') else {
            complain(&match lang {
                Lang::En => format!("--set {setting}: give SECTION.NAME=VALUE"),
                Lang::Zh => format!("--set {setting}：应为 SECTION.NAME=VALUE"),
            });
            return Err(Outcome::Usage);
        };
        given.flags.push(("--set".into(), path.to_owned(), value.to_owned()));
    }
    let short = [
        (LISTEN, &args.listen),
        (REGISTER, &args.register),
        (DECISION_LOG, &args.decision_log),
        (DECISIONS, &args.decisions),
    ];
    for ((flag, path), value) in short {
        if let Some(value) = value {
            given.flags.push((flag.into(), path.into(), value.clone()));
        }
    }
    Ok(given)
}

/// What only shows when the files that settings name are looked at.
fn check(lang: Lang, settings: &Settings) -> Outcome {
    let mut good = true;
    let mut say = |problem: String| {
        complain(&problem);
        good = false;
    };
    if let Err(error) = server::check_tls(&settings.tls) {
        say(error.to_string());
    }
    if let Err(error) = server::check_identity(&settings.identity) {
        say(error.to_string());
    }
    if !telemetry::is_filter(&settings.telemetry.filter) {
        say(match lang {
            Lang::En => format!("telemetry.filter: `{}` is no filter", settings.telemetry.filter),
            Lang::Zh => format!("telemetry.filter：`{}` 不是过滤规则", settings.telemetry.filter),
        });
    }
    let directory = settings.register.directory.as_deref().filter(|path| !path.is_dir());
    if let Some(directory) = directory.map(Path::display) {
        say(match lang {
            Lang::En => format!("register.directory: {directory} is no directory"),
            Lang::Zh => format!("register.directory：{directory} 不是目录"),
        });
    }
    if !good {
        return Outcome::Usage;
    }
    anstream::println!("{}", lang.pick("the settings are good", "设置无误"));
    Outcome::Yes
}

/// Says every problem of the settings.
pub(super) fn complain_of(lang: Lang, problems: &[Problem]) -> Outcome {
    for problem in problems {
        let text = lang.pick(&problem.english, &problem.chinese);
        complain(&format!("{}: {text}", problem.source));
    }
    Outcome::Usage
}

/// Opens a register directory, or says why it is not believed.
pub(super) fn open(lang: Lang, directory: &Path) -> Result<Running, Outcome> {
    let bar = indicatif::ProgressBar::hidden();
    let opened = opening::open(directory, now(), |done, size| {
        if done == 1 && size >= PROGRESS_STATEMENTS_MIN {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            bar.set_length(size);
        }
        bar.set_position(done);
    });
    bar.finish_and_clear();
    opened.map_err(|error| refuse(lang, directory, &error))
}

/// Opens the decision log of a register, or says why it cannot be kept.
pub(super) fn open_log(
    lang: Lang,
    register: &Path,
    settings: &config::Decisions,
) -> Result<DecisionLog, Outcome> {
    let directory = settings.directory.clone().unwrap_or_else(|| register.join(DIRECTORY));
    let kept = DecisionSettings {
        mode: match settings.mode {
            config::DecisionLog::Required => Mode::Required,
            config::DecisionLog::BestEffort => Mode::BestEffort,
            config::DecisionLog::Off => Mode::Off,
        },
        retention: SignedDuration::from_hours(i64::from(settings.retention_days) * 24),
        segment_bytes_max: u64::try_from(settings.segment_bytes_max.bytes()).unwrap_or(u64::MAX),
    };
    DecisionLog::open(&directory, kept, now).map_err(|error| {
        let place = directory.display();
        complain(&match lang {
            Lang::En => format!("the decision log in {place} cannot be kept: {error}"),
            Lang::Zh => format!("无法在 {place} 保存决定日志：{error}"),
        });
        Outcome::Failed
    })
}

/// Says why a register is not believed.
pub(super) fn refuse(lang: Lang, directory: &Path, error: &OpeningError) -> Outcome {
    let place = directory.display();
    complain(&match lang {
        Lang::En => format!("the register in {place} is not served: {error}"),
        Lang::Zh => format!("不提供 {place} 中的登记簿：{error}"),
    });
    Outcome::Failed
}

/// Serves a running register until a signal to stop. What `hint` says of the address is printed
/// after the greeting.
pub(super) async fn serve(
    lang: Lang,
    settings: Settings,
    running: Running,
    log: DecisionLog,
    overview: Arc<Overview>,
    mut stop: server::StopSignal,
    hint: impl FnOnce(SocketAddr) -> String,
) -> Outcome {
    let listen = settings.listen.address;
    let (listener, address) = match server::bind(listen).await {
        Ok(bound) => bound,
        Err(error) => {
            complain(&match lang {
                Lang::En => format!(
                    "cannot listen on {listen}: {error}; name another address with --listen"
                ),
                Lang::Zh => format!("无法监听 {listen}：{error}；请用 --listen 指定其他地址"),
            });
            return Outcome::Failed;
        }
    };
    let greeting = greeting(lang, address, &running);
    let kept = log.clone();
    let parts = Parts { overview, ..Parts::new(Arc::new(running), log) };
    let ready = match server::ready(parts, settings) {
        Ok(ready) => ready,
        Err(error) => {
            complain(&error.to_string());
            kept.close();
            return Outcome::Failed;
        }
    };
    anstream::println!("{greeting}");
    anstream::print!("{}", hint(address));
    ready.serve(listener, stop.wait()).await;
    Outcome::Yes
}

fn greeting(lang: Lang, address: SocketAddr, running: &Running) -> String {
    let published = running.published();
    let origin = published.register.origin();
    let state = match published.at(now()) {
        Answering::Snapshot(snapshot) => {
            let (number, entries) = (snapshot.revision.number, snapshot.list.entries().len());
            match lang {
                Lang::En => format!("revision {number} of {origin}, {entries} entries"),
                Lang::Zh => format!("{origin} 第{number}版，{entries}条"),
            }
        }
        Answering::Expired(revision) => match lang {
            Lang::En => format!(
                "revision {} of {origin} HAS EXPIRED; every question is refused",
                revision.number
            ),
            Lang::Zh => format!("{origin} 第{}版已失效；拒答所有问题", revision.number),
        },
        Answering::Nothing => match lang {
            Lang::En => format!("{origin}, which has no list in force yet"),
            Lang::Zh => format!("{origin}，尚无有效清单"),
        },
    };
    match lang {
        Lang::En => format!("listening on {address}: {state}"),
        Lang::Zh => format!("监听 listening on {address}：{state}"),
    }
}
