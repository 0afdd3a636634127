//! The FlowSchemas and PriorityLevelConfigurations that every server makes at its start. Nothing flows by
//! them here.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::kinds::Kinds;
use crate::ownership::{self, Writer};

/// Their names and what they say, by kind.
const SPECS: &str = include_str!("flows.json");
const API_VERSION: &str = "flowcontrol.apiserver.k8s.io/v1";

/// Makes them, where they are not there.
pub fn furnish(cluster: &Cluster, kinds: &Kinds) {
    let specs: Map<String, Value> = serde_json::from_str(SPECS).expect("the table is JSON");
    for (kind, objects) in &specs {
        for (name, spec) in objects.as_object().into_iter().flatten() {
            make(cluster, kinds, kind, name, spec);
        }
    }
}

fn make(cluster: &Cluster, kinds: &Kinds, kind: &str, name: &str, spec: &Value) {
    let now = cluster.now_text();
    let writer = Writer {
        manager: "api-priority-and-fairness-config-producer-v1",
        subresource: "",
        now: &now,
        dry_run: false,
    };
    let object = json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "generation": 1,
            "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"},
        },
        "spec": spec,
        "status": {},
    });
    let kind = kinds.of(API_VERSION, kind).expect("the kinds of flows are built in");
    let mut object = ownership::update(kind, None, object, &writer);
    if let Some(level) = spec["priorityLevelConfiguration"]["name"].as_str() {
        say_level(&mut object, level, &now);
    }
    cluster.furnish_with(kind, &object);
}

/// A schema says whether its level is there.
fn say_level(schema: &mut Value, level: &str, now: &str) {
    schema["status"] = json!({"conditions": [{
        "type": "Dangling",
        "status": "False",
        "lastTransitionTime": now,
        "reason": "Found",
        "message": format!(
            "This FlowSchema references the PriorityLevelConfiguration object named \"{level}\" and it exists"
        ),
    }]});
    let said = json!({
        "manager": "api-priority-and-fairness-config-consumer-v1",
        "operation": "Apply",
        "apiVersion": API_VERSION,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {"f:conditions": {"k:{\"type\":\"Dangling\"}": {
            ".": {},
            "f:lastTransitionTime": {},
            "f:message": {},
            "f:reason": {},
            "f:status": {},
            "f:type": {},
        }}}},
        "subresource": "status",
    });
    if let Some(owners) = schema["metadata"]["managedFields"].as_array_mut() {
        owners.insert(0, said);
    }
}
