//! Scenarios from seeds: what random clients ask of a few objects.

use serde_json::{Value, json};

use super::catalog::{Catalog, Kind};
use super::mutate::Mutator;
use crate::random::Random;

/// Names that clients give to objects.
const NAMES: [&str; 3] = ["one", "two", "three"];

/// What a scenario tries most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taste {
    /// Everything.
    Mixed,
    /// Applies by several managers, and what comes between.
    Apply,
    /// Creates and replacements of objects that are wrong in one place.
    Wrong,
    /// Lists, watches and their parameters.
    Read,
    /// Everything, and what nobody should ask.
    Requests,
    /// As `Apply`, of more custom kinds, at all their versions.
    Wide,
}

impl Taste {
    /// The taste of that name.
    pub fn named(name: &str) -> Option<Taste> {
        match name {
            "mixed" => Some(Taste::Mixed),
            "apply" => Some(Taste::Apply),
            "wrong" => Some(Taste::Wrong),
            "read" => Some(Taste::Read),
            "requests" => Some(Taste::Requests),
            "wide" => Some(Taste::Wide),
            _ => None,
        }
    }
}

/// Makes the scenario of a seed; `only` names the one kind to use.
pub fn scenario(catalog: &Catalog, seed: u64, taste: Taste, only: Option<&str>) -> Vec<Value> {
    let mut random = Random::new(seed);
    for _ in 0..3 {
        random.next();
    }
    let schema = kubetypes::tables(36).schema();
    let mutator = Mutator { catalog, schema };
    let kinds: Vec<&Kind> =
        catalog.kinds.iter().filter(|kind| only.is_none_or(|only| kind.kind == only)).collect();
    let (share, customs) = if taste == Taste::Wide { (2, 10) } else { (4, 5) };
    let kind = match random.one_in(share) {
        true => kinds[kinds.len().saturating_sub(customs) + random.below(kinds.len().min(customs))],
        false => *random.pick(&kinds),
    };
    let mut making =
        Making { kind, mutator, random, taste, known: Vec::new(), steps: setup(), ended: false };
    if kind.plural == "pods" || taste == Taste::Read {
        making.steps.push(post(
            "/api/v1/namespaces/${ns}/serviceaccounts",
            json!({"metadata": {"name": "default"}}),
        ));
    }
    making.create();
    let count = 4 + making.random.below(12);
    for _ in 0..count {
        if making.ended {
            break;
        }
        making.step();
    }
    making.steps
}

fn setup() -> Vec<Value> {
    vec![post("/api/v1/namespaces", json!({"metadata": {"name": "${ns}"}}))]
}

fn post(path: &str, body: Value) -> Value {
    json!({"m": "POST", "p": path, "b": body})
}

struct Making<'c> {
    kind: &'c Kind,
    mutator: Mutator<'c>,
    random: Random,
    taste: Taste,
    /// What was sent last of each name.
    known: Vec<(String, Value)>,
    steps: Vec<Value>,
    /// Whether others act from now on, at a time of their own.
    ended: bool,
}

impl Making<'_> {
    fn step(&mut self) {
        if self.taste == Taste::Requests && self.random.one_in(3) {
            let name = self.known_name();
            let object = self.object(&name);
            let collection = self.collection();
            let asked =
                super::requests::odd(&mut self.random, self.kind, &collection, &name, &object);
            return self.steps.push(asked);
        }
        let dice = self.random.below(100);
        let bounds: [usize; 9] = match self.taste {
            //                 create put live patch apply status scale delete read
            Taste::Mixed => [18, 26, 34, 50, 64, 70, 74, 86, 100],
            Taste::Apply | Taste::Wide => [8, 10, 16, 26, 84, 90, 93, 97, 100],
            Taste::Wrong => [70, 78, 82, 88, 100, 100, 100, 100, 100],
            Taste::Read => [30, 32, 36, 40, 44, 44, 44, 54, 100],
            Taste::Requests => [16, 22, 32, 48, 64, 70, 74, 84, 100],
        };
        match bounds.iter().position(|bound| dice < *bound).unwrap_or(8) {
            0 => self.create(),
            1 => self.put(),
            2 => self.put_live(),
            3 => self.patch(),
            4 => self.apply(),
            5 => self.status(),
            6 => self.scale(),
            7 => self.delete(),
            _ => self.read(),
        }
    }

    fn collection(&self) -> String {
        let (group, version) = manifest::split_api_version(&self.kind.api_version);
        let root = match group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match self.kind.namespaced {
            true => format!("{root}/namespaces/${{ns}}/{}", self.kind.plural),
            false => format!("{root}/{}", self.kind.plural),
        }
    }

    fn name(&mut self) -> String {
        let name = *self.random.pick(&NAMES);
        if self.kind.kind == "CustomResourceDefinition" || self.kind.kind == "APIService" {
            return self.kind.objects[0]["metadata"]["name"].as_str().unwrap_or(name).to_owned();
        }
        if self.kind.kind == "IPAddress" {
            return "${ip}".to_owned();
        }
        if self.kind.namespaced { name.to_owned() } else { format!("${{ns}}-{name}") }
    }

    /// A name that stands for an object, most of the time.
    fn known_name(&mut self) -> String {
        match self.known.is_empty() || self.random.one_in(8) {
            true => self.name(),
            false => self.random.pick(&self.known).0.clone(),
        }
    }

    /// An object to send, wrong in a few places now and then.
    fn object(&mut self, name: &str) -> Value {
        let mut object = match self.known.iter().rev().find(|(known, _)| known == name) {
            Some((_, object)) if !self.random.one_in(3) => object.clone(),
            _ => self.random.pick(&self.kind.objects).clone(),
        };
        play_set(&mut object, "/metadata/name", json!(name));
        let changes = match self.taste {
            Taste::Wrong => 1 + usize::from(self.random.one_in(4)),
            _ => self.random.below(3),
        };
        self.mutator.change(&mut self.random, self.kind.type_id, &mut object, changes);
        object
    }

    fn options(&mut self, apply: bool) -> String {
        let mut options: Vec<String> = Vec::new();
        if self.kind.only_tried || self.random.one_in(12) {
            options.push("dryRun=All".to_owned());
        }
        match self.random.below(10) {
            0 | 1 => options.push("fieldValidation=Strict".to_owned()),
            2 => options.push("fieldValidation=Ignore".to_owned()),
            3 => options.push("fieldValidation=Warn".to_owned()),
            _ => {}
        }
        if apply {
            let manager = *self.random.pick(&["m1", "m2", "m3", "kubectl"]);
            options.push(format!("fieldManager={manager}"));
            if self.random.one_in(2) {
                options.push("force=true".to_owned());
            }
        } else if self.random.one_in(4) {
            options.push(format!("fieldManager={}", self.random.pick(&["u1", "u2", "m1"])));
        }
        if self.random.one_in(60) {
            options.push(
                (*self.random.pick(&[
                    "dryRun=Some",
                    "fieldValidation=Loose",
                    "fieldManager=a%01b",
                    "force=maybe",
                    "force=true",
                    "pretty=true",
                    "fieldManager=",
                    "timeout=5s",
                    "dryRun=",
                ]))
                .to_owned(),
            );
        }
        if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) }
    }

    fn push(&mut self, method: &str, path: String, name: &str, body: Value, content_type: &str) {
        // Whose owner is not there goes, at a time of the collector's own.
        let mut path = path;
        if body.to_string().contains("ownerReferences") && !path.contains("dryRun=All") {
            path += if path.contains('?') { "&dryRun=All" } else { "?dryRun=All" };
        }
        let mut step = json!({"m": method, "p": path, "b": body, "k": key(name)});
        if !content_type.is_empty() {
            step["h"] = json!({"Content-Type": content_type});
        }
        if self.taste == Taste::Wide
            && !self.kind.other_versions.is_empty()
            && self.random.one_in(4)
        {
            let other = self.random.pick(&self.kind.other_versions).clone();
            let path = step["p"].as_str().unwrap_or_default();
            let own = format!("/{}/", self.kind.api_version);
            step["p"] = json!(path.replacen(&own, &format!("/{other}/"), 1));
            if step["b"].get("apiVersion").is_some() {
                step["b"]["apiVersion"] = json!(other);
            } else if step["b"].get("$live").is_some()
                && let Some(edits) = step["b"]["edit"].as_array_mut()
            {
                edits.push(json!(["/apiVersion", other]));
            }
        }
        self.distort(&mut step);
        self.steps.push(step);
    }

    /// Now and then a request is wrong as a request.
    fn distort(&mut self, step: &mut Value) {
        if !self.random.one_in(50) {
            return;
        }
        let body = step["b"].clone();
        match self.random.below(9) {
            0 if body.is_object() => {
                let text = body.to_string();
                let end = self.random.below(text.len());
                let end = (0..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                step["b"] = json!(text[..end]);
            }
            1 => step["b"] = json!("[]"),
            2 => step["b"] = json!("\"text\""),
            3 => step["h"] = json!({"Content-Type": "text/plain"}),
            4 => step["h"] = json!({"Content-Type": "application/json"}),
            5 if body.is_object() => step["b"]["kind"] = json!("Other"),
            6 if body.is_object() => step["b"]["apiVersion"] = json!("v7"),
            7 => {
                step["h"]["Accept"] = json!(*self.random.pick(&[
                    "text/html",
                    "application/yaml",
                    "*/*",
                    "application/json;as=Table;v=v1;g=meta.k8s.io",
                    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                ]));
            }
            _ if body.is_object() => {
                let text = body.to_string();
                step["b"] = json!(format!("{},\"metadata\":{{}}}}", &text[..text.len() - 1]));
            }
            _ => {}
        }
    }

    fn remember(&mut self, name: &str, object: &Value) {
        self.known.push((name.to_owned(), object.clone()));
    }

    fn create(&mut self) {
        let name = self.name();
        let mut object = self.object(&name);
        self.remember(&name, &object);
        if self.random.one_in(15) {
            play_set(&mut object, "/metadata/generateName", json!("gen-"));
            if self.random.one_in(2) {
                object["metadata"].as_object_mut().map(|metadata| metadata.remove("name"));
            }
        }
        if self.random.one_in(12) {
            let (pointer, value) = self.random.pick(&[
                ("/metadata/finalizers", json!(["x.io/f"])),
                ("/metadata/finalizers", json!(["bare"])),
                ("/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}])),
                ("/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1", "controller": true}, {"apiVersion": "v1", "kind": "ConfigMap", "name": "p", "uid": "u-2", "controller": true}])),
                ("/metadata/namespace", json!("elsewhere")),
                ("/metadata/uid", json!("given")),
                ("/metadata/resourceVersion", json!("5")),
                ("/metadata/generation", json!(7)),
                ("/metadata/deletionTimestamp", json!("2020-01-01T00:00:00Z")),
                ("/metadata/creationTimestamp", json!("2020-01-01T00:00:00Z")),
                ("/metadata/managedFields", json!([{"manager": "q", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}}])),
                ("/metadata/labels", json!({"a": "b", "bad key": "x"})),
                ("/metadata/annotations", json!({"Bad/Key/x": "y"})),
                ("/metadata/name", json!("Bad_Name")),
                ("/metadata/name", json!("a".repeat(260))),
            ]).clone();
            play_set(&mut object, pointer, value);
        }
        let path = self.collection() + &self.options(false);
        self.push("POST", path, &name, object, "");
    }

    fn put(&mut self) {
        let name = self.known_name();
        let mut object = self.object(&name);
        if self.random.one_in(2) {
            play_set(
                &mut object,
                "/metadata/resourceVersion",
                json!(format!("${{rv:{}}}", key(&name))),
            );
        }
        if self.random.one_in(8) {
            let uid = if self.random.one_in(2) {
                format!("${{uid:{}}}", key(&name))
            } else {
                "other".to_owned()
            };
            play_set(&mut object, "/metadata/uid", json!(uid));
        }
        self.remember(&name, &object);
        let path = format!("{}/{name}{}", self.collection(), self.options(false));
        self.push("PUT", path, &name, object, "");
    }

    /// The object as the server told it, changed here and there.
    fn put_live(&mut self) {
        if self.known.is_empty() {
            return self.create();
        }
        let name = self.known_name();
        let before = self.object(&name);
        let mut after = before.clone();
        let changes = 1 + self.random.below(2);
        self.mutator.change(&mut self.random, self.kind.type_id, &mut after, changes);
        let mut edits = Vec::new();
        differences(&before, &after, "", &mut edits);
        if self.random.one_in(6) {
            let edit = self
                .random
                .pick(&[
                    json!(["/metadata/resourceVersion"]),
                    json!(["/metadata/resourceVersion", "1"]),
                    json!(["/metadata/resourceVersion", "x"]),
                    json!(["/metadata/uid", "other"]),
                    json!(["/metadata/managedFields"]),
                    json!(["/metadata/managedFields", []]),
                    json!(["/metadata/managedFields", [{}]]),
                    json!(["/metadata/creationTimestamp"]),
                    json!(["/metadata/name", "else"]),
                    json!(["/metadata/namespace", "else"]),
                    json!(["/metadata/finalizers", ["x.io/y"]]),
                    json!(["/metadata/finalizers"]),
                    json!(["/metadata/generation", 99]),
                    json!(["/status"]),
                    json!(["/spec"]),
                ])
                .clone();
            edits.push(edit);
        }
        let path = format!("{}/{name}{}", self.collection(), self.options(false));
        self.push("PUT", path, &name, json!({"$live": key(&name), "edit": edits}), "");
    }

    fn patch(&mut self) {
        let name = self.known_name();
        let before = self.object(&name);
        let mut after = before.clone();
        let changes = 1 + self.random.below(2);
        self.mutator.change(&mut self.random, self.kind.type_id, &mut after, changes);
        let (body, content_type) = match self.random.below(3) {
            0 => (self.json_patch(&before, &after), "application/json-patch+json"),
            1 => {
                let mut patch = merge::json_merge::create(&before, &after);
                self.season(&mut patch, false);
                (patch, "application/merge-patch+json")
            }
            _ => {
                let schema = self.mutator.schema;
                let made = self
                    .kind
                    .type_id
                    .map(|id| merge::strategic::create_two_way(&before, &after, schema, id));
                let mut patch = match made {
                    Some(Ok(patch)) => patch,
                    _ => merge::json_merge::create(&before, &after),
                };
                self.season(&mut patch, true);
                (patch, "application/strategic-merge-patch+json")
            }
        };
        let options = self.options(false);
        let door = match self.kind.subresources.iter().any(|sub| sub == "status") {
            true if self.random.one_in(8) => "/status",
            _ => "",
        };
        let path = format!("{}/{name}{door}{options}", self.collection());
        self.push("PATCH", path, &name, body, content_type);
    }

    /// Adds what only patches say.
    fn season(&mut self, patch: &mut Value, strategic: bool) {
        if !self.random.one_in(5) || !patch.is_object() {
            return;
        }
        let (pointer, value) = self
            .random
            .pick(&[
                ("/metadata/labels", json!({"a": "b"})),
                ("/metadata/labels", Value::Null),
                ("/metadata/labels/x", Value::Null),
                ("/metadata/finalizers", json!(["x.io/a"])),
                ("/metadata/finalizers", Value::Null),
                ("/metadata/name", json!("else")),
                ("/metadata/resourceVersion", json!("1")),
                ("/metadata/uid", json!("other")),
                ("/metadata/annotations/k", json!("v")),
                (
                    "/metadata/ownerReferences",
                    json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}]),
                ),
                ("/bogus", json!(1)),
                ("/metadata/bogus", json!(1)),
                ("/spec", Value::Null),
                ("/metadata", Value::Null),
                ("/metadata/managedFields", json!([])),
                ("/metadata/managedFields", json!([{}])),
                ("/metadata/managedFields", Value::Null),
                ("/metadata/finalizers", json!([])),
                ("/metadata/labels", json!({})),
                ("/metadata/annotations", Value::Null),
            ])
            .clone();
        play_set(patch, pointer, value);
        if strategic && self.random.one_in(2) {
            let (pointer, value) = self
                .random
                .pick(&[
                    ("/spec/$patch", json!("replace")),
                    ("/metadata/labels/$patch", json!("delete")),
                    ("/metadata/$deleteFromPrimitiveList~1finalizers", json!(["x.io/a"])),
                    ("/spec/$retainKeys", json!(["a"])),
                    ("/metadata/$patch", json!("odd")),
                    (
                        "/spec/template/spec/containers",
                        json!([{"$patch": "replace"}, {"name": "n", "image": "i"}]),
                    ),
                    (
                        "/spec/template/spec/containers",
                        json!([{"name": "web", "$patch": "delete"}]),
                    ),
                    ("/metadata/$setElementOrder~1finalizers", json!(["x.io/a", "x.io/b"])),
                ])
                .clone();
            play_set(patch, pointer, value);
        }
    }

    fn json_patch(&mut self, before: &Value, after: &Value) -> Value {
        let mut edits = Vec::new();
        differences(before, after, "", &mut edits);
        let mut operations: Vec<Value> = edits
            .iter()
            .map(|edit| match edit.get(1) {
                Some(value) => json!({"op": "add", "path": edit[0], "value": value}),
                None => json!({"op": "remove", "path": edit[0]}),
            })
            .collect();
        if self.random.one_in(3) {
            let more = self.random.pick(&[
                json!({"op": "test", "path": "/metadata/name", "value": "one"}),
                json!({"op": "add", "path": "/metadata/labels", "value": {"j": "p"}}),
                json!({"op": "replace", "path": "/metadata/labels/x", "value": "y"}),
                json!({"op": "copy", "from": "/metadata/name", "path": "/metadata/annotations"}),
                json!({"op": "move", "from": "/spec", "path": "/sepc"}),
                json!({"op": "remove", "path": "/none"}),
                json!({"op": "odd", "path": "/none"}),
                json!({"path": "/none"}),
                json!({"op": "add", "path": "", "value": {}}),
                json!({"op": "add", "path": "/metadata/finalizers/-", "value": "x.io/z"}),
                json!({"op": "replace", "path": "/metadata/finalizers", "value": ["x.io/z"]}),
                json!({"op": "test", "path": "/metadata/uid", "value": null}),
                json!({"op": "replace", "path": "/metadata/managedFields", "value": [{}]}),
                json!({"op": "remove", "path": "/metadata/managedFields/0"}),
                json!({"op": "remove", "path": "/metadata/managedFields"}),
                json!({"op": "replace", "path": "/metadata/managedFields/0/manager", "value": "m2"}),
                json!({"op": "replace", "path": "/metadata/managedFields/0/operation", "value": "Apply"}),
                json!({"op": "remove", "path": "/metadata/finalizers"}),
                json!({"op": "add", "path": "/metadata/labels", "value": {}}),
            ]).clone();
            operations.push(more);
        }
        Value::Array(operations)
    }

    fn apply(&mut self) {
        let name = self.name();
        let mut object = self.object(&name);
        // A part of the object, as somebody applies who minds only that.
        if self.random.one_in(3)
            && let Some(fields) = object.as_object_mut()
        {
            let names: Vec<String> = fields
                .keys()
                .filter(|name| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata"))
                .cloned()
                .collect();
            if !names.is_empty() {
                let gone = self.random.pick(&names).clone();
                match &mut fields[&gone] {
                    Value::Object(inner) if self.random.one_in(2) => {
                        let keep = self.random.below(3);
                        let mut at = 0;
                        inner.retain(|_, _| {
                            at += 1;
                            at % 3 == keep
                        });
                    }
                    _ => {
                        fields.remove(&gone);
                    }
                }
            }
        }
        if self.random.one_in(6) {
            let (pointer, value) = self.random.pick(&[
                ("/metadata/labels", json!({"a": "b"})),
                ("/metadata/finalizers", json!(["x.io/a"])),
                ("/metadata/resourceVersion", json!("1")),
                ("/metadata/uid", json!("other")),
                ("/metadata/managedFields", json!([])),
                ("/metadata/name", json!("else")),
                ("/metadata/namespace", json!("else")),
                ("/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}])),
                ("/status", json!({"replicas": 1})),
                ("/apiVersion", json!("")),
                ("/kind", json!("Other")),
                ("/metadata", Value::Null),
                ("/metadata/finalizers", json!([])),
                ("/metadata/finalizers", json!(["x.io/b", "x.io/a"])),
                ("/metadata/finalizers", json!(["x.io/a", "x.io/a"])),
                ("/metadata/labels", json!({})),
                ("/metadata/labels", json!({"a": null})),
                ("/metadata/annotations", json!({"a": ""})),
                ("/metadata/annotations", Value::Null),
                ("/metadata/generateName", json!("gen-")),
                ("/metadata/creationTimestamp", Value::Null),
                ("/metadata/generation", json!(3)),
                ("/spec", json!({})),
                ("/spec", Value::Null),
                ("/status", json!({})),
            ]).clone();
            play_set(&mut object, pointer, value);
        } else {
            self.remember(&name, &object);
        }
        let path = format!("{}/{name}{}", self.collection(), self.options(true));
        self.push("PATCH", path, &name, object, "application/apply-patch+yaml");
    }

    fn status(&mut self) {
        if !self.kind.subresources.iter().any(|sub| sub == "status") {
            return self.apply();
        }
        let name = self.known_name();
        let mut object = self.object(&name);
        let status = match self.kind.type_id.map(|id| self.mutator.schema.get(id)) {
            Some(merge::schema::Type::Map(map)) => match map.field("status") {
                Some(field) => self.mutator.of_type(&mut self.random, field.type_id, "status!", 4),
                None => json!({}),
            },
            _ => self
                .random
                .pick(&[
                    json!({"replicas": 1}),
                    json!({"phase": "x", "conditions": [{"type": "A", "status": "True"}]}),
                    json!({"ok": true}),
                    json!({}),
                    json!({"observed": 2}),
                ])
                .clone(),
        };
        let tried = if self.kind.only_tried { "&dryRun=All" } else { "" };
        let path = format!("{}/{name}/status", self.collection());
        match self.random.below(3) {
            0 => {
                let edits = json!([["/status", status], ["/metadata/labels", {"s": "t"}], ["/spec/bogus", 1]]);
                let body = json!({"$live": key(&name), "edit": edits});
                self.push("PUT", format!("{path}?fieldManager=st{tried}"), &name, body, "");
            }
            1 => {
                let body = json!({"status": status, "metadata": {"annotations": {"s": "t"}}});
                self.push(
                    "PATCH",
                    format!("{path}?fieldManager=st{tried}"),
                    &name,
                    body,
                    "application/merge-patch+json",
                );
            }
            _ => {
                object["status"] = status;
                let manager = *self.random.pick(&["st", "st", "m1", "m2"]);
                let force = if self.random.one_in(3) { "" } else { "&force=true" };
                let path = format!("{path}?fieldManager={manager}{force}{tried}");
                self.push("PATCH", path, &name, object, "application/apply-patch+yaml");
            }
        }
    }

    fn scale(&mut self) {
        if !self.kind.subresources.iter().any(|sub| sub == "scale") {
            return self.patch();
        }
        let name = self.known_name();
        let path = format!("{}/{name}/scale", self.collection());
        let replicas = self
            .random
            .pick(&[json!(0), json!(1), json!(5), json!(-1), json!("x"), Value::Null])
            .clone();
        let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name, "namespace": "${ns}"}, "spec": {"replicas": replicas}});
        if self.random.one_in(3) {
            play_set(
                &mut scale,
                "/metadata/resourceVersion",
                json!(format!("${{rv:{}}}", key(&name))),
            );
        }
        match self.random.below(5) {
            0 => self.steps.push(json!({"m": "GET", "p": path})),
            1 => self.steps.push(json!({"m": "PUT", "p": path, "b": scale})),
            2 => self.steps.push(json!({"m": "PATCH", "p": format!("{path}?fieldManager=sc"), "b": {"spec": {"replicas": replicas}}, "h": {"Content-Type": "application/merge-patch+json"}})),
            3 => self.steps.push(json!({"m": "PATCH", "p": path, "b": [{"op": "replace", "path": "/spec/replicas", "value": replicas}], "h": {"Content-Type": "application/json-patch+json"}})),
            _ => {
                let force = if self.random.one_in(2) { "&force=true" } else { "" };
                self.steps.push(json!({"m": "PATCH", "p": format!("{path}?fieldManager=sc{force}"), "b": scale, "h": {"Content-Type": "application/apply-patch+yaml"}}));
            }
        }
    }

    fn delete(&mut self) {
        let name = self.known_name();
        let body = self
            .random
            .pick(&[
                Value::Null,
                Value::Null,
                Value::Null,
                json!({"preconditions": {"uid": "other"}}),
                json!({"preconditions": {"uid": format!("${{uid:{}}}", key(&name))}}),
                json!({"preconditions": {"resourceVersion": "1"}}),
                json!({"preconditions": {"resourceVersion": format!("${{rv:{}}}", key(&name))}}),
                json!({"propagationPolicy": "Orphan"}),
                json!({"propagationPolicy": "Background"}),
                json!({"propagationPolicy": "Foreground"}),
                json!({"propagationPolicy": "Odd"}),
                json!({"gracePeriodSeconds": 0}),
                json!({"gracePeriodSeconds": 5}),
                json!({"gracePeriodSeconds": -1}),
                json!({"orphanDependents": true}),
                json!({"orphanDependents": true, "propagationPolicy": "Orphan"}),
                json!({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}),
                json!({"dryRun": ["Odd"]}),
                json!({"bogus": 1}),
            ])
            .clone();
        let query = *self.random.pick(&[
            "",
            "",
            "",
            "?dryRun=All",
            "?propagationPolicy=Orphan",
            "?gracePeriodSeconds=0",
            "?propagationPolicy=Odd",
            "?orphanDependents=true",
            "?gracePeriodSeconds=x",
        ]);
        let query = if self.kind.only_tried { "?dryRun=All" } else { query };
        // Who watches sees what the collector does, which the real server alone does not have.
        let is_seen = self.steps.iter().any(|step| step["watch"] == true);
        let (body, query) = match is_seen {
            true => (Value::Null, if self.kind.only_tried { "?dryRun=All" } else { "" }),
            false => (body, query),
        };
        let held = matches!(
            self.kind.kind.as_str(),
            "Job"
                | "ReplicationController"
                | "PersistentVolumeClaim"
                | "PersistentVolume"
                | "Namespace"
                | "VolumeAttributesClass"
                | "ServiceCIDR"
        );
        let said = format!("{query}{body}").to_lowercase();
        self.ended = held || ["orphan", "foreground"].iter().any(|word| said.contains(word));
        if self.random.one_in(6) && self.kind.namespaced && self.kind.plural != "serviceaccounts" {
            let selector = *self.random.pick(&[
                "",
                "?labelSelector=a%3Db",
                "?fieldSelector=metadata.name%3Done",
                "?limit=1",
                "?labelSelector=,",
            ]);
            self.steps.push(
                json!({"m": "DELETE", "p": format!("{}{selector}", self.collection()), "b": body}),
            );
            return;
        }
        self.steps.push(json!({"m": "DELETE", "p": format!("{}/{name}{query}", self.collection()), "b": body, "k": key(&name)}));
    }

    fn read(&mut self) {
        let name = self.known_name();
        let collection = self.collection();
        if !self.kind.namespaced {
            self.steps
                .push(json!({"m": "GET", "p": format!("{collection}/{name}"), "k": key(&name)}));
            return;
        }
        match self.random.below(8) {
            0 | 1 => self
                .steps
                .push(json!({"m": "GET", "p": format!("{collection}/{name}"), "k": key(&name)})),
            2 if self.taste == Taste::Read || self.random.one_in(4) => {
                let query = *self.random.pick(&[
                    "", "&resourceVersion=0", "&labelSelector=a%3Db", "&fieldSelector=metadata.name%3Done",
                    "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                    "&resourceVersion=${rv:one}", "&labelSelector=a", "&labelSelector=!a",
                    "&fieldSelector=metadata.name!%3Done",
                ]);
                self.steps.push(json!({"m": "GET", "p": format!("{collection}?watch=1&timeoutSeconds=4{query}"), "watch": true}));
            }
            3 => {
                let accept = *self.random.pick(&[
                    "application/json;as=Table;v=v1;g=meta.k8s.io",
                    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
                    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
                    "text/html",
                    "*/*",
                ]);
                let path =
                    if self.random.one_in(2) { format!("{collection}/{name}") } else { collection };
                self.steps.push(json!({"m": "GET", "p": path, "h": {"Accept": accept}}));
            }
            4 => {
                self.steps
                    .push(json!({"m": "GET", "p": format!("{collection}?limit=1"), "k": "page"}));
                self.steps.push(json!({"m": "GET", "p": format!("{collection}?limit=1&continue=${{continue:page}}"), "k": "page"}));
            }
            _ => {
                let query = *self.random.pick(&[
                    "",
                    "?labelSelector=a%3Db",
                    "?labelSelector=a",
                    "?labelSelector=a%20in%20(b,c)",
                    "?labelSelector=!a",
                    "?labelSelector=a%20notin%20(b)",
                    "?labelSelector=a%3D%3D",
                    "?labelSelector=a%20b",
                    "?labelSelector=a%3Eb",
                    "?labelSelector=-a%3Db",
                    "?labelSelector=a%3Db,c!%3Dd",
                    "?labelSelector=a%3E1",
                    "?fieldSelector=metadata.name%3Done",
                    "?fieldSelector=metadata.name!%3Done",
                    "?fieldSelector=spec.x%3D1",
                    "?fieldSelector=metadata.namespace%3D${ns}",
                    "?fieldSelector=x",
                    "?fieldSelector=spec.nodeName%3Da",
                    "?fieldSelector=status.phase%3DRunning",
                    "?fieldSelector=spec.kind%3Dbig",
                    "?fieldSelector=type%3DOpaque",
                    "?resourceVersion=0",
                    "?resourceVersion=1",
                    "?resourceVersion=x",
                    "?resourceVersion=0&resourceVersionMatch=Exact",
                    "?resourceVersionMatch=Exact",
                    "?resourceVersion=${rv:one}&resourceVersionMatch=NotOlderThan",
                    "?resourceVersion=${rv:one}&resourceVersionMatch=Odd",
                    "?limit=0",
                    "?limit=-1",
                    "?limit=x",
                    "?continue=x",
                    "?continue=x&resourceVersion=1",
                    "?resourceVersion=0&limit=1",
                    "?timeoutSeconds=x",
                    "?watch=maybe",
                    "?resourceVersion=${rv:one}&resourceVersionMatch=Exact",
                    "?sendInitialEvents=true",
                    "?watch=1&sendInitialEvents=true",
                    "?watch=1&resourceVersionMatch=NotOlderThan",
                    "?watch=1&resourceVersion=x",
                    "?watch=1&labelSelector=a%20b",
                ]);
                let end = if query.contains("watch=1") { "&timeoutSeconds=1" } else { "" };
                self.steps.push(json!({"m": "GET", "p": format!("{collection}{query}{end}")}));
            }
        }
    }
}

/// What a step calls the object of that name.
fn key(name: &str) -> &str {
    name.trim_start_matches("${ns}-")
}

fn play_set(value: &mut Value, pointer: &str, to: Value) {
    super::play::set(value, pointer, Some(to));
}

/// Lists what leads from one value to another, as pairs of pointer and value, or a pointer alone.
fn differences(before: &Value, after: &Value, at: &str, out: &mut Vec<Value>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                out.push(json!([format!("{at}/{}", escaped(name))]));
            }
            for (name, value) in new {
                let at = format!("{at}/{}", escaped(name));
                match old.get(name) {
                    Some(old) => differences(old, value, &at, out),
                    None => out.push(json!([at, value])),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(old, new, &format!("{at}/{index}"), out);
            }
        }
        _ => out.push(json!([at, after])),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
