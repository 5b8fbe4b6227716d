//! What is wrong with a proposal file: one case for each fault, all of them said at once, and no
//! flipped bit that goes unseen.

use clearlist::domain::message::Refusal;
use clearlist::formats::proposal::{Checked, ProposalError, ProposalFile, check};
use clearlist::register::note::Role;
use clearlist::register::record::ListHeads;
use serde_json::{Value, json};

use super::machine::Machine;
use super::proposals::{
    ORIGIN, agencies, first_list, first_proposal, reasons, second_list, second_proposal, signed_by,
    signer, to_value, today, write_key, write_proposal,
};

/// The check of a second proposal with one thing changed in its JSON.
fn changed(pointer: &str, value: Value) -> Result<Checked, Vec<&'static str>> {
    let mut json = to_value(&second_proposal());
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    let text = json.to_string();
    let proposal = ProposalFile::parse(text.as_bytes()).map_err(|e| vec![e.reason()])?;
    check(&proposal, today()).map_err(|faults| reasons(&faults))
}

fn text_at(pointer: &str) -> String {
    let json = to_value(&second_proposal());
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}")).into()
}

fn replaced(pointer: &str, from: &str, to: &str) -> Value {
    let text = text_at(pointer);
    assert!(text.contains(from), "{pointer} has no {from}: {text}");
    text.replacen(from, to, 1).into()
}

#[test]
fn a_proposal_that_is_as_it_was_drafted_has_no_fault() {
    let first = check(&first_proposal(), today()).expect("it is good");
    assert!(first.list().is_some() && first.base_list().is_none());
    let second = check(&second_proposal(), today()).expect("it is good");
    assert!(second.base_list().is_some());
    assert_eq!(second.keys().len(), 4);
    let [log] = second.signatures() else { panic!("one signature: {:?}", second.signatures()) };
    assert!(log.is_of_log() && log.at.is_none());
    assert_eq!(second.quorum().expect_err("nobody signed").reason(), "QUORUM_NOT_MET");
    let written = second_proposal().to_json().expect("it can be written");
    let read = ProposalFile::parse(written.as_bytes()).expect("it can be read");
    assert_eq!(read.to_json().expect("it can be written"), written);
}

#[test]
fn each_thing_that_is_wrong_is_named() {
    let forged = text_at("/checkpoint").replace("2\n", "3\n");
    let signed = signed_by(&second_proposal(), &signer("nobody.example", Role::Cosigner, 50));
    let wrong_key = signed_by(&second_proposal(), &signer("customs.example", Role::Cosigner, 50));
    let cases = [
        ("/statement", replaced("/statement", "\"number\":2", "\"number\":3"), "REGISTER_MOVED"),
        ("/statement", replaced("/statement", "12 of", "13 of"), "ROOT_DIFFERS"),
        ("/statement", replaced("/statement", ORIGIN, "register.example/other"), "ORIGIN_DIFFERS"),
        ("/statement", replaced("/statement", ":", ": "), "STATEMENT_NOT_CANONICAL"),
        ("/statement", json!("{}"), "STATEMENT_JSON"),
        ("/checkpoint", forged.into(), "REGISTER_MOVED"),
        (
            "/checkpoint",
            replaced("/checkpoint", ORIGIN, "register.example/other"),
            "ORIGIN_DIFFERS",
        ),
        ("/checkpoint", json!("no note"), "CHECKPOINT_FORM"),
        ("/checkpoint", signed.checkpoint.into(), "SIGNATURE_UNKNOWN"),
        ("/checkpoint", wrong_key.checkpoint.into(), "SIGNATURE_UNKNOWN"),
        (
            "/list/entries.csv",
            replaced("/list/entries.csv", "\"20\"", "\"200\""),
            "LIST_ROOT_DIFFERS",
        ),
        (
            "/list/entries.csv",
            replaced("/list/entries.csv", "2941301100", "294130110"),
            "HS_CODE_LOST_ZERO",
        ),
        ("/list/entries.csv", replaced("/list/entries.csv", "active", "absent"), "WORD_UNKNOWN"),
        ("/list/entries.csv", json!(text_at("/list/entries.csv").lines().next()), "LIST_EMPTY"),
        ("/list", Value::Null, "PROPOSAL_JSON"),
        ("/base/policy", json!("quorum none"), "POLICY_INVALID"),
        ("/base/policy", replaced("/base/policy", "agencies 2", "agencies 3"), "BASE_NOT_SIGNED"),
        ("/base/size", json!(3), "BASE_FRONTIER"),
        ("/base/size", json!(2), "BASE_ROOT_DIFFERS"),
        ("/base/size", json!(u64::MAX), "BASE_FRONTIER"),
        ("/base/size", json!(0), "BASE_NOT_EMPTY"),
        ("/base/frontier_sha256", json!([]), "BASE_FRONTIER"),
        ("/base/frontier_sha256/0", json!("00".repeat(32)), "BASE_ROOT_DIFFERS"),
        ("/base/frontier_sha256/0", json!("00"), "PROPOSAL_FIELD"),
        ("/base/checkpoint", json!(""), "CHECKPOINT_FORM"),
        ("/base/checkpoint", json!(first_proposal().checkpoint), "BASE_NOT_SIGNED"),
        ("/base/number", json!(2), "BASE_REVISION_OUTSIDE"),
        ("/base/statement", replaced("/base/statement", "12 of", "13 of"), "BASE_REVISION_OUTSIDE"),
        ("/base/inclusion_sha256", json!(["00".repeat(32)]), "BASE_REVISION_OUTSIDE"),
        (
            "/base/list/entries.csv",
            replaced("/base/list/entries.csv", "木糖", "果糖"),
            "BASE_LIST_DIFFERS",
        ),
        ("/base/list/entries.csv", json!(""), "FILE_EMPTY"),
        ("/base/list", Value::Null, "PROPOSAL_JSON"),
        ("/format", json!("clearlist/proposal/v2"), "PROPOSAL_FORMAT"),
    ];
    for (pointer, value, reason) in cases {
        let said = changed(pointer, value.clone()).err().unwrap_or_default();
        assert!(said.contains(&reason), "{pointer} {value}: {said:?} should say {reason}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let mut proposal = second_proposal();
    proposal.statement = proposal.statement.replace("12 of", "13 of");
    let base = proposal.base.newest.as_mut().expect("there is one");
    base.list = second_list();
    proposal.list = Some(first_list());
    let said = reasons(&check(&proposal, today()).expect_err("all is wrong"));
    for reason in ["BASE_LIST_DIFFERS", "ROOT_DIFFERS", "LIST_ROOT_DIFFERS"] {
        assert!(said.contains(&reason), "{said:?}");
    }
    let office = Machine::new();
    write_proposal(&office, "p.json", &proposal);
    let shown = office.run("proposal show p.json").ends(1);
    assert!(shown.text().starts_with("3 problems: do not sign this"), "{}", shown.text());
    let [(_, customs), ..] = agencies();
    write_key(&office, "customs.key", &customs);
    let before = office.read("p.json");
    for command in [
        "sign p.json --key customs.key",
        "show p.json --message --at now",
        "submit p.json --server http://127.0.0.1:0",
        "attach p.json --key-name customs --at now --signature customs.key",
        "merge p.json p.json -o out.json",
    ] {
        let refused = office.run(&format!("proposal {command}")).ends(1).says("BASE_LIST_DIFFERS");
        assert_eq!(refused.text(), "", "{command}");
    }
    assert_eq!(office.read("p.json"), before);
}

#[test]
fn a_field_too_many_too_few_or_twice_is_refused() {
    let good = second_proposal().to_json().expect("it can be written");
    let json = to_value(&second_proposal());
    let with = |at: &str| {
        let mut json = json.clone();
        let object = json.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
        object.insert("comment".into(), json!("harmless"));
        json.to_string()
    };
    let without = |at: &str, field: &str| {
        let mut json = json.clone();
        let object = json.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
        object.remove(field).expect("it was there");
        json.to_string()
    };
    let cases = [
        with(""),
        with("/list"),
        with("/base"),
        with("/base/list"),
        without("", "format"),
        without("", "base"),
        without("/base", "policy"),
        without("/base", "number"),
        without("/base", "list"),
        without("/list", "schemes.csv"),
        good.replacen('{', "{\"format\":\"clearlist/proposal/v1\",", 1),
        good.clone() + "{}",
        "[]".into(),
        "null".into(),
        String::new(),
    ];
    for text in cases {
        let refused = ProposalFile::parse(text.as_bytes()).err();
        let reason = refused.as_ref().map(Refusal::reason);
        assert!(matches!(reason, Some("PROPOSAL_JSON" | "PROPOSAL_FIELD")), "{text}");
    }
    let refused = ProposalFile::parse(with("/base").as_bytes()).expect_err("a foreign field");
    assert!(matches!(&refused, ProposalError::Json { problem, .. } if problem.contains("comment")));
    let json = without("", "list");
    let listless = ProposalFile::parse(json.as_bytes()).expect("a policy has none");
    let said = reasons(&check(&listless, today()).expect_err("a revision has one"));
    assert_eq!(said, ["LIST_MISSING"]);
}

/// What of a proposal is signed, or says who signed.
fn signed_part(proposal: &ProposalFile) -> (String, String, ListHeads, Vec<String>) {
    let checked = check(proposal, today()).expect("it was checked");
    let heads = ListHeads::of(checked.list().expect("a revision has a list"));
    let text = checked.checkpoint().note().text().to_owned();
    let who = checked.signatures().iter().map(|seen| format!("{seen:?}")).collect();
    (proposal.statement.clone(), text, heads, who)
}

#[test]
fn no_flipped_bit_changes_what_is_signed_unseen() {
    let [(_, customs), ..] = agencies();
    let good = signed_by(&second_proposal(), &customs);
    let signed = signed_part(&good);
    let text = good.to_json().expect("it can be written");
    // Not every byte, and another bit each time: the whole takes minutes without optimization.
    for place in (0..text.len()).step_by(17) {
        let mut bytes = text.clone().into_bytes();
        *bytes.get_mut(place).expect("in the file") ^= 1 << (place % 8);
        let Ok(proposal) = ProposalFile::parse(&bytes) else { continue };
        if check(&proposal, today()).is_ok() {
            assert_eq!(signed_part(&proposal), signed, "byte {place}");
        }
    }
}
