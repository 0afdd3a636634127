//! What makes the controller look: changes of our own objects, of destinations, of repositories.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use cluster::{LiveEvents, ObjectEvent};
use crd::{AppProject, Application, RefreshType};
use desired::{Freshness, RepoChange};
use serde_json::Value;
use tracing::warn;

use crate::applications::{Taken, read};
use crate::queue::{AppKey, Why};
use crate::shared::Shared;

/// Takes in changes of Applications.
pub(crate) fn on_application(shared: &Arc<Shared>, event: ObjectEvent) {
    match event {
        ObjectEvent::Restarted { namespace, objects } => {
            let mut there = BTreeSet::new();
            for object in objects {
                there.insert(AppKey::new(manifest::namespace(&object), manifest::name(&object)));
                take_application(shared, object);
            }
            for key in shared.application_keys() {
                if (namespace.is_empty() || key.namespace == namespace) && !there.contains(&key) {
                    shared.drop_application(&key);
                }
            }
        }
        ObjectEvent::Applied(object) => take_application(shared, object),
        ObjectEvent::Deleted(object) => {
            let key = AppKey::new(manifest::namespace(&object), manifest::name(&object));
            let project = shared.application(&key).map(|gone| gone.spec.project.clone());
            shared.drop_application(&key);
            if let Some(project) = project {
                crate::projects::release(shared, &project);
            }
        }
    }
}

fn take_application(shared: &Arc<Shared>, object: Value) {
    let namespace = manifest::namespace(&object);
    if !shared.looks_after(namespace) {
        return;
    }
    let key = AppKey::new(namespace, manifest::name(&object));
    let known = shared.application(&key);
    if known
        .as_ref()
        .is_some_and(|known| known.metadata.resource_version == manifest::resource_version(&object))
    {
        return;
    }
    let application = match read(object) {
        Ok(application) => application,
        Err(error) => {
            // One that does not read is one that is not looked after; it says so itself.
            warn!(app.namespace = %key.namespace, app.name = %key.name, %error, "application does not read");
            crate::publish::say_unreadable(shared, &key, &error.to_string());
            return;
        }
    };
    let application = Arc::new(application);
    let Taken::New(known) = shared.applications.watched(application.clone()) else { return };
    if let Some(why) = reason(known.as_deref(), &application) {
        shared.queue.push(key, why);
    }
}

/// Returns why a changed Application is looked at, if it is.
fn reason(known: Option<&Application>, new: &Application) -> Option<Why> {
    match new.refresh_requested() {
        Some(RefreshType::Hard) => {
            return Some(Why::fresh(Freshness::Hard, "a hard refresh was asked for"));
        }
        Some(RefreshType::Normal) => {
            return Some(Why::fresh(Freshness::Latest, "a refresh was asked for"));
        }
        None => {}
    }
    let Some(known) = known else { return Some(Why::known("the application is new here")) };
    if known.metadata.uid != new.metadata.uid {
        return Some(Why::known("the application is new"));
    }
    if known.operation != new.operation {
        return Some(Why::known("an operation was asked for"));
    }
    if known.spec.source != new.spec.source || known.spec.sources != new.spec.sources {
        return Some(Why::fresh(Freshness::Latest, "the source changed"));
    }
    if known.spec != new.spec {
        return Some(Why::known("the spec changed"));
    }
    let phase =
        |app: &Application| app.status.operation_state.as_ref().map(|state| state.phase.clone());
    if phase(known) != phase(new) {
        return Some(Why::known("the operation's state was changed"));
    }
    if known.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        || known.metadata.finalizers != new.metadata.finalizers
    {
        return Some(Why::known("the application is being deleted"));
    }
    if known.metadata.annotations != new.metadata.annotations
        || known.metadata.labels != new.metadata.labels
    {
        return Some(Why::known("the metadata changed"));
    }
    None
}

/// Takes in changes of projects.
pub(crate) fn on_project(shared: &Arc<Shared>, event: ObjectEvent) {
    let mut changed = BTreeSet::new();
    match event {
        ObjectEvent::Restarted { objects, .. } => {
            let there: BTreeSet<String> =
                objects.iter().map(|object| manifest::name(object).to_owned()).collect();
            for project in shared.projects() {
                if !there.contains(&project.metadata.name) {
                    shared.drop_project(&project.metadata.name);
                    changed.insert(project.metadata.name.clone());
                }
            }
            for object in &objects {
                changed.extend(take_project(shared, object));
            }
        }
        ObjectEvent::Applied(object) => changed.extend(take_project(shared, &object)),
        ObjectEvent::Deleted(object) => {
            shared.drop_project(manifest::name(&object));
            changed.insert(manifest::name(&object).to_owned());
        }
    }
    if changed.is_empty() {
        return;
    }
    let globals: BTreeSet<String> = shared
        .snapshot()
        .settings
        .global_projects
        .iter()
        .map(|global| global.project_name.clone())
        .collect();
    let everybody = changed.iter().any(|name| globals.contains(name));
    for application in shared.applications() {
        if everybody || changed.contains(reconcile::project_name(&application)) {
            let metadata = &application.metadata;
            let key = AppKey::new(&metadata.namespace, &metadata.name);
            shared.queue.push(key, Why::known("the project changed"));
        }
    }
}

fn take_project(shared: &Arc<Shared>, object: &Value) -> Option<String> {
    match serde_json::from_value::<AppProject>(object.clone()) {
        Ok(project) => {
            let name = project.metadata.name.clone();
            let known = shared.project(&name);
            for words in policy::Project::new(&project, &[]).warnings() {
                warn!(project = name, warning = words, "a project needs a person");
            }
            let same = known.as_ref().is_some_and(|known| {
                known.spec == project.spec && known.metadata.labels == project.metadata.labels
            });
            let going = project.metadata.deletion_timestamp.is_some();
            shared.put_project(project);
            if going {
                crate::projects::release(shared, &name);
            }
            (!same).then_some(name)
        }
        Err(error) => {
            warn!(project = manifest::name(object), %error, "project does not read");
            None
        }
    }
}

/// Takes in what changes in a destination, until it is gone.
pub(crate) async fn pump(shared: Weak<Shared>, mut events: LiveEvents, server: String) {
    while let Some(changes) = events.next().await {
        let Some(shared) = shared.upgrade() else { return };
        shared.metrics.cluster_events(&server, &changes);
        let mut apps: BTreeSet<&str> = BTreeSet::new();
        for change in changes.iter().filter(|change| change.matters()) {
            apps.extend(change.app.as_deref());
            apps.extend(change.old_app.as_deref());
        }
        for app in apps {
            let key = shared.key_of_instance(app);
            if shared.application(&key).is_some() {
                shared.queue.push(key, Why::known("an object changed"));
            }
        }
    }
}

/// Takes in that a repository has new content.
pub(crate) fn on_repository(shared: &Shared, change: &RepoChange) {
    for application in shared.applications() {
        let spec = &application.spec;
        let uses = spec
            .source
            .iter()
            .chain(&spec.sources)
            .any(|source| crd::normalize_repo_url(&source.repo_url) == change.repo_url);
        if uses {
            let metadata = &application.metadata;
            let key = AppKey::new(&metadata.namespace, &metadata.name);
            shared.queue.push(key, Why::known("the repository changed"));
        }
    }
}
