//! One table a type: its fields, its reading, its printing and its schema.
//!
//! Promise: what is read is printed again, whole. Every shape has a `rest`, which keeps
//!
//! - each field that the table does not know, at any depth, and
//! - each known field that stands there with nothing in it (`null`, `false`, `0`, `""`, `[]`, `{}`),
//!   since printing leaves those out as Go's `omitempty` does.
//!
//! A value that is set later wins over what `rest` remembers. Two shapes are equal when they
//! mean the same: an absent field equals an empty one, unknown fields count.
//!
//! serde's `flatten` would do the first half, and lose the second.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// What a field's type must answer.
pub(crate) trait Field: Default {
    /// Whether printing leaves the field out.
    fn is_blank(&self) -> bool;
    /// What was read when the field is there and blank.
    fn blank() -> Value;
    /// The field's schema, without its description.
    fn schema() -> Value;
}

impl Field for bool {
    fn is_blank(&self) -> bool {
        !self
    }
    fn blank() -> Value {
        Value::Bool(false)
    }
    fn schema() -> Value {
        json!({"type": "boolean"})
    }
}

impl Field for i64 {
    fn is_blank(&self) -> bool {
        *self == 0
    }
    fn blank() -> Value {
        json!(0)
    }
    fn schema() -> Value {
        json!({"type": "integer", "format": "int64"})
    }
}

impl Field for String {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
    fn blank() -> Value {
        json!("")
    }
    fn schema() -> Value {
        json!({"type": "string"})
    }
}

/// Any JSON; only `null` is blank.
impl Field for Value {
    fn is_blank(&self) -> bool {
        self.is_null()
    }
    fn blank() -> Value {
        Value::Null
    }
    fn schema() -> Value {
        json!({"x-kubernetes-preserve-unknown-fields": true})
    }
}

impl<T: Field> Field for Vec<T> {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
    fn blank() -> Value {
        json!([])
    }
    fn schema() -> Value {
        schema_around("array", "items", T::schema())
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
    fn blank() -> Value {
        json!({})
    }
    fn schema() -> Value {
        schema_around("object", "additionalProperties", T::schema())
    }
}

impl<T: Field> Field for Option<T> {
    fn is_blank(&self) -> bool {
        self.is_none()
    }
    fn blank() -> Value {
        Value::Null
    }
    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Field> Field for Box<T> {
    fn is_blank(&self) -> bool {
        self.as_ref().is_blank()
    }
    fn blank() -> Value {
        T::blank()
    }
    fn schema() -> Value {
        T::schema()
    }
}

/// A field's name as it is read: borrowed where the input allows it.
pub(crate) struct Key<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Reads a known field's value, and remembers in `rest` what printing would leave out. What is
/// `required` is printed all the same, and only noted as `passed` where it stands there empty.
pub(crate) fn read_field<'de, T, A>(
    (key, required): (&'static str, bool),
    map: &mut A,
    rest: &mut Map<String, Value>,
    passed: &mut Option<&'static str>,
) -> Result<T, A::Error>
where
    T: Field + Deserialize<'de>,
    A: MapAccess<'de>,
{
    let value: Option<T> =
        map.next_value().map_err(|cause| Error::custom(format_args!("{key}: {cause}")))?;
    match value {
        None => {
            rest.insert(key.to_owned(), Value::Null);
            Ok(T::default())
        }
        Some(value) => {
            if value.is_blank() {
                match T::blank() {
                    // Printed by its own table, an empty object may have fields.
                    blank if !required || blank.is_object() => {
                        rest.insert(key.to_owned(), blank);
                    }
                    _ => *passed = Some(key),
                }
            }
            Ok(value)
        }
    }
}

/// A schema of a type around others, which are moved into it: `json!` copies what it is given, here
/// once a level.
pub(crate) fn schema_around(r#type: &str, field: &str, inner: Value) -> Value {
    let mut schema = serde_json::Map::new();
    schema.insert("type".into(), r#type.into());
    schema.insert(field.into(), inner);
    Value::Object(schema)
}

/// Adds a description and what else the table says to a field's schema.
pub(crate) fn described(mut schema: Value, doc: &str, more: Value) -> Value {
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
        if !doc.is_empty() {
            schema.insert("description".into(), doc.into());
        }
        schema.extend(more);
    }
    schema
}

/// Writes a struct from its table. A row reads `name: Type = "jsonName"`, then `required`
/// where the field is always printed and the schema demands it, then `{…}` with what else the
/// field's schema says.
macro_rules! shape {
    (
        $(#[doc = $doc:expr])*
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:expr])*
                $field:ident: $type:ty = $key:literal $($required:ident)? $({ $($more:tt)* })?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $(
                $(#[doc = $field_doc])*
                pub $field: $type,
            )*
            /// Fields that this type does not know, and known ones that stand there empty.
            pub rest: serde_json::Map<String, serde_json::Value>,
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        let mut shape = $name::default();
                        let mut passed = None;
                        while let Some(key) = map.next_key::<$crate::shape::Key<'de>>()? {
                            match key.0.as_ref() {
                                $(
                                    $key => {
                                        shape.$field = $crate::shape::read_field(
                                            ($key, $crate::shape::shape!(@required $($required)?)),
                                            &mut map,
                                            &mut shape.rest,
                                            &mut passed,
                                        )?;
                                    }
                                )*
                                _ => {
                                    let value = map.next_value()?;
                                    shape.rest.insert(key.0.into_owned(), value);
                                }
                            }
                        }
                        // One that says nothing else is there all the same.
                        if let Some(key) = passed
                            && $crate::shape::Field::is_blank(&shape)
                        {
                            let blank = match key {
                                $( $key => <$type as $crate::shape::Field>::blank(), )*
                                _ => serde_json::Value::Null,
                            };
                            shape.rest.insert(key.to_owned(), blank);
                        }
                        Ok(shape)
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use $crate::shape::Field;
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !self.$field.is_blank()
                        || $crate::shape::shape!(@required $($required)?)
                            && !self.rest.contains_key($key)
                    {
                        map.serialize_entry($key, &self.$field)?;
                    }
                )*
                for (key, value) in &self.rest {
                    let printed = match key.as_str() {
                        $( $key => !self.$field.is_blank(), )*
                        _ => false,
                    };
                    if !printed {
                        map.serialize_entry(key, value)?;
                    }
                }
                map.end()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                fn unknown(
                    rest: &serde_json::Map<String, serde_json::Value>,
                ) -> impl Iterator<Item = (&String, &serde_json::Value)> {
                    rest.iter().filter(|(key, _)| !matches!(key.as_str(), $( $key )|*))
                }
                $( self.$field == other.$field && )*
                    unknown(&self.rest).eq(unknown(&other.rest))
            }
        }

        impl Eq for $name {}

        impl $crate::shape::Field for $name {
            fn is_blank(&self) -> bool {
                $( self.$field.is_blank() && )* self.rest.is_empty()
            }
            fn blank() -> serde_json::Value {
                serde_json::json!({})
            }
            fn schema() -> serde_json::Value {
                let mut properties = serde_json::Map::new();
                let mut required: Vec<&str> = Vec::new();
                $(
                    properties.insert($key.into(), $crate::shape::described(
                        <$type as $crate::shape::Field>::schema(),
                        concat!($($field_doc),*),
                        serde_json::json!({ $($($more)*)? }),
                    ));
                    if $crate::shape::shape!(@required $($required)?) {
                        required.push($key);
                    }
                )*
                required.sort_unstable();
                let mut schema = $crate::shape::schema_around("object", "properties", properties.into());
                if !required.is_empty() {
                    schema["required"] = required.into();
                }
                schema
            }
        }
    };
    (@required required) => { true };
    (@required) => { false };
}

/// Writes an enumeration of words that the API spells: a word that is not in the table is kept
/// as it stands, and no word at all is `Unset`.
macro_rules! words {
    (
        $(#[doc = $doc:expr])*
        pub enum $name:ident {
            $( $(#[doc = $word_doc:expr])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            /// Nothing is said.
            #[default]
            Unset,
            $( $(#[doc = $word_doc])* $variant, )*
            /// A word from a newer or another writer, kept as it stands.
            Other(String),
        }

        impl $name {
            /// Every word of the table, in its order.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),*];

            /// The word; `""` where nothing is said.
            pub fn as_str(&self) -> &str {
                match self {
                    $name::Unset => "",
                    $( $name::$variant => $word, )*
                    $name::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    "" => $name::Unset,
                    $( $word => $name::$variant, )*
                    word => $name::Other(word.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, word: &&str) -> bool {
                self.as_str() == *word
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <$crate::shape::Key<'de> as serde::Deserialize>::deserialize(deserializer)?;
                Ok($name::from(word.0.as_ref()))
            }
        }

        impl $crate::shape::Field for $name {
            fn is_blank(&self) -> bool {
                *self == $name::Unset
            }
            fn blank() -> serde_json::Value {
                serde_json::json!("")
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({"type": "string"})
            }
        }
    };
}

pub(crate) use {shape, words};
