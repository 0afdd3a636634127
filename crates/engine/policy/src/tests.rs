use crd::{AppProject, Application, ApplicationDestination};
use manifest::GroupKind;
use serde_json::{Value, json};

use crate::{Cluster, Project, SyncAsked, check, not_built, resolve, windows_permit};

fn project(spec: Value) -> Project {
    Project::new(&raw(spec), &[])
}

fn raw(spec: Value) -> AppProject {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a project")
}

fn cluster(name: &str, server: &str) -> Cluster {
    Cluster { server: server.into(), name: name.into(), project: String::new() }
}

#[test]
fn sources_are_globs_over_normalised_urls_and_one_denial_is_enough() {
    for (patterns, url, permitted) in [
        (json!(["*"]), "https://example.com/a/b.git", true),
        (json!([]), "https://example.com/a", false),
        (json!(["https://example.com/a.git"]), "https://EXAMPLE.com/a", true),
        (json!(["git@example.com:org/a"]), "ssh://git@example.com/org/a.git", true),
        (json!(["https://example.com/*"]), "https://example.com/a/b", false),
        (json!(["https://example.com/**"]), "https://example.com/a/b", true),
        (json!(["https://example.com/{a,b}"]), "https://example.com/b", false),
        (json!(["*", "!https://example.com/secret"]), "https://example.com/secret.git", false),
        (json!(["!https://example.com/secret"]), "https://example.com/other", true),
        (json!([" https://example.com/a "]), "https://example.com/a", true),
        (json!(["! https://example.com/a", "*"]), "https://example.com/a", false),
    ] {
        let asked = project(json!({"sourceRepos": patterns}));
        assert_eq!(asked.permits_source(url), permitted, "{patterns} {url}");
    }
}

#[test]
fn blanks_around_a_source_pattern_are_warned_about() {
    assert_eq!(
        project(json!({"sourceRepos": ["https://a ", "https://b"]})).warnings(),
        [
            "project 'p': sourceRepos pattern \"https://a \" has blanks around it, which are ignored: write \"https://a\""
        ]
    );
}

#[test]
fn a_destination_needs_one_permission_and_no_denial() {
    let prod = cluster("prod", "https://10.0.0.1");
    for (destinations, namespace, permitted) in [
        (json!([]), "shop", false),
        (json!([{"server": "*", "namespace": "*"}]), "shop", true),
        (json!([{"name": "prod", "namespace": "shop"}]), "shop", true),
        (json!([{"name": "dev", "namespace": "shop"}]), "shop", false),
        (json!([{"server": "https://10.*", "namespace": "sh*"}]), "shop", true),
        (
            json!([{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-*"}]),
            "kube-system",
            false,
        ),
        (
            json!([{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-*"}]),
            "shop",
            true,
        ),
        (
            json!([{"server": "!https://10.0.0.1", "namespace": "*"}, {"server": "*", "namespace": "*"}]),
            "shop",
            false,
        ),
        (json!([{"server": "*", "namespace": ""}]), "shop", false),
    ] {
        let asked = project(json!({"destinations": destinations}));
        assert_eq!(
            asked.permits_destination(&prod, namespace),
            permitted,
            "{destinations} {namespace}"
        );
    }
}

#[test]
fn only_clusters_of_the_project_count_where_it_says_so() {
    let rules = json!({
        "destinations": [{"server": "*", "namespace": "*"}],
        "permitOnlyProjectScopedClusters": true,
    });
    let mut prod = cluster("prod", "https://10.0.0.1");
    assert!(!project(rules.clone()).permits_destination(&prod, "shop"));
    prod.project = "p".into();
    assert!(project(rules).permits_destination(&prod, "shop"));
}

#[test]
fn kinds_are_allowed_and_denied_by_scope() {
    let secret = GroupKind::new("", "Secret");
    let role = GroupKind::new("rbac.authorization.k8s.io", "ClusterRole");
    let open = project(json!({}));
    assert!(open.permits_kind(&secret, "a", true), "namespaced kinds: all, where nothing is said");
    assert!(!open.permits_kind(&role, "a", false), "cluster kinds: none, where nothing is said");
    let none = project(json!({"namespaceResourceWhitelist": []}));
    assert!(!none.permits_kind(&secret, "a", true), "an empty list allows nothing");
    let denied = project(json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Sec*"}]}));
    assert!(!denied.permits_kind(&secret, "a", true));
    let named = project(json!({
        "clusterResourceWhitelist": [{"group": "*", "kind": "*", "name": "team-*"}],
        "clusterResourceBlacklist": [{"group": "*", "kind": "ClusterRole", "name": "team-x"}],
    }));
    assert!(named.permits_kind(&role, "team-a", false));
    assert!(!named.permits_kind(&role, "team-x", false), "the blacklist wins");
    assert!(!named.permits_kind(&role, "other", false));
}

#[test]
fn a_write_is_refused_in_upstreams_words() {
    let rules = project(json!({
        "destinations": [{"server": "*", "namespace": "shop"}],
        "namespaceResourceBlacklist": [{"group": "apps", "kind": "Deployment"}],
    }));
    let prod = cluster("prod", "https://10.0.0.1");
    let deployment = GroupKind::new("apps", "Deployment");
    let map = GroupKind::new("", "ConfigMap");
    let ask = |kind: &GroupKind, namespace: &str| {
        rules.check_write(&prod, kind, "a", namespace, true).err().unwrap_or_default()
    };
    assert_eq!(ask(&deployment, "shop"), "resource apps:Deployment is not permitted in project p");
    assert_eq!(ask(&map, "other"), "namespace other is not permitted in project 'p'");
    assert_eq!(ask(&map, "shop"), "");
}

#[test]
fn namespaces_of_applications_are_globs_or_regular_expressions() {
    let rules = project(json!({"sourceNamespaces": ["team-*", "/^x[0-9]$/"]}));
    for (namespace, permitted) in
        [("argocd", true), ("team-a", true), ("x1", true), ("x12", false), ("other", false)]
    {
        assert_eq!(rules.permits_namespace(namespace, "argocd"), permitted, "{namespace}");
    }
}

#[test]
fn a_global_project_gives_its_lists() {
    let mine = raw(json!({"namespaceResourceWhitelist": [{"group": "", "kind": "ConfigMap"}]}));
    let global = raw(json!({
        "sourceRepos": ["https://a"],
        "namespaceResourceWhitelist": [{"group": "", "kind": "Secret"}],
        "namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}],
    }));
    let rules = Project::new(&mine, &[&global]);
    assert!(rules.permits_source("https://a"));
    assert!(rules.permits_kind(&GroupKind::new("", "Secret"), "a", true));
    assert!(!rules.permits_kind(&GroupKind::new("", "ConfigMap"), "a", true));
}

#[test]
fn a_destination_is_found_by_url_or_by_name() {
    let known = [cluster("a", "https://1"), cluster("b", "https://2"), cluster("b", "https://3")];
    let ask = |server: &str, name: &str| {
        let destination = ApplicationDestination {
            server: server.into(),
            name: name.into(),
            ..ApplicationDestination::default()
        };
        match resolve(&destination, &known) {
            Ok(found) => found.server.clone(),
            Err(words) => words,
        }
    };
    assert_eq!(ask("https://1/", ""), "https://1");
    assert_eq!(ask("", "a"), "https://1");
    assert_eq!(ask("", "b"), "there are 2 clusters with the same name: [https://2 https://3]");
    assert_eq!(ask("", "c"), "there are no clusters with this name: c");
    assert_eq!(ask("", ""), "Destination server missing from app spec");
    assert!(
        ask("a", "").ends_with("set destination.name to \"a\" and leave destination.server out")
    );
}

#[test]
fn an_incomplete_source_is_said_before_anything_else() {
    let application: Application = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"project": "p", "source": {"repoURL": "https://a"}, "destination": {"server": "x"}},
    }))
    .expect("an Application");
    assert_eq!(
        check(&application.spec, &project(json!({})), &[]),
        ["spec.source.repoURL and either spec.source.path or spec.source.chart are required"]
    );
}

#[test]
fn verified_sources_are_demanded_only_where_a_policy_names_the_repository() {
    let application: Application = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"project": "p", "source": {"repoURL": "https://a/b", "path": "x"}, "destination": {}},
    }))
    .expect("an Application");
    let with = |url: &str, mode: &str| {
        let spec = json!({"sourceIntegrity": {"git": {"policies": [
            {"repos": [{"url": url}], "gpg": {"mode": mode, "keys": []}}
        ]}}});
        not_built(&application, &raw(spec)).len()
    };
    assert_eq!(with("https://a/*", "head"), 1);
    assert_eq!(with("https://other/*", "head"), 0);
    assert_eq!(with("https://a/*", "none"), 0);
}

#[test]
fn windows_open_by_schedule_and_zone_and_deny_wins() {
    let application: Application = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"project": "p", "destination": {"name": "prod", "namespace": "shop"}},
    }))
    .expect("an Application");
    // A Thursday.
    let noon = "2026-01-01T12:00:00Z";
    let window = |kind: &str, schedule: &str, duration: &str, more: Value| {
        let mut window = json!({
            "kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"],
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            window[key] = value.clone();
        }
        window
    };
    let ask = |windows: Value, now: &str, manual: bool| {
        let windows: Vec<crd::SyncWindow> = serde_json::from_value(windows).expect("windows");
        let asked = SyncAsked { manual, began: None };
        windows_permit(&windows, &application, asked, now.parse().expect("a time"))
    };
    let none = json!({});
    assert_eq!(ask(json!([]), noon, false), Ok(true));
    let deny = |schedule: &str| json!([window("deny", schedule, "1h", none.clone())]);
    assert_eq!(ask(deny("30 11 * * *"), noon, false), Ok(false));
    assert_eq!(ask(deny("0 11 * * *"), noon, false), Ok(true), "it ended just now");
    assert_eq!(ask(deny("0 12 * * *"), noon, false), Ok(true), "it begins just now");
    assert_eq!(ask(deny("*/10 11 * * thu"), noon, false), Ok(false));
    assert_eq!(ask(deny("*/10 11 * * 1-3"), noon, false), Ok(true));
    assert_eq!(ask(deny("30 11 2 * thu"), noon, false), Ok(false), "one of the days is enough");
    assert_eq!(ask(deny("30 11 */2 * mon"), noon, false), Ok(false), "every other day is no star");
    let allow = json!([window("allow", "0 2 * * *", "1h", none.clone())]);
    assert_eq!(ask(allow.clone(), noon, false), Ok(false), "outside of what is allowed");
    assert_eq!(ask(allow, "2026-01-01T02:30:00Z", false), Ok(true));
    let zoned = json!([window("allow", "30 12 * * *", "1h", json!({"timeZone": "Europe/Berlin"}))]);
    assert_eq!(ask(zoned, noon, false), Ok(true), "12:00 UTC is 13:00 in Berlin");
    let by_hand = json!([window("deny", "30 11 * * *", "1h", json!({"manualSync": true}))]);
    assert_eq!(ask(by_hand.clone(), noon, false), Ok(false));
    assert_eq!(ask(by_hand, noon, true), Ok(true));
    let other = json!([window("deny", "30 11 * * *", "1h", json!({"applications": ["api-*"]}))]);
    assert_eq!(ask(other, noon, false), Ok(true), "another application's");
    let both = json!({"andOperator": true, "namespaces": ["other"]});
    assert_eq!(ask(json!([window("deny", "30 11 * * *", "1h", both)]), noon, false), Ok(true));
    assert!(ask(deny("never"), noon, false).is_err());
}
