//! The schemas of built-in types, in both dialects.

use serde_json::{Map, Value, json};

use crate::shape::{Field, ListType, MapType, Scalar, Shape, StructId};
use crate::tables::Tables;

/// Which version of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Version 2: no defaults, references have siblings.
    V2,
    /// Version 3: defaults, a reference with siblings is wrapped in `allOf`.
    V3,
}

impl Dialect {
    /// What a reference to a schema begins with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Dialect::V2 => "#/definitions/",
            Dialect::V3 => "#/components/schemas/",
        }
    }

    /// A reference.
    pub(super) fn reference(self, name: &str) -> Value {
        json!({"$ref": format!("{}{name}", self.prefix())})
    }
}

/// The schema of an OpenAPI name, if the tables hold it.
pub(super) fn named(tables: &Tables, name: &str, dialect: Dialect) -> Option<Value> {
    if let Some(scalar) = SPECIAL.iter().find(|(_, special)| *special == name) {
        return Some(special(scalar.0, dialect));
    }
    tables.struct_named(name).map(|id| of_struct(tables, id, dialect))
}

const SPECIAL: [(Scalar, &str); 12] = [
    (Scalar::Time, "io.k8s.apimachinery.pkg.apis.meta.v1.Time"),
    (Scalar::MicroTime, "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"),
    (Scalar::Duration, "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"),
    (Scalar::FieldsV1, "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"),
    (Scalar::Patch, "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"),
    (Scalar::Quantity, "io.k8s.apimachinery.pkg.api.resource.Quantity"),
    (Scalar::IntOrString, "io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
    (Scalar::RawExtension, "io.k8s.apimachinery.pkg.runtime.RawExtension"),
    (Scalar::Json, "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"),
    (
        Scalar::SchemaOrArray,
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
    ),
    (
        Scalar::SchemaOrBool,
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
    ),
    (
        Scalar::SchemaOrStrings,
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
    ),
];

fn special(scalar: Scalar, dialect: Dialect) -> Value {
    match (scalar, dialect) {
        (Scalar::Time | Scalar::MicroTime, _) => json!({"type": "string", "format": "date-time"}),
        (Scalar::Quantity, Dialect::V3) => {
            json!({"oneOf": [{"type": "string"}, {"type": "number"}]})
        }
        (Scalar::Quantity | Scalar::Duration, _) => json!({"type": "string"}),
        (Scalar::IntOrString, Dialect::V2) => json!({"type": "string", "format": "int-or-string"}),
        (Scalar::IntOrString, Dialect::V3) => json!({
            "format": "int-or-string",
            "oneOf": [{"type": "integer"}, {"type": "string"}],
        }),
        (Scalar::RawExtension | Scalar::FieldsV1 | Scalar::Patch, _) => json!({"type": "object"}),
        _ => json!({}),
    }
}

fn of_struct(tables: &Tables, id: StructId, dialect: Dialect) -> Value {
    let declared = tables.get(id);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in tables.in_order(id).into_iter().filter(|field| field.published) {
        properties.insert(field.name.to_owned(), property(tables, field, dialect));
        if field.required {
            required.push(Value::from(field.name));
        }
    }
    let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    if declared.atomic {
        schema.insert("x-kubernetes-map-type".to_owned(), "atomic".into());
    }
    if !declared.kinds.is_empty() {
        let kinds: Vec<Value> = declared
            .kinds
            .iter()
            .map(|(group, version, kind)| json!({"group": group, "version": version, "kind": kind}))
            .collect();
        schema.insert("x-kubernetes-group-version-kind".to_owned(), Value::Array(kinds));
    }
    Value::Object(schema)
}

fn property(tables: &Tables, field: &Field, dialect: Dialect) -> Value {
    let mut schema = of_shape(tables, &field.shape, dialect);
    let object = schema.as_object_mut().expect("a schema is an object");
    if dialect == Dialect::V3 {
        if let Some(reference) = object.remove("$ref") {
            object.insert("allOf".to_owned(), json!([{"$ref": reference}]));
        }
        if let Some(default) = field.default {
            let value = serde_json::from_str(default).expect("xtask wrote defaults as JSON");
            object.insert("default".to_owned(), value);
        }
    }
    let list_type = field.list_type.map(|list_type| match list_type {
        ListType::Atomic => "atomic",
        ListType::Set => "set",
        ListType::Map => "map",
    });
    let map_type = field.map_type.map(|map_type| match map_type {
        MapType::Atomic => "atomic",
        MapType::Granular => "granular",
    });
    let strategy = match (field.patch.merge, field.patch.retain_keys) {
        (true, true) => Some("merge,retainKeys"),
        (true, false) => Some("merge"),
        (false, true) => Some("retainKeys"),
        (false, false) if field.patch_replaces => Some("replace"),
        (false, false) => None,
    };
    let texts = [
        ("x-kubernetes-list-type", list_type),
        ("x-kubernetes-map-type", map_type),
        ("x-kubernetes-patch-strategy", strategy),
        ("x-kubernetes-patch-merge-key", field.patch.merge_key.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            object.insert(name.to_owned(), text.into());
        }
    }
    if !field.list_keys.is_empty() {
        let keys: Vec<Value> = field.list_keys.iter().map(|&key| key.into()).collect();
        object.insert("x-kubernetes-list-map-keys".to_owned(), Value::Array(keys));
    }
    if !field.values.is_empty() {
        let values: Vec<Value> = field.values.iter().map(|&value| value.into()).collect();
        object.insert("enum".to_owned(), Value::Array(values));
    }
    schema
}

fn of_shape(tables: &Tables, shape: &Shape, dialect: Dialect) -> Value {
    match shape {
        Shape::Struct(id) => dialect.reference(tables.get(*id).name),
        Shape::List { element, .. } => {
            json!({"type": "array", "items": part(tables, element, dialect)})
        }
        Shape::Map { value, .. } => {
            json!({"type": "object", "additionalProperties": part(tables, value, dialect)})
        }
        Shape::Scalar(scalar, _) => {
            if let Some((_, name)) = SPECIAL.iter().find(|(special, _)| special == scalar) {
                return dialect.reference(name);
            }
            let (kind, format) = match scalar {
                Scalar::Bool => ("boolean", None),
                Scalar::Int32 | Scalar::Uint32 => ("integer", Some("int32")),
                Scalar::Int64 => ("integer", Some("int64")),
                Scalar::Uint8 => ("integer", Some("byte")),
                Scalar::Float64 => ("number", Some("double")),
                Scalar::Bytes => ("string", Some("byte")),
                _ => ("string", None),
            };
            match format {
                Some(format) => json!({"type": kind, "format": format}),
                None => json!({"type": kind}),
            }
        }
    }
}

/// An element or a map's value: in version 3 with the default that its zero is.
fn part(tables: &Tables, shape: &Shape, dialect: Dialect) -> Value {
    let mut schema = of_shape(tables, shape, dialect);
    if dialect == Dialect::V2 {
        return schema;
    }
    let default = match shape {
        Shape::Struct(_) => json!({}),
        Shape::Scalar(scalar, _) => match scalar {
            Scalar::String => json!(""),
            Scalar::Bool => json!(false),
            Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint8 | Scalar::Float64 => {
                json!(0)
            }
            _ => return schema,
        },
        Shape::List { .. } | Shape::Map { .. } => return schema,
    };
    let object = schema.as_object_mut().expect("a schema is an object");
    if let Some(reference) = object.remove("$ref") {
        object.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
    object.insert("default".to_owned(), default);
    schema
}
