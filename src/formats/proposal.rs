//! The proposal file: one JSON file that goes from hand to hand until enough agencies signed. It
//! carries all that is needed to check it without a network; what it says is believed only after
//! [`check`].

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::message::{Refusal, excerpt};
use crate::register::checkpoint::Checkpoint;
use crate::register::merkle::{Frontier, Hash, leaf_hash};
use crate::register::note::{Note, NoteError, NoteSigner, SignatureLine, VerifierKey, attached};
use crate::register::record::TreeHead;
use crate::register::statement::{Statement, from_hex, to_hex};

use super::list_csv::ListFiles;

mod check;
mod fault;

pub use check::{Checked, Examined, Held, SignatureSeen, check, check_base, examine};
pub use fault::Fault;

/// Largest proposal file, in bytes: two lists, as JSON.
pub const PROPOSAL_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Most statements of a register: what JSON numbers hold exactly everywhere.
const SIZE_MAX: u64 = (1 << 53) - 1;
/// What the file says it is.
const FORMAT: &str = "clearlist/proposal/v1";

/// A proposal file, read and not yet believed.
#[derive(Debug, Clone)]
pub struct ProposalFile {
    /// The statement: JSON in canonical form.
    pub statement: String,
    /// The checkpoint of the register with the statement: a signed note.
    pub checkpoint: String,
    /// The list of a revision.
    pub list: Option<ListFiles>,
    /// What it was drafted on.
    pub base: Base,
}

/// A register as it stands, as far as the next statement needs it.
#[derive(Debug, Clone)]
pub struct Base {
    /// The policy that the next statement must satisfy.
    pub policy: String,
    /// Number of statements.
    pub size: u64,
    /// Roots of the complete subtrees of the register tree, largest first.
    pub frontier: Vec<Hash>,
    /// The newest checkpoint, a signed note; empty for a register without statements.
    pub checkpoint: String,
    /// The newest revision, if there is one.
    pub newest: Option<BaseRevision>,
}

impl Base {
    /// The right edge of the register tree; `None` if the hashes are not as many as its size
    /// has, or the register is larger than any.
    #[must_use]
    pub fn frontier(&self) -> Option<Frontier> {
        Frontier::new(self.size, self.frontier.clone())
            .filter(|frontier| frontier.size() < SIZE_MAX)
    }
}

/// The newest revision of a register.
#[derive(Debug, Clone)]
pub struct BaseRevision {
    /// Its number.
    pub number: u64,
    /// Its statement: JSON in canonical form.
    pub statement: String,
    /// Proof that the statement is in the register tree, siblings from the leaf up.
    pub inclusion: Vec<Hash>,
    /// Its list.
    pub list: ListFiles,
}

/// The file's JSON. Not one field more, and what may be left out is never `null`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a proposal")]
struct Wire {
    format: String,
    statement: String,
    checkpoint: String,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    list: Option<WireList>,
    base: WireBase,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the three files of a list")]
struct WireList {
    #[serde(rename = "schemes.csv")]
    schemes: String,
    #[serde(rename = "enterprises.csv")]
    enterprises: String,
    #[serde(rename = "entries.csv")]
    entries: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the register it was drafted on")]
struct WireBase {
    policy: String,
    size: u64,
    frontier_sha256: Vec<String>,
    checkpoint: String,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    inclusion_sha256: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    list: Option<WireList>,
}

/// A field that may be absent, and is no `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl ProposalFile {
    /// Reads a proposal file.
    ///
    /// # Errors
    /// [`ProposalError`]: not the JSON of a proposal, or not one this version knows.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProposalError> {
        if bytes.len() > PROPOSAL_BYTES_MAX {
            return Err(ProposalError::TooLarge { bytes: bytes.len() });
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| {
            let problem = excerpt(&error.to_string());
            ProposalError::Json { line: error.line(), column: error.column(), problem }
        })?;
        if wire.format != FORMAT {
            return Err(ProposalError::Format { given: excerpt(&wire.format) });
        }
        Ok(Self {
            statement: wire.statement,
            checkpoint: wire.checkpoint,
            list: wire.list.map(list_files),
            base: base(wire.base)?,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`ProposalError::Field`]: a list file is not UTF-8, which no list that passed lint is.
    pub fn to_json(&self) -> Result<String, ProposalError> {
        let hex = |hashes: &[Hash]| hashes.iter().map(|hash| to_hex(hash)).collect();
        let newest = self.base.newest.as_ref();
        let wire = Wire {
            format: FORMAT.to_owned(),
            statement: self.statement.clone(),
            checkpoint: self.checkpoint.clone(),
            list: self.list.as_ref().map(|list| wire_list("list", list)).transpose()?,
            base: WireBase {
                policy: self.base.policy.clone(),
                size: self.base.size,
                frontier_sha256: hex(&self.base.frontier),
                checkpoint: self.base.checkpoint.clone(),
                number: newest.map(|revision| revision.number),
                statement: newest.map(|revision| revision.statement.clone()),
                inclusion_sha256: newest.map(|revision| hex(&revision.inclusion)),
                list: newest.map(|revision| wire_list("base.list", &revision.list)).transpose()?,
            },
        };
        let text = serde_json::to_string_pretty(&wire)
            .map_err(|_unwritable| ProposalError::Field { field: "format" })?;
        Ok(text + "\n")
    }

    /// A proposal of a statement on a register: the checkpoint is computed and signed with the
    /// log key. Nothing is checked; see [`check`].
    ///
    /// # Errors
    /// [`ProposalError::Field`]: the base has no such frontier, or the origin is no line.
    pub fn draft(
        base: Base,
        statement: &Statement,
        list: Option<ListFiles>,
        log: &NoteSigner,
        now: Timestamp,
    ) -> Result<Self, ProposalError> {
        let statement_bytes = statement.to_bytes();
        let frontier =
            base.frontier().ok_or(ProposalError::Field { field: "base.frontier_sha256" })?;
        let next = frontier.with(leaf_hash(&statement_bytes));
        let head = TreeHead { size: next.size(), root: next.root() };
        let mut checkpoint = Checkpoint::unsigned(statement.origin(), head)
            .ok_or(ProposalError::Field { field: "statement" })?;
        let line = log.sign(checkpoint.note().text(), now);
        checkpoint.note_mut().add(line);
        let statement = String::from_utf8(statement_bytes)
            .map_err(|_no_utf8| ProposalError::Field { field: "statement" })?;
        Ok(Self { statement, checkpoint: checkpoint.note().to_string(), list, base })
    }

    /// The proposal with one signature more.
    ///
    /// # Errors
    /// [`NoteError`]: its checkpoint cannot be read.
    pub fn with_signature(self, line: SignatureLine) -> Result<Self, NoteError> {
        let mut note = Note::parse(self.checkpoint.as_bytes())?;
        note.add(line);
        Ok(Self { checkpoint: note.to_string(), ..self })
    }

    /// The proposal with a signature that was made elsewhere.
    ///
    /// # Errors
    /// [`NoteError`]: the checkpoint cannot be read, or the key did not sign it at that second.
    pub fn with_attached(
        self,
        signer: &VerifierKey,
        at: Timestamp,
        signature: &[u8],
    ) -> Result<Self, NoteError> {
        let note = Note::parse(self.checkpoint.as_bytes())?;
        let line = attached(signer, note.text(), at, signature)?;
        self.with_signature(line)
    }

    /// The proposal with the signatures of another copy of it.
    ///
    /// # Errors
    /// [`MergeError`]: it is no copy.
    pub fn merged(self, other: &Self) -> Result<Self, MergeError> {
        let read = |copy: &Self| Note::parse(copy.checkpoint.as_bytes()).map_err(MergeError::Note);
        let (mut note, others) = (read(&self)?, read(other)?);
        if self.statement != other.statement {
            return Err(MergeError::Statement);
        }
        if note.text() != others.text() {
            return Err(MergeError::Checkpoint);
        }
        if self.base.policy != other.base.policy {
            return Err(MergeError::Policy);
        }
        for line in others.signatures() {
            note.add(line.clone());
        }
        Ok(Self { checkpoint: note.to_string(), ..self })
    }
}

fn list_files(wire: WireList) -> ListFiles {
    ListFiles {
        schemes: wire.schemes.into_bytes(),
        enterprises: wire.enterprises.into_bytes(),
        entries: wire.entries.into_bytes(),
    }
}

fn wire_list(field: &'static str, files: &ListFiles) -> Result<WireList, ProposalError> {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).map_err(|_no_utf8| ProposalError::Field { field })
    };
    Ok(WireList {
        schemes: text(&files.schemes)?,
        enterprises: text(&files.enterprises)?,
        entries: text(&files.entries)?,
    })
}

fn base(wire: WireBase) -> Result<Base, ProposalError> {
    let newest = match (wire.number, wire.statement, wire.inclusion_sha256, wire.list) {
        (None, None, None, None) => None,
        (Some(number), Some(statement), Some(inclusion), Some(list)) => Some(BaseRevision {
            number,
            statement,
            inclusion: hashes("base.inclusion_sha256", &inclusion)?,
            list: list_files(list),
        }),
        _ => return Err(ProposalError::BaseIncomplete),
    };
    Ok(Base {
        policy: wire.policy,
        size: wire.size,
        frontier: hashes("base.frontier_sha256", &wire.frontier_sha256)?,
        checkpoint: wire.checkpoint,
        newest,
    })
}

fn hashes(field: &'static str, texts: &[String]) -> Result<Vec<Hash>, ProposalError> {
    texts.iter().map(|text| from_hex(text).ok_or(ProposalError::Field { field })).collect()
}

/// Why a file is no proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalError {
    /// Longer than [`PROPOSAL_BYTES_MAX`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not the JSON of a proposal.
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Another format, or another version of it.
    Format {
        /// What it says it is.
        given: String,
    },
    /// A field is malformed.
    Field {
        /// Its name.
        field: &'static str,
    },
    /// Of the newest revision some fields are there and some not.
    BaseIncomplete,
}

impl Refusal for ProposalError {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "PROPOSAL_TOO_LARGE",
            Self::Json { .. } => "PROPOSAL_JSON",
            Self::Format { .. } => "PROPOSAL_FORMAT",
            Self::Field { .. } | Self::BaseIncomplete => "PROPOSAL_FIELD",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("the proposal file has {bytes} bytes; at most {PROPOSAL_BYTES_MAX}")
            }
            Self::Json { line, column, problem } => format!(
                "the proposal file cannot be read at line {line}, column {column}: {problem}; get it again from whoever sent it"
            ),
            Self::Format { given } => {
                format!("the file says it is `{given}`; {FORMAT} is read here")
            }
            Self::Field { field } => format!("the proposal file's field {field} is malformed"),
            Self::BaseIncomplete => "the proposal file's base has some of number, statement, inclusion_sha256 and list; all belong together".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::TooLarge { bytes } => {
                format!("提案文件有{bytes}字节；最多{PROPOSAL_BYTES_MAX}字节")
            }
            Self::Json { line, column, problem } => {
                format!("提案文件第{line}行第{column}列无法读取：{problem}；请向发送方重新索取")
            }
            Self::Format { given } => format!("文件自称`{given}`；此处读取{FORMAT}"),
            Self::Field { field } => format!("提案文件的字段{field}格式错误"),
            Self::BaseIncomplete => {
                "提案文件的base只有number、statement、inclusion_sha256、list中的一部分；四者缺一不可"
                    .into()
            }
        }
    }
}

/// Why two files are not copies of one proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeError {
    /// One of them has no checkpoint that can be read.
    Note(NoteError),
    /// Their statements differ.
    Statement,
    /// They would make different registers of it.
    Checkpoint,
    /// They were drafted under different policies.
    Policy,
}

impl Refusal for MergeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Note(error) => error.reason(),
            Self::Statement | Self::Checkpoint | Self::Policy => "PROPOSALS_DIFFER",
        }
    }

    fn english(&self) -> String {
        let what = match self {
            Self::Note(error) => return error.english(),
            Self::Statement => "statements",
            Self::Checkpoint => "checkpoints",
            Self::Policy => "policies",
        };
        format!("these are different proposals, their {what} differ; merge copies of one only")
    }

    fn chinese(&self) -> String {
        let what = match self {
            Self::Note(error) => return error.chinese(),
            Self::Statement => "声明",
            Self::Checkpoint => "检查点",
            Self::Policy => "签署规则",
        };
        format!("不是同一份提案：{what}不同；只能合并同一提案的副本")
    }
}
