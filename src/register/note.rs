//! C2SP signed notes: text, signature lines, verifier keys; Ed25519 signatures of notes (type
//! 0x01) and timestamped cosignatures of checkpoints (type 0x04). Verification is strict.

use std::fmt;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::message::{Refusal, excerpt};

/// Largest note, in bytes: a checkpoint with 64 signatures has about 12 KB.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Most signature lines of a note.
pub const SIGNATURES_MAX: usize = 64;
/// Longest key name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// What begins a signature line: em dash, space.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// What a key signs. One key has one role; its id depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Notes: type 0x01. The log key, and the service's own key.
    Note,
    /// Cosignatures of checkpoints: type 0x04. The agencies' keys.
    Cosigner,
}

impl Role {
    /// The signature type byte.
    #[must_use]
    pub const fn type_byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosigner => 0x04,
        }
    }
}

/// A public key with its name: a *vkey*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: Box<str>,
    role: Role,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// [`KeyError`] for a name with spaces or plus signs and for a weak key.
    pub fn new(name: &str, role: Role, key: VerifyingKey) -> Result<Self, KeyError> {
        check_name(name)?;
        // Anybody can sign for a key of small order; a key with two spellings is two keys.
        if key.is_weak() || key.to_edwards().compress().to_bytes() != key.to_bytes() {
            return Err(KeyError::Weak { name: name.to_owned() });
        }
        let mut hash = Sha256::new();
        hash.update(name);
        hash.update([b'\n', role.type_byte()]);
        hash.update(key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        Ok(Self { name: name.into(), role, id: [a, b, c, d], key })
    }

    /// Reads `name+id+key`.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed { given: excerpt(text) };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let bytes = BASE64.decode(key).map_err(|_no_base64| malformed())?;
        let (type_byte, key) = bytes.split_first().ok_or_else(malformed)?;
        let role = match type_byte {
            0x01 => Role::Note,
            0x04 => Role::Cosigner,
            other => return Err(KeyError::Type { type_byte: *other }),
        };
        let key = <&[u8; 32]>::try_from(key).map_err(|_length| malformed())?;
        let key = VerifyingKey::from_bytes(key).map_err(|_no_point| malformed())?;
        let vkey = Self::new(name, role, key)?;
        if format!("{:08x}", u32::from_be_bytes(vkey.id)) != id {
            return Err(KeyError::Id { name: name.to_owned() });
        }
        Ok(vkey)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether both are the same key, whatever their names and roles.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Whether a signature line says that this key made it; nothing is verified.
    #[must_use]
    pub fn made(&self, line: &SignatureLine) -> bool {
        *self.name == *line.name && self.id == line.id
    }

    /// The instant of a valid cosignature, or of a valid signature `None`.
    fn verify(&self, text: &str, line: &SignatureLine) -> Result<Option<Timestamp>, NoteError> {
        let bad = || NoteError::Signature { signer: self.name.to_string() };
        let strict = |message: &[u8], signature: &[u8]| {
            let signature = Signature::from_slice(signature).map_err(|_length| bad())?;
            self.key.verify_strict(message, &signature).map_err(|_forged| bad())
        };
        match self.role {
            Role::Note => strict(text.as_bytes(), &line.signature).map(|()| None),
            Role::Cosigner => {
                let (time, signature) = line.signature.split_at_checked(8).ok_or_else(bad)?;
                let time = <[u8; 8]>::try_from(time).map_err(|_length| bad())?;
                let seconds = i64::try_from(u64::from_be_bytes(time)).map_err(|_range| bad())?;
                let at = Timestamp::from_second(seconds).map_err(|_range| bad())?;
                strict(&cosigned_message(text, at), signature)?;
                Ok(Some(at))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.role.type_byte()];
        bytes.extend(self.key.as_bytes());
        let id = u32::from_be_bytes(self.id);
        write!(f, "{}+{id:08x}+{}", self.name, BASE64.encode(bytes))
    }
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let good = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(good) {
        return Err(KeyError::Name { given: excerpt(name) });
    }
    Ok(())
}

/// The bytes a cosigner signs.
#[must_use]
pub fn cosigned_message(text: &str, at: Timestamp) -> Vec<u8> {
    format!("cosignature/v1\ntime {}\n{text}", at.as_second()).into_bytes()
}

/// A private key with its name.
#[derive(Debug)]
pub struct NoteSigner {
    key: SigningKey,
    /// The same key where it signs fastest: receipts are made while somebody waits. Both make
    /// the same signature (RFC 8032).
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// A private key under a name.
    ///
    /// # Errors
    /// [`KeyError`] for the name.
    pub fn new(name: &str, role: Role, key: SigningKey) -> Result<Self, KeyError> {
        let verifier = VerifierKey::new(name, role, key.verifying_key())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(key.as_bytes());
        // Every 32 bytes are a key.
        let pair = pair.map_err(|_rejected| KeyError::Malformed { given: name.to_owned() })?;
        Ok(Self { key, pair, verifier })
    }

    /// Its public key.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Its private key, for a key file.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs a note's text; a cosigner says that it did so `at` that second.
    #[must_use]
    pub fn sign(&self, text: &str, at: Timestamp) -> SignatureLine {
        let signature = match self.verifier.role {
            Role::Note => self.pair.sign(text.as_bytes()).as_ref().to_vec(),
            Role::Cosigner => timestamped(at, self.pair.sign(&cosigned_message(text, at)).as_ref()),
        };
        SignatureLine { name: self.verifier.name.clone(), id: self.verifier.id, signature }
    }
}

/// A cosignature made elsewhere, as a line: the signature of [`cosigned_message`] with its time.
///
/// # Errors
/// [`NoteError::Signature`] if the key did not make it.
pub fn attached(
    signer: &VerifierKey,
    text: &str,
    at: Timestamp,
    signature: &[u8],
) -> Result<SignatureLine, NoteError> {
    let signature = match signer.role {
        Role::Note => signature.to_vec(),
        Role::Cosigner => timestamped(at, signature),
    };
    let line = SignatureLine { name: signer.name.clone(), id: signer.id, signature };
    signer.verify(text, &line)?;
    Ok(line)
}

fn timestamped(at: Timestamp, signature: &[u8]) -> Vec<u8> {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let mut out = seconds.to_be_bytes().to_vec();
    out.extend(signature);
    out
}

/// One signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: Box<str>,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl SignatureLine {
    /// Name of the key, as the line claims.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A note, parsed and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// A text without signatures yet; `None` for a text that does not end in a newline or holds
    /// control characters.
    #[must_use]
    pub fn unsigned(text: String) -> Option<Self> {
        // Counted, not looked for: so many bytes are looked at together.
        let controls = text.bytes().filter(|byte| *byte < b' ' && *byte != b'\n').count();
        (text.ends_with('\n') && controls == 0).then_some(Self { text, signatures: Vec::new() })
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`]: its form is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge { bytes: bytes.len() });
        }
        let whole = str::from_utf8(bytes).map_err(|_no_utf8| NoteError::Form { line: 0 })?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Form { line: 0 })?;
        let mut note = Self::unsigned(format!("{text}\n")).ok_or(NoteError::Form { line: 0 })?;
        let first = note.text.lines().count() + 2;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form { line: first })?;
        for (nth, line) in lines.split('\n').enumerate() {
            let line = signature_line(line).ok_or(NoteError::Form { line: first + nth })?;
            if note.signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            note.signatures.push(line);
        }
        Ok(note)
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its signatures, in the note's order.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a signature; one that stands there already is not added again.
    pub fn add(&mut self, line: SignatureLine) {
        if !self.signatures.contains(&line) {
            self.signatures.push(line);
        }
    }

    /// Every signature of `key`, verified: its instants, `None` for a plain signature.
    ///
    /// # Errors
    /// [`NoteError::Signature`] as soon as one is bad: a note with a forged line is refused
    /// whole.
    pub fn verified_by(&self, key: &VerifierKey) -> Result<Vec<Option<Timestamp>>, NoteError> {
        let lines = self.signatures.iter().filter(|line| key.made(line));
        lines.map(|line| key.verify(&self.text, line)).collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let mut bytes = line.id.to_vec();
            bytes.extend(&line.signature);
            writeln!(f, "{SIGNATURE_MARK}{} {}", line.name, BASE64.encode(bytes))?;
        }
        Ok(())
    }
}

fn signature_line(line: &str) -> Option<SignatureLine> {
    let (name, signature) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = BASE64.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (!signature.is_empty()).then(|| SignatureLine {
        name: name.into(),
        id: *id,
        signature: signature.to_vec(),
    })
}

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// The name is empty, too long or holds spaces or plus signs.
    Name {
        /// The name.
        given: String,
    },
    /// Not `name+id+key`, or no Ed25519 key.
    Malformed {
        /// The text.
        given: String,
    },
    /// Another signature type.
    Type {
        /// The type.
        type_byte: u8,
    },
    /// The id is not that of the key.
    Id {
        /// Name of the key.
        name: String,
    },
    /// A key of small order, or in a second spelling.
    Weak {
        /// Name of the key.
        name: String,
    },
}

impl Refusal for KeyError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Name { .. } => "KEY_NAME",
            Self::Malformed { .. } => "KEY_MALFORMED",
            Self::Type { .. } => "KEY_TYPE",
            Self::Id { .. } => "KEY_ID",
            Self::Weak { .. } => "KEY_WEAK",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Name { given } => format!(
                "`{given}` is no key name; write one like agency.example/office, without spaces and plus signs"
            ),
            Self::Malformed { given } => {
                format!("`{given}` is no verifier key; it has the form name+id+key")
            }
            Self::Type { type_byte } => {
                format!("keys of type 0x{type_byte:02x} are not used here; only 0x01 and 0x04")
            }
            Self::Id { name } => format!("the key id of `{name}` is not that of its key"),
            Self::Weak { name } => {
                format!("the key of `{name}` is weak: anybody could sign for it; make a new one")
            }
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Name { given } => format!(
                "`{given}`不是有效的密钥名称；请写成agency.example/office的形式，不含空格和加号"
            ),
            Self::Malformed { given } => {
                format!("`{given}`不是验证公钥；格式应为name+id+key")
            }
            Self::Type { type_byte } => {
                format!("不使用类型为0x{type_byte:02x}的密钥；只用0x01和0x04")
            }
            Self::Id { name } => format!("`{name}`的密钥标识与其公钥不符"),
            Self::Weak { name } => format!("`{name}`的公钥是弱密钥，任何人都能伪造；请重新生成"),
        }
    }
}

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not the form of a signed note.
    Form {
        /// Line, from 1; 0 for the note as a whole.
        line: usize,
    },
    /// More than [`SIGNATURES_MAX`] signatures.
    TooManySignatures,
    /// A known key's signature does not fit the text.
    Signature {
        /// Name of the key.
        signer: String,
    },
}

impl Refusal for NoteError {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::TooManySignatures => "CHECKPOINT_TOO_LARGE",
            Self::Form { .. } => "CHECKPOINT_FORM",
            Self::Signature { .. } => "SIGNATURE_INVALID",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("the signed note has {bytes} bytes; at most {NOTE_BYTES_MAX}")
            }
            Self::Form { line: 0 } => {
                "this is no signed note: text, an empty line, signatures, each line ended".into()
            }
            Self::Form { line } => format!("line {line} of the signed note is no signature line"),
            Self::TooManySignatures => {
                format!("the signed note has more than {SIGNATURES_MAX} signatures")
            }
            Self::Signature { signer } => format!(
                "the signature of `{signer}` does not fit what was signed; nothing of this note is believed"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("签名文本有{bytes}字节；最多{NOTE_BYTES_MAX}字节")
            }
            Self::Form { line: 0 } => "不是签名文本：应为正文、空行、签名行，每行以换行结束".into(),
            Self::Form { line } => format!("签名文本第{line}行不是签名行"),
            Self::TooManySignatures => format!("签名文本的签名多于{SIGNATURES_MAX}个"),
            Self::Signature { signer } => {
                format!("`{signer}`的签名与所签内容不符；整份签名文本不予采信")
            }
        }
    }
}
