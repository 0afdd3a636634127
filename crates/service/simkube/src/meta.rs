//! Metadata: what the server fills in, keeps, and refuses.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::problem::Cause;
use crate::kinds::Kind;

/// Returns an object's metadata, made where it is missing.
pub fn of(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let fields = object.as_object_mut().expect("it has just been made one");
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it has just been made one")
}

/// Returns an object's metadata, where it has any.
pub fn of_ref(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata").and_then(Value::as_object)
}

/// Returns a string of the metadata, `""` where there is none.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get("metadata").and_then(|m| m.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a list of strings of the metadata.
pub fn texts(object: &Value, name: &str) -> Vec<String> {
    let list = object.get("metadata").and_then(|m| m.get(name)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns whether the object is being deleted.
pub fn deleting(object: &Value) -> bool {
    object.get("metadata").and_then(|m| m.get("deletionTimestamp")).is_some_and(|v| !v.is_null())
}

/// Carries over what only the server writes, and what an update may leave out.
pub fn carry_over(old: &Value, new: &mut Value) {
    const KEPT: [&str; 3] = ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];
    const WHERE_ABSENT: [&str; 2] = ["uid", "creationTimestamp"];
    let Some(old) = old.get("metadata").and_then(Value::as_object) else { return };
    let new = of(new);
    for name in KEPT {
        match old.get(name) {
            Some(value) if name != "selfLink" => {
                new.insert(name.to_owned(), value.clone());
            }
            Some(_) | None => {
                new.remove(name);
            }
        }
    }
    for name in WHERE_ABSENT {
        let absent = match new.get(name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str() == Some(""),
        };
        if let (true, Some(value)) = (absent, old.get(name)) {
            new.insert(name.to_owned(), value.clone());
        }
    }
    match old.get("generation") {
        Some(value) => new.insert("generation".to_owned(), value.clone()),
        None => new.remove("generation"),
    };
}

/// Removes from a new object what only the server writes.
pub fn clear_system_fields(object: &mut Value) {
    let metadata = of(object);
    for name in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "uid", "creationTimestamp"] {
        metadata.remove(name);
    }
}

/// Returns what is wrong with a new object's metadata. `name_rule` is the kind's.
pub fn create_causes(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(object, "name");
    let generate = text(object, "generateName");
    if !generate.is_empty() {
        let tried = format!("{generate}a");
        for message in name_faults(kind, &tried) {
            causes.push(invalid("metadata.generateName", generate, message));
        }
    }
    if name.is_empty() {
        causes.push(cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"));
    } else {
        for message in name_faults(kind, name) {
            causes.push(invalid("metadata.name", name, message));
        }
    }
    causes.extend(common_causes(object));
    causes
}

/// Returns what is wrong with how an update changes the metadata.
pub fn update_causes(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = common_causes(new);
    let field = |object: &Value, name: &str| {
        object.get("metadata").and_then(|m| m.get(name)).cloned().unwrap_or_default()
    };
    if deleting(old) {
        let before: BTreeSet<String> = texts(old, "finalizers").into_iter().collect();
        let added: Vec<String> =
            texts(new, "finalizers").into_iter().filter(|name| !before.contains(name)).collect();
        if !added.is_empty() {
            let added: Vec<String> = added.iter().map(|name| format!("\"{name}\"")).collect();
            causes.push(cause(
                "FieldValueForbidden",
                "metadata.finalizers",
                &format!(
                    "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.join(", ")
                ),
            ));
        }
    }
    for name in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let (before, after) = (field(old, name), field(new, name));
        if before != after {
            let shown = match &after {
                Value::Null => "null".to_owned(),
                other => other.to_string(),
            };
            causes.push(cause(
                "FieldValueInvalid",
                &format!("metadata.{name}"),
                &format!("Invalid value: {shown}: field is immutable"),
            ));
        }
    }
    causes
}

fn common_causes(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let map = |name: &str| {
        object.get("metadata").and_then(|m| m.get(name)).and_then(Value::as_object)
    };
    for (key, value) in map("labels").into_iter().flatten() {
        for message in qualified_name_faults(key) {
            causes.push(invalid("metadata.labels", key, message));
        }
        let value = value.as_str().unwrap_or_default();
        if let Some(message) = label_value_fault(value) {
            causes.push(invalid("metadata.labels", value, message));
        }
    }
    let mut annotation_bytes = 0;
    for (key, value) in map("annotations").into_iter().flatten() {
        for message in qualified_name_faults(&key.to_lowercase()) {
            causes.push(invalid("metadata.annotations", key, message));
        }
        annotation_bytes += key.len() + value.as_str().unwrap_or_default().len();
    }
    if annotation_bytes > ANNOTATION_BYTES_MAX {
        causes.push(cause(
            "FieldValueTooLong",
            "metadata.annotations",
            &format!("Too long: may not be more than {ANNOTATION_BYTES_MAX} bytes"),
        ));
    }
    causes.extend(owner_causes(object));
    for (at, name) in texts(object, "finalizers").iter().enumerate() {
        for message in qualified_name_faults(name) {
            causes.push(invalid("metadata.finalizers", name, message));
        }
        let plain = !name.contains('/') && !matches!(name.as_str(), "orphan" | "foregroundDeletion" | "kubernetes");
        if plain {
            causes.push(invalid(
                &format!("metadata.finalizers[{at}]"),
                name,
                "name is neither a standard finalizer name nor is it fully qualified".to_owned(),
            ));
        }
    }
    causes
}

const ANNOTATION_BYTES_MAX: usize = 256 << 10;

fn owner_causes(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let owners = object.get("metadata").and_then(|m| m.get("ownerReferences")).and_then(Value::as_array);
    let mut controllers = Vec::new();
    for (at, owner) in owners.into_iter().flatten().enumerate() {
        let path = format!("metadata.ownerReferences[{at}]");
        let get = |name: &str| owner.get(name).and_then(Value::as_str).unwrap_or_default();
        for (name, value) in [("apiVersion", get("apiVersion")), ("kind", get("kind")), ("name", get("name")), ("uid", get("uid"))] {
            if value.is_empty() {
                let message = match name {
                    "apiVersion" => "Invalid value: \"\": version must not be empty".to_owned(),
                    "kind" => "Invalid value: \"\": must not be empty".to_owned(),
                    _ => "Invalid value: \"\": must not be empty".to_owned(),
                };
                causes.push(cause("FieldValueInvalid", &format!("{path}.{name}"), &message));
            }
        }
        if owner.get("controller").and_then(Value::as_bool) == Some(true) {
            controllers.push(format!("{}/{}", get("kind"), get("name")));
        }
    }
    if controllers.len() > 1 {
        causes.push(cause(
            "FieldValueInvalid",
            "metadata.ownerReferences",
            &format!(
                "Invalid value: Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
                controllers[0], controllers[1]
            ),
        ));
    }
    causes
}

/// Returns a cause in the words of an invalid value.
pub fn invalid(field: &str, value: &str, message: String) -> Cause {
    cause("FieldValueInvalid", field, &format!("Invalid value: {}: {message}", json!(value)))
}

/// Returns a cause.
pub fn cause(reason: &str, field: &str, message: &str) -> Cause {
    Cause { reason: reason.to_owned(), message: message.to_owned(), field: field.to_owned() }
}

/// Which rule a kind's names follow.
fn name_faults(kind: &Kind, name: &str) -> Vec<String> {
    if !kind.built_in() {
        return subdomain_fault(name).into_iter().collect();
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("rbac.authorization.k8s.io", _) | ("flowcontrol.apiserver.k8s.io", "_") => path_segment_faults(name),
        ("", "Service" | "Namespace") => dns_label_fault(name).into_iter().collect(),
        ("apiregistration.k8s.io", _) => path_segment_faults(name),
        _ => subdomain_fault(name).into_iter().collect(),
    }
}

fn path_segment_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name == "." || name == ".." {
        faults.push(format!("may not be '{name}'"));
    }
    for illegal in ["/", "%"] {
        if name.contains(illegal) {
            faults.push(format!("may not contain '{illegal}'"));
        }
    }
    faults
}

fn dns_label_fault(name: &str) -> Option<String> {
    if name.len() > 63 {
        return Some("must be no more than 63 characters".to_owned());
    }
    (!is_dns_label(name)).then(|| {
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')".to_owned()
    })
}

fn subdomain_fault(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some("must be no more than 253 bytes".to_owned());
    }
    (!name.split('.').all(is_dns_label)).then(|| SUBDOMAIN.to_owned())
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn is_dns_label(label: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !label.is_empty()
        && label.chars().all(|c| ends(c) || c == '-')
        && label.starts_with(ends)
        && label.ends_with(ends)
}

fn is_name_part(part: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    part.starts_with(ends)
        && part.ends_with(ends)
        && part.chars().all(|c| ends(c) || matches!(c, '-' | '_' | '.'))
}

fn qualified_name_faults(name: &str) -> Vec<String> {
    const PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let mut faults = Vec::new();
    let mut parts = name.split('/');
    let (prefix, part) = match (parts.next(), parts.next(), parts.next()) {
        (Some(part), None, _) => (None, part),
        (Some(prefix), Some(part), None) => (Some(prefix), part),
        _ => {
            return vec![format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                PART
            )];
        }
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            faults.push("prefix part must be non-empty".to_owned());
        } else if let Some(fault) = subdomain_fault(prefix) {
            faults.push(format!("prefix part {fault}"));
        }
    }
    if part.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if part.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name_part(part) {
        faults.push(format!("name part {PART}"));
    }
    faults
}

fn label_value_fault(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    (!value.is_empty() && !is_name_part(value)).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned()
    })
}
