//! What a statement says, held against the clock, the newest list and both policies; and shown so
//! that it steers no terminal.

use clearlist::formats::proposal::{ProposalFile, check};
use clearlist::register::note::{Note, Role};
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};
use jiff::Timestamp;
use serde_json::json;

use super::machine::Machine;
use super::proposals::{
    EFFECTIVE, EXPIRES, ORIGIN, agencies, at, base_after, drafted, empty_base, first_accepted,
    first_list, policy, policy_of, reasons, revision, second_list, signed_by, signer, today,
    write_key, write_proposal,
};
use super::support::{OTHER, OWNER, files, row};

#[test]
fn times_are_held_against_the_clock() {
    let list = first_list();
    let proposal = |effective: &str, expires: &str| {
        let revision = RevisionStatement {
            effective: at(effective),
            expires: at(expires),
            ..revision(1, &list)
        };
        drafted(empty_base(), &Statement::Revision(revision), Some(list.clone()))
    };
    let said = |proposal: &ProposalFile| match check(proposal, today()) {
        Ok(_) => Vec::new(),
        Err(faults) => reasons(&faults),
    };
    assert_eq!(said(&proposal(EFFECTIVE, EXPIRES)), [""; 0]);
    assert_eq!(
        said(&proposal(EXPIRES, EFFECTIVE)),
        ["EXPIRES_BEFORE_EFFECTIVE", "PROPOSAL_EXPIRED"]
    );
    assert_eq!(said(&proposal("2020-01-01T00:00:00Z", EFFECTIVE)), ["PROPOSAL_EXPIRED"]);
    let [(_, customs), ..] = agencies();
    let good = proposal(EFFECTIVE, EXPIRES);
    let note = Note::parse(good.checkpoint.as_bytes()).expect("a note");
    let signed =
        |at: Timestamp| good.clone().with_signature(customs.sign(note.text(), at)).expect("a note");
    assert_eq!(said(&signed(today())), [""; 0]);
    let ahead = Timestamp::from_second(today().as_second() + 301).expect("an instant");
    assert_eq!(said(&signed(ahead)), ["COSIGNATURE_IN_FUTURE"]);
}

#[test]
fn a_suspension_names_what_is_on_the_newest_list() {
    let base = base_after(&[&first_accepted()], &policy());
    let suspension = |entries: &[&str], enterprises: &[&str]| {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let statement = Statement::Suspension(SuspensionStatement {
            origin: ORIGIN.into(),
            number: 2,
            entries: owned(entries),
            enterprises: owned(enterprises),
            effective: at(EFFECTIVE),
            document: String::new(),
        });
        drafted(base.clone(), &statement, None)
    };
    let said = |p: &ProposalFile| check(p, today()).map_err(|f| reasons(&f)).err();
    assert_eq!(said(&suspension(&["A"], &[OTHER])), None);
    assert_eq!(said(&suspension(&["Z"], &[])), Some(vec!["SUSPENSION_UNKNOWN"]));
    assert_eq!(said(&suspension(&[], &[])), Some(vec!["SUSPENSION_EMPTY"]));
    let office = Machine::new();
    write_proposal(&office, "p.json", &suspension(&["A"], &[OWNER]));
    office.run("proposal show p.json").ends(0).says("A 四环素").says("示例甲");
}

#[test]
fn a_new_policy_is_signed_by_those_who_leave_and_those_who_come() {
    let old = agencies();
    let new_log = signer(ORIGIN, Role::Note, 21);
    let new = [
        ("bureau", signer("bureau.example", Role::Cosigner, 22)),
        ("drug", signer("drug.example", Role::Cosigner, 3)),
    ];
    let new_policy = policy_of(&new_log, &new);
    let statement = |policy: &str| {
        Statement::Policy(PolicyStatement {
            origin: ORIGIN.into(),
            number: 2,
            policy: policy.to_owned(),
            document: String::new(),
        })
    };
    let first = first_accepted();
    let base = base_after(&[&first], &policy());
    let office = Machine::new();
    let proposal = drafted(base.clone(), &statement(&new_policy), None);
    write_proposal(&office, "p.json", &proposal);
    let shown = office.run("proposal show p.json").ends(0);
    for what in ["- witness customs", "+ witness bureau", "proposed policy:"] {
        assert!(shown.text().contains(what), "{what}: {}", shown.text());
    }
    let [(_, customs), (_, drug), _] = &old;
    let [(_, bureau), _] = &new;
    let keys = [("customs", customs), ("drug", drug), ("bureau", bureau), ("log", &new_log)];
    for (name, key) in keys {
        write_key(&office, &format!("{name}.key"), key);
        office.run(&format!("proposal sign p.json --key {name}.key")).ends(0);
    }
    let report = office.run("proposal show p.json --output json").ends(0).json();
    assert_eq!(report.pointer("/quorum/met"), Some(&json!(true)), "{report}");
    assert_eq!(report.pointer("/proposedQuorum/met"), Some(&json!(true)), "{report}");
    // What comes after it stands on a checkpoint that the new policy alone must satisfy.
    let accepted = ProposalFile::parse(&office.read("p.json")).expect("it is read");
    let list = second_list();
    let revision = Statement::Revision(revision(3, &list));
    let next = base_after(&[&first, &accepted], &new_policy);
    let next = ProposalFile::draft(next, &revision, Some(list.clone()), &new_log, today());
    let next = check(&next.expect("it can be drafted"), at("2027-11-22T00:00:00Z"));
    assert!(next.is_ok(), "{:?}", next.err());
    let half = signed_by(&signed_by(&proposal, customs), drug);
    let unfinished = base_after(&[&first, &half], &new_policy);
    let unfinished = ProposalFile::draft(unfinished, &revision, Some(list), &new_log, today());
    let said = check(&unfinished.expect("it can be drafted"), at("2027-11-22T00:00:00Z"));
    assert_eq!(reasons(&said.expect_err("the new ones did not sign")), ["BASE_NOT_SIGNED"]);
    let other = new_policy.replace(
        &new_log.verifier().to_string(),
        &signer("elsewhere.example", Role::Note, 30).verifier().to_string(),
    );
    let said =
        check(&drafted(base, &statement(&other), None), today()).expect_err("another register");
    assert_eq!(reasons(&said), ["ORIGIN_DIFFERS"]);
}

#[test]
fn nothing_in_a_proposal_steers_the_terminal_of_who_reads_it() {
    let office = Machine::new();
    let list = files(&[row("A", "四环素").with("purpose", "re\u{202E}search \u{1b}[2J")]);
    let mut statement = revision(1, &list);
    statement.document = "\u{1b}[2J\u{1b}[1;1Hno problems\r\u{202E}".into();
    let good = drafted(empty_base(), &Statement::Revision(statement), Some(list));
    write_proposal(&office, "p.json", &good);
    let shown = office.run("proposal show p.json");
    let steering = ['\u{1b}', '\r', '\u{202E}'];
    assert!(!shown.text().contains(steering), "{:?}", shown.text());
    shown.says("\\u{1b}[2J");
}
