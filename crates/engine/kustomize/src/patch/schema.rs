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

/// The most schemas without a name that may stand in each other; deeper ones are not known.
const DEPTH_MAX: usize = 200;

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
        let number = |text: &str| -> u32 { text.parse().expect("the table names types by number") };
        let mut schema = Schema { types: vec![Type::default()], kinds: HashMap::new() };
        let lines: Vec<&str> = types.lines().collect();
        schema.types.resize_with(lines.len() + 1, Type::default);
        for line in lines {
            let mut words = line.split(' ');
            let id = number(words.next().expect("a line begins with a number")) as usize;
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
        let nothing = Map::new();
        let definitions = definitions.unwrap_or(&nothing);
        let names: HashMap<&str, TypeId> =
            definitions.keys().map(String::as_str).zip((0u32..).map(TypeId)).collect();
        let mut reader = Reader { definitions, names, types: Vec::new(), depth_left: DEPTH_MAX };
        // A place for each first, since they refer to each other.
        reader.types.resize_with(definitions.len(), Type::default);
        let mut kinds = HashMap::new();
        for (place, (name, definition)) in definitions.iter().enumerate() {
            reader.types[place] = reader.read(definition);
            let gvks = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            for gvk in gvks.into_iter().flatten() {
                let text = |name: &str| gvk.get(name).and_then(Value::as_str).unwrap_or_default();
                let slash = if text("group").is_empty() { "" } else { "/" };
                let kind = format!("{}{slash}{} {}", text("group"), text("version"), text("kind"));
                kinds.insert(kind.into(), reader.names[name.as_str()]);
            }
        }
        Schema { types: reader.types, kinds }
    }
}

/// Reads the definitions of an OpenAPI v2 document.
struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    names: HashMap<&'a str, TypeId>,
    types: Vec<Type>,
    depth_left: usize,
}

impl<'a> Reader<'a> {
    fn read(&mut self, from: &'a Value) -> Type {
        let mut made = Type::default();
        let properties = from.get("properties").and_then(Value::as_object);
        for (name, field) in properties.into_iter().flatten() {
            if let Some(of) = self.inner(field) {
                made.fields.insert(name.as_str().into(), of);
            }
        }
        if let Some(values @ Value::Object(_)) = from.get("additionalProperties") {
            made.rest = self.inner(values);
        }
        let is_list = match from.get("type") {
            Some(Value::String(name)) => name == "array",
            Some(Value::Array(names)) => names.len() == 1 && names[0] == "array",
            _ => false,
        };
        if let (true, Some(items @ Value::Object(_))) = (is_list, from.get("items")) {
            made.items = self.inner(items);
        }
        let strategy = from.get("x-kubernetes-patch-strategy").and_then(Value::as_str);
        if strategy.is_some_and(|strategy| strategy.split(',').any(|one| one == "merge")) {
            let several = from.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            let single = from.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
            made.merge_keys = Some(match several {
                Some(keys) => keys.iter().filter_map(Value::as_str).map(Into::into).collect(),
                None => single.map(Into::into).into_iter().collect(),
            });
        }
        made
    }

    /// The type that a schema inside another one describes, references followed.
    fn inner(&mut self, from: &'a Value) -> Option<TypeId> {
        let mut from = from;
        let mut named = None;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = from.get("$ref").and_then(Value::as_str) else {
                return named.or_else(|| self.unnamed(from));
            };
            let name = reference.strip_prefix("#/definitions/")?;
            from = self.definitions.get(name)?;
            named = self.names.get(name).copied();
        }
        None
    }

    fn unnamed(&mut self, from: &'a Value) -> Option<TypeId> {
        self.depth_left = self.depth_left.checked_sub(1)?;
        let made = self.read(from);
        self.depth_left += 1;
        let id = u32::try_from(self.types.len()).expect("a schema has less than 2^32 types");
        self.types.push(made);
        Some(TypeId(id))
    }
}
