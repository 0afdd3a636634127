//! Argo CD, Argo Workflows, Argo Rollouts' analyses, GitOps Promoter.

use serde_json::{Value, json};

use super::workloads::dated;
use super::{Kind, Run};
use crate::edit::{map, set, text};
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
    vec![Action::named("terminate").disabled_if(ended)]
}

fn terminate(run: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(run, &["spec", "terminate"], true);
    Ok(())
}

/// Automated sync is on where it is configured and not switched off.
fn syncs_by_itself(application: &Value) -> bool {
    application.pointer("/spec/syncPolicy/automated").is_some_and(|automated| {
        automated.is_object() && automated.get("enabled") != Some(&Value::Bool(false))
    })
}

fn application(application: &Value) -> Vec<Action> {
    let (name, icon) = if syncs_by_itself(application) {
        ("Disable Auto-Sync", "fa fa-fw fa-pause")
    } else {
        ("Enable Auto-Sync", "fa fa-fw fa-play")
    };
    vec![Action::named("toggle-auto-sync").icon(icon).shown_as(name)]
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

/// A workflow with an owner, a label that names it, and the instance that should run it.
fn workflow(owner: &Value, label: &str, spec: Value, call: &Call<'_>) -> Value {
    let name = manifest::name(owner);
    let mut reference = json!({
        "apiVersion": manifest::api_version(owner),
        "kind": manifest::kind(owner),
        "name": name,
    });
    let uid = manifest::uid(owner);
    if !uid.is_empty() {
        set(&mut reference, &["uid"], uid);
    }
    let mut labels = json!({ label: name });
    if let Some(instance) = manifest::label(owner, INSTANCE) {
        set(&mut labels, &[INSTANCE], instance);
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": dated(name, call),
            "namespace": manifest::namespace(owner),
            "labels": labels,
            "ownerReferences": [reference],
        },
        "spec": spec,
    })
}

fn from_cron_workflow(cron_workflow: &Value, call: &Call<'_>) -> Value {
    let spec = cron_workflow.pointer("/spec/workflowSpec").cloned().unwrap_or_else(|| json!({}));
    let mut made = workflow(cron_workflow, "workflows.argoproj.io/cron-workflow", spec, call);
    for of in ["labels", "annotations"] {
        let more = cron_workflow.pointer(&format!("/spec/workflowMetadata/{of}"));
        for (key, value) in more.and_then(Value::as_object).into_iter().flatten() {
            map(&mut made, &["metadata", of]).insert(key.clone(), value.clone());
        }
    }
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

fn pull_request(request: &Value) -> Vec<Action> {
    let open = text(request, "/spec/state") == "open" && text(request, "/status/state") != "merged";
    let merge = Action::named("merge").icon("fa fa-fw fa-code-merge").shown_as("Merge PR");
    vec![merge.disabled_if(!open)]
}

fn merge(request: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(request, &["spec", "state"], "merged");
    Ok(())
}
