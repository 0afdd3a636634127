//! The whole decision about one Application.

use std::sync::Arc;

use crd::{
    Application, ApplicationStatus, HealthStatusCode, OperationPhase, OperationState,
    ResourceStatus, Shared, SyncStatusCode, Time,
};
use jiff::{SignedDuration, Timestamp};
use policy::SyncAsked;
use serde_json::{Map, Value, json};
use sync::{Action, Progress, Wellness};

use crate::automated::{Automated, automated, policy as automated_policy};
use crate::compared::{Compared, compared, evaluated, summarize};
use crate::conditions::{self, Condition, Kind};
use crate::deletion;
use crate::facts::{Facts, Side};
use crate::impersonation;
use crate::names::{DEFAULT_PROJECT, project_name};
use crate::operation::{
    Operated, Waiting, begun, current, deletes, errored, history, operate, waiting,
};
use crate::patch::{as_value, merge_patch};
use crate::preflight::{Ground, preflight};
use crate::rows::{rows_changed, status_change, without_rows};
use crate::waits;

/// How soon a shut window is looked at again.
const WINDOW_LOOK: SignedDuration = SignedDuration::from_secs(30);
/// Asks for a look: `normal` or `hard`.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
/// `"true"`: the Application is left alone.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";

/// What to do about one Application.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What changes of the Application, as a JSON merge patch; `None`: nothing is written.
    pub patch: Option<Value>,
    /// The rows of `status.resources` that `patch` leaves out, by their places, where few of many
    /// change; else it has them all.
    pub rows: Vec<(usize, ResourceStatus)>,
    /// The Application as it is after the patch.
    pub application: Arc<Application>,
    /// What to do in the destination now, all at once; its outcomes come with the next facts.
    pub actions: Vec<Action>,
    /// How far the operation is; comes with the next facts.
    pub progress: Option<Progress>,
    /// What users are told, once `patch` is written.
    pub events: Vec<Event>,
    /// When to look again at the latest, and why.
    pub next: Option<Next>,
    /// Whether an operation has just begun: publish, then decide again with its facts.
    pub begun: bool,
    /// An operation that ended here.
    pub ended: Option<Shared<OperationState>>,
    /// Who the actions are carried out as; `None`: the controller.
    pub account: Option<String>,
    /// Why nothing was synced, or what is waited for; for the log.
    pub because: String,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// At the latest.
    pub at: Timestamp,
    /// Why.
    pub because: &'static str,
}

/// A Kubernetes Event on the Application (OBS-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `ResourceUpdated`, `OperationStarted`, `OperationCompleted`.
    pub reason: &'static str,
    /// Whether somebody should look.
    pub warning: bool,
    /// For people.
    pub message: String,
}

/// Decides what to do about one Application.
///
/// The same facts give the same verdict. Whoever carries it out publishes `patch`, carries out
/// `actions`, and comes back with their outcomes and with fresh facts, until there are no actions.
pub fn decide(facts: &Facts) -> Verdict {
    let application = &facts.application;
    if application.metadata.annotations.get(SKIP_RECONCILE).is_some_and(|text| text == "true") {
        return Verdict {
            application: application.clone(),
            because: "skip-reconcile is set".into(),
            ..Verdict::default()
        };
    }
    let ground = preflight(facts);
    if deletes(application, ground.is_ok()) {
        return decide_deletion(facts);
    }
    match ground {
        Err(conditions) => decide_invalid(facts, &conditions),
        Ok(ground) => decide_valid(facts, &ground),
    }
}

fn decide_deletion(facts: &Facts) -> Verdict {
    let ground = match (
        &facts.project,
        policy::resolve(&facts.application.spec.destination, &facts.clusters),
    ) {
        (Some(project), Ok(cluster)) => {
            let globals: Vec<_> = facts.global_projects.iter().map(AsRef::as_ref).collect();
            Some((policy::Project::new(project, &globals), cluster.clone()))
        }
        _ => None,
    };
    let mut deletion = match &ground {
        Some((project, cluster)) => deletion::delete(facts, project, cluster),
        // As upstream: without a project nothing is deleted, and the Application stays.
        None if facts.project.is_none()
            && policy::resolve(&facts.application.spec.destination, &facts.clusters).is_ok() =>
        {
            deletion::Deletion {
                waits_for: Some("its project".into()),
                ..deletion::Deletion::default()
            }
        }
        None => deletion::without_destination(facts),
    };
    let mut next = (*facts.application).clone();
    let mut verdict = Verdict {
        actions: std::mem::take(&mut deletion.actions),
        because: deletion.waits_for.clone().unwrap_or_default(),
        next: deletion.again_at.map(|at| Next { at, because: "a deletion is tried again" }),
        ..Verdict::default()
    };
    if let Some((_, cluster)) = &ground {
        match impersonation::account(facts, cluster) {
            Ok(account) => verdict.account = account,
            Err(words) => {
                verdict.actions.clear();
                deletion.finalizers = None;
                deletion.error = Some(format!("cannot apply impersonation: {words}"));
            }
        }
    }
    let mut patch = Map::new();
    let mut metadata = Map::new();
    if let Some(left) = deletion.finalizers {
        // One stage is over: the next begins at once.
        verdict.begun = left.iter().any(|one| deletion::is_ours(one));
        next.metadata.finalizers.clone_from(&left);
        metadata.insert("finalizers".into(), json!(left));
    }
    if facts.asked && facts.side.is_some() {
        let gone = without_request(&mut next);
        if !gone.is_empty() {
            metadata.insert("annotations".into(), Value::Object(gone));
        }
    }
    if !metadata.is_empty() {
        patch.insert("metadata".into(), Value::Object(metadata));
    }
    if facts.project.is_none() && ground.is_none() && verdict.because == "its project" {
        deletion.error = Some(format!(
            "Application referencing project {} which does not exist",
            project_name(&facts.application)
        ));
    }
    let held = &facts.application.status.conditions;
    let mut now_hold: Vec<Condition> = Vec::new();
    if let Some(words) = deletion.error {
        now_hold.push(Condition::new(Kind::DeletionError, words));
    } else if let Some(words) = &deletion.waits_for {
        now_hold.push(waits::deletion(format!("waiting for {words}")));
    }
    let evaluated: Vec<Kind> =
        std::iter::once(Kind::DeletionError).chain(waits::of_every_look()).collect();
    let set = conditions::set(held, &now_hold, &evaluated, facts.now);
    if set != *held {
        for condition in now_hold.iter().filter(|one| one.kind == Kind::DeletionError) {
            verdict.events.push(Event {
                reason: "StatusRefreshed",
                warning: true,
                message: format!("Unable to delete application resources: {}", condition.message),
            });
        }
        next.status.conditions = set;
        patch.insert("status".into(), json!({"conditions": next.status.conditions}));
    }
    verdict.patch = (!patch.is_empty()).then_some(Value::Object(patch));
    verdict.application = Arc::new(next);
    verdict
}

/// Takes the request for a refresh off; answers what goes, for a merge patch.
fn without_request(application: &mut Application) -> Map<String, Value> {
    let mut gone = Map::new();
    for key in [REFRESH, REFRESH_TIMESTAMP] {
        if application.metadata.annotations.remove(key).is_some() {
            gone.insert(key.into(), Value::Null);
        }
    }
    gone
}

/// The spec does not hold together, or its project forbids it: nothing is known, nothing is done.
fn decide_invalid(facts: &Facts, found: &[Condition]) -> Verdict {
    let mut next = (*facts.application).clone();
    let evaluated = [Kind::InvalidSpecError, Kind::UnknownError, Kind::ComparisonError];
    let evaluated: Vec<Kind> = evaluated
        .into_iter()
        .chain(waits::of_every_look())
        .chain([waits::of_comparison()])
        .collect();
    next.status.conditions = conditions::set(&next.status.conditions, found, &evaluated, facts.now);
    next.status.sync.status = SyncStatusCode::Unknown;
    next.status.sync.compared_to.destination = next.spec.destination.clone();
    if next.spec.sources.is_empty() {
        next.status.sync.compared_to.source = next.spec.source.clone().unwrap_or_default();
    } else {
        next.status.sync.compared_to.sources = next.spec.sources.clone();
    }
    set_health(&mut next.status, facts, Wellness::Unknown, "");
    let mut verdict = Verdict::default();
    if let Some(state) = current(&facts.application, facts.now) {
        let words = match &facts.project {
            None => {
                let name = project_name(&facts.application);
                format!(
                    "Failed to load application project: appproject.argoproj.io \"{name}\" not found"
                )
            }
            Some(_) => {
                let words = found.iter().map(|one| format!("{}: {}", one.kind, one.message));
                words.collect::<Vec<_>>().join(";")
            }
        };
        let operated = errored(state, words, facts);
        take_operation(facts, &mut next, operated, &mut verdict);
        // Whoever waits for the operation waits until it was looked at after its end.
        next.status.reconciled_at = Some(Time::at(facts.now));
    }
    conclude(facts, next, verdict)
}

fn decide_valid(facts: &Facts, ground: &Ground) -> Verdict {
    let mut next = match &facts.side {
        Some(side) if !side.unreachable => but_rows(&facts.application),
        _ => (*facts.application).clone(),
    };
    let mut verdict = Verdict::default();
    let goes = facts.application.metadata.deletion_timestamp.is_some();
    if next.spec.project.is_empty() {
        next.spec.project = DEFAULT_PROJECT.into();
    }
    let mut found: Vec<Condition> = Vec::new();
    let mut compared = facts.side.as_ref().map(|side| {
        let mut compared = compared(facts, side, &ground.project);
        found.append(&mut compared.conditions);
        compared
    });
    let spec_only = [Kind::InvalidSpecError, Kind::UnknownError];
    let mut answered: Vec<Kind> = match compared.is_some() {
        true => spec_only.into_iter().chain(evaluated()).chain([waits::of_comparison()]).collect(),
        false => Vec::new(),
    };
    answered.extend(waits::of_every_look());
    if let (Some(side), Some(compared)) = (&facts.side, &mut compared) {
        take_comparison(facts, &mut next, side, compared);
        if let Some(prepared) = side.prepared.as_ref().filter(|_| !goes && !side.failed) {
            deletion::ask_for_hooks(&mut next.metadata.finalizers, prepared);
        }
    }
    let mut state = current(&facts.application, facts.now);
    let mut superseded = false;
    if let (Some(waiting_state), Some(side)) = (&state, &facts.side)
        && newer_than_retry(facts, waiting_state, side)
    {
        superseded = true;
        state = None;
    }
    match (state, &facts.operation) {
        (Some(state), given) => {
            operation_step(facts, ground, state, given.as_ref(), &mut next, &mut verdict);
        }
        (None, _) => {
            if let Some(compared) = &compared {
                start_unasked(facts, compared, superseded, &mut next, &mut found, &mut verdict);
            }
        }
    }
    if compared.is_some() && verdict.ended.is_none() && facts.application.operation.is_none() {
        answered.push(Kind::SyncError);
    }
    found.extend(waits::operation(&next));
    if goes {
        found.push(waits::deletion("waiting for the running operation"));
    }
    next.status.conditions = conditions::set(&next.status.conditions, &found, &answered, facts.now);
    conclude(facts, next, verdict)
}

/// The Application without its resources, which are compared anew.
fn but_rows(application: &Application) -> Application {
    let status = ApplicationStatus {
        operation_state: application.status.operation_state.clone(),
        ..without_rows(&application.status)
    };
    Application {
        api_version: application.api_version.clone(),
        kind: application.kind.clone(),
        metadata: application.metadata.clone(),
        spec: application.spec.clone(),
        status,
        operation: application.operation.clone(),
        rest: application.rest.clone(),
    }
}

/// Takes over what a comparison found; its rows go where they stay.
fn take_comparison(facts: &Facts, next: &mut Application, side: &Side, compared: &mut Compared) {
    let status = &mut next.status;
    let before = status.sync.clone();
    status.sync = compared.sync.clone();
    if side.failed {
        // What ran keeps running: the last good revision stays known where none was resolved.
        if status.sync.revision.is_empty() && !side.several {
            status.sync.revision = before.revision;
        }
        if status.sync.revisions.is_empty() && side.several {
            status.sync.revisions = before.revisions;
        }
    } else if facts.content_changed == Some(false) && !facts.asked && facts.operation.is_none() {
        let same = before.compared_to == status.sync.compared_to;
        if same && !before.revision.is_empty() {
            status.sync.revision = before.revision;
        } else if same && !before.revisions.is_empty() {
            status.sync.revisions = before.revisions;
        }
    }
    if side.unreachable {
        // What was there is most likely there still; nobody knows how it is.
        for row in &mut status.resources {
            row.status = SyncStatusCode::Unknown;
        }
        set_health(status, facts, Wellness::Unknown, "");
        status.reconciled_at = Some(Time::at(facts.now));
        return;
    }
    status.resources = std::mem::take(&mut compared.resources);
    set_health(status, facts, compared.health, &compared.health_message);
    if !side.failed || !side.source_types.is_empty() {
        let types =
            || side.source_types.iter().map(|text| crd::ApplicationSourceType::from(text.as_str()));
        if side.several {
            status.source_types = types().collect();
            status.source_type = crd::ApplicationSourceType::Unset;
        } else {
            status.source_type = types().next().unwrap_or_default();
            status.source_types = Vec::new();
        }
    }
    status.controller_namespace.clone_from(&facts.rules.control_plane);
    status.resource_health_source = match facts.rules.persist_resource_health {
        true => crd::ResourceHealthLocation::Unset,
        false => crd::ResourceHealthLocation::AppTree,
    };
    summarize(status, &facts.application, side);
    status.reconciled_at = Some(Time::at(facts.now));
}

/// Sets the health; its time moves only when it changes (CRD-12).
fn set_health(status: &mut ApplicationStatus, facts: &Facts, health: Wellness, message: &str) {
    let code = HealthStatusCode::from(health.as_str());
    if facts.application.status.health.status != code {
        status.health.last_transition_time = Some(Time::at(facts.now));
    }
    status.health.status = code;
    // Who causes it may be others than before.
    message.clone_into(&mut status.health.message);
}

/// Tells whether a new revision ends the retries of an old one. Upstream would try the old one on; what
/// takes the newest revision at each attempt needs no end.
fn newer_than_retry(facts: &Facts, state: &OperationState, side: &Side) -> bool {
    if !matches!(waiting(state, facts.now), Waiting::Until(_) | Waiting::Again(_))
        || !state.operation.initiated_by.automated
        || state.operation.retry.refresh
        || automated_policy(&facts.application).is_none()
        || side.failed
        || facts.content_changed == Some(false)
    {
        return false;
    }
    let Some(result) = &state.sync_result else { return false };
    match side.several {
        true => result.revisions != side.revisions,
        false => side.revisions.first().is_some_and(|revision| *revision != result.revision),
    }
}

fn start_unasked(
    facts: &Facts,
    compared: &Compared,
    superseded: bool,
    next: &mut Application,
    found: &mut Vec<Condition>,
    verdict: &mut Verdict,
) {
    if let Some(because) = shut(facts, SyncAsked { manual: false, began: None }) {
        if let Automated::Start(_) = automated(facts, &compared.sync, &next.status.resources) {
            found.push(waits::sync(because.clone()));
        }
        verdict.because = because;
        let at = facts.now.checked_add(WINDOW_LOOK).unwrap_or(facts.now);
        verdict.next = Some(Next { at, because: "a sync window is shut" });
        if superseded {
            end_superseded(facts, next, verdict);
        }
        return;
    }
    let decided = if superseded {
        let mut without = facts.clone();
        let mut application = (*facts.application).clone();
        application.operation = None;
        without.application = Arc::new(application);
        automated(&without, &compared.sync, &next.status.resources)
    } else {
        automated(facts, &compared.sync, &next.status.resources)
    };
    match decided {
        Automated::Nothing(because) => {
            because.clone_into(&mut verdict.because);
            if superseded {
                end_superseded(facts, next, verdict);
            }
        }
        Automated::Refused(condition) => {
            verdict.because.clone_from(&condition.message);
            found.push(condition);
        }
        Automated::Later(at, because) => {
            found.push(waits::sync(format!("{because} until {at}")));
            verdict.next = Some(Next { at, because });
            because.clone_into(&mut verdict.because);
        }
        Automated::Start(operation) => {
            let mut state = begun((*operation).clone(), facts.now);
            let side = facts.side.as_ref();
            let request = crate::operation::request(next, &state);
            state.sync_result = Some(crd::SyncOperationResult {
                revision: match request.several {
                    true => String::new(),
                    false => {
                        side.and_then(|side| side.revisions.first().cloned()).unwrap_or_default()
                    }
                },
                revisions: match request.several {
                    true => side.map(|side| side.revisions.clone()).unwrap_or_default(),
                    false => Vec::new(),
                },
                source: if request.several {
                    crd::ApplicationSource::default()
                } else {
                    request.sources.first().cloned().unwrap_or_default()
                },
                sources: if request.several { request.sources } else { Vec::new() },
                ..crd::SyncOperationResult::default()
            });
            let revisions = match compared.sync.revisions.is_empty() {
                true => compared.sync.revision.clone(),
                false => compared.sync.revisions.join(", "),
            };
            verdict.events.push(Event {
                reason: "OperationStarted",
                warning: false,
                message: format!("Initiated automated sync to '{revisions}'"),
            });
            // The spec that is synced is the one that was compared just now.
            next.operation = Some(operation);
            next.status.operation_state = Some(state.into());
            verdict.begun = true;
        }
    }
}

/// Tells whether the project's windows forbid a sync now, and in which words.
fn shut(facts: &Facts, asked: SyncAsked) -> Option<String> {
    let project = facts.project.as_deref()?;
    let globals = facts.global_projects.iter().flat_map(|one| &one.spec.sync_windows);
    let windows: Vec<_> = project.spec.sync_windows.iter().chain(globals).cloned().collect();
    match policy::windows_permit(&windows, &facts.application, asked, facts.now) {
        Ok(true) => None,
        Ok(false) => Some(waits::SHUT.to_owned()),
        Err(words) => Some(format!("{}: {words}", waits::SHUT)),
    }
}

/// Ends retries of a revision that nobody wants any more, where no sync takes their place.
fn end_superseded(facts: &Facts, next: &mut Application, verdict: &mut Verdict) {
    let Some(state) = next.status.operation_state.as_mut() else { return };
    state.phase = OperationPhase::Failed;
    state.finished_at = Some(Time::at(facts.now));
    state.message = format!("{} Not tried again: there is a newer revision.", state.message);
    next.operation = None;
    verdict.ended = Some(state.clone());
}

fn operation_step(
    facts: &Facts,
    ground: &Ground,
    state: OperationState,
    given: Option<&crate::facts::OperationFacts>,
    next: &mut Application,
    verdict: &mut Verdict,
) {
    let state = match waiting(&state, facts.now) {
        Waiting::Until(at) => {
            let because = "a failed sync waits for its next attempt";
            verdict.next = Some(Next { at, because });
            because.clone_into(&mut verdict.because);
            return;
        }
        Waiting::Broken(words) => {
            let mut ended = state;
            ended.phase = OperationPhase::Error;
            ended.message = words;
            ended.finished_at = Some(Time::at(facts.now));
            let operated = Operated {
                state: ended,
                actions: Vec::new(),
                progress: None,
                later: None,
                account: None,
            };
            take_operation(facts, next, operated, verdict);
            return;
        }
        Waiting::Again(again) => {
            next.status.operation_state = Some((*again).into());
            verdict.begun = true;
            return;
        }
        Waiting::No => state,
    };
    let known = facts.application.status.operation_state.as_deref() == Some(&state);
    // First it is written down that it runs; what it wants is gathered next.
    let given = match given {
        Some(given) if known || given.progress.is_some() => given,
        _ => {
            if !known {
                next.status.operation_state = Some(state.into());
            }
            verdict.begun = true;
            return;
        }
    };
    let asked = SyncAsked {
        manual: !state.operation.initiated_by.automated,
        began: state.started_at.timestamp(),
    };
    if state.phase == OperationPhase::Running
        && let Some(words) = shut(facts, asked)
    {
        let mut blocked = state;
        blocked.message.clone_from(&words);
        verdict.because = words;
        let at = facts.now.checked_add(WINDOW_LOOK).unwrap_or(facts.now);
        verdict.next = Some(Next { at, because: "a sync window is shut" });
        verdict.progress.clone_from(&given.progress);
        next.status.operation_state = Some(blocked.into());
        return;
    }
    let Some(side) = given.side.as_ref().or(facts.side.as_ref()) else {
        let words = "the desired state could not be loaded".to_owned();
        take_operation(facts, next, errored(state, words, facts), verdict);
        return;
    };
    let operated = operate(facts, given, side, state, &ground.project, &ground.cluster);
    take_operation(facts, next, operated, verdict);
}

/// Writes an operation's state into the Application, and what follows from it.
fn take_operation(
    facts: &Facts,
    next: &mut Application,
    operated: Operated,
    verdict: &mut Verdict,
) {
    let Operated { state, actions, progress, later, account } = operated;
    verdict.actions = actions;
    verdict.account = account;
    verdict.progress = progress;
    verdict.because.clone_from(&state.message);
    if let Some((at, because)) = later {
        verdict.next = Some(Next { at, because });
    }
    if state.phase.completed() {
        next.operation = None;
        if let Some(history) = history(&facts.application, &state, facts.now) {
            next.status.history = history;
        }
        verdict.events.push(completed(&state));
    }
    let state = Shared::from(state);
    if state.phase.completed() {
        verdict.ended = Some(state.clone());
    }
    next.status.operation_state = Some(state);
}

fn completed(state: &OperationState) -> Event {
    let partial = state.operation.sync.as_ref().is_some_and(|sync| !sync.resources.is_empty());
    let mut words =
        vec![if partial { "Partial sync operation" } else { "Sync operation" }.to_owned()];
    if let Some(result) = &state.sync_result {
        words.push("to".into());
        words.push(result.revision.clone());
    }
    let well = state.phase == OperationPhase::Succeeded;
    match well {
        true => words.push("succeeded".into()),
        false => {
            words.push("failed:".into());
            words.push(state.message.clone());
        }
    }
    Event { reason: "OperationCompleted", warning: !well, message: words.join(" ") }
}

/// Draws the patch and the events from what has changed.
fn conclude(facts: &Facts, mut next: Application, mut verdict: Verdict) -> Verdict {
    let before = &*facts.application;
    let (was, is) = (&before.status, &next.status);
    if was.sync.status != is.sync.status {
        verdict.events.push(updated(format!(
            "Updated sync status: {} -> {}",
            was.sync.status, is.sync.status
        )));
    }
    if was.health.status != is.health.status {
        let mut words =
            format!("Updated health status: {} -> {}", was.health.status, is.health.status);
        if !is.health.message.is_empty() {
            words.push_str(&format!(" ({})", is.health.message));
        }
        verdict.events.push(updated(words));
    }
    let mut patch = Map::new();
    let rows = rows_changed(&was.resources, &is.resources);
    if !facts.asked
        && before.operation == next.operation
        && rows.as_ref().is_some_and(Vec::is_empty)
        && only_times_and_revisions_differ(was, is)
    {
        let resources = std::mem::take(&mut next.status.resources);
        let operation_state = next.status.operation_state.take();
        next.status = ApplicationStatus { resources, operation_state, ..without_rows(was) };
    } else if let Some(change) = status_change(was, is, rows) {
        patch.insert("status".into(), change.patch);
        verdict.rows = change.rows;
    }
    if before.operation != next.operation {
        let operation = match (&before.operation, &next.operation) {
            (_, None) => Value::Null,
            (None, Some(operation)) => as_value(operation),
            (Some(old), Some(new)) => {
                merge_patch(&as_value(old), &as_value(new)).unwrap_or(Value::Null)
            }
        };
        patch.insert("operation".into(), operation);
    }
    if before.spec.project != next.spec.project {
        patch.insert("spec".into(), json!({"project": next.spec.project}));
    }
    let mut metadata = Map::new();
    if before.metadata.finalizers != next.metadata.finalizers {
        metadata.insert("finalizers".into(), json!(next.metadata.finalizers));
    }
    if facts.asked && (facts.side.is_some() || preflight(facts).is_err()) {
        let gone = without_request(&mut next);
        if !gone.is_empty() {
            metadata.insert("annotations".into(), Value::Object(gone));
        }
    }
    if !metadata.is_empty() {
        patch.insert("metadata".into(), Value::Object(metadata));
    }
    if !patch.is_empty() {
        verdict.patch = Some(Value::Object(patch));
    }
    verdict.application = Arc::new(next);
    verdict
}

fn updated(message: String) -> Event {
    Event { reason: "ResourceUpdated", warning: false, message }
}

/// Tells whether nothing has changed that anybody waits for, where no row has.
///
/// A revision alone is no news: a commit that does not touch the Application is not written to it.
fn only_times_and_revisions_differ(was: &ApplicationStatus, is: &ApplicationStatus) -> bool {
    let Some(seen) = was.reconciled_at.as_ref().and_then(Time::timestamp) else { return false };
    // Whoever waits for an operation waits until it was looked at after its end.
    let ended = was.operation_state.as_ref().and_then(|state| state.finished_at.as_ref());
    if ended.and_then(Time::timestamp).is_some_and(|end| seen < end) {
        return false;
    }
    if was.sync.status != is.sync.status {
        return false;
    }
    let operation = was.operation_state == is.operation_state;
    let (was, mut same) = (without_rows(was), without_rows(is));
    same.reconciled_at.clone_from(&was.reconciled_at);
    if !was.sync.revision.is_empty() && !is.sync.revision.is_empty() {
        same.sync.revision.clone_from(&was.sync.revision);
    }
    if was.sync.revisions.len() == is.sync.revisions.len() {
        same.sync.revisions.clone_from(&was.sync.revisions);
    }
    same == was && operation
}
