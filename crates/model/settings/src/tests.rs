//! What users write, and what it means.

use serde_json::{Value, json};

mod clusters;
mod repositories;
mod snapshot;
mod table;

/// JSON is YAML; this floor has no reader for the rest of it.
fn yaml(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|cause| cause.to_string())
}

/// A Secret with a type and `stringData`.
fn secret(name: &str, kind: &str, data: Value) -> Value {
    json!({
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": kind},
        },
        "stringData": data,
    })
}

fn lines(problems: &[crate::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
