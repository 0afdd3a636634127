//! Schemas.

use serde_json::json;

use super::support::{load, values};
use crate::cache::Cache;
use crate::schema::validate;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

fn complaints(schema: &str, user: serde_json::Value) -> Result<(), String> {
    let (charts, root) = load(&[("Chart.yaml", CHART), ("values.schema.json", schema)]).unwrap();
    validate(&charts, root, &values(user), &Cache::default())
}

#[test]
fn complaints_read_as_helms() {
    let schema = r#"{"type": "object", "required": ["name"], "additionalProperties": false,
        "properties": {"name": {"type": "string", "minLength": 2}, "replicas": {"type": "integer", "minimum": 1, "maximum": 2000},
        "mode": {"enum": ["a", "b"]}, "port": {"type": ["integer", "string"], "pattern": "^[0-9]+$"}}}"#;
    assert_eq!(complaints(schema, json!({"name": "web", "replicas": 3.0, "mode": "a"})), Ok(()));
    for (user, lines) in [
        (json!({}), "- at '': missing property 'name'\n"),
        (json!({"name": 5}), "- at '/name': got number, want string\n"),
        (json!({"name": "x"}), "- at '/name': minLength: got 1, want 2\n"),
        (json!({"name": "xx", "replicas": 0}), "- at '/replicas': minimum: got 0, want 1\n"),
        (
            json!({"name": "xx", "replicas": 2500}),
            "- at '/replicas': maximum: got 2,500, want 2,000\n",
        ),
        (json!({"name": "xx", "replicas": 1.5}), "- at '/replicas': got number, want integer\n"),
        (json!({"name": "xx", "mode": "c"}), "- at '/mode': value must be one of 'a', 'b'\n"),
        (json!({"name": "xx", "port": null}), "- at '/port': got null, want integer or string\n"),
        (
            json!({"name": "xx", "port": "a"}),
            "- at '/port': 'a' does not match pattern '^[0-9]+$'\n",
        ),
        (json!({"name": "xx", "more": 1}), "- at '': additional properties 'more' not allowed\n"),
    ] {
        assert_eq!(complaints(schema, user.clone()), Err(format!("shop:\n{lines}")), "{user}");
    }
}

#[test]
fn a_branch_with_one_complaint_has_a_line_too() {
    for (schema, user, lines) in [
        (
            r#"{"properties": {"a": {"anyOf": [{"type": "string"}]}}}"#,
            json!({"a": 1}),
            "- at '/a': 'anyOf' failed\n  - at '/a': got number, want string\n",
        ),
        (
            r#"{"properties": {"a": {"allOf": [{"minLength": 1}, {"oneOf": [{"pattern": "b"}]}]}}}"#,
            json!({"a": "c"}),
            "- at '/a': 'allOf' failed\n  - at '/a': 'oneOf' failed, none matched\n    - at '/a': 'c' does not match pattern 'b'\n",
        ),
        (
            r#"{"anyOf": [{"properties": {"a": {"type": "null"}, "b": {"type": "null"}}}]}"#,
            json!({"a": 1, "b": 1}),
            "- at '': 'anyOf' failed\n  - at '': validation failed\n    - at '/a': got number, want null\n    - at '/b': got number, want null\n",
        ),
        (
            r##"{"properties": {"a": {"items": {"allOf": [{"$ref": "#/definitions/x"}]}}}, "definitions": {"x": {"additionalProperties": {"anyOf": [{"const": 1}]}}}}"##,
            json!({"a": [{"b/c": 2}]}),
            "- at '/a/0': 'allOf' failed\n  - at '/a/0/b~1c': 'anyOf' failed\n    - at '/a/0/b~1c': value must be 1\n",
        ),
        (
            r#"{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#,
            json!({}),
            "- at '': 'oneOf' failed, none matched\n  - at '': missing property 'a'\n  - at '': missing property 'b'\n",
        ),
    ] {
        assert_eq!(complaints(schema, user), Err(format!("shop:\n{lines}")), "{schema}");
    }
}

#[test]
fn nothing_is_fetched_and_an_unknown_urn_takes_everything() {
    let remote = r#"{"$ref": "https://example.com/schema.json"}"#;
    assert!(complaints(remote, json!({})).unwrap_err().contains("not fetched from elsewhere"));
    let urn = r#"{"properties": {"a": {"$ref": "urn:example:a"}}}"#;
    assert_eq!(complaints(urn, json!({"a": 1})), Ok(()));
}

#[test]
fn a_cache_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Cache>();
}
