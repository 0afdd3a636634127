//! Values files.

use serde_json::{Map, Value};

use crate::error::Failure;
use crate::frozen::Frozen;
use crate::profile::Profile;
use crate::quick;
use crate::typed::kind_of;

/// Why a values file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValuesError {
    words: String,
    line: u32,
    column: u32,
}

/// Reads a values file: a map, or nothing.
///
/// Where the profile allows several documents, later ones are written over earlier ones.
///
/// # Errors
///
/// Helm's words.
pub(crate) fn read(bytes: &[u8], profile: Profile) -> Result<Frozen, ValuesError> {
    // What goes the short way has no line that begins with dashes: it is one document.
    if let Some(values) = quick::freeze(bytes) {
        return Ok(values);
    }
    let merged = if profile.merges_documents() {
        let mut merged = Map::new();
        for chunk in goyaml::split(bytes) {
            let chunk = chunk.map_err(|error| ValuesError {
                words: format!("error reading yaml document: {error}"),
                line: error.line(),
                column: error.column(),
            })?;
            let document = document(&chunk.bytes, "cannot unmarshal yaml document: ", chunk.line)?;
            if merged.is_empty() {
                merged = document;
            } else {
                merge_over(&mut merged, document);
            }
        }
        merged
    } else {
        document(bytes, "", 1)?
    };
    Ok(Frozen::from_json(&Value::Object(merged)))
}

fn document(bytes: &[u8], prefix: &str, line: u32) -> Result<Map<String, Value>, ValuesError> {
    let value = goyaml::to_json(bytes).map_err(|error| ValuesError {
        words: format!("{prefix}error converting YAML to JSON: {error}"),
        line: line + error.line() - 1,
        column: error.column(),
    })?;
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => Err(ValuesError {
            words: format!(
                "{prefix}error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                kind_of(&other)
            ),
            line,
            column: 1,
        }),
    }
}

fn merge_over(into: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (value, into.get_mut(&key)) {
            (Value::Object(value), Some(Value::Object(known))) => merge_over(known, value),
            (value, _) => {
                into.insert(key, value);
            }
        }
    }
}

/// The failure of a file; `prefix` says what was done with it.
pub(crate) fn failure(error: &ValuesError, file: &str, prefix: &str) -> Failure {
    let failure = Failure::values(format!("{prefix}: {}", error.words));
    failure.at(file, error.line, error.column).with_hint("correct the YAML there")
}
