//! A kind in all of its versions.

use serde_json::Value;

use crate::schema::{Schema, TypeId};
use crate::typed::Typed;

/// What managing fields needs to know of a kind.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where the kind's types stand.
    pub schema: &'a Schema,
    /// The kind's versions.
    pub versions: &'a dyn Versions,
    /// What an object of the kind is before anything is in it. For a built-in kind that is
    /// the JSON of Go's zero value, with structs that are always there and null lists; for
    /// others `apiVersion` and `kind`. It decides whether the writer of a new object owns
    /// `spec` itself or only what is inside.
    pub zero: &'a Value,
}

/// The versions in which a kind is served.
pub trait Versions {
    /// The type at an API version; `None` is a version that is not served.
    fn type_of(&self, api_version: &str) -> Option<TypeId>;

    /// Returns an object at another version, by default the same with another `apiVersion`.
    ///
    /// # Errors
    /// Why it cannot be converted.
    fn convert(&self, object: &Value, api_version: &str) -> Result<Value, String> {
        let mut converted = object.clone();
        if let Value::Object(map) = &mut converted {
            map.insert("apiVersion".to_owned(), api_version.into());
        }
        Ok(converted)
    }
}

/// A kind that is served at one version.
#[derive(Clone, Debug)]
pub struct OneVersion {
    /// As in `apps/v1`.
    pub api_version: String,
    /// The kind's type.
    pub type_id: TypeId,
}

impl Versions for OneVersion {
    fn type_of(&self, api_version: &str) -> Option<TypeId> {
        (api_version == self.api_version).then_some(self.type_id)
    }
}

impl<'a> Context<'a> {
    /// The type at a version.
    pub(crate) fn typed(&self, api_version: &str) -> Option<Typed<'a>> {
        let type_id = self.versions.type_of(api_version)?;
        Some(Typed::new(self.schema, type_id))
    }
}
