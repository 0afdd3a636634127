//! Objects as their schema sees them: what merges by key, what is one piece, what differs.
//!
//! These are the operations of structured merge, on one version of one type. Who owns what
//! is not known here; that is [`crate::managed`].

mod compare;
mod field_set;
mod list;
mod merge;
mod named;
mod reconcile;
mod remove;
mod shape;
mod validate;

use serde_json::Value;

pub use compare::Comparison;
pub use validate::{Duplicates, TypeError, TypeErrors};

use crate::fields::{FieldSet, PathElement};
use crate::schema::{Schema, TypeId};

/// A type of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'s> {
    /// Where the type stands.
    pub schema: &'s Schema,
    /// Which it is.
    pub type_id: TypeId,
}

impl<'s> Typed<'s> {
    /// Names a type.
    pub fn new(schema: &'s Schema, type_id: TypeId) -> Self {
        Self { schema, type_id }
    }

    /// Whether `value` is of the type.
    ///
    /// # Errors
    /// Every place where it is not, in the API server's words.
    pub fn validate(&self, value: &Value, duplicates: Duplicates) -> Result<(), TypeErrors> {
        validate::validate(*self, value, duplicates)
    }

    /// Returns every leaf field and list item of `value`.
    pub fn field_set(&self, value: &Value) -> FieldSet {
        field_set::of(*self, value)
    }

    /// Merges `patch` into `value`. Nothing is removed, and where both have a leaf the
    /// patch's stays. Both are valid, and the patch has no duplicates.
    pub fn merge(&self, value: &mut Value, patch: &Value) {
        merge::merge(*self, value, patch);
    }

    /// Whether [`Self::merge`] would change anything.
    pub fn would_change(&self, value: &Value, patch: &Value) -> bool {
        merge::would_change(*self, value, patch)
    }

    /// Returns what stands at a path; of list elements that are there twice, the first.
    pub fn find<'v>(&self, value: &'v Value, path: &[PathElement]) -> Option<&'v Value> {
        list::find(*self, value, path)
    }

    /// Returns what must change in `old` to make it `new`. Both are valid.
    pub fn compare(&self, old: &Value, new: &Value) -> Comparison {
        compare::compare(*self, old, new)
    }

    /// Takes fields and list items out of `value`.
    pub fn remove_items(&self, value: &mut Value, items: &FieldSet) {
        remove::remove(*self, value, items);
    }

    /// Returns `value` with these fields and list items alone. With `keys`, the key fields of
    /// list items come along although they are not in the set.
    pub fn extract_items(&self, value: &Value, items: &FieldSet, keys: bool) -> Value {
        remove::extract(*self, value, items, keys)
    }

    /// Adds every declared field on the way to a member: who owns `spec.replicas` holds
    /// `spec` in place.
    pub fn with_named_fields(&self, set: &FieldSet) -> FieldSet {
        named::with_named_fields(*self, set)
    }

    /// Fits a set to the schema where a list or map has become one piece since the set was
    /// written. Returns whether anything changed.
    pub fn reconcile(&self, set: &mut FieldSet) -> bool {
        reconcile::reconcile(*self, set)
    }
}

#[cfg(test)]
mod tests;
