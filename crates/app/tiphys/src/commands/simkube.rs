//! `tiphys simkube`: the simulated cluster alone, for anybody's tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

/// Arguments of `tiphys simkube`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Keep the state and the kubeconfig here; without it a temporary kubeconfig is printed and nothing is kept
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How many more clusters to simulate, by path
    #[arg(long, value_name = "N", default_value_t = 0)]
    clusters: usize,
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Whether controllers, garbage collection, scheduler and kubelet are simulated
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    controllers: bool,
}

/// Runs the simulated cluster until it is told to end.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    crate::up::runtime()?.block_on(async {
        let place = crate::up::Place::take(arguments.dir.as_deref(), false)?;
        let config = simkube::Config {
            dir: Some(place.path("cluster")),
            durable: true,
            clusters: arguments.clusters,
            listen: arguments.listen,
            controllers: arguments.controllers,
        };
        let running = simkube::SimKube::start(config).await?;
        place.write("kubeconfig", &running.all_kubeconfigs())?;
        println!("a simulated cluster (Kubernetes 1.36) answers at {}", running.url());
        println!("export KUBECONFIG={}", place.kubeconfig().display());
        crate::up::ended().await;
        running.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}
