//! The choke point's question: may this Application write this object here?

use cluster::{Asked, Gate, Permit, Refusal};
use policy::{Cluster, Project};

/// Asks the project of one Application.
pub(crate) struct ProjectGate {
    pub project: Project,
    pub cluster: Cluster,
}

impl Gate for ProjectGate {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        let write = asked.write();
        let checked = self.project.check_write(
            &self.cluster,
            &write.gvk.group_kind(),
            &write.name,
            &write.namespace,
            asked.namespaced(),
        );
        match checked {
            Ok(()) => Ok(asked.permit()),
            Err(words) => Err(asked.refuse(words)),
        }
    }
}
