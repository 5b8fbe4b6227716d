//! The optimized program, which is what is shipped, against the one the other tests run: it
//! starts, answers the same, proves it and ends (docs/decisions/0019). `tests/run` builds it and
//! names it in `CLEARLIST_TEST_RELEASE`; without it each test says by name that it was skipped.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::server::Launched;

mod support;

/// Lines of the file of questions.
const LINES_MIN: usize = 700;

/// The program, or the skip said aloud.
fn release(what: &str) -> Option<PathBuf> {
    let program = std::env::var_os("CLEARLIST_TEST_RELEASE").map(PathBuf::from);
    if program.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (tests/run builds what it needs)");
    }
    program
}

fn run(program: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(["--lang", "en"]).args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names_of_threads(process: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let name = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("comm")).ok();
    threads.flatten().filter_map(name).map(|name| name.trim_end().to_owned()).collect()
}

/// Questions about every row of the worked example: whole, with less, and near misses.
fn questions() -> String {
    let rows = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/entries.csv");
    let mut rows = csv::Reader::from_path(rows).expect("the example is there");
    let mut out = csv::Writer::from_writer(Vec::new());
    let header = "hs_code,material_name,cas_number,end_user_uscc,quantity,customs_district,use,declaration_date";
    out.write_record(header.split(',')).expect("written");
    let columns = rows.headers().expect("it has a header").clone();
    for row in rows.records() {
        let row = row.expect("a row");
        let cell = |name: &str| {
            columns
                .iter()
                .position(|column| column == name)
                .and_then(|at| row.get(at))
                .unwrap_or("")
        };
        let (code, name, owner) = (cell("hs_code"), cell("name_zh"), cell("uscc"));
        let amount = format!("{} {}", cell("quantity"), cell("unit"));
        let amount = if cell("quantity").is_empty() { "1 g" } else { &amount };
        let near: String = name.chars().skip(1).collect();
        for (name, cas, owner, amount) in [
            (name, cell("cas"), owner, amount),
            (name, "", "", ""),
            (cell("name_en"), "", owner, "999999999 kg"),
            (&near, "", owner, amount),
        ] {
            let line = [code, name, cas, owner, amount, "0100", "research", "2026-06-30"];
            out.write_record(line).expect("written");
        }
    }
    text(&out.into_inner().expect("written"))
}

#[test]
fn the_release_build_answers_as_the_tested_one() {
    let Some(release) = release("the answers of the release build") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let lines = folder.path().join("lines.csv");
    fs::write(&lines, questions()).expect("written");
    let args = ["check-file", &lines.to_string_lossy(), "--list", "data"];
    let (tested, shipped) =
        (run(Path::new(env!("CARGO_BIN_EXE_clearlist")), &args), run(&release, &args));
    // Class rows have no code: their lines are refused, which is an answer to compare, too.
    assert_eq!(tested.status.code(), Some(3), "{}", text(&tested.stderr));
    assert!(text(&tested.stdout).lines().count() > LINES_MIN);
    assert_eq!(shipped.status.code(), tested.status.code(), "{}", text(&shipped.stderr));
    for (shipped, tested) in text(&shipped.stdout).lines().zip(text(&tested.stdout).lines()) {
        assert_eq!(shipped, tested);
    }
    assert_eq!(shipped.stdout, tested.stdout);
}

#[test]
fn the_release_build_serves_proves_and_ends() {
    let Some(release) = release("a server of the release build") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let demo = folder.path().join("demo");
    let mut command = Command::new(&release);
    command.args(["demo", "--lang", "en", "--listen", "127.0.0.1:0", "--dir"]).arg(&demo);
    let server = Launched::run(command).listening().expect("it starts");
    let (url, receipt) = (format!("http://{}", server.address()), folder.path().join("r.json"));
    let receipt = receipt.to_string_lossy();
    let question = ["--hs", "2941301100", "--name", "四环素", "--end-user", "91110108EXAMPLE11C"];
    let more = ["--quantity", "20 g", "--district", "0100", "--use", "research"];
    let more = [&more[..], &["--receipt", &receipt]].concat();
    let asked = run(&release, &[&["check", "--server", &url], &question[..], &more].concat());
    assert_eq!(asked.status.code(), Some(0), "{}{}", text(&asked.stdout), text(&asked.stderr));
    let shown = run(&release, &["register", "show", "--server", &url, "--output", "json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let key = shown
        .pointer("/serviceKeys/0/vkey")
        .and_then(|key| key.as_str())
        .expect("a key")
        .to_owned();
    let policy = demo.join("policy.txt");
    let verify = ["receipt", "verify", &receipt, "--policy", &policy.to_string_lossy()];
    let verified = run(&release, &[&verify[..], &["--service-key", &key]].concat());
    let said = text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{said}{}", text(&verified.stderr));
    assert!(said.starts_with("PROVEN LISTED"), "{said}");
    // What is free goes back to the system by a thread of its own (docs/decisions/0020).
    let threads = names_of_threads(server.id());
    assert!(threads.iter().any(|name| name == "jemalloc_bg_thd"), "{threads:?}");
    server.terminate();
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}
