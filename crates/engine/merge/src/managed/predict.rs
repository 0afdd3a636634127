//! What a forced apply would make of an object, without the bookkeeping.

use serde_json::Value;

use crate::fields::FieldSet;
use crate::managed::apply::{ApplyError, ApplyOptions};
use crate::managed::owned::{Operation, Owned, managed_fields, owners, read};
use crate::managed::updater::{Updater, is_same_apart_from_owners, strip, without_managed_fields};
use crate::managed::versions::Context;
use crate::typed::{Duplicates, Typed};

/// Returns `live` as it would be after a forced apply of `patch`, without managed fields;
/// `None` is as it is. The object is not decoded or defaulted.
///
/// `dropped` are fields that the one who applies once applied, and that count as its own
/// whoever wrote them since: where the patch does not have them, they go.
///
/// Most looks at an object find it as it was applied. Then nothing of it is copied, and of
/// its owners only the one who applies is read.
///
/// # Errors
/// The patch is not of its type, as [`super::apply`] says it.
pub fn predict(
    live: &Value,
    patch: &Value,
    dropped: Option<&FieldSet>,
    options: &ApplyOptions<'_>,
    context: &Context<'_>,
) -> Result<Option<Value>, ApplyError> {
    let failed = |reason: String| ApplyError::Failed(reason);
    let Some(typed) = context.typed(options.api_version) else {
        return Err(failed(format!("no corresponding type for {}", options.kind)));
    };
    typed
        .validate(patch, Duplicates::Refused)
        .map_err(|error| failed(format!("failed to create typed patch object: {error}")))?;
    let updater =
        Updater { context, typed, api_version: options.api_version, reset: options.reset };
    let applied = updater.fields_of(patch);
    let mut dropped = dropped.map(|dropped| dropped.difference(&applied)).unwrap_or_default();
    strip(&mut dropped);
    let last = applier(live, options).map_err(failed)?;
    let keeps_all = last.as_ref().is_none_or(|last| {
        last.api_version == options.api_version
            && (last.fields.is_subset(&applied) || is_reconciled_subset(typed, last, &applied))
    });
    if keeps_all && dropped.is_empty() {
        if !typed.would_change(live, patch) {
            return Ok(None);
        }
        let mut merged = without_managed_fields(live);
        typed.merge(&mut merged, patch);
        return Ok((!is_same_apart_from_owners(live, &merged)).then_some(merged));
    }

    let mut owned = owners(live).map_err(|error| failed(error.to_string()))?;
    let me = Owned {
        manager: options.manager.to_owned(),
        operation: Operation::Apply,
        subresource: options.subresource.to_owned(),
        api_version: options.api_version.to_owned(),
        time_s: None,
        fields: FieldSet::default(),
    };
    if !dropped.is_empty() {
        for other in &mut owned {
            other.fields.subtract(&dropped);
        }
        match owned.iter_mut().find(|owned| owned.is_same_manager(&me)) {
            Some(mine) => mine.fields.absorb(&dropped),
            None => owned.push(Owned { fields: dropped, ..me.clone() }),
        }
    }
    let merged = updater.merge_and_prune(live, patch, &mut owned, me).map_err(failed)?;
    Ok((!is_same_apart_from_owners(live, &merged)).then_some(merged))
}

/// Reads the entry of the one who applies, and no other.
fn applier(live: &Value, options: &ApplyOptions<'_>) -> Result<Option<Owned>, String> {
    let Some(Value::Array(entries)) = managed_fields(live) else { return Ok(None) };
    let text = |entry: &Value, name: &str| {
        entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let found = entries.iter().enumerate().find(|(_, entry)| {
        text(entry, "manager") == options.manager
            && text(entry, "operation") == "Apply"
            && text(entry, "subresource") == options.subresource
    });
    found.map(|(at, entry)| read(at, entry)).transpose()
}

/// The same for a set that was written before a list or map became one piece.
fn is_reconciled_subset(typed: Typed<'_>, last: &Owned, applied: &FieldSet) -> bool {
    let mut fields = last.fields.clone();
    typed.reconcile(&mut fields) && fields.is_subset(applied)
}
