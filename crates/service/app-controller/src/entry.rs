//! What is remembered of one Application between two looks. All of it can be found again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use cluster::LiveObject;
use desired::Rendered;
use hashbrown::HashMap;
use manifest::ObjectKey;
use reconcile::{Prepared, Seen, Target};
use sync::Progress;
use tokio::time::Instant;

/// What is remembered of one Application.
#[derive(Default)]
pub(crate) struct Entry {
    /// What was wanted at the last look.
    pub prepared: Option<Made>,
    /// Counts the looks at objects.
    pub looks: u32,
    /// What each object was found to be.
    pub memo: HashMap<ObjectKey, Box<Memo>>,
    /// The same, for an operation that syncs something else than the spec says.
    pub operation_memo: HashMap<ObjectKey, Box<Memo>>,
    /// The operation that runs.
    pub running: Option<Running>,
    /// The attempt that this process has begun: when its operation began, and how often it was tried.
    pub begun: Option<(String, i64)>,
    /// What the last full sync made, and what the last attempt tried to make.
    pub applied: Vec<Applied>,
    /// Whether what an earlier process applied has been looked for.
    pub looked_back: bool,
    /// How often in a row the manifests could not be had.
    pub failures: u32,
    /// Names what the last look saw, where it came to nothing: the same comes to nothing again.
    pub quiet: u64,
    /// Since when the repository fails; `None`: it did not at the last look.
    pub repository_fails_since: Option<Instant>,
    /// When everything is rendered anew next.
    pub hard_due: Option<Instant>,
}

/// Prepared objects, and what they were made of.
#[derive(Clone)]
pub(crate) struct Made {
    pub rendered: Arc<Rendered>,
    /// Names what else they depend on: settings, kinds.
    pub context: u64,
    pub prepared: Arc<Prepared>,
}

/// What one object was found to be.
pub(crate) struct Memo {
    pub target_hash: Option<u64>,
    /// The live object's version; `""` where there is none.
    pub live_version: String,
    /// What it says: one version reads otherwise once its kind is defined anew; 0 where there is none.
    pub live_hash: u64,
    /// Names the rules by which it was compared.
    pub rules: u64,
    /// Names the object and all of the above.
    pub digest: u64,
    /// The look that met the object last.
    pub look: u32,
    pub seen: Option<Arc<Seen>>,
    pub modified: bool,
    pub structural_refusal: Option<Arc<str>>,
    pub problem: Option<String>,
}

impl Memo {
    /// The same, with its digest.
    pub fn named(self, key: &ObjectKey) -> Self {
        let mut hash = DefaultHasher::new();
        (key, &self.live_version, self.live_hash).hash(&mut hash);
        (self.target_hash, self.rules).hash(&mut hash);
        Self { digest: hash.finish(), ..self }
    }

    /// Tells whether the object is still as it was compared, by the same rules.
    pub fn still_holds(&self, target: &Target, held: Option<&LiveObject>, rules: u64) -> bool {
        self.target_hash == Some(target.hash)
            && self.live_version == held.map_or("", LiveObject::resource_version)
            && self.live_hash == held.map_or(0, LiveObject::hash)
            && self.rules == rules
            && self.problem.is_none()
    }
}

/// An operation as this process knows it.
pub(crate) struct Running {
    /// Tells operations apart: when it began, and how often it was tried.
    pub id: (String, i64),
    pub progress: Progress,
}

/// What a sync has made, or tried to make.
#[derive(Clone)]
pub(crate) struct Applied {
    /// The rendering's key.
    pub key: u64,
    pub prepared: Arc<Prepared>,
    /// Whether the whole Application was synced, and well.
    pub whole: bool,
    /// Where each object stands among the prepared ones, once somebody asked.
    places: OnceLock<HashMap<ObjectKey, usize>>,
}

impl Applied {
    /// What was to be made; `whole` tells whether all of it was, and well.
    pub fn new(key: u64, prepared: Arc<Prepared>, whole: bool) -> Self {
        Self { key, prepared, whole, places: OnceLock::new() }
    }

    fn target(&self, key: &ObjectKey) -> Option<&Arc<Target>> {
        let targets = &self.prepared.targets;
        let places = self.places.get_or_init(|| {
            targets.iter().enumerate().map(|(at, target)| (target.key.clone(), at)).collect()
        });
        places.get(key).map(|at| &targets[*at])
    }
}

/// How many sets of applied objects are remembered: the last whole one, and the last one tried.
const APPLIED_MAX: usize = 2;

impl Entry {
    /// Remembers what a sync made; a whole one takes the place of all before it.
    pub fn remember(&mut self, applied: Applied) {
        if applied.whole {
            self.applied.clear();
        }
        self.applied.retain(|one| one.whole || one.key != applied.key);
        if self.applied.len() >= APPLIED_MAX {
            self.applied.remove(1);
        }
        self.applied.push(applied);
    }

    /// Returns the objects of this name that syncs of something else have made.
    pub fn previous(&self, key: &ObjectKey, wanted: &Arc<Prepared>) -> Vec<Arc<serde_json::Value>> {
        self.others(wanted)
            .filter_map(|applied| applied.target(key))
            .map(|target| target.object())
            .collect()
    }

    /// The same for the wanted object at a place, but for what is as it is wanted now.
    pub fn previous_of(&self, at: usize, wanted: &Arc<Prepared>) -> Vec<&Arc<Target>> {
        let target = &wanted.targets[at];
        // Most stand where they stood before.
        let is_same = |applied: &&Applied| {
            applied.prepared.targets.get(at).is_some_and(|before| Arc::ptr_eq(before, target))
        };
        self.others(wanted)
            .filter(|applied| !is_same(applied))
            .filter_map(|applied| applied.target(&target.key))
            .filter(|before| before.hash != target.hash)
            .collect()
    }

    fn others(&self, wanted: &Arc<Prepared>) -> impl Iterator<Item = &Applied> {
        self.applied.iter().filter(|applied| !Arc::ptr_eq(&applied.prepared, wanted))
    }
}
