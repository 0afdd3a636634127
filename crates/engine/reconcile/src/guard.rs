//! The guard: an automated prune of a large part of an Application waits for a person.
//!
//! What git drops by mistake (a wrong path, an emptied folder, a chart whose values fell away) would
//! otherwise be deleted everywhere within seconds. A sync that a person asked for, and a deletion,
//! are never held back.

use crd::{Info, Operation, SyncOperationResource};
use jiff::Timestamp;
use sync::Selected;
use sync::marks::{SYNC_OPTIONS, option_value};

use crate::conditions::{Condition, Kind};
use crate::facts::{Facts, Pair, Side};
use crate::operation::DELETION_APPROVED;

/// Under this name an operation says that its prune was confirmed.
const CONFIRMED: &str = "prune-guard";

/// In the words of a condition that waits for [`Guarded::Confirmed`].
pub(crate) const NEEDS_A_PERSON: &str = "which needs a person's confirmation";

/// What the guard says of an automated sync.
#[derive(Clone, Debug)]
pub(crate) enum Guarded {
    /// It may begin.
    Free,
    /// It may, since a person has agreed; the fact to keep with the operation.
    Confirmed(Info),
    /// It waits for a person.
    Waits(Condition),
}

/// What a sync would prune, if that is more than is done unasked.
struct Exceeded {
    pruned: usize,
    live: usize,
}

fn exceeded(facts: &Facts, side: &Side, chosen: &[SyncOperationResource]) -> Option<Exceeded> {
    let takes_part = |pair: &Pair| {
        let key = pair.key();
        chosen.is_empty()
            || chosen.iter().any(|one| {
                Selected {
                    group: one.group.clone(),
                    kind: one.kind.clone(),
                    name: one.name.clone(),
                    namespace: one.namespace.clone(),
                }
                .names(&key)
            })
    };
    let mut live = 0;
    let mut pruned = 0;
    for pair in &side.pairs {
        let Some(seen) = pair.live.as_ref().filter(|seen| !seen.said.any_hook) else {
            continue;
        };
        if pair.target.is_none() && seen.live.deleting() {
            continue;
        }
        live += 1;
        let stays = || option_value(&seen.live.head(), SYNC_OPTIONS, "Prune") == Some("false");
        let goes = pair.target.is_none() && pair.self_referenced(&facts.rules.tracking) && !stays();
        if goes && takes_part(pair) {
            pruned += 1;
        }
    }
    let guard = facts.rules.guard;
    let many = pruned > guard.objects_max && pruned * 100 > live * guard.percent_max;
    many.then_some(Exceeded { pruned, live })
}

/// Asks whether an automated sync may prune what it would prune.
///
/// A confirmation counts from when the condition said what would go: one that was given for
/// something else counts for nothing.
pub(crate) fn ask(
    facts: &Facts,
    side: &Side,
    chosen: &[SyncOperationResource],
    revisions: &[String],
) -> Guarded {
    let Some(Exceeded { pruned, live }) = exceeded(facts, side, chosen) else {
        return Guarded::Free;
    };
    let application = &facts.application;
    let condition = Condition::new(
        Kind::SyncError,
        format!(
            "Skipping sync attempt to [{}]: auto-sync would prune {pruned} of {live} resources, {NEEDS_A_PERSON}: look at `argocd app diff {name}`, then mend the source or `argocd app confirm-deletion {name}`",
            revisions.join(" "),
            name = application.metadata.name,
        ),
    );
    let told = application
        .status
        .conditions
        .iter()
        .find(|held| held.r#type == condition.kind && held.message == condition.message)
        .and_then(|held| held.last_transition_time.as_ref()?.timestamp());
    let approved = application
        .metadata
        .annotations
        .get(DELETION_APPROVED)
        .and_then(|text| text.parse::<Timestamp>().ok());
    match told.zip(approved) {
        Some((told, approved)) if approved >= told => Guarded::Confirmed(Info {
            name: CONFIRMED.into(),
            value: format!("pruning {pruned} of {live} resources was confirmed at {approved}"),
            ..Info::default()
        }),
        _ => Guarded::Waits(condition),
    }
}

/// Returns why an operation that began unasked may not go on: it would prune what nobody agreed to.
pub(crate) fn holds_back(facts: &Facts, side: &Side, operation: &Operation) -> Option<String> {
    let sync = operation.sync.as_ref().filter(|sync| sync.prune && !sync.dry_run)?;
    let confirmed = operation.info.iter().any(|info| info.name == CONFIRMED);
    if !operation.initiated_by.automated || confirmed {
        return None;
    }
    let Exceeded { pruned, live } = exceeded(facts, side, &sync.resources)?;
    Some(format!(
        "the sync would prune {pruned} of {live} resources, which needs a person's confirmation; nothing was changed"
    ))
}
