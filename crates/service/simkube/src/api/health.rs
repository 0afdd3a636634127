//! Whether the server is well: `/healthz`, `/livez`, `/readyz` and the checks below them.
//!
//! What answers is well. The names of the checks are the server's, as probes and people ask for them.

use super::request::Response;
use super::route::Query;

/// What all three doors ask.
const CHECKS: [&str; 31] = [
    "etcd",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];

/// The doors, by the word that stands in the path.
pub const DOORS: [&str; 3] = ["healthz", "livez", "readyz"];

/// Returns what a door asks, in its order.
fn checks(door: &str) -> Vec<&'static str> {
    let mut names = vec!["ping", "log"];
    match door {
        "readyz" => {
            names.extend([CHECKS[0], "etcd-readiness", "informer-sync"]);
            names.extend(&CHECKS[1..]);
            names.push("shutdown");
        }
        _ => {
            names.push("loopback-serving-certificate");
            names.extend(CHECKS);
        }
    }
    names
}

/// Returns the paths that are answered.
pub fn paths() -> impl Iterator<Item = String> {
    DOORS.into_iter().flat_map(|door| {
        let below = checks(door).into_iter().map(move |check| format!("/{door}/{check}"));
        std::iter::once(format!("/{door}")).chain(below)
    })
}

/// Answers a door, or one check below it; `None` where there is no such check.
pub fn answer(door: &str, check: &str, query: &Query) -> Option<Response> {
    let known = checks(door);
    if !check.is_empty() {
        return known.contains(&check).then(|| {
            let mut answer = Response::text(200, "ok");
            // Single checks answer without it.
            answer.headers.retain(|(name, _)| *name != "x-content-type-options");
            answer
        });
    }
    if !query.has("verbose") {
        return Some(Response::text(200, "ok"));
    }
    let excluded: Vec<&str> = query.all("exclude").collect();
    let mut text = String::new();
    for name in &known {
        let state = if excluded.contains(name) { "excluded: ok" } else { "ok" };
        text.push_str(&format!("[+]{name} {state}\n"));
    }
    let unknown: Vec<String> = excluded
        .iter()
        .filter(|name| !known.contains(name))
        .map(|name| format!("\"{name}\""))
        .collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(",");
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for {unknown}\n"
        ));
    }
    text.push_str(&format!("{door} check passed\n"));
    Some(Response::text(200, text))
}
