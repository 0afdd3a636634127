use std::sync::Arc;

use desired::DesiredObject;
use render::Options;
use serde_json::json;

use crate::cache::{Cache, Made, Objects, Variant};
use crate::key::{Key, key_of};
use crate::plan::Plan;
use crate::weight::weigh;

fn key(name: &str) -> Key {
    key_of(
        name,
        "",
        "default",
        &Plan { sources: Vec::new(), warnings: Vec::new() },
        &Options::default(),
    )
}

fn variant(commit: u8, bytes: usize) -> Variant {
    let object = DesiredObject {
        object: Arc::new(json!("x".repeat(bytes))),
        hash: 1,
        origin: desired::Origin::default(),
    };
    let objects = Objects { objects: Arc::new([object]), source_type: "Directory" };
    let commit = format!("{commit:02x}").repeat(20).parse().expect("a commit id");
    let made = Made { commit, read_set: Arc::default(), outcome: Ok(Arc::new(objects)) };
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
    moved.sources[0].commit = "ff".repeat(20).parse().expect("a commit id");
    cache.put(key("a"), moved, Some(&before));
    assert_eq!(cache.get(&key("a")).len(), 3);
    assert!(cache.get_exact(&key("a"), &[before.sources[0].commit]).is_none());
}

#[test]
fn a_map_weighs_its_nodes() {
    assert!(weigh(&json!({"a": 1})) > 500);
    let many: serde_json::Map<_, _> = (0..100).map(|at| (at.to_string(), json!(at))).collect();
    let bytes = weigh(&many.into());
    assert!((5_000..15_000).contains(&bytes), "{bytes}");
}
