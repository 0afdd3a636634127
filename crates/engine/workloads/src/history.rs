//! The revisions of StatefulSets and DaemonSets, as objects of their own: what
//! `kubectl rollout history` shows and goes back to.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{Outcome, Write, controlled_by, delete, number, of_kind};

/// Keeps a ControllerRevision of the template under its hash, as the newest, and no more old ones
/// than the object wants. `label` bears the hash; those named in `used` stay.
pub fn keep(
    object: &Value,
    owned: &[Arc<Value>],
    (hash, label): (&str, &str),
    annotations: &Value,
    used: &[&str],
    outcome: &mut Outcome,
) {
    let revisions = of_kind(owned, "ControllerRevision");
    let number_of = |revision: &Value| number(revision, "/revision", 0);
    let newest = revisions.iter().map(|revision| number_of(revision)).max().unwrap_or(0);
    let name = format!("{}-{hash}", manifest::name(object));
    match revisions.iter().find(|revision| manifest::name(revision) == name) {
        Some(revision) if number_of(revision) == newest => {}
        Some(revision) => {
            let mut newest_again = (*revision).clone();
            newest_again["revision"] = json!(newest + 1);
            outcome.write(Write::Update(newest_again));
        }
        None => {
            let mut template = object["spec"]["template"].clone();
            template["$patch"] = json!("replace");
            let mut made = json!({
                "apiVersion": "apps/v1",
                "kind": "ControllerRevision",
                "metadata": {
                    "name": name,
                    "namespace": manifest::namespace(object),
                    "labels": object.pointer("/spec/template/metadata/labels"),
                    "annotations": annotations,
                    "ownerReferences": controlled_by(object),
                },
                "data": {"spec": {"template": template}},
                "revision": newest + 1,
            });
            manifest::set_label(&mut made, label, hash);
            outcome.write(Write::Create(made));
        }
    }
    let limit = usize::try_from(number(object, "/spec/revisionHistoryLimit", 10)).unwrap_or(0);
    let is_used = |revision: &&&Value| {
        let own = manifest::name(revision);
        own == name || used.contains(&own)
    };
    let mut old: Vec<&Value> =
        revisions.iter().filter(|revision| !is_used(revision)).copied().collect();
    old.sort_by_key(|revision| number_of(revision));
    let surplus = old.len().saturating_sub(limit);
    for revision in &old[..surplus] {
        outcome.write(delete(revision));
    }
}
