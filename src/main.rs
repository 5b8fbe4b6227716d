//! The `clearlist` program.

use std::process::ExitCode;

/// Why this one, and how it is set: docs/decisions/0020-allocator.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    clearlist::cli::run()
}
