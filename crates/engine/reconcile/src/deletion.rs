//! Deleting an Application: what goes with it, and in which order (SYN-80).

use jiff::Timestamp;
use policy::{Cluster, Project};
use sync::marks::{SYNC_OPTIONS, helm_keeps, is_crd, option_value, wave};
use sync::{Action, Deed, Propagation, SyncPhase, TaskId, value_of};

use crate::facts::{Facts, Pair, Seen};

/// Deletes an Application's objects before the Application goes.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";
const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// What a deletion comes to now.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// What to delete now.
    pub actions: Vec<Action>,
    /// The finalizers that are left, where some go.
    pub finalizers: Option<Vec<String>>,
    /// What it waits for, for people.
    pub waits_for: Option<String>,
    /// Why it does not go on by itself: a `DeletionError`.
    pub error: Option<String>,
}

/// Tells whether an Application takes its objects with it, and how.
pub fn cascade(finalizers: &[String]) -> Option<Propagation> {
    let has = |name: &str| finalizers.iter().any(|one| one == name);
    if has(BACKGROUND_FINALIZER) {
        return Some(Propagation::Background);
    }
    (has(RESOURCES_FINALIZER) || has(FOREGROUND_FINALIZER)).then_some(Propagation::Foreground)
}

/// Tells whether a finalizer asks for hooks of the deletion.
fn asks_for_hooks(finalizer: &str) -> bool {
    let name = finalizer.split('/').next().unwrap_or(finalizer);
    matches!(
        name,
        "pre-delete-finalizer.argocd.argoproj.io" | "post-delete-finalizer.argocd.argoproj.io"
    )
}

/// Tells whether a finalizer is one that this controller takes off.
fn is_ours(finalizer: &str) -> bool {
    let name = finalizer.split('/').next().unwrap_or(finalizer);
    name == RESOURCES_FINALIZER || asks_for_hooks(finalizer)
}

/// Ends the deletion of an Application whose destination is not known any more: nothing can be deleted.
pub(crate) fn without_destination(facts: &Facts) -> Deletion {
    let finalizers = &facts.application.metadata.finalizers;
    let left: Vec<String> = finalizers.iter().filter(|one| !is_ours(one)).cloned().collect();
    Deletion { finalizers: (left.len() != finalizers.len()).then_some(left), ..Deletion::default() }
}

/// Moves the deletion of an Application on by one step.
pub(crate) fn delete(facts: &Facts, project: &Project, cluster: &Cluster) -> Deletion {
    let application = &*facts.application;
    let finalizers = &application.metadata.finalizers;
    if let Some(hooks) = finalizers.iter().find(|one| asks_for_hooks(one)) {
        let words = format!(
            "hooks of a deletion are not run yet: take the finalizer {hooks} off the Application to delete it without them"
        );
        return Deletion {
            waits_for: Some(words.clone()),
            error: Some(words),
            ..Deletion::default()
        };
    }
    let Some(propagation) = cascade(finalizers) else { return Deletion::default() };
    let Some(side) = &facts.side else {
        return Deletion { waits_for: Some("the live state".into()), ..Deletion::default() };
    };
    if side.failed {
        return Deletion { waits_for: Some("the live state".into()), ..Deletion::default() };
    }
    let mine: Vec<(&Pair, &Seen)> = side
        .pairs
        .iter()
        .filter_map(|pair| Some((pair, pair.live.as_deref()?)))
        .filter(|(_, seen)| belongs(facts, seen, project, cluster))
        .collect();
    let going = mine.iter().filter(|(_, seen)| seen.live.deleting()).count();
    let doomed: Vec<&Seen> =
        mine.iter().map(|(_, seen)| *seen).filter(|seen| goes(facts, seen)).collect();
    if going > 0 {
        let words = format!("{} objects remaining for deletion", mine.len());
        return Deletion { waits_for: Some(words), ..Deletion::default() };
    }
    if doomed.is_empty() {
        let left: Vec<String> = finalizers.iter().filter(|one| !is_ours(one)).cloned().collect();
        return Deletion { finalizers: Some(left), ..Deletion::default() };
    }
    let asked_at = application.metadata.deletion_timestamp.as_ref().and_then(crd::Time::timestamp);
    let approved = application
        .metadata
        .annotations
        .get(DELETION_APPROVED)
        .and_then(|text| text.parse::<Timestamp>().ok())
        .is_some_and(|at| asked_at.is_none_or(|asked| at >= asked));
    let unconfirmed = doomed.iter().find(|seen| {
        !approved
            && application.status.resources.iter().any(|row| {
                row.requires_deletion_confirmation
                    && row.group == seen.key.group
                    && row.kind == seen.key.kind
                    && row.namespace == seen.key.namespace
                    && row.name == seen.key.name
            })
    });
    if let Some(seen) = unconfirmed {
        let words = format!("Resource {} requires manual confirmation to delete", seen.key);
        return Deletion { waits_for: Some(words), ..Deletion::default() };
    }
    // The last wave goes first, and alone.
    let last = doomed.iter().map(|seen| wave(&seen.live.head)).max();
    let actions: Vec<Action> = doomed
        .iter()
        .filter(|seen| Some(wave(&seen.live.head)) == last)
        .map(|seen| Action {
            task: TaskId { key: seen.key.clone(), phase: SyncPhase::Sync },
            gvk: manifest::gvk(&seen.live.head),
            key: seen.key.clone(),
            deed: Deed::Prune { propagation },
        })
        .collect();
    Deletion {
        waits_for: Some(format!("{} objects remaining for deletion", doomed.len())),
        actions,
        ..Deletion::default()
    }
}

/// Tells whether a live object is the Application's, and within what its project may touch.
fn belongs(facts: &Facts, seen: &Seen, project: &Project, cluster: &Cluster) -> bool {
    let name = crate::names::instance_name(&facts.application, &facts.rules.control_plane);
    seen.app.as_deref() == Some(name.as_str())
        && !seen.owned
        && seen.tracking_id.as_ref().is_none_or(|id| id.describes(&seen.key))
        && project.permits_live(
            &seen.key.group_kind(),
            &seen.key.name,
            &seen.key.namespace,
            cluster,
        )
}

fn goes(facts: &Facts, seen: &Seen) -> bool {
    let head = &seen.live.head;
    let metadata = &facts.application.metadata;
    let itself = seen.key.group == "argoproj.io"
        && seen.key.kind == "Application"
        && seen.key.name == metadata.name
        && seen.key.namespace == metadata.namespace;
    let options =
        facts.application.spec.sync_policy.as_ref().map(|policy| policy.sync_options.as_slice());
    let delete = option_value(head, SYNC_OPTIONS, "Delete")
        .map(str::to_owned)
        .or_else(|| value_of(options.unwrap_or_default(), "Delete"));
    // A live CustomResourceDefinition would take every object of its kind with it.
    !is_crd(head) && !itself && delete.as_deref() != Some("false") && !helm_keeps(head)
}
