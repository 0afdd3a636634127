//! Documents to objects.

use std::sync::Arc;

use serde_json::Value;

use crate::head::{self, Head};
use crate::profile::Profile;
use crate::quick;

/// One object of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The object.
    pub object: Arc<Value>,
    /// Whatever the caller's reader computes for it, once.
    pub hash: u64,
}

/// Turns a document's value into its objects: none, one, or those of a list.
///
/// The caller brings it, since what makes an object is not Helm's business. It must be a
/// function of its argument alone: answers are kept.
///
/// # Errors
///
/// What is wrong with the object.
pub type ReadObjects = fn(Value) -> Result<Vec<Object>, String>;

/// A document that was read once.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Or what Helm says of it.
    pub(crate) head: Result<Head, Problem>,
    /// Or what the reader of objects says.
    pub(crate) objects: Result<Vec<Object>, Problem>,
}

/// What is wrong with a document; line and column are the document's, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) words: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Reads a rendered document, which ends with the line break that Helm's printing adds.
pub(crate) fn read(text: &[u8], profile: Profile, objects: ReadObjects) -> Parsed {
    // Helm looks at the whole, what reads its output cuts at lines of dashes.
    let whole = match quick::to_json(text) {
        Ok(value) => value,
        Err(error) => {
            // Helm has not added the last line break yet, and an error's line may depend on it.
            let without = text.strip_suffix(b"\n").unwrap_or(text);
            let error = goyaml::to_json(without).err().unwrap_or(error);
            let problem = Problem {
                words: format!("error converting YAML to JSON: {error}"),
                line: error.line(),
                column: error.column(),
            };
            return Parsed { head: Err(problem.clone()), objects: Err(problem) };
        }
    };
    let at_top = |words: String| Problem { words, line: 1, column: 1 };
    let head = head::read(&whole, profile).map_err(at_top);
    let objects =
        if has_dashes(text) { read_stream(text, objects) } else { objects(whole).map_err(at_top) };
    Parsed { head, objects }
}

/// Reads a file of custom resource definitions: several documents, no head.
pub(crate) fn read_definitions(text: &[u8], objects: ReadObjects) -> Parsed {
    Parsed { head: Ok(Head::default()), objects: read_stream(text, objects) }
}

fn has_dashes(text: &[u8]) -> bool {
    text.starts_with(b"---") || text.windows(4).any(|window| window == b"\n---")
}

fn read_stream(text: &[u8], objects: ReadObjects) -> Result<Vec<Object>, Problem> {
    let mut all = Vec::new();
    for chunk in goyaml::split(text) {
        let chunk = chunk.map_err(|error| Problem {
            words: error.to_string(),
            line: error.line(),
            column: error.column(),
        })?;
        let value = quick::to_json(&chunk.bytes).map_err(|error| Problem {
            words: format!("error converting YAML to JSON: {error}"),
            line: chunk.line + error.line() - 1,
            column: error.column(),
        })?;
        let at_top = |words| Problem { words, line: chunk.line, column: 1 };
        all.extend(objects(value).map_err(at_top)?);
    }
    Ok(all)
}
