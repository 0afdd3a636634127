//! The settings objects that an installation begins with.

use serde_json::{Map, Value, json};

/// Kinds whose many changes nobody looks at, as upstream leaves them out since 3.0.
const EXCLUSIONS: &str = r"# Addresses of Services: changed by the control plane, and often.
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
# Locks of leader elections.
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
# Questions to the API server, which are never stored.
- apiGroups: [authentication.k8s.io, authorization.k8s.io]
  kinds:
  - SelfSubjectReview
  - TokenReview
  - LocalSubjectAccessReview
  - SelfSubjectAccessReview
  - SelfSubjectRulesReview
  - SubjectAccessReview
# Steps on the way to a certificate.
- apiGroups: [certificates.k8s.io]
  kinds: [CertificateSigningRequest]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
# What Cilium writes for itself.
- apiGroups: [cilium.io]
  kinds: [CiliumIdentity, CiliumEndpoint, CiliumEndpointSlice]
# What Kyverno writes for itself, and its reports.
- apiGroups: [kyverno.io, reports.kyverno.io, wgpolicyk8s.io]
  kinds:
  - PolicyReport
  - ClusterPolicyReport
  - EphemeralReport
  - ClusterEphemeralReport
  - AdmissionReport
  - ClusterAdmissionReport
  - BackgroundScanReport
  - ClusterBackgroundScanReport
  - UpdateRequest
";

/// By kind, fields whose changes refresh no Application; upstream begins with the same.
const IGNORED_UPDATES: &[(&str, &str)] = &[
    ("all", "jsonPointers:\n- /status\n"),
    ("Endpoints", "jsonPointers:\n- /metadata\n- /subsets\n"),
    ("discovery.k8s.io_EndpointSlice", "jsonPointers:\n- /metadata\n- /endpoints\n- /ports\n"),
    (
        "ConfigMap",
        "jqPathExpressions:\n\
         - '.metadata.annotations.\"cluster-autoscaler.kubernetes.io/last-updated\"'\n\
         - '.metadata.annotations.\"control-plane.alpha.kubernetes.io/leader\"'\n",
    ),
    (
        "apps_ReplicaSet",
        "jqPathExpressions:\n\
         - '.metadata.annotations.\"deployment.kubernetes.io/desired-replicas\"'\n\
         - '.metadata.annotations.\"deployment.kubernetes.io/max-replicas\"'\n\
         - '.metadata.annotations.\"rollout.argoproj.io/desired-replicas\"'\n",
    ),
    (
        "argoproj.io_Application",
        "jqPathExpressions:\n\
         - '.metadata.annotations.\"notified.notifications.argoproj.io\"'\n\
         - '.metadata.annotations.\"argocd.argoproj.io/refresh\"'\n\
         - '.metadata.annotations.\"argocd.argoproj.io/refresh-timestamp\"'\n\
         - '.metadata.annotations.\"argocd.argoproj.io/hydrate\"'\n\
         - '.metadata.annotations.\"argocd.argoproj.io/hydrate-timestamp\"'\n\
         - '.operation'\n",
    ),
    (
        "argoproj.io_Rollout",
        "jqPathExpressions:\n\
         - '.metadata.annotations.\"notified.notifications.argoproj.io\"'\n",
    ),
    (
        "autoscaling_HorizontalPodAutoscaler",
        "jqPathExpressions:\n\
         - '.metadata.annotations.\"autoscaling.alpha.kubernetes.io/behavior\"'\n\
         - '.metadata.annotations.\"autoscaling.alpha.kubernetes.io/conditions\"'\n\
         - '.metadata.annotations.\"autoscaling.alpha.kubernetes.io/metrics\"'\n\
         - '.metadata.annotations.\"autoscaling.alpha.kubernetes.io/current-metrics\"'\n",
    ),
];

/// Host keys of well-known Git hosts.
const KNOWN_HOSTS: &str = include_str!("known_hosts");

/// Returns the ConfigMaps and the Secret that an installation begins with, as they are created in
/// a namespace. The Secret is empty: whoever creates it adds the key that signs tokens.
pub fn initial_objects(namespace: &str) -> Vec<Value> {
    let mut main = Map::new();
    main.insert("resource.exclusions".into(), EXCLUSIONS.into());
    for (kind, rules) in IGNORED_UPDATES {
        let key = format!("resource.customizations.ignoreResourceUpdates.{kind}");
        main.insert(key, (*rules).into());
    }
    let hosts = Map::from_iter([("ssh_known_hosts".to_owned(), KNOWN_HOSTS.into())]);
    let maps = [
        ("argocd-cm", main),
        ("argocd-cmd-params-cm", Map::new()),
        ("argocd-gpg-keys-cm", Map::new()),
        ("argocd-notifications-cm", Map::new()),
        ("argocd-rbac-cm", Map::new()),
        ("argocd-ssh-known-hosts-cm", hosts),
        ("argocd-tls-certs-cm", Map::new()),
    ];
    let mut objects: Vec<Value> = maps
        .into_iter()
        .map(|(name, data)| {
            let mut map = object("ConfigMap", namespace, name);
            if !data.is_empty() {
                map["data"] = data.into();
            }
            map
        })
        .collect();
    let mut secret = object("Secret", namespace, "argocd-secret");
    secret["type"] = "Opaque".into();
    objects.push(secret);
    objects
}

fn object(kind: &str, namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/name": name,
                crd::keys::LABEL_PART_OF: crd::keys::PART_OF_ARGOCD,
            },
        },
    })
}
