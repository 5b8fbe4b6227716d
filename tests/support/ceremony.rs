//! What tests of a register share: three example agencies, proposals they sign, a register in a
//! directory of its own, served over a real socket.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clearlist::config::Settings;
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::grpc::proto::v1;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::history::Register;
use clearlist::register::merkle::leaf_hash;
use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::record::ListHeads;
use clearlist::register::statement::SuspensionStatement;
use clearlist::register::statement::{PolicyStatement, RevisionStatement, Statement};
use clearlist::register::step::next_head;
use clearlist::server::{self, Parts};
use clearlist::service::decisions::DecisionLog;
use clearlist::service::intake::{Submission, accept};
use clearlist::service::opening;
use clearlist::service::running::Running;
use ed25519_dalek::SigningKey;
use jiff::{SignedDuration, Timestamp};

/// Name of the register.
pub const ORIGIN: &str = "clearlist.example/test";

/// A key that is the same in every run.
pub fn signer(name: &str, role: Role, seed: u8) -> NoteSigner {
    NoteSigner::new(name, role, SigningKey::from_bytes(&[seed; 32])).expect("a good name")
}

/// The log key and three agencies, of which two must sign.
pub struct Keys {
    pub log: NoteSigner,
    pub agencies: Vec<NoteSigner>,
}

impl Keys {
    /// Keys of a generation: another generation has other agencies under the same log key.
    pub fn new(generation: u8) -> Self {
        let name = |nth: u8| format!("agency{nth}.example/{generation}");
        let agency = |nth: u8| signer(&name(nth), Role::Cosigner, generation * 10 + nth);
        Self { log: signer(ORIGIN, Role::Note, 200), agencies: (1..=3).map(agency).collect() }
    }

    /// Two of three.
    pub fn policy(&self) -> String {
        let log = format!("log {}", self.log.verifier());
        let witness = |(nth, agency): (usize, &NoteSigner)| {
            format!("witness a{} {}", nth + 1, agency.verifier())
        };
        let agencies = self.agencies.iter().enumerate().map(witness);
        let lines: Vec<String> = std::iter::once(log).chain(agencies).collect();
        lines.join("\n") + "\ngroup agencies 2 a1 a2 a3\nquorum agencies\n"
    }

    /// The log key and the first two agencies.
    pub fn quorum(&self) -> Vec<&NoteSigner> {
        std::iter::once(&self.log).chain(self.agencies.iter().take(2)).collect()
    }
}

/// Now, to the second.
pub fn now() -> Timestamp {
    Timestamp::from_second(server::now().as_second()).expect("now is a time")
}

/// So many seconds from now.
pub fn in_seconds(seconds: i64) -> Timestamp {
    now().saturating_add(SignedDuration::from_secs(seconds)).expect("a time")
}

/// The next revision of a register: in force for a day from a minute ago.
pub fn revision(register: &Register, files: &ListFiles) -> RevisionStatement {
    let list = list_csv::read(files).expect("a good list").list;
    let heads = ListHeads::of(&list);
    RevisionStatement {
        origin: register.origin().to_owned(),
        number: register.size() + 1,
        list: heads.list,
        names: heads.names,
        normal_form_version: 1,
        effective: in_seconds(-60),
        expires: in_seconds(86_400),
        document: "test".into(),
    }
}

/// The next policy change of a register.
pub fn policy_change(register: &Register, policy: &str) -> Statement {
    Statement::Policy(PolicyStatement {
        origin: register.origin().to_owned(),
        number: register.size() + 1,
        policy: policy.to_owned(),
        document: String::new(),
    })
}

/// The next suspension of a register: these entries, from a minute ago.
pub fn suspension(register: &Register, entries: &[&str]) -> Statement {
    Statement::Suspension(SuspensionStatement {
        origin: register.origin().to_owned(),
        number: register.size() + 1,
        entries: entries.iter().map(ToString::to_string).collect(),
        enterprises: Vec::new(),
        effective: in_seconds(-60),
        document: String::new(),
    })
}

/// The checkpoint of a register with these bytes as its next statement, signed.
pub fn checkpoint(register: &Register, statement: &[u8], signers: &[&NoteSigner]) -> Vec<u8> {
    let head = next_head(register, leaf_hash(statement));
    sign(Checkpoint::unsigned(register.origin(), head).expect("a good origin"), signers)
}

/// A checkpoint with signatures of now.
pub fn sign(mut checkpoint: Checkpoint, signers: &[&NoteSigner]) -> Vec<u8> {
    for signer in signers {
        let line = signer.sign(checkpoint.note().text(), now());
        checkpoint.note_mut().add(line);
    }
    checkpoint.note().to_string().into_bytes()
}

/// A proposal, signed.
pub fn propose(
    register: &Register,
    statement: &Statement,
    files: Option<&ListFiles>,
    signers: &[&NoteSigner],
) -> v1::Proposal {
    let bytes = statement.to_bytes();
    let checkpoint = checkpoint(register, &bytes, signers);
    v1::Proposal {
        statement: bytes.into(),
        checkpoint: checkpoint.into(),
        list: files.map(|files| v1::ListFiles {
            schemes_csv: files.schemes.clone().into(),
            enterprises_csv: files.enterprises.clone().into(),
            entries_csv: files.entries.clone().into(),
        }),
    }
}

/// A register directory and its keys. The directory is removed when this is dropped.
pub struct Place {
    directory: tempfile::TempDir,
    pub keys: Keys,
}

impl Place {
    /// A register without statements.
    pub fn empty() -> Self {
        let (directory, keys) = (tempfile::tempdir().expect("a directory"), Keys::new(1));
        opening::make(&directory.path().join("register"), &keys.policy()).expect("a register");
        Self { directory, keys }
    }

    /// A register with one revision.
    pub fn with(files: &ListFiles) -> Self {
        let place = Self::empty();
        place.add(files, |_| ());
        place
    }

    /// Adds a revision without a server.
    pub fn add(&self, files: &ListFiles, change: impl FnOnce(&mut RevisionStatement)) {
        self.add_to(&self.open(), files, change);
    }

    /// Adds a revision to the open register.
    pub fn add_to(
        &self,
        running: &Running,
        files: &ListFiles,
        change: impl FnOnce(&mut RevisionStatement),
    ) {
        let register = &running.published().register;
        let mut next = revision(register, files);
        change(&mut next);
        let statement = Statement::Revision(next);
        let proposal = propose(register, &statement, Some(files), &self.keys.quorum());
        let submission = Submission {
            statement: proposal.statement.into(),
            checkpoint: proposal.checkpoint.into(),
            list: Some(files.clone()),
        };
        accept(running, submission, server::now()).expect("an accepted revision");
    }

    /// The register directory.
    pub fn register(&self) -> PathBuf {
        self.directory.path().join("register")
    }

    /// Where else a test may write.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Opens the register.
    pub fn open(&self) -> Running {
        opening::open(&self.register(), server::now(), |_, _| ()).expect("a good register")
    }

    /// Serves the register in this process.
    pub async fn serve(&self) -> Served {
        Served::start(self.open()).await
    }
}

/// A server in this process; it ends when this is dropped.
pub struct Served {
    pub address: SocketAddr,
    pub running: Arc<Running>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Served {
    /// Serves an open register on a port the system picks.
    pub async fn start(running: Running) -> Self {
        let running = Arc::new(running);
        let any = "127.0.0.1:0".parse().expect("an address");
        let (listener, address) = server::bind(any).await.expect("a free port");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let parts = Parts::new(Arc::clone(&running), DecisionLog::off());
        let ready = server::ready(parts, Settings::default()).expect("it can serve");
        tokio::spawn(ready.serve(listener, async move {
            // Either way the test is over.
            let _ = stopped.await;
        }));
        Self { address, running, _stop: stop }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The register as it stands.
    pub fn register(&self) -> Register {
        self.running.published().register.clone()
    }
}
