//! A patch as it came, by its content type, and what it makes of an object.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::options::FieldValidation;
use super::super::problem::Problem;
use super::super::request::Request;
use crate::body::{self, Body};
use crate::kinds::Kind;
use crate::patches;

/// What kind of patch it is. Its text is read when there is an object to patch.
pub(super) enum Patch {
    Json(Bytes),
    Merge(Bytes),
    Strategic(Bytes),
    Apply(Bytes),
}

/// What a patch made of an object.
pub(super) struct Patched {
    /// The object.
    pub(super) object: Value,
    /// What strict decoding objects to in the patch itself.
    pub(super) faults: Vec<String>,
    /// Shows the object to whom it is refused.
    pub(super) shown: Shown,
}

/// A patch, kept for the case that what it made is refused.
pub(super) struct Shown {
    patch: Value,
    plain: fn(&Value) -> patches::Patch<'_>,
}

impl Shown {
    /// How what the patch made of a live object is shown.
    pub(super) fn of(&self, kind: &Kind, live: &Value) -> String {
        let patch = (self.plain)(&self.patch);
        match patches::on(kind, live, patch) {
            Ok(object) => patches::shown(kind, live, patch, &object),
            Err(problem) => problem.message,
        }
    }
}

impl Patch {
    pub(super) fn read(request: &Request, kind: &Kind) -> Result<Patch, Problem> {
        let bytes = request.body.clone();
        match body::patch_media(&request.content_type) {
            "application/json-patch+json" => Ok(Patch::Json(bytes)),
            "application/merge-patch+json" => Ok(Patch::Merge(bytes)),
            "application/strategic-merge-patch+json" if kind.built_in() => {
                Ok(Patch::Strategic(bytes))
            }
            "application/apply-patch+yaml" => Ok(Patch::Apply(bytes)),
            _ => Err(unsupported(kind)),
        }
    }

    /// Carries out a patch that is no apply.
    pub(super) fn on(
        &self,
        kind: &Kind,
        live: &Value,
        validation: FieldValidation,
    ) -> Result<Patched, Problem> {
        let strict = validation != FieldValidation::Ignore;
        let (Patch::Json(bytes)
        | Patch::Merge(bytes)
        | Patch::Strategic(bytes)
        | Patch::Apply(bytes)) = self;
        let parsed = body::strict_json(bytes).map_err(|error| {
            let said = body::go_words(&error, bytes);
            Problem::bad_request(match self {
                Patch::Strategic(_) => said,
                Patch::Json(_) | Patch::Merge(_) | Patch::Apply(_) if strict => {
                    format!("error decoding patch: {said}")
                }
                Patch::Merge(_) => "Invalid JSON Patch".to_owned(),
                Patch::Json(_) | Patch::Apply(_) => said,
            })
        })?;
        let twice: Vec<String> = match strict {
            true => {
                parsed.duplicates.iter().map(|path| format!("duplicate field \"{path}\"")).collect()
            }
            false => Vec::new(),
        };
        let mut patch = parsed.value;
        let (plain, faults): (fn(&Value) -> patches::Patch<'_>, _) = match self {
            Patch::Json(_) => {
                if strict {
                    patches::json_patch_form(&patch)?;
                }
                let unknown =
                    if strict { patches::unknown_in_json_patch(&patch) } else { Vec::new() };
                let told =
                    twice.into_iter().chain(unknown).map(|said| format!("json patch {said}"));
                (|patch| patches::Patch::Json(patch), told.collect())
            }
            Patch::Strategic(_) => {
                patches::is_object(&patch, "")?;
                if patch.is_null() {
                    // Nothing changes nothing.
                    patch = json!({});
                }
                (|patch| patches::Patch::Strategic(patch), twice)
            }
            Patch::Merge(_) | Patch::Apply(_) => {
                if strict {
                    patches::is_object(&patch, "error decoding patch: ")?;
                }
                (|patch| patches::Patch::Merge(patch), twice)
            }
        };
        let object = patches::on(kind, live, plain(&patch))?;
        Ok(Patched { object, faults, shown: Shown { patch, plain } })
    }
}

/// Reads an apply patch.
pub(super) fn apply(bytes: &Bytes) -> Result<Body, Problem> {
    let decoding = |said: &str| Problem::bad_request(format!("error decoding YAML: {said}"));
    let mut body = body::json_or_yaml(bytes).map_err(|problem| decoding(&problem.message))?;
    // YAML writes whole numbers as such.
    crate::types::whole_numbers(&mut body.value);
    if !body.value.is_object() && !body.value.is_null() {
        return Err(decoding(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            body::go_type(&body.value)
        )));
    }
    Ok(body)
}

fn unsupported(kind: &Kind) -> Problem {
    let accepted = match kind.built_in() {
        true => {
            let mut problem =
                Problem::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
            problem.details = Some(json!({}));
            return problem;
        }
        false => {
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        }
    };
    Problem::new(
        415,
        "UnsupportedMediaType",
        format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        ),
    )
}
