//! The `clearlist` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    clearlist::cli::run()
}
