//! A bounded map from content to what was made of it.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

/// Values by the bytes that they were made from, up to a number of bytes.
///
/// There are two generations: what is asked for moves into the young one, and when that has
/// taken half of the room, the old one goes.
pub(crate) struct Store<V> {
    bytes_max: usize,
    generations: Mutex<Generations<V>>,
}

struct Generations<V> {
    young: Entries<V>,
    old: Entries<V>,
    young_bytes: usize,
}

type Entries<V> = HashMap<(Arc<[u8]>, u8), (V, usize)>;

impl<V: Clone> Store<V> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let generations =
            Generations { young: HashMap::new(), old: HashMap::new(), young_bytes: 0 };
        Self { bytes_max, generations: Mutex::new(generations) }
    }

    /// The value made from `content`; `variant` tells apart several things made from it.
    ///
    /// `make` gives the value and about how many bytes it takes besides the content. It runs
    /// outside of the lock: two who ask at once may both make it.
    pub(crate) fn get_or<E>(
        &self,
        content: &Arc<[u8]>,
        variant: u8,
        make: impl FnOnce() -> Result<(V, usize), E>,
    ) -> Result<V, E> {
        if self.bytes_max == 0 {
            return make().map(|(value, _)| value);
        }
        let key = (content.clone(), variant);
        if let Some(value) = self.find(&key) {
            return Ok(value);
        }
        let (value, bytes) = make()?;
        self.put(key, value.clone(), bytes + content.len());
        Ok(value)
    }

    fn find(&self, key: &(Arc<[u8]>, u8)) -> Option<V> {
        let mut guard = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let generations = &mut *guard;
        if let Some((value, _)) = generations.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, bytes)) = generations.old.remove_entry(key)?;
        generations.put(key, value.clone(), bytes, self.bytes_max);
        Some(value)
    }

    fn put(&self, key: (Arc<[u8]>, u8), value: V, bytes: usize) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.put(key, value, bytes, self.bytes_max);
    }
}

impl<V> Generations<V> {
    fn put(&mut self, key: (Arc<[u8]>, u8), value: V, bytes: usize, bytes_max: usize) {
        // What alone would take half of the room is not kept.
        if bytes > bytes_max / 2 {
            return;
        }
        if self.young_bytes + bytes > bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(key, (value, bytes));
    }
}
