//! What every object's metadata must be.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;

/// All annotations together, in bytes.
const ANNOTATIONS_BYTES_MAX: u64 = 256 * 1024;

/// Finalizers that need no domain.
pub const OF_KUBE: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// Which finalizers an object may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finalizers {
    /// Those that Kubernetes knows, and any with a domain and a path.
    Known,
    /// Any that is a name.
    AnyName,
}

/// Rules for the metadata of a new object.
pub fn create(
    object: &Value,
    namespaced: bool,
    rule: crate::NameRule,
    finalizers: Finalizers,
) -> Vec<FieldError> {
    let meta = At::root(object).at("metadata");
    let mut errors = Vec::new();
    let (name, prefix) = (meta.at("name"), meta.at("generateName"));
    if !prefix.is_empty() {
        prefix.named(rule(prefix.text(), true), &mut errors);
    }
    if name.is_empty() {
        if prefix.is_empty() {
            errors.push(name.required("name or generateName is required"));
        }
    } else {
        name.named(rule(name.text(), false), &mut errors);
    }
    let namespace = meta.at("namespace");
    if namespaced {
        if namespace.is_empty() {
            errors.push(namespace.required(""));
        } else {
            namespace.named(names::label(namespace.text(), false), &mut errors);
        }
    } else if !namespace.is_empty() {
        errors.push(namespace.forbidden("not allowed on this type"));
    }
    accessors(&meta, finalizers, &mut errors);
    errors
}

/// Rules for what becomes of metadata.
pub fn update(new: &Value, old: &Value, finalizers: Finalizers) -> Vec<FieldError> {
    let (new, old) = (At::root(new).at("metadata"), At::root(old).at("metadata"));
    let mut errors = Vec::new();
    no_new_finalizers(&new, &old, &mut errors);
    let fixed = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ];
    for field in fixed {
        new.at(field).unchanged(&old.at(field), &mut errors);
    }
    labels(&new.at("labels"), &mut errors);
    annotations(&new.at("annotations"), &mut errors);
    owners(&new.at("ownerReferences"), &mut errors);
    known_finalizers(&new, finalizers, &mut errors);
    errors
}

/// Who is being deleted gets no further finalizers.
fn no_new_finalizers(new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    if !old.at("deletionTimestamp").is_set() {
        return;
    }
    let (before, after) = (old.at("finalizers"), new.at("finalizers"));
    let before: Vec<&str> = before.items().map(|item| item.text()).collect();
    let mut added: Vec<String> = after
        .items()
        .filter(|item| !before.contains(&item.text()))
        .map(|item| format!("\"{}\"", item.text()))
        .collect();
    added.sort();
    added.dedup();
    if !added.is_empty() {
        errors.push(after.forbidden(&format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            added.join(", ")
        )));
    }
}

fn accessors(meta: &At<'_>, known: Finalizers, errors: &mut Vec<FieldError>) {
    meta.at("generation").not_negative(errors);
    labels(&meta.at("labels"), errors);
    annotations(&meta.at("annotations"), errors);
    owners(&meta.at("ownerReferences"), errors);
    let finalizers = meta.at("finalizers");
    for finalizer in finalizers.items() {
        errors.extend(
            names::qualified(finalizer.text())
                .into_iter()
                .map(|words| FieldError::invalid(finalizers.path.clone(), finalizer.text(), words)),
        );
    }
    let has = |name: &str| finalizers.items().any(|item| item.text() == name);
    if has("orphan") && has("foregroundDeletion") {
        errors
            .push(finalizers.invalid("finalizer orphan and foregroundDeletion cannot be both set"));
    }
    known_finalizers(meta, known, errors);
}

fn known_finalizers(meta: &At<'_>, known: Finalizers, errors: &mut Vec<FieldError>) {
    if known != Finalizers::Known {
        return;
    }
    for finalizer in meta.at("finalizers").items() {
        let text = finalizer.text();
        if !text.contains('/') && !OF_KUBE.contains(&text) {
            errors.push(FieldError::invalid(
                finalizer.path.clone(),
                text,
                "name is neither a standard finalizer name nor is it fully qualified",
            ));
        }
    }
}

/// Labels, wherever they stand.
pub fn labels(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for (key, value) in at.entries() {
        let wrong = |text: &str, words: String| FieldError::invalid(at.path.clone(), text, words);
        errors.extend(names::qualified(key).into_iter().map(|words| wrong(key, words)));
        let value = value.as_str().unwrap_or("");
        errors.extend(names::label_value(value).into_iter().map(|words| wrong(value, words)));
    }
}

/// Annotations, wherever they stand.
pub fn annotations(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut bytes = 0_u64;
    for (key, value) in at.entries() {
        let refusals = names::qualified(&key.to_lowercase());
        errors.extend(
            refusals.into_iter().map(|words| FieldError::invalid(at.path.clone(), key, words)),
        );
        bytes += (key.len() + value.as_str().unwrap_or("").len()) as u64;
    }
    if bytes > ANNOTATIONS_BYTES_MAX {
        errors.push(FieldError::too_long(at.path.clone(), ANNOTATIONS_BYTES_MAX));
    }
}

fn owners(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut controller: Option<String> = None;
    for owner in at.items() {
        let api_version = owner.at("apiVersion").text();
        // What has more than one slash is no version at all.
        let (group, version) = match api_version.matches('/').count() {
            0 | 1 => manifest::split_api_version(api_version),
            _ => ("", ""),
        };
        let field = |name: &str| format!("{}.{name}", at.path);
        if version.is_empty() {
            let words = "version must not be empty";
            errors.push(FieldError::invalid(field("apiVersion"), api_version, words));
        }
        for name in ["kind", "name", "uid"] {
            if owner.at(name).is_empty() {
                errors.push(FieldError::invalid(field(name), "", "must not be empty"));
            }
        }
        let kind = owner.at("kind").text();
        if kind == "Event" && group.is_empty() && version == "v1" {
            let words = format!("{group}/{version}, Kind={kind} is disallowed from being an owner");
            let error = FieldError::invalid(at.path.clone(), owner.value.clone(), words);
            errors.push(error.showing(shown(&owner)));
        }
        if !owner.at("controller").flag() {
            continue;
        }
        let name = format!("{kind}/{}", owner.at("name").text());
        let Some(first) = &controller else {
            controller = Some(name);
            continue;
        };
        let words = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
        );
        errors.push(at.invalid(words).showing(shown_owners(at)));
    }
}

/// Owners as the server prints them.
pub fn shown_owners(at: &At<'_>) -> String {
    let all: Vec<String> = at.items().map(|owner| shown(&owner)).collect();
    format!("[{}]", all.join(","))
}

/// An owner as the server prints it.
fn shown(owner: &At<'_>) -> String {
    let fields = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let parts: Vec<String> = fields
        .into_iter()
        .filter(|field| owner.at(field).is_set())
        .map(|field| format!("\"{field}\":{}", owner.at(field).value))
        .collect();
    format!("{{{}}}", parts.join(","))
}
