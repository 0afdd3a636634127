//! The schemas of custom resources.

use serde_json::{Map, Value, json};

use super::schemas::Dialect;

/// One version of a custom resource, as far as the documents ask.
#[derive(Clone, Copy, Debug)]
pub struct CustomKind<'a> {
    /// Its group.
    pub group: &'a str,
    /// The version.
    pub version: &'a str,
    /// As in `things`.
    pub plural: &'a str,
    /// As in `Thing`.
    pub kind: &'a str,
    /// As in `ThingList`.
    pub list_kind: &'a str,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// `spec.versions[].schema.openAPIV3Schema` of the definition.
    pub schema: Option<&'a Value>,
    /// Has the subresource `status`.
    pub status: bool,
    /// Has the subresource `scale`.
    pub scale: bool,
}

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

impl CustomKind<'_> {
    /// The name of the schema: the group reversed, the version, the kind.
    pub(super) fn schema_name(&self) -> String {
        self.named(self.kind)
    }

    /// The name of the list's schema.
    pub(super) fn list_schema_name(&self) -> String {
        self.named(self.list_kind)
    }

    fn named(&self, kind: &str) -> String {
        let mut parts: Vec<&str> = self.group.split('.').rev().collect();
        parts.extend([self.version, kind]);
        parts.join(".")
    }

    pub(super) fn add_schemas(&self, dialect: Dialect, into: &mut Map<String, Value>) {
        let mut schema = self.schema.cloned().unwrap_or_else(
            || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        );
        if dialect == Dialect::V2 {
            for_version_2(&mut schema);
        }
        if let Value::Object(object) = &mut schema {
            // A kind whose unknown fields are kept has no properties in version 2.
            let bare = dialect == Dialect::V2
                && object.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
            if !bare {
                object.insert("type".to_owned(), "object".into());
                let properties = object.entry("properties").or_insert_with(|| json!({}));
                if let Value::Object(properties) = properties {
                    properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
                    properties.insert("kind".to_owned(), json!({"type": "string"}));
                    properties.insert("metadata".to_owned(), wrapped(dialect, OBJECT_META));
                }
            }
            object.insert("x-kubernetes-group-version-kind".to_owned(), self.kinds(self.kind));
        }
        into.insert(self.schema_name(), schema);
        let list = json!({
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": wrapped(dialect, LIST_META),
                "items": {"type": "array", "items": dialect.reference(&self.schema_name())},
            },
            "x-kubernetes-group-version-kind": self.kinds(self.list_kind),
        });
        into.insert(self.list_schema_name(), list);
    }

    fn kinds(&self, kind: &str) -> Value {
        json!([{"group": self.group, "version": self.version, "kind": kind}])
    }
}

fn wrapped(dialect: Dialect, name: &str) -> Value {
    match dialect {
        Dialect::V2 => dialect.reference(name),
        Dialect::V3 => json!({"allOf": [dialect.reference(name)]}),
    }
}

/// Takes away what version 2 cannot say, and what its readers cannot bear: alternatives, the
/// content of what may be null or holds unknown fields.
fn for_version_2(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for junction in ["allOf", "oneOf", "anyOf", "not"] {
        object.remove(junction);
    }
    let is_true = |object: &Map<String, Value>, name: &str| object.get(name) == Some(&true.into());
    if object.remove("nullable") == Some(Value::Bool(true)) {
        object.remove("type");
        object.remove("items");
        object.remove("properties");
    }
    let keeps_unknown = is_true(object, "x-kubernetes-preserve-unknown-fields");
    if keeps_unknown {
        object.remove("items");
        object.remove("properties");
    }
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if (kind == "array" && !object.contains_key("items")) || (kind == "object" && keeps_unknown) {
        object.remove("type");
    }
    let nullable = |schema: &Value| schema.get("nullable") == Some(&Value::Bool(true));
    let may_be_null: Vec<String> = object
        .get("properties")
        .and_then(Value::as_object)
        .map(|all| all.iter().filter(|(_, s)| nullable(s)).map(|(n, _)| n.clone()).collect())
        .unwrap_or_default();
    if let Some(Value::Array(required)) = object.get_mut("required") {
        required.retain(|name| !may_be_null.iter().any(|n| name == n));
        if required.is_empty() {
            object.remove("required");
        }
    }
    if object.get("additionalProperties").is_some_and(nullable) {
        object.remove("required");
    }
    object.remove("default");
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(for_version_2);
    }
    for part in ["items", "additionalProperties"] {
        if let Some(part) = object.get_mut(part) {
            for_version_2(part);
        }
    }
}
