//! Writing: plain keys of a table first, then its tables, both sorted; a step of two blanks.

use goval::{Budget, Kind, Map, Str, Value};

use crate::args::elements;
use crate::time::Time;

/// Values nest no deeper than this.
const DEPTH_MAX: usize = 1_000;

/// Why a value was not written.
pub(crate) enum WriteError {
    /// The library says so.
    Refused(String),
    /// The library breaks.
    Panic(String),
}

impl WriteError {
    pub(crate) fn into_text(self) -> String {
        match self {
            WriteError::Refused(text) | WriteError::Panic(text) => text,
        }
    }
}

fn refused(text: &str) -> WriteError {
    WriteError::Refused(text.to_owned())
}

/// Writes a value.
///
/// # Errors
///
/// [`WriteError`], with the library's words.
pub(crate) fn write(value: &Value, budget: &mut Budget) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer { out: Vec::new(), limit: budget.bytes };
    if matches!(value, Value::Nil) {
        return Err(WriteError::Panic(
            "reflect: call of reflect.Value.Type on zero Value".to_owned(),
        ));
    }
    writer.entry(&mut Vec::new(), value)?;
    budget.charge(writer.out.len() as u64).map_err(WriteError::Refused)?;
    Ok(writer.out)
}

/// What a value is to TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Nothing,
    Scalar,
    Array,
    Table,
    Tables,
}

struct Writer {
    out: Vec<u8>,
    limit: u64,
}

/// A struct's fields, or a map.
fn table_of(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Object(object) if object.as_any().is::<Time>() => None,
        Value::Object(object) => match object.plain() {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        },
        _ => None,
    }
}

fn shape(value: &Value) -> Result<Shape, WriteError> {
    if table_of(value).is_some() {
        return Ok(Shape::Table);
    }
    match value {
        Value::Nil => return Ok(Shape::Nothing),
        Value::List(list) if list.is_nil() => return Ok(Shape::Nothing),
        _ => {}
    }
    let Ok(items) = elements(value) else { return Ok(Shape::Scalar) };
    let mut tables = !items.is_empty();
    for item in items.iter() {
        match shape(item)? {
            Shape::Nothing => return Err(refused("toml: cannot encode array with nil element")),
            Shape::Table => {}
            _ => tables = false,
        }
    }
    Ok(if tables { Shape::Tables } else { Shape::Array })
}

impl Writer {
    fn text(&mut self, text: &[u8]) -> Result<(), WriteError> {
        self.out.extend_from_slice(text);
        if self.out.len() as u64 > self.limit {
            return Err(refused("the rendering makes too much text"));
        }
        Ok(())
    }

    fn newline(&mut self) -> Result<(), WriteError> {
        if self.out.is_empty() { Ok(()) } else { self.text(b"\n") }
    }

    fn step(&mut self, keys: &[Str]) -> Result<(), WriteError> {
        self.text(&b"  ".repeat(keys.len().saturating_sub(1)))
    }

    fn entry(&mut self, keys: &mut Vec<Str>, value: &Value) -> Result<(), WriteError> {
        if keys.len() > DEPTH_MAX {
            return Err(refused("the value is nested too deeply"));
        }
        match shape(value)? {
            Shape::Nothing => Ok(()),
            Shape::Table => {
                if keys.len() == 1 {
                    self.newline()?;
                }
                if !keys.is_empty() {
                    self.step(keys)?;
                    self.heading(b"[", keys, b"]")?;
                }
                self.table(keys, &table_of(value).expect("it is a table"))
            }
            Shape::Tables => {
                if keys.is_empty() {
                    return Err(refused("toml: top-level values must be Go maps or structs"));
                }
                let items = elements(value).unwrap_or(crate::args::Elements::Owned(Vec::new()));
                for item in items.iter() {
                    self.newline()?;
                    self.step(keys)?;
                    self.heading(b"[[", keys, b"]]")?;
                    self.table(keys, &table_of(item).expect("it is a table"))?;
                }
                Ok(())
            }
            Shape::Scalar | Shape::Array => {
                if let Some(key) = keys.last().cloned() {
                    self.step(keys)?;
                    self.key(&key)?;
                    self.text(b" = ")?;
                    self.element(value)?;
                    self.newline()
                } else {
                    self.element(value)
                }
            }
        }
    }

    fn heading(&mut self, open: &[u8], keys: &[Str], close: &[u8]) -> Result<(), WriteError> {
        self.text(open)?;
        for (at, key) in keys.iter().enumerate() {
            if at > 0 {
                self.text(b".")?;
            }
            self.key(key)?;
        }
        self.text(close)?;
        self.newline()
    }

    /// The entries: those that are no tables, then those that are.
    fn sorted(&self, map: &Map) -> Result<[Vec<(Str, Value)>; 2], WriteError> {
        let (mut plain, mut tables) = (Vec::new(), Vec::new());
        for (key, value) in map.entries() {
            match shape(&value)? {
                Shape::Table | Shape::Tables => tables.push((key, value)),
                _ => plain.push((key, value)),
            }
        }
        Ok([plain, tables])
    }

    fn table(&mut self, keys: &mut Vec<Str>, map: &Map) -> Result<(), WriteError> {
        for (key, value) in self.sorted(map)?.into_iter().flatten() {
            keys.push(key);
            self.entry(keys, &value)?;
            keys.pop();
        }
        Ok(())
    }

    fn inline_table(&mut self, map: &Map) -> Result<(), WriteError> {
        let [plain, tables] = self.sorted(map)?;
        self.text(b"{")?;
        let more = !tables.is_empty();
        for (entries, trailing) in [(plain, more), (tables, false)] {
            let last = entries.len().saturating_sub(1);
            for (at, (key, value)) in entries.iter().enumerate() {
                if shape(value)? == Shape::Nothing {
                    continue;
                }
                self.key(key)?;
                self.text(b" = ")?;
                self.element(value)?;
                if trailing || at != last {
                    self.text(b", ")?;
                }
            }
        }
        self.text(b"}")
    }

    fn key(&mut self, key: &Str) -> Result<(), WriteError> {
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !key.is_empty() && key.iter().all(is_bare) {
            return self.text(key);
        }
        self.quoted(key)
    }

    fn quoted(&mut self, text: &[u8]) -> Result<(), WriteError> {
        let mut out = Vec::with_capacity(text.len() + 2);
        out.push(b'"');
        for byte in text {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', *byte]),
                b'\x08' => out.extend(b"\\b"),
                b'\t' => out.extend(b"\\t"),
                b'\n' => out.extend(b"\\n"),
                b'\x0C' => out.extend(b"\\f"),
                b'\r' => out.extend(b"\\r"),
                0..=0x1F | 0x7F => out.extend(format!("\\u00{byte:02x}").bytes()),
                _ => out.push(*byte),
            }
        }
        out.push(b'"');
        self.text(&out)
    }

    fn element(&mut self, value: &Value) -> Result<(), WriteError> {
        if let Some(map) = table_of(value) {
            return self.inline_table(&map);
        }
        match value {
            Value::Str(text) => self.quoted(text),
            Value::Bool(value) => self.text(value.to_string().as_bytes()),
            Value::Int(value, _) => self.text(value.to_string().as_bytes()),
            Value::Uint(value, _) => self.text(value.to_string().as_bytes()),
            Value::Float(value) => self.text(float_text(*value).as_bytes()),
            Value::Nil | Value::Map(_) => Ok(()),
            Value::List(_) | Value::Bytes(_) => {
                let items = elements(value).unwrap_or(crate::args::Elements::Owned(Vec::new()));
                self.text(b"[")?;
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.text(b", ")?;
                    }
                    self.element(item)?;
                }
                self.text(b"]")
            }
            Value::Object(object) => {
                if let Some(time) = object.as_any().downcast_ref::<Time>() {
                    return self.text(time_text(time).as_bytes());
                }
                match (object.kind(), object.plain()) {
                    (Kind::Func, _) | (_, None) => {
                        let name = object.type_name();
                        Err(refused(&format!("unexpected type: {name}")))
                    }
                    (_, Some(_)) if object.is_stringer() && object.kind() != Kind::Ptr => {
                        self.quoted(object.print().as_bytes())
                    }
                    (_, Some(plain)) => self.element(&plain),
                }
            }
        }
    }
}

fn float_text(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return format!("{sign}nan");
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    let text = goval::format_float(value, b'g', None, goval::FloatBits::F64);
    if text.contains(['e', '.']) { text } else { format!("{text}.0") }
}

/// A time that was read without a zone is written without one.
fn time_text(time: &Time) -> String {
    match time.place() {
        super::reader::LOCAL_DATETIME => time.formatted("2006-01-02T15:04:05.999999999"),
        super::reader::LOCAL_DATE => time.formatted("2006-01-02"),
        super::reader::LOCAL_TIME => time.formatted("15:04:05.999999999"),
        _ => time.rfc_3339(),
    }
}
