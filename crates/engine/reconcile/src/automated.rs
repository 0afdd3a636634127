//! Whether an Application is synced unasked (SYN-50 to SYN-53).

use std::collections::BTreeSet;

use crd::{
    Application, Operation, OperationInitiator, OperationPhase, ResourceStatus, RetryStrategy,
    SyncOperation, SyncOperationResource, SyncPolicyAutomated, SyncStatus, SyncStatusCode,
};
use jiff::{SignedDuration, Timestamp};
use manifest::ObjectKey;

use crate::conditions::{Condition, Kind};
use crate::facts::{Facts, Rules};
use crate::guard::{self, Guarded};

/// How often a failed automated sync is tried again where the spec does not say.
const RETRIES_DEFAULT: i64 = 5;

/// What automated sync comes to.
#[derive(Clone, Debug)]
pub(crate) enum Automated {
    /// Nothing to do; the reason is for the log.
    Nothing(&'static str),
    /// Not now, and why not ever like this.
    Refused(Condition),
    /// Not before that time.
    Later(Timestamp, &'static str),
    /// Sync.
    Start(Box<Operation>),
}

/// Returns the automated part of a spec, where it is on (CRD-08).
pub(crate) fn policy(application: &Application) -> Option<&SyncPolicyAutomated> {
    application
        .spec
        .sync_policy
        .as_ref()?
        .automated
        .as_ref()
        .filter(|automated| automated.enabled.unwrap_or(true))
}

/// Decides whether to sync, and what.
pub(crate) fn automated(
    facts: &Facts,
    sync: &SyncStatus,
    resources: &[ResourceStatus],
) -> Automated {
    let application = &*facts.application;
    let Some(automated) = policy(application) else {
        return Automated::Nothing("automated sync is off");
    };
    if application.operation.is_some() {
        return Automated::Nothing("another operation is in progress");
    }
    if application.metadata.deletion_timestamp.is_some() {
        return Automated::Nothing("deletion in progress");
    }
    if sync.status != SyncStatusCode::OutOfSync {
        return Automated::Nothing("the status is not OutOfSync");
    }
    let prune = automated.prune.unwrap_or(false);
    let going = going(facts);
    let synced =
        |row: &ResourceStatus| row.status == SyncStatusCode::Synced || going.contains(&key_of(row));
    if resources.iter().all(synced) && !going.is_empty() {
        return Automated::Nothing("all that is left to prune is going already");
    }
    if !prune && resources.iter().all(|row| synced(row) || row.requires_pruning) {
        return Automated::Nothing("all that is left is to prune, and automated prune is off");
    }
    let several = !application.spec.sources.is_empty();
    let wanted: Vec<String> =
        if several { sync.revisions.clone() } else { vec![sync.revision.clone()] };
    let policy = application.spec.sync_policy.as_ref();
    let mut operation = Operation {
        sync: Some(SyncOperation {
            source: (!several).then(|| application.spec.source.clone().unwrap_or_default()),
            revision: sync.revision.clone(),
            prune,
            sync_options: policy.map(|one| one.sync_options.clone()).unwrap_or_default(),
            sources: application.spec.sources.clone(),
            revisions: sync.revisions.clone(),
            ..SyncOperation::default()
        }),
        initiated_by: OperationInitiator { automated: true, ..OperationInitiator::default() },
        retry: policy.and_then(|one| one.retry.clone()).unwrap_or_else(|| RetryStrategy {
            limit: RETRIES_DEFAULT,
            ..RetryStrategy::default()
        }),
        ..Operation::default()
    };
    if let Some(attempt) = last_attempt(facts, &wanted) {
        if attempt.phase != OperationPhase::Succeeded {
            return Automated::Refused(Condition::new(
                Kind::SyncError,
                format!(
                    "Failed last sync attempt to [{}]: {}",
                    attempt.revisions.join(" "),
                    attempt.message
                ),
            ));
        }
        if !automated.self_heal.unwrap_or(false) {
            return Automated::Nothing("the last sync was to this revision already");
        }
        let count = attempt.heals;
        if let Some(at) = next_heal(&facts.rules, count, attempt.finished_at, facts.now) {
            return Automated::Later(at, "an attempt to heal waits for its backoff");
        }
        if let Some(op) = &mut operation.sync {
            op.auto_heal_attempts_count = count + 1;
            op.resources = resources
                .iter()
                .filter(|row| !synced(row))
                .map(|row| SyncOperationResource {
                    group: row.group.clone(),
                    kind: row.kind.clone(),
                    name: row.name.clone(),
                    ..SyncOperationResource::default()
                })
                .collect();
        }
    }
    if prune
        && !automated.allow_empty.unwrap_or(false)
        && resources.iter().all(|row| row.requires_pruning)
    {
        return Automated::Refused(Condition::new(
            Kind::SyncError,
            format!(
                "Skipping sync attempt to [{}]: auto-sync will wipe out all resources",
                wanted.join(" ")
            ),
        ));
    }
    if let (true, Some(side)) = (prune, &facts.side) {
        let chosen = operation.sync.as_ref().map(|sync| sync.resources.as_slice());
        match guard::ask(facts, side, chosen.unwrap_or_default(), &wanted) {
            Guarded::Free => {}
            Guarded::Confirmed(info) => operation.info.push(info),
            Guarded::Waits(condition) => return Automated::Refused(condition),
        }
    }
    Automated::Start(Box::new(operation))
}

/// What git does not have and is being deleted: there is nothing left to do about it.
fn going(facts: &Facts) -> BTreeSet<ObjectKey> {
    let pairs = facts.side.iter().flat_map(|side| &side.pairs);
    pairs
        .filter(|pair| pair.target.is_none())
        .filter_map(|pair| pair.live.as_ref())
        .filter(|seen| seen.live.deleting())
        .map(|seen| seen.key.clone())
        .collect()
}

fn key_of(row: &ResourceStatus) -> ObjectKey {
    ObjectKey::new(&row.group, &row.kind, &row.namespace, &row.name)
}

struct Attempt {
    phase: OperationPhase,
    revisions: Vec<String>,
    message: String,
    heals: i64,
    finished_at: Option<Timestamp>,
}

/// Returns the last operation, where it synced just what is wanted now (SYN-51).
fn last_attempt(facts: &Facts, wanted: &[String]) -> Option<Attempt> {
    let application = &*facts.application;
    let state = application.status.operation_state.as_ref()?;
    let mut attempt = Attempt {
        phase: state.phase.clone(),
        revisions: Vec::new(),
        message: state.message.clone(),
        heals: state.operation.sync.as_ref().map_or(0, |sync| sync.auto_heal_attempts_count),
        finished_at: state.finished_at.as_ref().and_then(crd::Time::timestamp),
    };
    let Some(result) = &state.sync_result else {
        return state.phase.completed().then_some(attempt);
    };
    let several = !application.spec.sources.is_empty();
    attempt.revisions =
        if several { result.revisions.clone() } else { vec![result.revision.clone()] };
    if attempt.revisions != wanted && facts.content_changed.unwrap_or(true) {
        return None;
    }
    let same_source = match several {
        true => application.spec.sources == result.sources,
        false => application.spec.source.clone().unwrap_or_default() == result.source,
    };
    same_source.then_some(attempt)
}

/// Returns when the next attempt to heal is due; `None`: now.
fn next_heal(
    rules: &Rules,
    attempts: i64,
    finished_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let wait = match (rules.self_heal_fixed, attempts) {
        (Some(fixed), _) => fixed,
        (None, 0) => SignedDuration::ZERO,
        (None, attempts) => {
            let steps = u32::try_from(attempts - 1).unwrap_or(0);
            rules
                .self_heal_factor
                .checked_pow(steps)
                .and_then(|times| i32::try_from(times).ok())
                .and_then(|times| rules.self_heal_first.checked_mul(times))
                .map_or(rules.self_heal_cap, |wait| wait.min(rules.self_heal_cap))
        }
    };
    let due = finished_at.unwrap_or(now).checked_add(wait).unwrap_or(now);
    (due > now).then_some(due)
}
