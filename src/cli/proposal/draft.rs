//! `clearlist proposal draft`: the next statement of a register, its list and its checkpoint,
//! signed with the log key.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::cli::register::{PlaceArgs, Reader};
use crate::cli::{Lang, Manner, Outcome, complain, file, instant, key, source};
use crate::domain::material_name::NORMAL_FORM_VERSION;
use crate::formats::list_csv::{self, ListFiles};
use crate::formats::proposal::{Base, ProposalFile, check_base};
use crate::register::note::{NoteSigner, Role};
use crate::register::policy::POLICY_BYTES_MAX;
use crate::register::record::ListHeads;
use crate::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};
use crate::service::folder::{self, FolderError};

use super::base::base;
use super::{Destination, fault_line, finish, refusal_text};

/// Arguments of `clearlist proposal draft`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DraftArgs {
    /// Propose the list of this folder (schemes.csv, enterprises.csv, entries.csv)
    #[arg(
        long,
        value_name = "DIR",
        requires = "effective",
        requires = "expires",
        conflicts_with_all = ["policy", "suspend", "suspend_enterprise"],
        required_unless_present_any = ["policy", "suspend", "suspend_enterprise"]
    )]
    list: Option<PathBuf>,
    /// Propose the policy of this file
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["suspend", "suspend_enterprise", "effective", "expires"]
    )]
    policy: Option<PathBuf>,
    /// Propose to suspend these entries of the newest list
    #[arg(long, value_name = "ID", num_args = 1.., requires = "effective", conflicts_with = "expires")]
    suspend: Vec<String>,
    /// Propose to suspend these enterprises of the newest list
    #[arg(long, value_name = "USCC", num_args = 1.., requires = "effective", conflicts_with = "expires")]
    suspend_enterprise: Vec<String>,
    /// First instant in force: now, a day, or an instant with its offset
    #[arg(long, value_name = "INSTANT")]
    effective: Option<String>,
    /// First instant out of force
    #[arg(long, value_name = "INSTANT")]
    expires: Option<String>,
    /// The document behind it, as people cite it
    #[arg(long, value_name = "TEXT", default_value = "")]
    document: String,
    /// The register's log key
    #[arg(long, value_name = "FILE")]
    log_key: PathBuf,
    /// The log key's passphrase is the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
    /// The proposal file to be written
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, args: DraftArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let proposed = Proposed::of(lang, &args)?;
    let base = base(lang, &mut Reader::open(lang, &args.place).await?).await?;
    let (policy, _) = check_base(&base).map_err(|faults| {
        for fault in &faults {
            anstream::eprintln!("{}", fault_line(lang, fault));
        }
        complain(lang.pick(
            "the register does not verify; nothing is drafted on it",
            "登记簿未通过验证；不以其为依据起草",
        ));
        Outcome::Failed
    })?;
    let passphrase = args.passphrase_file.as_deref();
    let log = key::open(lang, &args.log_key, Some(policy.origin()), Some(Role::Note), passphrase)?;
    if log.verifier() != policy.log() {
        complain(&match lang {
            Lang::En => format!(
                "{} is not the log key of the policy, which is {} [LOG_KEY_DIFFERS]",
                args.log_key.display(),
                policy.log()
            ),
            Lang::Zh => format!(
                "{} 不是签署规则中的日志密钥，规则中为 {} [LOG_KEY_DIFFERS]",
                args.log_key.display(),
                policy.log()
            ),
        });
        return Err(Outcome::No);
    }
    let number = base.size + 1;
    let (statement, list) = proposed.statement(policy.origin(), number, args.document);
    let proposal = drafted(lang, base, &statement, list, &log)?;
    let headline = match lang {
        Lang::En => "drafted, and signed with the log key",
        Lang::Zh => "已起草，并以日志密钥签署",
    };
    finish(manner, &proposal, &Destination::New(&args.out), headline)
}

fn drafted(
    lang: Lang,
    base: Base,
    statement: &Statement,
    list: Option<ListFiles>,
    log: &NoteSigner,
) -> Result<ProposalFile, Outcome> {
    let drafted = ProposalFile::draft(base, statement, list, log, instant::this_second());
    drafted.map_err(|error| {
        complain(&refusal_text(lang, &error));
        Outcome::Failed
    })
}

/// What is proposed, read and linted before anybody is asked about the register.
enum Proposed {
    Revision { files: ListFiles, heads: ListHeads, effective: Timestamp, expires: Timestamp },
    Policy(String),
    Suspension { entries: Vec<String>, enterprises: Vec<String>, effective: Timestamp },
}

impl Proposed {
    fn of(lang: Lang, args: &DraftArgs) -> Result<Self, Outcome> {
        let instant = |option: &str, given: &Option<String>| match given {
            Some(given) => instant::parse(lang, option, given),
            None => Err(Outcome::Usage),
        };
        if let Some(path) = &args.policy {
            return policy_text(lang, path).map(Self::Policy);
        }
        let effective = instant("--effective", &args.effective)?;
        let Some(folder) = &args.list else {
            let sorted = |ids: &[String]| {
                let mut ids = ids.to_vec();
                ids.sort_unstable();
                ids.dedup();
                ids
            };
            let entries = sorted(&args.suspend);
            let enterprises = sorted(&args.suspend_enterprise);
            return Ok(Self::Suspension { entries, enterprises, effective });
        };
        let expires = instant("--expires", &args.expires)?;
        let read = folder::read_files(folder).and_then(|files| match list_csv::read(&files) {
            Ok(read) => Ok((ListHeads::of(&read.list), files)),
            Err(problems) => Err(FolderError::Problems { problems }),
        });
        let (heads, files) = read.map_err(|error| {
            source::report_folder(lang, &error);
            match error {
                FolderError::Read { .. } => Outcome::Failed,
                FolderError::Problems { .. } => Outcome::No,
            }
        })?;
        Ok(Self::Revision { files, heads, effective, expires })
    }

    fn statement(
        self,
        origin: &str,
        number: u64,
        document: String,
    ) -> (Statement, Option<ListFiles>) {
        let origin = origin.to_owned();
        match self {
            Self::Revision { files, heads, effective, expires } => {
                let revision = RevisionStatement {
                    origin,
                    number,
                    list: heads.list,
                    names: heads.names,
                    normal_form_version: NORMAL_FORM_VERSION,
                    effective,
                    expires,
                    document,
                };
                (Statement::Revision(revision), Some(files))
            }
            Self::Policy(policy) => {
                (Statement::Policy(PolicyStatement { origin, number, policy, document }), None)
            }
            Self::Suspension { entries, enterprises, effective } => {
                let suspension = SuspensionStatement {
                    origin,
                    number,
                    entries,
                    enterprises,
                    effective,
                    document,
                };
                (Statement::Suspension(suspension), None)
            }
        }
    }
}

fn policy_text(lang: Lang, path: &Path) -> Result<String, Outcome> {
    let bytes = file::read(lang, path, POLICY_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_no_utf8| {
        complain(&match lang {
            Lang::En => format!("{}: the policy is not UTF-8 text", path.display()),
            Lang::Zh => format!("{}：签署规则不是UTF-8文本", path.display()),
        });
        Outcome::Failed
    })
}
