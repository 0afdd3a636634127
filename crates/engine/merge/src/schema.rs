//! The shape that a kind's objects have, as far as merging asks.
//!
//! One arena of types serves both ways of merging: structured merge (which lists are sets
//! or maps, which maps are atomic, which keys have defaults) and strategic merge (patch
//! strategy and patch key). Types refer to each other by [`TypeId`], so recursive types cost
//! nothing. `kubetypes` fills one from the published schemas and from CRDs.

use std::sync::Arc;

use serde_json::Value;

/// A type's place in its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// Types that refer to each other.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Indexed by [`TypeId`].
    pub types: Vec<Type>,
}

/// One type.
#[derive(Clone, Debug)]
pub enum Type {
    /// A single value.
    Scalar(Scalar),
    /// A list of one element type.
    List(List),
    /// A map or a struct.
    Map(Map),
    /// Anything; maps merge key by key, lists are replaced (upstream's `__untyped_deduced_`).
    Deduced,
    /// Anything, as one piece (upstream's `__untyped_atomic_`).
    Atomic,
}

/// What a single value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// An integer or a float.
    Numeric,
    /// A string.
    String,
    /// A boolean.
    Boolean,
    /// Any of them (quantities, int-or-string).
    Untyped,
}

/// A list, and how two of them merge.
#[derive(Clone, Debug)]
pub struct List {
    /// The type of each element.
    pub element: TypeId,
    /// How elements are told apart.
    pub kind: ListKind,
}

/// How the elements of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Not at all: the list is one piece.
    Atomic,
    /// By value.
    Set,
    /// By these fields together, in the order in which the schema names them.
    Map(Vec<Arc<str>>),
}

/// A map or a struct, and how two of them merge.
#[derive(Clone, Debug)]
pub struct Map {
    /// A struct's fields, sorted by name.
    pub fields: Vec<Field>,
    /// The type of what no field names; `None` where nothing else is allowed.
    pub rest: Option<TypeId>,
    /// Whether the map is one piece.
    pub atomic: bool,
    /// Unknown fields are kept (`x-kubernetes-preserve-unknown-fields`).
    pub preserve_unknown: bool,
}

/// One field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// As in JSON.
    pub name: Arc<str>,
    /// The field's type.
    pub type_id: TypeId,
    /// The value that an absent field has, where the field is a list key with a default.
    pub default: Option<Value>,
    /// How a strategic merge patch treats the field.
    pub patch: Patch,
}

/// How a strategic merge patch treats a field: `x-kubernetes-patch-strategy` and `-merge-key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// `patchStrategy: merge`: lists merge by key (or as a set where there is no key).
    pub merge: bool,
    /// `patchStrategy: retainKeys`.
    pub retain_keys: bool,
    /// `patchStrategy: replace`: the patch's map stands in place of the object's.
    pub replace: bool,
    /// `patchMergeKey`.
    pub merge_key: Option<Box<str>>,
}

impl Schema {
    /// Returns a type. An id from another schema is a defect of the caller.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// Adds a type.
    pub fn add(&mut self, added: Type) -> TypeId {
        let id =
            TypeId(u32::try_from(self.types.len()).expect("a schema has fewer than 2^32 types"));
        self.types.push(added);
        id
    }
}

impl Map {
    /// Returns the field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| (*field.name).cmp(name)).ok()?;
        Some(&self.fields[at])
    }
}
