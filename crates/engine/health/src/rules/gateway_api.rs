//! The Gateway API. Every controller that serves a route reports for itself, for each parent.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, has_conditions, items, text};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, condition_is_stale, first};
use crate::verdicts::{degraded, healthy, progressing};

const GROUP: &str = "gateway.networking.k8s.io";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "BackendTLSPolicy", Rule::Code(backend_policy)),
    (GROUP, "GRPCRoute", Rule::Code(route)),
    (GROUP, "HTTPRoute", Rule::Code(route)),
    (GROUP, "Gateway", Rule::Code(gateway)),
    (GROUP, "GatewayClass", Rule::Code(class)),
];

const CLASS: &[Step] = &[
    (Is("Accepted", "True"), Healthy, "{message}"),
    (Is("Accepted", "False"), Degraded, "{message}"),
    (Reports("Accepted"), Progressing, "{message}"),
    (Otherwise, Progressing, "Waiting for GatewayClass status"),
];

fn class(class: &Value) -> Health {
    match condition(class, "Accepted").filter(|accepted| condition_is_stale(class, accepted)) {
        Some(_) => progressing("Waiting for GatewayClass status"),
        None => first(CLASS, class).expect("the last step fits everything"),
    }
}

/// What conditions at one place say, where it is not that all is well: one that is refused, else
/// one that is still on its way.
fn trouble(place: &Value, pointer: &str, before: &str) -> Option<Health> {
    let says = |condition: &Value| match (before, text(condition, "/message")) {
        ("", message) => message.to_owned(),
        (_, "") => format!("{before}Failed condition: {}", text(condition, "/type")),
        (_, message) => format!("{before}{message}"),
    };
    let refused = |condition: &&Value| {
        matches!(text(condition, "/type"), "Accepted" | "ResolvedRefs")
            && text(condition, "/status") == "False"
    };
    let unfinished = |condition: &&Value| {
        text(condition, "/type") == "Programmed" && text(condition, "/status") != "True"
    };
    if let Some(condition) = items(place, pointer).find(refused) {
        return Some(degraded(says(condition)));
    }
    items(place, pointer).find(unfinished).map(|condition| progressing(says(condition)))
}

/// The worst that is said; of two alike the first.
fn worst(all: impl Iterator<Item = Health>) -> Option<Health> {
    all.reduce(
        |worst, next| {
            if crate::is_worse(&next.status, &worst.status) { next } else { worst }
        },
    )
}

/// Each parent speaks for itself, once it has anything to say. For an HTTPRoute a parent that
/// tells of an older generation has not spoken.
fn route(route: &Value) -> Health {
    let kind = text(route, "/kind");
    let told = |parent: &&Value| {
        let mut all = items(parent, "/conditions");
        let stale = |of: &Value| kind == "HTTPRoute" && condition_is_stale(route, of);
        items(parent, "/conditions").next().is_some() && !all.any(stale)
    };
    let parents = || items(route, "/status/parents").filter(told);
    if parents().next().is_none() {
        return progressing(format!("Waiting for {kind} status"));
    }
    worst(parents().filter_map(|parent| {
        let name = text(parent, "/parentRef/name");
        trouble(parent, "/conditions", &format!("Parent {name}: "))
    }))
    .unwrap_or_else(|| healthy(format!("{kind} is healthy")))
}

/// The ancestors of a policy: whoever serves what it is attached to.
pub(super) fn ancestors(policy: &Value) -> impl Iterator<Item = &Value> {
    items(policy, "/status/ancestors")
}

/// What is waited for where an ancestor tells of an older generation of a policy.
pub(super) fn outdated(policy: &Value) -> Option<Health> {
    let is_stale = |of: &Value| condition_is_stale(policy, of);
    let ancestor = ancestors(policy).find(|one| items(one, "/conditions").any(is_stale))?;
    let (name, kind) = (ancestor_name(ancestor), text(policy, "/kind"));
    Some(progressing(format!("Waiting for Ancestor {name} to update {kind} status")))
}

/// Whether an ancestor takes a policy; its words where it refuses.
pub(super) fn taken(ancestor: &Value) -> Result<bool, Health> {
    let mut accepted = false;
    for of in items(ancestor, "/conditions") {
        match (text(of, "/type"), text(of, "/status")) {
            ("Accepted", "True") => accepted = true,
            ("ResolvedRefs", "True") => {}
            ("Accepted" | "ResolvedRefs", _) => {
                let name = ancestor_name(ancestor);
                return Err(degraded(format!("Ancestor {name}: {}", text(of, "/message"))));
            }
            _ => {}
        }
    }
    Ok(accepted)
}

pub(super) fn ancestor_name(ancestor: &Value) -> &str {
    text(ancestor, "/ancestorRef/name")
}

/// Each ancestor is one that serves the policy: one that takes it is enough, unless another
/// one refuses it.
fn backend_policy(policy: &Value) -> Health {
    if let Some(waits) = outdated(policy) {
        return waits;
    }
    let mut accepted = false;
    for ancestor in ancestors(policy) {
        match taken(ancestor) {
            Ok(taken) => accepted |= taken,
            Err(refused) => return refused,
        }
    }
    if accepted {
        healthy("BackendTLSPolicy is healthy")
    } else {
        progressing("Waiting for BackendTLSPolicy status")
    }
}

/// What the gateway says of itself comes before what its listeners say.
fn gateway(gateway: &Value) -> Health {
    let listeners = || items(gateway, "/status/listeners");
    if !has_conditions(gateway) && listeners().next().is_none() {
        return progressing("Waiting for Gateway status");
    }
    trouble(gateway, "/status/conditions", "")
        .or_else(|| listeners().find_map(|listener| trouble(listener, "/conditions", "Listener: ")))
        .unwrap_or_else(|| healthy("Gateway is healthy"))
}
