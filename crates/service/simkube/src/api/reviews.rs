//! Questions about who one is and what one may do.

use std::sync::Arc;

use kuberbac::{Asked as Wanted, Subject};
use serde_json::{Value, json};

use super::negotiate::{self, Form};
use super::problem::{Cause, Problem};
use super::read;
use super::request::{Request, Response, User};
use super::route::{Query, Target};
use super::write::{self, Asked};
use crate::authentic::{self, AUDIENCE};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::ownership::{self, Writer};

const GROUP: &str = "authorization.k8s.io";

/// Answers a review; `None` where the resource is none.
///
/// # Errors
///
/// In the server's words: 400 where the body does not parse or asks nothing, 422 for what cannot be asked.
pub fn answer(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Option<Response>, Problem> {
    if !matches!(kind.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
        || !kind.built_in()
    {
        return Ok(None);
    }
    let wanted = negotiate::choose(&request.accept, query)?;
    if matches!(wanted.form, Form::Table(_)) {
        return Err(Problem::new(406, "NotAcceptable", negotiate::ACCEPTED));
    }
    let asked = write::asked(cluster, kind, target, request, query)?;
    let warnings = asked.warnings.clone();
    match reviewed(cluster, kind, target, &request.user, asked) {
        Ok(review) => {
            let mut response = read::value(kind, &review, wanted, 201)?;
            response.warnings = warnings;
            Ok(Some(response))
        }
        Err(problem) => Err(Problem { warnings, ..problem }),
    }
}

/// Returns a review with what is said to it.
fn reviewed(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    user: &User,
    asked: Asked,
) -> Result<Value, Problem> {
    let mut review = asked.object;
    named_within(kind, target, &mut review)?;
    let now = cluster.now_text();
    let writer =
        Writer { manager: &asked.manager, subresource: "", now: &now, dry_run: asked.dry_run };
    for drawn in ["uid", "creationTimestamp", "deletionTimestamp", "selfLink"] {
        meta::of(&mut review).remove(drawn);
    }
    let mut review = ownership::update(kind, None, review, &writer);
    let status = match kind.kind.as_str() {
        "SelfSubjectReview" => {
            review = json!({"metadata": {"creationTimestamp": now}});
            json!({"userInfo": user.info()})
        }
        "TokenReview" => token(cluster, &review["spec"])?,
        "SelfSubjectRulesReview" => {
            let status = rules(cluster, user.subject(), &review["spec"])?;
            review = json!({"metadata": {}, "spec": {}});
            status
        }
        "SelfSubjectAccessReview" => {
            refuse(&wrong(kind, &review))?;
            access(cluster, user.subject(), &review["spec"])
        }
        _ => {
            refuse(&wrong(kind, &review))?;
            access_of_another(cluster, &review["spec"])
        }
    };
    review["kind"] = json!(kind.kind);
    review["apiVersion"] = json!(kind.api_version());
    review["status"] = status;
    Ok(review)
}

/// A review stands in the namespace of its path, where its kind stands in one.
fn named_within(kind: &Kind, target: &Target, review: &mut Value) -> Result<(), Problem> {
    let named = meta::text(review, "namespace").to_owned();
    if !kind.namespaced {
        meta::of(review).remove("namespace");
        return Ok(());
    }
    if !named.is_empty() && named != target.namespace {
        return Err(Problem::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    meta::of(review).insert("namespace".to_owned(), json!(target.namespace));
    Ok(())
}

/// Whose a token is.
fn token(cluster: &Cluster, spec: &Value) -> Result<Value, Problem> {
    let token = spec["token"].as_str().unwrap_or_default();
    if token.is_empty() {
        return Err(Problem::bad_request("token is required for TokenReview in authentication"));
    }
    let wanted = spec["audiences"].as_array().filter(|wanted| !wanted.is_empty());
    let is_for_us = wanted.is_none_or(|wanted| wanted.iter().any(|one| one == AUDIENCE));
    Ok(match authentic::bearer(cluster, token).filter(|_| is_for_us) {
        Some(user) => {
            json!({"authenticated": true, "user": user.info(), "audiences": [AUDIENCE]})
        }
        None => json!({"user": {}, "error": "invalid bearer token"}),
    })
}

fn rules(cluster: &Cluster, subject: Subject<'_>, spec: &Value) -> Result<Value, Problem> {
    let namespace = spec["namespace"].as_str().unwrap_or_default();
    if namespace.is_empty() {
        return Err(Problem::bad_request("no namespace on request"));
    }
    let all = kuberbac::rules_of(cluster, subject, namespace);
    let mut status = json!({
        "resourceRules": all.resources,
        "nonResourceRules": all.paths,
        "incomplete": false,
    });
    if let Some(problem) = all.problem {
        status["evaluationError"] = json!(problem);
    }
    Ok(status)
}

fn access_of_another(cluster: &Cluster, spec: &Value) -> Value {
    let name = spec["user"].as_str().unwrap_or_default();
    let groups: Vec<String> = spec["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect();
    access(cluster, Subject { name, groups: &groups }, spec)
}

fn access(cluster: &Cluster, subject: Subject<'_>, spec: &Value) -> Value {
    let (objects, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let text = |field: &str| objects[field].as_str().unwrap_or_default();
    let asked = match objects.is_null() {
        false => Wanted::Resource {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            subresource: text("subresource"),
            name: text("name"),
            namespace: text("namespace"),
        },
        true => Wanted::Path {
            verb: path["verb"].as_str().unwrap_or_default(),
            path: path["path"].as_str().unwrap_or_default(),
        },
    };
    let decision = kuberbac::decide(cluster, subject, asked);
    let mut status = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        status["reason"] = json!(decision.reason);
    }
    status
}

/// What is wrong with a question about access.
fn wrong(kind: &Kind, review: &Value) -> Vec<Cause> {
    let spec = &review["spec"];
    let mut causes = without_one(spec);
    let is_own = kind.kind == "SelfSubjectAccessReview";
    let names_nobody = spec["user"].as_str().unwrap_or_default().is_empty()
        && spec["groups"].as_array().is_none_or(Vec::is_empty);
    if !is_own && names_nobody {
        let words = "at least one of user or group must be specified";
        causes.push(meta::invalid("spec.user", "", words.to_owned()));
    }
    for selector in ["fieldSelector", "labelSelector"] {
        causes.extend(wrong_selector(&spec["resourceAttributes"][selector], selector));
    }
    let own: &[&str] = match kind.namespaced {
        true => &["managedFields", "namespace"],
        false => &["managedFields"],
    };
    let metadata = review["metadata"].as_object();
    if metadata.is_some_and(|fields| fields.keys().any(|name| !own.contains(&name.as_str()))) {
        let but = if kind.namespaced { " except for namespace" } else { "" };
        let shown = shown_metadata(&review["metadata"]);
        let words = format!("Invalid value: {shown}: must be empty{but}");
        causes.push(meta::cause("FieldValueInvalid", "metadata", &words));
    }
    if kind.namespaced {
        causes.extend(foreign(spec, meta::text(review, "namespace")));
    }
    causes
}

/// What is wrong with a question that asks for objects and a path, or for neither.
fn without_one(spec: &Value) -> Vec<Cause> {
    let (objects, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let cause = |field: &str, said: &str| {
        meta::cause(
            "FieldValueInvalid",
            &format!("spec.{field}"),
            &format!("Invalid value: {said}"),
        )
    };
    match (objects.is_null(), path.is_null()) {
        (true, true) => vec![cause(
            "resourceAttributes",
            "null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )],
        (false, false) => vec![cause(
            "nonResourceAttributes",
            &format!(
                "{}: cannot be specified in combination with resourceAttributes",
                printed(path)
            ),
        )],
        _ => Vec::new(),
    }
}

/// A selector is either text or requirements.
fn wrong_selector(selector: &Value, name: &str) -> Vec<Cause> {
    if selector.is_null() {
        return Vec::new();
    }
    let at = format!("spec.resourceAttributes.{name}");
    let raw = selector["rawSelector"].as_str().unwrap_or_default();
    let has_requirements = selector["requirements"].as_array().is_some_and(|all| !all.is_empty());
    match (raw.is_empty(), has_requirements) {
        (false, true) => {
            let words = "may not specified at the same time as requirements".to_owned();
            vec![meta::invalid(&format!("{at}.rawSelector"), raw, words)]
        }
        (true, false) => vec![meta::cause(
            "FieldValueRequired",
            &format!("{at}.requirements"),
            &format!(
                "Required value: when {at} is specified, requirements or rawSelector is required"
            ),
        )],
        _ => Vec::new(),
    }
}

/// Metadata as the server prints them, in the order in which its structs have their fields.
fn shown_metadata(metadata: &Value) -> String {
    const BEFORE: [&str; 8] = [
        "name",
        "generateName",
        "namespace",
        "resourceVersion",
        "generation",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
    ];
    const OWNER: [&str; 7] =
        ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];
    const REFERENCE: [&str; 6] =
        ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let listed = |name: &str, order: &[&str]| {
        let items = metadata.get(name)?.as_array()?;
        let shown: Vec<String> = items.iter().map(|item| in_order(item, order)).collect();
        Some(format!("\"{name}\":[{}]", shown.join(",")))
    };
    let parts = [
        Some(fields_in_order(metadata, &BEFORE)).filter(|shown| !shown.is_empty()),
        listed("ownerReferences", &REFERENCE),
        metadata.get("finalizers").map(|shown| format!("\"finalizers\":{shown}")),
        listed("managedFields", &OWNER),
    ];
    format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(","))
}

/// An object as JSON, its fields in an order.
fn in_order(object: &Value, order: &[&str]) -> String {
    format!("{{{}}}", fields_in_order(object, order))
}

fn fields_in_order(object: &Value, order: &[&str]) -> String {
    let shown: Vec<String> =
        order.iter().filter_map(|name| Some(format!("\"{name}\":{}", object.get(name)?))).collect();
    shown.join(",")
}

/// What is wrong with a question that is to be about one namespace.
fn foreign(spec: &Value, namespace: &str) -> Vec<Cause> {
    let (objects, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let mut causes = Vec::new();
    let asked = objects["namespace"].as_str().unwrap_or_default();
    if !objects.is_null() && asked != namespace {
        let field = "spec.resourceAttributes.namespace";
        causes.push(meta::invalid(field, asked, "must match metadata.namespace".to_owned()));
    }
    if !path.is_null() {
        let said = format!("Invalid value: {}: disallowed on this kind of request", printed(path));
        causes.push(meta::cause("FieldValueInvalid", "spec.nonResourceAttributes", &said));
    }
    causes
}

/// A path's attributes as the server prints them.
fn printed(path: &Value) -> String {
    let text = |field: &str| json!(path[field].as_str().unwrap_or_default());
    format!("{{\"Path\":{},\"Verb\":{}}}", text("path"), text("verb"))
}

/// The server names no kind here.
fn refuse(causes: &[Cause]) -> Result<(), Problem> {
    if causes.is_empty() { Ok(()) } else { Err(Problem::invalid(GROUP, "", "", causes)) }
}

/// Answers the OpenID discovery document.
pub fn openid(host: &str) -> Response {
    let document: Value = json!({
        "issuer": AUDIENCE,
        "jwks_uri": format!("https://{host}/openid/v1/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let mut response = Response::value(200, &document);
    response.headers.push(may_be_kept());
    response
}

/// For an hour, by whoever wants.
fn may_be_kept() -> (&'static str, String) {
    ("cache-control", "public, max-age=3600".to_owned())
}

/// Answers which keys sign tokens; those of the simulated cluster are told to nobody.
pub fn keys() -> Response {
    let mut response = Response::value(200, &json!({"keys": []}));
    response.content_type = "application/jwk-set+json".to_owned();
    response.headers.push(may_be_kept());
    response
}
