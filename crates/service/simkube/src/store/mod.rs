//! The objects of one cluster: bytes by key, one revision that only grows, a bounded past.
//!
//! An object rests as the bytes that readers get ([`Entry::raw`]), so reading costs no
//! parsing and no copy. Each table (a resource, whatever its version) keeps its newest
//! events in a ring that serves as watch cache and as memory of the past: a list at an
//! earlier revision is the present with the later events taken back. What the ring has
//! let go of is [`Expired`].
//!
//! The store never decides what an object may look like. Start at [`Store::commit`].

mod draft;
mod log;
mod table;

pub use draft::{Draft, prefix};
pub use log::{LogError, LogSettings};
pub use table::{Change, Entry, Event, Expired, Meta, Page};

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::watch;

use table::Table;

/// What a resource's objects are kept under: `group/plural`, for example `apps/deployments`.
pub type TableId = Arc<str>;

/// How much of the past is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events that one table keeps.
    pub ring_events_max: usize,
    /// Bytes of events that one table keeps; the newest event is kept in any case.
    pub ring_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { ring_events_max: 10_000, ring_bytes_max: 8 << 20 }
    }
}

/// What must hold for a write to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing stands at the key.
    Absent,
    /// The object was last written at this revision.
    Revision(u64),
}

/// Why a write was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another write came first.
    #[error("the object has been written since")]
    Conflict,
    /// The write could not be kept on disk; the store takes no further writes.
    #[error("the write could not be kept")]
    NotKept(#[source] LogError),
}

/// The objects of one cluster.
pub struct Store {
    inner: RwLock<Inner>,
    /// The newest revision, for those who follow everything.
    newest: watch::Sender<u64>,
}

struct Inner {
    revision: u64,
    limits: Limits,
    tables: HashMap<TableId, Table>,
    /// Owner's uid -> what it owns.
    owned: HashMap<Box<str>, BTreeSet<(TableId, Box<str>)>>,
    log: Option<log::Log>,
    /// The newest change of any table, so that followers need not ask each table.
    recent: std::collections::VecDeque<(u64, TableId)>,
}

/// Changes of all tables that followers can be behind before they must look at everything again.
const RECENT_MAX: usize = 65_536;

impl Store {
    /// Returns an empty store that forgets everything when it is dropped.
    pub fn in_memory(limits: Limits) -> Store {
        Store::from_parts(1, limits, HashMap::new(), HashMap::new(), None)
    }

    /// Returns the store kept in `dir`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// [`LogError`] where the directory cannot be read or written. A half-written record at
    /// the end of the log, as a killed process leaves it, is no error: it was never answered.
    pub fn open(dir: &Path, limits: Limits, settings: LogSettings) -> Result<Store, LogError> {
        let mut tables: HashMap<TableId, Table> = HashMap::new();
        let mut owned = HashMap::new();
        let mut revision = 1;
        let log = log::Log::open(dir, settings, |record| {
            revision = revision.max(record.revision);
            let id: TableId = Arc::from(record.table);
            let table = tables.entry(id.clone()).or_insert_with(|| Table::new(0));
            replay(table, &id, record, limits, &mut owned);
        })?;
        Ok(Store::from_parts(revision, limits, tables, owned, Some(log)))
    }

    fn from_parts(
        revision: u64,
        limits: Limits,
        tables: HashMap<TableId, Table>,
        owned: HashMap<Box<str>, BTreeSet<(TableId, Box<str>)>>,
        log: Option<log::Log>,
    ) -> Store {
        let recent = std::collections::VecDeque::new();
        let inner = Inner { revision, limits, tables, owned, log, recent };
        Store { inner: RwLock::new(inner), newest: watch::Sender::new(revision) }
    }

    /// Returns the revision of the newest write.
    pub fn revision(&self) -> u64 {
        self.inner.read().revision
    }

    /// Returns the object at `key` (`namespace/name`, or `name` where there are no namespaces).
    pub fn get(&self, table: &str, key: &str) -> Option<Entry> {
        self.inner.read().tables.get(table)?.objects.get(key).cloned()
    }

    /// Writes an object, and returns it as it now stands.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] where `expect` does not hold.
    pub fn commit(
        &self,
        table: &TableId,
        key: &str,
        expect: Expect,
        draft: Draft,
    ) -> Result<Entry, CommitError> {
        let mut guard = self.inner.write();
        let inner = &mut *guard;
        let previous = inner.tables.get(table).and_then(|table| table.objects.get(key)).cloned();
        match (&previous, expect) {
            (None, Expect::Absent) => {}
            (Some(previous), Expect::Revision(revision)) if previous.revision == revision => {}
            (None | Some(_), Expect::Absent | Expect::Revision(_)) => {
                return Err(CommitError::Conflict);
            }
        }
        let revision = inner.revision + 1;
        let entry = draft.at(revision);
        let record = log::Record { revision, table, key, object: Some(&entry.raw) };
        inner.keep(&record).map_err(CommitError::NotKept)?;
        inner.revision = revision;
        inner.reindex(table, key, previous.as_ref(), Some(&entry));
        let at = inner.tables.entry(table.clone()).or_insert_with(|| Table::new(0));
        at.put(key, entry.clone(), previous, inner.limits);
        inner.compact_when_due();
        self.announce(guard, table, revision);
        Ok(entry)
    }

    /// Removes the object at `key`. Watchers see it go as `last`, at the revision of its removal.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] where the object is not there or was written after `revision`.
    pub fn remove_as(
        &self,
        table: &TableId,
        key: &str,
        revision: u64,
        last: Draft,
    ) -> Result<Entry, CommitError> {
        let mut guard = self.inner.write();
        let inner = &mut *guard;
        let previous = inner.tables.get(table).and_then(|table| table.objects.get(key)).cloned();
        let Some(previous) = previous.filter(|previous| previous.revision == revision) else {
            return Err(CommitError::Conflict);
        };
        let revision = inner.revision + 1;
        let record = log::Record { revision, table, key, object: None };
        inner.keep(&record).map_err(CommitError::NotKept)?;
        inner.revision = revision;
        inner.reindex(table, key, Some(&previous), None);
        let gone = last.at(revision);
        let at = inner.tables.entry(table.clone()).or_insert_with(|| Table::new(0));
        at.remove(key, gone.clone(), previous, inner.limits);
        inner.compact_when_due();
        self.announce(guard, table, revision);
        Ok(gone)
    }

    /// Lists the objects whose key begins with `prefix`, in order of their keys.
    ///
    /// `after` is the key behind which the page begins, `limit` its length (0: no limit), `at`
    /// the revision to list (`None`: now).
    ///
    /// # Errors
    ///
    /// [`Expired`] where the table no longer remembers `at`.
    pub fn list(
        &self,
        table: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Option<u64>,
    ) -> Result<Page, Expired> {
        let inner = self.inner.read();
        let now = inner.revision;
        let revision = at.unwrap_or(now);
        let Some(table) = inner.tables.get(table) else {
            return Ok(Page { entries: Vec::new(), revision, remaining: 0 });
        };
        if revision >= now {
            return Ok(table.page(prefix, after, limit, now));
        }
        table.page_at(prefix, after, limit, revision)
    }

    /// The objects whose key begins with `prefix`, as they are now, in order of their keys.
    pub fn values(&self, table: &str, prefix: &str) -> Vec<Value> {
        let page = self.list(table, prefix, None, 0, None).map(|page| page.entries);
        page.unwrap_or_default().iter().map(|(_, entry)| entry.value()).collect()
    }

    /// Whether there is an object whose key begins with `prefix`.
    pub fn holds_any(&self, table: &str, prefix: &str) -> bool {
        let page = self.list(table, prefix, None, 1, None);
        page.is_ok_and(|page| !page.entries.is_empty())
    }

    /// Returns up to `max` events of a table after `revision`, oldest first, and the revision up to
    /// which they are complete.
    ///
    /// # Errors
    ///
    /// [`Expired`] where events after `revision` have been let go of.
    pub fn events_after(
        &self,
        table: &str,
        revision: u64,
        max: usize,
    ) -> Result<(Vec<Arc<Event>>, u64), Expired> {
        let inner = self.inner.read();
        let Some(table) = inner.tables.get(table) else {
            return Ok((Vec::new(), inner.revision));
        };
        let events = table.events_after(revision, max)?;
        let complete_to = match events.last() {
            Some(last) if events.len() == max => last.revision,
            Some(_) | None => inner.revision.max(revision),
        };
        Ok((events, complete_to))
    }

    /// Returns which tables changed after `revision`, and the newest revision; `None` where that is
    /// not remembered and everything may have changed.
    pub fn changed_after(&self, revision: u64) -> (Option<BTreeSet<TableId>>, u64) {
        let inner = self.inner.read();
        let remembered = inner.revision - inner.recent.len() as u64;
        if revision < remembered {
            return (None, inner.revision);
        }
        let skipped = usize::try_from(revision - remembered).unwrap_or(usize::MAX);
        let tables = inner.recent.iter().skip(skipped).map(|(_, table)| table.clone()).collect();
        (Some(tables), inner.revision)
    }

    /// Follows one table: the receiver changes with each of its events.
    pub fn follow(&self, table: &TableId) -> watch::Receiver<u64> {
        if let Some(table) = self.inner.read().tables.get(table) {
            return table.newest.subscribe();
        }
        let mut inner = self.inner.write();
        inner.tables.entry(table.clone()).or_insert_with(|| Table::new(0)).newest.subscribe()
    }

    /// Follows everything: the receiver changes with each event of any table.
    pub fn follow_all(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Returns what the object with this uid owns, by table and key.
    pub fn owned_by(&self, uid: &str) -> Vec<(TableId, Box<str>)> {
        let inner = self.inner.read();
        inner.owned.get(uid).map(|owned| owned.iter().cloned().collect()).unwrap_or_default()
    }

    /// Returns the tables that hold an object.
    pub fn tables(&self) -> Vec<TableId> {
        let inner = self.inner.read();
        let mut tables: Vec<TableId> = inner
            .tables
            .iter()
            .filter(|(_, table)| !table.objects.is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        tables.sort();
        tables
    }

    /// Returns how many objects a table holds below `prefix`.
    pub fn count(&self, table: &str, prefix: &str) -> usize {
        self.inner.read().tables.get(table).map_or(0, |table| table.count(prefix))
    }

    /// Writes to disk what the operating system still holds back. Nothing to do in memory.
    ///
    /// # Errors
    ///
    /// [`LogError`] where the disk refuses.
    pub fn sync(&self) -> Result<(), LogError> {
        let handle = self.inner.read().log.as_ref().map(log::Log::handle).transpose()?;
        handle.map_or(Ok(()), |handle| handle.sync())
    }

    fn announce(
        &self,
        mut guard: parking_lot::RwLockWriteGuard<'_, Inner>,
        table: &TableId,
        revision: u64,
    ) {
        guard.recent.push_back((revision, table.clone()));
        if guard.recent.len() > RECENT_MAX {
            guard.recent.pop_front();
        }
        if let Some(table) = guard.tables.get(table) {
            table.newest.send_replace(revision);
        }
        self.newest.send_replace(revision);
    }
}

impl Inner {
    fn keep(&mut self, record: &log::Record<'_>) -> Result<(), LogError> {
        self.log.as_mut().map_or(Ok(()), |log| log.append(record))
    }

    fn reindex(&mut self, table: &TableId, key: &str, old: Option<&Entry>, new: Option<&Entry>) {
        let none: &[Box<str>] = &[];
        let before = old.map_or(none, |entry| &entry.meta.owners);
        let after = new.map_or(none, |entry| &entry.meta.owners);
        reindex_owners(&mut self.owned, table, key, before, after);
    }

    fn compact_when_due(&mut self) {
        let Some(log) = self.log.as_mut() else { return };
        if !log.compaction_due() {
            return;
        }
        let mut records: Vec<(TableId, Box<str>, u64, Bytes)> = Vec::new();
        for (id, table) in &self.tables {
            for (key, entry) in &table.objects {
                records.push((id.clone(), key.clone(), entry.revision, entry.raw.clone()));
            }
        }
        log.compact(records, self.revision);
    }
}

fn reindex_owners(
    owned: &mut HashMap<Box<str>, BTreeSet<(TableId, Box<str>)>>,
    table: &TableId,
    key: &str,
    before: &[Box<str>],
    after: &[Box<str>],
) {
    if before == after {
        return;
    }
    let at: (TableId, Box<str>) = (table.clone(), key.into());
    for uid in before {
        if let Some(set) = owned.get_mut(uid) {
            set.remove(&at);
            if set.is_empty() {
                owned.remove(uid);
            }
        }
    }
    for uid in after {
        owned.entry(uid.clone()).or_default().insert(at.clone());
    }
}

fn replay(
    table: &mut Table,
    id: &TableId,
    record: log::Record<'_>,
    limits: Limits,
    owned: &mut HashMap<Box<str>, BTreeSet<(TableId, Box<str>)>>,
) {
    let previous = table.objects.get(record.key).cloned();
    let before: Vec<Box<str>> =
        previous.as_ref().map(|entry| entry.meta.owners.to_vec()).unwrap_or_default();
    match record.object {
        Some(raw) => {
            let meta = Arc::new(Meta::read(raw));
            let entry = Entry { revision: record.revision, raw: Bytes::copy_from_slice(raw), meta };
            reindex_owners(owned, id, record.key, &before, &entry.meta.owners);
            table.put(record.key, entry, previous, limits);
        }
        None => {
            reindex_owners(owned, id, record.key, &before, &[]);
            if let Some(previous) = previous {
                let gone = previous.moved_to(record.revision);
                table.remove(record.key, gone, previous, limits);
            }
        }
    }
}

#[cfg(test)]
mod tests;
