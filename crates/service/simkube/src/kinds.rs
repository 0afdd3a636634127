//! What a cluster serves: the built-in resources, and those of its CustomResourceDefinitions.
//!
//! The built-in table is the discovery document of a real API server 1.36.3, read once a
//! process. What CRDs add is kept per cluster and replaced as a whole when one changes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use manifest::Gvk;
use serde_json::Value;

use crate::api::openapi::Documents;
use crate::crds::Definition;
use crate::store::TableId;

/// One resource at one version.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Group, version and kind together.
    pub gvk: Gvk,
    /// What an empty object looks like, once somebody asked.
    pub zero: OnceLock<Value>,
    /// The API group; `""` for the core group.
    pub group: String,
    /// For example `v1`.
    pub version: String,
    /// For example `Deployment`.
    pub kind: String,
    /// For example `DeploymentList`.
    pub list_kind: String,
    /// As in URLs, for example `deployments`.
    pub plural: String,
    /// For example `deployment`.
    pub singular: String,
    /// For example `deploy`.
    pub short_names: Vec<String>,
    /// For example `all`.
    pub categories: Vec<String>,
    /// Whether objects stand in namespaces.
    pub namespaced: bool,
    /// What may be done with the resource itself, sorted.
    pub verbs: Vec<String>,
    /// Its subresources by name.
    pub subresources: BTreeMap<String, Subresource>,
    /// Where its objects are kept, whatever the version.
    pub table: TableId,
    /// The API version in which they are kept.
    pub storage_version: String,
    /// The definition behind it; `None` for built-in kinds.
    pub definition: Option<Arc<Definition>>,
}

/// What stands below an object of a [`Kind`].
#[derive(Clone, Debug)]
pub struct Subresource {
    /// The kind that it answers with: group, version, kind. The group and version are empty where
    /// they are the resource's.
    pub response: (String, String, String),
    /// Sorted.
    pub verbs: Vec<String>,
}

impl Kind {
    /// Returns the kind of the scale subresource, which no path names by itself.
    pub fn scale() -> Kind {
        Kind {
            gvk: gvk("autoscaling", "v1", "Scale"),
            zero: OnceLock::new(),
            group: "autoscaling".to_owned(),
            version: "v1".to_owned(),
            kind: "Scale".to_owned(),
            list_kind: String::new(),
            plural: "scales".to_owned(),
            singular: "scale".to_owned(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            verbs: Vec::new(),
            subresources: BTreeMap::new(),
            table: Arc::from("autoscaling/scales"),
            storage_version: "autoscaling/v1".to_owned(),
            definition: None,
        }
    }

    /// Returns the kind of what stands below an object, for example of a token; its own where it says none.
    pub fn below(&self, subresource: &str) -> Kind {
        let Some((group, version, kind)) =
            self.subresources.get(subresource).map(|below| below.response.clone())
        else {
            return self.clone();
        };
        if version.is_empty() {
            return self.clone();
        }
        Kind {
            gvk: gvk(&group, &version, &kind),
            zero: OnceLock::new(),
            group,
            version,
            kind,
            ..self.clone()
        }
    }

    /// Returns `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        join(&self.group, &self.version)
    }

    /// Returns `plural.group`, or `plural` in the core group: how messages name the resource.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Returns whether objects are kept in the version in which this serves them.
    pub fn version_is_stored(&self) -> bool {
        let (group, version) = manifest::split_api_version(&self.storage_version);
        group == self.group && version == self.version
    }

    /// Returns whether objects may have been written under an earlier definition of the kind: then
    /// they are read through the present one.
    pub fn was_redefined(&self) -> bool {
        self.definition.as_ref().is_some_and(|definition| definition.generation > 1)
    }

    /// Returns whether the kind is built in.
    pub fn built_in(&self) -> bool {
        self.definition.is_none()
    }

    /// Returns whether the resource allows `verb`.
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|allowed| allowed == verb)
    }

    /// Returns whether this is the built-in kind `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.built_in() && self.group == group && self.kind == kind
    }

    /// Returns where an object is kept: `namespace/name`, or `name`.
    pub fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced { format!("{namespace}/{name}") } else { name.to_owned() }
    }

    /// Returns what the keys of a namespace's objects begin with; `""` for all.
    pub fn key_prefix(&self, namespace: &str) -> String {
        if self.namespaced && !namespace.is_empty() {
            format!("{namespace}/")
        } else {
            String::new()
        }
    }
}

/// Returns group, version and kind together.
pub fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

/// Returns `group/version`, or `version` in the core group.
pub fn join(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// A group's versions, in the order in which discovery names them.
#[derive(Clone, Debug)]
pub struct Group {
    /// `""` for the core group.
    pub name: String,
    /// The preferred version first.
    pub versions: Vec<String>,
}

/// What a cluster serves at one moment.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    /// In the order of discovery, the core group first.
    pub groups: Vec<Group>,
    /// The OpenAPI documents of exactly this.
    pub documents: Documents,
    /// By group, version and plural.
    by_resource: BTreeMap<(String, String, String), Arc<Kind>>,
}

impl Kinds {
    /// Returns what every cluster serves.
    pub fn built_in() -> &'static Arc<Kinds> {
        static BUILT_IN: OnceLock<Arc<Kinds>> = OnceLock::new();
        BUILT_IN.get_or_init(|| Arc::new(read_discovery(DISCOVERY)))
    }

    /// Returns the built-in kinds and those of `definitions`.
    pub fn with(definitions: &[Arc<Definition>]) -> Kinds {
        let mut kinds = (**Kinds::built_in()).clone();
        for definition in definitions {
            for kind in definition.kinds() {
                kinds.add(kind);
            }
        }
        kinds
    }

    /// Returns the resource `plural` at a version.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.by_resource.get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// Returns the resource of a kind at a version.
    pub fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<&Arc<Kind>> {
        self.at(group, version).find(|known| known.kind == kind && known.allows("create"))
    }

    /// Returns the resource of a kind at `api_version`.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<&Arc<Kind>> {
        let (group, version) = manifest::split_api_version(api_version);
        self.of_kind(group, version, kind)
    }

    /// Returns the resources of a group at a version, sorted by plural.
    pub fn at(&self, group: &str, version: &str) -> impl Iterator<Item = &Arc<Kind>> {
        let from = (group.to_owned(), version.to_owned(), String::new());
        let (group, version) = (group.to_owned(), version.to_owned());
        self.by_resource
            .range(from..)
            .take_while(move |((g, v, _), _)| *g == group && *v == version)
            .map(|(_, kind)| kind)
    }

    /// Returns a group that is served.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Returns one version of each resource that is kept: the one in which it is stored.
    pub fn stored(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.by_resource
            .values()
            .filter(|kind| kind.api_version() == kind.storage_version && kind.allows("list"))
    }

    /// Returns the stored version of the resource kept in `table`.
    pub fn of_table(&self, table: &str) -> Option<&Arc<Kind>> {
        self.stored().find(|kind| *kind.table == *table)
    }

    fn add(&mut self, kind: Kind) {
        match self.groups.iter_mut().find(|group| group.name == kind.group) {
            Some(group) => {
                if !group.versions.contains(&kind.version) {
                    group.versions.push(kind.version.clone());
                    group.versions.sort_by(|a, b| version_order(a, b));
                }
            }
            None => self
                .groups
                .push(Group { name: kind.group.clone(), versions: vec![kind.version.clone()] }),
        }
        let at = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        self.by_resource.insert(at, Arc::new(kind));
    }
}

/// Orders API versions as discovery does: GA before beta before alpha, newer before older, then by name.
pub fn version_order(a: &str, b: &str) -> std::cmp::Ordering {
    match (version_rank(a), version_rank(b)) {
        (Some(a), Some(b)) => b.cmp(&a),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

fn version_rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let major: u64 = rest[..digits].parse().ok()?;
    let stage = &rest[digits..];
    if stage.is_empty() {
        return Some((2, major, 0));
    }
    let (rank, minor) = match (stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
        (Some(minor), _) => (1, minor),
        (None, Some(minor)) => (0, minor),
        (None, None) => return None,
    };
    Some((rank, major, minor.parse().ok()?))
}

const DISCOVERY: &str = include_str!("../data/discovery-1.36.3.json");

/// Resources that are kept in another version, or under another group, than the one that serves them.
const STORED_ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("events.k8s.io", "events", "/events", "v1"),
    (
        "autoscaling",
        "horizontalpodautoscalers",
        "autoscaling/horizontalpodautoscalers",
        "autoscaling/v2",
    ),
];

fn read_discovery(text: &str) -> Kinds {
    let document: Value =
        serde_json::from_str(text).expect("the embedded discovery document is JSON");
    let mut kinds = Kinds::default();
    for group in list(&document, "items") {
        let name = text_at(&group["metadata"], "name");
        for version in list(group, "versions") {
            for resource in list(version, "resources") {
                kinds.add(read_kind(&name, &text_at(version, "version"), resource));
            }
        }
    }
    kinds
}

fn read_kind(group: &str, version: &str, resource: &Value) -> Kind {
    let plural = text_at(resource, "resource");
    let kind = text_at(&resource["responseKind"], "kind");
    let elsewhere = STORED_ELSEWHERE.iter().find(|(g, p, _, _)| *g == group && *p == plural);
    let (table, storage_version) = match elsewhere {
        Some((_, _, table, version)) => ((*table).to_owned(), (*version).to_owned()),
        None => (format!("{group}/{plural}"), join(group, version)),
    };
    let subresources = list(resource, "subresources")
        .map(|sub| {
            let response = &sub["responseKind"];
            let response = (
                text_at(response, "group"),
                text_at(response, "version"),
                text_at(response, "kind"),
            );
            (text_at(sub, "subresource"), Subresource { response, verbs: texts(sub, "verbs") })
        })
        .collect();
    Kind {
        gvk: gvk(group, version, &kind),
        zero: OnceLock::new(),
        group: group.to_owned(),
        version: version.to_owned(),
        list_kind: format!("{kind}List"),
        kind,
        singular: text_at(resource, "singularResource"),
        short_names: texts(resource, "shortNames"),
        categories: texts(resource, "categories"),
        namespaced: resource["scope"] == "Namespaced",
        verbs: texts(resource, "verbs"),
        subresources,
        table: Arc::from(table),
        storage_version,
        definition: None,
        plural,
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text_at(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    list(value, name).filter_map(Value::as_str).map(str::to_owned).collect()
}
