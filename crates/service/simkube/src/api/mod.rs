//! The API without sockets: a request goes in, an answer or a watch comes out.
//!
//! Start at [`answer`].

pub mod delete;
mod discovery;
mod eviction;
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

use std::sync::Arc;

use serde_json::{Value, json};

use crate::authority::Wish;
use crate::cluster::Cluster;
use crate::kinds::Kind;
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
    let mut answer = match granted.and_then(|()| dispatch(cluster, request, host)) {
        Ok(answer) => answer,
        Err(problem) => Answer::Response(problem.into()),
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
    let path = request.path.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let whole = |response: Response| Ok(Answer::Response(response));
    match parts.as_slice() {
        [] => whole(root(cluster)),
        ["version"] => whole(version()),
        ["healthz" | "livez" | "readyz", ..] => whole(Response::text(200, "ok")),
        ["openapi", "v3"] => whole(openapi::v3_index(cluster)),
        ["openapi", "v3", rest @ ..] => {
            openapi::v3(cluster, &rest.join("/"), &request.accept).map(Answer::Response)
        }
        ["openapi", "v2"] => openapi::v2(cluster, &request.accept).map(Answer::Response),
        [".well-known", "openid-configuration"] => whole(reviews::openid(host)),
        ["openid", "v1", "jwks"] => whole(Response::value(200, &json!({"keys": []}))),
        ["api"] | ["api", "v1"] | ["apis", _, _] if refuses_verb(cluster, &parts, request) => {
            Err(Problem::method_not_allowed())
        }
        ["api"] => whole(discovery::core(&cluster.kinds(), &request.accept, host)),
        ["apis"] => whole(discovery::groups(&cluster.kinds(), &request.accept)),
        ["api", version] => {
            if *version != "v1" {
                return Err(Problem::no_such_resource());
            }
            whole(discovery::resources(&cluster.kinds(), "", "v1"))
        }
        ["apis", group] => match cluster.kinds().group(group) {
            Some(group) => whole(discovery::group(group)),
            None => whole(page_not_found()),
        },
        ["apis", group, version] => {
            let kinds = cluster.kinds();
            let is_built_in = crate::kinds::Kinds::built_in().group(group).is_some();
            if is_built_in && !serves(&kinds, group, version) {
                return Err(Problem::no_such_resource());
            }
            if !serves(&kinds, group, version) {
                return whole(page_not_found());
            }
            whole(discovery::resources(&kinds, group, version))
        }
        ["api" | "apis", ..] => resource(cluster, request),
        _ => whole(page_not_found()),
    }
}

/// Whether a document of discovery is there for readers alone; those of groups, and of the versions of custom
/// ones, are told to whoever asks, whatever he asks.
fn refuses_verb(cluster: &Cluster, parts: &[&str], request: &Request) -> bool {
    let kinds = cluster.kinds();
    let known = |group: &str| crate::kinds::Kinds::built_in().group(group).is_some();
    let built_in = match parts {
        ["apis", group, version] => known(group) && serves(&kinds, group, version),
        _ => true,
    };
    built_in && !matches!(request.method.as_str(), "GET")
}

fn serves(kinds: &crate::kinds::Kinds, group: &str, version: &str) -> bool {
    kinds.group(group).is_some_and(|group| group.versions.iter().any(|served| served == version))
}

fn resource(cluster: &Arc<Cluster>, request: &Request) -> Result<Answer, Problem> {
    let Some(target) = route::target(&request.path) else {
        return Ok(Answer::Response(page_not_found()));
    };
    let kinds = cluster.kinds();
    let Some(kind) = kinds.find(&target.group, &target.version, &target.plural).cloned() else {
        let is_custom = crate::kinds::Kinds::built_in().group(&target.group).is_none();
        if is_custom || !serves(&kinds, &target.group, &target.version) {
            return Ok(Answer::Response(page_not_found()));
        }
        return Err(Problem::no_such_resource());
    };
    let query = Query::parse(&request.query);
    if !target.namespace.is_empty() && !kind.namespaced {
        return Err(Problem::no_such_resource());
    }
    if request.method == "HEAD" && kind.built_in() {
        return Err(Problem::method_not_allowed());
    }
    if let Some(answer) = reviews::answer(cluster, &kind, &target, request)? {
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
    let Some(warning) = validation::deprecation(&kind) else { return outcome };
    match outcome {
        Ok(Answer::Response(mut response)) => {
            response.warnings.insert(0, warning);
            Ok(Answer::Response(response))
        }
        Ok(watch) => Ok(watch),
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

fn main_resource(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Answer, Problem> {
    let named = !target.name.is_empty();
    if !kind.built_in() && named && request.method == "PATCH" {
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
        ("GET" | "POST" | "PUT" | "PATCH" | "DELETE", true)
            if !in_namespace && !kind.built_in() =>
        {
            whole(page_not_found())
        }
        ("GET" | "PUT" | "PATCH" | "DELETE", true) if !in_namespace => {
            Err(Problem::no_such_resource())
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
    for group in kinds.groups.iter().filter(|group| !group.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        paths
            .extend(group.versions.iter().map(|version| format!("/apis/{}/{version}", group.name)));
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/readyz", "/version"]
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
