use std::sync::Arc;

use desired::DesiredObject;
use render::{Asked, Options};
use serde_json::json;

use crate::cache::{AskedOf, Cache, Made, Objects, Variant};
use crate::key::{Key, key_of};
use crate::pin::Pin;
use crate::plan::Plan;
use crate::weight::weigh;

fn key(name: &str) -> Key {
    key_of(
        name,
        "",
        "default",
        &Plan { sources: Vec::new(), warnings: Vec::new(), permitted: Vec::new() },
        &Options::default(),
        0,
        "",
    )
}

fn pin(commit: u8) -> Pin {
    Pin::Commit(format!("{commit:02x}").repeat(20).parse().expect("a commit id"))
}

fn variant(commit: u8, bytes: usize) -> Variant {
    let object = DesiredObject {
        object: Arc::new(json!("x".repeat(bytes))),
        hash: 1,
        origin: desired::Origin::default(),
    };
    let objects = Objects { objects: Arc::new([object]), source_type: "Directory" };
    let made = Made {
        pin: pin(commit),
        read_set: Arc::default(),
        of_others: Arc::default(),
        asked: Arc::default(),
        outcome: Ok(Arc::new(objects)),
    };
    Variant { sources: vec![made], rendered: None }
}

#[test]
fn the_longest_unused_goes_where_there_is_no_room() {
    let mut cache = Cache::new(40_000);
    for name in ["a", "b", "c"] {
        cache.put(key(name), variant(1, 10_000), None);
    }
    assert_eq!(cache.len(), 3);
    assert_eq!(cache.get(&key("a")).len(), 1);
    cache.put(key("d"), variant(1, 10_000), None);
    assert!(cache.get(&key("b")).is_empty(), "nobody asked for it");
    assert_eq!(cache.get(&key("a")).len(), 1);
    assert!(cache.bytes() <= 40_000);
}

#[test]
fn what_is_larger_than_the_cache_is_not_kept() {
    let mut cache = Cache::new(1_000);
    cache.put(key("a"), variant(1, 10_000), None);
    assert_eq!((cache.len(), cache.bytes()), (0, 0));
}

#[test]
fn some_variants_are_kept_and_one_that_holds_again_is_moved_on() {
    let mut cache = Cache::new(1 << 20);
    for commit in 1..=5 {
        cache.put(key("a"), variant(commit, 10), None);
    }
    assert_eq!(cache.get(&key("a")).len(), 3);
    let before = cache.get(&key("a"))[0].clone();
    let mut moved = before.clone();
    moved.sources[0].pin = pin(0xff);
    cache.put(key("a"), moved, Some(&before));
    assert_eq!(cache.get(&key("a")).len(), 3);
    let exact = |cache: &mut Cache, pin: Pin, version: &str| {
        cache.get_exact(&key("a"), &[pin], version, &[]).is_some()
    };
    assert!(!exact(&mut cache, before.sources[0].pin.clone(), ""));
    assert!(exact(&mut cache, pin(0xff), ""));
}

#[test]
fn a_rendering_that_asked_for_the_version_is_another_one_for_another_version() {
    let mut cache = Cache::new(1 << 20);
    let mut asking = variant(1, 10);
    let asked = Asked {
        kube_version: true,
        api_versions: [("example.com/v1".to_owned(), false)].into(),
        ..Asked::default()
    };
    asking.sources[0].asked =
        Arc::new(AskedOf { asked, kube_version: "1.36".to_owned(), api_versions: Arc::new([]) });
    cache.put(key("a"), asking, None);
    let mut fits = |version: &str, apis: &[&str]| {
        let apis: Vec<String> = apis.iter().map(|api| (*api).to_owned()).collect();
        cache.get_exact(&key("a"), &[pin(1)], version, &apis).is_some()
    };
    assert!(fits("1.36", &[]));
    assert!(fits("1.36", &["nobody.asked.for/v1"]));
    assert!(!fits("1.37", &[]));
    assert!(!fits("1.36", &["example.com/v1"]));
}

#[test]
fn a_map_weighs_its_nodes() {
    assert!(weigh(&json!({"a": 1})) > 500);
    let many: serde_json::Map<_, _> = (0..100).map(|at| (at.to_string(), json!(at))).collect();
    let bytes = weigh(&many.into());
    assert!((5_000..15_000).contains(&bytes), "{bytes}");
}
