//! `tiphys controller`: the application controller alone, as it runs inside a cluster.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

/// Where metrics and health are served inside a pod, as upstream's controller does.
const METRICS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8082);

/// Arguments of `tiphys controller`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Namespace of settings, projects and Applications
    #[arg(long, short = 'n', value_name = "NAME", env = "POD_NAMESPACE", default_value = "argocd")]
    pub namespace: String,
    /// Where metrics and health are served
    #[arg(long, value_name = "ADDR", default_value_t = METRICS)]
    pub metrics_listen: SocketAddr,
    /// Work on the cluster of this kubeconfig instead of the one that this runs in
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub context: Option<String>,
    /// Who this process is among several, of which one works at a time; empty: it is alone
    #[arg(long, value_name = "NAME", env = "POD_NAME", default_value = "")]
    pub identity: String,
    /// Where mirrors of repositories are kept
    #[arg(long, value_name = "DIR", default_value = "/tmp/tiphys")]
    pub cache_dir: PathBuf,
    /// What the log is made of
    #[arg(long, value_name = "json|text", default_value = "json", env = "ARGOCD_LOG_FORMAT")]
    pub logformat: String,
    /// How much is logged
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "ARGOCD_LOG_LEVEL")]
    pub loglevel: String,
}

/// Runs until it is told to end.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    crate::up::runtime()?.block_on(crate::up::run_controller(arguments))
}
