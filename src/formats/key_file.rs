//! Private keys in files: PKCS#8 PEM as openssl reads and writes it, before it a line with the
//! public key, its name and role. Every byte that was secret is wiped.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, Salt, ScryptParams};
use pkcs8::{
    EncodePrivateKey, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument,
};
use zeroize::Zeroizing;

use crate::domain::message::{Refusal, excerpt};
use crate::register::note::{KeyError, NoteSigner, Role, VerifierKey};

/// Largest key file, in bytes.
pub const KEY_FILE_BYTES_MAX: usize = 64 * 1024;
/// What begins the line with the public key.
const KEY_LINE: &str = "Clearlist-Key:";
/// What begins a PEM block.
const PEM_BEGIN: &str = "-----BEGIN ";
const PLAIN_LABEL: &str = "PRIVATE KEY";
const SEALED_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Work of scrypt in our own files: as much as openssl reads without being told to spend more
/// than its 32 MiB.
const SCRYPT_COST: u64 = 1 << 14;
const SCRYPT_BLOCK_SIZE: u16 = 8;
/// Most memory a file may ask for before its passphrase is known to fit, in bytes.
const SCRYPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most work a file may ask for: repetitions of scrypt, rounds of PBKDF2.
const SCRYPT_PARALLEL_MAX: u16 = 16;
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

/// A key file, read and not yet opened.
#[derive(Debug)]
pub struct KeyFile {
    claimed: Option<VerifierKey>,
    sealed: bool,
    der: SecretDocument,
}

/// What seals a key file: the passphrase, and random bytes that are never used twice.
pub struct Seal<'a> {
    /// The passphrase.
    pub passphrase: &'a [u8],
    /// Random.
    pub salt: [u8; 16],
    /// Random.
    pub iv: [u8; 16],
}

impl KeyFile {
    /// Reads a key file. What stands before the PEM block is explanation, except the line with
    /// the public key.
    ///
    /// # Errors
    /// [`KeyFileError`]: no private key in PKCS#8 PEM, or a bad line with the public key.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if bytes.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyFileError::TooLarge { bytes: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_no_utf8| KeyFileError::Form)?;
        let (explanation, pem) = split(text).ok_or(KeyFileError::Form)?;
        let claimed = claimed(explanation)?;
        let (label, der) = SecretDocument::from_pem(pem)
            .map_err(|_no_pem| label_or_form(pem, KeyFileError::Form))?;
        let sealed = match label {
            PLAIN_LABEL => false,
            SEALED_LABEL => true,
            other => return Err(KeyFileError::Label { given: excerpt(other) }),
        };
        Ok(Self { claimed, sealed, der })
    }

    /// The public key that the file says it has; believed only once the file was opened.
    #[must_use]
    pub const fn claimed(&self) -> Option<&VerifierKey> {
        self.claimed.as_ref()
    }

    /// Whether it needs a passphrase.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The key. Its name and role are those of the file; a file that openssl made has none and
    /// takes the given ones. What is given and in the file must be the same.
    ///
    /// # Errors
    /// [`KeyFileError`]: the passphrase does not fit, it is another kind of key, or the file's
    /// public key, name or role is not the one expected.
    pub fn open(
        &self,
        name: Option<&str>,
        role: Option<Role>,
        passphrase: Option<&[u8]>,
    ) -> Result<NoteSigner, KeyFileError> {
        let opened = match (self.sealed, passphrase) {
            (true, Some(passphrase)) => Some(unseal(&self.der, passphrase)?),
            (true, None) => return Err(KeyFileError::PassphraseMissing),
            (false, Some(_)) => return Err(KeyFileError::PassphraseUnused),
            (false, None) => None,
        };
        // What a wrong passphrase leaves is nearly always refused before this; when it looks
        // like padding by chance, it is no DER.
        let unread = if self.sealed { KeyFileError::PassphraseWrong } else { KeyFileError::Form };
        let der = opened.as_ref().unwrap_or(&self.der).as_bytes();
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_no_pkcs8| unread)?;
        if info.algorithm.oid != ed25519_dalek::pkcs8::ALGORITHM_OID {
            return Err(KeyFileError::Algorithm);
        }
        let key = SigningKey::try_from(info).map_err(|_no_key| KeyFileError::Form)?;
        let Some(claimed) = &self.claimed else {
            let name = name.ok_or(KeyFileError::Unnamed)?;
            let role = role.unwrap_or(Role::Cosigner);
            return NoteSigner::new(name, role, key).map_err(KeyFileError::Key);
        };
        if let Some(given) = name.filter(|given| *given != claimed.name()) {
            let file = claimed.name().to_owned();
            return Err(KeyFileError::NameDiffers { file, given: excerpt(given) });
        }
        if role.is_some_and(|given| given != claimed.role()) {
            let name = claimed.name().to_owned();
            return Err(KeyFileError::RoleDiffers { name, role: claimed.role() });
        }
        let signer =
            NoteSigner::new(claimed.name(), claimed.role(), key).map_err(KeyFileError::Key)?;
        if signer.verifier() == claimed {
            Ok(signer)
        } else {
            Err(KeyFileError::Mismatch { name: claimed.name().to_owned() })
        }
    }
}

/// The text of a key file.
///
/// # Errors
/// [`KeyFileError::Form`] if the key cannot be written; not seen with a key that signs.
pub fn write(
    signer: &NoteSigner,
    seal: Option<&Seal<'_>>,
) -> Result<Zeroizing<String>, KeyFileError> {
    let form = |_unwritable| KeyFileError::Form;
    // Without the public key inside: openssl 3.0 does not read version 2 of the format.
    let pair = KeypairBytes { secret_key: *signer.key().as_bytes(), public_key: None };
    let plain = pair.to_pkcs8_der().map_err(form)?;
    let (label, der) = match seal {
        None => (PLAIN_LABEL, plain),
        Some(seal) => {
            let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(form)?;
            let salt = Salt::new(seal.salt).map_err(|_length| KeyFileError::Form)?;
            let scrypt = ScryptParams {
                salt,
                cost_parameter: SCRYPT_COST,
                block_size: SCRYPT_BLOCK_SIZE,
                parallelization: 1,
                key_length: None,
            };
            let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: seal.iv };
            let parameters = pbes2::Parameters { kdf: Kdf::Scrypt(scrypt), encryption };
            let sealed = info.encrypt_with_params(parameters, seal.passphrase).map_err(form)?;
            (SEALED_LABEL, sealed)
        }
    };
    let pem = der.to_pem(label, LineEnding::LF).map_err(|_unwritable| KeyFileError::Form)?;
    Ok(Zeroizing::new(format!("{KEY_LINE} {}\n{}", signer.verifier(), pem.as_str())))
}

/// The passphrase in a file: its first line, as openssl reads `-passin file:`.
#[must_use]
pub fn passphrase(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then_some(line)
}

/// What stands before the first PEM block, and the rest.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut before = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(PEM_BEGIN) {
            return text.split_at_checked(before);
        }
        before += line.len();
    }
    None
}

fn claimed(explanation: &str) -> Result<Option<VerifierKey>, KeyFileError> {
    let mut lines = explanation.lines().filter_map(|line| line.strip_prefix(KEY_LINE));
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(vkey), None) => {
            VerifierKey::parse(vkey.trim()).map(Some).map_err(KeyFileError::KeyLine)
        }
        (Some(_), Some(_)) => Err(KeyFileError::KeyLineTwice),
    }
}

/// PEM that is none of ours may hold headers or another line width; its label says what it is.
fn label_or_form(pem: &str, form: KeyFileError) -> KeyFileError {
    let first = pem.lines().next().unwrap_or_default();
    let label = first.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix("-----"));
    match label {
        Some(PLAIN_LABEL | SEALED_LABEL) | None => form,
        Some(other) => KeyFileError::Label { given: excerpt(other) },
    }
}

fn unseal(der: &SecretDocument, passphrase: &[u8]) -> Result<SecretDocument, KeyFileError> {
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der.as_bytes())
        .map_err(|_no_pkcs8| KeyFileError::Cipher)?;
    let EncryptionScheme::Pbes2(parameters) = &sealed.encryption_algorithm else {
        return Err(KeyFileError::Cipher);
    };
    if !is_affordable(&parameters.kdf) {
        return Err(KeyFileError::Cipher);
    }
    sealed.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. }
            | pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. },
        ) => KeyFileError::Cipher,
        _ => KeyFileError::PassphraseWrong,
    })
}

/// A file must not make us work for hours, or take all memory, to learn that it is damaged.
fn is_affordable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(rounds) => (1..=PBKDF2_ROUNDS_MAX).contains(&rounds.iteration_count),
        Kdf::Scrypt(scrypt) => {
            let bytes = scrypt.cost_parameter.saturating_mul(128 * u64::from(scrypt.block_size));
            scrypt.cost_parameter.is_power_of_two()
                && (1..=SCRYPT_BYTES_MAX).contains(&bytes)
                && (1..=SCRYPT_PARALLEL_MAX).contains(&scrypt.parallelization)
        }
        _ => false,
    }
}

/// Why a key file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFileError {
    /// Longer than [`KEY_FILE_BYTES_MAX`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not a private key in PKCS#8 PEM.
    Form,
    /// Another kind of PEM.
    Label {
        /// What it says it is.
        given: String,
    },
    /// A private key, and not of Ed25519.
    Algorithm,
    /// It is sealed in a way that is not supported, or that asks for too much work.
    Cipher,
    /// It is sealed, and no passphrase was given.
    PassphraseMissing,
    /// The passphrase does not open it.
    PassphraseWrong,
    /// A passphrase was given, and it is not sealed.
    PassphraseUnused,
    /// The line with the public key cannot be read.
    KeyLine(KeyError),
    /// There are two lines with a public key.
    KeyLineTwice,
    /// The line with the public key is not that of the private key.
    Mismatch {
        /// Name on the line.
        name: String,
    },
    /// The file says no name, and none was given.
    Unnamed,
    /// Another name was given than the file says.
    NameDiffers {
        /// The file's.
        file: String,
        /// The given one.
        given: String,
    },
    /// Another role is wanted than the file says.
    RoleDiffers {
        /// Name of the key.
        name: String,
        /// The file's role.
        role: Role,
    },
    /// The name or the key itself is no good.
    Key(KeyError),
}

impl Refusal for KeyFileError {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Form => "KEY_FILE_FORM",
            Self::Label { .. } => "KEY_FILE_LABEL",
            Self::Algorithm => "KEY_FILE_ALGORITHM",
            Self::Cipher => "KEY_FILE_CIPHER",
            Self::PassphraseMissing => "PASSPHRASE_MISSING",
            Self::PassphraseWrong => "PASSPHRASE_WRONG",
            Self::PassphraseUnused => "PASSPHRASE_UNUSED",
            Self::KeyLine(error) | Self::Key(error) => error.reason(),
            Self::KeyLineTwice => "KEY_LINE_REPEATED",
            Self::Mismatch { .. } => "KEY_LINE_DIFFERS",
            Self::Unnamed => "KEY_UNNAMED",
            Self::NameDiffers { .. } => "KEY_NAME_DIFFERS",
            Self::RoleDiffers { .. } => "KEY_ROLE_DIFFERS",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("the key file has {bytes} bytes; at most {KEY_FILE_BYTES_MAX}")
            }
            Self::Form => "this is no private key in PKCS#8 PEM; make one with `clearlist key new` or `openssl genpkey -algorithm ed25519`".into(),
            Self::Label { given } => format!(
                "this is `{given}`, not a private key in PKCS#8; convert it with `openssl pkcs8 -topk8`"
            ),
            Self::Algorithm => "this is no Ed25519 key; make one with `clearlist key new` or `openssl genpkey -algorithm ed25519`".into(),
            Self::Cipher => "the key file is sealed in a way that is not supported; seal it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc`".into(),
            Self::PassphraseMissing => {
                "the key file is sealed; name the file with its passphrase, --passphrase-file".into()
            }
            Self::PassphraseWrong => {
                "the passphrase does not open the key file, or the file is damaged".into()
            }
            Self::PassphraseUnused => "the key file is not sealed: anybody who reads it has the key; leave --passphrase-file out, or make a sealed one".into(),
            Self::KeyLine(error) => format!("the line {KEY_LINE} of the key file: {}", error.english()),
            Self::KeyLineTwice => format!("the key file has two lines {KEY_LINE}; keep one key a file"),
            Self::Mismatch { name } => format!(
                "the line {KEY_LINE} of the key file names the public key of `{name}`, which is not that of the private key below it; the file was put together from two"
            ),
            Self::Unnamed => "the key file says no name; give --name, and --log for a log key".into(),
            Self::NameDiffers { file, given } => {
                format!("the key file is the key of `{file}`, not of `{given}`")
            }
            Self::RoleDiffers { name, role: Role::Note } => {
                format!("`{name}` is a log key; an agency's key is needed here")
            }
            Self::RoleDiffers { name, role: Role::Cosigner } => {
                format!("`{name}` is an agency's key; a log key is needed here")
            }
            Self::Key(error) => error.english(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("密钥文件有{bytes}字节；最多{KEY_FILE_BYTES_MAX}字节")
            }
            Self::Form => "不是PKCS#8 PEM私钥；请用 `clearlist key new` 或 `openssl genpkey -algorithm ed25519` 生成".into(),
            Self::Label { given } => {
                format!("文件内容是`{given}`，不是PKCS#8私钥；请用 `openssl pkcs8 -topk8` 转换")
            }
            Self::Algorithm => "不是Ed25519密钥；请用 `clearlist key new` 或 `openssl genpkey -algorithm ed25519` 生成".into(),
            Self::Cipher => "不支持该密钥文件的加密方式；请用 `openssl pkcs8 -topk8 -v2 aes-256-cbc` 重新加密".into(),
            Self::PassphraseMissing => "密钥文件已加密；请用--passphrase-file指明口令文件".into(),
            Self::PassphraseWrong => "口令无法打开密钥文件，或文件已损坏".into(),
            Self::PassphraseUnused => "密钥文件未加密，任何读到它的人都得到密钥；请去掉--passphrase-file，或另行生成加密的密钥文件".into(),
            Self::KeyLine(error) => format!("密钥文件的{KEY_LINE}行：{}", error.chinese()),
            Self::KeyLineTwice => format!("密钥文件有两个{KEY_LINE}行；每个文件只放一个密钥"),
            Self::Mismatch { name } => format!(
                "密钥文件的{KEY_LINE}行是`{name}`的公钥，与其下的私钥不符；该文件由两个文件拼成"
            ),
            Self::Unnamed => "密钥文件没有名称；请用--name指明，日志密钥另加--log".into(),
            Self::NameDiffers { file, given } => {
                format!("密钥文件属于`{file}`，而不是`{given}`")
            }
            Self::RoleDiffers { name, role: Role::Note } => {
                format!("`{name}`是日志密钥；此处需要机构密钥")
            }
            Self::RoleDiffers { name, role: Role::Cosigner } => {
                format!("`{name}`是机构密钥；此处需要日志密钥")
            }
            Self::Key(error) => error.chinese(),
        }
    }
}
