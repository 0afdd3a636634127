//! Patches but apply: `merge` carries them out, the answers are the server's.

use std::fmt::Write as _;

use merge::json_patch::JsonPatchError;
use merge::strategic::StrategicError;
use serde_json::{Value, json};

use crate::api::problem::Problem;
use crate::kinds::Kind;
use crate::{meta, ownership};

/// A patch, by the rules that it follows.
#[derive(Clone, Copy, Debug)]
pub enum Patch<'a> {
    /// RFC 6902.
    Json(&'a Value),
    /// RFC 7386.
    Merge(&'a Value),
    /// By the kind's patch keys.
    Strategic(&'a Value),
}

/// Returns the object patched.
///
/// # Errors
///
/// In the server's words, where the patch does not fit.
pub fn on(kind: &Kind, live: &Value, patch: Patch<'_>) -> Result<Value, Problem> {
    match patch {
        Patch::Json(patch) => merge::json_patch::apply(live, patch).map_err(|error| match error {
            JsonPatchError::Decode(said) => Problem::bad_request(said),
            JsonPatchError::TooMany(_) => {
                Problem::new(413, "RequestEntityTooLarge", error.to_string())
            }
            JsonPatchError::Apply(_) => unprocessable(),
        }),
        Patch::Merge(patch) => {
            let mut object = live.clone();
            merge::json_merge::apply(&mut object, patch)
                .map_err(|error| Problem::bad_request(error.to_string()))?;
            Ok(object)
        }
        Patch::Strategic(patch) => {
            let Some((schema, type_id)) = ownership::schema(kind) else {
                return Err(Problem::new(
                    415,
                    "UnsupportedMediaType",
                    "415: Unsupported Media Type",
                ));
            };
            merge::strategic::apply(live, patch, schema, type_id).map_err(|error| match error {
                StrategicError::BadPatch(said) => Problem::bad_request(said),
                StrategicError::Unprocessable(_) => unprocessable(),
                StrategicError::Failed(said) => Problem::new(500, "", said),
                StrategicError::Conflict { .. } => Problem::new(409, "Conflict", error.to_string()),
            })
        }
    }
}

fn unprocessable() -> Problem {
    let mut problem = Problem::new(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    );
    problem.details = Some(json!({}));
    problem
}

/// Refuses a JSON patch whose operations are none.
///
/// # Errors
///
/// 400, in the server's words.
pub fn json_patch_form(patch: &Value) -> Result<(), Problem> {
    let wrong = |value: &Value, what: &str| {
        let found = crate::body::go_type(value);
        Problem::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {found} into Go {what}"
        ))
    };
    let operations = match patch {
        Value::Null => return Ok(()),
        Value::Array(operations) => operations,
        other => return Err(wrong(other, "value of type []handlers.jsonPatchOp")),
    };
    for operation in operations {
        match operation {
            Value::Null => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    let text = matches!(name.as_str(), "op" | "path" | "from");
                    if text && !value.is_string() && !value.is_null() {
                        let what = format!("struct field jsonPatchOp.{name} of type string");
                        return Err(wrong(value, &what));
                    }
                }
            }
            other => return Err(wrong(other, "value of type handlers.jsonPatchOp")),
        }
    }
    Ok(())
}

/// Returns what strict reading objects to in a JSON patch.
pub fn unknown_in_json_patch(patch: &Value) -> Vec<String> {
    merge::json_patch::unknown_fields(patch)
}

/// Refuses a patch that is no map.
///
/// # Errors
///
/// 400, in the server's words after `before`.
pub fn is_object(patch: &Value, before: &str) -> Result<(), Problem> {
    if patch.is_object() || patch.is_null() {
        return Ok(());
    }
    let found = crate::body::go_type(patch);
    Err(Problem::bad_request(format!(
        "{before}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
    )))
}

/// Returns how a patch's result is shown to whom it is refused.
pub fn shown(patch: Patch<'_>, patched: &Value) -> String {
    match patch {
        Patch::Strategic(patch) => go_map(patch),
        Patch::Json(_) | Patch::Merge(_) => patched.to_string(),
    }
}

/// Returns the answer to a patch whose result is no object of the kind.
pub fn refused(shown: &str, said: &str) -> Problem {
    Problem::invalid("", "", "", &[meta::invalid("patch", shown, said.to_owned())])
}

/// Prints a value as Go's `%+v` does.
fn go_map(value: &Value) -> String {
    let mut out = String::new();
    print(value, &mut out);
    out
}

fn print(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::String(text) => out.push_str(text),
        Value::Bool(_) | Value::Number(_) => {
            let _infallible = write!(out, "{value}");
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                print(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push_str("map[");
            for (at, (name, item)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                let _infallible = write!(out, "{name}:");
                print(item, out);
            }
            out.push(']');
        }
    }
}
