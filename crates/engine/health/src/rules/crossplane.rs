//! Crossplane: its own kinds, its providers', and those of the old AWS provider.
//!
//! A managed resource has `Synced` (was the last reconciliation a success?) and `Ready` (is the
//! external thing there?); providers made by Upjet add `LastAsyncOperation`.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, lookup, text, word};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, first};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("*.crossplane.io", "*", Rule::Code(managed)),
    ("*.upbound.io", "*", Rule::Code(managed)),
    ("pkg.crossplane.io", "Provider", Rule::Code(provider)),
    ("stacks.crossplane.io", "ClusterStackInstall", Rule::Code(stack)),
    ("cloudfront.aws.crossplane.io", "Distribution", Rule::Code(distribution)),
    ("iam.aws.crossplane.io", "Policy", Rule::Code(policy)),
    ("iam.aws.crossplane.io", "Role", Rule::Code(role)),
    ("iam.aws.crossplane.io", "RolePolicyAttachment", Rule::Code(attachment)),
    ("rds.aws.crossplane.io", "DBCluster", Rule::Code(database_cluster)),
    ("rds.aws.crossplane.io", "DBInstance", Rule::Code(database_instance)),
    ("route53.aws.crossplane.io", "ResourceRecordSet", Rule::Code(record_set)),
    ("s3.aws.crossplane.io", "Bucket", Rule::Code(bucket)),
];

/// Kinds that are settings only: nobody writes a status for them.
const WITHOUT_STATUS: [&str; 8] = [
    "ClusterProviderConfig",
    "Composition",
    "CompositionRevision",
    "ControllerConfig",
    "DeploymentRuntimeConfig",
    "EnvironmentConfig",
    "ProviderConfig",
    "ProviderConfigUsage",
];

/// Conditions of which one that is True makes the object well.
const WELL: [&str; 6] =
    ["Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"];

fn managed(object: &Value) -> Health {
    const UP_TO_DATE: &str = "Resource is up-to-date.";
    let status = lookup(object, "/status").and_then(Value::as_object);
    if status.is_none_or(serde_json::Map::is_empty)
        && WITHOUT_STATUS.contains(&text(object, "/kind"))
    {
        return healthy(UP_TO_DATE);
    }
    if lookup(object, "/status/conditions").is_none() && lookup(object, "/status/users").is_some() {
        return healthy("Resource is in use.");
    }
    for condition in conditions(object) {
        let failed = matches!(text(condition, "/type"), "Synced" | "LastAsyncOperation")
            && text(condition, "/status") == "False";
        match (failed, text(condition, "/reason")) {
            (true, "ReconcilePaused") => return suspended("ReconcilePaused"),
            (true, _) => return degraded(text(condition, "/message")),
            (false, _) => {}
        }
    }
    let well = |of: &Value| WELL.contains(&text(of, "/type")) && text(of, "/status") == "True";
    let not_well = conditions(object)
        .any(|of| text(of, "/type") == "Healthy" && text(of, "/status") == "False");
    if !not_well && conditions(object).any(well) {
        return healthy(UP_TO_DATE);
    }
    progressing("Provisioning ...")
}

/// A package: `Installed` and `Healthy`, both needed.
fn provider(object: &Value) -> Health {
    let (Some(installed), Some(well)) =
        (condition(object, "Installed"), condition(object, "Healthy"))
    else {
        let some = condition(object, "Installed").or(condition(object, "Healthy"));
        return match some {
            Some(one) if text(one, "/status") == "False" => degraded(text(one, "/reason")),
            _ => progressing("Waiting for provider to be installed"),
        };
    };
    let message = format!("{} {}", text(installed, "/reason"), text(well, "/reason"));
    let both = [installed, well].iter().all(|one| text(one, "/status") == "True");
    if both { healthy(message) } else { degraded(message) }
}

/// Crossplane 0.x wrapped its conditions once more.
fn stack(object: &Value) -> Health {
    let conditions = lookup(object, "/status/conditionedStatus/conditions");
    let of = |kind: &str| {
        conditions
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|condition| text(condition, "/type") == kind)
    };
    if let Some(synced) = of("Synced")
        && text(synced, "/status") == "False"
    {
        let message = text(synced, "/message");
        return degraded(if message.is_empty() { text(synced, "/reason") } else { message });
    }
    match of("Ready") {
        Some(ready) if text(ready, "/status") == "True" => healthy(text(ready, "/reason")),
        Some(ready) => progressing(text(ready, "/reason")),
        None => progressing("Waiting for stack to be installed"),
    }
}

const AWS: &[Step] = &[
    (Because("Synced", "False", &["ReconcilePaused"]), Suspended, "{reason}"),
    (Is("Synced", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{reason}"),
];

fn aws(object: &Value, noun: &str) -> Health {
    first(AWS, object).unwrap_or_else(|| {
        let done = if conditions(object).any(|of| !word(&of["type"]).is_empty()) {
            "available"
        } else {
            "created"
        };
        progressing(format!("Waiting for {noun} to be {done}"))
    })
}

fn distribution(object: &Value) -> Health {
    aws(object, "distribution")
}

fn policy(object: &Value) -> Health {
    aws(object, "policy")
}

fn role(object: &Value) -> Health {
    aws(object, "role")
}

fn attachment(object: &Value) -> Health {
    aws(object, "rolepolicyattachment")
}

fn database_cluster(object: &Value) -> Health {
    aws(object, "dbcluster")
}

fn database_instance(object: &Value) -> Health {
    aws(object, "dbinstance")
}

fn record_set(object: &Value) -> Health {
    aws(object, "resourcerecordset")
}

fn bucket(object: &Value) -> Health {
    aws(object, "bucket")
}
