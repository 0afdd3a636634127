//! The columns of the built-in kinds, behind the name that each has.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{
    access_modes, age, age_of, autoscaler_targets, containers, endpoints, entries, event_object,
    event_time, ingress_address, ingress_hosts, job_completions, job_duration, job_status, labels,
    node_address, node_roles, node_status, number, of, pod_ready, pod_restarts, pod_status,
    selector, service_external, service_ports, subjects, text_or,
};

/// A kind's columns.
pub(super) struct Row {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    /// Events name themselves last.
    pub(super) name_last: bool,
    pub(super) columns: &'static [Column],
}

/// One column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// What the value is, beyond its kind: `name`, or nothing.
    pub(super) format: &'static str,
    pub(super) priority: i64,
    pub(super) cell: fn(&Value, Timestamp) -> Value,
}

pub(super) const fn text(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, kind: "string", format: "", priority: 0, cell }
}

const fn wide(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, kind: "string", format: "", priority: 1, cell }
}

pub(super) const fn count(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, kind: "integer", format: "", priority: 0, cell }
}

pub(super) const fn flag(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, kind: "boolean", format: "", priority: 0, cell }
}

pub(super) const AGE: Column = text("Age", age);
const CONTAINERS: Column = wide("Containers", |o, _| containers(o, "name"));
const IMAGES: Column = wide("Images", |o, _| containers(o, "image"));
const SELECTOR: Column = wide("Selector", |o, _| selector(o.pointer("/spec/selector")));

pub(super) const fn row(
    group: &'static str,
    kind: &'static str,
    columns: &'static [Column],
) -> Row {
    Row { group, kind, name_last: false, columns }
}

pub(super) const COLUMNS: &[Row] = &[
    row(
        "",
        "Pod",
        &[
            text("Ready", |o, _| pod_ready(o)),
            text("Status", |o, _| pod_status(o)),
            text("Restarts", |o, _| pod_restarts(o)),
            AGE,
            wide("IP", |o, _| text_or(o, "/status/podIP", "<none>")),
            wide("Node", |o, _| text_or(o, "/spec/nodeName", "<none>")),
            wide("Nominated Node", |o, _| text_or(o, "/status/nominatedNodeName", "<none>")),
            wide("Readiness Gates", |_, _| json!("<none>")),
        ],
    ),
    row(
        "apps",
        "Deployment",
        &[
            text("Ready", |o, _| {
                of(number(o, "/status/readyReplicas"), number(o, "/spec/replicas"))
            }),
            text("Up-to-date", |o, _| json!(number(o, "/status/updatedReplicas"))),
            text("Available", |o, _| json!(number(o, "/status/availableReplicas"))),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    row(
        "apps",
        "ReplicaSet",
        &[
            count("Desired", |o, _| json!(number(o, "/spec/replicas"))),
            count("Current", |o, _| json!(number(o, "/status/replicas"))),
            count("Ready", |o, _| json!(number(o, "/status/readyReplicas"))),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    row(
        "apps",
        "StatefulSet",
        &[
            text("Ready", |o, _| {
                of(number(o, "/status/readyReplicas"), number(o, "/spec/replicas"))
            }),
            AGE,
            CONTAINERS,
            IMAGES,
        ],
    ),
    row(
        "apps",
        "DaemonSet",
        &[
            count("Desired", |o, _| json!(number(o, "/status/desiredNumberScheduled"))),
            count("Current", |o, _| json!(number(o, "/status/currentNumberScheduled"))),
            count("Ready", |o, _| json!(number(o, "/status/numberReady"))),
            count("Up-to-date", |o, _| json!(number(o, "/status/updatedNumberScheduled"))),
            count("Available", |o, _| json!(number(o, "/status/numberAvailable"))),
            text("Node Selector", |o, _| labels(o.pointer("/spec/template/spec/nodeSelector"))),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    row(
        "apps",
        "ControllerRevision",
        &[
            text("Controller", |o, _| {
                let owner =
                    manifest::owner_references(o).into_iter().find(|owner| owner.controller);
                json!(owner.map_or("<none>".to_owned(), |owner| {
                    let (group, _) = manifest::split_api_version(&owner.api_version);
                    format!("{}.{group}/{}", owner.kind.to_lowercase(), owner.name)
                }))
            }),
            text("Revision", |o, _| json!(number(o, "/revision"))),
            AGE,
        ],
    ),
    row(
        "batch",
        "Job",
        &[
            text("Status", |o, _| job_status(o)),
            text("Completions", |o, _| job_completions(o)),
            text("Duration", job_duration),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    row(
        "batch",
        "CronJob",
        &[
            text("Schedule", |o, _| text_or(o, "/spec/schedule", "")),
            text("Timezone", |o, _| text_or(o, "/spec/timeZone", "<none>")),
            Column {
                name: "Suspend",
                kind: "boolean",
                format: "",
                priority: 0,
                cell: |o, _| {
                    let flag = o.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true);
                    json!(if flag { "True" } else { "False" })
                },
            },
            count("Active", |o, _| {
                json!(o.pointer("/status/active").and_then(Value::as_array).map_or(0, Vec::len))
            }),
            text("Last Schedule", |o, now| match o.pointer("/status/lastScheduleTime") {
                Some(at) => json!(age_of(at, now)),
                None => json!("<none>"),
            }),
            AGE,
            CONTAINERS,
            IMAGES,
            wide("Selector", |o, _| selector(o.pointer("/spec/jobTemplate/spec/selector"))),
        ],
    ),
    row(
        "",
        "ReplicationController",
        &[
            count("Desired", |o, _| json!(number(o, "/spec/replicas"))),
            count("Current", |o, _| json!(number(o, "/status/replicas"))),
            count("Ready", |o, _| json!(number(o, "/status/readyReplicas"))),
            AGE,
            CONTAINERS,
            IMAGES,
            wide("Selector", |o, _| labels(o.pointer("/spec/selector"))),
        ],
    ),
    row(
        "",
        "Service",
        &[
            text("Type", |o, _| text_or(o, "/spec/type", "")),
            text("Cluster-IP", |o, _| text_or(o, "/spec/clusterIP", "<none>")),
            text("External-IP", |o, _| service_external(o)),
            text("Port(s)", |o, _| service_ports(o)),
            AGE,
            wide("Selector", |o, _| labels(o.pointer("/spec/selector"))),
        ],
    ),
    row("", "Endpoints", &[text("Endpoints", |o, _| endpoints(o)), AGE]),
    row(
        "discovery.k8s.io",
        "EndpointSlice",
        &[
            text("AddressType", |o, _| text_or(o, "/addressType", "")),
            text("Ports", |o, _| {
                let ports: Vec<String> = o["ports"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|p| p["port"].to_string())
                    .collect();
                json!(if ports.is_empty() { "<unset>".to_owned() } else { ports.join(",") })
            }),
            text("Endpoints", |o, _| {
                let all: Vec<&str> = o["endpoints"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|e| e["addresses"][0].as_str())
                    .collect();
                json!(if all.is_empty() { "<unset>".to_owned() } else { all.join(",") })
            }),
            AGE,
        ],
    ),
    row(
        "networking.k8s.io",
        "Ingress",
        &[
            text("Class", |o, _| text_or(o, "/spec/ingressClassName", "<none>")),
            text("Hosts", |o, _| ingress_hosts(o)),
            text("Address", |o, _| ingress_address(o)),
            text("Ports", |o, _| {
                json!(if o.pointer("/spec/tls").is_some() { "80, 443" } else { "80" })
            }),
            AGE,
        ],
    ),
    row(
        "networking.k8s.io",
        "IngressClass",
        &[
            text("Controller", |o, _| text_or(o, "/spec/controller", "")),
            text("Parameters", |o, _| {
                let parameters = &o["spec"]["parameters"];
                let (kind, name) = (parameters["kind"].as_str(), parameters["name"].as_str());
                let group = parameters["apiGroup"]
                    .as_str()
                    .map(|group| format!(".{group}"))
                    .unwrap_or_default();
                json!(match (kind, name) {
                    (Some(kind), Some(name)) => format!("{kind}{group}/{name}"),
                    _ => "<none>".to_owned(),
                })
            }),
            AGE,
        ],
    ),
    row(
        "networking.k8s.io",
        "NetworkPolicy",
        &[text("Pod-Selector", |o, _| selector(o.pointer("/spec/podSelector"))), AGE],
    ),
    row("", "ConfigMap", &[text("Data", |o, _| entries(o)), AGE]),
    row(
        "",
        "Secret",
        &[text("Type", |o, _| text_or(o, "/type", "")), text("Data", |o, _| entries(o)), AGE],
    ),
    row("", "ServiceAccount", &[AGE]),
    row("", "Namespace", &[text("Status", |o, _| text_or(o, "/status/phase", "")), AGE]),
    row(
        "",
        "Node",
        &[
            text("Status", |o, _| node_status(o)),
            text("Roles", |o, _| node_roles(o)),
            AGE,
            text("Version", |o, _| text_or(o, "/status/nodeInfo/kubeletVersion", "")),
            wide("Internal-IP", |o, _| node_address(o, "InternalIP")),
            wide("External-IP", |o, _| node_address(o, "ExternalIP")),
            wide("OS-Image", |o, _| text_or(o, "/status/nodeInfo/osImage", "<unknown>")),
            wide("Kernel-Version", |o, _| {
                text_or(o, "/status/nodeInfo/kernelVersion", "<unknown>")
            }),
            wide("Container-Runtime", |o, _| {
                text_or(o, "/status/nodeInfo/containerRuntimeVersion", "<unknown>")
            }),
        ],
    ),
    row(
        "",
        "PersistentVolume",
        &[
            text("Capacity", |o, _| text_or(o, "/spec/capacity/storage", "")),
            text("Access Modes", |o, _| access_modes(o, "/spec/accessModes")),
            text("Reclaim Policy", |o, _| text_or(o, "/spec/persistentVolumeReclaimPolicy", "")),
            text("Status", |o, _| text_or(o, "/status/phase", "")),
            text("Claim", |o, _| {
                let claim = &o["spec"]["claimRef"];
                json!(match (claim["namespace"].as_str(), claim["name"].as_str()) {
                    (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
                    _ => String::new(),
                })
            }),
            text("StorageClass", |o, _| text_or(o, "/spec/storageClassName", "")),
            text("VolumeAttributesClass", |o, _| {
                text_or(o, "/spec/volumeAttributesClassName", "<unset>")
            }),
            text("Reason", |o, _| text_or(o, "/status/reason", "")),
            AGE,
            wide("VolumeMode", |o, _| text_or(o, "/spec/volumeMode", "<unset>")),
        ],
    ),
    row(
        "",
        "PersistentVolumeClaim",
        &[
            text("Status", |o, _| text_or(o, "/status/phase", "")),
            text("Volume", |o, _| text_or(o, "/spec/volumeName", "")),
            text("Capacity", |o, _| text_or(o, "/status/capacity/storage", "")),
            text("Access Modes", |o, _| access_modes(o, "/status/accessModes")),
            text("StorageClass", |o, _| text_or(o, "/spec/storageClassName", "")),
            text("VolumeAttributesClass", |o, _| {
                text_or(o, "/spec/volumeAttributesClassName", "<unset>")
            }),
            AGE,
            wide("VolumeMode", |o, _| text_or(o, "/spec/volumeMode", "<unset>")),
        ],
    ),
    row(
        "",
        "PodTemplate",
        &[
            text("Containers", |o, _| of_containers(o, "name")),
            text("Images", |o, _| of_containers(o, "image")),
            text("Pod Labels", |o, _| labels(o.pointer("/template/metadata/labels"))),
        ],
    ),
    row("resource.k8s.io", "ResourceClaim", &[text("State", |o, _| claim_state(o)), AGE]),
    row("resource.k8s.io", "ResourceClaimTemplate", &[AGE]),
    row("resource.k8s.io", "DeviceClass", &[AGE]),
    row(
        "storage.k8s.io",
        "CSINode",
        &[count("Drivers", |o, _| json!(o["spec"]["drivers"].as_array().map_or(0, Vec::len))), AGE],
    ),
    row(
        "storage.k8s.io",
        "VolumeAttachment",
        &[
            Column { format: "name", ..text("Attacher", |o, _| text_or(o, "/spec/attacher", "")) },
            text("PV", |o, _| text_or(o, "/spec/source/persistentVolumeName", "")),
            text("Node", |o, _| text_or(o, "/spec/nodeName", "")),
            Column {
                name: "Attached",
                kind: "boolean",
                format: "",
                priority: 0,
                cell: |o, _| json!(o["status"]["attached"].as_bool().unwrap_or(false)),
            },
            AGE,
        ],
    ),
    row("node.k8s.io", "RuntimeClass", &[text("Handler", |o, _| text_or(o, "/handler", "")), AGE]),
    row(
        "storage.k8s.io",
        "StorageClass",
        &[
            text("Provisioner", |o, _| text_or(o, "/provisioner", "")),
            text("ReclaimPolicy", |o, _| text_or(o, "/reclaimPolicy", "Delete")),
            text("VolumeBindingMode", |o, _| text_or(o, "/volumeBindingMode", "Immediate")),
            text("AllowVolumeExpansion", |o, _| {
                json!(o["allowVolumeExpansion"].as_bool().unwrap_or(false))
            }),
            AGE,
        ],
    ),
    row(
        "autoscaling",
        "HorizontalPodAutoscaler",
        &[
            text("Reference", |o, _| {
                let target = &o["spec"]["scaleTargetRef"];
                json!(format!(
                    "{}/{}",
                    target["kind"].as_str().unwrap_or_default(),
                    target["name"].as_str().unwrap_or_default()
                ))
            }),
            text("Targets", |o, _| autoscaler_targets(o)),
            text("MinPods", |o, _| {
                json!(
                    o.pointer("/spec/minReplicas")
                        .and_then(Value::as_i64)
                        .map_or("<unset>".to_owned(), |n| n.to_string())
                )
            }),
            text("MaxPods", |o, _| json!(number(o, "/spec/maxReplicas"))),
            text("Replicas", |o, _| json!(number(o, "/status/currentReplicas"))),
            AGE,
        ],
    ),
    row(
        "policy",
        "PodDisruptionBudget",
        &[
            text("Min Available", |o, _| bound(o, "/spec/minAvailable")),
            text("Max Unavailable", |o, _| bound(o, "/spec/maxUnavailable")),
            count("Allowed Disruptions", |o, _| json!(number(o, "/status/disruptionsAllowed"))),
            AGE,
        ],
    ),
    row("rbac.authorization.k8s.io", "RoleBinding", BINDING),
    row("rbac.authorization.k8s.io", "ClusterRoleBinding", BINDING),
    row(
        "coordination.k8s.io",
        "Lease",
        &[text("Holder", |o, _| text_or(o, "/spec/holderIdentity", "")), AGE],
    ),
    row(
        "scheduling.k8s.io",
        "PriorityClass",
        &[
            count("Value", |o, _| json!(number(o, "/value"))),
            Column {
                name: "Global-Default",
                kind: "boolean",
                format: "",
                priority: 0,
                cell: |o, _| json!(o["globalDefault"].as_bool().unwrap_or(false)),
            },
            AGE,
            text("PreemptionPolicy", |o, _| text_or(o, "/preemptionPolicy", "")),
        ],
    ),
    row(
        "",
        "ResourceQuota",
        &[text("Request", |o, _| quota(o, true)), text("Limit", |o, _| quota(o, false)), AGE],
    ),
    row("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", WEBHOOKS),
    row("admissionregistration.k8s.io", "MutatingWebhookConfiguration", WEBHOOKS),
    row(
        "apiregistration.k8s.io",
        "APIService",
        &[
            text("Service", |o, _| {
                match (
                    o["spec"]["service"]["namespace"].as_str(),
                    o["spec"]["service"]["name"].as_str(),
                ) {
                    (Some(namespace), Some(name)) => json!(format!("{namespace}/{name}")),
                    _ => json!("Local"),
                }
            }),
            text("Available", |o, _| {
                let available = o["status"]["conditions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .find(|c| c["type"] == "Available")
                    .and_then(|c| c["status"].as_str());
                json!(available.unwrap_or("Unknown"))
            }),
            AGE,
        ],
    ),
    Row { group: "", kind: "Event", name_last: true, columns: EVENT },
    Row { group: "events.k8s.io", kind: "Event", name_last: true, columns: EVENT },
];

const BINDING: &[Column] = &[
    text("Role", |o, _| {
        let role = &o["roleRef"];
        json!(format!(
            "{}/{}",
            role["kind"].as_str().unwrap_or_default(),
            role["name"].as_str().unwrap_or_default()
        ))
    }),
    AGE,
    wide("Users", |o, _| subjects(o, "User")),
    wide("Groups", |o, _| subjects(o, "Group")),
    wide("ServiceAccounts", |o, _| subjects(o, "ServiceAccount")),
];

const WEBHOOKS: &[Column] =
    &[count("Webhooks", |o, _| json!(o["webhooks"].as_array().map_or(0, Vec::len))), AGE];

const EVENT: &[Column] = &[
    text("Last Seen", |o, now| {
        event_time(
            o,
            &["lastTimestamp", "deprecatedLastTimestamp", "eventTime", "firstTimestamp"],
            now,
        )
    }),
    text("Type", |o, _| text_or(o, "/type", "")),
    text("Reason", |o, _| text_or(o, "/reason", "")),
    text("Object", |o, _| event_object(o)),
    wide("Subobject", |o, _| text_or(o, "/involvedObject/fieldPath", "")),
    wide("Source", |o, _| {
        let first = |pointers: [&str; 3]| {
            let mut texts = pointers.iter().filter_map(|at| o.pointer(at)?.as_str());
            texts.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        let component = first([
            "/source/component",
            "/deprecatedSource/component",
            match o.get("reportingController").is_some() {
                true => "/reportingController",
                false => "/reportingComponent",
            },
        ]);
        match first(["/source/host", "/deprecatedSource/host", "/reportingInstance"]).as_str() {
            "" => json!(component),
            instance => json!(format!("{component}, {instance}")),
        }
    }),
    text("Message", |o, _| {
        let text = o["message"].as_str().or(o["note"].as_str()).unwrap_or_default();
        json!(text.trim())
    }),
    wide("First Seen", |o, now| {
        event_time(o, &["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"], now)
    }),
    wide("Count", |o, _| {
        let count = o["series"]["count"].as_i64();
        let count = count.or(o["count"].as_i64()).or(o["deprecatedCount"].as_i64());
        let count = count.filter(|count| *count != 0 || o["series"].is_object());
        json!(count.unwrap_or(1))
    }),
];

fn bound(object: &Value, pointer: &str) -> Value {
    match object.pointer(pointer) {
        Some(Value::String(text)) => json!(text),
        Some(Value::Number(number)) => json!(number.to_string()),
        Some(_) | None => json!("N/A"),
    }
}

fn quota(object: &Value, requests: bool) -> Value {
    let hard = object.pointer("/status/hard").and_then(Value::as_object);
    let all: Vec<String> = hard
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("limits.") != requests)
        .map(|(name, hard)| {
            let used = object["status"]["used"][name].as_str().unwrap_or("0");
            format!("{name}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    json!(all.join(", "))
}

/// What the containers of a pod template's own are called, or run.
fn of_containers(object: &Value, field: &str) -> Value {
    let containers = object.pointer("/template/spec/containers").and_then(Value::as_array);
    let all: Vec<&str> = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container[field].as_str())
        .collect();
    json!(all.join(","))
}

fn claim_state(claim: &Value) -> Value {
    let is_there = |pointer: &str| claim.pointer(pointer).is_some_and(|value| !value.is_null());
    let deleted = is_there("/metadata/deletionTimestamp");
    let mut states = Vec::new();
    if deleted {
        states.push("deleted");
    }
    if is_there("/status/allocation") {
        states.push("allocated");
        let users = claim.pointer("/status/reservedFor").and_then(Value::as_array);
        if users.is_some_and(|users| !users.is_empty()) {
            states.push("reserved");
        }
    } else if !deleted {
        states.push("pending");
    }
    json!(states.join(","))
}
