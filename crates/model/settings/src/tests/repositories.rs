use serde_json::json;

use super::{lines, secret};
use crate::{
    Repositories, RepositoryType, cluster_secret_name, repo_creds_secret_name,
    repository_secret_name,
};

#[test]
fn credentials_come_from_the_longest_prefix_where_a_repository_has_none() {
    let secrets = [
        secret(
            "a",
            "repo-creds",
            json!({"url": "https://git.example.com", "username": "u1", "password": "p1"}),
        ),
        secret(
            "b",
            "repo-creds",
            json!({"url": "https://git.example.com/team", "username": "u2", "password": "p2", "proxy": "http://proxy"}),
        ),
        secret(
            "c",
            "repository",
            json!({"url": "https://git.example.com/team/app.git", "insecure": "true"}),
        ),
        secret(
            "d",
            "repository",
            json!({"url": "https://git.example.com/team/own", "username": "u3", "password": "p3"}),
        ),
    ];
    let (repositories, problems) = Repositories::read(&secrets);
    assert_eq!(lines(&problems), Vec::<String>::new());
    let user = |url: &str| {
        let repository = repositories.find(url, "default").expect("sound");
        (repository.credentials.username.expose().to_owned(), repository.inherited_credentials)
    };
    assert_eq!(user("https://git.example.com/Team/app"), ("u2".to_owned(), true));
    assert_eq!(user("https://git.example.com/team/own.git"), ("u3".to_owned(), false));
    assert_eq!(user("https://git.example.com/other/app"), ("u1".to_owned(), true));
    assert_eq!(user("https://elsewhere.example.com/app"), (String::new(), false));
    let app = repositories.find("https://git.example.com/team/app", "").expect("sound");
    assert!(app.insecure);
    assert_eq!(app.proxy, "http://proxy");
    assert_eq!(app.secret, "argocd/c");
    assert!(!format!("{repositories:?}").contains("p2"));
}

#[test]
fn a_projects_own_repository_wins_over_one_for_all() {
    let url = "git@github.com:org/repo.git";
    let of = |name: &str, project: &str| {
        secret(name, "repository", json!({"url": url, "project": project, "username": name}))
    };
    let (repositories, _) = Repositories::read(&[of("all", ""), of("shop", "shop")]);
    let user = |project: &str| {
        let repository =
            repositories.find("ssh://git@github.com/org/repo", project).expect("sound");
        repository.credentials.username.expose().to_owned()
    };
    assert_eq!(user("shop"), "shop");
    assert_eq!(user("bank"), "all");
}

#[test]
fn a_broken_secret_spoils_only_its_own_repository() {
    let secrets = [
        secret(
            "good",
            "repository",
            json!({"url": "https://a/x", "type": "helm", "enableOCI": "true", "depth": "1"}),
        ),
        secret(
            "bad",
            "repository",
            json!({"url": "https://a/y", "insecure": "yes", "githubAppID": "x"}),
        ),
        secret(
            "typo",
            "repository",
            json!({"url": "https://a/z", "sshprivatekey": "hush", "colour": "red"}),
        ),
        secret("w", "repository-write", json!({"url": "https://a/x", "username": "writer"})),
    ];
    let (repositories, problems) = Repositories::read(&secrets);
    assert_eq!(
        lines(&problems),
        [
            "`insecure` in secret argocd/bad must be `true` or `false`",
            "`githubAppID` in secret argocd/bad must be a whole number",
            "`colour` in secret argocd/typo is not read",
            "`sshprivatekey` in secret argocd/typo is not read; `sshPrivateKey` is meant",
        ]
    );
    let good = repositories.find("https://a/x", "").expect("sound");
    assert_eq!(good.repository_type, Some(RepositoryType::Helm));
    assert!(good.oci && good.depth == Some(1) && good.credentials.username.is_empty());
    assert!(repositories.find("https://a/y", "").is_err());
    assert_eq!(repositories.list().count(), 3);
    let write = repositories.find_for_writing("https://a/x", "").expect("sound");
    assert_eq!(write.credentials.username.expose(), "writer");
}

#[test]
fn data_is_base64() {
    let repository = json!({
        "metadata": {"name": "r", "namespace": "argocd", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "data": {"url": "aHR0cHM6Ly9hL3g=", "password": "aHVzaA=="},
    });
    let (repositories, _) = Repositories::read([&repository]);
    let found = repositories.find("https://a/x", "").expect("sound");
    assert_eq!(found.credentials.password.expose(), "hush");
}

#[test]
fn secrets_are_named_as_upstream_names_them() {
    // FNV-1a of "a" and of "foobar" are published test values.
    assert_eq!(repository_secret_name("foo", "bar"), format!("repo-{}", 0xbf9c_f968_u32));
    assert_eq!(repo_creds_secret_name("a"), format!("creds-{}", 0xe40c_292c_u32));
    let name = cluster_secret_name("https://Example.com:6443").expect("a host");
    assert!(name.starts_with("cluster-example.com-"), "{name}");
    let name = cluster_secret_name("https://[fe80::1]:6443/x").expect("a host");
    assert!(name.starts_with("cluster-fe80--1-"), "{name}");
    assert_eq!(cluster_secret_name("edge"), None);
}
