//! Values of templates to YAML, without a JSON value between.
//!
//! It prints exactly what is printed of the value's JSON, or nothing at all: what has no JSON, what
//! Go refuses and what is rare is left to the long way.

use goval::{Str, Value};

use super::{Dialect, Emitter, Place, SIMPLE_KEY_BYTES_MAX, Style, number_text};
use crate::order;
use crate::read_back::read_back;

/// Collections inside each other; the long way takes more.
const DEPTH_MAX: usize = 100;

/// Prints what [`to_yaml`](super::to_yaml) prints of the value's JSON. `None` says nothing about
/// the value.
pub fn to_yaml_of(value: &Value) -> Option<String> {
    let mut emitter = Emitter::new(Dialect::V2);
    emitter.direct(value, Place::Root, 0)?;
    emitter.write_indent();
    Some(emitter.out)
}

impl Emitter {
    fn direct(&mut self, value: &Value, place: Place, depth: usize) -> Option<()> {
        match value {
            Value::Nil => self.word("null", place),
            Value::Bool(true) => self.word("true", place),
            Value::Bool(false) => self.word("false", place),
            Value::Int(number, _) => self.word(&number.to_string(), place),
            Value::Uint(number, _) => self.word(&number.to_string(), place),
            Value::Float(_) => {
                let json = goval::to_json(value).ok()?;
                self.word(&number_text(json.as_number()?), place);
            }
            Value::Str(text) => self.string(&read_back(text.as_utf8()?).ok()?, place),
            Value::List(list) if list.is_nil() => self.word("null", place),
            Value::List(list) if list.is_empty() => self.empty("[", "]"),
            Value::List(list) => {
                if depth >= DEPTH_MAX {
                    return None;
                }
                let before = self.enter_sequence(place);
                for item in list.iter() {
                    self.dash();
                    self.direct(item, Place::Item, depth + 1)?;
                }
                self.indent = before;
            }
            Value::Map(map) if map.is_nil() => self.word("null", place),
            Value::Map(map) => {
                if depth >= DEPTH_MAX {
                    return None;
                }
                map.look_at_entries(|entries| self.entries(entries, depth))?;
            }
            Value::Bytes(_) | Value::Object(_) => return None,
        }
        Some(())
    }

    fn word(&mut self, word: &str, place: Place) {
        self.scalar(word, Style::Plain, place);
    }

    /// A map's entries, which stand in the bytewise order of their keys.
    fn entries(&mut self, entries: &[(Str, Value)], depth: usize) -> Option<()> {
        if entries.is_empty() {
            self.empty("{", "}");
            return Some(());
        }
        let mut ordered = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            ordered.push((usual_key(key)?, value));
        }
        order::sort(&mut ordered, |one, other| order::less(one.0, other.0, Dialect::V2));
        let before = self.enter_mapping();
        for (key, value) in ordered {
            self.key(key);
            self.direct(value, Place::InMapping, depth + 1)?;
        }
        self.indent = before;
        Some(())
    }
}

/// A short key of ASCII, which Go reads back as it is.
fn usual_key(key: &[u8]) -> Option<&str> {
    let is_usual = key.len() <= SIMPLE_KEY_BYTES_MAX && key.iter().all(|byte| *byte < 0x7F);
    std::str::from_utf8(key).ok().filter(|_| is_usual)
}
