//! Entries of `metadata.managedFields`, read and written.

use std::fmt;

use serde_json::{Map, Value};

use crate::fields::FieldSet;
use crate::managed::time::{format_seconds, parse_seconds};
use crate::values;

/// What one manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The manager's name, as in `kubectl-client-side-apply`.
    pub manager: String,
    /// By what kind of writes it came to own it.
    pub operation: Operation,
    /// The subresource that was written to; `""` is the object itself.
    pub subresource: String,
    /// The version at which the paths are to be read.
    pub api_version: String,
    /// Seconds since 1970.
    pub time_s: Option<i64>,
    /// What is owned.
    pub fields: FieldSet,
}

/// How a manager writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else.
    Update,
}

impl Operation {
    /// As managed fields spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl Owned {
    /// Whether both are entries of one manager. Who applies is the same at every version.
    pub(crate) fn is_same_manager(&self, other: &Owned) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// The manager as the API server identifies it; only good for sorting.
    pub(crate) fn identifier(&self) -> String {
        let mut out = String::from("{");
        let mut field = |name: &str, value: &str| {
            if !value.is_empty() {
                if out.len() > 1 {
                    out.push(',');
                }
                values::write_json_string(&mut out, name, false);
                out.push(':');
                values::write_json_string(&mut out, value, true);
            }
        };
        field("manager", &self.manager);
        field("operation", self.operation.as_str());
        if self.operation == Operation::Update {
            field("apiVersion", &self.api_version);
        }
        field("subresource", &self.subresource);
        out.push('}');
        out
    }
}

/// Why managed fields cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadManagedFields(pub String);

/// Reads an object's managed fields.
pub fn owners(object: &Value) -> Result<Vec<Owned>, BadManagedFields> {
    let entries = match managed_fields(object) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(BadManagedFields("managedFields is not a list".to_owned())),
    };
    let mut out: Vec<Owned> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let owned = read(at, entry).map_err(BadManagedFields)?;
        match out.iter_mut().find(|other| other.is_same_manager(&owned)) {
            Some(other) => *other = owned,
            None => out.push(owned),
        }
    }
    Ok(out)
}

pub(crate) fn read(at: usize, entry: &Value) -> Result<Owned, String> {
    let text = |name: &str| match entry.get(name) {
        Some(Value::String(text)) => text.as_str(),
        _ => "",
    };
    let operation = match text("operation") {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return Err("operation must be `Apply` or `Update`".to_owned()),
    };
    if text("apiVersion").is_empty() {
        return Err("apiVersion must not be empty".to_owned());
    }
    match text("fieldsType") {
        "FieldsV1" => {}
        "" => return Err(format!("missing fieldsType in managed fields entry {at}")),
        other => {
            let other = values::quote(other);
            return Err(format!("invalid fieldsType {other} in managed fields entry {at}"));
        }
    }
    let fields = match entry.get("fieldsV1") {
        None => FieldSet::default(),
        Some(fields) => FieldSet::from_v1(fields).map_err(|error| {
            format!("error decoding versioned set: error decoding set: {error}")
        })?,
    };
    let time_s = match entry.get("time") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(
            parse_seconds(text)
                .ok_or_else(|| format!("time {} is no time", values::quote(text)))?,
        ),
        Some(_) => return Err("time is no time".to_owned()),
    };
    Ok(Owned {
        manager: text("manager").to_owned(),
        operation,
        subresource: text("subresource").to_owned(),
        api_version: text("apiVersion").to_owned(),
        time_s,
        fields,
    })
}

/// Writes an object's managed fields, sorted as the API server sorts them; none leaves the
/// field out.
pub fn set_owners(object: &mut Value, mut owned: Vec<Owned>) {
    sort_owners(&mut owned);
    let entries: Vec<_> = owned.into_iter().map(write).collect();
    if entries.is_empty() {
        return remove_managed_fields(object);
    }
    let Value::Object(map) = object else { return };
    let metadata = map.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(metadata) = metadata {
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

/// Sorts owners as the API server does.
pub(crate) fn sort_owners(owned: &mut [Owned]) {
    owned.sort_by(|left, right| {
        let key = |owned: &Owned| (owned.operation, owned.time_s.unwrap_or(0));
        key(left)
            .cmp(&key(right))
            .then_with(|| left.manager.cmp(&right.manager))
            .then_with(|| left.api_version.cmp(&right.api_version))
            .then_with(|| left.subresource.cmp(&right.subresource))
    });
}

fn write(owned: Owned) -> Value {
    let mut out = Map::new();
    out.insert("apiVersion".to_owned(), Value::String(owned.api_version));
    out.insert("fieldsType".to_owned(), "FieldsV1".into());
    out.insert("fieldsV1".to_owned(), owned.fields.to_v1());
    if !owned.manager.is_empty() {
        out.insert("manager".to_owned(), Value::String(owned.manager));
    }
    out.insert("operation".to_owned(), owned.operation.as_str().into());
    if !owned.subresource.is_empty() {
        out.insert("subresource".to_owned(), Value::String(owned.subresource));
    }
    if let Some(time_s) = owned.time_s {
        out.insert("time".to_owned(), Value::String(format_seconds(time_s)));
    }
    Value::Object(out)
}

pub(crate) fn managed_fields(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("managedFields")
}

pub(crate) fn remove_managed_fields(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

/// Whether a client asks for the managed fields to be forgotten: an empty list, or one empty
/// entry in it.
pub(crate) fn is_reset(object: &Value) -> bool {
    match managed_fields(object) {
        Some(Value::Array(entries)) => match entries.as_slice() {
            [] => true,
            [Value::Object(entry)] => entry.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

/// What is wrong with a field that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// As in `metadata.managedFields[0].operation`.
    pub field: String,
    /// As in `Invalid value: "x": must be …`.
    pub message: String,
}

/// `metadata.managedFields[0].operation: Invalid value: …`
impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

const MANAGER_LENGTH_MAX: usize = 128;
const SUBRESOURCE_LENGTH_MAX: usize = 256;

/// Checks the managed fields of an object about to be stored, in the words of the API
/// server's validation.
pub fn validate(object: &Value) -> Vec<FieldProblem> {
    let Some(Value::Array(entries)) = managed_fields(object) else { return Vec::new() };
    let mut out = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut refuse = |name: &str, message: String| {
            out.push(FieldProblem {
                field: format!("metadata.managedFields[{at}].{name}"),
                message,
            });
        };
        let invalid = |value: &str, reason: &str| {
            format!("Invalid value: {}: {reason}", values::quote(value))
        };
        if !matches!(text("operation"), "Apply" | "Update") {
            let message = invalid(text("operation"), "must be `Apply` or `Update`");
            refuse("operation", message);
        }
        if !matches!(text("fieldsType"), "" | "FieldsV1") {
            refuse("fieldsType", invalid(text("fieldsType"), "must be `FieldsV1`"));
        }
        let manager = text("manager");
        if manager.len() > MANAGER_LENGTH_MAX {
            let message = format!("Too long: may not be more than {MANAGER_LENGTH_MAX} bytes");
            refuse("manager", message);
        }
        for (place, c) in manager.char_indices().filter(|(_, c)| !is_printable(*c)) {
            let reason = format!("invalid character U+{:04X} (at position {place})", c as u32);
            refuse("manager", invalid(manager, &reason));
        }
        if text("subresource").len() > SUBRESOURCE_LENGTH_MAX {
            let message = format!("Too long: may not be more than {SUBRESOURCE_LENGTH_MAX} bytes");
            refuse("subresource", message);
        }
    }
    out
}

fn is_printable(c: char) -> bool {
    !c.is_control() && (c == ' ' || !c.is_whitespace())
}
