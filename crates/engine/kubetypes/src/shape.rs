//! The shape of a built-in kind: structs, their fields, and what the fields hold.

use merge::schema::Patch;
use serde_json::Value;

/// A struct's place in its minor's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StructId(pub u32);

/// A struct of the API.
#[derive(Debug)]
pub struct Struct {
    /// As OpenAPI names it: `io.k8s.api.apps.v1.DeploymentSpec`.
    pub name: &'static str,
    /// As the server's messages name it: `v1.DeploymentSpec`.
    pub go_name: &'static str,
    /// Server-side apply owns it as one piece.
    pub atomic: bool,
    /// Stands in the published definitions. What is not is only ever inlined.
    pub published: bool,
    /// The kinds whose objects have this shape, as (group, version, kind).
    pub kinds: Vec<(&'static str, &'static str, &'static str)>,
    /// In the order of declaration.
    pub fields: Vec<Field>,
    /// Every JSON name, those of inlined structs too, sorted, with where it is declared.
    pub names: Vec<(&'static str, StructId, u32)>,
    /// How each of `names` begins: most are told apart by that, without a look at the text.
    pub(crate) beginnings: Vec<u64>,
    /// The fields that are written also where nothing is in them, those of inlined structs too.
    pub(crate) always: Vec<(StructId, u32)>,
}

impl Struct {
    /// The place of a JSON name in `names`.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        let beginning = beginning(name);
        let mut at = self.beginnings.partition_point(|other| *other < beginning);
        while self.beginnings.get(at) == Some(&beginning) {
            if self.names[at].0 == name {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

/// The first eight bytes of a name, as a number that is ordered as names are.
pub(crate) fn beginning(name: &str) -> u64 {
    match name.as_bytes().first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..name.len()].copy_from_slice(name.as_bytes());
            u64::from_be_bytes(first)
        }
    }
}

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// As in JSON; empty for an inlined struct.
    pub name: &'static str,
    /// As in Go; empty for an embedded struct.
    pub go_name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// The protobuf field number; 0 where it does not travel.
    pub number: u32,
    /// Left out when empty: `""`, `0`, `false`, no element, nil.
    pub omit_empty: bool,
    /// Left out when it is the zero value (structs too).
    pub omit_zero: bool,
    /// Its zero is told apart from its absence.
    pub pointer: bool,
    /// Listed under `required` in the published definition.
    pub required: bool,
    /// Its struct's fields stand in the holder's JSON object.
    pub inline: bool,
    /// Stands in the published definition.
    pub published: bool,
    /// `x-kubernetes-map-type`, where the field names one.
    pub map_type: Option<MapType>,
    /// `x-kubernetes-list-type`.
    pub list_type: Option<ListType>,
    /// `x-kubernetes-list-map-keys`.
    pub list_keys: Box<[&'static str]>,
    /// The default of the OpenAPI v3 documents, as JSON text.
    pub default: Option<&'static str>,
    /// How a strategic merge patch treats it.
    pub patch: Patch,
    /// `patchStrategy: replace`: a strategic merge patch puts its map in place of the object's.
    pub patch_replaces: bool,
    /// The published enumeration, if there is one.
    pub values: Box<[&'static str]>,
}

/// `x-kubernetes-map-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// One piece.
    Atomic,
    /// Key by key.
    Granular,
}

/// `x-kubernetes-list-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// One piece.
    Atomic,
    /// Elements told apart by value.
    Set,
    /// Elements told apart by keys.
    Map,
}

/// What a field, an element or a map's value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A struct.
    Struct(StructId),
    /// A list.
    List {
        /// The Go name where the list type has one (`v1.Verbs`), else empty.
        go_name: &'static str,
        /// Each element.
        element: Box<Shape>,
    },
    /// A map from strings.
    Map {
        /// The Go name where the map type has one (`v1.ResourceList`), else empty.
        go_name: &'static str,
        /// The Go name of the keys: `string`, `v1.ResourceName`.
        go_key: &'static str,
        /// Each value.
        value: Box<Shape>,
    },
    /// One value; the text is its Go type where that is a named one (`v1.Protocol`), else empty.
    Scalar(Scalar, &'static str),
}

/// A single value, or something with a JSON form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Bytes, base64 in JSON.
    Bytes,
    /// A string.
    String,
    /// A boolean.
    Bool,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// A double.
    Float64,
    /// 32 bits, unsigned.
    Uint32,
    /// 8 bits, unsigned.
    Uint8,
    /// A time to the second.
    Time,
    /// A time to the microsecond.
    MicroTime,
    /// Such as `1h2m`.
    Duration,
    /// A quantity.
    Quantity,
    /// An integer or a string.
    IntOrString,
    /// Any object.
    RawExtension,
    /// A set of field paths.
    FieldsV1,
    /// Any JSON.
    Json,
    /// A JSON schema, or a list of them.
    SchemaOrArray,
    /// A JSON schema, or a boolean.
    SchemaOrBool,
    /// A JSON schema, or a list of strings.
    SchemaOrStrings,
    /// The body of a patch; stands in no kind.
    Patch,
}

impl Scalar {
    /// What is written of one that was not there.
    pub(crate) fn zero(self) -> Value {
        match self {
            Scalar::String | Scalar::Bytes => "".into(),
            Scalar::Bool | Scalar::SchemaOrBool => false.into(),
            Scalar::Int32
            | Scalar::Int64
            | Scalar::Uint32
            | Scalar::Uint8
            | Scalar::IntOrString
            | Scalar::Float64 => 0.into(),
            Scalar::Quantity | Scalar::Duration => "0".into(),
            Scalar::Time
            | Scalar::MicroTime
            | Scalar::RawExtension
            | Scalar::FieldsV1
            | Scalar::Json
            | Scalar::SchemaOrArray
            | Scalar::SchemaOrStrings
            | Scalar::Patch => Value::Null,
        }
    }

    /// The Go type that messages name where the type has no name of its own.
    pub fn go_type(self) -> &'static str {
        match self {
            Scalar::Bytes => "[]uint8",
            Scalar::String => "string",
            Scalar::Bool => "bool",
            Scalar::Int32 => "int32",
            Scalar::Int64 => "int64",
            Scalar::Float64 => "float64",
            Scalar::Uint32 => "uint32",
            Scalar::Uint8 => "uint8",
            Scalar::Time => "v1.Time",
            Scalar::MicroTime => "v1.MicroTime",
            Scalar::Duration => "v1.Duration",
            Scalar::Quantity => "resource.Quantity",
            Scalar::IntOrString => "intstr.IntOrString",
            Scalar::RawExtension => "runtime.RawExtension",
            Scalar::FieldsV1 => "v1.FieldsV1",
            Scalar::Json => "v1.JSON",
            Scalar::SchemaOrArray => "v1.JSONSchemaPropsOrArray",
            Scalar::SchemaOrBool => "v1.JSONSchemaPropsOrBool",
            Scalar::SchemaOrStrings => "v1.JSONSchemaPropsOrStringArray",
            Scalar::Patch => "v1.Patch",
        }
    }
}
