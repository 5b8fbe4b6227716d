//! `clearlist proposal sign`: one more signature, if nothing is wrong with the proposal and the
//! key counts.

use std::path::PathBuf;

use clap::Args;

use crate::cli::key::KnownArgs;
use crate::cli::{Lang, Manner, Outcome, instant};
use crate::domain::message::shown;
use crate::formats::proposal::examine;
use crate::server::now;

use super::{
    Destination, KnownPolicyArgs, bad_note, finish, not_in_policy, not_twice, read, refuse,
};

/// Arguments of `clearlist proposal sign`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignArgs {
    /// The proposal file
    file: PathBuf,
    /// The key file to sign with
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    known_key: KnownArgs,
    #[command(flatten)]
    known_policy: KnownPolicyArgs,
    /// Where the signed proposal goes [default: over the proposal file]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(manner: Manner, args: &SignArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let proposal = read(lang, &args.file)?;
    let mut examined = examine(&proposal, now());
    examined.faults.extend(args.known_policy.fault(lang, &proposal)?);
    let checked = examined.checked().map_err(|faults| refuse(lang, &args.file, &faults))?;
    let signer = args.known_key.open(lang, &args.key)?;
    let key = signer.verifier();
    let Some((name, _)) = checked.keys().into_iter().find(|(_, known)| *known == key) else {
        return Err(not_in_policy(lang, &checked, &key.to_string()));
    };
    not_twice(lang, &checked, key)?;
    let at = instant::this_second();
    let line = signer.sign(checked.checkpoint().note().text(), at);
    let grown = proposal.with_signature(line).map_err(|error| bad_note(lang, &error))?;
    let (name, at) = (shown(name), instant::text(at));
    let headline = match lang {
        Lang::En => format!("signed as {name} at {at}"),
        Lang::Zh => format!("已以{name}的名义于{at}签署"),
    };
    finish(manner, &grown, &Destination::of(&args.file, args.out.as_ref()), &headline)
}
