//! Reading a live object once.

use manifest::{key_of, owner_references};
use serde_json::{Map, Value, json};
use sync::marks::{images, is_crd};
use sync::{Live, Tracking, Wellness};

use crate::facts::Seen;
use crate::resting::Resting;
use crate::said::Said;

/// How well a live object was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How well.
    pub wellness: Wellness,
    /// Why, for people; where the rule failed, how.
    pub message: String,
    /// Whether the rule itself could not answer: nobody knows how the object is.
    pub rule_failed: bool,
}

/// Keeps of a live object what decisions ask.
///
/// `judged` is the object's own, `None` where its kind has no health.
pub fn see(object: &Value, judged: Option<Judged>, tracking: &Tracking) -> Seen {
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
    let health_error = judged.as_ref().filter(|one| one.rule_failed).map(|one| one.message.clone());
    let key = key_of(object);
    let health = judged.map(|judged| (judged.wellness, judged.message));
    Seen {
        said: Said::by(object),
        health_error,
        described: tracking.id_of(object).is_none_or(|id| id.describes(&key)),
        app: tracking.app_of(object).map(str::to_owned),
        owned: !owner_references(object).is_empty(),
        urls: crate::urls::urls(object),
        key,
        live: Resting::of(Live { head: Value::Object(head), health, images: images(object) }),
    }
}
