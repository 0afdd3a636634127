use std::path::PathBuf;

use super::{Place, RepoUrl, redact};

fn parsed(text: &str) -> RepoUrl {
    RepoUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn ssh(user: &str, host: &str, port: u16, path: &str) -> Place {
    Place::Ssh { user: user.into(), host: host.into(), port, path: path.into() }
}

#[test]
fn every_form_of_url_says_where_the_repository_is() {
    let place = |text: &str| parsed(text).place().clone();
    assert_eq!(place("file:///srv/a%20b/"), Place::File(PathBuf::from("/srv/a b")));
    assert_eq!(place("ssh://git@host/org/repo.git"), ssh("git", "host", 22, "/org/repo.git"));
    assert_eq!(place("ssh://host:2222/~me/repo"), ssh("git", "host", 2222, "~me/repo"));
    assert_eq!(place("git@host:org/repo"), ssh("git", "host", 22, "org/repo"));
    assert_eq!(place("ssh://git@host:org/repo"), ssh("git", "host", 22, "org/repo"));
    assert_eq!(place("me@[::1]:repo"), ssh("me", "::1", 22, "repo"));
    assert_eq!(place("me@[host:2222]:repo"), ssh("me", "host", 2222, "repo"));
    assert_eq!(place("ssh://me@[::1]:2222/repo"), ssh("me", "::1", 2222, "/repo"));
    let Place::Http { url, user } = place(" https://me:p%40ss@Host:443/org/repo.git ") else {
        panic!("an https URL");
    };
    assert_eq!(url.as_str(), "https://host/org/repo.git");
    assert_eq!(user, Some(("me".into(), "p@ss".into())));
}

#[test]
fn what_is_no_url_is_refused_without_showing_a_password() {
    for text in ["", "repo", "ftp://host/repo", "https://", "file://relative", "ssh://host", "a@b"]
    {
        assert!(RepoUrl::parse(text).is_err(), "{text}");
    }
    assert!(RepoUrl::parse("ssh://-oProxyCommand=x/repo").is_err());
    let error = RepoUrl::parse("ftp://me:secret@host/repo").unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
    assert_eq!(redact("https://me:secret@host/r"), "https://host/r");
    assert_eq!(redact("ssh://git@host/r"), "ssh://git@host/r");
}

#[test]
fn spelling_that_means_the_same_has_one_key() {
    assert_eq!(parsed("https://HOST:443/a/b/").key(), parsed("https://host/a/b").key());
    assert_eq!(parsed("https://u:p@host/a/b").key(), parsed("https://host/a/b").key());
    assert_ne!(parsed("https://host/a/B").key(), parsed("https://host/a/b").key());
    assert_ne!(parsed("https://host/a/b").key(), parsed("http://host/a/b").key());
}

#[test]
fn a_submodules_url_may_be_relative_to_its_repository() {
    let joined = |base: &str, url: &str| parsed(base).join(url).map(|u| u.as_written().to_owned());
    let https = "https://host/org/repo.git";
    assert_eq!(joined(https, "../lib.git").unwrap(), "https://host/org/lib.git");
    assert_eq!(joined(https, "./lib.git").unwrap(), "https://host/org/repo.git/lib.git");
    assert_eq!(joined(https, "../../other/lib").unwrap(), "https://host/other/lib");
    assert_eq!(joined(https, "git@else:lib").unwrap(), "git@else:lib");
    assert_eq!(joined("git@host:org/repo", "../lib").unwrap(), "git@host:org/lib");
    assert_eq!(joined("git@host:repo", "../lib").unwrap(), "git@host:lib");
    assert_eq!(joined("file:///srv/git/repo", "../lib").unwrap(), "file:///srv/git/lib");
    assert!(joined("https://host/repo", "../../../lib").is_err());
}

#[test]
fn the_owner_is_the_first_name_of_the_path() {
    assert_eq!(parsed("https://github.com/Org/repo.git").owner().as_deref(), Some("org"));
    assert_eq!(parsed("git@github.com:Org/repo").owner().as_deref(), Some("org"));
    assert_eq!(parsed("https://github.com/repo").owner(), None);
}
