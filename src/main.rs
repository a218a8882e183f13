//! The one binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Many small allocations are made on one thread and freed on another, which the system's
/// allocator is slow at. SQLite allocates from it too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tillroll::cli::run()
}
