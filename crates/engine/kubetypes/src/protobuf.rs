//! Request bodies in protobuf, read into the same values as JSON bodies.
//!
//! Typed clients send `application/vnd.kubernetes.protobuf`: four bytes, an envelope that names
//! the kind, and the object in the numbering of its Go struct, which the tables hold.

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifest::Gvk;
use serde_json::{Map, Value};

use crate::gotime::Moment;
use crate::roundtrip::{DecodeError, roundtrip};
use crate::shape::{Field, Scalar, Shape, StructId};
use crate::tables::Tables;

/// What a protobuf body begins with.
pub const PREFIX: &[u8; 4] = b"k8s\0";

/// Why a protobuf body could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// It does not begin as one.
    #[error("the body is not Kubernetes protobuf")]
    Prefix,
    /// The bytes are no message, or not the message that the kind has.
    #[error("the protobuf body of {0} is broken")]
    Broken(String),
    /// The object cannot be read.
    #[error(transparent)]
    Object(#[from] DecodeError),
}

/// Reads a body: the kind that its envelope names, and the object as JSON would show it.
///
/// # Errors
///
/// See [`ProtobufError`]; a kind that the tables do not hold is [`ProtobufError::Object`].
pub fn decode(tables: &Tables, body: &[u8]) -> Result<(Gvk, Value), ProtobufError> {
    let message = body.strip_prefix(PREFIX).ok_or(ProtobufError::Prefix)?;
    let envelope = "the envelope".to_owned();
    let (kind, raw) = read_envelope(message).ok_or(ProtobufError::Broken(envelope))?;
    let id = tables
        .struct_of(&kind)
        .ok_or_else(|| ProtobufError::Object(DecodeError::UnknownKind(kind.clone())))?;
    let mut object = Map::new();
    let reader = Reader { tables, schema: OnceCell::new() };
    reader.object(id, raw, &mut object).ok_or_else(|| ProtobufError::Broken(kind.kind.clone()))?;
    object.insert("apiVersion".to_owned(), api_version(&kind).into());
    object.insert("kind".to_owned(), kind.kind.clone().into());
    // Zeros of plain fields travel, though JSON leaves them out.
    let decoded = roundtrip(tables, &kind, &Value::Object(object))?;
    Ok((kind, decoded.object))
}

fn api_version(kind: &Gvk) -> String {
    match kind.group.as_str() {
        "" => kind.version.clone(),
        group => format!("{group}/{}", kind.version),
    }
}

fn read_envelope(message: &[u8]) -> Option<(Gvk, &[u8])> {
    let (mut api_version, mut kind, mut raw) = ("", "", &[][..]);
    for part in parts(message) {
        match part? {
            (1, Wire::Bytes(types)) => {
                for part in parts(types) {
                    match part? {
                        (1, Wire::Bytes(text)) => api_version = std::str::from_utf8(text).ok()?,
                        (2, Wire::Bytes(text)) => kind = std::str::from_utf8(text).ok()?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    Some((Gvk::from_api_version(api_version, kind), raw))
}

/// A value on the wire.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

/// The numbered values of a message; `None` where the bytes are broken, and nothing after.
fn parts(mut rest: &[u8]) -> impl Iterator<Item = Option<(u32, Wire<'_>)>> {
    let mut broken = false;
    std::iter::from_fn(move || {
        if rest.is_empty() || broken {
            return None;
        }
        let read = part(&mut rest);
        broken = read.is_none();
        Some(read)
    })
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<(u32, Wire<'a>)> {
    let tag = varint(rest)?;
    let number = u32::try_from(tag >> 3).ok()?;
    let wire = match tag & 7 {
        0 => Wire::Varint(varint(rest)?),
        1 => Wire::Fixed64(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Wire::Bytes(take(rest, length)?)
        }
        5 => {
            take(rest, 4)?;
            Wire::Fixed32
        }
        _ => return None,
    };
    Some((number, wire))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

struct Reader<'a> {
    tables: &'a Tables,
    /// The struct of JSON schemas, looked up when one is met.
    schema: OnceCell<Option<StructId>>,
}

impl Reader<'_> {
    /// Reads a message into an object. `None` where the bytes are broken.
    fn object(&self, id: StructId, message: &[u8], into: &mut Map<String, Value>) -> Option<()> {
        let fields = &self.tables.get(id).fields;
        for part in parts(message) {
            let (number, wire) = part?;
            // What is newer than the tables is left out, as a server leaves it.
            let Some(field) = fields.iter().find(|f| f.number == number && number != 0) else {
                continue;
            };
            match (field.inline, &field.shape, wire) {
                (true, Shape::Struct(inlined), Wire::Bytes(bytes)) => {
                    self.object(*inlined, bytes, into)?;
                }
                _ => self.field(field, wire, into)?,
            }
        }
        Some(())
    }

    fn field(&self, field: &Field, wire: Wire, into: &mut Map<String, Value>) -> Option<()> {
        match (&field.shape, wire) {
            (Shape::List { element, .. }, wire) => {
                let list = into.entry(field.name).or_insert_with(|| Value::Array(Vec::new()));
                let items = list.as_array_mut()?;
                match (is_number(element), wire) {
                    (true, Wire::Bytes(mut packed)) => {
                        while !packed.is_empty() {
                            let number = Wire::Varint(varint(&mut packed)?);
                            items.push(self.value(element, number)?);
                        }
                    }
                    _ => items.push(self.value(element, wire)?),
                }
            }
            (Shape::Map { value, .. }, Wire::Bytes(entry)) => {
                let (mut key, mut found) = (String::new(), None);
                for part in parts(entry) {
                    match part? {
                        (1, Wire::Bytes(text)) => key = String::from_utf8(text.to_vec()).ok()?,
                        (2, wire) => found = Some(self.value(value, wire)?),
                        _ => {}
                    }
                }
                let map = into.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
                map.as_object_mut()?.insert(key, found.unwrap_or(Value::Null));
            }
            (shape, wire) => {
                let value = self.value(shape, wire)?;
                into.insert(field.name.to_owned(), value);
            }
        }
        Some(())
    }

    fn value(&self, shape: &Shape, wire: Wire) -> Option<Value> {
        match (shape, wire) {
            (Shape::Struct(id), Wire::Bytes(bytes)) => {
                let mut object = Map::new();
                self.object(*id, bytes, &mut object)?;
                Some(Value::Object(object))
            }
            // A list as a map's value is a message of items.
            (Shape::List { element, .. }, Wire::Bytes(bytes)) => parts(bytes)
                .filter_map(|part| match part {
                    Some((1, wire)) => Some(self.value(element, wire)),
                    Some(_) => None,
                    None => Some(None),
                })
                .collect(),
            (Shape::Scalar(scalar, _), wire) => self.scalar(*scalar, wire),
            _ => None,
        }
    }

    fn scalar(&self, scalar: Scalar, wire: Wire) -> Option<Value> {
        let bytes = match (scalar, wire) {
            (Scalar::Bool, Wire::Varint(value)) => return Some((value != 0).into()),
            (Scalar::Int32, Wire::Varint(value)) => return Some((value as i32).into()),
            (Scalar::Int64, Wire::Varint(value)) => return Some((value as i64).into()),
            (Scalar::Uint32 | Scalar::Uint8, Wire::Varint(value)) => {
                return Some((value as u32).into());
            }
            (Scalar::Float64, Wire::Fixed64(bits)) => return Some(f64::from_bits(bits).into()),
            (_, Wire::Bytes(bytes)) => bytes,
            _ => return None,
        };
        match scalar {
            Scalar::String => String::from_utf8(bytes.to_vec()).ok().map(Value::String),
            Scalar::Bytes => Some(STANDARD.encode(bytes).into()),
            Scalar::Time => Some(match moment(bytes)? {
                Some(moment) => moment.to_seconds_text().into(),
                None => Value::Null,
            }),
            Scalar::MicroTime => Some(match moment(bytes)? {
                Some(moment) => moment.to_micro_text().into(),
                None => Value::Null,
            }),
            Scalar::Quantity => match first(bytes, 1)? {
                Some(Wire::Bytes(text)) => String::from_utf8(text.to_vec()).ok().map(Value::String),
                _ => Some("0".into()),
            },
            Scalar::IntOrString => int_or_string(bytes),
            Scalar::RawExtension | Scalar::FieldsV1 | Scalar::Json => {
                Some(match first(bytes, 1)? {
                    Some(Wire::Bytes(raw)) if raw.starts_with(PREFIX) => {
                        decode(self.tables, raw).ok()?.1
                    }
                    Some(Wire::Bytes(raw)) if !raw.is_empty() => {
                        serde_json::from_slice(raw).ok()?
                    }
                    _ => Value::Null,
                })
            }
            Scalar::SchemaOrArray | Scalar::SchemaOrBool | Scalar::SchemaOrStrings => {
                self.schema_or(scalar, bytes)
            }
            _ => None,
        }
    }

    fn schema_or(&self, scalar: Scalar, bytes: &[u8]) -> Option<Value> {
        let schema = (*self.schema.get_or_init(|| {
            self.tables.struct_named(
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
            )
        }))?;
        let at = if scalar == Scalar::SchemaOrBool { 2 } else { 1 };
        let mut items = Vec::new();
        let mut allows = false;
        for part in parts(bytes) {
            match (scalar, part?) {
                (_, (number, wire)) if number == at => {
                    return self.value(&Shape::Struct(schema), wire);
                }
                (Scalar::SchemaOrArray, (2, wire)) => {
                    items.push(self.value(&Shape::Struct(schema), wire)?);
                }
                (Scalar::SchemaOrStrings, (2, wire)) => {
                    items.push(self.scalar(Scalar::String, wire)?);
                }
                // The schema may follow.
                (Scalar::SchemaOrBool, (1, Wire::Varint(value))) => allows = value != 0,
                _ => {}
            }
        }
        Some(if scalar == Scalar::SchemaOrBool { allows.into() } else { Value::Array(items) })
    }
}

fn is_number(shape: &Shape) -> bool {
    matches!(shape, Shape::Scalar(Scalar::Bool | Scalar::Int32 | Scalar::Int64 | Scalar::Uint32, _))
}

/// The last value of a number; the outer `None` where the bytes are broken.
fn first(message: &[u8], wanted: u32) -> Option<Option<Wire<'_>>> {
    let mut found = None;
    for part in parts(message) {
        let (number, wire) = part?;
        if number == wanted {
            found = Some(wire);
        }
    }
    Some(found)
}

/// A time; no bytes at all are no time.
fn moment(message: &[u8]) -> Option<Option<Moment>> {
    if message.is_empty() {
        return Some(None);
    }
    let (mut seconds, mut nanoseconds) = (0, 0);
    for part in parts(message) {
        match part? {
            (1, Wire::Varint(value)) => seconds = value as i64,
            (2, Wire::Varint(value)) => nanoseconds = u32::try_from(value).ok()?,
            _ => {}
        }
    }
    Some(Some(Moment { seconds, nanoseconds }))
}

fn int_or_string(message: &[u8]) -> Option<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for part in parts(message) {
        match part? {
            (1, Wire::Varint(value)) => is_text = value == 1,
            (2, Wire::Varint(value)) => number = value as i32,
            (3, Wire::Bytes(bytes)) => text = String::from_utf8(bytes.to_vec()).ok()?,
            _ => {}
        }
    }
    Some(if is_text { text.into() } else { number.into() })
}
