//! Keys and values, in the order in which they stand.

use std::sync::Arc;

use super::{Node, Scalar, Text};

/// One key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key; numbers and booleans are possible.
    pub key: Scalar,
    /// The value.
    pub value: Node,
    /// Not 0 where other entries of the same number change whenever this one does, see `shared`.
    pub(crate) shared: u32,
}

impl Entry {
    /// An entry that shares its value with none.
    pub fn new(key: Scalar, value: Node) -> Self {
        Self { key, value, shared: 0 }
    }
}

/// What is shared is no part of what is written.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Eq for Entry {}

/// Keys and values, shared until written to. Lookups go by the key's text.
///
/// A key that is added here has no tag, as with kustomize: one that reads as a number makes an
/// object that cannot be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(Arc<Vec<Entry>>);

impl From<Vec<Entry>> for Mapping {
    fn from(entries: Vec<Entry>) -> Self {
        Self(Arc::new(entries))
    }
}

impl FromIterator<(Text, Node)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (Text, Node)>>(entries: I) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| Entry::new(Scalar::unset(key), value))
            .collect::<Vec<_>>();
        entries.into()
    }
}

impl Mapping {
    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entries, to be changed.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(&mut self.0)
    }

    /// The entries, moved out.
    pub fn into_entries(self) -> Vec<Entry> {
        Arc::unwrap_or_clone(self.0)
    }

    /// Keys' texts with their values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Text, &Node)> {
        self.0.iter().map(|entry| (&entry.key.text, &entry.value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a key stands.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|entry| entry.key.text == *key)
    }

    /// Whether a key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The first value of this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key.text == *key).map(|entry| &entry.value)
    }

    /// The first value of this key, to be changed. Copies nothing where it is not there.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.position(key)?;
        Some(&mut self.entries_mut()[at].value)
    }

    /// The value of this key; made at the end where it is not there.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let at = self.position(key);
        let entries = self.entries_mut();
        let at = at.unwrap_or_else(|| {
            let key = Scalar::unset(key.to_owned());
            entries.push(Entry::new(key, make()));
            entries.len() - 1
        });
        &mut entries[at].value
    }

    /// Replaces the value of a key in its place, or adds it at the end.
    pub fn insert(&mut self, key: impl Into<Text>, value: Node) {
        let key = key.into();
        match self.position(&key) {
            Some(at) => self.entries_mut()[at].value = value,
            None => self.entries_mut().push(Entry::new(Scalar::unset(key), value)),
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.position(key)?;
        Some(self.entries_mut().remove(at).value)
    }
}
