//! The defaults of the groups other than core.

use serde_json::{Map, Value, json};

use crate::conversions::AUTOSCALER_METRICS;

use super::{if_absent, if_zero, non_empty, part, text};

/// Sets the defaults of one struct; `name` is its OpenAPI name without `io.k8s.`.
pub(super) fn set(name: &str, object: &mut Map<String, Value>) {
    match name {
        "api.apps.v1.Deployment" => deployment(object),
        "api.apps.v1.DaemonSet" => daemon_set(object),
        "api.apps.v1.StatefulSet" => stateful_set(object),
        "api.apps.v1.ReplicaSet" => if_absent(part(object, "spec"), "replicas", 1),
        "api.batch.v1.Job" => job(object),
        "api.batch.v1.CronJob" => {
            let spec = part(object, "spec");
            if_zero(spec, "concurrencyPolicy", "Allow");
            if_absent(spec, "suspend", false);
            if_absent(spec, "successfulJobsHistoryLimit", 3);
            if_absent(spec, "failedJobsHistoryLimit", 1);
        }
        "api.batch.v1.PodFailurePolicyOnPodConditionsPattern" => {
            if_zero(object, "status", "True");
        }
        "api.autoscaling.v1.HorizontalPodAutoscaler" => {
            let other = object
                .get("metadata")
                .and_then(|metadata| metadata.get("annotations"))
                .is_some_and(|annotations| annotations.get(AUTOSCALER_METRICS).is_some());
            let spec = part(object, "spec");
            if_absent(spec, "minReplicas", 1);
            if !other {
                if_absent(spec, "targetCPUUtilizationPercentage", 80);
            }
        }
        "api.autoscaling.v2.HorizontalPodAutoscaler" => autoscaler(part(object, "spec")),
        "api.networking.v1.NetworkPolicyPort" => if_absent(object, "protocol", "TCP"),
        "api.networking.v1.NetworkPolicy" => network_policy(part(object, "spec")),
        "api.networking.v1.IngressClass" => {
            if let Some(Value::Object(parameters)) = part(object, "spec").get_mut("parameters") {
                if_absent(parameters, "scope", "Cluster");
            }
        }
        "api.rbac.v1.RoleBinding" | "api.rbac.v1.ClusterRoleBinding" => {
            if_zero(part(object, "roleRef"), "apiGroup", "rbac.authorization.k8s.io");
        }
        "api.rbac.v1.Subject" => {
            if matches!(text(object, "kind"), "User" | "Group") {
                if_zero(object, "apiGroup", "rbac.authorization.k8s.io");
            }
        }
        "api.storage.v1.StorageClass" => {
            if_absent(object, "reclaimPolicy", "Delete");
            if_absent(object, "volumeBindingMode", "Immediate");
        }
        "api.storage.v1.CSIDriver" => csi_driver(part(object, "spec")),
        "api.scheduling.v1.PriorityClass" => {
            if_absent(object, "preemptionPolicy", "PreemptLowerPriority");
        }
        "api.discovery.v1.EndpointPort" => {
            if_absent(object, "name", "");
            if_absent(object, "protocol", "TCP");
        }
        "api.flowcontrol.v1.FlowSchemaSpec" => if_zero(object, "matchingPrecedence", 1000),
        "api.flowcontrol.v1.ExemptPriorityLevelConfiguration" => {
            if_absent(object, "nominalConcurrencyShares", 0);
            if_absent(object, "lendablePercent", 0);
        }
        "api.flowcontrol.v1.LimitedPriorityLevelConfiguration" => {
            if_absent(object, "nominalConcurrencyShares", 30);
            if_absent(object, "lendablePercent", 0);
        }
        "api.flowcontrol.v1.QueuingConfiguration" => {
            if_zero(object, "handSize", 8);
            if_zero(object, "queues", 64);
            if_zero(object, "queueLengthLimit", 50);
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition" => {
            custom_resource_definition(object);
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference"
        | "kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference" => {
            if_absent(object, "port", 443);
        }
        _ => admission_and_devices(name, object),
    }
}

/// Groups whose rules are the same at several versions.
fn admission_and_devices(name: &str, object: &mut Map<String, Value>) {
    let mut parts = name.split('.').skip(1);
    let (Some(group), Some(_), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    match (group, kind) {
        ("admissionregistration", "ServiceReference") => if_absent(object, "port", 443),
        ("admissionregistration", "Rule") => if_absent(object, "scope", "*"),
        (
            "admissionregistration",
            "ValidatingAdmissionPolicySpec" | "MutatingAdmissionPolicySpec",
        ) => if_absent(object, "failurePolicy", "Fail"),
        ("admissionregistration", "MatchResources") => matching(object),
        ("admissionregistration", "ValidatingWebhook" | "MutatingWebhook") => {
            if_absent(object, "failurePolicy", "Fail");
            matching(object);
            if_absent(object, "timeoutSeconds", 10);
            if kind == "MutatingWebhook" {
                if_absent(object, "reinvocationPolicy", "Never");
            }
        }
        ("resource", "ExactDeviceRequest" | "DeviceSubRequest") => {
            if_zero(object, "allocationMode", "ExactCount");
            if text(object, "allocationMode") == "ExactCount" {
                if_zero(object, "count", 1);
            }
        }
        _ => {}
    }
}

fn matching(object: &mut Map<String, Value>) {
    if_absent(object, "matchPolicy", "Equivalent");
    if_absent(object, "namespaceSelector", Map::new());
    if_absent(object, "objectSelector", Map::new());
}

fn deployment(deployment: &mut Map<String, Value>) {
    let spec = part(deployment, "spec");
    if_absent(spec, "replicas", 1);
    let strategy = part(spec, "strategy");
    if_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = part(strategy, "rollingUpdate");
        if_absent(rolling, "maxUnavailable", "25%");
        if_absent(rolling, "maxSurge", "25%");
    }
    if_absent(spec, "revisionHistoryLimit", 10);
    if_absent(spec, "progressDeadlineSeconds", 600);
}

fn daemon_set(set: &mut Map<String, Value>) {
    let spec = part(set, "spec");
    let strategy = part(spec, "updateStrategy");
    if_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = part(strategy, "rollingUpdate");
        if_absent(rolling, "maxUnavailable", 1);
        if_absent(rolling, "maxSurge", 0);
    } else if let Some(Value::Object(rolling)) = strategy.get_mut("rollingUpdate") {
        // Where the server keeps them, these numbers are never absent.
        if_absent(rolling, "maxUnavailable", 0);
        if_absent(rolling, "maxSurge", 0);
    }
    if_absent(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(set: &mut Map<String, Value>) {
    let spec = part(set, "spec");
    if_zero(spec, "podManagementPolicy", "OrderedReady");
    let strategy = part(spec, "updateStrategy");
    if text(strategy, "type").is_empty() {
        strategy.insert("type".to_owned(), "RollingUpdate".into());
        part(strategy, "rollingUpdate");
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(Value::Object(rolling)) = strategy.get_mut("rollingUpdate")
    {
        if_absent(rolling, "partition", 0);
    }
    let retention = part(spec, "persistentVolumeClaimRetentionPolicy");
    if_zero(retention, "whenDeleted", "Retain");
    if_zero(retention, "whenScaled", "Retain");
    if_absent(spec, "replicas", 1);
    if_absent(spec, "revisionHistoryLimit", 10);
}

fn job(job: &mut Map<String, Value>) {
    let labels = job
        .get("spec")
        .and_then(|spec| spec.pointer("/template/metadata/labels"))
        .filter(|labels| non_empty(Some(labels)))
        .cloned();
    let metadata = part(job, "metadata");
    if let Some(labels) = labels
        && !non_empty(metadata.get("labels"))
    {
        metadata.insert("labels".to_owned(), labels);
    }
    let spec = part(job, "spec");
    let is_set =
        |spec: &Map<String, Value>, name: &str| spec.get(name).is_some_and(|v| !v.is_null());
    if !is_set(spec, "completions") && !is_set(spec, "parallelism") {
        spec.insert("completions".to_owned(), 1.into());
    }
    if_absent(spec, "parallelism", 1);
    let limit = if is_set(spec, "backoffLimitPerIndex") { i32::MAX } else { 6 };
    if_absent(spec, "backoffLimit", limit);
    if_absent(spec, "completionMode", "NonIndexed");
    if_absent(spec, "suspend", false);
    let replacement =
        if is_set(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    if_absent(spec, "podReplacementPolicy", replacement);
    if_absent(spec, "manualSelector", false);
}

/// Without metrics, four fifths of the CPU; once a behaviour is named, all of it is written.
fn autoscaler(spec: &mut Map<String, Value>) {
    if_absent(spec, "minReplicas", 1);
    if !non_empty(spec.get("metrics")) {
        let metrics = json!([{
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
        }]);
        spec.insert("metrics".to_owned(), metrics);
    }
    let Some(Value::Object(behavior)) = spec.get_mut("behavior") else { return };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    let up = part(behavior, "scaleUp");
    if_absent(up, "stabilizationWindowSeconds", 0);
    if_absent(up, "selectPolicy", "Max");
    if_absent(up, "policies", vec![pods, percent.clone()]);
    let down = part(behavior, "scaleDown");
    if_absent(down, "selectPolicy", "Max");
    if_absent(down, "policies", vec![percent]);
}

fn network_policy(spec: &mut Map<String, Value>) {
    if !non_empty(spec.get("policyTypes")) {
        let mut types = vec![Value::from("Ingress")];
        if non_empty(spec.get("egress")) {
            types.push("Egress".into());
        }
        spec.insert("policyTypes".to_owned(), types.into());
    }
}

fn csi_driver(spec: &mut Map<String, Value>) {
    if_absent(spec, "attachRequired", true);
    if_absent(spec, "podInfoOnMount", false);
    if_absent(spec, "storageCapacity", false);
    if_absent(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    if !non_empty(spec.get("volumeLifecycleModes")) {
        spec.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
    }
    if_absent(spec, "requiresRepublish", false);
    if_absent(spec, "seLinuxMount", false);
}

fn custom_resource_definition(definition: &mut Map<String, Value>) {
    let spec = part(definition, "spec");
    let storage = spec
        .get("versions")
        .and_then(Value::as_array)
        .and_then(|versions| versions.iter().find(|version| version["storage"] == true))
        .map(|version| version["name"].clone());
    let names = part(spec, "names");
    let kind = text(names, "kind").to_owned();
    if_zero(names, "singular", kind.to_lowercase());
    if !kind.is_empty() {
        if_zero(names, "listKind", format!("{kind}List"));
    }
    if_absent(spec, "conversion", json!({"strategy": "None"}));
    let status = part(definition, "status");
    if !non_empty(status.get("storedVersions"))
        && let Some(storage) = storage
    {
        status.insert("storedVersions".to_owned(), json!([storage]));
    }
}
