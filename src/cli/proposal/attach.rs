//! `clearlist proposal attach`: a signature that was made elsewhere, verified and added.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;

use crate::cli::{Lang, Manner, Outcome, complain, file, instant};
use crate::domain::message::shown;
use crate::register::note::{Role, VerifierKey};

use super::{Destination, bad_note, checked, finish, not_in_policy, not_twice, read};

/// An Ed25519 signature, in bytes.
const SIGNATURE_BYTES: usize = 64;
/// Largest signature file, in bytes: base64 with line ends.
const SIGNATURE_FILE_BYTES_MAX: usize = 1024;

/// Arguments of `clearlist proposal attach`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AttachArgs {
    /// The proposal file
    file: PathBuf,
    /// Whose signature it is: the name in the policy, the name of the key, or the whole key
    #[arg(long, value_name = "NAME")]
    key_name: String,
    /// The second of `show --message --at`; a log key has none
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// The signature: 64 bytes, or base64 of them
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// Where the signed proposal goes [default: over the proposal file]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(manner: Manner, args: &AttachArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let proposal = read(lang, &args.file)?;
    let checked = checked(lang, &args.file, &proposal)?;
    let named = |(name, key): &(&str, &VerifierKey)| {
        *name == args.key_name || key.name() == args.key_name || key.to_string() == args.key_name
    };
    let found: Vec<_> = checked.keys().into_iter().filter(named).collect();
    let [(name, key)] = found.as_slice() else {
        // Also where a name stands for two keys: the whole key tells them apart.
        return Err(not_in_policy(lang, &checked, &args.key_name));
    };
    not_twice(lang, &checked, key)?;
    let at = match (&args.at, key.role()) {
        (Some(at), Role::Cosigner) => Some(instant::parse(lang, "--at", at)?),
        (None, Role::Note) => None,
        (None, Role::Cosigner) => {
            complain(lang.pick(
                "an agency signs at an instant: give --at as it was given to `show --message`",
                "机构签署须注明时刻：请用--at给出与`show --message`相同的时刻",
            ));
            return Err(Outcome::Usage);
        }
        (Some(_), Role::Note) => {
            complain(lang.pick(
                "a log key signs at no instant: leave --at out",
                "日志密钥的签名不含时刻：请去掉--at",
            ));
            return Err(Outcome::Usage);
        }
    };
    let signature = signature(lang, &args.signature)?;
    let when = at.unwrap_or_else(instant::this_second);
    let signed =
        proposal.with_attached(key, when, &signature).map_err(|error| bad_note(lang, &error))?;
    let (name, at) = (shown(name), at.map(instant::text).unwrap_or_default());
    let headline = match lang {
        Lang::En => format!("the signature of {name} is good {at}"),
        Lang::Zh => format!("{name}的签名有效 {at}"),
    };
    finish(manner, &signed, &Destination::of(&args.file, args.out.as_ref()), headline.trim_end())
}

fn signature(lang: Lang, path: &Path) -> Result<Vec<u8>, Outcome> {
    let bytes = file::read(lang, path, SIGNATURE_FILE_BYTES_MAX)?;
    if bytes.len() == SIGNATURE_BYTES {
        return Ok(bytes);
    }
    let text: Vec<u8> = bytes.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
    let decoded = BASE64.decode(text).ok().filter(|bytes| bytes.len() == SIGNATURE_BYTES);
    decoded.ok_or_else(|| {
        complain(&match lang {
            Lang::En => format!(
                "{}: no Ed25519 signature, which is {SIGNATURE_BYTES} bytes or base64 of them",
                path.display()
            ),
            Lang::Zh => {
                format!("{}：不是Ed25519签名；应为{SIGNATURE_BYTES}字节或其base64", path.display())
            }
        });
        Outcome::Failed
    })
}
