//! Gloo of Solo.io. The state is a word or, from older releases, a number; it stands in the
//! status, or in one status for each namespace in which a Gloo runs.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{lookup, text, word};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("gateway.solo.io", "Gateway", Rule::Code(validated)),
    ("gateway.solo.io", "MatchableHttpGateway", Rule::Code(validated)),
    ("gateway.solo.io", "RouteOption", Rule::Code(validated)),
    ("gateway.solo.io", "RouteTable", Rule::Code(validated)),
    ("gateway.solo.io", "VirtualHostOption", Rule::Code(validated)),
    ("gateway.solo.io", "VirtualService", Rule::Code(validated)),
    ("gloo.solo.io", "Proxy", Rule::Code(validated)),
    ("gloo.solo.io", "Settings", Rule::Code(validated)),
    ("gloo.solo.io", "Upstream", Rule::Code(validated)),
    ("gloo.solo.io", "UpstreamGroup", Rule::Code(validated)),
];

fn validated(object: &Value) -> Health {
    let namespaces = lookup(object, "/status/statuses").and_then(Value::as_object);
    let all: Vec<Health> = match namespaces {
        Some(namespaces) => namespaces.values().filter_map(judged).collect(),
        None => lookup(object, "/status").and_then(judged).into_iter().collect(),
    };
    let worst = all.into_iter().reduce(|worst, next| {
        if crate::is_worse(&next.status, &worst.status) { next } else { worst }
    });
    worst.unwrap_or_else(|| progressing("Update in progress"))
}

fn judged(status: &Value) -> Option<Health> {
    match word(lookup(status, "/state")?).as_ref() {
        "0" | "Pending" => Some(suspended("The resource has not yet been validated")),
        "1" | "Accepted" => Some(healthy("The resource has been validated")),
        "2" | "Rejected" | "3" | "Warning" => Some(degraded(text(status, "/reason"))),
        _ => None,
    }
}
