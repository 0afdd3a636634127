//! What an object says of itself that every comparison asks, read once a version of the object.

use manifest::{Gvk, annotation, gvk};
use serde_json::Value;
use sync::marks::{
    COMPARE_OPTIONS, SYNC_OPTIONS, has_option, has_sync_phase, is_any_hook, is_ignored,
    is_post_delete_hook, is_pre_delete_hook, is_skipped, is_sync_hook, option_value, wave,
};

const IGNORE_HEALTH: &str = "argocd.argoproj.io/ignore-healthcheck";

/// The options whose value may be `confirm`.
pub(crate) const CONFIRMED: [&str; 2] = ["Delete", "Prune"];

/// What an object says of itself.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub(crate) gvk: Gvk,
    /// It runs in a sync or in a deletion.
    pub(crate) any_hook: bool,
    pub(crate) sync_hook: bool,
    /// It runs before or after the Application's resources are deleted.
    pub(crate) delete_hook: bool,
    /// It is a hook that runs in a phase of a sync.
    pub(crate) sync_phase: bool,
    /// It is a hook of a type that nobody knows.
    pub(crate) ignored: bool,
    /// It is never applied.
    pub(crate) skipped: bool,
    pub(crate) wave: i64,
    /// Whether a person is asked first, as [`CONFIRMED`] has them; `None`: it says nothing.
    pub(crate) confirms: [Option<bool>; 2],
    /// That git does not have it makes nothing OutOfSync.
    pub(crate) extraneous: bool,
    pub(crate) health_left_out: bool,
}

impl Said {
    /// Reads an object's metadata.
    pub fn by(object: &Value) -> Self {
        let marks = Self { gvk: gvk(object), ..Self::default() };
        if object.pointer("/metadata/annotations").is_none() {
            return marks;
        }
        Self {
            any_hook: is_any_hook(object),
            sync_hook: is_sync_hook(object),
            delete_hook: is_pre_delete_hook(object) || is_post_delete_hook(object),
            sync_phase: has_sync_phase(object),
            ignored: is_ignored(object),
            skipped: is_skipped(object),
            wave: wave(object),
            confirms: CONFIRMED.map(|option| {
                option_value(object, SYNC_OPTIONS, option).map(|value| value == "confirm")
            }),
            extraneous: has_option(object, COMPARE_OPTIONS, "IgnoreExtraneous"),
            health_left_out: annotation(object, IGNORE_HEALTH) == Some("true"),
            ..marks
        }
    }
}
