//! The shape by which custom objects merge.

use merge::schema::{Field, List, ListKind, Map, Patch, Scalar, Schema as Shape, Type, TypeId};

use crate::schema::{Additional, Schema};

impl Schema {
    /// Adds this schema to `shape`; answers the type of a whole object.
    ///
    /// `metadata` is the type of every object's metadata, where `shape` holds one already.
    pub fn to_merge(&self, shape: &mut Shape, metadata: Option<TypeId>) -> TypeId {
        let mut writer = Writer { shape, metadata, deduced: None, text: None, preserving: false };
        writer.object(self, true)
    }
}

struct Writer<'a> {
    shape: &'a mut Shape,
    metadata: Option<TypeId>,
    deduced: Option<TypeId>,
    text: Option<TypeId>,
    /// Whether something above keeps what is unknown: then everything below does, as owners see it.
    preserving: bool,
}

impl Writer<'_> {
    fn deduced(&mut self) -> TypeId {
        let shape = &mut *self.shape;
        *self.deduced.get_or_insert_with(|| shape.add(Type::Deduced))
    }

    fn text(&mut self) -> TypeId {
        let shape = &mut *self.shape;
        *self.text.get_or_insert_with(|| shape.add(Type::Scalar(Scalar::String)))
    }

    fn object(&mut self, schema: &Schema, is_object: bool) -> TypeId {
        let above = self.preserving;
        self.preserving |= schema.preserve_unknown;
        let id = self.whole(schema, is_object);
        self.preserving = above;
        id
    }

    fn whole(&mut self, schema: &Schema, is_object: bool) -> TypeId {
        let mut fields = Vec::with_capacity(schema.properties.len() + 3);
        for (name, property) in &schema.properties {
            let at_metadata = is_object && name == "metadata";
            let type_id = match self.metadata.filter(|_| at_metadata) {
                Some(metadata) => metadata,
                None => self.node(property),
            };
            fields.push(field(name, type_id, property.default.clone()));
        }
        if is_object {
            let metadata = match self.metadata {
                Some(metadata) => metadata,
                None => self.deduced(),
            };
            let text = self.text();
            for (name, type_id) in [("apiVersion", text), ("kind", text), ("metadata", metadata)] {
                if !schema.properties.contains_key(name) {
                    fields.push(field(name, type_id, None));
                }
            }
            fields.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let rest = match &schema.additional {
            Some(Additional::Schema(node)) => Some(self.node(node)),
            Some(Additional::Any) => Some(self.deduced()),
            None if self.preserving => Some(self.deduced()),
            None => None,
        };
        self.shape.add(Type::Map(Map {
            fields,
            rest,
            atomic: schema.map_atomic,
            preserve_unknown: self.preserving,
        }))
    }

    fn node(&mut self, schema: &Schema) -> TypeId {
        if schema.int_or_string {
            // What it may be is for the validation to say, not for who owns it.
            return self.deduced();
        }
        match schema.kind.as_str() {
            "integer" | "number" => self.shape.add(Type::Scalar(Scalar::Numeric)),
            "boolean" => self.shape.add(Type::Scalar(Scalar::Boolean)),
            "string" if matches!(schema.format.as_str(), "" | "byte") => self.text(),
            "string" => self.shape.add(Type::Scalar(Scalar::Untyped)),
            "array" => {
                let element = match schema.items.as_deref() {
                    Some(items) => self.node(items),
                    None => self.deduced(),
                };
                let kind = match schema.list_type.as_str() {
                    "set" => ListKind::Set,
                    "map" => ListKind::Map(
                        schema.list_map_keys.iter().map(|key| key.as_str().into()).collect(),
                    ),
                    _ => ListKind::Atomic,
                };
                self.shape.add(Type::List(List { element, kind }))
            }
            "object" => {
                if schema.properties.is_empty() && schema.additional.is_none() && !schema.embedded {
                    // A bare object may hold anything, as owners see it.
                    let rest = Some(self.deduced());
                    return self.shape.add(Type::Map(Map {
                        fields: Vec::new(),
                        rest,
                        atomic: schema.map_atomic,
                        preserve_unknown: self.preserving || schema.preserve_unknown,
                    }));
                }
                self.object(schema, schema.embedded)
            }
            _ => self.deduced(),
        }
    }
}

fn field(name: &str, type_id: TypeId, default: Option<serde_json::Value>) -> Field {
    Field { name: name.into(), type_id, default, patch: Patch::default() }
}
