//! Writing a status of many objects of which few changed.
//!
//! A merge patch can only replace a list, and `status.resources` has a row an object: of an
//! Application of 500 objects that is 60 KB, printed, sent, stored and read again. Where few rows
//! change, each is named by its place instead, under the condition that nobody wrote in between.

use crd::{ApplicationStatus, ResourceStatus};
use serde_json::{Map, Value, json};

use crate::decide::Verdict;
use crate::patch::{as_value, merge_patch};

/// Rows from which on they are written singly: fewer cost little together.
const ROWS_MIN: usize = 32;
/// They are written singly where at most one in so many changes.
const CHANGED_ONE_IN: usize = 8;

/// What changes of a status.
pub(crate) struct StatusChange {
    /// A merge patch.
    pub patch: Value,
    /// The rows that it leaves out, by their places.
    pub rows: Vec<(usize, ResourceStatus)>,
}

/// Returns what changes of a status. What has a row an object is not turned into JSON where it stays
/// as it is: that would cost more than the whole decision.
///
/// `changed` is what [`rows_changed`] answers of them.
pub(crate) fn status_change(
    before: &ApplicationStatus,
    next: &ApplicationStatus,
    changed: Option<Vec<usize>>,
) -> Option<StatusChange> {
    let (mut was, mut is) = (without_rows(before), without_rows(next));
    if before.operation_state != next.operation_state {
        was.operation_state.clone_from(&before.operation_state);
        is.operation_state.clone_from(&next.operation_state);
    }
    let patch = merge_patch(&as_value(&was), &as_value(&is));
    if changed.as_ref().is_some_and(Vec::is_empty) {
        return patch.map(|patch| StatusChange { patch, rows: Vec::new() });
    }
    let mut patch = patch.unwrap_or_else(|| json!({}));
    let rows = changed.map_or_else(Vec::new, |changed| few_changed(&changed, &next.resources));
    if rows.is_empty() {
        put_rows(&mut patch, &next.resources);
    }
    Some(StatusChange { patch, rows })
}

fn put_rows(patch: &mut Value, rows: &[ResourceStatus]) {
    if let Some(fields) = patch.as_object_mut() {
        let rows = if rows.is_empty() { Value::Null } else { as_value(rows) };
        fields.insert("resources".into(), rows);
    }
}

/// The places of the rows that differ; `None` where there is another number of them.
pub(crate) fn rows_changed(was: &[ResourceStatus], is: &[ResourceStatus]) -> Option<Vec<usize>> {
    let changed = is.iter().zip(was).enumerate().filter(|(_, (is, was))| is != was);
    (was.len() == is.len()).then(|| changed.map(|(at, _)| at).collect())
}

/// The rows that differ; none where they are many of all.
fn few_changed(changed: &[usize], is: &[ResourceStatus]) -> Vec<(usize, ResourceStatus)> {
    if is.len() < ROWS_MIN || changed.len() > is.len() / CHANGED_ONE_IN {
        return Vec::new();
    }
    changed.iter().map(|at| (*at, is[*at].clone())).collect()
}

/// A status without what has a row an object: its resources, and its operation.
pub(crate) fn without_rows(status: &ApplicationStatus) -> ApplicationStatus {
    ApplicationStatus {
        resources: Vec::new(),
        operation_state: None,
        sync: status.sync.clone(),
        health: status.health.clone(),
        history: status.history.clone(),
        conditions: status.conditions.clone(),
        reconciled_at: status.reconciled_at.clone(),
        observed_at: status.observed_at.clone(),
        source_type: status.source_type.clone(),
        summary: status.summary.clone(),
        resource_health_source: status.resource_health_source.clone(),
        source_types: status.source_types.clone(),
        controller_namespace: status.controller_namespace.clone(),
        source_hydrator: status.source_hydrator.clone(),
        rest: status.rest.clone(),
    }
}

impl Verdict {
    /// The merge patch with all rows in it; it holds whoever wrote in between.
    pub fn whole_patch(&self) -> Option<Value> {
        let mut patch = self.patch.clone()?;
        if !self.rows.is_empty()
            && let Some(status) = patch.get_mut("status")
        {
            put_rows(status, &self.application.status.resources);
        }
        Some(patch)
    }

    /// The same as a JSON patch (RFC 6902) that names single rows. It is refused where the
    /// Application has another version than the one that was decided about.
    ///
    /// `None` where no rows are left out, or more than the status changes.
    pub fn row_patch(&self) -> Option<Value> {
        let version = &self.application.metadata.resource_version;
        let fields = match self.patch.as_ref()?.as_object()? {
            patch if patch.len() == 1 => patch.get("status")?.as_object()?,
            _ => return None,
        };
        if self.rows.is_empty() || version.is_empty() || fields.contains_key("operationState") {
            return None;
        }
        let next = as_value(&without_rows(&self.application.status));
        let rows = self.rows.iter().map(|(at, row)| {
            json!({"op": "replace", "path": format!("/status/resources/{at}"), "value": row})
        });
        let others = fields.keys().map(|field| operation(field, next.as_object(), fields));
        let known = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
        Some(std::iter::once(known).chain(rows).chain(others).collect())
    }
}

/// A field of the status as it is to be; fields of ours have no `/` and no `~` in their names.
fn operation(field: &str, next: Option<&Map<String, Value>>, patch: &Map<String, Value>) -> Value {
    let path = format!("/status/{field}");
    let value = next.and_then(|next| next.get(field));
    match value.filter(|_| patch.get(field).is_some_and(|change| !change.is_null())) {
        Some(value) => json!({"op": "add", "path": path, "value": value}),
        None => json!({"op": "remove", "path": path}),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crd::{Application, SyncStatusCode};

    use super::*;

    fn status(rows: usize) -> ApplicationStatus {
        let row = |at: usize| ResourceStatus {
            kind: "ConfigMap".into(),
            name: format!("config-{at}"),
            status: SyncStatusCode::Synced,
            ..ResourceStatus::default()
        };
        ApplicationStatus {
            resources: (0..rows).map(row).collect(),
            ..ApplicationStatus::default()
        }
    }

    fn verdict(was: &ApplicationStatus, is: &ApplicationStatus) -> Verdict {
        let changed = rows_changed(&was.resources, &is.resources);
        let change = status_change(was, is, changed).expect("they differ");
        let mut application = Application { status: is.clone(), ..Application::default() };
        application.metadata.resource_version = "7".into();
        Verdict {
            patch: Some(json!({"status": change.patch})),
            rows: change.rows,
            application: Arc::new(application),
            ..Verdict::default()
        }
    }

    #[test]
    fn one_row_of_many_is_written_alone_if_nobody_wrote_in_between() {
        let (was, mut is) = (status(ROWS_MIN), status(ROWS_MIN));
        is.resources[3].status = SyncStatusCode::OutOfSync;
        is.sync.status = SyncStatusCode::OutOfSync;
        let verdict = verdict(&was, &is);
        let patch = verdict.row_patch().expect("one of many");
        assert_eq!(
            patch[0],
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": "7"})
        );
        assert_eq!(patch[1]["path"], "/status/resources/3");
        assert_eq!(patch[1]["value"]["status"], "OutOfSync");
        assert_eq!(patch[2]["path"], "/status/sync");
        assert_eq!(patch[2]["value"]["status"], "OutOfSync");
        assert_eq!(patch.as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn all_rows_are_in_the_patch_that_always_holds() {
        let (was, mut is) = (status(ROWS_MIN), status(ROWS_MIN));
        is.resources[3].status = SyncStatusCode::OutOfSync;
        let verdict = verdict(&was, &is);
        assert_eq!(verdict.patch, Some(json!({"status": {}})));
        let whole = verdict.whole_patch().expect("a row changed");
        assert_eq!(whole["status"]["resources"], as_value(&is.resources));
    }

    #[test]
    fn many_rows_and_rows_of_few_are_written_together() {
        let (was, mut is) = (status(ROWS_MIN), status(ROWS_MIN));
        for row in is.resources.iter_mut().take(ROWS_MIN / CHANGED_ONE_IN + 1) {
            row.status = SyncStatusCode::OutOfSync;
        }
        assert_eq!(verdict(&was, &is).row_patch(), None);
        let (was, mut is) = (status(ROWS_MIN - 1), status(ROWS_MIN - 1));
        is.resources[0].status = SyncStatusCode::OutOfSync;
        let verdict = verdict(&was, &is);
        assert_eq!(verdict.row_patch(), None);
        assert_eq!(verdict.patch, verdict.whole_patch());
    }

    #[test]
    fn a_field_that_goes_is_removed() {
        let (mut was, mut is) = (status(ROWS_MIN), status(ROWS_MIN));
        was.controller_namespace = "argocd".into();
        is.resources[0].status = SyncStatusCode::OutOfSync;
        let patch = verdict(&was, &is).row_patch().expect("one of many");
        assert_eq!(patch[2], json!({"op": "remove", "path": "/status/controllerNamespace"}));
    }
}
