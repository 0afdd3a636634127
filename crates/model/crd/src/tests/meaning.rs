use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Application, ApplicationSource, ApplicationSourceType, ApplicationSpec, Propagation,
    RefreshType, RetryStrategy,
};

fn spec(fields: Value) -> ApplicationSpec {
    serde_json::from_value(fields).expect("a spec")
}

#[test]
fn the_hydrator_wins_over_sources_and_sources_over_source() {
    let mut fields = json!({
        "source": {"repoURL": "one"},
        "sources": [{"repoURL": "two"}, {"repoURL": "three"}],
        "sourceHydrator": {
            "drySource": {"repoURL": "dry", "path": "p", "targetRevision": "HEAD"},
            "syncSource": {"path": "p", "targetBranch": "env/test"},
        },
    });
    let urls = |fields: &Value| -> Vec<String> {
        let spec = spec(fields.clone());
        spec.effective_sources().iter().map(|source| source.repo_url.clone()).collect()
    };
    assert_eq!(urls(&fields), ["dry"]);
    assert!(!spec(fields.clone()).has_multiple_sources());
    fields["sourceHydrator"] = Value::Null;
    assert_eq!(urls(&fields), ["two", "three"]);
    fields["sources"] = json!([]);
    assert_eq!(urls(&fields), ["one"]);
    assert_eq!(urls(&json!({})), Vec::<String>::new());
}

#[test]
fn an_empty_automated_block_syncs_and_prunes_nothing() {
    let automated = spec(json!({"syncPolicy": {"automated": {}}}));
    let automated = automated.automated().expect("switched on");
    assert!(!automated.prunes() && !automated.self_heals() && !automated.allows_empty());
    for off in [json!({}), json!({"syncPolicy": {"automated": {"enabled": false, "prune": true}}})]
    {
        assert!(spec(off).automated().is_none());
    }
}

#[test]
fn waits_grow_from_five_seconds_to_three_minutes() {
    let waits = RetryStrategy::default().waits().expect("defaults");
    let seconds: Vec<u64> = (0..8).map(|retry| waits.wait(retry).as_secs()).collect();
    assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 180, 180]);
    assert_eq!(waits.wait(i64::MAX), Duration::from_secs(180));

    let strategy: RetryStrategy = serde_json::from_value(json!({
        "limit": -1, "backoff": {"duration": "7", "factor": 3, "maxDuration": "1m"},
    }))
    .expect("a strategy");
    let waits = strategy.waits().expect("durations");
    assert_eq!([0, 1, 2].map(|retry| waits.wait(retry).as_secs()), [7, 21, 60]);
    assert_eq!(strategy.retries_max(), None);
    assert_eq!(RetryStrategy::default().retries_max(), Some(0));
    assert_eq!(spec(json!({})).automated_retry().retries_max(), Some(5));
}

#[test]
fn sync_options_are_found_by_name() {
    let spec = spec(json!({"syncPolicy": {"syncOptions": [
        "CreateNamespace=true", "PrunePropagationPolicy=background",
    ]}}));
    assert!(spec.has_sync_option("CreateNamespace=true"));
    assert_eq!(spec.sync_option_value("PrunePropagationPolicy"), Some("background"));
    assert_eq!(spec.sync_option_value("Prune"), None);
}

#[test]
fn any_word_but_hard_asks_for_a_normal_refresh() {
    let mut app = Application::new("argocd", "web");
    assert_eq!(app.refresh_requested(), None);
    for (word, expected) in [("hard", RefreshType::Hard), ("yes", RefreshType::Normal)] {
        app.metadata.annotations.insert(crate::keys::REFRESH.into(), word.into());
        assert_eq!(app.refresh_requested(), Some(expected));
    }
}

#[test]
fn finalizers_say_how_objects_go() {
    let mut app = Application::new("argocd", "web");
    assert_eq!(app.cascade(), None);
    app.metadata.finalizers = vec!["resources-finalizer.argocd.argoproj.io".into()];
    assert_eq!(app.cascade(), Some(Propagation::Foreground));
    app.metadata.finalizers = vec!["resources-finalizer.argocd.argoproj.io/background".into()];
    assert_eq!(app.cascade(), Some(Propagation::Background));
}

#[test]
fn options_of_two_engines_are_refused_and_an_empty_object_asks() {
    let source =
        |fields: Value| -> ApplicationSource { serde_json::from_value(fields).expect("a source") };
    assert_eq!(source(json!({"repoURL": "x"})).explicit_type(), Ok(None));
    assert_eq!(
        source(json!({"repoURL": "x", "directory": {}})).explicit_type(),
        Ok(Some(ApplicationSourceType::Directory))
    );
    assert!(source(json!({"repoURL": "x", "helm": {}, "plugin": {}})).explicit_type().is_err());
}

#[test]
fn absent_and_empty_mean_the_same_but_unknown_fields_count() {
    let source =
        |fields: Value| -> ApplicationSource { serde_json::from_value(fields).expect("a source") };
    let plain = source(json!({"repoURL": "x"}));
    assert_eq!(plain, source(json!({"repoURL": "x", "path": "", "helm": null})));
    assert_ne!(plain, source(json!({"repoURL": "x", "newer": 1})));
}
