//! Drafted on a register server and submitted to it; and a server that is not believed.

use clearlist::register::note::Role;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::machine::Machine;
use super::proposals::{
    ORIGIN, agencies, at, first_accepted, first_list, log_key, policy, second_list, signer,
    write_key, write_proposal,
};
use super::small_register::SmallRegister;
use super::support::{files, row};

#[test]
fn dates_are_days_in_shanghai_or_instants_of_whole_seconds() {
    let office = Machine::new();
    office.write_list("list", &first_list());
    write_key(&office, "log.key", &log_key());
    let registry = SmallRegister::start(&policy());
    let url = &registry.url;
    let draft = |effective: &str, expires: &str, out: &str| {
        office.run(&format!(
            "proposal draft --list list --effective {effective} --expires {expires} --log-key log.key --server {url} -o {out} --output json"
        ))
    };
    let day = draft("2026-12-01", "2090-12-01", "day.json").ends(0).json();
    assert_eq!(day.pointer("/effectiveTime"), Some(&json!("2026-11-30T16:00:00Z")));
    assert_eq!(day.pointer("/expireTime"), Some(&json!("2090-11-30T16:00:00Z")));
    let instant = draft("2026-12-01T00:00:00+08:00", "2090-11-30T16:00:00Z", "instant.json");
    assert_eq!(instant.ends(0).json(), day);
    let now = draft("now", "2090-12-01", "now.json").ends(0).json();
    let now = now.pointer("/effectiveTime").and_then(Value::as_str).expect("an instant");
    assert!(now.len() == 20 && at(now) <= Timestamp::now(), "{now}");
    for bad in [
        "tomorrow",
        "2026-13-01",
        "2026-12-01T00:00:00",
        "2026-12-01T00:00:00.5Z",
        "1960-01-01",
        "20261201",
        "+012026-12-01T00:00:00Z",
    ] {
        draft(bad, "2090-12-01", "bad.json").ends(2).says("--effective");
        draft("now", bad, "bad.json").ends(2).says("--expires");
    }
    draft("2026-12-01", "2026-11-30", "bad.json").ends(1).says("EXPIRES_BEFORE_EFFECTIVE");
    draft("2020-12-01", "2021-11-30", "bad.json").ends(1).says("PROPOSAL_EXPIRED");
    assert!(!office.path("bad.json").exists());
}

#[test]
fn a_register_grows_by_what_enough_agencies_signed() {
    let office = Machine::new();
    let registry = SmallRegister::start(&policy());
    let url = &registry.url;
    office.write_list("first", &first_list());
    office.write_list("second", &second_list());
    write_key(&office, "log.key", &log_key());
    for (name, key) in agencies() {
        write_key(&office, &format!("{name}.key"), &key);
    }
    let times = "--effective 2026-01-01 --expires 2090-01-01";
    let draft = |what: &str, out: &str| {
        office.run(&format!("proposal draft {what} --log-key log.key --server {url} -o {out}"))
    };
    let sign = |file: &str, key: &str| {
        office.run(&format!("proposal sign {file} --key {key}.key")).ends(0);
    };
    let submit = |rest: &str| office.run(&format!("proposal submit {rest} --server {url}"));
    draft(&format!("--list first {times}"), "1.json").ends(0).says("drafted");
    let shown = office.run("proposal show 1.json").ends(0).says("it is the first list: 6 added");
    assert!(!String::from_utf8_lossy(&shown.out).contains("lifts"));
    sign("1.json", "customs");
    submit("1.json --validate").ends(1).says("QUORUM_NOT_MET");
    submit("1.json").ends(1).says("QUORUM_NOT_MET").says("without drug, science");
    let refused = submit("1.json --output json").ends(1).json();
    assert_eq!(refused.pointer("/reason"), Some(&json!("QUORUM_NOT_MET")));
    submit("1.json --lang zh").ends(1).says("签署机构不足");
    assert_eq!(registry.held.size(), 0);
    sign("1.json", "drug");
    submit("1.json --validate").ends(0).says("would be accepted as statement 1");
    assert_eq!(registry.held.size(), 0);
    submit("1.json").ends(0).says("accepted as statement 1");
    submit("1.json").ends(0).says("accepted before, as statement 1");
    assert_eq!(registry.held.size(), 1);

    draft("--suspend A --effective now --document urgent", "2.json").ends(0);
    draft("--suspend Z --effective now", "2z.json").ends(1).says("SUSPENSION_UNKNOWN");
    sign("2.json", "science");
    sign("2.json", "drug");
    submit("2.json").ends(0);
    // The newest revision is not the newest statement.
    draft(&format!("--list second {times}"), "3.json").ends(0);
    office
        .run("proposal show 3.json")
        .ends(0)
        .says("against revision 1: 1 added, 1 removed, 1 changed")
        .says("lifts every suspension among statements 2 to 2");
    let shown = office.run("proposal show 3.json --output json").ends(0).json();
    assert_eq!(shown.pointer("/liftsSuspensionsAmong"), Some(&json!([2, 2])));
    sign("3.json", "customs");
    sign("3.json", "science");
    submit("3.json").ends(0).says("accepted as statement 3");
    office.write("policy.txt", policy().replace("agencies 2", "agencies 3"));
    draft("--policy policy.txt", "4.json").ends(0);
    for key in ["customs", "drug", "science"] {
        sign("4.json", key);
    }
    submit("4.json").ends(0).says("accepted as statement 4");
    // What was drafted before is too late now.
    draft(&format!("--list first {times}"), "5.json").ends(0).says("`agencies` has 0 of 3");
    office.run("proposal merge 3.json 5.json -o no.json").ends(1);
    for (reason, known) in [("NOT_STORED", true), ("OUTCOME_UNKNOWN", false)] {
        registry.held.fail_with(reason);
        let said = submit("5.json").ends(3).says(reason).err;
        assert_eq!(said.contains("not known whether"), !known, "{said}");
        let report = submit("5.json --output json").ends(3).json();
        assert_eq!(report.pointer("/outcomeKnown"), Some(&json!(known)));
    }
    registry.held.fall_silent();
    submit("5.json").ends(3).says("not known whether");
}

#[test]
fn a_server_that_says_what_was_not_signed_is_not_drafted_on() {
    let office = Machine::new();
    let registry = SmallRegister::start(&policy());
    let url = &registry.url;
    office.write_list("second", &second_list());
    write_key(&office, "log.key", &log_key());
    write_key(&office, "other-log.key", &signer(ORIGIN, Role::Note, 60));
    let [(_, customs), ..] = agencies();
    write_key(&office, "customs.key", &customs);
    write_proposal(&office, "1.json", &first_accepted());
    office.run(&format!("proposal submit 1.json --server {url}")).ends(0);
    let draft = |list: &str, key: &str, url: &str| {
        office.run(&format!(
            "proposal draft --list {list} --effective now --expires 2090-01-01 --log-key {key} --server {url} -o p.json"
        ))
    };
    draft("second", "other-log.key", url).ends(1).says("LOG_KEY_DIFFERS");
    draft("second", "customs.key", url).ends(2).says("KEY_NAME_DIFFERS");
    draft("nowhere", "log.key", url).ends(3).says("nowhere");
    draft("second", "log.key", "http://127.0.0.1:0").ends(3).says("--server");
    draft("second", "log.key", "nonsense").ends(3);
    let broken = files(&[row("A", "四环素").with("hs_code", "12")]);
    office.write_list("broken", &broken);
    draft("broken", "log.key", url).ends(1).says("entries.csv:2");
    office.run("proposal draft --log-key log.key -o p.json").ends(2);
    office
        .run("proposal draft --list second --log-key log.key -o p.json")
        .ends(2)
        .says("--effective");
    office
        .run("proposal draft --list second --effective now --expires 2090-01-01 --log-key log.key --register here -o p.json")
        .ends(3)
        .says("statements");
    registry.held.lie_about(second_list());
    draft("second", "log.key", url).ends(3).says("BASE_LIST_DIFFERS");
    assert!(!office.path("p.json").exists());
}
