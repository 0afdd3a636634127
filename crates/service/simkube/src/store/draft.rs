//! An object serialized, but for the revision that only the store can know.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::table::{Entry, Meta};

/// An object ready to be written: its bytes before and behind the revision.
///
/// Kind, API version and revision come first in the bytes, so that a list can leave the
/// first two out and a removal can put in another revision without parsing.
#[derive(Clone, Debug)]
pub struct Draft {
    head: Vec<u8>,
    tail: Vec<u8>,
    meta: Meta,
}

impl Draft {
    /// Serializes an object. `metadata.resourceVersion` is left out; the store sets it.
    pub fn new(object: &Value) -> Draft {
        let managed = object.get("metadata").and_then(|metadata| metadata.get(MANAGED));
        Draft::with_managed(object, |out| match managed {
            Some(managed) => {
                json(out, managed);
                true
            }
            None => false,
        })
    }

    /// Serializes an object whose managed fields stand apart from it, as JSON text; `b"[]"` leaves
    /// the field out.
    pub fn with_managed_fields(object: &Value, managed: &[u8]) -> Draft {
        Draft::with_managed(object, |out| {
            out.extend_from_slice(managed);
            managed != b"[]"
        })
    }

    /// `write` writes the managed fields, and answers whether there are any.
    fn with_managed(object: &Value, write: impl FnOnce(&mut Vec<u8>) -> bool) -> Draft {
        let empty = Map::new();
        let fields = object.as_object().unwrap_or(&empty);
        let metadata = fields.get("metadata").and_then(Value::as_object).unwrap_or(&empty);
        let mut head = prefix(
            fields.get("kind").and_then(Value::as_str).unwrap_or_default(),
            fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default(),
        );
        head.extend_from_slice(METADATA);
        let mut tail = Vec::with_capacity(2048);
        tail.push(b'"');
        let is_before = |name: &str| name < MANAGED;
        let plain = || {
            metadata
                .iter()
                .filter(|(name, _)| !["resourceVersion", MANAGED].contains(&name.as_str()))
        };
        for (name, value) in plain().filter(|(name, _)| is_before(name)) {
            field(&mut tail, name, value);
        }
        let from = tail.len();
        tail.extend_from_slice(MANAGED_KEY);
        let mut managed = None;
        if write(&mut tail) {
            managed = Some(from..tail.len());
        } else {
            tail.truncate(from);
        }
        for (name, value) in plain().filter(|(name, _)| !is_before(name)) {
            field(&mut tail, name, value);
        }
        tail.push(b'}');
        for (name, value) in fields {
            if !matches!(name.as_str(), "kind" | "apiVersion" | "metadata") {
                field(&mut tail, name, value);
            }
        }
        // The newline is part of the bytes: it ends each answer, and lists leave it out.
        tail.extend_from_slice(b"}\n");
        let mut meta = Meta::of(metadata);
        meta.managed = managed.and_then(|managed| {
            let from_end = |at: usize| u32::try_from(tail.len() - at).ok();
            Some((from_end(managed.start)?, from_end(managed.end)?))
        });
        Draft { head, tail, meta }
    }

    /// Returns the bytes as they would stand at `revision`.
    pub fn bytes_at(&self, revision: u64) -> Bytes {
        let digits = revision.to_string();
        let mut raw = Vec::with_capacity(self.head.len() + digits.len() + self.tail.len());
        raw.extend_from_slice(&self.head);
        raw.extend_from_slice(digits.as_bytes());
        raw.extend_from_slice(&self.tail);
        Bytes::from(raw)
    }

    /// Returns the object as it would rest, had it been kept: without a revision.
    pub fn unkept(self) -> Entry {
        self.unkept_as("")
    }

    /// As [`Draft::unkept`], with the version that the client gave it.
    pub fn unkept_as(self, version: &str) -> Entry {
        if !version.is_empty() {
            let raw = [&self.head, version.as_bytes(), &self.tail].concat();
            return Entry { revision: 0, raw: Bytes::from(raw), meta: Arc::new(self.meta) };
        }
        let head = &self.head[..self.head.len() - REVISION.len()];
        // Behind the revision stands its closing quote, and a comma unless nothing follows.
        let tail = self.tail.strip_prefix(b"\",").or(self.tail.strip_prefix(b"\""));
        let raw = [head, tail.unwrap_or_default()].concat();
        Entry { revision: 0, raw: Bytes::from(raw), meta: Arc::new(self.meta) }
    }

    /// Returns the object as it would rest at a revision that it does not get.
    pub fn kept_as(self, revision: u64) -> Entry {
        self.at(revision)
    }

    pub(super) fn at(self, revision: u64) -> Entry {
        Entry { revision, raw: self.bytes_at(revision), meta: Arc::new(self.meta) }
    }
}

/// What stands between the API version and the digits of the revision.
pub(super) const METADATA: &[u8] = b"\"metadata\":{\"resourceVersion\":\"";
const REVISION: &[u8] = b"\"resourceVersion\":\"";
const MANAGED: &str = "managedFields";
/// What stands before the managed fields.
pub(super) const MANAGED_KEY: &[u8] = b",\"managedFields\":";

/// Returns how the bytes of an object of this kind begin.
pub fn prefix(kind: &str, api_version: &str) -> Vec<u8> {
    let mut head = Vec::with_capacity(96);
    head.extend_from_slice(b"{\"kind\":");
    text(&mut head, kind);
    head.extend_from_slice(b",\"apiVersion\":");
    text(&mut head, api_version);
    head.push(b',');
    head
}

fn field(out: &mut Vec<u8>, name: &str, value: &Value) {
    out.push(b',');
    text(out, name);
    out.push(b':');
    json(out, value);
}

fn json(out: &mut Vec<u8>, value: &Value) {
    serde_json::to_writer(out, value).expect("a value is always serializable to memory");
}

fn text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is always serializable to memory");
}
