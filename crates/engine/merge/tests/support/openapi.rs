//! Types of published OpenAPI documents, by the rules of the API server.

use std::collections::BTreeMap;

use merge::schema::{Field, List, ListKind, Map, Patch, Scalar, Schema, Type, TypeId};
use serde_json::Value;

const PREFIX: &str = "#/components/schemas/";

/// A schema and where each kind stands in it.
pub struct Types {
    pub schema: Schema,
    /// By `apps/v1/Deployment`.
    pub kinds: BTreeMap<String, TypeId>,
}

/// Reads the definitions of a document.
pub fn read(definitions: &serde_json::Map<String, Value>) -> Types {
    let mut reader = Reader { definitions, schema: Schema::default(), named: BTreeMap::new() };
    reader.schema.add(Type::Deduced);
    reader.schema.add(Type::Atomic);
    let mut kinds = BTreeMap::new();
    for (name, definition) in definitions {
        let gvks = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        for gvk in gvks.into_iter().flatten() {
            let text = |name: &str| gvk.get(name).and_then(Value::as_str).unwrap_or_default();
            let api_version = match text("group") {
                "" => text("version").to_owned(),
                group => format!("{group}/{}", text("version")),
            };
            let id = reader.named(name);
            kinds.insert(format!("{api_version}/{}", text("kind")), id);
        }
    }
    Types { schema: reader.schema, kinds }
}

const DEDUCED: TypeId = TypeId(0);
const ATOMIC: TypeId = TypeId(1);

struct Reader<'d> {
    definitions: &'d serde_json::Map<String, Value>,
    schema: Schema,
    named: BTreeMap<String, TypeId>,
}

impl Reader<'_> {
    fn named(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        let id = self.schema.add(Type::Deduced);
        self.named.insert(name.to_owned(), id);
        let built = match name {
            "io.k8s.apimachinery.pkg.api.resource.Quantity" => Type::Scalar(Scalar::Untyped),
            "io.k8s.apimachinery.pkg.runtime.RawExtension" => Type::Atomic,
            name => self.build(&self.definitions[name].clone(), false),
        };
        self.schema.types[id.0 as usize] = built;
        id
    }

    fn reference(&mut self, schema: &Value, preserve: bool) -> TypeId {
        let of_all = || schema.get("allOf")?.get(0)?.get("$ref")?.as_str();
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).or_else(of_all) {
            let id = self.named(name.trim_start_matches(PREFIX));
            return match schema.get("x-kubernetes-map-type").and_then(Value::as_str) {
                None => id,
                Some(kind) => {
                    let mut copy = self.schema.get(id).clone();
                    if let Type::Map(map) = &mut copy {
                        map.atomic = kind == "atomic";
                    }
                    self.schema.add(copy)
                }
            };
        }
        let built = self.build(schema, preserve);
        self.schema.add(built)
    }

    fn build(&mut self, schema: &Value, preserve: bool) -> Type {
        let preserve = preserve
            || schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        match schema.get("type").and_then(Value::as_str).unwrap_or_default() {
            "object" => Type::Map(self.map(schema, preserve)),
            "array" => Type::List(self.list(schema, preserve)),
            "integer" | "number" => Type::Scalar(Scalar::Numeric),
            "boolean" => Type::Scalar(Scalar::Boolean),
            "string" => match schema.get("format").and_then(Value::as_str) {
                None | Some("" | "byte") => Type::Scalar(Scalar::String),
                Some(_) => Type::Scalar(Scalar::Untyped),
            },
            _ => Type::Deduced,
        }
    }

    fn map(&mut self, schema: &Value, preserve: bool) -> Map {
        let nothing = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
        let mut fields = Vec::new();
        for (name, property) in properties {
            let strategy = property
                .get("x-kubernetes-patch-strategy")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let has = |wanted: &str| strategy.split(',').any(|part| part == wanted);
            fields.push(Field {
                name: name.as_str().into(),
                type_id: self.reference(property, preserve),
                default: property.get("default").cloned(),
                patch: Patch {
                    merge: has("merge"),
                    retain_keys: has("retainKeys"),
                    replace: has("replace"),
                    merge_key: property
                        .get("x-kubernetes-patch-merge-key")
                        .and_then(Value::as_str)
                        .map(Into::into),
                },
            });
        }
        let rest = match schema.get("additionalProperties") {
            None if preserve || properties.is_empty() => Some(DEDUCED),
            None | Some(Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(DEDUCED),
            Some(schema) => Some(self.reference(schema, preserve)),
        };
        let atomic = schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic");
        Map { fields, rest, atomic, preserve_unknown: preserve }
    }

    fn list(&mut self, schema: &Value, preserve: bool) -> List {
        let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = match text("x-kubernetes-list-type") {
            "set" => ListKind::Set,
            "map" => {
                let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
                ListKind::Map(keys.filter_map(Value::as_str).map(Into::into).collect())
            }
            "" if text("x-kubernetes-patch-strategy").split(',').any(|part| part == "merge") => {
                match text("x-kubernetes-patch-merge-key") {
                    "" => ListKind::Set,
                    key => ListKind::Map(vec![key.into()]),
                }
            }
            _ => ListKind::Atomic,
        };
        let element = match schema.get("items") {
            Some(items) => self.reference(items, preserve),
            None => ATOMIC,
        };
        List { element, kind }
    }
}
