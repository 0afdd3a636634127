use serde_json::{Value, json};

use super::{lines, secret};
use crate::{Cluster, ClusterError, Clusters};

const IN_CLUSTER: &str = "https://kubernetes.default.svc";

fn destination(fields: Value) -> crd::ApplicationDestination {
    serde_json::from_value(fields).expect("a destination")
}

fn edge() -> Value {
    secret(
        "edge",
        "cluster",
        json!({
            "name": "edge",
            "server": "https://edge:6443/",
            "namespaces": "shop, bank,",
            "clusterResources": "true",
            "shard": "2",
            "project": "team",
            "config": json!({
                "bearerToken": "hush",
                "tlsClientConfig": {"insecure": false, "serverName": "k", "caData": "Q0E=", "certData": "Q0VSVA==", "keyData": "S0VZ"},
                "awsAuthConfig": {"clusterName": "c", "roleARN": "r", "profile": "p"},
                "execProviderConfig": {
                    "command": "get-token", "args": ["-v"], "env": {"A": "hush"},
                    "apiVersion": "client.authentication.k8s.io/v1", "installHint": "h",
                    "provideClusterInfo": true, "config": {"x": 1},
                },
                "disableCompression": true,
                "proxyUrl": "socks5://proxy",
            }).to_string(),
        }),
    )
}

#[test]
fn every_field_of_a_cluster_secret_is_read_and_none_is_shown() {
    let (clusters, problems) = Clusters::read([&edge()], true);
    assert_eq!(lines(&problems), Vec::<String>::new());
    let cluster = clusters.by_server("https://edge:6443/").expect("there");
    assert_eq!(cluster.namespaces, ["shop", "bank"]);
    assert_eq!((cluster.shard, cluster.project.as_str()), (Some(2), "team"));
    assert!(cluster.manages("shop") && cluster.manages("") && !cluster.manages("other"));
    let config = &cluster.config;
    assert_eq!(config.tls.ca, b"CA");
    assert_eq!(config.tls.key.expose(), "KEY");
    assert_eq!(config.aws.as_ref().expect("aws").role_arn, "r");
    let exec = config.exec.as_ref().expect("exec");
    assert_eq!((exec.command.as_str(), exec.args.len()), ("get-token", 1));
    assert!(exec.provide_cluster_info && exec.config == Some(json!({"x": 1})));
    assert_eq!(config.proxy_url, "socks5://proxy");
    assert!(cluster.labels.is_empty());
    let shown = format!("{clusters:?}");
    assert!(!shown.contains("hush") && !shown.contains("KEY"), "{shown}");
}

#[test]
fn the_cluster_in_which_this_runs_needs_no_secret_unless_it_is_switched_off() {
    let local = json!({"server": IN_CLUSTER});
    let named = json!({"name": "in-cluster"});
    let (clusters, _) = Clusters::read([], true);
    assert_eq!(clusters.find(&destination(local.clone())), Ok(&Cluster::in_cluster()));
    assert_eq!(clusters.find(&destination(named.clone())), Ok(&Cluster::in_cluster()));
    let (off, _) = Clusters::read([], false);
    assert!(matches!(off.find(&destination(local.clone())), Err(ClusterError::Disabled { .. })));
    assert!(matches!(off.find(&destination(named.clone())), Err(ClusterError::NoName { .. })));
    let own = secret("own", "cluster", json!({"name": "home", "server": IN_CLUSTER}));
    let (clusters, _) = Clusters::read([&own], true);
    assert_eq!(clusters.list().len(), 1);
    for fields in [local, named, json!({"name": "home"})] {
        assert_eq!(clusters.find(&destination(fields)).expect("home").name, "home");
    }
}

#[test]
fn a_clusters_name_as_server_is_answered_with_the_right_field() {
    let (clusters, _) = Clusters::read([&edge()], true);
    let error = clusters.find(&destination(json!({"server": "edge"}))).expect_err("a slip");
    let text = error.to_string();
    assert!(text.contains("`destination.name`") && text.contains("https://edge:6443"), "{text}");
    let error = clusters.find(&destination(json!({"server": "egde"}))).expect_err("a slip");
    assert!(error.to_string().contains("`destination.name`"), "{error}");
}

#[test]
fn names_must_be_known_and_mean_one_cluster() {
    let of = |name: &str, server: &str| {
        secret(&server[8..], "cluster", json!({"name": name, "server": server}))
    };
    let secrets = [of("x", "https://a"), of("x", "https://b")];
    let (clusters, _) = Clusters::read(&secrets, true);
    let text = |fields: Value| clusters.find(&destination(fields)).expect_err("none").to_string();
    assert_eq!(
        text(json!({"name": "x"})),
        "there are 2 clusters with the same name: [https://a https://b]"
    );
    assert_eq!(text(json!({"name": "y"})), "there are no clusters with this name: y");
    assert!(text(json!({"server": "https://c"})).contains("cluster \"https://c\" not found"));
    assert_eq!(
        text(json!({"server": "https://a", "name": "x"})),
        "application destination can't have both name and server defined: x https://a"
    );
}

#[test]
fn a_broken_secret_spoils_only_its_own_cluster() {
    let bad = secret(
        "bad",
        "cluster",
        json!({"name": "bad", "server": "https://bad", "config": "{\"bearerToken\": 7, \"tlsClientConfig\": {\"caData\": \"?\", \"colour\": 1}}"}),
    );
    let worse = secret(
        "worse",
        "cluster",
        json!({"server": "https://worse", "config": "hush", "shard": "x"}),
    );
    let twin = secret("edge2", "cluster", json!({"server": "https://edge:6443"}));
    let (clusters, problems) = Clusters::read([&bad, &worse, &edge(), &twin], true);
    assert_eq!(
        lines(&problems),
        [
            "`config.tlsClientConfig.colour` in secret argocd/bad is not read",
            "`config.bearerToken` in secret argocd/bad must be a text",
            "`config.tlsClientConfig.caData` in secret argocd/bad must be base64",
            "`shard` in secret argocd/worse must be a whole number",
            "`config` in secret argocd/worse is no JSON (line 1 column 1)",
            "`server` in secret argocd/edge2 has the same server as secret argocd/edge, which holds",
        ]
    );
    let broken = clusters.find(&destination(json!({"name": "bad"})));
    assert!(matches!(broken, Err(ClusterError::Broken { .. })), "{broken:?}");
    assert!(clusters.find(&destination(json!({"name": "edge"}))).is_ok());
}
