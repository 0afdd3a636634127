//! OpenShift: deployments, routes, routers, and the operators' subscriptions.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    any_is, condition, conditions, has_conditions, int_where_set, items, lookup, text, word,
};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("apps.openshift.io", "DeploymentConfig", Rule::Code(deployment_config)),
    ("operator.openshift.io", "IngressController", Rule::Listed(INGRESS_CONTROLLER)),
    ("operators.coreos.com", "Subscription", Rule::Code(subscription)),
    ("route.openshift.io", "Route", Rule::Code(route)),
];

/// Well with both: enough pods, and the newest replication controller rolled out. A config of no
/// replicas has nothing to wait for.
fn deployment_config(config: &Value) -> Health {
    const DONE: &str = "replication controller successfully rolled out";
    let replicas = int_where_set(config, "/status/replicas").filter(|_| has_conditions(config));
    let Some(replicas) = replicas else {
        return progressing("replication controller is waiting for pods to run");
    };
    let of = |kind: &str| condition(config, kind).filter(|met| text(met, "/status") == "True");
    let available = of("Available").is_some();
    let rolled_out = of("Progressing")
        .is_some_and(|met| text(met, "/reason") == "NewReplicationControllerAvailable");
    match (available, rolled_out) {
        _ if replicas == 0 => healthy(DONE),
        (true, true) => healthy(DONE),
        (false, false) => degraded("Deployment config is degraded"),
        _ => progressing("replication controller is waiting for pods to run"),
    }
}

const INGRESS_CONTROLLER: &[Step] = &[
    (Is("Progressing", "True"), Progressing, "{reason}"),
    (Is("DeploymentReplicasAllAvailable", "False"), Progressing, "{message}"),
    (Is("Degraded", "True"), Degraded, "{message}"),
    (Is("Available", "True"), Healthy, "IngressController is available"),
    (Otherwise, Progressing, "Status of IngressController is not known yet"),
];

/// Conditions of a subscription that are bad news where they are True.
const SUBSCRIPTION_FAILURES: [&str; 3] =
    ["CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed"];

fn subscription(subscription: &Value) -> Health {
    if lookup(subscription, "/status").is_none() {
        return progressing("Status of Subscription is not known yet");
    }
    // An upgrade that waits for a person's yes is as it should be, once something is installed.
    let waits_for_person = |of: &Value| {
        text(of, "/type") == "InstallPlanPending"
            && text(of, "/status") == "True"
            && text(of, "/reason") == "RequiresApproval"
            && text(subscription, "/spec/installPlanApproval") == "Manual"
            && !text(subscription, "/status/installedCSV").is_empty()
    };
    let waiting = conditions(subscription).any(waits_for_person);
    let mut message = String::new();
    let listed = conditions(subscription).filter(|of| !waits_for_person(of));
    for (number, of) in listed.enumerate() {
        let (kind, status) = (text(of, "/type"), text(of, "/status"));
        message.push_str(&format!("{}: {kind} | {status}\n", number + 1));
    }
    let state = text(subscription, "/status/state");
    let manual = if waiting && state == "UpgradePending" {
        " (manual InstallPlan approval pending; treated as healthy)"
    } else {
        ""
    };
    match state {
        "" => message.push_str(".status.state not yet known\n"),
        state => message.push_str(&format!(".status.state is '{state}'{manual}\n")),
    }
    let failed = conditions(subscription).any(|of| match text(of, "/type") {
        // A plan that was deleted is missed by nobody.
        "InstallPlanMissing" => text(of, "/reason") != "ReferencedInstallPlanNotFound",
        kind => SUBSCRIPTION_FAILURES.contains(&kind) && text(of, "/status") == "True",
    });
    let pending = any_is(subscription, "InstallPlanPending", "True");
    if failed || state == "UpgradeFailed" {
        degraded(message)
    } else if !has_conditions(subscription) {
        progressing("An install plan for a subscription is pending installation")
    } else if !manual.is_empty() {
        healthy(message)
    } else if pending || matches!(state, "" | "UpgradePending" | "UpgradeAvailable") {
        progressing(message)
    } else {
        healthy(message)
    }
}

/// A route is admitted, or not, by each router that serves it.
fn route(route: &Value) -> Health {
    let admitted: Vec<String> = items(route, "/status/ingress")
        .flat_map(|ingress| items(ingress, "/conditions"))
        .filter(|of| text(of, "/type") == "Admitted")
        .map(|of| word(&of["status"]).into_owned())
        .collect();
    if lookup(route, "/status/ingress").is_none() {
        return progressing("Route is still getting admitted");
    }
    let nobody = items(route, "/status/ingress").next().is_none();
    if admitted.is_empty() && !nobody {
        return progressing("Route is still getting admitted");
    }
    if admitted.iter().any(|status| status == "False") {
        degraded("Route is degraded")
    } else if admitted.iter().all(|status| status == "True") {
        healthy("Route is healthy")
    } else {
        progressing("Route is still getting admitted")
    }
}
