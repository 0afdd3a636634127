//! What the service is told: settings and secrets as they stand at this moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use crd::AppProject;

use crate::chance::Seed;

/// Settings and secrets at one moment; another moment is another value.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The namespace in which this installation's objects stand.
    pub control_plane_namespace: String,
    /// Repository secrets, and credentials for whole hosts.
    pub repositories: settings::Repositories,
    /// How sources become objects.
    pub rendering: settings::Rendering,
    /// `argocd-tls-certs-cm`: certificates in PEM by host.
    pub tls_certs: BTreeMap<String, String>,
    /// `argocd-ssh-known-hosts-cm`, key `ssh_known_hosts`.
    pub ssh_known_hosts: String,
    /// What charts' randomness is derived from.
    pub seed: Seed,
}

/// Tells the settings of this moment; asked at each rendering, so it must be cheap.
pub trait Surroundings: Send + Sync {
    /// The same `Arc` as long as nothing changed.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// The projects whose rules hold in `project` as well.
    fn global_projects(&self, project: &AppProject) -> Vec<Arc<AppProject>>;
}

/// Surroundings that never change: for tests, and for commands that end.
#[derive(Clone, Debug)]
pub struct Fixed(pub Arc<Snapshot>);

impl Surroundings for Fixed {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.clone()
    }

    fn global_projects(&self, _project: &AppProject) -> Vec<Arc<AppProject>> {
        Vec::new()
    }
}
