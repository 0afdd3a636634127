//! Objects that are shown otherwise than they are kept, so that their next update writes something,
//! whatever it says.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde_json::Value;

use crate::kinds::Kind;

/// How many objects are remembered; others count as written.
const UNWRITTEN_MAX: usize = 10_000;

/// The uids of the objects.
#[derive(Debug, Default)]
pub struct Unwritten(Mutex<HashSet<String>>);

impl Unwritten {
    /// Notes a new object, where it is one of those: a Job, whose labels the server takes from the template
    /// when it reads one, and a claim of a volume.
    pub(super) fn made(&self, kind: &Kind, object: &Value) {
        let is_shown_otherwise = match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "PersistentVolumeClaim") => kind.built_in(),
            ("batch", "Job") => {
                let owners = object["metadata"]["managedFields"].as_array();
                let sent = owners
                    .into_iter()
                    .flatten()
                    .any(|owner| !owner["fieldsV1"]["f:metadata"]["f:labels"].is_null());
                object["metadata"]["labels"].is_object() && !sent
            }
            _ => false,
        };
        if is_shown_otherwise {
            self.kept_otherwise(object);
        }
    }

    /// Notes an object that is kept with more than is shown of it.
    pub fn kept_otherwise(&self, object: &Value) {
        let mut objects = self.0.lock();
        if objects.len() < UNWRITTEN_MAX {
            objects.insert(manifest::uid(object).to_owned());
        }
    }

    /// Forgets an object that was written as it is shown, or is gone.
    pub fn kept_as_shown(&self, object: &Value) {
        let mut objects = self.0.lock();
        if !objects.is_empty() {
            objects.remove(manifest::uid(object));
        }
    }

    /// Whether an update that says nothing new writes the object.
    pub fn has(&self, object: &Value) -> bool {
        let objects = self.0.lock();
        !objects.is_empty() && objects.contains(manifest::uid(object))
    }
}
