//! Go's maps with string keys.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::named::Tag;
use crate::release::{nests, release};
use crate::text::Str;
use crate::value::Value;
use crate::watch::{self, Asks, UNWATCHED};

/// A map: a reference, as in Go. A clone is the same map; [`Map::copy`] is a new one.
///
/// Entries are kept in the bytewise order of their keys, in which Go prints and ranges.
#[derive(Clone)]
pub struct Map {
    of: Tag,
    entries: Rc<Entries>,
}

#[derive(Default)]
struct Entries {
    of: RefCell<Vec<(Str, Value)>>,
    nil: bool,
    /// Its place, where somebody watches what is read of it.
    watch: Cell<u32>,
}

impl Drop for Entries {
    fn drop(&mut self) {
        let entries = self.of.get_mut();
        if entries.iter().any(|(_, value)| nests(value)) {
            release(entries.drain(..).map(|(_, value)| value));
        }
    }
}

/// What a map is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`.
    String,
    /// A named map type (`common.Values`), with the name that `%T` prints.
    Named(&'static str),
}

impl Map {
    /// A new, empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::typed(MapType::Any)
    }

    /// A new, empty map of another type.
    pub fn typed(of: MapType) -> Self {
        Self { of: of.into(), entries: Rc::default() }
    }

    /// A nil map: empty, but `null` in JSON, equal to nil and not to an empty one
    /// (`DeepEqual`). Whoever sets a key of one fails in Go: `assignment to entry in nil map`.
    pub fn nil(of: MapType) -> Self {
        let entries = Entries { of: RefCell::default(), nil: true, watch: Cell::default() };
        Self { of: of.into(), entries: Rc::new(entries) }
    }

    /// Whether it is a nil map.
    pub fn is_nil(&self) -> bool {
        self.entries.nil && self.is_empty()
    }

    /// Whether it was a nil map when it was made.
    pub(crate) fn is_made_nil(&self) -> bool {
        self.entries.nil
    }

    /// A new map of the entries; of two with the same key the last one stays.
    pub fn of(of: MapType, entries: impl IntoIterator<Item = (Str, Value)>) -> Self {
        let map = Self::typed(of);
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }

    /// As [`Map::of`]; where the keys stand in order, each once, that is no work at all.
    pub fn of_sorted(of: MapType, entries: Vec<(Str, Value)>) -> Self {
        if !entries.is_sorted_by(|(one, _), (other, _)| one < other) {
            return Self::of(of, entries);
        }
        let of_entries = RefCell::new(entries);
        let entries = Entries { of: of_entries, nil: false, watch: Cell::default() };
        Self { of: of.into(), entries: Rc::new(entries) }
    }

    /// What it is declared as.
    pub fn map_type(&self) -> MapType {
        self.of.into()
    }

    /// Whether its elements are `interface {}`: a missing one is nil.
    pub fn holds_anything(&self) -> bool {
        !self.of.is_string()
    }

    /// Go's type.
    pub fn type_name(&self) -> &'static str {
        match self.map_type() {
            MapType::Any => "map[string]interface {}",
            MapType::String => "map[string]string",
            MapType::Named(name) => name,
        }
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.note(Asks::Count);
        self.entries.of.borrow().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.note(Asks::IsEmpty);
        self.entries.of.borrow().is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.note(Asks::Value(key));
        let entries = self.entries.of.borrow();
        find(&entries, key).map(|at| entries[at].1.clone())
    }

    /// Looks at the value of a key, without copying. `look` must not change this map.
    pub fn with<T>(&self, key: &[u8], look: impl FnOnce(Option<&Value>) -> T) -> T {
        self.note(Asks::Value(key));
        self.look(key, look)
    }

    /// As [`Map::with`]; who watches does not see it.
    pub(crate) fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&Value>) -> T) -> T {
        let entries = self.entries.of.borrow();
        look(find(&entries, key).map(|at| &entries[at].1))
    }

    /// Looks at all entries; who watches does not see it.
    pub(crate) fn look_at_all<T>(&self, look: impl FnOnce(&[(Str, Value)]) -> T) -> T {
        look(&self.entries.of.borrow())
    }

    /// Whether it has the key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.note(Asks::Presence(key));
        find(&self.entries.of.borrow(), key).is_some()
    }

    /// Sets a key; everyone who holds this map sees it. The former value.
    pub fn insert(&self, key: Str, value: Value) -> Option<Value> {
        self.will_change();
        self.insert_unseen(key, value)
    }

    /// As [`Map::insert`]; who watches does not see it. For what is no template's doing.
    pub fn insert_unseen(&self, key: Str, value: Value) -> Option<Value> {
        let mut entries = self.entries.of.borrow_mut();
        // Most maps are built in order.
        if entries.last().is_none_or(|(last, _)| *last < key) {
            entries.push((key, value));
            return None;
        }
        match position(&entries, &key) {
            Ok(at) => Some(std::mem::replace(&mut entries[at].1, value)),
            Err(at) => {
                entries.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out; everyone who holds this map sees it.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.will_change();
        let mut entries = self.entries.of.borrow_mut();
        let at = position(&entries, key).ok()?;
        Some(entries.remove(at).1)
    }

    /// The keys, in order.
    pub fn keys(&self) -> Vec<Str> {
        self.note(Asks::Keys);
        self.entries.of.borrow().iter().map(|(key, _)| key.clone()).collect()
    }

    /// The entries, in the order of their keys, as they are now.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.note(Asks::All);
        self.entries.of.borrow().clone()
    }

    /// Looks at each entry in order, without copying. `look` must not change this map.
    pub fn for_each(&self, mut look: impl FnMut(&Str, &Value)) {
        self.note_all();
        for (key, value) in self.entries.of.borrow().iter() {
            look(key, value);
        }
    }

    /// Looks at all entries, in the order of their keys, without copying. `look` must not change
    /// this map.
    pub fn look_at_entries<T>(&self, look: impl FnOnce(&[(Str, Value)]) -> T) -> T {
        self.note_all();
        self.look_at_all(look)
    }

    /// Changes values in place, in the order of their keys. `change` must not use this map.
    pub fn update(&self, mut change: impl FnMut(&Str, &mut Value)) {
        self.will_change();
        for (key, value) in self.entries.of.borrow_mut().iter_mut() {
            change(key, value);
        }
    }

    /// Takes all entries out; everyone who holds this map sees it.
    pub fn take_entries(&self) -> Vec<(Str, Value)> {
        self.will_change();
        self.entries.of.take()
    }

    /// A new map of the same type with the same entries; values are shared.
    pub fn copy(&self) -> Self {
        self.copy_as(self.map_type())
    }

    /// The same entries under another type: a new map.
    pub fn copy_as(&self, of: MapType) -> Self {
        Self {
            of: of.into(),
            entries: Rc::new(Entries {
                of: RefCell::new(self.entries()),
                nil: self.entries.nil,
                watch: Cell::default(),
            }),
        }
    }

    /// The same map seen as another type (`common.Values` as `map[string]interface {}`): what
    /// is set in one is set in the other.
    pub fn seen_as(&self, of: MapType) -> Self {
        Self { of: of.into(), entries: self.entries.clone() }
    }

    /// Whether both are the same map, not only equal.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// A number that tells this map from all others that are alive (for finding cycles).
    pub fn identity(&self) -> usize {
        Rc::as_ptr(&self.entries).addr()
    }

    /// Its place for who watches.
    pub(crate) fn watch(&self) -> u32 {
        self.entries.watch.get()
    }

    pub(crate) fn set_watch(&self, place: u32) {
        self.entries.watch.set(place);
    }

    fn note(&self, asks: Asks<'_>) {
        if self.watch() != UNWATCHED {
            watch::note(self, asks);
        }
    }

    /// Apart, for the stacks of those who walk with [`Map::for_each`].
    fn note_all(&self) {
        self.note(Asks::All);
    }

    fn will_change(&self) {
        if self.watch() != UNWATCHED {
            watch::changed();
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// Shallow on purpose: a map may hold itself.
impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} entries", self.type_name(), self.len())
    }
}

/// Maps of no more entries are looked through from the beginning.
const SMALL: usize = 8;

fn find(entries: &[(Str, Value)], key: &[u8]) -> Option<usize> {
    if entries.len() <= SMALL {
        return entries.iter().position(|(known, _)| known.as_bytes() == key);
    }
    position(entries, key).ok()
}

fn position(entries: &[(Str, Value)], key: &[u8]) -> Result<usize, usize> {
    entries.binary_search_by(|(known, _)| known.as_bytes().cmp(key))
}
