//! The `clearlist` program.

use std::process::ExitCode;

/// Why this one: docs/decisions/0006-libraries.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    clearlist::cli::run()
}
