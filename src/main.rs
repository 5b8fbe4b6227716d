//! The `clearlist` program.

use std::process::ExitCode;

/// An answer is made of many small strings; docs/decisions/0006-libraries.md has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    clearlist::cli::run()
}
