//! The built server in a process of its own.
#![allow(dead_code, unreachable_pub, reason = "each bench uses its part")]
#![allow(clippy::expect_used, reason = "a bench that cannot go on says so")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clearlist::grpc::proto::v1;
use prost::Message;

/// Clock ticks of a second, in which Linux counts processor time.
const TICKS: f64 = 100.0;

/// A server process, ended when this is dropped.
pub struct Server {
    child: Child,
    /// Host and port.
    pub address: String,
}

impl Server {
    /// Starts a program that says where it is listening.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.next().expect("the server says where it listens").expect("text");
        let address = line.split("listening on ").nth(1).unwrap_or_default();
        let address = address.split([' ', ':']).take(2).collect::<Vec<_>>().join(":");
        // Keeps the pipe open and empty.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time used so far, in seconds.
    pub fn processor(&self) -> f64 {
        // In user mode and in the system, in ticks.
        let fields = fields_of(&self.child.id().to_string());
        fields.iter().skip(11).take(2).sum::<f64>() / TICKS
    }

    /// How often so far this process or the server's waited for a page to be read from a disk:
    /// of the program itself, say, which the system had dropped.
    pub fn pages_read(&self) -> f64 {
        let of = |process: &str| fields_of(process).get(9).copied().unwrap_or_default();
        of(&self.child.id().to_string()) + of("self")
    }
}

/// What Linux counts of a process (`man 5 proc_pid_stat`), from its state on, letters as 0.
fn fields_of(process: &str) -> Vec<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // Behind the name, which may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.map(|field| field.parse().unwrap_or_default()).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A question that finds two rows of the worked example, given whole.
pub fn question() -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: "2933599053".into(),
        material_name: "恩替卡韦".into(),
        end_user_uscc: "91110108EXAMPLE11C".into(),
        quantity: Some(v1::Quantity { value: "20".into(), unit: "g".into() }),
        customs_district: "0100".into(),
        r#use: v1::Use::Research.into(),
        scheme: "beijing-2022".into(),
        ..Default::default()
    }
}

/// A file with a message as gRPC sends it, for `h2load -d`.
pub fn request_file(folder: &Path, message: &impl Message) -> PathBuf {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("small").to_be_bytes();
    let path = folder.join("request.bin");
    fs::write(&path, [&[0], length.as_slice(), &message].concat()).expect("written");
    path
}

/// The register of the worked example, made by the demo, which then ends.
pub fn register(place: &Path) -> PathBuf {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_clearlist"));
    drop(Server::start(demo.args(["demo", "--listen", "127.0.0.1:0", "--dir"]).arg(place)));
    place.join("register")
}
