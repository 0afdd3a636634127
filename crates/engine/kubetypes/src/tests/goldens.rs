//! What the real server answered to creates (`tests/kube/goldens`), held against a round trip and
//! the defaults. What strategies and admission add is taken off both sides first: it is listed
//! here, kind by kind, so that nothing else can hide.

#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::fs;
use std::path::Path;

use manifest::Gvk;
use serde_json::{Value, json};

use crate::shape::Shape;
use crate::{
    LATEST_MINOR, Source, default, from_unstructured, in_place, read, read_owned, roundtrip,
    roundtrip_owned, tables,
};

#[test]
fn creates_come_out_as_the_real_server_writes_them() {
    let (mut equal, mut refused, mut failures) = (0, 0, Vec::new());
    for_each_step(|golden, case, step| {
        if step["op"] != "create" {
            return;
        }
        match checked(step) {
            Outcome::Equal => equal += 1,
            Outcome::NotOurs => refused += 1,
            Outcome::Differs(what) => {
                failures.push(format!("{} {}: {what}", golden["kind"], case["name"]));
            }
        }
    });
    println!("{equal} equal, {refused} refused by validation or admission");
    assert!(
        failures.is_empty(),
        "{} of {} differ:\n{}",
        failures.len(),
        failures.len() + equal,
        failures.join("\n")
    );
    assert!(equal > 1500, "only {equal} goldens were compared");
}

#[test]
fn reading_in_place_reads_the_same() {
    let tables = tables(LATEST_MINOR);
    let (mut usual, mut all) = (0, 0);
    for_each_step(|golden, case, step| {
        for object in [&step["body"], &step["answer"]] {
            if !object["apiVersion"].is_string() || !object["kind"].is_string() {
                continue;
            }
            let kind = kind_of(object);
            let Some(id) = tables.struct_of(&kind) else { continue };
            all += 1;
            usual += usize::from(in_place::is_usual(tables, &Shape::Struct(id), object));
            for source in [Source::Text, Source::Parsed] {
                let copied = read(tables, &kind, object, source);
                let owned = read_owned(tables, &kind, object.clone(), source);
                assert_eq!(owned, copied, "{} {}", golden["kind"], case["name"]);
            }
            let copied = roundtrip(tables, &kind, object);
            let owned = roundtrip_owned(tables, &kind, object.clone());
            assert_eq!(owned, copied, "{} {}", golden["kind"], case["name"]);
        }
    });
    println!("{usual} of {all} usual");
    assert!(usual > 3000, "only {usual} of {all} took the quick way");
}

enum Outcome {
    Equal,
    /// Refused by validation or admission, which stand elsewhere.
    NotOurs,
    Differs(String),
}

fn checked(step: &Value) -> Outcome {
    let input = &step["body"];
    let answer = &step["answer"];
    let kind = kind_of(input);
    let tables = tables(LATEST_MINOR);
    let read = roundtrip(tables, &kind, input);
    let strict = step["path"].as_str().is_some_and(|path| path.contains("=Strict"));
    if step["status"] == 400 {
        let said = answer["message"].as_str().unwrap_or_default();
        let prefix = format!(
            "{} in version {:?} cannot be handled as a {}: ",
            kind.kind, kind.version, kind.kind
        );
        let Some(said) = said.strip_prefix(&prefix) else {
            return if said.contains("cannot be handled") {
                Outcome::Differs(format!("server said {said}"))
            } else {
                Outcome::NotOurs
            };
        };
        let ours = match &read {
            Err(error) => error.to_string(),
            Ok(decoded) => decoded.strict_error().unwrap_or_else(|| "nothing".to_owned()),
        };
        return match ours == said {
            true => Outcome::Equal,
            false => Outcome::Differs(format!("server said\n  {said}\nwe say\n  {ours}")),
        };
    }
    let decoded = match read {
        Ok(decoded) => decoded,
        Err(error) => {
            return Outcome::Differs(format!("refused: {error}, server {}", step["status"]));
        }
    };
    if strict && !decoded.unknown.is_empty() {
        return Outcome::Differs(format!("unknown fields {:?}", decoded.unknown));
    }
    if step["status"] != 201 {
        return Outcome::NotOurs;
    }
    let warned: Vec<String> =
        decoded.warnings().map(|text| format!("299 - {}", Value::from(text))).collect();
    let missing: Vec<&String> = warned
        .iter()
        .filter(|text| {
            !step["warnings"].as_array().is_some_and(|all| all.iter().any(|w| w == text.as_str()))
        })
        .collect();
    if !strict && !missing.is_empty() {
        return Outcome::Differs(format!("warnings {missing:?} not in {}", step["warnings"]));
    }
    let mut ours = decoded.object;
    default(tables, &kind, &mut ours);
    let mut theirs = answer.clone();
    take_off(&kind, input, &mut ours);
    take_off(&kind, input, &mut theirs);
    let mut found = Vec::new();
    differences("", &ours, &theirs, &mut found);
    if found.is_empty() { Outcome::Equal } else { Outcome::Differs(found.join("; ")) }
}

pub(super) fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let at = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(ours), Some(theirs)) => differences(&at, ours, theirs, found),
                    (Some(ours), None) => found.push(format!("{at}: only we have {ours}")),
                    (None, Some(theirs)) => {
                        found.push(format!("{at}: only the server has {theirs}"))
                    }
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (ours, theirs)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{at}]"), ours, theirs, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: {ours} is {theirs} there")),
    }
}

/// Takes off what strategies and admission set.
fn take_off(kind: &Gvk, input: &Value, object: &mut Value) {
    let everywhere = [
        "/metadata/uid",
        "/metadata/creationTimestamp",
        "/metadata/generation",
        "/metadata/managedFields",
        "/metadata/namespace",
        "/metadata/selfLink",
        "/metadata/resourceVersion",
        // Written on create by no client.
        "/status",
    ];
    for pointer in everywhere {
        remove(object, pointer);
    }
    if input["metadata"]["generateName"].is_string() {
        remove(object, "/metadata/name");
    }
    let own: &[&str] = match &*kind.kind {
        "DaemonSet" => &["/metadata/annotations/deprecated.daemonset.template.generation"],
        // No version but the older ones takes it.
        "EndpointSlice" => &["/endpoints/0/deprecatedTopology"],
        "Job" => &["/spec/selector", "/spec/template/metadata/labels", "/metadata/labels"],
        "Namespace" => &["/spec", "/metadata/labels"],
        "PersistentVolume" | "VolumeAttributesClass" => &["/metadata/finalizers"],
        "PersistentVolumeClaim" => {
            &["/metadata/finalizers", "/spec/dataSource", "/spec/dataSourceRef"]
        }
        "Pod" => &["/spec/priority", "/spec/preemptionPolicy", "/spec/tolerations"],
        "Service" => &[
            "/spec/clusterIP",
            "/spec/clusterIPs",
            "/spec/ipFamilies",
            "/spec/ipFamilyPolicy",
            "/spec/ports/0/nodePort",
            "/spec/healthCheckNodePort",
        ],
        // A reference to a secret is its name.
        "ServiceAccount" => &["/secrets"],
        // Its gate is off.
        "StatefulSet" => &["/spec/updateStrategy/rollingUpdate/maxUnavailable"],
        _ => &[],
    };
    for pointer in own {
        remove(object, pointer);
    }
    for holder in ["/metadata/annotations", "/spec/template/metadata"] {
        if object.pointer(holder) == Some(&json!({})) {
            remove(object, holder);
        }
    }
    if object["metadata"] == json!({}) {
        remove(object, "/metadata");
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let Some((holder, name)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(map)) = object.pointer_mut(holder) {
        map.remove(name);
    }
}

/// What a server says where an applied object fits the schema and not the type.
#[test]
fn applies_are_read_as_the_real_server_reads_them() {
    let mut checked = 0;
    let mut failures = Vec::new();
    for_each_step(|golden, case, step| {
        if step["op"] != "apply" {
            return;
        }
        let input = &step["body"];
        let kind = kind_of(input);
        let read = from_unstructured(tables(LATEST_MINOR), &kind, input);
        let message = step["answer"]["message"].as_str().unwrap_or_default();
        let expected = message
            .split_once(" to proper version: unable to convert unstructured object to ")
            .and_then(|(_, rest)| rest.split_once(": "));
        let ours = read.as_ref().err().map(|error| error.to_string());
        let theirs = expected.map(|(_, said)| said.to_owned());
        // What the schema or validation refuses comes before or after.
        if step["status"] == 201 || theirs.is_some() {
            checked += 1;
            if ours != theirs {
                failures.push(format!(
                    "{} {}: {ours:?}, there {theirs:?}",
                    golden["kind"], case["name"]
                ));
            }
        }
    });
    assert!(failures.is_empty(), "{} of {checked}:\n{}", failures.len(), failures.join("\n"));
    assert!(checked > 900, "only {checked} goldens were compared");
}

fn kind_of(input: &Value) -> Gvk {
    Gvk::from_api_version(
        input["apiVersion"].as_str().expect("inputs have a version"),
        input["kind"].as_str().expect("inputs have a kind"),
    )
}

fn for_each_step(mut step: impl FnMut(&Value, &Value, &Value)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/kube/goldens/v1.36");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the goldens stand there").flatten().collect();
    files.retain(|file| file.file_name().to_string_lossy().ends_with(".json.zst"));
    files.sort_by_key(|file| file.path());
    for file in files {
        let packed = fs::read(file.path()).expect("a golden can be read");
        let plain = zstd::stream::decode_all(&*packed).expect("goldens are zstd");
        let golden: Value = serde_json::from_slice(&plain).expect("goldens are JSON");
        for case in golden["cases"].as_array().expect("a golden has cases") {
            for each in case["steps"].as_array().expect("a case has steps") {
                step(&golden, case, each);
            }
        }
    }
}
