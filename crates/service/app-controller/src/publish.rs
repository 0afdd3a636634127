//! Writing what changed of an Application, and telling users.

use std::sync::Arc;

use cluster::{ApiError, Patch};
use crd::Application;
use jiff::Timestamp;
use manifest::ObjectKey;
use reconcile::{Event, Verdict, merge_patch};
use serde_json::{Value, json};
use tracing::{debug, warn};

use crate::applications::{read, read_metadata};
use crate::events::{About, Told};
use crate::queue::{AppKey, Why};
use crate::shared::{Shared, application_kind};

/// What became of a write to an Application.
pub(crate) enum Published {
    /// It stands there now.
    Written(Arc<Application>),
    /// The Application is gone.
    Gone,
    /// It could not be written; the error is logged, and the look is repeated.
    Failed,
}

/// Writes a verdict's patch.
pub(crate) async fn publish(
    shared: &Arc<Shared>,
    key: &AppKey,
    before: &Arc<Application>,
    verdict: &mut Verdict,
) -> Published {
    if let Some(application) = publish_rows(shared, key, verdict).await {
        tell(shared, &application, &verdict.events);
        return Published::Written(application);
    }
    let Some(patch) = verdict.whole_patch() else { return Published::Written(before.clone()) };
    let mut answer = write(shared, key, patch).await;
    if let Err(error @ (ApiError::TooLarge { .. } | ApiError::Invalid { .. })) = &answer {
        warn!(app.namespace = %key.namespace, app.name = %key.name, %error, "status too large; only a condition is written");
        answer = write(shared, key, fallback(before)).await;
    }
    match answer {
        Ok(object) => {
            let Ok(application) = read(object) else {
                return Published::Failed;
            };
            let metadata = &application.metadata;
            if metadata.deletion_timestamp.is_some() && metadata.finalizers.is_empty() {
                // It went with this write, and the watch may have told so already.
                return Published::Gone;
            }
            let application = Arc::new(application);
            shared.applications.answered(&application);
            if changed_meanwhile(&application, &verdict.application) {
                // The watch will not tell: what it brings is no newer than this answer.
                shared.queue.push(key.clone(), Why::known("the application changed meanwhile"));
            }
            tell(shared, &application, &verdict.events);
            Published::Written(application)
        }
        Err(ApiError::NotFound { .. }) => Published::Gone,
        Err(error) => {
            warn!(app.namespace = %key.namespace, app.name = %key.name, %error, "application not written; tried again");
            Published::Failed
        }
    }
}

/// Writes what changed of a large status, if it is that and nobody wrote in between. What the
/// Application is then is known: the answer is not more than its metadata.
///
/// `None`: nothing was written.
async fn publish_rows(
    shared: &Arc<Shared>,
    key: &AppKey,
    verdict: &mut Verdict,
) -> Option<Arc<Application>> {
    let patch = Patch::Json(verdict.row_patch()?);
    let before = verdict.application.metadata.resource_version.clone();
    let kind = application_kind();
    let _writing = shared.home.writing(&kind, &key.namespace, &key.name);
    let answer = shared.home.patch_for_metadata(&kind, &key.namespace, &key.name, patch).await;
    let mut answer = answer.ok()?;
    let application = match manifest::kind(&answer) {
        "PartialObjectMetadata" => {
            let metadata = answer.get_mut("metadata").map(Value::take)?;
            let application = Arc::make_mut(&mut verdict.application);
            application.metadata = read_metadata(metadata).ok()?;
            verdict.application.clone()
        }
        _ => Arc::new(read(answer).ok()?),
    };
    shared.applications.answered(&application);
    let key = ObjectKey::new(kind.group, kind.kind, &*key.namespace, &*key.name);
    shared.destinations.note_version(&shared.home_cluster, &key, &before, &application);
    Some(application)
}

/// Tells whether somebody else changed the Application before our write of it.
fn changed_meanwhile(written: &Application, expected: &Application) -> bool {
    written.spec != expected.spec
        || written.operation != expected.operation
        || written.metadata.annotations != expected.metadata.annotations
        || written.metadata.finalizers != expected.metadata.finalizers
        || written.metadata.deletion_timestamp != expected.metadata.deletion_timestamp
}

async fn write(shared: &Shared, key: &AppKey, patch: Value) -> Result<Value, ApiError> {
    shared.home.patch(&application_kind(), &key.namespace, &key.name, Patch::Merge(patch)).await
}

/// What upstream writes where a status does not fit into the cluster's store.
fn fallback(before: &Application) -> Value {
    let mut next = before.status.clone();
    next.conditions.retain(|one| one.r#type != crd::ApplicationConditionType::UnknownError);
    next.conditions.push(crd::ApplicationCondition {
        r#type: crd::ApplicationConditionType::UnknownError,
        message: "Application status exceeds the Kubernetes resource size limit and could not be persisted. The displayed status may be stale. Reduce the number of managed resources, set ApplyOutOfSyncOnly=true, lower spec.revisionHistoryLimit, or split the Application.".into(),
        last_transition_time: Some(crd::Time::at(Timestamp::now())),
        ..crd::ApplicationCondition::default()
    });
    let value = |status: &crd::ApplicationStatus| serde_json::to_value(status).unwrap_or_default();
    let patch = merge_patch(&value(&before.status), &value(&next)).unwrap_or_else(|| json!({}));
    json!({"status": patch})
}

/// Sends Events on their way; where too many wait they are dropped, since they only tell.
fn tell(shared: &Shared, application: &Arc<Application>, events: &[Event]) {
    if events.is_empty() {
        return;
    }
    let about = Arc::new(About::of(application));
    let now = Timestamp::now();
    for (at, event) in events.iter().enumerate() {
        let told = Told {
            about: about.clone(),
            event: event.clone(),
            // Names are made of times: no two may be the same.
            at: now.checked_add(jiff::SignedDuration::from_nanos(at as i64)).unwrap_or(now),
        };
        if shared.told.try_send(told).is_err() {
            debug!("event dropped: too many wait");
        }
    }
}

/// Says on an Application that does not read that it does not.
pub(crate) fn say_unreadable(shared: &Arc<Shared>, key: &AppKey, error: &str) {
    let patch = json!({"status": {"conditions": [{
        "type": "InvalidSpecError",
        "message": format!("the Application does not read: {error}; correct the field that is named"),
        "lastTransitionTime": crd::Time::at(Timestamp::now()).0,
    }]}});
    let (shared, key) = (shared.clone(), key.clone());
    tokio::spawn(async move {
        if let Err(error) = write(&shared, &key, patch).await {
            debug!(%error, "condition not written");
        }
    });
}
