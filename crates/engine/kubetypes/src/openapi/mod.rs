//! The OpenAPI documents that a server publishes, without prose.
//!
//! Version 3 is an index and one document a group and version; version 2 is one document for all,
//! as JSON or as protobuf (the only form that client-go asks for). Custom resources stand in both
//! like built-in ones. What clients read of them: the kinds and their fields (`kubectl explain`,
//! merge keys, list types), and what a patch accepts (`fieldValidation`).
//!
//! Start at [`v3_document`] and [`v2_document`].

mod custom;
mod paths;
mod schemas;
mod v2_protobuf;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::tables::{Tables, Verb};
use paths::Published;
use schemas::Dialect;

pub use custom::CustomKind;
pub use v2_protobuf::encode as v2_protobuf;

/// Returns the index at `/openapi/v3`: for each document its path below it (`apis/apps/v1`, see
/// [`v3_path`]) and a text that changes with the document.
pub fn v3_index<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let paths: Map<String, Value> = documents
        .into_iter()
        .map(|(path, hash)| {
            let url = format!("/openapi/v3/{path}?hash={hash}");
            (path.to_owned(), json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// Where the document of a group and version stands below `/openapi/v3`.
pub fn v3_path(group: &str, version: &str) -> String {
    match group {
        "" => format!("api/{version}"),
        group => format!("apis/{group}/{version}"),
    }
}

/// Returns the version 3 document of a group and version: its built-in and its custom kinds.
/// `release` is the server's, such as `v1.36.3`.
pub fn v3_document(
    tables: &Tables,
    group: &str,
    version: &str,
    custom: &[CustomKind<'_>],
    release: &str,
) -> Value {
    let mut resources: Vec<Published> = tables
        .resources()
        .iter()
        .filter(|resource| resource.group == group && resource.version == version)
        .map(|resource| Published::built_in(tables, resource))
        .collect();
    let custom: Vec<&CustomKind> =
        custom.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    resources.extend(custom.iter().map(|kind| Published::custom(kind)));
    let paths = paths::v3(group, version, &resources);
    let mut schemas = Map::new();
    for kind in &custom {
        kind.add_schemas(Dialect::V3, &mut schemas);
    }
    add_reached(tables, Dialect::V3, &Value::Object(paths.clone()), &mut schemas);
    // What every group has names only this one here.
    for schema in schemas.values_mut() {
        if let Some(Value::Array(kinds)) = schema.get_mut("x-kubernetes-group-version-kind") {
            kinds.retain(|kind| {
                kind["group"] == "" && kind["version"] == "v1"
                    || kind["group"] == group && kind["version"] == version
                    || !matches!(kind["kind"].as_str(), Some("DeleteOptions" | "WatchEvent"))
            });
        }
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": release},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "BearerToken": {"type": "apiKey", "in": "header", "name": "authorization"},
            },
        },
    })
}

/// Returns the version 2 document of everything that is served. `serves` says which groups and
/// versions of the tables are.
pub fn v2_document(
    tables: &Tables,
    serves: impl Fn(&str, &str) -> bool,
    custom: &[CustomKind<'_>],
    release: &str,
) -> Value {
    let served: Vec<_> = tables
        .resources()
        .iter()
        .filter(|resource| serves(resource.group, resource.version))
        .collect();
    let versions: BTreeSet<(&str, &str)> = served
        .iter()
        .map(|resource| (resource.group, resource.version))
        .chain(custom.iter().map(|kind| (kind.group, kind.version)))
        .collect();
    let mut all = Map::new();
    let mut definitions = Map::new();
    for (group, version) in versions {
        let in_it = |g: &str, v: &str| g == group && v == version;
        let mut resources: Vec<Published> = served
            .iter()
            .filter(|resource| in_it(resource.group, resource.version))
            .map(|resource| Published::built_in(tables, resource))
            .collect();
        for kind in custom.iter().filter(|kind| in_it(kind.group, kind.version)) {
            resources.push(Published::custom(kind));
            kind.add_schemas(Dialect::V2, &mut definitions);
        }
        all.extend(paths::v2(group, version, &resources));
    }
    let paths = Value::Object(all);
    add_reached(tables, Dialect::V2, &paths, &mut definitions);
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": release},
        "paths": paths,
        "definitions": definitions,
        "securityDefinitions": {
            "BearerToken": {
                "description": "Bearer Token authentication",
                "type": "apiKey",
                "name": "authorization",
                "in": "header",
            },
        },
        "security": [{"BearerToken": []}],
    })
}

/// Adds the schema of everything that is referred to, directly or through another.
fn add_reached(tables: &Tables, dialect: Dialect, from: &Value, into: &mut Map<String, Value>) {
    // Referred to by nothing: what a watch answers is no schema of its path.
    let mut open = vec!["io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent".to_owned()];
    references(from, dialect, &mut open);
    for schema in into.values() {
        references(schema, dialect, &mut open);
    }
    while let Some(name) = open.pop() {
        if into.contains_key(&name) {
            continue;
        }
        let Some(schema) = schemas::named(tables, &name, dialect) else { continue };
        references(&schema, dialect, &mut open);
        into.insert(name, schema);
    }
}

fn references(value: &Value, dialect: Dialect, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix(dialect.prefix()))
            {
                found.push(name.to_owned());
            }
            map.values().for_each(|value| references(value, dialect, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, dialect, found)),
        _ => {}
    }
}

/// Whether a mask of verbs holds a verb.
fn has(verbs: &[Verb], verb: Verb) -> bool {
    verbs.contains(&verb)
}
