//! One simulated cluster: its objects, what it serves, and what it is like when it is new.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::crds::{self, Definition};
use crate::flows;
use crate::kinds::{Kind, Kinds};
use crate::store::{Draft, Expect, Store};
use crate::strategy::{Addresses, Unwritten};

/// Who answers what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One simulated cluster.
pub struct Cluster {
    /// As in its path, `main` for the first.
    pub name: String,
    /// Its objects.
    pub store: Store,
    /// Addresses and node ports of its Services.
    pub addresses: Addresses,
    /// Of Jobs.
    pub unwritten: Unwritten,
    /// Whether simulated controllers act in it.
    pub controllers: bool,
    clock: Clock,
    kinds: RwLock<Arc<Kinds>>,
    /// Told when a definition is another than before.
    redefined: watch::Sender<()>,
    drawn: AtomicU64,
    seed: RandomState,
    secret: OnceLock<String>,
}

/// The simulated node.
pub const NODE: &str = "simulated-0";

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Returns a cluster over what `store` holds; what every cluster has is made where it is missing.
    pub fn new(name: &str, store: Store, clock: Clock, controllers: bool) -> Arc<Cluster> {
        let cluster = Arc::new(Cluster {
            name: name.to_owned(),
            store,
            addresses: Addresses::default(),
            unwritten: Unwritten::default(),
            controllers,
            clock,
            kinds: RwLock::new(Kinds::built_in().clone()),
            redefined: watch::Sender::new(()),
            drawn: AtomicU64::new(0),
            seed: RandomState::new(),
            secret: OnceLock::new(),
        });
        cluster.reload_definitions();
        cluster.furnish();
        cluster
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Says with which token the administrator is let in; what it signs is signed with that. Only
    /// the first counts.
    pub fn keep_secret(&self, token: &str) {
        let _first = self.secret.set(token.to_owned());
    }

    /// Returns the administrator's token.
    pub fn secret(&self) -> &str {
        self.secret.get_or_init(|| self.new_uid())
    }

    /// Returns the time as objects bear it: RFC 3339, whole seconds, `Z`.
    pub fn now_text(&self) -> String {
        text_of(self.now())
    }

    /// Returns what the cluster serves at this moment.
    pub fn kinds(&self) -> Arc<Kinds> {
        self.kinds.read().clone()
    }

    /// Reads the CustomResourceDefinitions again.
    pub fn reload_definitions(&self) {
        let page = self.store.list(crds::TABLE, "", None, 0, None);
        let definitions: Vec<Arc<Definition>> = page
            .map(|page| page.entries)
            .unwrap_or_default()
            .iter()
            .filter_map(|(_, entry)| Definition::served(&entry.value()))
            .map(Arc::new)
            .collect();
        let kinds = if definitions.is_empty() {
            Kinds::built_in().clone()
        } else {
            Arc::new(Kinds::with(&definitions))
        };
        *self.kinds.write() = kinds;
        self.redefined.send_replace(());
    }

    /// Returns what tells when definitions have changed.
    pub fn redefinitions(&self) -> watch::Receiver<()> {
        self.redefined.subscribe()
    }

    /// Returns a new unique id.
    pub fn new_uid(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// Returns `base`, shortened where it is too long, and five characters that mean nothing.
    pub fn generate_name(&self, base: &str) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        const NAME_BYTES_MAX: usize = 63;
        const SUFFIX: usize = 5;
        let kept: String = base.chars().take(NAME_BYTES_MAX - SUFFIX).collect();
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(self.drawn.fetch_add(1, Ordering::Relaxed));
        let mut drawn = hasher.finish();
        let suffix: String = (0..SUFFIX)
            .map(|_| {
                let at = (drawn % ALPHABET.len() as u64) as usize;
                drawn /= ALPHABET.len() as u64;
                char::from(ALPHABET[at])
            })
            .collect();
        format!("{kept}{suffix}")
    }

    /// Makes an object of a new cluster, unless it is there.
    pub fn furnish_with(&self, kind: &Kind, object: &Value) {
        let namespace = crate::meta::text(object, "namespace");
        let key = kind.key(namespace, crate::meta::text(object, "name"));
        if self.store.get(&kind.table, &key).is_some() {
            return;
        }
        let mut object = object.clone();
        let metadata = crate::meta::of(&mut object);
        metadata.insert("uid".to_owned(), json!(self.new_uid()));
        metadata.insert("creationTimestamp".to_owned(), json!(self.now_text()));
        // Who comes second finds it made.
        let _made = self.store.commit(&kind.table, &key, Expect::Absent, Draft::new(&object));
    }

    fn furnish(&self) {
        let kinds = Kinds::built_in();
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let kind = kinds.find("", "v1", "namespaces").expect("namespaces are built in");
            self.furnish_with(kind, &namespace(name, &self.now_text()));
        }
        let service = kinds.find("", "v1", "services").expect("services are built in");
        self.furnish_with(service, &kubernetes_service());
        let class = kinds
            .find("scheduling.k8s.io", "v1", "priorityclasses")
            .expect("priority classes are built in");
        for (name, value) in
            [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)]
        {
            self.furnish_with(class, &json!({
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name, "generation": 1},
                "description": "Used for system critical pods, in this simulated cluster as in any.",
                "preemptionPolicy": "PreemptLowerPriority",
                "value": value,
            }));
        }
        for object in kuberbac::furniture() {
            let kind = kinds.of(manifest::api_version(&object), manifest::kind(&object));
            self.furnish_with(kind.expect("kinds of roles are built in"), &object);
        }
        flows::furnish(self, kinds);
        if self.controllers {
            self.furnish_node(kinds);
        }
    }

    fn furnish_node(&self, kinds: &Kinds) {
        let now = self.now_text();
        let node = kinds.find("", "v1", "nodes").expect("nodes are built in");
        let amounts =
            json!({"cpu": "32", "memory": "128Gi", "ephemeral-storage": "512Gi", "pods": "10000"});
        self.furnish_with(node, &json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": NODE,
                "labels": {
                    "beta.kubernetes.io/arch": "amd64",
                    "beta.kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": NODE,
                    "kubernetes.io/os": "linux",
                    "tiphys.dev/simulated": "true",
                },
            },
            "spec": {},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": NODE}],
                "allocatable": amounts,
                "capacity": amounts,
                "conditions": [{
                    "type": "Ready",
                    "status": "True",
                    "reason": "Simulated",
                    "message": "this node is simulated: nothing runs on it",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": "simulated",
                    "containerRuntimeVersion": "simulated://0",
                    "kernelVersion": "simulated",
                    "kubeProxyVersion": "",
                    "kubeletVersion": crate::api::VERSION,
                    "machineID": "simulated",
                    "operatingSystem": "linux",
                    "osImage": "simulated by Tiphys",
                    "systemUUID": "simulated",
                },
            },
        }));
        let class = kinds
            .find("storage.k8s.io", "v1", "storageclasses")
            .expect("storage classes are built in");
        self.furnish_with(
            class,
            &json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": "standard",
                    "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                },
                "provisioner": "tiphys.dev/simulated",
                "reclaimPolicy": "Delete",
                "volumeBindingMode": "Immediate",
            }),
        );
    }
}

fn namespace(name: &str, now: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/metadata.name": name},
            "managedFields": [{
                "manager": "kube-apiserver",
                "operation": "Update",
                "apiVersion": "v1",
                "time": now,
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/metadata.name": {}}}},
            }],
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

fn kubernetes_service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    })
}

/// Returns a time as objects bear it: RFC 3339, whole seconds, `Z`.
pub fn text_of(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string()
}
