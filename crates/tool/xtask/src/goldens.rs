//! `cargo xtask goldens SERVER RELEASE [KIND…]`: captures what a real API server answers.
//!
//! SERVER is an address without TLS at which an administrator is let in, as `kubectl proxy` offers
//! one; RELEASE names the folder (`v1.36`). The inputs stand in `tests/kube/inputs` (README there),
//! the answers go to `tests/kube/goldens/RELEASE/KIND.json.zst`:
//!
//! ```json
//! {"apiVersion": "…", "kind": "…", "release": "v1.36.3", "cases": [{"name": "…", "steps": [
//!   {"op": "create", "method": "POST", "path": "…", "type": "…", "body": {}, "status": 201,
//!    "warnings": [], "answer": {}}]}]}
//! ```
//!
//! Uids and resource versions are numbered (`<uid 1>`, `<rv 2>`), so that a replay can put its own
//! in their place; other times and addresses stand as the server gave them.

mod http;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use http::Server;

const INPUTS: &str = "tests/kube/inputs";
const GOLDENS: &str = "tests/kube/goldens";
const NAMESPACE: &str = "golden";

/// Runs the command.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let address = arguments.next().context("name the server: http://127.0.0.1:PORT")?;
    let release = arguments.next().context("name the release: v1.36")?;
    let only: Vec<String> = arguments.collect();
    let server = Server::at(&address)?;
    let version = server.send("GET", "/version", "", &Value::Null)?;
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    server.send("POST", "/api/v1/namespaces", JSON, &namespace)?;
    let folder = Path::new(GOLDENS).join(&release);
    fs::create_dir_all(&folder)?;
    let mut files: Vec<PathBuf> = fs::read_dir(INPUTS)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).context("a file name")?;
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let input = Input::read(&file)?;
        let resource = Resource::find(&server, &input.object)?;
        let mut cases = Vec::new();
        for (case, object) in &input.cases {
            let mut capture = Capture::new(&server);
            single(&mut capture, &resource, object)?;
            cases.push(json!({"name": case, "steps": capture.steps}));
        }
        for case in &input.stories {
            let object = &input.cases.iter().find(|(name, _)| name == case).context("a story")?.1;
            let mut capture = Capture::new(&server);
            story(&mut capture, &resource, object)?;
            cases.push(json!({"name": format!("story: {case}"), "steps": capture.steps}));
        }
        let count = cases.len();
        let golden = json!({
            "apiVersion": input.object["apiVersion"],
            "kind": input.object["kind"],
            "release": version.answer["gitVersion"],
            "cases": cases,
        });
        let packed = zstd::bulk::compress(golden.to_string().as_bytes(), 19)?;
        println!("{name}: {count} cases, {} bytes", packed.len());
        fs::write(folder.join(format!("{name}.json.zst")), packed)?;
    }
    Ok(())
}

const JSON: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const PATCH: &str = "application/json-patch+json";

/// One file of inputs, its patches applied.
struct Input {
    /// The base.
    object: Value,
    /// By name.
    cases: Vec<(String, Value)>,
    stories: Vec<String>,
}

impl Input {
    fn read(file: &Path) -> Result<Input> {
        let input = json_of(file)?;
        let mut object = input["base"].clone();
        object["apiVersion"] = input["apiVersion"].clone();
        object["kind"] = input["kind"].clone();
        let mut cases = Vec::new();
        let include = input["include"].as_object().context("include")?;
        for (shared, at) in include {
            let at = at.as_str().context("a pointer")?;
            let more = json_of(&Path::new(INPUTS).join(format!("shared/{shared}.json")))?;
            for (name, patch) in more["cases"].as_object().context("cases")? {
                let mut patch = patch.clone();
                for part in at.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
                    patch = json!({part: patch});
                }
                cases.push((format!("{shared}: {name}"), patched(&object, &patch)));
            }
        }
        for (name, patch) in input["cases"].as_object().context("cases")? {
            cases.push((name.clone(), patched(&object, patch)));
        }
        let stories = input["stories"].as_array().context("stories")?;
        let stories = stories
            .iter()
            .filter_map(Value::as_str)
            .map(|name| match name {
                "as it is" => "metadata: as it is".to_owned(),
                "ports" => "pod: ports".to_owned(),
                other => other.to_owned(),
            })
            .collect();
        Ok(Input { object, cases, stories })
    }
}

fn json_of(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
}

fn patched(object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    merge(&mut object, patch);
    real_nulls(&mut object);
    object
}

fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn real_nulls(value: &mut Value) {
    match value {
        Value::String(text) if text == "$null" => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(real_nulls),
        Value::Object(map) => map.values_mut().for_each(real_nulls),
        _ => {}
    }
}

/// Where the objects of a kind are.
struct Resource {
    collection: String,
}

impl Resource {
    fn find(server: &Server, object: &Value) -> Result<Resource> {
        let version = object["apiVersion"].as_str().context("apiVersion")?;
        let root = match version.contains('/') {
            true => format!("/apis/{version}"),
            false => format!("/api/{version}"),
        };
        let list = server.send("GET", &root, "", &Value::Null)?.answer;
        let found = list["resources"].as_array().context("resources")?.iter().find(|resource| {
            resource["kind"] == object["kind"]
                && resource["name"].as_str().is_some_and(|name| !name.contains('/'))
        });
        let Some(found) = found else { bail!("{} is not served", object["kind"]) };
        let name = found["name"].as_str().context("name")?;
        let collection = match found["namespaced"] == true {
            true => format!("{root}/namespaces/{NAMESPACE}/{name}"),
            false => format!("{root}/{name}"),
        };
        Ok(Resource { collection })
    }
}

/// The steps of a case, with what changes from run to run numbered.
struct Capture<'a> {
    server: &'a Server,
    steps: Vec<Value>,
    names: BTreeMap<String, String>,
}

impl<'a> Capture<'a> {
    fn new(server: &'a Server) -> Capture<'a> {
        Capture { server, steps: Vec::new(), names: BTreeMap::new() }
    }

    fn step(
        &mut self,
        op: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<Value> {
        let got = self.server.send(method, path, content_type, body)?;
        for (field, label) in [("uid", "uid"), ("resourceVersion", "rv")] {
            if let Some(text) = got.answer["metadata"][field].as_str()
                && !text.is_empty()
                && !self.names.contains_key(text)
                && !text.starts_with("0f3c9f2a")
            {
                let count =
                    self.names.values().filter(|n| n.starts_with(&format!("<{label}"))).count();
                self.names.insert(text.to_owned(), format!("<{label} {}>", count + 1));
            }
        }
        self.steps.push(json!({
            "op": op,
            "method": method,
            "path": path,
            "type": content_type,
            "body": self.numbered(body),
            "status": got.status,
            "warnings": got.warnings,
            "answer": self.numbered(&got.answer),
        }));
        Ok(got.answer)
    }

    fn numbered(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.names.get(text) {
                Some(name) => name.clone().into(),
                None => {
                    let uid = self.names.iter().find(|(text_of, name)| {
                        name.starts_with("<uid") && text.contains(text_of.as_str())
                    });
                    match uid {
                        Some((text_of, name)) => text.replace(text_of.as_str(), name).into(),
                        None => value.clone(),
                    }
                }
            },
            Value::Array(items) => items.iter().map(|item| self.numbered(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), self.numbered(value))).collect()
            }
            _ => value.clone(),
        }
    }
}

/// A create and an apply of a new object, both dry.
fn single(capture: &mut Capture, resource: &Resource, object: &Value) -> Result<()> {
    let collection = &resource.collection;
    let query = "dryRun=All&fieldManager=golden&fieldValidation";
    let answer =
        capture.step("create", "POST", &format!("{collection}?{query}=Strict"), JSON, object)?;
    let strict = answer["message"].as_str().is_some_and(|m| m.contains("strict decoding"));
    if strict {
        capture.step("create", "POST", &format!("{collection}?{query}=Warn"), JSON, object)?;
    }
    if let Some(name) = object["metadata"]["name"].as_str() {
        let name = name.replace(' ', "%20");
        let path = format!("{collection}/{name}?{query}=Strict");
        capture.step("apply", "PATCH", &path, APPLY, object)?;
    }
    Ok(())
}

/// The life of an object: created, written again, applied by two, patched, deleted.
fn story(capture: &mut Capture, resource: &Resource, object: &Value) -> Result<()> {
    let collection = &resource.collection;
    let name = object["metadata"]["name"].as_str().context("a story has a name")?;
    let path = |query: &str| format!("{collection}/{name}?{query}");
    let by = |manager: &str| format!("fieldManager={manager}");
    let created =
        capture.step("create", "POST", &format!("{collection}?{}", by("golden")), JSON, object)?;
    capture.step("get", "GET", &path(""), "", &Value::Null)?;
    capture.step("update: the same", "PUT", &path(&by("golden")), JSON, &created)?;
    let mut changed = created.clone();
    merge(&mut changed, &json!({"metadata": {"labels": {"changed": "yes"}}}));
    capture.step("update", "PUT", &path(&by("updater")), JSON, &changed)?;
    merge(&mut changed, &json!({"metadata": {"labels": {"changed": "again"}}}));
    capture.step("update: too late", "PUT", &path(&by("updater")), JSON, &changed)?;
    merge(&mut changed, &json!({"metadata": {"resourceVersion": null}}));
    capture.step("update: unconditional", "PUT", &path(&by("updater")), JSON, &changed)?;
    merge(&mut changed, &json!({"metadata": {"uid": "0f3c9f2a-0000-4000-8000-000000000bad"}}));
    capture.step("update: another uid", "PUT", &path(&by("updater")), JSON, &changed)?;

    let mut first = object.clone();
    merge(&mut first, &json!({"metadata": {"labels": {"shared": "a", "first": "1"}}}));
    capture.step("apply: one", "PATCH", &path(&by("one")), APPLY, &first)?;
    capture.step("apply: the same", "PATCH", &path(&by("one")), APPLY, &first)?;
    let second = json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {"name": name, "labels": {"shared": "b"}, "annotations": {"by": "two"}},
    });
    capture.step("apply: two", "PATCH", &path(&by("two")), APPLY, &second)?;
    let dry = format!("{}&force=true&dryRun=All", by("two"));
    capture.step("apply: two by force, dry", "PATCH", &path(&dry), APPLY, &second)?;
    let force = format!("{}&force=true", by("two"));
    capture.step("apply: two by force", "PATCH", &path(&force), APPLY, &second)?;
    merge(&mut first, &json!({"metadata": {"labels": {"shared": null, "first": null}}}));
    capture.step("apply: one lets go", "PATCH", &path(&by("one")), APPLY, &first)?;

    let merging = json!({"metadata": {"labels": {"changed": null, "merged": "x"}}});
    capture.step("merge patch", "PATCH", &path(&by("patcher")), MERGE, &merging)?;
    let strategic = json!({"metadata": {"annotations": {"strategic": "1", "by": null}}});
    capture.step("strategic patch", "PATCH", &path(&by("patcher")), STRATEGIC, &strategic)?;
    let operations = json!([
        {"op": "test", "path": "/metadata/name", "value": name},
        {"op": "add", "path": "/metadata/labels/json", "value": "patch"},
    ]);
    capture.step("json patch", "PATCH", &path(&by("patcher")), PATCH, &operations)?;
    let failing = json!([{"op": "test", "path": "/metadata/name", "value": "other"}]);
    capture.step("json patch: fails", "PATCH", &path(&by("patcher")), PATCH, &failing)?;
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions",
        "propagationPolicy": "Background", "gracePeriodSeconds": 0});
    capture.step("delete", "DELETE", &path(""), JSON, &options)?;
    Ok(())
}
