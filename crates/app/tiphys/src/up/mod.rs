//! Everything in one process: a cluster (simulated unless one is given), our kinds and settings
//! in it, an example, and the services.

mod bootstrap;
mod example;
mod place;
mod services;
mod surroundings;

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cluster::{Access, Cluster, Limits};
use telemetry::{Log, LogFormat, LogOptions};
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::controller;
use crate::commands::up::Arguments;
pub use bootstrap::NAMESPACE;
pub use place::Place;
pub use services::{Options, Services, environment};
pub use surroundings::seed_of;

/// Any port of this host.
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What the allocator reads from its environment before `main`: after how many milliseconds it
/// gives freed memory back (ten seconds where nothing is said; at once costs a third of what a
/// changed object costs), how many KB at least it gives back together, that a thread which frees
/// what another made may go on with that one's page (else each thread's pages stay half empty), and
/// that it asks for no huge pages, which start a short command faster and keep memory that nobody
/// uses.
const GIVES_BACK: [(&str, &str); 4] = [
    ("MIMALLOC_PURGE_DELAY", "1000"),
    ("MIMALLOC_MINIMAL_PURGE_SIZE", "256"),
    ("MIMALLOC_PAGE_RECLAIM_ON_FREE", "1"),
    ("MIMALLOC_ALLOW_THP", "0"),
];

/// The runtime of a whole process that stays; the first thing that such a command asks for.
///
/// Begins the program anew where its allocator would keep what a start or a first sync needed for
/// moments: that was 30 MB of 58 after the start.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    let unset: Vec<_> =
        GIVES_BACK.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if !unset.is_empty() {
        let error = again_with(unset);
        tracing::debug!(%error, "the allocator keeps what is freed for a while");
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Begins the program anew in the same process, with more variables; answers only why it could
/// not.
fn again_with(variables: Vec<(&str, &str)>) -> std::io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut arguments = std::env::args_os();
    let mut again = std::process::Command::new(program);
    if let Some(called) = arguments.next() {
        again.arg0(called);
    }
    again.args(arguments).envs(variables).exec()
}

/// Waits until somebody ends the process politely.
pub async fn ended() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Sets the log up as a command's flags ask for.
pub fn log(format: &str, level: &str) -> Result<Log> {
    let format = match format {
        "json" => LogFormat::Json,
        "text" => LogFormat::Text,
        other => anyhow::bail!("`{other}` is no log format; there are json and text"),
    };
    let options = LogOptions { format, level: level.to_owned(), ..LogOptions::default() };
    Ok(telemetry::init_log(&options)?)
}

/// Runs until it is told to end.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let log = log(&arguments.logformat, &arguments.loglevel)?;
    let place = Place::take(arguments.dir.as_deref(), arguments.fresh)?;
    let stage = Stage::set(&arguments, &place).await?;
    let home = stage.cluster.home();
    let mut made = bootstrap::bootstrap(&stage.cluster, NAMESPACE, &random()?).await?;
    for (name, server, token, ca_pem) in stage.others() {
        let secret = bootstrap::cluster_secret(&name, &server, &token, &ca_pem);
        bootstrap::make_or_update(&stage.cluster, secret, &mut made).await?;
    }

    let options = Options {
        namespace: NAMESPACE.to_owned(),
        cache_dir: place.path("cache"),
        allow_file: true,
        leader_identity: None,
        metrics: ANY_PORT,
        environment: environment(),
        log: Some(log),
    };
    let mut services = Services::start(&stage.cluster, options).await?;
    let mut endpoints = services.endpoints();
    endpoints.insert("kubernetes", stage.cluster.server().to_owned());
    place.write_endpoints(&endpoints)?;

    let repository = place.path("repos/guestbook");
    if !arguments.empty {
        example::make_repository(&repository)?;
        bootstrap::make(&home, example::application(&repository), &mut made).await?;
    }
    // Last: whoever waits for this file finds everything there.
    place.write("kubeconfig", &stage.kubeconfig)?;
    tell(&arguments, &place, &stage, &made);

    let failed = tokio::select! {
        () = ended() => None,
        error = services.failed() => Some(error),
    };
    match failed {
        None => {
            services.stop().await;
            stage.clear().await;
            Ok(ExitCode::SUCCESS)
        }
        Some(error) => {
            stage.clear().await;
            Err(error)
        }
    }
}

/// Runs the controller alone until it is told to end.
pub async fn run_controller(arguments: controller::Arguments) -> Result<ExitCode> {
    let log = log(&arguments.logformat, &arguments.loglevel)?;
    let access = match arguments.kubeconfig {
        Some(path) => Access::Kubeconfig { path: Some(path), context: arguments.context },
        None => Access::InCluster,
    };
    let cluster = Cluster::connect(&access, Limits::default())
        .await
        .context("cannot connect to the cluster")?;
    let made = bootstrap::bootstrap(&cluster, &arguments.namespace, &random()?).await?;
    if !made.is_empty() {
        tracing::info!(made = made.join(", "), "made what was missing");
    }
    let options = Options {
        namespace: arguments.namespace,
        cache_dir: arguments.cache_dir,
        allow_file: false,
        leader_identity: Some(arguments.identity).filter(|identity| !identity.is_empty()),
        metrics: arguments.metrics_listen,
        environment: environment(),
        log: Some(log),
    };
    let mut services = Services::start(&cluster, options).await?;
    tokio::select! {
        () = ended() => {
            services.stop().await;
            Ok(ExitCode::SUCCESS)
        }
        error = services.failed() => Err(error),
    }
}

fn tell(arguments: &Arguments, place: &Place, stage: &Stage, made: &[String]) {
    let kind = match stage.simulated {
        Some(_) => "a simulated cluster (Kubernetes 1.36; nothing really runs in it)",
        None => "your cluster",
    };
    println!("tiphys runs on {kind} at {}", stage.cluster.server());
    if !made.is_empty() {
        println!("made: {}", made.join(", "));
    }
    println!("\nexport KUBECONFIG={}", place.kubeconfig().display());
    println!("\nTry next:");
    if arguments.empty {
        println!("  tiphys app create NAME --repo URL --path DIR --dest-namespace NS");
        println!("  tiphys app list");
        println!("  kubectl get applications -n {NAMESPACE}");
    } else {
        let repository = place.path("repos/guestbook");
        println!("  tiphys app get guestbook");
        println!(
            "  cd {} && sed -i 's/replicas: .*/replicas: 3/' guestbook/deployment.yaml && git commit -qam three",
            repository.display()
        );
        println!("  kubectl get deployments,pods -n guestbook");
    }
    println!("\nCtrl-C ends it; the same command goes on from here.");
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
                let running = simulate(place.path("cluster"), arguments.clusters).await?;
                let text = running.all_kubeconfigs();
                let access = Access::KubeconfigText { text: text.clone(), context: None };
                (access, text, Some(running))
            }
        };
        let cluster = Cluster::connect(&access, Limits::default())
            .await
            .context("cannot connect to the cluster")?;
        Ok(Self { cluster, kubeconfig, simulated })
    }

    /// The other simulated clusters: name, URL, token and certificate.
    fn others(&self) -> Vec<(String, String, String, String)> {
        let Some(running) = &self.simulated else { return Vec::new() };
        running
            .clusters()
            .filter(|name| running.cluster_url(name) != running.url())
            .map(|name| {
                let (url, token) = (running.cluster_url(name), running.token().to_owned());
                (name.to_owned(), url, token, running.ca_pem().to_owned())
            })
            .collect()
    }

    async fn clear(self) {
        if let Some(simulated) = self.simulated {
            simulated.shutdown().await;
        }
    }
}

/// Starts the simulated clusters: where they answered before, if that port is still free, so
/// that addresses in Applications and kubeconfigs stay true.
async fn simulate(dir: PathBuf, clusters: usize) -> Result<simkube::Running> {
    let remembered = dir.join("address");
    let before = std::fs::read_to_string(&remembered).ok();
    let before = before.and_then(|text| text.trim().parse::<SocketAddr>().ok());
    let config = |listen: SocketAddr| simkube::Config {
        dir: Some(dir.clone()),
        clusters,
        listen,
        ..simkube::Config::default()
    };
    let again = match before {
        Some(address) => simkube::SimKube::start(config(address)).await.ok(),
        None => None,
    };
    let running = match again {
        Some(running) => running,
        None => simkube::SimKube::start(config(ANY_PORT))
            .await
            .context("the simulated cluster does not start")?,
    };
    let address = running.url().trim_start_matches("https://");
    std::fs::write(&remembered, address)
        .with_context(|| format!("cannot write `{}`", remembered.display()))?;
    Ok(running)
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
