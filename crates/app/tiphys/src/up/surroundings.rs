//! Settings and secrets for what renders, kept up by watches.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use cluster::{Cluster, ObjectEvent, WatchSpec, Watching};
use crd::AppProject;
use manifest::Gvk;
use rendering::{Seed, Snapshot};
use serde_json::{Value, json};
use settings::{RawSettings, Repositories, Settings};

/// The labels of secrets that tell about repositories.
const REPOSITORIES: &str =
    "argocd.argoproj.io/secret-type in (repository,repo-creds,repository-write,repo-write-creds)";

/// What a cluster's ConfigMaps and Secrets say now.
pub struct Surroundings {
    held: Arc<RwLock<Held>>,
    _watches: Vec<Watching>,
}

struct Held {
    namespace: String,
    raw: RawSettings,
    secrets: BTreeMap<String, Value>,
    seed: Seed,
    projects: BTreeMap<String, Arc<AppProject>>,
    settings: Settings,
    snapshot: Arc<Snapshot>,
    listeners: Vec<Listener>,
}

/// Told of settings that were read again; it must not block.
type Listener = Box<dyn Fn(&Settings) + Send + Sync>;

impl Surroundings {
    /// Watches, and waits until all of it was seen once.
    pub async fn follow(
        home: &Cluster,
        namespace: &str,
        environment: &BTreeMap<String, String>,
    ) -> Arc<Self> {
        let mut raw = RawSettings::default();
        raw.environment.clone_from(environment);
        let (settings, _) = Settings::read(&raw, &yaml);
        let held = Arc::new(RwLock::new(Held {
            namespace: namespace.to_owned(),
            snapshot: Arc::new(snapshot(namespace, &settings, &BTreeMap::new(), Seed::default())),
            raw,
            secrets: BTreeMap::new(),
            seed: Seed::default(),
            projects: BTreeMap::new(),
            settings,
            listeners: Vec::new(),
        }));
        let spec = |group: &str, version: &str, kind: &str, labels: &str| WatchSpec {
            gvk: Gvk::new(group, version, kind),
            namespaces: vec![namespace.to_owned()],
            labels: labels.to_owned(),
            fields: String::new(),
        };
        let watch = |spec: WatchSpec, take: fn(&mut Held, ObjectEvent)| {
            let held = held.clone();
            home.watch_objects(spec, move |event| {
                take(&mut held.write().unwrap_or_else(PoisonError::into_inner), event);
            })
        };
        let mut own = spec("", "v1", "Secret", "");
        own.fields = "metadata.name=argocd-secret".to_owned();
        let watches = vec![
            watch(own, Held::take_own_secret),
            watch(spec("", "v1", "ConfigMap", ""), Held::take_maps),
            watch(spec("", "v1", "Secret", REPOSITORIES), Held::take_secrets),
            watch(spec("argoproj.io", "v1alpha1", "AppProject", ""), Held::take_projects),
        ];
        for watch in &watches {
            watch.ready().await;
        }
        Arc::new(Self { held, _watches: watches })
    }

    /// Calls `listener` whenever settings are read again.
    pub fn on_settings(&self, listener: impl Fn(&Settings) + Send + Sync + 'static) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.listeners.push(Box::new(listener));
    }

    /// The settings as they stand.
    pub fn settings(&self) -> Settings {
        self.held.read().unwrap_or_else(PoisonError::into_inner).settings.clone()
    }
}

impl rendering::Surroundings for Surroundings {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).snapshot.clone()
    }

    fn global_projects(&self, project: &AppProject) -> Vec<Arc<AppProject>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.settings
            .global_projects
            .iter()
            .filter(|global| {
                app_controller::selects(&global.label_selector, &project.metadata.labels)
            })
            .filter(|global| global.project_name != project.metadata.name)
            .filter_map(|global| held.projects.get(&global.project_name).cloned())
            .collect()
    }
}

impl Held {
    fn take_maps(&mut self, event: ObjectEvent) {
        let changed = match event {
            ObjectEvent::Restarted { objects, .. } => {
                objects.iter().fold(false, |changed, map| self.raw.take(map) | changed)
            }
            ObjectEvent::Applied(map) => self.raw.take(&map),
            // An empty one stands for one that is gone.
            ObjectEvent::Deleted(map) => {
                self.raw.take(&json!({"metadata": {"name": manifest::name(&map)}}))
            }
        };
        if changed {
            self.read_again();
        }
    }

    fn take_own_secret(&mut self, event: ObjectEvent) {
        self.seed = match &event {
            ObjectEvent::Restarted { objects, .. } => {
                objects.first().map(seed_of).unwrap_or_default()
            }
            ObjectEvent::Applied(secret) => seed_of(secret),
            ObjectEvent::Deleted(_) => Seed::default(),
        };
        self.read_again();
    }

    fn take_secrets(&mut self, event: ObjectEvent) {
        match event {
            ObjectEvent::Restarted { objects, .. } => {
                self.secrets = objects
                    .into_iter()
                    .map(|secret| (manifest::name(&secret).to_owned(), secret))
                    .collect();
            }
            ObjectEvent::Applied(secret) => {
                self.secrets.insert(manifest::name(&secret).to_owned(), secret);
            }
            ObjectEvent::Deleted(secret) => {
                self.secrets.remove(manifest::name(&secret));
            }
        }
        self.read_again();
    }

    fn take_projects(&mut self, event: ObjectEvent) {
        // A project that cannot be read rules nothing; the controller says so to its Applications.
        let read = |object: &Value| serde_json::from_value(object.clone()).ok().map(Arc::new);
        match event {
            ObjectEvent::Restarted { objects, .. } => {
                self.projects = objects
                    .iter()
                    .filter_map(|object| Some((manifest::name(object).to_owned(), read(object)?)))
                    .collect();
            }
            ObjectEvent::Applied(object) => {
                if let Some(project) = read(&object) {
                    self.projects.insert(manifest::name(&object).to_owned(), project);
                }
            }
            ObjectEvent::Deleted(object) => {
                self.projects.remove(manifest::name(&object));
            }
        }
    }

    fn read_again(&mut self) {
        // What is wrong with the settings the controller reports, once.
        self.settings = Settings::read(&self.raw, &yaml).0;
        let next = snapshot(&self.namespace, &self.settings, &self.secrets, self.seed);
        self.snapshot = Arc::new(next);
        for listener in &self.listeners {
            listener(&self.settings);
        }
    }
}

/// What charts' randomness is derived from: the installation's `argocd-secret`.
pub fn seed_of(secret: &Value) -> Seed {
    let key = secret.pointer("/data/server.secretkey").and_then(Value::as_str);
    Seed::of(key.unwrap_or_default())
}

fn snapshot(
    namespace: &str,
    settings: &Settings,
    secrets: &BTreeMap<String, Value>,
    seed: Seed,
) -> Snapshot {
    Snapshot {
        control_plane_namespace: namespace.to_owned(),
        repositories: Repositories::read(secrets.values()).0,
        rendering: settings.rendering.clone(),
        tls_certs: settings.trust.tls_certs.clone(),
        ssh_known_hosts: settings.trust.ssh_known_hosts.clone(),
        seed,
    }
}

fn yaml(text: &str) -> Result<Value, String> {
    goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string())
}
