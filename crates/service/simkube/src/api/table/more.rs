//! The columns of kinds that few people look at.

use serde_json::{Value, json};

use super::cells::{duration_text, number, text_or};
use super::columns::{AGE, Column, Row, count, flag, row, text};

fn joined(object: &Value, pointer: &str, field: &str) -> String {
    let items = object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let texts: Vec<&str> = items
        .filter_map(|item| if field.is_empty() { item } else { &item[field] }.as_str())
        .collect();
    texts.join(",")
}

fn is(object: &Value, pointer: &str, otherwise: bool) -> Value {
    json!(object.pointer(pointer).and_then(Value::as_bool).unwrap_or(otherwise))
}

fn length(object: &Value, pointer: &str) -> Value {
    json!(object.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len))
}

fn number_or(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).filter(|at| at.is_number()).cloned().unwrap_or(json!("<none>"))
}

/// What a policy's parameters are.
fn parameter_kind(policy: &Value) -> Value {
    match policy.pointer("/spec/paramKind").filter(|kind| kind.is_object()) {
        Some(kind) => json!(format!(
            "{}/{}",
            kind["apiVersion"].as_str().unwrap_or_default(),
            kind["kind"].as_str().unwrap_or_default()
        )),
        None => json!("<unset>"),
    }
}

/// Which parameters a binding names.
fn parameter(binding: &Value) -> Value {
    let at = &binding["spec"]["paramRef"];
    let name = at["name"].as_str().unwrap_or_default();
    match (at["namespace"].as_str().unwrap_or_default(), name) {
        (_, "") => json!("<unset>"),
        ("", name) => json!(format!("*/{name}")),
        (namespace, name) => json!(format!("{namespace}/{name}")),
    }
}

/// Where a request for a certificate stands.
fn request_state(request: &Value) -> Value {
    let conditions = request.pointer("/status/conditions").and_then(Value::as_array);
    let has = |kind: &str| {
        conditions.is_some_and(|all| all.iter().any(|condition| condition["type"] == kind))
    };
    let mut state = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        state.push_str(",Failed");
    }
    if request.pointer("/status/certificate").is_some_and(|certificate| !certificate.is_null()) {
        state.push_str(",Issued");
    }
    json!(state)
}

/// What an address belongs to.
pub(super) fn address_of(address: &Value) -> Value {
    let parent = &address["spec"]["parentRef"];
    if !parent.is_object() {
        return json!("<none>");
    }
    let word = |name: &str| parent[name].as_str().unwrap_or_default();
    let mut out = word("resource").to_lowercase();
    for (sign, part) in [('.', word("group").to_lowercase().as_str()), ('/', word("namespace"))] {
        if !part.is_empty() {
            out.push(sign);
            out.push_str(part);
        }
    }
    json!(format!("{out}/{}", word("name")))
}

const POLICY_BINDING: &[Column] = &[
    text("PolicyName", |o, _| text_or(o, "/spec/policyName", "")),
    text("ParamRef", |o, _| parameter(o)),
    AGE,
];

pub(super) const MORE: &[Row] = &[
    row(
        "autoscaling",
        "Scale",
        &[
            count("Desired", |o, _| number(o, "/spec/replicas").into()),
            count("Available", |o, _| number(o, "/status/replicas").into()),
            AGE,
        ],
    ),
    row(
        "certificates.k8s.io",
        "CertificateSigningRequest",
        &[
            AGE,
            text("SignerName", |o, _| text_or(o, "/spec/signerName", "<none>")),
            text("Requestor", |o, _| text_or(o, "/spec/username", "")),
            text("RequestedDuration", |o, _| match o.pointer("/spec/expirationSeconds") {
                Some(seconds) if seconds.is_number() => {
                    json!(duration_text(seconds.as_i64().unwrap_or(0)))
                }
                _ => json!("<none>"),
            }),
            text("Condition", |o, _| request_state(o)),
        ],
    ),
    row(
        "storage.k8s.io",
        "CSIDriver",
        &[
            flag("AttachRequired", |o, _| is(o, "/spec/attachRequired", true)),
            flag("PodInfoOnMount", |o, _| is(o, "/spec/podInfoOnMount", false)),
            flag("StorageCapacity", |o, _| is(o, "/spec/storageCapacity", false)),
            text("TokenRequests", |o, _| match o.pointer("/spec/tokenRequests") {
                Some(list) if list.is_array() => {
                    json!(joined(o, "/spec/tokenRequests", "audience"))
                }
                _ => json!("<unset>"),
            }),
            flag("RequiresRepublish", |o, _| is(o, "/spec/requiresRepublish", false)),
            text("Modes", |o, _| match joined(o, "/spec/volumeLifecycleModes", "").as_str() {
                "" => json!("<none>"),
                modes => json!(modes),
            }),
            AGE,
        ],
    ),
    row(
        "storage.k8s.io",
        "VolumeAttributesClass",
        &[text("DriverName", |o, _| text_or(o, "/driverName", "")), AGE],
    ),
    row(
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        &[
            text("PriorityLevel", |o, _| text_or(o, "/spec/priorityLevelConfiguration/name", "")),
            text("MatchingPrecedence", |o, _| json!(number(o, "/spec/matchingPrecedence"))),
            text("DistinguisherMethod", |o, _| {
                text_or(o, "/spec/distinguisherMethod/type", "<none>")
            }),
            AGE,
            text("MissingPL", |o, _| {
                let all = o.pointer("/status/conditions").and_then(Value::as_array);
                let found = all.into_iter().flatten().find(|one| one["type"] == "Dangling");
                json!(found.and_then(|one| one["status"].as_str()).unwrap_or("?"))
            }),
        ],
    ),
    row(
        "flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration",
        &[
            text("Type", |o, _| text_or(o, "/spec/type", "")),
            text("NominalConcurrencyShares", |o, _| {
                number_or(o, "/spec/limited/nominalConcurrencyShares")
            }),
            text("Queues", |o, _| number_or(o, "/spec/limited/limitResponse/queuing/queues")),
            text("HandSize", |o, _| number_or(o, "/spec/limited/limitResponse/queuing/handSize")),
            text("QueueLengthLimit", |o, _| {
                number_or(o, "/spec/limited/limitResponse/queuing/queueLengthLimit")
            }),
            AGE,
        ],
    ),
    row(
        "networking.k8s.io",
        "ServiceCIDR",
        &[text("CIDRs", |o, _| json!(joined(o, "/spec/cidrs", ""))), AGE],
    ),
    row("networking.k8s.io", "IPAddress", &[text("ParentRef", |o, _| address_of(o))]),
    row(
        "resource.k8s.io",
        "ResourceSlice",
        &[
            text("Node", |o, _| text_or(o, "/spec/nodeName", "")),
            text("Driver", |o, _| text_or(o, "/spec/driver", "")),
            text("Pool", |o, _| text_or(o, "/spec/pool/name", "")),
            AGE,
        ],
    ),
    row(
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        &[
            count("Validations", |o, _| length(o, "/spec/validations")),
            text("ParamKind", |o, _| parameter_kind(o)),
            AGE,
        ],
    ),
    row(
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicy",
        &[
            count("Mutations", |o, _| length(o, "/spec/mutations")),
            text("ParamKind", |o, _| parameter_kind(o)),
            AGE,
        ],
    ),
    row("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", POLICY_BINDING),
    row("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", POLICY_BINDING),
];
