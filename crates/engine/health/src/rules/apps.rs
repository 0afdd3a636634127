//! Other applications with operators of their own, each with its own way to report.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    condition, conditions, find_is, has_conditions, holds, int, int_where_set, items, lookup, text,
    word,
};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, condition_is_stale, listed};
use crate::verdicts::{degraded, healthy, missing, progressing, suspended, unknown};

pub(super) const RULES: &[Entry] = &[
    ("flagger.app", "Canary", Rule::Code(canary)),
    ("flink.apache.org", "FlinkDeployment", Rule::Code(flink)),
    ("iammanager.keikoproj.io", "Iamrole", Rule::Code(iam_role)),
    ("k8s.keycloak.org", "Keycloak", Rule::Code(keycloak)),
    ("kubevirt.io", "VirtualMachine", Rule::Code(virtual_machine)),
    ("kubevirt.io", "VirtualMachineInstance", Rule::Code(machine_instance)),
    ("pulumi.com", "Stack", Rule::Code(stack)),
    ("services.cloud.sap.com", "ServiceBinding", Rule::Code(sap_service)),
    ("services.cloud.sap.com", "ServiceInstance", Rule::Code(sap_service)),
    ("sparkoperator.k8s.io", "SparkApplication", Rule::Code(spark)),
    ("tower.ansible.com", "AnsibleJob", Rule::Code(ansible_job)),
    ("work.karmada.io", "ClusterResourceBinding", Rule::Code(resource_binding)),
    ("work.karmada.io", "ResourceBinding", Rule::Code(resource_binding)),
    ("zookeeper.pravega.io", "ZookeeperCluster", Rule::Code(zookeeper)),
];

fn canary(canary: &Value) -> Health {
    if lookup(canary, "/status").is_none() {
        return unknown("No status");
    }
    let phase = text(canary, "/status/phase");
    let message = items(canary, "/status/conditions").map(|of| text(of, "/message")).next();
    let words = match (phase, message.unwrap_or_default()) {
        ("Progressing", message) => {
            let weight = int(canary, "/status/canaryWeight");
            format!("{phase} --- Canary Weight: {weight} % --- {message}")
        }
        (phase, message) => format!("{phase} --- {message}"),
    };
    match phase {
        "" => progressing("Waiting for Canary to be initialized"),
        "Initialized" | "Succeeded" => healthy(words),
        "Failed" => degraded(words),
        "Initializing" | "Waiting" | "WaitingPromotion" | "Progressing" | "Promoting"
        | "Finalising" | "Terminating" => progressing(words),
        _ => unknown(words),
    }
}

/// What is reconciled is well; while it is not, the state of its job manager says why.
fn flink(deployment: &Value) -> Health {
    let Some(reconciliation) = lookup(deployment, "/status/reconciliationStatus") else {
        return progressing("Waiting for Flink operator");
    };
    if holds(reconciliation, "/success") || text(reconciliation, "/state") == "DEPLOYED" {
        return healthy("");
    }
    let error = [text(reconciliation, "/error"), text(deployment, "/status/error")];
    match text(deployment, "/status/jobManagerDeploymentStatus") {
        "ERROR" => degraded(error.into_iter().find(|why| !why.is_empty()).unwrap_or_default()),
        "DEPLOYED_NOT_READY" | "DEPLOYING" => progressing("Waiting for deploying"),
        _ => progressing("Waiting for Flink operator"),
    }
}

fn iam_role(role: &Value) -> Health {
    let or_none = |pointer: &str| match text(role, pointer) {
        "" => "<none>".to_owned(),
        value => value.to_owned(),
    };
    let who = format!(
        "role '{}' with ARN '{}' and ID '{}'",
        or_none("/status/roleName"),
        or_none("/status/roleARN"),
        or_none("/status/roleID")
    );
    let retried = match int(role, "/status/retryCount") {
        0 => String::new(),
        times => format!(" (retry {times})"),
    };
    let failed = format!("Failed to reconcile the Iamrole{retried} for {who}");
    match text(role, "/status/state") {
        "Ready" => healthy(format!(
            "Role '{}' exists with ARN '{}' and ID '{}'.",
            or_none("/status/roleName"),
            or_none("/status/roleARN"),
            or_none("/status/roleID")
        )),
        "Error" | "PolicyNotAllowed" | "RolesMaxLimitReached" => {
            degraded(match text(role, "/status/errorDescription") {
                "" => format!("{failed}."),
                why => format!("{failed}. Reconciliation error was: {why}"),
            })
        }
        _ => progressing("Waiting for Iamrole to be reconciled"),
    }
}

/// Ready or in trouble, whichever stands first.
fn keycloak(keycloak: &Value) -> Health {
    let said = |of: &Value| match (text(of, "/type"), text(of, "/status")) {
        ("Ready", "True") => Some(healthy("")),
        ("HasErrors", "True") => Some(degraded(format!("Has Errors: {}", text(of, "/message")))),
        _ => None,
    };
    if !has_conditions(keycloak) {
        return progressing("Waiting for Keycloak status conditions to exist");
    }
    conditions(keycloak).find_map(said).unwrap_or_else(|| progressing(""))
}

/// A machine that runs is ready, one that was not made is stopped; until either is reported it
/// is on its way, whatever is printed.
fn virtual_machine(machine: &Value) -> Health {
    let printed = text(machine, "/status/printableStatus");
    let or = |otherwise: &'static str| if printed.is_empty() { otherwise } else { printed };
    if find_is(machine, "Paused", "True").is_some() {
        return suspended("Paused");
    }
    match condition(machine, "Ready").map(|ready| text(ready, "/status")) {
        Some("True") => healthy(or("Running")),
        Some(_) if holds(machine, "/status/created") => progressing(or("Starting")),
        Some(_) => suspended(or("Stopped")),
        None => progressing(or("No status available")),
    }
}

/// The phase says all, but for what runs: that may be paused, ready or not.
fn machine_instance(instance: &Value) -> Health {
    let phase = text(instance, "/status/phase");
    match phase {
        "Succeeded" => return suspended(phase),
        "Failed" => return degraded(phase),
        "Unknown" => return unknown(phase),
        "Pending" | "Scheduling" | "Scheduled" => return progressing(phase),
        _ => {}
    }
    if let Some(paused) = find_is(instance, "Paused", "True") {
        return suspended(text(paused, "/message"));
    }
    match condition(instance, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => healthy("Running"),
        Some(ready) => degraded(text(ready, "/message")),
        None if phase.is_empty() => progressing("No status available"),
        None => progressing(phase),
    }
}

/// A stack reports conditions as kstatus has them.
fn stack(stack: &Value) -> Health {
    const STEPS: &[Step] = &[
        (Is("Stalled", "True"), Degraded, "{message}"),
        (Is("Ready", "True"), Healthy, "{message}"),
        (Is("Reconciling", "True"), Progressing, "{message}"),
        (Otherwise, Progressing, "Waiting for the stack to be reconciled"),
    ];
    let observed = int_where_set(stack, "/status/observedGeneration");
    if lookup(stack, "/status").is_none()
        || observed != int_where_set(stack, "/metadata/generation")
    {
        return progressing("Waiting for the operator to observe the latest spec change");
    }
    listed(STEPS, stack).expect("the last step fits everything")
}

/// Once there are conditions the service can be used, but for the first that tells of failure, or
/// of an older generation.
fn sap_service(service: &Value) -> Health {
    if !has_conditions(service) {
        return progressing("Waiting for status");
    }
    let said = |of: &Value| {
        if condition_is_stale(service, of) {
            return Some(progressing("Waiting for spec update to be observed"));
        }
        let failed = matches!(
            (text(of, "/type"), text(of, "/status")),
            ("Failed", "True") | ("Succeeded", "False")
        );
        failed.then(|| degraded(text(of, "/message")))
    };
    conditions(service).find_map(said).unwrap_or_else(|| healthy("Ready to use"))
}

/// How few and how many executors there may be, where their number is left to Spark.
fn dynamic_bounds(application: &Value) -> Option<(u64, u64)> {
    const PREFIXES: [&str; 2] = ["spark.dynamicAllocation", "spark.streaming.dynamicAllocation"];
    let settings = lookup(application, "/spec/sparkConf");
    let setting = |key: String| settings.and_then(|all| all.get(&key)).map(word);
    let number = |text: Option<std::borrow::Cow<'_, str>>| text.and_then(|text| text.parse().ok());
    for prefix in PREFIXES {
        if setting(format!("{prefix}.enabled")).is_some_and(|on| on == "true") {
            let fewest = number(setting(format!("{prefix}.minExecutors"))).unwrap_or(0);
            let most = number(setting(format!("{prefix}.maxExecutors"))).unwrap_or(u64::MAX);
            return Some((fewest, most));
        }
    }
    let dynamic = lookup(application, "/spec/dynamicAllocation")?;
    let bound = |name: &str| dynamic.get(name).and_then(Value::as_u64);
    let on = dynamic.get("enabled") == Some(&Value::Bool(true));
    on.then(|| (bound("minExecutors").unwrap_or(0), bound("maxExecutors").unwrap_or(u64::MAX)))
}

fn spark(application: &Value) -> Health {
    let state = text(application, "/status/applicationState/state");
    let error = text(application, "/status/applicationState/errorMessage");
    match state {
        "" | "NEW" => progressing("Waiting for SparkApplication to be submitted"),
        "SUBMITTED" => progressing("SparkApplication was Submitted"),
        "PENDING_RERUN" => progressing("SparkApplication is Pending Rerun"),
        "INVALIDATING" => missing("SparkApplication is in InvalidatingState"),
        "SUCCEEDING" => progressing("SparkApplication is Succeeding"),
        "FAILING" | "FAILED" | "SUBMISSION_FAILED" => degraded(error),
        "COMPLETED" => healthy("SparkApplication was Completed"),
        "RUNNING" => {
            let running = lookup(application, "/status/executorState")
                .and_then(Value::as_object)
                .map_or(0, |states| states.values().filter(|state| *state == "RUNNING").count());
            let running = u64::try_from(running).unwrap_or(u64::MAX);
            let wanted = lookup(application, "/spec/executor/instances").and_then(Value::as_u64);
            let enough = match (dynamic_bounds(application), wanted) {
                (Some((fewest, most)), _) => (fewest..=most).contains(&running),
                (None, Some(wanted)) => wanted == running,
                (None, None) => running > 0,
            };
            if enough {
                healthy("SparkApplication is Running")
            } else {
                progressing("Waiting for Executor pods")
            }
        }
        _ => progressing("Waiting for Executor pods"),
    }
}

fn ansible_job(job: &Value) -> Health {
    let status = text(job, "/status/ansibleJobResult/status");
    let words = match lookup(job, "/status/ansibleJobResult/url") {
        None => format!("{status} job"),
        Some(url) => format!("{status} job - {}", word(url)),
    };
    match status {
        "successful" => healthy(words),
        "canceled" | "error" | "failed" => degraded(words),
        "" => match condition(job, "Failure").filter(|of| text(of, "/status") == "True") {
            Some(failure) => degraded(text(failure, "/message")),
            None => progressing("Waiting for AnsibleJob"),
        },
        _ => progressing(words),
    }
}

/// A binding is well where every cluster, and no other, tells of the object, and none calls it
/// unwell.
fn resource_binding(binding: &Value) -> Health {
    let reported = || items(binding, "/status/aggregatedStatus");
    let wanted = lookup(binding, "/spec/clusters").and_then(Value::as_array).map(Vec::len);
    let none = reported().next().is_none();
    // Nobody knows how something is that was not applied.
    let unknown_where = |one: &Value| text(one, "/health") == "Unknown" && !holds(one, "/applied");
    if none || wanted.is_some_and(|wanted| wanted != reported().count()) {
        progressing("Current resource status is insufficient")
    } else if reported().any(|one| text(one, "/health") == "Unhealthy" || unknown_where(one)) {
        degraded("Current resource status is unhealthy")
    } else {
        healthy("")
    }
}

fn zookeeper(cluster: &Value) -> Health {
    let of = |pointer: &str| int_where_set(cluster, pointer);
    let wanted = of("/status/replicas");
    let joined = of("/status/readyReplicas") == wanted && wanted != Some(0);
    if lookup(cluster, "/status").is_some() && joined {
        healthy("All ZK Nodes have joined the ensemble")
    } else {
        progressing("Waiting for ZK Nodes to join the ensemble")
    }
}
