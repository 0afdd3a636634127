//! Server-side apply.

use serde_json::Value;

use crate::fields::FieldSet;
use crate::managed::conflict::{Conflict, Conflicts};
use crate::managed::filter::Filter;
use crate::managed::last_applied;
use crate::managed::owned::{Operation, Owned, managed_fields, owners, set_owners, sort_owners};
use crate::managed::time::parse_seconds;
use crate::managed::update::{Write, write};
use crate::managed::updater::{Refusal, Updater, strip};
use crate::managed::versions::Context;
use crate::typed::{Duplicates, Typed};

/// How something is applied.
#[derive(Clone, Copy)]
pub struct ApplyOptions<'a> {
    /// Who applies; the server wants a name.
    pub manager: &'a str,
    /// Take from others what they own and the patch sets.
    pub force: bool,
    /// The subresource that is applied to; `""` is the object itself.
    pub subresource: &'a str,
    /// The endpoint's version, as in `apps/v1`.
    pub api_version: &'a str,
    /// The endpoint's kind, as in `Deployment`.
    pub kind: &'a str,
    /// Now, as RFC 3339.
    pub now: &'a str,
    /// What the endpoint throws away, by API version.
    pub reset: &'a [(&'a str, Filter)],
}

/// What became of an apply.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object with its managed fields, before it is decoded and defaulted.
    pub object: Value,
    /// Whether anything but managed fields is other than it was.
    pub changed: bool,
}

/// Why an apply is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyError {
    /// Others own what the patch would change: 409, reason `Conflict`, a cause for each.
    #[error(transparent)]
    Conflicts(Conflicts),
    /// The patch is none: 400.
    #[error("{0}")]
    BadRequest(String),
    /// The patch, or what is there, does not fit the schema: 500, as upstream.
    #[error("{0}")]
    Failed(String),
}

/// The manager for whom last-applied is kept in step.
const KUBECTL: &str = "kubectl";
/// Who owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// What became of an apply to an object whose owners stand apart from it.
#[derive(Clone, Debug)]
pub struct AppliedApart {
    /// The object without managed fields, before it is decoded and defaulted.
    pub object: Value,
    /// Who owns what in it, sorted as the server does.
    pub owned: Vec<Owned>,
}

/// Applies `patch`; `live` is what is there, if anything is.
///
/// # Errors
/// [`ApplyError`], in the API server's words.
pub fn apply(
    live: Option<&Value>,
    patch: &Value,
    options: &ApplyOptions<'_>,
    context: &Context<'_>,
) -> Result<Applied, ApplyError> {
    check_kind(patch, options)?;
    let live = live.unwrap_or(context.zero);
    let owned = owners(live)
        .map_err(|error| ApplyError::Failed(format!("failed to decode managed fields: {error}")))?;
    let Some((mut object, owned, changed)) = apply_checked(live, owned, patch, options, context)?
    else {
        return Ok(Applied { object: live.clone(), changed: false });
    };
    set_owners(&mut object, owned);
    Ok(Applied { object, changed })
}

/// As [`apply`], to an object without managed fields: what they say is `owned`. `None` is as it was,
/// owners and all.
///
/// # Errors
/// [`ApplyError`], in the API server's words.
pub fn apply_apart(
    live: &Value,
    owned: Vec<Owned>,
    patch: &Value,
    options: &ApplyOptions<'_>,
    context: &Context<'_>,
) -> Result<Option<AppliedApart>, ApplyError> {
    check_kind(patch, options)?;
    let applied = apply_checked(live, owned, patch, options, context)?;
    Ok(applied.map(|(object, mut owned, _)| {
        sort_owners(&mut owned);
        AppliedApart { object, owned }
    }))
}

/// Returns the object without managed fields, its owners, and whether anything but them is other
/// than it was; `None` where nothing is.
fn apply_checked(
    live: &Value,
    mut owned: Vec<Owned>,
    patch: &Value,
    options: &ApplyOptions<'_>,
    context: &Context<'_>,
) -> Result<Option<(Value, Vec<Owned>, bool)>, ApplyError> {
    let Some(typed) = context.typed(options.api_version) else {
        let gvk = gvk(options.api_version, options.kind);
        return Err(ApplyError::Failed(format!("no corresponding type for {gvk}")));
    };
    let updater =
        Updater { context, typed, api_version: options.api_version, reset: options.reset };
    let now_s = parse_seconds(options.now);

    if owned.is_empty() && !std::ptr::eq(live, context.zero) {
        let before = Write { manager: BEFORE_FIRST_APPLY, subresource: options.subresource, now_s };
        write(&updater, context.zero, live, &mut owned, before).map_err(|reason| {
            ApplyError::Failed(format!("failed to create manager for existing fields: {reason}"))
        })?;
    }
    check_owners(patch)?;
    check_types(live, patch, options, typed)?;

    let me = Owned {
        manager: if options.manager.is_empty() { "unknown" } else { options.manager }.to_owned(),
        operation: Operation::Apply,
        subresource: options.subresource.to_owned(),
        api_version: options.api_version.to_owned(),
        time_s: None,
        fields: FieldSet::default(),
    };
    if options.manager != KUBECTL && is_applied_already(&updater, live, patch, &mut owned, &me) {
        return Ok(None);
    }

    // Only kubectl tries twice.
    let before = (options.manager == KUBECTL && !options.force).then(|| owned.clone());
    let mut applied = updater.apply(live, patch, &mut owned, me.clone(), options.force);
    if let (Err(Refusal::Conflicts(conflicts)), Some(before)) = (&applied, before)
        && let Some(allowed) = last_applied::allowed_conflicts(live, typed, options.api_version)
    {
        let is_left = |conflict: &&Conflict| !allowed.has(&conflict.path);
        let remaining: Vec<_> = conflicts.0.iter().filter(is_left).cloned().collect();
        if !remaining.is_empty() {
            return Err(ApplyError::Conflicts(Conflicts(remaining)));
        }
        owned = before;
        applied = updater.apply(live, patch, &mut owned, me.clone(), true);
    }
    let (mut object, changed) = applied.map_err(|refusal| match refusal {
        Refusal::Conflicts(conflicts) => ApplyError::Conflicts(conflicts),
        Refusal::Failed(reason) => ApplyError::Failed(reason),
    })?;

    if let Some(at) = owned.iter().position(|other| other.is_same_manager(&me)) {
        strip(&mut owned[at].fields);
        if owned[at].fields.is_empty() {
            owned.remove(at);
        } else if changed {
            owned[at].time_s = now_s;
        }
    }
    if options.manager == KUBECTL && last_applied::has(&object) {
        last_applied::set(&mut object, patch);
    }
    Ok(Some((object, owned, changed)))
}

/// Whether the same was applied before and all of it is as it was applied: what most applies
/// find. Then no owner is written anew.
fn is_applied_already(
    updater: &Updater<'_>,
    live: &Value,
    patch: &Value,
    owned: &mut [Owned],
    me: &Owned,
) -> bool {
    let mut is_as_stored = true;
    for owned in owned.iter_mut() {
        // A float may have been written as another number.
        is_as_stored &= owned.api_version == updater.api_version
            && !owned.fields.is_empty()
            && !owned.fields.has_float()
            && !updater.typed.reconcile(&mut owned.fields);
    }
    let Some(mine) = owned.iter().find(|owned| owned.is_same_manager(me)) else { return false };
    is_as_stored && !updater.typed.would_change(live, patch) && {
        let mut fields = updater.fields_of(patch);
        strip(&mut fields);
        fields == mine.fields
    }
}

fn check_kind(patch: &Value, options: &ApplyOptions<'_>) -> Result<(), ApplyError> {
    let text = |name: &str| patch.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("apiVersion") != options.api_version || text("kind") != options.kind {
        let gvk = gvk(text("apiVersion"), text("kind"));
        return Err(ApplyError::BadRequest(format!("invalid object type: {gvk}")));
    }
    Ok(())
}

fn check_owners(patch: &Value) -> Result<(), ApplyError> {
    match managed_fields(patch) {
        // Owners that cannot be read count as none.
        Some(Value::Array(owners)) if owners.iter().all(is_readable) => {
            Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_types(
    live: &Value,
    patch: &Value,
    options: &ApplyOptions<'_>,
    typed: Typed<'_>,
) -> Result<(), ApplyError> {
    let failed = |what: &str, object: &Value, error: &dyn std::fmt::Display| {
        let name = identify(object, options);
        ApplyError::Failed(format!("failed to create typed {what} object ({name}): {error}"))
    };
    typed.validate(patch, Duplicates::Refused).map_err(|error| failed("patch", patch, &error))?;
    typed.validate(live, Duplicates::Allowed).map_err(|error| failed("live", live, &error))
}

/// `shop/web; apps/v1, Kind=Deployment`
fn identify(object: &Value, options: &ApplyOptions<'_>) -> String {
    let metadata = |name: &str| {
        object.get("metadata").and_then(|metadata| metadata.get(name)?.as_str()).unwrap_or_default()
    };
    let (namespace, name) = (metadata("namespace"), metadata("name"));
    format!("{namespace}/{name}; {}", gvk(options.api_version, options.kind))
}

/// A group, version and kind as Go prints them; the core group's begins with a slash.
fn gvk(api_version: &str, kind: &str) -> String {
    let (group, version) = manifest::split_api_version(api_version);
    format!("{group}/{version}, Kind={kind}")
}

/// Whether an owner can be read as such, whatever it says.
fn is_readable(owner: &Value) -> bool {
    let Some(fields) = owner.as_object() else { return false };
    fields.iter().all(|(name, value)| match name.as_str() {
        _ if value.is_null() => true,
        "manager" | "operation" | "apiVersion" | "fieldsType" | "subresource" => value.is_string(),
        "time" => value.as_str().is_some_and(|text| parse_seconds(text).is_some()),
        _ => true,
    })
}
