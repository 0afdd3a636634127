//! OpenKruise: workloads, game servers and rollouts.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, holds, int, int_where_set, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

pub(super) const RULES: &[Entry] = &[
    ("apps.kruise.io", "AdvancedCronJob", Rule::Code(cron_job)),
    ("apps.kruise.io", "BroadcastJob", Rule::Code(broadcast_job)),
    ("apps.kruise.io", "CloneSet", Rule::Code(clone_set)),
    ("apps.kruise.io", "DaemonSet", Rule::Code(daemon_set)),
    ("apps.kruise.io", "StatefulSet", Rule::Code(stateful_set)),
    ("game.kruise.io", "GameServer", Rule::Code(game_server)),
    ("game.kruise.io", "GameServerSet", Rule::Code(game_server_set)),
    ("rollouts.kruise.io", "Rollout", Rule::Code(rollout)),
];

fn cron_job(job: &Value) -> Health {
    let scheduled = lookup(job, "/status/lastScheduleTime").is_some();
    let running = items(job, "/status/active").next().is_some();
    if holds(job, "/spec/paused") && !scheduled {
        suspended("AdvancedCronJob is Paused")
    } else if running {
        progressing("AdvancedCronJobs has active jobs")
    } else if scheduled {
        healthy("AdvancedCronJobs has run successfully")
    } else {
        degraded("AdvancedCronJobs has not run successfully")
    }
}

/// The phase, where the numbers bear it out.
fn broadcast_job(job: &Value) -> Health {
    let of = |pointer: &str| int_where_set(job, pointer);
    match text(job, "/status/phase") {
        "completed" if of("/status/succeeded") == of("/status/desired") => {
            healthy("BroadcastJob is completed successfully")
        }
        "failed" if of("/status/failed") != Some(0) => degraded("BroadcastJob failed"),
        "paused" if holds(job, "/spec/paused") => suspended("BroadcastJob is Paused"),
        _ => progressing("BroadcastJob is still running"),
    }
}

/// Whether the controller has seen the newest spec. An object without generation is one that
/// nobody has written yet.
fn is_observed(object: &Value) -> bool {
    let observed = int_where_set(object, "/status/observedGeneration");
    observed.is_some_and(|observed| observed == manifest::generation(object))
}

/// How far a workload is, read from where its kind keeps it.
struct Workload<'a> {
    noun: &'a str,
    paused: bool,
    /// Where some stay at the old revision until a person says otherwise: whether all others have
    /// the new one.
    at_partition: Option<bool>,
    /// Whether all are there and new; `None` where nobody has counted yet.
    done: Option<bool>,
}

fn workload(of: &Workload<'_>) -> Health {
    let noun = of.noun;
    match (of.done, of.at_partition) {
        _ if of.paused => suspended(format!("{noun} is paused")),
        (None, _) => suspended(format!("{noun} is paused")),
        (_, Some(true)) => suspended(format!("{noun} needs manual intervention")),
        (_, Some(false)) => progressing(NOT_SEEN),
        (Some(true), None) => healthy(format!("All {noun} workloads are ready and updated")),
        (Some(false), None) => degraded("Some replicas are not ready or available"),
    }
}

const NOT_SEEN: &str = "Waiting for initialization";

/// Whether there is an older revision at which a partition could hold anything back.
fn was_changed(set: &Value) -> bool {
    manifest::generation(set) > 1
}

/// Whether as many as there should be are new and can be used.
fn all_available(set: &Value) -> Option<bool> {
    let updated = int_where_set(set, "/status/updatedAvailableReplicas");
    updated.map(|updated| updated == int(set, "/status/replicas"))
}

/// The controller says itself how many it expects at the new revision.
fn clone_set(set: &Value) -> Health {
    if !is_observed(set) {
        return progressing(NOT_SEEN);
    }
    let whole = lookup(set, "/spec/updateStrategy/partition").is_some_and(|kept| *kept == 0);
    let expected = int_where_set(set, "/status/expectedUpdatedReplicas")
        .filter(|_| !whole && was_changed(set));
    workload(&Workload {
        noun: "Cloneset",
        paused: holds(set, "/spec/updateStrategy/paused"),
        at_partition: expected.map(|expected| int(set, "/status/updatedReplicas") >= expected),
        done: all_available(set),
    })
}

fn stateful_set(set: &Value) -> Health {
    if !is_observed(set) {
        return progressing(NOT_SEEN);
    }
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition");
    let rest = int(set, "/status/replicas") - partition;
    let at_partition = int(set, "/status/updatedReplicas") > rest;
    workload(&Workload {
        noun: "Statefulset",
        paused: holds(set, "/spec/updateStrategy/rollingUpdate/paused"),
        at_partition: (partition != 0 && was_changed(set)).then_some(at_partition),
        done: all_available(set),
    })
}

/// A set is degraded only where no pod at all can be used; short of all it is on its way.
fn daemon_set(set: &Value) -> Health {
    let of = |name: &str| int_where_set(set, &format!("/status/{name}"));
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition");
    let (desired, updated) = (of("desiredNumberScheduled"), of("updatedNumberScheduled"));
    if !is_observed(set) {
        return progressing(NOT_SEEN);
    }
    if holds(set, "/spec/updateStrategy/rollingUpdate/paused") || updated.is_none() {
        return suspended("Daemonset is paused");
    }
    if partition != 0 && was_changed(set) && updated.unwrap_or(0) > desired.unwrap_or(0) - partition
    {
        return suspended("Daemonset needs manual intervention");
    }
    if updated == desired && of("numberAvailable") == desired {
        healthy("All Daemonset workloads are ready and updated")
    } else if updated == desired && of("numberUnavailable") == desired {
        degraded("Some pods are not ready or available")
    } else {
        progressing(NOT_SEEN)
    }
}

/// A server is well when it is in the state that is wanted, that is Ready, and its pod is, too.
fn game_server(server: &Value) -> Health {
    let current = text(server, "/status/currentState");
    let desired = text(server, "/status/desiredState");
    let or_unknown = |state: &str| if state.is_empty() { "Unknown" } else { state }.to_owned();
    if current != desired {
        let (from, to) = (or_unknown(current), or_unknown(desired));
        return progressing(format!("State change: {from} → {to}"));
    }
    if current != "Ready" {
        return unknown("Waiting for GameServer to be ready");
    }
    let not_ready =
        |of: &&Value| text(of, "/type") == "KruisePodReady" && text(of, "/status") != "True";
    match items(server, "/status/podStatus/conditions").find(not_ready) {
        Some(pod) => degraded(format!("Pod is not ready: {}", text(pod, "/type"))),
        None => healthy("GameServer is Ready"),
    }
}

fn game_server_set(set: &Value) -> Health {
    const WAITS: &str = "Waiting for GameServerSet initialization";
    if !is_observed(set) {
        return progressing(WAITS);
    }
    let replicas = int(set, "/status/replicas");
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition");
    if holds(set, "/spec/updateStrategy/rollingUpdate/paused") {
        return suspended("GameServerSet is paused");
    }
    if partition > 0 && int(set, "/status/updatedReplicas") >= replicas - partition {
        return suspended(format!("Partition={partition}, waiting for manual intervention"));
    }
    let of = |name: &str| int_where_set(set, &format!("/status/{name}"));
    match (of("replicas"), of("readyReplicas"), of("updatedReadyReplicas")) {
        (replicas, _, updated) if updated == replicas => {
            healthy("All GameServerSet replicas are updated and ready")
        }
        (Some(replicas), Some(ready), _) if ready < replicas => {
            progressing(format!("ReadyReplicas {ready}/{replicas}, still progressing"))
        }
        _ => progressing(WAITS),
    }
}

fn rollout(rollout: &Value) -> Health {
    if !is_observed(rollout) {
        return progressing("Rollout is still progressing");
    }
    let step = ["/status/canaryStatus", "/status/blueGreenStatus"]
        .iter()
        .map(|place| text(rollout, &format!("{place}/currentStepState")))
        .find(|state| !state.is_empty());
    match text(rollout, "/status/phase") {
        "Healthy" if lookup(rollout, "/status/canaryStatus").is_none() => {
            healthy("Rollout is Completed")
        }
        "Healthy" if step == Some("Completed") => healthy("Rollout is Completed"),
        "Disabled" | "Disabling" | "Terminating" => degraded("Rollout is Disabled or Terminating"),
        "Progressing" if step == Some("StepPaused") => {
            suspended("Rollout is Paused need manual intervention")
        }
        _ if condition(rollout, "Progressing")
            .is_some_and(|of| text(of, "/reason") == "Paused") =>
        {
            suspended("Rollout is Paused need manual intervention")
        }
        _ => progressing("Rollout is still progressing"),
    }
}
