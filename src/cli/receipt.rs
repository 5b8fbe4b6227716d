//! `clearlist receipt`: checks the proof of an answer without a server, and decides it again.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Manner, Outcome};

mod replay;
mod verify;

/// Commands over receipts.
#[derive(Debug, Subcommand)]
pub(super) enum ReceiptCommand {
    /// Check a receipt: what the agencies signed that shows it, what only the service says, when
    #[command(after_help = "\
Example:
  clearlist receipt verify receipt.json --policy policy.txt \\
                           --service-key clearlist.example/list/service+0123abcd+Aa…

Needs no server and no network: the policy that was in force when the receipt was made, and the
service's verifier key, which `clearlist register show` prints. Ends with 0 if the receipt holds,
whatever it says, with 1 if it does not.")]
    Verify {
        /// The receipt file
        file: PathBuf,
        /// The policy: who had to sign
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The service's verifier key
        #[arg(long, value_name = "VKEY")]
        service_key: String,
    },
    /// Decide again from a register, and report any difference
    #[command(after_help = "\
Example:
  clearlist receipt replay receipt.json --register register
  clearlist decisions export --register register -o decisions.jsonl
  clearlist receipt replay decisions.jsonl --register register

Takes a receipt, or decisions as `clearlist decisions export` writes them, one JSON object a line.")]
    Replay {
        /// A receipt file, or exported decisions
        file: PathBuf,
        /// Register directory
        #[arg(long, value_name = "DIR")]
        register: PathBuf,
    },
}

/// Runs the command.
pub(super) fn run(manner: Manner, command: ReceiptCommand) -> Outcome {
    let done = match command {
        ReceiptCommand::Verify { file, policy, service_key } => {
            verify::run(manner, &file, &policy, &service_key)
        }
        ReceiptCommand::Replay { file, register } => replay::run(manner, &file, &register),
    };
    done.err().unwrap_or(Outcome::Yes)
}
