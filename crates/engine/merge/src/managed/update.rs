//! Every write but apply.

use serde_json::Value;

use crate::fields::FieldSet;
use crate::managed::cap::cap;
use crate::managed::filter::{Filter, filter_at};
use crate::managed::owned::{
    Operation, Owned, is_reset, owners, remove_managed_fields, set_owners,
};
use crate::managed::time::parse_seconds;
use crate::managed::updater::{Updater, strip};
use crate::managed::versions::Context;
use crate::typed::Duplicates;

/// How something is written.
#[derive(Clone, Copy)]
pub struct UpdateOptions<'a> {
    /// Who writes: `fieldManager`, else the user agent up to the first `/`.
    pub manager: &'a str,
    /// The subresource that is written to; `""` is the object itself.
    pub subresource: &'a str,
    /// The endpoint's version, as in `apps/v1`.
    pub api_version: &'a str,
    /// Now, as RFC 3339.
    pub now: &'a str,
    /// What the endpoint throws away, by API version.
    pub reset: &'a [(&'a str, Filter)],
}

/// Returns `new` with the managed fields that it has once it is written over `live`.
///
/// What changes is taken from all others and belongs to the writer. An object that nobody
/// has been tracked on stays so, except when it is created. Managed fields that the client
/// sent count on the main endpoint, if they can be read; an empty list forgets all owners.
///
/// An object that does not fit its schema is owned by nobody: this never refuses a write.
pub fn update(
    live: Option<&Value>,
    new: &Value,
    options: &UpdateOptions<'_>,
    context: &Context<'_>,
) -> Value {
    let live = live.unwrap_or(context.zero);
    let mut owned = owners_of_either(live, new, options.subresource);
    let mut object = new.clone();
    remove_managed_fields(&mut object);
    if owned.is_empty() && has_uid(live) {
        return object;
    }
    let Some(typed) = context.typed(options.api_version) else { return object };
    let updater =
        Updater { context, typed, api_version: options.api_version, reset: options.reset };
    let by = Write {
        manager: options.manager,
        subresource: options.subresource,
        now_s: parse_seconds(options.now),
    };
    if write(&updater, live, &object, &mut owned, by).is_ok() {
        set_owners(&mut object, owned);
    }
    object
}

/// The owners that a client sent, or else those that are there.
fn owners_of_either(live: &Value, new: &Value, subresource: &str) -> Vec<Owned> {
    if subresource.is_empty() {
        if is_reset(new) {
            return Vec::new();
        }
        match owners(new) {
            Ok(owned) if !owned.is_empty() => return owned,
            _ => {}
        }
    }
    owners(live).unwrap_or_default()
}

fn has_uid(object: &Value) -> bool {
    let uid = object.get("metadata").and_then(|metadata| metadata.get("uid"));
    uid.and_then(Value::as_str).is_some_and(|uid| !uid.is_empty())
}

/// Who writes, through what, and when.
#[derive(Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) manager: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) now_s: Option<i64>,
}

/// Gives what `new` changes in `live` to the writer.
///
/// # Errors
/// Why the objects do not fit their schema.
pub(crate) fn write(
    updater: &Updater<'_>,
    live: &Value,
    new: &Value,
    owned: &mut Vec<Owned>,
    by: Write<'_>,
) -> Result<(), String> {
    for (what, object) in [("new", new), ("live", live)] {
        updater.typed.validate(object, Duplicates::Allowed).map_err(|error| {
            format!("failed to convert {what} object ({}) to smd typed: {error}", named(object))
        })?;
    }
    let mut fields = updater.update(live, new, owned)?;
    if let Some(filter) = filter_at(updater.reset, updater.api_version) {
        fields = filter.filter(fields);
    }
    strip(&mut fields);
    if !fields.is_empty() {
        add(owned, fields, updater.api_version, by);
    }
    cap(owned);
    Ok(())
}

/// `shop/web; apps/v1, Kind=Deployment`; the core group's kinds begin with a slash.
fn named(object: &Value) -> String {
    let (group, version) = manifest::split_api_version(manifest::api_version(object));
    format!(
        "{}/{}; {group}/{version}, Kind={}",
        manifest::namespace(object),
        manifest::name(object),
        manifest::kind(object)
    )
}

fn add(owned: &mut Vec<Owned>, fields: FieldSet, api_version: &str, by: Write<'_>) {
    let mut me = Owned {
        manager: if by.manager.is_empty() { "unknown" } else { by.manager }.to_owned(),
        operation: Operation::Update,
        subresource: by.subresource.to_owned(),
        api_version: api_version.to_owned(),
        time_s: by.now_s,
        fields,
    };
    match owned.iter_mut().find(|owned| owned.is_same_manager(&me)) {
        Some(mine) => {
            me.fields.absorb(&mine.fields);
            *mine = me;
        }
        None => owned.push(me),
    }
}
