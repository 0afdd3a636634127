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
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

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

fn flink(deployment: &Value) -> Health {
    let reconciled = holds(deployment, "/status/reconciliationStatus/success")
        || text(deployment, "/status/reconciliationStatus/state") == "DEPLOYED";
    let error =
        [text(deployment, "/status/reconciliationStatus/error"), text(deployment, "/status/error")];
    match text(deployment, "/status/jobManagerDeploymentStatus") {
        "ERROR" => degraded(error.into_iter().find(|why| !why.is_empty()).unwrap_or_default()),
        "DEPLOYED_NOT_READY" | "DEPLOYING" => progressing("Waiting for deploying"),
        _ if reconciled => healthy(""),
        _ => progressing("Waiting for Flink operator"),
    }
}

fn iam_role(role: &Value) -> Health {
    let or_none = |pointer: &str| match text(role, pointer) {
        "" => "<none>".to_owned(),
        value => value.to_owned(),
    };
    let who = format!(
        "the Iamrole for role '{}' with ARN '{}' and ID '{}'",
        or_none("/status/roleName"),
        or_none("/status/roleARN"),
        or_none("/status/roleID")
    );
    match text(role, "/status/state") {
        "" | "CreateInProgress" | "DeleteInProgress" => {
            progressing("Waiting for Iamrole to be reconciled")
        }
        "Ready" => healthy(format!("Successfully reconciled {who}")),
        _ => degraded(format!(
            "Failed to reconcile {who}. Reconciliation error was: {}",
            or_none("/status/errorDescription")
        )),
    }
}

fn keycloak(keycloak: &Value) -> Health {
    let of = |kind: &str| condition(keycloak, kind);
    let holds = |kind: &str| of(kind).filter(|met| text(met, "/status") == "True");
    if let Some(errors) = holds("HasErrors") {
        degraded(format!("Has Errors: {}", text(errors, "/message")))
    } else if holds("RollingUpdate").is_some() {
        progressing("")
    } else if holds("Ready").is_some() {
        healthy("")
    } else {
        progressing("")
    }
}

/// `status.printableStatus` of machines that will not come up without help.
const MACHINE_FAILED: [&str; 8] = [
    "CrashLoopBackOff",
    "ErrorUnschedulable",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrorPvcNotFound",
    "DataVolumeError",
    "ErrorDataVolumeNotFound",
    "DataVolumeNotFound",
];

fn virtual_machine(machine: &Value) -> Health {
    let printed = text(machine, "/status/printableStatus");
    let of = |kind: &str| condition(machine, kind).filter(|met| text(met, "/status") == "True");
    if let Some(failure) = of("Failure") {
        return degraded(text(failure, "/message"));
    }
    if of("Paused").is_some() {
        return suspended(if printed.is_empty() { "Paused" } else { printed });
    }
    match printed {
        "" => progressing("No status available"),
        "Stopped" | "Paused" => suspended(printed),
        "Running" if of("Ready").is_some() => healthy(printed),
        "Running" => progressing(printed),
        printed if MACHINE_FAILED.contains(&printed) => degraded(printed),
        printed => progressing(printed),
    }
}

/// The phase says all, but for what runs: that may be paused, ready or not.
fn machine_instance(instance: &Value) -> Health {
    let phase = text(instance, "/status/phase");
    if let Some(paused) = find_is(instance, "Paused", "True").filter(|_| phase != "Succeeded") {
        return suspended(text(paused, "/message"));
    }
    match (phase, condition(instance, "Ready")) {
        ("Running" | "", Some(ready)) if text(ready, "/status") == "True" => healthy("Running"),
        ("Running" | "", Some(ready)) => degraded(text(ready, "/message")),
        ("", None) => progressing("No status available"),
        ("Succeeded", _) => suspended(phase),
        ("Failed", _) => degraded(phase),
        ("Unknown", _) => unknown(phase),
        _ => progressing(phase),
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

/// Once there are conditions the service can be used, but for what they say of failure.
fn sap_service(service: &Value) -> Health {
    const FAILURES: &[Step] = &[
        (Is("Failed", "True"), Degraded, "{message}"),
        (Is("Succeeded", "False"), Degraded, "{message}"),
    ];
    if !has_conditions(service) {
        return progressing("Waiting for status");
    }
    if conditions(service).any(|one| condition_is_stale(service, one)) {
        return progressing("Waiting for spec update to be observed");
    }
    listed(FAILURES, service).unwrap_or_else(|| healthy("Ready to use"))
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
        "INVALIDATING" => progressing("SparkApplication is Invalidating"),
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
                (None, wanted) => wanted.is_none_or(|wanted| running == wanted),
            };
            if enough {
                healthy("SparkApplication is Running")
            } else {
                progressing("SparkApplication is Running, waiting for executors")
            }
        }
        _ => progressing("Waiting for Executor pods"),
    }
}

fn ansible_job(job: &Value) -> Health {
    let status = text(job, "/status/ansibleJobResult/status");
    let words = match text(job, "/status/ansibleJobResult/url") {
        "" => format!("{status} job"),
        url => format!("{status} job - {url}"),
    };
    match status {
        "successful" => healthy(words),
        "canceled" | "error" | "failed" => degraded(words),
        "" => match condition(job, "Failure").filter(|of| text(of, "/status") == "True") {
            Some(failure) => degraded(text(failure, "/message")),
            None => progressing("Waiting for AnsibleJob to be started"),
        },
        _ => progressing(words),
    }
}

/// A binding is well where every cluster took the object and none calls it unwell.
fn resource_binding(binding: &Value) -> Health {
    const INSUFFICIENT: &str = "Current resource status is insufficient";
    let clusters = items(binding, "/spec/clusters").count();
    let reported: Vec<&Value> = items(binding, "/status/aggregatedStatus").collect();
    if clusters == 0 || reported.is_empty() || reported.len() < clusters {
        return progressing(INSUFFICIENT);
    }
    let unwell =
        reported.iter().any(|one| !holds(one, "/applied") || text(one, "/health") == "Unhealthy");
    if unwell { degraded("Current resource status is unhealthy") } else { healthy("") }
}

fn zookeeper(cluster: &Value) -> Health {
    let wanted = int_where_set(cluster, "/status/replicas");
    let ready = int(cluster, "/status/readyReplicas");
    match wanted {
        Some(wanted) if ready == wanted && wanted > 0 => {
            healthy("All ZK Nodes have joined the ensemble")
        }
        _ => progressing("Waiting for ZK Nodes to join the ensemble"),
    }
}
