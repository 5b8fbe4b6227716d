//! Files that commands read and write: bounded, never overwritten by accident, replaced whole or
//! not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::formats::key_file::KEY_FILE_BYTES_MAX;
use crate::register::statement::to_hex;

use super::{Lang, Outcome, complain};

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever the system lets.
    Anybody,
    /// Its owner: mode 0600.
    Owner,
}

/// The bytes of a file, at most one more than `bytes_max`, so that an endless file ends here.
pub(super) fn read(lang: Lang, path: &Path, bytes_max: usize) -> Result<Vec<u8>, Outcome> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let bounded = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(bounded).read_to_end(&mut bytes)
    });
    read.map_err(|error| cannot_read(lang, path, &error))?;
    Ok(bytes)
}

/// The bytes of a file that holds a secret, wiped when they are let go.
pub(super) fn read_secret(lang: Lang, path: &Path) -> Result<Zeroizing<Vec<u8>>, Outcome> {
    // Grown by no step: each would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * KEY_FILE_BYTES_MAX));
    let read = File::open(path)
        .and_then(|file| file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| cannot_read(lang, path, &error))?;
    Ok(bytes)
}

fn cannot_read(lang: Lang, path: &Path, error: &io::Error) -> Outcome {
    complain(&match lang {
        Lang::En => format!("cannot read {}: {error}", path.display()),
        Lang::Zh => format!("无法读取 {}：{error}", path.display()),
    });
    Outcome::Failed
}

/// Writes a file that is not there yet.
pub(super) fn write_new(
    lang: Lang,
    path: &Path,
    bytes: &[u8],
    readers: Readers,
) -> Result<(), Outcome> {
    create(path, bytes, readers).map_err(|error| {
        complain(&match (error.kind(), lang) {
            (io::ErrorKind::AlreadyExists, Lang::En) => {
                format!(
                    "{} is there already and is not overwritten; name another file",
                    path.display()
                )
            }
            (io::ErrorKind::AlreadyExists, Lang::Zh) => {
                format!("{} 已存在，不予覆盖；请指定其他文件", path.display())
            }
            (_, Lang::En) => format!("cannot write {}: {error}", path.display()),
            (_, Lang::Zh) => format!("无法写入 {}：{error}", path.display()),
        });
        Outcome::Failed
    })
}

/// Replaces a file as a whole: whoever reads it finds the old bytes or the new ones.
pub(super) fn replace(lang: Lang, path: &Path, bytes: &[u8]) -> Result<(), Outcome> {
    swap(path, bytes).map_err(|error| {
        complain(&match lang {
            Lang::En => format!("cannot write {}: {error}; it is as it was", path.display()),
            Lang::Zh => format!("无法写入 {}：{error}；文件未变", path.display()),
        });
        Outcome::Failed
    })
}

fn create(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mode = if readers == Readers::Owner { 0o600 } else { 0o666 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is worse than none; if it cannot be removed either, the error says enough.
        let _ = fs::remove_file(path);
    }
    written
}

fn swap(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link.
    let path = fs::canonicalize(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let beside = folder.join(format!(".{}.{}", name.to_string_lossy(), to_hex(&random)));
    create(&beside, bytes, Readers::Owner)?;
    let swapped = fs::metadata(&path)
        .and_then(|old| fs::set_permissions(&beside, old.permissions()))
        .and_then(|()| fs::rename(&beside, &path));
    if swapped.is_err() {
        let _ = fs::remove_file(&beside);
        return swapped;
    }
    // The new name is on disk when its folder is.
    File::open(folder)?.sync_all()
}
