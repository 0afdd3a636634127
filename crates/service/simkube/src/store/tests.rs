use serde_json::{Value, json};

use super::*;

fn draft(name: &str, text: &str) -> Draft {
    Draft::new(&json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"a": "b"}},
        "data": {"text": text},
    }))
}

fn table() -> TableId {
    Arc::from("/configmaps")
}

fn names(page: &Page) -> Vec<&str> {
    page.entries.iter().map(|(key, _)| &**key).collect()
}

#[test]
fn an_object_is_read_back_with_the_revision_of_its_write() {
    let store = Store::in_memory(Limits::default());
    let entry = store.commit(&table(), "ns/a", Expect::Absent, draft("a", "1")).unwrap();
    let object: Value = store.get("/configmaps", "ns/a").unwrap().value();
    assert_eq!(object["metadata"]["resourceVersion"], entry.revision.to_string());
    assert_eq!(object["data"]["text"], "1");
    assert!(entry.raw.starts_with(&prefix("ConfigMap", "v1")));
}

#[test]
fn a_write_that_another_overtook_is_a_conflict() {
    let store = Store::in_memory(Limits::default());
    let first = store.commit(&table(), "ns/a", Expect::Absent, draft("a", "1")).unwrap();
    let again = store.commit(&table(), "ns/a", Expect::Absent, draft("a", "2"));
    assert!(matches!(again, Err(CommitError::Conflict)));
    let at = Expect::Revision(first.revision);
    store.commit(&table(), "ns/a", at, draft("a", "2")).unwrap();
    assert!(matches!(
        store.commit(&table(), "ns/a", at, draft("a", "3")),
        Err(CommitError::Conflict)
    ));
    assert!(matches!(
        store.remove_as(&table(), "ns/a", first.revision, draft("a", "2")),
        Err(CommitError::Conflict)
    ));
}

#[test]
fn a_list_at_an_earlier_revision_takes_later_events_back() {
    let store = Store::in_memory(Limits::default());
    for name in ["a", "b", "c"] {
        store.commit(&table(), &format!("ns/{name}"), Expect::Absent, draft(name, "1")).unwrap();
    }
    let then = store.revision();
    let b = store.get("/configmaps", "ns/b").unwrap();
    store.remove_as(&table(), "ns/b", b.revision, draft("b", "1")).unwrap();
    store.commit(&table(), "ns/d", Expect::Absent, draft("d", "1")).unwrap();
    let a = store.get("/configmaps", "ns/a").unwrap();
    store.commit(&table(), "ns/a", Expect::Revision(a.revision), draft("a", "2")).unwrap();

    let page = store.list("/configmaps", "ns/", None, 0, Some(then)).unwrap();
    assert_eq!(names(&page), ["ns/a", "ns/b", "ns/c"]);
    assert_eq!(page.entries[0].1.value()["data"]["text"], "1");
    let rest = store.list("/configmaps", "ns/", Some("ns/a"), 1, Some(then)).unwrap();
    assert_eq!((names(&rest), rest.remaining), (vec!["ns/b"], 1));
    let now = store.list("/configmaps", "ns/", None, 0, None).unwrap();
    assert_eq!(names(&now), ["ns/a", "ns/c", "ns/d"]);
}

#[test]
fn the_ring_lets_go_by_count_and_then_says_so() {
    let limits = Limits { ring_events_max: 3, ..Limits::default() };
    let store = Store::in_memory(limits);
    for name in ["a", "b", "c", "d", "e"] {
        store.commit(&table(), name, Expect::Absent, draft(name, "1")).unwrap();
    }
    let newest = store.revision();
    assert!(store.events_after("/configmaps", newest - 4, 10).is_err());
    let (events, complete_to) = store.events_after("/configmaps", newest - 3, 10).unwrap();
    assert_eq!((events.len(), complete_to), (3, newest));
    assert!(store.list("/configmaps", "", None, 0, Some(newest - 4)).is_err());
}

#[test]
fn the_ring_lets_go_by_bytes_but_keeps_the_newest() {
    let limits = Limits { ring_bytes_max: 1, ..Limits::default() };
    let store = Store::in_memory(limits);
    store.commit(&table(), "a", Expect::Absent, draft("a", "1")).unwrap();
    store.commit(&table(), "b", Expect::Absent, draft("b", "1")).unwrap();
    let newest = store.revision();
    assert_eq!(store.events_after("/configmaps", newest - 1, 10).unwrap().0.len(), 1);
    assert!(store.events_after("/configmaps", newest - 2, 10).is_err());
}

#[test]
fn what_an_object_owns_is_found_until_it_is_disowned() {
    let store = Store::in_memory(Limits::default());
    let owned = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "ownerReferences": [{"uid": "boss"}]},
    });
    let entry = store.commit(&table(), "ns/a", Expect::Absent, Draft::new(&owned)).unwrap();
    assert_eq!(store.owned_by("boss"), [(table(), Box::from("ns/a"))]);
    store.commit(&table(), "ns/a", Expect::Revision(entry.revision), draft("a", "1")).unwrap();
    assert!(store.owned_by("boss").is_empty());
}

#[test]
fn a_store_on_disk_is_what_it_was_and_a_torn_record_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Limits::default(), LogSettings::default()).unwrap();
    let store = open();
    store.commit(&table(), "ns/a", Expect::Absent, draft("a", "1")).unwrap();
    let b = store.commit(&table(), "ns/b", Expect::Absent, draft("b", "1")).unwrap();
    store.remove_as(&table(), "ns/b", b.revision, draft("b", "1")).unwrap();
    let revision = store.revision();
    drop(store);
    let log = dir.path().join("log-0");
    let mut torn = std::fs::read(&log).unwrap();
    torn.extend_from_slice(&[200, 0, 0, 0, 1, 2, 3]);
    std::fs::write(&log, torn).unwrap();

    let store = open();
    assert_eq!(store.revision(), revision);
    assert_eq!(names(&store.list("/configmaps", "", None, 0, None).unwrap()), ["ns/a"]);
    store.commit(&table(), "ns/c", Expect::Absent, draft("c", "1")).unwrap();
    drop(store);
    assert_eq!(names(&open().list("/configmaps", "", None, 0, None).unwrap()), ["ns/a", "ns/c"]);
}

#[test]
fn a_compacted_store_is_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { compact_bytes_min: 2000 };
    let open = || Store::open(dir.path(), Limits::default(), settings).unwrap();
    let store = open();
    let mut at = Expect::Absent;
    for round in 0..100 {
        let entry = store.commit(&table(), "ns/a", at, draft("a", &round.to_string())).unwrap();
        at = Expect::Revision(entry.revision);
    }
    let revision = store.revision();
    drop(store);
    let store = open();
    assert_eq!(store.revision(), revision);
    assert_eq!(store.get("/configmaps", "ns/a").unwrap().value()["data"]["text"], "99");
    assert!(!dir.path().join("log-0").exists());
}
