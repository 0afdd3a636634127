//! The schema of a definition: whether it says how objects are built before it says what they may hold,
//! whether its defaults fit, and what each part of it may say.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::definition_rules;
use crate::definition_shown;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What a schema may say at its root where the status is a door of its own.
const ROOT_WITH_STATUS: [&str; 22] = [
    "Description",
    "Type",
    "Format",
    "Title",
    "Maximum",
    "ExclusiveMaximum",
    "Minimum",
    "ExclusiveMinimum",
    "MaxLength",
    "MinLength",
    "Pattern",
    "MaxItems",
    "MinItems",
    "UniqueItems",
    "MultipleOf",
    "Required",
    "Items",
    "Properties",
    "ExternalDocs",
    "Example",
    "XPreserveUnknownFields",
    "XValidations",
];

/// Names what is wrong with the schema of a version.
pub fn validate(at: &At<'_>, has_status: bool, errors: &mut Vec<FieldError>) {
    let before = errors.len();
    if has_status {
        root_beside_status(at, errors);
    }
    if at.at("nullable").flag() {
        errors.push(at.at("nullable").forbidden("nullable cannot be true at the root"));
    }
    let unread = unread(at.value);
    let mut is_built = false;
    if unread.is_none() {
        let mut found = Vec::new();
        built(at, Level::Root, &mut found);
        complete(at.value, Some(at.value), &at.path, &at.path, &mut found);
        found.sort_by_cached_key(ToString::to_string);
        if found.is_empty() {
            defaults(at, &mut found);
        }
        is_built = found.is_empty();
        errors.extend(found);
    }
    let of_parts = errors.len();
    part(at, &Around { root: true, ..Around::default() }, errors);
    if let (true, Some(why)) = (errors.len() == before, unread) {
        errors.push(FieldError::invalid(at.path.clone(), "", why));
    }
    if is_built && errors.len() == of_parts {
        definition_rules::compile(at, errors);
    }
}

fn root_beside_status(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let kind = at.at("type");
    if !kind.is_empty() && kind.text() != "object" {
        errors.push(kind.invalid(
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled",
        ));
        return;
    }
    let allowed = |name: &str| {
        definition_shown::named(name).is_none_or(|named| ROOT_WITH_STATUS.contains(&named))
    };
    let says = |name: &str, value: &Value| match value {
        Value::Bool(false) => name == "additionalProperties",
        value => !value.is_null(),
    };
    if at.entries().any(|(name, value)| says(name, value) && !allowed(name)) {
        let words = format!(
            "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
            ROOT_WITH_STATUS.join(" ")
        );
        errors.push(at.invalid(words).showing(definition_shown::schema(at.value)));
    }
}

/// Why the server cannot read a schema as one that says how objects are built.
fn unread(schema: &Value) -> Option<String> {
    for name in ["id", "$schema", "$ref", "patternProperties", "dependencies"] {
        let has = match &schema[name] {
            Value::String(text) => !text.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => false,
        };
        if has {
            let name = if name == "$schema" { "schema" } else { name };
            return Some(format!("OpenAPIV3Schema '{name}' is not supported"));
        }
    }
    if !schema["additionalItems"].is_null() {
        return Some("OpenAPIV3Schema 'additionalItems' is not supported".to_owned());
    }
    if schema["definitions"].as_object().is_some_and(|fields| !fields.is_empty()) {
        return Some("OpenAPIV3Schema 'definitions' is not supported".to_owned());
    }
    if schema["items"].is_array() {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == false {
        return Some(
            "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
                .to_owned(),
        );
    }
    let of_map = |name: &str| schema[name].as_object().into_iter().flat_map(|map| map.values());
    let of_list = |name: &str| schema[name].as_array().into_iter().flatten();
    ["items", "additionalProperties", "not"]
        .iter()
        .map(|name| &schema[*name])
        .chain(of_map("properties"))
        .chain(of_list("allOf"))
        .chain(of_list("anyOf"))
        .chain(of_list("oneOf"))
        .filter(|schema| schema.is_object())
        .find_map(unread)
}

/// Where in an object a part of a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Whether a schema says how an object is built.
fn built(at: &At<'_>, level: Level, errors: &mut Vec<FieldError>) {
    let kind = at.at("type");
    let (items, additional) = (at.at("items"), at.at("additionalProperties"));
    if kind.text() == "array" && !items.is_set() {
        errors.push(items.required("must be specified"));
    }
    if items.map().is_some() {
        built(&items, Level::Item, errors);
    }
    let properties = at.at("properties");
    for (name, _) in properties.entries() {
        built(&properties.key(name), Level::Field, errors);
    }
    if additional.is_set() && level == Level::Root {
        errors.push(additional.forbidden("must not be used at the root"));
    }
    if additional.map().is_some() {
        built(&additional, Level::Field, errors);
    }
    let [any, embedded, either] = ["preserve-unknown-fields", "embedded-resource", "int-or-string"]
        .map(|name| at.at(&format!("x-kubernetes-{name}")));
    for one in [&any, &embedded] {
        if either.flag() && one.flag() {
            errors.push(one.invalid("must be false if x-kubernetes-int-or-string is true"));
        }
    }
    branches(at, errors);
    if embedded.flag() && kind.text() != "object" {
        let words = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(if kind.is_empty() { kind.required(words) } else { kind.invalid(words) });
    } else if kind.is_empty() && !either.flag() && !any.flag() {
        errors.push(kind.required(match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        }));
    }
    if embedded.flag() && additional.is_set() {
        let words = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(additional.forbidden(words));
    }
    if level == Level::Root && !kind.is_empty() && kind.text() != "object" {
        errors.push(kind.invalid("must be object at the root"));
    }
    let whole = level == Level::Root || embedded.flag();
    for name in ["kind", "apiVersion"] {
        let kind = properties.key(name).at("type");
        if whole && properties.at(name).is_set() && kind.text() != "string" {
            errors.push(FieldError::invalid(kind.path.clone(), kind.text(), "must be string"));
        }
    }
    let metadata = properties.key("metadata");
    if metadata.is_set() {
        let kind = metadata.at("type");
        if whole && kind.text() != "object" {
            errors.push(FieldError::invalid(kind.path.clone(), kind.text(), "must be object"));
        }
        if level == Level::Root && says_more_than_names(metadata.value) {
            errors.push(metadata.forbidden(
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            ));
        }
    }
    if embedded.flag() && !any.flag() && properties.is_empty() {
        errors.push(properties.required(
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ));
    }
}

/// Whether a schema of metadata says more than what names may be.
fn says_more_than_names(metadata: &Value) -> bool {
    metadata.as_object().into_iter().flatten().any(|(name, value)| match name.as_str() {
        "type" | "default" => false,
        "properties" => {
            let properties = value.as_object();
            properties
                .is_some_and(|map| map.keys().any(|name| name != "name" && name != "generateName"))
        }
        _ => !matches!(value, Value::Null | Value::Bool(false)),
    })
}

/// Whether the branches are those of what may be a number or a text.
fn is_either(list: &Value) -> bool {
    *list == json!([{"type": "integer"}, {"type": "string"}])
}

/// Branches, which may say what is held but not how it is built.
fn branches(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (any, all) = (at.at("anyOf"), at.at("allOf"));
    if !is_either(any.value) {
        any.items().for_each(|one| branch(&one, false, errors));
    }
    for (index, one) in all.items().enumerate() {
        branch(&one, index == 0 && is_either(one.at("anyOf").value), errors);
    }
    at.at("oneOf").items().for_each(|one| branch(&one, false, errors));
    let not = at.at("not");
    if not.is_set() {
        branch(&not, false, errors);
    }
    pattern(at, errors);
}

/// A pattern is one that Go takes.
fn pattern(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let pattern = at.at("pattern");
    if let Some(why) = sprig::regex_problem(pattern.text()) {
        errors
            .push(pattern.invalid(format!("must be a valid regular expression, but isn't: {why}")));
    }
}

fn branch(at: &At<'_>, is_either: bool, errors: &mut Vec<FieldError>) {
    if !is_either {
        at.at("anyOf").items().for_each(|one| branch(&one, false, errors));
    }
    at.at("allOf").items().for_each(|one| branch(&one, false, errors));
    at.at("oneOf").items().for_each(|one| branch(&one, false, errors));
    let [not, items] = ["not", "items"].map(|name| at.at(name));
    if not.map().is_some() {
        branch(&not, false, errors);
    }
    pattern(at, errors);
    if items.map().is_some() {
        branch(&items, false, errors);
    }
    let properties = at.at("properties");
    for (name, _) in properties.entries() {
        branch(&properties.key(name), false, errors);
    }
    const EMPTY: &str = "must be empty to be structural";
    const UNDEFINED: &str = "must be undefined to be structural";
    const FALSE: &str = "must be false to be structural";
    let forbidden = [
        ("type", EMPTY),
        ("additionalProperties", UNDEFINED),
        ("default", UNDEFINED),
        ("title", EMPTY),
        ("description", EMPTY),
        ("nullable", FALSE),
        ("x-kubernetes-preserve-unknown-fields", FALSE),
        ("x-kubernetes-embedded-resource", FALSE),
        ("x-kubernetes-int-or-string", FALSE),
        ("x-kubernetes-list-map-keys", EMPTY),
        ("x-kubernetes-list-type", UNDEFINED),
        ("x-kubernetes-map-type", UNDEFINED),
        ("x-kubernetes-validations", EMPTY),
    ];
    for (name, words) in forbidden {
        let said = at.at(name);
        let says = match said.value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => words == UNDEFINED || !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Bool(true) | Value::Number(_) | Value::Object(_) => true,
        };
        if says {
            errors.push(said.forbidden(words));
        }
    }
    if properties.at("metadata").is_set() {
        let words = "must not be specified in a nested context";
        errors.push(properties.key("metadata").forbidden(words));
    }
}

/// Whether what branches speak of is built: `schema` is what says so, at `path`.
fn complete(
    said: &Value,
    schema: Option<&Value>,
    path: &str,
    said_at: &str,
    errors: &mut Vec<FieldError>,
) {
    let below = |branch: &Value, at: String, errors: &mut Vec<FieldError>| {
        complete(branch, schema, path, &at, errors);
        if branch["items"].is_object() {
            let own = schema.map(|schema| &schema["items"]).filter(|own| own.is_object());
            let (path, at) = (format!("{path}.items"), format!("{at}.items"));
            property(&branch["items"], own, &path, &at, errors);
        }
        for (name, branch) in branch["properties"].as_object().into_iter().flatten() {
            let own = schema.and_then(|schema| schema["properties"].get(name));
            let (path, at) =
                (format!("{path}.properties[{name}]"), format!("{at}.properties[{name}]"));
            property(branch, own, &path, &at, errors);
        }
    };
    if said["not"].is_object() {
        below(&said["not"], format!("{said_at}.not"), errors);
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        for (index, branch) in said[name].as_array().into_iter().flatten().enumerate() {
            below(branch, format!("{said_at}.{name}[{index}]"), errors);
        }
    }
}

/// As [`complete`], of a part of a branch.
fn property(
    said: &Value,
    schema: Option<&Value>,
    path: &str,
    said_at: &str,
    errors: &mut Vec<FieldError>,
) {
    if schema.is_none() {
        let words = format!("because it is defined in {said_at}");
        errors.push(FieldError::required(path, words));
        return;
    }
    let as_branch = json!({"allOf": [said]});
    let mut found = Vec::new();
    complete(&as_branch, schema, path, said_at, &mut found);
    let own = format!("{said_at}.allOf[0]");
    errors.extend(found.into_iter().map(|mut error| {
        error.detail = error.detail.replacen(&own, said_at, 1);
        error
    }));
}

/// Whether defaults are what their places may hold.
fn defaults(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let default = at.at("default");
    if default.is_set() {
        let schema = structural::Schema::parse(&of_any_type(at.value));
        let mut pruned = default.value.clone();
        schema.prune(&mut pruned);
        if pruned != *default.value {
            errors.push(default.invalid("must not have unknown fields"));
        }
        errors.extend(schema.validate(default.value, None).into_iter().map(|mut error| {
            error.field = match error.field.as_str() {
                "" | "<nil>" => default.path.clone(),
                inside => default.child(inside),
            };
            error
        }));
    }
    let (items, properties) = (at.at("items"), at.at("properties"));
    if items.map().is_some() {
        defaults(&items, errors);
    }
    for (name, _) in properties.entries() {
        defaults(&properties.key(name), errors);
    }
}

/// In defaults the type of what may be a number or a text is not looked at.
fn of_any_type(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| {
                name.as_str() != "x-kubernetes-int-or-string" || !value.is_boolean()
            })
            .map(|(name, value)| (name.clone(), of_any_type(value)))
            .collect(),
        Value::Array(items) => items.iter().map(of_any_type).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// What holds around a part of a schema.
#[derive(Clone, Default)]
struct Around {
    /// Whether the part is the whole.
    root: bool,
    /// Whether it stands in the metadata of an object.
    in_metadata: bool,
    /// Why it has no default, as in `in top-level metadata`.
    no_default: Option<String>,
}

/// What each part of a schema may say.
fn part(at: &At<'_>, around: &Around, errors: &mut Vec<FieldError>) {
    let kind = at.at("type");
    words(at, around, errors);
    if at.at("uniqueItems").flag() {
        errors.push(at.at("uniqueItems").forbidden(
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ));
    }
    let inside = Around { root: false, ..around.clone() };
    let (properties, additional) = (at.at("properties"), at.at("additionalProperties"));
    if additional.is_set() {
        let has_both = !properties.is_empty() && *additional.value != Value::Bool(true);
        if has_both {
            let words = "additionalProperties and properties are mutual exclusive";
            errors.push(additional.forbidden(words));
        }
        if additional.map().is_some() {
            let mut inside = inside.clone();
            if inside.in_metadata {
                let why = "inside additionalProperties applying to object metadata";
                inside.no_default = Some(why.to_owned());
            }
            part(&additional, &inside, errors);
        }
    }
    let embedded = at.at("x-kubernetes-embedded-resource").flag();
    for (name, _) in properties.entries() {
        let mut inside = inside.clone();
        if (around.root || embedded) && ["metadata", "apiVersion", "kind"].contains(&name) {
            inside.in_metadata = true;
            if around.root {
                inside.no_default = Some(format!("in top-level {name}"));
            }
        }
        part(&properties.key(name), &inside, errors);
    }
    let not = at.at("not");
    if not.map().is_some() {
        part(&not, &inside, errors);
    }
    for name in ["allOf", "oneOf", "anyOf"] {
        at.at(name).items().for_each(|one| part(&one, &inside, errors));
    }
    let items = at.at("items");
    if items.map().is_some() {
        part(&items, &inside, errors);
    }
    let any = at.at("x-kubernetes-preserve-unknown-fields");
    if *any.value == Value::Bool(false) {
        errors.push(any.invalid("must be true or undefined"));
    }
    let map = at.at("x-kubernetes-map-type");
    if map.is_set() && kind.text() != "object" {
        let words = "must be object if x-kubernetes-map-type is specified";
        errors.push(if kind.is_empty() { kind.required(words) } else { kind.invalid(words) });
    }
    map.one_of(&["atomic", "granular"], errors);
    list(at, errors);
    if at.at("x-kubernetes-validations").is_set() {
        definition_rules::written(at, unread(at.value).is_none(), errors);
    }
}

/// Words that are no part of the schemas of definitions.
fn words(at: &At<'_>, around: &Around, errors: &mut Vec<FieldError>) {
    let (kind, default) = (at.at("type"), at.at("default"));
    if !kind.is_empty() && !TYPES.contains(&kind.text()) {
        errors.push(kind.unsupported(&TYPES));
    }
    if let (true, Some(why)) = (default.is_set(), &around.no_default) {
        errors.push(default.forbidden(&format!("must not be set {why}")));
    }
    for name in
        ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"]
    {
        let said = at.at(name);
        let counts_empty = matches!(name, "additionalItems" | "dependencies" | "$ref");
        if said.is_set() && (counts_empty || !said.is_empty()) {
            errors.push(said.forbidden(&format!("{name} is not supported")));
        }
    }
    if kind.text() == "null" {
        let words = "type cannot be set to null, use nullable as an alternative";
        errors.push(kind.forbidden(words));
    }
    if at.at("items").value.as_array().is_some_and(|items| !items.is_empty()) {
        errors.push(at.at("items").forbidden("items must be a schema object and not an array"));
    }
    let embedded = at.at("x-kubernetes-embedded-resource");
    if around.in_metadata && embedded.flag() {
        errors.push(embedded.forbidden("must not be used inside of resource meta"));
    }
}

/// Lists whose items are told apart by their keys, or as a whole.
fn list(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (kind, list) = (at.at("type"), at.at("x-kubernetes-list-type"));
    let (items, keys) = (at.at("items"), at.at("x-kubernetes-list-map-keys"));
    let of_items = items.at("type");
    if list.is_set() && kind.text() != "array" {
        let words = "must be array if x-kubernetes-list-type is specified";
        errors.push(if kind.is_empty() { kind.required(words) } else { kind.invalid(words) });
    } else if list.text() == "set" && items.map().is_some() {
        let words = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let inner = items.at("x-kubernetes-list-type");
        match of_items.text() {
            "array" if inner.is_set() && inner.text() != "atomic" => {
                errors.push(inner.invalid(words));
            }
            "object" if items.at("x-kubernetes-map-type").text() != "atomic" => {
                let path = items.child("x-kubernetes-map-type");
                errors.push(FieldError::invalid(path, inner.value.clone(), words));
            }
            _ => {}
        }
    }
    if list.is_set() && !["atomic", "set", "map"].contains(&list.text()) {
        errors.push(FieldError::not_supported(
            list.path.clone(),
            list.text(),
            &["atomic", "set", "map"],
        ));
    }
    if !keys.is_empty() && list.text() != "map" {
        let words = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(if list.is_set() { list.invalid(words) } else { list.required(words) });
    }
    if list.text() == "map" {
        keyed(&items, &keys, errors);
    }
    if !matches!(list.text(), "map" | "set") || items.map().is_none() {
        return;
    }
    let nullable = items.at("nullable");
    if nullable.flag() {
        let words = format!("cannot be nullable when x-kubernetes-list-type is {}", list.text());
        errors.push(nullable.forbidden(&words));
    }
    if list.text() == "set" {
        return;
    }
    let required: BTreeSet<&str> = items
        .at("required")
        .value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for key in keys.items() {
        let (name, properties) = (key.text(), items.at("properties"));
        if !properties.at(name).is_set() {
            continue;
        }
        let property = properties.key(name);
        if !required.contains(name) && !property.at("default").is_set() {
            errors.push(property.at("default").required(
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            ));
        }
        if property.at("nullable").flag() {
            errors.push(property.at("nullable").forbidden(
                "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            ));
        }
    }
}

fn keyed(items: &At<'_>, keys: &At<'_>, errors: &mut Vec<FieldError>) {
    if keys.is_empty() {
        errors.push(keys.required("must not be empty if x-kubernetes-list-type is map"));
    }
    if !items.is_set() {
        errors.push(items.required("must have a schema if x-kubernetes-list-type is map"));
    }
    if items.map().is_none() {
        return;
    }
    let kind = items.at("type");
    if kind.text() != "object" {
        let words = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(kind.path.clone(), kind.text(), words));
        return;
    }
    let (properties, mut seen) = (items.at("properties"), BTreeSet::new());
    for key in keys.items() {
        let name = key.text();
        let property = properties.key(name);
        if !properties.at(name).is_set() {
            errors.push(keys.invalid("entries must all be names of item properties"));
        } else if matches!(property.at("type").text(), "array" | "object") {
            let words = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(property.child("type"), kind.text(), words));
        }
        if !seen.insert(name) {
            errors.push(keys.invalid("must not contain duplicate entries"));
        }
    }
}
