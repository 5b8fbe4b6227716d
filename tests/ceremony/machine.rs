//! A folder of its own for each office, the program run there, and openssl beside it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clearlist::formats::list_csv::ListFiles;
use serde_json::Value;
use tempfile::TempDir;

/// How a command ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.out).expect("the output is UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The same, if the command ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", String::from_utf8_lossy(&self.out), self.err);
        self
    }

    /// The same, if it also said this.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        let said = format!("{}{}", String::from_utf8_lossy(&self.out), self.err);
        assert!(said.contains(what), "should say {what:?}:\n{said}");
        self
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    Ran {
        code: output.status.code(),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A folder of its own, where one office works.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("the file can be written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file can be read")
    }

    pub(crate) fn write_list(&self, folder: &str, list: &ListFiles) {
        fs::create_dir(self.path(folder)).expect("the folder can be made");
        self.write(&format!("{folder}/schemes.csv"), &list.schemes);
        self.write(&format!("{folder}/enterprises.csv"), &list.enterprises);
        self.write(&format!("{folder}/entries.csv"), &list.entries);
    }

    /// The program, in English, in this folder.
    pub(crate) fn clearlist<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        for locale in ["LC_ALL", "LC_MESSAGES", "RUST_LOG"] {
            command.env_remove(locale);
        }
        ran(command.env("LANG", "C").current_dir(self.0.path()).args(args))
    }

    /// One line of a command, cut at spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.clearlist(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn openssl(&self, line: &str) -> Vec<u8> {
        let mut command = Command::new("openssl");
        let ran = ran(command.current_dir(self.0.path()).args(line.split_whitespace()));
        assert_eq!(ran.code, Some(0), "openssl {line}: {}", ran.err);
        ran.out
    }

    pub(crate) fn carry(&self, name: &str, to: &Self, under: &str) {
        to.write(under, self.read(name));
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder can be listed");
        let name = |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|e| name(e).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Whether openssl is there; the skip is said aloud.
pub(crate) fn has_openssl(what: &str) -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok_and(|o| o.status.success());
    if !found {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (openssl is not on the path)");
    }
    found
}
