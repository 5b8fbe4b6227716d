//! The program in a process of its own: a server on the register of a test, on a port the
//! system picks. It is killed when the test lets go of it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tonic::transport::Channel;

/// The program with these arguments, in English whatever the locale.
pub fn program<S: AsRef<OsStr>>(args: &[S]) -> Command {
    in_english(Command::new(env!("CARGO_BIN_EXE_clearlist")), args)
}

/// The program as it runs where no file may grow beyond so many KiB, which fails as a full disk
/// does: a part is written, then an error.
pub fn program_on_full_disk<S: AsRef<OsStr>>(kibibytes: u64, args: &[S]) -> Command {
    let mut command = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_clearlist")]);
    in_english(command, args)
}

fn in_english<S: AsRef<OsStr>>(mut command: Command, args: &[S]) -> Command {
    for locale in ["LC_ALL", "LC_MESSAGES"] {
        command.env_remove(locale);
    }
    command.env("LANG", "C").env("RUST_LOG", "warn").args(args).stdin(Stdio::null());
    command
}

fn with_settings<S: AsRef<str>>(mut command: Command, settings: &[S]) -> Command {
    for setting in settings {
        command.args(["--set", setting.as_ref()]);
    }
    command
}

/// How a process ended, and what it said on standard error.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard error.
    pub said: String,
}

/// A server that was started, and listens or does not.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    /// Kept open: who prints to a pipe nobody holds fails.
    out: BufReader<ChildStdout>,
    said: File,
    begun: Instant,
}

impl Launched {
    /// Starts `clearlist serve` on a register directory.
    pub fn on(register: &Path) -> Self {
        Self::run(program(&Self::arguments(register)))
    }

    /// As [`Launched::on`], with settings: `limits.connections_max=10`.
    pub fn with<S: AsRef<str>>(register: &Path, settings: &[S]) -> Self {
        Self::run(with_settings(program(&Self::arguments(register)), settings))
    }

    /// As [`Launched::on`], on a disk where no file may grow beyond so many KiB, and without a
    /// decision log, which would fill it.
    pub fn on_full_disk(register: &Path, kibibytes: u64) -> Self {
        Self::with_on_full_disk(register, kibibytes, &["decisions.mode=off"])
    }

    /// As [`Launched::with`], on a disk where no file may grow beyond so many KiB.
    pub fn with_on_full_disk<S: AsRef<str>>(
        register: &Path,
        kibibytes: u64,
        settings: &[S],
    ) -> Self {
        let command = program_on_full_disk(kibibytes, &Self::arguments(register));
        Self::run(with_settings(command, settings))
    }

    fn arguments(register: &Path) -> [&OsStr; 5] {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--register"].map(OsStr::new);
        let [serve, listen, address, name] = fixed;
        [serve, listen, address, name, register.as_os_str()]
    }

    /// As [`Launched::on`], by a command of its own.
    pub fn run(mut command: Command) -> Self {
        // A file and not a pipe: nobody has to read it for the server to go on.
        let said = tempfile::tempfile().expect("a file can be made");
        let also_said = said.try_clone().expect("it can be opened twice");
        let begun = Instant::now();
        let mut child =
            command.stdout(Stdio::piped()).stderr(also_said).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, out, said, begun }
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// It ended before it did.
    pub fn listening(mut self) -> Result<Server, Ended> {
        let mut greeting = String::new();
        self.out.read_line(&mut greeting).expect("its output can be read");
        let start_up = self.begun.elapsed();
        let address = greeting.split_once("listening on ").and_then(|(_, rest)| {
            let (address, _) = rest.split_once(": ")?;
            Some(address.to_owned())
        });
        match address {
            Some(address) => Ok(Server { launched: self, address, start_up }),
            None => Err(self.ended()),
        }
    }

    /// A signal, e.g. `TERM`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args([&format!("-{name}"), &self.child.id().to_string()]);
        assert!(kill.status().expect("kill can be run").success(), "the signal was sent");
    }

    /// Kills it, whatever it does.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("it can be killed");
        self.ended()
    }

    /// Waits until it ended.
    pub fn ended(mut self) -> Ended {
        let status = self.child.wait().expect("it can be waited for");
        Ended { code: status.code(), said: self.said() }
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> String {
        let length = self.said.metadata().expect("the file is open").len();
        let mut said = vec![0; usize::try_from(length).expect("it says little")];
        self.said.read_exact_at(&mut said, 0).expect("what it said can be read");
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // Already gone, if the test ended it.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    launched: Launched,
    address: String,
    /// From its start until it listened.
    pub start_up: Duration,
}

impl Server {
    /// Serves a register that must be good.
    pub fn start(register: &Path) -> Self {
        Launched::on(register).listening().expect("the register is served")
    }

    /// Serves a register that must be good, with settings: `limits.connections_max=10`.
    pub fn with<S: AsRef<str>>(register: &Path, settings: &[S]) -> Self {
        Launched::with(register, settings).listening().expect("the register is served")
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Memory of the process that is not on disk, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
        let kibibytes = line.split_whitespace().nth(1).expect("a number");
        kibibytes.parse::<u64>().expect("a number") * 1_024
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> String {
        self.launched.said()
    }

    /// A signal, e.g. `HUP`.
    pub fn signal(&self, name: &str) {
        self.launched.signal(name);
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.launched.child.id()
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Channel {
        let url = format!("http://{}", self.address);
        let endpoint = Channel::from_shared(url).expect("an address is a URL");
        endpoint.connect().await.expect("the server listens")
    }

    /// SIGKILL.
    pub fn kill(self) -> Ended {
        self.launched.kill()
    }

    /// SIGTERM; it goes on to end by itself.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Waits until it ended by itself.
    pub fn ended(self) -> Ended {
        self.launched.ended()
    }
}
