//! Writes to our own objects: Applications, projects, Events, Leases, our settings.
//!
//! What people ask to have deployed never goes this way: [`Home`] refuses every kind that is
//! not ours, so that [`Writer`](crate::Writer) stays the one way to a destination.

use manifest::{Gvk, ObjectKey};
use serde_json::Value;

use crate::client::Cluster;
use crate::echo::Writing;
use crate::error::ApiError;
use crate::transport::Call;
use crate::write::{Action, Patch, Propagation, Refusal, Validation, Write, Written};
use crate::writer::{call_for, send};

/// The manager of the fields that we write to our own objects.
const MANAGER: &str = "argocd-application-controller";

/// Answers with an object's metadata alone.
const METADATA_ALONE: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Writes to our own objects in the cluster that we live in.
#[derive(Clone, Debug)]
pub struct Home {
    cluster: Cluster,
}

impl Home {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// The cluster that we live in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Creates an object, and returns it as it stands then.
    ///
    /// # Errors
    ///
    /// [`ApiError::AlreadyExists`] where there is one; [`ApiError::Refused`] for a kind that is
    /// not ours.
    pub async fn create(&self, object: &Value) -> Result<Value, ApiError> {
        self.write(Write::create(object.clone(), MANAGER)).await.and_then(object_of)
    }

    /// Replaces an object; with a `resourceVersion` only if nobody wrote in between.
    ///
    /// # Errors
    ///
    /// [`ApiError::Conflict`] where somebody did; [`ApiError::Refused`] for a kind that is not
    /// ours.
    pub async fn replace(&self, object: &Value) -> Result<Value, ApiError> {
        self.write(Write::replace(object.clone(), MANAGER)).await.and_then(object_of)
    }

    /// Changes parts of an object, and returns it as it stands then.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotFound`] where there is none; [`ApiError::Refused`] for a kind that is not
    /// ours.
    pub async fn patch(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
        patch: Patch,
    ) -> Result<Value, ApiError> {
        let write = Write::patch(gvk.clone(), namespace, name, patch, MANAGER);
        self.write(write).await.and_then(object_of)
    }

    /// As [`Home::patch`], for who knows what the rest of the object is then: the answer is its
    /// metadata, `kind: PartialObjectMetadata`; the whole object from a server that knows no such
    /// answers.
    ///
    /// # Errors
    ///
    /// As [`Home::patch`].
    pub async fn patch_for_metadata(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
        patch: Patch,
    ) -> Result<Value, ApiError> {
        let write = Write::patch(gvk.clone(), namespace, name, patch, MANAGER);
        self.write_and_take(write, Some(METADATA_ALONE)).await.and_then(object_of)
    }

    /// Says that an object is about to be written, until what is answered is dropped: watches that
    /// are quicker than the server's answer wait for what the writer makes of it.
    pub fn writing(&self, gvk: &Gvk, namespace: &str, name: &str) -> Writing {
        let key = ObjectKey::new(&*gvk.group, &*gvk.kind, namespace, name);
        Writing::of(self.cluster.server(), &key)
    }

    /// Changes parts of an object's `status`, where the kind keeps it apart.
    ///
    /// Applications do not: their status is patched with [`Home::patch`].
    ///
    /// # Errors
    ///
    /// As [`Home::patch`].
    pub async fn patch_status(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
        patch: Patch,
    ) -> Result<Value, ApiError> {
        let mut write = Write::patch(gvk.clone(), namespace, name, patch, MANAGER);
        if let Action::Patch { subresource, .. } = &mut write.action {
            *subresource = Some("status".to_owned());
        }
        self.write(write).await.and_then(object_of)
    }

    /// Deletes an object; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// What the server says; [`ApiError::Refused`] for a kind that is not ours.
    pub async fn delete(
        &self,
        gvk: &Gvk,
        namespace: &str,
        name: &str,
        propagation: Propagation,
    ) -> Result<(), ApiError> {
        match self.write(Write::delete(gvk.clone(), namespace, name, propagation)).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, write: Write) -> Result<Written, ApiError> {
        self.write_and_take(write, None).await
    }

    /// Writes, and asks for the answer in a form of its own.
    async fn write_and_take(
        &self,
        write: Write,
        accept: Option<&'static str>,
    ) -> Result<Written, ApiError> {
        if !is_ours(&write.gvk, &write.name) {
            return Err(Refusal::new(format!(
                "{} \"{}\" is none of our own objects: it is written through the gate or not at all",
                write.gvk.group_kind(),
                write.name
            ))
            .into());
        }
        // Our objects are written as they are: what a newer version put there must not be
        // refused or warned of by an older schema.
        let write = write.validated(Validation::Ignore);
        let info = self.cluster.kind(&write.gvk).await?;
        let call = call_for(&info, &write)?;
        let accept = accept.unwrap_or(call.accept);
        send(&self.cluster, Call { accept, ..call }, &write).await
    }
}

/// Whether a kind is one that we keep our own state in, or set up at our first start.
fn is_ours(gvk: &Gvk, name: &str) -> bool {
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("argoproj.io", "Application" | "AppProject" | "ApplicationSet") => true,
        ("" | "events.k8s.io", "Event") => true,
        ("coordination.k8s.io", "Lease") => true,
        ("", "Namespace" | "ConfigMap" | "Secret") => true,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => name.ends_with(".argoproj.io"),
        _ => false,
    }
}

fn object_of(written: Written) -> Result<Value, ApiError> {
    written.object.ok_or_else(|| ApiError::Malformed {
        what: "the server answered a write with no object".to_owned(),
    })
}
