//! The golden files as they stand in `tests/golden/`, and which of them no test
//! writes anew: list files by hand, and logs that servers of their time wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clearlist::domain::list::List;
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::service::folder;

pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(golden().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn list_files(name: &str) -> ListFiles {
    folder::read_files(&golden().join(name)).expect("the list files are there")
}

pub(crate) fn list(name: &str) -> List {
    list_csv::read(&list_files(name)).expect("the list lints").list
}

pub(crate) fn file_name(kind: &str, number: u64, extension: &str) -> String {
    format!("{kind}-{number}.{extension}")
}

/// Every file below a folder by its path from there.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                out.insert(name, fs::read(&path).expect("the file can be read"));
            }
        }
    }
    out
}

pub(crate) fn is_by_hand(name: &str) -> bool {
    ["list-1/", "list-2/", "decisions-"].iter().any(|by_hand| name.starts_with(by_hand))
}
