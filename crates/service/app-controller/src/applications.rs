//! The Applications that are known, each at its newest state.

use std::collections::BTreeMap;
use std::sync::Arc;

use crd::{Application, Metadata};
use parking_lot::RwLock;
use serde_json::Value;

use crate::queue::AppKey;

/// Reads an Application as it is held: without its field owners, which are most of it and which
/// nobody here asks for.
///
/// # Errors
/// It does not read.
pub(crate) fn read(mut object: Value) -> Result<Application, serde_json::Error> {
    if let Some(metadata) = object.get_mut("metadata") {
        drop_owners(metadata);
    }
    serde_json::from_value(object)
}

/// The same for its metadata alone.
///
/// # Errors
/// It does not read.
pub(crate) fn read_metadata(mut metadata: Value) -> Result<Metadata, serde_json::Error> {
    drop_owners(&mut metadata);
    serde_json::from_value(metadata)
}

fn drop_owners(metadata: &mut Value) {
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
    }
}

/// Applications by name. Two tell of them, in no order: the watch, and the answers to our own
/// writes; what is held never goes back to an older state.
#[derive(Default)]
pub(crate) struct Applications(RwLock<BTreeMap<AppKey, Arc<Application>>>);

/// What became of an Application that the watch brought.
pub(crate) enum Taken {
    /// It is newer than what was known, if anything was.
    New(Option<Arc<Application>>),
    /// It says nothing new: an echo of our own write.
    Known,
}

impl Applications {
    /// Takes in what the watch brought.
    pub fn watched(&self, application: Arc<Application>) -> Taken {
        let key = key(&application);
        let mut held = self.0.write();
        if held.get(&key).is_some_and(|known| !newer(&application, known)) {
            return Taken::Known;
        }
        Taken::New(held.insert(key, application))
    }

    /// Takes in the answer to a write of our own, unless the watch has brought what came after it:
    /// a newer version, another of the name, or the end.
    pub fn answered(&self, application: &Arc<Application>) {
        if let Some(known) = self.0.write().get_mut(&key(application))
            && known.metadata.uid == application.metadata.uid
            && newer(application, known)
        {
            *known = application.clone();
        }
    }

    pub fn remove(&self, key: &AppKey) {
        self.0.write().remove(key);
    }

    pub fn get(&self, key: &AppKey) -> Option<Arc<Application>> {
        self.0.read().get(key).cloned()
    }

    pub fn keys(&self) -> Vec<AppKey> {
        self.0.read().keys().cloned().collect()
    }

    pub fn all(&self) -> Vec<Arc<Application>> {
        self.0.read().values().cloned().collect()
    }
}

fn key(application: &Application) -> AppKey {
    AppKey::new(&application.metadata.namespace, &application.metadata.name)
}

/// Tells whether one state of an Application came after another. Versions are numbers on every
/// server that we know; where they are not, what differs is newer.
fn newer(new: &Application, known: &Application) -> bool {
    let (new, known) = (&new.metadata, &known.metadata);
    if new.uid != known.uid {
        return true;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    match number(&known.resource_version).zip(number(&new.resource_version)) {
        Some((known, new)) => new > known,
        None => new.resource_version != known.resource_version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(uid: &str, version: &str) -> Arc<Application> {
        let mut application = Application::default();
        application.metadata.name = "web".into();
        application.metadata.uid = uid.into();
        application.metadata.resource_version = version.into();
        Arc::new(application)
    }

    fn held(applications: &Applications) -> Option<String> {
        let held = applications.get(&AppKey::new("", "web"))?;
        Some(format!("{} {}", held.metadata.uid, held.metadata.resource_version))
    }

    #[test]
    fn an_application_is_held_without_its_field_owners() {
        let object = serde_json::json!({
            "metadata": {"name": "web", "managedFields": [{"manager": "kubectl"}], "more": 1},
            "spec": {"project": "default"},
        });
        let rest = read(object).expect("it reads").metadata.rest;
        assert_eq!(rest.keys().collect::<Vec<_>>(), ["more"]);
    }

    #[test]
    fn the_answer_to_a_write_does_not_hide_what_came_after_it() {
        let known = Applications::default();
        known.watched(state("a", "9"));
        known.watched(state("a", "11"));
        known.answered(&state("a", "10"));
        assert_eq!(held(&known).as_deref(), Some("a 11"));
        known.answered(&state("a", "12"));
        assert_eq!(held(&known).as_deref(), Some("a 12"));
        assert!(matches!(known.watched(state("a", "12")), Taken::Known), "an echo");
        known.watched(state("b", "13"));
        known.answered(&state("a", "14"));
        assert_eq!(held(&known).as_deref(), Some("b 13"), "another one of the name");
    }

    #[test]
    fn the_answer_to_a_write_does_not_bring_back_what_is_gone() {
        let known = Applications::default();
        known.watched(state("a", "1"));
        known.remove(&AppKey::new("", "web"));
        known.answered(&state("a", "2"));
        assert_eq!(held(&known), None);
    }
}
