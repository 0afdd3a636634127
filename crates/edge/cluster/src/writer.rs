//! Carries writes out, once a gate has let them through.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Cluster, body_of, parse};
use crate::error::ApiError;
use crate::kinds::{KindInfo, escape};
use crate::redact::redact;
use crate::transport::{Call, warnings};
use crate::write::{Action, Asked, Gate, Permit, Write, Written};

/// The one choke point: whatever is written to a destination cluster is written here, and each
/// write asks the gate first.
#[derive(Clone)]
pub struct Writer {
    cluster: Cluster,
    gate: Arc<dyn Gate>,
    acting_as: Option<HeaderValue>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Writer {
    pub(crate) fn new(cluster: Cluster, gate: Arc<dyn Gate>) -> Self {
        Self { cluster, gate, acting_as: None }
    }

    /// Writes as this user from now on, as far as the cluster lets us impersonate it.
    ///
    /// # Errors
    ///
    /// [`ApiError::BadRequest`] for a name that cannot be sent.
    pub fn acting_as(mut self, user: &str) -> Result<Self, ApiError> {
        let header = HeaderValue::from_str(user).map_err(|_| ApiError::BadRequest {
            message: format!("`{user}` is no name of a user"),
        })?;
        self.acting_as = Some(header);
        Ok(self)
    }

    /// The cluster that is written to.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Carries out one write, or only asks what it would do where it is a dry run.
    ///
    /// A namespaced object without a namespace is refused: where it goes is the caller's to say.
    /// A namespace named for a kind that has none is left out.
    ///
    /// # Errors
    ///
    /// [`ApiError::Refused`] where the gate says no (nothing is sent then),
    /// [`ApiError::KindUnknown`] where the cluster serves no such kind, else what the server
    /// says. After [`ApiError::Timeout`] and [`ApiError::Unreachable`] the write may have been
    /// carried out all the same.
    pub async fn write(&self, write: &Write) -> Result<Written, ApiError> {
        let info = self.cluster.kind(&write.gvk).await?;
        let asked = Asked::new(self.cluster.server(), write, info.namespaced);
        let permit = self.gate.check(asked)?;
        carry_out(&self.cluster, &info, permit, self.acting_as.clone()).await
    }
}

/// Sends what is permitted.
async fn carry_out(
    cluster: &Cluster,
    info: &KindInfo,
    permit: Permit<'_>,
    acting_as: Option<HeaderValue>,
) -> Result<Written, ApiError> {
    let write = permit.write();
    let call = Call { acting_as, ..call_for(info, write)? };
    let _one_of_few = cluster.transport().writes.take().await;
    send(cluster, call, write).await
}

/// Sends a write as it stands.
pub(crate) async fn send(
    cluster: &Cluster,
    call: Call,
    write: &Write,
) -> Result<Written, ApiError> {
    let path = call.path.clone();
    let is_secret = write.gvk.group.is_empty() && write.gvk.kind == "Secret";
    let answer =
        cluster.call(call).await.map_err(|error| redact(error, is_secret, write.body()))?;
    let body: Value = match answer.body.is_empty() {
        true => Value::Null,
        false => parse(&answer.body, &path)?,
    };
    // A delete that is done at once answers with a Status, one that waits with the object.
    let is_status = manifest::kind(&body) == "Status" && manifest::api_version(&body) == "v1";
    Ok(Written {
        created: answer.status == StatusCode::CREATED,
        warnings: warnings(&answer.headers),
        object: (!is_status && !body.is_null()).then_some(body),
    })
}

/// Puts a write into the words of HTTP.
pub(crate) fn call_for(info: &KindInfo, write: &Write) -> Result<Call, ApiError> {
    if info.namespaced && write.namespace.is_empty() {
        return Err(ApiError::BadRequest {
            message: format!("{} \"{}\" needs a namespace", write.gvk.group_kind(), write.name),
        });
    }
    let named = !matches!(write.action, Action::Create { .. });
    if named && write.name.is_empty() {
        return Err(ApiError::BadRequest {
            message: format!("resource name may not be empty: {}", write.gvk.group_kind()),
        });
    }
    let name = if named { write.name.as_str() } else { "" };
    let mut path = info.path(&write.namespace, name);
    let mut query = String::new();
    if !matches!(write.action, Action::Delete { .. }) {
        query.push_str(&format!("&fieldValidation={}", write.validation.word()));
        if !write.manager.is_empty() {
            query.push_str(&format!("&fieldManager={}", escape(&write.manager)));
        }
    }
    if write.dry_run {
        query.push_str("&dryRun=All");
    }
    let (method, content_type, body) = match &write.action {
        Action::Apply { object, force } => {
            query.push_str(&format!("&force={force}"));
            (Method::PATCH, "application/apply-patch+yaml", body_of(object))
        }
        Action::Create { object } => (Method::POST, "application/json", body_of(object)),
        Action::Replace { object } => (Method::PUT, "application/json", body_of(object)),
        Action::Patch { patch, subresource } => {
            if let Some(subresource) = subresource {
                path.push('/');
                path.push_str(&escape(subresource));
            }
            (Method::PATCH, patch.content_type(), body_of(patch.body()))
        }
        Action::Delete { propagation, uid, resource_version, grace_period_s } => {
            let mut preconditions = serde_json::Map::new();
            for (field, value) in [("uid", uid), ("resourceVersion", resource_version)] {
                if let Some(value) = value {
                    preconditions.insert(field.to_owned(), value.clone().into());
                }
            }
            let mut options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": propagation.word(),
            });
            if !preconditions.is_empty() {
                options["preconditions"] = preconditions.into();
            }
            if let Some(seconds) = grace_period_s {
                options["gracePeriodSeconds"] = (*seconds).into();
            }
            (Method::DELETE, "application/json", body_of(&options))
        }
    };
    if let Some(query) = query.strip_prefix('&') {
        path.push('?');
        path.push_str(query);
    }
    Ok(Call { method, content_type: Some(content_type), body, ..Call::get(path) })
}
