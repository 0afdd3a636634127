//! What the API server refuses of built-in kinds, in its words.
//!
//! [`create`] and [`update`] are given objects as they stand after decoding and defaulting
//! (`kubetypes`) and answer with every field that is wrong, in the order in which Kubernetes
//! 1.36 names them.
//!
//! What the words must be stands in `tests/kube/goldens/v1.36/refused.json`, captured from the
//! real server.

mod admission;
mod autoscaling;
mod batch;
mod cel;
pub mod charges;
mod cursor;
pub mod decisions;
mod definition_rules;
mod definition_schema;
mod definition_shown;
mod definitions;
mod devices;
mod flows;
mod formats;
mod job_status;
pub mod limits;
mod meta;
mod names;
mod networking;
mod nodes;
mod objects;
mod pod;
mod policies;
mod policy;
mod quota;
mod rbac;
mod registration;
mod schedule;
mod selector;
mod service;
mod slices;
mod small;
mod sources;
mod status;
mod storage;
mod usage;
mod warnings;
mod workloads;

use manifest::Gvk;
use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;

pub use names::{label_value, qualified};
pub use warnings::warnings;

type Rule = fn(At<'_>, Option<At<'_>>, &mut Vec<FieldError>);

/// How objects of a kind are named.
type NameRule = fn(&str, bool) -> Vec<String>;

/// Names what is wrong with a new object. `namespaced`: whether its kind stands in namespaces.
pub fn create(gvk: &Gvk, object: &Value, namespaced: bool) -> Vec<FieldError> {
    let (name_rule, rule) = rules(gvk);
    let mut errors = Vec::new();
    if gvk.kind == "Event" && gvk.group == "events.k8s.io" {
        small::new_event_first(At::root(object), &mut errors);
    }
    errors.extend(named_by_spec(gvk, object));
    // Old events are asked about nothing but what they are about.
    let by_its_spec = gvk.kind == "PodDisruptionBudget";
    if !(by_its_spec || gvk.kind == "Event" && gvk.group.is_empty()) {
        errors.extend(meta::create(object, namespaced, name_rule, finalizers(gvk)));
    }
    in_order_of_names(gvk, &mut errors);
    if let Some(rule) = rule {
        rule(At::root(object), None, &mut errors);
    }
    if errors.is_empty() {
        // What no kind allows is asked of those that their own rules let pass.
        return common(object, namespaced);
    }
    errors
}

/// Names what is wrong with a service's cluster addresses and their families, which is asked before
/// any are given.
pub fn service_addresses(service: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let spec = |service| At::root(service).at("spec");
    let mut errors = Vec::new();
    service::cluster_addresses(&spec(service), old.map(spec).as_ref(), &mut errors);
    errors
}

/// Names what is wrong with the metadata of an object that stands at `path` within another.
pub fn embedded_metadata(path: &str, metadata: &Value) -> Vec<FieldError> {
    let namespaced = At::root(metadata).at("namespace").is_set();
    let mut object = serde_json::json!({"metadata": metadata});
    if At::root(metadata).at("name").is_empty() {
        // It needs none.
        object["metadata"]["name"] = "fakename".into();
    }
    let mut errors =
        meta::create(&object, namespaced, names::path_segment, meta::Finalizers::AnyName);
    for error in &mut errors {
        error.field = format!("{path}.{}", error.field);
    }
    errors
}

/// What is wrong with a name that is to stand between two slashes of a path.
pub fn path_refusals(name: &str) -> Vec<String> {
    names::path_segment(name, false)
}

/// What is wrong with names that an object's own fields say.
fn named_by_spec(gvk: &Gvk, object: &Value) -> Vec<FieldError> {
    let object = At::root(object);
    let text = |path: &[&str]| object.to(path).text();
    let (wanted, words) = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => (
            format!("{}.{}", text(&["spec", "names", "plural"]), text(&["spec", "group"])),
            r#"must be spec.names.plural+"."+spec.group"#.to_owned(),
        ),
        ("apiregistration.k8s.io", "APIService") => {
            let wanted = format!("{}.{}", text(&["spec", "version"]), text(&["spec", "group"]));
            let quoted = manifest::field::quote(&wanted);
            (wanted, format!("must be `spec.version+\".\"+spec.group`: {quoted}"))
        }
        _ => return Vec::new(),
    };
    ["generateName", "name"]
        .iter()
        .map(|field| object.to(&["metadata", field]))
        .filter(|at| !at.is_empty() && at.text() != wanted)
        // Of services, what is no name at all is asked no further.
        .filter(|at| gvk.kind != "APIService" || names::path_segment(at.text(), false).is_empty())
        .map(|at| at.invalid(words.clone()))
        .collect()
}

/// Of what is named by its spec the beginning of a name is looked at in every way before the name is, and
/// what it should be is told last.
fn in_order_of_names(gvk: &Gvk, errors: &mut [FieldError]) {
    if matches!(gvk.kind.as_str(), "APIService" | "CustomResourceDefinition") {
        errors.sort_by_key(|error| match error.field.as_str() {
            "metadata.generateName" => (0, error.detail.starts_with("must be spec.names")),
            "metadata.name" => (1, error.detail.starts_with("must be spec.names")),
            _ => (2, false),
        });
    }
}

fn common(object: &Value, namespaced: bool) -> Vec<FieldError> {
    meta::create(object, namespaced, names::path_segment, meta::Finalizers::AnyName)
}

/// Returns whether two lists of resources say the same amounts.
pub fn same_amounts(a: &Value, b: &Value) -> bool {
    usage::amounts(a) == usage::amounts(b)
}

/// Returns whether a label selector selects these labels.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    selector::matches(&At::root(selector), labels)
}

/// Names what is wrong with a new object but for its metadata.
pub fn create_body(gvk: &Gvk, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let (_, Some(rule)) = rules(gvk) {
        rule(At::root(object), None, &mut errors);
    }
    errors
}

/// Names what is wrong with what an object would become through a door: `""` is the main one.
///
/// The server asks about metadata more than once, and names what is wrong as often.
pub fn update(
    gvk: &Gvk,
    subresource: &str,
    namespaced: bool,
    new: &Value,
    old: &Value,
) -> Vec<FieldError> {
    let (name_rule, rule) = rules(gvk);
    let known = finalizers(gvk);
    let mut errors = common(new, namespaced);
    errors.extend(meta::update(new, old, meta::Finalizers::AnyName));
    let main = is_main(subresource);
    for step in steps(gvk, subresource) {
        match step {
            Step::Metadata => {
                let before = errors.len();
                errors.extend(named_by_spec(gvk, new));
                errors.extend(meta::create(new, namespaced, name_rule, known));
                in_order_of_names(gvk, &mut errors[before..]);
            }
            Step::MetadataChange => errors.extend(meta::update(new, old, known)),
            Step::Fresh => {
                if let Some(rule) = rule {
                    rule(At::root(new), None, &mut errors);
                }
                if gvk.kind == "Job" && !batch::has_prefixed_labels(&At::root(old)) {
                    // Old Jobs need no labels that are younger than they are.
                    errors.retain(|error| !batch::is_of_prefixed_label(&error.field));
                }
            }
            Step::Body if main => {
                if let Some(rule) = rule {
                    rule(At::root(new), Some(At::root(old)), &mut errors);
                }
            }
            Step::Body if gvk.kind == "CertificateSigningRequest" => {
                registration::certificate_request_through(
                    subresource,
                    &At::root(new),
                    &At::root(old),
                    &mut errors,
                );
            }
            Step::Body if gvk.kind == "ResourceClaim" => {
                devices::claim_status(&At::root(new), &At::root(old), &mut errors);
            }
            Step::Body if gvk.kind == "Node" => {
                if let Some(rule) = rule {
                    rule(At::root(new), Some(At::root(old)), &mut errors);
                }
            }
            Step::Body if subresource == "status" && gvk.kind == "Job" => {
                job_status::validate(&At::root(new), &At::root(old), &mut errors);
            }
            Step::Body if subresource == "status" && gvk.kind == "Pod" => {
                pod::status::validate(&At::root(new), &At::root(old), &mut errors);
            }
            Step::Body if subresource == "resize" => {
                pod::spec(&At::root(new).at("spec"), &mut errors)
            }
            Step::Body if subresource == "ephemeralcontainers" => {
                pod::through_ephemeral(&At::root(new), &At::root(old), &mut errors);
            }
            Step::Body if subresource == "status" => {
                status::validate(gvk, &At::root(new), &mut errors);
                status::collisions(gvk, &At::root(new), &At::root(old), &mut errors);
            }
            Step::Body => {}
        }
    }
    if matches!(
        gvk.kind.as_str(),
        "RoleBinding"
            | "ClusterRoleBinding"
            | "ResourceClaimTemplate"
            | "IPAddress"
            | "RuntimeClass"
            | "CSIStorageCapacity"
    ) {
        // What may never change is told behind what may not change in metadata.
        errors.sort_by_key(|error| {
            error.detail == "cannot change roleRef"
                || (matches!(
                    error.field.as_str(),
                    "spec" | "spec.parentRef" | "storageClassName" | "nodeTopology" | "handler"
                ) && error.detail == "field is immutable")
        });
    }
    if gvk.kind == "Event" {
        // What events have always been held to comes first, then metadata.
        errors.sort_by_key(|error| {
            error.detail == "field is immutable" && !error.field.starts_with("metadata")
        });
    }
    errors
}

/// Whether all of an object is written through a door.
fn is_main(door: &str) -> bool {
    matches!(door, "" | "scale")
}

/// What an update's validation looks at.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Metadata, as that of a new object.
    Metadata,
    /// Metadata, against what it was.
    MetadataChange,
    /// Everything else, as if it were new.
    Fresh,
    /// Everything else.
    Body,
}

/// In which order a kind's update is looked at, after what is asked of every kind.
fn steps(gvk: &Gvk, door: &str) -> &'static [Step] {
    use Step::{Body, Fresh, Metadata, MetadataChange};
    let main = is_main(door);
    match (gvk.kind.as_str(), main) {
        ("Event", _) if gvk.group.is_empty() => &[Body],
        ("Event", _) => &[Body, MetadataChange],
        ("PodDisruptionBudget", _) | ("CronJob", false) => &[Body],
        (
            "ControllerRevision"
            | "Endpoints"
            | "Ingress"
            | "PersistentVolumeClaim"
            | "ServiceAccount",
            true,
        ) => &[MetadataChange, Metadata, Body],
        (
            "ClusterRole"
            | "ClusterRoleBinding"
            | "Role"
            | "RoleBinding"
            | "Namespace"
            | "ResourceClaimTemplate"
            | "RuntimeClass"
            | "CSIStorageCapacity"
            | "IPAddress",
            true,
        )
        | ("CertificateSigningRequest", _) => &[Metadata, Body, MetadataChange],
        ("DeviceClass" | "ResourceClaim", true) => &[Metadata, MetadataChange, Body],
        ("VolumeAttributesClass" | "IngressClass", true) => {
            &[MetadataChange, Body, Metadata, Fresh]
        }
        ("Job", true) => &[Metadata, Fresh, MetadataChange, Body],
        // What may never change is told before all else that metadata and data are asked.
        ("ConfigMap" | "Secret", true) => &[MetadataChange, Body, Metadata, Fresh],
        ("Pod", _) if door != "status" => &[MetadataChange, Metadata, Body],
        ("APIService", true) => &[MetadataChange, Metadata, Body],
        ("Node" | "StorageClass", true) => &[Metadata, Fresh, MetadataChange, Body],
        (
            "FlowSchema"
            | "PriorityLevelConfiguration"
            | "ValidatingAdmissionPolicy"
            | "MutatingAdmissionPolicy",
            false,
        ) => &[Body],
        ("PersistentVolume", true) => &[Metadata, Fresh, Metadata, Body],
        (
            "EndpointSlice"
            | "FlowSchema"
            | "LimitRange"
            | "MutatingAdmissionPolicy"
            | "MutatingAdmissionPolicyBinding"
            | "MutatingWebhookConfiguration"
            | "PriorityLevelConfiguration"
            | "ValidatingAdmissionPolicy"
            | "ValidatingAdmissionPolicyBinding"
            | "ValidatingWebhookConfiguration"
            | "CSINode"
            | "VolumeAttachment",
            true,
        )
        | ("VolumeAttachment", false) => &[Metadata, Body],
        _ => &[MetadataChange, Body],
    }
}

/// The kinds of the server's own extension points, and custom kinds, take any finalizer that is
/// a name; the others take those that everybody knows, or that a domain vouches for.
fn finalizers(gvk: &Gvk) -> meta::Finalizers {
    let extension = matches!(
        gvk.group.as_str(),
        "apiextensions.k8s.io"
            | "admissionregistration.k8s.io"
            | "apiregistration.k8s.io"
            | "coordination.k8s.io"
            | "policy"
            | "node.k8s.io"
    );
    let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
    match !extension && tables.resource_of(gvk).is_some() {
        true => meta::Finalizers::Known,
        false => meta::Finalizers::AnyName,
    }
}

fn rules(gvk: &Gvk) -> (NameRule, Option<Rule>) {
    let path: NameRule = names::path_segment;
    let subdomain: NameRule = names::subdomain;
    let label: NameRule = names::label;
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "ConfigMap") => (subdomain, Some(objects::config_map)),
        ("", "Secret") => (subdomain, Some(objects::secret)),
        ("", "Namespace") => (label, Some(objects::namespace)),
        ("", "Service") => (label, Some(service::validate)),
        ("", "Pod") => (subdomain, Some(pod::validate)),
        ("", "PersistentVolumeClaim") => (subdomain, Some(storage::claim)),
        ("", "PersistentVolume") => (subdomain, Some(storage::volume)),
        ("", "ResourceQuota") => (subdomain, Some(quota::resource_quota)),
        ("", "LimitRange") => (subdomain, Some(quota::limit_range)),
        ("apps", "Deployment") => (subdomain, Some(workloads::deployment)),
        ("apps", "ReplicaSet") => (subdomain, Some(workloads::replica_set)),
        ("apps", "StatefulSet") => (label, Some(workloads::stateful_set)),
        ("apps", "DaemonSet") => (subdomain, Some(workloads::daemon_set)),
        ("batch", "Job") => (subdomain, Some(batch::job)),
        ("batch", "CronJob") => (subdomain, Some(batch::cron_job)),
        ("networking.k8s.io", "Ingress") => (subdomain, Some(networking::ingress)),
        ("networking.k8s.io", "IngressClass") => (subdomain, Some(networking::ingress_class)),
        ("networking.k8s.io", "NetworkPolicy") => (subdomain, Some(networking::network_policy)),
        ("autoscaling", "HorizontalPodAutoscaler") => (subdomain, Some(autoscaling::validate)),
        ("policy", "PodDisruptionBudget") => (subdomain, Some(policy::disruption_budget)),
        ("rbac.authorization.k8s.io", kind) => (
            path,
            match kind {
                "Role" => Some(rbac::role),
                "ClusterRole" => Some(rbac::cluster_role),
                "RoleBinding" => Some(rbac::role_binding),
                "ClusterRoleBinding" => Some(rbac::cluster_role_binding),
                _ => None,
            },
        ),
        ("storage.k8s.io", "StorageClass") => (subdomain, Some(storage::class)),
        ("scheduling.k8s.io", "PriorityClass") => (subdomain, Some(policy::priority_class)),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            (subdomain, Some(definitions::validate))
        }
        ("admissionregistration.k8s.io", kind) => (
            subdomain,
            match kind {
                "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
                    Some(admission::webhooks)
                }
                "ValidatingAdmissionPolicy" => Some(policies::validating),
                "ValidatingAdmissionPolicyBinding" => Some(policies::validating_binding),
                "MutatingAdmissionPolicy" => Some(policies::mutating),
                "MutatingAdmissionPolicyBinding" => Some(policies::mutating_binding),
                _ => None,
            },
        ),
        ("apiregistration.k8s.io", "APIService") => (path, Some(registration::api_service)),
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            (registration::any_name, Some(registration::certificate_request))
        }
        ("flowcontrol.apiserver.k8s.io", kind) => (
            subdomain,
            match kind {
                "FlowSchema" => Some(flows::flow_schema),
                "PriorityLevelConfiguration" => Some(flows::priority_level),
                _ => None,
            },
        ),
        ("networking.k8s.io", "ServiceCIDR") => (subdomain, Some(registration::service_network)),
        ("networking.k8s.io", "IPAddress") => {
            (registration::address_name, Some(registration::address))
        }
        ("resource.k8s.io", kind) => (
            if kind == "DeviceClass" { names::long_name } else { subdomain },
            match kind {
                "DeviceClass" => Some(devices::class),
                "ResourceClaim" => Some(devices::claim),
                "ResourceClaimTemplate" => Some(devices::claim_template),
                "ResourceSlice" => Some(slices::slice),
                _ => None,
            },
        ),
        ("", "Node") => (subdomain, Some(nodes::node)),
        ("", "Endpoints") => (subdomain, Some(nodes::endpoints)),
        ("storage.k8s.io", "CSIDriver") => (subdomain, Some(small::csi_driver)),
        ("", "ReplicationController") => (names::long_name, Some(small::replication_controller)),
        ("", "PodTemplate") => (subdomain, Some(small::pod_template)),
        ("apps", "ControllerRevision") => (subdomain, Some(small::controller_revision)),
        ("node.k8s.io", "RuntimeClass") => (subdomain, Some(small::runtime_class)),
        ("storage.k8s.io", "VolumeAttachment") => (subdomain, Some(small::volume_attachment)),
        ("storage.k8s.io", "CSINode") => (subdomain, Some(small::csi_node)),
        ("storage.k8s.io", "CSIStorageCapacity") => (subdomain, Some(small::storage_capacity)),
        ("storage.k8s.io", "VolumeAttributesClass") => (subdomain, Some(small::attributes_class)),
        ("", "Event") => (subdomain, Some(small::core_event)),
        ("events.k8s.io", "Event") => (subdomain, Some(small::new_event)),
        ("discovery.k8s.io", "EndpointSlice") => (subdomain, Some(networking::endpoint_slice)),
        ("coordination.k8s.io", "Lease") => (subdomain, Some(policy::lease)),
        _ => (subdomain, None),
    }
}

#[cfg(test)]
mod tests;
