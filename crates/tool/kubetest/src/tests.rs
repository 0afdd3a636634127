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

mod real {
    use super::WORKLOADS;
    use crate::{Lent, Parts, RealCluster};

    #[test]
    fn a_whole_cluster_rolls_a_deployment_out_and_completes_a_job() {
        let Some(cluster) = RealCluster::start(Parts::Whole).unwrap() else { return };
        cluster.apply(WORKLOADS).unwrap();
        cluster.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
        cluster
            .kubectl(&["wait", "job/once", "--for=condition=Complete", "--timeout=60s"])
            .unwrap();
    }

    #[test]
    fn what_one_test_leaves_the_next_does_not_find() {
        let deployments = "/apis/apps/v1/deployments";
        let Some(cluster) = Lent::take().unwrap() else { return };
        let url = cluster.url();
        cluster.apply(WORKLOADS).unwrap();
        cluster.apply(STUCK).unwrap();
        cluster.kubectl(&["delete", "namespace", "stuck", "--wait=false"]).unwrap();
        cluster.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
        drop(cluster);
        let cluster = Lent::take().unwrap().unwrap();
        assert_eq!(cluster.url(), url, "it is lent again");
        assert_eq!(cluster.get_raw(deployments).unwrap()["items"].as_array().unwrap().len(), 0);
        assert_eq!(cluster.get_raw("/api/v1/pods").unwrap()["items"].as_array().unwrap().len(), 0);
        assert!(cluster.get_raw("/api/v1/namespaces/stuck").is_err());
        cluster.apply(WORKLOADS).unwrap();
        cluster
            .kubectl(&["wait", "job/once", "--for=condition=Complete", "--timeout=60s"])
            .unwrap();
    }

    /// Its namespace would never go by itself.
    const STUCK: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: stuck}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: stuck, namespace: stuck, finalizers: [example.com/nobody]}
"#;
}
