//! Tokens of service accounts: who asks gets one that says what it should, and that lets its
//! bearer in.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::request::{Request, Response};
use super::route::{Query, Target};
use super::write::{self, Asked};
use crate::authentic::{self, AUDIENCE};
use crate::cluster::{Cluster, text_of};
use crate::kinds::Kind;
use crate::meta;

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";
/// Seconds that a token is good for, where nobody says otherwise.
const LIFE_S: i64 = 3600;
/// Ten minutes.
const LIFE_S_MIN: i64 = 600;
const LIFE_S_MAX: i64 = 1 << 32;

/// Answers a request for a token.
///
/// # Errors
///
/// In the server's words.
pub fn make(
    cluster: &Arc<Cluster>,
    kind: &Kind,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let own = Arc::new(kind.below("token"));
    let asked = write::asked(cluster, &own, target, request, query)?;
    let Asked { object, manager, warnings, .. } = asked;
    let mut response = made(cluster, kind, target, object, &manager)
        .map_err(|problem| Problem { warnings: warnings.clone(), ..problem })?;
    response.warnings = warnings;
    Ok(response)
}

fn made(
    cluster: &Cluster,
    kind: &Kind,
    target: &Target,
    mut review: Value,
    manager: &str,
) -> Result<Response, Problem> {
    if review["spec"]["expirationSeconds"].is_null() {
        review["spec"]["expirationSeconds"] = json!(LIFE_S);
    }
    for (field, wanted, what) in
        [("name", &target.name, "name"), ("namespace", &target.namespace, "namespace")]
    {
        let sent = meta::text(&review, field);
        if !sent.is_empty() && sent != wanted {
            let words = format!("must match the service account {what} if specified");
            let cause = meta::invalid(&format!("metadata.{field}"), sent, words);
            return Err(Problem::invalid(GROUP, KIND, &target.name, &[cause]));
        }
    }
    let account = cluster
        .store
        .get(&kind.table, &kind.key(&target.namespace, &target.name))
        .ok_or_else(|| Problem::not_found(kind, &target.name))?;
    let uid = &*account.meta.uid;
    let sent = meta::text(&review, "uid");
    if !sent.is_empty() && sent != uid {
        let named = Kind { group: GROUP.to_owned(), plural: KIND.to_owned(), ..kind.clone() };
        let why = format!(
            "the UID in the token request ({sent}) does not match the UID of the service account ({uid})"
        );
        return Err(Problem::conflict(&named, &target.name, &why));
    }
    let seconds = life(&review)?;
    let bound = review["spec"]["boundObjectRef"].clone();
    let bound_uid = bound_to(cluster, target, &bound)?;
    let now = cluster.now();
    let owners = owned_by_asker(&review, manager, &text_of(now));
    let ends = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    let audiences = match review["spec"]["audiences"].as_array() {
        Some(audiences) if !audiences.is_empty() => json!(audiences),
        Some(_) | None => json!([AUDIENCE]),
    };
    let mut claims = json!({
        "aud": audiences,
        "exp": ends.as_second(),
        "iat": now.as_second(),
        "iss": AUDIENCE,
        "jti": cluster.new_uid(),
        "kubernetes.io": {
            "namespace": target.namespace,
            "serviceaccount": {"name": target.name, "uid": uid},
        },
        "nbf": now.as_second(),
        "sub": format!("system:serviceaccount:{}:{}", target.namespace, target.name),
    });
    if let Some(uid) = bound_uid {
        let kind = bound["kind"].as_str().unwrap_or_default().to_lowercase();
        claims["kubernetes.io"][kind] = json!({"name": bound["name"], "uid": uid});
    }
    let token = authentic::signed(cluster, &claims);
    review["kind"] = json!(KIND);
    review["apiVersion"] = json!("authentication.k8s.io/v1");
    review["metadata"] = json!({
        "name": target.name,
        "namespace": target.namespace,
        "uid": uid,
        "creationTimestamp": text_of(now),
        "managedFields": owners,
    });
    review["spec"]["boundObjectRef"] = bound;
    review["spec"]["audiences"] = audiences;
    review["status"] = json!({"token": token, "expirationTimestamp": text_of(ends)});
    Ok(Response::value(201, &review))
}

/// Returns for how many seconds a token is asked for.
fn life(review: &Value) -> Result<i64, Problem> {
    let seconds = review["spec"]["expirationSeconds"].as_i64().unwrap_or(LIFE_S);
    let words = match seconds {
        ..LIFE_S_MIN => "may not specify a duration less than 10 minutes",
        LIFE_S_MIN..=LIFE_S_MAX => return Ok(seconds),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let words = format!("Invalid value: {seconds}: {words}");
    let cause = meta::cause("FieldValueInvalid", "spec.expirationSeconds", &words);
    Err(Problem::invalid(GROUP, KIND, "", &[cause]))
}

/// Returns the uid of what a token is bound to, which must be there; `None` where it is bound to
/// nothing.
fn bound_to(cluster: &Cluster, target: &Target, bound: &Value) -> Result<Option<String>, Problem> {
    if bound.is_null() {
        return Ok(None);
    }
    let text = |field: &str| bound[field].as_str().unwrap_or_default();
    let (version, named, name) = (text("apiVersion"), text("kind"), text("name"));
    let (group, version) = manifest::split_api_version(version);
    let plural = match (group, named) {
        ("", "Pod") => "pods",
        ("", "Node") => "nodes",
        ("", "Secret") => "secrets",
        _ => {
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
    Ok(Some(entry.meta.uid.to_string()))
}

/// Who asks for a token owns what he says of it.
fn owned_by_asker(review: &Value, manager: &str, now: &str) -> Value {
    let mut owned = Map::new();
    let said = review["spec"].as_object().into_iter().flatten();
    for (name, value) in said.filter(|(_, value)| !value.is_null()) {
        let mut inside = Map::new();
        if let Some(fields) = value.as_object() {
            inside.insert(".".to_owned(), json!({}));
            inside.extend(fields.keys().map(|field| (format!("f:{field}"), json!({}))));
        }
        owned.insert(format!("f:{name}"), Value::Object(inside));
    }
    json!([{
        "manager": manager,
        "operation": "Update",
        "apiVersion": "authentication.k8s.io/v1",
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": owned},
        "subresource": "token",
    }])
}
