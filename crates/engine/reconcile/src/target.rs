//! One object that an Application wants.

use std::sync::Arc;

use manifest::{Gvk, ObjectKey, gvk, key_of, namespace, set_namespace};
use serde_json::Value;
use sync::Tracking;

use crate::said::Said;

/// One object that an Application wants, ready to be compared and applied.
///
/// The object itself is made when it is asked for: most targets stand for what nobody looks into,
/// and would each be a copy of what was rendered.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is called; no namespace where its kind has none.
    pub key: ObjectKey,
    /// Its kind at its version.
    pub gvk: Gvk,
    /// Changes when the object does.
    pub hash: u64,
    /// What it says of itself.
    pub said: Said,
    /// `None`: the cluster does not serve the kind.
    pub namespaced: Option<bool>,
    /// The object as it was written.
    written: Arc<Value>,
    /// What is added to it; `None`: it is whole.
    mark: Option<Arc<Mark>>,
}

/// What an Application adds to each of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The Application's name in tracking metadata.
    pub app: String,
    /// Where objects go that say no namespace.
    pub namespace: String,
    /// How objects are marked.
    pub tracking: Tracking,
}

impl Mark {
    fn put(&self, object: &mut Value, namespaced: Option<bool>) {
        // A kind that is not served yet may be either; upstream takes it for a namespaced one.
        if namespaced.unwrap_or(true) {
            if namespace(object).is_empty() && !self.namespace.is_empty() {
                set_namespace(object, &self.namespace);
            }
        } else if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        self.tracking.mark(object, &self.app, &self.namespace);
    }
}

impl Target {
    /// An object as it is, with nothing to be added.
    pub fn whole(object: Arc<Value>) -> Self {
        Self {
            key: key_of(&object),
            gvk: gvk(&object),
            hash: 0,
            said: Said::by(&object),
            namespaced: None,
            written: object,
            mark: None,
        }
    }

    /// An object as it was written, that an Application will mark.
    pub(crate) fn marked(
        written: &Arc<Value>,
        mark: &Arc<Mark>,
        namespaced: Option<bool>,
        hash: u64,
    ) -> Self {
        let mut object = (**written).clone();
        mark.put(&mut object, namespaced);
        Self {
            key: key_of(&object),
            gvk: gvk(&object),
            hash,
            said: Said::by(&object),
            namespaced,
            written: written.clone(),
            mark: Some(mark.clone()),
        }
    }

    /// Returns the object, with namespace and tracking metadata; each time a new one.
    pub fn object(&self) -> Arc<Value> {
        let Some(mark) = &self.mark else { return self.written.clone() };
        let mut object = (*self.written).clone();
        mark.put(&mut object, self.namespaced);
        Arc::new(object)
    }

    /// The same under another name: for one that has only a prefix.
    pub(crate) fn called(&self, name: String) -> Self {
        let mut object = (*self.object()).clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".into(), name.clone().into());
        }
        let key = ObjectKey { name, ..self.key.clone() };
        Self { key, written: Arc::new(object), mark: None, ..self.clone() }
    }

    /// The object as its source wrote it: all of it but namespace and tracking metadata.
    pub(crate) fn written(&self) -> &Value {
        &self.written
    }
}
