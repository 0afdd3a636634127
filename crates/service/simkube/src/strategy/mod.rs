//! What differs from kind to kind: what a write may set, what it bumps, what it refuses.
//!
//! Upstream has a strategy type a kind. Here the rules stand in tables, and the few kinds
//! whose rules are more than a row have a module of their own. Validation of built-in kinds
//! is `kubevalid`'s.

mod accounts;
mod certificates;
mod claims;
mod devices;
mod families;
mod features;
mod jobs;
pub mod limits;
mod pods;
pub mod policies;
pub mod quotas;
mod resize;
mod services;
mod slices;
pub mod standards;
mod unwritten;

pub use services::Addresses;
pub use unwritten::Unwritten;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api::problem::{Cause, Problem};
use crate::api::request::User;
use crate::cluster::{Cluster, text_of};
use crate::kinds::Kind;
use crate::store::Entry;
use crate::{crds, meta, ownership, types, validation};

/// Kinds that a PUT makes where they are missing.
const CREATED_ON_UPDATE: &[(&str, &str)] = &[
    ("coordination.k8s.io", "Lease"),
    ("", "Endpoints"),
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("", "LimitRange"),
    ("", "Service"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
];

/// Kinds whose updates must name the version that they replace. CRDs' objects are among them too.
const NEVER_UNCONDITIONAL: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("coordination.k8s.io", "Lease"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodDisruptionBudget"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "CSIStorageCapacity"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Kinds whose deletion answers with the object instead of a Status.
const RETURNED_WHEN_DELETED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ResourceQuota"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceClaim"),
    ("resource.k8s.io", "ResourceClaimTemplate"),
    ("resource.k8s.io", "ResourceSlice"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
];

/// Kinds with a generation, and the fields whose change raises it; without fields it stays 1.
const GENERATION: &[(&str, &str, &[&str])] = &[
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", &["spec"]),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", &["spec"]),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", &["webhooks"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", &["spec"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", &["spec"]),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", &["webhooks"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec"]),
    ("apps", "DaemonSet", &["spec"]),
    ("apps", "Deployment", &["spec", "metadata.annotations"]),
    ("apps", "ReplicaSet", &["spec"]),
    ("apps", "StatefulSet", &["spec"]),
    ("batch", "CronJob", &["spec"]),
    ("batch", "Job", &["spec"]),
    ("", "Pod", &["spec"]),
    ("", "PodTemplate", &["template"]),
    ("", "ReplicationController", &["spec"]),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        &["addressType", "endpoints", "ports", "metadata.labels"],
    ),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", &["spec"]),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", &["spec"]),
    ("networking.k8s.io", "Ingress", &["spec"]),
    ("networking.k8s.io", "IngressClass", &["spec"]),
    ("networking.k8s.io", "NetworkPolicy", &["spec"]),
    ("policy", "PodDisruptionBudget", &["spec"]),
    ("resource.k8s.io", "DeviceClass", &["spec"]),
    ("resource.k8s.io", "ResourceSlice", &["spec"]),
    ("scheduling.k8s.io", "PriorityClass", &[]),
];

/// Kinds whose metadata is put back whole where their status is written.
const RESTORED: &[(&str, &str)] = &[
    ("apiregistration.k8s.io", "APIService"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
];

/// Kinds whose generation counts changes alone: new objects have none, unless the client sends one.
const GENERATION_OF_CHANGES: &[(&str, &str)] = &[("storage.k8s.io", "CSIDriver")];

/// Kinds whose generation counts also what differs from nothing only by being there.
const COMPARED_TO_THE_LETTER: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("networking.k8s.io", "NetworkPolicy"),
];

fn in_table(table: &[(&str, &str)], kind: &Kind) -> bool {
    table.iter().any(|(group, name)| kind.is(group, name))
}

/// Returns whether a PUT makes an object that is missing.
pub fn creates_on_update(kind: &Kind) -> bool {
    in_table(CREATED_ON_UPDATE, kind)
}

/// Returns whether an apply to the status makes an object that is missing.
pub fn made_through_status(kind: &Kind) -> bool {
    kind.is("", "Namespace")
        || kind.is("", "Service")
        || kind.is("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")
}

/// Returns whether a replacement of the status makes an object that is missing.
pub fn replaced_through_status(kind: &Kind) -> bool {
    kind.is("", "Service")
}

/// Returns whether the server puts letters of its own behind a `generateName`.
pub fn completes_names(kind: &Kind) -> bool {
    !kind.is("networking.k8s.io", "IPAddress")
}

/// Returns whether an update need not name the version that it replaces.
pub fn updates_unconditionally(kind: &Kind) -> bool {
    kind.built_in() && !in_table(NEVER_UNCONDITIONAL, kind)
}

/// Returns whether a deletion answers with the object.
pub fn returns_deleted(kind: &Kind) -> bool {
    in_table(RETURNED_WHEN_DELETED, kind)
}

/// Returns whether what the object owns stays, unless the client says something else.
pub fn orphans_by_default(kind: &Kind) -> bool {
    kind.is("batch", "Job") || kind.is("", "ReplicationController")
}

/// Returns whether the garbage collector cares for the kind.
pub fn is_collected(kind: &Kind) -> bool {
    !kind.is("", "Event") && !kind.is("events.k8s.io", "Event")
}

/// Returns whether objects of the kind are given time to end.
pub fn graceful(kind: &Kind) -> bool {
    kind.is("", "Pod")
}

/// Returns how many seconds the object has before it goes.
pub fn grace_s(kind: &Kind, object: &Value, wanted: Option<i64>) -> i64 {
    if graceful(kind) { pods::grace_s(object, wanted) } else { 0 }
}

/// Sets the deletion timestamp, and raises a generation that is kept.
pub fn mark_deleting(object: &mut Value, now: Timestamp, grace_s: i64) {
    let at = now.checked_add(jiff::SignedDuration::from_secs(grace_s)).unwrap_or(now);
    let first = !meta::deleting(object);
    let metadata = meta::of(object);
    metadata.insert("deletionTimestamp".to_owned(), json!(text_of(at)));
    metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace_s));
    let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0);
    if first && generation > 0 {
        metadata.insert("generation".to_owned(), json!(generation + 1));
    }
}

/// Refuses deletions that admission forbids.
///
/// # Errors
///
/// 403 for the namespaces that a cluster cannot be without.
pub fn admit_delete(kind: &Kind, name: &str) -> Result<(), Problem> {
    let lasting = matches!(name, "default" | "kube-system" | "kube-public");
    if kind.is("", "Namespace") && lasting {
        return Err(Problem::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Does what reading an object as Go's type leaves behind, before its fields get their owner.
pub fn before_owners(kind: &Kind, object: &mut Value, now: &str) {
    if kind.is("resource.k8s.io", "ResourceSlice") {
        devices::date_taints(object, now);
    }
    if kind.is("apps", "DaemonSet") && manifest::annotation(object, TEMPLATE_GENERATION).is_none() {
        set_template_generation(object, 0);
    }
}

/// Does what admission does to a new object, after its fields have their owner.
///
/// # Errors
///
/// In the server's words.
pub fn admit_create(
    cluster: &Cluster,
    kind: &Kind,
    server_side: bool,
    object: &mut Value,
) -> Result<(), Problem> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") if kind.built_in() => {
            limits::fill(cluster, object);
            pods::admit(cluster, object)
                .map_err(|why| Problem::forbidden(kind, meta::name_asked(object), &why))?;
            accounts::admit(cluster, kind, server_side, object)?;
            pods::admit_runtime(cluster, kind, object)?;
        }
        ("", "PersistentVolumeClaim") => {
            add_finalizer(object, "kubernetes.io/pvc-protection");
            default_storage_class(cluster, object);
        }
        ("", "PersistentVolume") => add_finalizer(object, "kubernetes.io/pv-protection"),
        ("", "Node") if kind.built_in() => not_ready(object),
        ("networking.k8s.io", "Ingress") => default_ingress_class(cluster, object),
        ("storage.k8s.io", "VolumeAttributesClass") => {
            add_finalizer(object, "kubernetes.io/vac-protection");
        }
        _ => {}
    }
    Ok(())
}

/// Does what admission does to an updated object, after its fields have their owner.
///
/// # Errors
///
/// In the server's words.
pub fn admit_update(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    old: &Value,
    new: &mut Value,
) -> Result<(), Problem> {
    if kind.is("", "Namespace") {
        name_label(new);
    }
    if kind.is("", "Pod") && subresource.is_empty() {
        pods::tolerate(new);
    }
    if kind.is("", "Pod") && subresource == "resize" && !meta::deleting(old) {
        limits::fill(cluster, new);
    }
    Ok(())
}

/// Nothing is scheduled on a node before it is known to be ready.
fn not_ready(node: &mut Value) {
    const KEY: &str = "node.kubernetes.io/not-ready";
    let Some(spec) = node.as_object_mut().map(|node| node.entry("spec").or_insert(json!({})))
    else {
        return;
    };
    let taints = &mut spec["taints"];
    if taints.is_null() {
        *taints = json!([]);
    }
    if let Some(list) = taints.as_array_mut()
        && !list.iter().any(|taint| taint["key"] == KEY && taint["effect"] == "NoSchedule")
    {
        list.push(json!({"key": KEY, "effect": "NoSchedule"}));
    }
}

fn add_finalizer(object: &mut Value, name: &str) {
    let finalizers = meta::of(object).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut()
        && !list.iter().any(|at| at == name)
    {
        list.push(json!(name));
    }
}

fn default_storage_class(cluster: &Cluster, claim: &mut Value) {
    if claim["spec"].get("storageClassName").is_some() {
        return;
    }
    let table = "storage.k8s.io/storageclasses";
    if let Some(name) = default_class(cluster, table, "storageclass.kubernetes.io/is-default-class")
    {
        claim["spec"]["storageClassName"] = json!(name);
    }
}

fn default_ingress_class(cluster: &Cluster, ingress: &mut Value) {
    let named = ingress["spec"].get("ingressClassName").is_some()
        || manifest::annotation(ingress, "kubernetes.io/ingress.class").is_some();
    let table = "networking.k8s.io/ingressclasses";
    if named {
        return;
    }
    if let Some(name) = default_class(cluster, table, "ingressclass.kubernetes.io/is-default-class")
    {
        ingress["spec"]["ingressClassName"] = json!(name);
    }
}

/// Returns the name of the class that an annotation makes the default.
fn default_class(cluster: &Cluster, table: &str, annotation: &str) -> Option<String> {
    let page = cluster.store.list(table, "", None, 0, None).ok()?;
    let mut defaults: Vec<(String, String)> = page
        .entries
        .iter()
        .map(|(_, entry)| entry.value())
        .filter(|class| manifest::annotation(class, annotation) == Some("true"))
        .map(|class| {
            (
                meta::text(&class, "creationTimestamp").to_owned(),
                meta::text(&class, "name").to_owned(),
            )
        })
        .collect();
    // The newest wins; of equally old ones the first by name.
    defaults.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    defaults.into_iter().next().map(|(_, name)| name)
}

fn name_label(namespace: &mut Value) {
    let name = meta::text(namespace, "name").to_owned();
    if !name.is_empty() {
        manifest::set_label(namespace, "kubernetes.io/metadata.name", &name);
    }
}

pub use pods::move_app_armor;

/// Prepares a new object: no status from the client, first generation, what the server allocates.
///
/// # Errors
///
/// In the server's words.
pub fn prepare_create(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    user: &User,
    object: &mut Value,
) -> Result<(), Problem> {
    if kind.built_in() {
        if GENERATION.iter().any(|(group, name, _)| kind.is(group, name)) {
            meta::of(object).insert("generation".to_owned(), json!(1));
        }
        if kind.subresources.contains_key("status") && !kind.is("", "Node") {
            set_status(object, types::zero(kind).get("status").cloned());
        }
    } else {
        meta::of(object).insert("generation".to_owned(), json!(1));
        if kind.subresources.contains_key("status")
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
            // What is read back is defaulted again.
            types::set_defaults_applied(kind, object);
        }
    }
    if kind.built_in() {
        features::forget(kind, None, object);
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        _ if !kind.built_in() => {}
        ("", "Pod") => pods::prepare_create(object, &cluster.now_text()),
        ("", "Namespace") => prepare_namespace(object),
        ("", "LimitRange") if meta::text(object, "name").is_empty() => {
            meta::of(object).insert("name".to_owned(), json!(cluster.new_uid()));
        }
        ("", "PersistentVolume") => {
            object["status"] =
                json!({"phase": "Pending", "lastPhaseTransitionTime": cluster.now_text()});
        }
        ("", "PersistentVolumeClaim") => {
            object["status"] = json!({"phase": "Pending"});
            claims::source(None, object);
        }
        ("discovery.k8s.io", "EndpointSlice") => slices::drop_topology(None, object),
        // Through its status a service is made without an address.
        ("", "Service") if subresource.is_empty() => services::prepare(cluster, None, object)?,
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            certificates::prepare_create(user, object);
        }
        ("batch", "Job") => {
            jobs::prepare_create(object);
        }
        ("apps", "DaemonSet") => {
            let given = template_generation(object);
            set_template_generation(object, given.max(1));
        }
        ("", "ServiceAccount") => keep_names_of_secrets(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crds::prepare_create(object),
        ("resource.k8s.io", "ResourceSlice") => devices::date_taints(object, &cluster.now_text()),
        ("apiregistration.k8s.io", "APIService") if object["spec"]["service"].is_null() => {
            object["status"]["conditions"] = json!([{
                "type": "Available",
                "status": "True",
                "lastTransitionTime": cluster.now_text(),
                "reason": "Local",
                "message": "Local APIServices are always available",
            }]);
        }
        _ => {}
    }
    Ok(())
}

fn prepare_namespace(object: &mut Value) {
    object["status"] = json!({"phase": "Active"});
    let finalizers = object["spec"].get("finalizers").and_then(Value::as_array).cloned();
    let mut finalizers = finalizers.unwrap_or_default();
    if !finalizers.iter().any(|name| name == "kubernetes") {
        finalizers.push(json!("kubernetes"));
    }
    object["spec"] = json!({"finalizers": finalizers});
}

/// Of an account's secrets nothing is kept but what they are called.
fn keep_names_of_secrets(account: &mut Value) {
    let secrets = account.get_mut("secrets").and_then(Value::as_array_mut);
    for secret in secrets.into_iter().flatten() {
        if let Some(fields) = secret.as_object_mut() {
            fields.retain(|name, _| name == "name");
        }
    }
}

fn set_status(object: &mut Value, status: Option<Value>) {
    let Some(fields) = object.as_object_mut() else { return };
    match status {
        Some(status) => fields.insert("status".to_owned(), status),
        None => fields.remove("status"),
    };
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn set_template_generation(object: &mut Value, generation: i64) {
    manifest::set_annotation(object, TEMPLATE_GENERATION, &generation.to_string());
}

fn template_generation(object: &Value) -> i64 {
    manifest::annotation(object, TEMPLATE_GENERATION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Prepares an updated object: what this door may not change is put back, the generation raised.
///
/// # Errors
///
/// In the server's words.
pub fn prepare_update(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    old: &Value,
    new: &mut Value,
) -> Result<(), Problem> {
    if kind.is("certificates.k8s.io", "CertificateSigningRequest") {
        certificates::prepare_update(subresource, &cluster.now_text(), old, new);
        return Ok(());
    }
    if kind.built_in() && !features::are_forgotten_last(kind) {
        features::forget(kind, Some(old), new);
    }
    if subresource == "status" {
        keep_all_but_status(kind, old, new);
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "PersistentVolume") => claims::count_phase(old, new, &cluster.now_text()),
            ("", "Pod") => {
                // Through its status nobody says that a pod is going.
                match old["metadata"].get("deletionTimestamp").cloned() {
                    Some(time) => meta::of(new).insert("deletionTimestamp".to_owned(), time),
                    None => meta::of(new).remove("deletionTimestamp"),
                };
                pods::keep_quality(old, new);
            }
            ("apps", "DaemonSet") => set_template_generation(new, template_generation(old)),
            _ => {}
        }
        return Ok(());
    }
    if kind.subresources.contains_key("status") {
        set_status(new, old.get("status").cloned());
    }
    if !kind.built_in() {
        let has_status = kind.subresources.contains_key("status");
        let counts = |name: &str| name != "metadata" && !(has_status && name == "status");
        let fields = |object: &Value| -> usize {
            object.as_object().map_or(0, |fields| fields.keys().filter(|name| counts(name)).count())
        };
        let same = fields(old) == fields(new)
            && new
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, value)| !counts(name) || old.get(name) == Some(value));
        raise_generation(old, new, !same);
        return Ok(());
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") if subresource != "finalize" => {
            new["spec"]["finalizers"] = old["spec"]["finalizers"].clone();
        }
        ("", "Pod") => pods::prepare_update(subresource, old, new),
        ("", "ServiceAccount") => keep_names_of_secrets(new),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crds::store_version(new),
        ("", "Service") => services::prepare(cluster, Some(old), new)?,
        ("", "PersistentVolumeClaim") => claims::source(Some(old), new),
        ("apps", "DaemonSet") => {
            let changed = differs(kind, old, new, &["spec.template"]);
            let before = template_generation(old).max(1);
            set_template_generation(new, before + i64::from(changed));
        }
        _ => {}
    }
    let rule = GENERATION.iter().find(|(group, name, _)| kind.is(group, name));
    if let Some((_, _, fields)) = rule.filter(|(_, _, fields)| !fields.is_empty()) {
        raise_generation(old, new, differs(kind, old, new, fields));
    }
    if kind.is("discovery.k8s.io", "EndpointSlice") {
        slices::drop_topology(Some(old), new);
    }
    if features::are_forgotten_last(kind) {
        features::forget(kind, Some(old), new);
    }
    if in_table(GENERATION_OF_CHANGES, kind) {
        raise_generation(old, new, differs(kind, old, new, &["spec"]));
    }
    Ok(())
}

/// Whether fields differ, as the kind's strategy compares them: what is empty is as good as what is not
/// there, but for those who compare to the letter.
fn differs(kind: &Kind, old: &Value, new: &Value, fields: &[&str]) -> bool {
    let changed = |new: &Value| fields.iter().any(|path| at_path(old, path) != at_path(new, path));
    if !changed(new) {
        return false;
    }
    if in_table(COMPARED_TO_THE_LETTER, kind) || !holds_empty(new) {
        return true;
    }
    let mut kept = new.clone();
    types::keep(kind, &mut kept);
    changed(&kept)
}

/// Whether an empty list or map stands anywhere but in managed fields.
fn holds_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.is_empty()
                || fields.iter().any(|(name, value)| name != "managedFields" && holds_empty(value))
        }
        Value::Array(items) => items.is_empty() || items.iter().any(holds_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn at_path<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').try_fold(object, |at, step| at.get(step)).unwrap_or(&Value::Null)
}

fn raise_generation(old: &Value, new: &mut Value, changed: bool) {
    if !changed {
        return;
    }
    let generation = manifest::generation(old);
    meta::of(new).insert("generation".to_owned(), json!(generation + 1));
}

/// Through the status door only the status changes; built-in kinds let metadata through as well.
fn keep_all_but_status(kind: &Kind, old: &Value, new: &mut Value) {
    let status = new.get("status").cloned();
    let mut kept = old.clone();
    let given = meta::of(new).clone();
    let metadata = meta::of(&mut kept);
    if kind.built_in() && !ownership::status_forgets_metadata(kind) {
        let labels = metadata.get("labels").cloned();
        *metadata = given;
        if kind.is("apps", "Deployment") {
            put(metadata, "labels", labels);
        }
        if kind.is("", "Pod") {
            put(metadata, "ownerReferences", old["metadata"].get("ownerReferences").cloned());
        }
    } else if kind.built_in() && !RESTORED.iter().any(|(group, name)| kind.is(group, name)) {
        *metadata = given;
        keep_metadata(old, metadata);
    } else {
        put(metadata, "managedFields", given.get("managedFields").cloned());
        metadata.remove("resourceVersion");
    }
    set_status(&mut kept, status);
    *new = kept;
}

/// Puts back what may be said of an object through its main door alone.
fn keep_metadata(old: &Value, metadata: &mut Map<String, Value>) {
    const KEPT: [&str; 7] = [
        "annotations",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "labels",
        "ownerReferences",
        "selfLink",
    ];
    for name in KEPT {
        put(metadata, name, old["metadata"].get(name).cloned());
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
}

/// Returns what is wrong with a new object.
pub fn create_causes(cluster: &Cluster, kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = validation::create(kind, object);
    if kind.group == "resource.k8s.io"
        && let Some(refused) = devices::admin_access(cluster, kind, object)
    {
        causes.insert(0, validation::cause(&refused));
    }
    causes
}

/// Says whether an object may have what it asks for beyond its own fields; this is asked before all else.
///
/// # Errors
///
/// In the server's words, where another has it.
pub fn allocate(
    cluster: &Cluster,
    kind: &Kind,
    old: Option<&Value>,
    new: &Value,
    dry_run: bool,
) -> Result<(), Problem> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Service") if kind.built_in() => services::allocate(cluster, old, new, dry_run),
        _ => Ok(()),
    }
}

/// Does what admission does to a new object that is in order.
///
/// # Errors
///
/// In the server's words.
pub fn admit_valid(cluster: &Cluster, kind: &Kind, object: &Value) -> Result<(), Problem> {
    match kind.built_in() && kind.is("", "Pod") {
        true => pods::costs_as_its_class(cluster, kind, object),
        false => one_default(cluster, kind, object, false),
    }
}

/// Refuses a priority class that would be the default beside another. `stands`: whether the class is there
/// already, which may be the default itself.
///
/// # Errors
///
/// 403, which names the other.
pub fn one_default(
    cluster: &Cluster,
    kind: &Kind,
    class: &Value,
    stands: bool,
) -> Result<(), Problem> {
    if !kind.is("scheduling.k8s.io", "PriorityClass") || class["globalDefault"] != true {
        return Ok(());
    }
    let name = meta::text(class, "name");
    let Ok(page) = cluster.store.list(&kind.table, "", None, 0, None) else { return Ok(()) };
    let others = page.entries.iter().map(|(_, entry)| entry.value());
    let default = others
        .filter(|other| other["globalDefault"] == true)
        .min_by_key(|other| other["value"].as_i64().unwrap_or(0));
    let Some(default) = default else { return Ok(()) };
    let default = meta::text(&default, "name");
    if stands && default == name {
        return Ok(());
    }
    let why =
        format!("PriorityClass {default} is already marked as default. Only one default can exist");
    Err(Problem::forbidden(kind, name, &why))
}

/// Does to a new object that is in order what reading it back does.
pub fn read_back(kind: &Kind, object: &mut Value) {
    if kind.is("batch", "Job") {
        // The job takes its template's labels.
        types::set_defaults(kind, object);
    }
    if kind.is("", "Namespace") {
        // A name that the server made up is a label, too.
        name_label(object);
    }
}

/// Takes away of an object that is in order what is never shown of it.
pub fn hide(kind: &Kind, object: &mut Value) {
    if kind.is("", "Service") {
        services::hide(object);
    }
}

/// Returns what is wrong with an updated object. The simulated scheduler, who is on the server's side,
/// binds pods without the `binding` door.
pub fn update_causes(
    kind: &Kind,
    subresource: &str,
    server_side: bool,
    old: &Value,
    new: &Value,
) -> Vec<Cause> {
    let mut causes = validation::update(kind, subresource, old, new);
    if kind.is("", "Pod") && subresource == "resize" {
        causes.extend(validation::causes(&resize::errors(old, new)));
    }
    if kind.is("", "Pod") && !server_side {
        causes.extend(pods::update_causes(subresource, old, new));
    }
    causes
}

/// Returns what the client is told beside the answer.
pub fn warnings(kind: &Kind, subresource: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    validation::warnings(kind, subresource, new, old)
}

/// Does what follows a write at once.
pub fn after_write(cluster: &Arc<Cluster>, kind: &Kind, old: Option<&Value>, new: &Value) {
    match old {
        None => cluster.unwritten.made(kind, new),
        Some(_) => cluster.unwritten.kept_as_shown(new),
    }
    if kind.is("", "Service") {
        cluster.addresses.hold(&cluster.store, old, new);
    }
    if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        crds::settle(cluster, meta::text(new, "name"));
    }
}

/// Does what follows a removal at once.
pub fn after_removal(cluster: &Arc<Cluster>, kind: &Kind, gone: &Entry) {
    if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        cluster.reload_definitions();
    }
    if kind.is("", "Service") {
        cluster.addresses.release(&gone.value());
    }
    if !kind.built_in() || kind.is("batch", "Job") || kind.is("", "PersistentVolumeClaim") {
        cluster.unwritten.kept_as_shown(&gone.value());
    }
}

/// Returns how Go calls a kind's versioned type, for example `v1.Secret`.
pub fn go_name(api_version: &str, kind: &str) -> String {
    let (_, version) = manifest::split_api_version(api_version);
    format!("{version}.{kind}")
}

/// Returns how Go calls a kind's internal type, for example `core.ConfigMap`.
pub fn go_internal_name(group: &str, kind: &str) -> String {
    let package = match group {
        "" => "core",
        "events.k8s.io" => "core",
        "rbac.authorization.k8s.io" => "rbac",
        group => group.split('.').next().unwrap_or(group),
    };
    format!("{package}.{kind}")
}
