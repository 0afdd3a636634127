//! Random sequences of applies and updates, compared with upstream after every step.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use merge::fields::FieldSet;
use merge::managed::{
    ApplyError, ApplyOptions, Context, Filter, UpdateOptions, Versions, apply, format_seconds,
    owners, predict, update,
};
use merge::schema::{ListKind, Schema, Type, TypeId};
use serde_json::{Map, Value, json};

use crate::openapi::{self, Types};
use crate::oracle::Oracle;
use crate::random::{Maker, Random};

/// One kind, in the schema that the oracle reads from a file.
struct Kind {
    file: String,
    types: Types,
    /// The versions that are served, the first being the endpoint's most of the time.
    api_versions: Vec<String>,
    kind: String,
    zero: Value,
    renames: bool,
}

struct Served<'k>(&'k Kind);

impl Versions for Served<'_> {
    fn type_of(&self, api_version: &str) -> Option<TypeId> {
        if !self.0.api_versions.iter().any(|version| version == api_version) {
            return None;
        }
        self.0.types.kinds.get(&format!("{api_version}/{}", self.0.kind)).copied()
    }

    fn convert(&self, object: &Value, to: &str) -> Result<Value, String> {
        let mut out = object.clone();
        let from = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if self.0.renames
            && let Some(spec) = out.get_mut("spec").and_then(Value::as_object_mut)
        {
            let (old, new) = match (from.ends_with("v1"), to.ends_with("v1")) {
                (true, false) => ("old", "new"),
                (false, true) => ("new", "old"),
                _ => ("", ""),
            };
            if let Some(value) = spec.remove(old) {
                spec.insert(new.to_owned(), value);
            }
        }
        out["apiVersion"] = to.into();
        Ok(out)
    }
}

pub fn definitions(path: &str) -> Result<Map<String, Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read `{path}`"))?;
    let document: Value = serde_json::from_str(&text)?;
    document["components"]["schemas"].as_object().cloned().context("no schemas")
}

fn kinds(openapi_dir: &str, scratch: &str) -> Result<Vec<Kind>> {
    let mut out = Vec::new();
    for (file, api_version, kind, zero) in [
        (
            "apis__apps__v1_openapi.json",
            "apps/v1",
            "Deployment",
            json!({"metadata": {}, "spec": {"selector": null, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": null}}}, "status": {}}),
        ),
        (
            "apis__apps__v1_openapi.json",
            "apps/v1",
            "StatefulSet",
            json!({"metadata": {}, "spec": {}, "status": {}}),
        ),
        ("apis__batch__v1_openapi.json", "batch/v1", "CronJob", json!({"metadata": {}})),
        (
            "apis__networking.k8s.io__v1_openapi.json",
            "networking.k8s.io/v1",
            "Ingress",
            json!({"metadata": {}}),
        ),
        (
            "apis__rbac.authorization.k8s.io__v1_openapi.json",
            "rbac.authorization.k8s.io/v1",
            "Role",
            json!({"metadata": {}, "rules": null}),
        ),
        (
            "api__v1_openapi.json",
            "v1",
            "Service",
            json!({"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}}),
        ),
        ("api__v1_openapi.json", "v1", "ConfigMap", json!({"metadata": {}})),
        (
            "api__v1_openapi.json",
            "v1",
            "Pod",
            json!({"metadata": {}, "spec": {"containers": null}, "status": {}}),
        ),
        (
            "api__v1_openapi.json",
            "v1",
            "PersistentVolume",
            json!({"metadata": {}, "spec": {}, "status": {}}),
        ),
    ] {
        let file = format!("{openapi_dir}/{file}");
        let types = openapi::read(&definitions(&file)?);
        let api_versions = vec![api_version.to_owned()];
        out.push(Kind { file, types, api_versions, kind: kind.to_owned(), zero, renames: false });
    }

    let core = definitions(&format!("{openapi_dir}/api__v1_openapi.json"))?;
    let things = thing_definitions(core)?;
    for (name, change) in [("plain", no_change as fn(&mut Value)), ("atomic", make_atomic)] {
        let mut definitions = things.clone();
        for name in ["com.example.v1.Thing", "com.example.v2.Thing"] {
            change(&mut definitions[name]["properties"]["spec"]);
        }
        let file = format!("{scratch}/{name}.json");
        let document = json!({"components": {"schemas": &definitions}});
        fs::write(&file, serde_json::to_vec(&document)?)?;
        let api_versions = vec!["example.com/v1".to_owned(), "example.com/v2".to_owned()];
        let types = openapi::read(&definitions);
        let zero = json!({});
        out.push(Kind { file, types, api_versions, kind: "Thing".to_owned(), zero, renames: true });
    }
    Ok(out)
}

fn no_change(_: &mut Value) {}

fn make_atomic(spec: &mut Value) {
    spec["properties"]["switching"]["x-kubernetes-map-type"] = "atomic".into();
    spec["properties"]["switchingList"]["x-kubernetes-list-type"] = "atomic".into();
    spec["properties"]["map"]["x-kubernetes-map-type"] = "atomic".into();
    spec["properties"]["set"]["x-kubernetes-list-type"] = "atomic".into();
    if let Some(list) = spec["properties"]["switchingList"].as_object_mut() {
        list.remove("x-kubernetes-list-map-keys");
    }
}

/// The self-written kind in two versions, beside the object metadata that it refers to.
fn thing_definitions(core: Map<String, Value>) -> Result<Map<String, Value>> {
    let mut out: Map<String, Value> =
        core.into_iter().filter(|(name, _)| name.contains("apimachinery")).collect();
    for definition in out.values_mut() {
        if let Some(definition) = definition.as_object_mut() {
            definition.remove("x-kubernetes-group-version-kind");
        }
    }
    let things: Map<String, Value> =
        serde_json::from_str(include_str!("../../../engine/merge/tests/data/thing.json"))?;
    let v1 = things["com.example.v1.Thing"].clone();
    let mut v2 = v1.clone();
    v2["x-kubernetes-group-version-kind"][0]["version"] = "v2".into();
    if let Some(properties) = v2["properties"]["spec"]["properties"].as_object_mut()
        && let Some(old) = properties.remove("old")
    {
        properties.insert("new".to_owned(), old);
    }
    out.insert("com.example.v1.Thing".to_owned(), v1);
    out.insert("com.example.v2.Thing".to_owned(), v2);
    Ok(out)
}

/// How many steps were compared, and how many differed.
#[derive(Default)]
pub struct Score {
    pub steps: usize,
    pub applied: usize,
    pub conflicts: usize,
    pub refused: usize,
    pub different: usize,
}

pub fn run(
    oracle: &mut Oracle,
    openapi_dir: &str,
    scratch: &str,
    seeds: std::ops::Range<u64>,
) -> Result<Score> {
    let kinds = kinds(openapi_dir, scratch)?;
    let mut score = Score::default();
    for seed in seeds {
        let mut random = Random::new(seed);
        let at = random.below(kinds.len() + 2).min(kinds.len() - 1);
        let mut sequence = Sequence {
            kinds: &kinds,
            at,
            live: None,
            configs: BTreeMap::new(),
            odd: random.one_in(2),
            step: 0,
        };
        for _ in 0..random.below(25) + 5 {
            if !sequence.step(&mut random, oracle, &mut score, seed)? {
                break;
            }
        }
        if score.different >= 5 {
            break;
        }
    }
    Ok(score)
}

struct Sequence<'k> {
    kinds: &'k [Kind],
    at: usize,
    live: Option<Value>,
    configs: BTreeMap<String, Value>,
    odd: bool,
    step: i64,
}

impl Sequence<'_> {
    /// Returns whether both agreed.
    fn step(
        &mut self,
        random: &mut Random,
        oracle: &mut Oracle,
        score: &mut Score,
        seed: u64,
    ) -> Result<bool> {
        self.step += 1;
        if self.at >= self.kinds.len() - 2 && random.one_in(6) {
            self.at = self.kinds.len() - 1 - random.below(2);
        }
        let kind = &self.kinds[self.at];
        let api_version = random.pick(&kind.api_versions).clone();
        let api_version = if random.one_in(2) { kind.api_versions[0].clone() } else { api_version };
        let type_id = kind.types.kinds[&format!("{api_version}/{}", kind.kind)];
        let maker = Maker { schema: &kind.types.schema, odd: self.odd };
        let now = format_seconds(1_600_000_000 + self.step * 10);
        let subresource = if random.one_in(5) { "status" } else { "" };
        let reset: Vec<(&str, Vec<&str>)> = match random.below(4) {
            0 => {
                kind.api_versions.iter().map(|version| (version.as_str(), vec!["status"])).collect()
            }
            1 => kind
                .api_versions
                .iter()
                .map(|version| (version.as_str(), vec!["spec", "metadata.labels"]))
                .collect(),
            _ => vec![],
        };
        let context_versions = Served(kind);
        let mut zero = kind.zero.clone();
        zero["apiVersion"] = api_version.as_str().into();
        zero["kind"] = kind.kind.as_str().into();
        let context =
            Context { schema: &kind.types.schema, versions: &context_versions, zero: &zero };
        let filters: Vec<(&str, Filter)> =
            reset.iter().map(|(version, paths)| (*version, Filter::exclude(paths))).collect();
        let reset_json: Map<String, Value> = reset
            .iter()
            .map(|(version, paths)| ((*version).to_owned(), FieldSet::of_names(paths).to_v1()))
            .collect();

        let live = match &self.live {
            Some(live) if live["apiVersion"] != api_version.as_str() => {
                Some(context_versions.convert(live, &api_version).map_err(anyhow::Error::msg)?)
            }
            live => live.clone(),
        };
        let is_apply = random.below(10) < 6;
        let (object, manager, force);
        if is_apply {
            let name = random.pick(&["one", "two", "three", "kubectl"]).to_string();
            let mut config = match self.configs.get(&name) {
                Some(config) if !random.one_in(6) => {
                    let mut config = if config["apiVersion"] == api_version.as_str() {
                        config.clone()
                    } else {
                        context_versions
                            .convert(config, &api_version)
                            .map_err(anyhow::Error::msg)?
                    };
                    if !random.one_in(5) {
                        maker.mutate(random, type_id, &mut config, 6);
                    }
                    config
                }
                _ => match &live {
                    Some(live) if random.one_in(2) => {
                        let mut config = live.clone();
                        maker.mutate(random, type_id, &mut config, 6);
                        config
                    }
                    _ => maker.value(random, type_id, 6),
                },
            };
            identify(&mut config, &api_version, &kind.kind);
            if let Some(metadata) = config["metadata"].as_object_mut() {
                metadata.remove("managedFields");
                metadata.remove("uid");
                if random.one_in(100) {
                    metadata.insert("managedFields".to_owned(), json!([]));
                }
            }
            if random.one_in(60) {
                spoil(random, &kind.types.schema, type_id, &mut config);
            }
            (object, manager, force) = (config, name, random.one_in(2));
        } else {
            let mut next = live.clone().unwrap_or_else(|| maker.value(random, type_id, 6));
            let managed = next["metadata"].get("managedFields").cloned();
            if !random.one_in(8) {
                maker.mutate(random, type_id, &mut next, 6);
            }
            identify(&mut next, &api_version, &kind.kind);
            if let Some(metadata) = next["metadata"].as_object_mut() {
                metadata.remove("managedFields");
                let sent = match random.below(20) {
                    0 => Some(json!([])),
                    1 => Some(json!([{}])),
                    2 => None,
                    3 => Some(
                        json!([{"manager": "x", "operation": "Wrong", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}]),
                    ),
                    4 => managed.map(|mut managed| {
                        managed.as_array_mut().map(Vec::pop);
                        managed
                    }),
                    _ => managed,
                };
                if let Some(sent) = sent {
                    metadata.insert("managedFields".to_owned(), sent);
                }
                if live.is_some() {
                    metadata.insert("uid".to_owned(), "u".into());
                }
                if random.one_in(6) {
                    let name = "kubectl.kubernetes.io/last-applied-configuration";
                    let mut applied = maker.value(random, type_id, 5);
                    identify(&mut applied, &api_version, &kind.kind);
                    if let Some(live) = &live
                        && random.one_in(2)
                    {
                        applied = live.clone();
                        applied["metadata"]
                            .as_object_mut()
                            .map(|metadata| metadata.remove("managedFields"));
                    }
                    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
                    if annotations.is_object() {
                        annotations[name] = applied.to_string().into();
                    }
                }
            }
            let name = match random.below(4) {
                0 => format!("updater-{}", random.below(20)),
                _ => random.pick(&["one", "kubectl", "controller", ""]).to_string(),
            };
            (object, manager, force) = (next, name, false);
        }

        let mut request = json!({
            "op": if is_apply { "apply" } else { "update" },
            "schemas": kind.file, "object": object, "manager": manager, "force": force,
            "subresource": subresource, "apiVersion": api_version, "kind": kind.kind, "now": now,
            "reset": reset_json, "renames": kind.renames, "zero": kind.zero,
        });
        if let Some(live) = &live {
            request["live"] = live.clone();
        }
        let theirs = oracle.ask(&request)?;
        score.steps += 1;

        if let Some(live) = &live
            && is_apply
            && manager != "kubectl"
        {
            check_prediction(
                live,
                &object,
                (&api_version, &kind.kind, &manager, &filters),
                &context,
            )
            .map_err(|error| anyhow::anyhow!("seed {seed} step {}: {error}", self.step))?;
        }
        let ours = if is_apply {
            let options = ApplyOptions {
                manager: &manager,
                force,
                subresource,
                api_version: &api_version,
                kind: &kind.kind,
                now: &now,
                reset: &filters,
            };
            match apply(live.as_ref(), &object, &options, &context) {
                Ok(applied) => answer(applied.object),
                Err(ApplyError::Conflicts(conflicts)) => {
                    let causes: Vec<_> =
                        conflicts.0.iter().map(|c| json!([c.message(), c.field()])).collect();
                    json!({"error": conflicts.to_string(), "code": 409, "causes": causes})
                }
                Err(ApplyError::BadRequest(reason)) => {
                    json!({"error": reason, "code": 400, "causes": []})
                }
                Err(ApplyError::Failed(reason)) => json!({"error": reason, "code": 500}),
            }
        } else {
            let options = UpdateOptions {
                manager: &manager,
                subresource,
                api_version: &api_version,
                now: &now,
                reset: &filters,
            };
            answer(update(live.as_ref(), &object, &options, &context))
        };
        match theirs.get("code").and_then(Value::as_i64) {
            None => score.applied += 1,
            Some(409) => score.conflicts += 1,
            Some(_) => score.refused += 1,
        }
        if comparable(&theirs) != comparable(&ours) {
            // Which error comes first is random upstream where there are several.
            let several = |answer: &Value| answer["code"] == 500;
            if !(several(&theirs) && several(&ours)) {
                score.different += 1;
                println!(
                    "seed {seed} step {}\nrequest {request}\ntheirs {theirs}\nours   {ours}\n",
                    self.step
                );
                return Ok(false);
            }
        }
        if let Some(mut object) = theirs.get("object").cloned() {
            if is_apply {
                self.configs.insert(manager, request["object"].clone());
            }
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.insert("uid".to_owned(), "u".into());
            }
            self.live = Some(object);
        }
        Ok(true)
    }
}

/// A prediction is what a forced apply makes, whoever owns what.
fn check_prediction(
    live: &Value,
    object: &Value,
    (api_version, kind, manager, filters): (&str, &str, &str, &[(&str, Filter)]),
    context: &Context<'_>,
) -> Result<()> {
    let options = ApplyOptions {
        manager,
        force: true,
        subresource: "",
        api_version,
        kind,
        now: "2026-01-01T00:00:00Z",
        reset: filters,
    };
    let applied = apply(Some(live), object, &options, context);
    let (Ok(applied), Ok(predicted)) = (applied, predict(live, object, None, &options, context))
    else {
        return Ok(());
    };
    if applied.changed != predicted.is_some() {
        anyhow::bail!(
            "changed {}, predicted {predicted:?}\nlive {live}\npatch {object}",
            applied.changed
        );
    }
    if let Some(predicted) = predicted {
        let mut object = applied.object;
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        if object != predicted {
            anyhow::bail!("applied {object}\npredicted {predicted}");
        }
    }
    Ok(())
}

fn identify(object: &mut Value, api_version: &str, kind: &str) {
    if !object.is_object() {
        *object = json!({});
    }
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"]["name"] = "x".into();
    object["metadata"]["namespace"] = "ns".into();
}

/// Puts something into an object that its type does not allow.
fn spoil(random: &mut Random, schema: &Schema, id: TypeId, value: &mut Value) {
    match (schema.get(id), &mut *value) {
        (Type::Map(map), Value::Object(entries)) if !random.one_in(4) && !entries.is_empty() => {
            let names: Vec<_> = entries.keys().cloned().collect();
            let name = random.pick(&names).clone();
            if let Some(inside) = map.field(&name).map(|field| field.type_id).or(map.rest) {
                spoil(random, schema, inside, &mut entries[&name]);
            }
        }
        (Type::Map(_), Value::Object(entries)) => {
            entries.insert("undeclared".to_owned(), json!(1));
        }
        (Type::List(list), Value::Array(items)) if list.kind != ListKind::Atomic => {
            items.extend(items.first().cloned());
        }
        (_, value) => {
            *value = random
                .pick(&[
                    json!(true),
                    json!("t"),
                    json!(7),
                    json!([1]),
                    json!({"a": {"b": [1, "x"]}}),
                ])
                .clone()
        }
    }
}

fn answer(object: Value) -> Value {
    let texts: Vec<_> =
        owners(&object).unwrap_or_default().iter().map(|owned| owned.fields.to_json()).collect();
    json!({"object": object, "texts": texts})
}

fn comparable(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(causes) = answer.get_mut("causes").and_then(Value::as_array_mut) {
        causes.sort_by_key(Value::to_string);
    }
    answer
}
