//! Deleting an Application: what goes with it, and in which order (SYN-80).

use jiff::{SignedDuration, Timestamp};
use policy::{Cluster, Project};
use sync::marks::{SYNC_OPTIONS, helm_keeps, is_crd, option_value};
use sync::{Action, Deed, Propagation, SyncPhase, TaskId, value_of};

use crate::deletion_hooks::{self, Hooks, Moment};
use crate::facts::{Facts, Pair, Seen, Side};
use crate::operation::DELETION_APPROVED;
use crate::prepare::Prepared;

/// Deletes an Application's objects before the Application goes.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";
/// How long after the cluster refused something it is asked again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);

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
    /// When to try again, where nothing else will make it.
    pub again_at: Option<Timestamp>,
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
    MOMENTS
        .iter()
        .any(|moment| finalizer == moment.finalizer() || finalizer == moment.cleanup_finalizer())
}

/// Tells whether what the Application wants must be known to go on with its deletion: hooks run.
pub fn deletion_runs_hooks(finalizers: &[String]) -> bool {
    finalizers.iter().any(|one| MOMENTS.iter().any(|moment| one == moment.finalizer()))
}

const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

/// Tells whether a finalizer is one that this controller takes off.
pub(crate) fn is_ours(finalizer: &str) -> bool {
    let name = finalizer.split('/').next().unwrap_or(finalizer);
    name == RESOURCES_FINALIZER || asks_for_hooks(finalizer)
}

/// Puts the finalizers of the deletion's hooks on where there are such hooks, else takes them off.
pub(crate) fn ask_for_hooks(finalizers: &mut Vec<String>, prepared: &Prepared) {
    for (moment, wanted) in [
        (Moment::Before, prepared.has_pre_delete_hooks()),
        (Moment::After, prepared.has_post_delete_hooks()),
    ] {
        for name in [moment.finalizer(), moment.cleanup_finalizer()] {
            let there = finalizers.iter().any(|one| one == name);
            if wanted && !there {
                finalizers.push(name.to_owned());
            } else if !wanted && there {
                finalizers.retain(|one| one != name);
            }
        }
    }
}

/// Ends the deletion of an Application whose destination is not known any more: nothing can be deleted.
pub(crate) fn without_destination(facts: &Facts) -> Deletion {
    let finalizers = &facts.application.metadata.finalizers;
    let left: Vec<String> = finalizers.iter().filter(|one| !is_ours(one)).cloned().collect();
    Deletion { finalizers: (left.len() != finalizers.len()).then_some(left), ..Deletion::default() }
}

/// Moves the deletion of an Application on by one step (SYN-80, SYN-24): hooks before, objects,
/// hooks after, and what is left of the hooks. Each stage has a finalizer, which goes when it is done.
pub(crate) fn delete(facts: &Facts, project: &Project, cluster: &Cluster) -> Deletion {
    let finalizers = &facts.application.metadata.finalizers;
    let has = |name: &str| finalizers.iter().any(|one| one == name);
    if !finalizers.iter().any(|one| is_ours(one)) {
        return Deletion::default();
    }
    let Some(side) = facts.side.as_ref().filter(|side| !side.unreachable) else {
        return Deletion { waits_for: Some("the live state".into()), ..Deletion::default() };
    };
    if !facts.deletion_failures.is_empty() {
        let words = facts.deletion_failures.join("; ");
        return Deletion {
            waits_for: Some("the cluster to take what was asked of it".into()),
            error: Some(words),
            again_at: facts.now.checked_add(AGAIN_AFTER).ok(),
            ..Deletion::default()
        };
    }
    let without = |gone: &dyn Fn(&str) -> bool| Deletion {
        finalizers: Some(finalizers.iter().filter(|one| !gone(one)).cloned().collect()),
        ..Deletion::default()
    };
    let stage = |moment: Moment| match deletion_hooks::run(facts, side, moment) {
        Hooks::Done => without(&|one| one == moment.finalizer()),
        hooks => waits(hooks, moment),
    };
    let clean_up = |moment: Moment| match deletion_hooks::clean_up(side, moment) {
        Hooks::Done => without(&|one| one == moment.cleanup_finalizer()),
        hooks => waits(hooks, moment),
    };
    if has(Moment::Before.finalizer()) {
        return stage(Moment::Before);
    }
    if let Some(propagation) = cascade(finalizers) {
        if side.failed {
            return Deletion { waits_for: Some("the live state".into()), ..Deletion::default() };
        }
        return match objects(facts, side, project, cluster, propagation) {
            Some(deletion) => deletion,
            None => without(&|one| one.split('/').next() == Some(RESOURCES_FINALIZER)),
        };
    }
    if has(Moment::After.finalizer()) {
        return stage(Moment::After);
    }
    match MOMENTS.into_iter().find(|moment| has(moment.cleanup_finalizer())) {
        Some(moment) => clean_up(moment),
        None => without(&is_ours),
    }
}

fn waits(hooks: Hooks, moment: Moment) -> Deletion {
    match hooks {
        Hooks::Done => Deletion::default(),
        Hooks::Waiting { actions, words } => {
            Deletion { actions, waits_for: Some(words), ..Deletion::default() }
        }
        Hooks::Failed { actions, words, again_at } => Deletion {
            actions,
            waits_for: Some(words.clone()),
            error: Some(match moment {
                Moment::Before => format!("error executing pre-delete hooks: {words}"),
                Moment::After => format!("error executing post-delete hooks: {words}"),
            }),
            again_at,
            ..Deletion::default()
        },
    }
}

/// Deletes the Application's objects, the last wave first; `None`: all are gone.
fn objects(
    facts: &Facts,
    side: &Side,
    project: &Project,
    cluster: &Cluster,
    propagation: Propagation,
) -> Option<Deletion> {
    let application = &*facts.application;
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
        return Some(Deletion { waits_for: Some(words), ..Deletion::default() });
    }
    if doomed.is_empty() {
        return None;
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
        return Some(Deletion {
            waits_for: Some(words.clone()),
            error: Some(words),
            ..Deletion::default()
        });
    }
    // The last wave goes first, and alone.
    let last = doomed.iter().map(|seen| seen.said.wave).max();
    let actions: Vec<Action> = doomed
        .iter()
        .filter(|seen| Some(seen.said.wave) == last)
        .map(|seen| Action {
            task: TaskId { key: seen.key.clone(), phase: SyncPhase::Sync },
            gvk: seen.said.gvk.clone(),
            key: seen.key.clone(),
            deed: Deed::Prune { propagation },
        })
        .collect();
    Some(Deletion {
        waits_for: Some(format!("{} objects remaining for deletion", doomed.len())),
        actions,
        ..Deletion::default()
    })
}

/// Tells whether a live object is the Application's, and within what its project may touch.
fn belongs(facts: &Facts, seen: &Seen, project: &Project, cluster: &Cluster) -> bool {
    let name = crate::names::instance_name(&facts.application, &facts.rules.control_plane);
    seen.app.as_deref() == Some(name.as_str())
        && !seen.owned
        && seen.described
        && project.permits_live(
            &seen.key.group_kind(),
            &seen.key.name,
            &seen.key.namespace,
            cluster,
        )
}

fn goes(facts: &Facts, seen: &Seen) -> bool {
    let head = &seen.live.head();
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
