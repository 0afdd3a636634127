//! Projects, clusters and repositories, changed from the command line.

use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, conditions, map, text};
use crate::upstream_hooks::room;

const SERVER: &str = "https://kubernetes.default.svc";

async fn spec(stage: &Stage) -> Value {
    let gvk = Gvk::new("argoproj.io", "v1alpha1", "AppProject");
    let project = stage.cluster.get(&gvk, "argocd", "proj").await.expect("the cluster answers");
    project.expect("the project is there")["spec"].clone()
}

/// Runs `proj …`, where the project is `proj`.
async fn proj(stage: &Stage, words: &str) -> String {
    let words: Vec<&str> = std::iter::once("proj").chain(words.split(' ')).collect();
    stage.well(&words).await
}

pub async fn the_lists_of_a_project_are_changed_one_by_one(stage: &mut Stage) {
    proj(stage, "create proj --description for-tests").await;
    proj(stage, &format!("add-destination proj {SERVER} web-*")).await;
    proj(stage, "add-destination proj in-cluster jobs --name").await;
    proj(stage, "add-source proj https://example.com/*").await;
    proj(stage, "add-source-namespace proj team-*").await;
    proj(stage, "add-orphaned-ignore proj apps Deployment --name kept").await;
    proj(stage, "allow-cluster-resource proj apiextensions.k8s.io CustomResourceDefinition").await;
    proj(stage, "deny-namespace-resource proj batch Job").await;
    proj(stage, &format!("add-destination-service-account proj {SERVER} web-* deployer")).await;
    assert_eq!(
        spec(stage).await,
        json!({
            "description": "for-tests",
            "destinations": [
                {"server": SERVER, "namespace": "web-*"},
                {"name": "in-cluster", "namespace": "jobs"},
            ],
            "sourceRepos": ["https://example.com/*"],
            "sourceNamespaces": ["team-*"],
            "orphanedResources": {"ignore": [{"group": "apps", "kind": "Deployment", "name": "kept"}]},
            "clusterResourceWhitelist": [
                {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition"},
            ],
            "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}],
            "destinationServiceAccounts": [
                {"server": SERVER, "namespace": "web-*", "defaultServiceAccount": "deployer"},
            ],
        })
    );
    // What is there already, or is not there, is told.
    let twice = ["proj", "add-destination", "proj", SERVER, "web-*"];
    let again = stage.tiphys(&twice).await;
    assert_ne!(again.code, 0);
    assert!(again.told.contains("already"), "{}", again.told);
    proj(stage, &format!("remove-destination proj {SERVER} web-*")).await;
    proj(stage, "remove-source proj https://example.com/*").await;
    proj(stage, "remove-source-namespace proj team-*").await;
    proj(stage, "remove-orphaned-ignore proj apps Deployment --name kept").await;
    proj(stage, "deny-cluster-resource proj apiextensions.k8s.io CustomResourceDefinition").await;
    proj(stage, "allow-namespace-resource proj batch Job").await;
    proj(stage, &format!("remove-destination-service-account proj {SERVER} web-* deployer")).await;
    let left = spec(stage).await;
    assert_eq!(left["destinations"], json!([{"name": "in-cluster", "namespace": "jobs"}]));
    for list in ["sourceRepos", "sourceNamespaces", "namespaceResourceBlacklist"] {
        let length = left[list].as_array().map_or(0, Vec::len);
        assert_eq!(length, 0, "{list}: {left:#}");
    }
}

pub async fn a_windows_whole_life(stage: &mut Stage) {
    room(stage).await;
    proj(stage, "create proj -s * -d *,*").await;
    let add = ["proj", "windows", "add", "proj", "--kind", "deny", "--schedule", "* * * * *"];
    stage.well(&[&add[..], &["--duration", "1h", "--applications", "*"]].concat()).await;
    stage.project_holds("proj").await;
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let url = stage.repository().url();
    let create = ["app", "create", "web", "--repo", &url, "--path", "app", "--project", "proj"];
    let to = ["--dest-server", SERVER, "--dest-namespace", &stage.namespace];
    stage.well(&[&create[..], &to].concat()).await;
    stage.app("web", "it is compared", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    let refused = stage.tiphys(&["app", "sync", "web"]).await;
    assert_ne!(refused.code, 0, "the window holds people back: {}", refused.out);
    let list = proj(stage, "windows list proj").await;
    assert!(list.contains("deny") && list.contains("* * * * *"), "{list}");
    proj(stage, "windows enable-manual-sync proj 0").await;
    assert_eq!(spec(stage).await["syncWindows"][0]["manualSync"], true);
    stage.project_holds("proj").await;
    stage.well(&["app", "sync", "web"]).await;
    proj(stage, "windows update proj 0 --duration 2h").await;
    assert_eq!(spec(stage).await["syncWindows"][0]["duration"], "2h");
    let beyond = stage.tiphys(&["proj", "windows", "delete", "proj", "7"]).await;
    assert_ne!(beyond.code, 0, "there is no such window");
    proj(stage, "windows delete proj 0").await;
    assert_eq!(spec(stage).await["syncWindows"].as_array().map_or(0, Vec::len), 0);
}

pub async fn what_a_cluster_is_called_may_change(stage: &mut Stage) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "far", "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        // Nobody listens there: what is registered is all that counts.
        "stringData": {"name": "far", "server": "https://127.0.0.1:1", "config": "{}"},
    });
    stage.cluster.home().create(&secret).await.expect("taken");
    let listed = stage.well(&["cluster", "list"]).await;
    assert!(listed.contains("far"), "{listed}");
    let change = ["cluster", "set", "far", "--name", "near", "--namespace", "web"];
    stage.well(&[&change[..], &["--label", "tier=one"]].concat()).await;
    let gvk = Gvk::new("", "v1", "Secret");
    let held = stage.cluster.get(&gvk, "argocd", "far").await.expect("answers").expect("there");
    assert_eq!(manifest::label(&held, "tier"), Some("one"));
    assert_eq!(manifest::label(&held, "argocd.argoproj.io/secret-type"), Some("cluster"));
    let shown = stage.well(&["cluster", "get", "near", "-o", "yaml"]).await;
    assert!(shown.contains("name: near") && shown.contains("- web"), "{shown}");
    // An Application may name it by its new name only.
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["destination"] = json!({"name": "far", "namespace": "web"});
        })
        .await;
    stage
        .app("web", "there is no cluster of the old name", |app| {
            !conditions(app, "InvalidSpecError").is_empty()
        })
        .await;
    stage.well(&["cluster", "rm", "near", "-y"]).await;
    assert_eq!(stage.cluster.get(&gvk, "argocd", "far").await.expect("answers"), None);
    let gone = stage.tiphys(&["cluster", "get", "near"]).await;
    assert_ne!(gone.code, 0, "{}", gone.out);
}

#[test]
fn a_token_for_a_cluster_of_aws_is_printed_as_clients_want_it() {
    let run = |program: &std::path::Path, arguments: &[&str]| {
        std::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "AKIA")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .output()
            .expect("it runs")
    };
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_tiphys"));
    let dir = tempfile::tempdir().expect("a directory");
    let linked = dir.path().join("argocd-k8s-auth");
    std::os::unix::fs::symlink(own, &linked).expect("a link");
    let beside = ["aws", "--cluster-name", "one"];
    for ran in [run(own, &[&["k8s-auth"][..], &beside].concat()), run(&linked, &beside)] {
        let told: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert_eq!(told["kind"], "ExecCredential");
        assert!(text(&told, "/status/token").starts_with("k8s-aws-v1."), "{told:#}");
        assert!(!text(&told, "/status/expirationTimestamp").is_empty());
    }
    let alone = run(own, &["k8s-auth", "azure"]);
    assert!(!alone.status.success());
    assert!(String::from_utf8_lossy(&alone.stderr).contains("AAD_LOGIN_METHOD"));
}
