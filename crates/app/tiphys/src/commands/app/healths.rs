//! How well an Application's objects are, where its status does not say.

use cluster::Cluster;
use crd::{Application, HealthStatus, HealthStatusCode, ResourceStatus};
use futures::future::join_all;
use health::{Rules, UserScripts, assess};
use jiff::Timestamp;
use manifest::Gvk;
use serde_json::Value;

use super::live;
use crate::commands::connect::Session;
use crate::commands::scripts::{health_rules, settings, should_stop};

/// Fills in the healths of an Application's objects that its status leaves out. Where its cluster cannot
/// be asked they stay out.
pub async fn fill(session: &Session, application: &mut Application) {
    if application.status.resources.iter().any(|row| row.health.is_none() && !row.hook)
        && let Some(healths) = Healths::of(session, application).await
    {
        healths.fill(application, |_| true).await;
    }
}

/// Objects that are read at once; further ones wait for those.
const READS_MAX: usize = 50;

/// What is needed to judge an Application's objects.
pub struct Healths {
    cluster: Cluster,
    scripts: UserScripts,
}

impl Healths {
    /// Finds the Application's cluster and the users' rules; `None` where the cluster cannot be asked.
    pub async fn of(session: &Session, application: &Application) -> Option<Self> {
        let cluster = live::destination(session, application).await.ok()?;
        let settings = settings(session).await.unwrap_or_default();
        Some(Self { cluster, scripts: UserScripts::compile(health_rules(&settings)) })
    }

    /// Fills in the healths of `chosen` objects that the status leaves out, as upstream's server does.
    pub async fn fill(
        &self,
        application: &mut Application,
        chosen: impl Fn(&ResourceStatus) -> bool,
    ) {
        let rows = application.status.resources.iter_mut();
        let mut asked: Vec<&mut ResourceStatus> =
            rows.filter(|row| row.health.is_none() && !row.hook && chosen(row)).collect();
        for some in asked.chunks_mut(READS_MAX) {
            join_all(some.iter_mut().map(|row| self.judged(row))).await;
        }
    }

    async fn judged(&self, row: &mut ResourceStatus) {
        let kind = Gvk::new(row.group.as_str(), row.version.as_str(), row.kind.as_str());
        row.health = match live::object(&self.cluster, &kind, &row.namespace, &row.name).await {
            Ok(Some(object)) => self.judge(&object),
            Ok(None) => Some(HealthStatus {
                status: HealthStatusCode::Missing,
                message: "Resource has not been created".to_owned(),
                ..HealthStatus::default()
            }),
            // Of what cannot be read nothing is told.
            Err(_) => None,
        };
    }

    fn judge(&self, object: &Value) -> Option<HealthStatus> {
        let user =
            |object: &Value| self.scripts.judge(object, Timestamp::now(), Some(should_stop()));
        let judged = assess(object, &Rules { user: Some(&user) });
        judged.filter(|one| one.status != HealthStatusCode::Unset).map(|one| HealthStatus {
            status: one.status,
            message: one.message,
            ..HealthStatus::default()
        })
    }
}
