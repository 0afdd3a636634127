//! Projects that are being deleted wait for their last Application (PRJ-06).

use std::sync::Arc;

use cluster::Patch;
use serde_json::json;
use tracing::warn;

use crate::shared::{Shared, project_kind};

/// Takes the finalizer off a project that is being deleted and that no Application names.
pub(crate) fn release(shared: &Arc<Shared>, name: &str) {
    let Some(project) = shared.project(name) else { return };
    let finalizers = &project.metadata.finalizers;
    let held = finalizers.iter().any(|one| one == reconcile::RESOURCES_FINALIZER);
    if project.metadata.deletion_timestamp.is_none() || !held {
        return;
    }
    if shared.applications().iter().any(|app| reconcile::project_name(app) == name) {
        return;
    }
    let left: Vec<&String> =
        finalizers.iter().filter(|one| *one != reconcile::RESOURCES_FINALIZER).collect();
    let patch = Patch::Merge(json!({"metadata": {"finalizers": left}}));
    let (shared, name) = (shared.clone(), name.to_owned());
    tokio::spawn(async move {
        let namespace = shared.config.namespace.clone();
        if let Err(error) = shared.home.patch(&project_kind(), &namespace, &name, patch).await {
            warn!(project = name, %error, "project not released");
        }
    });
}
