//! `clearlist proposal merge`: the signatures of several copies under one.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Lang, Manner, Outcome, complain};
use crate::formats::proposal::ProposalFile;

use super::{Destination, checked, finish, read, refusal_text};

/// Arguments of `clearlist proposal merge`.
#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// Copies of one proposal
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Where the united proposal goes
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(super) fn run(manner: Manner, args: &MergeArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let mut united = None;
    for path in &args.files {
        let copy = read(lang, path)?;
        // One bad copy would spoil the whole, and nobody would know whose it was.
        checked(lang, path, &copy)?;
        united = Some(match united {
            None => copy,
            Some(so_far) => copy_into(lang, path, so_far, &copy)?,
        });
    }
    let Some(united) = united else { return Err(Outcome::Usage) };
    let copies = args.files.len();
    let headline = match lang {
        Lang::En => format!("the signatures of {copies} copies"),
        Lang::Zh => format!("已合并{copies}份副本的签名"),
    };
    finish(manner, &united, &Destination::New(&args.out), &headline)
}

fn copy_into(
    lang: Lang,
    path: &Path,
    so_far: ProposalFile,
    copy: &ProposalFile,
) -> Result<ProposalFile, Outcome> {
    so_far.merged(copy).map_err(|error| {
        complain(&format!("{}: {}", path.display(), refusal_text(lang, &error)));
        Outcome::No
    })
}
