//! JSON values printed as YAML, exactly as `kubectl get -o yaml` prints them.

use serde_json::Value;

/// A value as a YAML document.
pub fn text(value: &Value) -> String {
    // What cannot be printed as YAML is nested deeper than any cluster takes; JSON is YAML, too.
    goyaml::to_yaml(value).unwrap_or_else(|_| format!("{value}\n"))
}
