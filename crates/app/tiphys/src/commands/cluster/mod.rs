//! `cluster`: clusters that Applications go to.

mod account;
mod add;
mod change;
mod get;
mod kubeconfig;
mod list;

use std::process::ExitCode;

use anyhow::Result;

use super::connect::{self, Session};
use super::global::Global;

/// The commands on clusters.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Register the cluster of a kubeconfig's context
    Add(Box<add::Arguments>),
    /// Show registered clusters
    Get(get::Arguments),
    /// List registered clusters
    List(list::Arguments),
    /// Forget registered clusters
    Rm(change::Rm),
    /// Change what is registered of a cluster
    Set(change::Set),
}

/// Runs one of them.
pub fn run(command: Command, global: &Global) -> Result<ExitCode> {
    connect::run(async {
        match command {
            Command::Add(arguments) => add::run(*arguments, global).await?,
            Command::List(arguments) => {
                list::run(&arguments, &Session::open(global).await?).await?;
            }
            Command::Get(arguments) => {
                get::run(&arguments, &Session::open(global).await?).await?;
            }
            Command::Rm(arguments) => {
                change::remove(&arguments, &Session::open(global).await?).await?;
            }
            Command::Set(arguments) => {
                change::set(&arguments, &Session::open(global).await?).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

#[cfg(test)]
pub use {
    add::config,
    kubeconfig::{Kubeconfig, Reach},
};
