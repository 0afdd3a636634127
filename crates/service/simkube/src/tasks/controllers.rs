//! Simulated controllers: `workloads` decides, this carries out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use manifest::{GroupKind, ObjectKey};
use serde_json::Value;
use tokio::time::Instant;
use workloads::{Context, Outcome, Write as Wanted};

use crate::api::delete;
use crate::api::options::DeleteOptions;
use crate::api::problem::Problem;
use crate::api::route::Target;
use crate::api::write::{self, Write};
use crate::cluster::{Cluster, NODE};
use crate::store::{Change, Entry, Event, TableId};

/// Objects to look at now, and objects to look at later: one time an object, the earliest.
#[derive(Default)]
pub(super) struct Controllers {
    due: BTreeSet<ObjectKey>,
    later: BTreeMap<(Instant, ObjectKey), ()>,
    times: HashMap<ObjectKey, Instant>,
    /// How often an object was tried in a row without success.
    tries: HashMap<ObjectKey, u32>,
}

/// After so many writes in a row that fail an object waits for its next event.
const TRIES_MAX: u32 = 10;

/// The tables whose objects are looked at, whoever owns them.
const HANDLED: &[(&str, &str, &str)] = &[
    (PODS, "", "Pod"),
    ("/persistentvolumes", "", "PersistentVolume"),
    ("/persistentvolumeclaims", "", "PersistentVolumeClaim"),
    (SERVICES, "", "Service"),
    ("/replicationcontrollers", "", "ReplicationController"),
    ("networking.k8s.io/ingresses", "networking.k8s.io", "Ingress"),
    ("apps/deployments", "apps", "Deployment"),
    ("apps/replicasets", "apps", "ReplicaSet"),
    ("apps/statefulsets", "apps", "StatefulSet"),
    ("apps/daemonsets", "apps", "DaemonSet"),
    ("batch/jobs", "batch", "Job"),
    ("batch/cronjobs", "batch", "CronJob"),
    (API_SERVICES, "apiregistration.k8s.io", "APIService"),
    (BUDGETS, "policy", "PodDisruptionBudget"),
    (AUTOSCALERS, "autoscaling", "HorizontalPodAutoscaler"),
];

const PODS: &str = "/pods";
const SERVICES: &str = "/services";
const ENDPOINTS: &str = "/endpoints";
const API_SERVICES: &str = "apiregistration.k8s.io/apiservices";
const BUDGETS: &str = "policy/poddisruptionbudgets";
const AUTOSCALERS: &str = "autoscaling/horizontalpodautoscalers";

/// Who is looked at again when an object of a table changes that lies beside it.
const BESIDE: &[(&str, &[&str])] = &[
    (PODS, &[BUDGETS]),
    (SERVICES, &[API_SERVICES]),
    ("/replicationcontrollers", &[BUDGETS, AUTOSCALERS]),
    ("apps/deployments", &[BUDGETS, AUTOSCALERS]),
    ("apps/replicasets", &[BUDGETS, AUTOSCALERS]),
    ("apps/statefulsets", &[BUDGETS, AUTOSCALERS]),
];

impl Controllers {
    pub(super) fn is_busy(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn see(&mut self, cluster: &Cluster, table: &TableId, event: &Event) {
        if let Some((_, beside)) = BESIDE.iter().find(|(at, _)| **at == **table)
            && let Some((namespace, _)) = event.key.split_once('/')
        {
            for object in beside.iter().flat_map(|table| of_namespace(cluster, table, namespace)) {
                self.due.insert(manifest::key_of(&object));
            }
        }
        match (&**table, &event.change) {
            (PODS, _) => self.due.extend(selecting(cluster, event)),
            // Whoever takes them away is no better than their Service.
            (ENDPOINTS, Change::Deleted(_)) => {
                let endpoints = event.entry.value();
                let (namespace, name) =
                    (manifest::namespace(&endpoints), manifest::name(&endpoints));
                self.due.insert(ObjectKey::new("", "Service", namespace, name));
            }
            _ => {}
        }
        let handled = HANDLED.iter().any(|(at, group, kind)| {
            **at == **table
                && workloads::handles(&GroupKind { group: (*group).into(), kind: (*kind).into() })
        });
        // Most objects concern no controller, and are not even parsed.
        if !handled && event.entry.meta.owners.is_empty() {
            return;
        }
        self.due.extend(workloads::wakes(&event.entry.value()));
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn wake_due(&mut self, now: Instant) {
        while let Some(((at, key), ())) = self.later.first_key_value() {
            if *at > now {
                return;
            }
            let (at, key) = (*at, key.clone());
            self.later.remove(&(at, key.clone()));
            self.times.remove(&key);
            self.due.insert(key);
        }
    }

    pub(super) fn act(&mut self, cluster: &Arc<Cluster>) {
        for key in std::mem::take(&mut self.due) {
            self.reconcile(cluster, key);
        }
    }

    fn reconcile(&mut self, cluster: &Arc<Cluster>, key: ObjectKey) {
        let kinds = cluster.kinds();
        let of_key = kinds.stored().find(|kind| kind.group == key.group && kind.kind == key.kind);
        let Some(kind) = of_key.cloned() else { return };
        let Some(entry) = cluster.store.get(&kind.table, &kind.key(&key.namespace, &key.name))
        else {
            self.forget(&key);
            if kind.table.as_ref() == SERVICES {
                without_service(cluster, &key);
            }
            return;
        };
        let object = entry.value();
        let outcome = decide(cluster, &object);
        if let Some(wait) = outcome.again_after {
            self.look_again(key.clone(), Instant::now() + wait);
        }
        for write in &outcome.writes {
            if let Err(problem) = carry_out(cluster, &object, write) {
                tracing::debug!(
                    kind = key.kind,
                    namespace = key.namespace,
                    name = key.name,
                    error = problem.message,
                    "simulated controller's write refused"
                );
                self.try_again(key, &problem);
                return;
            }
        }
        self.tries.remove(&key);
    }

    fn try_again(&mut self, key: ObjectKey, problem: &Problem) {
        let tries = self.tries.entry(key.clone()).or_default();
        *tries += 1;
        // What another write overtook is decided anew; anything else waits for a change.
        if problem.code == 409 && *tries <= TRIES_MAX {
            self.due.insert(key);
        } else {
            self.tries.remove(&key);
        }
    }

    fn look_again(&mut self, key: ObjectKey, at: Instant) {
        if let Some(known) = self.times.get(&key).copied() {
            if known <= at && known > Instant::now() {
                return;
            }
            self.later.remove(&(known, key.clone()));
        }
        self.times.insert(key.clone(), at);
        self.later.insert((at, key), ());
    }

    fn forget(&mut self, key: &ObjectKey) {
        if let Some(at) = self.times.remove(key) {
            self.later.remove(&(at, key.clone()));
        }
        self.tries.remove(key);
    }
}

/// The Services that select a pod, as it stands or as it stood.
fn selecting(cluster: &Cluster, event: &Event) -> Vec<ObjectKey> {
    let Some((namespace, _)) = event.key.split_once('/') else { return Vec::new() };
    let services = of_namespace(cluster, SERVICES, namespace);
    if services.is_empty() {
        return Vec::new();
    }
    let pods: Vec<Value> =
        std::iter::once(&event.entry).chain(event.before()).map(Entry::value).collect();
    let selects = |service: &&Value| pods.iter().any(|pod| workloads::selects(service, pod));
    services.iter().filter(selects).map(manifest::key_of).collect()
}

/// The Endpoints of a Service go with it, whoever made them.
fn without_service(cluster: &Arc<Cluster>, service: &ObjectKey) {
    let kinds = cluster.kinds();
    let Some(kind) = kinds.find("", "v1", "endpoints") else { return };
    let options = DeleteOptions::default();
    if let Err(problem) = delete::delete(cluster, kind, &service.namespace, &service.name, &options)
        && problem.code != 404
    {
        tracing::debug!(name = service.name, error = problem.message, "Endpoints are left");
    }
}

/// The objects of a namespace, or of the cluster where a kind has none.
fn of_namespace(cluster: &Cluster, table: &str, namespace: &str) -> Vec<Value> {
    let prefix = if table == API_SERVICES { String::new() } else { format!("{namespace}/") };
    cluster.store.values(table, &prefix)
}

/// What an autoscaler scales.
fn target_of(cluster: &Cluster, autoscaler: &Value) -> Option<Value> {
    let named = &autoscaler["spec"]["scaleTargetRef"];
    let text = |field: &str| named[field].as_str().unwrap_or_default();
    let kinds = cluster.kinds();
    let kind = kinds.of(text("apiVersion"), text("kind"))?;
    let key = kind.key(manifest::namespace(autoscaler), text("name"));
    Some(cluster.store.get(&kind.table, &key)?.value())
}

fn decide(cluster: &Cluster, object: &Value) -> Outcome {
    let uid = manifest::uid(object);
    let owned: Vec<Arc<Value>> = cluster
        .store
        .owned_by(uid)
        .iter()
        .filter_map(|(table, key)| cluster.store.get(table, key))
        .map(|entry| entry.value())
        .filter(|dependent| {
            manifest::owner_references(dependent)
                .iter()
                .any(|owner| owner.controller && owner.uid == uid)
        })
        .map(Arc::new)
        .collect();
    let all = |wanted: bool, table: &str| -> Vec<Arc<Value>> {
        if !wanted {
            return Vec::new();
        }
        let page = cluster.store.list(table, "", None, 0, None);
        let entries = page.map(|page| page.entries).unwrap_or_default();
        entries.iter().map(|(_, entry)| Arc::new(entry.value())).collect()
    };
    let kind = manifest::kind(object);
    let neighbours = match kind {
        "PodDisruptionBudget" => BESIDE
            .iter()
            .filter(|(_, beside)| beside.contains(&BUDGETS))
            .flat_map(|(table, _)| of_namespace(cluster, table, manifest::namespace(object)))
            .map(Arc::new)
            .collect(),
        "Service" => {
            let key = format!("{}/{}", manifest::namespace(object), manifest::name(object));
            let endpoints = cluster.store.get(ENDPOINTS, &key).map(|entry| entry.value());
            let pods = of_namespace(cluster, PODS, manifest::namespace(object));
            pods.into_iter().chain(endpoints).map(Arc::new).collect()
        }
        "APIService" => {
            let text = |field: &str| object["spec"]["service"][field].as_str().unwrap_or_default();
            let entry =
                cluster.store.get(SERVICES, &format!("{}/{}", text("namespace"), text("name")));
            entry.map(|entry| Arc::new(entry.value())).into_iter().collect()
        }
        "HorizontalPodAutoscaler" => target_of(cluster, object).map(Arc::new).into_iter().collect(),
        _ => Vec::new(),
    };
    let context = Context {
        neighbours: &neighbours,
        now: cluster.now(),
        node: NODE,
        ingress_classes: &all(kind == "Ingress", "networking.k8s.io/ingressclasses"),
        storage_classes: &all(kind == "PersistentVolumeClaim", "storage.k8s.io/storageclasses"),
    };
    workloads::reconcile(object, &owned, &context)
}

fn carry_out(cluster: &Arc<Cluster>, writer: &Value, write: &Wanted) -> Result<(), Problem> {
    let manager = write.manager(writer);
    match write {
        Wanted::Create(object) => {
            let Some((kind, target)) = write::target_of(cluster, object, "") else { return Ok(()) };
            let options = write::options_of(manager);
            let target = Target { name: String::new(), ..target };
            match Write::new(cluster, &kind, &target, &options, "").create_value(object.clone()) {
                // It is there: the event that says so is on its way.
                Err(problem) if problem.reason == "AlreadyExists" => Ok(()),
                outcome => outcome.map(drop),
            }
        }
        Wanted::Update(object) => write::write_as(cluster, manager, object, ""),
        Wanted::UpdateStatus(object) => write::write_as(cluster, manager, object, "status"),
        Wanted::Delete { key, uid, grace_s } => {
            let kinds = cluster.kinds();
            let kind = kinds.stored().find(|kind| kind.group == key.group && kind.kind == key.kind);
            let Some(kind) = kind.cloned() else { return Ok(()) };
            let options = DeleteOptions {
                grace_period_s: grace_s.map(i64::from),
                uid: Some(uid.clone()),
                ..DeleteOptions::default()
            };
            match delete::delete(cluster, &kind, &key.namespace, &key.name, &options) {
                Err(problem) if problem.code == 404 => Ok(()),
                outcome => outcome.map(drop),
            }
        }
    }
}
