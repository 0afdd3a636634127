//! The documents against those that upstream publishes, where its module stands in Go's cache,
//! and what clients need of them everywhere.

#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::openapi::{CustomKind, v2_document, v2_protobuf, v3_document, v3_index, v3_path};
use crate::{LATEST_MINOR, tables};

/// The folder of the published documents, if it is on this machine.
fn published() -> Option<PathBuf> {
    let release = tables(LATEST_MINOR).release();
    let module = format!("go/pkg/mod/k8s.io/kubernetes@{release}/api/openapi-spec");
    let folder = PathBuf::from(option_env!("HOME")?).join(module);
    folder.exists().then_some(folder)
}

fn json_of(path: PathBuf) -> Value {
    let text = std::fs::read(path).expect("the file can be read");
    serde_json::from_slice(&text).expect("the file is JSON")
}

/// Takes off prose, and unions, which nothing reads.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                !(key == "description" && value.is_string()) && key != "x-kubernetes-unions"
            });
            // A reference alone and a reference in `allOf` mean the same.
            if map.len() == 1
                && let Some(reference) = map.get("allOf").and_then(|all| all.get(0)).cloned()
            {
                *value = reference;
                return;
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn schemas_are_those_that_upstream_publishes() {
    let Some(folder) = published() else { return println!("no published documents here") };
    let tables = tables(LATEST_MINOR);
    let (mut equal, mut failures) = (0, Vec::new());
    for file in std::fs::read_dir(folder.join("v3")).expect("a folder").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let Some(gv) = name.strip_suffix("_openapi.json") else { continue };
        let parts: Vec<&str> = gv.split("__").collect();
        let (group, version) = match parts[..] {
            ["api", version] => ("", version),
            ["apis", group, version] => (group, version),
            _ => continue,
        };
        let mut theirs = json_of(file.path());
        strip(&mut theirs);
        let mut ours = v3_document(tables, group, version, &[], "unversioned");
        strip(&mut ours);
        let ours_all = ours["components"]["schemas"].as_object().expect("schemas");
        for (name, schema) in theirs["components"]["schemas"].as_object().expect("schemas") {
            match ours_all.get(name) {
                Some(found) if found == schema => equal += 1,
                Some(found) => failures.push(format!("{gv} {name}: {found}\n  there {schema}")),
                // Lists of options of `connect`, and shards, which nothing here serves.
                None => failures.push(format!("{gv} {name} is missing")),
            }
        }
    }
    println!("{equal} schemas equal, {} not", failures.len());
    assert!(failures.is_empty(), "{}", failures[..failures.len().min(30)].join("\n"));
}

#[test]
fn operations_are_those_that_upstream_publishes() {
    let Some(folder) = published() else { return println!("no published documents here") };
    let tables = tables(LATEST_MINOR);
    let mut theirs = json_of(folder.join("swagger.json"));
    strip(&mut theirs);
    let ours = v2_document(tables, |_, _| true, &[], "unversioned");
    let (mut equal, mut failures) = (0, Vec::new());
    for (path, item) in theirs["paths"].as_object().expect("paths") {
        let of_a_version = path.starts_with("/api/v1/") || path.split('/').count() > 4;
        let other = path.contains("/watch/") || path.contains("/proxy") || !of_a_version;
        if other || !(path.starts_with("/api/") || path.starts_with("/apis/")) {
            continue;
        }
        for (method, operation) in item.as_object().expect("operations") {
            if method == "parameters" || operation["x-kubernetes-action"] == "connect" {
                continue;
            }
            let found = &ours["paths"][path][method];
            let summary = |operation: &Value| {
                json!({
                    "id": operation["operationId"],
                    "action": operation["x-kubernetes-action"],
                    "kind": operation["x-kubernetes-group-version-kind"],
                    "consumes": sorted(&operation["consumes"]),
                    "tags": operation["tags"],
                    "responses": operation["responses"].as_object().map(|all| all
                        .iter()
                        .map(|(code, answer)| (code.clone(), answer["schema"].clone()))
                        .collect::<BTreeMap<_, _>>()),
                })
            };
            let (a, b) = (summary(found), summary(operation));
            if a == b {
                equal += 1;
            } else {
                failures.push(format!("{method} {path}: {a}\n  there {b}"));
            }
        }
    }
    println!("{equal} operations equal, {} not", failures.len());
    assert!(failures.is_empty(), "{}", failures[..failures.len().min(30)].join("\n"));
}

fn sorted(list: &Value) -> Vec<String> {
    let mut all: Vec<String> = list
        .as_array()
        .map(|items| items.iter().map(Value::to_string).collect())
        .unwrap_or_default();
    all.sort();
    all
}

fn thing(schema: &Value) -> CustomKind<'_> {
    CustomKind {
        group: "golden.example.com",
        version: "v1",
        plural: "things",
        kind: "Thing",
        list_kind: "ThingList",
        namespaced: true,
        schema: Some(schema),
        status: true,
        scale: false,
    }
}

#[test]
fn a_custom_kind_stands_among_the_built_in_ones() {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 1, "nullable": true},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }, "required": ["size"]},
    }});
    let tables = tables(LATEST_MINOR);
    let document = v3_document(tables, "golden.example.com", "v1", &[thing(&schema)], "v1.36.3");
    let schemas = &document["components"]["schemas"];
    let found = &schemas["com.example.golden.v1.Thing"];
    assert_eq!(found["properties"]["spec"]["properties"]["size"]["default"], 1);
    assert_eq!(found["x-kubernetes-group-version-kind"][0]["kind"], "Thing");
    assert!(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"].is_object());
    let patch = &document["paths"]["/apis/golden.example.com/v1/namespaces/{namespace}/things/{name}"]
        ["patch"];
    assert!(
        patch["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|p| p["name"] == "fieldValidation"))
    );
    let content = patch["requestBody"]["content"].as_object().expect("a patch has a body");
    assert!(!content.contains_key("application/strategic-merge-patch+json"));

    let all = v2_document(tables, |group, _| group.is_empty(), &[thing(&schema)], "v1.36.3");
    let found = &all["definitions"]["com.example.golden.v1.Thing"]["properties"]["spec"];
    // What may be null has no type there, and what holds anything no type either.
    assert_eq!(found["properties"]["size"], json!({}));
    assert_eq!(found["properties"]["any"], json!({"x-kubernetes-preserve-unknown-fields": true}));
    assert_eq!(found["required"], Value::Null);
    assert!(all["definitions"]["io.k8s.api.core.v1.Pod"].is_object());
    assert!(all["definitions"]["io.k8s.api.apps.v1.Deployment"].is_null());
}

#[test]
fn the_index_names_a_document_by_its_hash() {
    assert_eq!(v3_path("", "v1"), "api/v1");
    let index = v3_index([(v3_path("apps", "v1").as_str(), "AB12")]);
    let url = &index["paths"]["apis/apps/v1"]["serverRelativeURL"];
    assert_eq!(url, "/openapi/v3/apis/apps/v1?hash=AB12");
}

#[test]
fn the_protobuf_form_begins_as_its_readers_expect() {
    let document = v2_document(tables(LATEST_MINOR), |_, _| true, &[], "v1.36.3");
    let bytes = v2_protobuf(&document);
    println!("{} bytes of protobuf, {} of JSON", bytes.len(), document.to_string().len());
    assert!(bytes.starts_with(b"\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.36.3"));
    if let Some(path) = option_env!("KUBETYPES_V2_OUT") {
        std::fs::write(path, &bytes).expect("the file can be written");
    }
}
