//! `tiphys cmp-server`: a config management plugin's sidecar.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Arguments of `tiphys cmp-server`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Directory that holds plugin.yaml
    #[arg(long, value_name = "DIR", default_value = "/home/argocd/cmp-server/config")]
    config_dir_path: PathBuf,
    /// Directory in which the plugin's socket is made
    #[arg(
        long,
        value_name = "DIR",
        env = "ARGOCD_PLUGINSOCKFILEPATH",
        default_value = "/home/argocd/cmp-server/plugins"
    )]
    socket_dir_path: PathBuf,
    /// Directory for files in work; emptied at the start
    #[arg(
        long,
        value_name = "DIR",
        env = "ARGOCD_CMP_WORKDIR",
        default_value = "/tmp/_cmp_server"
    )]
    work_dir: PathBuf,
    /// How long commands may take where a request does not say, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    timeout: u64,
    /// Accepted for upstream's sake: the environment says how much is logged
    #[arg(long, value_name = "LEVEL", hide = true)]
    loglevel: Option<String>,
    /// Accepted for upstream's sake
    #[arg(long, value_name = "FORMAT", hide = true)]
    logformat: Option<String>,
}

/// Serves the plugin until it is told to end.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    crate::up::runtime()?.block_on(async {
        let config = cmp_server::Config {
            config_dir: arguments.config_dir_path,
            socket_dir: arguments.socket_dir_path,
            work_dir: arguments.work_dir,
            timeout: Duration::from_secs(arguments.timeout),
        };
        let told =
            |socket: &std::path::Path| println!("the plugin answers at {}", socket.display());
        cmp_server::run(config, told, crate::up::ended()).await.context("plugin server")?;
        Ok(ExitCode::SUCCESS)
    })
}
