//! Text to objects: streams of YAML or JSON as `kubectl` reads them, and single JSON files.

use goyaml::{Dialect, Document, Duplicates, Kind, Limits, NodeId};
use serde_json::{Map, Value};

/// An object, and the line of its first field.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) object: Value,
    pub(crate) line: u32,
}

/// What is wrong, and where; line and column are the file's.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) words: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) advice: &'static str,
    /// Whether it is an error even in a file that may be no manifest.
    pub(crate) certain: bool,
}

/// A stream up to its first problem.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) manifests: Vec<Manifest>,
    /// Whether a document was an object, if only an empty List.
    pub(crate) any_object: bool,
    pub(crate) problem: Option<Problem>,
}

/// What a JSON file is.
pub(crate) enum JsonFile {
    Manifests(Vec<Manifest>),
    /// The manifest of a container image: no object, and no mistake.
    OciManifest,
    /// More than one value.
    Several,
}

const CORRECT_THE_YAML: &str = "correct the YAML there";
const CORRECT_THE_JSON: &str = "correct the JSON there";
const NAME_A_KIND: &str =
    "every manifest needs apiVersion and kind; exclude the file if it is none";
const MAKE_IT_A_MAP: &str = "a manifest is a map; exclude the file if it is none";

/// How far upstream looks for the brace that begins a stream of JSON.
const GUESS_BYTES: usize = 4096;

/// Reads a stream: YAML documents between lines of `---`, or JSON values one after another.
pub(crate) fn read_stream(content: &str) -> Stream {
    let mut stream = Stream::default();
    let head = &content.as_bytes()[..content.len().min(GUESS_BYTES)];
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let mut yaml_from = 0;
    let mut json_problem = None;
    if first == Some(&b'{') {
        match read_json_stream(content, &mut stream) {
            Ok(()) => return stream,
            Err(JsonEnd::Problem(problem)) => {
                stream.problem = Some(problem);
                return stream;
            }
            // Flow style looks like JSON, and a stream may go on in YAML.
            Err(JsonEnd::TryYaml { from, problem }) => {
                yaml_from = from;
                json_problem = Some(problem);
            }
        }
    }
    let line = 1 + count_lines(&content[..yaml_from]);
    for chunk in goyaml::split(&content.as_bytes()[yaml_from..]) {
        let read = match chunk {
            Ok(chunk) => read_yaml(&chunk.bytes, line + chunk.line - 1, &mut stream),
            Err(error) => Err(Problem {
                words: format!("failed to unmarshal manifest: {error}"),
                line: line + error.line() - 1,
                column: error.column(),
                advice: "write nothing but a comment behind ---",
                certain: false,
            }),
        };
        if let Err(problem) = read {
            stream.problem = Some(json_problem.unwrap_or(problem));
            return stream;
        }
        json_problem = None;
    }
    stream
}

/// How a stream that began as JSON ended.
enum JsonEnd {
    Problem(Problem),
    TryYaml { from: usize, problem: Problem },
}

fn read_json_stream(content: &str, stream: &mut Stream) -> Result<(), JsonEnd> {
    let mut at = 0;
    let mut count = 0;
    loop {
        let after_last = at;
        at += content[at..].len() - content[at..].trim_ascii_start().len();
        if at == content.len() {
            return Ok(());
        }
        let begin = at;
        let mut values = serde_json::Deserializer::from_str(&content[at..]).into_iter::<Value>();
        let line = 1 + count_lines(&content[..begin]);
        let problem = match values.next() {
            None => return Ok(()),
            Some(Ok(value)) => {
                at += values.byte_offset();
                match accept(value, line, 1, &|_| line, stream) {
                    Ok(()) => {
                        count += 1;
                        continue;
                    }
                    Err(problem) => problem,
                }
            }
            Some(Err(error)) => {
                let mut problem = json_problem(&error, &content[begin..], line);
                if !error.is_eof() {
                    let offset = begin + offset_of(&error, &content[begin..]) + 1;
                    problem.words = problem.words.replacen(
                        "manifest: ",
                        &format!("manifest: json: offset {offset}: "),
                        1,
                    );
                }
                problem
            }
        };
        if count > 1 {
            return Err(JsonEnd::Problem(problem));
        }
        // Upstream goes on behind the line break after the last value.
        let from = match content[after_last..begin].find('\n') {
            Some(end) => after_last + end + 1,
            None => begin,
        };
        return Err(JsonEnd::TryYaml { from, problem });
    }
}

fn json_problem(error: &serde_json::Error, content: &str, first_line: u32) -> Problem {
    Problem {
        words: format!("failed to unmarshal manifest: {}", json_words(error, content)),
        line: first_line + (error.line() as u32).saturating_sub(1),
        column: (error.column() as u32).max(1),
        advice: CORRECT_THE_JSON,
        certain: false,
    }
}

/// How many bytes stand before what a parser complains about.
fn offset_of(error: &serde_json::Error, content: &str) -> usize {
    let lines = content.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// A parser's complaint in the words of Go's.
fn json_words(error: &serde_json::Error, content: &str) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    let line = content.lines().nth(error.line().saturating_sub(1)).unwrap_or("");
    let at = error.column().saturating_sub(1);
    let here = line.get(at..).and_then(|rest| rest.chars().next());
    let expects = match text {
        _ if error.is_eof() => return "unexpected EOF".to_owned(),
        "expected value" | "expected ident" => "looking for beginning of value",
        "key must be a string" | "trailing comma" => "looking for beginning of object key string",
        "expected `:`" => "after object key",
        "expected `,` or `}`" => "after object key:value pair",
        "expected `,` or `]`" => "after array element",
        "invalid escape" => "in string escape code",
        "invalid number" => "in numeric literal",
        other if other.starts_with("control character") => "in string literal",
        other => return other.to_owned(),
    };
    match here {
        Some('\'') => format!("invalid character '\\'' {expects}"),
        Some('"') => format!("invalid character '\"' {expects}"),
        Some(char) => format!("invalid character '{}' {expects}", char.escape_debug()),
        None => format!("invalid character '\\n' {expects}"),
    }
}

fn count_lines(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

fn read_yaml(chunk: &[u8], first_line: u32, into: &mut Stream) -> Result<(), Problem> {
    let limits = Limits::default();
    let refused = |error: goyaml::YamlError| Problem {
        words: format!("failed to unmarshal manifest: error converting YAML to JSON: {error}"),
        line: first_line + error.line() - 1,
        column: error.column(),
        advice: CORRECT_THE_YAML,
        certain: false,
    };
    let document = Document::parse(chunk, Dialect::V2, &limits).map_err(refused)?;
    let value = document.to_json(Duplicates::LastWins, &limits).map_err(refused)?;
    let Some(root) = document.root() else { return Ok(()) };
    let node = document.node(root);
    let line_of = |index| {
        let line = item_line(&document, root, index).unwrap_or(node.line());
        first_line + line - 1
    };
    accept(value, first_line + node.line() - 1, node.column(), &line_of, into)
}

/// The line of an item of a List.
fn item_line(document: &Document, root: NodeId, index: usize) -> Option<u32> {
    let mut children = document.children(root);
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        if document.value(key) == "items" && document.node(value).kind() == Kind::Sequence {
            let item = document.children(value).nth(index)?;
            return Some(document.node(item).line());
        }
    }
    None
}

/// Takes a document's value as an object, or as the objects of a List.
fn accept(
    value: Value,
    line: u32,
    column: u32,
    line_of_item: &dyn Fn(usize) -> u32,
    into: &mut Stream,
) -> Result<(), Problem> {
    let refused = |words: String, line: u32, advice| {
        let words = format!(
            "failed to unmarshal manifest: error unmarshaling JSON: while decoding JSON: {words}"
        );
        Problem { words, line, column, advice, certain: false }
    };
    // Items are looked at when the file was accepted as a List.
    let refused_item = |words: String, line: u32, advice| Problem {
        words,
        line,
        column: 1,
        advice,
        certain: true,
    };
    let mut object = match value {
        Value::Null => return Ok(()),
        Value::Object(object) => object,
        Value::Bool(_) => return Err(refused(no_map("bool"), line, MAKE_IT_A_MAP)),
        Value::Number(_) => return Err(refused(no_map("number"), line, MAKE_IT_A_MAP)),
        Value::String(_) => return Err(refused(no_map("string"), line, MAKE_IT_A_MAP)),
        Value::Array(_) => return Err(refused(no_map("array"), line, MAKE_IT_A_MAP)),
    };
    if !has_kind(&object) {
        return Err(refused(missing_kind(&object), line, NAME_A_KIND));
    }
    into.any_object = true;
    match object.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => {
            for (index, item) in items.into_iter().enumerate() {
                let line = line_of_item(index);
                let Value::Object(item) = item else {
                    let words = "items member is not an object: map[string]interface {}".to_owned();
                    return Err(refused_item(words, line, MAKE_IT_A_MAP));
                };
                if !has_kind(&item) {
                    return Err(refused_item(missing_kind(&item), line, NAME_A_KIND));
                }
                push(item, line, into);
            }
            return Ok(());
        }
        Some(Value::Null) if !object.contains_key("spec") && !object.contains_key("status") => {
            return Ok(());
        }
        Some(other) => drop(object.insert("items".to_owned(), other)),
        None => {}
    }
    push(object, line, into);
    Ok(())
}

fn push(object: Map<String, Value>, line: u32, into: &mut Stream) {
    let mut object = Value::Object(object);
    settle_numbers(&mut object);
    into.manifests.push(Manifest { object, line });
}

fn no_map(kind: &str) -> String {
    format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
}

/// Whether a map with this head, and no `items`, is one object as it stands.
pub(crate) fn stands_alone(head: &Map<String, Value>) -> bool {
    has_kind(head)
}

/// Whether the object says what it is; an `apiVersion` with two slashes says nothing.
fn has_kind(object: &Map<String, Value>) -> bool {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or("");
    !text("kind").is_empty() && text("apiVersion").matches('/').count() < 2
}

/// Upstream prints the whole object, which may be a Secret; its fields' names say enough.
fn missing_kind(object: &Map<String, Value>) -> String {
    let names: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
    format!("Object 'Kind' is missing in an object with the fields '{}'", names.join(", "))
}

/// Numbers as they come back from upstream's JSON: whole ones are `i64`, others `f64`.
fn settle_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_i64() => {
            if let Some(settled) = number.as_f64().and_then(goyaml::json_number) {
                *number = match settled.as_f64() {
                    Some(float) if !settled.is_i64() => {
                        serde_json::Number::from_f64(float).unwrap_or(settled)
                    }
                    _ => settled,
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle_numbers),
        Value::Object(fields) => fields.values_mut().for_each(settle_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Reads a `.json` file, which holds one object.
pub(crate) fn read_json(content: &str) -> Result<JsonFile, Problem> {
    let mut values = serde_json::Deserializer::from_str(content).into_iter::<Value>();
    let bare = |problem: Problem| Problem {
        words: problem.words.replacen("failed to unmarshal manifest: ", "", 1),
        ..problem
    };
    let value = match values.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) => return Err(bare(json_problem(&error, content, 1))),
        None => {
            let words = "EOF".to_owned();
            return Err(Problem {
                words,
                line: 1,
                column: 1,
                advice: CORRECT_THE_JSON,
                certain: false,
            });
        }
    };
    if is_oci_manifest(&value) {
        return Ok(JsonFile::OciManifest);
    }
    let more = !content[values.byte_offset()..].trim_ascii().is_empty();
    let blank = content.len() - content.trim_ascii_start().len();
    let line = 1 + count_lines(&content[..blank]);
    let mut stream = Stream::default();
    let value = if value.is_null() { Value::Object(Map::new()) } else { value };
    accept(value, line, 1, &|_| line, &mut stream).map_err(bare)?;
    Ok(if more { JsonFile::Several } else { JsonFile::Manifests(stream.manifests) })
}

/// Reads what a Jsonnet program gave: one object, or an array of them.
pub(crate) fn read_evaluated(json: &str) -> Result<Vec<Manifest>, Problem> {
    let value = serde_json::from_str(json).map_err(|error| json_problem(&error, json, 1))?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let mut stream = Stream::default();
    for value in values {
        accept(value, 1, 1, &|_| 1, &mut stream)?;
    }
    Ok(stream.manifests)
}

/// The objects of one document's value: none, one, or those of a list.
///
/// # Errors
///
/// What is wrong, without the words that every such error begins with.
pub(crate) fn objects_of(value: Value) -> Result<Vec<Value>, String> {
    let mut stream = Stream::default();
    match accept(value, 1, 1, &|_| 1, &mut stream) {
        Ok(()) => Ok(stream.manifests.into_iter().map(|manifest| manifest.object).collect()),
        Err(problem) => {
            Err(problem.words.trim_start_matches("failed to unmarshal manifest: ").to_owned())
        }
    }
}

fn is_oci_manifest(value: &Value) -> bool {
    value.get("kind").is_none()
        && value.get("schemaVersion").is_some_and(Value::is_number)
        && ["layers", "manifests", "config", "mediaType"]
            .iter()
            .any(|name| value.get(name).is_some())
}
