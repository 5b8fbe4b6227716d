//! The service's own keys, with which it signs what it says it decided: one that signs, and the
//! public halves of those before it. Kept beside the register; no agency trusts them.
//!
//! `current.key` is the key, `next.key` one that has not taken its place yet, `retired` the public
//! keys before it, a line each: the instant and the key.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::domain::message::Refusal;
use crate::formats::key_file::{self, KEY_FILE_BYTES_MAX, KeyFile, KeyFileError};
use crate::register::note::{KeyError, NoteSigner, Role, VerifierKey};

/// Name of the folder in a register directory.
pub const FOLDER: &str = "service-keys";
const CURRENT: &str = "current.key";
const NEXT: &str = "next.key";
const RETIRED: &str = "retired";
/// Largest list of retired keys, in bytes: thousands of them.
const RETIRED_BYTES_MAX: u64 = 1024 * 1024;

/// The keys of a service.
#[derive(Debug)]
pub struct ServiceKeys {
    /// The key that signs.
    pub current: NoteSigner,
    /// The keys before it, newest last, and when each was retired.
    pub retired: Vec<(Timestamp, VerifierKey)>,
    /// When the key's file was written: another time tells of a rotation.
    pub written: Option<SystemTime>,
}

/// Why the keys are not there.
#[derive(Debug, thiserror::Error)]
pub enum ServiceKeysError {
    /// The folder cannot be read or written.
    #[error("the service's keys in {FOLDER}/: {0}")]
    Io(#[from] io::Error),
    /// The key is none.
    #[error("the service's key in {FOLDER}/{CURRENT}: {}", .0.english())]
    Key(KeyFileError),
    /// A name a key cannot have.
    #[error("the service's key: {}", .0.english())]
    Name(KeyError),
    /// A line of the retired keys is none.
    #[error("{FOLDER}/{RETIRED}, line {line}: this is no instant with a verifier key")]
    Retired {
        /// The line, from 1.
        line: usize,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for the service's key: {0}")]
    Random(getrandom::Error),
}

impl ServiceKeys {
    /// Reads the keys of a service; `None` if it has none yet.
    ///
    /// # Errors
    /// [`ServiceKeysError`].
    pub fn read(folder: &Path) -> Result<Option<Self>, ServiceKeysError> {
        let written = written(folder);
        let bytes = match read(&folder.join(CURRENT), KEY_FILE_BYTES_MAX as u64) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let opened =
            KeyFile::parse(&bytes).and_then(|file| file.open(None, Some(Role::Note), None));
        let current = opened.map_err(ServiceKeysError::Key)?;
        let retired = match read(&folder.join(RETIRED), RETIRED_BYTES_MAX) {
            Ok(bytes) => retired(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        // A rotation that was cut off has said that the key retires, and it has not yet.
        let is_other = |(_, key): &(Timestamp, VerifierKey)| !key.is_same_key(current.verifier());
        let retired = retired.into_iter().filter(is_other).collect();
        Ok(Some(Self { current, retired, written }))
    }

    /// Reads the keys of a service, or makes its first.
    ///
    /// # Errors
    /// [`ServiceKeysError`].
    pub fn open(folder: &Path, origin: &str) -> Result<Self, ServiceKeysError> {
        if let Some(keys) = Self::read(folder)? {
            return Ok(keys);
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => (),
        }
        let current = put(folder, origin)?;
        if let Some(parent) = folder.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { current, retired: Vec::new(), written: written(folder) })
    }

    /// Makes a new key the one that signs. The private half of the old one is gone after.
    ///
    /// # Errors
    /// [`ServiceKeysError`]; the old key stays.
    pub fn rotate(folder: &Path, origin: &str, now: Timestamp) -> Result<Self, ServiceKeysError> {
        let Some(old) = Self::read(folder)? else { return Self::open(folder, origin) };
        let mut list = OpenOptions::new();
        let mut list = list.append(true).create(true).mode(0o600).open(folder.join(RETIRED))?;
        writeln!(list, "{now} {}", old.current.verifier())?;
        list.sync_all()?;
        let current = put(folder, origin)?;
        let mut retired = old.retired;
        retired.push((now, old.current.verifier().clone()));
        Ok(Self { current, retired, written: written(folder) })
    }

    /// The public keys: the one that signs, then the others, newest first, with the instant each
    /// was retired.
    pub fn public(&self) -> impl Iterator<Item = (&VerifierKey, Option<Timestamp>)> {
        let retired = self.retired.iter().rev().map(|(at, key)| (key, Some(*at)));
        std::iter::once((self.current.verifier(), None)).chain(retired)
    }
}

/// When the key in a folder was written.
#[must_use]
pub fn written(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join(CURRENT)).and_then(|found| found.modified()).ok()
}

/// Makes a key and puts it in the place of the current one.
fn put(folder: &Path, origin: &str) -> Result<NoteSigner, ServiceKeysError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice()).map_err(ServiceKeysError::Random)?;
    let name = format!("{origin}/service");
    let signer = NoteSigner::new(&name, Role::Note, SigningKey::from_bytes(&secret))
        .map_err(ServiceKeysError::Name)?;
    let text = key_file::write(&signer, None).map_err(ServiceKeysError::Key)?;
    let next = folder.join(NEXT);
    // One that was left by a start that was cut off was never used.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => (),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&next, folder.join(CURRENT))?;
    File::open(folder)?.sync_all()?;
    Ok(signer)
}

fn read(path: &Path, bytes_max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn retired(bytes: &[u8]) -> Result<Vec<(Timestamp, VerifierKey)>, ServiceKeysError> {
    let text = String::from_utf8_lossy(bytes);
    let read = (1..).zip(text.lines()).map(|(line, content)| {
        let (at, key) = content.split_once(' ').ok_or(ServiceKeysError::Retired { line })?;
        let at = at.parse().map_err(|_no_instant| ServiceKeysError::Retired { line })?;
        let key = VerifierKey::parse(key).map_err(|_no_key| ServiceKeysError::Retired { line })?;
        Ok((at, key))
    });
    read.collect()
}
