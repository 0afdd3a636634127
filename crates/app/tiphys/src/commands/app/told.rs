//! Events on Applications: what a person did, in the words that upstream's server tells it in.

use crd::Application;
use jiff::Timestamp;
use serde_json::json;

use super::operation::initiator;
use crate::commands::connect::Session;

/// What an Event is about, as programs read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An Application was made.
    Created,
    /// An Application, one of its objects or its operation was changed.
    Updated,
    /// An Application or one of its objects was deleted.
    Deleted,
    /// An action ran.
    ActionRan,
    /// A sync was asked for.
    OperationStarted,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "ResourceCreated",
            Self::Updated => "ResourceUpdated",
            Self::Deleted => "ResourceDeleted",
            Self::ActionRan => "ResourceActionRan",
            Self::OperationStarted => "OperationStarted",
        }
    }
}

/// Tells what was done to an Application. Whoever may not write Events has still done it: that one
/// is not written fails nothing.
pub async fn tell(session: &Session, application: &Application, reason: Reason, did: &str) {
    let (metadata, destination) = (&application.metadata, &application.spec.destination);
    let (now, user) = (Timestamp::now(), initiator().username);
    let time = crd::Time::at(now).0;
    let namespace = match metadata.namespace.as_str() {
        "" => &session.namespace,
        namespace => namespace,
    };
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}", metadata.name, now.as_nanosecond()),
            "namespace": namespace,
            "annotations": {
                "dest-server": destination.server,
                "dest-namespace": destination.namespace,
                "user": user,
            },
        },
        "source": {"component": "argocd-server"},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "name": metadata.name,
            "namespace": namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "message": format!("{user} {did}"),
        "type": "Normal",
        "reason": reason.as_str(),
    });
    // Nobody is helped by knowing that it is not told.
    let _ = session.home.create(&event).await;
}
