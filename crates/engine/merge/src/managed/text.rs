//! Managed fields as JSON text, without a tree of values in between.
//!
//! They are often more than half of an object's text, and nobody but the owners themselves looks
//! at them: who keeps them as text saves that half.

use std::borrow::Cow;

use serde::Deserialize;

use crate::fields::FieldSet;
use crate::managed::owned::{Operation, Owned};
use crate::managed::time::{format_seconds, parse_seconds};

/// One entry, as [`text_of_owners`] writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    fields_type: Cow<'a, str>,
    fields_v1: FieldSet,
    #[serde(borrow, default)]
    manager: Cow<'a, str>,
    #[serde(borrow)]
    operation: Cow<'a, str>,
    #[serde(borrow, default)]
    subresource: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
}

/// Reads managed fields from the text that [`text_of_owners`] gives; `None` is one that is
/// anything else, which [`owners`](super::owners) may be able to read nevertheless.
pub fn owners_of_text(text: &[u8]) -> Option<Vec<Owned>> {
    let entries: Vec<Entry<'_>> = serde_json::from_slice(text).ok()?;
    let mut out: Vec<Owned> = Vec::with_capacity(entries.len());
    for entry in entries {
        let operation = match &*entry.operation {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        if entry.api_version.is_empty() || entry.fields_type != "FieldsV1" {
            return None;
        }
        let time_s = entry.time.map(|time| parse_seconds(&time).ok_or(())).transpose().ok()?;
        let owned = Owned {
            manager: entry.manager.into_owned(),
            operation,
            subresource: entry.subresource.into_owned(),
            api_version: entry.api_version.into_owned(),
            time_s,
            fields: entry.fields_v1,
        };
        if out.iter().any(|other| other.is_same_manager(&owned)) {
            return None;
        }
        out.push(owned);
    }
    Some(out)
}

/// Writes managed fields as JSON, with sorted names: the text of what
/// [`set_owners`](super::set_owners) sets. The owners are sorted already.
pub fn text_of_owners(owned: &[Owned]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    out.push(b'[');
    for (at, owned) in owned.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"apiVersion\":");
        string(&mut out, &owned.api_version);
        out.extend_from_slice(b",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":");
        owned.fields.write_v1(&mut out);
        if !owned.manager.is_empty() {
            out.extend_from_slice(b",\"manager\":");
            string(&mut out, &owned.manager);
        }
        out.extend_from_slice(b",\"operation\":");
        string(&mut out, owned.operation.as_str());
        if !owned.subresource.is_empty() {
            out.extend_from_slice(b",\"subresource\":");
            string(&mut out, &owned.subresource);
        }
        if let Some(time_s) = owned.time_s {
            out.extend_from_slice(b",\"time\":");
            string(&mut out, &format_seconds(time_s));
        }
        out.push(b'}');
    }
    out.push(b']');
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is always serializable to memory");
}
