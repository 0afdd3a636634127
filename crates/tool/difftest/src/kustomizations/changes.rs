//! Random changes on top of a tree: an overlay that a user could have written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::seed::Seed;
use super::tool::Files;

/// Overlays on a tree, the lowest first: their fields, and the files beside them.
#[derive(Clone, Debug)]
pub struct Change {
    /// Each a field of the kustomization with its value; taken away one by one to make a case small.
    pub layers: Vec<Vec<(String, Value)>>,
    /// From any overlay's directory.
    pub files: BTreeMap<String, String>,
    /// The tree's directory, from beside the highest overlay.
    pub base: String,
    /// Whether the tree is a component.
    pub on_component: bool,
}

impl Change {
    /// The files, the highest overlay in this directory and the others below it.
    pub fn files(&self, directory: &str) -> Files {
        let mut files = Files::new();
        let highest = self.layers.len() - 1;
        for (at, layer) in self.layers.iter().enumerate() {
            let place = |at: usize| match at == highest {
                true => directory.to_owned(),
                false => format!("{directory}/layer{at}"),
            };
            let below = match at {
                0 if highest == 0 => format!("../{}", self.base),
                0 => format!("../../{}", self.base),
                at if at == highest => format!("layer{}", at - 1),
                at => format!("../layer{}", at - 1),
            };
            let mut fields: Map<String, Value> = Map::new();
            let is_component = at == 0 && self.on_component;
            let below_as = if is_component { "components" } else { "resources" };
            fields.insert(below_as.to_owned(), json!([below]));
            for (name, value) in layer {
                match (fields.get_mut(name), value) {
                    (Some(Value::Array(there)), Value::Array(more)) => {
                        there.extend(more.iter().cloned());
                    }
                    _ => {
                        fields.insert(name.clone(), value.clone());
                    }
                }
            }
            for (path, text) in &self.files {
                files.insert(format!("{}/{path}", place(at)), text.clone());
            }
            let text = goyaml::to_yaml(&Value::Object(fields)).expect("a kustomization is printed");
            files.insert(format!("{}/kustomization.yaml", place(at)), text);
        }
        files
    }
}

/// An object of the tree, as far as changes need it.
struct Known {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
    value: Value,
}

impl Known {
    fn of(value: &Value) -> Option<Self> {
        let text = |at: &Value| at.as_str().map(str::to_owned);
        let kind = text(&value["kind"])?;
        let mut name = text(&value["metadata"]["name"])?;
        if matches!(kind.as_str(), "ConfigMap" | "Secret")
            && let Some((bare, hash)) = name.rsplit_once('-')
            && hash.len() == 10
        {
            name = bare.to_owned();
        }
        Some(Self {
            api_version: text(&value["apiVersion"])?,
            kind,
            name,
            namespace: text(&value["metadata"]["namespace"]),
            value: value.clone(),
        })
    }

    fn group_and_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }

    fn pod_spec(&self) -> Option<(&'static str, &Value)> {
        let paths = [
            (
                "/spec/template/spec",
                ["Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"].as_slice(),
            ),
            ("/spec/jobTemplate/spec/template/spec", ["CronJob"].as_slice()),
            ("/spec", ["Pod"].as_slice()),
        ];
        let (path, _) = paths.iter().find(|(_, kinds)| kinds.contains(&self.kind.as_str()))?;
        Some((path, self.value.pointer(path)?))
    }

    fn containers(&self) -> Vec<&Value> {
        let spec = self.pod_spec().map(|(_, spec)| &spec["containers"]);
        spec.and_then(Value::as_array).into_iter().flatten().collect()
    }
}

/// Makes a change for a tree that has these objects.
pub fn make(seed: u64, base: &str, objects: &[Value]) -> Change {
    let known: Vec<Known> = objects.iter().filter_map(Known::of).collect();
    let mut maker = Maker { seed: Seed::new(seed), known, files: BTreeMap::new(), serial: 0 };
    let mut layers = Vec::new();
    for _ in 0..if maker.seed.one_in(3) { 2 } else { 1 } {
        let mut fields = Vec::new();
        for _ in 0..1 + maker.seed.below(4) {
            maker.add(&mut fields, false);
        }
        layers.push(fields);
    }
    let on_component = base.contains("/components/");
    Change { layers, files: maker.files, base: base.to_owned(), on_component }
}

struct Maker {
    seed: Seed,
    known: Vec<Known>,
    files: BTreeMap<String, String>,
    serial: usize,
}

const WORDS: [&str; 6] = ["blue", "green", "a-b", "x1", "team", "west"];
const TEXTS: [&str; 10] =
    ["plain", "true", "1", "1.5", "yes", "a: b", "with space", "", "null", "2020-01-02"];

impl Maker {
    fn word(&mut self) -> &'static str {
        self.seed.choose(&WORDS)
    }

    fn text(&mut self) -> &'static str {
        self.seed.choose(&TEXTS)
    }

    fn serial(&mut self) -> usize {
        self.serial += 1;
        self.serial
    }

    fn known(&mut self) -> Option<usize> {
        (!self.known.is_empty()).then(|| self.seed.below(self.known.len()))
    }

    fn workload(&mut self) -> Option<usize> {
        let with_pods: Vec<usize> =
            (0..self.known.len()).filter(|&at| !self.known[at].containers().is_empty()).collect();
        if with_pods.is_empty() || self.seed.one_in(8) {
            return self.known();
        }
        Some(self.seed.choose(&with_pods))
    }

    fn add(&mut self, fields: &mut Vec<(String, Value)>, in_component: bool) {
        let mut put = |name: &str, value: Value| fields.push((name.to_owned(), value));
        match self.seed.below(if in_component { 20 } else { 31 }) {
            0 => put("namePrefix", json!(format!("{}-", self.word()))),
            1 => put("nameSuffix", json!(format!("-{}", self.word()))),
            2 => put("namespace", json!(self.word())),
            3 => {
                let mut label = json!({"pairs": self.labels()});
                for switch in ["includeSelectors", "includeTemplates"] {
                    if self.seed.one_in(3) {
                        label[switch] = json!(!self.seed.one_in(4));
                    }
                }
                if self.seed.one_in(5) {
                    label["fields"] =
                        json!([{"path": "spec/x/labels", "create": true, "kind": "Deployment"}]);
                }
                put("labels", json!([label]));
            }
            4 => put("commonLabels", self.labels()),
            5 => put("commonAnnotations", self.annotations()),
            6 | 7 => {
                let images = self.images();
                put("images", images);
            }
            8 => {
                let scales = |known: &Known| known.value["spec"]["replicas"].is_number();
                let scaled: Vec<usize> =
                    (0..self.known.len()).filter(|&at| scales(&self.known[at])).collect();
                let at = if scaled.is_empty() || self.seed.one_in(9) {
                    self.known().filter(|_| self.seed.one_in(4))
                } else {
                    Some(self.seed.choose(&scaled))
                };
                if let Some(at) = at {
                    let name = self.known[at].name.clone();
                    put("replicas", json!([{"name": name, "count": self.seed.below(5)}]));
                }
            }
            9..=11 => {
                if let Some(patch) = self.strategic(in_component) {
                    put("patches", json!([patch]));
                }
            }
            12 | 13 => {
                if let Some(patch) = self.json_patch() {
                    put("patches", json!([patch]));
                }
            }
            14 | 15 => {
                let (name, value) = self.generator();
                put(name, json!([value]));
            }
            16 | 17 => {
                if let Some(replacement) = self.replacement() {
                    put("replacements", json!([replacement]));
                }
            }
            18 => {
                if let Some(patch) = self.whole_strategic() {
                    let text = yaml(&patch);
                    if self.seed.one_in(2) {
                        put("patchesStrategicMerge", json!([text]));
                    } else {
                        let file = self.file("strategic", &text);
                        put("patchesStrategicMerge", json!([file]));
                    }
                }
            }
            19 => {
                if let Some(mut patch) = self.json_patch() {
                    if let Some(at) = self.known() {
                        patch["target"] = self.exact_target(at);
                    }
                    put("patchesJson6902", json!([patch]));
                }
            }
            20 => {
                let order = self.seed.choose(&["fifo", "legacy", "legacy"]);
                let mut options = json!({"order": order});
                if order == "legacy" && self.seed.one_in(2) {
                    options["legacySortOptions"] = json!({"orderFirst": ["Deployment", "Namespace"], "orderLast": ["ConfigMap"]});
                }
                put("sortOptions", options);
            }
            21 => {
                let all = ["managedByLabel", "originAnnotations", "transformerAnnotations"];
                let wanted: Vec<&str> = all.into_iter().filter(|_| self.seed.one_in(2)).collect();
                put("buildMetadata", json!(wanted));
            }
            22 | 23 => {
                let directory = format!("component{}", self.serial());
                let mut inner = Vec::new();
                for _ in 0..1 + self.seed.below(2) {
                    self.add(&mut inner, true);
                }
                let mut component = Map::new();
                component
                    .insert("apiVersion".to_owned(), json!("kustomize.config.k8s.io/v1alpha1"));
                component.insert("kind".to_owned(), json!("Component"));
                component.extend(inner);
                self.files.insert(
                    format!("{directory}/kustomization.yaml"),
                    yaml(&Value::Object(component)),
                );
                // A file of the inside must lie inside.
                let mine: Vec<(String, String)> = self.files.clone().into_iter().collect();
                for (path, text) in mine {
                    if !path.contains('/') {
                        self.files.insert(format!("{directory}/{path}"), text);
                    }
                }
                put("components", json!([directory]));
            }
            24 if self.seed.one_in(2) => {
                let text = match self.seed.below(5) {
                    0 => {
                        "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: ext-\nfieldSpecs: [{path: metadata/name}]\n"
                    }
                    1 => {
                        "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {ext: \"yes\"}\nfieldSpecs: [{path: metadata/labels, create: true}, {path: spec/template/metadata/labels, create: true, kind: Deployment}]\n"
                    }
                    2 => {
                        "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: n, namespace: ext-space}\nunsetOnly: true\nsetRoleBindingSubjects: allServiceAccounts\nfieldSpecs: [{path: metadata/name, kind: Namespace, create: true}]\n"
                    }
                    3 => {
                        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: a}\nannotations: {ext: \"1\"}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n"
                    }
                    _ => {
                        "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npatch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations/ext\", \"value\": \"x\"}]'\ntarget: {kind: \".*\"}\n"
                    }
                };
                if self.seed.one_in(2) {
                    put("transformers", json!([text]));
                } else {
                    let file = self.file("transformer", text);
                    put("transformers", json!([file]));
                }
            }
            24 if self.seed.one_in(2) => {
                let text = "nameReference:\n- kind: ConfigMap\n  fieldSpecs: [{path: spec/x/name, kind: Deployment}]\ncommonLabels: [{path: spec/y/labels, create: true, kind: Service}]\nnamePrefix: [{path: spec/z, kind: Service}]\nvarReference: [{path: metadata/annotations}]\n";
                let file = self.file("configuration", text);
                put("configurations", json!([file]));
            }
            24 => put(
                "generatorOptions",
                json!({
                    "disableNameSuffixHash": self.seed.one_in(2),
                    "labels": self.labels(),
                    "annotations": self.annotations(),
                    "immutable": self.seed.one_in(3),
                }),
            ),
            26 => {
                let file = self.file("definitions", &yaml(&definitions()));
                put("crds", json!([file]));
            }
            27 => {
                let file = self.file("schema", &yaml(&schema()));
                put("openapi", json!({"path": file}));
            }
            28 | 29 => {
                if let Some((list, plugin)) = self.plugin() {
                    let text = yaml(&plugin);
                    let entry = if self.seed.one_in(2) { text } else { self.file("plugin", &text) };
                    put(list, json!([entry]));
                }
            }
            _ => {
                if let Some(at) = self.known() {
                    let known = &self.known[at];
                    let (group, version) = known.group_and_version();
                    let api_version = if group.is_empty() {
                        version.to_owned()
                    } else {
                        known.api_version.clone()
                    };
                    let mut object =
                        json!({"kind": known.kind, "name": known.name, "apiVersion": api_version});
                    if let Some(namespace) = &known.namespace {
                        object["namespace"] = json!(namespace);
                    }
                    let mut path =
                        self.seed.choose(&["metadata.name", "metadata.namespace", "spec.replicas"]);
                    let pointer = format!("/{}", path.replace('.', "/"));
                    if known.value.pointer(&pointer).is_none() && !self.seed.one_in(8) {
                        path = "metadata.name";
                    }
                    put(
                        "vars",
                        json!([{"name": "MY_VAR", "objref": object, "fieldref": {"fieldPath": path}}]),
                    );
                    if let Some(patch) = self.var_user() {
                        fields.push(("patches".to_owned(), json!([patch])));
                    }
                }
            }
        }
    }

    fn file(&mut self, stem: &str, text: &str) -> String {
        let name = format!("{stem}{}.yaml", self.serial());
        self.files.insert(name.clone(), text.to_owned());
        name
    }

    fn labels(&mut self) -> Value {
        let mut labels = Map::new();
        for _ in 0..1 + self.seed.below(2) {
            let key =
                self.seed.choose(&["app", "team", "example.com/tier", "app.kubernetes.io/name"]);
            labels.insert(key.to_owned(), json!(self.seed.choose(&["blue", "true", "1", "x"])));
        }
        Value::Object(labels)
    }

    fn annotations(&mut self) -> Value {
        let mut annotations = Map::new();
        for _ in 0..1 + self.seed.below(2) {
            let key =
                self.seed.choose(&["note", "example.com/a", "config.kubernetes.io/local-config"]);
            if key.starts_with("config") && !self.seed.one_in(6) {
                continue;
            }
            annotations.insert(key.to_owned(), json!(self.text()));
        }
        if annotations.is_empty() {
            annotations.insert("note".to_owned(), json!(self.text()));
        }
        Value::Object(annotations)
    }

    fn images(&mut self) -> Value {
        let mut found: Vec<String> = Vec::new();
        for known in &self.known {
            let images = known.containers().into_iter().filter_map(|one| one["image"].as_str());
            found.extend(images.map(|image| {
                let image = image.split('@').next().unwrap_or(image);
                match image.rfind(':') {
                    Some(at) if !image[at..].contains('/') => image[..at].to_owned(),
                    _ => image.to_owned(),
                }
            }));
        }
        found.push("nginx".to_owned());
        let mut images = Vec::new();
        for _ in 0..1 + self.seed.below(2) {
            let mut image = json!({"name": self.seed.pick(&found)});
            match self.seed.below(6) {
                0 => image["newTag"] = json!("v9"),
                1 => image["newName"] = json!("example.com/mirror/one"),
                2 => {
                    image["digest"] = json!(
                        "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3"
                    )
                }
                3 => image["tagSuffix"] = json!("-dev"),
                4 => {
                    image["newName"] = json!("other:5000/x");
                    image["newTag"] = json!("1");
                }
                _ => {
                    image["newTag"] = json!("");
                    image["newName"] = json!("renamed");
                }
            }
            images.push(image);
        }
        json!(images)
    }

    fn exact_target(&mut self, at: usize) -> Value {
        let known = &self.known[at];
        let (group, version) = known.group_and_version();
        let mut target = json!({"kind": known.kind, "name": known.name, "version": version});
        if !group.is_empty() {
            target["group"] = json!(group);
        }
        if self.seed.one_in(3)
            && let Some(namespace) = &self.known[at].namespace
        {
            target["namespace"] = json!(namespace);
        }
        target
    }

    fn target(&mut self, at: usize) -> Value {
        let kind = self.known[at].kind.clone();
        let name = self.known[at].name.clone();
        match self.seed.below(8) {
            0 => self.exact_target(at),
            1 => json!({"kind": kind}),
            2 => json!({"kind": "Deploy.*|Stateful.*"}),
            3 => json!({"name": format!("{}.*", name.split('-').next().unwrap_or("x"))}),
            4 => json!({"kind": kind, "name": name}),
            5 => json!({"kind": kind, "labelSelector": self.label_selector(at)}),
            6 => json!({"group": "apps", "version": "v1"}),
            _ => json!({"kind": kind, "annotationSelector": "!note"}),
        }
    }

    fn label_selector(&mut self, at: usize) -> String {
        let labels = self.known[at].value["metadata"]["labels"].as_object();
        let first = labels.and_then(|labels| labels.iter().next());
        let (key, value) = match first {
            Some((key, value)) => (key.clone(), value.as_str().unwrap_or("x").to_owned()),
            None => ("app".to_owned(), "x".to_owned()),
        };
        match self.seed.below(5) {
            0 => format!("{key}={value}"),
            1 => format!("{key} in ({value}, other)"),
            2 => format!("!{key}"),
            3 => format!("{key}!={value}"),
            _ => key,
        }
    }

    fn identity(&self, at: usize) -> Value {
        let known = &self.known[at];
        let mut metadata = json!({"name": known.name});
        if let Some(namespace) = &known.namespace {
            metadata["namespace"] = json!(namespace);
        }
        json!({"apiVersion": known.api_version, "kind": known.kind, "metadata": metadata})
    }

    /// What a patch changes in an object.
    fn content(&mut self, at: usize) -> Value {
        let mut patch = self.identity(at);
        for _ in 0..1 + self.seed.below(2) {
            match self.seed.below(8) {
                0 => patch["metadata"]["labels"] = self.labels(),
                1 => patch["metadata"]["annotations"] = self.annotations(),
                2 => patch["metadata"]["annotations"] = json!({"note": null, "more": "x"}),
                3 => patch["metadata"]["labels"] = json!({"app": null}),
                4 if self.seed.one_in(4) => patch["$patch"] = json!("delete"),
                5 if self.known[at].kind == "ConfigMap" => {
                    patch["data"] = json!({"added": self.text()})
                }
                6 if self.known[at].kind == "Service" => {
                    patch["spec"] = json!({"ports": [{"port": 80, "protocol": "TCP", "name": "added"}, {"port": 8080}]});
                }
                _ => {
                    let Some((path, spec)) = self.known[at].pod_spec() else {
                        patch["spec"] = json!({"added": [1, {"a": null}], "paused": true});
                        continue;
                    };
                    let (path, spec) = (path, spec.clone());
                    let changed = self.pod_change(&spec);
                    let mut here = &mut patch;
                    for part in path.split('/').skip(1) {
                        here = &mut here[part];
                    }
                    *here = changed;
                }
            }
        }
        patch
    }

    fn pod_change(&mut self, spec: &Value) -> Value {
        let name = spec["containers"].as_array().and_then(|all| {
            let one = (!all.is_empty()).then(|| self.seed.pick(all))?;
            Some(one["name"].as_str().unwrap_or("main").to_owned())
        });
        let name = name.unwrap_or_else(|| "main".to_owned());
        match self.seed.below(9) {
            0 => {
                json!({"containers": [{"name": name, "env": [{"name": "ADDED", "value": self.text()}]}]})
            }
            1 => {
                json!({"containers": [{"name": "sidecar", "image": "busybox:1", "args": ["a", "1"]}]})
            }
            2 => json!({"containers": [{"name": name, "$patch": "delete"}]}),
            3 => {
                json!({"containers": [{"name": name, "ports": [{"containerPort": 8080, "protocol": "TCP"}, {"containerPort": 9, "name": "nine"}]}]})
            }
            4 => {
                json!({"volumes": [{"name": "added", "emptyDir": {}}], "tolerations": [{"key": "x", "operator": "Exists"}]})
            }
            5 => {
                json!({"volumes": [{"$patch": "replace"}, {"name": "only", "configMap": {"name": "c"}}]})
            }
            6 => {
                json!({"containers": [{"name": name, "resources": {"limits": {"cpu": "1", "memory": null}}, "args": ["only"], "command": null}]})
            }
            7 => {
                json!({"nodeSelector": {"a": "b"}, "affinity": null, "securityContext": {"$patch": "replace", "runAsUser": 1}})
            }
            _ => {
                json!({"serviceAccountName": "renamed", "initContainers": [{"name": "init", "image": "nginx"}], "hostNetwork": true})
            }
        }
    }

    fn whole_strategic(&mut self) -> Option<Value> {
        let at = self.workload()?;
        Some(self.content(at))
    }

    fn strategic(&mut self, in_component: bool) -> Option<Value> {
        let at = self.workload()?;
        let mut content = self.content(at);
        let mut entry = json!({});
        if self.seed.one_in(2) {
            entry["target"] = self.target(at);
            if self.seed.one_in(2) {
                content["metadata"]["name"] = json!("anything");
            }
        }
        if self.seed.one_in(6) {
            let switch = self.seed.choose(&["allowNameChange", "allowKindChange"]);
            entry["options"] = json!({switch: true});
            content["metadata"]["name"] = json!("changed-name");
            entry["target"] = self.exact_target(at);
        }
        let mut text = yaml(&content);
        if entry.get("target").is_none()
            && self.seed.one_in(4)
            && let Some(other) = self.workload()
        {
            text = format!("{text}---\n{}", yaml(&self.content(other)));
        }
        if self.seed.one_in(2) || in_component {
            entry["patch"] = json!(text);
        } else {
            entry["path"] = json!(self.file("patch", &text));
        }
        Some(entry)
    }

    fn json_patch(&mut self) -> Option<Value> {
        let at = self.workload()?;
        let mut operations = Vec::new();
        let pod = self.known[at].pod_spec().map_or("/spec", |(path, _)| path);
        for _ in 0..1 + self.seed.below(3) {
            operations.push(match self.seed.below(12) {
                0 => json!({"op": "add", "path": "/metadata/annotations/added", "value": self.text()}),
                1 => json!({"op": "add", "path": "/metadata/labels/added", "value": "x"}),
                2 => json!({"op": "replace", "path": "/metadata/labels", "value": {"only": "y"}}),
                3 => json!({"op": "add", "path": format!("{pod}/containers/-"), "value": {"name": "extra", "image": "nginx:1"}}),
                4 => json!({"op": "replace", "path": format!("{pod}/containers/0/image"), "value": "replaced:2"}),
                5 => json!({"op": "remove", "path": format!("{pod}/containers/0/resources")}),
                6 => json!({"op": "add", "path": "/spec/replicas", "value": 7}),
                7 => json!({"op": "add", "path": format!("{pod}/containers/0/args"), "value": ["x", 1, true, null]}),
                8 => json!({"op": "copy", "from": "/metadata/name", "path": "/metadata/annotations/copied"}),
                9 => json!({"op": "test", "path": "/kind", "value": self.known[at].kind}),
                10 => json!({"op": "add", "path": "/spec", "value": {"big": 12345678901234567u64, "f": 1e21, "d": "2020-01-02"}}),
                _ => json!({"op": "move", "from": "/metadata/labels", "path": "/metadata/annotations"}),
            });
        }
        // Most operations are on what is there.
        let is_there = |pointer: &Value| {
            let pointer = pointer.as_str().unwrap_or_default();
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            parent == "/metadata/annotations" || self.known[at].value.pointer(parent).is_some()
        };
        let exists = |pointer: &Value| {
            self.known[at].value.pointer(pointer.as_str().unwrap_or_default()).is_some()
        };
        let odd = self.seed.one_in(8);
        operations.retain(|operation| {
            odd || is_there(&operation["path"])
                && (operation["op"] != "remove" || exists(&operation["path"]))
                && (operation["op"] != "move" || exists(&operation["from"]))
        });
        if operations.is_empty() {
            operations.push(json!({"op": "add", "path": "/metadata/finalizers", "value": ["x"]}));
        }
        let operations = json!(operations);
        let text = if self.seed.one_in(2) { yaml(&operations) } else { operations.to_string() };
        let target = if self.seed.one_in(3) { self.target(at) } else { self.exact_target(at) };
        let mut entry = json!({"target": target});
        if self.seed.one_in(12) {
            entry = json!({});
        }
        if self.seed.one_in(2) {
            entry["patch"] = json!(text);
        } else {
            entry["path"] = json!(self.file("operations", &text));
        }
        Some(entry)
    }

    fn generator(&mut self) -> (&'static str, Value) {
        let secret = self.seed.one_in(3);
        let kind = if secret { "Secret" } else { "ConfigMap" };
        let same: Vec<String> = self
            .known
            .iter()
            .filter(|known| known.kind == kind)
            .map(|known| known.name.clone())
            .collect();
        let mut generator = json!({"name": "made"});
        if !same.is_empty() && self.seed.one_in(2) {
            let name = self.seed.pick(&same).clone();
            if let Some(namespace) = self
                .known
                .iter()
                .find(|one| one.kind == kind && one.name == name)
                .and_then(|one| one.namespace.clone())
            {
                generator["namespace"] = json!(namespace);
            }
            generator["name"] = json!(name);
            generator["behavior"] =
                json!(self.seed.choose(&["merge", "replace", "create", "merge"]));
        }
        if self.seed.one_in(2) {
            let literal = format!("key={}", self.text());
            generator["literals"] = json!([literal, "other='quoted'", "third=a=b"]);
        }
        if self.seed.one_in(3) {
            let text = "line 1\n  line 2\n\tüñí\n".to_owned();
            let name = format!("data{}.txt", self.serial());
            self.files.insert(name.clone(), text);
            generator["files"] = json!([format!("renamed={name}"), name]);
        }
        if self.seed.one_in(3) {
            let name = format!("vars{}.env", self.serial());
            self.files.insert(name.clone(), "# comment\nA=1\n\n  B=two words  \nC=\n".to_owned());
            generator["envs"] = json!([name]);
        }
        if self.seed.one_in(2) {
            let mut options = json!({});
            for switch in ["disableNameSuffixHash", "immutable"] {
                if self.seed.one_in(3) {
                    options[switch] = json!(true);
                }
            }
            if self.seed.one_in(2) {
                options["labels"] = self.labels();
            }
            if self.seed.one_in(2) {
                options["annotations"] = self.annotations();
            }
            generator["options"] = options;
        }
        if secret {
            if self.seed.one_in(3) {
                generator["type"] = json!("example.com/custom");
            }
            return ("secretGenerator", generator);
        }
        ("configMapGenerator", generator)
    }

    fn replacement(&mut self) -> Option<Value> {
        let (from, to) = (self.known()?, self.workload()?);
        let source = &self.known[from];
        let (source_kind, source_name) = (source.kind.clone(), source.name.clone());
        let mut replacement = json!({"source": {"kind": source_kind, "name": source_name}});
        if self.seed.one_in(3) {
            let paths = [
                "metadata.namespace",
                "kind",
                "metadata.labels.app",
                "spec.replicas",
                "metadata.labels",
            ];
            let mut path = self.seed.choose(&paths);
            let there = |path: &str| {
                self.known[from].value.pointer(&format!("/{}", path.replace('.', "/"))).is_some()
            };
            if !there(path) && !self.seed.one_in(8) {
                path = "kind";
            }
            replacement["source"]["fieldPath"] = json!(path);
        }
        if self.seed.one_in(4) {
            replacement["source"]["options"] =
                json!({"delimiter": "-", "index": self.seed.below(2)});
        }
        if self.seed.one_in(6) {
            replacement = json!({"sourceValue": self.text()});
        }
        let mut target =
            json!({"select": {"kind": self.known[to].kind, "name": self.known[to].name}});
        if self.seed.one_in(4) {
            target["select"] = json!({"kind": self.known[to].kind});
            if self.seed.one_in(2) {
                target["reject"] = json!([{"name": self.known[to].name}]);
            }
        }
        let pod = self.known[to]
            .pod_spec()
            .map_or("spec".to_owned(), |(path, _)| path[1..].replace('/', "."));
        let data =
            self.known[to].value["data"].as_object().and_then(|data| data.keys().next().cloned());
        let path = match self.seed.below(9) {
            0 => "metadata.annotations.replaced".to_owned(),
            1 => "metadata.labels.app".to_owned(),
            2 => format!("{pod}.containers.*.image"),
            3 => format!("{pod}.containers.[name=.*].env.[name=ADDED].value"),
            4 => format!("{pod}.containers.0.name"),
            5 => "metadata.annotations.[a.b/c]".to_owned(),
            6 => "spec.replicas".to_owned(),
            7 if data.is_some() => format!("data.{}", data.unwrap_or_default().replace('.', "\\.")),
            _ => "metadata.name".to_owned(),
        };
        target["fieldPaths"] = json!([path]);
        let mut options = json!({});
        let pointer = format!("/{}", path.replace('.', "/"));
        if self.seed.one_in(2)
            || (self.known[to].value.pointer(&pointer).is_none() && !self.seed.one_in(6))
        {
            options["create"] = json!(true);
        }
        if self.seed.one_in(4) {
            options["delimiter"] = json!(self.seed.choose(&[":", "-", "/"]));
            options["index"] = json!(self.seed.below(4) as i64 - 1);
        }
        if options.as_object().is_some_and(|options| !options.is_empty()) {
            target["options"] = options;
        }
        replacement["targets"] = json!([target]);
        if self.seed.one_in(6) {
            let text = yaml(&replacement);
            return Some(json!({"path": self.file("replacement", &text)}));
        }
        Some(replacement)
    }

    /// A plugin's configuration, and the list that it belongs to.
    fn plugin(&mut self) -> Option<(&'static str, Value)> {
        let at = self.known()?;
        let (kind, name) = (self.known[at].kind.clone(), self.known[at].name.clone());
        let number = self.seed.below(9);
        let mut plugin = match self.seed.below(8) {
            0 => json!({"kind": "SuffixTransformer", "suffix": number,
                "fieldSpecs": [{"path": "metadata/name", "kind": kind}]}),
            1 => json!({"kind": "LabelTransformer", "labels": {"n": number, "f": 1.5, "t": true},
                "fieldSpecs": [{"path": "metadata/labels", "create": true}]}),
            2 => {
                json!({"kind": "ImageTagTransformer", "imageTag": {"name": "nginx", "newTag": 1.1},
                "fieldSpecs": [{"path": "spec/template/spec/containers/image"}]})
            }
            3 => {
                json!({"kind": "ReplicaCountTransformer", "replica": {"name": name, "count": number},
                "fieldSpecs": [{"path": "spec/replicas", "create": true, "kind": kind}]})
            }
            4 => json!({"kind": "ValueAddTransformer", "value": self.word(), "targets": [{
                "selector": {"kind": kind}, "fieldPath": "metadata/annotations/added",
                "filePathPosition": self.seed.below(3)}]}),
            5 => json!({"kind": "ReplacementTransformer", "replacements": [self.replacement()?]}),
            6 => json!({"kind": "PatchTransformer", "patch": yaml(&self.content(at)),
                "target": self.target(at)}),
            _ => json!({"kind": "ConfigMapGenerator", "literals": ["a=b"],
                "name": format!("made-by-plugin-{number}")}),
        };
        plugin["apiVersion"] = json!("builtin");
        plugin["metadata"] = json!({"name": format!("plugin-{}", self.serial())});
        let list = match plugin["kind"].as_str() {
            Some("ConfigMapGenerator") => "generators",
            _ if self.seed.one_in(10) => "validators",
            _ => "transformers",
        };
        Some((list, plugin))
    }

    fn var_user(&mut self) -> Option<Value> {
        let at = self.workload()?;
        let (path, spec) = self.known[at].pod_spec()?;
        let name = spec["containers"][0]["name"].as_str()?.to_owned();
        let args = json!(["$(MY_VAR)", "a $(MY_VAR) $$(b) $(NONE)"]);
        let mut patch = self.identity(at);
        let mut here = &mut patch;
        for part in path.split('/').skip(1) {
            here = &mut here[part];
        }
        *here = json!({"containers": [{"name": name, "args": args, "env": [{"name": "V", "value": "$(MY_VAR)"}]}]});
        Some(json!({"patch": yaml(&patch)}))
    }
}

/// What `crds` reads: definitions with hints.
fn definitions() -> Value {
    json!({
        "example.com/v1.Thing": {"Schema": {"properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": "k8s.io/ObjectMeta"},
            "spec": {"$ref": "example.com/v1.Spec"},
        }}},
        "example.com/v1.Spec": {"Schema": {"properties": {
            "secretRef": {
                "x-kubernetes-object-ref-api-version": "v1",
                "x-kubernetes-object-ref-kind": "Secret",
                "x-kubernetes-object-ref-name-key": "name",
            },
            "selector": {"x-kubernetes-label-selector": ""},
            "note": {"x-kubernetes-annotation": ""},
        }}},
    })
}

/// A schema in which Deployments' containers have another merge key.
fn schema() -> Value {
    json!({"definitions": {"example.Deployment": {
        "properties": {"spec": {"properties": {"template": {"properties": {"spec": {"properties": {
            "containers": {
                "type": "array",
                "items": {"type": "object"},
                "x-kubernetes-patch-merge-key": "image",
                "x-kubernetes-patch-strategy": "merge",
            },
        }}}}}}},
        "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}],
    }}})
}

fn yaml(value: &Value) -> String {
    goyaml::to_yaml(value).expect("what was made can be printed")
}
