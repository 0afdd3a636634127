//! What kinds a cluster serves, as it says itself.

use std::collections::{BTreeMap, BTreeSet};

use manifest::{GroupKind, Gvk, split_api_version};
use serde_json::Value;

/// One kind at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// What objects say of themselves.
    pub gvk: Gvk,
    /// As in URLs: `deployments`.
    pub plural: String,
    /// As people type it: `deployment`.
    pub singular: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// As in `get`, `list`, `watch`.
    pub verbs: Vec<String>,
    /// As in `deploy`.
    pub short_names: Vec<String>,
    /// As in `all`.
    pub categories: Vec<String>,
    /// As in `status`, `scale`.
    pub subresources: Vec<String>,
    /// Whether this is the version that the server prefers for the kind.
    pub preferred: bool,
}

impl KindInfo {
    /// Whether the server offers a verb for the kind.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|offered| offered == verb)
    }

    /// The path of a list, or of one object where `name` is not empty.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = match self.gvk.group.as_str() {
            "" => format!("/api/{}", self.gvk.version),
            group => format!("/apis/{group}/{}", self.gvk.version),
        };
        if self.namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&escape(namespace));
        }
        path.push('/');
        path.push_str(&self.plural);
        if !name.is_empty() {
            path.push('/');
            path.push_str(&escape(name));
        }
        path
    }
}

/// Percent-escapes what may not stand in one segment of a path or in one value of a query.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// A group whose server did not answer when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenGroup {
    /// As in `metrics.k8s.io/v1beta1`.
    pub group_version: String,
    /// What was said.
    pub message: String,
}

/// Every kind that a cluster serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    kinds: BTreeMap<Gvk, KindInfo>,
    preferred: BTreeMap<GroupKind, Gvk>,
    broken: Vec<BrokenGroup>,
}

impl Kinds {
    /// Returns one kind at one version.
    pub fn get(&self, gvk: &Gvk) -> Option<&KindInfo> {
        self.kinds.get(gvk)
    }

    /// Returns a kind at the version that the server prefers: its group's first version that
    /// serves the kind.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&KindInfo> {
        self.preferred.get(kind).and_then(|gvk| self.kinds.get(gvk))
    }

    /// Returns the kind behind a URL's parts.
    pub fn by_resource(&self, group: &str, version: &str, plural: &str) -> Option<&KindInfo> {
        self.kinds.values().find(|info| {
            info.plural == plural && info.gvk.group == group && info.gvk.version == version
        })
    }

    /// Every kind at every version, sorted by group, version and kind.
    pub fn iter(&self) -> impl Iterator<Item = &KindInfo> {
        self.kinds.values()
    }

    /// Every kind once, at its preferred version, if it can be listed and watched.
    pub fn watchable(&self) -> impl Iterator<Item = &KindInfo> {
        self.preferred
            .values()
            .filter_map(|gvk| self.kinds.get(gvk))
            .filter(|info| info.can("list") && info.can("watch"))
    }

    /// What templates see as the cluster's API versions: `apps/v1` and `apps/v1/Deployment` for
    /// each kind that can be listed and watched and that `wants` lets through, sorted.
    pub fn api_versions(&self, wants: impl Fn(&GroupKind) -> bool) -> Vec<String> {
        let mut versions = BTreeSet::new();
        for info in self.kinds.values() {
            if info.can("list") && info.can("watch") && wants(&info.gvk.group_kind()) {
                let version = info.gvk.api_version();
                versions.insert(format!("{version}/{}", info.gvk.kind));
                versions.insert(version);
            }
        }
        versions.into_iter().collect()
    }

    /// Groups that did not answer: what they serve is not known just now.
    pub fn broken_groups(&self) -> &[BrokenGroup] {
        &self.broken
    }

    /// Whether a kind is missing only because its group did not answer.
    pub fn may_serve(&self, group: &str) -> bool {
        self.broken.iter().any(|broken| split_api_version(&broken.group_version).0 == group)
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds what one version of a group serves. Versions come in the server's order of
    /// preference; the first one that serves a kind is its preferred one.
    fn add(&mut self, mut info: KindInfo) {
        let kind = info.gvk.group_kind();
        info.preferred = !self.preferred.contains_key(&kind);
        if info.preferred {
            self.preferred.insert(kind, info.gvk.clone());
        }
        // Two resources of one kind: the first is the one that the kind is known by.
        self.kinds.entry(info.gvk.clone()).or_insert(info);
    }

    pub(crate) fn add_broken(&mut self, group_version: String, message: String) {
        self.broken.push(BrokenGroup { group_version, message });
    }

    /// Takes over what a group was last known to serve, where its server does not answer now.
    pub(crate) fn keep_broken_of(&mut self, before: &Kinds) {
        let groups: BTreeSet<String> =
            self.broken.iter().map(|broken| broken.group_version.clone()).collect();
        for info in before.kinds.values() {
            if groups.contains(&info.gvk.api_version()) && !self.kinds.contains_key(&info.gvk) {
                self.add(info.clone());
            }
        }
    }

    /// Adds an `APIGroupDiscoveryList`.
    pub(crate) fn add_aggregated(&mut self, list: &Value) {
        for item in items(list, "items") {
            let group = manifest::name(item);
            for version in items(item, "versions") {
                let name = text(version, "version");
                if text(version, "freshness") == "Stale" {
                    let group_version = Gvk::new(group, name, "").api_version();
                    self.add_broken(group_version, "its server does not answer".to_owned());
                }
                for resource in items(version, "resources") {
                    self.add_aggregated_resource(group, name, resource);
                }
            }
        }
    }

    fn add_aggregated_resource(&mut self, group: &str, version: &str, resource: &Value) {
        let kind = resource.get("responseKind");
        let kind_text = |field| kind.and_then(|k| k.get(field)).and_then(Value::as_str);
        let Some(name) = kind_text("kind").filter(|name| !name.is_empty()) else { return };
        let or = |field, fallback: &str| match kind_text(field) {
            None | Some("") => fallback.to_owned(),
            Some(own) => own.to_owned(),
        };
        self.add(KindInfo {
            gvk: Gvk::new(or("group", group), or("version", version), name),
            plural: text(resource, "resource").to_owned(),
            singular: text(resource, "singularResource").to_owned(),
            namespaced: text(resource, "scope") == "Namespaced",
            verbs: texts(resource, "verbs"),
            short_names: texts(resource, "shortNames"),
            categories: texts(resource, "categories"),
            subresources: items(resource, "subresources")
                .map(|sub| text(sub, "subresource").to_owned())
                .collect(),
            preferred: false,
        });
    }

    /// Adds an `APIResourceList`, the older form.
    pub(crate) fn add_resource_list(&mut self, list: &Value) {
        let group_version = text(list, "groupVersion");
        let (group, version) = split_api_version(group_version);
        for resource in items(list, "resources") {
            let plural = text(resource, "name");
            if plural.contains('/') {
                continue;
            }
            let prefix = format!("{plural}/");
            let or = |field, fallback: &str| match text(resource, field) {
                "" => fallback.to_owned(),
                own => own.to_owned(),
            };
            self.add(KindInfo {
                gvk: Gvk::new(or("group", group), or("version", version), text(resource, "kind")),
                plural: plural.to_owned(),
                singular: text(resource, "singularName").to_owned(),
                namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
                verbs: texts(resource, "verbs"),
                short_names: texts(resource, "shortNames"),
                categories: texts(resource, "categories"),
                subresources: items(list, "resources")
                    .filter_map(|other| text(other, "name").strip_prefix(&prefix))
                    .map(str::to_owned)
                    .collect(),
                preferred: false,
            });
        }
    }
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    items(value, field).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a kind is never looked at, whatever the settings say: Events, metrics and Leases
/// change all the time and are nobody's to sync (upstream's hard-coded exclusions).
pub fn excluded_always(kind: &GroupKind) -> bool {
    match kind.group.as_str() {
        "events.k8s.io" | "metrics.k8s.io" => true,
        "" => kind.kind == "Event",
        "coordination.k8s.io" => kind.kind == "Lease",
        _ => false,
    }
}
