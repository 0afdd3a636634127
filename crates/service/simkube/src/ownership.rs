//! Who owns which field of an object: `merge::managed`, told what it needs to know of a kind.

use std::sync::Arc;

use manifest::Gvk;
use merge::managed::{
    self, AppliedApart, ApplyError, ApplyOptions, Context, Filter, Owned, UpdateOptions, Versions,
};
use merge::schema::{ListKind, Schema, Type, TypeId};
use serde_json::{Map, Value, json};

use crate::api::problem::{Cause, Problem};
use crate::kinds::{Kind, Kinds};
use crate::{convert, meta, types};

/// Who writes, and through which door.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// `""` on the main endpoint.
    pub subresource: &'a str,
    /// RFC 3339, whole seconds, `Z`.
    pub now: &'a str,
    /// Whether nothing is kept.
    pub dry_run: bool,
}

/// A kind in all of its versions.
struct InVersions<'a> {
    kind: &'a Kind,
}

impl Versions for InVersions<'_> {
    fn type_of(&self, api_version: &str) -> Option<TypeId> {
        if let Some(definition) = &self.kind.definition {
            return definition.type_of(api_version);
        }
        let served = if api_version == self.kind.api_version() {
            &self.kind.gvk
        } else {
            let (group, _) = manifest::split_api_version(api_version);
            if group != self.kind.group {
                return None;
            }
            let other = Kinds::built_in().of(api_version, &self.kind.kind)?;
            if other.table != self.kind.table {
                return None;
            }
            &other.gvk
        };
        types::tables().type_of(served)
    }

    fn convert(&self, object: &Value, api_version: &str) -> Result<Value, String> {
        let mut named = object.clone();
        named["kind"] = json!(self.kind.kind);
        let from = manifest::api_version(object);
        if self.kind.built_in()
            && let Some(read_as) = Kinds::built_in().of(from, &self.kind.kind)
            && let Err(error) = types::decode_parsed(read_as, named.clone())
        {
            let said = format!("{from}, Kind={}: {}", self.kind.kind, error.0);
            return Err(format!("unable to convert unstructured object to {said}"));
        }
        convert::between(named, api_version).map_err(|problem| problem.message)
    }
}

/// Returns the schema in which a kind's types stand, and its type at the version of the request.
pub fn schema(kind: &Kind) -> Option<(&Schema, TypeId)> {
    match &kind.definition {
        Some(definition) => {
            let type_id = definition.type_of(&kind.api_version())?;
            Some((definition.shape(), type_id))
        }
        None => Some((types::tables().schema(), types::tables().type_of(&kind.gvk)?)),
    }
}

fn with_context<T>(kind: &Kind, act: impl FnOnce(&Context<'_>) -> T) -> Option<T> {
    let (schema, _) = schema(kind)?;
    let versions = InVersions { kind };
    Some(act(&Context { schema, versions: &versions, zero: types::zero(kind) }))
}

/// Returns `new` with the managed fields that a plain write leaves behind.
pub fn update(kind: &Kind, live: Option<&Value>, new: Value, writer: &Writer<'_>) -> Value {
    let api_version = kind.api_version();
    let reset = reset(kind, writer.subresource);
    let reset: Vec<(&str, Filter)> =
        reset.iter().map(|(at, filter)| (at.as_str(), filter.clone())).collect();
    let options = UpdateOptions {
        manager: writer.manager,
        subresource: writer.subresource,
        api_version: &api_version,
        now: writer.now,
        reset: &reset,
    };
    if names_strange_version(kind, &new) {
        let mut new = new;
        meta::of(&mut new).remove("managedFields");
        return new;
    }
    let owned =
        |new: &Value| with_context(kind, |context| managed::update(live, new, &options, context));
    // Nobody owns what is there and empty where that is not written.
    let written = types::written(kind, &new);
    let is_autoscaler = kind.is("autoscaling", "HorizontalPodAutoscaler");
    if written.is_none() && !is_autoscaler {
        return owned(&new).unwrap_or(new);
    }
    let mut written = written.unwrap_or_else(|| new.clone());
    if let (true, Some((schema, type_id))) = (kind.built_in(), schema(kind)) {
        // What is only tried is compared with what was printed before.
        let prints = is_autoscaler && !writer.dry_run;
        whole_lists(schema, type_id, &new, &mut written, prints);
    }
    if let Some(entries) = new.pointer("/metadata/managedFields") {
        meta::of(&mut written).insert("managedFields".to_owned(), entries.clone());
    }
    let Some(owned) = owned(&written) else { return new };
    let mut new = new;
    meta::keep_owners(&owned, &mut new);
    new
}

/// Makes lists that are one piece other than they were where the server takes them for such: it compares
/// them as they stand in memory, where what is empty is not what is missing, and where a whole number of
/// binary units that 8 divides remembers whether it was ever printed.
fn whole_lists(schema: &Schema, id: TypeId, new: &Value, written: &mut Value, prints: bool) {
    match (schema.get(id), new, written) {
        (Type::Map(map), Value::Object(new), Value::Object(written)) => {
            for (name, new) in new {
                let inside = map.field(name).map(|field| field.type_id).or(map.rest);
                if let (Some(inside), Some(written)) = (inside, written.get_mut(name)) {
                    whole_lists(schema, inside, new, written, prints);
                }
            }
        }
        (Type::List(list), Value::Array(new), Value::Array(written)) => {
            if list.kind == ListKind::Atomic {
                let is_other = new != written || (prints && new.iter().any(is_printed_once));
                if let (true, Some(first)) = (is_other, written.first().cloned()) {
                    written.push(first);
                }
            } else if new.len() == written.len() {
                for (new, written) in new.iter().zip(written) {
                    whole_lists(schema, list.element, new, written, prints);
                }
            }
        }
        (_, _, _) => {}
    }
}

/// Whether an amount stands in a value whose text the server does not keep when it reads it.
fn is_printed_once(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| match value.as_str() {
            Some(text) if matches!(name.as_str(), "value" | "averageValue") => {
                let unit = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
                let number = unit.iter().find_map(|unit| text.strip_suffix(unit));
                number.and_then(|number| number.parse::<i64>().ok()).is_some_and(|n| n % 8 == 0)
            }
            _ => is_printed_once(value),
        }),
        Value::Array(items) => items.iter().any(is_printed_once),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether owners that a client sent are of versions that a custom kind does not have: then the server
/// gives up, and nobody owns anything.
fn names_strange_version(kind: &Kind, new: &Value) -> bool {
    let Some(definition) = &kind.definition else { return false };
    let entries = new.pointer("/metadata/managedFields").and_then(Value::as_array);
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else { return false };
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let readable = entries.iter().all(|entry| {
        text(entry, "fieldsType") == "FieldsV1"
            && !text(entry, "apiVersion").is_empty()
            && matches!(text(entry, "operation").as_str(), "Apply" | "Update")
    });
    readable
        && entries
            .iter()
            .any(|entry| !definition.api_versions().any(|known| known == text(entry, "apiVersion")))
}

/// Returns the object as an apply leaves it.
///
/// # Errors
///
/// 409 where another manager owns a field, unless forced.
pub fn apply(
    kind: &Kind,
    live: Option<&Value>,
    patch: &Value,
    force: bool,
    writer: &Writer<'_>,
) -> Result<Value, Problem> {
    applying(kind, force, writer, |options, context| {
        managed::apply(live, patch, options, context).map(|applied| applied.object)
    })
}

/// As [`apply`], where the managed fields stand apart from the object, as text. `None` is as it was.
///
/// # Errors
///
/// As [`apply`].
pub fn apply_apart(
    kind: &Kind,
    live: &Value,
    owned: Vec<Owned>,
    patch: &Value,
    force: bool,
    writer: &Writer<'_>,
) -> Result<Option<AppliedApart>, Problem> {
    applying(kind, force, writer, |options, context| {
        managed::apply_apart(live, owned, patch, options, context)
    })
}

fn applying<T>(
    kind: &Kind,
    force: bool,
    writer: &Writer<'_>,
    apply: impl FnOnce(&ApplyOptions<'_>, &Context<'_>) -> Result<T, ApplyError>,
) -> Result<T, Problem> {
    let api_version = kind.api_version();
    let reset = reset(kind, writer.subresource);
    let reset: Vec<(&str, Filter)> =
        reset.iter().map(|(at, filter)| (at.as_str(), filter.clone())).collect();
    let options = ApplyOptions {
        manager: writer.manager,
        force,
        subresource: writer.subresource,
        api_version: &api_version,
        kind: &kind.kind,
        now: writer.now,
        reset: &reset,
    };
    let applied = with_context(kind, |context| apply(&options, context));
    match applied {
        None => Err(Problem::new(
            500,
            "",
            format!("no corresponding type for {api_version}, Kind={}", kind.kind),
        )),
        Some(Ok(applied)) => Ok(applied),
        Some(Err(ApplyError::BadRequest(said))) => Err(Problem::bad_request(said)),
        Some(Err(ApplyError::Failed(said))) => Err(Problem::new(500, "", said)),
        Some(Err(ApplyError::Conflicts(conflicts))) => {
            let causes: Vec<Cause> = conflicts
                .0
                .iter()
                .map(|conflict| Cause {
                    reason: "FieldManagerConflict".to_owned(),
                    message: conflict.message(),
                    field: conflict.field(),
                })
                .collect();
            Err(Problem::new(409, "Conflict", conflicts.to_string()).because(&causes))
        }
    }
}

/// Puts old timestamps back where nothing but timestamps changed.
pub fn keep_times_of_no_change(old: &Value, new: &mut Value) {
    managed::keep_times_of_no_change(old, new);
}

/// Whether managed fields as text are the same, whatever the time of their entries.
pub fn is_same_but_times(before: &[u8], after: &[u8]) -> bool {
    if before == after {
        return true;
    }
    // Numbers in them are compared as they are written.
    let timeless = |text: &[u8]| {
        let mut owners: Vec<Map<String, Value>> = serde_json::from_slice(text).ok()?;
        owners.iter_mut().for_each(|owner| drop(owner.remove("time")));
        Some(owners)
    };
    timeless(before).is_some_and(|before| Some(before) == timeless(after))
}

/// Kinds whose status door throws away metadata as well as the spec.
const STATUS_WITHOUT_METADATA: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("apiregistration.k8s.io", "APIService"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("resource.k8s.io", "ResourceClaim"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Returns whether a kind's status door throws away metadata as well.
pub fn status_forgets_metadata(kind: &Kind) -> bool {
    STATUS_WITHOUT_METADATA.iter().any(|(group, name)| kind.is(group, name))
}

/// What a door throws away, by API version.
fn reset(kind: &Kind, subresource: &str) -> Vec<(String, Filter)> {
    if !kind.subresources.contains_key("status") {
        return Vec::new();
    }
    let is = |group: &str, name: &str| kind.is(group, name);
    let filter = match subresource {
        "" if is("certificates.k8s.io", "CertificateSigningRequest") => {
            Filter::exclude(&["spec", "status"])
        }
        "" => Filter::exclude(&["status"]),
        "finalize" => Filter::exclude(&["status"]),
        "status" if !kind.built_in() => Filter::exclude(&["metadata", "spec"]),
        "status" if is("", "Pod") => {
            Filter::exclude(&["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"])
        }
        "status" if is("apps", "Deployment") => Filter::exclude(&["spec", "metadata.labels"]),
        "status" if is("certificates.k8s.io", "CertificateSigningRequest") => {
            Filter::exclude(&["spec", "status.conditions"])
        }
        "approval" => Filter::exclude(&["spec", "status.certificate"]),
        "status" if status_forgets_metadata(kind) => Filter::exclude(&["metadata", "spec"]),
        "status" => Filter::exclude(&["spec"]),
        // What the doors for resizing and for ephemeral containers throw away counts all the same.
        _ => return Vec::new(),
    };
    let versions: Vec<String> = match &kind.definition {
        Some(definition) if subresource == "status" => {
            definition.api_versions_with_status().collect()
        }
        // Only at the version of the request a custom kind's main door throws away.
        Some(_) => vec![kind.api_version()],
        None if kind.table.starts_with("autoscaling/") => {
            vec!["autoscaling/v1".to_owned(), "autoscaling/v2".to_owned()]
        }
        None => vec![kind.api_version()],
    };
    versions.into_iter().map(|version| (version, filter.clone())).collect()
}

/// Copies a type and all that it refers to into another schema.
pub fn graft(
    from: &Schema,
    id: TypeId,
    into: &mut Schema,
    done: &mut Vec<(TypeId, TypeId)>,
) -> TypeId {
    if let Some((_, copied)) = done.iter().find(|(original, _)| *original == id) {
        return *copied;
    }
    // Entered before what it refers to, so that types may refer to themselves.
    let copied = into.add(Type::Deduced);
    done.push((id, copied));
    let mut copy = from.get(id).clone();
    match &mut copy {
        Type::Scalar(_) | Type::Deduced | Type::Atomic => {}
        Type::List(list) => list.element = graft(from, list.element, into, done),
        Type::Map(map) => {
            for field in &mut map.fields {
                field.type_id = graft(from, field.type_id, into, done);
            }
            map.rest = map.rest.map(|rest| graft(from, rest, into, done));
        }
    }
    into.types[copied.0 as usize] = copy;
    copied
}

/// Returns the type of every object's metadata, copied into `shape`.
pub fn graft_metadata(shape: &mut Schema) -> Option<TypeId> {
    let tables = types::tables();
    let carrier =
        Gvk { group: String::new(), version: "v1".to_owned(), kind: "ConfigMap".to_owned() };
    let schema: &Arc<Schema> = tables.schema();
    let Type::Map(map) = schema.get(tables.type_of(&carrier)?) else { return None };
    let metadata = map.field("metadata")?.type_id;
    Some(graft(schema, metadata, shape, &mut Vec::new()))
}
