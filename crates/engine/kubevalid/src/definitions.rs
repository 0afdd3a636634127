//! CustomResourceDefinitions.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::definition_rules;
use crate::names;

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
/// How many fields selectors may name.
const SELECTABLE_MAX: u64 = 8;
const SCHEMA_TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let established = object.to(&["status", "conditions"]).items().any(|condition| {
        condition.at("type").text() == "Established" && condition.at("status").text() == "True"
    });
    spec_of(&spec, errors);
    let stored: Vec<&str> = spec
        .at("versions")
        .items()
        .filter(|version| version.at("storage").flag())
        .map(|version| version.at("name").text())
        .collect();
    let kept = "status.storedVersions";
    match stored.as_slice() {
        [_] => {}
        [] if object.to(&["status", "storedVersions"]).is_empty() => errors
            .push(FieldError::invalid(kept, Value::Null, "must have at least one stored version")),
        [] => {}
        [first, .., last] => {
            let words = format!("must have the storage version {last}");
            errors.push(FieldError::invalid(kept, json!([first]), words));
        }
    }
    let Some(old) = old else { return };
    if established {
        for field in ["group", "scope"] {
            spec.at(field).unchanged(&old.to(&["spec", field]), errors);
        }
        for field in ["kind", "plural"] {
            spec.to(&["names", field]).unchanged(&old.to(&["spec", "names", field]), errors);
        }
    }
}

fn spec_of(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let group = spec.at("group");
    if group.is_empty() {
        errors.push(group.required(""));
    } else {
        let refusals = names::subdomain(group.text(), false);
        if !refusals.is_empty() {
            group.named(refusals, errors);
        } else if !group.text().contains('.') {
            errors.push(group.invalid("should be a domain with at least one dot"));
        }
    }
    let scope = spec.at("scope");
    if scope.is_empty() {
        errors.push(scope.required(""));
    } else {
        scope.one_of(&["Cluster", "Namespaced"], errors);
    }
    if spec.at("preserveUnknownFields").flag() {
        errors.push(spec.at("preserveUnknownFields").invalid(
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ));
    }
    versions(spec, errors);
    names_of(&spec.at("names"), errors);
    only_version(spec, errors);
    let conversion = spec.at("conversion");
    if conversion.is_set() {
        match conversion.at("strategy").text() {
            "None" => {}
            "Webhook" => {
                let hook = conversion.at("webhook");
                if !hook.at("clientConfig").is_set() {
                    let words = "required when strategy is set to Webhook";
                    errors
                        .push(FieldError::required(conversion.child("webhookClientConfig"), words));
                }
                if hook.at("conversionReviewVersions").is_empty() {
                    errors.push(FieldError::required(
                        conversion.child("conversionReviewVersions"),
                        "",
                    ));
                }
            }
            "" => errors.push(conversion.at("strategy").required("")),
            _ => errors.push(conversion.at("strategy").unsupported(&["None", "Webhook"])),
        }
    }
}

fn versions(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let list = spec.at("versions");
    let several = list.items().count() > 1;
    let mut seen = BTreeSet::new();
    let mut repeated = false;
    for version in list.items() {
        let name = version.at("name");
        name.named(names::label_1035(name.text()), errors);
        repeated |= !seen.insert(name.text());
        deprecation(&version, errors);
        let schema = version.to(&["schema", "openAPIV3Schema"]);
        if !schema.is_set() {
            errors.push(schema.required(""));
        }
        if several {
            parts(&version, &schema, errors);
        }
    }
    let stored = list.items().filter(|version| version.at("storage").flag()).count();
    let shown = || {
        let shown: Vec<String> = list
            .items()
            .map(|version| {
                format!(
                    r#"{{"Name":{},"Served":{},"Storage":{},"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}}"#,
                    json!(version.at("name").text()),
                    version.at("served").flag(),
                    version.at("storage").flag(),
                )
            })
            .collect();
        format!("[{}]", shown.join(","))
    };
    if repeated {
        errors.push(list.invalid("must contain unique version names").showing(shown()));
    }
    if stored != 1 {
        let words = "must have exactly one version marked as storage version";
        let error = list.invalid(words);
        errors.push(if list.is_set() { error.showing(shown()) } else { error });
    }
    if let (false, Some(version)) = (several, list.items().next()) {
        let name = version.at("name").text();
        errors.extend(
            names::label_1035(name)
                .into_iter()
                .map(|words| FieldError::invalid(spec.child("version"), name, words)),
        );
    }
}

/// What belongs to the only version, which the server names as the definition's own.
fn only_version(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let versions: Vec<At<'_>> = spec.at("versions").items().collect();
    let [version] = versions.as_slice() else { return };
    let own = At { value: version.value, path: spec.path.clone() };
    let schema = At {
        value: version.to(&["schema", "openAPIV3Schema"]).value,
        path: spec.child("validation.openAPIV3Schema"),
    };
    parts(&own, &schema, errors);
}

fn parts(version: &At<'_>, schema: &At<'_>, errors: &mut Vec<FieldError>) {
    if schema.is_set() {
        root_schema(schema, errors);
    }
    scale(&version.to(&["subresources", "scale"]), errors);
    columns(&version.at("additionalPrinterColumns"), errors);
    selectable(&version.at("selectableFields"), schema, errors);
}

fn names_of(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let kind = at.at("kind").text();
    let singular = match at.at("singular").text() {
        "" => kind.to_lowercase(),
        named => named.to_owned(),
    };
    let list_kind = match (at.at("listKind").text(), kind) {
        ("", "") => String::new(),
        ("", kind) => format!("{kind}List"),
        (named, _) => named.to_owned(),
    };
    let mixed = |name: &str| -> Vec<String> {
        names::label_1035(&name.to_lowercase())
            .into_iter()
            .map(|words| format!("may have mixed case, but should otherwise match: {words}"))
            .collect()
    };
    let all = [
        ("plural", at.at("plural").text(), names::label_1035(at.at("plural").text())),
        ("singular", singular.as_str(), names::label_1035(&singular)),
        ("kind", kind, mixed(kind)),
        ("listKind", list_kind.as_str(), mixed(&list_kind)),
    ];
    // What is missing is told before what is wrong.
    for (field, _, _) in all.iter().filter(|(_, name, _)| name.is_empty()) {
        errors.push(FieldError::required(at.child(field), ""));
    }
    for (field, name, refusals) in all.into_iter().filter(|(_, name, _)| !name.is_empty()) {
        errors.extend(
            refusals.into_iter().map(|words| FieldError::invalid(at.child(field), name, words)),
        );
    }
    for name in at.at("shortNames").items() {
        name.named(names::label_1035(name.text()), errors);
    }
    if !kind.is_empty() && kind == list_kind {
        let words = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(at.child("listKind"), list_kind, words));
    }
    for category in at.at("categories").items() {
        category.named(names::label_1035(category.text()), errors);
    }
}

fn columns(list: &At<'_>, errors: &mut Vec<FieldError>) {
    for column in list.items() {
        if column.at("name").is_empty() {
            errors.push(column.at("name").required(""));
        }
        let kind = column.at("type");
        if kind.is_empty() {
            errors.push(kind.required("must be one of boolean,date,integer,number,string"));
        } else if !COLUMN_TYPES.contains(&kind.text()) {
            errors.push(kind.invalid("must be one of boolean,date,integer,number,string"));
        }
        let path = At { value: column.at("jsonPath").value, path: column.child("JSONPath") };
        simple_path(&path, errors);
    }
}

/// What users of a version are told.
fn deprecation(version: &At<'_>, errors: &mut Vec<FieldError>) {
    let said = version.at("deprecationWarning");
    if !said.is_set() {
        return;
    }
    if !version.at("deprecated").flag() {
        errors.push(said.invalid("can only be set for deprecated versions"));
        return;
    }
    if said.text().len() > 256 {
        errors.push(said.invalid("must be <= 256 characters long"));
    }
    if said.is_empty() {
        errors.push(said.invalid("must not be an empty string"));
    }
    let odd = |sign: char| sign.is_control() || (sign.is_whitespace() && sign != ' ');
    if let Some(at) = said.text().find(odd) {
        errors.push(said.invalid(format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {at}"
        )));
    }
}

/// Fields that selectors may name.
fn selectable(list: &At<'_>, schema: &At<'_>, errors: &mut Vec<FieldError>) {
    if list.is_empty() {
        return;
    }
    let mut seen = BTreeSet::new();
    for field in list.items() {
        let path = field.at("jsonPath");
        if path.is_empty() {
            errors.push(path.required(""));
            continue;
        }
        let found = match field_at(path.text(), schema) {
            Ok(found) => found,
            Err(why) => {
                errors.push(path.invalid(format!("is an invalid path: {why}")));
                continue;
            }
        };
        if path.text().starts_with(".metadata.") || path.text() == ".metadata" {
            errors.push(path.invalid("must not point to fields in metadata"));
        }
        if !matches!(found.at("type").text(), "string" | "boolean" | "integer") {
            errors.push(path.invalid("must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."));
        }
        if !seen.insert(path.text()) {
            errors.push(path.duplicate());
        }
    }
    if seen.len() as u64 > SELECTABLE_MAX {
        errors.push(FieldError::too_many(list.path.clone(), seen.len() as u64, SELECTABLE_MAX));
    }
}

/// The schema at a path of names, as in `.spec.size`.
fn field_at<'a>(path: &str, schema: &At<'a>) -> Result<At<'a>, String> {
    const NOWHERE: &str = "does not refer to a valid field";
    let Some(steps) = path.strip_prefix('.') else {
        if path.starts_with('[') {
            return Err("array notation is not allowed".to_owned());
        }
        let end = path.find(['.', '[', ']']).unwrap_or(path.len()).max(1);
        return Err(format!("expected [ or . but got: {}", &path[..end]));
    };
    if path.contains('[') {
        return Err("array notation is not allowed".to_owned());
    }
    let mut at = schema.clone();
    for step in steps.split('.') {
        let (properties, additional) = (at.at("properties"), at.at("additionalProperties"));
        at = if properties.is_set() {
            let found = properties.at(step);
            if !found.is_set() {
                return Err(NOWHERE.to_owned());
            }
            found
        } else if additional.map().is_some() {
            additional
        } else if step.is_empty() {
            return Err("unexpected end of JSON path".to_owned());
        } else {
            return Err(NOWHERE.to_owned());
        };
    }
    Ok(at)
}

fn simple_path(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(""));
    } else if !at.text().starts_with('.') {
        errors.push(at.invalid("must be a simple json path starting with ."));
    }
}

fn scale(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    for (field, under) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let path = at.at(field);
        simple_path(&path, errors);
        if path.text().starts_with('.') && !path.text().starts_with(under) {
            errors.push(
                path.invalid(format!(
                    "should be a json path under {}",
                    under.trim_end_matches('.')
                )),
            );
        }
    }
}

fn root_schema(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let before = errors.len();
    let kind = at.at("type");
    if kind.is_empty() {
        errors.push(kind.required("must not be empty at the root"));
    } else if kind.text() != "object" {
        errors.push(kind.invalid("must be object at the root"));
        if !SCHEMA_TYPES.contains(&kind.text()) {
            errors.push(kind.unsupported(&SCHEMA_TYPES));
        }
        return;
    }
    if at.at("additionalProperties").is_set() {
        errors.push(at.at("additionalProperties").forbidden("must not be used at the root"));
        return;
    }
    let metadata = at.at("properties").key("metadata");
    let allowed = |field: &&str| matches!(*field, "name" | "generateName");
    let others = metadata.at("properties").entries().any(|(field, _)| !allowed(&field));
    if others {
        errors.push(metadata.forbidden(
            "must not specify anything other than name and generateName, but metadata is implicitly specified",
        ));
    }
    children(at, errors);
    if errors.len() == before {
        definition_rules::compile(at, errors);
    }
}

fn children(at: &At<'_>, errors: &mut Vec<FieldError>) {
    definition_rules::written(&at.at("x-kubernetes-validations"), errors);
    let properties = at.at("properties");
    for (name, _) in properties.entries() {
        node(&properties.key(name), "specified object fields", errors);
    }
    let additional = at.at("additionalProperties");
    if additional.map().is_some() {
        node(&additional, "specified object fields", errors);
    }
    let items = at.at("items");
    if items.map().is_some() {
        node(&items, "specified array items", errors);
    }
}

fn node(at: &At<'_>, place: &str, errors: &mut Vec<FieldError>) {
    let kind = at.at("type");
    let free = at.at("x-kubernetes-int-or-string").flag()
        || at.at("x-kubernetes-preserve-unknown-fields").flag();
    if kind.is_empty() {
        if !free {
            errors.push(kind.required(&format!("must not be empty for {place}")));
        }
    } else if !SCHEMA_TYPES.contains(&kind.text()) {
        errors.push(kind.unsupported(&SCHEMA_TYPES));
    }
    if kind.text() == "array" && !at.at("items").is_set() {
        errors.push(at.at("items").required("must be specified"));
    }
    let list = at.at("x-kubernetes-list-type");
    if list.is_set() {
        list.one_of(&["atomic", "set", "map"], errors);
        let keys = at.at("x-kubernetes-list-map-keys");
        if list.text() == "map" && keys.is_empty() {
            errors.push(keys.required("must not be empty if x-kubernetes-list-type is map"));
        }
    }
    default_of(at, errors);
    children(at, errors);
}

/// A default must have the type of its field.
fn default_of(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let default = at.at("default");
    let wanted = at.at("type").text();
    if !default.is_set() || wanted.is_empty() {
        return;
    }
    let actual = match default.value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = wanted == actual || (wanted == "number" && actual == "integer");
    if !fits {
        errors.push(FieldError::new(
            manifest::field::FieldErrorKind::TypeInvalid,
            default.path.clone(),
            actual,
            format!(" in body must be of type {wanted}: \"{actual}\""),
        ));
    }
}
