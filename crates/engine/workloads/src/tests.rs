//! A cluster in a map: each write is carried out at once, so a test sees where the steps lead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use manifest::ObjectKey;
use serde_json::{Value, json};

use crate::{Context, Write, reconcile, wakes};

/// More steps than any test needs: a controller that never rests is a defect.
const STEPS_MAX: usize = 500;

struct Cluster {
    objects: BTreeMap<ObjectKey, Arc<Value>>,
    made: u32,
    now: Timestamp,
    classes: Vec<Arc<Value>>,
}

impl Cluster {
    fn new() -> Self {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        Self { objects: BTreeMap::new(), made: 0, now, classes: Vec::new() }
    }

    fn create(&mut self, mut object: Value) {
        self.made += 1;
        let prefix = object.pointer("/metadata/generateName").and_then(Value::as_str);
        if let Some(name) = prefix.map(|prefix| format!("{prefix}{:03}", self.made)) {
            object["metadata"]["name"] = name.into();
        }
        object["metadata"]["uid"] = format!("uid-{}", self.made).into();
        object["metadata"]["generation"] = 1.into();
        object["metadata"]["creationTimestamp"] = self.now.to_string().into();
        let key = manifest::key_of(&object);
        self.objects.entry(key.clone()).or_insert_with(|| Arc::new(object));
        self.settle(&key);
    }

    fn change(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Value)) {
        let mut object = Value::clone(&self.objects[key]);
        change(&mut object);
        let generation = manifest::generation(&object) + 1;
        object["metadata"]["generation"] = generation.into();
        self.objects.insert(key.clone(), Arc::new(object));
        self.settle(key);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        for key in self.objects.keys().cloned().collect::<Vec<_>>() {
            self.settle(&key);
        }
    }

    fn settle(&mut self, first: &ObjectKey) {
        let mut queue: Vec<ObjectKey> =
            self.objects.get(first).map(|object| wakes(object)).unwrap_or_default();
        let mut steps = 0;
        while let Some(key) = queue.pop() {
            let Some(object) = self.objects.get(&key).cloned() else { continue };
            steps += 1;
            assert!(steps < STEPS_MAX, "{key} never rests: {object}");
            let uid = manifest::uid(&object);
            let owned: Vec<Arc<Value>> = self
                .objects
                .values()
                .filter(|owned| manifest::owner_references(owned).iter().any(|o| o.uid == uid))
                .cloned()
                .collect();
            let spec = &object["spec"];
            let (scaled, asked) = (&spec["scaleTargetRef"]["name"], &spec["service"]["name"]);
            let beside = |other: &&Arc<Value>| {
                let name = manifest::name(other);
                match (scaled.as_str(), asked.as_str()) {
                    (Some(scaled), _) => scaled == name && other["kind"] == "Deployment",
                    (_, Some(asked)) => asked == name && other["kind"] == "Service",
                    (None, None) => true,
                }
            };
            let neighbours: Vec<Arc<Value>> =
                self.objects.values().filter(beside).cloned().collect();
            let context = Context {
                now: self.now,
                node: "simulated-0",
                ingress_classes: &self.classes,
                storage_classes: &[],
                neighbours: &neighbours,
            };
            for write in reconcile(&object, &owned, &context).writes {
                let written = match write {
                    Write::Create(mut made) => {
                        self.made += 1;
                        let prefix = made.pointer("/metadata/generateName").and_then(Value::as_str);
                        if let Some(name) = prefix.map(|p| format!("{p}{:03}", self.made)) {
                            made["metadata"]["name"] = name.into();
                        }
                        made["metadata"]["uid"] = format!("uid-{}", self.made).into();
                        made["metadata"]["generation"] = 1.into();
                        made["metadata"]["creationTimestamp"] = self.now.to_string().into();
                        let key = manifest::key_of(&made);
                        let made = Arc::new(made);
                        self.objects.entry(key).or_insert(made).clone()
                    }
                    Write::Update(mut changed) => {
                        let key = manifest::key_of(&changed);
                        let Some(known) = self.objects.get(&key) else { continue };
                        if known["spec"] != changed["spec"] {
                            changed["metadata"]["generation"] =
                                (manifest::generation(known) + 1).into();
                        }
                        if let Some(status) = known.get("status") {
                            changed["status"] = status.clone();
                        }
                        let changed = Arc::new(changed);
                        self.objects.insert(key, changed.clone());
                        changed
                    }
                    Write::UpdateStatus(changed) => {
                        let key = manifest::key_of(&changed);
                        let Some(known) = self.objects.get(&key) else { continue };
                        let mut next = Value::clone(known);
                        next["status"] = changed["status"].clone();
                        let next = Arc::new(next);
                        self.objects.insert(key, next.clone());
                        next
                    }
                    Write::Delete { key, uid, .. } => match self.objects.remove(&key) {
                        Some(gone) => {
                            assert_eq!(manifest::uid(&gone), uid);
                            gone
                        }
                        None => continue,
                    },
                };
                queue.extend(wakes(&written));
            }
        }
    }

    fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|(key, _)| key.kind == kind)
            .map(|(_, object)| &**object)
            .collect()
    }
}

fn deployment(replicas: i64, annotations: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}, "annotations": annotations},
                "spec": {"containers": [{"name": "web", "image": "example/web:1"}]},
            },
        },
    })
}

fn web() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", "shop", "web")
}

#[test]
fn a_deployment_rolls_out_and_rolls_over() {
    let mut cluster = Cluster::new();
    cluster.create(deployment(3, json!({})));
    let status = &cluster.objects[&web()]["status"];
    assert_eq!(status["availableReplicas"], 3, "{status}");
    assert_eq!(status["updatedReplicas"], 3);
    assert_eq!(status.get("unavailableReplicas"), None);
    assert_eq!(cluster.of_kind("Pod").len(), 3);

    cluster.change(&web(), |web| {
        web["spec"]["template"]["spec"]["containers"][0]["image"] = "example/web:2".into();
    });
    let sets = cluster.of_kind("ReplicaSet");
    assert_eq!(sets.len(), 2);
    let sizes: i64 = sets.iter().map(|set| set["spec"]["replicas"].as_i64().unwrap()).sum();
    assert_eq!(sizes, 3, "the old set is empty");
    let images: Vec<&Value> =
        cluster.of_kind("Pod").iter().map(|pod| &pod["spec"]["containers"][0]["image"]).collect();
    assert_eq!(images, ["example/web:2"; 3]);
    let status = &cluster.objects[&web()]["status"];
    assert_eq!((&status["observedGeneration"], &status["replicas"]), (&json!(2), &json!(3)));
    assert_eq!(
        manifest::annotation(&cluster.objects[&web()], "deployment.kubernetes.io/revision"),
        Some("2")
    );
}

#[test]
fn going_back_to_a_template_takes_its_set_up_again() {
    let mut cluster = Cluster::new();
    cluster.create(deployment(2, json!({})));
    let image = |to: &'static str| {
        move |web: &mut Value| web["spec"]["template"]["spec"]["containers"][0]["image"] = to.into()
    };
    cluster.change(&web(), image("example/web:2"));
    cluster.change(&web(), image("example/web:1"));
    assert_eq!(cluster.of_kind("ReplicaSet").len(), 2);
    assert_eq!(
        manifest::annotation(&cluster.objects[&web()], "deployment.kubernetes.io/revision"),
        Some("3")
    );
    assert_eq!(cluster.objects[&web()]["status"]["updatedReplicas"], 2);
}

#[test]
fn recreate_ends_the_old_pods_first() {
    let mut cluster = Cluster::new();
    let mut object = deployment(2, json!({}));
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    cluster.create(object);
    cluster.change(&web(), |web| {
        web["spec"]["template"]["spec"]["containers"][0]["image"] = "example/web:2".into();
    });
    assert_eq!(cluster.objects[&web()]["status"]["updatedReplicas"], 2);
    assert_eq!(cluster.of_kind("Pod").len(), 2);
}

#[test]
fn a_rollout_that_never_becomes_ready_passes_its_deadline_and_leaves_the_old_pods() {
    let mut cluster = Cluster::new();
    cluster.create(deployment(4, json!({})));
    cluster.change(&web(), |web| {
        web["spec"]["template"]["metadata"]["annotations"] =
            json!({"sim.tiphys.io/outcome": "crashloop"});
    });
    let available = &cluster.objects[&web()]["status"]["availableReplicas"];
    assert_eq!(available, 3, "maxUnavailable 25 % of 4 is 1");
    cluster.wait(Duration::from_secs(601));
    let conditions = cluster.objects[&web()]["status"]["conditions"].as_array().unwrap();
    let progressing = conditions.iter().find(|c| c["type"] == "Progressing").unwrap();
    assert_eq!(progressing["reason"], "ProgressDeadlineExceeded");
}

#[test]
fn a_delayed_pod_is_pending_until_its_time() {
    let mut cluster = Cluster::new();
    cluster.create(deployment(1, json!({"sim.tiphys.io/delay": "5s"})));
    assert_eq!(cluster.of_kind("Pod")[0]["status"]["phase"], "Pending");
    cluster.wait(Duration::from_secs(5));
    assert_eq!(cluster.of_kind("Pod")[0]["status"]["phase"], "Running");
    assert_eq!(cluster.objects[&web()]["status"]["availableReplicas"], 1);
}

fn job(annotations: Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "once", "namespace": "shop"},
        "spec": {"backoffLimit": 2, "completions": 2, "parallelism": 1, "template": {
            "metadata": {"annotations": annotations},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]},
        }},
    })
}

#[test]
fn a_job_completes_and_a_failing_one_gives_up() {
    let mut cluster = Cluster::new();
    cluster.create(job(json!({})));
    let status = &cluster.of_kind("Job")[0]["status"];
    assert_eq!(status["succeeded"], 2, "{status}");
    assert_eq!(status["conditions"][1]["type"], "Complete");
    assert_eq!(status.get("active"), None);

    let mut cluster = Cluster::new();
    cluster.create(job(json!({"sim.tiphys.io/outcome": "fail"})));
    let status = &cluster.of_kind("Job")[0]["status"];
    assert_eq!(status["failed"], 3, "one more than the limit");
    assert_eq!(status["conditions"][1]["reason"], "BackoffLimitExceeded");
}

#[test]
fn a_pod_whose_commands_end_ends_with_them() {
    let phase = |policy: &str, command: Value| {
        let mut cluster = Cluster::new();
        cluster.create(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hook", "namespace": "shop"},
            "spec": {"restartPolicy": policy,
                "containers": [{"name": "c", "image": "i", "command": command}]},
        }));
        cluster.of_kind("Pod")[0]["status"]["phase"].clone()
    };
    assert_eq!(phase("Never", json!(["true"])), "Succeeded");
    assert_eq!(phase("Never", json!(["/bin/false"])), "Failed");
    assert_eq!(phase("OnFailure", json!(["sh", "-c", "exit 0"])), "Succeeded");
    assert_eq!(phase("OnFailure", json!(["sh", "-c", "exit 3"])), "Running", "it is tried again");
    assert_eq!(phase("Never", json!(["sh", "-c", "sleep 3600"])), "Running");
    assert_eq!(phase("Always", json!(["true"])), "Running");

    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "naps", "namespace": "shop"},
        "spec": {"restartPolicy": "Never",
            "containers": [{"name": "c", "image": "i", "command": ["sleep", "3"]}]},
    }));
    assert_eq!(cluster.of_kind("Pod")[0]["status"]["phase"], "Running");
    cluster.wait(Duration::from_secs(3));
    assert_eq!(cluster.of_kind("Pod")[0]["status"]["phase"], "Succeeded");
}

#[test]
fn a_stateful_set_makes_its_pods_and_claims_in_order_and_replaces_them_backwards() {
    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {
            "replicas": 3, "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "db", "image": "example/db:1"}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],
        },
    }));
    let names: Vec<&str> = cluster.of_kind("Pod").iter().map(|pod| manifest::name(pod)).collect();
    assert_eq!(names, ["db-0", "db-1", "db-2"]);
    let claims = cluster.of_kind("PersistentVolumeClaim");
    assert_eq!(manifest::name(claims[0]), "data-db-0");
    let status = &cluster.of_kind("StatefulSet")[0]["status"];
    assert_eq!((&status["readyReplicas"], &status["currentReplicas"]), (&json!(3), &json!(3)));
    let before = status["updateRevision"].clone();

    cluster.change(&ObjectKey::new("apps", "StatefulSet", "shop", "db"), |db| {
        db["spec"]["template"]["spec"]["containers"][0]["image"] = "example/db:2".into();
    });
    let status = &cluster.of_kind("StatefulSet")[0]["status"];
    assert_eq!(status["currentRevision"], status["updateRevision"]);
    assert_ne!(status["updateRevision"], before);
    assert!(
        cluster
            .of_kind("Pod")
            .iter()
            .all(|pod| pod["spec"]["containers"][0]["image"] == "example/db:2")
    );
}

#[test]
fn a_claim_is_bound_to_a_volume_of_its_size() {
    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
    }));
    let claim = cluster.of_kind("PersistentVolumeClaim")[0];
    assert_eq!(claim["status"]["phase"], "Bound");
    assert_eq!(claim["status"]["capacity"]["storage"], "2Gi");
    assert_eq!(cluster.of_kind("PersistentVolume")[0]["spec"]["claimRef"]["name"], "data");
}

#[test]
fn a_daemon_set_follows_its_template() {
    let mut cluster = Cluster::new();
    let key = ObjectKey::new("apps", "DaemonSet", "shop", "agent");
    cluster.create(json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"containers": [{"name": "agent", "image": "example/agent:1"}]}}},
    }));
    assert_eq!(cluster.objects[&key]["status"]["numberAvailable"], 1);
    cluster.change(&key, |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = "example/agent:2".into();
    });
    assert_eq!(cluster.of_kind("Pod").len(), 1);
    assert_eq!(cluster.of_kind("Pod")[0]["spec"]["containers"][0]["image"], "example/agent:2");
    assert_eq!(cluster.objects[&key]["status"]["updatedNumberScheduled"], 1);
}

#[test]
fn a_cron_job_starts_a_job_when_its_time_has_come_and_keeps_three() {
    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "shop"},
        "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}},
    }));
    assert_eq!(cluster.of_kind("Job").len(), 0);
    cluster.wait(Duration::from_secs(300));
    assert_eq!(cluster.of_kind("Job").len(), 1);
    for _ in 0..5 {
        cluster.wait(Duration::from_secs(300));
    }
    assert_eq!(cluster.of_kind("Job").len(), 3);
    let status = &cluster.of_kind("CronJob")[0]["status"];
    assert_eq!(status["lastScheduleTime"], "2026-01-01T00:30:00Z");
}

#[test]
fn a_load_balancer_of_a_class_that_nobody_serves_stays_pending() {
    let service = |name: &str, class: Option<&str>| {
        let mut service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}},
        });
        if let Some(class) = class {
            service["spec"]["loadBalancerClass"] = class.into();
        }
        service
    };
    let mut cluster = Cluster::new();
    cluster.create(service("open", None));
    cluster.create(service("other", Some("example.com/metal")));
    let address =
        |at: usize| cluster.of_kind("Service")[at].pointer("/status/loadBalancer/ingress/0/ip");
    assert!(address(0).is_some());
    assert!(address(1).is_none());
}

fn budget(spec: Value) -> Value {
    let mut spec = spec;
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    })
}

#[test]
fn a_budget_counts_the_pods_that_it_names() {
    for (spec, expected, desired, allowed, reason) in [
        (json!({"minAvailable": 2}), 3, 2, 1, "SufficientPods"),
        (json!({"minAvailable": 3}), 3, 3, 0, "InsufficientPods"),
        (json!({"minAvailable": "50%"}), 3, 2, 1, "SufficientPods"),
        (json!({"maxUnavailable": 1}), 3, 2, 1, "SufficientPods"),
        (json!({"maxUnavailable": "100%"}), 3, 0, 3, "SufficientPods"),
        (json!({}), 3, 0, 3, "SufficientPods"),
    ] {
        let mut cluster = Cluster::new();
        cluster.create(deployment(3, json!({})));
        cluster.create(budget(spec.clone()));
        let status = cluster.of_kind("PodDisruptionBudget")[0]["status"].clone();
        let counted = ["expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"]
            .map(|field| status[field].as_i64());
        assert_eq!(counted, [expected, 3, desired, allowed].map(Some), "{spec}");
        assert_eq!(status["conditions"][0]["reason"], reason, "{spec}");
    }
    let mut cluster = Cluster::new();
    cluster.create(budget(json!({"minAvailable": 1})));
    let status = &cluster.of_kind("PodDisruptionBudget")[0]["status"];
    assert_eq!(status["conditions"][0]["status"], "False");
}

#[test]
fn a_budget_of_pods_that_nobody_controls_is_not_counted_by_share() {
    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "alone", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "example/web:1"}]},
    }));
    cluster.create(budget(json!({"maxUnavailable": 1})));
    let status = &cluster.of_kind("PodDisruptionBudget")[0]["status"];
    assert_eq!(status["conditions"][0]["reason"], "SyncFailed");
    assert_eq!(status["conditions"][0]["message"], "found no controller ref for pod \"alone\"");
}

#[test]
fn an_autoscaler_brings_its_target_within_its_bounds() {
    let autoscaler = |name: &str| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": 2, "maxReplicas": 4,
            },
        })
    };
    for (replicas, desired) in [(1, 2), (3, 3), (9, 4), (0, 0)] {
        let mut cluster = Cluster::new();
        cluster.create(deployment(replicas, json!({})));
        cluster.create(autoscaler("web"));
        assert_eq!(cluster.of_kind("Pod").len(), usize::try_from(desired).expect("a few"));
        let status = &cluster.of_kind("HorizontalPodAutoscaler")[0]["status"];
        assert_eq!(status["desiredReplicas"], desired);
        let active = if desired == 0 { "ScalingDisabled" } else { "ValidMetricFound" };
        assert_eq!(status["conditions"][1]["reason"], active);
    }
    let mut cluster = Cluster::new();
    cluster.create(autoscaler("none"));
    let status = &cluster.of_kind("HorizontalPodAutoscaler")[0]["status"];
    assert_eq!(status["conditions"][0]["reason"], "FailedGetScale");
}

#[test]
fn each_template_of_a_stateful_set_is_a_revision_as_long_as_it_is_wanted() {
    let mut cluster = Cluster::new();
    let mut set = deployment(1, json!({}));
    set["kind"] = json!("StatefulSet");
    set["spec"]["revisionHistoryLimit"] = json!(1);
    cluster.create(set);
    let key = ObjectKey::new("apps", "StatefulSet", "shop", "web");
    let revisions = |cluster: &Cluster| -> Vec<(i64, String)> {
        let mut all: Vec<(i64, String)> = cluster
            .of_kind("ControllerRevision")
            .into_iter()
            .map(|one| {
                let image = &one["data"]["spec"]["template"]["spec"]["containers"][0]["image"];
                (
                    one["revision"].as_i64().expect("a number"),
                    image.as_str().expect("a text").to_owned(),
                )
            })
            .collect();
        all.sort();
        all
    };
    let image = |number: i64| format!("example/web:{number}");
    for number in [2, 3, 4, 2] {
        cluster.change(&key, |set| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = image(number).into();
        });
    }
    // One old one is kept; what was taken up again was made anew.
    assert_eq!(revisions(&cluster), [(4, image(4)), (5, image(2))]);
    cluster.change(&key, |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = image(4).into();
    });
    assert_eq!(revisions(&cluster), [(5, image(2)), (6, image(4))]);
}

#[test]
fn an_api_service_is_available_where_its_service_is_there() {
    let mut cluster = Cluster::new();
    cluster.create(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"service": {"name": "metrics-server", "namespace": "kube-system"}},
    }));
    let told = |cluster: &Cluster| {
        cluster.of_kind("APIService")[0]["status"]["conditions"][0]["message"].clone()
    };
    let words = "service/metrics-server in \"kube-system\" is not present";
    assert_eq!(told(&cluster), words);
    cluster.create(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
    }));
    cluster.wait(Duration::ZERO);
    assert_eq!(told(&cluster), "all checks passed");
}

#[test]
fn a_service_tells_where_its_pods_are_reached() {
    let mut cluster = Cluster::new();
    let mut many = deployment(2, json!({}));
    many["spec"]["template"]["spec"]["containers"][0]["ports"] =
        json!([{"name": "http", "containerPort": 8080, "protocol": "TCP"}]);
    cluster.create(many);
    let service = |name: &str, spec: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": "shop", "labels": {"team": "a"}},
            "spec": spec,
        })
    };
    let ports = json!([
        {"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"},
        {"name": "udp", "port": 53, "targetPort": "http", "protocol": "UDP"},
    ]);
    cluster.create(service(
        "web",
        json!({"clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"], "selector": {"app": "web"}, "ports": ports}),
    ));
    let slice = cluster.of_kind("EndpointSlice")[0];
    assert_eq!(
        slice["metadata"]["labels"],
        json!({
            "team": "a",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        })
    );
    assert_eq!(
        slice["ports"],
        json!([{"name": "web", "port": 8080, "protocol": "TCP", "appProtocol": "http"}])
    );
    let pod = cluster.of_kind("Pod")[0].clone();
    assert_eq!(
        slice["endpoints"][0],
        json!({
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "simulated-0",
            "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": "shop", "uid": pod["metadata"]["uid"]},
        })
    );
    assert_eq!(slice["endpoints"].as_array().map(Vec::len), Some(2));
    let endpoints = cluster.of_kind("Endpoints")[0];
    assert_eq!(
        endpoints["metadata"]["labels"],
        json!({"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"})
    );
    assert_eq!(endpoints["subsets"][0]["addresses"].as_array().map(Vec::len), Some(2));
    assert_eq!(endpoints["subsets"][0]["ports"], slice["ports"]);
    cluster.change(&web(), |many| many["spec"]["replicas"] = json!(0));
    let key = ObjectKey::new("", "Service", "shop", "web");
    cluster.change(&key, |_| {});
    let slice = cluster.of_kind("EndpointSlice")[0];
    assert_eq!((&slice["ports"], &slice["endpoints"]), (&json!([]), &json!([])));
    assert_eq!(cluster.of_kind("Endpoints")[0]["subsets"], json!([]));
    cluster.change(&key, |service| service["spec"]["selector"] = json!({"app": "none"}));
    assert_eq!(cluster.of_kind("EndpointSlice").len(), 1);
}

#[test]
fn a_service_that_selects_nothing_is_left_to_others() {
    let mut cluster = Cluster::new();
    for spec in [
        json!({"clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"]}),
        json!({"type": "ExternalName", "externalName": "a.b", "selector": {"a": "b"}}),
    ] {
        cluster.create(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": spec,
        }));
        assert!(cluster.of_kind("EndpointSlice").is_empty());
        assert!(cluster.of_kind("Endpoints").is_empty());
    }
}
