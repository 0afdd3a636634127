//! A live object between two decisions.

use std::sync::Arc;

use serde_json::Value;
use sync::{Live, Wellness};

/// What a sync asks of a live object. Its head rests as text, a fourth of what it takes as a value,
/// and is read when somebody asks: most objects are as they are wanted, and nobody does.
#[derive(Clone, Debug)]
pub struct Resting {
    head: Box<str>,
    deleting: bool,
    /// How it is, and why; `None` for what has no health.
    pub health: Option<(Wellness, String)>,
    /// What its containers run.
    pub images: Vec<String>,
}

impl Resting {
    /// Lays an object down.
    pub(crate) fn of(live: Live) -> Self {
        Self {
            deleting: live.deleting(),
            head: live.head.to_string().into(),
            health: live.health,
            images: live.images,
        }
    }

    /// Returns `apiVersion`, `kind` and `metadata`, as [`Live::head`] has them.
    pub fn head(&self) -> Value {
        serde_json::from_str(&self.head).expect("it was printed by `of`")
    }

    /// Tells whether the object is being deleted.
    pub fn deleting(&self) -> bool {
        self.deleting
    }

    /// Returns it as a sync takes it.
    pub fn live(&self) -> Arc<Live> {
        let (health, images) = (self.health.clone(), self.images.clone());
        Arc::new(Live { head: self.head(), health, images })
    }
}
