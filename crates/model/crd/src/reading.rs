//! What the fields of an Application mean, defaults included.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use crate::application::{
    Application, ApplicationDestination, ApplicationSpec, Backoff, RetryStrategy, SourceHydrator,
    SyncPolicy, SyncPolicyAutomated,
};
use crate::appset::ApplicationSet;
use crate::duration::{BadDuration, parse_duration_or_seconds};
use crate::keys;
use crate::metadata::Metadata;
use crate::project::AppProject;
use crate::source::{ApplicationSource, ApplicationSourcePlugin};
use crate::status::ApplicationSourceType;

/// How many past syncs are remembered where an Application says nothing.
pub const REVISION_HISTORY_LIMIT: i64 = 10;
/// How often an automated sync is tried again where an Application says nothing.
pub const AUTOMATED_RETRY_LIMIT: i64 = 5;

/// How thoroughly a refresh looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefreshType {
    /// What branches and tags point at now.
    Normal,
    /// The same, and every cached rendering is thrown away.
    Hard,
}

impl RefreshType {
    /// As the annotation spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Hard => "hard",
        }
    }
}

/// What happens to an Application's objects when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted, dependents first.
    Foreground,
    /// They are deleted, dependents later.
    Background,
}

/// Which cluster a destination means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationCluster<'a> {
    /// By URL, without a closing `/`.
    Server(&'a str),
    /// By name.
    Name(&'a str),
}

/// Why a destination means no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDestination {
    /// Neither field is set.
    #[error(
        "application destination server and name are both empty; set `destination.server` to \
             the cluster's URL or `destination.name` to its name"
    )]
    Missing,
    /// Both fields are set.
    #[error("application destination can't have both name and server defined: {name} {server}")]
    Both {
        /// The name.
        name: String,
        /// The URL.
        server: String,
    },
    /// A name stands where a URL should.
    #[error(
        "application destination server `{server}` is no URL; a cluster's name belongs in \
             `destination.name`"
    )]
    NameAsServer {
        /// What stands there.
        server: String,
    },
}

impl ApplicationDestination {
    /// Returns which cluster is meant (CRD-04).
    ///
    /// # Errors
    ///
    /// [`BadDestination`] where none or two are named, or a name stands in `server`.
    pub fn cluster(&self) -> Result<DestinationCluster<'_>, BadDestination> {
        match (self.server.as_str(), self.name.as_str()) {
            ("", "") => Err(BadDestination::Missing),
            ("", name) => Ok(DestinationCluster::Name(name)),
            (server, "") if !server.contains("://") => {
                Err(BadDestination::NameAsServer { server: server.to_owned() })
            }
            (server, "") => Ok(DestinationCluster::Server(server.trim_end_matches('/'))),
            (server, name) => {
                Err(BadDestination::Both { name: name.to_owned(), server: server.to_owned() })
            }
        }
    }
}

impl Application {
    /// An Application with a name and nothing else.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            api_version: keys::API_VERSION.to_owned(),
            kind: "Application".to_owned(),
            metadata: Metadata::named(namespace, name),
            ..Self::default()
        }
    }

    /// What tracking and metrics call it: `name`, or `namespace_name` outside the namespace of
    /// the control plane.
    pub fn instance_name(&self, control_plane_namespace: &str) -> String {
        let Metadata { name, namespace, .. } = &self.metadata;
        if namespace.is_empty() || namespace == control_plane_namespace {
            name.clone()
        } else {
            format!("{namespace}_{name}")
        }
    }

    /// What people call it: `namespace/name`.
    pub fn qualified_name(&self) -> String {
        match self.metadata.namespace.as_str() {
            "" => self.metadata.name.clone(),
            namespace => format!("{namespace}/{}", self.metadata.name),
        }
    }

    /// The refresh that an annotation asks for; any word but `hard` is a normal one.
    pub fn refresh_requested(&self) -> Option<RefreshType> {
        let word = self.metadata.annotations.get(keys::REFRESH)?;
        Some(if word == "hard" { RefreshType::Hard } else { RefreshType::Normal })
    }

    /// The manifests that the last operation brought along instead of the sources' own: the
    /// Application is compared with them until the next operation, as upstream. A dry run leaves
    /// nothing to compare with.
    pub fn local_manifests(&self) -> &[String] {
        let last =
            self.status.operation_state.as_ref().and_then(|state| state.operation.sync.as_ref());
        last.filter(|sync| !sync.dry_run).map_or(&[], |sync| &sync.manifests)
    }

    /// Whether an annotation says to leave this Application alone.
    pub fn skips_reconcile(&self) -> bool {
        self.metadata.annotations.get(keys::SKIP_RECONCILE).is_some_and(|word| is_true(word))
    }

    /// When a person allowed deletions that wait for one.
    pub fn deletion_approved_at(&self) -> Option<Timestamp> {
        self.metadata.annotations.get(keys::DELETION_APPROVED)?.parse().ok()
    }

    /// How the Application's objects are deleted with it; `None` leaves them behind.
    pub fn cascade(&self) -> Option<Propagation> {
        let finalizers = &self.metadata.finalizers;
        let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
        if has(keys::RESOURCES_FINALIZER_BACKGROUND) {
            Some(Propagation::Background)
        } else if has(keys::RESOURCES_FINALIZER) || has(keys::RESOURCES_FINALIZER_FOREGROUND) {
            Some(Propagation::Foreground)
        } else {
            None
        }
    }

    /// Whether its deletion was asked for.
    pub fn is_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

impl AppProject {
    /// A project with a name and no rules: nothing is allowed.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            api_version: keys::API_VERSION.to_owned(),
            kind: "AppProject".to_owned(),
            metadata: Metadata::named(namespace, name),
            ..Self::default()
        }
    }
}

impl ApplicationSet {
    /// An ApplicationSet with a name and nothing else.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            api_version: keys::API_VERSION.to_owned(),
            kind: "ApplicationSet".to_owned(),
            metadata: Metadata::named(namespace, name),
            ..Self::default()
        }
    }
}

impl Metadata {
    /// Metadata of an object to be made.
    pub fn named(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into(), ..Self::default() }
    }
}

impl ApplicationSpec {
    /// The project's name: `default` where none stands.
    pub fn project_name(&self) -> &str {
        if self.project.is_empty() { keys::DEFAULT_PROJECT } else { &self.project }
    }

    /// Whether `sources` is what counts.
    pub fn has_multiple_sources(&self) -> bool {
        self.source_hydrator.is_none() && !self.sources.is_empty()
    }

    /// The sources that count (CRD-05): the hydrator's branch, else `sources`, else `source`.
    /// Empty where the Application has none.
    pub fn effective_sources(&self) -> Cow<'_, [ApplicationSource]> {
        if let Some(hydrator) = &self.source_hydrator {
            return Cow::Owned(vec![hydrator.sync_source()]);
        }
        match &self.source {
            _ if !self.sources.is_empty() => Cow::Borrowed(&self.sources),
            Some(source) => Cow::Borrowed(std::slice::from_ref(source)),
            None => Cow::Borrowed(&[]),
        }
    }

    /// How many past syncs are remembered.
    pub fn history_limit(&self) -> usize {
        let limit = self.revision_history_limit.unwrap_or(REVISION_HISTORY_LIMIT);
        usize::try_from(limit).unwrap_or(0)
    }

    /// The automated sync, where there is one and it is switched on (CRD-08).
    pub fn automated(&self) -> Option<&SyncPolicyAutomated> {
        self.sync_policy.as_ref()?.automated.as_ref().filter(|automated| automated.is_enabled())
    }

    /// Whether the whole Application syncs with this option, as `CreateNamespace=true`.
    pub fn has_sync_option(&self, option: &str) -> bool {
        self.sync_options().iter().any(|have| have == option)
    }

    /// The first value of a sync option: `foreground` of `PrunePropagationPolicy=foreground`.
    pub fn sync_option_value(&self, name: &str) -> Option<&str> {
        option_value(self.sync_options(), name)
    }

    /// The options for the whole sync.
    pub fn sync_options(&self) -> &[String] {
        self.sync_policy.as_ref().map_or(&[], |policy| &policy.sync_options)
    }

    /// What an automated sync does when it fails (SYN-53): the Application's rule, else five
    /// retries with the usual waits.
    pub fn automated_retry(&self) -> RetryStrategy {
        self.sync_policy
            .as_ref()
            .and_then(|policy| policy.retry.clone())
            .unwrap_or_else(|| RetryStrategy { limit: AUTOMATED_RETRY_LIMIT, ..Default::default() })
    }
}

impl SyncPolicy {
    /// Whether syncs happen unasked.
    pub fn is_automated(&self) -> bool {
        self.automated.as_ref().is_some_and(SyncPolicyAutomated::is_enabled)
    }
}

/// The first value of an option in a list of `name=value`.
pub fn option_value<'a>(options: &'a [String], name: &str) -> Option<&'a str> {
    options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

impl SyncPolicyAutomated {
    /// Whether automated syncs happen at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// Whether objects that left the sources are deleted.
    pub fn prunes(&self) -> bool {
        self.prune.unwrap_or(false)
    }

    /// Whether changes made in the cluster are reverted.
    pub fn self_heals(&self) -> bool {
        self.self_heal.unwrap_or(false)
    }

    /// Whether a sync may delete everything.
    pub fn allows_empty(&self) -> bool {
        self.allow_empty.unwrap_or(false)
    }
}

/// Waits between attempts, with defaults filled in (CRD-07).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryWaits {
    /// The first wait.
    pub first: Duration,
    /// Each wait is this many times the one before.
    pub factor: i64,
    /// No wait is longer; zero is no limit.
    pub max: Duration,
}

impl Default for RetryWaits {
    fn default() -> Self {
        Self { first: Duration::from_secs(5), factor: 2, max: Duration::from_secs(180) }
    }
}

impl RetryWaits {
    /// How long to wait before retry number `retry`, the first being 0.
    pub fn wait(&self, retry: i64) -> Duration {
        // Go computes in floating point too: what is too long ends at the limit.
        let exponent = i32::try_from(retry).unwrap_or(i32::MAX);
        let mut seconds = self.first.as_secs_f64() * (self.factor as f64).powi(exponent);
        if !self.max.is_zero() {
            seconds = seconds.min(self.max.as_secs_f64());
        }
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl RetryStrategy {
    /// Returns the waits in between.
    ///
    /// # Errors
    ///
    /// [`BadDuration`] where a field is no duration.
    pub fn waits(&self) -> Result<RetryWaits, BadDuration> {
        self.backoff.as_ref().map_or(Ok(RetryWaits::default()), Backoff::waits)
    }

    /// How many retries there may be; `None` is no limit.
    pub fn retries_max(&self) -> Option<u64> {
        u64::try_from(self.limit).ok()
    }
}

impl Backoff {
    fn waits(&self) -> Result<RetryWaits, BadDuration> {
        let or = |text: &str, default: Duration| match text {
            "" => Ok(default),
            text => parse_duration_or_seconds(text),
        };
        let default = RetryWaits::default();
        Ok(RetryWaits {
            first: or(&self.duration, default.first)?,
            factor: self.factor.unwrap_or(default.factor),
            max: or(&self.max_duration, default.max)?,
        })
    }
}

impl SourceHydrator {
    /// The branch that syncs read, as a source.
    pub fn sync_source(&self) -> ApplicationSource {
        let sync = &self.sync_source;
        let repo_url =
            if sync.repo_url.is_empty() { &self.dry_source.repo_url } else { &sync.repo_url };
        ApplicationSource {
            repo_url: repo_url.clone(),
            path: sync.path.clone(),
            target_revision: sync.target_branch.clone(),
            ..Default::default()
        }
    }
}

impl ApplicationSource {
    /// Whether the source is a chart of a Helm repository or registry.
    pub fn is_chart(&self) -> bool {
        !self.chart.is_empty()
    }

    /// Whether the source is an OCI artifact.
    pub fn is_oci(&self) -> bool {
        self.repo_url.starts_with("oci://")
    }

    /// Whether the source only lends its files to others and renders nothing itself.
    pub fn is_ref_only(&self) -> bool {
        !self.r#ref.is_empty() && self.path.is_empty() && self.chart.is_empty()
    }

    /// The engine that the source asks for by its options; an empty object asks, too.
    ///
    /// # Errors
    ///
    /// The types, where options of several engines stand there; upstream refuses that.
    pub fn explicit_type(
        &self,
    ) -> Result<Option<ApplicationSourceType>, Vec<ApplicationSourceType>> {
        let mut types: Vec<ApplicationSourceType> = [
            (self.kustomize.is_some(), ApplicationSourceType::Kustomize),
            (self.helm.is_some(), ApplicationSourceType::Helm),
            (self.directory.is_some(), ApplicationSourceType::Directory),
            (self.plugin.is_some(), ApplicationSourceType::Plugin),
        ]
        .into_iter()
        .filter_map(|(asked, engine)| asked.then_some(engine))
        .collect();
        if types.len() > 1 { Err(types) } else { Ok(types.pop()) }
    }
}

impl ApplicationSourcePlugin {
    /// The value of an environment variable.
    pub fn env_value(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|entry| entry.name == name).map(|entry| entry.value.as_str())
    }
}

/// Whether a word is true to Go's `strconv.ParseBool`.
pub fn is_true(word: &str) -> bool {
    matches!(word, "1" | "t" | "T" | "TRUE" | "true" | "True")
}
