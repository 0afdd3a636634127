//! The commands, one file each.

mod simkube;
pub mod up;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The exit code of what failed for any reason that has no code of its own, as upstream's.
pub const GENERAL_ERROR: u8 = 20;

/// GitOps continuous delivery for Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tiphys", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process, on a simulated cluster or on a real one
    Up(up::Arguments),
    /// Run the simulated cluster alone
    Simkube(simkube::Arguments),
}

/// Runs a command.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Up(arguments) => up::run(arguments),
        Command::Simkube(arguments) => simkube::run(arguments),
    }
}
