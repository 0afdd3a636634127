//! What a decode and encode makes of an object.
//!
//! The API server reads a built-in object into a struct, keeps it as protobuf, and writes the
//! struct as JSON again. So unknown fields and nulls go, empty lists and maps go, what is
//! always written appears (`resources: {}`, `status: {}`), times and quantities take their one
//! form. Everything here follows from the tables; only what a conversion does to one kind
//! stands in `conversions`.

use manifest::Gvk;
use serde_json::{Map, Value};

use crate::conversions;
use crate::empties::{Empties, kept};
use crate::gotime::Moment;
use crate::in_place;
use crate::quantity::Quantity;
use crate::shape::{Field, Scalar, Shape, StructId};
use crate::tables::Tables;

/// An object as the server would hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The object.
    pub object: Value,
    /// The paths that the kind does not know, in the order in which they stand: `spec.x`,
    /// `spec.containers[0].x`. They are not in the object any more.
    pub unknown: Vec<String>,
}

impl Decoded {
    /// What strict field validation says, if anything: `strict decoding error: unknown field
    /// "spec.x", unknown field "spec.y"`.
    pub fn strict_error(&self) -> Option<String> {
        if self.unknown.is_empty() {
            return None;
        }
        let all: Vec<String> = self.warnings().collect();
        Some(format!("strict decoding error: {}", all.join(", ")))
    }

    /// What each unknown field is reported as where validation only warns.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.unknown.iter().map(|path| format!("unknown field {}", Value::from(path.as_str())))
    }
}

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The tables do not hold the kind.
    #[error("no kind \"{}\" is registered for version \"{}\"", .0.kind, version(.0))]
    UnknownKind(Gvk),
    /// A value is of a wrong type or form; the text is the server's.
    #[error("{0}")]
    Wrong(String),
}

fn version(kind: &Gvk) -> String {
    match kind.group.as_str() {
        "" => kind.version.clone(),
        group => format!("{group}/{}", kind.version),
    }
}

/// At most so many unknown fields are reported, as upstream.
const UNKNOWN_MAX: usize = 100;

/// Reads and writes an object as the API server does.
///
/// # Errors
///
/// [`DecodeError::Wrong`] where a value cannot be read into its field.
pub fn roundtrip(tables: &Tables, kind: &Gvk, object: &Value) -> Result<Decoded, DecodeError> {
    decode(tables, kind, object, Form::Json, kept(kind))
}

/// As [`roundtrip`], of an object that is given away: what is usual in every way is not copied.
///
/// # Errors
///
/// As [`roundtrip`].
pub fn roundtrip_owned(tables: &Tables, kind: &Gvk, object: Value) -> Result<Decoded, DecodeError> {
    decode_owned(tables, kind, object, Form::Json, kept(kind))
}

/// Where an object comes from that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The text of a request.
    Text,
    /// The server itself has parsed it: a strategic merge, an apply.
    Parsed,
}

/// Reads an object as [`roundtrip`] does, but as it stands in memory before it is kept: lists and maps
/// that were sent empty are empty still, which differs from none at all.
///
/// # Errors
///
/// As [`roundtrip`] and [`from_unstructured`].
pub fn read(
    tables: &Tables,
    kind: &Gvk,
    object: &Value,
    source: Source,
) -> Result<Decoded, DecodeError> {
    match source {
        Source::Text => decode(tables, kind, object, Form::Json, Empties::Stay),
        Source::Parsed => {
            let mut decoded = decode(tables, kind, object, Form::Unstructured, Empties::Stay)?;
            decoded.unknown.sort();
            Ok(decoded)
        }
    }
}

/// As [`read`], of an object that is given away: what is usual in every way is not copied.
///
/// # Errors
///
/// As [`read`].
pub fn read_owned(
    tables: &Tables,
    kind: &Gvk,
    object: Value,
    source: Source,
) -> Result<Decoded, DecodeError> {
    let form = match source {
        Source::Text => Form::Json,
        Source::Parsed => Form::Unstructured,
    };
    let mut decoded = decode_owned(tables, kind, object, form, Empties::Stay)?;
    if source == Source::Parsed {
        decoded.unknown.sort();
    }
    Ok(decoded)
}

/// The same for an object that the server has already parsed: what came out of a server-side
/// apply or a strategic merge. Numbers are converted as Go converts them, the first error in the
/// order of declaration counts, and unknown fields come sorted.
///
/// # Errors
///
/// [`DecodeError::Wrong`] where a value cannot be read into its field. A server says so behind
/// `unable to convert unstructured object to apps/v1, Kind=Deployment: `.
pub fn from_unstructured(
    tables: &Tables,
    kind: &Gvk,
    object: &Value,
) -> Result<Decoded, DecodeError> {
    let mut decoded = decode(tables, kind, object, Form::Unstructured, kept(kind))?;
    decoded.unknown.sort();
    Ok(decoded)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Unstructured,
}

fn decode(
    tables: &Tables,
    kind: &Gvk,
    object: &Value,
    form: Form,
    empties: Empties,
) -> Result<Decoded, DecodeError> {
    let id = tables.struct_of(kind).ok_or_else(|| DecodeError::UnknownKind(kind.clone()))?;
    let mut decoder = Decoder {
        tables,
        form,
        unknown: Vec::new(),
        saved: None,
        fields: Vec::new(),
        path: String::new(),
        struct_name: "",
        silent: false,
        empties,
    };
    let read = decoder.value(&Shape::Struct(id), object).map_err(DecodeError::Wrong)?;
    if let Some(first) = decoder.saved {
        return Err(DecodeError::Wrong(first));
    }
    let mut object = read.expect("a struct that could not be read left an error");
    conversions::through_internal(tables, kind, &mut object).map_err(DecodeError::Wrong)?;
    Ok(Decoded { object, unknown: decoder.unknown })
}

fn decode_owned(
    tables: &Tables,
    kind: &Gvk,
    mut object: Value,
    form: Form,
    empties: Empties,
) -> Result<Decoded, DecodeError> {
    let id = tables.struct_of(kind).ok_or_else(|| DecodeError::UnknownKind(kind.clone()))?;
    if !in_place::is_usual(tables, &Shape::Struct(id), &object) {
        return decode(tables, kind, &object, form, empties);
    }
    in_place::put_in_order(tables, id, &mut object, empties);
    conversions::through_internal(tables, kind, &mut object).map_err(DecodeError::Wrong)?;
    Ok(Decoded { object, unknown: Vec::new() })
}

struct Decoder<'a> {
    tables: &'a Tables,
    form: Form,
    unknown: Vec<String>,
    /// The first error of a kind after which reading goes on.
    saved: Option<String>,
    /// JSON names (and names of inlined structs) from the root.
    fields: Vec<&'static str>,
    /// The path that strict errors show.
    path: String,
    /// The innermost struct, as messages name it.
    struct_name: &'static str,
    /// Inside JSON schemas unknown fields are dropped without a word.
    silent: bool,
    empties: Empties,
}

/// Reading ends at once: what a type with a reader of its own said.
type Stop = String;

impl Decoder<'_> {
    /// Reads a value that is not null; `None` where it was wrong and the error is saved.
    fn value(&mut self, shape: &Shape, input: &Value) -> Result<Option<Value>, Stop> {
        match shape {
            Shape::Struct(id) => match input {
                Value::Object(map) => self.object(*id, map).map(Value::Object).map(Some),
                other if self.form == Form::Unstructured => {
                    Err(format!("cannot restore struct from: {}", go_kind(other)))
                }
                other => Ok(self.mismatch(other, self.tables.get(*id).go_name)),
            },
            Shape::List { element, .. } => match input {
                Value::Array(items) => self.list(element, items).map(Some),
                other if self.form == Form::Unstructured => {
                    Err(format!("cannot restore slice from {}", go_kind(other)))
                }
                other => Ok(self.mismatch(other, &self.go_type(shape))),
            },
            Shape::Map { value, .. } => match input {
                Value::Object(map) => self.map(value, map).map(Some),
                other if self.form == Form::Unstructured => {
                    Err(format!("cannot restore map from {}", go_kind(other)))
                }
                other => Ok(self.mismatch(other, &self.go_type(shape))),
            },
            Shape::Scalar(scalar, go_name) => self.scalar(*scalar, go_name, input),
        }
    }

    fn object(
        &mut self,
        id: StructId,
        input: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Stop> {
        let tables = self.tables;
        let declared = tables.get(id);
        let outer = (self.struct_name, self.fields.len(), self.path.len());
        let mut found = Map::new();
        let mut entries: Vec<(&String, &Value)> = input.iter().collect();
        if self.form == Form::Unstructured {
            let order = tables.in_order(id);
            entries.sort_by_key(|(key, _)| order.iter().position(|field| field.name == **key));
        }
        for (key, value) in entries {
            let at = declared.names.binary_search_by(|(name, ..)| (*name).cmp(key));
            let Ok(at) = at else {
                self.report_unknown(key);
                continue;
            };
            let (name, home, field) = declared.names[at];
            if value.is_null() {
                continue;
            }
            self.struct_name = short(declared.go_name);
            if home != id {
                let mut way = Vec::new();
                way_to(tables, id, home, &mut way);
                self.fields.extend(way);
            }
            self.fields.push(name);
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(name);
            let read = self.value(&tables.get(home).fields[field as usize].shape, value)?;
            if let Some(read) = read {
                found.insert(key.clone(), read);
            }
            self.struct_name = outer.0;
            self.fields.truncate(outer.1);
            self.path.truncate(outer.2);
        }
        Ok(self.filled(id, found))
    }

    fn report_unknown(&mut self, key: &str) {
        if self.silent || self.unknown.len() >= UNKNOWN_MAX {
            return;
        }
        let path = match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        if !self.unknown.contains(&path) {
            self.unknown.push(path);
        }
    }

    /// What is written of a struct of which these fields were found.
    fn filled(&self, id: StructId, mut found: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        self.fill(id, &mut found, &mut out);
        out
    }

    fn fill(&self, id: StructId, found: &mut Map<String, Value>, out: &mut Map<String, Value>) {
        for field in &self.tables.get(id).fields {
            match field.shape {
                Shape::Struct(inlined) if field.inline => self.fill(inlined, found, out),
                _ => {
                    let value = found.remove(field.name);
                    if let Some(written) = self.written(field, value) {
                        out.insert(field.name.to_owned(), written);
                    }
                }
            }
        }
    }

    /// What is written of a field; `None` where it is left out.
    fn written(&self, field: &Field, value: Option<Value>) -> Option<Value> {
        let omitted = field.omit_empty || field.omit_zero;
        if field.pointer {
            return match value {
                None | Some(Value::Null) => (!omitted).then_some(Value::Null),
                Some(value) => Some(value),
            };
        }
        let mut value = value.unwrap_or_else(|| self.zero(&field.shape));
        if self.empties == Empties::Go && is_collection(&field.shape) && is_empty(&value) {
            value = Value::Null;
        }
        let left_out = match &field.shape {
            Shape::List { .. } | Shape::Map { .. } => {
                field.omit_empty && self.empties.is_nothing(&value)
            }
            Shape::Scalar(Scalar::Bytes, _) => field.omit_empty && is_empty(&value),
            Shape::Struct(_) => field.omit_zero && self.is_zero(&field.shape, &value),
            Shape::Scalar(scalar, _) if is_plain(*scalar) => {
                omitted && self.is_zero(&field.shape, &value)
            }
            Shape::Scalar(..) => field.omit_zero && self.is_zero(&field.shape, &value),
        };
        (!left_out).then_some(value)
    }

    /// What is written of a shape that was not there.
    fn zero(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Struct(id) => Value::Object(self.filled(*id, Map::new())),
            Shape::List { .. } | Shape::Map { .. } => Value::Null,
            Shape::Scalar(scalar, _) => scalar.zero(),
        }
    }

    fn is_zero(&self, shape: &Shape, value: &Value) -> bool {
        match shape {
            Shape::Struct(id) => {
                let zero = self.filled(*id, Map::new());
                value.as_object() == Some(&zero)
            }
            Shape::List { .. } | Shape::Map { .. } => value.is_null(),
            Shape::Scalar(Scalar::Float64, _) => value.as_f64() == Some(0.0),
            Shape::Scalar(..) => *value == self.zero(shape),
        }
    }

    fn list(&mut self, element: &Shape, items: &[Value]) -> Result<Value, Stop> {
        let length = self.path.len();
        let mut out = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            if item.is_null() {
                out.push(self.zero(element));
                continue;
            }
            self.path.push_str(&format!("[{at}]"));
            let read = self.value(element, item)?;
            out.push(read.unwrap_or(Value::Null));
            self.path.truncate(length);
        }
        Ok(Value::Array(out))
    }

    fn map(&mut self, shape: &Shape, input: &Map<String, Value>) -> Result<Value, Stop> {
        let length = self.path.len();
        let mut out = Map::new();
        for (key, value) in input {
            let read = if value.is_null() {
                Some(self.zero(shape))
            } else {
                self.path.push('.');
                self.path.push_str(key);
                let read = self.value(shape, value)?;
                self.path.truncate(length);
                read
            };
            out.insert(key.clone(), read.unwrap_or(Value::Null));
        }
        Ok(Value::Object(out))
    }

    fn scalar(
        &mut self,
        scalar: Scalar,
        go_name: &str,
        input: &Value,
    ) -> Result<Option<Value>, Stop> {
        let go_type = if go_name.is_empty() { scalar.go_type() } else { go_name };
        if self.form == Form::Unstructured {
            if is_plain(scalar) {
                return converted(scalar, go_type, input).map(Some);
            }
            if let (Scalar::Bytes, Value::String(text)) = (scalar, input) {
                return match base64_of(text) {
                    Ok(encoded) => Ok(Some(encoded.into())),
                    Err(at) => Err(format!(
                        "error decoding from json: illegal base64 data at input byte {at}"
                    )),
                };
            }
            let is_list = matches!(input, Value::Null | Value::Array(_));
            if scalar == Scalar::Bytes && !is_list {
                return Err(format!("cannot restore slice from {}", go_kind(input)));
            }
        }
        Ok(match (scalar, input) {
            (Scalar::String, Value::String(_)) | (Scalar::Bool, Value::Bool(_)) => {
                Some(input.clone())
            }
            (Scalar::Bytes, Value::String(text)) => match base64_of(text) {
                Ok(encoded) => Some(encoded.into()),
                Err(at) => {
                    self.save(format!("illegal base64 data at input byte {at}"));
                    None
                }
            },
            (Scalar::Bytes, Value::Array(items)) => {
                use base64::Engine as _;

                // A list of numbers is as good as base64 to Go.
                let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
                match items.iter().map(byte).collect::<Option<Vec<u8>>>() {
                    Some(bytes) => {
                        Some(base64::engine::general_purpose::STANDARD.encode(bytes).into())
                    }
                    None => {
                        let wrong = items.iter().find(|item| byte(item).is_none());
                        let wrong = wrong.unwrap_or(input);
                        let what = match wrong {
                            Value::Number(number)
                                if number.is_f64() && self.form == Form::Unstructured =>
                            {
                                self.save("cannot convert float64 to uint8".to_owned());
                                return Ok(None);
                            }
                            Value::Number(number) => format!("number {number}"),
                            other => kind_of(other).to_owned(),
                        };
                        let message = self.cannot(&what, "uint8");
                        self.save(message);
                        None
                    }
                }
            }
            (Scalar::Float64, Value::Number(number)) => {
                // Go writes a float without a fraction as a whole number.
                let float = number.as_f64().unwrap_or_default();
                let whole = float.fract() == 0.0 && float.abs() < 1e15;
                Some(if whole { (float as i64).into() } else { input.clone() })
            }
            (
                Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint8,
                Value::Number(number),
            ) => {
                let fits = match scalar {
                    Scalar::Int32 => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                    Scalar::Uint32 => number.as_i64().is_some_and(|n| u32::try_from(n).is_ok()),
                    Scalar::Uint8 => number.as_i64().is_some_and(|n| u8::try_from(n).is_ok()),
                    _ => number.is_i64(),
                };
                if fits {
                    Some(input.clone())
                } else {
                    let message = self.cannot(&format!("number {number}"), go_type);
                    self.save(message);
                    None
                }
            }
            (Scalar::Time, Value::String(text)) => {
                let moment = Moment::parse(text)?;
                Some(if moment.is_zero() { Value::Null } else { moment.to_seconds_text().into() })
            }
            (Scalar::MicroTime, Value::String(text)) => {
                let moment = Moment::parse_micro(text)?;
                Some(if moment.is_zero() { Value::Null } else { moment.to_micro_text().into() })
            }
            (Scalar::Time | Scalar::MicroTime | Scalar::Duration, other) => {
                if let (Scalar::Duration, Value::String(_)) = (scalar, other) {
                    return Ok(Some(input.clone()));
                }
                return Err(self.cannot(kind_of(other), "string"));
            }
            (Scalar::Quantity, _) => Some(quantity(input)?.into()),
            (Scalar::IntOrString, Value::String(_)) => Some(input.clone()),
            (Scalar::IntOrString, Value::Number(number)) => {
                if number.as_i64().is_none_or(|n| i32::try_from(n).is_err()) {
                    // The server writes what it has parsed to read it again.
                    let printed = match (self.form, number.as_f64()) {
                        (Form::Unstructured, Some(float))
                            if number.is_f64() && (1e-6..1e21).contains(&float.abs()) =>
                        {
                            float.to_string()
                        }
                        _ => number.to_string(),
                    };
                    return Err(self.cannot(&format!("number {printed}"), "int32"));
                }
                Some(input.clone())
            }
            (Scalar::IntOrString, other) => return Err(self.cannot(kind_of(other), "int32")),
            (Scalar::RawExtension | Scalar::FieldsV1 | Scalar::Json | Scalar::Patch, _) => {
                Some(input.clone())
            }
            (Scalar::SchemaOrBool, Value::Bool(_)) => Some(input.clone()),
            (Scalar::SchemaOrBool | Scalar::SchemaOrArray | Scalar::SchemaOrStrings, _) => {
                Some(self.schema_or(scalar, input)?)
            }
            (_, other) => self.mismatch(other, go_type),
        })
    }

    /// A JSON schema where something else may stand too.
    fn schema_or(&mut self, scalar: Scalar, input: &Value) -> Result<Value, Stop> {
        let schema = self
            .tables
            .struct_named(
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
            )
            .map(Shape::Struct)
            .expect("what refers to the schema stands in the same tables");
        let loud = std::mem::replace(&mut self.silent, true);
        let read = match (scalar, input) {
            (_, Value::Object(_)) => self.value(&schema, input)?.unwrap_or(Value::Null),
            (Scalar::SchemaOrArray, Value::Array(items)) => self.list(&schema, items)?,
            (Scalar::SchemaOrStrings, Value::Array(items)) => {
                self.list(&Shape::Scalar(Scalar::String, ""), items)?
            }
            (Scalar::SchemaOrBool, _) => return Err("boolean or JSON schema expected".to_owned()),
            _ => Value::Null,
        };
        self.silent = loud;
        Ok(read)
    }

    fn mismatch(&mut self, input: &Value, go_type: &str) -> Option<Value> {
        let message = self.cannot(kind_of(input), go_type);
        self.save(message);
        None
    }

    fn save(&mut self, message: String) {
        self.saved.get_or_insert(message);
    }

    fn cannot(&self, what: &str, go_type: &str) -> String {
        if self.fields.is_empty() || self.form == Form::Unstructured {
            return format!("json: cannot unmarshal {what} into Go value of type {go_type}");
        }
        format!(
            "json: cannot unmarshal {what} into Go struct field {}.{} of type {go_type}",
            self.struct_name,
            self.fields.join(".")
        )
    }

    fn go_type(&self, shape: &Shape) -> String {
        match shape {
            Shape::Struct(id) => self.tables.get(*id).go_name.to_owned(),
            Shape::List { go_name, element } => match *go_name {
                "" => format!("[]{}", self.go_type(element)),
                named => named.to_owned(),
            },
            Shape::Map { go_name, go_key, value } => match *go_name {
                "" => format!("map[{go_key}]{}", self.go_type(value)),
                named => named.to_owned(),
            },
            Shape::Scalar(scalar, "") => scalar.go_type().to_owned(),
            Shape::Scalar(_, named) => (*named).to_owned(),
        }
    }
}

/// `v1.PodSpec` is shown as `PodSpec` where it holds the field.
fn short(go_name: &'static str) -> &'static str {
    go_name.rsplit('.').next().unwrap_or(go_name)
}

/// The names of the inlined structs that lead from one struct to another.
fn way_to(tables: &Tables, from: StructId, to: StructId, way: &mut Vec<&'static str>) -> bool {
    for field in tables.get(from).fields.iter().filter(|field| field.inline) {
        let Shape::Struct(inlined) = field.shape else { continue };
        way.push(match field.go_name {
            "" => short(tables.get(inlined).go_name),
            named => named,
        });
        if inlined == to || way_to(tables, inlined, to, way) {
            return true;
        }
        way.pop();
    }
    false
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What Go calls the kind of a parsed value.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_i64().is_none() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

/// A single parsed value as Go converts it: integers are cut to their width, whole floats become
/// integers, and nothing else changes its kind.
fn converted(scalar: Scalar, go_type: &str, input: &Value) -> Result<Value, Stop> {
    let wrong_kind = || format!("unrecognized type: {}", scalar.go_type());
    let cannot = || format!("cannot convert {} to {go_type}", go_kind(input));
    match (scalar, input) {
        (Scalar::String, Value::String(_)) | (Scalar::Bool, Value::Bool(_)) => Ok(input.clone()),
        (Scalar::String, Value::Number(number)) if number.as_i64().is_some() => Err(cannot()),
        (Scalar::String | Scalar::Bool, _) => Err(wrong_kind()),
        (_, Value::Number(number)) => {
            let whole = match number.as_i64() {
                Some(whole) => whole,
                None => {
                    let float = number.as_f64().unwrap_or_default();
                    if scalar == Scalar::Float64 {
                        return Ok(input.clone());
                    }
                    if float.fract() != 0.0 {
                        return Err(cannot());
                    }
                    // What is too large becomes the smallest, as processors have it.
                    if float >= 2_f64.powi(63) { i64::MIN } else { float as i64 }
                }
            };
            Ok(match scalar {
                Scalar::Int32 => (whole as i32).into(),
                Scalar::Uint32 => (whole as u32).into(),
                Scalar::Uint8 => (whole as u8).into(),
                _ => whole.into(),
            })
        }
        _ => Err(wrong_kind()),
    }
}

pub(crate) fn is_plain(scalar: Scalar) -> bool {
    matches!(
        scalar,
        Scalar::String
            | Scalar::Bool
            | Scalar::Int32
            | Scalar::Int64
            | Scalar::Float64
            | Scalar::Uint32
            | Scalar::Uint8
    )
}

pub(crate) fn is_collection(shape: &Shape) -> bool {
    matches!(shape, Shape::List { .. } | Shape::Map { .. } | Shape::Scalar(Scalar::Bytes, _))
}

pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

pub(crate) fn quantity(input: &Value) -> Result<String, Stop> {
    let text = match input {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                (float as i64).to_string()
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    };
    let read = Quantity::parse(text.trim()).map_err(|error| error.to_string())?;
    Ok(read.to_string())
}

/// Reads base64 as Go does (line ends are skipped) and writes it again; an error is the place
/// of the first byte that is wrong.
pub(crate) fn base64_of(text: &str) -> Result<String, usize> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let kept: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, b)| !matches!(b, b'\r' | b'\n')).collect();
    let bytes: Vec<u8> = kept.iter().map(|&(_, byte)| byte).collect();
    let place = |at: usize| kept.get(at).map_or(text.len(), |&(at, _)| at);
    // Go's strictness about trailing bits is off.
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    // What is no sign of base64 at all is found before anything else.
    let foreign = |b: &u8| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'/' | b'=');
    if let Some(at) = bytes.iter().position(foreign) {
        return Err(place(at));
    }
    match lenient.decode(&bytes) {
        Ok(decoded) => Ok(STANDARD.encode(decoded)),
        Err(base64::DecodeError::InvalidByte(at, _)) => Err(place(at)),
        Err(_) => {
            let whole = bytes.len() / 4 * 4;
            Err(place(bytes.iter().position(|&b| b == b'=').unwrap_or(whole)))
        }
    }
}
