use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Application, BadDestination, DestinationCluster, TrackingId, format_go_duration, is_ssh_url,
    label_value, normalize_repo_url, parse_duration_or_seconds, parse_go_duration, same_repo_url,
};

#[test]
fn urls_of_one_repository_become_one_text() {
    for (url, expected) in [
        ("https://github.com/Org/Repo.git", "https://github.com/org/repo"),
        (" https://GitHub.com/org/repo ", "https://github.com/org/repo"),
        ("git@github.com:Org/Repo.git", "git@github.com/org/repo"),
        ("ssh://git@github.com/org/repo.git", "git@github.com/org/repo"),
        ("ssh://git@github.com:22/org/repo", "git@github.com:22/org/repo"),
        ("git@ssh.dev.azure.com:v3/org/project/repo", "git@ssh.dev.azure.com/v3/org/project/repo"),
        ("https://user@example.com/a b.git", "https://user@example.com/a%20b"),
        ("https://example.com/a%20b/", "https://example.com/a%20b/"),
        ("file:///srv/Git/repo", "file:///srv/git/repo"),
        ("oci://registry.example.com/org/chart", "oci://registry.example.com/org/chart"),
        ("*", "*"),
        ("!https://github.com/org/*", "!https://github.com/org/*"),
        ("https://example.com:port/x.git", "https://example.com:port/x.git"),
        ("https://example.com/%zz", "https://example.com/%zz"),
        ("", ""),
    ] {
        assert_eq!(normalize_repo_url(url), expected, "{url}");
    }
    assert!(same_repo_url("git@github.com:a/b.git", "ssh://git@github.com/a/b"));
    assert!(!same_repo_url("", ""));
    assert!(is_ssh_url("ssh://git@host:2222/x") && !is_ssh_url("https://user@host/x"));
}

#[test]
fn a_tracking_id_is_read_as_it_is_printed() {
    for text in ["web:apps/Deployment:shop/web", "a_b:/ConfigMap:shop/x", "r:rbac/Role:/system:x"] {
        let id: TrackingId = text.parse().expect(text);
        assert_eq!(id.to_string(), text);
    }
    for text in ["", "web", "web:apps:shop/web", "web:a/b/c:shop/web", "web:a/b:shop/web/x"] {
        assert!(text.parse::<TrackingId>().is_err(), "{text}");
    }
}

#[test]
fn a_label_ends_in_a_letter_within_63_bytes() {
    assert_eq!(label_value("web"), Some("web"));
    let long = format!("{}--{}", "a".repeat(61), "b".repeat(9));
    assert_eq!(label_value(&long), Some("a".repeat(61).as_str()));
    assert_eq!(label_value(&"-".repeat(70)), None);
}

#[test]
fn durations_read_as_in_go() {
    let ms = Duration::from_millis;
    for (text, expected) in [
        ("5s", Some(ms(5_000))),
        ("1h30m", Some(ms(5_400_000))),
        ("1.5s", Some(ms(1_500))),
        (".5m", Some(ms(30_000))),
        ("100ms", Some(ms(100))),
        ("0", Some(ms(0))),
        ("-3s", Some(ms(0))),
        ("3", None),
        ("", None),
        ("3 s", None),
        ("1d", None),
        (".s", None),
        ("9999999999h", None),
    ] {
        assert_eq!(parse_go_duration(text).ok(), expected, "{text}");
    }
    assert_eq!(parse_duration_or_seconds("90"), Ok(ms(90_000)));
    for text in ["1h0m0s", "3m0s", "5s", "1.5s", "100ms", "1.5µs", "0s", "24h0m0s"] {
        assert_eq!(format_go_duration(parse_go_duration(text).expect(text)), text);
    }
}

#[test]
fn a_destination_names_one_cluster_and_a_name_is_no_server() {
    let destination = |fields: Value| -> crate::ApplicationDestination {
        serde_json::from_value(fields).expect("a destination")
    };
    let server = "https://kubernetes.default.svc";
    assert_eq!(
        destination(json!({"server": format!("{server}/")})).cluster(),
        Ok(DestinationCluster::Server(server))
    );
    assert_eq!(
        destination(json!({"name": "edge"})).cluster(),
        Ok(DestinationCluster::Name("edge"))
    );
    assert_eq!(destination(json!({})).cluster(), Err(BadDestination::Missing));
    let slip = destination(json!({"server": "in-cluster"})).cluster().expect_err("a name");
    assert!(slip.to_string().contains("destination.name"), "{slip}");
    assert!(matches!(
        destination(json!({"server": server, "name": "x"})).cluster(),
        Err(BadDestination::Both { .. })
    ));
}

#[test]
fn an_application_is_called_with_its_namespace_outside_the_control_plane() {
    let app = Application::new("team", "web");
    assert_eq!(app.instance_name("argocd"), "team_web");
    assert_eq!(app.instance_name("team"), "web");
    assert_eq!(app.qualified_name(), "team/web");
}
