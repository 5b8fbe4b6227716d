//! A proposal on its way: shown, signed on several machines or by openssl, merged.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clearlist::formats::proposal::Base;
use clearlist::register::note::{Note, Role};
use clearlist::register::statement::Statement;
use serde_json::json;

use super::machine::{Machine, has_openssl};
use super::proposals::{
    ORIGIN, agencies, at, drafted, empty_base, first_accepted, first_list, first_proposal, log_key,
    policy, policy_of, revision, second_proposal, signer, write_key, write_proposal,
};

#[test]
fn a_proposal_goes_from_machine_to_machine_until_enough_have_signed() {
    let (drafter, customs, drug) = (Machine::new(), Machine::new(), Machine::new());
    let [(_, customs_key), (_, drug_key), _] = agencies();
    write_key(&customs, "my.key", &customs_key);
    write_key(&drug, "my.key", &drug_key);
    write_proposal(&drafter, "p.json", &second_proposal());
    let shown = drafter.run("proposal show p.json").ends(0);
    let note = second_proposal().checkpoint;
    let root = BASE64.decode(note.lines().nth(2).expect("a root")).expect("base64");
    let root = clearlist::register::statement::to_hex(&root);
    let told = [
        "register.example/list",
        "2: a new list",
        "2026-01-01 08:00:00 +08:00 (2026-01-01T00:00:00Z)",
        "Notice 12 of 2026",
        "3 rows, against revision 1: 1 added, 1 removed, 1 changed",
        "~ entry A",
        "quantity: `` → `20`",
        "- entry B",
        "+ entry C",
        "which drafted it",
        &root,
        "`agencies` has 0 of 2, without customs, drug, science",
    ];
    for what in told {
        assert!(shown.text().contains(what), "{what}: {}", shown.text());
    }
    for machine in [&customs, &drug] {
        drafter.carry("p.json", machine, "p.json");
        machine.write("policy.txt", policy());
    }
    customs
        .run("proposal sign p.json --key my.key --policy policy.txt")
        .ends(0)
        .says("signed as customs")
        .says("`agencies` has 1 of 2, without drug, science");
    assert_eq!(customs.names(), ["my.key", "p.json", "policy.txt"], "nothing is left beside");
    drug.run("proposal sign p.json --key my.key -o signed.json").ends(0).says("signed as drug");
    customs.carry("p.json", &drafter, "customs.json");
    drug.carry("signed.json", &drafter, "drug.json");
    drafter
        .run("proposal merge customs.json drug.json -o merged.json")
        .ends(0)
        .says("enough have signed");
    let report = drafter.run("proposal show merged.json --output json").ends(0).json();
    assert_eq!(report.pointer("/quorum/met"), Some(&json!(true)));
    assert_eq!(report.pointer("/quorum/cosigned"), Some(&json!(["customs", "drug"])));
    assert_eq!(report.pointer("/problems"), Some(&json!([])));
    assert_eq!(report.pointer("/count"), Some(&json!({"added": 1, "removed": 1, "changed": 1})));
    assert_eq!(report.pointer("/signatures/0/role"), Some(&json!("log")));
    assert_eq!(report.pointer("/changes/0/fields/0/after"), Some(&json!("20")));
    let chinese = drafter.run("--lang zh proposal show merged.json").ends(0);
    assert!(chinese.text().contains("签署已足"), "{}", chinese.text());
    // In any order, and once more, the same signatures.
    drafter.run("proposal merge drug.json merged.json customs.json -o again.json").ends(0);
    let again = drafter.run("proposal show again.json --output json").ends(0).json();
    assert_eq!(again.pointer("/signatures"), report.pointer("/signatures"));
}

#[test]
fn a_key_signs_once_and_only_if_it_counts() {
    let office = Machine::new();
    let [(_, customs), (_, drug), _] = agencies();
    write_key(&office, "customs.key", &customs);
    write_key(&office, "drug.key", &drug);
    write_key(&office, "stranger.key", &signer("customs.example", Role::Cosigner, 77));
    write_key(&office, "renamed.key", &signer("other.example", Role::Cosigner, 2));
    write_key(&office, "as-log.key", &signer("customs.example", Role::Note, 2));
    write_key(&office, "log.key", &log_key());
    write_proposal(&office, "p.json", &first_proposal());
    office.run("proposal sign p.json --key customs.key").ends(0);
    let before = office.read("p.json");
    let cases = [
        ("customs.key", 1, "ALREADY_SIGNED"),
        ("log.key", 1, "ALREADY_SIGNED"),
        ("stranger.key", 1, "KEY_NOT_IN_POLICY"),
        ("renamed.key", 1, "KEY_NOT_IN_POLICY"),
        ("as-log.key", 1, "KEY_NOT_IN_POLICY"),
        ("nowhere.key", 3, "nowhere.key"),
        ("p.json", 3, "KEY_FILE_FORM"),
    ];
    for (key, code, told) in cases {
        office.run(&format!("proposal sign p.json --key {key}")).ends(code).says(told);
        assert_eq!(office.read("p.json"), before, "{key}");
    }
    office.write("other.txt", policy().replace("agencies 2", "agencies 1"));
    let sign = "proposal sign p.json --key drug.key";
    office.run(&format!("{sign} --policy other.txt")).ends(1).says("POLICY_DIFFERS");
    office.run("proposal show p.json --policy other.txt").ends(1).says("POLICY_DIFFERS");
    office.run(&format!("{sign} -o customs.key")).ends(3).says("not overwritten");
    assert_eq!(office.read("p.json"), before);
}

#[test]
fn a_file_signed_in_place_keeps_its_mode_and_stays_a_link() {
    let office = Machine::new();
    let [(_, customs), ..] = agencies();
    write_key(&office, "customs.key", &customs);
    write_proposal(&office, "real.json", &first_proposal());
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(office.path("real.json"), mode).expect("the mode can be set");
    std::os::unix::fs::symlink("real.json", office.path("p.json")).expect("a link can be made");
    office.run("proposal sign p.json --key customs.key").ends(0);
    let link = fs::symlink_metadata(office.path("p.json")).expect("it is there");
    assert!(link.is_symlink());
    let mode = fs::metadata(office.path("real.json")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    office.run("proposal show real.json").ends(0).says("has 1 of 2");
}

#[test]
fn a_signature_made_by_openssl_is_attached() {
    if !has_openssl("a signature made by openssl") {
        return;
    }
    let office = Machine::new();
    office.openssl("genpkey -algorithm ed25519 -out hsm.pem");
    let vkey = office.run("key show hsm.pem --name customs.example").ends(0);
    let [_, drug, science] = agencies();
    let policy = policy_of(&log_key(), &[drug, science]).replace(
        "group agencies 2",
        &format!("witness customs {}\ngroup agencies 2 customs", vkey.text().trim_end()),
    );
    let list = first_list();
    let base = Base { policy, ..empty_base() };
    let proposal = drafted(base, &Statement::Revision(revision(1, &list)), Some(list));
    write_proposal(&office, "p.json", &proposal);
    let at = "2026-11-22T10:00:00+08:00";
    let message = office.run(&format!("proposal show p.json --message --at {at}")).ends(0);
    assert!(
        message.text().starts_with("cosignature/v1\ntime 1795312800\nregister.example/list\n1\n")
    );
    office.write("message.bin", &message.out);
    office.openssl("pkeyutl -sign -rawin -inkey hsm.pem -in message.bin -out signature.bin");
    office.write("signature.txt", BASE64.encode(office.read("signature.bin")) + "\n");
    office.write("short.bin", "too short");
    let attach = |rest: &str| office.run(&format!("proposal attach p.json {rest}"));
    attach(&format!("--key-name customs --at {at} --signature signature.bin -o raw.json")).ends(0);
    attach(&format!("--key-name customs.example --at {at} --signature signature.txt -o text.json"))
        .ends(0)
        .says("`agencies` has 1 of 2");
    assert_eq!(office.read("raw.json"), office.read("text.json"));
    let by_key = ["--at", at, "--signature", "signature.bin", "-o", "key.json"];
    let named = ["proposal", "attach", "p.json", "--key-name", vkey.text().trim_end()];
    office.clearlist(&[&named[..], &by_key].concat()).ends(0);
    let other = "2026-11-22T10:00:01+08:00";
    let before = office.read("p.json");
    let cases = [
        (
            format!("--key-name customs --at {other} --signature signature.bin"),
            1,
            "SIGNATURE_INVALID",
        ),
        (format!("--key-name drug --at {at} --signature signature.bin"), 1, "SIGNATURE_INVALID"),
        (format!("--key-name nobody --at {at} --signature signature.bin"), 1, "KEY_NOT_IN_POLICY"),
        (format!("--key-name customs --at {at} --signature short.bin"), 3, "short.bin"),
        ("--key-name customs --signature signature.bin".into(), 2, "--at"),
        ("--key-name customs --at yesterday --signature signature.bin".into(), 2, "--at"),
        (format!("--key-name {ORIGIN} --signature signature.bin"), 1, "ALREADY_SIGNED"),
    ];
    for (args, code, told) in cases {
        attach(&args).ends(code).says(told);
        assert_eq!(office.read("p.json"), before, "{args}");
    }
    // What was to be signed later than now is not accepted before.
    let later = "2090-01-01T00:00:00Z";
    let message = office.run(&format!("proposal show p.json --message --at {later}")).ends(0);
    office.write("message.bin", &message.out);
    office.openssl("pkeyutl -sign -rawin -inkey hsm.pem -in message.bin -out signature.bin");
    attach(&format!("--key-name customs --at {later} --signature signature.bin"))
        .ends(1)
        .says("COSIGNATURE_IN_FUTURE");
}

#[test]
fn the_bytes_to_sign_are_those_that_are_verified() {
    let office = Machine::new();
    write_proposal(&office, "p.json", &first_proposal());
    let note = Note::parse(first_proposal().checkpoint.as_bytes()).expect("a note");
    let log = office.run("proposal show p.json --message --log").ends(0);
    assert_eq!(log.text(), note.text());
    let now = office.run("proposal show p.json --message --at 2026-11-22T00:00:00Z").ends(0);
    let expected =
        clearlist::register::note::cosigned_message(note.text(), at("2026-11-22T00:00:00Z"));
    assert_eq!(now.out, expected);
    office.run("proposal show p.json --message").ends(2).says("--at");
    office.run("proposal show p.json --at now").ends(2).says("--message");
}

#[test]
fn only_copies_of_one_proposal_are_merged() {
    let office = Machine::new();
    let first = first_proposal();
    write_proposal(&office, "p.json", &first);
    let list = first_list();
    let mut other = revision(1, &list);
    other.document = "Notice 13 of 2026".into();
    let other = drafted(empty_base(), &Statement::Revision(other), Some(list.clone()));
    write_proposal(&office, "other.json", &other);
    let looser = Base { policy: policy().replace("agencies 2", "agencies 1"), ..empty_base() };
    let looser = drafted(looser, &Statement::Revision(revision(1, &list)), Some(list));
    write_proposal(&office, "looser.json", &looser);
    for name in ["other.json", "looser.json"] {
        let merge = format!("proposal merge p.json {name} -o out.json");
        office.run(&merge).ends(1).says("PROPOSALS_DIFFER");
    }
    let mut forged = first.clone();
    forged.checkpoint.push_str(
        &first_accepted()
            .checkpoint
            .lines()
            .last()
            .map_or(String::new(), |line| line.replace("drug.example", "customs.example") + "\n"),
    );
    write_proposal(&office, "forged.json", &forged);
    office
        .run("proposal merge p.json forged.json -o out.json")
        .ends(1)
        .says("SIGNATURE_UNKNOWN")
        .says("forged.json");
    office.run("proposal merge p.json -o out.json").ends(2);
    assert!(!office.path("out.json").exists());
}
