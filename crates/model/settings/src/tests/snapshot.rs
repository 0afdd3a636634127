use std::collections::BTreeMap;
use std::time::Duration;

use crd::TrackingMethod;
use serde_json::json;

use super::{lines, yaml};
use crate::{IgnoreStatus, RawSettings, RespectRbac, Settings, mend_project};

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn read(main: &[(&str, &str)], parameters: &[(&str, &str)]) -> (Settings, Vec<String>) {
    let raw =
        RawSettings { main: texts(main), parameters: texts(parameters), ..Default::default() };
    let (settings, problems) = Settings::read(&raw, &yaml);
    (settings, lines(&problems))
}

#[test]
fn nothing_at_all_gives_upstreams_defaults() {
    let settings = Settings::default();
    assert_eq!(settings.tracking.method, TrackingMethod::Annotation);
    assert_eq!(settings.tracking.label, "app.kubernetes.io/instance");
    assert_eq!(settings.reconciliation.every, Some(Duration::from_secs(120)));
    assert_eq!(settings.reconciliation.jitter_max, Duration::from_secs(60));
    assert_eq!(settings.reconciliation.hard_every, None);
    assert_eq!(settings.sync.wave_delay, Duration::ZERO);
    assert_eq!(settings.sync.self_heal.max, Duration::from_secs(300));
    assert_eq!(settings.sync.timeout, None);
    assert_eq!(settings.controller.status_processors, 20);
    assert_eq!(settings.rendering.directory_bytes_max, Some(10_000_000));
    assert_eq!(settings.rendering.value_file_schemes, ["https", "http"]);
    assert_eq!(settings.cluster_client.requests_per_s, None);
    assert!(settings.in_cluster_enabled && settings.rendering.helm && settings.log.json.is_none());
    assert_eq!(settings.resources.compare.ignore_status, IgnoreStatus::All);
    let all = &settings.resources.overrides["*/*"];
    assert_eq!(all.ignore_differences.json_pointers, ["/status"]);
}

#[test]
fn unknown_and_misplaced_keys_are_named_with_the_right_place() {
    let (_, problems) = read(
        &[
            ("timeout.reconcilation", "60s"),
            ("controller.status.processors", "5"),
            ("webhook.github.secret", "x"),
            ("no.such.thing", ""),
        ],
        &[("timeout.reconciliation", "60s")],
    );
    assert_eq!(
        problems,
        [
            "`controller.status.processors` in argocd-cm belongs in argocd-cmd-params-cm; it has no effect here",
            "`no.such.thing` in argocd-cm is no setting",
            "`timeout.reconcilation` in argocd-cm is no setting; did you mean `timeout.reconciliation`?",
            "`webhook.github.secret` in argocd-cm belongs in argocd-secret; it has no effect here",
            "`timeout.reconciliation` in argocd-cmd-params-cm belongs in argocd-cm; it has no effect here",
        ]
    );
}

#[test]
fn a_value_of_the_wrong_kind_leaves_the_default() {
    let (settings, problems) = read(
        &[("timeout.reconciliation", "180"), ("application.resourceTrackingMethod", "both")],
        &[("controller.status.processors", "many"), ("controller.log.level", "debug")],
    );
    assert_eq!(settings.reconciliation.every, Some(Duration::from_secs(120)));
    assert_eq!(settings.tracking.method, TrackingMethod::Annotation);
    assert_eq!(settings.controller.status_processors, 20);
    assert_eq!(settings.log.level, Some("debug"));
    assert_eq!(
        problems,
        [
            "`application.resourceTrackingMethod` in argocd-cm is not of the kind \"\" or annotation or label or annotation+label; `annotation` holds",
            "`timeout.reconciliation` in argocd-cm is not of the kind duration; `120s` holds",
            "`controller.status.processors` in argocd-cmd-params-cm is not of the kind integer; `20` holds",
        ]
    );
}

#[test]
fn what_is_not_built_yet_says_so_unless_it_says_nothing() {
    let (_, problems) = read(&[("oidc.config", "{}"), ("admin.enabled", "true"), ("url", "")], &[]);
    assert_eq!(problems, ["`oidc.config` in argocd-cm is not built yet and has no effect"]);
}

#[test]
fn the_environment_wins_over_the_config_map() {
    let mut raw = RawSettings {
        parameters: texts(&[("controller.sync.wave.delay.seconds", "7")]),
        environment: texts(&[("ARGOCD_SYNC_WAVE_DELAY", "1"), ("PATH", "/bin")]),
        ..Default::default()
    };
    let delay = |raw: &RawSettings| Settings::read(raw, &yaml).0.sync.wave_delay;
    assert_eq!(delay(&raw), Duration::from_secs(1));
    raw.environment.insert("ARGOCD_SYNC_WAVE_DELAY".into(), "soon".into());
    let (settings, problems) = Settings::read(&raw, &yaml);
    assert_eq!(settings.sync.wave_delay, Duration::from_secs(7));
    assert_eq!(
        lines(&problems),
        ["`ARGOCD_SYNC_WAVE_DELAY` in environment is not of the kind integer; `0` holds"]
    );
}

#[test]
fn customizations_are_read_from_one_key_and_from_many() {
    let (settings, problems) = read(
        &[
            (
                "resource.customizations",
                r#"{"apps/Deployment": {"ignoreDifferences": "{\"jsonPointers\": [\"/a\"]}", "health.lua": "return {}"}}"#,
            ),
            (
                "resource.customizations.ignoreDifferences.apps_Deployment",
                r#"{"jsonPointers": ["/b"]}"#,
            ),
            (
                "resource.customizations.ignoreDifferences.all",
                r#"{"managedFieldsManagers": ["hpa"]}"#,
            ),
            (
                "resource.customizations.ignoreResourceUpdates.ConfigMap",
                r#"{"jqPathExpressions": [".data"]}"#,
            ),
            ("resource.compareoptions", r#"{"ignoreResourceStatusField": "crd"}"#),
        ],
        &[],
    );
    assert_eq!(problems, Vec::<String>::new());
    let overrides = &settings.resources.overrides;
    assert_eq!(overrides["apps/Deployment"].ignore_differences.json_pointers, ["/b"]);
    assert_eq!(overrides["apps/Deployment"].health_lua, "return {}");
    assert_eq!(overrides["*/*"].ignore_differences.managed_fields_managers, ["hpa"]);
    assert_eq!(overrides["*/*"].ignore_differences.json_pointers, Vec::<String>::new());
    let crd_kind = "apiextensions.k8s.io/CustomResourceDefinition";
    assert_eq!(overrides[crd_kind].ignore_differences.json_pointers, ["/status"]);
    let updates = settings.resources.ignored_updates();
    assert_eq!(updates["ConfigMap"].jq_path_expressions, [".data"]);
    assert_eq!(
        updates["*/*"].json_pointers,
        ["/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields"]
    );
    assert_eq!(updates["apps/Deployment"].json_pointers, ["/b"]);
}

#[test]
fn compare_options_name_what_they_do_not_know() {
    let text = r#"{"ignoreAggregatedRoles": true, "ignoreResourceStatusField": false, "ignoreEverything": 1}"#;
    let (settings, problems) = read(&[("resource.compareoptions", text)], &[]);
    assert!(settings.resources.compare.ignore_aggregated_roles);
    assert_eq!(settings.resources.compare.ignore_status, IgnoreStatus::None);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("`ignoreEverything` is no option"), "{problems:?}");
}

#[test]
fn exclusions_win_over_inclusions_and_inclusions_shut_out_the_rest() {
    let (settings, _) = read(
        &[
            (
                "resource.exclusions",
                r#"[{"apiGroups": ["cilium.io"], "kinds": ["CiliumIdentity"]}]"#,
            ),
            (
                "resource.inclusions",
                r#"[{"apiGroups": ["*"], "kinds": ["*"], "clusters": ["https://a"]}, {"apiGroups": ["apps"], "clusters": ["https://b"]}]"#,
            ),
            ("resource.respectRBAC", "strict"),
        ],
        &[],
    );
    let glob = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    let excludes =
        |group, kind, server| settings.resources.filter.excludes(group, kind, server, glob);
    assert!(excludes("", "Event", "https://a"));
    assert!(excludes("coordination.k8s.io", "Lease", "https://c"));
    assert!(excludes("cilium.io", "CiliumIdentity", "https://a"));
    assert!(!excludes("cilium.io", "CiliumNode", "https://a"));
    assert!(!excludes("apps", "Deployment", "https://b"));
    assert!(excludes("", "ConfigMap", "https://b"));
    assert!(!excludes("", "ConfigMap", "https://c"));
    assert_eq!(settings.resources.respect_rbac, RespectRbac::Strict);
}

#[test]
fn accounts_can_what_their_keys_say() {
    let (settings, problems) = read(
        &[
            ("accounts.alice", "login, apiKey"),
            ("accounts.bob", "fly"),
            ("accounts.bob.enabled", "false"),
            ("admin.enabled", "false"),
        ],
        &[],
    );
    let alice = settings.accounts["alice"];
    assert!(alice.enabled && alice.login && alice.api_key);
    assert!(!settings.accounts["bob"].enabled && !settings.accounts["admin"].enabled);
    assert!(problems.iter().any(|line| line.contains("accounts cannot do")), "{problems:?}");
}

#[test]
fn global_projects_name_a_project_and_labels() {
    let text = r#"[{"projectName": "base", "labelSelector": {"matchLabels": {"tier": "x"}}}]"#;
    let (settings, problems) = read(&[("globalProjects", text)], &[]);
    assert_eq!(settings.global_projects[0].project_name, "base");
    assert_eq!(settings.global_projects[0].label_selector.match_labels["tier"], "x");
    assert_eq!(problems, Vec::<String>::new());
    let (settings, problems) = read(&[("globalProjects", r#"{"projectName": "x"}"#)], &[]);
    assert!(settings.global_projects.is_empty() && problems.len() == 1);
}

#[test]
fn blanks_around_source_patterns_are_taken_away_with_a_word() {
    let mut project: crd::AppProject = serde_json::from_value(json!({
        "metadata": {"name": "shop"},
        "spec": {"sourceRepos": ["https://a ", "! https://b", "*"]},
    }))
    .expect("a project");
    let problems = mend_project(&mut project);
    assert_eq!(project.spec.source_repos, ["https://a", "!https://b", "*"]);
    assert_eq!(
        lines(&problems),
        [
            "`spec.sourceRepos[0]` in project shop has blanks around its pattern; `https://a` holds",
            "`spec.sourceRepos[1]` in project shop has blanks around its pattern; `!https://b` holds",
        ]
    );
}

#[test]
fn an_installation_begins_with_settings_that_have_no_fault() {
    let mut raw = RawSettings::default();
    let objects = crate::initial_objects("argocd");
    for object in &objects {
        assert_eq!(manifest::namespace(object), "argocd");
        raw.take(object);
    }
    assert_eq!(objects.len(), 8);
    // The YAML itself is read by whoever has a reader; here its keys and its hosts count.
    let (settings, problems) = Settings::read(&raw, &|_| Ok(serde_json::Value::Null));
    assert_eq!(lines(&problems), Vec::<String>::new());
    assert!(settings.trust.ssh_known_hosts.contains("github.com ssh-ed25519 "));
    assert!(raw.main.contains_key("resource.exclusions"));
}

#[test]
fn certificates_are_found_by_host_without_its_port() {
    let raw = RawSettings {
        tls_certs: texts(&[("git.example.com", "PEM"), ("fe80::1", "PEM6"), ("empty", "")]),
        ssh_known_hosts: texts(&[("known_hosts", "x")]),
        ..Default::default()
    };
    let (settings, problems) = Settings::read(&raw, &yaml);
    let of = |host: &str| settings.trust.certificates_of(host);
    assert_eq!(of("git.example.com:8443"), Some("PEM"));
    assert_eq!(of("git.example.com"), Some("PEM"));
    assert_eq!(of("[fe80::1]:443"), Some("PEM6"));
    assert_eq!((of("empty"), of("other")), (None, None));
    assert_eq!(
        lines(&problems),
        [
            "`known_hosts` in argocd-ssh-known-hosts-cm is no setting; did you mean `ssh_known_hosts`?"
        ]
    );
}
