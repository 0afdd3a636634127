//! The API without sockets: a request goes in, an answer or a watch comes out.
//!
//! Start at [`answer`].

mod binding;
pub mod delete;
mod discovery;
mod eviction;
mod health;
pub mod negotiate;
pub mod openapi;
pub mod options;
pub mod problem;
pub mod read;
pub mod request;
mod reviews;
pub mod route;
mod scale;
pub mod selector;
mod subresources;
pub mod table;
mod token;
pub mod watch;
pub mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::authority::Wish;
use crate::cluster::Cluster;
use crate::kinds::{Kind, Kinds};
use crate::{strategy, validation};

use negotiate::Wanted;
use options::ListOptions;
use problem::Problem;
use request::{Answer, Request, Response};
use route::{Query, Target};
use watch::WatchStream;
use write::Write;

/// What the server calls itself. The part behind `+` says that it is simulated.
pub const VERSION: &str = "v1.36.3+simkube";

/// Answers a request to a cluster. `host` is where the server listens, for discovery.
pub fn answer(cluster: &Arc<Cluster>, request: &Request, host: &str) -> Answer {
    let granted = Wish::of(request).granted(cluster, &request.user);
    let mut answer = match granted {
        Ok(()) => dispatch(cluster, request, host)
            .unwrap_or_else(|problem| Answer::Response(problem.into())),
        Err(problem) => Answer::Response(Response::from(problem).unguessed()),
    };
    if let Answer::Response(response) = &mut answer {
        prettify(request, response);
        in_yaml(request, response);
    }
    answer
}

/// Whoever wants YAML is told in YAML what went wrong, too.
fn in_yaml(request: &Request, response: &mut Response) {
    let yaml = negotiate::is_yaml(&request.accept, response.code < 400);
    if !yaml || !response.content_type.starts_with("application/json") {
        return;
    }
    if let Ok(value) = serde_json::from_slice::<Value>(&response.whole_body()) {
        response.body = vec![crate::body::to_yaml(&value).into_bytes().into()];
        response.content_type = "application/yaml".to_owned();
    }
}

fn dispatch(cluster: &Arc<Cluster>, request: &Request, host: &str) -> Result<Answer, Problem> {
    if request.path.contains("//") {
        // Between two slashes stands nothing that is served.
        return nowhere(request.path.strip_prefix('/').unwrap_or_default());
    }
    let path = request.path.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let whole = |response: Response| Ok(Answer::Response(response));
    match parts.as_slice() {
        [] => whole(root(cluster)),
        ["version"] | [".well-known", "openid-configuration"] | ["openid", "v1", "jwks"]
            if request.method != "GET" =>
        {
            Err(Problem::method_not_allowed())
        }
        ["version"] => whole(version()),
        ["version", ..] => Err(Problem::no_such_resource()),
        [door, below @ ..] if health::DOORS.contains(door) => {
            let query = Query::parse(&request.query);
            let found = health::answer(door, &below.join("/"), &query);
            whole(found.filter(|_| path == request.path).unwrap_or_else(page_not_found))
        }
        ["openapi", "v3"] if path == request.path => whole(openapi::v3_index(cluster)),
        ["openapi", "v3", rest @ ..] => whole(openapi::v3(cluster, &rest.join("/"))),
        ["openapi", "v2"] if path == request.path => {
            openapi::v2(cluster, &request.accept).map(Answer::Response)
        }
        [".well-known", "openid-configuration"] => whole(reviews::openid(host)),
        ["openid", "v1", "jwks"] => whole(reviews::keys()),
        ["api"] | ["api", "v1"] | ["apis", _, _] if refuses_verb(cluster, &parts, request) => {
            Err(Problem::method_not_allowed())
        }
        ["api"] => whole(discovery::core(&cluster.kinds(), &request.accept, host)?),
        ["apis"] => {
            whole(discovery::groups(&cluster.kinds(), &request.accept, path == request.path)?)
        }
        ["api", version] => {
            if *version != "v1" {
                return Err(Problem::no_such_resource());
            }
            whole(discovery::resources(&cluster.kinds(), "", "v1", &request.accept)?)
        }
        ["apis", group] => match cluster.kinds().group(group) {
            Some(group) => whole(discovery::group(group, &request.accept)?),
            None => whole(page_not_found()),
        },
        ["apis", group, version] => {
            let kinds = cluster.kinds();
            if !serves(&kinds, group, version) {
                return nowhere(&parts.join("/"));
            }
            whole(discovery::resources(&kinds, group, version, &request.accept)?)
        }
        ["api" | "apis", ..] => resource(cluster, request),
        _ => whole(page_not_found()),
    }
}

/// Says that a path leads nowhere, in the words of whoever answers for what stands below its beginning.
fn nowhere(path: &str) -> Result<Answer, Problem> {
    let mut parts = path.split('/');
    let is_built_in = match (parts.next(), parts.next()) {
        (Some("api"), Some(_)) => true,
        (Some("apis"), Some(group)) => Kinds::built_in().group(group).is_some(),
        _ => false,
    };
    match is_built_in {
        true => Err(Problem::no_such_resource()),
        false => Ok(Answer::Response(page_not_found())),
    }
}

/// Whether a document of discovery is there for readers alone; those of groups, and of the versions of custom
/// ones, are told to whoever asks, whatever he asks.
fn refuses_verb(cluster: &Cluster, parts: &[&str], request: &Request) -> bool {
    let kinds = cluster.kinds();
    let known = |group: &str| Kinds::built_in().group(group).is_some();
    let built_in = match parts {
        ["apis", group, version] => known(group) && serves(&kinds, group, version),
        _ => true,
    };
    built_in && !matches!(request.method.as_str(), "GET")
}

fn serves(kinds: &Kinds, group: &str, version: &str) -> bool {
    kinds.group(group).is_some_and(|group| group.versions.iter().any(|served| served == version))
}

fn resource(cluster: &Arc<Cluster>, request: &Request) -> Result<Answer, Problem> {
    let Some(target) = route::target(&request.path) else {
        return Ok(Answer::Response(page_not_found()));
    };
    let kinds = cluster.kinds();
    let Some(kind) = kinds.find(&target.group, &target.version, &target.plural).cloned() else {
        return nowhere(request.path.trim_start_matches('/'));
    };
    let query = Query::parse(&request.query);
    if !is_path_of(&kind, &target, &request.method) {
        return nowhere(request.path.trim_start_matches('/'));
    }
    if kind.built_in() && !is_method_of(&kind, &target, &request.method) {
        return Err(Problem::method_not_allowed());
    }
    if let Some(answer) = reviews::answer(cluster, &kind, &target, request, &query)? {
        return Ok(Answer::Response(answer));
    }
    let any = request.accept.contains("application/*");
    let takes_any = (any && !kind.built_in()).then(|| Request {
        accept: request.accept.replace("application/*", "application/json"),
        ..request.clone()
    });
    let request = takes_any.as_ref().unwrap_or(request);
    let outcome = match target.subresource.as_str() {
        "" => main_resource(cluster, &kind, &target, request, &query),
        _ => subresources::answer(cluster, &kind, &target, request, &query),
    };
    let outcome = outcome.and_then(|answer| includes_well(request, &query, answer));
    let outcome = outcome.map_err(|problem| {
        match !kind.built_in() && problem.message.starts_with("406: Not Acceptable") {
            true => Problem::new(406, "NotAcceptable", negotiate::ACCEPTED),
            false => problem,
        }
    });
    let outcome = warned_once(outcome);
    let Some(warning) = validation::deprecation(&kind) else { return outcome };
    match outcome {
        Ok(Answer::Response(mut response)) => {
            response.warnings.insert(0, warning);
            Ok(Answer::Response(response))
        }
        Ok(Answer::Watch(mut stream)) => {
            stream.warnings.insert(0, warning);
            Ok(Answer::Watch(stream))
        }
        // What no handler takes is told nothing.
        Err(problem) if problem.code == 405 && kind.built_in() => Err(problem),
        Err(problem) if problem.message == "415: Unsupported Media Type" => Err(problem),
        Err(problem) if problem.message.starts_with("406: Not Acceptable") => Err(problem),
        Err(problem) if kind.built_in() && problem.message == negotiate::NO_RESOURCE => {
            Err(problem)
        }
        Err(mut problem) => {
            problem.warnings.insert(0, warning);
            Err(problem)
        }
    }
}

/// Nobody is warned of the same twice.
fn warned_once(outcome: Result<Answer, Problem>) -> Result<Answer, Problem> {
    fn once(warnings: &mut Vec<String>) {
        let mut known = BTreeSet::new();
        warnings.retain(|warning| known.insert(warning.clone()));
    }
    match outcome {
        Ok(Answer::Response(mut response)) => {
            once(&mut response.warnings);
            Ok(Answer::Response(response))
        }
        Ok(stream) => Ok(stream),
        Err(mut problem) => {
            once(&mut problem.warnings);
            Err(problem)
        }
    }
}

/// Whether anything is served at a path, whatever it is asked with. Of custom kinds only lists go across
/// namespaces.
fn is_path_of(kind: &Kind, target: &Target, method: &str) -> bool {
    if !target.namespace.is_empty() && !kind.namespaced {
        return false;
    }
    let named = !target.name.is_empty();
    if kind.namespaced && target.namespace.is_empty() {
        return match kind.built_in() {
            true => !named && kind.allows("list"),
            false => !named && matches!(method, "GET" | "HEAD"),
        };
    }
    let below = target.subresource.split('/').next().unwrap_or_default();
    let deeper = target.subresource.contains('/') && below != "proxy";
    if kind.built_in() && !below.is_empty() && (deeper || !kind.subresources.contains_key(below)) {
        return false;
    }
    // The server's own questions have no names.
    !kind.built_in() || !named || kind.allows("get") || !target.subresource.is_empty()
}

/// Whether a built-in resource, or what stands below one, may be asked with a method.
fn is_method_of(kind: &Kind, target: &Target, method: &str) -> bool {
    let named = !target.name.is_empty();
    let everywhere = kind.namespaced && target.namespace.is_empty();
    if target.watch {
        return method == "GET";
    }
    let verb = match (method, named) {
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", false) if !everywhere => "create",
        ("DELETE", false) if !everywhere => "deletecollection",
        ("PUT", true) => "update",
        ("PATCH", true) => "patch",
        ("DELETE", true) => "delete",
        // What is below an object may be told anything.
        ("POST", true) if !target.subresource.is_empty() => return true,
        _ => return false,
    };
    !target.subresource.is_empty() || kind.allows(verb)
}

fn main_resource(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Answer, Problem> {
    let named = !target.name.is_empty();
    if !kind.built_in() && request.method == "PATCH" {
        write::takes_patch(kind, request)?;
    }
    let wanted = negotiate::choose(&request.accept, query).map_err(|mut problem| {
        let by_path = problem.message.starts_with("406");
        if by_path && !named && matches!(request.method.as_str(), "GET" | "HEAD") {
            problem.message.push_str(negotiate::ALSO_FOR_LISTS);
        }
        problem
    })?;
    let in_namespace = !kind.namespaced || !target.namespace.is_empty();
    let whole = |response: Response| Ok(Answer::Response(response));
    match (request.method.as_str(), named) {
        ("GET" | "HEAD", true) if in_namespace => {
            if target.watch {
                return list_or_watch(cluster, kind, target, query, wanted);
            }
            if query.flag("export") {
                return Err(Problem::bad_request(
                    "the export parameter, deprecated since v1.14, is no longer supported",
                ));
            }
            let version = query.get("resourceVersion");
            if !strategy::is_collected(kind) && !version.is_empty() {
                // What no cache holds is asked of those who keep it.
                read::parse_revision(version)?;
            }
            if let Ok(revision) = version.parse() {
                read::newer_than_there_is(cluster, revision)?;
            }
            if !version.is_empty() && version.parse::<u64>().is_err() {
                let said = format!(
                    "resourceVersion: Invalid value: \"{version}\": strconv.ParseUint: parsing \"{version}\": invalid syntax"
                );
                return Err(Problem::new(500, "", said));
            }
            whole(read::get(cluster, kind, &target.namespace, &target.name, wanted)?)
        }
        ("GET" | "HEAD", false) if kind.allows("list") => {
            list_or_watch(cluster, kind, target, query, wanted)
        }
        ("POST", false) if in_namespace && kind.is("", "Binding") => {
            whole(binding::bind_named(cluster, kind, target, request, query)?)
        }
        ("POST", false) if in_namespace && kind.allows("create") => {
            let options = write::options(kind, request, query)?;
            let write = Write::new(cluster, kind, target, &options, &request.user_agent);
            whole(write.create(request, wanted)?)
        }
        ("PUT", true) if in_namespace && kind.allows("update") => {
            let options = write::options(kind, request, query)?;
            let write = Write::new(cluster, kind, target, &options, &request.user_agent);
            whole(write.replace(request, wanted)?)
        }
        ("PATCH", true) if in_namespace && kind.allows("patch") => {
            let options = write::options(kind, request, query)?;
            let write = Write::new(cluster, kind, target, &options, &request.user_agent);
            whole(write.patch(request, wanted)?)
        }
        ("DELETE", true) if in_namespace && kind.allows("delete") => {
            let options = delete::options(request, query)?;
            whole(delete::one(cluster, kind, &target.namespace, &target.name, &options, wanted)?)
        }
        ("DELETE", false) if in_namespace && kind.allows("deletecollection") => {
            let list = ListOptions::parse(query)?;
            // Selectors are read before what is said of the deletion.
            selector::Selector::parse(&list.labels, &list.fields, kind)?;
            let options = delete::options(request, query)?;
            whole(delete::collection(cluster, kind, &target.namespace, &list, &options)?)
        }
        // Of custom kinds the path does not say what may be asked.
        ("POST", true) if !kind.built_in() && in_namespace => {
            let options = write::options(kind, request, query)?;
            let write = Write::new(cluster, kind, target, &options, &request.user_agent);
            whole(write.create(request, wanted)?)
        }
        ("PATCH" | "PUT", false) if !kind.built_in() && in_namespace => {
            Err(Problem::bad_request("name must be provided"))
        }
        (verb, _) if !kind.built_in() && !KNOWN_VERBS.contains(&verb) => {
            Err(Problem::not_supported(kind, verb))
        }
        _ => Err(Problem::method_not_allowed()),
    }
}

/// Refuses a table whose rows should carry what no row carries; what was done is done.
fn includes_well(request: &Request, query: &Query, answer: Answer) -> Result<Answer, Problem> {
    let include = query.get("includeObject");
    let known = matches!(include, "" | "None" | "Metadata" | "Object");
    let Answer::Response(response) = &answer else { return Ok(answer) };
    if known || response.code >= 400 {
        return Ok(answer);
    }
    let wanted = negotiate::choose(&request.accept, query)?;
    if !matches!(wanted.form, negotiate::Form::Table(_)) {
        return Ok(answer);
    }
    Err(Problem::bad_request(format!(
        "Unable to convert to Table as requested: includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
    )))
}

/// The verbs that a custom kind may be asked with.
const KNOWN_VERBS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

fn list_or_watch(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    query: &Query,
    wanted: Wanted,
) -> Result<Answer, Problem> {
    let mut options = ListOptions::parse(query)?;
    options.watch |= target.watch;
    if !options.watch {
        let response = read::list(cluster, kind, &target.namespace, &options, wanted)?;
        return Ok(Answer::Response(response));
    }
    if wanted.yaml {
        return Err(Problem::new(406, "NotAcceptable", negotiate::ACCEPTED_OF_WATCHES));
    }
    let stream =
        WatchStream::open(cluster, kind, &target.namespace, &target.name, &options, wanted)?;
    Ok(Answer::Watch(Box::new(stream)))
}

fn page_not_found() -> Response {
    Response::text(404, "404 page not found\n")
}

fn version() -> Response {
    Response::value(
        200,
        &json!({
            "major": "1",
            "minor": "36",
            "emulationMajor": "1",
            "emulationMinor": "36",
            "minCompatibilityMajor": "1",
            "minCompatibilityMinor": "35",
            "gitVersion": VERSION,
            "gitCommit": "simulated",
            "gitTreeState": "clean",
            "buildDate": "2026-07-01T00:00:00Z",
            "goVersion": "go1.26.8",
            "compiler": "gc",
            "platform": "linux/amd64",
        }),
    )
}

fn root(cluster: &Cluster) -> Response {
    let kinds = cluster.kinds();
    let mut paths: Vec<String> =
        ["/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/"]
            .map(str::to_owned)
            .to_vec();
    paths.extend(health::paths());
    for group in kinds.groups.iter().filter(|group| !group.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        paths
            .extend(group.versions.iter().map(|version| format!("/apis/{}/{version}", group.name)));
    }
    paths.extend(
        ["/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/version"]
            .map(str::to_owned),
    );
    paths.sort();
    Response::value(200, &json!({"paths": paths}))
}

/// People's tools get indented JSON, as upstream gives it them.
fn prettify(request: &Request, response: &mut Response) {
    let query = Query::parse(&request.query);
    let agent = request.user_agent.as_str();
    let person = ["curl", "Wget", "Mozilla/5.0"].iter().any(|name| agent.starts_with(name));
    let pretty = if query.has("pretty") { query.flag("pretty") } else { person };
    if !pretty || !response.content_type.starts_with("application/json") {
        return;
    }
    let parsed: Result<Value, _> = serde_json::from_slice(&response.whole_body());
    if let Ok(text) = parsed.and_then(|value| serde_json::to_vec_pretty(&value)) {
        response.body = vec![text.into()];
    }
}

#[cfg(test)]
mod tests;
