//! What every register promises, written over a constructor so that each engine runs it; then
//! what the embedded one does with damaged files, failing disks, and a process that is killed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use clearlist::store::Store;

#[path = "store_contract/damaged.rs"]
mod damaged;
#[path = "store_contract/failures.rs"]
mod failures;
#[path = "store_contract/faulty_disk.rs"]
mod faulty_disk;
#[path = "store_contract/files.rs"]
mod files;
#[path = "store_contract/owners.rs"]
mod owners;
#[path = "store_contract/processes.rs"]
mod processes;
#[path = "store_contract/promises.rs"]
mod promises;

fn bodies(store: &dyn Store) -> Vec<Vec<u8>> {
    (1..=store.size()).map(|number| store.read(number).expect("it is in the register")).collect()
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Different for each number, some of them long.
fn body_of(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 7919 % 30_000).expect("it is small");
    number.to_be_bytes().into_iter().cycle().take(length).collect()
}
