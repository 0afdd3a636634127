//! `tiphys`: GitOps continuous delivery for Kubernetes, in one program.
//!
//! Called as `argocd` it is the same program. Each command stands in a file of its own under
//! `commands`; `up` brings everything that a run needs into one process.

mod commands;
mod up;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(std::env::args_os())
}
