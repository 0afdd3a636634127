//! Reading a live object once.

use std::sync::Arc;

use manifest::{key_of, owner_references};
use serde_json::{Map, Value, json};
use sync::marks::{images, is_crd};
use sync::{Live, Tracking, Wellness};

use crate::facts::Seen;

/// Keeps of a live object what decisions ask.
///
/// `health` is the object's own, `None` where its kind has none.
pub fn see(object: &Value, health: Option<(Wellness, String)>, tracking: &Tracking) -> Seen {
    let mut head = Map::new();
    for field in ["apiVersion", "kind"] {
        if let Some(value) = object.get(field) {
            head.insert(field.into(), value.clone());
        }
    }
    let mut metadata = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            // Large, and of a Secret it holds values.
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    head.insert("metadata".into(), metadata);
    if is_crd(object) {
        let spec = json!({
            "group": object.pointer("/spec/group"),
            "names": {"kind": object.pointer("/spec/names/kind")},
        });
        head.insert("spec".into(), spec);
    }
    Seen {
        key: key_of(object),
        tracking_id: tracking.id_of(object),
        app: tracking.app_of(object).map(str::to_owned),
        owned: !owner_references(object).is_empty(),
        urls: crate::urls::urls(object),
        live: Arc::new(Live { head: Value::Object(head), health, images: images(object) }),
    }
}
