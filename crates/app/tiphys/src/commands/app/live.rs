//! An Application's objects as they are in their cluster.

use anyhow::Result;
use cluster::{ApiError, Cluster};
use crd::{Application, ResourceStatus};
use futures::future::try_join_all;
use manifest::{Gvk, ObjectKey};
use serde_json::Value;

use crate::commands::connect::Session;

/// One object that an Application knows, and what is there of it.
pub struct LiveResource {
    /// What the Application knows.
    pub status: ResourceStatus,
    /// The object; `None` where there is none.
    pub object: Option<Value>,
}

impl LiveResource {
    /// What the object is called.
    pub fn key(&self) -> ObjectKey {
        let status = &self.status;
        ObjectKey::new(
            status.group.as_str(),
            status.kind.as_str(),
            status.namespace.as_str(),
            status.name.as_str(),
        )
    }
}

/// Connects to an Application's cluster, and asks it what kinds it serves.
pub async fn destination(session: &Session, application: &Application) -> Result<Cluster> {
    let cluster = session.destination(application).await?;
    cluster.discover().await?;
    Ok(cluster)
}

/// Reads the objects that the Application's status names, in that order.
pub async fn resources(cluster: &Cluster, application: &Application) -> Result<Vec<LiveResource>> {
    let reads = application.status.resources.iter().map(async |status| {
        let kind = Gvk::new(status.group.as_str(), status.version.as_str(), status.kind.as_str());
        let object = object(cluster, &kind, &status.namespace, &status.name).await?;
        anyhow::Ok(LiveResource { status: status.clone(), object })
    });
    try_join_all(reads).await
}

/// Reads one object; a kind that is not served has none.
pub async fn object(
    cluster: &Cluster,
    kind: &Gvk,
    namespace: &str,
    name: &str,
) -> Result<Option<Value>> {
    match cluster.get(kind, namespace, name).await {
        Err(ApiError::KindUnknown { .. }) => Ok(None),
        object => Ok(object?),
    }
}
