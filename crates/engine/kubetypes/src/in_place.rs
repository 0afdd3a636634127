//! The quick way of a decode: an object that holds nothing unusual is put in order where it is.
//!
//! Almost every object is as its kind declares it: each field known and of its type. Of such a
//! one no error is told and nothing is reported, so that nothing need be copied: what the round
//! trip leaves out goes, what it always writes comes. Whatever is not as plain as that is left
//! to [`roundtrip`](crate::roundtrip()), untouched.

use serde_json::{Map, Value};

use crate::empties::Empties;
use crate::gotime::Moment;
use crate::roundtrip::{base64_of, is_collection, is_empty, is_plain, quantity};
use crate::shape::{Field, Scalar, Shape, StructId};
use crate::tables::Tables;

/// Whether nothing in `value` is unknown, of a wrong type or in need of another form, but for
/// nulls in fields and quantities.
pub(crate) fn is_usual(tables: &Tables, shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Struct(id), Value::Object(fields)) => fields.iter().all(|(name, value)| {
            tables
                .field(*id, name)
                .is_some_and(|field| value.is_null() || is_usual(tables, &field.shape, value))
        }),
        (Shape::List { element, .. }, Value::Array(items)) => {
            items.iter().all(|item| is_usual(tables, element, item))
        }
        (Shape::Map { value: of, .. }, Value::Object(entries)) => {
            entries.values().all(|value| is_usual(tables, of, value))
        }
        (Shape::Scalar(scalar, _), value) => is_usual_scalar(*scalar, value),
        (Shape::Struct(_) | Shape::List { .. } | Shape::Map { .. }, _) => false,
    }
}

fn is_usual_scalar(scalar: Scalar, value: &Value) -> bool {
    let is_within = |least: i64, most: i64| {
        value.as_i64().is_some_and(|number| (least..=most).contains(&number))
    };
    match scalar {
        Scalar::String | Scalar::Duration => value.is_string(),
        Scalar::Bool => value.is_boolean(),
        Scalar::Int32 => is_within(i64::from(i32::MIN), i64::from(i32::MAX)),
        Scalar::Uint32 => is_within(0, i64::from(u32::MAX)),
        Scalar::Uint8 => is_within(0, i64::from(u8::MAX)),
        // Floats have forms; whole numbers have one.
        Scalar::Int64 | Scalar::Float64 => value.is_i64(),
        Scalar::IntOrString => {
            value.is_string() || is_within(i64::from(i32::MIN), i64::from(i32::MAX))
        }
        Scalar::Quantity => quantity(value).is_ok(),
        Scalar::Bytes => {
            value.as_str().is_some_and(|text| base64_of(text).is_ok_and(|same| same == text))
        }
        Scalar::Time => is_time(value, Moment::parse, Moment::to_seconds_text),
        Scalar::MicroTime => is_time(value, Moment::parse_micro, Moment::to_micro_text),
        Scalar::RawExtension | Scalar::FieldsV1 | Scalar::Json | Scalar::Patch => !value.is_null(),
        Scalar::SchemaOrArray | Scalar::SchemaOrBool | Scalar::SchemaOrStrings => false,
    }
}

/// Whether a time is written as it would be written again.
fn is_time(
    value: &Value,
    parse: fn(&str) -> Result<Moment, String>,
    write: fn(Moment) -> String,
) -> bool {
    let Some(text) = value.as_str() else { return false };
    parse(text).is_ok_and(|moment| !moment.is_zero() && write(moment) == text)
}

/// Makes of a usual object what a round trip makes of it.
pub(crate) fn put_in_order(tables: &Tables, id: StructId, value: &mut Value, empties: Empties) {
    if let Value::Object(fields) = value {
        Order { tables, empties }.object(id, fields);
    }
}

struct Order<'a> {
    tables: &'a Tables,
    empties: Empties,
}

impl Order<'_> {
    fn object(&self, id: StructId, object: &mut Map<String, Value>) {
        let mut left_out: Vec<&'static str> = Vec::new();
        for (name, value) in object.iter_mut() {
            let Some(field) = self.tables.field(id, name) else { continue };
            if value.is_null() {
                left_out.push(field.name);
                continue;
            }
            self.value(&field.shape, value);
            if field.pointer {
                continue;
            }
            if self.empties == Empties::Go && is_collection(&field.shape) && is_empty(value) {
                *value = Value::Null;
            }
            if self.is_left_out(field, value) {
                left_out.push(field.name);
            }
        }
        for name in left_out {
            object.remove(name);
        }
        for &(home, at) in &self.tables.get(id).always {
            let field = &self.tables.get(home).fields[at as usize];
            if !object.contains_key(field.name) {
                let gone = self.empties == Empties::Go && is_collection(&field.shape);
                let value = match field.pointer || gone {
                    true => Value::Null,
                    false => self.zero(&field.shape),
                };
                object.insert(field.name.to_owned(), value);
            }
        }
    }

    fn value(&self, shape: &Shape, value: &mut Value) {
        match (shape, value) {
            (Shape::Struct(id), Value::Object(object)) => self.object(*id, object),
            (Shape::List { element, .. }, Value::Array(items)) => {
                items.iter_mut().for_each(|item| self.value(element, item));
            }
            (Shape::Map { value: of, .. }, Value::Object(entries)) => {
                entries.values_mut().for_each(|value| self.value(of, value));
            }
            (Shape::Scalar(Scalar::Quantity, _), value) => {
                if let Ok(text) = quantity(value)
                    && value.as_str() != Some(&text)
                {
                    *value = text.into();
                }
            }
            _ => {}
        }
    }

    fn is_left_out(&self, field: &Field, value: &Value) -> bool {
        match &field.shape {
            Shape::List { .. } | Shape::Map { .. } => {
                field.omit_empty && self.empties.is_nothing(value)
            }
            Shape::Scalar(Scalar::Bytes, _) => field.omit_empty && is_empty(value),
            Shape::Scalar(scalar, _) if is_plain(*scalar) => {
                (field.omit_empty || field.omit_zero) && self.is_zero(&field.shape, value)
            }
            Shape::Struct(_) | Shape::Scalar(..) => {
                field.omit_zero && self.is_zero(&field.shape, value)
            }
        }
    }

    /// Whether a value is what is written where nothing was.
    fn is_zero(&self, shape: &Shape, value: &Value) -> bool {
        match (shape, value) {
            (Shape::Struct(id), Value::Object(object)) => {
                let always = &self.tables.get(*id).always;
                always.len() == object.len()
                    && always.iter().all(|&(home, at)| {
                        let field = &self.tables.get(home).fields[at as usize];
                        object.get(field.name).is_some_and(|value| match field.pointer {
                            true => value.is_null(),
                            false => self.is_zero(&field.shape, value),
                        })
                    })
            }
            (Shape::Scalar(Scalar::Float64, _), value) => value.as_f64() == Some(0.0),
            (Shape::Scalar(Scalar::String, _), value) => value.as_str() == Some(""),
            (Shape::Scalar(Scalar::Bytes, _), value) => is_empty(value),
            (Shape::Scalar(..), value) => *value == self.zero(shape),
            (Shape::Struct(_) | Shape::List { .. } | Shape::Map { .. }, value) => value.is_null(),
        }
    }

    /// What is written of a shape that was not there.
    fn zero(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Struct(id) => {
                let mut object = Map::new();
                self.object(*id, &mut object);
                Value::Object(object)
            }
            Shape::List { .. } | Shape::Map { .. } => Value::Null,
            Shape::Scalar(scalar, _) => scalar.zero(),
        }
    }
}

/// Whether a field is written also where nothing is in it.
pub(crate) fn is_always_written(field: &Field) -> bool {
    let omitted = field.omit_empty || field.omit_zero;
    if field.pointer {
        return !omitted;
    }
    match &field.shape {
        Shape::List { .. } | Shape::Map { .. } | Shape::Scalar(Scalar::Bytes, _) => {
            !field.omit_empty
        }
        Shape::Scalar(scalar, _) if is_plain(*scalar) => !omitted,
        Shape::Struct(_) | Shape::Scalar(..) => !field.omit_zero,
    }
}
