//! Questions about who one is and what one may do.

use kuberbac::{Asked, Subject};
use serde_json::{Value, json};

use super::problem::{Cause, Problem};
use super::request::{Request, Response};
use super::route::Target;
use crate::authentic::{self, AUDIENCE};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::ownership::{self, Writer};
use crate::{body, meta};

const GROUP: &str = "authorization.k8s.io";

/// Answers a review; `None` where the resource is none.
///
/// # Errors
///
/// 400 where the body does not parse or asks nothing, 405 for anything but POST, 422 for what
/// cannot be asked.
pub fn answer(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    request: &Request,
) -> Result<Option<Response>, Problem> {
    if !matches!(kind.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
        || !kind.built_in()
    {
        return Ok(None);
    }
    let mut review = asked(kind, request)?;
    let user = &request.user;
    review["status"] = match kind.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": user.info()}),
        "TokenReview" => token(cluster, &review["spec"])?,
        "SelfSubjectRulesReview" => rules(cluster, user.subject(), &review["spec"])?,
        "SelfSubjectAccessReview" => {
            refuse(&without_one(&review["spec"]))?;
            access(cluster, user.subject(), &review["spec"])
        }
        "LocalSubjectAccessReview" => {
            refuse(&foreign(&review["spec"], &target.namespace))?;
            access_of_another(cluster, &review["spec"])?
        }
        _ => access_of_another(cluster, &review["spec"])?,
    };
    if let Some(fields) = review.as_object_mut() {
        fields.remove("metadata");
    }
    review["kind"] = json!(kind.kind);
    review["apiVersion"] = json!(kind.api_version());
    let agent = request.user_agent.split('/').next().unwrap_or_default();
    let now = cluster.now_text();
    let writer = Writer { manager: agent, subresource: "", now: &now, dry_run: false };
    let status = review["status"].take();
    review["metadata"] = json!({});
    if kind.kind != "SelfSubjectRulesReview" {
        review = ownership::update(kind, None, review, &writer);
    }
    if kind.kind == "SelfSubjectReview" {
        meta::of(&mut review).insert("creationTimestamp".to_owned(), json!(now));
    }
    review["status"] = status;
    Ok(Some(Response::value(201, &review)))
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

fn access_of_another(cluster: &Cluster, spec: &Value) -> Result<Value, Problem> {
    let name = spec["user"].as_str().unwrap_or_default();
    let groups: Vec<String> = spec["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect();
    let mut causes = without_one(spec);
    if name.is_empty() && groups.is_empty() {
        causes.push(meta::invalid(
            "spec.user",
            "",
            "at least one of user or group must be specified".to_owned(),
        ));
    }
    refuse(&causes)?;
    Ok(access(cluster, Subject { name, groups: &groups }, spec))
}

fn access(cluster: &Cluster, subject: Subject<'_>, spec: &Value) -> Value {
    let (objects, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let text = |field: &str| objects[field].as_str().unwrap_or_default();
    let asked = match objects.is_null() {
        false => Asked::Resource {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            subresource: text("subresource"),
            name: text("name"),
            namespace: text("namespace"),
        },
        true => Asked::Path {
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
    Response::value(200, &document)
}

/// Reads what is asked, which may be nothing.
///
/// # Errors
///
/// 400 where the body does not parse, 405 for anything but POST.
pub fn asked(kind: &Kind, request: &Request) -> Result<Value, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    let review = body::read(&request.content_type, &request.body, kind)?.value;
    Ok(if review.is_object() { review } else { json!({}) })
}
