//! CustomResourceDefinitions.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::names;
use crate::{admission, definition_schema, definition_shown};

const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
/// How many fields selectors may name.
const SELECTABLE_MAX: u64 = 8;

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let established = object.to(&["status", "conditions"]).items().any(|condition| {
        condition.at("type").text() == "Established" && condition.at("status").text() == "True"
    });
    let before = old.as_ref().map_or(At::root(&Value::Null), |old| old.at("spec"));
    spec_of(&spec, &before, errors);
    if let Some(old) = &old {
        let old = old.at("spec");
        if established {
            spec.at("scope").unchanged(&old.at("scope"), errors);
            spec.to(&["names", "kind"]).unchanged(&old.to(&["names", "kind"]), errors);
        }
        spec.at("group").unchanged(&old.at("group"), errors);
        spec.to(&["names", "plural"]).unchanged(&old.to(&["names", "plural"]), errors);
    }
    stored_versions(&object, errors);
    if spec.at("preserveUnknownFields").flag() {
        errors.push(spec.at("preserveUnknownFields").invalid(
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ));
    }
}

/// The version that is kept is among those that were, and of these none may go.
fn stored_versions(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let stored = object.to(&["status", "storedVersions"]);
    if stored.is_empty() {
        let words = "must have at least one stored version";
        errors.push(FieldError::invalid(stored.path, Value::Null, words));
        return;
    }
    let mut left: Vec<At<'_>> = stored.items().collect();
    for version in object.to(&["spec", "versions"]).items() {
        let name = version.at("name");
        let found = left.iter().position(|one| one.text() == name.text());
        match found {
            Some(found) => drop(left.remove(found)),
            None if version.at("storage").flag() => {
                let words = format!("must have the storage version {}", name.text());
                errors.push(stored.invalid(words));
            }
            None => {}
        }
    }
    for one in left {
        let gone = one.text();
        errors.push(one.invalid(format!(
            "missing from spec.versions; {gone} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {gone} and removes {gone} from status.storedVersions"
        )));
    }
}

fn spec_of(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let group = spec.at("group");
    if group.is_empty() {
        errors.push(group.required(""));
    } else {
        let refusals = names::subdomain(group.text(), false);
        if !refusals.is_empty() {
            errors.push(group.invalid(refusals.join(",")));
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
    versions(spec, errors);
    names_of(&spec.at("names"), errors);
    Shared::of(spec).own_parts(spec, errors);
    let conversion = spec.at("conversion");
    if conversion.is_set() {
        convert(&conversion, &old.to(&["conversion", "webhook"]), errors);
    }
}

/// How one version becomes another. What stands in `webhook` is called by its older names.
fn convert(conversion: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let strategy = conversion.at("strategy");
    if strategy.is_empty() {
        errors.push(strategy.required(""));
    } else {
        strategy.one_of(&["None", "Webhook"], errors);
    }
    let of_hook = |name: &str, called: &str| {
        let value = conversion.to(&["webhook", name]).value;
        At { value, path: conversion.child(called) }
    };
    let client = of_hook("clientConfig", "webhookClientConfig");
    let versions = of_hook("conversionReviewVersions", "conversionReviewVersions");
    if strategy.text() != "Webhook" {
        let words = "should not be set when strategy is not set to Webhook";
        let said = [(client.is_set(), &client), (!versions.is_empty(), &versions)];
        let said = said.into_iter().filter(|(is_said, _)| *is_said);
        errors.extend(said.map(|(_, at)| at.forbidden(words)));
        return;
    }
    match client.is_set() {
        true => admission::client(&client, errors),
        false => errors.push(client.required("required when strategy is set to Webhook")),
    }
    match versions.is_empty() {
        true => errors.push(versions.required("")),
        false => {
            let any_will_do = admission::are_unknown(&old.at("conversionReviewVersions"));
            admission::reviews(&versions, any_will_do, errors);
        }
    }
}

fn versions(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let list = spec.at("versions");
    for version in list.items() {
        let schema = version.to(&["schema", "openAPIV3Schema"]);
        if !schema.is_set() {
            errors.push(schema.required(""));
        }
    }
    let schemas = || list.items().map(|version| version.to(&["schema", "openAPIV3Schema"]));
    let keeps_all = spec.at("preserveUnknownFields").flag();
    if keeps_all && schemas().any(|schema| has_default(schema.value)) {
        let words = "must be false in order to use defaults in the schema";
        errors.push(spec.at("preserveUnknownFields").invalid(words));
    }
    let shared = Shared::of(spec);
    let mut seen = BTreeSet::new();
    let mut repeated = false;
    for version in list.items() {
        let name = version.at("name");
        errors.extend(
            names::label_1035(name.text())
                .into_iter()
                .map(|words| FieldError::invalid(name.path.clone(), name.text(), words)),
        );
        repeated |= !seen.insert(name.text());
        deprecation(&version, errors);
        shared.parts(&version, errors);
    }
    let stored = list.items().filter(|version| version.at("storage").flag()).count();
    if repeated {
        let shown = shared.shown(&list);
        errors.push(list.invalid("must contain unique version names").showing(shown));
    }
    if stored != 1 {
        let words = "must have exactly one version marked as storage version";
        let error = list.invalid(words);
        errors.push(match list.is_set() {
            true => error.showing(shared.shown(&list)),
            false => error,
        });
    }
    let name = list.items().next().map_or("", |version| version.at("name").text());
    if !name.is_empty() {
        errors.extend(
            names::label_1035(name)
                .into_iter()
                .map(|words| FieldError::invalid(spec.child("version"), name, words)),
        );
    }
}

fn has_default(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.get("default").is_some_and(|value| !value.is_null())
                || fields.values().any(has_default)
        }
        Value::Array(items) => items.iter().any(has_default),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What all versions say alike, which the server names as the definition's own.
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(spec: &At<'_>) -> Shared {
        let versions: Vec<At<'_>> = spec.at("versions").items().collect();
        let alike = |name: &str| {
            let said = |at: &At<'_>| match at.at(name) {
                list if list.value.is_array() && list.is_empty() => Value::Null,
                said => said.value.clone(),
            };
            versions.windows(2).all(|pair| said(&pair[0]) == said(&pair[1]))
        };
        Shared {
            schema: alike("schema"),
            subresources: alike("subresources"),
            columns: alike("additionalPrinterColumns"),
            selectable: alike("selectableFields"),
        }
    }

    /// What is wrong with what a version alone says.
    fn parts(&self, version: &At<'_>, errors: &mut Vec<FieldError>) {
        let schema = version.to(&["schema", "openAPIV3Schema"]);
        let has_status = version.to(&["subresources", "status"]).is_set();
        if !self.schema && schema.is_set() {
            definition_schema::validate(&schema, has_status, errors);
        }
        if !self.subresources {
            scale(&version.to(&["subresources", "scale"]), errors);
        }
        if !self.columns {
            columns(&version.at("additionalPrinterColumns"), errors);
        }
        if !self.selectable {
            let words = "may only be set when `version.schema.openAPIV3Schema` is not included";
            // A schema that all versions share is none of theirs.
            let unknown = (self.schema || !schema.is_set()).then_some(words);
            selectable(&version.at("selectableFields"), &schema, unknown, errors);
        }
    }

    /// What is wrong with what all versions say.
    fn own_parts(&self, spec: &At<'_>, errors: &mut Vec<FieldError>) {
        let list = spec.at("versions");
        let Some(version) = list.items().next() else { return };
        let own = At { value: version.value, path: spec.path.clone() };
        let schema = At {
            value: version.to(&["schema", "openAPIV3Schema"]).value,
            path: spec.child("validation.openAPIV3Schema"),
        };
        let has_status =
            list.items().any(|version| version.to(&["subresources", "status"]).is_set());
        if self.schema && schema.is_set() {
            definition_schema::validate(&schema, has_status, errors);
        }
        if self.subresources {
            scale(&own.to(&["subresources", "scale"]), errors);
        }
        if self.columns {
            columns(&own.at("additionalPrinterColumns"), errors);
        }
        if self.selectable {
            let words = "may only be set when validations.schema is included";
            let unknown = (!self.schema || !version.at("schema").is_set()).then_some(words);
            selectable(&own.at("selectableFields"), &schema, unknown, errors);
        }
    }

    /// Versions as Go prints the server's own.
    fn shown(&self, list: &At<'_>) -> String {
        let text = |at: At<'_>| json!(at.text()).to_string();
        let shown: Vec<String> = list
            .items()
            .map(|version| {
                let (doors, scale) =
                    (version.at("subresources"), version.to(&["subresources", "scale"]));
                let scale_shown = match scale.is_set() {
                    true => format!(
                        r#"{{"SpecReplicasPath":{},"StatusReplicasPath":{},"LabelSelectorPath":{}}}"#,
                        text(scale.at("specReplicasPath")),
                        text(scale.at("statusReplicasPath")),
                        scale.at("labelSelectorPath").value
                    ),
                    false => "null".to_owned(),
                };
                let status = if doors.at("status").is_set() { "{}" } else { "null" };
                let doors = match doors.is_set() && !self.subresources {
                    true => format!(r#"{{"Status":{status},"Scale":{scale_shown}}}"#),
                    false => "null".to_owned(),
                };
                let columns: Vec<String> = version
                    .at("additionalPrinterColumns")
                    .items()
                    .map(|column| {
                        format!(
                            r#"{{"Name":{},"Type":{},"Format":{},"Description":{},"Priority":{},"JSONPath":{}}}"#,
                            text(column.at("name")),
                            text(column.at("type")),
                            text(column.at("format")),
                            text(column.at("description")),
                            column.at("priority").number().unwrap_or(0),
                            text(column.at("jsonPath")),
                        )
                    })
                    .collect();
                let columns = match columns.is_empty() || self.columns {
                    true => "null".to_owned(),
                    false => format!("[{}]", columns.join(",")),
                };
                let fields: Vec<String> = version
                    .at("selectableFields")
                    .items()
                    .map(|field| format!(r#"{{"JSONPath":{}}}"#, text(field.at("jsonPath"))))
                    .collect();
                let fields = match fields.is_empty() || self.selectable {
                    true => "null".to_owned(),
                    false => format!("[{}]", fields.join(",")),
                };
                let schema = version.at("schema");
                let schema = match schema.is_set() && !self.schema {
                    true => {
                        let inside = schema.at("openAPIV3Schema");
                        let inside = match inside.is_set() {
                            true => definition_shown::schema(inside.value),
                            false => "null".to_owned(),
                        };
                        format!(r#"{{"OpenAPIV3Schema":{inside}}}"#)
                    }
                    false => "null".to_owned(),
                };
                format!(
                    r#"{{"Name":{},"Served":{},"Storage":{},"Deprecated":{},"DeprecationWarning":{},"Schema":{schema},"Subresources":{doors},"AdditionalPrinterColumns":{columns},"SelectableFields":{fields}}}"#,
                    text(version.at("name")),
                    version.at("served").flag(),
                    version.at("storage").flag(),
                    version.at("deprecated").flag(),
                    version.at("deprecationWarning").value,
                )
            })
            .collect();
        format!("[{}]", shown.join(","))
    }
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
    let said = [
        ("plural", at.at("plural").text()),
        ("singular", &singular),
        ("kind", kind),
        ("listKind", &list_kind),
    ];
    // What is missing is told before what is wrong.
    for (field, _) in said.iter().filter(|(_, name)| name.is_empty()) {
        errors.push(FieldError::required(at.child(field), ""));
    }
    wrong_names(at, said, errors);
}

/// The names that a definition's status has taken: what is not there yet is not missed.
pub fn accepted_names(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let said = ["plural", "singular", "kind", "listKind"].map(|field| (field, at.at(field).text()));
    wrong_names(at, said, errors);
}

fn wrong_names(at: &At<'_>, said: [(&str, &str); 4], errors: &mut Vec<FieldError>) {
    let refused = |field: String, name: &str, before: &str, refusals: Vec<String>| {
        let words = format!("{before}{}", refusals.join(","));
        (!refusals.is_empty()).then(|| FieldError::invalid(field, name, words))
    };
    for (field, name) in said.into_iter().filter(|(_, name)| !name.is_empty()) {
        let (before, refusals) = match field {
            "kind" | "listKind" => (
                "may have mixed case, but should otherwise match: ",
                names::label_1035(&name.to_lowercase()),
            ),
            _ => ("", names::label_1035(name)),
        };
        errors.extend(refused(at.child(field), name, before, refusals));
    }
    let one =
        |name: At<'_>| refused(name.path.clone(), name.text(), "", names::label_1035(name.text()));
    errors.extend(at.at("shortNames").items().filter_map(one));
    let [.., (_, kind), (_, list_kind)] = said;
    if !kind.is_empty() && kind == list_kind {
        let words = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(at.child("listKind"), list_kind, words));
    }
    errors.extend(at.at("categories").items().filter_map(one));
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
        let format = column.at("format");
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format.text()) {
            errors.push(format.invalid(format!("must be one of {}", COLUMN_FORMATS.join(","))));
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
/// `unknown`: what is said where there is no schema.
fn selectable(list: &At<'_>, schema: &At<'_>, unknown: Option<&str>, errors: &mut Vec<FieldError>) {
    if list.is_empty() {
        return;
    }
    if let Some(unknown) = unknown {
        errors.push(FieldError::invalid(list.path.clone(), "", unknown));
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
    let path = at.at("labelSelectorPath");
    if path.is_empty() {
        return;
    }
    if !path.text().starts_with('.') {
        errors.push(path.invalid("must be a simple json path starting with ."));
    } else if ![".spec.", ".status."].iter().any(|under| path.text().starts_with(under)) {
        errors.push(path.invalid("should be a json path under either .spec or .status"));
    }
}
