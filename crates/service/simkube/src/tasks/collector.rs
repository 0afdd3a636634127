//! Garbage collection: what nobody owns any longer goes, by the owner's wish or after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use manifest::OwnerReference;
use serde_json::{Value, json};

use crate::api::delete::{self, FOREGROUND, ORPHAN};
use crate::api::options::{DeleteOptions, Propagation};
use crate::api::write;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::store::{Change, Event, TableId};

/// Objects that may have to go, or be let go of.
#[derive(Default)]
pub(super) struct Collector {
    due: BTreeSet<(TableId, Box<str>)>,
}

impl Collector {
    pub(super) fn is_busy(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn see(&mut self, cluster: &Cluster, table: &TableId, event: &Event) {
        match &event.change {
            Change::Added | Change::Modified(_) => {
                let entry = &event.entry;
                let new_owners =
                    event.before().is_none_or(|before| before.meta.owners != entry.meta.owners);
                if entry.meta.deleting || (new_owners && !entry.meta.owners.is_empty()) {
                    self.due.insert((table.clone(), event.key.clone()));
                }
            }
            Change::Deleted(before) => {
                self.due.extend(cluster.store.owned_by(&before.meta.uid));
                if before.meta.owners.is_empty() {
                    return;
                }
                // An owner may be waiting for exactly this one to go.
                let object = before.value();
                for owner in manifest::owner_references(&object) {
                    if let Some((kind, key)) = place(cluster, &object, &owner) {
                        self.due.insert((kind.table.clone(), key.into()));
                    }
                }
            }
        }
    }

    pub(super) fn act(&mut self, cluster: &Arc<Cluster>) {
        for (table, key) in std::mem::take(&mut self.due) {
            self.examine(cluster, &table, &key);
        }
    }

    fn examine(&mut self, cluster: &Arc<Cluster>, table: &TableId, key: &str) {
        let Some(kind) = cluster.kinds().of_table(table).cloned() else { return };
        let Some(entry) = cluster.store.get(table, key) else { return };
        let object = entry.value();
        if entry.meta.deleting {
            let finalizers = meta::texts(&object, "finalizers");
            let has = |name: &str| finalizers.iter().any(|at| at == name);
            if has(ORPHAN) {
                orphan(cluster, &kind, &object);
            }
            if has(FOREGROUND) {
                self.foreground(cluster, &kind, &object);
            }
            return;
        }
        self.judge(cluster, &kind, &object);
    }

    /// The owner goes last: its dependents first.
    fn foreground(&mut self, cluster: &Arc<Cluster>, kind: &Arc<Kind>, object: &Value) {
        let uid = manifest::uid(object);
        let mut blocked = false;
        for (table, key) in cluster.store.owned_by(uid) {
            let Some(dependent) = cluster.store.get(&table, &key) else { continue };
            let owners = manifest::owner_references(&dependent.value());
            blocked |= owners.iter().any(|owner| owner.uid == uid && owner.block_owner_deletion);
            if !dependent.meta.deleting {
                self.due.insert((table, key));
            }
        }
        if !blocked {
            drop_finalizer(cluster, kind, object, FOREGROUND);
        }
    }

    /// An object none of whose owners is there, or stays, goes.
    fn judge(&mut self, cluster: &Arc<Cluster>, kind: &Arc<Kind>, object: &Value) {
        let owners = manifest::owner_references(object);
        if owners.is_empty() {
            return;
        }
        let (mut solid, mut waiting, mut gone) = (0, Vec::new(), Vec::new());
        for owner in &owners {
            match state(cluster, object, owner) {
                State::There => solid += 1,
                State::WaitsForDependents => waiting.push(owner.uid.clone()),
                State::Gone => gone.push(owner.uid.clone()),
            }
        }
        if solid > 0 {
            gone.append(&mut waiting);
            if !gone.is_empty() {
                drop_owners(cluster, kind, object, &gone);
            }
            return;
        }
        let finalizers = meta::texts(object, "finalizers");
        let has = |name: &str| finalizers.iter().any(|at| at == name);
        let owns = !cluster.store.owned_by(manifest::uid(object)).is_empty();
        let policy = if !waiting.is_empty() && owns || has(FOREGROUND) {
            Propagation::Foreground
        } else if has(ORPHAN) {
            Propagation::Orphan
        } else {
            Propagation::Background
        };
        let options = DeleteOptions {
            propagation: Some(policy),
            uid: Some(manifest::uid(object).to_owned()),
            ..DeleteOptions::default()
        };
        let (namespace, name) = (manifest::namespace(object), manifest::name(object));
        if let Err(problem) = delete::delete(cluster, kind, namespace, name, &options) {
            tracing::debug!(
                kind = kind.kind,
                namespace,
                name,
                error = problem.message,
                "not collected"
            );
        }
    }
}

enum State {
    There,
    WaitsForDependents,
    Gone,
}

fn state(cluster: &Cluster, object: &Value, owner: &OwnerReference) -> State {
    // A kind that is not served cannot be asked for: its objects may be there.
    let Some((kind, key)) = place(cluster, object, owner) else { return State::There };
    let found = cluster.store.get(&kind.table, &key);
    let Some(found) = found.filter(|entry| *entry.meta.uid == *owner.uid) else {
        return State::Gone;
    };
    if !found.meta.deleting {
        return State::There;
    }
    let waits = meta::texts(&found.value(), "finalizers").iter().any(|name| name == FOREGROUND);
    if waits && owner.block_owner_deletion { State::WaitsForDependents } else { State::There }
}

fn place(cluster: &Cluster, object: &Value, owner: &OwnerReference) -> Option<(Arc<Kind>, String)> {
    let kinds = cluster.kinds();
    let kind = kinds.of(&owner.api_version, &owner.kind)?.clone();
    let key = kind.key(manifest::namespace(object), &owner.name);
    Some((kind, key))
}

fn orphan(cluster: &Arc<Cluster>, kind: &Arc<Kind>, object: &Value) {
    let uid = manifest::uid(object).to_owned();
    for (table, key) in cluster.store.owned_by(&uid) {
        let Some(dependent) = cluster.store.get(&table, &key) else { continue };
        let Some(of) = cluster.kinds().of_table(&table).cloned() else { continue };
        drop_owners(cluster, &of, &dependent.value(), std::slice::from_ref(&uid));
    }
    drop_finalizer(cluster, kind, object, ORPHAN);
}

fn drop_owners(cluster: &Arc<Cluster>, kind: &Arc<Kind>, object: &Value, uids: &[String]) {
    change(cluster, kind, object, |object| {
        let Some(owners) = object["metadata"]["ownerReferences"].as_array() else { return false };
        let stays = |owner: &&Value| {
            owner["uid"].as_str().is_none_or(|uid| uids.iter().all(|dropped| dropped != uid))
        };
        let kept: Vec<Value> = owners.iter().filter(stays).cloned().collect();
        if kept.len() == owners.len() {
            return false;
        }
        set_or_remove(object, "ownerReferences", kept);
        true
    });
}

/// Takes a finalizer off an object.
pub(super) fn drop_finalizer(cluster: &Arc<Cluster>, kind: &Arc<Kind>, object: &Value, name: &str) {
    change(cluster, kind, object, |object| {
        let before = meta::texts(object, "finalizers");
        let kept: Vec<Value> = before.iter().filter(|at| *at != name).map(|at| json!(at)).collect();
        if kept.len() == before.len() {
            return false;
        }
        // A custom object tells an empty list from none.
        match kept.is_empty() && !kind.built_in() {
            true => {
                meta::of(object).insert("finalizers".to_owned(), json!([]));
            }
            false => set_or_remove(object, "finalizers", kept),
        }
        true
    });
}

fn set_or_remove(object: &mut Value, name: &str, list: Vec<Value>) {
    let metadata = meta::of(object);
    if list.is_empty() {
        metadata.remove(name);
    } else {
        metadata.insert(name.to_owned(), Value::Array(list));
    }
}

fn change(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    object: &Value,
    change: impl Fn(&mut Value) -> bool,
) {
    let (namespace, name) = (manifest::namespace(object), manifest::name(object));
    if let Err(problem) = write::change_as_server(cluster, kind, namespace, name, change) {
        tracing::debug!(kind = kind.kind, namespace, name, error = problem.message, "not changed");
    }
}
