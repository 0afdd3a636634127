//! What all tasks of the controller share: what is known of our own objects, and the settings.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cluster::{Cluster, Home};
use crd::{AppProject, Application};
use desired::Renderer;
use jiff::SignedDuration;
use manifest::Gvk;
use parking_lot::{Mutex, RwLock};
use reconcile::{Guard, Impersonation, Rules};
use settings::{Clusters, Settings};
use sync::{Method, Tracking};
use tokio::sync::mpsc;
use tracing::warn;

use crate::applications::Applications;
use crate::checks::Checks;
use crate::config::Config;
use crate::destinations::{Destinations, Reach};
use crate::entry::Entry;
use crate::events::Told;
use crate::metrics::Metrics;
use crate::queue::{AppKey, Queue};

/// The kind of Applications.
pub(crate) fn application_kind() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "Application")
}

/// The kind of projects.
pub(crate) fn project_kind() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "AppProject")
}

/// What all tasks share.
pub(crate) struct Shared {
    pub config: Config,
    pub home: Home,
    pub home_cluster: Cluster,
    pub renderer: Arc<dyn Renderer>,
    pub queue: Queue,
    pub destinations: Destinations,
    pub metrics: Metrics,
    /// Which predictions are held to the cluster's word.
    pub checks: Checks,
    /// What users are told, on its way.
    pub told: mpsc::Sender<Told>,
    snapshot: RwLock<Arc<Snapshot>>,
    /// The resource versions of the ConfigMaps whose settings hold.
    settings_versions: RwLock<BTreeMap<String, u64>>,
    pub applications: Applications,
    projects: RwLock<BTreeMap<String, Arc<AppProject>>>,
    entries: Mutex<HashMap<AppKey, Arc<tokio::sync::Mutex<Entry>>>>,
}

/// Settings and clusters at one moment.
pub(crate) struct Snapshot {
    pub settings: Settings,
    pub rules: Arc<Rules>,
    pub clusters: Clusters,
    /// The same, as the rules know clusters.
    pub destinations: Arc<[policy::Cluster]>,
    pub reach: HashMap<String, Reach>,
    /// Fields that never count as a difference, by the settings.
    pub ignored: Vec<crd::ResourceIgnoreDifferences>,
    /// The same, compiled.
    pub ignore: Arc<compare::IgnoreRules>,
    /// What of it cannot be used, and why.
    pub ignore_errors: Vec<String>,
    /// Fields whose changes are no reason to look.
    pub ignored_updates: Arc<compare::IgnoreRules>,
    /// Fields of custom kinds that hold built-in types.
    pub known: Arc<compare::KnownTypes>,
    /// Users' rules of how well objects are.
    pub health: Arc<health::UserScripts>,
    /// Changes with everything that comparisons depend on.
    pub version: u64,
}

impl Shared {
    pub fn new(
        config: Config,
        home_cluster: Cluster,
        renderer: Arc<dyn Renderer>,
        metrics: Metrics,
        told: mpsc::Sender<Told>,
        snapshot: Snapshot,
    ) -> Self {
        Self {
            config,
            home: home_cluster.home(),
            home_cluster,
            renderer,
            queue: Queue::default(),
            destinations: Destinations::default(),
            metrics,
            checks: Checks::default(),
            told,
            snapshot: RwLock::new(Arc::new(snapshot)),
            settings_versions: RwLock::default(),
            applications: Applications::default(),
            projects: RwLock::default(),
            entries: Mutex::default(),
        }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().clone()
    }

    pub fn set_snapshot(&self, snapshot: Snapshot) {
        *self.snapshot.write() = Arc::new(snapshot);
    }

    /// Notes which versions of the ConfigMaps the snapshot was made of.
    pub fn note_settings(&self, versions: BTreeMap<String, u64>) {
        *self.settings_versions.write() = versions;
    }

    /// The resource versions of what holds, by name, as figures: ConfigMaps of settings, and projects
    /// as `AppProject/NAME`.
    pub fn settings_versions(&self) -> Vec<(Vec<String>, f64)> {
        let maps = self.settings_versions.read();
        let maps = maps.iter().map(|(name, version)| (name.clone(), *version));
        let projects = self.projects.read();
        let projects = projects.values().map(|project| {
            let metadata = &project.metadata;
            let version = metadata.resource_version.parse().unwrap_or(0);
            (format!("AppProject/{}", metadata.name), version)
        });
        maps.chain(projects).map(|(name, version)| (vec![name], version as f64)).collect()
    }

    pub fn application(&self, key: &AppKey) -> Option<Arc<Application>> {
        self.applications.get(key)
    }

    /// Forgets an Application that is gone.
    pub fn drop_application(&self, key: &AppKey) {
        self.applications.remove(key);
        self.entries.lock().remove(key);
        self.queue.forget(key);
    }

    pub fn application_keys(&self) -> Vec<AppKey> {
        self.applications.keys()
    }

    pub fn applications(&self) -> Vec<Arc<Application>> {
        self.applications.all()
    }

    pub fn project(&self, name: &str) -> Option<Arc<AppProject>> {
        self.projects.read().get(name).cloned()
    }

    pub fn projects(&self) -> Vec<Arc<AppProject>> {
        self.projects.read().values().cloned().collect()
    }

    pub fn put_project(&self, project: AppProject) {
        self.projects.write().insert(project.metadata.name.clone(), Arc::new(project));
    }

    pub fn drop_project(&self, name: &str) {
        self.projects.write().remove(name);
    }

    /// The projects whose rules join this one's (CRD-15).
    pub fn global_projects(&self, project: &AppProject) -> Vec<Arc<AppProject>> {
        let snapshot = self.snapshot();
        snapshot
            .settings
            .global_projects
            .iter()
            .filter(|global| global.project_name != project.metadata.name)
            .filter(|global| selects(&global.label_selector, &project.metadata.labels))
            .filter_map(|global| self.project(&global.project_name))
            .collect()
    }

    /// What is remembered of an Application between two looks.
    pub fn entry(&self, key: &AppKey) -> Arc<tokio::sync::Mutex<Entry>> {
        self.entries.lock().entry(key.clone()).or_default().clone()
    }

    /// Tells whether Applications of this namespace are this controller's.
    pub fn looks_after(&self, namespace: &str) -> bool {
        namespace == self.config.namespace
            || self.snapshot().settings.application_namespaces.iter().any(|pattern| {
                let inner = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
                inner
                    .and_then(|text| regex::Regex::new(text).ok())
                    .is_some_and(|regex| regex.is_match(namespace))
                    || glob(pattern, namespace)
            })
    }

    /// Finds the Application that a tracking name means.
    pub fn key_of_instance(&self, instance: &str) -> AppKey {
        match instance.split_once('_') {
            Some((namespace, name)) => AppKey::new(namespace, name),
            None => AppKey::new(&self.config.namespace, instance),
        }
    }
}

/// Matches a gobwas glob; a pattern that does not parse matches nothing.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    globs::Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(text))
}

/// Whether a selector chooses these labels (CRD-15).
pub fn selects(selector: &crd::LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let by_value = selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
    by_value
        && selector.match_expressions.iter().all(|one| {
            let held = labels.get(&one.key);
            match one.operator.as_str() {
                "In" => held.is_some_and(|value| one.values.contains(value)),
                "NotIn" => held.is_none_or(|value| !one.values.contains(value)),
                "Exists" => held.is_some(),
                "DoesNotExist" => held.is_none(),
                _ => false,
            }
        })
}

impl Snapshot {
    /// Puts settings and cluster secrets together.
    pub fn new(
        settings: Settings,
        secrets: &[serde_json::Value],
        control_plane: &str,
        version: u64,
    ) -> (Self, Vec<settings::Problem>) {
        let (clusters, problems) = Clusters::read(secrets, settings.in_cluster_enabled);
        let mut reach = HashMap::new();
        for known in clusters.list() {
            let secret = secrets.iter().find(|secret| {
                let place = format!("{}/{}", manifest::namespace(secret), manifest::name(secret));
                !known.secret.is_empty() && place == known.secret
            });
            let how = match secret {
                Some(secret) => Reach::of_secret(secret, known),
                None => Reach::inside(&known.server),
            };
            reach.insert(known.server.clone(), how);
        }
        let destinations = clusters
            .list()
            .iter()
            .map(|known| policy::Cluster {
                server: known.server.clone(),
                name: known.name.clone(),
                project: known.project.clone(),
            })
            .collect();
        let rules = Arc::new(rules(&settings, control_plane));
        let ignored = ignored(&settings);
        let compiled = compare::IgnoreRules::compile(&ignored);
        for warning in &compiled.warnings {
            warn!(warning, "a rule of the settings ignores nothing");
        }
        let (ignore, ignore_errors) = (Arc::new(compiled.rules), compiled.errors);
        let ignored_updates = match settings.resources.ignore_resource_updates {
            true => compare::IgnoreRules::compile(&ignored_updates(&settings)).rules,
            false => compare::IgnoreRules::default(),
        };
        let known = settings.resources.overrides.iter().flat_map(|(kind, rules)| {
            rules.known_type_fields.iter().map(|one| compare::KnownField {
                kind: kind.clone(),
                field: one.field.clone(),
                type_name: one.type_name.clone(),
            })
        });
        let known = Arc::new(compare::KnownTypes::new(known));
        let overrides = settings.resources.overrides.iter();
        let health =
            Arc::new(health::UserScripts::compile(overrides.map(|(kind, rules)| {
                (kind.as_str(), rules.health_lua.as_str(), rules.use_open_libs)
            })));
        let snapshot = Self {
            settings,
            rules,
            clusters,
            destinations,
            reach,
            ignored,
            ignore,
            ignore_errors,
            ignored_updates: Arc::new(ignored_updates),
            known,
            health,
            version,
        };
        (snapshot, problems)
    }
}

/// The settings' rules for kinds, as Applications write theirs.
fn ignored(settings: &Settings) -> Vec<crd::ResourceIgnoreDifferences> {
    let overrides = settings.resources.overrides.iter();
    overrides.filter_map(|(kind, rules)| rule(kind, &rules.ignore_differences)).collect()
}

/// The same for fields whose changes are no reason to look.
fn ignored_updates(settings: &Settings) -> Vec<crd::ResourceIgnoreDifferences> {
    let all = settings.resources.ignored_updates();
    all.iter().filter_map(|(kind, rules)| rule(kind, rules)).collect()
}

fn rule(kind: &str, rules: &settings::IgnoreRules) -> Option<crd::ResourceIgnoreDifferences> {
    if *rules == settings::IgnoreRules::default() {
        return None;
    }
    let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
    Some(crd::ResourceIgnoreDifferences {
        group: group.to_owned(),
        kind: kind.to_owned(),
        json_pointers: rules.json_pointers.clone(),
        jq_path_expressions: rules.jq_path_expressions.clone(),
        managed_fields_managers: rules.managed_fields_managers.clone(),
        ..crd::ResourceIgnoreDifferences::default()
    })
}

fn rules(settings: &Settings, control_plane: &str) -> Rules {
    let heal = &settings.sync.self_heal;
    let signed =
        |wait: std::time::Duration| SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    Rules {
        control_plane: control_plane.to_owned(),
        tracking: Tracking {
            method: Method::from_setting(settings.tracking.method.as_str()),
            label_key: settings.tracking.label.clone(),
            installation_id: settings.tracking.installation_id.clone(),
        },
        persist_resource_health: settings.controller.persist_resource_health,
        self_heal_first: signed(heal.first),
        self_heal_factor: u32::try_from(heal.factor).unwrap_or(1),
        self_heal_cap: signed(heal.max),
        self_heal_fixed: heal.fixed.map(signed),
        sync_timeout: settings.sync.timeout.map(signed),
        wave_delay: signed(settings.sync.wave_delay),
        impersonation: match (settings.sync.impersonation, settings.sync.impersonation_enforced) {
            (false, _) => Impersonation::Off,
            (true, false) => Impersonation::WhereNamed,
            (true, true) => Impersonation::Enforced,
        },
        guard: Guard {
            objects_max: settings.sync.guard_objects,
            percent_max: settings.sync.guard_percent,
        },
    }
}
