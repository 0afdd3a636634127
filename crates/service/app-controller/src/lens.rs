//! How the live state of a destination is looked at.

use cluster::Lens;
use serde_json::{Value, json};
use sync::Tracking;
use sync::marks::images;

/// Reads tracking metadata, and keeps of pods what they run.
pub(crate) struct AppLens {
    pub tracking: Tracking,
}

impl Lens for AppLens {
    fn app_of(&self, object: &Value) -> Option<String> {
        self.tracking.app_of(object).map(str::to_owned)
    }

    fn summary(&self, object: &Value) -> Option<Value> {
        (manifest::kind(object) == "Pod").then(|| json!({"images": images(object)}))
    }
}
