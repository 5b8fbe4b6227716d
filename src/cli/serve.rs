//! `clearlist demo` and `clearlist serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::formats::list_csv::ListFiles;
use crate::server;
use crate::service::folder;
use crate::service::snapshot::Snapshot;
use crate::telemetry;

use super::source::{open_folder, report_folder};
use super::{Lang, Manner, Outcome, complain};

/// The worked example of `data/`, built in so that the demo runs from any folder.
fn example() -> ListFiles {
    ListFiles {
        schemes: include_bytes!("../../data/schemes.csv").to_vec(),
        enterprises: include_bytes!("../../data/enterprises.csv").to_vec(),
        entries: include_bytes!("../../data/entries.csv").to_vec(),
    }
}

/// Serves the worked example, or a folder, and says what to try.
pub(super) async fn demo(
    manner: Manner,
    filter: &str,
    listen: SocketAddr,
    list: Option<PathBuf>,
) -> Outcome {
    let snapshot = match &list {
        Some(path) => open_folder(manner.lang, path),
        None => folder::load(&example()).map_err(|error| {
            report_folder(manner.lang, &error);
            Outcome::Failed
        }),
    };
    match snapshot {
        Ok(snapshot) => run(manner, filter, listen, snapshot, true).await,
        Err(outcome) => outcome,
    }
}

/// Serves a folder.
pub(super) async fn serve(
    manner: Manner,
    filter: &str,
    listen: SocketAddr,
    list: &Path,
) -> Outcome {
    match open_folder(manner.lang, list) {
        Ok(snapshot) => run(manner, filter, listen, snapshot, false).await,
        Err(outcome) => outcome,
    }
}

async fn run(
    manner: Manner,
    filter: &str,
    listen: SocketAddr,
    snapshot: Snapshot,
    is_demo: bool,
) -> Outcome {
    telemetry::init(filter);
    let entries = snapshot.list.entries().len();
    let (listener, address) = match server::bind(listen).await {
        Ok(bound) => bound,
        Err(error) => {
            complain(&match manner.lang {
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
    anstream::println!("{}", greeting(manner.lang, address, entries));
    if is_demo {
        anstream::println!("{}", things_to_try(manner.lang, address));
    }
    tracing::info!(%address, entries, "serving an unsigned list");
    match server::serve(Arc::new(snapshot), listener, stop.wait()).await {
        Ok(()) => Outcome::Yes,
        Err(error) => {
            complain(&error.to_string());
            Outcome::Failed
        }
    }
}

fn greeting(lang: Lang, address: SocketAddr, entries: usize) -> String {
    match lang {
        Lang::En => format!("listening on {address}: {entries} entries, an unsigned list"),
        Lang::Zh => format!("监听 listening on {address}：{entries}条，未签名的清单"),
    }
}

fn things_to_try(lang: Lang, address: SocketAddr) -> String {
    let server = if address.to_string() == super::LISTEN_DEFAULT {
        String::new()
    } else {
        format!(" --server http://{address}")
    };
    let try_it = lang.pick(
        "Worked example, not an official list. Try, in another terminal:",
        "此为示例，并非官方清单。请在另一终端试用：",
    );
    format!(
        "{try_it}

  cargo run --release -- check --hs 2941.30.11.00 --name 四环素{server}

  npx --yes @bufbuild/buf curl --protocol grpc --http2-prior-knowledge \\
      -d '{{\"hsCode\":\"2941301100\",\"materialName\":\"四环素\"}}' \\
      http://{address}/clearlist.v1.ClearanceService/CheckClearance

  python3 -m venv /tmp/clearlist-venv && /tmp/clearlist-venv/bin/pip install -q -r examples/python/requirements.txt
  /tmp/clearlist-venv/bin/python examples/python/check.py {address}
"
    )
}
