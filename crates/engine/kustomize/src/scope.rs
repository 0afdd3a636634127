//! Which kinds live in a namespace.
//!
//! Kustomize asks the OpenAPI document of Kubernetes 1.21.2 that it carries; a kind that is
//! not in it counts as living in a namespace. These are the document's facts.

use std::collections::HashMap;
use std::sync::Arc;

use crate::resid::Gvk;

/// What a custom OpenAPI document adds: whether (apiVersion, kind) lives in a namespace.
pub type CustomScopes = Option<Arc<HashMap<(String, String), bool>>>;

/// Whether a kind certainly lives in no namespace.
pub fn is_cluster_scoped(gvk: &Gvk, custom: &CustomScopes) -> bool {
    let is_of = |api_version: &str| match &*gvk.group {
        "" => api_version == &*gvk.version,
        group => {
            let version = api_version.strip_prefix(group).and_then(|rest| rest.strip_prefix('/'));
            version == Some(&*gvk.version)
        }
    };
    if let Some((_, namespaced, cluster)) = KNOWN.iter().find(|(known, _, _)| is_of(known)) {
        if cluster.contains(&&*gvk.kind) {
            return true;
        }
        if namespaced.contains(&&*gvk.kind) {
            return false;
        }
    }
    let Some(custom) = custom else { return false };
    custom.get(&(gvk.api_version(), gvk.kind.to_string())) == Some(&false)
}

type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

/// apiVersion, kinds in a namespace, kinds in none.
#[rustfmt::skip]
const KNOWN: &[Row] = &[
    ("admissionregistration.k8s.io/v1", &[

    ], &[
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ]),
    ("admissionregistration.k8s.io/v1beta1", &[

    ], &[
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ]),
    ("apiextensions.k8s.io/v1", &[], &["CustomResourceDefinition"]),
    ("apiextensions.k8s.io/v1beta1", &[], &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io/v1", &[], &["APIService"]),
    ("apiregistration.k8s.io/v1beta1", &[], &["APIService"]),
    ("apps/v1", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], &[]),
    ("autoscaling/v1", &["HorizontalPodAutoscaler", "Scale"], &[]),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], &[]),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"], &[]),
    ("batch/v1", &["CronJob", "Job"], &[]),
    ("batch/v1beta1", &["CronJob"], &[]),
    ("certificates.k8s.io/v1", &[], &["CertificateSigningRequest"]),
    ("certificates.k8s.io/v1beta1", &[], &["CertificateSigningRequest"]),
    ("coordination.k8s.io/v1", &["Lease"], &[]),
    ("coordination.k8s.io/v1beta1", &["Lease"], &[]),
    ("discovery.k8s.io/v1", &["EndpointSlice"], &[]),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"], &[]),
    ("events.k8s.io/v1", &["Event"], &[]),
    ("events.k8s.io/v1beta1", &["Event"], &[]),
    ("extensions/v1beta1", &["Ingress"], &[]),
    ("flowcontrol.apiserver.k8s.io/v1beta1", &[], &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io/v1", &["Ingress", "NetworkPolicy"], &["IngressClass"]),
    ("networking.k8s.io/v1beta1", &["Ingress"], &["IngressClass"]),
    ("node.k8s.io/v1", &[], &["RuntimeClass"]),
    ("node.k8s.io/v1beta1", &[], &["RuntimeClass"]),
    ("policy/v1", &["PodDisruptionBudget"], &[]),
    ("policy/v1beta1", &["PodDisruptionBudget"], &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io/v1", &["Role", "RoleBinding"], &["ClusterRole", "ClusterRoleBinding"]),
    ("rbac.authorization.k8s.io/v1beta1", &["Role", "RoleBinding"], &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io/v1", &[], &["PriorityClass"]),
    ("scheduling.k8s.io/v1beta1", &[], &["PriorityClass"]),
    ("storage.k8s.io/v1", &[], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
    ("storage.k8s.io/v1beta1", &[
        "CSIStorageCapacity"
    ], &[
        "CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"
    ]),
    ("v1", &[
        "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolumeClaim", "Pod",
        "PodAttachOptions", "PodExecOptions", "PodPortForwardOptions", "PodProxyOptions",
        "PodTemplate", "ReplicationController", "ResourceQuota", "Secret", "Service",
        "ServiceAccount", "ServiceProxyOptions"
    ], &[
        "ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume"
    ]),
];
