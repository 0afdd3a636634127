//! What becomes of an object and its owners, step by step.
//!
//! Each file of `data/managed` is a sequence of writes to one object of the kind in
//! `data/thing.json`, with the answers that upstream's field manager gave.

#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use merge::fields::FieldSet;
use merge::managed::{
    Applied, ApplyError, ApplyOptions, Context, Filter, UpdateOptions, Versions, apply,
    apply_apart, owners, owners_of_text, set_owners, text_of_owners, update,
};
use merge::schema::TypeId;
use serde_json::{Map, Value, json};

#[path = "support/openapi.rs"]
mod openapi;

/// The kind at two versions, of which the second calls a field otherwise.
struct Thing {
    types: openapi::Types,
}

impl Thing {
    fn new(is_atomic: bool) -> Self {
        let mut definitions: Map<String, Value> =
            serde_json::from_str(include_str!("data/thing.json")).expect("it is JSON");
        let v1 = &mut definitions["com.example.v1.Thing"];
        if is_atomic {
            make_atomic(&mut v1["properties"]["spec"]["properties"]);
        }
        let mut v2 = v1.clone();
        v2["x-kubernetes-group-version-kind"][0]["version"] = "v2".into();
        let spec = v2["properties"]["spec"]["properties"].as_object_mut().expect("a map");
        let old = spec.remove("old").expect("it is there");
        spec.insert("new".to_owned(), old);
        definitions.insert("com.example.v2.Thing".to_owned(), v2);
        Self { types: openapi::read(&definitions) }
    }
}

fn make_atomic(spec: &mut Value) {
    for map in ["switching", "map"] {
        spec[map]["x-kubernetes-map-type"] = "atomic".into();
    }
    for list in ["switchingList", "set"] {
        spec[list]["x-kubernetes-list-type"] = "atomic".into();
    }
}

impl Versions for Thing {
    fn type_of(&self, api_version: &str) -> Option<TypeId> {
        self.types.kinds.get(&format!("{api_version}/Thing")).copied()
    }

    fn convert(&self, object: &Value, to: &str) -> Result<Value, String> {
        let mut out = object.clone();
        out["apiVersion"] = to.into();
        let (from_name, to_name) = if to.ends_with("v2") { ("old", "new") } else { ("new", "old") };
        if let Some(spec) = out.get_mut("spec").and_then(Value::as_object_mut)
            && let Some(value) = spec.remove(from_name)
        {
            spec.insert(to_name.to_owned(), value);
        }
        Ok(out)
    }
}

fn text<'v>(step: &'v Value, name: &str) -> &'v str {
    step[name].as_str().unwrap_or_default()
}

fn answer(kinds: &BTreeMap<&str, Thing>, live: Option<&Value>, step: &Value) -> Value {
    let thing = &kinds[step["schema"].as_str().unwrap_or("plain")];
    let api_version = text(step, "apiVersion");
    let zero = json!({"apiVersion": api_version, "kind": "Thing"});
    let context = Context { schema: &thing.types.schema, versions: thing, zero: &zero };
    let nothing = Map::new();
    let reset: Vec<(&str, Filter)> = step["reset"]
        .as_object()
        .unwrap_or(&nothing)
        .iter()
        .map(|(version, fields)| {
            let fields = FieldSet::from_v1(fields).expect("a set of fields");
            (version.as_str(), Filter::Exclude(fields))
        })
        .collect();
    let live = live.map(|live| match live["apiVersion"] == api_version {
        true => live.clone(),
        false => thing.convert(live, api_version).expect("it converts"),
    });
    let (manager, subresource, now) =
        (text(step, "manager"), text(step, "subresource"), text(step, "now"));
    if step["op"] == "update" {
        let options = UpdateOptions { manager, subresource, api_version, now, reset: &reset };
        return json!({"object": update(live.as_ref(), &step["object"], &options, &context)});
    }
    let options = ApplyOptions {
        manager,
        force: step["force"] == true,
        subresource,
        api_version,
        kind: "Thing",
        now,
        reset: &reset,
    };
    let applied = apply(live.as_ref(), &step["object"], &options, &context);
    if let Some(live) = &live {
        apart_is_the_same(live, &applied, &step["object"], &options, &context);
    }
    match applied {
        Ok(applied) => json!({"object": applied.object}),
        Err(ApplyError::Conflicts(conflicts)) => {
            let causes: Vec<_> =
                conflicts.0.iter().map(|cause| json!([cause.message(), cause.field()])).collect();
            json!({"error": conflicts.to_string(), "code": 409, "causes": causes})
        }
        Err(ApplyError::BadRequest(reason)) => json!({"error": reason, "code": 400, "causes": []}),
        Err(ApplyError::Failed(reason)) => json!({"error": reason, "code": 500}),
    }
}

/// Owners that stand apart, and owners as text, are the owners that the object bears.
fn apart_is_the_same(
    live: &Value,
    applied: &Result<Applied, ApplyError>,
    patch: &Value,
    options: &ApplyOptions<'_>,
    context: &Context<'_>,
) {
    let Ok(owned) = owners(live) else { return };
    let text = live["metadata"].get("managedFields").map_or("[]".to_owned(), Value::to_string);
    assert_eq!(owners_of_text(text.as_bytes()).as_ref(), Some(&owned));
    let mut bare = live.clone();
    bare["metadata"].as_object_mut().expect("a map").remove("managedFields");
    let apart = apply_apart(&bare, owned, patch, options, context);
    let (applied, apart) = match (applied, apart) {
        (Err(error), Err(apart)) => return assert_eq!(error.to_string(), apart.to_string()),
        (Ok(applied), Ok(None)) => return assert_eq!(applied.object, *live),
        (Ok(applied), Ok(Some(apart))) => (applied, apart),
        (applied, apart) => panic!("{applied:?} is not {apart:?}"),
    };
    let mut object = apart.object;
    assert!(object["metadata"].get("managedFields").is_none());
    let text = String::from_utf8(text_of_owners(&apart.owned)).expect("JSON is text");
    match applied.object["metadata"].get("managedFields") {
        Some(entries) => assert_eq!(text, entries.to_string()),
        None => assert_eq!(text, "[]"),
    }
    set_owners(&mut object, apart.owned);
    assert_eq!(object, applied.object);
}

#[test]
fn owners_are_kept_as_the_api_server_keeps_them() {
    let kinds = BTreeMap::from([("plain", Thing::new(false)), ("atomic", Thing::new(true))]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/managed");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let case: Value =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("it is JSON");
        let mut live: Option<Value> = None;
        for (at, step) in case["steps"].as_array().expect("a list").iter().enumerate() {
            if step["forget"] == true {
                if let Some(live) = &mut live {
                    live["metadata"].as_object_mut().expect("a map").remove("managedFields");
                }
                continue;
            }
            count += 1;
            let got = answer(&kinds, live.as_ref(), step);
            let mut expected = step["expected"].clone();
            if let Some(causes) = expected.get_mut("causes").and_then(Value::as_array_mut) {
                causes.sort_by_key(Value::to_string);
            }
            let mut got_sorted = got.clone();
            if let Some(causes) = got_sorted.get_mut("causes").and_then(Value::as_array_mut) {
                causes.sort_by_key(Value::to_string);
            }
            if got_sorted != expected {
                failed.push(format!("{} step {at}\n got {got}\nwant {expected}", path.display()));
                break;
            }
            if let Some(object) = step["expected"].get("object") {
                let mut object = object.clone();
                object["metadata"]["uid"] = "u".into();
                live = Some(object);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(count > 80, "only {count} steps");
}
