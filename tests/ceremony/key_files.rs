//! Key files: made, sealed and shown; read by openssl and made by it; and refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clearlist::domain::message::Refusal;
use clearlist::formats::key_file::{self, KeyFile, KeyFileError, Seal};
use clearlist::register::note::{NoteSigner, Role};
use serde_json::json;

use super::machine::{Machine, has_openssl};
use super::proposals::{ORIGIN, signer};

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
pub(crate) const SECRET: &[u8] = b"secret";

fn open_sealed(text: &str) -> Result<NoteSigner, KeyFileError> {
    KeyFile::parse(text.as_bytes())?.open(None, None, Some(SECRET))
}

/// [`SEALED_QUICKLY`] with the line that names its public key.
pub(crate) fn sealed_quickly() -> (String, NoteSigner) {
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
