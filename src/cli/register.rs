//! `clearlist register`: makes a register, looks at it, checks it whole, writes out its lists.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::domain::message::{Refusal, shown};
use crate::grpc::json::to_json;
use crate::grpc::proto::v1;
use crate::register::checkpoint::Checkpoint;
use crate::register::policy::POLICY_BYTES_MAX;
use crate::register::record::TreeHead;
use crate::register::statement::to_hex;
use crate::service::opening::{self, MakeError};
use crate::service::replay::Replayed;
use crate::store::embedded::Embedded;

use super::file::{self, Readers};
use super::link::ServerArgs;
use super::serve::refuse;
use super::source::report_status;
use super::{Lang, Manner, Outcome, Output, complain, instant};

mod reader;

pub(super) use reader::Reader;

/// Commands over registers.
#[derive(Debug, Subcommand)]
pub(super) enum RegisterCommand {
    /// Make an empty register under a policy
    #[command(after_help = "\
Example:
  clearlist register init --policy policy.txt --register register")]
    Init {
        /// Policy: C2SP tlog-policy text with one log and a quorum of witnesses
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Directory to be made
        #[arg(long, value_name = "DIR")]
        register: PathBuf,
    },
    /// Show where a register stands: what is in force, what comes next, who may sign
    #[command(after_help = "Example:\n  clearlist register show")]
    Show {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// List its statements, newest first
    #[command(after_help = "Example:\n  clearlist register log --register register")]
    Log {
        #[command(flatten)]
        place: PlaceArgs,
        /// Statements to list, 1 to 1,000
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Check every byte, signature and root of a register directory, from its first policy on
    #[command(after_help = "\
Example:
  clearlist register verify --register register --checkpoint seen-last-year.txt \\
                            --policy policy.txt")]
    Verify {
        /// Register directory
        #[arg(long, value_name = "DIR")]
        register: PathBuf,
        /// A checkpoint from elsewhere: the register must have had that root at that size
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The policy you know to be in force: that those who should have signed, and nobody else
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Write a new high-water mark if all is well: for a register restored from a backup,
        /// once you know from elsewhere how many statements it must have
        #[arg(long)]
        mark: bool,
    },
    /// Write the list files of a revision, the rows that were signed
    #[command(after_help = "Example:\n  clearlist register export --revision 3 -o list")]
    Export {
        #[command(flatten)]
        place: PlaceArgs,
        /// The revision's number [default: the newest]
        #[arg(long, value_name = "N", default_value_t = 0)]
        revision: u64,
        /// Directory to write to
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// Which register: a server's, or a directory.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Register directory to read instead
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    register: Option<PathBuf>,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, command: RegisterCommand) -> Outcome {
    let lang = manner.lang;
    let done = match command {
        RegisterCommand::Init { policy, register } => init(lang, &policy, &register),
        RegisterCommand::Show { place } => show(manner, &place).await,
        RegisterCommand::Log { place, limit } => log(manner, &place, limit).await,
        RegisterCommand::Verify { register, checkpoint, policy, mark } => {
            verify(lang, &register, checkpoint.as_deref(), policy.as_deref(), mark)
        }
        RegisterCommand::Export { place, revision, out } => {
            export(lang, &place, revision, &out).await
        }
    };
    done.err().unwrap_or(Outcome::Yes)
}

fn init(lang: Lang, policy: &Path, register: &Path) -> Result<(), Outcome> {
    let bytes = file::read(lang, policy, POLICY_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_no_utf8| {
        complain(&format!("{}: {}", policy.display(), lang.pick("not UTF-8", "不是UTF-8编码")));
        Outcome::Usage
    })?;
    opening::make(register, &text).map_err(|error| match error {
        MakeError::Policy(error) => {
            let what = lang.pick(&error.english(), &error.chinese()).to_owned();
            complain(&format!("{}: {what} [{}]", policy.display(), error.reason()));
            Outcome::Usage
        }
        MakeError::Store(error) => {
            complain(&format!("{}: {error}", register.display()));
            Outcome::Failed
        }
    })?;
    let place = register.display();
    anstream::println!(
        "{}",
        match lang {
            Lang::En => format!(
                "{place}: a register without statements; draft the first revision with `clearlist proposal draft --register {place}`"
            ),
            Lang::Zh => format!(
                "{place}：尚无声明的登记簿；请用 `clearlist proposal draft --register {place}` 起草第一版"
            ),
        }
    );
    Ok(())
}

async fn show(manner: Manner, place: &PlaceArgs) -> Result<(), Outcome> {
    let lang = manner.lang;
    let mut reader = Reader::open(lang, place).await?;
    let found = reader.get().await.map_err(|refused| report_status(lang, &refused))?;
    if manner.output == Output::Json {
        let json = to_json("clearlist.v1.GetRegisterResponse", &found);
        anstream::println!("{}", json.unwrap_or_default());
        return Ok(());
    }
    anstream::println!("{} · {}", found.origin, statements(lang, found.size));
    let in_force = match &found.in_force {
        None => lang.pick("nothing yet", "尚无").to_owned(),
        Some(revision) if found.expired => {
            format!("{} {}", revision_line(revision), lang.pick("— EXPIRED", "— 已失效"))
        }
        Some(revision) => revision_line(revision),
    };
    anstream::println!("{} {in_force}", lang.pick("in force ", "现行  "));
    if let Some(next) = &found.next_scheduled {
        anstream::println!("{} {}", lang.pick("next     ", "下一版"), revision_line(next));
    }
    for key in &found.service_keys {
        let label = lang.pick("receipts ", "凭证密钥");
        let until = lang.pick("until", "截至");
        let retired = key.retire_time.map(|_| format!(" ({until} {})", time(key.retire_time)));
        anstream::println!("{label} {}{}", shown(&key.vkey), retired.unwrap_or_default());
    }
    anstream::println!("\n{}", found.policy.trim_end());
    if !found.checkpoint.is_empty() {
        anstream::println!("\n{}", String::from_utf8_lossy(&found.checkpoint).trim_end());
    }
    Ok(())
}

fn statements(lang: Lang, size: u64) -> String {
    match lang {
        Lang::En if size == 1 => "1 statement".into(),
        Lang::En => format!("{size} statements"),
        Lang::Zh => format!("{size}条声明"),
    }
}

fn revision_line(revision: &v1::Revision) -> String {
    let (from, to) = (time(revision.effective_time), time(revision.expire_time));
    format!("{} · {from} → {to} · sha256 {}", revision.number, to_hex(&revision.root_sha256))
}

fn time(at: Option<prost_types::Timestamp>) -> String {
    let at = at.and_then(|t| jiff::Timestamp::from_second(t.seconds).ok());
    at.map(instant::text).unwrap_or_default()
}

async fn log(manner: Manner, place: &PlaceArgs, limit: u32) -> Result<(), Outcome> {
    let lang = manner.lang;
    let mut reader = Reader::open(lang, place).await?;
    let page = reader.revisions(limit, String::new()).await;
    let page = page.map_err(|refused| report_status(lang, &refused))?;
    if manner.output == Output::Json {
        let json = to_json("clearlist.v1.ListRevisionsResponse", &page);
        anstream::println!("{}", json.unwrap_or_default());
        return Ok(());
    }
    for statement in &page.statements {
        let kind = match statement.r#type() {
            v1::StatementType::Revision => lang.pick("revision", "修订"),
            v1::StatementType::Policy => lang.pick("policy", "签署规则"),
            v1::StatementType::Suspension => lang.pick("suspension", "暂停"),
            v1::StatementType::Unspecified => "?",
        };
        let signed: Vec<&str> = statement.cosignatures.iter().map(|c| c.agency.as_str()).collect();
        let mut line = vec![format!("{:>5} {kind}", statement.number)];
        if statement.expire_time.is_some() {
            let (from, to) = (time(statement.effective_time), time(statement.expire_time));
            line.push(format!("{from} → {to}"));
        } else if statement.effective_time.is_some() {
            line.push(time(statement.effective_time));
        }
        line.push(signed.join(", "));
        if !statement.document.is_empty() {
            line.push(shown(&statement.document));
        }
        let line = line.join(" · ");
        anstream::println!("{line}");
    }
    let more = page.total_size.saturating_sub(page.statements.len() as u64);
    if more > 0 {
        anstream::println!(
            "{}",
            match lang {
                Lang::En => format!("and {more} earlier ones"),
                Lang::Zh => format!("另有更早的{more}条"),
            }
        );
    }
    Ok(())
}

fn verify(
    lang: Lang,
    directory: &Path,
    checkpoint: Option<&Path>,
    policy: Option<&Path>,
    mark: bool,
) -> Result<(), Outcome> {
    if mark {
        Embedded::remark(directory).map_err(|error| {
            complain(&format!("{}: {error}", directory.display()));
            Outcome::Failed
        })?;
    }
    let (_store, Replayed { register, checkpoint: newest, .. }) =
        opening::read(directory, |_, _| ()).map_err(|e| refuse(lang, directory, &e))?;
    if let Some(path) = checkpoint {
        let bytes = file::read(lang, path, crate::register::note::NOTE_BYTES_MAX)?;
        let given = Checkpoint::parse(&bytes).map_err(|error| {
            let what = lang.pick(&error.english(), &error.chinese()).to_owned();
            complain(&format!("{}: {what} [{}]", path.display(), error.reason()));
            Outcome::Usage
        })?;
        let TreeHead { size, root } = given.head();
        if given.origin() != register.origin() || register.tree().root_at(size) != Some(root) {
            complain(&match lang {
                Lang::En => format!(
                    "{}: the register did not have this root at size {size}; it is another register, or was rewritten",
                    path.display()
                ),
                Lang::Zh => format!(
                    "{}：登记簿在第{size}条时并非此根；这是另一个登记簿，或已被改写",
                    path.display()
                ),
            });
            return Err(Outcome::No);
        }
    }
    if let Some(path) = policy {
        // The first policy is signed by nobody. The newest checkpoint, which is over everything,
        // satisfies the one in force; if that is the known one, so is everything before it.
        if file::read(lang, path, POLICY_BYTES_MAX)? != register.policy().text().as_bytes() {
            complain(&match lang {
                Lang::En => format!(
                    "{}: this is not the policy in force in the register; others may have signed [POLICY_DIFFERS]",
                    path.display()
                ),
                Lang::Zh => format!(
                    "{}：与登记簿现行签署规则不符；签署者可能另有其人 [POLICY_DIFFERS]",
                    path.display()
                ),
            });
            return Err(Outcome::No);
        }
    }
    anstream::println!(
        "{} · {} · {}\n",
        register.origin(),
        statements(lang, register.size()),
        lang.pick(
            "every byte, signature and root is as it was accepted",
            "每个字节、签名和根均与接收时一致"
        )
    );
    anstream::print!("{}", String::from_utf8_lossy(&newest));
    Ok(())
}

async fn export(lang: Lang, place: &PlaceArgs, number: u64, out: &Path) -> Result<(), Outcome> {
    let mut reader = Reader::open(lang, place).await?;
    let files = reader.export(number).await.map_err(|refused| report_status(lang, &refused))?;
    std::fs::create_dir_all(out).map_err(|error| {
        complain(&format!("{}: {error}", out.display()));
        Outcome::Failed
    })?;
    let contents = [&files.schemes, &files.enterprises, &files.entries];
    for (name, bytes) in crate::formats::list_csv::FILES.iter().zip(contents) {
        file::write_new(lang, &out.join(name), bytes, Readers::Anybody)?;
    }
    anstream::println!("{}", out.display());
    Ok(())
}
