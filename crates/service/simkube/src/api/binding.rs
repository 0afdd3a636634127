//! Bindings: a pod gets its node, and what else its scheduler says of it.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::request::{Request, Response};
use super::route::{Query, Target};
use super::subresources::{names_the_pod, success};
use super::write::{self, Asked};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::{crds, meta};

/// Answers a binding through the pod's own door.
///
/// # Errors
///
/// In the server's words; 409 where the pod has a node, waits or goes.
pub fn bind(
    cluster: &Arc<Cluster>,
    pods: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let kinds = cluster.kinds();
    let bindings = kinds.find("", "v1", "bindings").expect("bindings are built in");
    let asked = write::asked(cluster, bindings, target, request, query)?;
    names_the_pod(&asked.object, target, "Binding")?;
    answer(cluster, pods, &target.namespace, asked)
}

/// Answers a binding that is sent among the namespace's bindings: it names its pod itself.
///
/// # Errors
///
/// As [`bind`].
pub fn bind_named(
    cluster: &Arc<Cluster>,
    bindings: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Response, Problem> {
    let asked = write::asked(cluster, bindings, target, request, query)?;
    let kinds = cluster.kinds();
    let pods = kinds.find("", "v1", "pods").expect("pods are built in");
    answer(cluster, pods, &target.namespace, asked)
}

fn answer(
    cluster: &Arc<Cluster>,
    pods: &Arc<Kind>,
    namespace: &str,
    asked: Asked,
) -> Result<Response, Problem> {
    let Asked { object, dry_run, warnings, .. } = asked;
    let said = meta::text(&object, "namespace");
    if !said.is_empty() && said != namespace {
        let why =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Problem { warnings, ..Problem::bad_request(why) });
    }
    match carry_out(cluster, pods, namespace, &object, dry_run) {
        Ok(response) => Ok(Response { warnings, ..response }),
        Err(problem) => Err(Problem { warnings, ..problem }),
    }
}

fn carry_out(
    cluster: &Arc<Cluster>,
    pods: &Arc<Kind>,
    namespace: &str,
    binding: &Value,
    dry_run: bool,
) -> Result<Response, Problem> {
    let node = named_node(binding)?;
    let name = meta::text(binding, "name");
    let pod = cluster.store.get(&pods.table, &pods.key(namespace, name));
    let pod = pod.ok_or_else(|| Problem::not_found(pods, name))?.value();
    stands_as_said(pods, binding, &pod)?;
    let taken = |why: &str| Problem::conflict_at(pods, "binding", name, why);
    if let Some(why) = unbindable(&pod) {
        return Err(taken(&why));
    }
    if dry_run {
        return Ok(success());
    }
    let now = cluster.now_text();
    // Another binding may have come in between.
    let since = RefCell::new(None);
    write::change_as_server(cluster, pods, namespace, name, |pod| {
        *since.borrow_mut() = unbindable(pod);
        if since.borrow().is_some() {
            return false;
        }
        pod["spec"]["nodeName"] = json!(node);
        if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) {
            status.remove("nominatedNodeName");
        }
        for field in ["annotations", "labels"] {
            add(pod, field, &binding["metadata"][field]);
        }
        add(pod, "labels", &Value::Object(place_of(cluster, node)));
        crds::set_condition(
            pod,
            json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now}),
        );
        true
    })?;
    match since.into_inner() {
        Some(why) => Err(taken(&why)),
        None => Ok(success()),
    }
}

/// The node that a binding names.
fn named_node(binding: &Value) -> Result<&str, Problem> {
    let text = |field: &str| binding["target"][field].as_str().unwrap_or_default();
    let mut wrong = Vec::new();
    if !matches!(text("kind"), "" | "Node") {
        wrong.push(format!(
            "target.kind: Unsupported value: {}: supported values: \"Node\", \"<empty>\"",
            manifest::field::quote(text("kind"))
        ));
    }
    if text("name").is_empty() {
        wrong.push("target.name: Required value".to_owned());
    }
    match wrong.as_slice() {
        [] => Ok(text("name")),
        [one] => Err(Problem::new(500, "", one.clone())),
        several => Err(Problem::new(500, "", format!("[{}]", several.join(", ")))),
    }
}

/// What a binding says of its pod's metadata holds.
fn stands_as_said(pods: &Kind, binding: &Value, pod: &Value) -> Result<(), Problem> {
    for (field, words) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let (asked, stands) = (meta::text(binding, field), meta::text(pod, field));
        if !asked.is_empty() && asked != stands {
            let name = meta::text(pod, "name");
            let key = pods.key(meta::text(pod, "namespace"), name);
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}/{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: {words} in precondition: {asked}, {words} in object meta: {stands}",
                pods.plural
            );
            return Err(Problem::conflict(pods, name, &why));
        }
    }
    Ok(())
}

/// Why a pod cannot be bound.
fn unbindable(pod: &Value) -> Option<String> {
    let name = meta::text(pod, "name");
    let spec = &pod["spec"];
    let node = spec["nodeName"].as_str().unwrap_or_default();
    if meta::deleting(pod) {
        return Some(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if !node.is_empty() {
        return Some(format!("pod {name} is already assigned to node \"{node}\""));
    }
    let waits = spec["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty());
    waits.then(|| format!("pod {name} has non-empty .spec.schedulingGates"))
}

/// Where a node is, by its labels.
fn place_of(cluster: &Cluster, node: &str) -> Map<String, Value> {
    const PLACES: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
    let node = cluster.store.get("/nodes", node).map(|entry| entry.value()).unwrap_or_default();
    let of = |name: &str| manifest::label(&node, name).map(|at| (name.to_owned(), json!(at)));
    PLACES.into_iter().filter_map(of).collect()
}

/// Adds annotations or labels to those that are there.
fn add(pod: &mut Value, field: &str, more: &Value) {
    let Some(more) = more.as_object().filter(|more| !more.is_empty()) else { return };
    let all = meta::of(pod).entry(field).or_insert_with(|| json!({}));
    if let Some(all) = all.as_object_mut() {
        all.extend(more.clone());
    }
}
