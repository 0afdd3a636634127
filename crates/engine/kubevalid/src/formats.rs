//! Formats that schemas of definitions name and that the server does not know.

use serde_json::Value;

/// What texts can be, without the dashes.
const OF_TEXTS: [&str; 26] = [
    "bsonobjectid",
    "byte",
    "cidr",
    "creditcard",
    "date",
    "datetime",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "ipv4",
    "ipv6",
    "isbn",
    "isbn10",
    "isbn13",
    "k8slongname",
    "k8sshortname",
    "mac",
    "password",
    "rgbcolor",
    "ssn",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// Parts of a schema that are schemas, or lists of them.
const PARTS: [&str; 7] =
    ["items", "allOf", "oneOf", "anyOf", "not", "additionalProperties", "additionalItems"];
/// Parts that are maps of schemas.
const MAPS: [&str; 4] = ["properties", "patternProperties", "dependencies", "definitions"];

/// Returns the formats of a definition that the server does not know, in the order of its versions.
pub fn unknown(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
        of_schema(&version["schema"]["openAPIV3Schema"], &mut found);
    }
    found
}

fn of_schema(schema: &Value, found: &mut Vec<String>) {
    let format = schema["format"].as_str().unwrap_or_default();
    if !format.is_empty() && !is_known(schema["type"].as_str().unwrap_or_default(), format) {
        found.push(format.to_owned());
    }
    for part in PARTS {
        match &schema[part] {
            Value::Array(schemas) => schemas.iter().for_each(|schema| of_schema(schema, found)),
            schema => {
                if schema.is_object() {
                    of_schema(schema, found);
                }
            }
        }
    }
    for map in MAPS {
        let schemas = schema[map].as_object().into_iter().flatten();
        schemas.for_each(|(_, schema)| of_schema(schema, found));
    }
}

fn is_known(kind: &str, format: &str) -> bool {
    match kind {
        "" | "string" => OF_TEXTS.contains(&format.replace('-', "").as_str()),
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    }
}
