//! What README.md tells a newcomer to type works as it stands.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// The block of README.md that changes a list, as bash reads it.
fn ceremony() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("README.md is there");
    let (_, from) = readme.split_once("```bash ceremony\n").expect("the block is there");
    from.split_once("\n```\n").expect("the block ends").0.to_owned()
}

/// The search path with the program under test first.
fn path() -> OsString {
    let built = Path::new(env!("CARGO_BIN_EXE_clearlist")).parent().expect("a folder");
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(built.to_path_buf()).chain(env::split_paths(&rest)))
        .expect("a search path")
}

#[test]
fn the_ceremony_of_the_readme_ends_with_an_answer_from_revision_2() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = port.local_addr().expect("it is bound").to_string();
    // Free until the block takes it.
    drop(port);
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("timeout");
    for locale in ["LC_ALL", "LC_MESSAGES", "RUST_LOG"] {
        command.env_remove(locale);
    }
    let output = command
        .args(["120", "bash", "-c", &ceremony()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path())
        .env("LANG", "C")
        .env("TMPDIR", folder.path())
        .env("CLEARLIST_LISTEN", &listen)
        .stdin(Stdio::null())
        .output()
        .expect("bash and timeout are there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = format!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    let answers: Vec<&str> =
        said.lines().filter(|line| line.starts_with("  list     register.example/list ")).collect();
    let by = |number: u64| format!("  list     register.example/list {number} sha256 ");
    assert_eq!(answers.len(), 2, "{told}");
    for (answer, number) in answers.iter().zip(1..) {
        assert!(answer.starts_with(&by(number)), "{told}");
    }
    for line in ["accepted as statement 1", "accepted as statement 2", "quantity: `200` → `300`"]
    {
        assert!(said.contains(line), "{line}: {told}");
    }
    let refused = told.lines().find(|line| line.starts_with("clearlist:"));
    assert_eq!(refused, None, "{told}");
}
