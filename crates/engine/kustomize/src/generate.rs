//! `configMapGenerator` and `secretGenerator`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Inside, KustomizeError};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::loader::Loader;
use crate::node::{Mapping, Node, Scalar, Tag, Text};
use crate::resource::{Behavior, Origin, Resource};

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    ConfigMap,
    Secret,
}

/// Makes one object.
///
/// # Errors
///
/// With kustomize's words: no name, a source that does not parse, a key that stands twice, a
/// file that is missing or out of reach.
pub(crate) fn generate(
    what: Generated,
    args: &GeneratorArgs,
    loader: &Loader<'_>,
    origin: Origin,
) -> Result<Resource, KustomizeError> {
    if args.name.is_empty() {
        return Err(KustomizeError::said("a configmap must have a name"));
    }
    let data = data(args, loader)?;
    let kind = match what {
        Generated::ConfigMap => "ConfigMap",
        Generated::Secret => "Secret",
    };
    let mut object = Mapping::default();
    object.insert("apiVersion", Node::string("v1"));
    object.insert("kind", Node::string(kind));
    let mut metadata = Mapping::default();
    metadata.insert("name", Node::string(args.name.clone()));
    if !args.namespace.is_empty() {
        metadata.insert("namespace", Node::string(args.namespace.clone()));
    }
    if let Some(options) = &args.options {
        add_options(&mut metadata, options);
    }
    object.insert("metadata", Node::Mapping(metadata));
    match what {
        Generated::ConfigMap => {
            for (key, value) in data {
                let (field, text) = match String::from_utf8(value) {
                    Ok(text) => ("data", text),
                    Err(error) => ("binaryData", base64(error.as_bytes())),
                };
                put(&mut object, field, key, text);
            }
        }
        Generated::Secret => {
            let secret_type = match &*args.secret_type {
                "" => "Opaque",
                secret_type => secret_type,
            };
            object.insert("type", Node::string(secret_type.to_owned()));
            object.insert("data", Node::mapping());
            for (key, value) in data {
                put(&mut object, "data", key, base64(&value));
            }
        }
    }
    let options = args.options.clone().unwrap_or_default();
    if options.immutable {
        let value = Scalar { text: Text::from("true"), tag: Tag::Bool, quoted: false };
        object.insert("immutable", Node::Scalar(value));
    }
    let mut made = Resource::new(Node::Mapping(object), origin);
    made.needs_hash = !options.disable_name_suffix_hash;
    made.behavior = Behavior::of(&args.behavior);
    Ok(made)
}

fn add_options(metadata: &mut Mapping, options: &GeneratorOptions) {
    for (field, entries) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        let entries = entries.iter().flatten();
        let entries: Mapping = entries
            .map(|(key, value)| (Text::from(key.clone()), Node::string(value.clone())))
            .collect();
        if !entries.is_empty() {
            metadata.insert(field, Node::Mapping(entries));
        }
    }
}

fn put(object: &mut Mapping, field: &'static str, key: String, text: String) {
    let data = object.get_or_insert_with(field, Node::mapping);
    if let Some(data) = data.as_mapping_mut() {
        let quoted = text.contains('\n');
        let value = Scalar { text: text.into(), tag: Tag::Str, quoted };
        data.insert(key, Node::Scalar(value));
    }
}

/// Base64 in lines of 70 signs; the line breaks belong to the value.
fn base64(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let whole = STANDARD.encode(bytes);
    if whole.len() < LINE {
        return whole;
    }
    let mut lines = String::with_capacity(whole.len() + whole.len() / LINE + 1);
    for line in whole.as_bytes().chunks(LINE) {
        lines.extend(line.iter().map(|byte| char::from(*byte)));
        lines.push('\n');
    }
    lines
}

/// Keys and values of all sources: environment files, literals, files.
fn data(
    args: &GeneratorArgs,
    loader: &Loader<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, KustomizeError> {
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    let list = |items: &[String]| format!("[{}]", items.join(" "));
    for path in &args.envs {
        let read = loader.load(path).and_then(|content| lines(&content));
        pairs.extend(read.inside(|| format!("env source files: {}", list(&args.envs)))?);
    }
    for source in &args.literals {
        let read = literal(source);
        pairs.push(read.inside(|| format!("literal sources {}", list(&args.literals)))?);
    }
    for source in &args.files {
        let read = file_source(source)
            .and_then(|(key, path)| Ok((key.to_owned(), loader.load(path)?.to_vec())));
        pairs.push(read.inside(|| format!("file sources: {}", list(&args.files)))?);
    }
    let mut data = BTreeMap::new();
    for (key, value) in pairs {
        if data.contains_key(&key) {
            return Err(KustomizeError::said(format!(
                "configmap {} illegally repeats the key `{key}`",
                args.name
            )));
        }
        data.insert(key, value);
    }
    Ok(data)
}

/// `key=value`, quotes of one sort around the value left out.
fn literal(source: &str) -> Result<(String, Vec<u8>), KustomizeError> {
    let Some((key, value)) = source.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(KustomizeError::said(format!(
            "invalid literal source {source}, expected key=value"
        )));
    };
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = inside('"').or_else(|| inside('\'')).unwrap_or(value);
    Ok((key.to_owned(), value.as_bytes().to_vec()))
}

/// `path`, or `key=path`.
fn file_source(source: &str) -> Result<(&str, &str), KustomizeError> {
    let Some((key, path)) = source.split_once('=') else {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        return Ok((name, source));
    };
    let problem = if path.contains('=') {
        format!("source {source:?} key name or file path contains '='")
    } else if key.is_empty() {
        format!("missing key name for file path {path:?} in source {source:?}")
    } else if path.is_empty() {
        format!("missing file path for key name {key:?} in source {source:?}")
    } else {
        return Ok((key, path));
    };
    Err(KustomizeError::said(problem))
}

/// The longest line of an environment file, in bytes.
const LINE_MAX: usize = 64 * 1024;

/// Lines `KEY=value` of an environment file; `#` begins a comment.
fn lines(content: &[u8]) -> Result<Vec<(String, Vec<u8>)>, KustomizeError> {
    let mut pairs = Vec::new();
    for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() >= LINE_MAX {
            // Go's scanner stops there without a word.
            break;
        }
        let Ok(text) = std::str::from_utf8(line) else {
            let lossy = String::from_utf8_lossy(line);
            return Err(KustomizeError::said(format!("line has invalid utf8 bytes : {lossy}")));
        };
        let text = if number == 0 { text.strip_prefix('\u{FEFF}').unwrap_or(text) } else { text };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(pairs)
}
