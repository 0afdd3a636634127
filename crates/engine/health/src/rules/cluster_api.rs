//! Clusters, machines and nodes: Cluster API, Gardener, Karpenter.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    any_is, conditions, find_is, has_conditions, holds, int_where_set, lookup, stale, text,
};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

const GROUP: &str = "cluster.x-k8s.io";

pub(super) const RULES: &[Entry] = &[
    ("addons.cluster.x-k8s.io", "ClusterResourceSet", Rule::Listed(RESOURCE_SET)),
    (GROUP, "Cluster", Rule::Code(cluster)),
    (GROUP, "Machine", Rule::Code(machine)),
    (GROUP, "MachineDeployment", Rule::Steps(DEPLOYMENT)),
    (GROUP, "MachineHealthCheck", Rule::Code(health_check)),
    (GROUP, "MachinePool", Rule::Code(pool)),
    ("controlplane.cluster.x-k8s.io", "AWSManagedControlPlane", Rule::Code(aws_control_plane)),
    ("core.gardener.cloud", "Shoot", Rule::Code(shoot)),
    ("karpenter.k8s.aws", "EC2NodeClass", Rule::Listed(EC2_NODE_CLASS)),
    ("karpenter.sh", "NodePool", Rule::Listed(NODE_CLASS)),
    ("karpenter.sh", "NodeClaim", Rule::Steps(NODE_CLAIM)),
];

const RESOURCE_SET: &[Step] = &[
    (Is("ResourcesApplied", "False"), Degraded, "{message}"),
    (Is("ResourcesApplied", "True"), Healthy, "cluster resource set is applied"),
    (Otherwise, Progressing, "Initializing cluster resource set"),
];

/// What is not ready is wrong, but for what is only on its way (severity `Info`).
fn cluster(cluster: &Value) -> Health {
    if holds(cluster, "/spec/paused") {
        return suspended("Cluster is paused");
    }
    let phase = text(cluster, "/status/phase");
    let not_ready = find_is(cluster, "Ready", "False");
    if let Some(ready) = not_ready
        && (phase == "Failed" || text(ready, "/severity") != "Info")
    {
        return degraded(text(ready, "/message"));
    }
    match phase {
        "Provisioned" => healthy("Cluster is running"),
        "Failed" => degraded(""),
        _ => progressing("Waiting for clusters"),
    }
}

/// The phase says all; `Ready` says why.
fn machine(machine: &Value) -> Health {
    let not_ready = find_is(machine, "Ready", "False").map(|ready| text(ready, "/message"));
    let why = not_ready.unwrap_or("Condition is unknown");
    match text(machine, "/status/phase") {
        "Running" => healthy("Machine is running"),
        "Failed" => degraded(why),
        _ => progressing(why),
    }
}

const DEPLOYMENT: &[Step] = &[
    (At("/spec/paused", &["true"]), Suspended, "MachineDeployment is paused"),
    (At("/status/phase", &["Running"]), Healthy, "Machines are running under this deployment"),
    (At("/status/phase", &["ScalingUp"]), Progressing, "Cluster is spawning machines"),
    (At("/status/phase", &["ScalingDown"]), Progressing, "Cluster is stopping machines"),
    (At("/status/phase", &["Failed"]), Degraded, "MachineDeployment is failed"),
    (Otherwise, Progressing, "Waiting for machines"),
];

/// All machines that should be there are, no fewer and no more.
fn health_check(check: &Value) -> Health {
    let healthy_now = int_where_set(check, "/status/currentHealthy");
    match (healthy_now, int_where_set(check, "/status/expectedMachines")) {
        (None, _) => progressing(""),
        (now, expected) if now == expected => healthy(""),
        _ => degraded(""),
    }
}

fn pool(pool: &Value) -> Health {
    let phase = text(pool, "/status/phase");
    let mut message = format!("MachinePool is {phase}");
    let missing: Vec<String> = conditions(pool)
        .filter(|condition| text(condition, "/status") != "True")
        .map(|condition| match text(condition, "/reason") {
            "" => format!("Not {}", text(condition, "/type")),
            reason => format!("Not {} ({reason})", text(condition, "/type")),
        })
        .collect();
    if !missing.is_empty() {
        message = format!("{message}: {}", missing.join(", "));
    }
    match phase {
        "Failed" => degraded(message),
        "Running" | "Scaling" | "ScalingUp" | "ScalingDown" => healthy(message),
        _ if lookup(pool, "/status/phase").is_none() => progressing(""),
        _ => progressing(message),
    }
}

fn aws_control_plane(plane: &Value) -> Health {
    if stale(plane) {
        return progressing("Waiting for the control plane spec to be reconciled");
    }
    let failure = text(plane, "/status/failureMessage");
    if !failure.is_empty() {
        return degraded(failure);
    }
    if !has_conditions(plane) {
        return progressing("Provisioning...");
    }
    if any_is(plane, "EKSControlPlaneUpdating", "True") {
        return progressing("EKS control plane is updating");
    }
    if any_is(plane, "Ready", "True") {
        return healthy("Control plane is ready");
    }
    // Every error that is reported is told.
    let errors: String = conditions(plane)
        .filter(|of| text(of, "/status") == "False" && text(of, "/severity") == "Error")
        .map(|of| format!("{} ", text(of, "/message")))
        .collect();
    if !errors.is_empty() {
        degraded(errors)
    } else if plane.pointer("/status/ready") == Some(&Value::Bool(false)) {
        progressing("Control plane is not ready (.status.ready is false)")
    } else {
        progressing("Control plane is not ready")
    }
}

/// Gardener sums a cluster up in a label; a cluster that sleeps on purpose says so in its spec.
fn shoot(shoot: &Value) -> Health {
    let state = |words: &str| format!("Component state: {words}");
    match manifest::label(shoot, "shoot.gardener.cloud/status") {
        Some("healthy") => healthy(state("Healthy")),
        Some("progressing") => progressing(state("Update in progress")),
        Some("unhealthy") => degraded(state("Unhealthy")),
        Some("unknown") => unknown(state("Unknown")),
        Some(_) | None => progressing("Update in progress"),
    }
}

const EC2_NODE_CLASS: &[Step] = &[
    (Is("Ready", "True"), Healthy, "EC2NodeClass is ready"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Otherwise, Progressing, "Waiting for EC2NodeClass to be ready"),
];

const NODE_CLASS: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{message}"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Otherwise, Progressing, "Waiting for {kind} to be ready"),
];

const NODE_CLAIM: &[Step] = &[
    (Stale, Progressing, "Waiting for NodeClaim spec update to be observed"),
    (Is("Disrupting", "True"), Suspended, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Initialized", "True"), Progressing, "Node initialized, waiting for Ready"),
    (Is("Registered", "True"), Progressing, "Node registered, waiting for initialization"),
    (Is("Launched", "True"), Progressing, "Node launched, waiting for registration"),
    (Otherwise, Progressing, "Waiting for NodeClaim to be launched"),
];
