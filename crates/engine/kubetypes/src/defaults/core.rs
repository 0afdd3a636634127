//! The defaults of the core group.

use serde_json::{Map, Value, json};

use super::image::pull_policy;
use super::resources::{objects, requests_from_limits, whole_pod};
use super::{if_absent, if_zero, non_empty, part, text};

/// Sets the defaults of one struct of `core/v1`.
pub(super) fn set(name: &str, object: &mut Map<String, Value>, minor: u32) {
    match name {
        "Pod" => pod(object, minor),
        "PodSpec" => pod_spec(object),
        // What an ephemeral container is apart from its target.
        "Container" | "EphemeralContainerCommon" => container(object),
        "Volume" => volume(object, minor),
        "Probe" => {
            if_zero(object, "timeoutSeconds", 1);
            if_zero(object, "periodSeconds", 10);
            if_zero(object, "successThreshold", 1);
            if_zero(object, "failureThreshold", 3);
        }
        "HTTPGetAction" => {
            if_zero(object, "path", "/");
            if_zero(object, "scheme", "HTTP");
        }
        "SecretVolumeSource"
        | "ConfigMapVolumeSource"
        | "DownwardAPIVolumeSource"
        | "ProjectedVolumeSource" => if_absent(object, "defaultMode", 0o644),
        "HostPathVolumeSource" => if_absent(object, "type", ""),
        "ServiceAccountTokenProjection" => if_absent(object, "expirationSeconds", 3600),
        "ObjectFieldSelector" => if_zero(object, "apiVersion", "v1"),
        "ReplicationController" => labels_from_template(object),
        "Service" => service(object),
        "Secret" => if_zero(object, "type", "Opaque"),
        "PersistentVolume" => {
            if_zero(part(object, "status"), "phase", "Pending");
            let spec = part(object, "spec");
            if_zero(spec, "persistentVolumeReclaimPolicy", "Retain");
            if_absent(spec, "volumeMode", "Filesystem");
        }
        "PersistentVolumeClaim" => if_zero(part(object, "status"), "phase", "Pending"),
        "PersistentVolumeClaimSpec" => if_absent(object, "volumeMode", "Filesystem"),
        "EndpointPort" => if_zero(object, "protocol", "TCP"),
        "Namespace" => namespace(object),
        "NamespaceStatus" => if_zero(object, "phase", "Active"),
        "NodeStatus" => {
            if let Some(capacity) = object.get("capacity").cloned() {
                if_absent(object, "allocatable", capacity);
            }
        }
        "LimitRangeItem" => limit_range_item(object),
        _ => {}
    }
}

fn pod(pod: &mut Map<String, Value>, minor: u32) {
    let spec = part(pod, "spec");
    requests_from_limits(spec);
    if minor >= 34 {
        whole_pod(spec);
    }
    if_absent(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        for list in ["containers", "initContainers"] {
            for container in objects(spec, list) {
                for port in objects(container, "ports") {
                    let own = port.get("containerPort").cloned().unwrap_or_else(|| 0.into());
                    if own != 0 {
                        if_zero(port, "hostPort", own);
                    }
                }
            }
        }
    }
}

fn pod_spec(spec: &mut Map<String, Value>) {
    if_zero(spec, "dnsPolicy", "ClusterFirst");
    if_zero(spec, "restartPolicy", "Always");
    if_absent(spec, "securityContext", Map::new());
    if_absent(spec, "terminationGracePeriodSeconds", 30);
    if_zero(spec, "schedulerName", "default-scheduler");
}

fn container(container: &mut Map<String, Value>) {
    let policy = pull_policy(text(container, "image"));
    if_zero(container, "imagePullPolicy", policy);
    if_zero(container, "terminationMessagePath", "/dev/termination-log");
    if_zero(container, "terminationMessagePolicy", "File");
}

fn volume(volume: &mut Map<String, Value>, minor: u32) {
    // Whatever else stands in a volume than its name is its source.
    if volume.iter().all(|(field, source)| field == "name" || source.is_null()) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    if minor >= 35
        && let Some(Value::Object(image)) = volume.get_mut("image")
    {
        let policy = pull_policy(text(image, "reference"));
        if_zero(image, "pullPolicy", policy);
    }
}

/// A controller without selector or labels takes its template's labels.
fn labels_from_template(controller: &mut Map<String, Value>) {
    let labels = controller
        .get("spec")
        .and_then(|spec| spec.pointer("/template/metadata/labels"))
        .filter(|labels| non_empty(Some(labels)))
        .cloned();
    let Some(labels) = labels else { return };
    let spec = part(controller, "spec");
    if !non_empty(spec.get("selector")) {
        spec.insert("selector".to_owned(), labels.clone());
    }
    let metadata = part(controller, "metadata");
    if !non_empty(metadata.get("labels")) {
        metadata.insert("labels".to_owned(), labels);
    }
}

fn service(service: &mut Map<String, Value>) {
    let spec = part(service, "spec");
    if_zero(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let timeout = spec
                .get("sessionAffinityConfig")
                .and_then(|config| config.pointer("/clientIP/timeoutSeconds"));
            if timeout.is_none_or(Value::is_null) {
                let config = json!({"clientIP": {"timeoutSeconds": 10_800}});
                spec.insert("sessionAffinityConfig".to_owned(), config);
            }
        }
        _ => {}
    }
    if_zero(spec, "type", "ClusterIP");
    for port in objects(spec, "ports") {
        if_zero(port, "protocol", "TCP");
        let number = port.get("port").cloned().unwrap_or_else(|| 0.into());
        if_zero(port, "targetPort", number);
    }
    let kind = text(spec, "type").to_owned();
    let reachable = matches!(&*kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && non_empty(spec.get("externalIPs")));
    if reachable {
        if_zero(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "NodePort" | "LoadBalancer" | "ClusterIP") {
        if_absent(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind != "LoadBalancer" {
        return;
    }
    if_absent(spec, "allocateLoadBalancerNodePorts", true);
    if let Some(Value::Object(balancer)) =
        service.get_mut("status").and_then(|status| status.get_mut("loadBalancer"))
    {
        for ingress in objects(balancer, "ingress").filter(|i| !text(i, "ip").is_empty()) {
            if_absent(ingress, "ipMode", "VIP");
        }
    }
}

fn namespace(namespace: &mut Map<String, Value>) {
    let metadata = part(namespace, "metadata");
    let name = text(metadata, "name").to_owned();
    if !name.is_empty() {
        part(metadata, "labels").insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

/// Limits follow the maximum, requests follow the limits, and then the minimum.
fn limit_range_item(item: &mut Map<String, Value>) {
    if text(item, "type") != "Container" {
        return;
    }
    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")]
    {
        let Some(Value::Object(amounts)) = item.get(from).cloned() else { continue };
        if amounts.is_empty() {
            continue;
        }
        let into = part(item, to);
        for (name, amount) in amounts {
            into.entry(name).or_insert(amount);
        }
    }
}
