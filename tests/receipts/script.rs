//! The independent check, run over many receipts in one process.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clearlist::formats::receipt::write;
use clearlist::register::receipt::Receipt;

/// What stands in a folder for the script: receipt, policy and key, each with what is expected.
pub(crate) struct Cases {
    folder: tempfile::TempDir,
    count: usize,
}

impl Cases {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), count: 0 }
    }

    /// Adds a receipt.
    pub(crate) fn add(&mut self, receipt: &Receipt, policy: &str, key: &str, holds: bool) {
        self.add_bytes(&write(receipt), policy.as_bytes(), key.as_bytes(), holds);
    }

    /// Adds a receipt of any bytes.
    pub(crate) fn add_bytes(&mut self, receipt: &[u8], policy: &[u8], key: &[u8], holds: bool) {
        let case = self.folder.path().join(format!("{:05}", self.count));
        fs::create_dir(&case).expect("a folder");
        fs::write(case.join("receipt"), receipt).expect("written");
        fs::write(case.join("policy"), policy).expect("written");
        fs::write(case.join("key"), key).expect("written");
        fs::write(case.join("holds"), if holds { "yes" } else { "no" }).expect("written");
        self.count += 1;
    }

    /// Runs the script over all of them: each must be found to hold or not, as expected.
    pub(crate) fn check(&self) {
        let Some(python) = python() else { return };
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new(python)
            .arg("-B")
            .arg(root.join("tests/receipts/check_all.py"))
            .arg(root.join("examples"))
            .arg(self.folder.path())
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}");
        assert!(said.ends_with(&format!("{} as expected\n", self.count)), "{said}{errors}");
    }
}

/// Python with the package `cryptography`, or the skip said aloud.
pub(crate) fn python() -> Option<PathBuf> {
    use std::io::Write as _;
    let tools = std::env::var_os("CLEARLIST_TEST_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        let what = "skipped: examples/verify_receipt.py (tests/run brings what it needs)";
        let _ = writeln!(std::io::stderr(), "{what}");
    }
    tools.map(|tools| tools.join("venv/bin/python"))
}
