//! Questions about who one is and what one may do. Here everybody who gets in may do everything.

use serde_json::{Value, json};

use super::problem::Problem;
use super::request::{Request, Response};
use super::route::Target;
use crate::body;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::ownership::{self, Writer};

/// Answers a review; `None` where the resource is none.
///
/// # Errors
///
/// 400 where the body does not parse, 405 for anything but POST.
pub fn answer(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    request: &Request,
) -> Result<Option<Response>, Problem> {
    let _same_everywhere = target;
    if !matches!(kind.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
        || !kind.built_in()
    {
        return Ok(None);
    }
    let mut review = asked(kind, request)?;
    let user = json!({
        "username": request.user.name,
        "uid": "simulated",
        "groups": request.user.groups,
    });
    review["status"] = match kind.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": user}),
        "TokenReview" => {
            json!({"authenticated": true, "user": user, "audiences": ["https://kubernetes.default.svc"]})
        }
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        _ => json!({"allowed": true}),
    };
    if let Some(fields) = review.as_object_mut() {
        fields.remove("metadata");
    }
    review["kind"] = json!(kind.kind);
    review["apiVersion"] = json!(kind.api_version());
    let agent = request.user_agent.split('/').next().unwrap_or_default();
    let now = cluster.now_text();
    let writer = Writer { manager: agent, subresource: "", now: &now };
    let status = review["status"].take();
    review["metadata"] = json!({});
    let mut review = ownership::update(kind, None, review, &writer);
    review["status"] = status;
    Ok(Some(Response::value(201, &review)))
}

/// Answers the OpenID discovery document.
pub fn openid(host: &str) -> Response {
    let document: Value = json!({
        "issuer": "https://kubernetes.default.svc",
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
