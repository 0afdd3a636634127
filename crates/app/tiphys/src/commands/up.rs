//! `tiphys up`: everything in one process.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

/// Arguments of `tiphys up`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where everything of the run lives [default: ${XDG_STATE_HOME:-~/.local/state}/tiphys]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Make no example
    #[arg(long)]
    pub empty: bool,
    /// Simulate and register this many more clusters
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "kubeconfig")]
    pub clusters: usize,
    /// Forget what an earlier run left in DIR
    #[arg(long)]
    pub fresh: bool,
    /// Simulate nothing: work on the cluster of this kubeconfig
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub context: Option<String>,
    /// What the log is made of
    #[arg(long, value_name = "json|text", default_value = "text", env = "ARGOCD_LOG_FORMAT")]
    pub logformat: String,
    /// How much is logged
    #[arg(long, value_name = "LEVEL", default_value = "warn", env = "ARGOCD_LOG_LEVEL")]
    pub loglevel: String,
}

/// Runs until it is told to end.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    crate::up::runtime()?.block_on(crate::up::run(arguments))
}
