//! Everything that a decision looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use crd::{AppProject, Application, ApplicationSource};
use jiff::{SignedDuration, Timestamp};
use manifest::{Gvk, ObjectKey};
use policy::Cluster;
use sync::{Live, Outcome, Progress, Tracking, WriteVerdict};

use crate::conditions::Condition;
use crate::prepare::Prepared;
use crate::resting::Resting;
use crate::said::Said;
use crate::target::Target;

/// Everything that a decision about one Application looks at, at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The Application as the cluster has it.
    pub application: Arc<Application>,
    /// The project that it names; `None`: there is none of that name.
    pub project: Option<Arc<AppProject>>,
    /// Projects whose rules join the project's (CRD-15).
    pub global_projects: Vec<Arc<AppProject>>,
    /// Every cluster that is known.
    pub clusters: Arc<[Cluster]>,
    /// What the settings say.
    pub rules: Arc<Rules>,
    /// The time.
    pub now: Timestamp,
    /// What is wanted and what is there; `None`: nobody looked, since the spec does not allow it.
    pub side: Option<Side>,
    /// Somebody asked for a look: the annotation, not a timer and not an event.
    pub asked: bool,
    /// Whether what is wanted differs from what was synced last; `None`: nobody knows.
    pub content_changed: Option<bool>,
    /// The operation that is asked for or runs; `None`: there is none, or nobody looked.
    pub operation: Option<OperationFacts>,
    /// What the cluster refused of the last step of a deletion, in its words.
    pub deletion_failures: Vec<String>,
}

/// What the settings say, as far as a decision asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The namespace of the control plane.
    pub control_plane: String,
    /// How objects are marked.
    pub tracking: Tracking,
    /// Whether each resource's health stands in the status (`controller.resource.health.persist`).
    pub persist_resource_health: bool,
    /// The first wait between attempts to heal.
    pub self_heal_first: SignedDuration,
    /// Each wait is so many times the one before.
    pub self_heal_factor: u32,
    /// No wait is longer.
    pub self_heal_cap: SignedDuration,
    /// The wait between attempts to heal where it does not grow (`self.heal.timeout.seconds`).
    pub self_heal_fixed: Option<SignedDuration>,
    /// An operation that runs longer is ended; `None`: never.
    pub sync_timeout: Option<SignedDuration>,
    /// How long a sync rests between two waves, at least.
    pub wave_delay: SignedDuration,
    /// Whether syncs act as the project's service accounts.
    pub impersonation: Impersonation,
    /// Which automated prunes wait for a person.
    pub guard: Guard,
}

/// Whether syncs act as the project's service accounts (SYN-35).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Impersonation {
    /// They act as the controller.
    #[default]
    Off,
    /// They do where the project names one.
    WhereNamed,
    /// A sync fails where the project names none.
    Enforced,
}

/// Which automated prunes wait for a person: what would delete more of an Application than both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Objects.
    pub objects_max: usize,
    /// Percent of the Application's live objects.
    pub percent_max: usize,
}

impl Default for Guard {
    fn default() -> Self {
        Self { objects_max: 50, percent_max: 50 }
    }
}

impl Default for Rules {
    /// Upstream's defaults.
    fn default() -> Self {
        Self {
            control_plane: "argocd".into(),
            tracking: Tracking::default(),
            persist_resource_health: false,
            self_heal_first: SignedDuration::from_secs(2),
            self_heal_factor: 3,
            self_heal_cap: SignedDuration::from_secs(300),
            self_heal_fixed: None,
            sync_timeout: None,
            wave_delay: SignedDuration::ZERO,
            impersonation: Impersonation::Off,
            guard: Guard::default(),
        }
    }
}

/// What is wanted, and what is there of it.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The sources that were rendered.
    pub sources: Vec<ApplicationSource>,
    /// Whether they stand in `sources`, not in `source`.
    pub several: bool,
    /// One a source; where rendering failed, those that were resolved.
    pub revisions: Vec<String>,
    /// One a source: `Helm`, `Directory`….
    pub source_types: Vec<String>,
    /// What is wanted; `None`: it could not be rendered, and `failures` says why.
    pub prepared: Option<Arc<Prepared>>,
    /// Each wanted or live object of the Application.
    pub pairs: Vec<Pair>,
    /// What could not be loaded or compared, and what rendering warned about.
    pub conditions: Vec<Condition>,
    /// Whether something could not be loaded: then nothing is known for sure.
    pub failed: bool,
    /// Whether the destination could not be reached: nothing is known of what is there.
    pub unreachable: bool,
    /// Images of all pods below the Application.
    pub images: Vec<String>,
    /// Live objects that another Application has: its name, by key.
    pub shared: BTreeMap<ObjectKey, String>,
}

/// One object of the Application: wanted, there, or both.
#[derive(Clone, Debug)]
pub struct Pair {
    /// As wanted.
    pub target: Option<Arc<Target>>,
    /// As it is.
    pub live: Option<Arc<Seen>>,
    /// Whether the two differ.
    pub modified: bool,
    /// Why the API server would refuse to apply it on its side.
    pub structural_refusal: Option<Arc<str>>,
}

/// A live object, as far as decisions ask. Made once for each version of the object.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it is called.
    pub key: ObjectKey,
    /// What it says of itself.
    pub said: Said,
    /// What a sync asks of it.
    pub live: Resting,
    /// Whether its tracking annotation was written for it, not copied to it (DIF-03); so it is
    /// taken to be where there is none.
    pub described: bool,
    /// The Application that it says it belongs to.
    pub app: Option<String>,
    /// Whether another object owns it.
    pub owned: bool,
    /// Under which URLs it is reached.
    pub urls: Vec<String>,
    /// Why nobody can tell how well it is: the rule for its kind failed.
    pub health_error: Option<String>,
}

/// An operation, and what it needs to go on.
#[derive(Clone, Debug, Default)]
pub struct OperationFacts {
    /// What the operation wants; `None`: as the comparison does.
    pub side: Option<Side>,
    /// Whether another process may have begun this attempt.
    pub goes_on: bool,
    /// How far it is, if this process has begun or resumed it.
    pub progress: Option<Progress>,
    /// What became of the last step's actions.
    pub outcomes: Vec<Outcome>,
    /// The destination's namespace.
    pub live_namespace: Option<Arc<Live>>,
    /// What stands in the way of making it.
    pub namespace_verdict: WriteVerdict,
    /// Kinds, at versions, that are wanted and that the cluster does not serve.
    pub unserved: BTreeMap<Gvk, Unserved>,
}

/// A kind at a version that a cluster does not serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unserved {
    /// The server's words.
    pub words: String,
    /// At which version it serves the kind, or, where it does not, a kind of that name.
    pub installed: Option<Gvk>,
}

impl Pair {
    /// The object's key: as wanted, else as it is.
    pub fn key(&self) -> ObjectKey {
        self.named().cloned().unwrap_or_default()
    }

    /// The same, where it stands; `None` where there is neither.
    pub(crate) fn named(&self) -> Option<&ObjectKey> {
        match (&self.target, &self.live) {
            (Some(target), _) => Some(&target.key),
            (None, live) => live.as_ref().map(|seen| &seen.key),
        }
    }

    /// Tells whether the live object's tracking metadata describes it (DIF-03).
    pub fn self_referenced(&self, tracking: &Tracking) -> bool {
        let Some(seen) = &self.live else { return true };
        if tracking.method == sync::Method::Label {
            return true;
        }
        match &self.target {
            Some(target) => {
                target.key.group == seen.key.group
                    && target.key.kind == seen.key.kind
                    && target.key.name == seen.key.name
                    && (seen.key.namespace.is_empty() || target.key.namespace == seen.key.namespace)
            }
            None => seen.described,
        }
    }
}
