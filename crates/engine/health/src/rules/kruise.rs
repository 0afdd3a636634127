//! OpenKruise: workloads, game servers and rollouts.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, holds, int, int_where_set, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

pub(super) const RULES: &[Entry] = &[
    ("apps.kruise.io", "AdvancedCronJob", Rule::Code(cron_job)),
    ("apps.kruise.io", "BroadcastJob", Rule::Steps(BROADCAST_JOB)),
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

const BROADCAST_JOB: &[Step] = &[
    (At("/status/phase", &["completed"]), Healthy, "BroadcastJob is completed successfully"),
    (At("/status/phase", &["failed"]), Degraded, "BroadcastJob failed"),
    (At("/status/phase", &["paused"]), Suspended, "BroadcastJob is Paused"),
    (Otherwise, Progressing, "BroadcastJob is still running"),
];

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
    /// How many stay at the old revision until a person says otherwise; 0: none.
    partition: i64,
    replicas: i64,
    updated: i64,
    done: bool,
    not_done: &'a str,
}

fn workload(of: &Workload<'_>) -> Health {
    let Workload { noun, partition, .. } = of;
    if of.paused {
        suspended(format!("{noun} is paused"))
    } else if *partition != 0 && of.updated >= of.replicas - partition {
        suspended(format!("{noun} needs manual intervention"))
    } else if of.done {
        healthy(format!("All {noun} workloads are ready and updated"))
    } else {
        degraded(of.not_done)
    }
}

const NOT_SEEN: &str = "Waiting for initialization";
const REPLICAS_MISSING: &str = "Some replicas are not ready or available";

fn clone_set(set: &Value) -> Health {
    if !is_observed(set) {
        return progressing(NOT_SEEN);
    }
    let replicas = int(set, "/status/replicas");
    workload(&Workload {
        noun: "Cloneset",
        paused: holds(set, "/spec/updateStrategy/paused"),
        partition: int(set, "/spec/updateStrategy/partition"),
        replicas,
        updated: int(set, "/status/updatedReplicas"),
        done: int(set, "/status/updatedAvailableReplicas") == replicas,
        not_done: REPLICAS_MISSING,
    })
}

fn stateful_set(set: &Value) -> Health {
    if !is_observed(set) {
        return progressing(NOT_SEEN);
    }
    let replicas = int(set, "/status/replicas");
    workload(&Workload {
        noun: "Statefulset",
        paused: holds(set, "/spec/updateStrategy/rollingUpdate/paused"),
        partition: int(set, "/spec/updateStrategy/rollingUpdate/partition"),
        replicas,
        updated: int(set, "/status/updatedReplicas"),
        done: int(set, "/status/updatedAvailableReplicas") == replicas,
        not_done: REPLICAS_MISSING,
    })
}

fn daemon_set(set: &Value) -> Health {
    let desired = int(set, "/status/desiredNumberScheduled");
    // A set that wants no pod on any node has not been scheduled yet.
    if !is_observed(set) || desired == 0 {
        return progressing(NOT_SEEN);
    }
    workload(&Workload {
        noun: "Daemonset",
        paused: holds(set, "/spec/updateStrategy/rollingUpdate/paused"),
        partition: int(set, "/spec/updateStrategy/rollingUpdate/partition"),
        replicas: desired,
        updated: int(set, "/status/updatedNumberScheduled"),
        done: int(set, "/status/updatedNumberScheduled") == desired
            && int(set, "/status/numberAvailable") == desired,
        not_done: "Some pods are not ready or available",
    })
}

fn game_server(server: &Value) -> Health {
    let current = text(server, "/status/currentState");
    let desired = text(server, "/status/desiredState");
    if current.is_empty() {
        return unknown("Waiting for GameServer to be ready");
    }
    if current == "Crash" {
        return degraded("GameServer is Crash");
    }
    if current != desired {
        return progressing(format!("State change: {current} → {desired}"));
    }
    let failed = |of: &&Value| text(of, "/status") == "False";
    if let Some(pod) = items(server, "/status/podStatus/conditions").find(failed) {
        return degraded(format!("Pod is not ready: {}", text(pod, "/type")));
    }
    if let Some(one) = items(server, "/status/conditions").find(failed) {
        return degraded(format!("{} is not ready", text(one, "/type")));
    }
    if current == "Ready" {
        healthy("GameServer is Ready")
    } else {
        progressing(format!("GameServer is {current}"))
    }
}

fn game_server_set(set: &Value) -> Health {
    if !is_observed(set) {
        return progressing("Waiting for GameServerSet initialization");
    }
    let replicas = int(set, "/status/replicas");
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition");
    if holds(set, "/spec/updateStrategy/rollingUpdate/paused") {
        suspended("GameServerSet is paused")
    } else if partition > 0 && int(set, "/status/updatedReplicas") >= replicas - partition {
        suspended(format!("Partition={partition}, waiting for manual intervention"))
    } else if int(set, "/status/updatedReadyReplicas") == replicas
        && int(set, "/status/readyReplicas") == replicas
    {
        healthy("All GameServerSet replicas are updated and ready")
    } else {
        progressing("Some GameServerSet replicas are not updated and ready")
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
        "Healthy" => healthy("Rollout is completed"),
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
