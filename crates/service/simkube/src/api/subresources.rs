//! What stands below an object: status, logs, tokens, eviction, binding, finalize.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::delete;
use super::negotiate::{self, Wanted};
use super::options::DeleteOptions;
use super::problem::Problem;
use super::read;
use super::request::{Answer, Request, Response};
use super::route::{Query, Target};
use super::scale;
use super::write::{self, Write};
use crate::body;
use crate::cluster::{Cluster, text_of};
use crate::kinds::Kind;

/// Answers a request for a subresource.
///
/// # Errors
///
/// In the server's words.
pub fn answer(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Answer, Problem> {
    let name = target.subresource.split('/').next().unwrap_or_default();
    let deeper = target.subresource.contains('/') && name != "proxy";
    if !kind.subresources.contains_key(name) || (deeper && kind.built_in()) {
        return Err(match kind.built_in() {
            true => Problem::no_such_resource(),
            false => Problem::not_found(kind, &target.name),
        });
    }
    let wanted = negotiate::choose(&request.accept, query)?;
    let response = match name {
        "scale" => scale::answer(cluster, kind, target, request, query, wanted)?,
        "log" => log(cluster, kind, target, query)?,
        "token" => token(cluster, kind, target, request)?,
        "eviction" => evict(cluster, kind, target, request)?,
        "binding" => bind(cluster, kind, target, request)?,
        "exec" | "attach" | "portforward" | "proxy" => {
            return Err(Problem::new(
                501,
                "NotImplemented",
                format!("this cluster is simulated: nothing runs in it that `{name}` could reach"),
            ));
        }
        _ => door(cluster, kind, target, request, query, wanted)?,
    };
    Ok(Answer::Response(response))
}

/// A door to part of the same object: `status`, `finalize`, `approval`, `resize` and their like.
fn door(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
    wanted: Wanted,
) -> Result<Response, Problem> {
    match request.method.as_str() {
        "GET" => read::get(cluster, kind, &target.namespace, &target.name, wanted),
        "PUT" => {
            let options = write::options(kind, request, query)?;
            Write::new(cluster, kind, target, &options, &request.user_agent)
                .replace(request, wanted)
        }
        "PATCH" => {
            let options = write::options(kind, request, query)?;
            Write::new(cluster, kind, target, &options, &request.user_agent).patch(request, wanted)
        }
        verb if !kind.built_in() => Err(Problem::not_supported(kind, verb)),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn log(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    query: &Query,
) -> Result<Response, Problem> {
    let key = kind.key(&target.namespace, &target.name);
    let entry = cluster
        .store
        .get(&kind.table, &key)
        .ok_or_else(|| Problem::not_found(kind, &target.name))?;
    let pod = entry.value();
    let names: Vec<&str> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .filter_map(|list| pod["spec"].get(list).and_then(Value::as_array))
        .flatten()
        .filter_map(|container| container["name"].as_str())
        .collect();
    let wanted = query.get("container");
    let containers = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let container = match wanted {
        "" if containers == 1 => names.first().copied().unwrap_or_default(),
        "" => {
            return Err(Problem::bad_request(format!(
                "a container name must be specified for pod {}, choose one of: [{}]",
                target.name,
                names.join(" ")
            )));
        }
        wanted if names.contains(&wanted) => wanted,
        wanted => {
            return Err(Problem::bad_request(format!(
                "container {wanted} is not valid for pod {}",
                target.name
            )));
        }
    };
    let phase = pod["status"]["phase"].as_str().unwrap_or("Pending");
    if phase == "Pending" {
        return Err(Problem::bad_request(format!(
            "container \"{container}\" in pod \"{}\" is waiting to start: ContainerCreating",
            target.name
        )));
    }
    let image = pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|at| at["name"] == container)
        .and_then(|at| at["image"].as_str())
        .unwrap_or("none");
    let started = pod["status"]["startTime"].as_str().unwrap_or_default();
    let stamp = if query.flag("timestamps") { format!("{started} ") } else { String::new() };
    let lines = [
        format!(
            "{stamp}this cluster is simulated: container `{container}` of pod `{}` does not run",
            target.name
        ),
        format!("{stamp}it would run image `{image}`; its phase is {phase}"),
    ];
    let tail = query.number("tailLines")?.map_or(lines.len(), |n| usize::try_from(n).unwrap_or(0));
    let shown = &lines[lines.len().saturating_sub(tail)..];
    let mut text = shown.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    let mut response = Response::text(200, text);
    response.content_type = "text/plain".to_owned();
    Ok(response)
}

fn token(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    request: &Request,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let key = kind.key(&target.namespace, &target.name);
    let account = cluster
        .store
        .get(&kind.table, &key)
        .ok_or_else(|| Problem::not_found(kind, &target.name))?;
    let mut review = if request.body.is_empty() {
        json!({})
    } else {
        body::read(&request.content_type, &request.body, kind)?.value
    };
    let bound = bound_to(cluster, target, &review["spec"]["boundObjectRef"])?;
    let owners = owned_by_asker(&review, request, &text_of(cluster.now()));
    let seconds = review["spec"]["expirationSeconds"].as_i64().unwrap_or(3600);
    let now = cluster.now();
    let ends = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    let audiences = match review["spec"]["audiences"].as_array() {
        Some(audiences) if !audiences.is_empty() => json!(audiences),
        Some(_) | None => json!(["https://kubernetes.default.svc"]),
    };
    let claims = json!({
        "aud": audiences,
        "exp": ends.as_second(),
        "iat": now.as_second(),
        "iss": "https://kubernetes.default.svc",
        "kubernetes.io": {
            "namespace": target.namespace,
            "serviceaccount": {"name": target.name, "uid": &*account.meta.uid},
        },
        "sub": format!("system:serviceaccount:{}:{}", target.namespace, target.name),
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "none", "kid": "simulated"});
    let signature = URL_SAFE_NO_PAD.encode("simulated");
    let token = format!("{}.{}.{signature}", part(&header), part(&claims));
    review["kind"] = json!("TokenRequest");
    review["apiVersion"] = json!("authentication.k8s.io/v1");
    review["metadata"] = json!({
        "name": target.name,
        "namespace": target.namespace,
        "creationTimestamp": text_of(now),
    });
    if let Some(owners) = owners {
        review["metadata"]["managedFields"] = owners;
    }
    review["spec"]["boundObjectRef"] = bound;
    review["spec"]["audiences"] = audiences;
    review["spec"]["expirationSeconds"] = json!(seconds);
    review["status"] = json!({"token": token, "expirationTimestamp": text_of(ends)});
    Ok(Response::value(201, &review))
}

/// Returns what a token is bound to, which must be there.
fn bound_to(cluster: &Cluster, target: &Target, bound: &Value) -> Result<Value, Problem> {
    if bound.is_null() {
        return Ok(Value::Null);
    }
    let text = |field: &str| bound[field].as_str().unwrap_or_default();
    let (version, named, name) = (text("apiVersion"), text("kind"), text("name"));
    let version = if version.is_empty() { "v1" } else { version };
    let plural = match (version, named) {
        ("v1", "Pod") => "pods",
        ("v1", "Node") => "nodes",
        ("v1", "Secret") => "secrets",
        _ => {
            let (group, version) = manifest::split_api_version(version);
            return Err(Problem::bad_request(format!(
                "cannot bind token to object of type {group}/{version}, Kind={named}"
            )));
        }
    };
    let kinds = cluster.kinds();
    let kind = kinds.find("", "v1", plural).expect("these kinds are built in");
    let namespace = if kind.namespaced { target.namespace.as_str() } else { "" };
    let entry = cluster
        .store
        .get(&kind.table, &kind.key(namespace, name))
        .ok_or_else(|| Problem::not_found(kind, name))?;
    if named == "Pod" && entry.value()["spec"]["serviceAccountName"] != target.name.as_str() {
        return Err(Problem::bad_request(format!(
            "cannot bind token for serviceaccount {} to pod running with different serviceaccount name.",
            json!(target.name)
        )));
    }
    let uid = text("uid");
    if !uid.is_empty() && *entry.meta.uid != *uid {
        let named = Kind { plural: named.to_owned(), ..(**kind).clone() };
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(Problem::conflict(&named, name, &why));
    }
    Ok(bound.clone())
}

/// Who asks for a token owns what he says of it.
fn owned_by_asker(review: &Value, request: &Request, now: &str) -> Option<Value> {
    let mut owned = Map::new();
    for (name, value) in review["spec"].as_object()?.iter().filter(|(_, value)| !value.is_null()) {
        let mut inside = Map::new();
        if let Some(fields) = value.as_object() {
            inside.insert(".".to_owned(), json!({}));
            inside.extend(fields.keys().map(|field| (format!("f:{field}"), json!({}))));
        }
        owned.insert(format!("f:{name}"), Value::Object(inside));
    }
    if owned.is_empty() {
        return None;
    }
    let query = Query::parse(&request.query);
    let manager = match query.get("fieldManager") {
        "" => write::manager_of(&request.user_agent),
        named => named.to_owned(),
    };
    Some(json!([{
        "manager": manager,
        "operation": "Update",
        "apiVersion": "authentication.k8s.io/v1",
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": owned},
        "subresource": "token",
    }]))
}

fn evict(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let body = body::read(&request.content_type, &request.body, kind)?.value;
    names_the_pod(&body, target, "Eviction")?;
    let options = match body.get("deleteOptions") {
        Some(options) if !options.is_null() => {
            DeleteOptions::parse(&Query::default(), Some(options))?
        }
        Some(_) | None => DeleteOptions::default(),
    };
    delete::delete(cluster, kind, &target.namespace, &target.name, &options)?;
    Ok(success())
}

fn bind(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let body = body::read(&request.content_type, &request.body, kind)?.value;
    names_the_pod(&body, target, "Binding")?;
    let node = body["target"]["name"].as_str().unwrap_or_default().to_owned();
    let entry = cluster
        .store
        .get(&kind.table, &kind.key(&target.namespace, &target.name))
        .ok_or_else(|| Problem::not_found(kind, &target.name))?;
    let bound = entry.value()["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
    if !bound.is_empty() {
        let why = format!("pod {} is already assigned to node \"{bound}\"", target.name);
        return Err(Problem::conflict(kind, &target.name, &why));
    }
    let now = cluster.now_text();
    write::change_as_server(cluster, kind, &target.namespace, &target.name, |pod| {
        pod["spec"]["nodeName"] = json!(node);
        crate::crds::set_condition(
            pod,
            json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now}),
        );
        true
    })?;
    Ok(success())
}

/// What is done to a pod names it again.
fn names_the_pod(body: &Value, target: &Target, what: &str) -> Result<(), Problem> {
    if body["metadata"]["name"].as_str().unwrap_or_default() == target.name {
        return Ok(());
    }
    let why = format!("name in URL does not match name in {what} object");
    Err(Problem::bad_request(why))
}

fn success() -> Response {
    Response::value(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    )
}
