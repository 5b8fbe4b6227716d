//! Who may sign: a C2SP tlog-policy with one log and a quorum of agencies, and whether a
//! checkpoint satisfies it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::domain::message::{Refusal, excerpt};

use super::checkpoint::Checkpoint;
use super::note::{KeyError, NoteError, Role, SIGNATURES_MAX, VerifierKey};

/// Largest policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;
/// Most agencies, and most groups: with the log key's, as many signatures as a note holds, so
/// that no policy asks for more.
pub const MEMBERS_MAX: usize = SIGNATURES_MAX - 1;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    text: String,
    log: VerifierKey,
    /// Agencies and groups in the order of their lines; members stand before their group.
    members: Vec<(Box<str>, Member)>,
    quorum: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Agency(VerifierKey),
    Group { needed: usize, of: Vec<usize> },
}

/// A checkpoint that satisfied a policy. Nothing else can build one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    cosigned: Vec<(String, Timestamp)>,
}

impl Quorum {
    /// The agencies that cosigned, and when they say they did.
    #[must_use]
    pub fn cosigned(&self) -> &[(String, Timestamp)] {
        &self.cosigned
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with the line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::at(0, Fault::TooLarge));
        }
        let mut reading = Reading::default();
        for (line, content) in (1..).zip(text.split('\n')) {
            reading.line(content).map_err(|fault| PolicyError::at(line, fault))?;
        }
        let log = reading.log.ok_or(PolicyError::at(0, Fault::NoLog))?;
        let quorum = reading.quorum.ok_or(PolicyError::at(0, Fault::NoQuorum))?;
        Ok(Self { text: text.to_owned(), log, members: reading.members, quorum })
    }

    /// The policy as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The register it is for: the name of its log key.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.log.name()
    }

    /// The log key.
    #[must_use]
    pub const fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The agencies: their name in the policy and their key.
    pub fn agencies(&self) -> impl Iterator<Item = (&str, &VerifierKey)> {
        self.members.iter().filter_map(|(name, member)| match member {
            Member::Agency(key) => Some((&**name, key)),
            Member::Group { .. } => None,
        })
    }

    /// Checks the signatures of a checkpoint.
    ///
    /// # Errors
    /// [`QuorumError`]: a known key's signature is bad, the log key's is missing, or too few
    /// agencies cosigned.
    pub fn quorum(&self, checkpoint: &Checkpoint) -> Result<Quorum, QuorumError> {
        let note = checkpoint.note();
        // Everything that a known key is said to have signed is checked, the log key first, even
        // where the quorum would do without it.
        let log = note.verified_by(&self.log).map_err(QuorumError::Note)?;
        let mut cosigned = Vec::new();
        let mut repeated = Vec::new();
        let mut has: Vec<bool> = Vec::with_capacity(self.members.len());
        for (name, member) in &self.members {
            let met = match member {
                Member::Agency(key) => {
                    let times = note.verified_by(key).map_err(QuorumError::Note)?;
                    if times.len() > 1 {
                        repeated.push(key.name().to_owned());
                    }
                    // However often it signed, an agency counts once, with its last time.
                    let last = times.into_iter().flatten().max();
                    cosigned.extend(last.map(|at| (name.to_string(), at)));
                    last.is_some()
                }
                Member::Group { needed, of } => count(&has, of) >= *needed,
            };
            has.push(met);
        }
        if log.is_empty() {
            return Err(QuorumError::LogSignature { log: self.log.name().to_owned() });
        }
        if has.get(self.quorum) != Some(&true) {
            // A new key under an agency's old name is unknown too, and would look like no
            // signature at all.
            let known =
                |line| self.log.made(line) || self.agencies().any(|(_, key)| key.made(line));
            let unknown = note.signatures().iter().filter(|line| !known(line));
            return Err(QuorumError::NotMet {
                lacking: self.lacking(self.quorum, &has),
                unknown: unknown.map(|line| line.name().to_owned()).collect(),
                repeated,
            });
        }
        Ok(Quorum { cosigned })
    }

    /// What a member that is not satisfied lacks: the group that lacks signatures directly.
    fn lacking(&self, member: usize, has: &[bool]) -> Vec<Lacking> {
        let Some((name, rule)) = self.members.get(member) else { return Vec::new() };
        match rule {
            Member::Agency(_) => vec![Lacking {
                group: name.to_string(),
                needed: 1,
                signed: 0,
                absent: vec![name.to_string()],
            }],
            Member::Group { needed, of } => {
                let without = of.iter().filter(|m| has.get(**m) != Some(&true));
                let name_of = |m: &usize| self.members.get(*m).map(|(n, _)| n.to_string());
                let mut out = vec![Lacking {
                    group: name.to_string(),
                    needed: *needed,
                    signed: count(has, of),
                    absent: without.clone().filter_map(name_of).collect(),
                }];
                for inner in without {
                    if matches!(self.members.get(*inner), Some((_, Member::Group { .. }))) {
                        out.extend(self.lacking(*inner, has));
                    }
                }
                out
            }
        }
    }
}

fn count(has: &[bool], of: &[usize]) -> usize {
    of.iter().filter(|member| has.get(**member) == Some(&true)).count()
}

/// A policy as far as it is read.
#[derive(Default)]
struct Reading {
    log: Option<VerifierKey>,
    members: Vec<(Box<str>, Member)>,
    places: HashMap<Box<str>, usize>,
    taken: HashSet<usize>,
    quorum: Option<usize>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), Fault> {
        if line.chars().any(|c| (c < ' ' && c != '\t') || c == '\u{7f}') {
            return Err(Fault::Form);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", vkey] | ["log", vkey, _] => self.log(vkey),
            ["witness", name, vkey] | ["witness", name, vkey, _] => self.agency(name, vkey),
            ["group", name, needed, of @ ..] if !of.is_empty() => self.group(name, needed, of),
            ["quorum", "none"] => Err(Fault::QuorumNone),
            ["quorum", name] if self.quorum.is_none() => {
                self.quorum = Some(self.known(name)?);
                Ok(())
            }
            _ => Err(Fault::Form),
        }
    }

    fn log(&mut self, vkey: &str) -> Result<(), Fault> {
        let key = VerifierKey::parse(vkey).map_err(Fault::Key)?;
        if self.log.is_some() {
            return Err(Fault::SecondLog);
        }
        if key.role() != Role::Note {
            return Err(Fault::Role { name: key.name().to_owned() });
        }
        self.unused(&key)?;
        self.log = Some(key);
        Ok(())
    }

    fn agency(&mut self, name: &str, vkey: &str) -> Result<(), Fault> {
        let key = VerifierKey::parse(vkey).map_err(Fault::Key)?;
        if key.role() != Role::Cosigner {
            return Err(Fault::Role { name: key.name().to_owned() });
        }
        self.unused(&key)?;
        self.define(name, Member::Agency(key))
    }

    /// One key under two names would let one holder sign for two.
    fn unused(&self, key: &VerifierKey) -> Result<(), Fault> {
        let agencies = self.members.iter().filter_map(|(_, member)| match member {
            Member::Agency(other) => Some(other),
            Member::Group { .. } => None,
        });
        match agencies.chain(&self.log).find(|other| other.is_same_key(key)) {
            Some(other) => {
                Err(Fault::KeyTwice { name: key.name().to_owned(), other: other.name().to_owned() })
            }
            None => Ok(()),
        }
    }

    fn group(&mut self, name: &str, needed: &str, of: &[&str]) -> Result<(), Fault> {
        let mut members = Vec::with_capacity(of.len());
        for member in of {
            let place = self.known(member)?;
            if !self.taken.insert(place) {
                return Err(Fault::MemberTwice { name: excerpt(member) });
            }
            members.push(place);
        }
        let needed = match needed {
            "any" => 1,
            "all" => members.len(),
            number => {
                let plain = number.bytes().all(|b| b.is_ascii_digit());
                number.parse().ok().filter(|_| plain).ok_or(Fault::Form)?
            }
        };
        if needed == 0 || needed > members.len() {
            return Err(Fault::Threshold { needed, members: members.len() });
        }
        self.define(name, Member::Group { needed, of: members })
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), Fault> {
        if name == "none" || self.places.contains_key(name) {
            return Err(Fault::NameTwice { name: excerpt(name) });
        }
        let is_agency = |member: &Member| matches!(member, Member::Agency(_));
        let alike = |other: &&(Box<str>, Member)| is_agency(&other.1) == is_agency(&member);
        if self.members.iter().filter(alike).count() == MEMBERS_MAX {
            return Err(Fault::TooLarge);
        }
        self.places.insert(name.into(), self.members.len());
        self.members.push((name.into(), member));
        Ok(())
    }

    fn known(&self, name: &str) -> Result<usize, Fault> {
        self.places.get(name).copied().ok_or_else(|| Fault::Unknown { name: excerpt(name) })
    }
}

/// Why a policy is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Line, from 1; 0 for the policy as a whole.
    pub line: usize,
    fault: Fault,
}

impl PolicyError {
    const fn at(line: usize, fault: Fault) -> Self {
        Self { line, fault }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    TooLarge,
    Form,
    NoLog,
    SecondLog,
    NoQuorum,
    QuorumNone,
    Key(KeyError),
    Role { name: String },
    KeyTwice { name: String, other: String },
    NameTwice { name: String },
    MemberTwice { name: String },
    Unknown { name: String },
    Threshold { needed: usize, members: usize },
}

impl Refusal for PolicyError {
    fn reason(&self) -> &'static str {
        match &self.fault {
            Fault::Key(error) => error.reason(),
            Fault::KeyTwice { .. } => "KEY_REPEATED",
            _ => "POLICY_INVALID",
        }
    }

    fn english(&self) -> String {
        let what = match &self.fault {
            Fault::TooLarge => format!(
                "more than {POLICY_BYTES_MAX} bytes or {MEMBERS_MAX} agencies and as many groups"
            ),
            Fault::Form => {
                "not a line of a policy; there are log, witness, group and quorum".into()
            }
            Fault::NoLog => "there is no log line".into(),
            Fault::SecondLog => "a register has one log; this is the second".into(),
            Fault::NoQuorum => "there is no quorum line".into(),
            Fault::QuorumNone => {
                "a register needs a quorum; `quorum none` lets the log key alone decide".into()
            }
            Fault::Key(error) => error.english(),
            Fault::Role { name } => format!(
                "the key `{name}` has the wrong type; a log key has type 0x01, a witness key 0x04"
            ),
            Fault::KeyTwice { name, other } => {
                format!("`{name}` and `{other}` are one key under two names")
            }
            Fault::NameTwice { name } => format!("the name `{name}` is taken"),
            Fault::MemberTwice { name } => {
                format!("`{name}` is in a group already; nobody counts twice")
            }
            Fault::Unknown { name } => format!("`{name}` is not defined above this line"),
            Fault::Threshold { needed, members } => {
                format!("{needed} of {members} members can never be met or asks for nobody")
            }
        };
        if self.line == 0 {
            format!("policy: {what}")
        } else {
            format!("policy line {}: {what}", self.line)
        }
    }

    fn chinese(&self) -> String {
        let what = match &self.fault {
            Fault::TooLarge => {
                format!("超过{POLICY_BYTES_MAX}字节，或超过{MEMBERS_MAX}个机构及同样多的组")
            }
            Fault::Form => "不是签署规则的有效行；应为log、witness、group或quorum".into(),
            Fault::NoLog => "缺少log行".into(),
            Fault::SecondLog => "一个登记簿只有一个log；此为第二个".into(),
            Fault::NoQuorum => "缺少quorum行".into(),
            Fault::QuorumNone => "登记簿必须有法定签署数；quorum none等于由日志密钥单独决定".into(),
            Fault::Key(error) => error.chinese(),
            Fault::Role { name } => {
                format!("密钥`{name}`类型不符；日志密钥为0x01，机构密钥为0x04")
            }
            Fault::KeyTwice { name, other } => format!("`{name}`与`{other}`是同一密钥的两个名称"),
            Fault::NameTwice { name } => format!("名称`{name}`已被使用"),
            Fault::MemberTwice { name } => format!("`{name}`已属于一个组；不得重复计数"),
            Fault::Unknown { name } => format!("`{name}`在此行之前没有定义"),
            Fault::Threshold { needed, members } => {
                format!("{members}个成员中的{needed}个无法满足，或等于无人签署")
            }
        };
        if self.line == 0 {
            format!("签署规则：{what}")
        } else {
            format!("签署规则第{}行：{what}", self.line)
        }
    }
}

/// What a group lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Name of the group, or of the single agency.
    pub group: String,
    /// How many members must have signed.
    pub needed: usize,
    /// How many have.
    pub signed: usize,
    /// Members that have not.
    pub absent: Vec<String>,
}

/// Why a checkpoint does not satisfy a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuorumError {
    /// A known key's signature is bad.
    Note(NoteError),
    /// The log key has not signed.
    LogSignature {
        /// Name of the log key.
        log: String,
    },
    /// Too few agencies cosigned.
    NotMet {
        /// What is missing, from the quorum down.
        lacking: Vec<Lacking>,
        /// Names on signature lines that the policy does not know.
        unknown: Vec<String>,
        /// Agencies that signed more than once; they count once.
        repeated: Vec<String>,
    },
}

impl Refusal for QuorumError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Note(error) => error.reason(),
            Self::LogSignature { .. } => "LOG_SIGNATURE_MISSING",
            Self::NotMet { .. } => "QUORUM_NOT_MET",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Note(error) => error.english(),
            Self::LogSignature { log } => {
                format!("the log key `{log}` has not signed the checkpoint")
            }
            Self::NotMet { lacking, unknown, repeated } => {
                let groups = lacking.iter().map(|l| {
                    let (group, absent) = (&l.group, l.absent.join(", "));
                    format!("`{group}` has {} of {}, without {absent}", l.signed, l.needed)
                });
                let mut parts: Vec<String> = groups.collect();
                if !unknown.is_empty() {
                    parts.push(format!("not in the policy: {}", excerpt(&unknown.join(", "))));
                }
                if !repeated.is_empty() {
                    parts.push(format!("signed twice and counted once: {}", repeated.join(", ")));
                }
                format!("too few agencies have signed: {}", parts.join("; "))
            }
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Note(error) => error.chinese(),
            Self::LogSignature { log } => format!("日志密钥`{log}`没有签署检查点"),
            Self::NotMet { lacking, unknown, repeated } => {
                let groups = lacking.iter().map(|l| {
                    let (group, absent) = (&l.group, l.absent.join("、"));
                    format!("`{group}`需{}个、已有{}个，缺{absent}", l.needed, l.signed)
                });
                let mut parts: Vec<String> = groups.collect();
                if !unknown.is_empty() {
                    parts.push(format!("不在签署规则内：{}", excerpt(&unknown.join("、"))));
                }
                if !repeated.is_empty() {
                    parts.push(format!("重复签署只计一次：{}", repeated.join("、")));
                }
                format!("签署机构不足：{}", parts.join("；"))
            }
        }
    }
}
