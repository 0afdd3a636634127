//! Slices of endpoints.

use std::collections::BTreeSet;

use serde_json::{Value, json};

const HOST: &str = "kubernetes.io/hostname";

/// Forgets where endpoints are in the words of an older version, but for nodes that were named so before.
pub fn drop_topology(old: Option<&Value>, slice: &mut Value) {
    let none = Value::Null;
    let before = old.map_or(&none, |old| &old["endpoints"]);
    if old.is_some() && *before == slice["endpoints"] {
        return;
    }
    let known: BTreeSet<&str> = before
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|endpoint| endpoint["deprecatedTopology"][HOST].as_str())
        .collect();
    let endpoints = slice.get_mut("endpoints").and_then(Value::as_array_mut);
    for endpoint in endpoints.into_iter().flatten() {
        let Some(fields) = endpoint.as_object_mut() else { continue };
        let node = fields
            .get("deprecatedTopology")
            .and_then(|topology| topology[HOST].as_str())
            .filter(|node| known.contains(node))
            .map(str::to_owned);
        if let (Some(node), None) = (node, fields.get("nodeName")) {
            fields.insert("nodeName".to_owned(), json!(node));
        }
        fields.remove("deprecatedTopology");
    }
}
