//! Renderings with what they were made from, bounded by bytes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use desired::{DesiredObject, Rendered};
use filetree::ReadSet;
use render::RenderError;

use crate::key::Key;
use crate::pin::Pin;
use crate::weight::weigh;

/// How many renderings of one key are kept: branches that an Application goes to and fro between.
const VARIANTS_MAX: usize = 3;

/// What one source gave, and what it read for it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The newest revision known to give this.
    pub(crate) pin: Pin,
    pub(crate) read_set: Arc<ReadSet>,
    /// What was read of other sources, by their place among the sources.
    pub(crate) of_others: Arc<Vec<(usize, ReadSet)>>,
    /// What was asked about the destination, which was this one.
    pub(crate) asked: Arc<AskedOf>,
    pub(crate) outcome: Result<Arc<Objects>, RenderError>,
}

/// Questions about a destination, and the destination.
#[derive(Debug, Default)]
pub(crate) struct AskedOf {
    pub(crate) asked: render::Asked,
    pub(crate) kube_version: String,
    pub(crate) api_versions: Arc<[String]>,
}

impl AskedOf {
    /// Whether a destination answers the same.
    pub(crate) fn holds_for(&self, kube_version: &str, api_versions: &[String]) -> bool {
        let before = (self.kube_version.as_str(), &*self.api_versions);
        self.asked.holds(before, (kube_version, api_versions))
    }
}

/// A source's objects.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) objects: Arc<[DesiredObject]>,
    pub(crate) source_type: &'static str,
}

/// One rendering of one key.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) sources: Vec<Made>,
    /// Absent where a source failed.
    pub(crate) rendered: Option<Arc<Rendered>>,
}

impl Variant {
    pub(crate) fn is_of(&self, pins: &[Pin]) -> bool {
        self.sources.len() == pins.len()
            && self.sources.iter().zip(pins).all(|(made, pin)| made.pin == *pin)
    }

    /// Bytes, about. Objects that a variant `like` it has at the same places are not weighed again:
    /// most of what changes is small beside what stays.
    fn weight_bytes(&self, like: Option<&Weighed>) -> Weight {
        let mut weight = Weight { objects: Vec::with_capacity(self.sources.len()), bytes: 500 };
        for (index, made) in self.sources.iter().enumerate() {
            let known = like.and_then(|like| {
                let known = like.variant.sources.get(index)?.outcome.as_ref().ok()?;
                Some((&*known.objects, *like.weight.objects.get(index)?))
            });
            let objects = match &made.outcome {
                Ok(objects) => weigh_objects(&objects.objects, known),
                Err(error) => error.to_string().len(),
            };
            let asked: usize =
                made.read_set.iter().map(|(path, ..)| path.as_str().len() + 96).sum();
            weight.objects.push(objects);
            weight.bytes += objects + asked + 200;
        }
        weight
    }
}

/// What a variant takes.
#[derive(Clone, Debug)]
struct Weight {
    /// Of it each source's objects.
    objects: Vec<usize>,
    bytes: usize,
}

struct Weighed {
    variant: Variant,
    weight: Weight,
}

/// Weighs objects, where others have been weighed.
fn weigh_objects(objects: &[DesiredObject], known: Option<(&[DesiredObject], usize)>) -> usize {
    let Some((known, bytes)) = known.filter(|(known, _)| known.len() == objects.len()) else {
        return objects.iter().map(weigh_object).sum();
    };
    let others = objects.iter().zip(known).filter(|(new, old)| {
        !Arc::ptr_eq(&new.object, &old.object) || new.origin.file.len() != old.origin.file.len()
    });
    let (more, less) = others.fold((0, 0), |(more, less), (new, old)| {
        (more + weigh_object(new), less + weigh_object(old))
    });
    bytes + more - less
}

fn weigh_object(desired: &DesiredObject) -> usize {
    size_of::<DesiredObject>() + weigh(&desired.object) + desired.origin.file.len() + 32
}

struct Entry {
    /// The newest first.
    variants: VecDeque<Weighed>,
    bytes: usize,
    used: u64,
}

/// All renderings that are kept.
pub(crate) struct Cache {
    entries: HashMap<Key, Entry>,
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
    bytes_max: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0, bytes: 0, bytes_max }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The renderings of a key, the newest first.
    pub(crate) fn get(&mut self, key: &Key) -> Vec<Variant> {
        self.touch(key);
        self.entries
            .get(key)
            .map(|entry| entry.variants.iter().map(|one| one.variant.clone()).collect())
            .unwrap_or_default()
    }

    /// The rendering of exactly these revisions, for a destination that answers the same.
    pub(crate) fn get_exact(
        &mut self,
        key: &Key,
        pins: &[Pin],
        kube_version: &str,
        api_versions: &[String],
    ) -> Option<Variant> {
        self.touch(key);
        let entry = self.entries.get(key)?;
        let holds = |made: &Made| made.asked.holds_for(kube_version, api_versions);
        let fits = |variant: &&Variant| variant.is_of(pins) && variant.sources.iter().all(holds);
        entry.variants.iter().map(|one| &one.variant).find(fits).cloned()
    }

    fn touch(&mut self, key: &Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        self.by_use.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.by_use.insert(self.uses, *key);
    }

    /// Keeps a rendering; `replaces` goes. The longest unused keys go where there is no room,
    /// and what is larger than the whole cache is not kept.
    pub(crate) fn put(&mut self, key: Key, variant: Variant, replaces: Option<&Variant>) {
        let mut variants = match self.remove(&key) {
            Some(entry) => entry.variants,
            None => VecDeque::new(),
        };
        let weight = variant.weight_bytes(variants.front());
        variants.retain(|Weighed { variant: known, .. }| {
            let same = |other: &Variant| {
                known.sources.len() == other.sources.len()
                    && known
                        .sources
                        .iter()
                        .zip(&other.sources)
                        .all(|(one, other)| Arc::ptr_eq(&one.read_set, &other.read_set))
            };
            !same(&variant) && !replaces.is_some_and(same)
        });
        variants.push_front(Weighed { variant, weight });
        variants.truncate(VARIANTS_MAX);
        let bytes = variants.iter().map(|one| one.weight.bytes).sum();
        if bytes > self.bytes_max {
            return;
        }
        self.uses += 1;
        self.bytes += bytes;
        self.by_use.insert(self.uses, key);
        self.entries.insert(key, Entry { variants, bytes, used: self.uses });
        while self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.by_use.first_key_value() else { break };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry)
    }
}
