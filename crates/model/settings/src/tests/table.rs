use std::collections::BTreeSet;

use serde_json::Value;

use super::yaml;
use crate::{Kind, Place, RawSettings, State, keys};

#[test]
fn every_default_is_of_its_kind() {
    for key in keys::all().filter(|key| !key.default.is_empty() && key.kind != Kind::Yaml) {
        let mut raw = RawSettings::default();
        let stored = match key.place {
            Place::Main => &mut raw.main,
            Place::Parameters => &mut raw.parameters,
            Place::Rbac => &mut raw.rbac,
            Place::Environment => &mut raw.environment,
            Place::Secret => continue,
        };
        let name = key.name.replace(['<', '>'], "");
        stored.insert(name, key.default.to_owned());
        assert_eq!(raw.problems(&yaml), [], "{}", key.name);
    }
}

#[test]
fn every_key_stands_once_and_says_what_it_does() {
    let mut seen = BTreeSet::new();
    for key in keys::all() {
        assert!(seen.insert((key.place, key.name)), "{} stands twice", key.name);
        assert!(key.doc.ends_with('.'), "{}: {}", key.name, key.doc);
        for variable in key.env {
            let named =
                variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            assert!(named, "{variable}");
        }
    }
}

#[test]
fn a_pattern_takes_any_text_and_the_longer_one_wins() {
    let found = |name: &str| keys::find(Place::Main, name).map(|key| key.name);
    assert_eq!(found("accounts.alice"), Some("accounts.<name>"));
    assert_eq!(found("accounts.alice.enabled"), Some("accounts.<name>.enabled"));
    assert_eq!(found("accounts."), None);
    assert_eq!(
        found("resource.customizations.health.cert-manager.io_Certificate"),
        Some("resource.customizations.health.<group_kind>")
    );
    assert_eq!(found("resource.customizations.helth.x_Y"), None);
    assert_eq!(
        keys::find(Place::Rbac, "policy.team.csv").map(|key| key.name),
        Some("policy.<name>.csv")
    );
}

#[test]
fn a_misspelt_key_is_named_with_the_one_that_is_meant() {
    let nearest = |name: &str| keys::nearest(Place::Main, name).map(|key| key.name);
    assert_eq!(nearest("timeout.reconcilation"), Some("timeout.reconciliation"));
    assert_eq!(nearest("resource.compareOptions"), Some("resource.compareoptions"));
    assert_eq!(nearest("something.else.entirely"), None);
    assert_eq!(nearest("x"), None);
}

#[test]
fn the_page_names_every_key() {
    let page = crate::docs_page();
    for key in keys::all() {
        assert!(page.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
    let later = keys::all().filter(|key| key.state == State::NotBuiltYet).count();
    assert_eq!(page.matches("*Not built yet.*").count(), later);
}

#[test]
fn yaml_that_is_none_is_named_and_secret_values_are_not_shown() {
    let mut raw = RawSettings::default();
    raw.take(&serde_json::json!({
        "kind": "Secret",
        "metadata": {"name": "argocd-secret"},
        "stringData": {"server.secretkey": "hush", "dex.github.clientSecret": "hush"},
    }));
    raw.main.insert("resource.exclusions".into(), "- [hush".into());
    let problems = super::lines(&raw.problems(&yaml));
    assert_eq!(
        problems,
        ["`resource.exclusions` in argocd-cm is not of the kind YAML; it is passed over"]
    );
    assert!(!format!("{raw:?}").replace("- [hush", "").contains("hush"));
    assert!(!raw.take(&Value::Null));
}
