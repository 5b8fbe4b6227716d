//! The golden register: its keys, and everything it was told.

use std::fmt::Write as _;

use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::record::ListHeads;
use clearlist::register::statement::{
    PolicyStatement, RevisionStatement, Statement, SuspensionStatement,
};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;

use super::files::list;

/// Name of the register.
pub(crate) const ORIGIN: &str = "register.example/white-list";
/// Opens `sealed.key`.
pub(crate) const PASSPHRASE: &[u8] = b"golden passphrase";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A key whose seed is one byte, 32 times.
pub(crate) fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

/// The log key and the agencies: the name in the policy, the key, its seed.
pub(crate) struct Keys {
    pub(crate) log: NoteSigner,
    pub(crate) agencies: [(&'static str, NoteSigner, u8); 4],
}

impl Keys {
    pub(crate) fn new() -> Self {
        let names = [("customs", 2), ("drugs", 3), ("science", 4), ("health", 5)];
        let agency = |(name, seed): (&'static str, u8)| {
            (name, signer(&format!("{name}.example"), Role::Cosigner, seed), seed)
        };
        Self { log: signer(ORIGIN, Role::Note, 1), agencies: names.map(agency) }
    }

    pub(crate) fn agency(&self, name: &str) -> &NoteSigner {
        let found = self.agencies.iter().find(|(known, ..)| *known == name);
        &found.expect("an agency").1
    }

    /// Two of three agencies.
    pub(crate) fn policy(&self, names: [&str; 3]) -> String {
        let mut out = format!("# Two of three agencies.\nlog {}\n", self.log.verifier());
        for name in names {
            writeln!(out, "witness {name} {}", self.agency(name).verifier()).expect("written");
        }
        writeln!(out, "group agencies 2 {}\nquorum agencies", names.join(" ")).expect("written");
        out
    }

    pub(crate) fn first_policy(&self) -> String {
        self.policy(["customs", "drugs", "science"])
    }

    pub(crate) fn second_policy(&self) -> String {
        self.policy(["customs", "drugs", "health"])
    }
}

/// A statement of the golden register: who cosigned it when, when it was accepted.
pub(crate) struct Step {
    pub(crate) statement: Statement,
    pub(crate) list: Option<&'static str>,
    pub(crate) cosigned: [(&'static str, &'static str); 2],
    pub(crate) accepted: &'static str,
}

fn revision(number: u64, list_name: &str, effective: &str, expires: &str) -> Statement {
    let heads = ListHeads::of(&list(list_name));
    Statement::Revision(RevisionStatement {
        origin: ORIGIN.into(),
        number,
        list: heads.list,
        names: heads.names,
        normal_form_version: 1,
        effective: at(effective),
        expires: at(expires),
        document: "公告1号 \"试行\"".into(),
    })
}

/// Everything the golden register was told, in order. It expired long ago, and opens.
pub(crate) fn steps(keys: &Keys) -> Vec<Step> {
    let policy = Statement::Policy(PolicyStatement {
        origin: ORIGIN.into(),
        number: 2,
        policy: keys.second_policy(),
        document: String::new(),
    });
    let suspension = Statement::Suspension(SuspensionStatement {
        origin: ORIGIN.into(),
        number: 3,
        entries: vec!["E-1".into()],
        enterprises: vec!["91110108EXAMPLE11C".into()],
        effective: at("2026-03-01T00:00:00Z"),
        document: "紧急通知".into(),
    });
    vec![
        Step {
            statement: revision(1, "list-1", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"),
            list: Some("list-1"),
            cosigned: [("customs", "2025-12-30T02:00:00Z"), ("drugs", "2025-12-30T03:00:00Z")],
            accepted: "2025-12-30T04:00:00Z",
        },
        Step {
            statement: policy,
            list: None,
            cosigned: [("customs", "2026-02-01T02:00:00Z"), ("drugs", "2026-02-01T03:00:00Z")],
            accepted: "2026-02-01T04:00:00Z",
        },
        Step {
            statement: suspension,
            list: None,
            cosigned: [("drugs", "2026-03-01T02:00:00Z"), ("health", "2026-03-01T03:00:00Z")],
            accepted: "2026-03-01T04:00:00Z",
        },
        Step {
            statement: revision(4, "list-2", "2026-04-01T00:00:00Z", "2026-10-01T00:00:00Z"),
            list: Some("list-2"),
            cosigned: [("customs", "2026-03-30T02:00:00Z"), ("health", "2026-03-30T03:00:00Z")],
            accepted: "2026-03-30T04:00:00Z",
        },
    ]
}

/// The service's key.
pub(crate) fn service_key() -> NoteSigner {
    signer(&format!("{ORIGIN}/service"), Role::Note, 6)
}
