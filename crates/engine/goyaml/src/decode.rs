//! Nodes to JSON values, as `sigs.k8s.io/yaml` makes them.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use crate::document::{Document, Kind, NodeId};
use crate::error::YamlError;
use crate::go_syntax;
use crate::quick::{Tree, quickly};
use crate::resolve::{Dialect, Scalar, resolve, resolve_as};

const TAG_NULL: &str = "tag:yaml.org,2002:null";
const TAG_BOOL: &str = "tag:yaml.org,2002:bool";
const TAG_STR: &str = "tag:yaml.org,2002:str";
const TAG_INT: &str = "tag:yaml.org,2002:int";
const TAG_FLOAT: &str = "tag:yaml.org,2002:float";
const TAG_TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const TAG_BINARY: &str = "tag:yaml.org,2002:binary";
const TAG_MERGE: &str = "tag:yaml.org,2002:merge";

/// What a document may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Collections inside each other, aliases followed. Go's own bound is 10,000.
    pub depth_max: usize,
    /// Nodes as written, and again nodes with aliases followed. Go bounds only the share of
    /// the aliased ones (99 % of up to 400,000, down to 10 % of 4,000,000).
    pub nodes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth_max: 1_000, nodes_max: 2_000_000 }
    }
}

/// What two equal keys of one mapping mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The last one counts.
    LastWins,
    /// An error (Go's `Strict` functions).
    Refused,
}

/// Reads the first document as `sigs.k8s.io/yaml.YAMLToJSON` does.
///
/// Whole numbers are `i64`, or `u64` beyond it, also where they were written as `1e3`: JSON
/// text knows no difference. An empty text is `null`.
///
/// # Errors
///
/// [`YamlError`] with Go's words.
pub fn to_json(bytes: &[u8]) -> Result<Value, YamlError> {
    match quickly(bytes, &mut Tree) {
        Some(value) => Ok(value),
        None => to_json_with(bytes, Duplicates::LastWins, &Limits::default()),
    }
}

/// As [`to_json`], with an error for a key that stands twice (`YAMLToJSONStrict`).
///
/// # Errors
///
/// [`YamlError`] with Go's words.
pub fn to_json_strict(bytes: &[u8]) -> Result<Value, YamlError> {
    to_json_with(bytes, Duplicates::Refused, &Limits::default())
}

/// As [`to_json`], with everything chosen.
///
/// # Errors
///
/// [`YamlError`] with Go's words.
pub fn to_json_with(
    bytes: &[u8],
    duplicates: Duplicates,
    limits: &Limits,
) -> Result<Value, YamlError> {
    Document::parse(bytes, Dialect::V2, limits)?.to_json(duplicates, limits)
}

impl Document {
    /// Reads the nodes by the rules of [`Dialect::V2`].
    ///
    /// # Errors
    ///
    /// [`YamlError`] with Go's words.
    pub fn to_json(&self, duplicates: Duplicates, limits: &Limits) -> Result<Value, YamlError> {
        let Some(root) = self.root() else { return Ok(Value::Null) };
        let mut decoder = Decoder {
            document: self,
            limits: *limits,
            strict: duplicates == Duplicates::Refused,
            following: HashSet::new(),
            decoded: 1,
            aliased: 0,
            alias_depth: 0,
            depth: 0,
            repeated: Vec::new(),
            no_json: None,
            no_number: None,
        };
        let value = decoder.value(root)?;
        decoder.finish(&value)?;
        Ok(value)
    }
}

/// A mapping's key as Go holds it; two keys are one only if their types are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(String),
}

struct Decoder<'a> {
    document: &'a Document,
    limits: Limits,
    strict: bool,
    following: HashSet<NodeId>,
    decoded: usize,
    aliased: usize,
    alias_depth: usize,
    depth: usize,
    /// Keys that stand twice: line, message.
    repeated: Vec<(u32, String)>,
    /// The first thing that JSON cannot say, and the first number of that sort: Go finds
    /// them only after everything is decoded.
    no_json: Option<(Key, YamlError)>,
    no_number: Option<YamlError>,
}

impl Decoder<'_> {
    /// Says what Go finds only when everything is decoded. What a later key of the same name
    /// replaced is gone by then, so what JSON cannot say is looked for where it was put.
    fn finish(self, value: &Value) -> Result<(), YamlError> {
        if let Some((line, _)) = self.repeated.first() {
            let lines: Vec<&str> = self.repeated.iter().map(|(_, text)| text.as_str()).collect();
            let problem = format!("unmarshal errors:\n  {}", lines.join("\n  "));
            return Err(YamlError::unnamed(*line, 0, problem));
        }
        let found = self.no_json.map(|(_, error)| error).filter(|_| holds(value, NO_KEY));
        found.or(self.no_number.filter(|_| holds(value, NO_NUMBER))).map_or(Ok(()), Err)
    }

    fn refused(&self, id: NodeId, problem: impl Into<String>) -> YamlError {
        let node = self.document.node(id);
        YamlError::unnamed(node.line, node.column, problem)
    }

    /// Counts one more decoded node, and holds the share of aliased ones against Go's bound.
    fn count(&mut self, id: NodeId) -> Result<(), YamlError> {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;
        self.decoded += 1;
        if self.decoded > self.limits.nodes_max {
            let problem = format!("document has more than {} nodes", self.limits.nodes_max);
            return Err(self.refused(id, problem));
        }
        if self.alias_depth == 0 {
            return Ok(());
        }
        self.aliased += 1;
        if self.aliased <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let allowed = match self.decoded {
            decoded if decoded <= LOW => 0.99,
            decoded if decoded >= HIGH => 0.10,
            decoded => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
        };
        if self.aliased as f64 / self.decoded as f64 > allowed {
            return Err(self.refused(id, "document contains excessive aliasing"));
        }
        Ok(())
    }

    fn deeper(&mut self, id: NodeId) -> Result<(), YamlError> {
        self.depth += 1;
        if self.depth > self.limits.depth_max {
            let problem = format!("exceeded max depth of {}", self.limits.depth_max);
            return Err(self.refused(id, problem));
        }
        Ok(())
    }

    fn value(&mut self, id: NodeId) -> Result<Value, YamlError> {
        self.count(id)?;
        match self.document.node(id).kind {
            Kind::Scalar => self.scalar(id),
            Kind::Mapping => {
                let mut object = Map::new();
                self.mapping(id, &mut object, &mut Vec::new())?;
                Ok(Value::Object(object))
            }
            Kind::Sequence => self.sequence(id),
            Kind::Alias(target) => {
                self.follow(id)?;
                let value = self.value(target)?;
                self.unfollow(id);
                Ok(value)
            }
        }
    }

    fn follow(&mut self, id: NodeId) -> Result<(), YamlError> {
        if !self.following.insert(id) {
            let name = self.document.value(id);
            return Err(self.refused(id, format!("anchor '{name}' value contains itself")));
        }
        self.alias_depth += 1;
        self.deeper(id)
    }

    fn unfollow(&mut self, id: NodeId) {
        self.following.remove(&id);
        self.alias_depth -= 1;
        self.depth -= 1;
    }

    fn sequence(&mut self, id: NodeId) -> Result<Value, YamlError> {
        self.deeper(id)?;
        let document = self.document;
        let mut items = Vec::new();
        for child in document.children(id) {
            items.push(self.value(child)?);
        }
        self.depth -= 1;
        Ok(Value::Array(items))
    }

    /// Adds a mapping's entries; `known` holds its keys where one may not stand twice.
    fn mapping(
        &mut self,
        id: NodeId,
        object: &mut Map<String, Value>,
        known: &mut Vec<Key>,
    ) -> Result<(), YamlError> {
        self.deeper(id)?;
        let document = self.document;
        let mut children = document.children(id);
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if self.is_merge(key) {
                self.merge(value, object, known)?;
                continue;
            }
            let key_node = key;
            let key = self.key(key)?;
            let decoded = self.value(value)?;
            if self.strict {
                if known.contains(&key) {
                    let line = document.node(value).line;
                    let key = go_syntax::key(&key);
                    let text = format!("line {}: key {key} already set in map", line + 1);
                    self.repeated.push((line, text));
                    continue;
                }
                known.push(key.clone());
            }
            match go_syntax::json_key(key) {
                Ok(name) => {
                    object.insert(name, decoded);
                }
                Err(key) => {
                    self.no_json_key(key_node, &key, value);
                    object.insert(NO_KEY.to_owned(), Value::Null);
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    #[inline(never)]
    fn no_json_key(&mut self, at: NodeId, key: &Key, value: NodeId) {
        if self.no_json.as_ref().is_none_or(|(known, _)| known == key) {
            let node = self.document.node(at);
            let problem = go_syntax::unsupported_key(key, self.document, value);
            self.no_json = Some((key.clone(), YamlError::bare(node.line, node.column, problem)));
        }
    }

    fn is_merge(&self, id: NodeId) -> bool {
        let node = self.document.node(id);
        node.kind == Kind::Scalar
            && (node.implicit || node.tag() == Some(TAG_MERGE))
            && self.document.value(id) == "<<"
    }

    fn merge(
        &mut self,
        id: NodeId,
        object: &mut Map<String, Value>,
        known: &mut Vec<Key>,
    ) -> Result<(), YamlError> {
        let document = self.document;
        match document.node(id).kind {
            Kind::Mapping | Kind::Alias(_) => self.merge_one(id, object, known),
            Kind::Sequence => {
                // The first one counts most, so it is written last.
                let parts: Vec<NodeId> = document.children(id).collect();
                for part in parts.into_iter().rev() {
                    self.merge_one(part, object, known)?;
                }
                Ok(())
            }
            Kind::Scalar => Err(self.no_map(id)),
        }
    }

    fn merge_one(
        &mut self,
        id: NodeId,
        object: &mut Map<String, Value>,
        known: &mut Vec<Key>,
    ) -> Result<(), YamlError> {
        match self.document.node(id).kind {
            Kind::Mapping => {
                self.count(id)?;
                self.mapping(id, object, known)
            }
            Kind::Alias(target) if self.document.node(target).kind == Kind::Mapping => {
                self.count(id)?;
                self.follow(id)?;
                self.count(target)?;
                self.mapping(target, object, known)?;
                self.unfollow(id);
                Ok(())
            }
            _ => Err(self.no_map(id)),
        }
    }

    fn no_map(&self, id: NodeId) -> YamlError {
        self.refused(id, "map merge requires map or sequence of maps as the value")
    }

    fn key(&mut self, id: NodeId) -> Result<Key, YamlError> {
        let mut at = id;
        let mut followed = Vec::new();
        loop {
            self.count(at)?;
            match self.document.node(at).kind {
                Kind::Alias(target) => {
                    self.follow(at)?;
                    followed.push(at);
                    at = target;
                }
                Kind::Scalar => break,
                Kind::Mapping | Kind::Sequence => {
                    self.value(at)?;
                    return Err(self.no_key(at));
                }
            }
        }
        let key = scalar_key(self.document, at).map_err(|problem| self.refused(at, problem))?;
        for alias in followed {
            self.unfollow(alias);
        }
        Ok(key)
    }

    #[inline(never)]
    fn no_key(&mut self, id: NodeId) -> YamlError {
        match go_syntax::value(self.document, id) {
            Ok(text) => self.refused(id, format!("invalid map key: {text}")),
            Err(error) => error,
        }
    }

    #[inline(never)]
    fn scalar(&mut self, id: NodeId) -> Result<Value, YamlError> {
        let node = self.document.node(id);
        let text = self.document.value(id);
        if node.tag.is_none() {
            if !node.implicit {
                return Ok(Value::String(text.to_owned()));
            }
            return Ok(match resolve(Dialect::V2, text) {
                Scalar::Null => Value::Null,
                Scalar::Bool(value) => Value::Bool(value),
                Scalar::Int(value) => Value::from(value),
                Scalar::Uint(value) => Value::from(value),
                Scalar::Float(value) => self.float(id, value),
                Scalar::Timestamp | Scalar::Merge | Scalar::Str => Value::String(text.to_owned()),
            });
        }
        Ok(match scalar_key(self.document, id).map_err(|problem| self.refused(id, problem))? {
            Key::Null => Value::Null,
            Key::Bool(value) => Value::Bool(value),
            Key::Int(value) => Value::from(value),
            Key::Uint(value) => Value::from(value),
            Key::Float(value) => self.float(id, value),
            Key::Str(value) => Value::String(value),
        })
    }

    fn float(&mut self, id: NodeId, value: f64) -> Value {
        if let Some(value) = json_number(value) {
            return Value::Number(value);
        }
        if self.no_number.is_none() {
            let name = match value {
                value if value.is_nan() => "NaN",
                value if value > 0.0 => "+Inf",
                _ => "-Inf",
            };
            let node = self.document.node(id);
            let problem = format!("json: unsupported value: {name}");
            self.no_number = Some(YamlError::bare(node.line, node.column, problem));
        }
        Value::String(NO_NUMBER.to_owned())
    }
}

/// Stands where a key was that JSON cannot have.
const NO_KEY: &str = "\0goyaml: no key";
/// Stands where a number was that JSON cannot have.
const NO_NUMBER: &str = "\0goyaml: no number";

fn holds(value: &Value, mark: &str) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text == mark,
        Value::Array(items) => items.iter().any(|item| holds(item, mark)),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| key == mark || holds(value, mark))
        }
    }
}

/// The number that JSON text gives back: whole where Go prints it without a fraction, which it
/// does below 1e21. `None` for what is no number.
pub fn json_number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    const PRINTED_WHOLE: f64 = 1e21;
    if value.fract() == 0.0 && value.abs() < PRINTED_WHOLE {
        if value.abs() <= EXACT {
            return Some(Number::from(value as i64));
        }
        // Go prints the shortest digits and fills up with zeros, and so does Rust.
        let digits = format!("{value}");
        if let Ok(whole) = digits.parse::<i64>() {
            return Some(Number::from(whole));
        }
        if let Ok(whole) = digits.parse::<u64>() {
            return Some(Number::from(whole));
        }
    }
    Number::from_f64(value)
}

/// A scalar's value with its tag obeyed.
pub(crate) fn scalar_key(document: &Document, id: NodeId) -> Result<Key, String> {
    let node = document.node(id);
    let text = document.value(id);
    let Some(tag) = node.tag() else {
        if !node.implicit {
            return Ok(Key::Str(text.to_owned()));
        }
        return Ok(as_key(resolve(Dialect::V2, text), text));
    };
    let resolved = match tag {
        TAG_STR => return Ok(Key::Str(text.to_owned())),
        TAG_BINARY => {
            return base64(text)
                .map(|bytes| Key::Str(goval::text_of(&bytes)))
                .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned());
        }
        TAG_TIMESTAMP => resolve_as(Dialect::V2, text, true),
        TAG_BOOL | TAG_INT | TAG_FLOAT | TAG_NULL => resolve_as(Dialect::V2, text, false),
        _ => return Ok(Key::Str(text.to_owned())),
    };
    let found = match &resolved {
        Scalar::Null => TAG_NULL,
        Scalar::Bool(_) => TAG_BOOL,
        Scalar::Int(_) | Scalar::Uint(_) => TAG_INT,
        Scalar::Float(_) => TAG_FLOAT,
        Scalar::Timestamp => TAG_TIMESTAMP,
        Scalar::Merge => TAG_MERGE,
        Scalar::Str => TAG_STR,
    };
    match (tag, resolved) {
        (TAG_FLOAT, Scalar::Int(value)) => Ok(Key::Float(value as f64)),
        (tag, resolved) if tag == found => Ok(as_key(resolved, text)),
        (tag, _) => {
            Err(format!("cannot decode {} `{text}` as a {}", short_tag(found), short_tag(tag)))
        }
    }
}

fn as_key(scalar: Scalar, text: &str) -> Key {
    match scalar {
        Scalar::Null => Key::Null,
        Scalar::Bool(value) => Key::Bool(value),
        Scalar::Int(value) => Key::Int(value),
        Scalar::Uint(value) => Key::Uint(value),
        Scalar::Float(value) => Key::Float(value),
        Scalar::Timestamp | Scalar::Merge | Scalar::Str => Key::Str(text.to_owned()),
    }
}

fn short_tag(tag: &str) -> String {
    match tag.strip_prefix("tag:yaml.org,2002:") {
        Some(rest) => format!("!!{rest}"),
        None => tag.to_owned(),
    }
}

/// Standard base64 with padding; line breaks are left out, as Go does.
fn base64(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    let quads = symbols.len() / 4;
    for (at, quad) in symbols.chunks(4).enumerate() {
        let padding = match quad {
            [_, _, b'=', b'='] if at + 1 == quads => 2,
            [_, _, _, b'='] if at + 1 == quads => 1,
            _ => 0,
        };
        let mut value = 0u32;
        for symbol in &quad[..4 - padding] {
            let digit = match symbol {
                b'A'..=b'Z' => symbol - b'A',
                b'a'..=b'z' => symbol - b'a' + 26,
                b'0'..=b'9' => symbol - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            value = value << 6 | u32::from(digit);
        }
        value <<= 6 * padding as u32;
        bytes.extend_from_slice(&value.to_be_bytes()[1..4 - padding]);
    }
    Some(bytes)
}
