//! The program as people and scripts use it: what each command prints and how it ends, and that
//! a server and a list folder give one answer.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// How a command ended and what it printed.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The program, in English whatever the locale, at the repository's root.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
    for locale in ["LC_ALL", "LC_MESSAGES", "RUST_LOG"] {
        command.env_remove(locale);
    }
    command.env("LANG", "C").current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn clearlist<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Ran {
    let output = program().args(args).output().expect("the program starts");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("the output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
    }
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).expect("the output is JSON")
}

/// The example list.
const LIST: [&str; 2] = ["--list", "data"];
/// No server listens on port 0.
const NOBODY: [&str; 2] = ["--server", "http://127.0.0.1:0"];
/// The question that fits BJ2022-B01-001, on a day it is valid.
const MATERIAL: [&str; 6] = ["--hs", "2941.30.11.00", "--name", "四环素", "--date", "2026-06-30"];
/// Who asks.
const END_USER: [&str; 2] = ["--end-user", "91110108EXAMPLE11C"];
/// And for what.
const SHIPMENT: [&str; 6] = ["--quantity", "20 g", "--district", "0100", "--use", "research"];

/// A question with all it takes.
fn full() -> Vec<&'static str> {
    [&["check"][..], &MATERIAL, &END_USER, &SHIPMENT].concat()
}

fn full_of_list() -> Vec<&'static str> {
    [&full()[..], &LIST].concat()
}

/// A folder with a copy of the example, one text of one file replaced.
fn example_with(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for name in ["schemes.csv", "enterprises.csv", "entries.csv"] {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
        let mut text = fs::read_to_string(original).expect("the example can be read");
        if name == file {
            assert!(text.contains(from), "{from} is not in {file}");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.path().join(name), text).expect("the copy can be written");
    }
    folder
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}

#[test]
fn a_question_with_all_it_takes_is_listed_first_word_and_exit_code_0() {
    let ran = clearlist(&full_of_list());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("LISTED"), "{}", ran.out);
    assert!(ran.out.contains("BJ2022-B01-001"), "{}", ran.out);
    assert!(ran.out.contains("UNSIGNED"), "{}", ran.out);
}

#[test]
fn each_way_to_ask_ends_with_its_code_and_says_why() {
    let ask = |parts: &[&[&'static str]]| [&[&["check"][..]], parts].concat().concat();
    let unknown = ["--hs", "8517130000", "--name", "智能手机"];
    let short = ["--hs", "294130110", "--name", "四环素"];
    let nameless = ["--hs", "2941301100"];
    let cases = [
        ("no end user", ask(&[&MATERIAL, &SHIPMENT, &LIST]), 1, "CONDITIONAL"),
        (
            "no end user, told what to do",
            ask(&[&MATERIAL, &SHIPMENT, &LIST]),
            1,
            "END_USER_MISSING",
        ),
        ("unknown material", ask(&[&unknown, &END_USER, &LIST]), 1, "NOT_LISTED"),
        ("code of 9 digits", ask(&[&short, &LIST]), 2, "hs_code"),
        ("neither name nor CAS number", ask(&[&nameless, &LIST]), 2, "--name"),
        ("unknown use", ask(&[&MATERIAL, &["--use", "fun"], &LIST]), 2, "--use"),
        ("date of the wrong form", ask(&[&MATERIAL, &["--date=30.6.2026"]]), 2, "--date"),
        ("unknown option", ask(&[&MATERIAL, &["--hurry"]]), 2, "--hurry"),
        ("server and list at once", ask(&[&MATERIAL, &NOBODY, &LIST]), 2, "--list"),
        ("no server", ask(&[&MATERIAL, &NOBODY]), 3, "clearlist demo"),
        ("no such folder", ask(&[&MATERIAL, &["--list", "nowhere"]]), 3, "nowhere"),
    ];
    for (case, args, code, told) in cases {
        let ran = clearlist(&args);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{case}: {said}");
        assert!(said.contains(told), "{case}: {said}");
    }
}

#[test]
fn an_answer_is_on_standard_output_and_a_complaint_on_standard_error() {
    let answered = clearlist(&full_of_list());
    assert_eq!(answered.err, "");
    let refused = clearlist(&[&["check"][..], &MATERIAL, &NOBODY].concat());
    assert_eq!(refused.out, "");
}

#[test]
fn json_output_is_the_response_message() {
    let ran = clearlist(&[&full_of_list()[..], &["--output", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let response = json(&ran);
    assert_eq!(response.pointer("/decision/verdict"), Some(&Value::from("VERDICT_LISTED")));
    let entry = response.pointer("/decision/matches/0/entry/entryId");
    assert_eq!(entry, Some(&Value::from("BJ2022-B01-001")));
}

#[test]
fn chinese_is_spoken_when_asked_for_and_by_a_chinese_locale() {
    let args = full_of_list();
    let asked = clearlist(&[&args[..], &["--lang", "zh"]].concat());
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(asked.out.starts_with("LISTED — 在清单上"), "{}", asked.out);
    let by_locale = program().args(&args).env("LANG", "zh_CN.UTF-8").output().expect("it starts");
    assert_eq!(asked.out, String::from_utf8(by_locale.stdout).expect("the output is UTF-8"));
    let refused = clearlist(&[&["--lang", "zh", "check"][..], &MATERIAL, &NOBODY].concat());
    assert!(refused.err.contains("没有Clearlist服务"), "{}", refused.err);
}

#[test]
fn the_help_of_every_command_shows_an_example_of_it() {
    let commands: [&[&str]; 16] = [
        &[],
        &["demo"],
        &["serve"],
        &["check"],
        &["check-file"],
        &["search"],
        &["list", "lint"],
        &["list", "diff"],
        &["key", "new"],
        &["key", "show"],
        &["proposal", "draft"],
        &["proposal", "show"],
        &["proposal", "sign"],
        &["proposal", "merge"],
        &["proposal", "attach"],
        &["proposal", "submit"],
    ];
    for command in commands {
        let ran = clearlist(&[command, &["--help"]].concat());
        let example = format!("clearlist {}", command.join(" "));
        let shown = ran.out.split_once("Example:").is_some_and(|(_, text)| text.contains(&example));
        assert!(ran.code == Some(0) && shown, "{command:?}: {}", ran.out);
    }
}

#[test]
fn a_search_in_pinyin_finds_the_chinese_name_and_one_for_nothing_ends_with_1() {
    let ran = clearlist(&[&["search", "sihuansu"][..], &LIST].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.lines().next().is_some_and(|line| line.contains("四环素")), "{}", ran.out);
    let ran = clearlist(&[&["search", "xyzzyq"][..], &LIST].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn lint_passes_the_example_and_names_the_place_in_a_broken_folder() {
    assert_eq!(clearlist(&["list", "lint", "data"]).code, Some(0));
    let broken = example_with("entries.csv", "2941301100", "294130110");
    let ran = clearlist(&["list", "lint", &path_text(broken.path())]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.starts_with("entries.csv:2:10 (hs_code): "), "{}", ran.out);
    let ran = clearlist(&["list", "lint", &path_text(broken.path()), "--output", "json"]);
    let place = ["file", "line", "column", "header"].map(|key| {
        let report = json(&ran);
        report.pointer(&format!("/problems/0/{key}")).cloned().unwrap_or_default()
    });
    let wanted: [Value; 4] = ["entries.csv".into(), 2.into(), 10.into(), "hs_code".into()];
    assert_eq!(place, wanted);
}

#[test]
fn a_broken_folder_answers_nothing() {
    let broken = example_with("entries.csv", "2941301100", "294130110");
    let folder = path_text(broken.path());
    let full = full();
    let ran = clearlist(&[&full[..], &["--list", &folder]].concat());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("entries.csv:2:10 (hs_code)"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn a_list_does_not_differ_from_itself_and_differs_where_it_was_changed() {
    let same = clearlist(&["list", "diff", "data", "data"]);
    assert_eq!(same.code, Some(0), "{same:?}");
    let changed = example_with("entries.csv", "2941301100,,,,200,g", "2941301100,,,,300,g");
    let ran = clearlist(&["list", "diff", "data", &path_text(changed.path())]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("~ entry BJ2022-B01-001"), "{}", ran.out);
    assert!(ran.out.contains("quantity: `200` → `300`"), "{}", ran.out);
}

/// The columns that `check-file` adds.
const ADDED: [&str; 7] = [
    "clearlist_verdict",
    "clearlist_reasons",
    "clearlist_what_to_do",
    "clearlist_entry_ids",
    "clearlist_candidate_ids",
    "clearlist_list",
    "clearlist_error",
];

/// A file of questions in a folder of its own.
fn lines(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("lines.csv");
    fs::write(&file, text).expect("the questions can be written");
    (folder, file)
}

/// The records of an answer, the header first.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|r| r.expect("every line has the header's width"));
    records.map(|record| record.iter().map(ToOwned::to_owned).collect()).collect()
}

/// One column of the answer, without its header.
fn column(records: &[Vec<String>], name: &str) -> Vec<String> {
    let (header, rows) = records.split_first().expect("there is a header");
    let place = header.iter().position(|given| given == name).expect("the column is there");
    rows.iter().map(|row| row.get(place).cloned().unwrap_or_default()).collect()
}

const CHINESE_LINES: &str = "\
序号,商品编号,商品名称,消费使用单位,数量,单位,关区,用途,申报日期,内部备注
1,2941.30.11.00,四环素,91110108EXAMPLE11C,20,g,0100,研发,2026-06-30,\"甲, 乙\"
2,294130110,四环素,91110108EXAMPLE11C,20,g,0100,研发,2026-06-30,少一位
3,2941301100,四环素
4,2941301100,四环素,91110108EXAMPLE11C,20,g,0100,研究室,2026-06-30,用途不明
5,2941301100,四环素,,20,g,0100,研发,2026-06-30,无企业
";

#[test]
fn a_file_with_chinese_headers_is_answered_and_a_bad_line_stops_no_other() {
    let (_folder, file) = lines(CHINESE_LINES);
    let ran = clearlist(&[&["check-file", &path_text(&file)][..], &LIST].concat());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let answers = records(&ran.out);
    assert_eq!(column(&answers, "clearlist_verdict"), ["LISTED", "", "", "", "CONDITIONAL"]);
    let errors = column(&answers, "clearlist_error");
    let told = ["", "HS_CODE_LOST_ZERO", "3 cells", "研究室", ""];
    for (error, told) in errors.iter().zip(told) {
        assert!(error.contains(told) && error.is_empty() == told.is_empty(), "{error}: {told}");
    }
    for line in ["line 3: ", "line 4: ", "line 5: "] {
        assert!(ran.err.contains(line), "{line} is not in {}", ran.err);
    }
}

#[test]
fn a_file_keeps_its_columns_and_gains_the_answers() {
    let (folder, file) = lines(CHINESE_LINES);
    let out = folder.path().join("answers.csv");
    let args = ["check-file", &path_text(&file), "-o", &path_text(&out)];
    let ran = clearlist(&[&args[..], &LIST].concat());
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
    let answers = records(&fs::read_to_string(out).expect("the answers are there"));
    let header: Vec<&str> = CHINESE_LINES.lines().next().expect("a header").split(',').collect();
    assert_eq!(
        answers.first(),
        Some(&[&header[..], &ADDED].concat().iter().map(|c| (*c).to_owned()).collect())
    );
    assert_eq!(column(&answers, "序号"), ["1", "2", "3", "4", "5"]);
    assert_eq!(column(&answers, "内部备注"), ["甲, 乙", "少一位", "", "用途不明", "无企业"]);
}

#[test]
fn a_file_of_good_lines_ends_as_its_answers_do() {
    let header =
        "hs_code,material_name,end_user_uscc,quantity,customs_district,use,declaration_date";
    let listed = "2941301100,四环素,91110108EXAMPLE11C,20 g,0100,research,2026-06-30";
    let other = "8517130000,智能手机,91110108EXAMPLE11C,1 件,0100,research,2026-06-30";
    let cases = [
        ("all LISTED", format!("{header}\n{listed}\n{listed}\n"), 0),
        ("one not", format!("{header}\n{listed}\n{other}\n"), 1),
        ("BOM and CRLF", format!("\u{FEFF}{header}\r\n{listed}\r\n"), 0),
        ("no column that is known", "a,b\n1,2\n".to_owned(), 3),
        ("empty", String::new(), 3),
    ];
    for (case, text, code) in cases {
        let (_folder, file) = lines(&text);
        let ran = clearlist(&[&["check-file", &path_text(&file)][..], &LIST].concat());
        assert_eq!(ran.code, Some(code), "{case}: {ran:?}");
    }
}

/// A server that ends with the test, whatever becomes of it.
struct Demo {
    child: Child,
    /// Kept open: the server goes on printing.
    out: BufReader<ChildStdout>,
    address: String,
    /// Where it makes its register.
    _folder: TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut child = program()
            .args(["demo", "--listen", "127.0.0.1:0"])
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let out = child.stdout.take().expect("its output is piped");
        let out = BufReader::new(out);
        let mut demo = Self { child, out, address: String::new(), _folder: folder };
        let mut line = String::new();
        demo.out.read_line(&mut line).expect("the server says where it listens");
        let (_, rest) = line.split_once("listening on ").expect("the first line names the address");
        let (address, _) = rest.split_once(": ").expect("the address ends with a colon");
        demo.address = address.to_owned();
        demo
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks it to end, and waits until it did.
    fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
        assert!(sent.success(), "the signal was sent");
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("its output ends");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone, if the test ended it.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The answer without the instant it was given at and the revision it is from, and the revision.
fn bare(ran: &Ran) -> (Value, Value) {
    let mut response = json(ran);
    let decision = response.pointer_mut("/decision").and_then(Value::as_object_mut);
    let decision = decision.expect("there is a decision");
    let decided = decision.remove("decideTime");
    assert!(decided.is_some(), "a decision says when it was made");
    let revision = decision.remove("revision").expect("the answer names its list");
    (response, revision)
}

#[test]
fn a_server_and_its_list_folder_give_one_answer_and_sigterm_ends_the_server_well() {
    let demo = Demo::start();
    let url = demo.url();
    let questions = [
        full(),
        [&["check"][..], &MATERIAL].concat(),
        vec!["check", "--hs", "8517130000", "--name", "智能手机", "--date", "2026-06-30"],
    ];
    for question in questions {
        let question = [&question[..], &["--output", "json"]].concat();
        let local = clearlist(&[&question[..], &LIST].concat());
        let remote = clearlist(&[&question[..], &["--server", &url]].concat());
        assert_eq!(local.code, remote.code, "{question:?}");
        let ((local, unsigned), (remote, signed)) = (bare(&local), bare(&remote));
        assert_eq!(local, remote, "{question:?}");
        assert_eq!(unsigned.get("origin"), None, "no register signed it: {unsigned}");
        assert_eq!(unsigned.get("number"), None, "no register signed it: {unsigned}");
        assert_eq!(signed.get("number"), Some(&Value::from("1")), "{signed}");
        for revision in [unsigned, signed] {
            assert!(revision.get("rootSha256").is_some_and(Value::is_string), "{revision}");
        }
    }
    let (_folder, file) = lines(CHINESE_LINES);
    let remote = clearlist(&["check-file", &path_text(&file), "--server", &url]);
    let local = clearlist(&[&["check-file", &path_text(&file)][..], &LIST].concat());
    let signed = "demo.clearlist.example/list 1";
    assert!(remote.out.contains(signed) && !local.out.contains(signed), "{}", remote.out);
    assert_eq!((local.code, local.out.replace("unsigned", signed)), (remote.code, remote.out));
    let refused = clearlist(&["check", "--hs", "1", "--name", "x", "--server", &url]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("hs_code"), "{}", refused.err);
    assert_eq!(demo.terminate().code(), Some(0));
}

#[test]
fn two_servers_on_one_port_are_one_too_many() {
    let demo = Demo::start();
    let folder = TempDir::new().expect("a folder");
    let ran = clearlist(&["demo", "--listen", &demo.address, "--dir", &path_text(folder.path())]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("--listen"), "{}", ran.err);
}
