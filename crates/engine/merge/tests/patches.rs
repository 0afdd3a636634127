//! Strategic merge, JSON merge and JSON patches, applied and made.
//!
//! Each file of `data/patches` holds documents and what upstream answered for them.

#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

use std::fs;
use std::path::Path;

use merge::schema::{Schema, TypeId};
use merge::{json_merge, json_patch, strategic};
use serde_json::{Map, Value, json};

#[path = "support/openapi.rs"]
mod openapi;

fn answer(case: &Value, schema: &Schema, id: TypeId) -> Value {
    let (a, b, c) = (&case["a"], &case["b"], &case["c"]);
    let result = match case["op"].as_str().expect("a name") {
        "smp_apply" => strategic::apply(a, b, schema, id).map_err(|error| error.to_string()),
        "smp_two" => strategic::create_two_way(a, b, schema, id).map_err(|error| error.to_string()),
        "smp_three" => {
            let overwrite = case["overwrite"] == true;
            strategic::create_three_way(a, b, c, schema, id, overwrite)
                .map_err(|error| error.to_string())
        }
        "json_patch" => json_patch::apply(a, b).map_err(|error| error.to_string()),
        "json_merge" => {
            let mut merged = a.clone();
            json_merge::apply(&mut merged, b).map(|()| merged).map_err(|error| error.to_string())
        }
        "json_create" => Ok(json_merge::create(a, b)),
        "json_three" => json_merge::create_three_way(a, b, c).map_err(|error| error.to_string()),
        other => panic!("`{other}` is not known"),
    };
    match result {
        Ok(object) => json!({"object": object}),
        Err(error) if error.starts_with("patch:\n") => json!({"error": "conflict"}),
        Err(error) => json!({"error": error}),
    }
}

#[test]
fn patches_do_what_upstream_does() {
    let definitions: Map<String, Value> =
        serde_json::from_str(include_str!("data/deployment.json")).expect("it is JSON");
    let types = openapi::read(&definitions);
    let id = types.kinds["apps/v1/Deployment"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/patches");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let cases: Vec<Value> =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("a list");
        for (at, case) in cases.iter().enumerate() {
            count += 1;
            let got = answer(case, &types.schema, id);
            if got != case["expected"] {
                let expected = &case["expected"];
                failed.push(format!("{} case {at}\n got {got}\nwant {expected}", path.display()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(count > 80, "only {count} cases");
}
