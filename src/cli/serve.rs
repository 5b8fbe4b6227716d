//! `clearlist serve`: a register, served.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::server::{self, now};
use crate::service::opening::{self, OpeningError};
use crate::service::running::Running;
use crate::service::timeline::Answering;
use crate::telemetry;

use super::{LISTEN_DEFAULT, Lang, Manner, Outcome, complain};

/// Registers with fewer statements are replayed before a progress bar could be read.
const PROGRESS_STATEMENTS_MIN: u64 = 100;

/// Arguments of `clearlist serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 lets the system pick
    #[arg(long, default_value = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// Register directory, made by `clearlist register init`
    #[arg(long, value_name = "DIR")]
    register: PathBuf,
}

/// Serves a register directory.
pub(super) async fn run(manner: Manner, filter: &str, args: ServeArgs) -> Outcome {
    telemetry::init(filter);
    match open(manner.lang, &args.register) {
        Ok(running) => serve(manner.lang, args.listen, running, |_address| String::new()).await,
        Err(outcome) => outcome,
    }
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
    listen: SocketAddr,
    running: Running,
    hint: impl FnOnce(SocketAddr) -> String,
) -> Outcome {
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
    let stop = match server::StopSignal::register() {
        Ok(stop) => stop,
        Err(error) => {
            complain(&error.to_string());
            return Outcome::Failed;
        }
    };
    anstream::println!("{}", greeting(lang, address, &running));
    anstream::print!("{}", hint(address));
    match server::serve(Arc::new(running), listener, stop.wait()).await {
        Ok(()) => Outcome::Yes,
        Err(error) => {
            complain(&error.to_string());
            Outcome::Failed
        }
    }
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
