//! CustomResourceDefinitions: from the object to what is served.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use merge::schema::{Schema, TypeId};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::kinds::{Kind, Subresource, gvk, join};
use crate::ownership::Writer;
use crate::store::{Draft, Expect, TableId};
use crate::{meta, ownership};

/// Where definitions are kept.
pub const TABLE: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// The finalizer that removes a definition's objects before it goes.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// A definition whose names are accepted.
#[derive(Debug)]
pub struct Definition {
    /// What it says.
    pub parsed: structural::Definition,
    storage_version: String,
    /// How often its spec was written.
    pub generation: i64,
    /// The types of all versions, built when somebody asks: the schema, and the type by API version.
    shape: OnceLock<(Schema, Vec<(String, TypeId)>)>,
}

impl Definition {
    /// Reads a definition; `None` where its names are not accepted yet.
    pub fn served(object: &Value) -> Option<Definition> {
        condition_is_true(object, "Established").then(|| Definition::read(object))
    }

    /// Reads a definition as its object says.
    pub fn read(object: &Value) -> Definition {
        let parsed = structural::parse(object);
        let storage_version =
            parsed.storage().map(|version| version.name.clone()).unwrap_or_default();
        let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
        let generation = generation.unwrap_or(1);
        Definition { parsed, storage_version, generation, shape: OnceLock::new() }
    }

    /// Returns the paths of the fields that objects can be selected by at a version, without the
    /// leading dot.
    pub fn selectable(&self, version: &str) -> impl Iterator<Item = &str> {
        let version = self.version(version);
        version.into_iter().flat_map(|v| &v.selectable).map(|path| path.trim_start_matches('.'))
    }

    /// Returns a version.
    pub fn version(&self, name: &str) -> Option<&structural::Version> {
        self.parsed.version(name)
    }

    /// Returns the API versions that are served.
    pub fn api_versions(&self) -> impl Iterator<Item = String> + '_ {
        let served = self.parsed.versions.iter().filter(|version| version.served);
        served.map(|version| join(&self.parsed.group, &version.name))
    }

    /// Returns the API versions that are served, of which the status is written by itself.
    pub fn api_versions_with_status(&self) -> impl Iterator<Item = String> + '_ {
        let versions = self.parsed.versions.iter();
        let open = versions.filter(|version| version.served && version.has_status);
        open.map(|version| join(&self.parsed.group, &version.name))
    }

    /// Returns the schema in which the types of all versions stand.
    pub fn shape(&self) -> &Schema {
        &self.shapes().0
    }

    /// Returns the type at an API version that is served.
    pub fn type_of(&self, api_version: &str) -> Option<TypeId> {
        self.shapes().1.iter().find(|(at, _)| at == api_version).map(|(_, type_id)| *type_id)
    }

    fn shapes(&self) -> &(Schema, Vec<(String, TypeId)>) {
        self.shape.get_or_init(|| {
            let mut shape = Schema::default();
            let metadata = ownership::graft_metadata(&mut shape);
            let served = self.parsed.versions.iter().filter(|version| version.served);
            let types = served
                .map(|version| {
                    let type_id = version.schema.to_merge(&mut shape, metadata);
                    (join(&self.parsed.group, &version.name), type_id)
                })
                .collect();
            (shape, types)
        })
    }

    /// Returns where its objects are kept.
    pub fn table(&self) -> TableId {
        Arc::from(format!("{}/{}", self.parsed.group, self.parsed.names.plural))
    }

    /// Returns what it serves, a kind a version.
    pub fn kinds(self: &Arc<Definition>) -> impl Iterator<Item = Kind> + '_ {
        let names = &self.parsed.names;
        self.parsed.versions.iter().filter(|version| version.served).map(move |version| Kind {
            gvk: gvk(&self.parsed.group, &version.name, &names.kind),
            zero: OnceLock::new(),
            group: self.parsed.group.clone(),
            version: version.name.clone(),
            kind: names.kind.clone(),
            list_kind: names.list_kind.clone(),
            plural: names.plural.clone(),
            singular: names.singular.clone(),
            short_names: names.short_names.clone(),
            categories: names.categories.clone(),
            namespaced: self.parsed.namespaced,
            verbs: VERBS.iter().map(|verb| (*verb).to_owned()).collect(),
            subresources: self.subresources(version),
            table: self.table(),
            storage_version: join(&self.parsed.group, &self.storage_version),
            definition: Some(self.clone()),
        })
    }

    fn subresources(&self, version: &structural::Version) -> BTreeMap<String, Subresource> {
        let verbs: Vec<String> = ["get", "patch", "update"].map(str::to_owned).to_vec();
        let mut subresources = BTreeMap::new();
        if version.has_status {
            let parsed = &self.parsed;
            let response = (parsed.group.clone(), version.name.clone(), parsed.names.kind.clone());
            let status = Subresource { response, verbs: verbs.clone() };
            subresources.insert("status".to_owned(), status);
        }
        if version.scale.is_some() {
            let response = ("autoscaling".to_owned(), "v1".to_owned(), "Scale".to_owned());
            subresources.insert("scale".to_owned(), Subresource { response, verbs });
        }
        subresources
    }
}

/// The verbs of every custom resource, in the order in which discovery names them.
const VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// Returns the structural schema of a custom kind at its version; `None` for a built-in kind.
pub fn schema_of(kind: &Kind) -> Option<&structural::Schema> {
    let definition = kind.definition.as_ref()?;
    definition.version(&kind.version).map(|version| &version.schema)
}

/// Fills in what only the server says of a new definition.
pub fn prepare_create(object: &mut Value) {
    object["status"] = json!({
        "acceptedNames": {"kind": "", "plural": ""},
        "conditions": null,
        "storedVersions": [],
    });
    store_version(object);
}

/// The first version that is to be kept is noted as one that was.
pub fn store_version(object: &mut Value) {
    let storage = list(&object["spec"], "versions").find(|version| version["storage"] == true);
    let name = storage.map(|version| version["name"].clone());
    let (Some(name), Some(stored)) = (name, object["status"]["storedVersions"].as_array_mut())
    else {
        return;
    };
    if !stored.contains(&name) {
        stored.push(name);
    }
}

/// Brings a definition's status up to date: are its names free, is it served. Its objects go with it.
pub fn settle(cluster: &Arc<Cluster>, name: &str) {
    const ATTEMPTS_MAX: usize = 8;
    let table: TableId = Arc::from(TABLE);
    for _attempt in 0..ATTEMPTS_MAX {
        let Some(entry) = cluster.store.get(TABLE, name) else { break };
        let mut object = entry.value();
        meta::of(&mut object).remove("resourceVersion");
        let before = object.clone();
        accept_names(cluster, &mut object);
        note_stored_versions(&mut object);
        if object == before {
            break;
        }
        let kinds = cluster.kinds();
        if let Some(kind) = kinds.find("apiextensions.k8s.io", "v1", "customresourcedefinitions") {
            let now = cluster.now_text();
            let writer = Writer {
                manager: "kube-apiserver",
                subresource: "status",
                now: &now,
                dry_run: false,
            };
            object = ownership::update(kind, Some(&before), object, &writer);
        }
        let draft = Draft::new(&object);
        if cluster.store.commit(&table, name, Expect::Revision(entry.revision), draft).is_ok() {
            break;
        }
    }
    cluster.reload_definitions();
}

fn note_stored_versions(object: &mut Value) {
    let storage: Vec<Value> = list(&object["spec"], "versions")
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let status = &mut object["status"];
    let stored = status["storedVersions"].as_array_mut();
    match stored {
        Some(stored) => {
            for name in storage {
                if !stored.contains(&name) {
                    stored.push(name);
                }
            }
        }
        None => status["storedVersions"] = json!(storage),
    }
}

fn accept_names(cluster: &Cluster, object: &mut Value) {
    let now = cluster.now_text();
    let own = Definition::read(object);
    let kinds = cluster.kinds();
    let taken = |wanted: &str| {
        kinds
            .group(&own.parsed.group)
            .into_iter()
            .flat_map(|group| {
                group.versions.iter().flat_map(|version| kinds.at(&own.parsed.group, version))
            })
            .filter(|kind| kind.plural != own.parsed.names.plural)
            .find(|kind| {
                kind.plural == wanted
                    || kind.singular == wanted
                    || kind.short_names.iter().any(|short| short == wanted)
            })
            .map(|kind| kind.plural.clone())
    };
    let kind_taken = kinds
        .group(&own.parsed.group)
        .into_iter()
        .flat_map(|group| {
            group.versions.iter().flat_map(|version| kinds.at(&own.parsed.group, version))
        })
        .any(|kind| {
            kind.plural != own.parsed.names.plural
                && (kind.kind == own.parsed.names.kind || kind.list_kind == own.parsed.names.kind)
        });
    let resources = std::iter::once((own.parsed.names.plural.as_str(), "PluralConflict"))
        .chain(std::iter::once((own.parsed.names.singular.as_str(), "SingularConflict")))
        .chain(
            own.parsed.names.short_names.iter().map(|short| (short.as_str(), "ShortNamesConflict")),
        );
    let mut conflict = resources
        .filter(|(name, _)| taken(name).is_some())
        .map(|(name, reason)| (reason, format!("\"{name}\" is already in use")))
        .next();
    if kind_taken {
        conflict =
            Some(("KindConflict", format!("\"{}\" is already in use", own.parsed.names.kind)));
    }
    let accepted = match conflict {
        None => condition("NamesAccepted", "True", "NoConflicts", "no conflicts found", &now),
        Some((reason, message)) => condition("NamesAccepted", "False", reason, &message, &now),
    };
    let is_accepted = accepted["status"] == "True";
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    if is_accepted {
        object["status"]["acceptedNames"] = object["spec"]["names"].clone();
    } else if object["status"]["acceptedNames"].is_null() {
        object["status"]["acceptedNames"] = json!({"kind": "", "plural": ""});
    }
    let established = if is_accepted || condition_is_true(object, "Established") {
        condition(
            "Established",
            "True",
            "InitialNamesAccepted",
            "the initial names have been accepted",
            &now,
        )
    } else {
        condition("Established", "False", "NotAccepted", "not all names are accepted", &now)
    };
    set_condition(object, accepted);
    set_condition(object, established);
}

/// Sets a condition; its time stays where its status does.
pub fn set_condition(object: &mut Value, wanted: Value) {
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = object["status"]["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|condition| condition["type"] == wanted["type"]) {
        Some(condition) => {
            let mut wanted = wanted;
            if condition["status"] == wanted["status"] {
                wanted["lastTransitionTime"] = condition["lastTransitionTime"].clone();
            }
            if let Some(generation) = condition.get("observedGeneration") {
                wanted["observedGeneration"] = generation.clone();
            }
            *condition = wanted;
        }
        None => conditions.push(wanted),
    }
}

/// Returns a condition.
pub fn condition(kind: &str, status: &str, reason: &str, message: &str, now: &str) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": now,
    })
}

fn condition_is_true(object: &Value, kind: &str) -> bool {
    list(&object["status"], "conditions")
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
