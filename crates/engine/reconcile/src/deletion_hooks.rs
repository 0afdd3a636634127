//! Hooks of an Application's deletion (SYN-24): before its objects go, and after.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use manifest::ObjectKey;
use sync::marks::{delete_policies, is_post_delete_hook, is_pre_delete_hook};
use sync::{Action, Deed, DeletePolicy, How, Propagation, SyncPhase, TaskId, Wellness};

use crate::facts::{Facts, Seen, Side};
use crate::target::Target;

/// How long a hook that failed is kept before it is tried again; a refresh tries it at once.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// When a hook of a deletion runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the Application's objects are deleted.
    Before,
    /// After the last of them is gone.
    After,
}

impl Moment {
    /// The finalizer that keeps the Application until its hooks have run.
    pub fn finalizer(self) -> &'static str {
        match self {
            Self::Before => "pre-delete-finalizer.argocd.argoproj.io",
            Self::After => "post-delete-finalizer.argocd.argoproj.io",
        }
    }

    /// The finalizer that keeps the Application until they are cleaned up.
    pub fn cleanup_finalizer(self) -> &'static str {
        match self {
            Self::Before => "pre-delete-finalizer.argocd.argoproj.io/cleanup",
            Self::After => "post-delete-finalizer.argocd.argoproj.io/cleanup",
        }
    }

    /// As annotations have it.
    fn word(self) -> &'static str {
        match self {
            Self::Before => "PreDelete",
            Self::After => "PostDelete",
        }
    }

    fn runs(self, object: &serde_json::Value) -> bool {
        match self {
            Self::Before => is_pre_delete_hook(object),
            Self::After => is_post_delete_hook(object),
        }
    }
}

/// How far the hooks of one moment are.
#[derive(Clone, Debug)]
pub(crate) enum Hooks {
    /// All have run, or are cleaned up.
    Done,
    /// Not yet.
    Waiting {
        /// What to do now.
        actions: Vec<Action>,
        /// What for.
        words: String,
    },
    /// One failed; it is tried again.
    Failed {
        /// What to do now.
        actions: Vec<Action>,
        /// For people.
        words: String,
        /// When it is tried again, if nobody asks before.
        again_at: Option<Timestamp>,
    },
}

/// Runs the hooks of a moment, wave after wave.
pub(crate) fn run(facts: &Facts, side: &Side, moment: Moment) -> Hooks {
    let Some(prepared) = side.prepared.as_ref().filter(|_| !side.failed) else {
        let reasons: Vec<&str> = side.conditions.iter().map(|one| one.message.as_str()).collect();
        let words = format!("the hooks to run are not known: {}", reasons.join("; "));
        return Hooks::Failed { actions: Vec::new(), words, again_at: None };
    };
    let mut hooks: Vec<Arc<Target>> =
        prepared.delete_hooks.iter().filter(|hook| moment.runs(hook.written())).cloned().collect();
    hooks.sort_by_key(|hook| (hook.said.wave, hook.key.clone()));
    let mut make = Vec::new();
    let mut runs: Vec<ObjectKey> = Vec::new();
    let mut failed: Vec<&Seen> = Vec::new();
    let mut current = None;
    for hook in &hooks {
        let hook = named(hook, facts, moment);
        let wave = hook.said.wave;
        if current.is_some_and(|current| current < wave) {
            break;
        }
        let seen = live(side, &hook.key);
        match seen.map(|seen| (seen, &seen.live.health)) {
            None => make.push(create(&hook)),
            Some((seen, _)) if seen.live.deleting() => runs.push(seen.key.clone()),
            Some((_, None | Some((Wellness::Healthy, _)))) => continue,
            Some((seen, Some((Wellness::Degraded | Wellness::Unknown, _)))) => failed.push(seen),
            Some((
                seen,
                Some((Wellness::Progressing | Wellness::Suspended | Wellness::Missing, _)),
            )) => runs.push(seen.key.clone()),
        }
        current = Some(wave);
    }
    if let Some(first) = failed.first() {
        return again(facts, moment, &failed, first);
    }
    if !make.is_empty() {
        let words = format!("creation of {} hooks", moment.word());
        return Hooks::Waiting { actions: make, words };
    }
    match runs.first() {
        None => Hooks::Done,
        Some(first) => Hooks::Waiting {
            actions: Vec::new(),
            words: format!("completion of {} hook {first}{}", moment.word(), more(runs.len())),
        },
    }
}

/// Says which hooks failed; deletes them where they are to be tried again.
fn again(facts: &Facts, moment: Moment, failed: &[&Seen], first: &Seen) -> Hooks {
    let names: Vec<String> = failed
        .iter()
        .map(|seen| match &seen.live.health {
            Some((_, words)) if !words.is_empty() => {
                format!("{}/{} ({words})", seen.key.namespace, seen.key.name)
            }
            _ => format!("{}/{}", seen.key.namespace, seen.key.name),
        })
        .collect();
    let words = format!("{} hook(s) failed: {}", moment.word(), names.join(", "));
    let head = first.live.head();
    let made = head.pointer("/metadata/creationTimestamp");
    let due = made
        .and_then(serde_json::Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok())
        .and_then(|made| made.checked_add(RETRY_AFTER).ok())
        .unwrap_or(facts.now);
    if !facts.asked && due > facts.now {
        return Hooks::Failed { actions: Vec::new(), words, again_at: Some(due) };
    }
    let actions = failed.iter().map(|seen| delete(seen)).collect();
    Hooks::Failed { actions, words, again_at: None }
}

/// Deletes the hooks of a moment, as their policies say.
pub(crate) fn clean_up(side: &Side, moment: Moment) -> Hooks {
    let hooks: Vec<&Seen> = side
        .pairs
        .iter()
        .filter_map(|pair| pair.live.as_deref())
        .filter(|seen| moment.runs(&seen.live.head()))
        .collect();
    let health = |seen: &&Seen| seen.live.health.as_ref().map_or(Wellness::Healthy, |one| one.0);
    let worst = hooks.iter().map(health).max().unwrap_or(Wellness::Healthy);
    let doomed: Vec<&Seen> = hooks
        .into_iter()
        .filter(|seen| {
            delete_policies(&seen.live.head()).into_iter().any(|policy| match policy {
                DeletePolicy::HookFailed => worst == Wellness::Degraded,
                // What is going already is "Progressing" for that.
                DeletePolicy::HookSucceeded => worst == Wellness::Healthy || seen.live.deleting(),
                DeletePolicy::BeforeHookCreation => false,
            })
        })
        .collect();
    let Some(first) = doomed.first() else { return Hooks::Done };
    Hooks::Waiting {
        words: format!("deletion of {} hook {}{}", moment.word(), first.key, more(doomed.len())),
        actions: doomed
            .iter()
            .filter(|seen| !seen.live.deleting())
            .map(|seen| delete(seen))
            .collect(),
    }
}

fn more(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more hooks"),
    }
}

fn live<'s>(side: &'s Side, key: &ObjectKey) -> Option<&'s Seen> {
    side.pairs.iter().filter_map(|pair| pair.live.as_deref()).find(|seen| seen.key == *key)
}

/// A hook with a name: one that has only a prefix is called after the deletion.
fn named(hook: &Arc<Target>, facts: &Facts, moment: Moment) -> Arc<Target> {
    if !hook.key.name.is_empty() {
        return hook.clone();
    }
    let began = facts.application.metadata.deletion_timestamp.as_ref();
    let seconds = began.and_then(crd::Time::timestamp).unwrap_or(facts.now).as_second();
    let prefix = hook.written().pointer("/metadata/generateName");
    let prefix = prefix.and_then(serde_json::Value::as_str).unwrap_or("");
    let name = format!("{prefix}{}-{seconds}", moment.word().to_lowercase());
    Arc::new(hook.called(name))
}

fn create(hook: &Target) -> Action {
    Action {
        task: TaskId { key: hook.key.clone(), phase: SyncPhase::Sync },
        gvk: hook.gvk.clone(),
        key: hook.key.clone(),
        deed: Deed::Apply {
            object: hook.object(),
            how: How::ServerSide,
            told_as_server_side: false,
            force: false,
            validate: true,
            dry_run: false,
            migrate_from: None,
        },
    }
}

fn delete(seen: &Seen) -> Action {
    Action {
        task: TaskId { key: seen.key.clone(), phase: SyncPhase::Sync },
        gvk: seen.said.gvk.clone(),
        key: seen.key.clone(),
        deed: Deed::DeleteHook { propagation: Propagation::Background, before_creation: false },
    }
}
