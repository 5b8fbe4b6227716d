//! How a list changes: keys are made, a proposal is drafted, shown, signed on several machines
//! and accepted. And every way in which that must not happen.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::domain::message::Refusal;
use clearlist::formats::key_file::{self, KeyFile, KeyFileError, Seal};
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::formats::proposal::{
    Base, BaseRevision, Checked, Fault, ProposalError, ProposalFile, check,
};
use clearlist::register::merkle::{MerkleTree, leaf_hash};
use clearlist::register::note::{Note, NoteSigner, Role};
use clearlist::register::record::ListHeads;
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "support/small_register.rs"]
mod small_register;
mod support;

use small_register::SmallRegister;
use support::{OTHER, OWNER, files, row};

/// How a command ended and what it printed.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Ran {
    fn text(&self) -> &str {
        str::from_utf8(&self.out).expect("the output is UTF-8")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The same, if the command ended with this code.
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", String::from_utf8_lossy(&self.out), self.err);
        self
    }

    /// The same, if it also said this.
    #[track_caller]
    fn says(self, what: &str) -> Self {
        let said = format!("{}{}", String::from_utf8_lossy(&self.out), self.err);
        assert!(said.contains(what), "should say {what:?}:\n{said}");
        self
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    Ran {
        code: output.status.code(),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A folder of its own, where one office works.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("the file can be written");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file can be read")
    }

    fn write_list(&self, folder: &str, list: &ListFiles) {
        fs::create_dir(self.path(folder)).expect("the folder can be made");
        self.write(&format!("{folder}/schemes.csv"), &list.schemes);
        self.write(&format!("{folder}/enterprises.csv"), &list.enterprises);
        self.write(&format!("{folder}/entries.csv"), &list.entries);
    }

    /// The program, in English, in this folder.
    fn clearlist<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearlist"));
        for locale in ["LC_ALL", "LC_MESSAGES", "RUST_LOG"] {
            command.env_remove(locale);
        }
        ran(command.env("LANG", "C").current_dir(self.0.path()).args(args))
    }

    /// One line of a command, cut at spaces.
    fn run(&self, line: &str) -> Ran {
        self.clearlist(&line.split_whitespace().collect::<Vec<_>>())
    }

    fn openssl(&self, line: &str) -> Vec<u8> {
        let mut command = Command::new("openssl");
        let ran = ran(command.current_dir(self.0.path()).args(line.split_whitespace()));
        assert_eq!(ran.code, Some(0), "openssl {line}: {}", ran.err);
        ran.out
    }

    fn carry(&self, name: &str, to: &Self, under: &str) {
        to.write(under, self.read(name));
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder can be listed");
        let name = |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|e| name(e).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Whether openssl is there; the skip is said aloud.
fn has_openssl(what: &str) -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok_and(|o| o.status.success());
    if !found {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (openssl is not on the path)");
    }
    found
}

const ORIGIN: &str = "register.example/list";
/// When lists of these tests come into force and expire; the second is far ahead, since the
/// program reads the real clock.
const EFFECTIVE: &str = "2026-01-01T00:00:00Z";
const EXPIRES: &str = "2090-01-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The clock of what is checked in this process.
fn today() -> Timestamp {
    at("2026-11-22T02:00:00Z")
}

fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

fn log_key() -> NoteSigner {
    signer(ORIGIN, Role::Note, 1)
}

/// Short name in the policy, and the key.
fn agencies() -> [(&'static str, NoteSigner); 3] {
    [("customs", 2), ("drug", 3), ("science", 4)]
        .map(|(name, seed)| (name, signer(&format!("{name}.example"), Role::Cosigner, seed)))
}

/// Two of three agencies.
fn policy() -> String {
    policy_of(&log_key(), &agencies())
}

fn policy_of(log: &NoteSigner, agencies: &[(&str, NoteSigner)]) -> String {
    let mut text = format!("log {}\n", log.verifier());
    for (name, key) in agencies {
        text.extend(["witness ", name, " ", &key.verifier().to_string(), "\n"]);
    }
    let names: Vec<&str> = agencies.iter().map(|(name, _)| *name).collect();
    text + &format!("group agencies 2 {}\nquorum agencies\n", names.join(" "))
}

fn write_key(machine: &Machine, name: &str, signer: &NoteSigner) {
    let text = key_file::write(signer, None).expect("a key can be written");
    machine.write(name, text.as_bytes());
}

fn empty_base() -> Base {
    Base { policy: policy(), size: 0, frontier: vec![], checkpoint: String::new(), newest: None }
}

fn first_list() -> ListFiles {
    files(&[row("A", "四环素"), row("B", "木糖")])
}

/// B is gone, C is new, A may come in smaller amounts.
fn second_list() -> ListFiles {
    files(&[row("A", "四环素").with("quantity", "20").with("unit", "g"), row("C", "胰岛素")])
}

fn revision(number: u64, list: &ListFiles) -> RevisionStatement {
    let heads = ListHeads::of(&list_csv::read(list).expect("the list lints").list);
    RevisionStatement {
        origin: ORIGIN.into(),
        number,
        list: heads.list,
        names: heads.names,
        normal_form_version: NORMAL_FORM_VERSION,
        effective: at(EFFECTIVE),
        expires: at(EXPIRES),
        document: "Notice 12 of 2026".into(),
    }
}

fn drafted(base: Base, statement: &Statement, list: Option<ListFiles>) -> ProposalFile {
    ProposalFile::draft(base, statement, list, &log_key(), today()).expect("it can be drafted")
}

/// The first list, on an empty register.
fn first_proposal() -> ProposalFile {
    let list = first_list();
    drafted(empty_base(), &Statement::Revision(revision(1, &list)), Some(list))
}

fn signed_by(proposal: &ProposalFile, key: &NoteSigner) -> ProposalFile {
    let note = Note::parse(proposal.checkpoint.as_bytes()).expect("a note");
    proposal.clone().with_signature(key.sign(note.text(), today())).expect("a note")
}

/// The register with these proposals accepted, under the policy in force since.
fn base_after(accepted: &[&ProposalFile], policy: &str) -> Base {
    let mut tree = MerkleTree::default();
    for proposal in accepted {
        tree.push(leaf_hash(proposal.statement.as_bytes()));
    }
    let newest = accepted.iter().enumerate().rev().find(|(_, p)| p.list.is_some());
    Base {
        policy: policy.to_owned(),
        size: tree.size(),
        frontier: tree.frontier().hashes().to_vec(),
        checkpoint: accepted.last().expect("one at least").checkpoint.clone(),
        newest: newest.map(|(index, proposal)| BaseRevision {
            number: index as u64 + 1,
            statement: proposal.statement.clone(),
            inclusion: tree.inclusion(index as u64, tree.size()).expect("it is in the tree"),
            list: proposal.list.clone().expect("it has a list"),
        }),
    }
}

fn first_accepted() -> ProposalFile {
    let [(_, customs), (_, drug), _] = agencies();
    signed_by(&signed_by(&first_proposal(), &customs), &drug)
}

/// The second list, on a register with the first.
fn second_proposal() -> ProposalFile {
    let list = second_list();
    let base = base_after(&[&first_accepted()], &policy());
    drafted(base, &Statement::Revision(revision(2, &list)), Some(list))
}

fn reasons(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(Refusal::reason).collect()
}

fn to_value(proposal: &ProposalFile) -> Value {
    serde_json::from_str(&proposal.to_json().expect("it can be written")).expect("JSON")
}

fn write_proposal(machine: &Machine, name: &str, proposal: &ProposalFile) {
    machine.write(name, proposal.to_json().expect("it can be written"));
}

// Key files.

#[test]
fn a_new_key_is_for_its_owner_alone_and_prints_its_public_half_alone() {
    let office = Machine::new();
    let made = office.run("key new --name agency.example/customs -o customs.key").ends(0);
    let vkey = made.text().trim_end().to_owned();
    assert!(vkey.starts_with("agency.example/customs+") && !vkey.contains('\n'), "{vkey}");
    let file = fs::metadata(office.path("customs.key")).expect("it is there");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let text = String::from_utf8(office.read("customs.key")).expect("it is text");
    assert!(text.starts_with(&format!("Clearlist-Key: {vkey}\n-----BEGIN PRIVATE KEY-----\n")));
    let shown = office.run("key show customs.key").ends(0);
    assert_eq!((shown.text().trim_end(), shown.err.as_str()), (vkey.as_str(), ""));
    let json = office.run("key show customs.key --output json").ends(0).json();
    assert_eq!(json.get("role"), Some(&json!("cosigner")));
    let log = office.run("key new --log --name register.example/list -o log.key").ends(0);
    let log = clearlist::register::note::VerifierKey::parse(log.text().trim_end()).expect("a key");
    assert_eq!((log.name(), log.role()), (ORIGIN, Role::Note));
}

#[test]
fn a_new_key_is_another_each_time_and_never_overwrites() {
    let office = Machine::new();
    let one = office.run("key new --name a -o one.key").ends(0);
    let two = office.run("key new --name a -o two.key").ends(0);
    assert_ne!(one.out, two.out);
    let before = office.read("one.key");
    office.run("key new --name a -o one.key").ends(3).says("not overwritten");
    assert_eq!(office.read("one.key"), before);
    office.run("key new --name a+b -o three.key").ends(2).says("--name");
    assert!(!office.path("three.key").exists());
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_only() {
    let office = Machine::new();
    office.write("secret", "correct horse\r\nsecond line");
    office.write("wrong", "battery staple\n");
    office.write("empty", "\n");
    let made = office.run("key new --name a -o a.key --passphrase-file secret").ends(0);
    let text = String::from_utf8(office.read("a.key")).expect("it is text");
    assert!(text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{text}");
    let shown = office.run("key show a.key --passphrase-file secret").ends(0);
    assert_eq!(shown.out, made.out);
    office.run("key show a.key").ends(2).says("PASSPHRASE_MISSING");
    office.run("key show a.key --passphrase-file wrong").ends(3).says("PASSPHRASE_WRONG");
    office.run("key show a.key --passphrase-file empty").ends(2).says("empty");
    office.run("key new --name b -o b.key").ends(0);
    office.run("key show b.key --passphrase-file secret").ends(2).says("PASSPHRASE_UNUSED");
}

/// The public key at the end of a `SubjectPublicKeyInfo`, as a verifier key has it.
fn public_part(der: &[u8]) -> Vec<u8> {
    der.get(der.len() - 32..).expect("32 bytes").to_vec()
}

fn vkey_bytes(vkey: &str) -> Vec<u8> {
    let key = vkey.trim_end().rsplit_once('+').map(|(_, key)| key);
    // The id may hold no plus sign, the base64 of the key may.
    let key = vkey.trim_end().splitn(3, '+').nth(2).or(key).expect("a vkey");
    BASE64.decode(key).expect("base64").get(1..).expect("a type byte").to_vec()
}

#[test]
fn openssl_reads_the_keys_made_here() {
    if !has_openssl("openssl reads our keys") {
        return;
    }
    let office = Machine::new();
    office.write("secret", "correct horse\n");
    let made = office.run("key new --name a -o a.key").ends(0);
    let der = office.openssl("pkey -in a.key -pubout -outform DER");
    assert_eq!(public_part(&der), vkey_bytes(made.text()));
    let made = office.run("key new --name b -o b.key --passphrase-file secret").ends(0);
    let der = office.openssl("pkey -in b.key -passin file:secret -pubout -outform DER");
    assert_eq!(public_part(&der), vkey_bytes(made.text()));
    office.openssl("pkcs8 -in b.key -passin file:secret -out plain.pem");
}

#[test]
fn keys_made_by_openssl_are_read_here() {
    if !has_openssl("keys made by openssl") {
        return;
    }
    let office = Machine::new();
    office.write("secret", "correct horse\n");
    office.openssl("genpkey -algorithm ed25519 -out bare.pem");
    office.openssl("genpkey -algorithm ed25519 -aes-256-cbc -pass file:secret -out sealed.pem");
    office.openssl("pkcs8 -topk8 -in bare.pem -scrypt -passout file:secret -out scrypt.pem");
    office.openssl("pkcs8 -topk8 -in bare.pem -v2 aes-128-cbc -v2prf hmacWithSHA512 -passout file:secret -out sha512.pem");
    let public = |file: &str| {
        public_part(
            &office.openssl(&format!("pkey -in {file} -passin file:secret -pubout -outform DER")),
        )
    };
    let bare = public("bare.pem");
    let shown = office.run("key show bare.pem --name a").ends(0);
    assert_eq!(vkey_bytes(shown.text()), bare);
    for (file, key) in
        [("sealed.pem", public("sealed.pem")), ("scrypt.pem", bare.clone()), ("sha512.pem", bare)]
    {
        let shown =
            office.run(&format!("key show {file} --name a --passphrase-file secret")).ends(0);
        assert_eq!(vkey_bytes(shown.text()), key, "{file}");
    }
    office.run("key show bare.pem").ends(2).says("--name");
    let log = office.run("key show bare.pem --name a --log").ends(0);
    assert_ne!(log.out, office.run("key show bare.pem --name a").ends(0).out);
    office.openssl("genpkey -algorithm x25519 -out other.pem");
    office.run("key show other.pem --name a").ends(3).says("KEY_FILE_ALGORITHM");
    office.openssl("pkey -in bare.pem -pubout -out public.pem");
    office.run("key show public.pem --name a").ends(3).says("PUBLIC KEY");
    office.openssl("ecparam -genkey -name prime256v1 -noout -out ec.pem");
    office.run("key show ec.pem --name a").ends(3).says("EC PRIVATE KEY");
}

/// A throw-away key, sealed by openssl with one round of PBKDF2 and the passphrase `secret`.
const SEALED_QUICKLY: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAisIdbQIkt+BAIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQ06iJUyhUBcUDGW2hF8vGdARAOYrz
Z1l2QCVI1IXU/GlvmUmE/Ww6f2aN+6w2yb4LLUUIVIzDZDfyTm2FWZFc/Wjwxhtm
tFOmgB08wbtgr+Z6EQ==
-----END ENCRYPTED PRIVATE KEY-----
";
const SECRET: &[u8] = b"secret";

fn open_sealed(text: &str) -> Result<NoteSigner, KeyFileError> {
    KeyFile::parse(text.as_bytes())?.open(None, None, Some(SECRET))
}

/// [`SEALED_QUICKLY`] with the line that names its public key.
fn sealed_quickly() -> (String, NoteSigner) {
    let bare = KeyFile::parse(SEALED_QUICKLY.as_bytes()).expect("it is read");
    let key = bare.open(Some("a"), Some(Role::Cosigner), Some(SECRET)).expect("it opens");
    (format!("Clearlist-Key: {}\n{SEALED_QUICKLY}", key.verifier()), key)
}

#[test]
fn a_key_file_with_any_bit_flipped_is_refused_or_the_same_key() {
    let key = signer("a", Role::Cosigner, 9);
    let plain = key_file::write(&key, None).expect("it can be written").to_string();
    let (sealed, sealed_key) = sealed_quickly();
    for (text, key, passphrase) in [(plain, key, None), (sealed, sealed_key, Some(SECRET))] {
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            *bytes.get_mut(bit / 8).expect("in the file") ^= 1 << (bit % 8);
            // A file whose key line is gone says no name, and is refused for it.
            let opened = KeyFile::parse(&bytes).and_then(|f| f.open(None, None, passphrase));
            if let Ok(opened) = opened {
                assert_eq!(opened.verifier(), key.verifier(), "bit {bit}");
            }
        }
    }
}

#[test]
fn a_key_file_that_asks_for_endless_work_is_refused_at_once() {
    let seal = |kdf| {
        use pkcs8::pkcs5::pbes2;
        let plain = key_file::write(&signer("a", Role::Cosigner, 9), None).expect("written");
        let (_, der) =
            pkcs8::SecretDocument::from_pem(plain.split_once('\n').expect("a key line").1)
                .expect("PEM");
        let info = pkcs8::EncryptedPrivateKeyInfoRef {
            encryption_algorithm: pbes2::Parameters {
                kdf,
                encryption: pbes2::EncryptionScheme::Aes256Cbc { iv: [0; 16] },
            }
            .into(),
            encrypted_data: pkcs8::der::asn1::OctetStringRef::new(der.as_bytes()).expect("short"),
        };
        let der = pkcs8::SecretDocument::try_from(&info).expect("DER");
        der.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::LineEnding::LF).expect("PEM").to_string()
    };
    let salt = pkcs8::pkcs5::pbes2::Salt::new([0; 8]).expect("short");
    let pbkdf2 = |iteration_count| {
        pkcs8::pkcs5::pbes2::Kdf::Pbkdf2(pkcs8::pkcs5::pbes2::Pbkdf2Params {
            salt,
            iteration_count,
            key_length: None,
            prf: pkcs8::pkcs5::pbes2::Pbkdf2Prf::HmacWithSha256,
        })
    };
    let scrypt = |cost_parameter, block_size, parallelization| {
        pkcs8::pkcs5::pbes2::Kdf::Scrypt(pkcs8::pkcs5::pbes2::ScryptParams {
            salt,
            cost_parameter,
            block_size,
            parallelization,
            key_length: None,
        })
    };
    let greedy = [
        pbkdf2(0),
        pbkdf2(90_000_000),
        scrypt(0, 8, 1),
        scrypt(3, 8, 1),
        scrypt(1 << 40, 8, 1),
        scrypt(1 << 14, u16::MAX, 1),
        scrypt(1 << 14, 0, 1),
        scrypt(1 << 14, 8, u16::MAX),
        scrypt(1 << 14, 8, 0),
    ];
    for kdf in greedy {
        let refused = open_sealed(&seal(kdf.clone())).err().map(|e| e.reason());
        assert!(
            matches!(refused, Some("KEY_FILE_CIPHER" | "KEY_FILE_FORM")),
            "{kdf:?} {refused:?}"
        );
    }
}

#[test]
fn a_key_line_that_is_not_of_the_key_is_refused() {
    let office = Machine::new();
    let texts = [signer("a", Role::Cosigner, 1), signer("a", Role::Cosigner, 2)]
        .map(|key| key_file::write(&key, None).expect("it can be written").to_string());
    let [(line, _), (_, pem)] = texts.each_ref().map(|t| t.split_once('\n').expect("a line"));
    let cases = [
        (format!("{line}\n{pem}"), 3, "KEY_LINE_DIFFERS"),
        (format!("{line}\n{line}\n{pem}"), 3, "KEY_LINE_REPEATED"),
        (format!("Clearlist-Key: a+0000\n{pem}"), 3, "KEY_MALFORMED"),
        (pem.to_owned(), 2, "KEY_UNNAMED"),
        (line.to_owned(), 3, "KEY_FILE_FORM"),
        (String::new(), 3, "KEY_FILE_FORM"),
        (format!("{line}\n{}", pem.replace("PRIVATE KEY", "OPENSSH KEY")), 3, "KEY_FILE_LABEL"),
        ("x".repeat(key_file::KEY_FILE_BYTES_MAX + 1), 3, "KEY_FILE_FORM"),
    ];
    for (text, code, reason) in cases {
        office.write("case.key", &text);
        office.run("key show case.key").ends(code).says(reason);
    }
    let [text, _] = texts;
    office.write("a.key", format!("Kept by the duty officer.\n{text}").replace('\n', "\r\n"));
    office.run("key show a.key --name a").ends(0);
    office.run("key show a.key --name b").ends(2).says("KEY_NAME_DIFFERS");
    office.run("key show a.key --log").ends(2).says("KEY_ROLE_DIFFERS");
    office.run("--lang zh key show a.key --log").ends(2).says("机构密钥");
    office.run("key show nowhere.key").ends(3).says("nowhere.key");
}

#[test]
fn a_sealed_file_is_written_the_same_for_the_same_random_bytes() {
    let key = signer("a", Role::Cosigner, 7);
    let seal = |salt| Seal { passphrase: SECRET, salt: [salt; 16], iv: [3; 16] };
    let write = |salt| key_file::write(&key, Some(&seal(salt))).expect("written").to_string();
    assert_eq!(write(1), write(1));
    assert_ne!(write(1), write(2));
    assert_eq!(open_sealed(&write(1)).expect("it opens").verifier(), key.verifier());
}

// The ceremony.

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

// What is checked.

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

// With a server.

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
    office.run("proposal show 1.json").ends(0).says("it is the first list: 6 added");
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
        .says("against revision 1: 1 added, 1 removed, 1 changed");
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

// Whatever bytes come.

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn any_bytes_are_a_key_file_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(file) = KeyFile::parse(&bytes) {
            let _ = file.open(Some("a"), None, None);
        }
    }

    #[test]
    fn a_key_file_with_a_piece_replaced_is_a_key_file_or_refused(
        from in 0_usize..500,
        length in 0_usize..40,
        piece in "[A-Za-z0-9+/=\\-\n: ]{0,40}",
    ) {
        let (text, _) = sealed_quickly();
        let mut bytes = text.into_bytes();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece.into_bytes());
        if let Ok(file) = KeyFile::parse(&bytes) {
            let _ = file.open(None, None, Some(SECRET)).map_err(|e| (e.english(), e.chinese()));
        }
    }

    #[test]
    fn a_proposal_with_a_piece_replaced_is_checked_or_refused(
        from in 0_usize..6000,
        length in 0_usize..60,
        piece in "[\\x00-\\x7e\u{80}-\u{ffff}]{0,20}",
    ) {
        let mut bytes = second_proposal().to_json().expect("it can be written").into_bytes();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece.into_bytes());
        if let Err(error) = ProposalFile::parse(&bytes).map(|p| check(&p, today()).is_ok()) {
            prop_assert!(!error.english().is_empty() && !error.chinese().is_empty());
        }
    }

    #[test]
    fn any_values_in_the_fields_are_checked_or_refused(
        statement in ".{0,80}",
        checkpoint in ".{0,80}",
        policy in ".{0,80}",
        size in any::<u64>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..66),
        number in any::<u64>(),
        entries in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let list = ListFiles { entries, ..first_list() };
        let newest = BaseRevision {
            number, statement: statement.clone(), inclusion: hashes.clone(), list: list.clone(),
        };
        let base = Base { policy, size, frontier: hashes, checkpoint: checkpoint.clone(), newest: Some(newest) };
        let proposal = ProposalFile { statement, checkpoint, list: Some(list), base };
        let faults = check(&proposal, today()).expect_err("chance signs nothing");
        for fault in &faults {
            prop_assert!(!fault.english().is_empty() && !fault.chinese().is_empty());
        }
    }
}
