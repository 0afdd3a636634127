//! Tables, as `kubectl get` prints them, and metadata alone.

mod cells;
mod columns;
mod more;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::negotiate::Include;
use crate::convert;
use crate::kinds::Kind;
use columns::COLUMNS;
use more::MORE;

/// Returns an object's metadata alone.
pub fn partial(kind: &Kind, object: &Value) -> Value {
    let mut metadata = object["metadata"].clone();
    forget_carriers(kind, &mut metadata);
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    })
}

/// What the server holds in fields of its own is in no annotation there.
fn forget_carriers(kind: &Kind, metadata: &mut Value) {
    let carries: fn(&str) -> bool = match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "DaemonSet") => |name| name == "deprecated.daemonset.template.generation",
        ("autoscaling", "HorizontalPodAutoscaler") => {
            |name| name.starts_with("autoscaling.alpha.kubernetes.io/")
        }
        _ => return,
    };
    let Some(fields) = metadata.as_object_mut() else { return };
    let Some(Value::Object(annotations)) = fields.get_mut("annotations") else { return };
    annotations.retain(|name, _| !carries(name));
    if annotations.is_empty() {
        fields.remove("annotations");
    }
}

/// Names a table, metadata alone and what is in them at the version before the last.
pub fn make_older(value: &mut Value) {
    if let Some(version) = value.get_mut("apiVersion").filter(|at| **at == "meta.k8s.io/v1") {
        *version = json!("meta.k8s.io/v1beta1");
    }
    for list in ["rows", "items"] {
        for item in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            match item.get_mut("object") {
                Some(object) => make_older(object),
                None => make_older(item),
            }
        }
    }
}

/// Returns a table of rows.
pub fn whole(kind: &Kind, metadata: &Value, rows: Vec<Value>) -> Value {
    // Who prints rows of a kind without columns of its own begins with none.
    let rows = match rows.is_empty() && kind.built_in() && own(kind).is_none() {
        true => Value::Null,
        false => Value::Array(rows),
    };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions(kind),
        "rows": rows,
    })
}

/// Returns an object's row.
pub fn row(kind: &Kind, object: &Value, include: Include) -> Value {
    let mut row = json!({"cells": cells_of(kind, object)});
    match include {
        Include::None => row["object"] = Value::Null,
        Include::Metadata => row["object"] = partial(kind, object),
        Include::Object => row["object"] = object.clone(),
    }
    row
}

fn definition(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Value {
    json!({
        "name": name,
        "type": kind,
        "format": format,
        "description": description,
        "priority": priority,
    })
}

fn name_definition() -> Value {
    definition(
        "Name",
        "string",
        "name",
        "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
        0,
    )
}

/// A row of [`COLUMNS`]: group, kind, the columns behind the name.
fn own(kind: &Kind) -> Option<&'static columns::Row> {
    COLUMNS.iter().chain(MORE).find(|row| kind.is(row.group, row.kind))
}

fn definitions(kind: &Kind) -> Vec<Value> {
    let mut all = vec![name_definition()];
    if let Some(row) = own(kind) {
        if row.name_last {
            all.clear();
        }
        all.extend(row.columns.iter().map(|column| {
            definition(column.name, column.kind, column.format, column.name, column.priority)
        }));
        if row.name_last {
            let mut name = name_definition();
            name["priority"] = json!(1);
            all.push(name);
        }
        return all;
    }
    let version = kind.definition.as_ref().and_then(|d| d.version(&kind.version));
    let columns = version.map(|version| version.columns.as_slice()).unwrap_or_default();
    if columns.is_empty() && !kind.built_in() {
        all.push(definition("Age", "date", "", CREATED, 0));
    } else if columns.is_empty() {
        all.push(definition("Created At", "date", "", CREATED, 0));
    }
    for column in columns {
        let said = if column.description.is_empty() {
            format!("Custom resource definition column (in JSONPath format): {}", column.json_path)
        } else {
            column.description.clone()
        };
        all.push(definition(&column.name, &column.kind, &column.format, &said, column.priority));
    }
    all
}

const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

fn cells_of(kind: &Kind, object: &Value) -> Vec<Value> {
    let newer = match kind.version.as_str() {
        "v1" if kind.is("autoscaling", "HorizontalPodAutoscaler") => {
            convert::between(object.clone(), "autoscaling/v2").ok()
        }
        _ => None,
    };
    let object = newer.as_ref().unwrap_or(object);
    let now = Timestamp::now();
    let name = object["metadata"]["name"].clone();
    if let Some(row) = own(kind) {
        let cells = row.columns.iter().map(|column| (column.cell)(object, now));
        if row.name_last {
            return cells.chain([name]).collect();
        }
        let mut all: Vec<Value> = std::iter::once(name).chain(cells).collect();
        if kind.is("networking.k8s.io", "IPAddress") {
            // Its rows have one cell more than there are columns.
            all.push(cells::age(object, now));
        }
        return all;
    }
    let mut all = vec![name];
    let version = kind.definition.as_ref().and_then(|d| d.version(&kind.version));
    let columns = version.map(|version| version.columns.as_slice()).unwrap_or_default();
    if columns.is_empty() {
        let created = &object["metadata"]["creationTimestamp"];
        all.push(if kind.built_in() {
            created.clone()
        } else {
            json!(cells::age_of(created, now))
        });
    }
    all.extend(columns.iter().map(|column| custom_cell(column, object, now)));
    all
}

fn custom_cell(column: &structural::Column, object: &Value, now: Timestamp) -> Value {
    let found = cells::json_path(object, &column.json_path);
    let Some(first) = found.first() else { return Value::Null };
    match column.kind.as_str() {
        "date" => json!(cells::age_of(first, now)),
        "integer" => first.as_i64().map_or(Value::Null, |number| json!(number)),
        "number" => first.as_f64().map_or(Value::Null, |number| json!(number)),
        "boolean" => first.as_bool().map_or(Value::Null, |flag| json!(flag)),
        _ => {
            let texts: Vec<String> = found
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            json!(texts.join(","))
        }
    }
}
