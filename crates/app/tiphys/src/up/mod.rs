//! Everything in one process: a cluster (simulated unless one is given), our kinds and settings
//! in it, an example, and the services.

mod bootstrap;
mod example;
mod place;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cluster::{Access, Cluster, Limits};
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::up::Arguments;
pub use place::Place;

/// The runtime of a whole process.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Waits until somebody ends the process politely.
pub async fn ended() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Runs until it is told to end.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let place = Place::take(arguments.dir.as_deref(), arguments.fresh)?;
    let stage = Stage::set(&arguments, &place).await?;
    let made = bootstrap::bootstrap(&stage.cluster, &random()?).await?;
    let _ = made;
    place.write("kubeconfig", &stage.kubeconfig)?;
    place.write_endpoints(&BTreeMap::new())?;
    println!("export KUBECONFIG={}", place.kubeconfig().display());
    let repository = place.path("repos/guestbook");
    example::make_repository(&repository)?;
    let _ = example::application(&repository);
    ended().await;
    stage.clear().await;
    Ok(ExitCode::SUCCESS)
}

/// The cluster that everything happens on.
struct Stage {
    cluster: Cluster,
    /// For whoever comes from outside.
    kubeconfig: String,
    simulated: Option<simkube::Running>,
}

impl Stage {
    async fn set(arguments: &Arguments, place: &Place) -> Result<Self> {
        let (access, kubeconfig, simulated) = match &arguments.kubeconfig {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the kubeconfig `{}`", path.display()))?;
                let access = Access::Kubeconfig {
                    path: Some(path.clone()),
                    context: arguments.context.clone(),
                };
                (access, text, None)
            }
            None => {
                let running = simkube::SimKube::start(simkube::Config {
                    dir: Some(place.path("cluster")),
                    clusters: arguments.clusters,
                    ..simkube::Config::default()
                })
                .await
                .context("the simulated cluster does not start")?;
                let text = running.kubeconfig("");
                let access = Access::KubeconfigText { text: text.clone(), context: None };
                (access, text, Some(running))
            }
        };
        let cluster = Cluster::connect(&access, Limits::default())
            .await
            .context("cannot connect to the cluster")?;
        Ok(Self { cluster, kubeconfig, simulated })
    }

    async fn clear(self) {
        if let Some(simulated) = self.simulated {
            simulated.shutdown().await;
        }
    }
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}
