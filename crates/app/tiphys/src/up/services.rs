//! The services of one process, on whichever cluster they are given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cluster::Cluster;
use rendering::Rendering;
use settings::Settings;
use telemetry::{Health, Log, LogFormat, LogOptions, Registry, Served, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::surroundings::Surroundings;

/// How long the work in hand may take to end: with the simulated cluster's own end it stays
/// below two seconds. What is cut off goes on at the next start.
const SHUTDOWN_WITHIN: Duration = Duration::from_millis(600);

/// What the services are told when they start.
pub struct Options {
    /// The namespace of our own objects.
    pub namespace: String,
    /// Where mirrors of repositories are kept.
    pub cache_dir: PathBuf,
    /// Whether `file://` repositories are read.
    pub allow_file: bool,
    /// Who this process is, where several may run.
    pub leader_identity: Option<String>,
    /// Where metrics are served.
    pub metrics: SocketAddr,
    /// The process's environment, as far as settings stand in it.
    pub environment: BTreeMap<String, String>,
    /// The process's log, which the settings may change.
    pub log: Option<Log>,
}

/// Running services.
pub struct Services {
    controller: JoinHandle<Result<(), app_controller::RunError>>,
    end: oneshot::Sender<()>,
    health: Health,
    metrics: Server,
}

impl Services {
    /// Starts them on `home`.
    pub async fn start(home: &Cluster, options: Options) -> Result<Self> {
        let surroundings =
            Surroundings::follow(home, &options.namespace, &options.environment).await;
        let settings = surroundings.settings();
        let mut source = source::Config::new(&options.cache_dir);
        source.allow_file = options.allow_file || settings.git.allow_files;
        if let Some(log) = options.log {
            let begun = log.options();
            follow_log(&log, &begun, &settings);
            surroundings.on_settings(move |settings| follow_log(&log, &begun, settings));
        }
        source.live = live(&settings);
        if let Some(most) = settings.git.list_parallel_max {
            source.limits.concurrent_fetches_max = most;
        }
        source.poll_seed = u64::from(std::process::id());
        let sources = source::Sources::new(source);
        let reloaded = sources.clone();
        surroundings.on_settings(move |settings| reloaded.reload(live(settings)));
        let mut config = rendering::Config::default();
        if let Some(place) = options.environment.get("ARGOCD_PLUGINSOCKFILEPATH") {
            config.plugin_sockets = PathBuf::from(place);
        }
        let renderer = Rendering::new(config, sources, surroundings);

        let registry = Registry::default();
        telemetry::register_process(&registry);
        let health = Health::default();
        let served = Served { metrics: Some(registry.clone()), health: Some(health.clone()) };
        let metrics = telemetry::serve(options.metrics, served)
            .await
            .with_context(|| format!("cannot serve metrics at {}", options.metrics))?;

        let config = app_controller::Config {
            namespace: options.namespace,
            environment: options.environment,
            leader_identity: options.leader_identity,
            shutdown_within: SHUTDOWN_WITHIN,
        };
        let parts = app_controller::Parts {
            home: home.clone(),
            renderer: Arc::new(renderer),
            metrics: app_controller::Metrics::new(&registry),
        };
        let (end, ended) = oneshot::channel();
        // A dropped sender ends the controller as well.
        let shutdown = async move { drop(ended.await) };
        let controller = tokio::spawn(app_controller::run(config, parts, shutdown));
        health.set_ready(true);
        Ok(Self { controller, end, health, metrics })
    }

    /// The addresses of the ports, by name.
    pub fn endpoints(&self) -> BTreeMap<&'static str, String> {
        let at = self.metrics.address();
        BTreeMap::from([
            ("metrics", format!("http://{at}/metrics")),
            ("health", format!("http://{at}/healthz")),
        ])
    }

    /// Waits until a service ends by itself, which none should.
    pub async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.controller).await {
            Ok(Ok(())) => anyhow::anyhow!("the application controller ended"),
            Ok(Err(error)) => anyhow::Error::new(error).context("the application controller ended"),
            Err(error) => {
                anyhow::Error::new(error).context("the application controller broke down")
            }
        }
    }

    /// Ends them.
    pub async fn stop(self) {
        self.health.set_ready(false);
        // The receiver is gone only where the controller ended already.
        let _ = self.end.send(());
        let _ = self.controller.await;
    }
}

/// What of the settings repositories are read by, also when it changes.
fn live(settings: &Settings) -> source::Live {
    source::Live {
        submodules: settings.git.submodules,
        poll_interval: settings.reconciliation.every,
        poll_jitter: settings.reconciliation.jitter_max,
        request_timeout: settings.git.request_timeout,
        retry: source::Retry {
            attempts_max: settings.git.attempts_max,
            first: settings.git.retry_first,
            factor: u32::try_from(settings.git.retry_factor).unwrap_or(1),
            max: settings.git.retry_max,
        },
        github_token_age: settings.git.github_app_token_age,
    }
}

/// Logs as the settings say, and where they say nothing as it `begun`.
fn follow_log(log: &Log, begun: &LogOptions, settings: &Settings) {
    let format = match settings.log.json {
        None => begun.format,
        Some(true) => LogFormat::Json,
        Some(false) => LogFormat::Text,
    };
    let level = settings.log.level.map_or_else(|| begun.level.clone(), str::to_owned);
    let time_layout = settings.log.timestamp_layout.clone();
    if let Err(error) = log.set(LogOptions { format, level, time_layout }) {
        tracing::warn!(%error, "the log stays as it was");
    }
}

/// The environment, as far as settings stand in it.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("ARGOCD_") || name.starts_with("TIPHYS_"))
        .collect()
}
