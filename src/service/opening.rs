//! A register directory to a running register, and a new directory.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::message::Refusal;
use crate::register::policy::{Policy, PolicyError};
use crate::store::embedded::{CreateError, Embedded, OpenError, Opened};
use crate::store::{ReadError, Store};

use super::replay::{ReplayError, Replayed, replay};
use super::running::Running;
use super::service_keys::{FOLDER, ServiceKeys, ServiceKeysError};

/// Why a register directory was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The policy cannot be read.
    #[error("{}", .0.english())]
    Policy(PolicyError),
    /// The store was not made.
    #[error(transparent)]
    Store(#[from] CreateError),
}

/// Why a register directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store could not give its beginning.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A statement is not what it was.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The service has no key to sign receipts with.
    #[error(transparent)]
    ServiceKeys(#[from] ServiceKeysError),
}

/// Makes a register directory that begins with a policy.
///
/// # Errors
/// [`MakeError`]; nothing was made.
pub fn make(directory: &Path, policy: &str) -> Result<(), MakeError> {
    Policy::parse(policy).map_err(MakeError::Policy)?;
    Ok(Embedded::create(directory, policy.as_bytes())?)
}

/// Opens a register directory to serve it. `progress` hears of each statement replayed.
///
/// # Errors
/// [`OpeningError`]; nothing is served.
pub fn open(
    directory: &Path,
    now: Timestamp,
    progress: impl FnMut(u64, u64),
) -> Result<Running, OpeningError> {
    let Opened { store, cut_bytes } = Embedded::open(directory)?;
    if cut_bytes > 0 {
        tracing::warn!(cut_bytes, "an append that was never acknowledged was cut off");
    }
    let replayed = replay(&store, &store.genesis()?, progress)?;
    let origin = replayed.register.origin().to_owned();
    let running = Running::open(Arc::new(store), replayed, now)?;
    let folder = directory.join(FOLDER);
    running.sign_with(ServiceKeys::open(&folder, &origin)?, folder);
    Ok(running)
}

/// Reads a register directory, beside a server or without one. `progress` hears of each
/// statement replayed.
///
/// # Errors
/// [`OpeningError`].
pub fn read(
    directory: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<(Arc<dyn Store>, Replayed), OpeningError> {
    let store = Embedded::open_read_only(directory)?;
    let replayed = replay(&store, &store.genesis()?, progress)?;
    Ok((Arc::new(store), replayed))
}
