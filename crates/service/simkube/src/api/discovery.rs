//! Discovery: which groups, versions and resources there are, in both its forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::negotiate;
use super::problem::Problem;
use super::request::Response;
use super::route::Query;
use crate::kinds::{Group, Kind, Kinds, Subresource, join};

/// Which form of the discovery document the client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Legacy,
    Aggregated,
}

/// Chooses the first form of `accept` that is served; the aggregated one is where all groups stand.
fn form(accept: &str, all_groups: bool) -> Result<Form, Problem> {
    for clause in accept.split(',') {
        let clause: String = clause.chars().filter(|c| !c.is_whitespace()).collect();
        let has = |parameter: &str| clause.split(';').any(|part| part == parameter);
        let aggregated = ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"];
        if all_groups && clause.starts_with("application/json;") && aggregated.into_iter().all(has)
        {
            return Ok(Form::Aggregated);
        }
        if negotiate::choose(&clause, &Query::default())
            .is_ok_and(|wanted| wanted.form == negotiate::Form::Whole)
        {
            return Ok(Form::Legacy);
        }
    }
    Err(Problem::new(406, "NotAcceptable", negotiate::ACCEPTED))
}

/// Answers `/api`.
///
/// # Errors
///
/// 406 where no form is served that the client takes.
pub fn core(kinds: &Kinds, accept: &str, host: &str) -> Result<Response, Problem> {
    Ok(match form(accept, true)? {
        Form::Aggregated => aggregated(kinds, |group| group.name.is_empty()),
        Form::Legacy => Response::value(
            200,
            &json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
            }),
        ),
    })
}

/// Answers `/apis`; behind a slash, which makes `whole_path` false, the aggregated form is not served.
///
/// # Errors
///
/// As [`core`].
pub fn groups(kinds: &Kinds, accept: &str, whole_path: bool) -> Result<Response, Problem> {
    Ok(match form(accept, whole_path)? {
        Form::Aggregated => aggregated(kinds, |group| !group.name.is_empty()),
        Form::Legacy => {
            let groups: Vec<Value> = kinds
                .groups
                .iter()
                .filter(|group| !group.name.is_empty())
                .map(group_value)
                .collect();
            Response::value(
                200,
                &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
            )
        }
    })
}

/// Answers `/apis/GROUP`.
///
/// # Errors
///
/// As [`core`].
pub fn group(group: &Group, accept: &str) -> Result<Response, Problem> {
    form(accept, false)?;
    let mut value = group_value(group);
    value["kind"] = json!("APIGroup");
    value["apiVersion"] = json!("v1");
    Ok(Response::value(200, &value))
}

fn group_value(group: &Group) -> Value {
    let versions: Vec<Value> = group
        .versions
        .iter()
        .map(|version| json!({"groupVersion": join(&group.name, version), "version": version}))
        .collect();
    json!({"name": group.name, "preferredVersion": versions[0], "versions": versions})
}

/// Answers `/api/v1` and `/apis/GROUP/VERSION`.
///
/// # Errors
///
/// As [`core`].
pub fn resources(
    kinds: &Kinds,
    group: &str,
    version: &str,
    accept: &str,
) -> Result<Response, Problem> {
    form(accept, false)?;
    let mut resources = Vec::new();
    for kind in kinds.at(group, version) {
        resources.push(legacy_resource(kind));
        for (name, sub) in in_order(kind) {
            let mut value = json!({
                "name": format!("{}/{name}", kind.plural),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": sub.response.2,
                "verbs": sub.verbs,
            });
            let (group, version) = (&sub.response.0, &sub.response.1);
            if !version.is_empty() && (*group != kind.group || *version != kind.version) {
                value["group"] = json!(group);
                value["version"] = json!(version);
            }
            resources.push(value);
        }
    }
    let mut list = json!({
        "kind": "APIResourceList",
        "groupVersion": join(group, version),
        "resources": resources,
    });
    // The core group's list has never said its version.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    Ok(Response::value(200, &list))
}

/// A resource's subresources; of custom kinds the status comes first.
fn in_order(kind: &Kind) -> Vec<(&String, &Subresource)> {
    let mut all: Vec<_> = kind.subresources.iter().collect();
    if !kind.built_in() {
        all.sort_by_key(|(name, _)| *name != "status");
    }
    all
}

fn legacy_resource(kind: &Kind) -> Value {
    let mut value = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        value["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        value["categories"] = json!(kind.categories);
    }
    if kind.allows("list") && !kind.is("", "ComponentStatus") {
        value["storageVersionHash"] = json!(storage_hash(kind));
    }
    value
}

/// Names group, version and kind of what is kept: the first eight bytes of a SHA-256.
fn storage_hash(kind: &Kind) -> String {
    let (group, version) = manifest::split_api_version(&kind.storage_version);
    // These are kept as they were before they were final.
    let version = match kind.kind.as_str() {
        "CustomResourceDefinition"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => "v1beta1",
        _ => version,
    };
    let digest = Sha256::digest(format!("{group}/{version}/{}", kind.kind));
    STANDARD.encode(&digest[..8])
}

fn aggregated(kinds: &Kinds, wanted: impl Fn(&Group) -> bool) -> Response {
    let items: Vec<Value> = kinds
        .groups
        .iter()
        .filter(|group| wanted(group))
        .map(|group| aggregated_group(kinds, group))
        .collect();
    let mut response = Response::value(
        200,
        &json!({
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": items,
        }),
    );
    let digest = hex::encode_upper(Sha256::digest(response.whole_body()));
    response.content_type =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList".to_owned();
    response.headers.push(("etag", format!("\"{digest}\"")));
    response.headers.push(("vary", "Accept".to_owned()));
    response.headers.push(("cache-control", "public".to_owned()));
    response
}

fn aggregated_group(kinds: &Kinds, group: &Group) -> Value {
    let versions: Vec<Value> = group
        .versions
        .iter()
        .map(|version| {
            let resources: Vec<Value> =
                kinds.at(&group.name, version).map(|kind| aggregated_resource(kind)).collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        })
        .collect();
    let metadata = if group.name.is_empty() { json!({}) } else { json!({"name": group.name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(kind: &Kind) -> Value {
    // Built-in resources name their kind alone, as upstream's document does.
    let (group, version) = match kind.built_in() {
        true => ("", ""),
        false => (kind.group.as_str(), kind.version.as_str()),
    };
    let mut value = json!({
        "resource": kind.plural,
        "responseKind": {"group": group, "version": version, "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        value["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        value["categories"] = json!(kind.categories);
    }
    if !kind.subresources.is_empty() {
        let subresources: Vec<Value> = kind
            .subresources
            .iter()
            .map(|(name, sub)| {
                json!({
                    "subresource": name,
                    "responseKind": {
                        "group": sub.response.0,
                        "version": sub.response.1,
                        "kind": sub.response.2,
                    },
                    "verbs": sub.verbs,
                })
            })
            .collect();
        value["subresources"] = json!(subresources);
    }
    value
}
