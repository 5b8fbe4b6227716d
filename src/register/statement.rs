//! The leaves of a register: a revision, a policy change, a suspension. JSON in the canonical
//! form of RFC 8785; any other spelling of the same is refused.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::list::List;
use crate::domain::message::{Refusal, excerpt};

use super::merkle::Hash;
use super::record::{ListHeads, TreeHead};

/// Largest statement, in bytes: a suspension names each entry it stops.
pub const STATEMENT_BYTES_MAX: usize = 1024 * 1024;
/// Largest integer of a statement: what JSON numbers hold exactly everywhere.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A new list.
    Revision(RevisionStatement),
    /// A new policy.
    Policy(PolicyStatement),
    /// Entries or enterprises stopped at once, without a new list.
    Suspension(SuspensionStatement),
}

/// `clearlist/revision/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionStatement {
    /// The register it is for.
    pub origin: String,
    /// Its number: the size of the register with it.
    pub number: u64,
    /// Head of the list tree.
    pub list: TreeHead,
    /// Head of the name tree.
    pub names: TreeHead,
    /// Version of the normal form the names stand in.
    pub normal_form_version: u32,
    /// First instant it is in force.
    pub effective: Timestamp,
    /// First instant it answers no more.
    pub expires: Timestamp,
    /// The document behind it; may be empty.
    pub document: String,
}

/// `clearlist/policy/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStatement {
    /// The register it is for.
    pub origin: String,
    /// Its number.
    pub number: u64,
    /// The policy, whole.
    pub policy: String,
    /// The document behind it; may be empty.
    pub document: String,
}

/// `clearlist/suspension/v1`. Holds for the revisions numbered below it; a later revision
/// replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspensionStatement {
    /// The register it is for.
    pub origin: String,
    /// Its number.
    pub number: u64,
    /// Ids of entries.
    pub entries: Vec<String>,
    /// Codes of enterprises.
    pub enterprises: Vec<String>,
    /// First instant it is in force.
    pub effective: Timestamp,
    /// The document behind it; may be empty.
    pub document: String,
}

/// A list with suspensions laid over it.
#[must_use]
pub fn suspended<'a>(
    list: &List,
    suspensions: impl Iterator<Item = &'a SuspensionStatement> + Clone,
) -> List {
    let entries: HashSet<&str> =
        suspensions.clone().flat_map(|s| &s.entries).map(String::as_str).collect();
    let enterprises: HashSet<&str> =
        suspensions.flat_map(|s| &s.enterprises).map(String::as_str).collect();
    list.suspended(
        |entry| entries.contains(&*entry.id),
        |enterprise| enterprises.contains(enterprise.uscc.as_str()),
    )
}

/// The JSON of every type of statement. Fields are declared in sorted order, which is the order
/// they are written in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the fields of a statement")]
struct Wire {
    #[serde(default)]
    document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effective: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enterprises: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list_root_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list_size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_root_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normal_form_version: Option<u32>,
    number: u64,
    origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    r#type: String,
}

const REVISION: &str = "clearlist/revision/v1";
const POLICY: &str = "clearlist/policy/v1";
const SUSPENSION: &str = "clearlist/suspension/v1";

impl Statement {
    /// Reads the bytes of a statement.
    ///
    /// # Errors
    /// [`StatementError`]: no JSON, another type, a field missing, foreign or malformed, or not
    /// in canonical form.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(StatementError::TooLarge { bytes: bytes.len() });
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|error| StatementError::Json { problem: problem(&error) })?;
        let statement = Self::from_wire(wire)?;
        if statement.to_bytes() != bytes {
            return Err(StatementError::NotCanonical);
        }
        Ok(statement)
    }

    fn from_wire(wire: Wire) -> Result<Self, StatementError> {
        let Wire { document, origin, number, .. } = wire;
        if number > INTEGER_MAX {
            return Err(StatementError::Field { field: "number" });
        }
        Ok(match wire.r#type.as_str() {
            REVISION => Self::Revision(RevisionStatement {
                origin,
                number,
                list: TreeHead {
                    size: size("list_size", wire.list_size)?,
                    root: root("list_root_sha256", wire.list_root_sha256.as_deref())?,
                },
                names: TreeHead {
                    size: size("name_size", wire.name_size)?,
                    root: root("name_root_sha256", wire.name_root_sha256.as_deref())?,
                },
                normal_form_version: present("normal_form_version", wire.normal_form_version)?,
                effective: instant("effective", wire.effective.as_deref())?,
                expires: instant("expires", wire.expires.as_deref())?,
                document,
            }),
            POLICY => Self::Policy(PolicyStatement {
                origin,
                number,
                policy: present("policy", wire.policy)?,
                document,
            }),
            SUSPENSION => Self::Suspension(SuspensionStatement {
                origin,
                number,
                entries: present("entries", wire.entries)?,
                enterprises: present("enterprises", wire.enterprises)?,
                effective: instant("effective", wire.effective.as_deref())?,
                document,
            }),
            other => return Err(StatementError::Type { given: excerpt(other) }),
        })
    }

    /// Its bytes, in canonical form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut wire = Wire {
            document: self.document().to_owned(),
            effective: None,
            enterprises: None,
            entries: None,
            expires: None,
            list_root_sha256: None,
            list_size: None,
            name_root_sha256: None,
            name_size: None,
            normal_form_version: None,
            number: self.number(),
            origin: self.origin().to_owned(),
            policy: None,
            r#type: self.type_name().to_owned(),
        };
        match self {
            Self::Revision(revision) => {
                wire.effective = Some(revision.effective.to_string());
                wire.expires = Some(revision.expires.to_string());
                wire.list_root_sha256 = Some(to_hex(&revision.list.root));
                wire.list_size = Some(revision.list.size);
                wire.name_root_sha256 = Some(to_hex(&revision.names.root));
                wire.name_size = Some(revision.names.size);
                wire.normal_form_version = Some(revision.normal_form_version);
            }
            Self::Policy(policy) => wire.policy = Some(policy.policy.clone()),
            Self::Suspension(suspension) => {
                wire.effective = Some(suspension.effective.to_string());
                wire.enterprises = Some(suspension.enterprises.clone());
                wire.entries = Some(suspension.entries.clone());
            }
        }
        // Strings, integers and lists of strings: nothing that could fail, and what serde_json
        // writes of them in sorted order is the canonical form (tests/register.rs has vectors).
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Name of its type.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Revision(_) => REVISION,
            Self::Policy(_) => POLICY,
            Self::Suspension(_) => SUSPENSION,
        }
    }

    /// The register it is for.
    #[must_use]
    pub fn origin(&self) -> &str {
        match self {
            Self::Revision(s) => &s.origin,
            Self::Policy(s) => &s.origin,
            Self::Suspension(s) => &s.origin,
        }
    }

    /// Its number: the size of the register with it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        match self {
            Self::Revision(s) => s.number,
            Self::Policy(s) => s.number,
            Self::Suspension(s) => s.number,
        }
    }

    /// The document behind it; may be empty.
    #[must_use]
    pub fn document(&self) -> &str {
        match self {
            Self::Revision(s) => &s.document,
            Self::Policy(s) => &s.document,
            Self::Suspension(s) => &s.document,
        }
    }
}

impl RevisionStatement {
    /// Whether it says this of a list.
    #[must_use]
    pub fn is_of(&self, heads: &ListHeads) -> bool {
        self.list == heads.list && self.names == heads.names
    }
}

fn present<T>(field: &'static str, value: Option<T>) -> Result<T, StatementError> {
    value.ok_or(StatementError::Field { field })
}

fn size(field: &'static str, given: Option<u64>) -> Result<u64, StatementError> {
    present(field, given.filter(|size| *size <= INTEGER_MAX))
}

fn root(field: &'static str, given: Option<&str>) -> Result<Hash, StatementError> {
    present(field, given.and_then(from_hex))
}

/// What is wrong with JSON and where, without a megabyte of somebody's field name.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _place)| what);
    format!("{}, line {}, column {}", excerpt(what), error.line(), error.column())
}

/// `YYYY-MM-DDTHH:MM:SSZ`, nothing else: one instant has one spelling.
fn instant(field: &'static str, given: Option<&str>) -> Result<Timestamp, StatementError> {
    let given = given.ok_or(StatementError::Field { field })?;
    let parsed: Timestamp = given.parse().map_err(|_no_instant| StatementError::Field { field })?;
    let plain = given.len() == 20 && parsed.to_string() == given;
    if plain { Ok(parsed) } else { Err(StatementError::Field { field }) }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
    let mut text = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
    }
    String::from_utf8(text).unwrap_or_default()
}

/// A digest of 64 lower-case hexadecimal digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<Hash> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != 64 {
        return None;
    }
    for (slot, pair) in out.iter_mut().zip(pairs) {
        let [high, low] = pair else { return None };
        *slot = digit(high)? << 4 | digit(low)?;
    }
    Some(out)
}

/// Why bytes are no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementError {
    /// Longer than [`STATEMENT_BYTES_MAX`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not the JSON of a statement.
    Json {
        /// What is wrong, with line and column.
        problem: String,
    },
    /// A type nobody knows.
    Type {
        /// The type.
        given: String,
    },
    /// A field is missing or malformed.
    Field {
        /// Its name.
        field: &'static str,
    },
    /// The same JSON is spelled otherwise in canonical form.
    NotCanonical,
}

impl Refusal for StatementError {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "STATEMENT_TOO_LARGE",
            Self::Json { .. } => "STATEMENT_JSON",
            Self::Type { .. } => "STATEMENT_TYPE",
            Self::Field { .. } => "STATEMENT_FIELD",
            Self::NotCanonical => "STATEMENT_NOT_CANONICAL",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("the statement has {bytes} bytes; at most {STATEMENT_BYTES_MAX}")
            }
            Self::Json { problem } => format!("the statement cannot be read: {problem}"),
            Self::Type { given } => {
                format!(
                    "`{given}` is no type of statement; there are {REVISION}, {POLICY} and {SUSPENSION}"
                )
            }
            Self::Field { field } => format!(
                "the statement's field {field} is missing or malformed; see docs/formats.md"
            ),
            Self::NotCanonical => {
                "the statement is not in the canonical form of RFC 8785; draft it anew".into()
            }
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("声明有{bytes}字节；最多{STATEMENT_BYTES_MAX}字节")
            }
            Self::Json { problem } => format!("声明无法读取：{problem}"),
            Self::Type { given } => {
                format!("`{given}`不是声明类型；应为{REVISION}、{POLICY}或{SUSPENSION}")
            }
            Self::Field { field } => format!("声明的字段{field}缺失或格式错误；见docs/formats.md"),
            Self::NotCanonical => "声明不是RFC 8785规范形式；请重新起草".into(),
        }
    }
}
