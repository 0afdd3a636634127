//! Crossplane: its own kinds, its providers', and those of the old AWS provider.
//!
//! A managed resource has `Synced` (was the last reconciliation a success?) and `Ready` (is the
//! external thing there?); providers made by Upjet add `LastAsyncOperation`.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, has_conditions, items, last_condition, lookup, text};
use crate::rules::{Entry, Rule};
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
const WITHOUT_STATUS: [&str; 7] = [
    "ClusterProviderConfig",
    "Composition",
    "CompositionRevision",
    "ControllerConfig",
    "DeploymentRuntimeConfig",
    "ProviderConfig",
    "ProviderConfigUsage",
];

/// Settings that count who uses them.
const USED: [&str; 2] = ["ClusterProviderConfig", "ProviderConfig"];

/// Conditions of which one that is True makes the object well.
const WELL: [&str; 6] =
    ["Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"];

/// Settings have no status, and nothing to wait for. A failure comes first, wherever it stands.
fn managed(object: &Value) -> Health {
    const UP_TO_DATE: &str = "Resource is up-to-date.";
    let kind = text(object, "/kind");
    let status = lookup(object, "/status").and_then(Value::as_object);
    if lookup(object, "/status").is_none()
        || status.is_some_and(serde_json::Map::is_empty) && WITHOUT_STATUS.contains(&kind)
    {
        return healthy(UP_TO_DATE);
    }
    if !has_conditions(object) {
        return if USED.contains(&kind) && lookup(object, "/status/users").is_some() {
            healthy("Resource is in use.")
        } else {
            progressing("Provisioning ...")
        };
    }
    let failed = conditions(object).find(|one| {
        matches!(text(one, "/type"), "Synced" | "LastAsyncOperation")
            && text(one, "/status") == "False"
    });
    if let Some(failed) = failed {
        return degraded(text(failed, "/message"));
    }
    let well = |of: &Value| WELL.contains(&text(of, "/type")) && text(of, "/status") == "True";
    if conditions(object).any(well) { healthy(UP_TO_DATE) } else { progressing("Provisioning ...") }
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

fn stack(object: &Value) -> Health {
    let ready = items(object, "/status/conditionedStatus/conditions")
        .find(|condition| text(condition, "/type") == "Ready");
    match ready {
        Some(ready) if text(ready, "/status") == "True" => healthy(text(ready, "/reason")),
        Some(ready) => progressing(text(ready, "/reason")),
        None => progressing("Waiting for stack to be installed"),
    }
}

/// The last word of `Synced` and of `Ready` counts, and both are needed. Without conditions nobody
/// has looked yet; without `Synced` nobody succeeded.
fn aws(object: &Value, noun: &str) -> Health {
    if !has_conditions(object) {
        return progressing(format!("Waiting for {noun} to be created"));
    }
    let holds = |one: &Value| text(one, "/status") == "True";
    let synced = last_condition(object, "Synced");
    let paused = synced.is_some_and(|one| text(one, "/reason") == "ReconcilePaused");
    match (synced.is_some_and(holds), last_condition(object, "Ready")) {
        (true, Some(ready)) if holds(ready) => healthy(text(ready, "/reason")),
        (true, _) if !paused => progressing(format!("Waiting for {noun} to be available")),
        (false, _) if paused => suspended("ReconcilePaused"),
        // What went wrong is only said of failures to reconcile.
        _ => degraded(
            synced
                .filter(|one| text(one, "/reason") == "ReconcileError")
                .map_or("", |one| text(one, "/message")),
        ),
    }
}

fn distribution(object: &Value) -> Health {
    aws(object, "distribution")
}

fn policy(object: &Value) -> Health {
    aws(object, "Policy")
}

fn role(object: &Value) -> Health {
    aws(object, "Role")
}

fn attachment(object: &Value) -> Health {
    aws(object, "RolePolicyAttachment")
}

fn database_cluster(object: &Value) -> Health {
    aws(object, "DBCluster")
}

fn database_instance(object: &Value) -> Health {
    aws(object, "DBInstance")
}

fn record_set(object: &Value) -> Health {
    aws(object, "resourcrecordset")
}

fn bucket(object: &Value) -> Health {
    aws(object, "Bucket")
}
