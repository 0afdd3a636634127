//! CustomResourceDefinitions: from the object to what is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::kinds::{Kind, Subresource, join};
use crate::meta;
use crate::store::{Draft, Expect, TableId};

/// Where definitions are kept.
pub const TABLE: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// The finalizer that removes a definition's objects before it goes.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// A definition whose names are accepted.
#[derive(Debug)]
pub struct Definition {
    /// The API group.
    pub group: String,
    /// For example `Application`.
    pub kind: String,
    names: Names,
    namespaced: bool,
    storage_version: String,
    /// In the order of the object.
    pub versions: Vec<Version>,
}

#[derive(Debug)]
struct Names {
    list_kind: String,
    plural: String,
    singular: String,
    short: Vec<String>,
    categories: Vec<String>,
}

/// One version of a definition.
#[derive(Debug)]
pub struct Version {
    /// For example `v1alpha1`.
    pub name: String,
    /// Whether requests may name it.
    pub served: bool,
    /// `openAPIV3Schema`.
    pub schema: Value,
    /// `additionalPrinterColumns`.
    pub columns: Vec<Column>,
    /// The paths of `selectableFields`, without the leading dot.
    pub selectable: Vec<String>,
    /// `subresources.scale`.
    pub scale: Option<Scale>,
    status: bool,
}

/// A column of `kubectl get`.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// For example `date-time`.
    pub format: String,
    /// What the column tells.
    pub description: String,
    /// 0 is always shown.
    pub priority: i64,
    /// Where the value stands, for example `.status.phase`.
    pub path: String,
}

/// Where a scale's numbers stand.
#[derive(Clone, Debug)]
pub struct Scale {
    /// For example `.spec.replicas`.
    pub spec_replicas: String,
    /// For example `.status.replicas`.
    pub status_replicas: String,
    /// For example `.status.selector`.
    pub selector: Option<String>,
}

impl Definition {
    /// Reads a definition; `None` where its names are not accepted yet.
    pub fn served(object: &Value) -> Option<Definition> {
        condition_is_true(object, "Established").then(|| Definition::read(object))
    }

    /// Reads a definition as its object says.
    pub fn read(object: &Value) -> Definition {
        let spec = &object["spec"];
        let names = &spec["names"];
        let kind = text(names, "kind");
        let versions = spec["versions"].as_array();
        let storage = versions
            .into_iter()
            .flatten()
            .find(|version| version["storage"] == true)
            .map(|version| text(version, "name"))
            .unwrap_or_default();
        Definition {
            group: text(spec, "group"),
            names: Names {
                list_kind: or(text(names, "listKind"), || format!("{kind}List")),
                plural: text(names, "plural"),
                singular: or(text(names, "singular"), || kind.to_lowercase()),
                short: texts(names, "shortNames"),
                categories: texts(names, "categories"),
            },
            kind,
            namespaced: spec["scope"] == "Namespaced",
            storage_version: storage,
            versions: versions.into_iter().flatten().map(read_version).collect(),
        }
    }

    /// Returns the fields that objects can be selected by at a version.
    pub fn selectable(&self, version: &str) -> &[String] {
        self.version(version).map(|version| version.selectable.as_slice()).unwrap_or_default()
    }

    /// Returns a version.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// Returns where its objects are kept.
    pub fn table(&self) -> TableId {
        Arc::from(format!("{}/{}", self.group, self.names.plural))
    }

    /// Returns what it serves, a kind a version.
    pub fn kinds(self: &Arc<Definition>) -> impl Iterator<Item = Kind> + '_ {
        self.versions.iter().filter(|version| version.served).map(|version| Kind {
            group: self.group.clone(),
            version: version.name.clone(),
            kind: self.kind.clone(),
            list_kind: self.names.list_kind.clone(),
            plural: self.names.plural.clone(),
            singular: self.names.singular.clone(),
            short_names: self.names.short.clone(),
            categories: self.names.categories.clone(),
            namespaced: self.namespaced,
            verbs: VERBS.iter().map(|verb| (*verb).to_owned()).collect(),
            subresources: self.subresources(version),
            table: self.table(),
            storage_version: join(&self.group, &self.storage_version),
            definition: Some(self.clone()),
        })
    }

    fn subresources(&self, version: &Version) -> BTreeMap<String, Subresource> {
        let verbs: Vec<String> = ["get", "patch", "update"].map(str::to_owned).to_vec();
        let mut subresources = BTreeMap::new();
        if version.status {
            let response = (self.group.clone(), version.name.clone(), self.kind.clone());
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

fn read_version(version: &Value) -> Version {
    let scale = &version["subresources"]["scale"];
    Version {
        name: text(version, "name"),
        served: version["served"] == true,
        schema: version["schema"]["openAPIV3Schema"].clone(),
        columns: list(version, "additionalPrinterColumns").map(read_column).collect(),
        selectable: list(version, "selectableFields")
            .map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned())
            .collect(),
        scale: scale.is_object().then(|| Scale {
            spec_replicas: text(scale, "specReplicasPath"),
            status_replicas: text(scale, "statusReplicasPath"),
            selector: scale["labelSelectorPath"].as_str().map(str::to_owned),
        }),
        status: version["subresources"]["status"].is_object(),
    }
}

fn read_column(column: &Value) -> Column {
    Column {
        name: text(column, "name"),
        kind: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        priority: column["priority"].as_i64().unwrap_or(0),
        path: text(column, "jsonPath"),
    }
}

/// Fills in what a new definition leaves out, and what only the server says.
pub fn prepare_create(object: &mut Value) {
    let storage: Vec<Value> = list(&object["spec"], "versions")
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    object["status"] = json!({
        "acceptedNames": {"kind": "", "plural": ""},
        "conditions": null,
        "storedVersions": storage,
    });
}

/// Sets what a definition defaults.
pub fn set_defaults(object: &mut Value) {
    let spec = &mut object["spec"];
    if !spec.is_object() {
        return;
    }
    let names = &mut spec["names"];
    let kind = text(names, "kind");
    if text(names, "singular").is_empty() && !kind.is_empty() {
        names["singular"] = json!(kind.to_lowercase());
    }
    if text(names, "listKind").is_empty() && !kind.is_empty() {
        names["listKind"] = json!(format!("{kind}List"));
    }
    if spec.get("conversion").is_none_or(Value::is_null) {
        spec["conversion"] = json!({"strategy": "None"});
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
        if !meta::deleting(&object) {
            add_cleanup(&mut object);
        }
        if object == before {
            break;
        }
        let draft = Draft::new(&object);
        if cluster.store.commit(&table, name, Expect::Revision(entry.revision), draft).is_ok() {
            break;
        }
    }
    cluster.reload_definitions();
}

fn add_cleanup(object: &mut Value) {
    let mut finalizers = meta::texts(object, "finalizers");
    if !finalizers.iter().any(|name| name == CLEANUP) {
        finalizers.push(CLEANUP.to_owned());
        meta::of(object).insert("finalizers".to_owned(), json!(finalizers));
    }
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
            .group(&own.group)
            .into_iter()
            .flat_map(|group| group.versions.iter().flat_map(|version| kinds.at(&own.group, version)))
            .filter(|kind| kind.plural != own.names.plural)
            .find(|kind| {
                kind.plural == wanted
                    || kind.singular == wanted
                    || kind.short_names.iter().any(|short| short == wanted)
            })
            .map(|kind| kind.plural.clone())
    };
    let kind_taken = kinds
        .group(&own.group)
        .into_iter()
        .flat_map(|group| group.versions.iter().flat_map(|version| kinds.at(&own.group, version)))
        .any(|kind| kind.plural != own.names.plural && (kind.kind == own.kind || kind.list_kind == own.kind));
    let resources = std::iter::once((own.names.plural.as_str(), "PluralConflict"))
        .chain(std::iter::once((own.names.singular.as_str(), "SingularConflict")))
        .chain(own.names.short.iter().map(|short| (short.as_str(), "ShortNamesConflict")));
    let mut conflict = resources
        .filter(|(name, _)| taken(name).is_some())
        .map(|(name, reason)| (reason, format!("\"{name}\" is already in use")))
        .next();
    if kind_taken {
        conflict = Some(("KindConflict", format!("\"{}\" is already in use", own.kind)));
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
        condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted", &now)
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

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    list(value, name).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn or(text: String, otherwise: impl FnOnce() -> String) -> String {
    if text.is_empty() { otherwise() } else { text }
}
