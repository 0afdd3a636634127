//! `manifests/install`: what a cluster is given to run the controller.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{write_file, yaml};

const PATH: &str = "manifests/install/tiphys.yaml";
const NAMESPACE: &str = "argocd";
/// Upstream's name, so that what refers to it goes on.
const NAME: &str = "argocd-application-controller";

/// Writes the file.
pub fn write() -> Result<()> {
    write_file(PATH, &text())
}

fn text() -> String {
    let mut text = "# Printed by `cargo run -p xtask -- install`. Apply manifests/crds first (or let the controller make them),\n# and put the image that you built in the place of `tiphys:latest`.\n".to_owned();
    for object in objects() {
        text.push_str("---\n");
        text.push_str(&yaml::print(&object));
    }
    text
}

fn labels() -> Value {
    json!({
        "app.kubernetes.io/component": "application-controller",
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/part-of": "argocd",
    })
}

fn metadata(namespaced: bool) -> Value {
    let mut metadata = json!({"name": NAME, "labels": labels()});
    if namespaced {
        metadata["namespace"] = NAMESPACE.into();
    }
    metadata
}

fn objects() -> Vec<Value> {
    let selector = json!({"app.kubernetes.io/name": NAME});
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "metrics"}, "initialDelaySeconds": 5, "periodSeconds": 10});
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(true)}),
        // It applies whatever users commit, so it may do whatever they commit.
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": metadata(false),
            "rules": [
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(false),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        }),
    ];
    all.extend(settings::initial_objects(NAMESPACE));
    all.push(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "argocd-metrics", "namespace": NAMESPACE, "labels": labels()},
        "spec": {
            "ports": [{"name": "metrics", "port": 8082, "protocol": "TCP", "targetPort": 8082}],
            "selector": selector,
        },
    }));
    all.push(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(true),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": labels()},
                "spec": {
                    "serviceAccountName": NAME,
                    "securityContext": {"runAsNonRoot": true, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [{
                        "name": "application-controller",
                        "image": "tiphys:latest",
                        "args": ["controller"],
                        "env": [
                            field("POD_NAMESPACE", "metadata.namespace"),
                            field("POD_NAME", "metadata.name"),
                        ],
                        "ports": [{"name": "metrics", "containerPort": 8082}],
                        "readinessProbe": probe("/healthz"),
                        "livenessProbe": probe("/healthz"),
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": true,
                        },
                        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                    }],
                    "volumes": [{"name": "tmp", "emptyDir": {}}],
                },
            },
        },
    }));
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_printed_installation_is_fresh() {
        crate::assert_fresh(super::PATH, &super::text(), "install");
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_objects() {
        let text = super::text();
        let documents = text.split("---\n").skip(1);
        let read: Vec<_> =
            documents.map(|one| goyaml::to_json(one.as_bytes()).expect("YAML")).collect();
        assert_eq!(read, super::objects());
    }
}
