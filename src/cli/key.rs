//! `clearlist key`: makes the keys that sign, and shows what of them is public.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ed25519_dalek::SigningKey;
use serde_json::json;
use zeroize::Zeroizing;

use crate::domain::message::Refusal;
use crate::formats::key_file::{self, KeyFile, KeyFileError, Seal};
use crate::register::note::{NoteSigner, Role, VerifierKey};
use crate::register::policy::Policy;
use crate::server::now;
use crate::service::service_keys::{self, ServiceKeys};
use crate::store::embedded::Embedded;

use super::file::{Readers, read_secret, write_new};
use super::{Lang, Manner, Outcome, Output, complain};

/// Commands over key files.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; its public half is printed, to be pasted into a policy
    #[command(after_help = "\
Example:
  clearlist key new --name agency.example/customs -o customs.key
  clearlist key new --name register.example/list --log -o log.key --passphrase-file secret.txt

The file is PKCS#8 PEM, which openssl reads. It is written for its owner alone (mode 0600) and
never over another file.")]
    New {
        /// Name of the key; of a log key the name of the register
        #[arg(long)]
        name: String,
        /// The key file to be written
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// Make a register's log key, not an agency's
        #[arg(long)]
        log: bool,
        /// Seal the file with the passphrase on the first line of this file
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Make a service's next receipt key, and retire the one it has
    #[command(after_help = "\
Example:
  clearlist key rotate --register register

A server that runs takes the new key within seconds. The old private key is gone; its public half
stays listed by GetRegister, and receipts it signed stay good.")]
    Rotate {
        /// Register directory of the service
        #[arg(long, value_name = "DIR")]
        register: PathBuf,
    },
    /// Print the public half of a key
    #[command(after_help = "\
Example:
  clearlist key show customs.key
  openssl genpkey -algorithm ed25519 -out bare.pem
  clearlist key show bare.pem --name agency.example/customs")]
    Show {
        /// The key file
        file: PathBuf,
        #[command(flatten)]
        known: KnownArgs,
    },
}

/// What is known of a key beside its file.
#[derive(Debug, Args)]
pub(super) struct KnownArgs {
    /// Name of the key, for a file that says none
    #[arg(long)]
    name: Option<String>,
    /// It is a register's log key, not an agency's
    #[arg(long)]
    log: bool,
    /// The key file's passphrase is the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl KnownArgs {
    /// Opens a key file.
    pub(super) fn open(&self, lang: Lang, file: &Path) -> Result<NoteSigner, Outcome> {
        let role = self.log.then_some(Role::Note);
        open(lang, file, self.name.as_deref(), role, self.passphrase_file.as_deref())
    }
}

/// Runs the command.
pub(super) fn run(manner: Manner, command: KeyCommand) -> Outcome {
    let done = match command {
        KeyCommand::New { name, out, log, passphrase_file } => {
            let role = if log { Role::Note } else { Role::Cosigner };
            make(manner, &name, role, &out, passphrase_file.as_deref())
        }
        KeyCommand::Rotate { register } => rotate(manner, &register),
        KeyCommand::Show { file, known } => known.open(manner.lang, &file).map(|signer| {
            print(manner, signer.verifier());
        }),
    };
    done.err().unwrap_or(Outcome::Yes)
}

fn make(
    manner: Manner,
    name: &str,
    role: Role,
    out: &Path,
    passphrase_file: Option<&Path>,
) -> Result<(), Outcome> {
    let signer = fresh(manner.lang, name, role, out, passphrase_file)?;
    print(manner, signer.verifier());
    anstream::eprintln!(
        "{}",
        match manner.lang {
            Lang::En => format!(
                "{} has the private key: keep it secret, and keep a copy. The printed line is public: it goes into the policy.",
                out.display()
            ),
            Lang::Zh => format!(
                "{} 存有私钥：请保密并另存备份。所打印的一行是公钥，写入签署规则。",
                out.display()
            ),
        }
    );
    Ok(())
}

fn rotate(manner: Manner, register: &Path) -> Result<(), Outcome> {
    let fail = |problem: String| {
        complain(&format!("{}: {problem}", register.display()));
        Outcome::Failed
    };
    let genesis = Embedded::open_read_only(register).map_err(|error| fail(error.to_string()))?;
    let genesis = genesis.genesis().map_err(|error| fail(error.to_string()))?;
    let policy = Policy::parse(&String::from_utf8_lossy(&genesis));
    let policy = policy.map_err(|error| fail(error.english()))?;
    let folder = register.join(service_keys::FOLDER);
    let keys = ServiceKeys::rotate(&folder, policy.origin(), now());
    let keys = keys.map_err(|error| fail(error.to_string()))?;
    print(manner, keys.current.verifier());
    Ok(())
}

/// A new key, in a file of its own.
pub(super) fn fresh(
    lang: Lang,
    name: &str,
    role: Role,
    out: &Path,
    passphrase_file: Option<&Path>,
) -> Result<NoteSigner, Outcome> {
    let passphrase = passphrase_file.map(|path| passphrase(lang, path)).transpose()?;
    let mut secret = Zeroizing::new([0; 32]);
    random(lang, secret.as_mut_slice())?;
    let signer = NoteSigner::new(name, role, SigningKey::from_bytes(&secret)).map_err(|error| {
        complain(&format!("--name: {}", lang.pick(&error.english(), &error.chinese())));
        Outcome::Usage
    })?;
    let seal = match &passphrase {
        None => None,
        Some(passphrase) => {
            let (mut salt, mut iv) = ([0; 16], [0; 16]);
            random(lang, &mut salt)?;
            random(lang, &mut iv)?;
            Some(Seal { passphrase, salt, iv })
        }
    };
    let text =
        key_file::write(&signer, seal.as_ref()).map_err(|error| refuse(lang, out, &error))?;
    write_new(lang, out, text.as_bytes(), Readers::Owner)?;
    Ok(signer)
}

fn random(lang: Lang, bytes: &mut [u8]) -> Result<(), Outcome> {
    getrandom::fill(bytes).map_err(|error| {
        let what = lang.pick("the system gives no random bytes:", "系统无法提供随机数：");
        complain(&format!("{what} {error}"));
        Outcome::Failed
    })
}

/// The public key alone, so that it can be pasted by a script.
fn print(manner: Manner, key: &VerifierKey) {
    match manner.output {
        Output::Text => anstream::println!("{key}"),
        Output::Json => {
            let (name, role) = (key.name(), role_name(key.role()));
            anstream::println!(
                "{}",
                json!({ "vkey": key.to_string(), "name": name, "role": role })
            );
        }
    }
}

/// A role as programs know it.
pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Note => "log",
        Role::Cosigner => "cosigner",
    }
}

/// Opens a key file, or says why not.
pub(super) fn open(
    lang: Lang,
    file: &Path,
    name: Option<&str>,
    role: Option<Role>,
    passphrase_file: Option<&Path>,
) -> Result<NoteSigner, Outcome> {
    let passphrase = passphrase_file.map(|path| passphrase(lang, path)).transpose()?;
    let bytes = read_secret(lang, file)?;
    let opened = KeyFile::parse(&bytes)
        .and_then(|key| key.open(name, role, passphrase.as_deref().map(Vec::as_slice)));
    opened.map_err(|error| refuse(lang, file, &error))
}

fn passphrase(lang: Lang, path: &Path) -> Result<Zeroizing<Vec<u8>>, Outcome> {
    let bytes = read_secret(lang, path)?;
    let line = key_file::passphrase(&bytes).map(|line| Zeroizing::new(line.to_vec()));
    line.ok_or_else(|| {
        complain(&match lang {
            Lang::En => format!("{}: its first line has no passphrase", path.display()),
            Lang::Zh => format!("{}：首行没有口令", path.display()),
        });
        Outcome::Usage
    })
}

fn refuse(lang: Lang, file: &Path, error: &KeyFileError) -> Outcome {
    let text = lang.pick(&error.english(), &error.chinese()).to_owned();
    complain(&format!("{}: {text} [{}]", file.display(), error.reason()));
    match error {
        KeyFileError::Unnamed
        | KeyFileError::NameDiffers { .. }
        | KeyFileError::RoleDiffers { .. }
        | KeyFileError::PassphraseMissing
        | KeyFileError::PassphraseUnused => Outcome::Usage,
        _ => Outcome::Failed,
    }
}
