//! Kubernetes' own workloads.

use serde_json::{Value, json};

use super::{Kind, Run, copy, invalid_number, resume, suspend, whole_number};
use crate::edit::{annotate, holds, items, map, remove, set, text, without_empty};
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
            ("resume", Run::Patch(unpause)),
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
            ("resume", Run::Patch(resume)),
        ],
    },
    Kind {
        group: "batch",
        kind: "Job",
        offers: job,
        actions: &[
            ("suspend", Run::Patch(suspend)),
            ("resume", Run::Patch(resume)),
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

fn unpause(deployment: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
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

/// As `kubectl create job --from=cronjob/…` does it, named by the minute in UTC: a CronJob's name
/// may have 52 letters, a Job's 63.
fn create_job(cron_job: &Value, call: &Call<'_>) -> Value {
    let name = manifest::name(cron_job);
    let template = |of: &str| {
        let mut part = cron_job
            .pointer(&format!("/spec/jobTemplate/{of}"))
            .cloned()
            .unwrap_or_else(|| json!({}));
        without_empty(&mut part);
        part
    };
    let mut owner = json!({
        "apiVersion": manifest::api_version(cron_job),
        "kind": "CronJob",
        "name": name,
        "blockOwnerDeletion": true,
        "controller": true,
    });
    copy(cron_job, "uid", &mut owner);
    let mut metadata = template("metadata");
    let dated = format!("{name}-{}", call.now.strftime("%y%m%d%H%M"));
    set(&mut metadata, &["name"], dated);
    remove(&mut metadata, &["namespace"]);
    copy(cron_job, "namespace", &mut metadata);
    set(&mut metadata, &["ownerReferences"], json!([owner]));
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": template("spec"),
    });
    annotate(&mut job, "cronjob.kubernetes.io/instantiate", "manual");
    job
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
    let mut all = vec![pause_or_go_on(holds(job, "/spec/suspend"))];
    if is_seen(job) {
        all.push(Action::named("terminate").icon("fa fa-fw fa-stop"));
    }
    all
}

/// Whether the Job controller has said anything of it; what it does not know, it does not end.
fn is_seen(job: &Value) -> bool {
    holds(job, "/status")
}

/// Asks the Job controller to fail the Job, as it does itself for a deadline.
fn terminate(job: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    if has_ended(job) || !is_seen(job) {
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
