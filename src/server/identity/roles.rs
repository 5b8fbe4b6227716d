//! Roles, and which one each method needs: the only place that says so.

use std::fmt;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ask questions.
    Lookup,
    /// Read the register.
    Read,
    /// Hand in proposals. It only opens the door: what is accepted follows from signatures alone.
    Submit,
    /// Operate the service. No method needs it yet.
    Operate,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Lookup, Self::Read, Self::Submit, Self::Operate];

    /// As files, tokens and messages write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Operate => "operate",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles(u8);

impl Roles {
    /// With one more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | role.bit())
    }

    /// Those that both have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// `lookup,read` → both; `None` for anything else than words of roles, at least one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(',');
        words.try_fold(Self::default(), |roles, word| Some(roles.with(Role::of(word)?)))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Role::ALL.into_iter().filter(|role| self.has(*role)).map(Role::word);
        out.write_str(&words.collect::<Vec<_>>().join(","))
    }
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: probes have no credentials.
    Open,
    /// Everybody, unless a setting wants `read`.
    Reflection,
    /// Who has the role.
    Needs(Role),
}

/// Every method, by its path, the most frequent first.
pub const METHODS: [(&str, Access); 17] = [
    ("/clearlist.v1.ClearanceService/CheckClearance", Access::Needs(Role::Lookup)),
    ("/clearlist.v1.ClearanceService/BatchCheckClearance", Access::Needs(Role::Lookup)),
    ("/clearlist.v1.ClearanceService/StreamCheckClearance", Access::Needs(Role::Lookup)),
    ("/clearlist.v1.ClearanceService/SearchMaterials", Access::Needs(Role::Lookup)),
    ("/grpc.health.v1.Health/Check", Access::Open),
    ("/grpc.health.v1.Health/Watch", Access::Open),
    ("/clearlist.v1.RegisterService/GetRegister", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/GetRevision", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/ListRevisions", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/DiffRevisions", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/ListEntries", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/ExportRevision", Access::Needs(Role::Read)),
    ("/clearlist.v1.RegisterService/WatchRegister", Access::Needs(Role::Read)),
    ("/clearlist.v1.AdminService/ValidateProposal", Access::Needs(Role::Submit)),
    ("/clearlist.v1.AdminService/SubmitProposal", Access::Needs(Role::Submit)),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access::Reflection),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Access::Reflection),
];

/// Who may call the method of a path; nobody may call one that is not there.
#[must_use]
pub fn access(path: &str) -> Option<Access> {
    METHODS.iter().find(|(method, _)| *method == path).map(|(_, access)| *access)
}
