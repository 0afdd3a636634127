//! The merge schema of the built-in kinds.
//!
//! The rules are those by which the API server turns its own OpenAPI definitions into the
//! types of structured merge: a list is what `x-kubernetes-list-type` says, else associative
//! where its patch strategy is `merge`, else one piece; a map merges key by key unless its type
//! or its field says otherwise.

use merge::schema::{self, ListKind, Schema, TypeId};

use crate::shape::{Field, ListType, MapType, Scalar, Shape, StructId};
use crate::tables::Tables;

/// Builds the schema. The type of a struct has the struct's number.
pub(crate) fn build(tables: &Tables) -> Schema {
    let mut building = Building::new(tables);
    for at in 0..tables.structs().len() {
        let id = StructId(at as u32);
        let found = tables.get(id);
        let map = building.map_of(id, found.atomic);
        building.schema.types[at] = schema::Type::Map(map);
    }
    building.schema
}

struct Building<'a> {
    tables: &'a Tables,
    schema: Schema,
    scalars: [TypeId; 4],
    deduced: TypeId,
    atomic: TypeId,
    free_form: TypeId,
}

impl<'a> Building<'a> {
    fn new(tables: &'a Tables) -> Building<'a> {
        // The structs' places are taken first, so that they can refer to each other.
        let mut schema = Schema::default();
        for _ in tables.structs() {
            schema.add(schema::Type::Deduced);
        }
        let scalars = [
            schema::Scalar::Numeric,
            schema::Scalar::String,
            schema::Scalar::Boolean,
            schema::Scalar::Untyped,
        ]
        .map(|scalar| schema.add(schema::Type::Scalar(scalar)));
        let deduced = schema.add(schema::Type::Deduced);
        let atomic = schema.add(schema::Type::Atomic);
        let free_form = schema.add(schema::Type::Map(schema::Map {
            fields: Vec::new(),
            rest: Some(deduced),
            atomic: false,
            preserve_unknown: false,
        }));
        Building { tables, schema, scalars, deduced, atomic, free_form }
    }

    fn map_of(&mut self, id: StructId, atomic: bool) -> schema::Map {
        let tables = self.tables;
        let names = &tables.get(id).names;
        let fields: Vec<schema::Field> = names
            .iter()
            .map(|&(name, home, at)| {
                let field = &tables.get(home).fields[at as usize];
                schema::Field {
                    name: name.into(),
                    type_id: self.type_of_field(field),
                    default: key_default(field),
                    patch: field.patch.clone(),
                }
            })
            .collect();
        // An object that publishes no property may hold anything.
        let rest = fields.is_empty().then_some(self.deduced);
        schema::Map { fields, rest, atomic, preserve_unknown: false }
    }

    fn type_of_field(&mut self, field: &Field) -> TypeId {
        let atomic_map = field.map_type == Some(MapType::Atomic);
        match &field.shape {
            Shape::Struct(id) => match field.map_type {
                Some(map_type) if self.tables.get(*id).atomic != atomic_map => {
                    let map = self.map_of(*id, map_type == MapType::Atomic);
                    self.schema.add(schema::Type::Map(map))
                }
                _ => TypeId(id.0),
            },
            Shape::List { element, .. } => {
                let element = self.type_of_shape(element);
                self.schema
                    .add(schema::Type::List(schema::List { element, kind: list_kind(field) }))
            }
            Shape::Map { value, .. } => {
                let value = self.type_of_shape(value);
                self.map_to(value, atomic_map)
            }
            Shape::Scalar(..) => self.type_of_shape(&field.shape),
        }
    }

    fn type_of_shape(&mut self, shape: &Shape) -> TypeId {
        let [numeric, string, boolean, untyped] = self.scalars;
        match shape {
            Shape::Struct(id) => TypeId(id.0),
            Shape::List { element, .. } => {
                let element = self.type_of_shape(element);
                let kind = ListKind::Atomic;
                self.schema.add(schema::Type::List(schema::List { element, kind }))
            }
            Shape::Map { value, .. } => {
                let value = self.type_of_shape(value);
                self.map_to(value, false)
            }
            Shape::Scalar(scalar, _) => match scalar {
                Scalar::Bytes | Scalar::String | Scalar::Duration => string,
                Scalar::Bool => boolean,
                Scalar::Int32
                | Scalar::Int64
                | Scalar::Float64
                | Scalar::Uint32
                | Scalar::Uint8 => numeric,
                Scalar::Time | Scalar::MicroTime | Scalar::Quantity => untyped,
                Scalar::RawExtension => self.atomic,
                Scalar::FieldsV1 | Scalar::Patch => self.free_form,
                // These are published without a type.
                Scalar::IntOrString
                | Scalar::Json
                | Scalar::SchemaOrArray
                | Scalar::SchemaOrBool
                | Scalar::SchemaOrStrings => self.deduced,
            },
        }
    }

    fn map_to(&mut self, value: TypeId, atomic: bool) -> TypeId {
        self.schema.add(schema::Type::Map(schema::Map {
            fields: Vec::new(),
            rest: Some(value),
            atomic,
            preserve_unknown: false,
        }))
    }
}

fn list_kind(field: &Field) -> ListKind {
    match (field.list_type, &field.patch.merge_key) {
        (Some(ListType::Atomic), _) => ListKind::Atomic,
        (Some(ListType::Set), _) => ListKind::Set,
        (Some(ListType::Map), _) => {
            ListKind::Map(field.list_keys.iter().map(|&key| key.into()).collect())
        }
        (None, Some(key)) if field.patch.merge => ListKind::Map(vec![(**key).into()]),
        (None, None) if field.patch.merge => ListKind::Set,
        (None, _) => ListKind::Atomic,
    }
}

/// Only single values are list keys, so only their defaults are kept.
fn key_default(field: &Field) -> Option<serde_json::Value> {
    let value: serde_json::Value =
        serde_json::from_str(field.default?).expect("defaults were written as JSON by xtask");
    (!value.is_object() && !value.is_array()).then_some(value)
}
