use serde_json::{Value, json};

use crate::{
    AppProject, Application, ApplicationSet, HealthStatusCode, Info, OperationPhase, ResourceResult,
};

fn returns<T: serde::de::DeserializeOwned + serde::Serialize>(object: &Value) {
    let typed: T = serde_json::from_value(object.clone()).expect("readable");
    assert_eq!(&serde_json::to_value(&typed).expect("printable"), object);
    let text = serde_json::to_string(object).expect("printable");
    let typed: T = serde_json::from_str(&text).expect("readable");
    assert_eq!(&serde_json::to_value(&typed).expect("printable"), object);
}

/// Every field that a schema knows, at every depth, with a value that is not blank, plus one that
/// nobody knows.
fn filled(schema: &Value) -> Value {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return json!("25%");
    }
    match schema["type"].as_str() {
        Some("object") => match (schema.get("properties"), schema.get("additionalProperties")) {
            (Some(properties), _) => {
                let mut object: serde_json::Map<String, Value> = properties
                    .as_object()
                    .expect("fields")
                    .iter()
                    .map(|(name, schema)| (name.clone(), filled(schema)))
                    .collect();
                object.insert("fieldOfTheFuture".into(), json!({"deep": [1, null]}));
                Value::Object(object)
            }
            (_, Some(values)) => json!({"a": filled(values)}),
            _ => json!({"anything": {"x": [1.5, "y", null]}}),
        },
        Some("array") => json!([filled(&schema["items"])]),
        Some("boolean") => json!(true),
        Some("integer") => json!(7),
        Some("string") if schema["format"] == "date-time" => json!("2026-01-02T03:04:05Z"),
        Some("string") => json!("word"),
        _ => json!({"any": 1}),
    }
}

/// The same with every value blank in one of the ways in which people write that.
fn blank(schema: &Value) -> Value {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return json!(0);
    }
    match schema["type"].as_str() {
        Some("object") => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => {
                properties.iter().map(|(name, schema)| (name.clone(), blank(schema))).collect()
            }
            None => json!({}),
        },
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("integer") => json!(0),
        Some("string") => json!(""),
        _ => Value::Null,
    }
}

fn nulls(object: &Value) -> Value {
    match object {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::Object(fields) if !fields.is_empty() => (name.clone(), nulls(value)),
                _ => (name.clone(), Value::Null),
            })
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn nothing_is_lost_full_blank_or_null() {
    for definition in crate::definitions() {
        let schema = definition.schema();
        for object in [filled(&schema), blank(&schema), nulls(&blank(&schema))] {
            match definition.kind {
                "Application" => returns::<Application>(&object),
                "AppProject" => returns::<AppProject>(&object),
                _ => returns::<ApplicationSet>(&object),
            }
        }
    }
}

#[test]
fn an_empty_field_that_is_always_printed_takes_no_memory() {
    let full =
        json!({"group": "", "version": "v1", "kind": "ConfigMap", "namespace": "", "name": "a"});
    let read: ResourceResult = serde_json::from_value(full.clone()).expect("it reads");
    assert!(read.rest.is_empty(), "{:?}", read.rest);
    assert_eq!(serde_json::to_value(&read).expect("it prints"), full);
    // Where nothing else is said, it is there all the same.
    returns::<Info>(&json!({"name": "", "value": ""}));
}

#[test]
fn a_value_that_is_set_wins_over_what_was_read_blank() {
    let mut app: Application = serde_json::from_value(json!({
        "metadata": {"name": "web", "creationTimestamp": null},
        "spec": {"destination": {}, "project": "", "syncPolicy": null, "sources": []},
    }))
    .expect("readable");
    app.spec.project = "shop".into();
    app.spec.sync_policy = Some(Default::default());
    assert_eq!(
        serde_json::to_value(&app).expect("printable"),
        json!({
            "metadata": {"name": "web", "creationTimestamp": null},
            "spec": {"destination": {}, "project": "shop", "syncPolicy": {}, "sources": []},
        })
    );
}

#[test]
fn a_plugin_parameter_keeps_absent_null_and_empty_apart() {
    let parameters = json!([
        {"name": "a"},
        {"name": "b", "string": null},
        {"name": "c", "string": ""},
        {"name": "d", "array": [], "map": {}},
        {"name": "e", "array": null, "map": {"x": "y"}},
    ]);
    let app = json!({
        "metadata": {},
        "spec": {
            "destination": {},
            "project": "default",
            "source": {"repoURL": "x", "plugin": {"parameters": parameters}},
        },
    });
    returns::<Application>(&app);
    let app: Application = serde_json::from_value(app).expect("readable");
    let plugin = app.spec.source.and_then(|source| source.plugin).expect("a plugin");
    assert_eq!(plugin.parameters[0].string, None);
    assert_eq!(plugin.parameters[2].string.as_deref(), Some(""));
    assert_eq!(plugin.parameters[3].array, Some(vec![]));
}

#[test]
fn a_word_that_nobody_knows_is_kept() {
    let app = json!({
        "metadata": {},
        "spec": {"destination": {}, "project": "default"},
        "status": {
            "health": {"status": "Dreaming"},
            "operationState": {
                "operation": {}, "phase": "Pondering", "startedAt": "2026-01-02T03:04:05Z",
            },
        },
    });
    returns::<Application>(&app);
    let app: Application = serde_json::from_value(app).expect("readable");
    assert_eq!(app.status.health.status, HealthStatusCode::Other("Dreaming".into()));
    let state = app.status.operation_state.expect("a state");
    assert_eq!(state.phase, OperationPhase::Other("Pondering".into()));
    assert!(!state.phase.completed());
}

#[test]
fn an_error_names_the_path() {
    let bad = json!({"metadata": {}, "spec": {"source": {"helm": {"skipCrds": "yes"}}}});
    let error = serde_json::from_value::<Application>(bad).expect_err("no bool");
    assert!(error.to_string().starts_with("spec: source: helm: skipCrds: "), "{error}");
}

#[test]
fn what_is_made_new_prints_the_fields_that_the_schema_demands() {
    let app = Application::new("argocd", "web");
    assert_eq!(
        serde_json::to_value(&app).expect("printable"),
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {"destination": {}, "project": ""},
        })
    );
}
