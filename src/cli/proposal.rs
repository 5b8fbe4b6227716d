//! `clearlist proposal`: a change to a register from its draft over the agencies' signatures to
//! its acceptance. The file goes from hand to hand; nothing is done with one that has a fault.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::message::{Refusal, shown};
use crate::formats::proposal::{
    Checked, Fault, Held, PROPOSAL_BYTES_MAX, ProposalError, ProposalFile, check, examine,
};
use crate::register::note::{NoteError, VerifierKey};
use crate::register::policy::QuorumError;
use crate::server::now;

use super::file::{self, Readers};
use super::source::counted;
use super::{Lang, Manner, Outcome, Output, complain, instant};

mod attach;
mod base;
mod draft;
mod merge;
mod show;
mod sign;
mod submit;

/// Commands over proposal files.
#[derive(Debug, Subcommand)]
pub(super) enum ProposalCommand {
    /// Draft a new list, a new policy or a suspension
    #[command(after_help = "\
Example:
  clearlist proposal draft --list new --effective 2026-12-01 --expires 2027-12-01 \\
                           --document 'Notice 12 of 2026' --log-key log.key -o proposal.json
  clearlist proposal draft --policy new-policy.txt --log-key log.key -o proposal.json
  clearlist proposal draft --suspend BJ2022-B01-001 --effective now --log-key log.key \\
                           -o proposal.json

A day begins at 00:00 in Asia/Shanghai. What the server says of the register is verified before
it is used.")]
    Draft(Box<draft::DraftArgs>),
    /// Check a proposal and show what it would change: what a person approves
    #[command(after_help = "\
Example:
  clearlist proposal show proposal.json
  clearlist proposal show proposal.json --message --at 2026-11-22T10:00:00+08:00 >message.bin")]
    Show(show::ShowArgs),
    /// Sign a proposal, if nothing is wrong with it
    #[command(after_help = "\
Example:
  clearlist proposal sign proposal.json --key customs.key --policy policy.txt")]
    Sign(sign::SignArgs),
    /// Unite the signatures of copies of one proposal
    #[command(after_help = "\
Example:
  clearlist proposal merge from-customs.json from-drug.json -o signed.json")]
    Merge(merge::MergeArgs),
    /// Add a signature that was made elsewhere, by openssl or in a hardware module
    #[command(after_help = "\
Example:
  clearlist proposal show proposal.json --message --at 2026-11-22T10:00:00+08:00 >message.bin
  openssl pkeyutl -sign -rawin -inkey customs.pem -in message.bin -out signature.bin
  clearlist proposal attach proposal.json --key-name customs --at 2026-11-22T10:00:00+08:00 \\
                            --signature signature.bin")]
    Attach(attach::AttachArgs),
    /// Send a proposal to the register's server
    #[command(after_help = "\
Example:
  clearlist proposal submit signed.json --server http://127.0.0.1:50051

Exit codes: 0 accepted, now or before · 1 refused · 2 usage · 3 no server, or it is not known
whether it was accepted: submit the same file again, which is safe")]
    Submit(submit::SubmitArgs),
}

/// The policy that the caller knows to be in force.
#[derive(Debug, Args)]
struct KnownPolicyArgs {
    /// The policy you know to be in force; a proposal drafted under another is wrong
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl KnownPolicyArgs {
    /// What is wrong with a proposal drafted under another policy.
    fn fault(&self, lang: Lang, proposal: &ProposalFile) -> Result<Option<Fault>, Outcome> {
        let Some(path) = &self.policy else { return Ok(None) };
        let known = file::read(lang, path, PROPOSAL_BYTES_MAX)?;
        Ok((known != proposal.base.policy.as_bytes()).then_some(Fault::PolicyDiffers))
    }
}

/// Runs the command.
pub(super) async fn run(manner: Manner, command: ProposalCommand) -> Outcome {
    let done = match command {
        ProposalCommand::Draft(args) => draft::run(manner, *args).await,
        ProposalCommand::Show(args) => show::run(manner, &args),
        ProposalCommand::Sign(args) => sign::run(manner, &args),
        ProposalCommand::Merge(args) => merge::run(manner, &args),
        ProposalCommand::Attach(args) => attach::run(manner, &args),
        ProposalCommand::Submit(args) => submit::run(manner, &args).await,
    };
    done.unwrap_or_else(|outcome| outcome)
}

/// Reads a proposal file, or says why it is none.
fn read(lang: Lang, path: &Path) -> Result<ProposalFile, Outcome> {
    let bytes = file::read(lang, path, PROPOSAL_BYTES_MAX)?;
    ProposalFile::parse(&bytes).map_err(|error| {
        complain(&format!("{}: {}", path.display(), refusal_text(lang, &error)));
        Outcome::Failed
    })
}

/// The proof that nothing is wrong with a proposal, or every fault said.
fn checked(lang: Lang, path: &Path, proposal: &ProposalFile) -> Result<Checked, Outcome> {
    check(proposal, now()).map_err(|faults| refuse(lang, path, &faults))
}

/// Says every fault; such a proposal is neither signed nor sent.
fn refuse(lang: Lang, path: &Path, faults: &[Fault]) -> Outcome {
    for fault in faults {
        anstream::eprintln!("{}", fault_line(lang, fault));
    }
    complain(&match lang {
        Lang::En => {
            format!("{}: {}; nothing was done with it", path.display(), counted(faults.len()))
        }
        Lang::Zh => format!("{}：共{}个问题；未作任何处理", path.display(), faults.len()),
    });
    Outcome::No
}

/// `entries.csv:12:10 (hs_code): what and what to do [REASON]`.
fn fault_line(lang: Lang, fault: &Fault) -> String {
    let (place, text) = (fault.place(), refusal_text(lang, fault));
    if place.is_empty() { text } else { format!("{place}: {text}") }
}

/// A refusal in the reader's language, with its reason. What it quotes may come from anybody.
fn refusal_text(lang: Lang, refusal: &impl Refusal) -> String {
    let text = match lang {
        Lang::En => refusal.english(),
        Lang::Zh => refusal.chinese(),
    };
    format!("{} [{}]", shown(&text), refusal.reason())
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "reason": fault.reason(),
        "place": fault.place(),
        "messageEn": fault.english(),
        "messageZh": fault.chinese(),
    })
}

/// Where a changed proposal goes.
enum Destination<'a> {
    /// Over the file it came from.
    InPlace(&'a Path),
    /// Into a file that is not there yet.
    New(&'a Path),
}

impl<'a> Destination<'a> {
    fn of(file: &'a Path, out: Option<&'a PathBuf>) -> Self {
        out.map_or(Self::InPlace(file), |out| Self::New(out))
    }

    const fn path(&self) -> &'a Path {
        match self {
            Self::InPlace(path) | Self::New(path) => path,
        }
    }
}

/// Checks a proposal as it has become, writes it and says how far it is.
fn finish(
    manner: Manner,
    proposal: &ProposalFile,
    destination: &Destination<'_>,
    headline: &str,
) -> Result<Outcome, Outcome> {
    let (lang, path) = (manner.lang, destination.path());
    let examined = examine(proposal, now());
    if !examined.faults.is_empty() {
        return Err(refuse(lang, path, &examined.faults));
    }
    let text = proposal.to_json().map_err(|error| {
        complain(&refusal_text(lang, &error));
        Outcome::Failed
    })?;
    if text.len() > PROPOSAL_BYTES_MAX {
        let error = ProposalError::TooLarge { bytes: text.len() };
        complain(&refusal_text(lang, &error));
        return Err(Outcome::Failed);
    }
    match destination {
        Destination::InPlace(path) => file::replace(lang, path, text.as_bytes())?,
        Destination::New(path) => {
            file::write_new(lang, path, text.as_bytes(), Readers::Anybody)?;
        }
    }
    match manner.output {
        Output::Json => anstream::println!("{}", show::summary_json(&examined)),
        Output::Text => {
            anstream::println!("{headline}");
            if let Some(statement) = &examined.statement {
                anstream::print!("{}", show::statement_text(lang, statement));
            }
            for (nth, held) in examined.quorums().iter().enumerate() {
                anstream::print!("{}", show::quorum_text(lang, nth, held));
            }
            let written = lang.pick("written to", "已写入");
            anstream::println!("{written} {}", path.display());
        }
    }
    Ok(Outcome::Yes)
}

/// Refuses a key that has signed a proposal already: a second signature would say nothing.
fn not_twice(lang: Lang, checked: &Checked, key: &VerifierKey) -> Result<(), Outcome> {
    let Some(seen) = checked.signatures().iter().find(|seen| seen.key == *key) else {
        return Ok(());
    };
    let (name, at) = (shown(&seen.name), seen.at.map(instant::text).unwrap_or_default());
    complain(&match lang {
        Lang::En => format!("`{name}` has signed it already {at} [ALREADY_SIGNED]"),
        Lang::Zh => format!("`{name}`已签署 {at} [ALREADY_SIGNED]"),
    });
    Err(Outcome::No)
}

/// Says that a key may not sign, and which may.
fn not_in_policy(lang: Lang, checked: &Checked, given: &str) -> Outcome {
    let known: Vec<String> = checked.keys().iter().map(|(name, _)| shown(name)).collect();
    let (given, known) = (shown(given), known.join(", "));
    complain(&match lang {
        Lang::En => format!(
            "the key `{given}` is not in the policy, so its signature would not count; there are {known} [KEY_NOT_IN_POLICY]"
        ),
        Lang::Zh => format!(
            "密钥`{given}`不在签署规则内，其签名无效；规则内有：{known} [KEY_NOT_IN_POLICY]"
        ),
    });
    Outcome::No
}

/// Says why a note was refused.
fn bad_note(lang: Lang, error: &NoteError) -> Outcome {
    complain(&refusal_text(lang, error));
    Outcome::No
}

fn held_json(held: &Held) -> Value {
    let none: Vec<Value> = Vec::new();
    match held {
        Ok(quorum) => {
            let names: Vec<&str> = quorum.cosigned().iter().map(|(name, _)| &**name).collect();
            json!({ "met": true, "cosigned": names, "lacking": none })
        }
        Err(error) => {
            let lacking: Vec<Value> = match error {
                QuorumError::NotMet { lacking, .. } => lacking
                    .iter()
                    .map(|group| {
                        json!({
                            "group": group.group,
                            "needed": group.needed,
                            "signed": group.signed,
                            "absent": group.absent,
                        })
                    })
                    .collect(),
                QuorumError::Note(_) | QuorumError::LogSignature { .. } => none,
            };
            json!({
                "met": false,
                "reason": error.reason(),
                "messageEn": error.english(),
                "messageZh": error.chinese(),
                "lacking": lacking,
            })
        }
    }
}

/// An instant for programs; `null` where there is none.
fn instant_json(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::from(at.to_string()))
}
