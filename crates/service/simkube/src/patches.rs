//! Patches but apply: `merge` carries them out, the answers are the server's.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kubetypes::shape::Shape;
use merge::json_patch::JsonPatchError;
use merge::strategic::StrategicError;
use serde_json::{Value, json};

use crate::api::problem::Problem;
use crate::kinds::Kind;
use crate::{meta, ownership, types};

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
///
/// Upstream keeps what the patch does not reach as it was encoded, in the order in which Go declares the
/// fields; maps on the way are sorted.
pub fn shown(kind: &Kind, live: &Value, patch: Patch<'_>, patched: &Value) -> String {
    let reached = match patch {
        Patch::Strategic(patch) => {
            let mut patch = patch.clone();
            forget_new_nulls(&mut patch, live);
            return merge::values::as_v(&patch);
        }
        Patch::Merge(patch) => reached_by_merge(patch),
        Patch::Json(patch) => reached_by_operations(patch),
    };
    let shape = types::tables().struct_of(&kind.gvk).map(Shape::Struct);
    let mut out = String::new();
    print_json(patched, shape.as_ref(), Some(&reached), &mut out);
    out
}

/// A strategic patch loses its nulls where it adds what was not there.
fn forget_new_nulls(patch: &mut Value, live: &Value) {
    for (name, value) in patch.as_object_mut().into_iter().flatten() {
        match live.get(name) {
            _ if value.is_null() => {}
            Some(live) => forget_new_nulls(value, live),
            None => forget_nulls(value),
        }
    }
}

fn forget_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(forget_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Which maps and lists a patch goes through.
#[derive(Default)]
struct Reached(BTreeMap<String, Reached>);

fn reached_by_merge(patch: &Value) -> Reached {
    let fields = patch.as_object().into_iter().flatten();
    Reached(
        fields
            .filter(|(_, value)| value.is_object())
            .map(|(name, value)| (name.clone(), reached_by_merge(value)))
            .collect(),
    )
}

fn reached_by_operations(patch: &Value) -> Reached {
    let mut reached = Reached::default();
    for operation in patch.as_array().into_iter().flatten() {
        for path in [&operation["path"], &operation["from"]] {
            let steps: Vec<&str> = path.as_str().unwrap_or_default().split('/').skip(1).collect();
            let mut at = &mut reached;
            for step in steps.iter().take(steps.len().saturating_sub(1)) {
                let step = step.replace("~1", "/").replace("~0", "~");
                at = at.0.entry(step).or_default();
            }
        }
    }
    reached
}

fn print_json(value: &Value, shape: Option<&Shape>, reached: Option<&Reached>, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let declared = match (shape, reached) {
                (Some(Shape::Struct(id)), None) => types::tables().in_order(*id),
                _ => Vec::new(),
            };
            let mut names: Vec<&String> = fields.keys().collect();
            let place = |name: &str| match declared.iter().position(|field| field.name == name) {
                Some(at) => at + 2,
                // A kind and its version stand first where they are no fields of the struct's own.
                None if declared.is_empty() => 0,
                None => usize::from(name != "kind"),
            };
            names.sort_by_key(|name| place(name));
            out.push('{');
            for (at, name) in names.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let _infallible = write!(out, "{}:", json!(name));
                let inside = shape_of(shape, name);
                let below = reached.and_then(|reached| reached.0.get(name));
                print_json(&fields[name], inside, below, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            let element = match shape {
                Some(Shape::List { element, .. }) => Some(&**element),
                _ => None,
            };
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let below = reached.and_then(|reached| reached.0.get(&at.to_string()));
                print_json(item, element, below, out);
            }
            out.push(']');
        }
        Value::String(_) => {
            // Go writes signs that mean something in HTML as escapes.
            let text = value.to_string();
            let text = text.replace('<', "\\u003c").replace('>', "\\u003e");
            out.push_str(&text.replace('&', "\\u0026"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _infallible = write!(out, "{value}");
        }
    }
}

fn shape_of<'a>(shape: Option<&'a Shape>, name: &str) -> Option<&'a Shape> {
    match shape? {
        Shape::Struct(id) => types::tables().field(*id, name).map(|field| &field.shape),
        Shape::Map { value, .. } => Some(value),
        Shape::List { .. } | Shape::Scalar(..) => None,
    }
}

/// Returns the answer to a patch whose result is no object of the kind.
pub fn refused(shown: &str, said: &str) -> Problem {
    Problem::invalid("", "", "", &[meta::invalid("patch", shown, said.to_owned())])
}
