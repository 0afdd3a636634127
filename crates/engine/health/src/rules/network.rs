//! Networks: Contour, Istio, OpenTelemetry's collectors aside, airlock, nmstate, DNS-SD.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, items, text};
use crate::rules::gateway_api::{ancestor_name, ancestors, outdated, taken};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, condition_is_stale};
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("projectcontour.io", "ExtensionService", Rule::Code(extension_service)),
    ("projectcontour.io", "HTTPProxy", Rule::Code(http_proxy)),
    ("install.istio.io", "IstioOperator", Rule::Steps(ISTIO)),
    ("microgateway.airlock.com", "*", Rule::Code(airlock)),
    ("nmstate.io", "NodeNetworkConfigurationPolicy", Rule::Code(node_network)),
    ("proclaim.dogmatiq.io", "DNSSDServiceInstance", Rule::Steps(DNS_SD)),
];

/// Contour's one condition, of the newest generation.
fn valid(object: &Value) -> Health {
    let current = condition(object, "Valid").filter(|valid| !condition_is_stale(object, valid));
    match current.map(|valid| (text(valid, "/status"), text(valid, "/message"))) {
        Some(("True", message)) => healthy(message),
        Some(("False", message)) => degraded(message),
        _ => progressing("Waiting for status"),
    }
}

fn extension_service(service: &Value) -> Health {
    valid(service)
}

/// What a proxy includes is often in another Application: its health cannot be told from here.
fn http_proxy(proxy: &Value) -> Health {
    if items(proxy, "/spec/includes").next().is_some() {
        return healthy("HTTPProxy inclusions cannot be health checked");
    }
    if text(proxy, "/status/currentStatus") == "NotReconciled" {
        return progressing(text(proxy, "/status/description"));
    }
    valid(proxy)
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
    (At("/status/status", &["NONE", "0"]), Progressing, "Component is not present."),
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

fn node_network(policy: &Value) -> Health {
    let of = |kind: &str| condition(policy, kind).filter(|met| text(met, "/status") == "True");
    let says = |condition: &Value| match text(condition, "/message") {
        "" => text(condition, "/reason").to_owned(),
        message => format!("{}: {message}", text(condition, "/reason")),
    };
    if let Some(failed) = of("Degraded") {
        degraded(says(failed))
    } else if let Some(busy) = of("Progressing") {
        progressing(says(busy))
    } else if let Some(available) = of("Available") {
        healthy(says(available))
    } else if let Some(ignored) = of("Ignored") {
        crate::verdicts::suspended(says(ignored))
    } else {
        progressing("Waiting for policy to be applied")
    }
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
