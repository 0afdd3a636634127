//! Documents to objects.

use std::sync::Arc;

use goyaml::{Tree, quickly};
use serde_json::{Map, Value};

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

/// Whether a map with such a head and no `items` is one object as it stands.
///
/// The head holds `apiVersion`, `kind` and `metadata`, where they are there.
pub type StandsAlone = fn(&Map<String, Value>) -> bool;

/// What documents are read into.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Makes objects of a document's value.
    pub objects: ReadObjects,
    /// Where it is given, objects that stand alone come as JSON text wherever that is less work
    /// than reading them: for those who only print them.
    pub as_text: Option<StandsAlone>,
}

/// What a document holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Contents {
    /// Objects, in their order.
    Objects(Vec<Object>),
    /// JSON texts of objects, in their order, with sorted keys; each is indented by two blanks a
    /// level as an item of a list is, its first line excepted.
    Texts(Vec<Arc<String>>),
}

impl Contents {
    /// The objects; none of texts.
    pub fn objects(&self) -> &[Object] {
        match self {
            Contents::Objects(objects) => objects,
            Contents::Texts(_) => &[],
        }
    }

    /// As [`Contents::objects`], taken.
    pub fn into_objects(self) -> Vec<Object> {
        match self {
            Contents::Objects(objects) => objects,
            Contents::Texts(_) => Vec::new(),
        }
    }
}

/// A document that was read once.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Or what Helm says of it.
    pub(crate) head: Result<Head, Problem>,
    /// Or what the reader of objects says.
    pub(crate) contents: Result<Contents, Problem>,
}

/// What is wrong with a document; line and column are the document's, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) words: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Reads a rendered document, which ends with the line break that Helm's printing adds.
pub(crate) fn read(text: &[u8], profile: Profile, reading: Reading) -> Parsed {
    // What goes the short way has no other line that begins with dashes.
    if !text.starts_with(b"---")
        && let Some((head, json)) = transcribed(text, reading)
        && let Ok(head) = head::read(&head, profile)
    {
        return Parsed { head: Ok(head), contents: Ok(Contents::Texts(vec![json])) };
    }
    let dashes = has_dashes(text);
    // Helm looks at the whole, what reads its output cuts at lines of dashes.
    let whole = match goyaml::to_json(text) {
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
            return Parsed { head: Err(problem.clone()), contents: Err(problem) };
        }
    };
    let at_top = |words: String| Problem { words, line: 1, column: 1 };
    let head = head::read(&whole, profile).map_err(at_top);
    let objects = match dashes {
        true => read_stream(text, reading.objects),
        false => (reading.objects)(whole).map_err(at_top),
    };
    Parsed { head, contents: objects.map(Contents::Objects) }
}

/// Reads a file of custom resource definitions: several documents, no head.
pub(crate) fn read_definitions(text: &[u8], reading: Reading) -> Parsed {
    let contents = match transcribed_stream(text, reading) {
        Some(texts) => Ok(Contents::Texts(texts)),
        None => read_stream(text, reading.objects).map(Contents::Objects),
    };
    Parsed { head: Ok(Head::default()), contents }
}

/// A document's head and its text as JSON, where that is wanted and easy.
fn transcribed(text: &[u8], reading: Reading) -> Option<(Value, Arc<String>)> {
    let stands_alone = reading.as_text?;
    let read = quick::transcribe(text)?;
    stands_alone(&read.head).then(|| (Value::Object(read.head), Arc::new(read.json)))
}

/// As [`transcribed`], of all documents of a stream or of none.
fn transcribed_stream(text: &[u8], reading: Reading) -> Option<Vec<Arc<String>>> {
    reading.as_text?;
    let mut texts = Vec::new();
    for chunk in goyaml::split(text) {
        let chunk = chunk.ok()?;
        match transcribed(&chunk.bytes, reading) {
            Some((_, json)) => texts.push(json),
            None if matches!(quickly(&chunk.bytes, &mut Tree), Some(Value::Null)) => {}
            None => return None,
        }
    }
    Some(texts)
}

fn has_dashes(text: &[u8]) -> bool {
    text.starts_with(b"---") || goval::scan::find_dashes(text).is_some()
}

fn read_stream(text: &[u8], objects: ReadObjects) -> Result<Vec<Object>, Problem> {
    let mut all = Vec::new();
    for chunk in goyaml::split(text) {
        let chunk = chunk.map_err(|error| Problem {
            words: error.to_string(),
            line: error.line(),
            column: error.column(),
        })?;
        let value = goyaml::to_json(&chunk.bytes).map_err(|error| Problem {
            words: format!("error converting YAML to JSON: {error}"),
            line: chunk.line + error.line() - 1,
            column: error.column(),
        })?;
        let at_top = |words| Problem { words, line: chunk.line, column: 1 };
        all.extend(objects(value).map_err(at_top)?);
    }
    Ok(all)
}
