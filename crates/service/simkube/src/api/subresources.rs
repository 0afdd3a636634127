//! What stands below an object: status, scale, logs, tokens, eviction, binding, finalize.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::delete;
use super::negotiate::{self, Wanted};
use super::options::{DeleteOptions, WriteKind};
use super::problem::Problem;
use super::read;
use super::request::{Answer, Request, Response};
use super::route::{Query, Target};
use super::write::{self, Write};
use crate::body;
use crate::cluster::{Cluster, text_of};
use crate::kinds::Kind;
use crate::ownership::Writer;
use crate::{convert, meta, ownership, types};

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
    if !kind.subresources.contains_key(name) {
        return Err(Problem::no_such_resource());
    }
    let wanted = negotiate::choose(&request.accept, query)?;
    let response = match name {
        "scale" => scale(cluster, kind, target, request, query, wanted)?,
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
            let options = write::options(query, WriteKind::Update)?;
            Write::new(cluster, kind, target, &options, &request.user_agent)
                .replace(request, wanted)
        }
        "PATCH" => {
            write::admits_patch(kind, request)?;
            let options = write::options(query, write::patch_kind(&request.content_type))?;
            Write::new(cluster, kind, target, &options, &request.user_agent).patch(request, wanted)
        }
        _ => Err(Problem::method_not_allowed()),
    }
}

/// Where a kind's replicas stand: in the spec, in the status, and the selector.
struct Places {
    spec: String,
    status: String,
    selector: Option<String>,
}

fn places(kind: &Kind) -> Places {
    let definition = kind.definition.as_ref().and_then(|d| d.version(&kind.version));
    if let Some(scale) = definition.and_then(|version| version.scale.as_ref()) {
        return Places {
            spec: scale.spec_path.clone(),
            status: scale.status_path.clone(),
            selector: Some(scale.selector_path.clone()).filter(|path| !path.is_empty()),
        };
    }
    Places {
        spec: ".spec.replicas".to_owned(),
        status: ".status.replicas".to_owned(),
        selector: Some(".spec.selector".to_owned()),
    }
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(object, |at, step| at.get(step))
}

fn set_at(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    *place = value;
}

fn scale_of(kind: &Kind, object: &Value) -> Value {
    let places = places(kind);
    let number = |path: &str| at(object, path).and_then(Value::as_i64).unwrap_or(0);
    let selector = places.selector.as_deref().and_then(|path| at(object, path));
    let selector = selector.map(selector_text).unwrap_or_default();
    let mut metadata = json!({});
    for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(name) {
            metadata[name] = value.clone();
        }
    }
    let mut status = json!({"replicas": number(&places.status)});
    if !selector.is_empty() {
        status["selector"] = json!(selector);
    }
    let replicas = number(&places.spec);
    let spec = if replicas == 0 { json!({}) } else { json!({"replicas": replicas}) };
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    })
}

/// Returns a selector as one line of text.
fn selector_text(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let mut parts: Vec<(String, String)> = Vec::new();
    let labels = selector.get("matchLabels").or(Some(selector)).and_then(Value::as_object);
    for (key, value) in labels.into_iter().flatten() {
        if let Some(value) = value.as_str() {
            parts.push((key.clone(), format!("{key}={value}")));
        }
    }
    for rule in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = rule["key"].as_str().unwrap_or_default();
        let values: Vec<&str> =
            rule["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let values = values.join(",");
        let text = match rule["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key.to_owned(), text));
    }
    parts.sort();
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

fn scale(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let key = kind.key(&target.namespace, &target.name);
    let shape = Kind::scale();
    let sent = match request.method.as_str() {
        "PUT" => {
            let sent = body::read(&request.content_type, &request.body, &shape).and_then(|sent| {
                types::decode(&shape, sent.value).map_err(|error| error.of_body(&shape))
            });
            Some(sent.map_err(|problem| undecodable_scale(kind, problem))?.value)
        }
        _ => None,
    };
    let entry = cluster
        .store
        .get(&kind.table, &key)
        .ok_or_else(|| Problem::not_found(kind, &target.name))?;
    let object = convert::out(kind, entry.value())?;
    let mut now = scale_of(kind, &object);
    let path = places(kind).spec;
    let is_missing = !kind.built_in() && at(&object, &path).is_none_or(Value::is_null);
    if is_missing {
        now["spec"]["replicas"] = json!(NO_REPLICAS);
    }
    let new = match (request.method.as_str(), sent) {
        ("GET", _) if is_missing => return Err(no_replicas(&path)),
        ("GET", _) => return read::written(200, &now, wanted),
        ("PATCH", _)
            if !kind.built_in()
                && write::patch_kind(&request.content_type) == WriteKind::Apply
                && !is_owned(&object, &path) =>
        {
            return Err(Problem::new(500, "", NO_OWNERS));
        }
        ("PUT", Some(sent)) => sent,
        ("PATCH", _) => write::patch_value(request, &now)?,
        (_, _) => return Err(Problem::method_not_allowed()),
    };
    let replicas = new["spec"].get("replicas").and_then(Value::as_i64).unwrap_or(0);
    if !kind.built_in() && replicas == NO_REPLICAS {
        return Err(Problem::bad_request(format!(
            "the spec replicas field \"{path}\" cannot be empty"
        )));
    }
    if replicas < 0 && kind.built_in() {
        let cause = meta::cause(
            "FieldValueInvalid",
            "spec.replicas",
            &format!("Invalid value: {replicas}: must be greater than or equal to 0"),
        );
        return Err(Problem::invalid("autoscaling", "Scale", &target.name, &[cause]));
    }
    let version = meta::text(&new, "resourceVersion").to_owned();
    let patch_kind = match request.method.as_str() {
        "PATCH" => write::patch_kind(&request.content_type),
        _ => WriteKind::Update,
    };
    let options = write::options(query, patch_kind)?;
    if patch_kind == WriteKind::Apply {
        let mut patch = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.kind,
            "metadata": {"name": target.name, "namespace": target.namespace},
        });
        // What is applied counts, not what it led to.
        let applied = body::json_or_yaml(&request.body)?.value;
        if !applied["spec"]["replicas"].is_null() {
            set_at(&mut patch, &path, json!(replicas));
        }
        if let Some(version) = applied["metadata"].get("resourceVersion") {
            patch["metadata"]["resourceVersion"] = version.clone();
        }
        let written =
            Write::new(cluster, kind, target, &options, &request.user_agent).apply_scale(&patch)?;
        let object = convert::out(kind, written.entry.value())?;
        return read::written(200, &scale_of(kind, &object), wanted);
    }
    let written = Write::new(cluster, kind, target, &options, &request.user_agent)
        .set(&version, |object| set_at(object, &path, json!(replicas)))?;
    let object = convert::out(kind, written.entry.value())?;
    read::written(200, &scale_of(kind, &object), wanted)
}

/// What a custom object's scale says where the object has no replicas: less than any could be.
const NO_REPLICAS: i64 = i32::MIN as i64;

/// What is said where the scale of a custom object is applied to and nobody owns its replicas: the server
/// then reads an empty scale as if it were the custom object.
const NO_OWNERS: &str = "failed to create manager for existing fields: failed to convert live object (/; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1";

fn no_replicas(path: &str) -> Problem {
    let why = format!("the spec replicas field \"{path}\" does not exist");
    let mut problem = Problem::new(500, "InternalError", format!("Internal error occurred: {why}"));
    problem.details = Some(json!({"causes": [{"message": why}]}));
    problem
}

/// Returns whether somebody owns an object's replicas.
pub fn replicas_are_owned(kind: &Kind, object: &Value) -> bool {
    is_owned(object, &places(kind).spec)
}

/// Returns an object with the owners that a written scale leaves behind: a scale to nothing says no
/// number, so that nobody owns it.
pub fn owned_as_scaled(kind: &Kind, live: &Value, new: Value, writer: &Writer<'_>) -> Value {
    let path = places(kind).spec;
    let without_nothing = |object: &Value| {
        let mut object = object.clone();
        if at(&object, &path).and_then(Value::as_i64) == Some(0)
            && let Some((parent, name)) = path.rsplit_once('.')
            && let Some(fields) = object.pointer_mut(&parent.replace('.', "/"))
            && let Some(fields) = fields.as_object_mut()
        {
            fields.remove(name);
        }
        object
    };
    let owned =
        ownership::update(kind, Some(&without_nothing(live)), without_nothing(&new), writer);
    let mut new = new;
    meta::keep_owners(&owned, &mut new);
    new
}

/// Returns an object whose replicas somebody owns: where nobody does, those who were there before the
/// first apply to its scale.
pub fn with_owned_replicas(kind: &Kind, live: &Value) -> Value {
    let path = places(kind).spec;
    let mut live = live.clone();
    let replicas = at(&live, &path).and_then(Value::as_i64).unwrap_or(0);
    if replicas == 0 || is_owned(&live, &path) {
        return live;
    }
    let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
    let fields =
        steps.iter().rev().fold(json!({}), |inner, step| json!({format!("f:{step}"): inner}));
    let owner = json!({
        "manager": "before-first-apply",
        "operation": "Update",
        "subresource": "scale",
        "apiVersion": kind.api_version(),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    let owners = &mut live["metadata"]["managedFields"];
    match owners.as_array_mut() {
        Some(owners) => owners.push(owner),
        None => *owners = json!([owner]),
    }
    live
}

/// Whether somebody owns the field at a path such as `.spec.replicas`.
fn is_owned(object: &Value, path: &str) -> bool {
    let owners = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| {
        path.split('.')
            .filter(|step| !step.is_empty())
            .try_fold(&owner["fieldsV1"], |at, step| at.get(format!("f:{step}")))
            .is_some()
    })
}

/// The server does not know the scale of a custom kind when it is to say what is wrong with one.
fn undecodable_scale(kind: &Kind, problem: Problem) -> Problem {
    match !kind.built_in() && problem.code == 400 {
        true => Problem::bad_request(
            "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
        ),
        false => problem,
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
    review["spec"]["audiences"] = audiences;
    review["spec"]["expirationSeconds"] = json!(seconds);
    review["status"] = json!({"token": token, "expirationTimestamp": text_of(ends)});
    Ok(Response::value(201, &review))
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

fn success() -> Response {
    Response::value(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    )
}
