//! Brings the bytes of a list folder: the only place that reads list files from disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::formats::list_csv::{self, ListFiles};
use crate::formats::table::{FILE_BYTES_MAX, Problem};

use super::snapshot::Snapshot;

/// Why a folder gave no list.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The files were read, and are no list.
    #[error("{} problems in the list files", problems.len())]
    Problems {
        /// Every problem.
        problems: Vec<Problem>,
    },
}

/// The list files of a folder.
///
/// # Errors
/// [`FolderError::Read`] names the file.
pub fn read_files(folder: &Path) -> Result<ListFiles, FolderError> {
    let read = |name: &str| {
        let path = folder.join(name);
        read_bounded(&path).map_err(|source| FolderError::Read { path, source })
    };
    let [schemes, enterprises, entries] = list_csv::FILES;
    Ok(ListFiles {
        schemes: read(schemes)?,
        enterprises: read(enterprises)?,
        entries: read(entries)?,
    })
}

/// At most one byte more than is accepted, so that an endless file ends here.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A snapshot of list files, unsigned.
///
/// # Errors
/// [`FolderError::Problems`] with every problem.
pub fn load(files: &ListFiles) -> Result<Snapshot, FolderError> {
    let read = list_csv::read(files).map_err(|problems| FolderError::Problems { problems })?;
    Ok(Snapshot::unsigned(read.list, files))
}
