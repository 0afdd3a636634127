//! Building values of JSON while something looks at the keys, which `serde_json` alone keeps to itself.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What is done with keys.
pub trait Keys {
    /// An item of a list begins.
    fn item(&mut self, index: usize) {
        let _ = index;
    }

    /// A field begins; `before` was read of its map already.
    fn field(&mut self, before: &Map<String, Value>, name: &str) {
        let _ = (before, name);
    }

    /// What began last is over.
    fn end(&mut self) {}

    /// Puts a field to those before.
    fn put(&mut self, before: &mut Map<String, Value>, name: String, value: Value) {
        before.insert(name, value);
    }
}

/// Reads a value.
///
/// # Errors
///
/// Where it does not parse; what stands behind it is not looked at.
pub fn build<'de, D: Deserializer<'de>>(
    deserializer: D,
    keys: &mut impl Keys,
) -> Result<Value, D::Error> {
    Building(keys).deserialize(deserializer)
}

/// Whether a key stands twice: hardly ever, so that where is asked later.
#[derive(Default)]
pub struct Twice(pub bool);

impl Keys for Twice {
    fn put(&mut self, before: &mut Map<String, Value>, name: String, value: Value) {
        self.0 |= before.insert(name, value).is_some();
    }
}

/// Puts values of equal keys together, as Go reads them into a struct.
pub struct Merged;

impl Keys for Merged {
    fn put(&mut self, before: &mut Map<String, Value>, name: String, value: Value) {
        match before.get_mut(&name) {
            Some(before) => put_together(before, value),
            None => {
                before.insert(name, value);
            }
        }
    }
}

/// Reads a value over one that was read before: nothing changes nothing, structs keep their other fields,
/// and lists their items' other fields.
fn put_together(before: &mut Value, value: Value) {
    match (before, value) {
        (_, Value::Null) => {}
        (Value::Object(before), Value::Object(fields)) => {
            for (name, value) in fields {
                Merged.put(before, name, value);
            }
        }
        (Value::Array(before), Value::Array(items)) => {
            before.truncate(items.len());
            for (index, item) in items.into_iter().enumerate() {
                match before.get_mut(index) {
                    Some(before) => put_together(before, item),
                    None => before.push(item),
                }
            }
        }
        (before, value) => *before = value,
    }
}

/// Where keys stand, as in `spec.containers[0].name`.
#[derive(Default)]
pub struct Places {
    path: String,
    /// How long the path was before each of its steps.
    lengths: Vec<usize>,
    /// Those that stand twice.
    pub twice: Vec<String>,
    /// All, in the order of the text.
    pub order: Vec<String>,
}

impl Keys for Places {
    fn item(&mut self, index: usize) {
        self.lengths.push(self.path.len());
        let _infallible = write!(self.path, "[{index}]");
    }

    fn field(&mut self, before: &Map<String, Value>, name: &str) {
        self.lengths.push(self.path.len());
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
        self.order.push(self.path.clone());
        if before.contains_key(name) {
            self.twice.push(self.path.clone());
        }
    }

    fn end(&mut self) {
        self.path.truncate(self.lengths.pop().unwrap_or(0));
    }
}

struct Building<'a, K>(&'a mut K);

impl<'de, K: Keys> DeserializeSeed<'de> for Building<'_, K> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, K: Keys> Visitor<'de> for Building<'_, K> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.0.item(items.len());
            let next = seq.next_element_seed(Building(&mut *self.0))?;
            self.0.end();
            match next {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.0.field(&fields, &name);
            let value = map.next_value_seed(Building(&mut *self.0))?;
            self.0.end();
            self.0.put(&mut fields, name, value);
        }
        Ok(Value::Object(fields))
    }
}
