//! A bounded map from content to what was made of it.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Values by the bytes that they were made from, up to a number of bytes.
///
/// There are two generations: what is asked for moves into the young one, and when that has
/// taken half of the room, the old one goes.
pub(crate) struct Store<V> {
    bytes_max: usize,
    /// Whether only some of each content's bytes are hashed.
    samples: bool,
    hasher: DefaultHashBuilder,
    generations: Mutex<Generations<V>>,
}

/// What values are made from.
pub(crate) trait Content {
    fn bytes(&self) -> &[u8];
    /// The same, to be kept.
    fn kept(&self) -> Arc<[u8]>;
}

impl Content for Arc<[u8]> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn kept(&self) -> Arc<[u8]> {
        self.clone()
    }
}

impl Content for [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn kept(&self) -> Arc<[u8]> {
        self.into()
    }
}

struct Generations<V> {
    young: HashTable<Entry<V>>,
    old: HashTable<Entry<V>>,
    young_bytes: usize,
}

struct Entry<V> {
    /// Of content and variant. Contents are long: each is hashed once.
    hash: u64,
    content: Arc<[u8]>,
    variant: u8,
    value: V,
    bytes: usize,
}

impl<V> Entry<V> {
    fn is_of(&self, content: &[u8], variant: u8) -> bool {
        self.variant == variant && *self.content == *content
    }
}

impl<V: Clone> Store<V> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let generations =
            Generations { young: HashTable::new(), old: HashTable::new(), young_bytes: 0 };
        Self {
            bytes_max,
            samples: false,
            hasher: DefaultHashBuilder::default(),
            generations: Mutex::new(generations),
        }
    }

    /// For so few contents that most differ in length, or in how they begin or end.
    pub(crate) fn for_few(self) -> Self {
        Self { samples: true, ..self }
    }

    fn hash(&self, bytes: &[u8], variant: u8) -> u64 {
        const SAMPLE: usize = 32;
        if !self.samples {
            return self.hasher.hash_one((bytes, variant));
        }
        let begin = &bytes[..bytes.len().min(SAMPLE)];
        let end = &bytes[bytes.len().saturating_sub(SAMPLE)..];
        self.hasher.hash_one((bytes.len(), begin, end, variant))
    }

    /// Whether it keeps anything.
    pub(crate) fn keeps(&self) -> bool {
        self.bytes_max > 0
    }

    /// The value made from `content`; `variant` tells apart several things made from it.
    ///
    /// `make` gives the value and about how many bytes it takes besides the content. It runs
    /// outside of the lock: two who ask at once may both make it.
    pub(crate) fn get_or<E>(
        &self,
        content: &(impl Content + ?Sized),
        variant: u8,
        make: impl FnOnce() -> Result<(V, usize), E>,
    ) -> Result<V, E> {
        if self.bytes_max == 0 {
            return make().map(|(value, _)| value);
        }
        let hash = self.hash(content.bytes(), variant);
        if let Some(value) = self.find(hash, content.bytes(), variant) {
            return Ok(value);
        }
        let (value, bytes) = make()?;
        let bytes = bytes + content.bytes().len();
        // What alone would take half of the room is not kept.
        if bytes <= self.bytes_max / 2 {
            let content = content.kept();
            let entry = Entry { hash, content, variant, value: value.clone(), bytes };
            let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            generations.put(entry, self.bytes_max);
        }
        Ok(value)
    }

    fn find(&self, hash: u64, content: &[u8], variant: u8) -> Option<V> {
        let mut guard = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let generations = &mut *guard;
        let is_it = |entry: &Entry<V>| entry.is_of(content, variant);
        if let Some(found) = generations.young.find(hash, is_it) {
            return Some(found.value.clone());
        }
        let (entry, _) = generations.old.find_entry(hash, is_it).ok()?.remove();
        let value = entry.value.clone();
        generations.put(entry, self.bytes_max);
        Some(value)
    }
}

impl<V> Generations<V> {
    fn put(&mut self, entry: Entry<V>, bytes_max: usize) {
        if self.young_bytes + entry.bytes > bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += entry.bytes;
        let is_it = |other: &Entry<V>| other.is_of(&entry.content, entry.variant);
        match self.young.find_mut(entry.hash, is_it) {
            // Two who asked at once both made it.
            Some(other) => other.value = entry.value,
            None => {
                self.young.insert_unique(entry.hash, entry, |entry| entry.hash);
            }
        }
    }
}
