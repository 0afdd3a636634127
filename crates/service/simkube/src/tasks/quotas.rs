//! Counts what namespaces with quotas hold, as the controller does who is upstream's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::write;
use crate::cluster::Cluster;
use crate::store::{Change, Event, TableId};
use crate::strategy::quotas::{self, QUOTAS};

/// As whom the controller writes.
const CONTROLLER: &str = "kube-controller-manager";

/// Namespaces whose quotas may have changed, or which hold less than before.
#[derive(Default)]
pub(super) struct Quotas {
    dirty: BTreeSet<Box<str>>,
}

impl Quotas {
    pub(super) fn is_busy(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn see(&mut self, cluster: &Cluster, table: &TableId, event: &Event) {
        let Some((namespace, _)) = event.key.split_once('/') else { return };
        let gone = matches!(event.change, Change::Deleted(_));
        let may_end = &**table == "/pods" && event.before().is_some();
        let is_quota = &**table == QUOTAS && !gone;
        if is_quota || ((gone || may_end) && has_quotas(cluster, namespace)) {
            self.dirty.insert(namespace.into());
        }
    }

    pub(super) fn act(&mut self, cluster: &Arc<Cluster>) {
        for namespace in std::mem::take(&mut self.dirty) {
            let held = quotas::held(cluster, &namespace);
            for quota in quotas::of_namespace(cluster, &namespace) {
                let Some(counted) = quotas::counted(&held, &quota) else { continue };
                // Who comes between is seen, and leads here again.
                let _overtaken = write::write_as(cluster, CONTROLLER, &counted, "status");
            }
        }
    }
}

fn has_quotas(cluster: &Cluster, namespace: &str) -> bool {
    cluster.store.holds_any(QUOTAS, &format!("{namespace}/"))
}
