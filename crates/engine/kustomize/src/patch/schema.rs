//! Which lists merge by key, by the kind's OpenAPI schema.
//!
//! kustomize merges by the published schema of Kubernetes 1.21.2, or by one that the
//! kustomization names in `openapi.path`, which then stands alone. Of either only four facts
//! matter here: a kind's type, a field's type, a list's merge keys, and that a type is known.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

/// What kustomize 5.8.1 carries, as a table: a line a kind (`apiVersion kind type`), an empty
/// line, a line a type (`number field=…`). A field's value is `[keys]` for a list that merges,
/// `{}` for a map of any keys, and a type's number, 0 being a type with nothing to tell.
const BUILTIN: &str = include_str!("../../data/merge-1.21.2.txt");

static DEFAULT: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::from_table(BUILTIN)));

/// The most schemas in which one schema may stand for the next by `$ref`.
const REFERENCES_MAX: usize = 64;

/// Types by their place in [`Schema::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeId(u32);

/// What is known of one type.
#[derive(Debug, Default)]
struct Type {
    fields: HashMap<Box<str>, TypeId>,
    /// Fields of any other name.
    rest: Option<TypeId>,
    items: Option<TypeId>,
    /// For a list that merges: the fields that name an item, none for a list of scalars.
    merge_keys: Option<Box<[Box<str>]>>,
}

/// The types of the kinds that are known.
#[derive(Debug)]
pub struct Schema {
    types: Vec<Type>,
    /// By `apiVersion` and kind, a space between.
    kinds: HashMap<Box<str>, TypeId>,
}

/// Why a custom schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid schema file: {0}")]
pub struct SchemaError(String);

impl Schema {
    /// The schema that kustomize uses where nobody names another.
    pub fn builtin() -> Arc<Self> {
        DEFAULT.clone()
    }

    /// Reads an OpenAPI v2 document (what `kustomize openapi fetch` prints), as JSON or YAML.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] for what is no such document.
    pub fn read(bytes: &[u8]) -> Result<Self, SchemaError> {
        let document = if bytes.first() == Some(&b'{') {
            serde_json::from_slice(bytes).map_err(|cause| SchemaError(cause.to_string()))?
        } else {
            goyaml::to_json(bytes).map_err(|cause| SchemaError(cause.to_string()))?
        };
        let Value::Object(document) = document else {
            return Err(SchemaError("the document is no object".to_owned()));
        };
        Ok(Self::from_definitions(document.get("definitions").and_then(Value::as_object)))
    }

    /// The type of a kind, `None` where the schema does not know it.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<TypeId> {
        let mut name = String::with_capacity(api_version.len() + 1 + kind.len());
        name.push_str(api_version);
        name.push(' ');
        name.push_str(kind);
        self.kinds.get(name.as_str()).copied()
    }

    /// The type of a field, `None` where nothing is known of it.
    pub(crate) fn field(&self, of: TypeId, name: &str) -> Option<TypeId> {
        let of = &self.types[of.0 as usize];
        of.fields.get(name).copied().or(of.rest)
    }

    /// The type of a list's items.
    pub(crate) fn items(&self, of: TypeId) -> Option<TypeId> {
        self.types[of.0 as usize].items
    }

    /// The fields that name an item of a list that merges; `None` for a list that is replaced.
    pub(crate) fn merge_keys(&self, of: TypeId) -> Option<&[Box<str>]> {
        self.types[of.0 as usize].merge_keys.as_deref()
    }

    fn from_table(table: &str) -> Self {
        let (kinds, types) = table.split_once("\n\n").expect("the table has two parts");
        let number = |text: &str| text.parse().expect("the table names types by number");
        let mut schema = Schema { types: vec![Type::default()], kinds: HashMap::new() };
        let lines: Vec<&str> = types.lines().collect();
        schema.types.resize_with(lines.len() + 1, Type::default);
        for line in lines {
            let mut words = line.split(' ');
            let id: usize = number(words.next().expect("a line begins with a number"));
            for word in words.filter(|word| !word.is_empty()) {
                let (name, shape) = word.split_once('=').expect("a field has a shape");
                let of = schema.add_shape(shape);
                schema.types[id].fields.insert(name.into(), of);
            }
        }
        for line in kinds.lines() {
            let (kind, id) = line.rsplit_once(' ').expect("a kind has a type");
            schema.kinds.insert(kind.into(), TypeId(number(id)));
        }
        schema
    }

    fn add_shape(&mut self, shape: &str) -> TypeId {
        let made = if let Some(list) = shape.strip_prefix('[') {
            let (keys, items) = list.split_once(']').expect("a bracket is closed");
            let items = (!items.is_empty()).then(|| self.add_shape(items));
            let keys = keys.split('+').filter(|key| !key.is_empty()).map(Into::into).collect();
            Type { items, merge_keys: Some(keys), ..Type::default() }
        } else if let Some(values) = shape.strip_prefix("{}") {
            Type { rest: Some(self.add_shape(values)), ..Type::default() }
        } else {
            return TypeId(shape.parse().expect("the table names types by number"));
        };
        self.add(made)
    }

    fn add(&mut self, made: Type) -> TypeId {
        let id = u32::try_from(self.types.len()).expect("a schema has less than 2^32 types");
        self.types.push(made);
        TypeId(id)
    }

    fn from_definitions(definitions: Option<&Map<String, Value>>) -> Self {
        let mut schema = Schema { types: Vec::new(), kinds: HashMap::new() };
        let Some(definitions) = definitions else { return schema };
        // A place for each first, since they refer to each other.
        schema.types.resize_with(definitions.len(), Type::default);
        let names: HashMap<&str, TypeId> =
            definitions.keys().map(String::as_str).zip((0u32..).map(TypeId)).collect();
        for (id, definition) in definitions.values().enumerate() {
            schema.types[id] = schema.read_type(definition, definitions, &names);
            let gvks = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            for gvk in gvks.into_iter().flatten() {
                let text = |name: &str| gvk.get(name).and_then(Value::as_str).unwrap_or_default();
                let slash = if text("group").is_empty() { "" } else { "/" };
                let name =
                    format!("{}{slash}{} {}", text("group"), text("version"), text("kind"));
                let place = u32::try_from(id).expect("a schema has less than 2^32 types");
                schema.kinds.insert(name.into(), TypeId(place));
            }
        }
        schema
    }

    fn read_type(
        &mut self,
        from: &Value,
        definitions: &Map<String, Value>,
        names: &HashMap<&str, TypeId>,
    ) -> Type {
        let mut made = Type::default();
        for (name, field) in from.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            if let Some(of) = self.add_read(field, definitions, names) {
                made.fields.insert(name.as_str().into(), of);
            }
        }
        if let Some(values @ Value::Object(_)) = from.get("additionalProperties") {
            made.rest = self.add_read(values, definitions, names);
        }
        let is_list = match from.get("type") {
            Some(Value::String(name)) => name == "array",
            Some(Value::Array(names)) => names.len() == 1 && names[0] == "array",
            _ => false,
        };
        if let (true, Some(items @ Value::Object(_))) = (is_list, from.get("items")) {
            made.items = self.add_read(items, definitions, names);
        }
        let strategy = from.get("x-kubernetes-patch-strategy").and_then(Value::as_str);
        if strategy.is_some_and(|strategy| strategy.split(',').any(|one| one == "merge")) {
            let keys = match from.get("x-kubernetes-list-map-keys").and_then(Value::as_array) {
                Some(keys) => keys.iter().filter_map(Value::as_str).map(Into::into).collect(),
                None => {
                    let key = from.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
                    key.map(Into::into).into_iter().collect()
                }
            };
            made.merge_keys = Some(keys);
        }
        made
    }

    /// The type that a schema inside another one describes, references followed.
    fn add_read(
        &mut self,
        from: &Value,
        definitions: &Map<String, Value>,
        names: &HashMap<&str, TypeId>,
    ) -> Option<TypeId> {
        let mut from = from;
        let mut id = None;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = from.get("$ref").and_then(Value::as_str) else {
                return Some(match id {
                    Some(id) => id,
                    None => {
                        let made = self.read_type(from, definitions, names);
                        self.add(made)
                    }
                });
            };
            let name = reference.strip_prefix("#/definitions/")?;
            from = definitions.get(name)?;
            id = names.get(name).copied();
        }
        None
    }
}
