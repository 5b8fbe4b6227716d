//! `clearlist demo`: a register with fresh keys over the worked example, signed, served.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::config::{self, Given, Settings};
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::domain::message::Refusal;
use crate::formats::list_csv::{self, ListFiles};
use crate::formats::proposal::{Base, ProposalFile};
use crate::grpc::request_id;
use crate::register::note::{Note, Role};
use crate::register::record::ListHeads;
use crate::register::statement::{RevisionStatement, Statement};
use crate::server::now;
use crate::service::decisions::DecisionLog;
use crate::service::folder;
use crate::service::intake::{Submission, accept};
use crate::service::opening;
use crate::service::running::Running;
use crate::telemetry;

use super::serve::{caught, complain_of, open_log, refuse, serve};
use super::source::report_folder;
use super::{LISTEN_DEFAULT, Lang, Manner, Outcome, complain, key};

/// Name of the register, and of its log key.
const ORIGIN: &str = "demo.clearlist.example/list";
/// The example agencies, of which two must sign.
const AGENCIES: [&str; 3] = ["science", "drugs", "customs"];
/// Since when the worked example is in force, as a Unix time: 2026-01-01 in Shanghai, so that
/// questions about earlier days have an answer.
const EFFECTIVE_SECOND: i64 = 1_767_196_800;
/// How long it answers.
const VALIDITY: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Arguments of `clearlist demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address to listen on; port 0 lets the system pick
    #[arg(long, value_name = "ADDR", default_value = LISTEN_DEFAULT)]
    listen: String,
    /// Directory to make for keys, policy and register [default: a fresh one among the
    /// system's temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Sign and serve this list folder instead of the built-in example
    #[arg(long, value_name = "DIR")]
    list: Option<PathBuf>,
}

/// The worked example of `data/`, built in so that the demo runs from any folder.
fn example() -> ListFiles {
    ListFiles {
        schemes: include_bytes!("../../data/schemes.csv").to_vec(),
        enterprises: include_bytes!("../../data/enterprises.csv").to_vec(),
        entries: include_bytes!("../../data/entries.csv").to_vec(),
    }
}

/// Makes the register and serves it.
pub(super) async fn run(
    manner: Manner,
    environment: Vec<(String, String)>,
    args: DemoArgs,
    temporary: PathBuf,
) -> Outcome {
    let lang = manner.lang;
    let listen = ("--listen".into(), "listen.address".into(), args.listen);
    let given = Given { file: None, environment, flags: vec![listen] };
    let settings = match Settings::load(&given) {
        Ok((settings, _)) => settings,
        Err(problems) => return complain_of(lang, &problems),
    };
    telemetry::init(&settings.telemetry, request_id::current_text);
    let directory = args.dir.unwrap_or(temporary);
    let files = match &args.list {
        Some(path) => match folder::read_files(path) {
            Ok(files) => files,
            Err(error) => {
                report_folder(lang, &error);
                return Outcome::Failed;
            }
        },
        None => example(),
    };
    match make(lang, &directory, files, &settings.decisions) {
        Ok((running, log)) => {
            let hint = |address| things_to_try(lang, address, &directory);
            let stop = match caught() {
                Ok(stop) => stop,
                Err(outcome) => return outcome,
            };
            serve(lang, settings, running, log, Arc::default(), stop, hint).await
        }
        Err(outcome) => outcome,
    }
}

/// Makes keys, policy and register below `directory`, and signs the list as revision 1.
fn make(
    lang: Lang,
    directory: &Path,
    files: ListFiles,
    decisions: &config::Decisions,
) -> Result<(Running, DecisionLog), Outcome> {
    let list = match list_csv::read(&files) {
        Ok(read) => read.list,
        Err(problems) => {
            report_folder(lang, &folder::FolderError::Problems { problems });
            return Err(Outcome::Failed);
        }
    };
    let fail = |problem: String| {
        complain(&match lang {
            Lang::En => format!("cannot make a demo in {}: {problem}", directory.display()),
            Lang::Zh => format!("无法在 {} 建立演示：{problem}", directory.display()),
        });
        Outcome::Failed
    };
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700).create(directory).map_err(|e| fail(e.to_string()))?;
    let log = key::fresh(lang, ORIGIN, Role::Note, &directory.join("log.key"), None)?;
    let mut agencies = Vec::new();
    let mut policy = vec![format!("log {}", log.verifier())];
    for name in AGENCIES {
        let full_name = format!("demo.clearlist.example/{name}");
        let file = directory.join(format!("{name}.key"));
        let agency = key::fresh(lang, &full_name, Role::Cosigner, &file, None)?;
        policy.push(format!("witness {name} {}", agency.verifier()));
        agencies.push(agency);
    }
    policy.push(format!("group agencies 2 {}\nquorum agencies\n", AGENCIES.join(" ")));
    let policy = policy.join("\n");
    std::fs::write(directory.join("policy.txt"), &policy).map_err(|e| fail(e.to_string()))?;
    let register = directory.join("register");
    opening::make(&register, &policy).map_err(|e| fail(e.to_string()))?;
    let at = Timestamp::from_second(now().as_second()).unwrap_or_else(|_never| now());
    let heads = ListHeads::of(&list);
    let statement = Statement::Revision(RevisionStatement {
        origin: ORIGIN.to_owned(),
        number: 1,
        list: heads.list,
        names: heads.names,
        normal_form_version: NORMAL_FORM_VERSION,
        effective: Timestamp::from_second(EFFECTIVE_SECOND).unwrap_or(at),
        expires: at.saturating_add(VALIDITY).unwrap_or(Timestamp::MAX),
        document: "worked example, not an official list".to_owned(),
    });
    let base =
        Base { policy, size: 0, frontier: Vec::new(), checkpoint: String::new(), newest: None };
    let mut proposal = ProposalFile::draft(base, &statement, Some(files), &log, at)
        .map_err(|e| fail(e.english()))?;
    let note = Note::parse(proposal.checkpoint.as_bytes()).map_err(|e| fail(e.english()))?;
    for agency in agencies.iter().take(2) {
        let line = agency.sign(note.text(), at);
        proposal = proposal.with_signature(line).map_err(|e| fail(e.english()))?;
    }
    let running =
        opening::open(&register, at, |_, _| ()).map_err(|e| refuse(lang, &register, &e))?;
    let submission = Submission {
        statement: proposal.statement.into_bytes(),
        checkpoint: proposal.checkpoint.into_bytes(),
        list: proposal.list,
    };
    accept(&running, submission, at).map_err(|error| fail(format!("{error:?}")))?;
    let log = open_log(lang, &register, decisions)?;
    Ok((running, log))
}

fn things_to_try(lang: Lang, address: SocketAddr, directory: &Path) -> String {
    let server = if address.to_string() == LISTEN_DEFAULT {
        String::new()
    } else {
        format!(" --server http://{address}")
    };
    let place = directory.display();
    let (intro, signed) = match lang {
        Lang::En => (
            "Worked example, not an official list. Try, in another terminal:",
            format!(
                "Signed by two of three example agencies; keys, policy and register are in {place}"
            ),
        ),
        Lang::Zh => (
            "此为示例，并非官方清单。请在另一终端试用：",
            format!("已由三个示例机构中的两个签署；密钥、签署规则和登记簿位于 {place}"),
        ),
    };
    format!(
        "{signed}
{intro}

  cargo run --release -- check --hs 2941.30.11.00 --name 四环素{server}

  npx --yes @bufbuild/buf curl --protocol grpc --http2-prior-knowledge \\
      -d '{{\"hsCode\":\"2941301100\",\"materialName\":\"四环素\"}}' \\
      http://{address}/clearlist.v1.ClearanceService/CheckClearance

  python3 -m venv /tmp/clearlist-venv && /tmp/clearlist-venv/bin/pip install -q -r examples/python/requirements.txt
  /tmp/clearlist-venv/bin/python examples/python/check.py {address}

"
    )
}
