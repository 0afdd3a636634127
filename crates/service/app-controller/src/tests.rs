//! What the loops stand on. Whole runs are scenarios; rules are tested in the engines.

use std::sync::Arc;
use std::time::Duration;

use cluster::{Dial, Limits};
use desired::Freshness;
use manifest::ObjectKey;
use reconcile::Prepared;

use crate::destinations::limits;
use crate::entry::{Applied, Entry};
use crate::queue::{AppKey, Queue, Why, rounded_up};

#[test]
fn clusters_are_talked_to_as_the_settings_say() {
    let mut raw = settings::RawSettings::default();
    let read = |raw: &settings::RawSettings| {
        limits(&settings::Settings::read(raw, &|_| Ok(serde_json::Value::Null)).0)
    };
    // Unset, connections that were made before the settings were read stay as they are.
    assert_eq!(read(&raw), Limits { writes_at_once: Some(20), ..Limits::default() });
    for (key, value) in [
        ("controller.kubectl.parallelism.limit", "0"),
        ("controller.k8s.client.qps", "0.5"),
        ("controller.k8s.tcp.idle.timeout", "1m"),
        ("controller.k8sclient.retry.max", "3"),
    ] {
        raw.parameters.insert(key.to_owned(), value.to_owned());
    }
    raw.environment.insert("ARGOCD_CLUSTER_CACHE_LIST_PAGE_SIZE".to_owned(), "100".to_owned());
    let expected = Limits {
        writes_at_once: None,
        requests_per_s: Some(0.5),
        retries_max: 3,
        page_objects: 100,
        dial: Dial { idle_timeout: Duration::from_secs(60), ..Dial::default() },
        ..Limits::default()
    };
    assert_eq!(read(&raw), expected);
}

fn key(name: &str) -> AppKey {
    AppKey::new("argocd", name)
}

#[tokio::test]
async fn an_application_stands_in_the_queue_once_with_its_strongest_reason() {
    let queue = Queue::default();
    queue.push(key("a"), Why::known("an object changed"));
    queue.push(key("b"), Why::known("an object changed"));
    queue.push(key("a"), Why::fresh(Freshness::Hard, "a hard refresh was asked for"));
    queue.push(key("a"), Why::known("an object changed"));
    let (first, why) = queue.next().await.expect("open");
    assert_eq!((first, why.fresh), (key("a"), Freshness::Hard));
    assert_eq!(queue.next().await.expect("open").0, key("b"));
    queue.close();
    assert!(queue.next().await.is_none());
}

#[tokio::test]
async fn new_reasons_wait_while_somebody_looks() {
    let queue = Queue::default();
    queue.push(key("a"), Why::known("one"));
    let (looked, _) = queue.next().await.expect("open");
    queue.push(key("a"), Why::known("two"));
    queue.push(key("b"), Why::known("three"));
    assert_eq!(queue.next().await.expect("open").0, key("b"), "nobody else gets a");
    queue.done(&looked);
    let (again, why) = queue.next().await.expect("open");
    assert_eq!((again, why.because), (key("a"), "two"));
}

#[tokio::test]
async fn what_is_due_comes_by_the_timer() {
    let queue = Arc::new(Queue::default());
    let timer = tokio::spawn({
        let queue = queue.clone();
        async move { queue.run_timer().await }
    });
    queue.push_later(key("late"), std::time::Duration::from_secs(3600), Why::known("late"));
    queue.push_later(key("now"), std::time::Duration::ZERO, Why::known("now"));
    assert_eq!(queue.next().await.expect("open").0, key("now"));
    queue.close();
    timer.await.expect("the timer ends with the queue");
}

#[test]
fn the_last_whole_sync_and_the_last_attempt_are_remembered() {
    let applied = |key, whole| Applied::new(key, Arc::new(Prepared::default()), whole);
    let mut entry = Entry::default();
    let keys = |entry: &Entry| entry.applied.iter().map(|one| one.key).collect::<Vec<_>>();
    entry.remember(applied(1, true));
    entry.remember(applied(2, false));
    entry.remember(applied(3, false));
    assert_eq!(keys(&entry), [1, 3]);
    entry.remember(applied(4, true));
    assert_eq!(keys(&entry), [4]);
    let wanted = entry.applied[0].prepared.clone();
    assert!(entry.previous(&ObjectKey::default(), &wanted).is_empty());
}

#[test]
fn what_is_due_about_the_same_time_is_due_together() {
    let since = tokio::time::Instant::now();
    let at = |ms| since + std::time::Duration::from_millis(ms);
    let slack = std::time::Duration::from_millis(500);
    for (asked, due) in [(0, 0), (1, 500), (499, 500), (500, 500), (501, 1000), (7_777, 8_000)] {
        assert_eq!(rounded_up(since, at(asked), slack), at(due), "{asked}");
    }
    assert_eq!(rounded_up(since, at(3), std::time::Duration::ZERO), at(3), "no slack");
}
