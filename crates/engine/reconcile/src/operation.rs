//! An operation from its request to its end.

use crd::{
    Application, ManagedNamespaceMetadata, Operation, OperationPhase as CrdPhase, OperationState,
    ResourceResult, ResultCode as CrdCode, RetryStrategy, RevisionHistory, SyncOperation,
    SyncOperationResult, SyncPhase as CrdSyncPhase, Time,
};
use jiff::{SignedDuration, Timestamp};
use manifest::{Gvk, ObjectKey};
use policy::{Cluster, Project};
use sync::{
    Action, NoDuration, OperationPhase, Options, Progress, Resource, ResultCode, Retry, Selected,
    SyncPhase, TaskId, TaskResult, World, WriteVerdict, parse_duration, words,
};

use crate::facts::{Facts, OperationFacts, Pair, Side};
use crate::{guard, impersonation};

/// Says that somebody has agreed to a deletion, and when.
pub(crate) const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// Names the manager whose client-side fields are taken over.
const MIGRATION_MANAGER: &str = "argocd.argoproj.io/client-side-apply-migration-manager";
/// How many past syncs are remembered where the spec does not say (CRD-06).
const HISTORY_LIMIT_DEFAULT: i64 = 10;

/// What an operation syncs.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRequest {
    /// The sources; empty: the Application's.
    pub sources: Vec<crd::ApplicationSource>,
    /// Whether they stand in `sources`, not in `source`.
    pub several: bool,
    /// Revisions, one a source; empty or blank: the sources' own.
    pub revisions: Vec<String>,
    /// Objects to apply instead of the sources', as JSON texts.
    pub manifests: Vec<String>,
}

/// Returns the state of an operation that runs, or that is asked for now.
///
/// `None` where nothing is asked for: an old state alone is history.
pub fn current(application: &Application, now: Timestamp) -> Option<OperationState> {
    let asked = application.operation.as_deref()?;
    match application.status.operation_state.as_deref() {
        Some(state) if !state.phase.completed() && state.phase != CrdPhase::Unset => {
            Some(state.clone())
        }
        _ => Some(begun(asked.clone(), now)),
    }
}

/// Tells whether an Application is to be deleted now. A deletion waits for an operation that is in
/// the middle of an attempt, as upstream's: hooks that run are let go of by the operation alone.
/// One that has no `ground` to go on does not run.
pub fn deletes(application: &Application, ground: bool) -> bool {
    let state = application.status.operation_state.as_deref();
    let in_progress = state.is_some_and(|state| {
        state.finished_at.is_none()
            && matches!(state.phase, CrdPhase::Running | CrdPhase::Terminating)
    });
    let operates = ground && in_progress && application.operation.is_some();
    application.metadata.deletion_timestamp.is_some() && !operates
}

/// Returns the state of an operation at its beginning.
pub(crate) fn begun(operation: Operation, now: Timestamp) -> OperationState {
    OperationState {
        operation,
        phase: CrdPhase::Running,
        started_at: Time::at(now),
        ..OperationState::default()
    }
}

/// Returns what the operation syncs, as it must be rendered: its own revision where one is fixed already.
pub fn request(application: &Application, state: &OperationState) -> OperationRequest {
    let result = state.sync_result.clone().unwrap_or_else(|| {
        let sync = state.operation.sync.clone().unwrap_or_default();
        result_at_start(application, &sync)
    });
    let sync = state.operation.sync.as_ref();
    let several = !result.sources.is_empty();
    OperationRequest {
        several,
        revisions: if several { result.revisions } else { vec![result.revision] },
        sources: if several { result.sources } else { vec![result.source] },
        manifests: sync.map(|sync| sync.manifests.clone()).unwrap_or_default(),
    }
}

fn result_at_start(application: &Application, sync: &SyncOperation) -> SyncOperationResult {
    let mut result = SyncOperationResult {
        revision: sync.revision.clone(),
        revisions: sync.revisions.clone(),
        ..SyncOperationResult::default()
    };
    if sync.sources.is_empty() && sync.source.is_none() {
        result.sources = application.spec.sources.clone();
        result.source = application.spec.source.clone().unwrap_or_default();
    } else {
        result.source = sync.source.clone().unwrap_or_default();
        result.sources = sync.sources.clone();
    }
    result
}

/// Reads a retry block.
///
/// # Errors
///
/// [`NoDuration`] where a wait is no duration.
pub(crate) fn retry(strategy: &RetryStrategy) -> Result<Retry, NoDuration> {
    let mut retry = Retry {
        limit: u64::try_from(strategy.limit).ok(),
        refresh: strategy.refresh,
        ..Retry::default()
    };
    if let Some(backoff) = &strategy.backoff {
        if !backoff.duration.is_empty() {
            retry.first = parse_duration(&backoff.duration)?;
        }
        if !backoff.max_duration.is_empty() {
            let cap = parse_duration(&backoff.max_duration)?;
            retry.cap = Some(cap).filter(|cap| *cap > SignedDuration::ZERO);
        }
        if let Some(factor) = backoff.factor {
            retry.factor = factor;
        }
    }
    Ok(retry)
}

/// Returns the world as one operation sees it.
pub(crate) fn world(
    facts: &Facts,
    given: &OperationFacts,
    side: &Side,
    state: &OperationState,
    project: &Project,
    cluster: &Cluster,
) -> World {
    let application = &*facts.application;
    let sync = state.operation.sync.clone().unwrap_or_default();
    let mut options = Options::from_list(&sync.sync_options);
    options.dry_run = sync.dry_run;
    options.prune = sync.prune;
    let strategy = sync.sync_strategy.as_ref();
    let by_apply = strategy.and_then(|one| one.apply.as_ref());
    let by_hook = strategy.and_then(|one| one.hook.as_ref());
    options.force = by_apply.is_some_and(|one| one.force) || by_hook.is_some_and(|one| one.force);
    options.skip_hooks = by_apply.is_some() || !sync.resources.is_empty();
    if let Some(manager) = application.metadata.annotations.get(MIGRATION_MANAGER)
        && options.migrate_from.is_some()
        && !manager.is_empty()
    {
        options.migrate_from = Some(manager.clone());
    }
    let managed = managed_namespace(application);
    let started_at = state.started_at.timestamp().unwrap_or(facts.now);
    let approved = application.metadata.annotations.get(DELETION_APPROVED);
    let resource = |pair: &Pair| resource(facts, given, pair, project, cluster);
    let hooks = side.prepared.iter().flat_map(|prepared| &prepared.hooks).map(|hook| {
        let live = side
            .pairs
            .iter()
            .find(|pair| pair.live.as_ref().is_some_and(|seen| seen.key == hook.key));
        resource(&Pair {
            target: Some(hook.clone()),
            live: live.and_then(|pair| pair.live.clone()),
            modified: true,
            structural_refusal: None,
        })
    });
    World {
        namespace: application.spec.destination.namespace.clone(),
        resources: side.pairs.iter().map(resource).collect(),
        hooks: hooks.collect(),
        live_hooks: side
            .pairs
            .iter()
            .filter_map(|pair| pair.live.as_ref())
            .filter(|seen| seen.said.sync_hook)
            .map(|seen| (seen.key.clone(), seen.live.live()))
            .collect(),
        live_namespace: given.live_namespace.clone(),
        namespace_verdict: namespace_verdict(facts, given, project, cluster),
        managed_namespace: managed.map(|one| (one.labels, one.annotations)),
        selected: sync
            .resources
            .iter()
            .map(|one| Selected {
                group: one.group.clone(),
                kind: one.kind.clone(),
                name: one.name.clone(),
                namespace: one.namespace.clone(),
            })
            .collect(),
        revision: side.revisions.first().cloned().unwrap_or_default(),
        started_at,
        prune_confirmed: approved
            .and_then(|text| text.parse::<Timestamp>().ok())
            .is_some_and(|at| at >= started_at),
        attempt: format!(
            "{} {} {}",
            application.metadata.uid,
            state.started_at.as_str(),
            state.retry_count
        ),
        goes_on: given.goes_on,
        now: facts.now,
        wave_delay: facts.rules.wave_delay,
        options,
    }
}

pub(crate) fn managed_namespace(application: &Application) -> Option<ManagedNamespaceMetadata> {
    application.spec.sync_policy.as_ref()?.managed_namespace_metadata.clone()
}

fn namespace_verdict(
    facts: &Facts,
    given: &OperationFacts,
    project: &Project,
    cluster: &Cluster,
) -> WriteVerdict {
    if given.namespace_verdict != WriteVerdict::Permitted {
        return given.namespace_verdict.clone();
    }
    let name = &facts.application.spec.destination.namespace;
    let kind = manifest::GroupKind::new("", "Namespace");
    match project.check_write(cluster, &kind, name, "", false) {
        Ok(()) => WriteVerdict::Permitted,
        Err(words) => WriteVerdict::Refused(words),
    }
}

fn resource(
    facts: &Facts,
    given: &OperationFacts,
    pair: &Pair,
    project: &Project,
    cluster: &Cluster,
) -> Resource {
    Resource {
        target: pair.target.as_ref().map(|target| target.object()),
        live: pair.live.as_ref().map(|seen| seen.live.live()),
        modified: pair.modified || pair.target.is_none() || pair.live.is_none(),
        self_referenced: pair.self_referenced(&facts.rules.tracking),
        verdict: verdict(pair, given, project, cluster),
        structural_refusal: pair.structural_refusal.clone(),
    }
}

fn verdict(
    pair: &Pair,
    given: &OperationFacts,
    project: &Project,
    cluster: &Cluster,
) -> WriteVerdict {
    let (gvk, namespaced): (Gvk, Option<bool>) = match (&pair.target, &pair.live) {
        (Some(target), _) => (target.gvk.clone(), target.namespaced),
        (None, Some(seen)) => (seen.said.gvk.clone(), Some(!seen.key.namespace.is_empty())),
        (None, None) => return WriteVerdict::Permitted,
    };
    let ObjectKey { namespace, name, .. } = pair.key();
    let kind = gvk.group_kind();
    // A kind that the cluster does not serve: what the project says about it counts first.
    let scope = namespaced.unwrap_or(!namespace.is_empty());
    if let Err(words) = project.check_write(cluster, &kind, &name, &namespace, scope) {
        return WriteVerdict::Refused(words);
    }
    match (given.unserved.get(&gvk), namespaced) {
        (Some(unserved), _) => WriteVerdict::KindUnknown(unserved.words.clone()),
        (None, Some(_)) => WriteVerdict::Permitted,
        (None, None) => WriteVerdict::KindUnknown(words::NOT_SERVED.to_owned()),
    }
}

/// Reads the results of a status.
pub(crate) fn results(result: Option<&SyncOperationResult>) -> Vec<TaskResult> {
    let rows = result.map(|result| result.resources.as_slice()).unwrap_or_default();
    rows.iter()
        .filter_map(|row| {
            let key = ObjectKey::new(&row.group, &row.kind, &row.namespace, &row.name);
            Some(TaskResult {
                id: TaskId { key, phase: SyncPhase::parse(row.sync_phase.as_str())? },
                version: row.version.clone(),
                status: ResultCode::parse(row.status.as_str()),
                message: row.message.clone(),
                hook: row.hook_type != crd::HookType::Unset,
                progress: OperationPhase::parse(row.hook_phase.as_str()),
                images: row.images.clone(),
            })
        })
        .collect()
}

/// Writes the results of a status, with what a person can do about them.
pub(crate) fn rows(results: &[TaskResult], given: &OperationFacts) -> Vec<ResourceResult> {
    let message = |result: &TaskResult| {
        let ObjectKey { group, kind, .. } = &result.id.key;
        let unserved = given.unserved.get(&Gvk::new(group, &result.version, kind));
        let installed = unserved.and_then(|one| one.installed.as_ref());
        words::augment(result, installed).unwrap_or_else(|| result.message.clone())
    };
    results
        .iter()
        .map(|result| ResourceResult {
            group: result.id.key.group.clone(),
            version: result.version.clone(),
            kind: result.id.key.kind.clone(),
            namespace: result.id.key.namespace.clone(),
            name: result.id.key.name.clone(),
            status: CrdCode::from(result.status.map_or("", ResultCode::as_str)),
            message: message(result),
            hook_type: crd::HookType::from(if result.hook { result.id.phase.as_str() } else { "" }),
            hook_phase: CrdPhase::from(result.progress.map_or("", OperationPhase::as_str)),
            sync_phase: CrdSyncPhase::from(result.id.phase.as_str()),
            images: result.images.clone(),
            ..ResourceResult::default()
        })
        .collect()
}

/// What one look at an operation came to.
pub(crate) struct Operated {
    pub state: OperationState,
    pub actions: Vec<Action>,
    pub progress: Option<Progress>,
    /// When to look again, and why.
    pub later: Option<(Timestamp, &'static str)>,
    /// Who the actions are carried out as; `None`: the controller.
    pub account: Option<String>,
}

impl Operated {
    fn ended(mut state: OperationState, now: Timestamp) -> Self {
        state.finished_at = Some(Time::at(now));
        Self { state, actions: Vec::new(), progress: None, later: None, account: None }
    }
}

/// Ends an operation before it could do anything.
pub(crate) fn errored(mut state: OperationState, message: String, facts: &Facts) -> Operated {
    state.phase = CrdPhase::Error;
    state.message = message;
    finish(state, false, facts)
}

/// Moves an operation on by one step.
pub(crate) fn operate(
    facts: &Facts,
    given: &OperationFacts,
    side: &Side,
    mut state: OperationState,
    project: &Project,
    cluster: &Cluster,
) -> Operated {
    let Some(sync) = state.operation.sync.clone() else {
        let words = "Invalid operation request: no operation specified".to_owned();
        return errored(state, words, facts);
    };
    let mut late = false;
    if let Some(limit) = facts.rules.sync_timeout
        && state.phase == CrdPhase::Running
        && let Some(end) = state.started_at.timestamp().and_then(|at| at.checked_add(limit).ok())
        && facts.now >= end
    {
        state.phase = CrdPhase::Terminating;
        state.message = "operation is terminating due to timeout".to_owned();
        late = true;
    }
    let terminating = state.phase == CrdPhase::Terminating;

    let mut result =
        state.sync_result.clone().unwrap_or_else(|| result_at_start(&facts.application, &sync));
    if side.several {
        result.revisions.clone_from(&side.revisions);
    } else if let Some(revision) = side.revisions.first() {
        result.revision.clone_from(revision);
    }
    state.sync_result = Some(result);
    if !side.failed {
        pin(&mut state.operation, side);
    }

    let of_health = crate::health::failed(&side.pairs, &facts.application);
    let errors: Vec<String> = side
        .conditions
        .iter()
        .chain(&of_health)
        .filter(|one| {
            one.kind.as_str() == "ComparisonError" || one.kind.as_str() == "InvalidSpecError"
        })
        .map(|one| format!("{}: {}", one.kind, one.message))
        .collect();
    if !errors.is_empty() && !terminating {
        return errored(state, errors.join(";"), facts);
    }
    if side.failed && !terminating {
        return errored(state, "the desired or the live state could not be loaded".into(), facts);
    }
    if let Some((key, other)) = side.shared.iter().next()
        && Options::from_list(&sync.sync_options).fail_on_shared
    {
        state.phase = CrdPhase::Failed;
        state.message = format!(
            "Shared resource found: {}/{} is part of applications {} and {}",
            key.kind,
            key.name,
            crate::names::qualified_name(&facts.application),
            other.replace('_', "/")
        );
        return finish(state, terminating, facts);
    }

    if given.progress.is_none()
        && let Some(words) = guard::holds_back(facts, side, &state.operation)
    {
        state.phase = CrdPhase::Failed;
        state.message = words;
        return Operated::ended(state, facts.now);
    }
    let account = match impersonation::account(facts, cluster) {
        Ok(account) => account,
        Err(words) => return errored(state, words, facts),
    };
    let world = world(facts, given, side, &state, project, cluster);
    let mut progress = given.progress.clone().unwrap_or_else(|| {
        let results = results(state.sync_result.as_ref());
        Progress::resume(OperationPhase::Running, state.message.clone(), results)
    });
    if terminating {
        progress.phase = OperationPhase::Terminating;
    }
    progress.record(&world.options, &given.outcomes);
    let step = progress.advance(&world);

    state.phase = CrdPhase::from(progress.phase.as_str());
    state.message.clone_from(&progress.message);
    if let Some(result) = &mut state.sync_result {
        result.resources = rows(&progress.results, given);
        result.managed_namespace_metadata = managed_namespace(&facts.application);
    }
    if progress.phase.completed() {
        if late {
            state.message.push_str(", triggered by controller sync timeout");
        }
        let mut operated = finish(state, terminating, facts);
        operated.actions = step.actions;
        operated.account = account;
        return operated;
    }
    let later = progress.rests_until().map(|at| (at, "a sync rests between two waves"));
    Operated { state, actions: step.actions, progress: Some(progress), later, account }
}

/// Fixes the revisions of a sync that a person has asked for, as upstream's server does when it is
/// asked: attempts after a failure stay with them, unless they are to take the newest ones.
fn pin(operation: &mut Operation, side: &Side) {
    let by_a_person =
        !operation.initiated_by.automated && !operation.initiated_by.username.is_empty();
    let Some(sync) =
        operation.sync.as_mut().filter(|sync| by_a_person && sync.manifests.is_empty())
    else {
        return;
    };
    match side.several {
        true if sync.revisions.is_empty() => sync.revisions.clone_from(&side.revisions),
        false if sync.revision.is_empty() => {
            sync.revision = side.revisions.first().cloned().unwrap_or_default();
        }
        _ => {}
    }
}

/// Ends an operation, or puts its next attempt off.
fn finish(mut state: OperationState, terminating: bool, facts: &Facts) -> Operated {
    let now = facts.now;
    if state.phase == CrdPhase::Succeeded {
        return Operated::ended(state, now);
    }
    let strategy = retry(&state.operation.retry);
    let allowed = match &strategy {
        Ok(retry) => retry.allows(state.retry_count),
        // Whether it would be allowed can be told without its waits.
        Err(_) => {
            state.operation.retry.limit < 0 || state.retry_count < state.operation.retry.limit
        }
    };
    if terminating || !allowed {
        if state.retry_count > 0 {
            state.message = format!("{} (retried {} times).", state.message, state.retry_count);
        }
        return Operated::ended(state, now);
    }
    match strategy {
        Err(error) => {
            state.phase = CrdPhase::Error;
            state.message = format!("{} (failed to retry: {error})", state.message);
            Operated::ended(state, now)
        }
        Ok(retry) => {
            let at = retry.next_at(now, state.retry_count);
            state.phase = CrdPhase::Running;
            state.retry_count += 1;
            state.message = format!(
                "{}. Retrying attempt #{} at {}.",
                state.message,
                state.retry_count,
                kitchen(at)
            );
            let mut operated = Operated::ended(state, now);
            operated.later = Some((at, "a failed sync waits for its next attempt"));
            operated
        }
    }
}

/// `3:04PM`, as Go's `time.Kitchen` prints.
fn kitchen(at: Timestamp) -> String {
    at.strftime("%-I:%M%p").to_string()
}

/// What a state that waits for its next attempt comes to now.
pub(crate) enum Waiting {
    /// It is not waiting.
    No,
    /// Until then.
    Until(Timestamp),
    /// The next attempt begins.
    Again(Box<OperationState>),
    /// The waits cannot be read.
    Broken(String),
}

/// Tells whether an operation waits for its next attempt.
pub(crate) fn waiting(state: &OperationState, now: Timestamp) -> Waiting {
    let failed_at = match &state.finished_at {
        Some(time) if state.phase == CrdPhase::Running => time.timestamp().unwrap_or(now),
        _ => return Waiting::No,
    };
    let retry = match retry(&state.operation.retry) {
        Ok(retry) => retry,
        Err(error) => return Waiting::Broken(error.to_string()),
    };
    // As upstream counts: the state bears the number of the attempt that comes.
    let due = retry.next_at(failed_at, state.retry_count - 1);
    if due > now {
        return Waiting::Until(due);
    }
    let mut again = state.clone();
    let mut extra = "";
    if retry.refresh
        && let Some(sync) = &mut again.operation.sync
    {
        sync.revision.clear();
        sync.revisions.clear();
        extra = " with latest revisions";
    }
    again.message = format!("Retrying operation{extra}. Attempt #{}", again.retry_count);
    again.finished_at = None;
    again.sync_result = None;
    Waiting::Again(Box::new(again))
}

/// Returns the history with this operation in it, where it belongs there (SYN-60).
pub(crate) fn history(
    application: &Application,
    state: &OperationState,
    now: Timestamp,
) -> Option<Vec<RevisionHistory>> {
    let sync = state.operation.sync.as_ref()?;
    if state.phase != CrdPhase::Succeeded || sync.dry_run || !sync.resources.is_empty() {
        return None;
    }
    let result = state.sync_result.as_ref()?;
    let mut history = application.status.history.clone();
    let mut entry = RevisionHistory {
        id: history.last().map_or(0, |last| last.id + 1),
        deployed_at: Time::at(now),
        deploy_started_at: Some(state.started_at.clone()),
        initiated_by: state.operation.initiated_by.clone(),
        ..RevisionHistory::default()
    };
    if result.sources.is_empty() {
        entry.revision.clone_from(&result.revision);
        entry.source = result.source.clone();
    } else {
        entry.revisions.clone_from(&result.revisions);
        entry.sources.clone_from(&result.sources);
    }
    history.push(entry);
    let limit = application.spec.revision_history_limit.unwrap_or(HISTORY_LIMIT_DEFAULT);
    let keep = usize::try_from(limit).unwrap_or(0);
    let surplus = history.len().saturating_sub(keep);
    Some(history.split_off(surplus))
}
