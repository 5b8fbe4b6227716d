//! Keys in memory, a register of three agencies of which two decide, and proposals to it.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clearlist::domain::list::List;
use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::domain::message::Refusal;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::history::Register;
use clearlist::register::merkle::leaf_hash;
use clearlist::register::note::{NoteSigner, Role, VerifierKey};
use clearlist::register::policy::Policy;
use clearlist::register::record::{ListHeads, TreeHead};
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};
use clearlist::register::step::{
    Examined, Proposal, ProposedList, Refused, examine, next_head, step,
};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::support::{list, row};

/// Name of the register.
pub(crate) const ORIGIN: &str = "register.example/white-list";

/// A key that is the same in every run.
pub(crate) fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident: $name:expr, $role:ident, $seed:literal;)*) => {
        $($(#[$doc])* pub(crate) static $key: LazyLock<NoteSigner> =
            LazyLock::new(|| signer($name, Role::$role, $seed));)*
    };
}

keys! {
    /// The log key.
    LOG: ORIGIN, Note, 1;
    /// The log key that comes after it.
    NEXT_LOG: ORIGIN, Note, 2;
    /// An agency.
    DRUGS: "drugs.example/office", Cosigner, 3;
    /// An agency.
    CUSTOMS: "customs.example/office", Cosigner, 4;
    /// An agency.
    COMMERCE: "commerce.example/office", Cosigner, 5;
    /// An agency that is not in the first policy.
    HEALTH: "health.example/office", Cosigner, 6;
    /// Another.
    SCIENCE: "science.example/office", Cosigner, 7;
    /// Nobody knows it.
    STRANGER: "stranger.example/office", Cosigner, 8;
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The instant of every ceremony.
pub(crate) fn now() -> Timestamp {
    instant("2026-11-22T03:00:00Z")
}

pub(crate) fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).expect("an instant")
}

/// A verifier key with any bytes in it, with the id that belongs to them.
pub(crate) fn vkey(name: &str, type_byte: u8, key: &[u8]) -> String {
    let bytes = [&[type_byte], key].concat();
    let id = Sha256::digest([name.as_bytes(), b"\n", &bytes].concat());
    format!("{name}+{}+{}", hex(&id[..4]), BASE64.encode(bytes))
}

/// A signature line with any bytes in it, said to be of this key.
pub(crate) fn line(key: &VerifierKey, signature: &[u8]) -> String {
    let text = key.to_string();
    let id = text.split('+').nth(1).expect("a vkey has an id");
    let id = u32::from_str_radix(id, 16).expect("an id is hexadecimal");
    let bytes = [&id.to_be_bytes(), signature].concat();
    format!("\u{2014} {} {}\n", key.name(), BASE64.encode(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: char| c.to_digit(16).expect("hexadecimal digits").to_le_bytes()[0];
    let digits: Vec<u8> = text.chars().map(digit).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Name of an agency in policies: the first part of its key's name.
pub(crate) fn short(agency: &NoteSigner) -> &str {
    agency.verifier().name().split('.').next().expect("a name has a first part")
}

/// A policy of one group: so many of these.
pub(crate) fn policy_of(log: &NoteSigner, needed: &str, agencies: &[&NoteSigner]) -> String {
    let witness =
        |agency: &&NoteSigner| format!("witness {} {}\n", short(agency), agency.verifier());
    let witnesses: Vec<String> = agencies.iter().map(witness).collect();
    let names: Vec<&str> = agencies.iter().map(|agency| short(agency)).collect();
    format!(
        "log {}\n{}group agencies {needed} {}\nquorum agencies\n",
        log.verifier(),
        witnesses.concat(),
        names.join(" ")
    )
}

/// Two of drugs, customs and commerce.
pub(crate) fn first_policy() -> String {
    policy_of(&LOG, "2", &[&DRUGS, &CUSTOMS, &COMMERCE])
}

/// A register without statements.
pub(crate) fn empty_register() -> Register {
    Register::new(Policy::parse(&first_policy()).expect("a good policy"))
}

/// A list of two entries, `E1` and `E2`.
pub(crate) static LIST: LazyLock<List> =
    LazyLock::new(|| list(&[row("E1", "四环素"), row("E2", "肝素钠")]));

/// What a revision says of [`LIST`].
pub(crate) static HEADS: LazyLock<ListHeads> = LazyLock::new(|| ListHeads::of(&LIST));

/// A revision with [`LIST`], in force from next week for a year.
pub(crate) fn revision(number: u64) -> RevisionStatement {
    RevisionStatement {
        origin: ORIGIN.into(),
        number,
        list: HEADS.list,
        names: HEADS.names,
        normal_form_version: NORMAL_FORM_VERSION,
        effective: instant("2026-12-01T00:00:00Z"),
        expires: instant("2027-12-01T00:00:00Z"),
        document: format!("京药监发〔2026〕{number}号"),
    }
}

/// A suspension at once.
pub(crate) fn suspension(number: u64, entries: &[&str], enterprises: &[&str]) -> Statement {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Statement::Suspension(SuspensionStatement {
        origin: ORIGIN.into(),
        number,
        entries: owned(entries),
        enterprises: owned(enterprises),
        effective: now(),
        document: String::new(),
    })
}

/// A change to this policy.
pub(crate) fn policy_change(number: u64, policy: String) -> Statement {
    let (origin, document) = (ORIGIN.into(), String::new());
    Statement::Policy(PolicyStatement { origin, number, policy, document })
}

/// A statement and the checkpoint that is signed for it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) statement: Vec<u8>,
    pub(crate) checkpoint: Checkpoint,
}

impl Draft {
    /// As the next statement of a register.
    pub(crate) fn of(register: &Register, statement: &Statement) -> Self {
        let bytes = statement.to_bytes();
        let head = next_head(register, leaf_hash(&bytes));
        Self::with(bytes, ORIGIN, head)
    }

    /// With any checkpoint.
    pub(crate) fn with(statement: Vec<u8>, origin: &str, head: TreeHead) -> Self {
        let checkpoint = Checkpoint::unsigned(origin, head).expect("a good origin");
        Self { statement, checkpoint }
    }

    /// Signed by these, now.
    pub(crate) fn signed(self, signers: &[&NoteSigner]) -> Self {
        self.signed_at(signers, now())
    }

    /// Signed by these, then.
    pub(crate) fn signed_at(mut self, signers: &[&NoteSigner], at: Timestamp) -> Self {
        let text = self.checkpoint.note().text().to_owned();
        for signer in signers {
            self.checkpoint.note_mut().add(signer.sign(&text, at));
        }
        self
    }

    /// The checkpoint as it is sent.
    pub(crate) fn note(&self) -> String {
        self.checkpoint.note().to_string()
    }
}

/// What became of a proposal that was not refused.
#[derive(Debug)]
pub(crate) enum Outcome {
    Accepted(Register),
    Standing(u64),
}

/// Proposes bytes.
pub(crate) fn propose_bytes(
    register: &Register,
    statement: &[u8],
    checkpoint: &[u8],
    list: ProposedList<'_>,
) -> Result<Outcome, Vec<Refused>> {
    match examine(register, &Proposal { statement, checkpoint }, now())? {
        Examined::Standing(number) => Ok(Outcome::Standing(number)),
        Examined::Next(candidate) => {
            assert_eq!(candidate.statement().to_bytes(), statement);
            step(register, *candidate, list, now()).map(Outcome::Accepted)
        }
    }
}

/// The register with a draft that must be good.
pub(crate) fn accepted(register: &Register, draft: &Draft, list: ProposedList<'_>) -> Register {
    match propose_bytes(register, &draft.statement, draft.note().as_bytes(), list) {
        Ok(Outcome::Accepted(next)) => next,
        other => panic!("not accepted: {other:?}"),
    }
}

/// Why a draft is refused, the register staying as it was.
pub(crate) fn refused(register: &Register, draft: &Draft, list: ProposedList<'_>) -> Vec<Refused> {
    refused_bytes(register, &draft.statement, draft.note().as_bytes(), list)
}

/// Why bytes are refused, the register staying as it was.
pub(crate) fn refused_bytes(
    register: &Register,
    statement: &[u8],
    checkpoint: &[u8],
    list: ProposedList<'_>,
) -> Vec<Refused> {
    let before = format!("{register:?}");
    match propose_bytes(register, statement, checkpoint, list) {
        Err(refused) => {
            assert_eq!(format!("{register:?}"), before, "the register has changed");
            assert!(!refused.is_empty(), "refused without a reason");
            refused.iter().for_each(well_said);
            refused
        }
        Ok(outcome) => panic!("not refused: {outcome:?}"),
    }
}

/// The reasons, in their order.
pub(crate) fn reasons(refused: &[Refused]) -> Vec<&'static str> {
    refused.iter().map(Refusal::reason).collect()
}

/// A refusal has a stable reason, and a sentence for each reader that is not somebody's megabyte.
pub(crate) fn well_said(refusal: &impl Refusal) {
    let (reason, english, chinese) = (refusal.reason(), refusal.english(), refusal.chinese());
    assert!(reason.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
    for (text, stop) in [(&english, '.'), (&chinese, '。')] {
        assert!(!text.is_empty() && !text.ends_with(stop) && text.len() < 4_000, "{text:?}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    assert!(chinese.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c)), "{chinese:?}");
}

/// `bytes` with one bit turned.
pub(crate) fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[bit / 8] ^= 1 << (bit % 8);
    out
}
