//! The example: a git repository made from `examples/guestbook`, and an Application on it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::bootstrap::NAMESPACE;

/// The files of the repository.
const FILES: [(&str, &str); 3] = [
    ("guestbook/config.yaml", include_str!("../../../../../examples/guestbook/config.yaml")),
    (
        "guestbook/deployment.yaml",
        include_str!("../../../../../examples/guestbook/deployment.yaml"),
    ),
    ("guestbook/service.yaml", include_str!("../../../../../examples/guestbook/service.yaml")),
];

/// Makes the repository with one commit, unless it is there. Answers whether it made it.
///
/// It is an ordinary work tree: edit, commit, and see it applied.
pub fn make_repository(dir: &Path) -> Result<bool> {
    if dir.join(".git").exists() {
        return Ok(false);
    }
    source::seed(dir, &FILES, "guestbook: two replicas")
        .with_context(|| format!("cannot make the example's repository in `{}`", dir.display()))?;
    Ok(true)
}

/// The Application: it syncs by itself, prunes, and reverts what is changed by hand.
pub fn application(repository: &Path) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "guestbook", "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": format!("file://{}", repository.display()),
                "path": "guestbook",
                "targetRevision": "HEAD",
            },
            "destination": {
                "server": "https://kubernetes.default.svc",
                "namespace": "guestbook",
            },
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    })
}
