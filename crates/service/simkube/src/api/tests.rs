use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::negotiate::{Form, Include};
use super::*;
use crate::store::{Limits, Store};

fn cluster() -> Arc<Cluster> {
    let clock = Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap());
    Cluster::new("main", Store::in_memory(Limits::default()), clock, false)
}

fn request(method: &str, target: &str, body: Option<&Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        accept: "application/json".to_owned(),
        content_type: "application/json".to_owned(),
        user_agent: "tester/1".to_owned(),
        body: match body {
            None => Bytes::new(),
            Some(Value::String(text)) => Bytes::from(text.clone()),
            Some(other) => Bytes::from(other.to_string()),
        },
        ..Request::default()
    }
}

fn respond(cluster: &Arc<Cluster>, request: &Request) -> Response {
    match answer(cluster, request, "127.0.0.1:6443") {
        Answer::Response(response) => response,
        Answer::Watch(_) => panic!("a watch was opened by {} {}", request.method, request.path),
    }
}

fn ask(cluster: &Arc<Cluster>, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
    let response = respond(cluster, &request(method, target, body));
    (response.code, serde_json::from_slice(&response.whole_body()).unwrap_or_default())
}

fn watch(cluster: &Arc<Cluster>, target: &str) -> WatchStream {
    match answer(cluster, &request("GET", target, None), "") {
        Answer::Watch(stream) => *stream,
        Answer::Response(response) => panic!("no watch: {:?}", response.whole_body()),
    }
}

fn told(stream: &mut WatchStream) -> Vec<(String, String)> {
    let chunk = stream.ready().unwrap_or_default();
    chunk
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let event: Value = serde_json::from_slice(line).unwrap();
            let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
            (event["type"].as_str().unwrap().to_owned(), name.to_owned())
        })
        .collect()
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map(name: &str, label: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"l": label}}, "data": {"a": "b"}})
}

#[test]
fn a_write_that_changes_nothing_keeps_the_resource_version() {
    let cluster = cluster();
    let (_, first) = ask(&cluster, "POST", MAPS, Some(&config_map("a", "x")));
    let (code, second) = ask(&cluster, "PUT", &format!("{MAPS}/a"), Some(&config_map("a", "x")));
    assert_eq!(code, 200);
    assert_eq!(first, second);
}

#[test]
fn a_held_claim_that_is_deleted_is_written_as_it_is_shown() {
    let cluster = cluster();
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1"}}}});
    ask(&cluster, "POST", claims, Some(&claim));
    let (_, held) = ask(&cluster, "DELETE", &format!("{claims}/c"), None);
    let (code, same) = ask(&cluster, "PUT", &format!("{claims}/c"), Some(&held));
    assert_eq!((code, same), (200, held));
}

#[test]
fn who_lets_the_last_hold_go_is_told_the_version_that_he_saw() {
    let cluster = cluster();
    let mut map = config_map("a", "x");
    map["metadata"]["finalizers"] = json!(["example.com/f"]);
    ask(&cluster, "POST", MAPS, Some(&map));
    let (_, mut held) = ask(&cluster, "DELETE", &format!("{MAPS}/a"), None);
    held["metadata"].as_object_mut().unwrap().remove("finalizers");
    let (code, gone) = ask(&cluster, "PUT", &format!("{MAPS}/a"), Some(&held));
    assert_eq!(code, 200);
    assert_eq!(gone["metadata"]["resourceVersion"], held["metadata"]["resourceVersion"]);
    assert_eq!(ask(&cluster, "GET", &format!("{MAPS}/a"), None).0, 404);
}

#[test]
fn taints_of_devices_that_were_dated_are_no_change() {
    let cluster = cluster();
    let slices = "/apis/resource.k8s.io/v1/resourceslices";
    let slice = json!({"metadata": {"name": "s"}, "spec": {"driver": "d.example.com",
        "nodeName": "n", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
        "devices": [{"name": "d", "taints": [{"key": "a", "effect": "NoSchedule"}]}]}});
    let (_, first) = ask(&cluster, "POST", slices, Some(&slice));
    let mut again = slice.clone();
    again["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"].clone();
    let (code, second) = ask(&cluster, "PUT", &format!("{slices}/s"), Some(&again));
    assert_eq!((code, second), (200, first));
}

#[test]
fn of_bindings_at_once_one_is_taken() {
    let cluster = cluster();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "main", "image": "example.com/main:1"}]},
    });
    let (code, _) = ask(&cluster, "POST", "/api/v1/namespaces/default/pods", Some(&pod));
    assert_eq!(code, 201);
    let bind = &|node: usize| {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"},
            "target": {"kind": "Node", "name": format!("node-{node}")},
        });
        ask(&cluster, "POST", "/api/v1/namespaces/default/pods/web/binding", Some(&binding)).0
    };
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|node| scope.spawn(move || bind(node))).collect();
        asking.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let taken = codes.iter().position(|code| *code == 201).expect("one is taken");
    assert!(codes.iter().enumerate().all(|(at, code)| at == taken || *code == 409), "{codes:?}");
    let (_, pod) = ask(&cluster, "GET", "/api/v1/namespaces/default/pods/web", None);
    assert_eq!(pod["spec"]["nodeName"], format!("node-{taken}"));
}

#[test]
fn a_dry_run_is_told_and_not_kept() {
    let cluster = cluster();
    let before = cluster.store.revision();
    let target = format!("{MAPS}?dryRun=All");
    let (code, made) = ask(&cluster, "POST", &target, Some(&config_map("a", "x")));
    assert_eq!((code, made["metadata"].get("resourceVersion")), (201, None));
    assert_eq!(cluster.store.revision(), before);
}

#[test]
fn who_leaves_the_selection_is_told_as_deleted() {
    let cluster = cluster();
    let mut stream = watch(&cluster, &format!("{MAPS}?watch=1&labelSelector=l%3Dx"));
    assert_eq!(told(&mut stream), []);
    ask(&cluster, "POST", MAPS, Some(&config_map("a", "x")));
    ask(&cluster, "POST", MAPS, Some(&config_map("b", "y")));
    ask(&cluster, "PUT", &format!("{MAPS}/a"), Some(&config_map("a", "y")));
    ask(&cluster, "PUT", &format!("{MAPS}/b"), Some(&config_map("b", "x")));
    ask(&cluster, "DELETE", &format!("{MAPS}/b"), None);
    assert_eq!(
        told(&mut stream),
        [pair("ADDED", "a"), pair("DELETED", "a"), pair("ADDED", "b"), pair("DELETED", "b")]
    );
}

#[test]
fn initial_events_end_with_a_bookmark_that_says_so() {
    let cluster = cluster();
    ask(&cluster, "POST", MAPS, Some(&config_map("a", "x")));
    let query =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut stream = watch(&cluster, &format!("{MAPS}?{query}"));
    let chunk = stream.ready().unwrap();
    let last = chunk.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
    let event: Value = serde_json::from_slice(last).unwrap();
    assert_eq!(event["type"], "BOOKMARK");
    let annotations = &event["object"]["metadata"]["annotations"];
    assert_eq!(annotations["k8s.io/initial-events-end"], "true");
}

#[test]
fn a_watch_from_a_forgotten_revision_ends_with_expired() {
    let clock = Arc::new(Timestamp::now);
    let limits = Limits { ring_events_max: 2, ..Limits::default() };
    let cluster = Cluster::new("main", Store::in_memory(limits), clock, false);
    let from = cluster.store.revision();
    for name in ["a", "b", "c", "d"] {
        ask(&cluster, "POST", MAPS, Some(&config_map(name, "x")));
    }
    let mut stream = watch(&cluster, &format!("{MAPS}?watch=1&resourceVersion={from}"));
    let event: Value = serde_json::from_slice(&stream.ready().unwrap()).unwrap();
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["reason"], "Expired");
}

#[test]
fn pages_show_the_revision_of_the_first_whatever_happens_between() {
    let cluster = cluster();
    for name in ["a", "b", "c"] {
        ask(&cluster, "POST", MAPS, Some(&config_map(name, "x")));
    }
    let (_, first) = ask(&cluster, "GET", &format!("{MAPS}?limit=2"), None);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    ask(&cluster, "DELETE", &format!("{MAPS}/c"), None);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = ask(&cluster, "GET", &format!("{MAPS}?limit=2&continue={token}"), None);
    assert_eq!(second["items"][0]["metadata"]["name"], "c");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
}

#[test]
fn a_definition_is_served_once_its_creation_is_answered() {
    let cluster = cluster();
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.ex.io"},
        "spec": {
            "group": "ex.io",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 3}}},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    });
    let at = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(ask(&cluster, "POST", at, Some(&crd)).0, 201);
    let things = "/apis/ex.io/v1/namespaces/default/things";
    let thing = json!({
        "apiVersion": "ex.io/v1", "kind": "Thing",
        "metadata": {"name": "t"}, "spec": {"foo": 1}, "status": {"x": 1},
    });
    let response = respond(&cluster, &request("POST", things, Some(&thing)));
    let made: Value = serde_json::from_slice(&response.whole_body()).unwrap();
    assert_eq!(response.code, 201, "{made}");
    assert_eq!((&made["spec"], made.get("status")), (&json!({"size": 3}), None));
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(response.warnings, ["unknown field \"spec.foo\""]);
    let bad = json!({
        "apiVersion": "ex.io/v1", "kind": "Thing", "metadata": {"name": "u"}, "spec": {"size": "x"},
    });
    assert_eq!(ask(&cluster, "POST", things, Some(&bad)).0, 422);
}

#[test]
fn the_first_form_that_is_served_is_chosen() {
    let none = Query::default();
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let chosen = negotiate::choose(accept, &none).unwrap();
    assert_eq!(chosen.form, Form::Table(Include::Metadata));
    let both = "application/vnd.kubernetes.protobuf,application/json";
    assert_eq!(negotiate::choose(both, &none).unwrap().form, Form::Whole);
    assert!(negotiate::choose("text/html", &none).is_err());
}

/// What the real API server 1.36.3 said to the same requests (tests/data/differential).
#[test]
fn answers_are_those_of_the_real_server() {
    let recorded: Map<String, Value> =
        serde_json::from_str(include_str!("../../tests/data/differential/requests.json")).unwrap();
    let allowed: Map<String, Value> =
        serde_json::from_str(include_str!("../../tests/data/differential/allowed.json")).unwrap();
    let mut wrong = Vec::new();
    for (name, steps) in &recorded {
        let cluster = cluster();
        let mut normal = Normal::default();
        let mut kept: HashMap<String, String> = HashMap::new();
        kept.insert("ns".to_owned(), format!("xr1{}", name.replace('_', "")));
        for (at, step) in steps.as_array().unwrap().iter().enumerate() {
            let got = play(&cluster, &step["request"], &mut kept, &mut normal);
            if allowed.contains_key(&format!("{name}[{at}]")) {
                continue;
            }
            if got != step["real"] {
                wrong.push(format!(
                    "{name}[{at}] {}\n  real {}\n  here {got}",
                    step["request"], step["real"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn play(
    cluster: &Arc<Cluster>,
    step: &Value,
    kept: &mut HashMap<String, String>,
    normal: &mut Normal,
) -> Value {
    let text = substitute(&step.to_string(), kept);
    let step: Value = serde_json::from_str(&text).unwrap();
    let body = Some(&step[2]).filter(|body| !body.is_null());
    let mut request = request(step[0].as_str().unwrap(), step[1].as_str().unwrap(), body);
    if let Some(accept) = step[3]["Accept"].as_str() {
        request.accept = accept.to_owned();
    }
    if let Some(content_type) = step[3]["Content-Type"].as_str() {
        request.content_type = content_type.to_owned();
    }
    let response = respond(cluster, &request);
    let whole = response.whole_body();
    let body: Value = serde_json::from_slice(&whole)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&whole).into_owned()));
    for (name, path) in step[4].as_object().into_iter().flatten() {
        let found = path.as_str().unwrap().split('.').try_fold(&body, |at, step| at.get(step));
        kept.insert(name.clone(), found.and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    let warnings: Vec<String> = response
        .warnings
        .iter()
        .map(|said| format!("299 - \"{}\"", said.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    let mut got =
        json!({"code": response.code, "body": body, "warn": warnings, "ct": response.content_type});
    normal.value(&mut got);
    got
}

fn substitute(text: &str, kept: &HashMap<String, String>) -> String {
    kept.iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// Makes answers comparable: ids by their order, no times, versions, tokens, addresses or ports.
#[derive(Default)]
struct Normal {
    uids: Vec<String>,
}

impl Normal {
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                for (name, item) in fields.iter_mut() {
                    let empty = item.as_str() == Some("");
                    match name.as_str() {
                        "resourceVersion" if !empty => *item = json!("RV"),
                        "nodePort" | "healthCheckNodePort" => *item = json!("PORT"),
                        "continue" if !empty => *item = json!("TOKEN"),
                        _ => self.value(item),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(length) = uid_length(rest) {
                let uid = rest[..length].to_owned();
                let at = self.uids.iter().position(|known| *known == uid).unwrap_or_else(|| {
                    self.uids.push(uid);
                    self.uids.len() - 1
                });
                out.push_str(&format!("uid-{at}"));
                rest = &rest[length..];
            } else if let Some(length) = time_length(rest) {
                out.push_str("TIME");
                rest = &rest[length..];
            } else if let Some(length) = address_length(rest) {
                out.push_str("IP");
                rest = &rest[length..];
            } else {
                let next = rest.chars().next().unwrap();
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        match out.split_once(", current: ") {
            Some((before, _)) if before.contains("Too large resource version") => {
                format!("{before}, current: N")
            }
            _ => out,
        }
    }
}

fn uid_length(text: &str) -> Option<usize> {
    let uid = text.get(..36)?;
    let fits = uid.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    });
    fits.then_some(36)
}

fn time_length(text: &str) -> Option<usize> {
    let time = text.get(..19)?;
    let fits = time.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let end = text[19..].find('Z').filter(|end| *end <= 10)?;
    fits.then_some(19 + end + 1)
}

fn address_length(text: &str) -> Option<usize> {
    if !text.starts_with("10.0.") && !text.starts_with("10.96.") {
        return None;
    }
    let length = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (text[..length].split('.').count() == 4).then_some(length)
}

#[test]
fn a_number_is_told_as_it_was_written() {
    let node = r#"{"metadata":{"ownerReferences":[{"uid":"0f3c9f2a-0000-4000-8000-000000000001"}]},"spec":{"drivers":[{"allocatable":{"count":3.0}}]}}"#;
    let at = "/apis/storage.k8s.io/v1/csinodes?dryRun=All";
    let (_, said) = ask(&cluster(), "POST", at, Some(&json!(node)));
    let said = said["message"].as_str().unwrap_or_default();
    assert!(said.contains("cannot unmarshal number 3.0 into"), "{said}");
}
