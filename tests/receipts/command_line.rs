//! `clearlist receipt`, `check --receipt` and `key rotate` as a person types them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use clearlist::domain::clearance::decide;
use clearlist::domain::question::Question;
use clearlist::domain::shanghai;
use clearlist::formats::receipt::write;
use clearlist::register::decision_text::{Asked, DecisionText, Source};
use clearlist::service::running::Wanted;
use sha2::Digest;

use crate::made::Service;
use crate::script::python;
use crate::support::ceremony::{Place, in_seconds, now};
use crate::support::{OWNER, files, full, row};

pub(crate) fn clearlist(words: &[&str], paths: &[&Path]) -> Output {
    let words = words.iter().map(OsStr::new);
    let args = words.chain(paths.iter().map(|path| path.as_os_str()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
    command.args(["--lang", "en"]).args(args).output().expect("it starts")
}

struct Archive {
    service: Service,
    receipt: PathBuf,
    policy: PathBuf,
    key: String,
}

fn archive() -> Archive {
    let service = Service::over(&files(&[row("A", "四环素"), row("B", "土霉素")]));
    let (receipt, _) = service.receipt(&full("四环素"), now());
    let folder = service.place.path().to_owned();
    let (path, policy) = (folder.join("receipt.json"), folder.join("policy.txt"));
    fs::write(&path, write(&receipt)).expect("written");
    fs::write(&policy, service.published().register.policy().text()).expect("written");
    let key = service.key.verifier().to_string();
    Archive { service, receipt: path, policy, key }
}

impl Archive {
    fn verify(&self, more: &[&str]) -> (Option<i32>, String) {
        let mut words = vec!["receipt", "verify", "--service-key", &self.key];
        words.extend(more);
        let out = clearlist(
            &[&words[..], &["--policy"]].concat(),
            &[&self.policy, Path::new("--"), &self.receipt],
        );
        let said = [out.stdout, out.stderr].concat();
        (out.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

#[test]
fn a_person_reads_what_the_agencies_signed_and_what_only_the_service_says() {
    let archive = archive();
    let (code, said) = archive.verify(&[]);
    assert_eq!(code, Some(0), "{said}");
    let (signed, alone) = said.split_once("Only the service says:").expect("both parts");
    assert!(signed.starts_with("PROVEN LISTED") && signed.contains(OWNER), "{said}");
    assert!(signed.contains("signed by a1") && signed.contains("A 四环素 2941301100"), "{said}");
    assert!(alone.contains("that it was asked this"), "{said}");
    let (code, said) = archive.verify(&["--output", "json"]);
    let found: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, found["holds"].as_bool()), (Some(0), Some(true)), "{said}");
    assert_eq!(found["proven"]["matches"][0], "A");
}

#[test]
fn what_fails_is_named_and_the_command_ends_with_one() {
    let mut archive = archive();
    let whole = fs::read_to_string(&archive.receipt).expect("text");
    let altered = [
        (whole.replacen("LISTED", "LISTER", 1), "SERVICE_SIGNATURE"),
        (whole.replacen("extra ", "extra A", 1), "LIST_PROOF_FORM"),
        (whole.replacen("index 0", "index 1", 1), "STATEMENT_FORM"),
        ("{}".to_owned(), "RECEIPT_FORM"),
    ];
    for (text, reason) in altered {
        fs::write(&archive.receipt, text).expect("written");
        let (code, said) = archive.verify(&[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(reason), "{reason}: {said}");
    }
    fs::write(&archive.receipt, &whole).expect("written");
    let policy = fs::read_to_string(&archive.policy).expect("text");
    fs::write(&archive.policy, format!("# mine\n{policy}")).expect("written");
    let (code, said) = archive.verify(&[]);
    assert!(code == Some(1) && said.contains("POLICY_DIFFERS"), "{said}");
    fs::write(&archive.policy, policy).expect("written");
    archive.key = archive.service.place.keys.log.verifier().to_string();
    let (code, said) = archive.verify(&[]);
    assert!(code == Some(1) && said.contains("SERVICE_SIGNATURE"), "{said}");
    archive.key.push('x');
    assert_eq!(archive.verify(&[]).0, Some(2), "a key that is none is a usage error");
}

/// What the script says of the archive, all of it, and how it ends.
fn script(python: &Path, archive: &Archive) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify_receipt.py");
    let mut command = Command::new(python);
    command.arg("-B").arg(script).args([&archive.receipt, &archive.policy]).arg(&archive.key);
    let out = command.output().expect("it starts");
    (out.status.code(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

#[test]
fn the_script_says_what_holds_and_what_does_not_and_leaves_the_terminal_alone() {
    let Some(python) = python() else { return };
    let archive = archive();
    let (code, said) = script(&python, &archive);
    assert_eq!(code, Some(0), "{said}");
    let (signed, alone) = said.split_once("Only the service says:").expect("both parts");
    assert!(signed.starts_with("HOLDS: LISTED") && signed.contains("entry A is on"), "{said}");
    assert!(alone.contains("that it was asked this"), "{said}");
    let whole = fs::read_to_string(&archive.receipt).expect("text");
    let deep = format!("{{\"decisionNote\":{}", "[".repeat(100_000));
    for (text, what) in [
        (whole.replace("\\n\\n— ", "\\n\\n— \\u001b[2J "), "\\u001b[2J"),
        (whole.replacen('{', "{\"listProof\":\"\",", 1), "a field twice"),
        (deep, "RecursionError"),
    ] {
        fs::write(&archive.receipt, text).expect("written");
        let (code, said) = script(&python, &archive);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with("DOES NOT HOLD: ") && said.contains(what), "{what}: {said}");
        assert!(said.lines().count() == 1 && !said.contains('\u{1b}'), "{said}");
        assert_eq!(archive.verify(&[]).0, Some(1));
    }
    fs::remove_file(&archive.receipt).expect("it was there");
    let (code, said) = script(&python, &archive);
    assert!(code == Some(2) && said.contains("receipt.json: No such file"), "{said}");
}

#[test]
fn a_receipt_is_decided_again_from_the_register_and_a_difference_is_named() {
    let archive = archive();
    let register = archive.service.place.register();
    let replay = || {
        let words = ["receipt", "replay", "--register"];
        clearlist(&words, &[&register, Path::new("--"), &archive.receipt])
    };
    let out = replay();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!((out.status.code(), said.as_str()), (Some(0), "1 decided again, all identical\n"));
    let whole = fs::read_to_string(&archive.receipt).expect("text");
    let lie = whole.replace("verdict LISTED", "verdict CONDITIONAL");
    fs::write(&archive.receipt, lie).expect("written");
    let out = replay();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("verdict: CONDITIONAL → LISTED"), "{said}");
}

/// Ten thousand decisions over fifty revisions, as the decision log exports them. The time is
/// printed, not asserted.
#[test]
fn ten_thousand_decisions_over_fifty_revisions_are_decided_again_identically() {
    const REVISIONS: usize = 50;
    const DECISIONS: usize = 10_000;
    let place = Place::empty();
    let names: Vec<String> = (0..100).map(|n| format!("第{n}号材料")).collect();
    let running = place.open();
    for revision in 0..REVISIONS {
        let listed = names.iter().cycle().skip(revision).take(50).enumerate();
        let rows = listed.map(|(n, name)| row(&format!("E{n:03}"), name)).collect::<Vec<_>>();
        place.add_to(&running, &files(&rows), |next| {
            next.effective = in_seconds(-86_400 + i64::try_from(revision).expect("small"));
        });
    }
    drop(running);
    let service = Service::at(place);
    let (published, now) = (service.published(), now());
    let register = &published.register;
    let mut lines = Vec::new();
    for (nth, name) in names.iter().cycle().take(DECISIONS).enumerate() {
        // In order, so that each list is brought once; the command finds that order by itself.
        let known = (nth * REVISIONS / DECISIONS) as u64 + 1;
        let wanted = Wanted { date: None, known, min: 0 };
        let snapshot = service.running.find(&published, wanted, now).expect("a list");
        let raw = full(name);
        let question = Question::parse(&raw, &snapshot.list, shanghai::today(now)).expect("good");
        let decided = decide(&snapshot.list, &question);
        let (revision, list_root) = (snapshot.revision.number, snapshot.revision.root_sha256);
        let source = Source { known, revision, list_root };
        let asked = Asked::new(&raw, known, 0);
        let text = DecisionText::new(register.origin(), asked, &question, &decided, source, now);
        lines.push(serde_json::json!({ "answer": text.to_string() }).to_string());
    }
    // And in no order at all.
    lines.sort_by_key(|line| sha2::Sha256::digest(line.as_bytes()));
    let path = service.place.path().join("decisions.jsonl");
    fs::write(&path, lines.join("\n")).expect("written");
    let begun = Instant::now();
    let register = service.place.register();
    let out = clearlist(&["receipt", "replay", "--register"], &[&register, Path::new("--"), &path]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(said, format!("{DECISIONS} decided again, all identical\n"));
    println!("{DECISIONS} decisions over {REVISIONS} revisions: {:?}", begun.elapsed());
}
