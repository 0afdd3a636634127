//! Dropping what a schema does not know, and filling in what it has a default for.

use serde_json::{Map, Value};

use crate::schema::{Additional, Schema};

/// Kept at the root and in embedded objects whatever the schema says.
const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Schema {
    /// Drops unknown fields from a whole object; answers their paths, sorted.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut dropped = Vec::new();
        prune(object, Some(self), true, &mut String::new(), &mut dropped);
        dropped.sort();
        dropped
    }

    /// Fills in defaults. A null where none is allowed is replaced by the default, and dropped
    /// where there is none.
    pub fn default(&self, object: &mut Value) {
        self.drop_nulls(object);
        self.fill(object);
    }

    /// Drops nulls where none is allowed and no default stands in for them.
    pub fn drop_nulls(&self, object: &mut Value) {
        drop_nulls(object, self);
    }

    /// Fills in defaults, nulls that are not allowed included.
    pub fn fill(&self, object: &mut Value) {
        fill(object, self);
    }
}

fn within<'a>(schema: &'a Schema, name: &str) -> Option<Option<&'a Schema>> {
    if let Some(property) = schema.properties.get(name) {
        return Some(Some(property));
    }
    match &schema.additional {
        Some(Additional::Schema(node)) => Some(Some(node)),
        Some(Additional::Any) => Some(None),
        None => None,
    }
}

fn prune(
    value: &mut Value,
    schema: Option<&Schema>,
    is_object: bool,
    path: &mut String,
    dropped: &mut Vec<String>,
) {
    let preserves = schema.is_some_and(|schema| schema.preserve_unknown);
    let embedded = is_object || schema.is_some_and(|schema| schema.embedded);
    let length = path.len();
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            if embedded && OBJECT_FIELDS.contains(&name.as_str()) {
                return true;
            }
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
            let kept = match schema.and_then(|schema| within(schema, name)) {
                // Below `additionalProperties: true` nothing is known, so nothing is kept.
                Some(node) => {
                    prune(field, node, false, path, dropped);
                    true
                }
                None => preserves,
            };
            if !kept {
                dropped.push(path.clone());
            }
            path.truncate(length);
            kept
        }),
        Value::Array(items) => {
            let node = schema.and_then(|schema| schema.items.as_deref());
            if preserves && node.is_none() {
                return;
            }
            for (index, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                prune(item, node, false, path, dropped);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fill(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => {
            for (name, property) in &schema.properties {
                let Some(default) = &property.default else { continue };
                let missing = match fields.get(name) {
                    None => true,
                    Some(Value::Null) => !property.nullable,
                    Some(_) => false,
                };
                if missing {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, field) in fields.iter_mut() {
                if let Some(Some(node)) = within(schema, name) {
                    if field.is_null() && !node.nullable && !schema.properties.contains_key(name) {
                        *field = node.default.clone().unwrap_or(Value::Null);
                    }
                    fill(field, node);
                }
            }
        }
        Value::Array(items) => {
            let Some(node) = schema.items.as_deref() else { return };
            for item in items {
                if item.is_null() && !node.nullable {
                    *item = node.default.clone().unwrap_or(Value::Null);
                }
                fill(item, node);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Drops nulls that may not be there and that no default replaces.
fn drop_nulls(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => drop_null_fields(fields, schema),
        Value::Array(items) => {
            if let Some(node) = schema.items.as_deref() {
                items.iter_mut().for_each(|item| drop_nulls(item, node));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_null_fields(fields: &mut Map<String, Value>, schema: &Schema) {
    fields.retain(|name, field| {
        let Some(Some(node)) = within(schema, name) else { return true };
        if field.is_null() {
            return node.nullable || node.default.is_some();
        }
        drop_nulls(field, node);
        true
    });
}
