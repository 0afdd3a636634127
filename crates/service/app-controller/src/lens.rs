//! How the live state of a destination is looked at.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use cluster::Lens;
use manifest::annotation;
use serde_json::{Value, json};
use sync::marks::images;

use crate::judge;
use crate::shared::Snapshot;

/// `"true"`: changes of what the settings ignore are no reason to look at an object's owner either.
const IGNORE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";

/// Reads tracking metadata, keeps of pods what they run, and passes over changes that the settings
/// say nobody looks at (DIF-43).
pub(crate) struct AppLens {
    pub snapshot: Arc<Snapshot>,
}

impl Lens for AppLens {
    fn app_of(&self, object: &Value) -> Option<String> {
        self.snapshot.rules.tracking.app_of(object).map(str::to_owned)
    }

    fn fingerprint(&self, object: &Value) -> u64 {
        let rules = &self.snapshot.ignored_updates;
        let asked = annotation(object, IGNORE_UPDATES) == Some("true");
        let owned = !manifest::owner_references(object).is_empty();
        let tracked = !owned && self.snapshot.rules.tracking.app_of(object).is_some();
        if rules.is_empty() || !(tracked || asked) {
            return cluster::fingerprint(object);
        }
        let mut rest = object.clone();
        rules.strip(&mut rest);
        let mut hash = DefaultHasher::new();
        cluster::fingerprint(&rest).hash(&mut hash);
        // How it is counts, whatever is ignored of why.
        if let Some(judged) = judge::health(&self.snapshot, object) {
            judged.wellness.hash(&mut hash);
        }
        hash.finish()
    }

    fn summary(&self, object: &Value) -> Option<Value> {
        (manifest::kind(object) == "Pod").then(|| json!({"images": images(object)}))
    }
}
