//! What an Application is called in different places.

use crd::Application;

/// The project of an Application that names none.
pub const DEFAULT_PROJECT: &str = "default";

/// Returns the name in tracking metadata: `web`, or `ns_web` outside the control plane's namespace.
pub fn instance_name(application: &Application, control_plane: &str) -> String {
    let metadata = &application.metadata;
    match metadata.namespace.is_empty() || metadata.namespace == control_plane {
        true => metadata.name.clone(),
        false => format!("{}_{}", metadata.namespace, metadata.name),
    }
}

/// Returns `namespace/name`, or the bare name.
pub fn qualified_name(application: &Application) -> String {
    let metadata = &application.metadata;
    match metadata.namespace.is_empty() {
        true => metadata.name.clone(),
        false => format!("{}/{}", metadata.namespace, metadata.name),
    }
}

/// Returns the project that the Application names; an empty name is the default project.
pub fn project_name(application: &Application) -> &str {
    match application.spec.project.as_str() {
        "" => DEFAULT_PROJECT,
        name => name,
    }
}
