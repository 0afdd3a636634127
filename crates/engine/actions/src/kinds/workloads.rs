//! Kubernetes' own workloads.

use serde_json::{Value, json};

use super::{Kind, Run, invalid_number, whole_number};
use crate::edit::{annotate, holds, items, map, remove, set, text};
use crate::error::ActionError;
use crate::offer::{Action, Call};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "apps",
        kind: "DaemonSet",
        offers: |_| vec![restart_offer()],
        actions: &[("restart", Run::Patch(restart))],
    },
    Kind {
        group: "apps",
        kind: "Deployment",
        offers: deployment,
        actions: &[
            ("restart", Run::Patch(restart)),
            ("pause", Run::Patch(pause)),
            ("resume", Run::Patch(resume)),
            ("scale", Run::Patch(scale)),
        ],
    },
    Kind {
        group: "apps",
        kind: "StatefulSet",
        offers: |_| vec![restart_offer(), scale_offer()],
        actions: &[("restart", Run::Patch(restart)), ("scale", Run::Patch(scale))],
    },
    Kind {
        group: "batch",
        kind: "CronJob",
        offers: cron_job,
        actions: &[
            ("create-job", Run::Create(create_job)),
            ("suspend", Run::Patch(suspend)),
            ("resume", Run::Patch(unsuspend)),
        ],
    },
    Kind {
        group: "batch",
        kind: "Job",
        offers: job,
        actions: &[
            ("suspend", Run::Patch(suspend)),
            ("resume", Run::Patch(unsuspend)),
            ("terminate", Run::Patch(terminate)),
        ],
    },
];

fn restart_offer() -> Action {
    Action::named("restart").icon("fa fa-fw fa-redo")
}

fn scale_offer() -> Action {
    Action::named("scale").icon("fa fa-fw fa-plus-circle").asks("replicas", "")
}

fn deployment(deployment: &Value) -> Vec<Action> {
    let paused = holds(deployment, "/spec/paused");
    vec![
        restart_offer(),
        Action::named("pause").icon("fa fa-fw fa-pause-circle").disabled_if(paused),
        Action::named("resume").icon("fa fa-fw fa-play-circle").disabled_if(!paused),
        scale_offer(),
    ]
}

/// As `kubectl rollout restart` does it.
fn restart(workload: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let annotations = map(workload, &["spec", "template", "metadata", "annotations"]);
    annotations.insert("kubectl.kubernetes.io/restartedAt".to_owned(), call.time().into());
    Ok(())
}

fn pause(deployment: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(deployment, &["spec", "paused"], true);
    Ok(())
}

fn resume(deployment: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove(deployment, &["spec", "paused"]);
    Ok(())
}

fn scale(workload: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let given = call.parameter("replicas");
    let replicas = whole_number(given).ok_or_else(|| invalid_number(given, ""))?;
    set(workload, &["spec", "replicas"], replicas);
    Ok(())
}

fn cron_job(job: &Value) -> Vec<Action> {
    let create = Action::named("create-job").icon("fa fa-fw fa-plus").shown_as("Create Job");
    vec![create, pause_or_go_on(holds(job, "/spec/suspend"))]
}

fn pause_or_go_on(suspended: bool) -> Action {
    if suspended {
        Action::named("resume").icon("fa fa-fw fa-play")
    } else {
        Action::named("suspend").icon("fa fa-fw fa-pause")
    }
}

fn suspend(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(object, &["spec", "suspend"], true);
    Ok(())
}

fn unsuspend(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(object, &["spec", "suspend"], false);
    Ok(())
}

/// As `kubectl create job --from=cronjob/…` does it, named by the minute.
fn create_job(cron_job: &Value, call: &Call<'_>) -> Value {
    let template = |pointer: &str| cron_job.pointer(pointer).cloned();
    let name = manifest::name(cron_job);
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": template("/spec/jobTemplate/metadata").unwrap_or_else(|| json!({})),
        "spec": template("/spec/jobTemplate/spec").unwrap_or_else(|| json!({})),
    });
    let metadata = map(&mut job, &["metadata"]);
    metadata.insert("name".to_owned(), dated(name, call).into());
    metadata.insert("namespace".to_owned(), manifest::namespace(cron_job).into());
    metadata.insert(
        "ownerReferences".to_owned(),
        json!([{
            "apiVersion": manifest::api_version(cron_job),
            "kind": "CronJob",
            "name": name,
            "uid": manifest::uid(cron_job),
            "blockOwnerDeletion": true,
            "controller": true,
        }]),
    );
    annotate(&mut job, "cronjob.kubernetes.io/instantiate", "manual");
    job
}

/// A name with the minute after it: `hello-202611211900`.
pub(super) fn dated(name: &str, call: &Call<'_>) -> String {
    format!("{name}-{}", call.now.strftime("%Y%m%d%H%M"))
}

/// Conditions that end a Job, or are about to.
const ENDS: [&str; 4] = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];

fn has_ended(job: &Value) -> bool {
    items(job, "/status/conditions")
        .any(|of| ENDS.contains(&text(of, "/type")) && text(of, "/status") == "True")
}

fn job(job: &Value) -> Vec<Action> {
    if has_ended(job) {
        return Vec::new();
    }
    let terminate = Action::named("terminate").icon("fa fa-fw fa-stop");
    vec![pause_or_go_on(holds(job, "/spec/suspend")), terminate]
}

/// Asks the Job controller to fail the Job, as it does itself for a deadline.
fn terminate(job: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    if has_ended(job) {
        return Ok(());
    }
    let condition = json!({
        "type": "FailureTarget",
        "status": "True",
        "reason": "ManuallyTerminated",
        "message": "Job was terminated explicitly through Argo CD",
        "lastTransitionTime": call.time(),
    });
    let status = map(job, &["status"]);
    match status.get_mut("conditions").and_then(Value::as_array_mut) {
        Some(conditions) => conditions.push(condition),
        None => {
            status.insert("conditions".to_owned(), json!([condition]));
        }
    }
    Ok(())
}
