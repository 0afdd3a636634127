//! Argo CD, Argo Workflows, Argo Rollouts' analyses, GitOps Promoter.

use serde_json::{Value, json};

use super::{Kind, Run, copy};
use crate::edit::{annotate, holds, map, set, text};
use crate::error::ActionError;
use crate::offer::{Action, Call};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "argoproj.io",
        kind: "AnalysisRun",
        offers: analysis_run,
        actions: &[("terminate", Run::Patch(terminate))],
    },
    Kind {
        group: "argoproj.io",
        kind: "Application",
        offers: application,
        actions: &[("toggle-auto-sync", Run::Patch(toggle_auto_sync))],
    },
    Kind {
        group: "argoproj.io",
        kind: "CronWorkflow",
        offers: |_| vec![create_workflow()],
        actions: &[("create-workflow", Run::Create(from_cron_workflow))],
    },
    Kind {
        group: "argoproj.io",
        kind: "WorkflowTemplate",
        offers: |_| vec![create_workflow()],
        actions: &[("create-workflow", Run::Create(from_template))],
    },
    Kind {
        group: "promoter.argoproj.io",
        kind: "PullRequest",
        offers: pull_request,
        actions: &[("merge", Run::Patch(merge))],
    },
];

fn analysis_run(run: &Value) -> Vec<Action> {
    let phase = text(run, "/status/phase");
    let ended = matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive");
    let told = holds(run, "/spec/terminate");
    vec![Action::named("terminate").disabled_if(ended || told)]
}

fn terminate(run: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(run, &["spec", "terminate"], true);
    Ok(())
}

/// Automated sync is on where it is configured, and nothing else is said of it than "on".
fn syncs_by_itself(application: &Value) -> bool {
    application.pointer("/spec/syncPolicy/automated").is_some_and(|automated| {
        let enabled = automated.get("enabled");
        automated.is_object() && matches!(enabled, None | Some(Value::Null | Value::Bool(true)))
    })
}

fn application(application: &Value) -> Vec<Action> {
    let on = syncs_by_itself(application);
    let name = if on { "Disable Auto-Sync" } else { "Enable Auto-Sync" };
    vec![Action::named("toggle-auto-sync").shown_as(name)]
}

/// Switches it, and keeps how it is configured.
fn toggle_auto_sync(application: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    let on = syncs_by_itself(application);
    set(application, &["spec", "syncPolicy", "automated", "enabled"], !on);
    Ok(())
}

fn create_workflow() -> Action {
    Action::named("create-workflow").icon("fa fa-fw fa-plus").shown_as("Create Workflow")
}

const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";
const SCHEDULED: &str = "workflows.argoproj.io/scheduled-time";

/// A workflow that bears its owner's name in a label.
fn workflow(owner: &Value, label: &str, spec: Value, call: &Call<'_>) -> Value {
    let name = manifest::name(owner);
    let mut reference = json!({
        "apiVersion": manifest::api_version(owner),
        "kind": manifest::kind(owner),
        "name": name,
    });
    let dated = format!("{name}-{}", call.now.strftime("%Y%m%d%H%M"));
    let mut metadata = json!({ "name": dated, "labels": { label: name } });
    copy(owner, "uid", &mut reference);
    copy(owner, "namespace", &mut metadata);
    set(&mut metadata, &["ownerReferences"], json!([reference]));
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": metadata,
        "spec": spec,
    })
}

/// What the schedule says of its workflows' metadata comes first; the controller's own words are
/// written over it. The workflow is told that its time is now.
fn from_cron_workflow(cron_workflow: &Value, call: &Call<'_>) -> Value {
    let spec = cron_workflow.pointer("/spec/workflowSpec").cloned().unwrap_or_else(|| json!({}));
    let mut made = workflow(cron_workflow, "workflows.argoproj.io/cron-workflow", spec, call);
    for of in ["labels", "annotations"] {
        let more = cron_workflow.pointer(&format!("/spec/workflowMetadata/{of}"));
        let place = map(&mut made, &["metadata", of]);
        for (key, value) in more.and_then(Value::as_object).into_iter().flatten() {
            place.entry(key).or_insert_with(|| value.clone());
        }
    }
    if let Some(instance) = manifest::label(cron_workflow, INSTANCE) {
        set(&mut made, &["metadata", "labels", INSTANCE], instance);
    }
    annotate(&mut made, SCHEDULED, &call.time());
    // Upstream puts them beside the metadata; users' tools have seen them there ever since.
    if let Some(finalizers) = cron_workflow.pointer("/spec/workflowMetadata/finalizers") {
        set(&mut made, &["finalizers"], finalizers.clone());
    }
    made
}

fn from_template(template: &Value, call: &Call<'_>) -> Value {
    let spec = json!({ "workflowTemplateRef": { "name": manifest::name(template) } });
    workflow(template, "workflows.argoproj.io/workflow-template", spec, call)
}

/// A request that is wanted open can be merged. What its status says may be behind.
fn pull_request(request: &Value) -> Vec<Action> {
    let open = text(request, "/spec/state") == "open";
    let merge = Action::named("merge").icon("fa fa-fw fa-code-merge").shown_as("Merge PR");
    vec![merge.disabled_if(!open)]
}

fn merge(request: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(request, &["spec", "state"], "merged");
    Ok(())
}
