//! `tiphys`: GitOps continuous delivery for Kubernetes, in one program.
//!
//! Called as `argocd` it is the same program. Each command stands in a file of its own under
//! `commands`; `up` brings everything that a run needs into one process.

mod commands;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let command = commands::Cli::parse();
    match commands::run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tiphys: {error:#}");
            ExitCode::from(commands::GENERAL_ERROR)
        }
    }
}
