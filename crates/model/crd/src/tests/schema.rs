use serde_json::Value;

use crate::definitions;

/// Calls `visit` for each schema inside, with its path.
fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, schema) in properties {
            walk(schema, &format!("{path}.{name}"), visit);
        }
    }
    for inside in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get(inside) {
            walk(schema, &format!("{path}[]"), visit);
        }
    }
}

#[test]
fn every_schema_is_structural() {
    for definition in definitions() {
        walk(&definition.schema(), definition.kind, &mut |path, schema| {
            let free = schema.get("x-kubernetes-preserve-unknown-fields").is_some()
                || schema.get("x-kubernetes-int-or-string").is_some();
            assert!(free || schema.get("type").is_some(), "{path} has no type");
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                let name = name.as_str().expect("a name");
                assert!(schema["properties"].get(name).is_some(), "{path} demands {name}");
            }
        });
    }
}

#[test]
fn application_and_project_are_described_and_applicationsets_are_not() {
    for definition in definitions() {
        let mut missing = Vec::new();
        let mut described = 0;
        walk(&definition.schema(), "", &mut |path, schema| match schema
            .get("description")
            .and_then(Value::as_str)
        {
            Some(_) => described += 1,
            None if !path.is_empty() && !path.ends_with("[]") => missing.push(path.to_owned()),
            None => {}
        });
        match definition.kind {
            "ApplicationSet" => assert_eq!(described, 0),
            _ => assert_eq!(missing, [".metadata"]),
        }
    }
}
