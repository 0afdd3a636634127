//! What a comparison says in the status.

use std::cmp::Ordering;
use std::sync::Arc;

use crd::{
    Application, ApplicationStatus, ComparedTo, HealthStatus, HealthStatusCode, ResourceStatus,
    SyncStatus, SyncStatusCode,
};
use manifest::{GroupKind, ObjectKey};
use policy::Project;
use sync::{Wellness, value_of};

use crate::conditions::{Condition, Kind};
use crate::facts::{Facts, Pair, Side};
use crate::health;
use crate::names::qualified_name;
use crate::said::{CONFIRMED, Said};
use crate::target::Target;

/// What a comparison found.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub sync: SyncStatus,
    pub health: Wellness,
    pub health_message: String,
    /// Sorted as upstream sorts them: by `group/kind/namespace/name`.
    pub resources: Vec<ResourceStatus>,
    pub conditions: Vec<Condition>,
}

/// Condition types that a comparison answers for.
pub(crate) fn evaluated() -> [Kind; 5] {
    [
        Kind::ComparisonError,
        Kind::SharedResourceWarning,
        Kind::RepeatedResourceWarning,
        Kind::ExcludedResourceWarning,
        Kind::OrphanedResourceWarning,
    ]
}

/// Says what differs, and how the Application is.
pub(crate) fn compared(facts: &Facts, side: &Side, project: &Project) -> Compared {
    let application = &*facts.application;
    let mut conditions = side.conditions.clone();
    if let Some(prepared) = &side.prepared {
        conditions.extend(prepared.conditions.iter().cloned());
    }
    for (key, other) in &side.shared {
        conditions.push(Condition::new(
            Kind::SharedResourceWarning,
            format!(
                "{}/{} is part of applications {} and {}",
                key.kind,
                key.name,
                qualified_name(application),
                other.replace('_', "/")
            ),
        ));
    }
    let mut out_of_sync = false;
    let mut resources = Vec::with_capacity(side.pairs.len());
    let mut asked = Asked::new(application, project);
    for pair in &side.pairs {
        let row = row(facts, side, pair, &mut asked);
        out_of_sync |= row.differs;
        if pair.target.as_ref().is_some_and(|target| target.namespaced == Some(true))
            && row.status.namespace.is_empty()
        {
            // As Go prints a kind: with the slash, also where the group is empty.
            let ResourceStatus { group, version, kind, name, .. } = &row.status;
            conditions.push(Condition::new(
                Kind::InvalidSpecError,
                format!("Namespace for {name} {group}/{version}, Kind={kind} is missing."),
            ));
        }
        resources.push(row.status);
    }
    resources.sort_by(in_order);
    let status = if side.failed {
        SyncStatusCode::Unknown
    } else if out_of_sync || namespace_metadata_changed(application) {
        SyncStatusCode::OutOfSync
    } else {
        SyncStatusCode::Synced
    };
    let (health, health_message) = health::sum(&side.pairs, application);
    conditions.extend(health::failed(&side.pairs, application));
    Compared {
        sync: sync_status(application, side, status),
        health,
        health_message,
        resources,
        conditions,
    }
}

/// Returns the sync status for these sources and revisions.
pub(crate) fn sync_status(
    application: &Application,
    side: &Side,
    status: SyncStatusCode,
) -> SyncStatus {
    let mut compared_to = ComparedTo {
        destination: application.spec.destination.clone(),
        ignore_differences: application.spec.ignore_differences.clone(),
        ..ComparedTo::default()
    };
    let mut sync = SyncStatus { status, ..SyncStatus::default() };
    if side.several {
        compared_to.sources.clone_from(&side.sources);
        sync.revisions.clone_from(&side.revisions);
    } else {
        compared_to.source = side.sources.first().cloned().unwrap_or_default();
        sync.revision = side.revisions.first().cloned().unwrap_or_default();
    }
    sync.compared_to = compared_to;
    sync
}

struct Row {
    status: ResourceStatus,
    /// Whether it makes the Application OutOfSync.
    differs: bool,
}

/// Orders rows by `group/kind/namespace/name`, read as one text.
fn in_order(one: &ResourceStatus, other: &ResourceStatus) -> Ordering {
    if one.kind == other.kind && one.namespace == other.namespace && one.group == other.group {
        return one.name.cmp(&other.name);
    }
    let text =
        |row: &ResourceStatus| format!("{}/{}/{}/{}", row.group, row.kind, row.namespace, row.name);
    text(one).cmp(&text(other))
}

/// What is the same for all rows, or for most.
struct Asked<'a> {
    project: &'a Project,
    /// What the Application says where an object says nothing, as [`CONFIRMED`] has it.
    confirms: [bool; 2],
    /// Whether the project permits the kind that was asked for last, of namespaced ones.
    permitted: Option<(GroupKind, bool)>,
}

impl<'a> Asked<'a> {
    fn new(application: &Application, project: &'a Project) -> Self {
        let options =
            application.spec.sync_policy.as_ref().map(|policy| policy.sync_options.as_slice());
        let options = options.unwrap_or_default();
        let confirms =
            CONFIRMED.map(|option| value_of(options, option).as_deref() == Some("confirm"));
        Self { project, confirms, permitted: None }
    }

    fn permits(&mut self, group: &str, kind: &str, name: &str, namespaced: bool) -> bool {
        if !namespaced {
            return self.project.permits_kind(&GroupKind::new(group, kind), name, false);
        }
        if let Some((known, permitted)) = &self.permitted
            && known.kind == kind
            && known.group == group
        {
            return *permitted;
        }
        let asked = GroupKind::new(group, kind);
        let permitted = self.project.permits_kind(&asked, name, true);
        self.permitted = Some((asked, permitted));
        permitted
    }

    fn needs_confirmation(&self, pair: &Pair) -> bool {
        let target = pair.target.as_ref().map(|target| &target.said);
        let live = pair.live.as_ref().map(|seen| &seen.said);
        target.into_iter().chain(live).any(|said| {
            said.confirms.iter().zip(self.confirms).any(|(own, else_)| own.unwrap_or(else_))
        })
    }
}

fn row(facts: &Facts, side: &Side, pair: &Pair, asked: &mut Asked) -> Row {
    let target = pair.target.as_ref();
    let live = pair.live.as_ref();
    // As upstream: the live object names the row.
    let (key, said): (_, &Said) = match (live, target) {
        (Some(seen), _) => (&seen.key, &seen.said),
        (None, Some(target)) => (&target.key, &target.said),
        (None, None) => return Row { status: ResourceStatus::default(), differs: false },
    };
    let gvk = &said.gvk;
    let self_referenced = pair.self_referenced(&facts.rules.tracking);
    let mut status = ResourceStatus {
        group: gvk.group.clone(),
        version: gvk.version.clone(),
        kind: gvk.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        hook: said.any_hook,
        requires_pruning: target.is_none() && live.is_some() && self_referenced,
        requires_deletion_confirmation: asked.needs_confirmation(pair),
        sync_wave: match target {
            Some(target) => target.said.wave,
            None if said.any_hook => wave_of_hook(side, key),
            None => 0,
        },
        ..ResourceStatus::default()
    };
    let left_out = status.hook
        || said.ignored
        || target.is_some_and(|target| target.said.skipped)
        || !self_referenced;
    let managed_namespace = is_managed_namespace(pair, &facts.application) && live.is_none();
    let differs =
        !left_out && !managed_namespace && (pair.modified || target.is_none() || live.is_none());
    if !left_out {
        status.status = if differs { SyncStatusCode::OutOfSync } else { SyncStatusCode::Synced };
    }
    let namespaced = match target.map(|target| target.namespaced) {
        Some(known) => known.unwrap_or(true),
        None => !status.namespace.is_empty(),
    };
    // What the project forbids still makes the Application OutOfSync: the sync then says why.
    if side.failed || !asked.permits(&gvk.group, &gvk.kind, &status.name, namespaced) {
        status.status = SyncStatusCode::Unknown;
    }
    Row { status: with_health(facts, pair, status), differs: differs && !extraneous(pair) }
}

/// The wave that git gives to a hook that is live.
fn wave_of_hook(side: &Side, key: &ObjectKey) -> i64 {
    let hooks = side.prepared.iter().flat_map(|prepared| &prepared.hooks);
    let same = |hook: &&Arc<Target>| {
        hook.key.kind == key.kind
            && hook.key.name == key.name
            && hook.key.namespace == key.namespace
    };
    hooks.into_iter().find(same).map_or(0, |hook| hook.said.wave)
}

fn extraneous(pair: &Pair) -> bool {
    pair.target.is_none() && pair.live.as_ref().is_some_and(|seen| seen.said.extraneous)
}

fn with_health(facts: &Facts, pair: &Pair, mut status: ResourceStatus) -> ResourceStatus {
    if !facts.rules.persist_resource_health || health::left_out(pair, &facts.application) {
        return status;
    }
    status.health = health::of(pair).map(|(health, message)| HealthStatus {
        status: HealthStatusCode::from(health.as_str()),
        message,
        ..HealthStatus::default()
    });
    status
}

fn is_managed_namespace(pair: &Pair, application: &Application) -> bool {
    let managed = application
        .spec
        .sync_policy
        .as_ref()
        .is_some_and(|policy| policy.managed_namespace_metadata.is_some());
    managed
        && pair.target.as_ref().is_some_and(|target| {
            target.gvk.group.is_empty()
                && target.gvk.kind == "Namespace"
                && target.key.name == application.spec.destination.namespace
        })
}

/// Tells whether the namespace's metadata is to be other than the last sync made it.
fn namespace_metadata_changed(application: &Application) -> bool {
    let wanted = application
        .spec
        .sync_policy
        .as_ref()
        .and_then(|policy| policy.managed_namespace_metadata.as_ref());
    let result =
        application.status.operation_state.as_ref().and_then(|state| state.sync_result.as_ref());
    match (wanted, result) {
        (Some(wanted), Some(result)) => result.managed_namespace_metadata.as_ref() != Some(wanted),
        _ => false,
    }
}

/// Returns images, URLs, and whether the Application holds Applications.
pub(crate) fn summarize(status: &mut ApplicationStatus, application: &Application, side: &Side) {
    let mut images = side.images.clone();
    images.sort();
    images.dedup();
    let links = application
        .metadata
        .annotations
        .iter()
        .filter(|(key, _)| key.starts_with("link.argocd.argoproj.io/"));
    let of_objects =
        side.pairs.iter().filter_map(|pair| pair.live.as_ref()).flat_map(|seen| &seen.urls);
    let mut urls: Vec<String> = of_objects.chain(links.map(|(_, url)| url)).cloned().collect();
    urls.sort();
    urls.dedup();
    status.summary.images = images;
    status.summary.external_urls = urls;
    status.summary.is_app_of_apps = side.pairs.iter().any(|pair| {
        pair.named().is_some_and(|key| key.group == "argoproj.io" && key.kind == "Application")
    });
}
