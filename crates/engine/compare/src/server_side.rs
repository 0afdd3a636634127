//! Predicting a forced server-side apply.

use manifest::{annotation, api_version};
use merge::fields::{FieldSet, PathElement};
use merge::managed::{
    ApplyError, ApplyOptions, Context, LAST_APPLIED, OneVersion, Operation, owners,
    predict as predicted,
};
use merge::schema::{Schema, Type, TypeId};
use merge::typed::Typed;
use serde_json::Value;

use crate::compare::CompareError;
use crate::rules::Rules;

/// Returns what an apply would make of `live`, not yet decoded and defaulted; `None` is
/// nothing other than it is.
pub(crate) fn predict(
    live: &Value,
    target: &Value,
    rules: &Rules<'_>,
) -> Result<Option<Value>, CompareError> {
    let deduced;
    let (schema, type_id) = match rules.schema {
        Some(known) => known,
        None => {
            deduced = Schema { types: vec![Type::Deduced] };
            (&deduced, TypeId(0))
        }
    };
    let typed = Typed::new(schema, type_id);
    let versions = OneVersion { api_version: api_version(target).to_owned(), type_id };
    let context = Context { schema, versions: &versions, zero: &Value::Null };
    let options = ApplyOptions {
        manager: rules.manager,
        force: true,
        subresource: "",
        api_version: api_version(target),
        kind: manifest::kind(target),
        now: "",
        reset: &[],
    };
    let dropped = once_applied(typed, live, rules);
    let of_unknown;
    let live_or_collapsed = match rules.schema {
        Some(_) => live,
        None => {
            of_unknown = collapsed(live);
            &of_unknown
        }
    };
    predicted(live_or_collapsed, target, dropped.as_ref(), &options, &context).map_err(|error| {
        match error {
            ApplyError::Failed(reason) | ApplyError::BadRequest(reason) => {
                CompareError::Refused(reason)
            }
            ApplyError::Conflicts(conflicts) => CompareError::Refused(conflicts.to_string()),
        }
    })
}

/// Returns what a dry run's answer makes of `live` without what admission webhooks added to it: of
/// the answer only the applying manager's own fields count.
pub(crate) fn without_webhooks(answer: &Value, live: &Value, rules: &Rules<'_>) -> Value {
    let deduced;
    let (schema, type_id) = match rules.schema {
        Some(known) => known,
        None => {
            deduced = Schema { types: vec![Type::Deduced] };
            (&deduced, TypeId(0))
        }
    };
    let typed = Typed::new(schema, type_id);
    let ours = |object: &Value| {
        let mut fields = FieldSet::default();
        for owned in owners(object).unwrap_or_default() {
            if owned.manager == rules.manager && owned.operation == Operation::Apply {
                fields.absorb(&owned.fields);
            }
        }
        fields
    };
    let (before, after) = (ours(live), ours(answer));
    if after.is_empty() {
        // Without owners nothing can be told apart.
        return answer.clone();
    }
    let mut out = live.clone();
    let gone = before.difference(&after).difference(&typed.field_set(answer));
    typed.remove_items(&mut out, &gone);
    let wanted = typed.extract_items(answer, &after.leaves(), true);
    if wanted.is_object() {
        typed.merge(&mut out, &wanted);
    }
    out
}

/// What was applied before: by this Application, or client-side by anybody.
fn once_applied(typed: Typed<'_>, live: &Value, rules: &Rules<'_>) -> Option<FieldSet> {
    let version = api_version(live);
    let mut out: Option<FieldSet> = None;
    let mut add = |object: &Value| {
        if api_version(object) == version {
            out.get_or_insert_default().absorb(&typed.field_set(object));
        }
    };
    for previous in rules.previous {
        add(previous);
    }
    if let Some(text) = annotation(live, LAST_APPLIED)
        && let Ok(applied) = serde_json::from_str::<Value>(text)
    {
        add(&applied);
    }
    // A status is never applied, whatever an old annotation says.
    if let Some(out) = &mut out {
        out.recursive_subtract(&FieldSet::of_names(&["status"]));
    }
    out
}

/// Of a kind without a schema every list is one piece here: who owns something in a list owns
/// the list.
fn collapsed(live: &Value) -> Value {
    let mut out = live.clone();
    let entries = out
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("managedFields"))
        .and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let Some(fields) = entry.get_mut("fieldsV1")
            && let Ok(set) = FieldSet::from_v1(fields)
        {
            *fields = with_whole_lists(&set).to_v1();
        }
    }
    out
}

fn with_whole_lists(set: &FieldSet) -> FieldSet {
    let mut out = FieldSet::default();
    for path in set.paths() {
        let in_list = path.iter().position(|step| !matches!(step, PathElement::Field(_)));
        out.insert(&path[..in_list.unwrap_or(path.len())]);
    }
    out
}
