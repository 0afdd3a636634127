//! What Helm reads of a rendered document: its kind, its name and its annotations.

use goval::{FloatBits, format_g};
use serde_json::{Map, Value};

use crate::profile::Profile;
use crate::typed::kind_of;

const HOOK: &str = "helm.sh/hook";

/// The events that a hook may name. A hook with another one is dropped.
const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// A document's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: String,
    pub(crate) role: Role,
}

/// What a document is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// An object of the release.
    #[default]
    Manifest,
    /// A hook; Argo CD decides from its annotations when it runs.
    Hook {
        /// Whether it runs as a test.
        test: bool,
    },
    /// A hook for an event that Helm does not know: it is left out.
    Unknown,
}

/// Reads a document's head.
///
/// # Errors
///
/// Go's words for what is no head.
pub(crate) fn read(document: &Value, profile: Profile) -> Result<Head, String> {
    let fields = match document {
        Value::Null => return Ok(Head::default()),
        Value::Object(fields) => fields,
        other => {
            let package = match profile {
                Profile::V3 => "releaseutil",
                Profile::V4 => "util",
            };
            return Err(refused(other, &format!("value of type {package}.SimpleHead")));
        }
    };
    let mut head = Head::default();
    for (key, value) in fields {
        let of = |field: &str| format!("struct field SimpleHead.{field} of type string");
        match key.to_lowercase().as_str() {
            "apiversion" => drop(text(value, || of("apiVersion"))?),
            "kind" => head.kind = text(value, || of("kind"))?,
            "metadata" => head.role = metadata(value)?,
            _ => {}
        }
    }
    Ok(head)
}

fn refused(value: &Value, into: &str) -> String {
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go {into}",
        kind_of(value)
    )
}

fn text(value: &Value, into: impl Fn() -> String) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) => Ok(match number.as_f64() {
            Some(float) if number.is_f64() => format_g(float, FloatBits::F32),
            _ => number.to_string(),
        }),
        Value::Array(_) | Value::Object(_) => Err(refused(value, &into())),
    }
}

fn metadata(value: &Value) -> Result<Role, String> {
    let fields = match value {
        Value::Null => return Ok(Role::Manifest),
        Value::Object(fields) => fields,
        other => {
            let into = r#"struct field SimpleHead.metadata of type struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;
            return Err(refused(other, into));
        }
    };
    let mut role = Role::Manifest;
    for (key, value) in fields {
        match key.to_lowercase().as_str() {
            "name" => {
                text(value, || "struct field .metadata.name of type string".to_owned())?;
            }
            "annotations" => match value {
                Value::Null => {}
                Value::Object(annotations) => role = role_of(annotations)?,
                other => {
                    let into = "struct field .metadata.annotations of type map[string]string";
                    return Err(refused(other, into));
                }
            },
            _ => {}
        }
    }
    Ok(role)
}

fn role_of(annotations: &Map<String, Value>) -> Result<Role, String> {
    let mut role = Role::Manifest;
    for (key, value) in annotations {
        let value = match value {
            Value::String(_) if key != HOOK => continue,
            value => {
                text(value, || "struct field .metadata.annotations of type string".to_owned())?
            }
        };
        if key != HOOK {
            continue;
        }
        role = Role::Hook { test: false };
        for event in value.split(',') {
            let event = event.trim().to_lowercase();
            if !EVENTS.contains(&event.as_str()) {
                role = Role::Unknown;
                break;
            }
            if event.starts_with("test") {
                role = Role::Hook { test: true };
            }
        }
    }
    Ok(role)
}
