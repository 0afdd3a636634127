//! Networks: Contour, Istio, OpenTelemetry's collectors aside, airlock, nmstate, DNS-SD.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{conditions, has_conditions, int, lookup, text};
use crate::rules::gateway_api::{ancestor_name, ancestors, outdated, taken};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("projectcontour.io", "ExtensionService", Rule::Code(extension_service)),
    ("projectcontour.io", "HTTPProxy", Rule::Code(http_proxy)),
    ("install.istio.io", "IstioOperator", Rule::Steps(ISTIO)),
    ("microgateway.airlock.com", "*", Rule::Code(airlock)),
    ("nmstate.io", "NodeNetworkConfigurationPolicy", Rule::Code(node_network)),
    ("proclaim.dogmatiq.io", "DNSSDServiceInstance", Rule::Steps(DNS_SD)),
];

/// Contour's one condition, where it is of the newest generation.
fn valid(object: &Value) -> Option<&Value> {
    let generation = manifest::generation(object);
    let of_newest = |valid: &&Value| int(valid, "/observedGeneration") == generation;
    conditions(object).filter(|of| text(of, "/type") == "Valid").find(of_newest)
}

fn extension_service(service: &Value) -> Health {
    match valid(service).map(|valid| (text(valid, "/status"), text(valid, "/message"))) {
        Some(("True", message)) => healthy(message),
        Some(("False", message)) => degraded(message),
        _ => progressing(WAITING),
    }
}

const WAITING: &str = "Waiting for status";

/// What a proxy includes is often in another Application: that it fails cannot be told from here.
fn http_proxy(proxy: &Value) -> Health {
    let valid = valid(proxy);
    match valid.map(|valid| text(valid, "/status")) {
        Some("True") => healthy(text(proxy, "/status/description")),
        Some("False") if lookup(proxy, "/spec/includes").is_some() => {
            healthy("HTTPProxy inclusions cannot be health checked")
        }
        Some("False") => degraded(match text(proxy, "/status/description") {
            "" => valid.map_or("", |valid| text(valid, "/message")),
            described => described,
        }),
        Some(_) => progressing(WAITING),
        None => match text(proxy, "/status/description") {
            described if !described.is_empty() && !has_conditions(proxy) => progressing(described),
            _ => progressing(WAITING),
        },
    }
}

const ISTIO: &[Step] = &[
    (At("/status/status", &["HEALTHY", "3"]), Healthy, "Component is healthy."),
    (At("/status/status", &["ERROR", "4"]), Degraded, "Component is in an error state."),
    (
        At("/status/status", &["UPDATING", "1"]),
        Progressing,
        "Component is being updated to a different version.",
    ),
    (
        At("/status/status", &["RECONCILING", "2"]),
        Progressing,
        "Controller has started but not yet completed reconciliation loop for the component.",
    ),
    (At("/status/status", &["NONE", "0"]), Unknown, "Component is not present."),
    (
        At("/status/status", &["ACTION_REQUIRED", "5"]),
        Suspended,
        "Overall status only and would not be set as a component status.",
    ),
    (Otherwise, Progressing, "Waiting for Istio Control Plane"),
];

/// Airlock's policies attach as the Gateway API's do: each ancestor reports `Accepted` and, where
/// it refers to others, `ResolvedRefs`. All other kinds are settings that nobody reports on.
fn airlock(object: &Value) -> Health {
    let kind = text(object, "/kind");
    let well = || healthy(format!("{kind} is healthy"));
    if !kind.ends_with("Policy") {
        return well();
    }
    if ancestors(object).next().is_none() {
        return progressing(format!("Waiting for {kind} status"));
    }
    if let Some(waits) = outdated(object) {
        return waits;
    }
    for ancestor in ancestors(object) {
        match taken(ancestor) {
            Ok(true) => {}
            Ok(false) => {
                let name = ancestor_name(ancestor);
                return degraded(format!("Ancestor {name}: {kind} is not accepted"));
            }
            Err(refused) => return refused,
        }
    }
    well()
}

/// The first condition that holds: the operator writes one that does.
fn node_network(policy: &Value) -> Health {
    let says = |condition: &Value| match text(condition, "/message") {
        "" => text(condition, "/reason").to_owned(),
        message => format!("{}: {message}", text(condition, "/reason")),
    };
    let said = |of: &Value| match text(of, "/type") {
        _ if text(of, "/status") != "True" => None,
        "Degraded" => Some(degraded(says(of))),
        "Progressing" => Some(progressing(says(of))),
        "Available" => Some(healthy(says(of))),
        "Ignored" => Some(suspended(says(of))),
        _ => None,
    };
    let waits = || progressing("Waiting for policy to be applied");
    conditions(policy).find_map(said).unwrap_or_else(waits)
}

const DNS_SD: &[Step] = &[
    (Is("Adopted", "False"), Degraded, "{message}"),
    (
        Because("Advertised", "False", &["AdvertiseError", "UnadvertiseError"]),
        Degraded,
        "{message}",
    ),
    (Is("Advertised", "False"), Progressing, "{message}"),
    (Is("Discoverable", "True"), Healthy, "{message}"),
    (Is("Discoverable", "False"), Progressing, "{message}"),
    (Because("Discoverable", "Unknown", &["DiscoveryError"]), Unknown, "{message}"),
    (Reports("Discoverable"), Progressing, "{message}"),
    (Is("Advertised", "True"), Progressing, "{message}"),
    (Is("Adopted", "True"), Progressing, "{message}"),
    (Otherwise, Progressing, "Waiting for the service instance to be adopted"),
];
