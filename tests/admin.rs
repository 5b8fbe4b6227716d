//! Attacks on the register over a real socket: each is refused with its own reason, and the
//! register is as it was. And what is not an attack is accepted.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use clearlist::formats::list_csv::ListFiles;
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::admin_service_client::AdminServiceClient;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::history::Register;
use clearlist::register::merkle::leaf_hash;
use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::record::TreeHead;
use clearlist::register::statement::{RevisionStatement, Statement};
use clearlist::register::step::next_head;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

mod support;
use support::ceremony::{
    Keys, ORIGIN, Place, Served, checkpoint, in_seconds, now, policy_change, propose, revision,
    sign, signer, suspension,
};
use support::{files, row};

type Admin = AdminServiceClient<Channel>;

fn list_files(nth: usize) -> ListFiles {
    files(&[row("A", "四环素"), row("B", &format!("四环素衍生物{nth}号"))])
}

async fn admin(served: &Served) -> Admin {
    let client = AdminServiceClient::connect(served.url()).await.expect("the server listens");
    client.max_encoding_message_size(1 << 30)
}

async fn submit(
    served: &Served,
    proposal: v1::Proposal,
) -> Result<v1::SubmitProposalResponse, Status> {
    let request = v1::SubmitProposalRequest { proposal: Some(proposal) };
    admin(served).await.submit_proposal(request).await.map(tonic::Response::into_inner)
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    assert!(details.localized_message().is_some_and(|m| m.locale == "zh-CN"), "{status:?}");
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

fn fact(status: &Status, name: &str) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has its reason");
    info.metadata.get(name).cloned().unwrap_or_default()
}

/// A register with one revision, and what an attacker needs to know of it.
struct Case {
    place: Place,
    served: Served,
    register: Register,
}

impl Case {
    async fn new() -> Self {
        let place = Place::with(&list_files(1));
        let served = place.serve().await;
        let register = served.register();
        Self { place, served, register }
    }

    fn next(&self) -> RevisionStatement {
        revision(&self.register, &list_files(2))
    }

    /// A proposal of the next list, with another statement or other signers.
    fn with(
        &self,
        change: impl FnOnce(&mut RevisionStatement),
        signers: &[&NoteSigner],
    ) -> v1::Proposal {
        let mut next = self.next();
        change(&mut next);
        propose(&self.register, &Statement::Revision(next), Some(&list_files(2)), signers)
    }

    fn good(&self) -> v1::Proposal {
        self.with(|_| (), &self.place.keys.quorum())
    }

    /// Submits what must be refused; the register must be as it was, and still take what is good.
    async fn refused(&self, proposal: v1::Proposal, code: Code, why: &str) -> Status {
        let before = self.served.register().head();
        let status = submit(&self.served, proposal.clone()).await.expect_err(why);
        assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
        assert_eq!(self.served.register().head(), before, "the register is as it was");
        let request = v1::ValidateProposalRequest { proposal: Some(proposal) };
        let seen = admin(&self.served).await.validate_proposal(request).await;
        let seen = seen.expect("a preview refuses nothing").into_inner();
        // A list is told problem by problem there.
        let told = seen.violations.iter().any(|v| v.reason == why || why == "LIST_INVALID");
        assert!(told && !seen.violations.is_empty(), "{why}: {:?}", seen.violations);
        status
    }

    async fn still_takes_what_is_good(&self) {
        let standing = submit(&self.served, self.good()).await.expect("a good proposal");
        assert_eq!((standing.number, standing.already_accepted), (2, false));
    }
}

#[tokio::test]
async fn a_quorum_s_proposal_is_accepted_once_and_answered_again_the_same() {
    let case = Case::new().await;
    let proposal = case.good();
    let first = submit(&case.served, proposal.clone()).await.expect("accepted");
    let again = submit(&case.served, proposal).await.expect("accepted before");
    assert_eq!((first.number, first.already_accepted), (2, false));
    assert_eq!(again, v1::SubmitProposalResponse { already_accepted: true, ..first });
    assert_eq!(case.served.register().size(), 2);
}

#[tokio::test]
async fn too_few_signatures_are_refused_and_it_is_said_who_is_missing() {
    let case = Case::new().await;
    let keys = &case.place.keys;
    let one = [&keys.log, keys.agencies.first().expect("three agencies")];
    let status =
        case.refused(case.with(|_| (), &one), Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "lacking"), "agencies: 1 of 2, without a2,a3");
    let none = case.with(|_| (), &[&keys.log]);
    case.refused(none, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    let without_log: Vec<&NoteSigner> = keys.agencies.iter().collect();
    let unlogged = case.with(|_| (), &without_log);
    case.refused(unlogged, Code::PermissionDenied, "LOG_SIGNATURE_MISSING").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn one_agency_that_signs_twice_counts_once() {
    let case = Case::new().await;
    let keys = &case.place.keys;
    let agency = keys.agencies.first().expect("three agencies");
    let statement = Statement::Revision(case.next()).to_bytes();
    let head = next_head(&case.register, leaf_hash(&statement));
    let mut note = Checkpoint::unsigned(ORIGIN, head).expect("an origin");
    for (signer, at) in [(&keys.log, now()), (agency, now()), (agency, in_seconds(-5))] {
        let line = signer.sign(note.note().text(), at);
        note.note_mut().add(line);
    }
    assert_eq!(note.note().signatures().len(), 3);
    let twice = v1::Proposal { checkpoint: sign(note, &[]).into(), ..case.good() };
    let status = case.refused(twice, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "repeated"), agency.verifier().name());
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn one_key_under_two_names_counts_once_and_enters_no_policy() {
    let case = Case::new().await;
    let keys = &case.place.keys;
    let agency = keys.agencies.first().expect("three agencies");
    let alias = NoteSigner::new("alias.example/1", Role::Cosigner, agency.key().clone());
    let alias = alias.expect("a good name");
    let both = case.with(|_| (), &[&keys.log, agency, &alias]);
    let status = case.refused(both, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "unknown"), "alias.example/1");
    let aliased =
        keys.policy().replace("group", &format!("witness a4 {}\ngroup", alias.verifier()));
    let change = policy_change(&case.register, &aliased);
    let proposal = propose(&case.register, &change, None, &keys.quorum());
    case.refused(proposal, Code::InvalidArgument, "KEY_REPEATED").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn an_unknown_signer_adds_nothing() {
    let case = Case::new().await;
    let keys = &case.place.keys;
    let stranger = signer("stranger.example/x", Role::Cosigner, 99);
    let agency = keys.agencies.first().expect("three agencies");
    let proposal = case.with(|_| (), &[&keys.log, agency, &stranger]);
    let status = case.refused(proposal, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "unknown"), "stranger.example/x");
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_known_signer_s_bad_signature_spoils_the_whole_note() {
    let case = Case::new().await;
    let keys = &case.place.keys;
    let good: Vec<&NoteSigner> = keys.quorum();
    let third = keys.agencies.get(2).expect("three agencies");
    // The third signs something else, and its line is put under this checkpoint.
    let elsewhere = case.with(|next| next.document = "another".into(), &[third]);
    let line = String::from_utf8_lossy(&elsewhere.checkpoint).lines().last().map(str::to_owned);
    let line = line.expect("a signature line");
    let proposal = case.with(|_| (), &good);
    let spoiled = [&proposal.checkpoint[..], line.as_bytes(), b"\n"].concat();
    let spoiled = v1::Proposal { checkpoint: spoiled.into(), ..proposal };
    case.refused(spoiled, Code::InvalidArgument, "SIGNATURE_INVALID").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_signature_forged_under_a_small_order_key_has_no_key_to_be_under() {
    use base64::Engine;
    use sha2::Digest;
    let case = Case::new().await;
    let keys = &case.place.keys;
    // The identity point: anybody can sign for it where verification is not strict.
    let mut key = [0_u8; 32];
    key[0] = 1;
    let name = "weak.example/key";
    let id = sha2::Sha256::digest([name.as_bytes(), b"\n\x04", &key].concat());
    let id: Vec<u8> = id.iter().take(4).copied().collect();
    let id = clearlist::register::statement::to_hex(&id);
    let encoded = base64::engine::general_purpose::STANDARD.encode([&[4][..], &key].concat());
    let weak = format!("{name}+{id}+{encoded}");
    let policy = keys.policy().replace("group", &format!("witness weak {weak}\ngroup"));
    let change = policy_change(&case.register, &policy);
    let proposal = propose(&case.register, &change, None, &keys.quorum());
    case.refused(proposal, Code::InvalidArgument, "KEY_WEAK").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn signatures_over_other_bytes_are_worth_nothing() {
    let case = Case::new().await;
    let other =
        case.with(|next| next.document = "what was signed".into(), &case.place.keys.quorum());
    let swapped = v1::Proposal { statement: case.good().statement, ..other };
    case.refused(swapped, Code::InvalidArgument, "ROOT_DIFFERS").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn every_flipped_bit_is_refused() {
    let case = Case::new().await;
    let good = case.good();
    let list = good.list.clone().expect("a list");
    let flip = |bytes: &[u8], at: usize| -> prost::bytes::Bytes {
        let mut bytes = bytes.to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        bytes.into()
    };
    let mut spoiled = Vec::new();
    for at in (0..good.statement.len()).step_by(3) {
        spoiled.push(v1::Proposal { statement: flip(&good.statement, at), ..good.clone() });
    }
    for at in (0..good.checkpoint.len()).step_by(3) {
        spoiled.push(v1::Proposal { checkpoint: flip(&good.checkpoint, at), ..good.clone() });
    }
    let mut client = admin(&case.served).await;
    for (nth, proposal) in spoiled.into_iter().enumerate() {
        let request = v1::SubmitProposalRequest { proposal: Some(proposal) };
        client.submit_proposal(request).await.expect_err(&format!("flip {nth}"));
    }
    // A file can change without its rows changing: white space around a cell. What is accepted
    // then is the list that was signed, to the byte of its records.
    let preview = |proposal| v1::ValidateProposalRequest { proposal: Some(proposal) };
    let seen = client.validate_proposal(preview(good.clone())).await.expect("a preview");
    let signed = seen.into_inner().changes;
    let mut refused = 0;
    for at in (0..list.entries_csv.len()).step_by(3) {
        let files = v1::ListFiles { entries_csv: flip(&list.entries_csv, at), ..list.clone() };
        let flipped = v1::Proposal { list: Some(files), ..good.clone() };
        let seen = client.validate_proposal(preview(flipped)).await.expect("a preview");
        let seen = seen.into_inner();
        if seen.violations.is_empty() {
            assert_eq!(seen.changes, signed, "byte {at} of entries.csv");
        } else {
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused} were refused");
    assert_eq!(case.served.register().head(), case.register.head());
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn another_place_in_the_register_is_no_next_place() {
    let case = Case::new().await;
    case.still_takes_what_is_good().await;
    let quorum = case.place.keys.quorum();
    let now = case.served.register();
    // Drafted before the last statement: its size is one that the register has, with another root.
    let older = case.with(|next| next.document = "late".into(), &quorum);
    let status = case.refused(older, Code::Aborted, "REGISTER_MOVED").await;
    assert_eq!((fact(&status, "size"), fact(&status, "given")), ("2".into(), "2".into()));
    let mut ahead = revision(&now, &list_files(3));
    ahead.number += 1;
    let skipped = propose(&now, &Statement::Revision(ahead), Some(&list_files(3)), &quorum);
    let status = case.refused(skipped, Code::Aborted, "REGISTER_MOVED").await;
    assert_eq!(fact(&status, "given"), "4");
    // The right number, in a checkpoint of another size.
    let next = Statement::Revision(revision(&now, &list_files(3)));
    let root = next_head(&now, leaf_hash(&next.to_bytes())).root;
    let wrong_size = Checkpoint::unsigned(ORIGIN, TreeHead { size: 5, root }).expect("an origin");
    let proposal = v1::Proposal {
        checkpoint: sign(wrong_size, &quorum).into(),
        ..propose(&now, &next, Some(&list_files(3)), &quorum)
    };
    case.refused(proposal, Code::Aborted, "REGISTER_MOVED").await;
    let fork = Checkpoint::unsigned(ORIGIN, TreeHead { size: 3, root: [7; 32] });
    let proposal = v1::Proposal {
        checkpoint: sign(fork.expect("an origin"), &quorum).into(),
        ..propose(&now, &next, Some(&list_files(3)), &quorum)
    };
    case.refused(proposal, Code::InvalidArgument, "ROOT_DIFFERS").await;
}

#[tokio::test]
async fn times_that_make_no_sense_are_refused() {
    let case = Case::new().await;
    let quorum = case.place.keys.quorum();
    let expired = case.with(|next| next.expires = in_seconds(-1), &quorum);
    case.refused(expired, Code::FailedPrecondition, "PROPOSAL_EXPIRED").await;
    let turned = case.with(|next| next.effective = in_seconds(90_000), &quorum);
    case.refused(turned, Code::InvalidArgument, "EXPIRES_BEFORE_EFFECTIVE").await;
    let statement = Statement::Revision(case.next()).to_bytes();
    let head = next_head(&case.register, leaf_hash(&statement));
    let mut note = Checkpoint::unsigned(ORIGIN, head).expect("an origin");
    for signer in &quorum {
        let line = signer.sign(note.note().text(), in_seconds(3_600));
        note.note_mut().add(line);
    }
    let early = v1::Proposal { checkpoint: sign(note, &[]).into(), ..case.good() };
    case.refused(early, Code::FailedPrecondition, "COSIGNATURE_IN_FUTURE").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_policy_changes_only_with_the_old_and_the_new_quorum() {
    let case = Case::new().await;
    let (old, new) = (&case.place.keys, Keys::new(2));
    let change = policy_change(&case.register, &new.policy());
    let by_old = propose(&case.register, &change, None, &old.quorum());
    let status = case.refused(by_old, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "policy"), "proposed");
    let by_new = propose(&case.register, &change, None, &new.quorum());
    let status = case.refused(by_new, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    assert_eq!(fact(&status, "policy"), "current");
    let both: Vec<&NoteSigner> =
        old.quorum().into_iter().chain(new.agencies.iter().take(2)).collect();
    let by_both = propose(&case.register, &change, None, &both);
    submit(&case.served, by_both).await.expect("both agree");
    // From now on the old agencies sign nothing, and the new ones do.
    let now = case.served.register();
    let next = Statement::Revision(revision(&now, &list_files(3)));
    let by_old = propose(&now, &next, Some(&list_files(3)), &old.quorum());
    case.refused(by_old, Code::PermissionDenied, "QUORUM_NOT_MET").await;
    let by_new = propose(&now, &next, Some(&list_files(3)), &new.quorum());
    assert_eq!(submit(&case.served, by_new).await.expect("the new ones").number, 3);
}

#[tokio::test]
async fn a_statement_of_one_type_does_not_pass_as_another() {
    let case = Case::new().await;
    let quorum = case.place.keys.quorum();
    let good = String::from_utf8(Statement::Revision(case.next()).to_bytes()).expect("JSON");
    let cases = [
        ("clearlist/policy/v1", "STATEMENT_FIELD"),
        ("clearlist/suspension/v1", "STATEMENT_FIELD"),
        ("clearlist/decree/v1", "STATEMENT_TYPE"),
    ];
    for (other, why) in cases {
        let renamed = good.replace("clearlist/revision/v1", other).into_bytes();
        let checkpoint = checkpoint(&case.register, &renamed, &quorum);
        let proposal = v1::Proposal {
            statement: renamed.into(),
            checkpoint: checkpoint.into(),
            ..case.good()
        };
        case.refused(proposal, Code::InvalidArgument, why).await;
    }
    let suspension = suspension(&case.register, &["A"]);
    let with_list = propose(&case.register, &suspension, Some(&list_files(2)), &quorum);
    case.refused(with_list, Code::InvalidArgument, "LIST_NOT_EXPECTED").await;
    let without = v1::Proposal { list: None, ..case.good() };
    case.refused(without, Code::InvalidArgument, "LIST_MISSING").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_list_that_is_not_the_signed_one_or_is_no_list_is_refused() {
    let case = Case::new().await;
    let quorum = case.place.keys.quorum();
    let other =
        propose(&case.register, &Statement::Revision(case.next()), Some(&list_files(3)), &quorum);
    case.refused(other, Code::InvalidArgument, "LIST_ROOT_DIFFERS").await;
    let resized = case.with(|next| next.list.size += 1, &quorum);
    case.refused(resized, Code::InvalidArgument, "LIST_ROOT_DIFFERS").await;
    let broken = files(&[row("A", "四环素").with("hs_code", "29413"), row("A", "")]);
    let statement = Statement::Revision(case.next());
    let broken = propose(&case.register, &statement, Some(&broken), &quorum);
    let status = case.refused(broken, Code::InvalidArgument, "LIST_INVALID").await;
    let named = status.get_error_details();
    let named = named.bad_request().expect("the problems are named").field_violations.clone();
    let places: Vec<&str> = named.iter().map(|v| v.field.as_str()).collect();
    assert!(places.contains(&"entries.csv:2:10 (hs_code)"), "{places:?}");
    assert!(places.contains(&"entries.csv:3:6 (name_zh)"), "{places:?}");
    let nothing = revision(&case.register, &files(&[]));
    let nothing = Statement::Revision(nothing);
    let empty = propose(&case.register, &nothing, Some(&files(&[])), &quorum);
    case.refused(empty, Code::InvalidArgument, "LIST_EMPTY").await;
    let later = case.with(|next| next.normal_form_version = 2, &quorum);
    case.refused(later, Code::InvalidArgument, "NORMAL_FORM_VERSION").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_proposal_for_another_register_is_refused() {
    let case = Case::new().await;
    let elsewhere =
        case.with(|next| next.origin = "other.example/list".into(), &case.place.keys.quorum());
    case.refused(elsewhere, Code::InvalidArgument, "ORIGIN_DIFFERS").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_suspension_names_what_is_on_the_list() {
    let case = Case::new().await;
    let quorum = case.place.keys.quorum();
    let unknown = propose(&case.register, &suspension(&case.register, &["Z"]), None, &quorum);
    case.refused(unknown, Code::InvalidArgument, "SUSPENSION_UNKNOWN").await;
    let nothing = propose(&case.register, &suspension(&case.register, &[]), None, &quorum);
    case.refused(nothing, Code::InvalidArgument, "SUSPENSION_EMPTY").await;
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn half_a_gigabyte_is_refused_before_it_is_read() {
    let case = Case::new().await;
    let good = case.good();
    let list = v1::ListFiles {
        entries_csv: vec![b'x'; 500 * 1024 * 1024].into(),
        ..good.list.clone().expect("a list")
    };
    let huge = v1::Proposal { list: Some(list), ..good };
    let status = submit(&case.served, huge).await.expect_err("too large");
    let codes = [Code::OutOfRange, Code::ResourceExhausted];
    assert!(codes.contains(&status.code()), "{status:?}");
    assert_eq!(case.served.register().size(), 1);
    case.still_takes_what_is_good().await;
}

#[tokio::test]
async fn a_preview_says_what_would_change_and_writes_nothing() {
    let case = Case::new().await;
    let request = v1::ValidateProposalRequest { proposal: Some(case.good()) };
    let seen = admin(&case.served).await.validate_proposal(request).await.expect("a preview");
    let seen = seen.into_inner();
    assert_eq!((seen.violations.len(), seen.number, seen.already_accepted), (0, 2, false));
    let count = seen.count.expect("a count");
    assert_eq!((count.added, count.removed, count.changed), (0, 0, 1));
    let change = seen.changes.first().expect("a change");
    assert_eq!((change.key.as_str(), change.kind()), ("B", v1::RowKind::Entry));
    let field = change.fields.first().expect("a field");
    assert_eq!(
        (field.column.as_str(), field.before.as_str(), field.after.as_str()),
        ("name_zh", "四环素衍生物1号", "四环素衍生物2号")
    );
    assert_eq!(case.served.register().size(), 1);
    case.still_takes_what_is_good().await;
}
