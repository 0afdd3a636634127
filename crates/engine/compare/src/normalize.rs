//! What is left out of both sides before they are compared.

use merge::fields::FieldSet;
use merge::managed::LAST_APPLIED;
use merge::typed::Typed;
use serde_json::{Map, Value};

use crate::ignore::{Ignored, remove_pointer};
use crate::rules::Rules;

/// What must be taken out of both sides of one comparison.
pub(crate) struct Normalizer<'r> {
    rules: &'r Rules<'r>,
    ignored: Ignored<'r>,
    /// What ignored managers own.
    owned: FieldSet,
}

impl<'r> Normalizer<'r> {
    pub(crate) fn new(rules: &'r Rules<'r>, live: &Value) -> Self {
        let ignored = rules.ignore.of(live);
        let owned = ignored.owned(live);
        Self { rules, ignored, owned }
    }

    /// Takes out of an object what never counts.
    pub(crate) fn normalize(&self, object: &mut Value) {
        if let Value::Object(map) = object {
            if self.rules.ignore_status {
                map.remove("status");
            }
            if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
                strip_metadata(metadata);
            }
            sort_known(map, self.rules.ignore_aggregated_roles);
        }
        self.rules.known.settle(object, self.rules.minor);
        if self.ignored.is_nothing() {
            return;
        }
        for pointer in &self.ignored.pointers {
            remove_pointer(object, pointer);
        }
        for expression in &self.ignored.expressions {
            expression.remove_from(object);
        }
        if let Some((schema, type_id)) = self.rules.schema
            && !self.owned.is_empty()
        {
            Typed::new(schema, type_id).remove_items(object, &self.owned);
        }
    }
}

/// Takes out what the server sets, and what only says how the object was applied.
pub(crate) fn strip_metadata(metadata: &mut Map<String, Value>) {
    for name in ["managedFields", "creationTimestamp", "resourceVersion", "selfLink"] {
        metadata.remove(name);
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
        && annotations.remove(LAST_APPLIED).is_some()
        && annotations.is_empty()
    {
        metadata.remove("annotations");
    }
}

/// What upstream always leaves out or sorts in some kinds.
fn sort_known(map: &mut Map<String, Value>, ignore_aggregated_roles: bool) {
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
    let api_version = map.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let is_rbac = api_version.starts_with("rbac.authorization.k8s.io/");
    match (api_version, kind) {
        (_, "Role" | "ClusterRole") if is_rbac => {
            let aggregates = map.get("aggregationRule").is_some_and(|rule| !rule.is_null());
            let is_empty = map
                .get("rules")
                .is_none_or(|rules| rules.is_null() || rules.as_array().is_some_and(Vec::is_empty));
            if is_empty || (aggregates && ignore_aggregated_roles) {
                map.remove("rules");
            }
        }
        ("v1", "Secret") => {
            if let Some(Value::Object(data)) = map.get_mut("data") {
                for value in data.values_mut().filter(|value| value.is_null()) {
                    *value = Value::String(String::new());
                }
            }
        }
        ("v1", "Endpoints") => {
            if let Some(Value::Array(subsets)) = map.get_mut("subsets") {
                for subset in subsets.iter_mut() {
                    for list in ["addresses", "notReadyAddresses", "ports"] {
                        if let Some(Value::Array(items)) = subset.get_mut(list) {
                            items.sort_by_key(Value::to_string);
                        }
                    }
                }
                subsets.sort_by_key(Value::to_string);
            }
        }
        _ => {}
    }
}
