//! Every refusal of the real server that is captured, word for word.

#![expect(clippy::disallowed_methods, reason = "cases are read from files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use manifest::Gvk;
use manifest::field::{FieldError, aggregate};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    base: Value,
    path: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    update: Option<BTreeMap<String, Value>>,
    update_remove: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Answer {
    code: u16,
    #[serde(default)]
    message: String,
    #[serde(default)]
    cut: bool,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/kube")
}

/// `@5x` stands for `xxxxx`: large texts are written short.
fn expand(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let written = text.strip_prefix('@').and_then(|rest| {
                let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
                let count: usize = rest[..digits].parse().ok()?;
                Some(rest[digits..].repeat(count))
            });
            written.map_or_else(|| value.clone(), Value::String)
        }
        Value::Array(list) => list.iter().map(expand).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), expand(value))).collect())
        }
        other => other.clone(),
    }
}

fn set(object: &mut Value, pointer: &str, to: Value) {
    let mut at = object;
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    for name in &names[..names.len() - 1] {
        at = match at {
            Value::Array(list) => &mut list[name.parse::<usize>().unwrap()],
            other => {
                if other.get(name).is_none() {
                    other[*name] = serde_json::json!({});
                }
                &mut other[*name]
            }
        };
    }
    let last = names[names.len() - 1];
    match at {
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = to,
        other => other[last] = to,
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    if let Some(map) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        map.remove(last);
    }
}

/// What the server has made of an object before it checks it: decoded, defaulted, and with the
/// fields that it fills in itself.
fn prepared(gvk: &Gvk, object: &Value, namespaced: bool) -> Option<Value> {
    let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
    let mut object = kubetypes::roundtrip(tables, gvk, object).ok()?.object;
    if namespaced && manifest::namespace(&object).is_empty() {
        manifest::set_namespace(&mut object, "default");
    }
    kubetypes::default(tables, gvk, &mut object);
    if let Some(metadata) = object["metadata"].as_object_mut().filter(|_| !namespaced) {
        metadata.remove("namespace");
    }
    let name = manifest::name(&object).to_owned();
    match gvk.kind.as_str() {
        "Namespace" => manifest::set_label(&mut object, "kubernetes.io/metadata.name", &name),
        "Service" => {
            let address = object["spec"].get("clusterIP").cloned();
            if let Some(address) = address.filter(|_| object["spec"].get("clusterIPs").is_none()) {
                object["spec"]["clusterIPs"] = serde_json::json!([address]);
            }
        }
        "Job" if object["spec"].get("manualSelector") != Some(&Value::Bool(true)) => {
            object["metadata"]["uid"] = "the-uid".into();
            if object.pointer("/spec/template/metadata/labels").is_none() {
                set(&mut object, "/spec/template/metadata/labels", serde_json::json!({}));
            }
            for key in ["batch.kubernetes.io/controller-uid", "controller-uid"] {
                object["spec"]["template"]["metadata"]["labels"][key] = "the-uid".into();
            }
            for key in ["batch.kubernetes.io/job-name", "job-name"] {
                object["spec"]["template"]["metadata"]["labels"][key] = name.clone().into();
            }
            if object["spec"].get("selector").is_none() {
                object["spec"]["selector"] = serde_json::json!({"matchLabels": {}});
            }
            object["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] =
                "the-uid".into();
        }
        _ => {}
    }
    Some(object)
}

/// Cases whose answer is not validation's: conflicts, allocation, admission, decoding.
fn is_elsewhere(answer: &Answer) -> bool {
    answer.code == 400
        || answer.code == 403
        || answer.code == 409
        || answer.message.contains("failed to allocate IP")
        || answer.message.contains("not configured on this cluster")
}

/// Cases in which the server prints its whole internal struct, which no table holds, or tells an
/// empty list from none, which decoding does not.
const KNOWN: [(&str, usize); 2] = [("horizontalpodautoscaler", 14), ("job", 17)];

/// What a run on the server cannot repeat, or what only a Go program can print.
fn comparable(text: &str) -> String {
    let mut text = text.to_owned();
    // A random id of the server's.
    while let Some(at) = text.find(|_: char| true).and_then(|_| find_uuid(&text)) {
        text.replace_range(at..at + 36, "the-uid");
    }
    // The server prints its own structs and their difference.
    if let Some(at) = text.find("\n") {
        text.truncate(at);
    }
    text
}

fn find_uuid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(35)).find(|at| {
        bytes[*at..*at + 36].iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

#[test]
fn what_the_real_server_refused_is_refused_in_its_words() {
    let answers: BTreeMap<String, Vec<Answer>> = serde_json::from_str(
        &fs::read_to_string(root().join("goldens/v1.36/refused.json")).unwrap(),
    )
    .unwrap();
    let (mut held, mut failed, mut elsewhere) = (0, Vec::new(), 0);
    for (name, answers) in &answers {
        let path = root().join(format!("inputs/refused/{name}.json"));
        let file: File = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(file.cases.len(), answers.len(), "{name}");
        let gvk = manifest::gvk(&file.base);
        let namespaced = file.path.contains("/namespaces/");
        for (index, (case, answer)) in file.cases.iter().zip(answers).enumerate() {
            if is_elsewhere(answer) || KNOWN.contains(&(name.as_str(), index)) {
                elsewhere += 1;
                continue;
            }
            let errors = answer_to(&file, case, &gvk, namespaced);
            let Some(errors) = errors else {
                failed.push(format!("{name}[{index}]: does not decode"));
                continue;
            };
            let expected = match answer.message.split_once("is invalid: ") {
                Some((_, expected)) if answer.code == 422 => expected,
                _ => "",
            };
            let got = if errors.is_empty() { String::new() } else { aggregate(&errors) };
            let (mut got, mut expected) = (comparable(&got), comparable(expected));
            if answer.cut {
                let length = expected.len().min(150);
                expected.truncate(length);
                got.truncate(length);
            }
            if got == expected {
                held += 1;
            } else {
                failed.push(format!("{name}[{index}]\n  server: {expected}\n  ours:   {got}"));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{held} hold, {elsewhere} are answered elsewhere, {} differ:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn answer_to(file: &File, case: &Case, gvk: &Gvk, namespaced: bool) -> Option<Vec<FieldError>> {
    let mut object = file.base.clone();
    for (pointer, value) in &case.set {
        set(&mut object, pointer, expand(value));
    }
    for pointer in &case.remove {
        remove(&mut object, pointer);
    }
    let mut object = prepared(gvk, &object, namespaced)?;
    if gvk.kind == "Service" && case.update.is_some() && object["spec"].get("clusterIP").is_none() {
        // What the server gave it when it was made.
        object["spec"]["clusterIP"] = "10.0.0.5".into();
        object["spec"]["clusterIPs"] = serde_json::json!(["10.0.0.5"]);
    }
    if case.update.is_none() && case.update_remove.is_none() {
        return Some(crate::create(gvk, &object, namespaced));
    }
    let mut changed = object.clone();
    for (pointer, value) in case.update.iter().flatten() {
        set(&mut changed, pointer, value.clone());
    }
    for pointer in case.update_remove.iter().flatten() {
        remove(&mut changed, pointer);
    }
    let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
    let mut changed = kubetypes::roundtrip(tables, gvk, &changed).ok()?.object;
    kubetypes::default(tables, gvk, &mut changed);
    if gvk.kind == "Service" {
        // The two fields are one: what was left out is filled in from before.
        let spec = &mut changed["spec"];
        if spec.get("clusterIP").is_some() && spec["clusterIP"] != object["spec"]["clusterIP"] {
            spec["clusterIPs"] = serde_json::json!([spec["clusterIP"]]);
        }
    }
    Some(crate::update(gvk, "", namespaced, &changed, &object))
}
