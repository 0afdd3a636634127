//! What is wrong with an object: custom kinds by `structural`, built-in kinds by `kubevalid`.

use std::cmp::Ordering;
use std::convert::Infallible;

use manifest::Gvk;
use manifest::field::FieldError;
use merge::values;
use serde_json::{Map, Value};

use crate::api::problem::Cause;
use crate::convert;
use crate::crds;
use crate::kinds::{Kind, version_order};
use crate::meta;

/// Returns what is wrong with a new object.
pub fn create(kind: &Kind, object: &Value) -> Vec<Cause> {
    if let Some((gvk, object)) = newer(kind, object) {
        return causes(&kubevalid::create(&gvk, &object, kind.namespaced));
    }
    let mut errors = kubevalid::create(&kind.gvk, object, kind.namespaced);
    if let Some(schema) = crds::schema_of(kind) {
        errors.extend(schema.validate(object, None));
        embedded(schema, object, &mut errors);
        scale(kind, object, true, &mut errors);
        let said = schema.follow_rules(object, None, &errors);
        errors.extend(said.errors);
    }
    causes(&errors)
}

/// Returns what is wrong with a custom object of another kind but its kind, which is told before.
pub fn of_other_kind(kind: &Kind, object: &Value) -> Vec<Cause> {
    let Some(schema) = crds::schema_of(kind) else { return Vec::new() };
    let mut errors = schema.validate_lists(object);
    embedded(schema, object, &mut errors);
    let said = schema.follow_rules(object, None, &errors);
    errors.extend(said.errors);
    causes(&errors)
}

/// Returns what is wrong with an updated object.
pub fn update(kind: &Kind, subresource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    if let (Some((gvk, new)), Some((_, old))) = (newer(kind, new), newer(kind, old)) {
        return causes(&kubevalid::update(&gvk, subresource, kind.namespaced, &new, &old));
    }
    let mut errors = kubevalid::update(&kind.gvk, subresource, kind.namespaced, new, old);
    if let Some(schema) = crds::schema_of(kind) {
        let whole = subresource != "status";
        if whole {
            errors.extend(schema.validate(new, Some(old)));
            embedded(schema, new, &mut errors);
        } else {
            errors.extend(schema.validate_status(new, old));
        }
        scale(kind, new, whole, &mut errors);
        let said = schema.follow_rules(new, Some(old), &errors);
        errors.extend(said.errors);
    }
    causes(&errors)
}

/// Objects within a custom object have metadata that is looked at as theirs.
fn embedded(schema: &structural::Schema, object: &Value, errors: &mut Vec<FieldError>) {
    if !schema.has_embedded() {
        return;
    }
    let mut copy = object.clone();
    let mut look = |path: &str, fields: &mut Map<String, Value>| -> Result<(), Infallible> {
        if let Some(metadata) = fields.get("metadata").filter(|metadata| metadata.is_object()) {
            errors.extend(kubevalid::embedded_metadata(path, metadata));
        }
        Ok(())
    };
    let _never = schema.each_inside(&mut copy, &mut look);
}

/// An autoscaler of the older version is looked at as one of the newer.
fn newer(kind: &Kind, object: &Value) -> Option<(Gvk, Value)> {
    if !kind.is("autoscaling", "HorizontalPodAutoscaler") || kind.version != "v1" {
        return None;
    }
    let object = convert::between(object.clone(), "autoscaling/v2").ok()?;
    Some((manifest::gvk(&object), object))
}

/// Returns what the client is told beside the answer.
pub fn warnings(kind: &Kind, subresource: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    let mut warnings = match kind.built_in() {
        true => kubevalid::warnings(&kind.gvk, subresource, new, old),
        false => Vec::new(),
    };
    if let (Some(schema), Some(_)) = (crds::schema_of(kind), old) {
        warnings.extend(schema.follow_rules(new, old, &[]).warnings);
    }
    if !kind.built_in() {
        let before = old.map(|old| meta::texts(old, "finalizers")).unwrap_or_default();
        let mut bare = meta::texts(new, "finalizers");
        bare.retain(|name| {
            !before.contains(name)
                && !name.contains('/')
                && !["orphan", "foregroundDeletion"].contains(&name.as_str())
        });
        bare.sort();
        bare.dedup();
        warnings.extend(bare.iter().map(|name| {
            let path = if name.contains('.') { " including a path (/)" } else { "" };
            format!("metadata.finalizers: \"{name}\": prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers")
        }));
    }
    warnings
}

/// Returns what every request to a version on its way out is told.
pub fn deprecation(kind: &Kind) -> Option<String> {
    if kind.is("", "Endpoints") {
        return Some(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
                .to_owned(),
        );
    }
    if kind.is("", "ComponentStatus") {
        return Some("v1 ComponentStatus is deprecated in v1.19+".to_owned());
    }
    let version = kind.definition.as_ref()?.version(&kind.version)?;
    if !version.deprecated {
        return None;
    }
    match version.deprecation_warning.as_str() {
        "" => {
            let said = format!("{} {} is deprecated", kind.api_version(), kind.kind);
            let versions =
                kind.definition.as_ref().map(|definition| definition.parsed.versions.iter());
            let newer = versions
                .into_iter()
                .flatten()
                .filter(|other| other.served && !other.deprecated)
                .map(|other| other.name.as_str())
                .filter(|other| version_order(other, &kind.version) == Ordering::Less)
                .min_by(|a, b| version_order(a, b));
            Some(match newer {
                Some(newer) => format!("{said}; use {}/{newer} {}", kind.group, kind.kind),
                None => said,
            })
        }
        said => Some(said.to_owned()),
    }
}

/// What the scale door reads must be what it gives out.
fn scale(kind: &Kind, object: &Value, with_spec: bool, errors: &mut Vec<FieldError>) {
    let version = kind.definition.as_ref().and_then(|definition| definition.version(&kind.version));
    let Some(scale) = version.and_then(|version| version.scale.as_ref()) else { return };
    let mut number = |path: &str| {
        let found = match at_path(object, path) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(said) => {
                errors.push(FieldError::invalid(path, 0, said));
                return;
            }
        };
        let wrong = match found.as_i64().filter(|_| found.is_i64() || found.is_u64()) {
            Some(count) if count < 0 => (count, "should be a non-negative integer".to_owned()),
            Some(count) if count > i64::from(i32::MAX) => {
                (count, format!("should be less than or equal to {}", i32::MAX))
            }
            Some(_) => return,
            None => (0, not_of_type(path, found, "int64")),
        };
        errors.push(FieldError::invalid(path, wrong.0, wrong.1));
    };
    if with_spec {
        number(&scale.spec_path);
    }
    number(&scale.status_path);
    let path = scale.selector_path.as_str();
    if path.is_empty() {
        return;
    }
    match at_path(object, path) {
        Ok(Some(found)) if !found.is_string() => {
            errors.push(FieldError::invalid(path, "", not_of_type(path, found, "string")));
        }
        Ok(_) => {}
        Err(said) => errors.push(FieldError::invalid(path, "", said)),
    }
}

/// Returns what stands at a path such as `.spec.replicas`, or what is said where the way is no map.
fn at_path<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let mut at = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        match at {
            Value::Object(fields) => match fields.get(step) {
                Some(inside) => at = inside,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            other => return Err(not_of_type(path, other, "map[string]interface{}")),
        }
    }
    Ok(Some(at))
}

/// What Go says of a value that is not of a type.
fn not_of_type(path: &str, found: &Value, wanted: &str) -> String {
    let (shown, kind) = (values::as_v(found), values::as_t(found));
    format!("{path} accessor error: {shown} is of the type {kind}, expected {wanted}")
}

/// Returns errors as a `Status` tells them.
pub fn causes(errors: &[FieldError]) -> Vec<Cause> {
    errors.iter().map(cause).collect()
}

/// Returns an error as a `Status` tells it.
pub fn cause(error: &FieldError) -> Cause {
    Cause {
        reason: error.kind.reason().to_owned(),
        message: error.body(),
        field: error.field.clone(),
    }
}
