//! Tables, as `kubectl get` prints them, and metadata alone.

use serde_json::{Value, json};

use super::negotiate::Include;
use crate::kinds::Kind;

/// Returns an object's metadata alone.
pub fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

/// Returns a table of rows.
pub fn whole(kind: &Kind, metadata: &Value, rows: Vec<Value>) -> Value {
    let _seam = kind;
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
            {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0},
        ],
        "rows": rows,
    })
}

/// Returns an object's row.
pub fn row(kind: &Kind, object: &Value, include: Include) -> Value {
    let _seam = kind;
    let metadata = &object["metadata"];
    let mut row = json!({"cells": [metadata["name"], metadata["creationTimestamp"]]});
    match include {
        Include::None => {}
        Include::Metadata => row["object"] = partial(object),
        Include::Object => row["object"] = object.clone(),
    }
    row
}
