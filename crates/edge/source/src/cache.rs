//! What was decoded, kept by object id: trees, blob sizes and link targets.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use parking_lot::Mutex;

/// A tree object, decoded.
#[derive(Debug)]
pub(crate) struct DecodedTree {
    /// Sorted by name, byte for byte.
    items: Vec<TreeItem>,
}

/// One name in a tree object.
#[derive(Debug)]
pub(crate) struct TreeItem {
    pub(crate) name: Box<str>,
    pub(crate) kind: ItemKind,
    pub(crate) id: ObjectId,
    /// Bytes; [`UNKNOWN`] until somebody asked.
    size_bytes: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Tree,
    File { executable: bool },
    Link,
    Submodule,
}

const UNKNOWN: u64 = u64::MAX;

impl DecodedTree {
    pub(crate) fn new(mut items: Vec<TreeItem>) -> Self {
        items.sort_unstable_by(|one, other| one.name.as_bytes().cmp(other.name.as_bytes()));
        Self { items }
    }

    pub(crate) fn items(&self) -> &[TreeItem] {
        &self.items
    }

    /// Where a name stands in [`DecodedTree::items`].
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.items.binary_search_by(|item| item.name.as_bytes().cmp(name.as_bytes())).ok()
    }

    fn weight_bytes(&self) -> usize {
        let names: usize = self.items.iter().map(|item| item.name.len()).sum();
        64 + names + self.items.len() * size_of::<TreeItem>()
    }
}

impl TreeItem {
    pub(crate) fn new(name: Box<str>, kind: ItemKind, id: ObjectId) -> Self {
        Self { name, kind, id, size_bytes: AtomicU64::new(UNKNOWN) }
    }

    pub(crate) fn size_bytes(&self) -> Option<u64> {
        let size = self.size_bytes.load(Ordering::Relaxed);
        (size != UNKNOWN).then_some(size)
    }

    pub(crate) fn learn_size(&self, bytes: u64) {
        self.size_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// Decoded objects of all repositories: an id is its content, so they share.
pub(crate) struct ObjectCache {
    trees: Mutex<Generations<ObjectId, Arc<DecodedTree>>>,
    sizes: Mutex<Generations<ObjectId, u64>>,
    links: Mutex<Generations<ObjectId, Arc<str>>>,
}

impl ObjectCache {
    /// Keeps about `limit_bytes` of trees, and a quarter of that of sizes and links.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            trees: Mutex::new(Generations::new(limit_bytes)),
            sizes: Mutex::new(Generations::new(limit_bytes / 8)),
            links: Mutex::new(Generations::new(limit_bytes / 8)),
        }
    }

    pub(crate) fn tree(&self, id: &ObjectId) -> Option<Arc<DecodedTree>> {
        self.trees.lock().get(id)
    }

    pub(crate) fn keep_tree(&self, id: ObjectId, tree: Arc<DecodedTree>) {
        let weight = tree.weight_bytes();
        self.trees.lock().insert(id, tree, weight);
    }

    pub(crate) fn size(&self, id: &ObjectId) -> Option<u64> {
        self.sizes.lock().get(id)
    }

    pub(crate) fn keep_size(&self, id: ObjectId, bytes: u64) {
        self.sizes.lock().insert(id, bytes, 64);
    }

    pub(crate) fn link(&self, id: &ObjectId) -> Option<Arc<str>> {
        self.links.lock().get(id)
    }

    pub(crate) fn keep_link(&self, id: ObjectId, target: Arc<str>) {
        let weight = 96 + target.len();
        self.links.lock().insert(id, target, weight);
    }
}

/// A map that forgets what was not asked for lately.
///
/// When the young half is full it becomes the old half, and the old half goes; what is asked
/// for moves to the young half again.
struct Generations<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    young_bytes: usize,
    half_bytes: usize,
}

impl<K: Hash + Eq + Copy, V: Clone> Generations<K, V> {
    fn new(limit_bytes: usize) -> Self {
        let half_bytes = (limit_bytes / 2).max(1024);
        Self { young: HashMap::new(), old: HashMap::new(), young_bytes: 0, half_bytes }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(key)?;
        self.insert(*key, value.clone(), weight);
        Some(value)
    }

    fn insert(&mut self, key: K, value: V, weight_bytes: usize) {
        if self.young_bytes + weight_bytes > self.half_bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += weight_bytes;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight_bytes)) {
            self.young_bytes -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Generations;

    #[test]
    fn what_is_not_asked_for_is_forgotten_and_the_rest_stays() {
        let mut kept = Generations::new(2048);
        for key in 0..1000_u32 {
            kept.insert(key, key, 64);
            assert_eq!(kept.get(&0), Some(0), "asked for each time");
        }
        assert_eq!(kept.get(&1), None);
        assert!(kept.young.len() + kept.old.len() <= 2 * 1024 / 64 + 2);
    }
}
