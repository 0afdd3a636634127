//! Gives roles that aggregate others what those allow, as the controller does who is upstream's.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::write;
use crate::cluster::Cluster;
use crate::store::{Event, TableId};

const TABLE: &str = "rbac.authorization.k8s.io/clusterroles";

/// Whether a role has changed since the last look.
#[derive(Default)]
pub(super) struct Aggregation {
    dirty: bool,
}

impl Aggregation {
    pub(super) fn is_busy(&self) -> bool {
        self.dirty
    }

    pub(super) fn see(&mut self, table: &TableId, event: &Event) {
        // What is there from the start is whole already.
        let is_new = event.before().is_some()
            || event
                .entry
                .meta
                .labels
                .iter()
                .all(|(name, _)| &**name != "kubernetes.io/bootstrapping");
        self.dirty |= &**table == TABLE && is_new;
    }

    pub(super) fn act(&mut self, cluster: &Arc<Cluster>) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let kinds = cluster.kinds();
        let Some(kind) = kinds.find("rbac.authorization.k8s.io", "v1", "clusterroles") else {
            return;
        };
        let all = cluster.store.values(TABLE, "");
        for role in all.iter().filter(|role| role["aggregationRule"].is_object()) {
            let rules = json!(kuberbac::union(parts(role, &all)));
            if rules == role["rules"] || (role["rules"].is_null() && rules == json!([])) {
                continue;
            }
            let name = manifest::name(role);
            let written = write::change_as_server(cluster, kind, "", name, |role| {
                let differs = role["rules"] != rules;
                role["rules"] = rules.clone();
                differs
            });
            if let Err(problem) = written {
                tracing::debug!(name, error = problem.message, "rules not aggregated");
            }
        }
    }
}

/// The roles that one of an aggregating role's selectors names: selector by selector, by name.
fn parts<'a>(role: &'a Value, all: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
    selectors.into_iter().flatten().flat_map(move |selector| {
        let is_part = move |part: &&Value| {
            manifest::name(part) != manifest::name(role)
                && kubevalid::selects(selector, &part["metadata"]["labels"])
        };
        all.iter().filter(is_part)
    })
}
