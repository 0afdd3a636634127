//! `tiphys`: GitOps continuous delivery for Kubernetes, in one program.
//!
//! Called as `argocd` it is the same program. Each command stands in a file of its own under
//! `commands`; `up` brings everything that a run needs into one process.

mod commands;
mod up;

use std::process::ExitCode;

/// Rendering makes and drops millions of small values; this allocator does it in three quarters of
/// the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::main(std::env::args_os())
}
