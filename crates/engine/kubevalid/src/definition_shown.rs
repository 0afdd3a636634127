//! Schemas of definitions as Go prints the server's own form of them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::definition_rules;

/// What a field of a schema holds.
#[derive(Clone, Copy)]
enum Holds {
    /// A text, empty where it is missing.
    Text,
    /// A yes or no, no where it is missing.
    Flag,
    /// Anything, null where it is missing.
    Any,
    /// A schema.
    Schema,
    /// Schemas, in their order.
    Schemas,
    /// Schemas by their names.
    Named,
    /// A schema, or several.
    OneOrMore,
    /// A schema, or yes or no.
    OneOrFlag,
    /// What else must stand there where a name does.
    Dependencies,
    /// A place in the documentation.
    Docs,
    /// Rules in CEL.
    Rules,
}

/// The fields in the order of the server's, with their names on the wire.
const FIELDS: [(&str, &str, Holds); 43] = [
    ("ID", "id", Holds::Text),
    ("Schema", "$schema", Holds::Text),
    ("Ref", "$ref", Holds::Any),
    ("Description", "description", Holds::Text),
    ("Type", "type", Holds::Text),
    ("Nullable", "nullable", Holds::Flag),
    ("Format", "format", Holds::Text),
    ("Title", "title", Holds::Text),
    ("Default", "default", Holds::Any),
    ("Maximum", "maximum", Holds::Any),
    ("ExclusiveMaximum", "exclusiveMaximum", Holds::Flag),
    ("Minimum", "minimum", Holds::Any),
    ("ExclusiveMinimum", "exclusiveMinimum", Holds::Flag),
    ("MaxLength", "maxLength", Holds::Any),
    ("MinLength", "minLength", Holds::Any),
    ("Pattern", "pattern", Holds::Text),
    ("MaxItems", "maxItems", Holds::Any),
    ("MinItems", "minItems", Holds::Any),
    ("UniqueItems", "uniqueItems", Holds::Flag),
    ("MultipleOf", "multipleOf", Holds::Any),
    ("Enum", "enum", Holds::Any),
    ("MaxProperties", "maxProperties", Holds::Any),
    ("MinProperties", "minProperties", Holds::Any),
    ("Required", "required", Holds::Any),
    ("Items", "items", Holds::OneOrMore),
    ("AllOf", "allOf", Holds::Schemas),
    ("OneOf", "oneOf", Holds::Schemas),
    ("AnyOf", "anyOf", Holds::Schemas),
    ("Not", "not", Holds::Schema),
    ("Properties", "properties", Holds::Named),
    ("AdditionalProperties", "additionalProperties", Holds::OneOrFlag),
    ("PatternProperties", "patternProperties", Holds::Named),
    ("Dependencies", "dependencies", Holds::Dependencies),
    ("AdditionalItems", "additionalItems", Holds::OneOrFlag),
    ("Definitions", "definitions", Holds::Named),
    ("ExternalDocs", "externalDocs", Holds::Docs),
    ("Example", "example", Holds::Any),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", Holds::Any),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", Holds::Flag),
    ("XIntOrString", "x-kubernetes-int-or-string", Holds::Flag),
    ("XListMapKeys", "x-kubernetes-list-map-keys", Holds::Any),
    ("XListType", "x-kubernetes-list-type", Holds::Any),
    ("XMapType", "x-kubernetes-map-type", Holds::Any),
];

/// Returns a schema as it is printed.
pub fn schema(schema: &Value) -> String {
    let mut out = String::from("{");
    for (name, written, holds) in FIELDS {
        push(&mut out, name, &field(&schema[written], holds));
    }
    push(&mut out, "XValidations", &field(&schema["x-kubernetes-validations"], Holds::Rules));
    out.push('}');
    out
}

/// Returns where a field that is written `name` stands in the server's form, and how it is called there.
pub fn named(name: &str) -> Option<&'static str> {
    match name {
        "x-kubernetes-validations" => Some("XValidations"),
        name => FIELDS.iter().find(|(_, written, _)| *written == name).map(|(named, _, _)| *named),
    }
}

fn push(out: &mut String, name: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    let _infallible = write!(out, "\"{name}\":{value}");
}

fn field(value: &Value, holds: Holds) -> String {
    match (holds, value) {
        (Holds::Text, Value::Null) => "\"\"".to_owned(),
        (Holds::Flag, Value::Null) => "false".to_owned(),
        (Holds::Text | Holds::Flag | Holds::Any, value) => escaped(value),
        (_, Value::Null) => "null".to_owned(),
        (Holds::Schema, value) => schema(value),
        (Holds::Schemas, value) => list(value, schema),
        (Holds::Named, value) => map(value, schema),
        (Holds::OneOrMore, Value::Array(_)) => {
            format!("{{\"Schema\":null,\"JSONSchemas\":{}}}", list(value, schema))
        }
        (Holds::OneOrMore, value) => {
            format!("{{\"Schema\":{},\"JSONSchemas\":null}}", schema(value))
        }
        (Holds::OneOrFlag, Value::Bool(flag)) => format!("{{\"Allows\":{flag},\"Schema\":null}}"),
        (Holds::OneOrFlag, value) => format!("{{\"Allows\":true,\"Schema\":{}}}", schema(value)),
        (Holds::Dependencies, value) => map(value, |one| match one {
            Value::Array(_) => format!("{{\"Schema\":null,\"Property\":{one}}}"),
            one => format!("{{\"Schema\":{},\"Property\":null}}", schema(one)),
        }),
        (Holds::Docs, value) => format!(
            "{{\"Description\":{},\"URL\":{}}}",
            field(&value["description"], Holds::Text),
            field(&value["url"], Holds::Text)
        ),
        (Holds::Rules, value) => list(value, definition_rules::shown),
    }
}

fn list(value: &Value, each: impl Fn(&Value) -> String) -> String {
    let items: Vec<String> = value.as_array().into_iter().flatten().map(each).collect();
    format!("[{}]", items.join(","))
}

fn map(value: &Value, each: impl Fn(&Value) -> String) -> String {
    let fields = value.as_object().into_iter().flatten();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{}:{}", escaped(&Value::from(name.as_str())), each(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// Go writes signs that mean something in HTML as escapes.
fn escaped(value: &Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
