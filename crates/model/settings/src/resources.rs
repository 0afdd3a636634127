//! Which kinds are looked at, and what counts as a difference.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::key::Place;
use crate::problem::Problem;
use crate::raw::{RawSettings, ReadYaml};

/// Settings about objects of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceSettings {
    /// Which kinds are watched and applied.
    pub filter: ResourceFilter,
    /// How objects are compared.
    pub compare: CompareOptions,
    /// Rules by kind: `group/Kind`, `Kind` for the core group, `*/*` for all; parts may be globs.
    pub overrides: BTreeMap<String, ResourceOverride>,
    /// Whether changes of ignored fields refresh no Application.
    pub ignore_resource_updates: bool,
    /// Annotations of Secrets whose values are never shown.
    pub masked_annotations: Vec<String>,
    /// Globs over labels that go onto an Application's events.
    pub event_labels_included: Vec<String>,
    /// Globs over labels that do not.
    pub event_labels_excluded: Vec<String>,
    /// What happens to kinds that may not be listed.
    pub respect_rbac: RespectRbac,
}

/// What happens to kinds that may not be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RespectRbac {
    /// They are an error.
    #[default]
    No,
    /// They are passed over; a refused list shows it.
    Normal,
    /// They are passed over; the cluster is asked what is allowed.
    Strict,
}

/// Kinds in some clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilteredResource {
    /// Globs over API groups; any where empty.
    pub api_groups: Vec<String>,
    /// Kinds, or `*`; any where empty.
    pub kinds: Vec<String>,
    /// Globs over URLs of clusters; any where empty.
    pub clusters: Vec<String>,
}

/// Which kinds are watched and applied (DIF-42).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// Only these, where there are any for a cluster.
    pub inclusions: Vec<FilteredResource>,
    /// Never these.
    pub exclusions: Vec<FilteredResource>,
}

impl ResourceFilter {
    /// Whether a kind is neither watched nor applied in a cluster.
    ///
    /// Events, metrics and leases never are. `glob` says whether a pattern matches a text.
    pub fn excludes(
        &self,
        group: &str,
        kind: &str,
        server: &str,
        glob: impl Fn(&str, &str) -> bool,
    ) -> bool {
        let core = matches!(
            (group, kind),
            ("events.k8s.io" | "metrics.k8s.io", _)
                | ("", "Event")
                | ("coordination.k8s.io", "Lease")
        );
        if core || self.exclusions.iter().any(|rule| rule.matches(group, kind, server, &glob)) {
            return true;
        }
        if self.inclusions.iter().any(|rule| rule.matches(group, kind, server, &glob)) {
            return false;
        }
        self.inclusions.iter().any(|rule| any(&rule.clusters, |pattern| glob(pattern, server)))
    }
}

impl FilteredResource {
    fn matches(
        &self,
        group: &str,
        kind: &str,
        server: &str,
        glob: &impl Fn(&str, &str) -> bool,
    ) -> bool {
        any(&self.api_groups, |pattern| glob(pattern, group))
            && any(&self.kinds, |name| name == "*" || name == kind)
            && any(&self.clusters, |pattern| glob(pattern, server))
    }
}

/// Whether one of the patterns matches; none at all match everything.
fn any(patterns: &[String], matches: impl Fn(&str) -> bool) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern))
}

/// How objects are compared (DIF-41).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Whether rules of aggregated ClusterRoles are left out.
    pub ignore_aggregated_roles: bool,
    /// Of which kinds `status` is left out.
    pub ignore_status: IgnoreStatus,
    /// Whether fields that never count as a difference refresh no Application either.
    pub ignore_differences_on_resource_updates: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            ignore_aggregated_roles: false,
            ignore_status: IgnoreStatus::All,
            ignore_differences_on_resource_updates: true,
        }
    }
}

/// Of which kinds `status` is left out of comparisons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoreStatus {
    /// Of all.
    #[default]
    All,
    /// Of CustomResourceDefinitions.
    Crd,
    /// Of none.
    None,
}

/// Rules for one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceOverride {
    /// Health rule in Lua; `""` is none.
    pub health_lua: String,
    /// Whether that rule may use Lua's standard libraries.
    pub use_open_libs: bool,
    /// Actions, as YAML; `""` is none.
    pub actions: String,
    /// Fields that never count as a difference.
    pub ignore_differences: IgnoreRules,
    /// Fields whose changes refresh no Application.
    pub ignore_resource_updates: IgnoreRules,
    /// Fields that hold a built-in type.
    pub known_type_fields: Vec<KnownTypeField>,
}

/// Fields of an object, in three languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreRules {
    /// JSON pointers.
    pub json_pointers: Vec<String>,
    /// jq paths.
    pub jq_path_expressions: Vec<String>,
    /// Field managers; whatever they own.
    pub managed_fields_managers: Vec<String>,
}

impl IgnoreRules {
    fn extend(&mut self, more: &Self) {
        self.json_pointers.extend_from_slice(&more.json_pointers);
        self.jq_path_expressions.extend_from_slice(&more.jq_path_expressions);
        self.managed_fields_managers.extend_from_slice(&more.managed_fields_managers);
    }
}

/// A field that holds a built-in type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct KnownTypeField {
    /// Path, with dots in between.
    pub field: String,
    /// As in `core/v1/PodSpec`.
    #[serde(rename = "type")]
    pub type_name: String,
}

impl ResourceSettings {
    /// By kind, the fields whose changes refresh no Application (DIF-43).
    pub fn ignored_updates(&self) -> BTreeMap<String, IgnoreRules> {
        let mut ignored: BTreeMap<String, IgnoreRules> = self
            .overrides
            .iter()
            .map(|(kind, rules)| {
                let mut ignored = rules.ignore_resource_updates.clone();
                if self.compare.ignore_differences_on_resource_updates {
                    ignored.extend(&rules.ignore_differences);
                }
                (kind.clone(), ignored)
            })
            .collect();
        let always =
            ["/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields"];
        let all = ignored.entry(EVERY_KIND.to_owned()).or_default();
        all.json_pointers.extend(always.map(str::to_owned));
        ignored
    }
}

const EVERY_KIND: &str = "*/*";
const CRD_KIND: &str = "apiextensions.k8s.io/CustomResourceDefinition";
const SPLIT_PREFIX: &str = "resource.customizations.";

/// Reads the settings; what cannot be read is named and passed over.
pub(crate) fn read(
    raw: &RawSettings,
    yaml: ReadYaml<'_>,
    problems: &mut Vec<Problem>,
) -> ResourceSettings {
    let mut reader = Reader { raw, yaml, problems };
    let filter = ResourceFilter {
        inclusions: reader.typed("resource.inclusions"),
        exclusions: reader.typed("resource.exclusions"),
    };
    let compare = reader.compare();
    let mut overrides = reader.overrides();
    let status_of = match compare.ignore_status {
        IgnoreStatus::All => Some(EVERY_KIND),
        IgnoreStatus::Crd => Some(CRD_KIND),
        IgnoreStatus::None => None,
    };
    if let Some(kind) = status_of {
        let rules = overrides.entry(kind.to_owned()).or_default();
        rules.ignore_differences.json_pointers.push("/status".to_owned());
    }
    let without_blanks = |name: &str| raw.list(Place::Main, name);
    ResourceSettings {
        filter,
        compare,
        overrides,
        ignore_resource_updates: raw.bool(Place::Main, "resource.ignoreResourceUpdatesEnabled"),
        masked_annotations: without_blanks("resource.sensitive.mask.annotations"),
        event_labels_included: without_blanks("resource.includeEventLabelKeys"),
        event_labels_excluded: without_blanks("resource.excludeEventLabelKeys"),
        respect_rbac: match raw.text(Place::Main, "resource.respectRBAC") {
            "normal" => RespectRbac::Normal,
            "strict" => RespectRbac::Strict,
            _ => RespectRbac::No,
        },
    }
}

struct Reader<'a> {
    raw: &'a RawSettings,
    yaml: ReadYaml<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, key: &str, message: impl std::fmt::Display) {
        let message = format!("does not hold what it should: {message}");
        self.problems.push(Problem::other(Place::Main.name(), key, message));
    }

    /// A key's YAML as a type; the type's default where it is absent. YAML that cannot be read
    /// at all is named by the table's own check.
    fn typed<T: for<'de> Deserialize<'de> + Default>(&mut self, key: &str) -> T {
        match self.raw.yaml(Place::Main, key, self.yaml) {
            Some(Ok(Value::Null)) | Some(Err(_)) | None => T::default(),
            Some(Ok(value)) => self.convert(key, value),
        }
    }

    fn convert<T: for<'de> Deserialize<'de> + Default>(&mut self, key: &str, value: Value) -> T {
        T::deserialize(value).unwrap_or_else(|cause| {
            self.problem(key, cause);
            T::default()
        })
    }

    /// YAML inside a text, as a type.
    fn nested<T: for<'de> Deserialize<'de> + Default>(&mut self, key: &str, text: &str) -> T {
        if text.trim().is_empty() {
            return T::default();
        }
        match (self.yaml)(text) {
            Ok(Value::Null) => T::default(),
            Ok(value) => self.convert(key, value),
            Err(cause) => {
                self.problem(key, cause);
                T::default()
            }
        }
    }

    fn compare(&mut self) -> CompareOptions {
        const KEY: &str = "resource.compareoptions";
        let mut options = CompareOptions::default();
        let fields: serde_json::Map<String, Value> = self.typed(KEY);
        for (name, value) in fields {
            match (name.as_str(), &value) {
                (_, Value::Null) => {}
                ("ignoreAggregatedRoles", Value::Bool(on)) => options.ignore_aggregated_roles = *on,
                ("ignoreDifferencesOnResourceUpdates", Value::Bool(on)) => {
                    options.ignore_differences_on_resource_updates = *on;
                }
                // YAML reads `off` as false; both mean none.
                ("ignoreResourceStatusField", Value::Bool(false)) => {
                    options.ignore_status = IgnoreStatus::None;
                }
                ("ignoreResourceStatusField", Value::String(word)) => match word.as_str() {
                    "" | "all" => options.ignore_status = IgnoreStatus::All,
                    "crd" => options.ignore_status = IgnoreStatus::Crd,
                    "none" | "off" | "false" => options.ignore_status = IgnoreStatus::None,
                    _ => self.problem(KEY, "`ignoreResourceStatusField` is all, crd or none"),
                },
                _ => self.problem(KEY, format_args!("`{name}` is no option, or has a wrong value")),
            }
        }
        options
    }

    fn overrides(&mut self) -> BTreeMap<String, ResourceOverride> {
        let mut overrides = BTreeMap::new();
        let flat: BTreeMap<String, FlatOverride> = self.typed("resource.customizations");
        for (kind, flat) in flat {
            let key = format!("resource.customizations: {kind}");
            overrides.insert(
                kind,
                ResourceOverride {
                    health_lua: flat.health_lua,
                    use_open_libs: flat.use_open_libs,
                    actions: flat.actions,
                    ignore_differences: self.nested(&key, &flat.ignore_differences),
                    ignore_resource_updates: self.nested(&key, &flat.ignore_resource_updates),
                    known_type_fields: flat.known_type_fields,
                },
            );
        }
        let raw = self.raw;
        for (key, text) in &raw.main {
            let Some((what, kind)) =
                key.strip_prefix(SPLIT_PREFIX).and_then(|rest| rest.split_once('.'))
            else {
                continue;
            };
            let Some(kind) = self.kind_of(key, kind) else { continue };
            let rules = overrides.entry(kind).or_default();
            match what {
                "health" => rules.health_lua.clone_from(text),
                "useOpenLibs" => rules.use_open_libs = crd::is_true(text),
                "actions" => rules.actions.clone_from(text),
                "ignoreDifferences" => rules.ignore_differences = self.nested(key, text),
                "ignoreResourceUpdates" => rules.ignore_resource_updates = self.nested(key, text),
                "knownTypeFields" => rules.known_type_fields = self.nested(key, text),
                // The table's own check names it.
                _ => {}
            }
        }
        overrides
    }

    /// `cert-manager.io_Certificate` is `cert-manager.io/Certificate`; `all` is every kind.
    fn kind_of(&mut self, key: &str, name: &str) -> Option<String> {
        let mut parts = name.split('_');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("all"), None, None) => Some(EVERY_KIND.to_owned()),
            (Some(kind), None, None) if !kind.is_empty() => Some(kind.to_owned()),
            (Some(group), Some(kind), None) => Some(format!("{group}/{kind}")),
            _ => {
                self.problem(key, "its last part is `group_Kind` or `Kind`");
                None
            }
        }
    }
}

/// Rules for one kind, as `resource.customizations` holds them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct FlatOverride {
    #[serde(rename = "health.lua")]
    health_lua: String,
    #[serde(rename = "health.lua.useOpenLibs")]
    use_open_libs: bool,
    actions: String,
    #[serde(rename = "ignoreDifferences")]
    ignore_differences: String,
    #[serde(rename = "ignoreResourceUpdates")]
    ignore_resource_updates: String,
    #[serde(rename = "knownTypeFields")]
    known_type_fields: Vec<KnownTypeField>,
}
