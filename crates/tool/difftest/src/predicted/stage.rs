//! The real server, and what was made in it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use manifest::{Gvk, gvk};
use merge::schema::{Schema, TypeId};
use serde_json::{Value, json};

use super::{MANAGER, Score};
use crate::live::Server;

/// How long a definition may take to be served.
const SERVED_TRIES: usize = 300;

/// A kind's shape in the server.
type Shape = (Arc<Schema>, TypeId);

pub struct Stage {
    server: Server,
    /// Plural, whether it has namespaces, and shape.
    custom: HashMap<Gvk, (String, bool, Option<Shape>)>,
    namespaces: BTreeSet<String>,
}

impl Stage {
    pub fn new(url: &str, token: &str) -> Result<Self> {
        let server = Server::new(url, token)?;
        Ok(Self { server, custom: HashMap::new(), namespaces: BTreeSet::new() })
    }

    /// Applies definitions, each name once, and waits until they are served. Returns those that
    /// were taken.
    pub fn define(&mut self, definitions: Vec<Value>, score: &mut Score) -> Result<Vec<Value>> {
        let mut names = BTreeSet::new();
        let mut made: Vec<Value> = Vec::new();
        for definition in definitions {
            if !names.insert(manifest::name(&definition).to_owned()) {
                continue;
            }
            match self.apply(&definition, false)? {
                Ok(_) => made.push(definition),
                Err(words) => {
                    score.refused += 1;
                    println!("{}: {words}", label(&definition));
                }
            }
        }
        for definition in &made {
            self.learn(definition)?;
        }
        Ok(made)
    }

    fn learn(&mut self, definition: &Value) -> Result<()> {
        let read = structural::parse(definition);
        for version in read.versions.iter().filter(|version| version.served) {
            let path = format!("/apis/{}/{}/{}", read.group, version.name, read.names.plural);
            let mut tries = 0;
            while self.server.ask("GET", &path, &json!({}), &Value::Null)?.code != 200 {
                tries += 1;
                if tries > SERVED_TRIES {
                    bail!("{path} is not served");
                }
                std::thread::park_timeout(Duration::from_millis(50));
            }
            let mut schema = Schema::default();
            let type_id = version.schema.to_merge(&mut schema, None);
            let kind = Gvk::new(&read.group, &version.name, &read.names.kind);
            let shape = Some((Arc::new(schema), type_id));
            self.custom.insert(kind, (read.names.plural.clone(), read.namespaced, shape));
        }
        Ok(())
    }

    /// Makes a namespace, and what every pod in it needs.
    pub fn namespace(&mut self, name: &str) -> Result<()> {
        if !self.namespaces.insert(name.to_owned()) {
            return Ok(());
        }
        let named =
            |kind: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        self.server.ask("POST", "/api/v1/namespaces", &json!({}), &named("Namespace"))?;
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        let path = format!("/api/v1/namespaces/{name}/serviceaccounts");
        self.server.ask("POST", &path, &json!({}), &account)?;
        Ok(())
    }

    /// Applies a chart's objects, into a namespace where they name none; answers those that the
    /// server took, as they were sent.
    pub fn apply_all(
        &mut self,
        objects: Vec<Value>,
        namespace: &str,
        score: &mut Score,
    ) -> Result<Vec<Value>> {
        let mut made: Vec<Value> = Vec::new();
        for mut object in objects {
            let Some((_, namespaced)) = self.resource(&gvk(&object)) else {
                score.refused += 1;
                continue;
            };
            if namespaced {
                let wanted = manifest::namespace(&object).to_owned();
                let namespace = match wanted.as_str() {
                    "" | "ns1" => namespace.to_owned(),
                    other => other.to_owned(),
                };
                self.namespace(&namespace)?;
                object["metadata"]["namespace"] = namespace.into();
            } else if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("namespace");
            }
            // One that comes twice is what the last one says.
            made.retain(|other| manifest::key_of(other) != manifest::key_of(&object));
            match self.apply(&object, false)? {
                Ok(_) => made.push(object),
                Err(words) => {
                    score.refused += 1;
                    if std::env::var_os("DIFFTEST_REFUSED").is_some() {
                        println!("{}: {words}", label(&object));
                    }
                }
            }
        }
        Ok(made)
    }

    /// Applies server-side, by force; the inner error is the server's words.
    pub fn apply(&self, object: &Value, dry: bool) -> Result<Result<Value, String>> {
        let dry = if dry { "&dryRun=All" } else { "" };
        let path = format!(
            "{}?fieldManager={MANAGER}&force=true&fieldValidation=Ignore{dry}",
            self.path(object)?
        );
        let headers = json!({"Content-Type": "application/apply-patch+yaml"});
        let answer = self.server.ask("PATCH", &path, &headers, object)?;
        Ok(match answer.code {
            200 | 201 => Ok(answer.body),
            _ => Err(answer.body["message"].as_str().unwrap_or_default().to_owned()),
        })
    }

    /// Writes an object by hand; tells whether that changed anything.
    pub fn put(&self, object: &Value, before: &Value) -> Result<bool> {
        // Custom kinds take no write that names no version.
        let Some(now) = self.get(before)? else { return Ok(false) };
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
        let path = format!("{}?fieldManager=kubectl-edit", self.path(before)?);
        let answer = self.server.ask("PUT", &path, &json!({}), &object)?;
        Ok(answer.code == 200
            && manifest::resource_version(&answer.body) != manifest::resource_version(&now))
    }

    /// Reads an object; `None` where it is not there.
    pub fn get(&self, object: &Value) -> Result<Option<Value>> {
        let answer = self.server.ask("GET", &self.path(object)?, &json!({}), &Value::Null)?;
        Ok((answer.code == 200).then_some(answer.body))
    }

    pub fn delete(&self, object: &Value) -> Result<()> {
        self.server.ask("DELETE", &self.path(object)?, &json!({}), &Value::Null)?;
        Ok(())
    }

    /// What the controller knows of an object's kind.
    pub fn shape(&self, object: &Value) -> Option<Shape> {
        let kind = gvk(object);
        let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
        match tables.type_of(&kind) {
            Some(id) => Some((tables.schema().clone(), id)),
            None => self.custom.get(&kind)?.2.clone(),
        }
    }

    fn resource(&self, kind: &Gvk) -> Option<(String, bool)> {
        match kubetypes::tables(kubetypes::LATEST_MINOR).resource_of(kind) {
            Some(resource) => Some((resource.plural.to_owned(), resource.namespaced)),
            None => self.custom.get(kind).map(|known| (known.0.clone(), known.1)),
        }
    }

    fn path(&self, object: &Value) -> Result<String> {
        let kind = gvk(object);
        let (plural, _) =
            self.resource(&kind).with_context(|| format!("{kind:?} is not served"))?;
        let root = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        let namespace = match manifest::namespace(object) {
            "" => String::new(),
            namespace => format!("/namespaces/{namespace}"),
        };
        Ok(format!("{root}{namespace}/{plural}/{}", manifest::name(object)))
    }
}

/// What an object is called, for people.
pub fn label(object: &Value) -> String {
    format!(
        "{}/{} {}/{}",
        manifest::api_version(object),
        manifest::kind(object),
        manifest::namespace(object),
        manifest::name(object)
    )
}

/// Whether two states of an object are the same, but for what each write brings along.
pub fn same(one: &Value, other: &Value) -> bool {
    bare(one) == bare(other)
}

/// Where they differ, a few places.
pub fn difference(wanted: &Value, live: &Value) -> String {
    let mut found = Vec::new();
    collect(&bare(wanted), &bare(live), String::new(), &mut found);
    found.truncate(4);
    found.join("; ")
}

fn bare(object: &Value) -> Value {
    let mut out = object.clone();
    if let Some(map) = out.as_object_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            for name in ["managedFields", "resourceVersion", "generation", "creationTimestamp"] {
                metadata.remove(name);
            }
        }
    }
    out
}

fn collect(wanted: &Value, live: &Value, path: String, found: &mut Vec<String>) {
    if wanted == live {
        return;
    }
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            let names: BTreeSet<&String> = wanted.keys().chain(live.keys()).collect();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned();
                collect(
                    &of(wanted).unwrap_or_default(),
                    &of(live).unwrap_or_default(),
                    format!("{path}.{name}"),
                    found,
                );
            }
        }
        (Value::Array(wanted), Value::Array(live)) if wanted.len() == live.len() => {
            for (at, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                collect(wanted, live, format!("{path}[{at}]"), found);
            }
        }
        (wanted, live) => {
            let cut = |value: &Value| value.to_string().chars().take(120).collect::<String>();
            found.push(format!("{path} desired {} live {}", cut(wanted), cut(live)));
        }
    }
}
