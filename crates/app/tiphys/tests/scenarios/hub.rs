//! Several clusters, several processes, and settings that change while they run.

use cluster::{Patch, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, application, conditions, config_map, map, text};

/// Two more clusters beside the one that Tiphys lives in.
pub const TWO_MORE: &[&str] = &["up", "--empty", "--loglevel", "info", "--clusters", "2"];
/// A cluster with nothing on it.
pub const BARE: &[&str] = &["simkube"];

fn lease() -> Gvk {
    Gvk::new("coordination.k8s.io", "v1", "Lease")
}

fn secret() -> Gvk {
    Gvk::new("", "v1", "Secret")
}

pub async fn each_cluster_of_a_secret_gets_what_is_its_own(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("one/map.yaml", Some(&map("one", &[], "x"))),
        ("two/map.yaml", Some(&map("two", &[], "x"))),
    ]);
    let listed = stage.well(&["cluster", "list", "-o", "json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let server_of = |name: &str| {
        let all = listed.as_array().expect("a list");
        let found = all.iter().find(|one| text(one, "/name") == name).expect("it is registered");
        text(found, "/server").to_owned()
    };
    let (first, second) = ("sim-1", "sim-2");
    let server = server_of(second);
    stage
        .application("one", "one", |app| {
            app["spec"]["destination"] = json!({"name": first, "namespace": "scenario"});
        })
        .await;
    stage
        .application("two", "two", |app| {
            app["spec"]["destination"] = json!({"server": server, "namespace": "scenario"});
        })
        .await;
    stage.synced("one").await;
    stage.synced("two").await;
    for (context, own, other) in [(first, "one", "two"), (second, "two", "one")] {
        let there = stage.other(&format!("simulated-{context}")).await;
        let get = async |name| {
            there.get(&config_map(), "scenario", name).await.expect("the cluster answers")
        };
        assert!(get(own).await.is_some(), "{context} has {own}");
        assert!(get(other).await.is_none(), "{context} has no {other}");
    }
    assert!(stage.get(config_map(), "one").await.is_none(), "the home cluster has neither");
    // What is changed by hand over there is seen and reverted.
    let there = stage.other("simulated-sim-1").await;
    let hand = there.writer(crate::stage::anything());
    let change = Patch::Merge(json!({"data": {"key": "by hand"}}));
    hand.write(&Write::patch(config_map(), "scenario", "one", change, "a-person"))
        .await
        .expect("the write is taken");
    crate::stage::until_on(&there, config_map(), "scenario", "one", "reverted", |object| {
        object.is_some_and(|object| text(object, "/data/key") == "x")
    })
    .await;
    // A cluster that is not known any more takes its Applications' destinations along.
    stage
        .cluster
        .home()
        .delete(&secret(), "argocd", &format!("cluster-{first}"), cluster::Propagation::Background)
        .await
        .expect("the secret is deleted");
    stage
        .app("one", "the destination is not known", |app| {
            conditions(app, "InvalidSpecError").iter().any(|words| words.contains(first))
        })
        .await;
    stage.synced("two").await;
}

pub async fn a_cluster_of_some_namespaces_is_left_alone_outside_of_them(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("inside/map.yaml", Some(&map("inside", &[], "x"))),
        (
            "outside/map.yaml",
            Some(
                &map("outside", &[], "x")
                    .replace("  name: outside", "  name: outside\n  namespace: other"),
            ),
        ),
    ]);
    let there = stage.other("simulated-sim-1").await;
    let hand = there.writer(crate::stage::anything());
    for name in ["managed", "other"] {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        hand.write(&Write::create(namespace, "a-person")).await.expect("the namespace is made");
    }
    let limits = Patch::Merge(json!({"stringData": {"namespaces": "managed"}}));
    let home = stage.cluster.home();
    home.patch(&secret(), "argocd", "cluster-sim-1", limits).await.expect("taken");
    let to = |namespace: &str| {
        let namespace = namespace.to_owned();
        move |app: &mut serde_json::Value| {
            app["spec"]["destination"] = json!({"name": "sim-1", "namespace": namespace});
            app["spec"]["syncPolicy"]["syncOptions"] = json!([]);
        }
    };
    let refused = |app: &serde_json::Value| {
        text(app, "/status/sync/status") == "Unknown"
            && conditions(app, "ComparisonError").join(" ").contains(
                "Failed to load live state: namespace \"other\" for ConfigMap \"outside\" is not managed",
            )
    };
    // Nothing orders a Secret before an Application: one that only looks says when the limits
    // are known.
    stage
        .application("looking", "outside", |app| {
            to("other")(app);
            app["spec"]["syncPolicy"] = json!({});
        })
        .await;
    stage.app("looking", "the limits are known", refused).await;
    stage.application("inside", "inside", to("managed")).await;
    stage.application("outside", "outside", to("other")).await;
    stage.synced("inside").await;
    stage.app("outside", "what is outside is refused", refused).await;
    assert!(there.get(&config_map(), "other", "outside").await.expect("answers").is_none());
}

pub async fn of_two_controllers_one_works_and_the_other_takes_over(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "one")))]);
    let controller = |identity: &'static str, stage: &Stage| {
        let cache = format!("cache-{identity}");
        stage.beside(&[
            "controller",
            "--identity",
            identity,
            "--metrics-listen",
            "127.0.0.1:0",
            "--loglevel",
            "info",
            "--cache-dir",
            &cache,
        ])
    };
    let first = controller("first", stage);
    let holder = |wanted: &'static str| {
        move |lease: Option<&serde_json::Value>| {
            lease.is_some_and(|lease| text(lease, "/spec/holderIdentity") == wanted)
        }
    };
    let name = "argocd-application-controller";
    stage.until(lease(), "argocd", name, "the first leads", holder("first")).await;
    let _second = controller("second", stage);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    first.kill();
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "two")))]);
    stage.until(lease(), "argocd", name, "the second leads", holder("second")).await;
    stage.synced("web").await;
    let live = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(text(&live, "/data/key"), "two");
}

pub async fn settings_hold_as_soon_as_they_are_written(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "one")))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    let label = "/metadata/labels/app.kubernetes.io~1instance";
    let tracking = "/metadata/annotations/argocd.argoproj.io~1tracking-id";
    let live = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(text(&live, label), "");
    assert!(!text(&live, tracking).is_empty());
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "label"})).await;
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "two")))]);
    stage
        .object(config_map(), "main", "tracked by label", |live| {
            text(live, "/data/key") == "two" && text(live, label) == "web"
        })
        .await;
    // A kind that is excluded from now on is not applied any more, and says so.
    let excluded = "- apiGroups: ['']\n  kinds: [ConfigMap]\n  clusters: ['*']\n";
    stage.set("argocd-cm", json!({"resource.exclusions": excluded})).await;
    stage
        .app("web", "the excluded kind is told of", |app| {
            !conditions(app, "ExcludedResourceWarning").is_empty()
        })
        .await;
    let gone = stage.cluster.get(&application(), "argocd", "web").await.expect("answers");
    assert!(gone.is_some());
}

pub async fn limits_metrics_and_logs_follow_the_settings(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "one")))]);
    let team = json!({"example.com/team": "blue"});
    stage.application("web", "app", |app| app["metadata"]["labels"] = team).await;
    stage.synced("web").await;
    assert!(!stage.metrics().contains("argocd_app_labels"));
    // The cluster may tell of the end before its answer is here.
    let counted = || stage.metrics().contains("argocd_app_sync_total{");
    stage.seen("the sync in the counters", counted).await;
    let parameters = json!({
        "controller.metrics.application.labels": "example.com/team",
        "controller.log.format": "json",
        "log.format.timestamp": "2006",
        "controller.k8s.client.qps": "40",
        "controller.k8s.client.burst": "2",
        "controller.kubectl.parallelism.limit": "1",
        "controller.k8s.tcp.timeout": "7s",
    });
    stage.set("argocd-cmd-params-cm", parameters).await;
    let labelled = r#"argocd_app_labels{label_example_com_team="blue",name="web","#;
    stage.seen("the label as a metric", || stage.metrics().contains(labelled)).await;
    let year = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        text(&line, "/time").len() == 4 && text(&line, "/level") == "info"
    };
    stage.seen("a line in JSON", || stage.log().lines().any(year)).await;
    // Syncs go on, at another pace and over another connection.
    repository.commit(&[("app/map.yaml", Some(&map("main", &[], "two")))]);
    stage.synced("web").await;
    let fewer = json!({
        "controller.metrics.cache.expiration": "1s",
        "controller.metrics.application.labels": null,
        "controller.log.format": "text",
    });
    stage.set("argocd-cmd-params-cm", fewer).await;
    stage.seen("the counters anew", || !stage.metrics().contains("argocd_app_sync_total{")).await;
    assert!(!stage.metrics().contains("argocd_app_labels"));
    let text_line = |line: &str| line.starts_with("time=20") && line.contains("settings changed");
    stage.seen("a line in text", || stage.log().lines().any(text_line)).await;
}
