//! All objects of a cluster, and the ways to find them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use manifest::{GroupKind, ObjectKey};

use crate::live::events::{Change, LiveEvent};
use crate::live::object::{LiveObject, Owner};

/// Owners of owners that are looked through for an application; a longer chain is a circle, or
/// nobody's.
const OWNERS_DEEP_MAX: usize = 32;

/// Texts shared before the first look for those that nobody uses any more.
const SHARED_FIRST: usize = 4096;

/// Deleted objects whose identity is remembered: the answer to a write may come after the watch
/// has told that the object is gone. What is older than these is forgotten; an answer that comes
/// later than 4,096 deletions is one that no write waited for.
const GONE_MAX: usize = 4096;

/// A place in the store.
pub(crate) type Slot = u32;

/// One text for many objects: namespaces, kinds, owners, applications.
pub(super) struct Shared {
    texts: HashSet<Arc<str>>,
    clean_at: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self { texts: HashSet::new(), clean_at: SHARED_FIRST }
    }
}

impl Shared {
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        if self.texts.len() >= self.clean_at {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.texts.shrink_to_fit();
            self.clean_at = (self.texts.len() * 2).max(SHARED_FIRST);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(shared.clone());
        shared
    }
}

/// The objects of one kind, by namespace and name.
type Table = HashMap<Arc<str>, HashMap<Arc<str>, Slot>>;

/// All objects, and what leads to them.
#[derive(Default)]
pub(crate) struct Store {
    slots: Vec<Option<Arc<LiveObject>>>,
    free: Vec<Slot>,
    tables: HashMap<GroupKind, Table>,
    by_uid: HashMap<Arc<str>, Slot>,
    by_app: HashMap<Arc<str>, Vec<Slot>>,
    by_owner_uid: HashMap<Arc<str>, Vec<Slot>>,
    by_owner_key: HashMap<ObjectKey, Vec<Slot>>,
    gone: Gone,
}

/// The identities of what was deleted last.
#[derive(Default)]
struct Gone {
    uids: HashSet<Arc<str>>,
    /// In the order in which they went.
    order: VecDeque<Arc<str>>,
}

impl Gone {
    fn note(&mut self, uid: Arc<str>) {
        if uid.is_empty() || !self.uids.insert(uid.clone()) {
            return;
        }
        self.order.push_back(uid);
        if self.order.len() > GONE_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.uids.remove(&oldest);
        }
    }
}

impl Store {
    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<LiveObject>> {
        self.slots.iter().flatten()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Arc<LiveObject>> {
        self.find(&key.group_kind(), &key.namespace, &key.name).and_then(|slot| self.at(slot))
    }

    /// Several objects, each where it was asked for.
    pub(crate) fn several<'a>(
        &self,
        keys: impl Iterator<Item = &'a ObjectKey>,
    ) -> Vec<Option<Arc<LiveObject>>> {
        // Most are of the kind of the one before.
        let mut table: Option<(GroupKind, Option<&Table>)> = None;
        let mut objects = Vec::with_capacity(keys.size_hint().0);
        for key in keys {
            let names = match &table {
                Some((kind, table)) if kind.kind == key.kind && kind.group == key.group => *table,
                _ => {
                    let kind = key.group_kind();
                    let found = self.tables.get(&kind);
                    table = Some((kind, found));
                    found
                }
            };
            let slot = names.and_then(|names| names.get(&*key.namespace)?.get(&*key.name));
            objects.push(slot.and_then(|slot| self.at(*slot)).cloned());
        }
        objects
    }

    /// An application's own objects, in no order.
    pub(crate) fn own(&self, app: &str) -> impl Iterator<Item = &Arc<LiveObject>> {
        self.by_app.get(app).into_iter().flatten().filter_map(|slot| self.at(*slot))
    }

    /// Whether something is known to stand below an object.
    pub(crate) fn is_owner(&self, object: &LiveObject) -> bool {
        (!object.uid.is_empty() && self.by_owner_uid.contains_key(&object.uid))
            || (!self.by_owner_key.is_empty() && self.by_owner_key.contains_key(&object.key()))
            || (object.claim_prefixes.is_some() && !self.children(object).is_empty())
    }

    pub(crate) fn by_uid(&self, uid: &str) -> Option<&Arc<LiveObject>> {
        self.by_uid.get(uid).and_then(|slot| self.at(*slot))
    }

    pub(crate) fn of_app(&self, app: &str) -> Vec<Arc<LiveObject>> {
        self.all(self.by_app.get(app).into_iter().flatten())
    }

    /// How many objects each application has.
    pub(crate) fn apps(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.by_app.iter().map(|(app, slots)| (app, slots.len()))
    }

    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<Arc<LiveObject>> {
        let tables = self.tables.values().filter_map(|table| table.get(namespace));
        self.all(tables.flat_map(|names| names.values()))
    }

    pub(crate) fn of_kind(&self, kind: &GroupKind) -> Vec<Arc<LiveObject>> {
        let tables = self.tables.get(kind).into_iter().flat_map(HashMap::values);
        self.all(tables.flat_map(|names| names.values()))
    }

    fn find(&self, kind: &GroupKind, namespace: &str, name: &str) -> Option<Slot> {
        self.tables.get(kind)?.get(namespace)?.get(name).copied()
    }

    fn at(&self, slot: Slot) -> Option<&Arc<LiveObject>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    fn all<'a>(&self, slots: impl Iterator<Item = &'a Slot>) -> Vec<Arc<LiveObject>> {
        let mut objects: Vec<_> = slots.filter_map(|slot| self.at(*slot)).cloned().collect();
        objects.sort_by_cached_key(|object| object.key());
        objects
    }

    /// Puts an object where it belongs as the answer to a write told it, unless the watch has told
    /// since that it is gone: nobody would tell so again.
    pub(crate) fn put_answer(&mut self, object: LiveObject) -> Option<LiveEvent> {
        match self.gone.uids.contains(&object.uid) {
            true => None,
            false => self.put(object).1,
        }
    }

    /// Puts an object where it belongs, unless what is there is as new. Returns its place, and
    /// what changed if anything did. The same version may read otherwise after its kind was
    /// defined anew.
    pub(crate) fn put(&mut self, object: LiveObject) -> (Slot, Option<LiveEvent>) {
        let kind = object.kind.gvk.group_kind();
        let found = self.find(&kind, &object.namespace, &object.name);
        let before = found.and_then(|slot| self.at(slot)).cloned();
        if let (Some(slot), Some(before)) = (found, &before)
            && before.uid == object.uid
            && (is_newer(&before.resource_version, &object.resource_version)
                || before.resource_version == object.resource_version
                    && before.lens == object.lens
                    && before.hash == object.hash)
        {
            return (slot, None);
        }
        let old_app = before.as_ref().and_then(|before| self.root_app(before));
        let slot = match found {
            Some(slot) => {
                self.unlink(slot);
                slot
            }
            None => self.free.pop().unwrap_or_else(|| {
                self.slots.push(None);
                Slot::try_from(self.slots.len() - 1).expect("4 billion objects fit no memory")
            }),
        };
        let object = Arc::new(object);
        self.slots[slot as usize] = Some(object.clone());
        self.link(slot, &object, kind);
        let app = self.root_app(&object);
        let event = LiveEvent {
            key: object.key(),
            uid: object.uid.clone(),
            change: if before.is_some() { Change::Modified } else { Change::Added },
            tracked: object.app.is_some(),
            old_app: old_app.filter(|old| before.is_some() && Some(old) != app.as_ref()),
            old_hash: before.map(|before| before.hash),
            new_hash: Some(object.hash),
            app,
        };
        (slot, Some(event))
    }

    /// Notes that an object of which nothing but its metadata is kept has a newer version, and is
    /// otherwise as it was; `before` is the version that was written.
    pub(crate) fn note_version(&mut self, key: &ObjectKey, before: &str, version: &str) {
        let found = self.find(&key.group_kind(), &key.namespace, &key.name);
        let held = found.and_then(|slot| self.slots.get_mut(slot as usize)?.as_mut());
        if let Some(object) = held.filter(|object| {
            &*object.resource_version == before && object.is_untold() && is_newer(version, before)
        }) {
            Arc::make_mut(object).resource_version = version.into();
        }
    }

    /// Forgets an object, if the one that is known is no other and no newer one.
    pub(crate) fn remove(
        &mut self,
        kind: &GroupKind,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
    ) -> Option<LiveEvent> {
        self.gone.note(uid.into());
        let slot = self.find(kind, namespace, name)?;
        let known = self.at(slot)?;
        if &*known.uid != uid && is_newer(&known.resource_version, version) {
            return None;
        }
        self.remove_slot(slot)
    }

    /// Forgets what a full state did not tell: all of a kind in a namespace (`""`: in all) that
    /// was not `seen` and is not newer than the state.
    pub(crate) fn remove_unseen(
        &mut self,
        kind: &GroupKind,
        namespace: &str,
        seen: &HashSet<Slot>,
        version: Option<&str>,
    ) -> Vec<LiveEvent> {
        let Some(table) = self.tables.get(kind) else { return Vec::new() };
        let gone: Vec<Slot> = table
            .iter()
            .filter(|(ns, _)| namespace.is_empty() || &***ns == namespace)
            .flat_map(|(_, names)| names.values())
            .copied()
            .filter(|slot| !seen.contains(slot))
            .filter(|slot| {
                let known = self.at(*slot).map_or("", |known| &*known.resource_version);
                version.is_none_or(|version| !is_newer(known, version))
            })
            .collect();
        gone.into_iter().filter_map(|slot| self.remove_slot(slot)).collect()
    }

    fn remove_slot(&mut self, slot: Slot) -> Option<LiveEvent> {
        let object = self.at(slot)?.clone();
        let app = self.root_app(&object);
        self.gone.note(object.uid.clone());
        self.unlink(slot);
        self.slots[slot as usize] = None;
        self.free.push(slot);
        Some(LiveEvent {
            key: object.key(),
            uid: object.uid.clone(),
            change: Change::Deleted,
            tracked: object.app.is_some(),
            app,
            old_app: None,
            old_hash: Some(object.hash),
            new_hash: None,
        })
    }

    fn link(&mut self, slot: Slot, object: &Arc<LiveObject>, kind: GroupKind) {
        let names = self.tables.entry(kind).or_default();
        names.entry(object.namespace.clone()).or_default().insert(object.name.clone(), slot);
        if !object.uid.is_empty() {
            self.by_uid.insert(object.uid.clone(), slot);
        }
        if let Some(app) = &object.app {
            self.by_app.entry(app.clone()).or_default().push(slot);
        }
        for owner in &object.owners {
            match owner.uid.is_empty() {
                true => self.by_owner_key.entry(owner_key(owner, &object.namespace)).or_default(),
                false => self.by_owner_uid.entry(owner.uid.clone()).or_default(),
            }
            .push(slot);
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Some(object) = self.at(slot).cloned() else { return };
        let kind = object.kind.gvk.group_kind();
        if let Some(table) = self.tables.get_mut(&kind) {
            if let Some(names) = table.get_mut(&object.namespace) {
                names.remove(&object.name);
                if names.is_empty() {
                    table.remove(&object.namespace);
                }
            }
            if table.is_empty() {
                self.tables.remove(&kind);
            }
        }
        if self.by_uid.get(&object.uid) == Some(&slot) {
            self.by_uid.remove(&object.uid);
        }
        if let Some(app) = &object.app {
            leave(&mut self.by_app, app, slot);
        }
        for owner in &object.owners {
            match owner.uid.is_empty() {
                true => leave(&mut self.by_owner_key, &owner_key(owner, &object.namespace), slot),
                false => leave(&mut self.by_owner_uid, &owner.uid, slot),
            }
        }
    }

    /// What an object owns, sorted by key.
    pub(crate) fn children(&self, object: &LiveObject) -> Vec<Arc<LiveObject>> {
        let mut slots: BTreeSet<Slot> = BTreeSet::new();
        if !object.uid.is_empty() {
            slots.extend(self.by_owner_uid.get(&object.uid).into_iter().flatten());
        }
        slots.extend(self.by_owner_key.get(&object.key()).into_iter().flatten());
        if object.claim_prefixes.is_some() {
            let claims = GroupKind::new("", "PersistentVolumeClaim");
            let names = self.tables.get(&claims).and_then(|table| table.get(&object.namespace));
            slots.extend(
                names
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| object.made_claim(name))
                    .map(|n| n.1),
            );
        }
        self.all(slots.iter())
    }

    /// All that stands below an object, parents before what they own; each once.
    pub(crate) fn descendants(&self, object: &LiveObject) -> Vec<Arc<LiveObject>> {
        let mut met: HashSet<ObjectKey> = HashSet::from([object.key()]);
        let mut tree = self.children(object);
        tree.retain(|child| met.insert(child.key()));
        let mut at = 0;
        while at < tree.len() {
            for child in self.children(&tree[at].clone()) {
                if met.insert(child.key()) {
                    tree.push(child);
                }
            }
            at += 1;
        }
        tree
    }

    /// The application of an object: its own, or that of the nearest owner that has one.
    pub(crate) fn root_app(&self, object: &Arc<LiveObject>) -> Option<Arc<str>> {
        let mut layer = vec![object.clone()];
        for _ in 0..OWNERS_DEEP_MAX {
            if let Some(app) = layer.iter().find_map(|object| object.app.clone()) {
                return Some(app);
            }
            layer = layer.iter().flat_map(|object| self.parents(object)).collect();
            if layer.is_empty() {
                return None;
            }
        }
        None
    }

    fn parents(&self, object: &LiveObject) -> Vec<Arc<LiveObject>> {
        let mut parents: Vec<_> = object
            .owners
            .iter()
            .filter_map(|owner| match owner.uid.is_empty() {
                true => self.get(&owner_key(owner, &object.namespace)),
                false => self.by_uid(&owner.uid),
            })
            .cloned()
            .collect();
        if object.is_kind("", "PersistentVolumeClaim") {
            let sets = GroupKind::new("apps", "StatefulSet");
            let names = self.tables.get(&sets).and_then(|table| table.get(&object.namespace));
            parents.extend(
                names
                    .into_iter()
                    .flat_map(HashMap::values)
                    .filter_map(|slot| self.at(*slot))
                    .filter(|set| set.made_claim(&object.name))
                    .cloned(),
            );
        }
        parents
    }

    /// Whether no index holds anything.
    #[cfg(test)]
    pub(crate) fn is_empty_inside(&self) -> bool {
        self.tables.is_empty()
            && self.by_uid.is_empty()
            && self.by_app.is_empty()
            && self.by_owner_uid.is_empty()
            && self.by_owner_key.is_empty()
    }
}

fn owner_key(owner: &Owner, namespace: &str) -> ObjectKey {
    ObjectKey::new(&*owner.group, &*owner.kind, namespace, &*owner.name)
}

fn leave<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<Slot>>, key: &K, slot: Slot) {
    if let Some(slots) = index.get_mut(key) {
        if let Some(at) = slots.iter().position(|other| *other == slot) {
            slots.swap_remove(at);
        }
        if slots.is_empty() {
            index.remove(key);
        }
    }
}

/// Whether resource version `a` was written after `b`. Versions are whole numbers; what is none
/// is never newer.
pub(super) fn is_newer(a: &str, b: &str) -> bool {
    let number = |text: &str| text.parse::<u128>().ok();
    matches!((number(a), number(b)), (Some(a), Some(b)) if a > b)
}
