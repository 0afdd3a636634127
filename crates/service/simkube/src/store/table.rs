//! One resource's objects, and the ring of its newest events.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::Limits;
use super::draft::{MANAGED_KEY, METADATA};

/// One object at rest.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The revision of its last write.
    pub revision: u64,
    /// The object as readers get it, as one line of JSON with its newline.
    pub raw: Bytes,
    /// What is asked often enough to be kept apart.
    pub meta: Arc<Meta>,
}

/// What of an object is kept apart from its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// `metadata.uid`.
    pub uid: Box<str>,
    /// `metadata.labels`, sorted.
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// The uids of `metadata.ownerReferences`.
    pub owners: Box<[Box<str>]>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// Where `metadata.managedFields` begins, with the comma before it, and ends: bytes before the
    /// end of the object's. `None` where there are none, or where nobody has noted it.
    pub managed: Option<(u32, u32)>,
}

impl Meta {
    /// Reads an object's metadata.
    pub fn of(metadata: &Map<String, Value>) -> Meta {
        let text = |value: &Value| Box::<str>::from(value.as_str().unwrap_or_default());
        let labels = metadata.get("labels").and_then(Value::as_object);
        let owners = metadata.get("ownerReferences").and_then(Value::as_array);
        Meta {
            uid: metadata.get("uid").map(text).unwrap_or_default(),
            labels: labels
                .map(|labels| labels.iter().map(|(k, v)| (k.as_str().into(), text(v))).collect())
                .unwrap_or_default(),
            owners: owners
                .map(|owners| owners.iter().filter_map(|o| o.get("uid")).map(text).collect())
                .unwrap_or_default(),
            deleting: metadata.get("deletionTimestamp").is_some_and(|value| !value.is_null()),
            managed: None,
        }
    }

    pub(super) fn read(raw: &[u8]) -> Meta {
        let object: Value = serde_json::from_slice(raw).unwrap_or_default();
        object.get("metadata").and_then(Value::as_object).map(Meta::of).unwrap_or_default()
    }
}

impl Entry {
    /// Returns the object's bytes without the newline.
    pub fn json(&self) -> Bytes {
        self.raw.slice(..self.raw.len().saturating_sub(1))
    }

    /// Returns the object parsed.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.raw).expect("the store holds what it serialized itself")
    }

    /// Returns the object parsed but for its managed fields, and their text; `None` where it is
    /// not known where they stand.
    pub fn apart(&self) -> Option<(Value, &[u8])> {
        let (from, to) = self.meta.managed?;
        let place = |from_end: u32| self.raw.len().checked_sub(usize::try_from(from_end).ok()?);
        let (from, to) = (place(from)?, place(to)?);
        let managed = self.raw.get(from..to)?.strip_prefix(MANAGED_KEY)?;
        let rest = [&self.raw[..from], &self.raw[to..]].concat();
        let object = serde_json::from_slice(&rest);
        Some((object.expect("the store holds what it serialized itself"), managed))
    }

    /// Returns the same object with another revision in its bytes.
    pub fn moved_to(&self, revision: u64) -> Entry {
        let at = find(&self.raw, METADATA).map_or(0, |at| at + METADATA.len());
        let digits = self.raw[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut raw = Vec::with_capacity(self.raw.len() + 2);
        raw.extend_from_slice(&self.raw[..at]);
        raw.extend_from_slice(revision.to_string().as_bytes());
        raw.extend_from_slice(&self.raw[at + digits..]);
        Entry { revision, raw: Bytes::from(raw), meta: self.meta.clone() }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub enum Change {
    /// It was made.
    Added,
    /// It was written; this is how it stood before.
    Modified(Entry),
    /// It went; this is how it stood last.
    Deleted(Entry),
}

/// One thing that happened in a table.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, on the store's count.
    pub revision: u64,
    /// `namespace/name`, or `name`.
    pub key: Box<str>,
    /// The object after it; where it went, the object as it stood, at the revision of its removal.
    pub entry: Entry,
    /// What happened.
    pub change: Change,
}

impl Event {
    /// Returns how the object stood before, if it did.
    pub fn before(&self) -> Option<&Entry> {
        match &self.change {
            Change::Added => None,
            Change::Modified(before) | Change::Deleted(before) => Some(before),
        }
    }

    fn size(&self) -> usize {
        // Bytes of the earlier state are counted with the event that wrote them.
        self.entry.raw.len() + self.key.len() + 192
    }
}

/// The revision asked for is older than what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revision is older than {oldest}, the oldest remembered")]
pub struct Expired {
    /// The oldest revision from which the table can still answer.
    pub oldest: u64,
}

/// Part of a list.
#[derive(Debug)]
pub struct Page {
    /// In order of their keys.
    pub entries: Vec<(Box<str>, Entry)>,
    /// The revision that the list shows.
    pub revision: u64,
    /// How many objects stand behind the last of this page.
    pub remaining: usize,
}

pub(super) struct Table {
    pub(super) objects: BTreeMap<Box<str>, Entry>,
    ring: VecDeque<Arc<Event>>,
    ring_bytes: usize,
    /// All events after this revision are in the ring.
    remembered_from: u64,
    pub(super) newest: watch::Sender<u64>,
}

impl Table {
    pub(super) fn new(remembered_from: u64) -> Table {
        Table {
            objects: BTreeMap::new(),
            ring: VecDeque::new(),
            ring_bytes: 0,
            remembered_from,
            newest: watch::Sender::new(0),
        }
    }

    pub(super) fn put(&mut self, key: &str, entry: Entry, previous: Option<Entry>, limits: Limits) {
        match self.objects.get_mut(key) {
            Some(at) => *at = entry.clone(),
            None => {
                self.objects.insert(key.into(), entry.clone());
            }
        }
        let change = previous.map_or(Change::Added, Change::Modified);
        self.remember(Event { revision: entry.revision, key: key.into(), entry, change }, limits);
    }

    pub(super) fn remove(&mut self, key: &str, gone: Entry, previous: Entry, limits: Limits) {
        self.objects.remove(key);
        let revision = gone.revision;
        let change = Change::Deleted(previous);
        self.remember(Event { revision, key: key.into(), entry: gone, change }, limits);
    }

    fn remember(&mut self, event: Event, limits: Limits) {
        self.ring_bytes += event.size();
        self.ring.push_back(Arc::new(event));
        while self.ring.len() > 1
            && (self.ring.len() > limits.ring_events_max || self.ring_bytes > limits.ring_bytes_max)
        {
            if let Some(oldest) = self.ring.pop_front() {
                self.ring_bytes -= oldest.size();
                self.remembered_from = oldest.revision;
            }
        }
    }

    pub(super) fn events_after(
        &self,
        revision: u64,
        max: usize,
    ) -> Result<Vec<Arc<Event>>, Expired> {
        self.still_remembers(revision)?;
        let first = self.ring.partition_point(|event| event.revision <= revision);
        Ok(self.ring.range(first..).take(max).cloned().collect())
    }

    pub(super) fn count(&self, prefix: &str) -> usize {
        if prefix.is_empty() {
            return self.objects.len();
        }
        self.below(prefix, None).count()
    }

    pub(super) fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        revision: u64,
    ) -> Page {
        let mut below = self.below(prefix, after);
        let length = if limit == 0 { usize::MAX } else { limit };
        let entries: Vec<_> =
            below.by_ref().take(length).map(|(key, entry)| (key.clone(), entry.clone())).collect();
        Page { entries, revision, remaining: below.count() }
    }

    pub(super) fn page_at(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        revision: u64,
    ) -> Result<Page, Expired> {
        self.still_remembers(revision)?;
        let mut then: BTreeMap<&str, &Entry> =
            self.below(prefix, after).map(|(key, entry)| (&**key, entry)).collect();
        let first = self.ring.partition_point(|event| event.revision <= revision);
        for event in self.ring.range(first..).rev() {
            let inside =
                event.key.starts_with(prefix) && after.is_none_or(|after| &*event.key > after);
            if !inside {
                continue;
            }
            match event.before() {
                Some(before) => then.insert(&event.key, before),
                None => then.remove(&*event.key),
            };
        }
        let length = if limit == 0 { usize::MAX } else { limit };
        let all = then.len();
        let entries: Vec<_> = then
            .into_iter()
            .take(length)
            .map(|(key, entry)| (Box::from(key), entry.clone()))
            .collect();
        let remaining = all - entries.len();
        Ok(Page { entries, revision, remaining })
    }

    fn below<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Box<str>, &'a Entry)> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            Some(_) | None => Bound::Included(prefix),
        };
        self.objects
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }

    fn still_remembers(&self, revision: u64) -> Result<(), Expired> {
        if revision < self.remembered_from {
            return Err(Expired { oldest: self.remembered_from });
        }
        Ok(())
    }
}
