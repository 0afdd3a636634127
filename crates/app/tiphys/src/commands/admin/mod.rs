//! `admin`: what helps those who run Argo CD; most of it asks no cluster.

mod resource_overrides;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

pub use resource_overrides::parameters;

/// The commands for those who run Argo CD.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at settings
    Settings(Settings),
}

/// `admin settings`.
#[derive(Debug, clap::Args)]
pub struct Settings {
    /// A file with the ConfigMap argocd-cm; without it, built-in rules alone
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    argocd_cm_path: Option<String>,
    #[command(subcommand)]
    command: SettingsCommand,
}

/// The commands on settings.
#[derive(Debug, Subcommand)]
enum SettingsCommand {
    /// Try rules for kinds on an object of a file
    #[command(subcommand)]
    ResourceOverrides(resource_overrides::Command),
}

/// Runs one of them.
pub fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Settings(Settings { argocd_cm_path, command }) => match command {
            SettingsCommand::ResourceOverrides(command) => {
                resource_overrides::run(command, argocd_cm_path.as_deref())
            }
        },
    }
}
