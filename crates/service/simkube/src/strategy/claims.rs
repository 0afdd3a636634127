//! Claims of volumes, and volumes: where data comes from, and since when a phase lasts.

use serde_json::{Map, Value, json};

/// Says in both of a claim's fields where its data comes from, as the one says that is set. A source of
/// old that is neither a claim nor a snapshot is forgotten.
pub fn source(old: Option<&Value>, claim: &mut Value) {
    let Some(spec) = claim.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let is_set = |spec: &Map<String, Value>, name: &str| {
        spec.get(name).is_some_and(|source| !source.is_null())
    };
    let was_set = old
        .and_then(|old| old["spec"].as_object())
        .is_some_and(|spec| is_set(spec, "dataSource") || is_set(spec, "dataSourceRef"));
    // Sources in other namespaces are switched off.
    let far = |source: &Value| source["namespace"].as_str().is_some_and(|at| !at.is_empty());
    if spec.get("dataSourceRef").is_some_and(far)
        && !old
            .and_then(|old| old["spec"].as_object())
            .is_some_and(|old| is_set(old, "dataSourceRef"))
    {
        spec.remove("dataSourceRef");
    }
    if !was_set
        && !is_set(spec, "dataSourceRef")
        && !spec.get("dataSource").is_some_and(is_old_source)
    {
        spec.remove("dataSource");
    }
    let copied = |source: &Value| json!({"apiGroup": source["apiGroup"], "kind": source["kind"], "name": source["name"]});
    match (is_set(spec, "dataSource"), is_set(spec, "dataSourceRef")) {
        (true, false) => {
            let copy = copied(&spec["dataSource"]);
            spec.insert("dataSourceRef".to_owned(), copy);
        }
        (false, true) if !far(&spec["dataSourceRef"]) => {
            let copy = copied(&spec["dataSourceRef"]);
            spec.insert("dataSource".to_owned(), copy);
        }
        _ => {}
    }
}

fn is_old_source(source: &Value) -> bool {
    let group = source["apiGroup"].as_str().unwrap_or_default();
    matches!(
        (source["kind"].as_str().unwrap_or_default(), group),
        ("PersistentVolumeClaim", "") | ("VolumeSnapshot", "snapshot.storage.k8s.io")
    )
}

/// Says since when a volume is in its phase, where the client does not.
pub fn count_phase(old: &Value, new: &mut Value, now: &str) {
    const TIME: &str = "lastPhaseTransitionTime";
    let (before, after) = (&old["status"][TIME], &new["status"][TIME]);
    let same_phase = old["status"]["phase"] == new["status"]["phase"];
    let time = match same_phase {
        true if after.is_null() => before.clone(),
        false if after.is_null() || after == before => json!(now),
        true | false => return,
    };
    if let (false, Some(status)) =
        (time.is_null(), new.get_mut("status").and_then(Value::as_object_mut))
    {
        status.insert(TIME.to_owned(), time);
    }
}
