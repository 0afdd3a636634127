use crate::{Parts, RealCluster};

const WORKLOADS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: default}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: once, image: "example/once:1"}]}
"#;

#[test]
fn a_whole_cluster_rolls_a_deployment_out_and_completes_a_job() {
    let Some(cluster) = RealCluster::start(Parts::Whole).unwrap() else { return };
    cluster.apply(WORKLOADS).unwrap();
    cluster.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
    cluster.kubectl(&["wait", "job/once", "--for=condition=Complete", "--timeout=60s"]).unwrap();
}
