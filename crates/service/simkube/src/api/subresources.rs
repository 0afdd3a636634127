//! What stands below an object: status, logs, tokens, eviction, binding, finalize.

use std::sync::Arc;

use serde_json::{Value, json};

use super::binding;
use super::eviction;
use super::negotiate::{self, Wanted};
use super::problem::Problem;
use super::read;
use super::request::{Answer, Request, Response};
use super::route::{Query, Target};
use super::scale;
use super::token;
use super::write::{self, Write};
use crate::cluster::Cluster;
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
        "log" if request.method != "GET" => return Err(Problem::method_not_allowed()),
        "log" => log(cluster, kind, target, query)?,
        "token" => token::make(cluster, kind, target, request, query)?,
        "eviction" => eviction::evict(cluster, kind, target, request, query)?,
        "binding" => binding::bind(cluster, kind, target, request, query)?,
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
    let only_replaced = target.subresource == "finalize";
    match request.method.as_str() {
        verb if only_replaced && verb != "PUT" => Err(Problem::method_not_allowed()),
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
    response.headers.clear();
    Ok(response)
}

/// What is done to a pod names it again: refuses what is sent for another than the path names.
///
/// # Errors
///
/// 400 in the server's words.
pub fn names_the_pod(body: &Value, target: &Target, what: &str) -> Result<(), Problem> {
    if body["metadata"]["name"].as_str().unwrap_or_default() == target.name {
        return Ok(());
    }
    let why = format!("name in URL does not match name in {what} object");
    Err(Problem::bad_request(why))
}

/// Says that it is done.
pub fn success() -> Response {
    Response::value(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    )
}
