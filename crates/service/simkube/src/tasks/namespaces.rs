//! Namespaces: what a new one gets, and how one goes with all that is in it. Definitions and
//! protected volumes go by the same pattern.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::collector::drop_finalizer;
use crate::api::delete;
use crate::api::options::{DeleteOptions, Propagation};
use crate::api::write;
use crate::authentic;
use crate::cluster::Cluster;
use crate::crds::{self, CLEANUP, Definition};
use crate::kinds::Kind;
use crate::meta;
use crate::store::{Change, Event, TableId};

const PVC: &str = "/persistentvolumeclaims";
const PV: &str = "/persistentvolumes";

/// Namespaces and definitions that are going, and namespaces that are new.
pub(super) struct Namespaces {
    ca_pem: String,
    fresh: BTreeSet<Box<str>>,
    going: BTreeSet<Box<str>>,
    definitions: BTreeSet<Box<str>>,
    protected: BTreeSet<(TableId, Box<str>)>,
    tokens: BTreeSet<Box<str>>,
}

impl Namespaces {
    pub(super) fn new(ca_pem: &str) -> Namespaces {
        Namespaces {
            ca_pem: ca_pem.to_owned(),
            fresh: BTreeSet::new(),
            going: BTreeSet::new(),
            definitions: BTreeSet::new(),
            protected: BTreeSet::new(),
            tokens: BTreeSet::new(),
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        !(self.fresh.is_empty()
            && self.going.is_empty()
            && self.definitions.is_empty()
            && self.protected.is_empty()
            && self.tokens.is_empty())
    }

    pub(super) fn see(&mut self, cluster: &Cluster, table: &TableId, event: &Event) {
        let gone = matches!(event.change, Change::Deleted(_));
        let deleting = event.entry.meta.deleting;
        match &**table {
            "/namespaces" if gone => {}
            "/namespaces" if deleting => {
                self.going.insert(event.key.clone());
            }
            "/namespaces" if event.before().is_none() => {
                self.fresh.insert(event.key.clone());
            }
            "/namespaces" => {}
            crds::TABLE if deleting && !gone => {
                self.definitions.insert(event.key.clone());
            }
            PVC | PV if deleting && !gone => {
                self.protected.insert((table.clone(), event.key.clone()));
            }
            "/secrets" if cluster.controllers && event.before().is_none() => {
                self.tokens.insert(event.key.clone());
            }
            _ => {}
        }
        if gone {
            self.see_gone(cluster, table, event);
        }
    }

    fn see_gone(&mut self, cluster: &Cluster, table: &TableId, event: &Event) {
        if let Some((namespace, _)) = event.key.split_once('/') {
            let going =
                cluster.store.get("/namespaces", namespace).is_some_and(|ns| ns.meta.deleting);
            if going {
                self.going.insert(namespace.into());
            }
        }
        if let Some((group, plural)) = table.split_once('/') {
            let name = format!("{plural}.{group}");
            if cluster.store.get(crds::TABLE, &name).is_some_and(|crd| crd.meta.deleting) {
                self.definitions.insert(name.into());
            }
        }
        if &**table == "/pods" {
            // Claims that the pod used may go now.
            let prefix =
                event.key.split_once('/').map(|(ns, _)| format!("{ns}/")).unwrap_or_default();
            let table: TableId = Arc::from(PVC);
            let claims = cluster.store.list(PVC, &prefix, None, 0, None);
            for (key, claim) in claims.map(|page| page.entries).unwrap_or_default() {
                if claim.meta.deleting {
                    self.protected.insert((table.clone(), key));
                }
            }
        }
    }

    pub(super) fn act(&mut self, cluster: &Arc<Cluster>) {
        for name in std::mem::take(&mut self.fresh) {
            if cluster.controllers {
                self.furnish(cluster, &name);
            }
        }
        for name in std::mem::take(&mut self.going) {
            empty_namespace(cluster, &name);
        }
        for name in std::mem::take(&mut self.definitions) {
            empty_definition(cluster, &name);
        }
        for (table, key) in std::mem::take(&mut self.protected) {
            unprotect(cluster, &table, &key);
        }
        for key in std::mem::take(&mut self.tokens) {
            self.fill_token(cluster, &key);
        }
    }

    /// Every namespace has a `default` account and the cluster's authority.
    fn furnish(&self, cluster: &Cluster, namespace: &str) {
        let kinds = cluster.kinds();
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
        });
        let authority = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "kube-root-ca.crt",
                "namespace": namespace,
                "annotations": {
                    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
                },
            },
            "data": {"ca.crt": self.ca_pem},
        });
        for (plural, object) in [("serviceaccounts", account), ("configmaps", authority)] {
            if let Some(kind) = kinds.find("", "v1", plural) {
                cluster.furnish_with(kind, &object);
            }
        }
    }

    /// A Secret for an account's token is filled by the cluster.
    fn fill_token(&self, cluster: &Arc<Cluster>, key: &str) {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let Some(entry) = cluster.store.get("/secrets", key) else { return };
        let secret = entry.value();
        if secret["type"] != "kubernetes.io/service-account-token"
            || secret["data"].get("token").is_some()
        {
            return;
        }
        let name =
            manifest::annotation(&secret, "kubernetes.io/service-account.name").unwrap_or_default();
        let namespace = manifest::namespace(&secret).to_owned();
        let account_key = format!("{namespace}/{name}");
        let Some(account) = cluster.store.get("/serviceaccounts", &account_key) else { return };
        let kinds = cluster.kinds();
        let Some(kind) = kinds.find("", "v1", "secrets") else { return };
        let uid = account.meta.uid.clone();
        let token = authentic::signed(
            cluster,
            &json!({
                "iss": authentic::OLD_ISSUER,
                "kubernetes.io/serviceaccount/namespace": namespace,
                "kubernetes.io/serviceaccount/secret.name": manifest::name(&secret),
                "kubernetes.io/serviceaccount/service-account.name": name,
                "kubernetes.io/serviceaccount/service-account.uid": &*uid,
                "sub": format!("system:serviceaccount:{namespace}:{name}"),
            }),
        );
        let filled =
            write::change_as_server(cluster, kind, &namespace, manifest::name(&secret), |secret| {
                manifest::set_annotation(secret, "kubernetes.io/service-account.uid", &uid);
                secret["data"]["token"] = json!(STANDARD.encode(&token));
                secret["data"]["ca.crt"] = json!(STANDARD.encode(&self.ca_pem));
                secret["data"]["namespace"] = json!(STANDARD.encode(&namespace));
                true
            });
        if let Err(problem) = filled {
            tracing::debug!(key, error = problem.message, "token not filled in");
        }
    }
}

fn background() -> DeleteOptions {
    DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() }
}

/// Deletes what is below `prefix`; returns what is left, as `resource: finalizers`.
fn empty(cluster: &Arc<Cluster>, kind: &Arc<Kind>, prefix: &str) -> Vec<Vec<String>> {
    let Ok(page) = cluster.store.list(&kind.table, prefix, None, 0, None) else {
        return Vec::new();
    };
    for (key, entry) in &page.entries {
        if entry.meta.deleting {
            continue;
        }
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        if let Err(problem) = delete::delete(cluster, kind, namespace, name, &background()) {
            tracing::debug!(kind = kind.kind, key = &**key, error = problem.message, "not deleted");
        }
    }
    let left = cluster.store.list(&kind.table, prefix, None, 0, None);
    let left = left.map(|page| page.entries).unwrap_or_default();
    left.iter().map(|(_, entry)| meta::texts(&entry.value(), "finalizers")).collect()
}

fn empty_namespace(cluster: &Arc<Cluster>, name: &str) {
    let kinds = cluster.kinds();
    let mut left: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for kind in kinds.stored().filter(|kind| kind.namespaced && kind.allows("delete")) {
        let of_kind = empty(cluster, kind, &format!("{name}/"));
        if !of_kind.is_empty() {
            left.push((kind.qualified(), of_kind));
        }
    }
    let Some(kind) = kinds.find("", "v1", "namespaces") else { return };
    let now = cluster.now_text();
    let changed = write::change_as_server(cluster, kind, "", name, |namespace| {
        let before = namespace.clone();
        if left.is_empty() {
            let finalizers =
                namespace["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
            let kept: Vec<Value> =
                finalizers.into_iter().filter(|name| name != "kubernetes").collect();
            namespace["spec"] =
                if kept.is_empty() { json!({}) } else { json!({"finalizers": kept}) };
        } else {
            for condition in conditions(&left, &now) {
                crds::set_condition(namespace, condition);
            }
        }
        *namespace != before
    });
    if let Err(problem) = changed {
        tracing::debug!(name, error = problem.message, "namespace not finalized");
    }
}

fn conditions(left: &[(String, Vec<Vec<String>>)], now: &str) -> [Value; 5] {
    let resources: Vec<String> = left
        .iter()
        .map(|(resource, of)| format!("{resource}. has {} resource instances", of.len()))
        .collect();
    let mut finalizers: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for name in left.iter().flat_map(|(_, of)| of).flatten() {
        *finalizers.entry(name).or_default() += 1;
    }
    let held: Vec<String> = finalizers
        .iter()
        .map(|(name, count)| format!("{name} in {count} resource instances"))
        .collect();
    let remaining = format!("Some resources are remaining: {}", resources.join(", "));
    let finalizing = if held.is_empty() {
        crds::condition(
            "NamespaceFinalizersRemaining",
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
            now,
        )
    } else {
        let message =
            format!("Some content in the namespace has finalizers remaining: {}", held.join(", "));
        crds::condition(
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            &message,
            now,
        )
    };
    [
        crds::condition(
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
            now,
        ),
        crds::condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
            now,
        ),
        crds::condition(
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
            now,
        ),
        crds::condition(
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            &remaining,
            now,
        ),
        finalizing,
    ]
}

fn empty_definition(cluster: &Arc<Cluster>, name: &str) {
    let Some(entry) = cluster.store.get(crds::TABLE, name) else { return };
    let object = entry.value();
    let kinds = cluster.kinds();
    let table = Definition::read(&object).table();
    if let Some(kind) = kinds.of_table(&table)
        && !empty(cluster, kind, "").is_empty()
    {
        return;
    }
    if let Some(kind) = kinds.find("apiextensions.k8s.io", "v1", "customresourcedefinitions") {
        drop_finalizer(cluster, kind, &object, CLEANUP);
    }
}

/// A volume that nobody uses loses its protection.
fn unprotect(cluster: &Arc<Cluster>, table: &TableId, key: &str) {
    let Some(entry) = cluster.store.get(table, key) else { return };
    let object = entry.value();
    let kinds = cluster.kinds();
    let Some(kind) = kinds.of_table(table) else { return };
    if &**table == PV {
        if object["status"]["phase"] != "Bound" {
            drop_finalizer(cluster, kind, &object, "kubernetes.io/pv-protection");
        }
        return;
    }
    let namespace = manifest::namespace(&object);
    let pods = cluster.store.list("/pods", &format!("{namespace}/"), None, 0, None);
    let used = pods.map(|page| page.entries).unwrap_or_default().iter().any(|(_, pod)| {
        let pod = pod.value();
        let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        let volumes = pod["spec"]["volumes"].as_array();
        !ended
            && volumes.into_iter().flatten().any(|volume| {
                volume["persistentVolumeClaim"]["claimName"].as_str()
                    == Some(manifest::name(&object))
            })
    });
    if !used {
        drop_finalizer(cluster, kind, &object, "kubernetes.io/pvc-protection");
    }
}
