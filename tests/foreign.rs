//! Clients in other languages against the real server. `tests/run` brings the tools and names
//! their folder in `CLEARLIST_TEST_TOOLS`; without it each test says by name that it was skipped.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The demo on a port the system picks; it ends when this is dropped.
struct Demo {
    child: Child,
    address: String,
    /// Where it makes its register.
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_clearlist"))
            .args(["demo", "--listen", "127.0.0.1:0", "--lang", "en"])
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let out = child.stdout.take().expect("piped");
        let mut lines = BufReader::new(out).lines();
        let line = lines.next().expect("the demo says where it listens").expect("text");
        let rest = line.trim_start_matches("listening on ");
        let address = rest.split(": ").next().unwrap_or_default().to_owned();
        // Keeps the pipe open and empty.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, _folder: folder }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of tools, or the skip said aloud: the test runner shows what is written straight
/// to standard error, even of tests that pass.
fn tools(what: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("CLEARLIST_TEST_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (tests/run brings what it needs)");
    }
    tools
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().expect("the client starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{text}\n{errors}");
    text
}

#[test]
fn the_python_example_gets_every_kind_of_answer() {
    let Some(tools) = tools("examples/python") else { return };
    let demo = Demo::start();
    let mut client = Command::new(tools.join("venv/bin/python"));
    let text = succeeds(client.args(["-B", "examples/python/check.py", &demo.address]));
    assert!(text.contains("CONDITIONAL") && text.contains("HS_CODE"), "{text}");
}

#[test]
fn the_node_example_gets_every_kind_of_answer() {
    let Some(tools) = tools("examples/node") else { return };
    let demo = Demo::start();
    let mut client = Command::new("node");
    let text = succeeds(client.arg(tools.join("examples/node/check.mjs")).arg(&demo.address));
    assert!(text.contains("CONDITIONAL") && text.contains("HS_CODE"), "{text}");
}

#[test]
fn buf_curl_finds_the_service_by_reflection_and_gets_an_answer() {
    let Some(tools) = tools("buf curl") else { return };
    let demo = Demo::start();
    let mut client = Command::new(tools.join("node_modules/.bin/buf"));
    let url = format!("http://{}/clearlist.v1.ClearanceService/CheckClearance", demo.address);
    let question = r#"{"hsCode":"2941301100","materialName":"四环素"}"#;
    let curl = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", question, &url];
    let text = succeeds(client.args(curl));
    assert!(text.contains("VERDICT_CONDITIONAL"), "{text}");
}
