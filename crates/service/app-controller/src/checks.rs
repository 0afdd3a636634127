//! Checking predictions: a few of them are held to the cluster's dry run, and where the two
//! disagree the cluster's word is taken.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use compare::{Comparison, Finding, Sampler, Share, check};
use manifest::ObjectKey;
use parking_lot::Mutex;
use serde_json::Value;
use tracing::{debug, warn};

use crate::metrics::Tally;

/// Draws the predictions that are checked.
pub(crate) struct Checks {
    sampler: Mutex<Sampler>,
    /// The same object at the same version draws the same number while the process lives.
    draws: RandomState,
    began: Instant,
}

impl Default for Checks {
    fn default() -> Self {
        Self { sampler: Mutex::default(), draws: RandomState::new(), began: Instant::now() }
    }
}

impl Checks {
    /// Tells whether the comparison of this object, at this version and for this target, is
    /// checked.
    pub fn takes(&self, share: Share, key: &ObjectKey, version: &str, target_hash: u64) -> bool {
        let draw = self.draws.hash_one((key, version, target_hash));
        self.sampler.lock().takes(share, draw, self.began.elapsed())
    }
}

/// Counts what a check found, and says so where the two disagree.
pub(crate) fn note(
    tally: &Tally<'_>,
    target: &Value,
    live: &Value,
    [here, there]: [&Comparison; 2],
    rules: &compare::Rules<'_>,
) {
    let (finding, fields) = check(here, there, target, live, rules);
    tally.checked(target, finding.word());
    // Names of fields only: what stands in them may be secret.
    let fields = fields.join(", ");
    match finding {
        Finding::Agrees => return,
        Finding::Otherwise => {
            // It differs either way; the sync asks nothing else.
            debug!(object = %manifest::key_of(target), fields, "an apply would change other fields than predicted");
            return;
        }
        Finding::Missed | Finding::Imagined => {}
    }
    warn!(
        app.namespace = tally.application.metadata.namespace,
        app.name = tally.application.metadata.name,
        cluster.server = tally.server,
        object = %manifest::key_of(target),
        finding = finding.word(),
        fields,
        "an apply would do something else than was predicted; the cluster's word is taken"
    );
}
