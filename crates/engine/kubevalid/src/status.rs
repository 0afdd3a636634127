//! What controllers may say of workloads.

use manifest::Gvk;
use manifest::field::FieldError;

use crate::cursor::At;

/// Names what is wrong with a status.
pub fn validate(gvk: &Gvk, object: &At<'_>, errors: &mut Vec<FieldError>) {
    let status = object.at("status");
    match gvk.kind.as_str() {
        "FlowSchema" | "PriorityLevelConfiguration" => {
            return crate::flows::conditions(object, errors);
        }
        "APIService" => {
            for condition in status.at("conditions").items() {
                let known = ["True", "False", "Unknown"];
                let at = condition.at("status");
                if !known.contains(&at.text()) {
                    errors.push(FieldError::not_supported(at.path.clone(), at.text(), &known));
                }
            }
            return;
        }
        _ => {}
    }
    let counted: &[&str] = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("apps", "Deployment") => &[
            "observedGeneration",
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "terminatingReplicas",
            "collisionCount",
        ],
        ("apps", "ReplicaSet") | ("", "ReplicationController") => &[
            "replicas",
            "fullyLabeledReplicas",
            "readyReplicas",
            "availableReplicas",
            "observedGeneration",
            "terminatingReplicas",
        ],
        ("apps", "StatefulSet") => &[
            "replicas",
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
            "observedGeneration",
            "collisionCount",
        ],
        ("apps", "DaemonSet") => &[
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ],
        _ => return,
    };
    for field in counted {
        status.at(field).not_negative(errors);
    }
    let count = |field: &str| status.at(field).number().unwrap_or(0);
    let parts: &[&str] = match gvk.kind.as_str() {
        "Deployment" => &["updatedReplicas", "readyReplicas", "availableReplicas"],
        "ReplicaSet" | "ReplicationController" => {
            &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]
        }
        "StatefulSet" => {
            &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]
        }
        _ => return,
    };
    for field in parts.iter().filter(|field| count(field) > count("replicas")) {
        errors.push(status.at(field).invalid("cannot be greater than status.replicas"));
    }
    if count("availableReplicas") > count("readyReplicas") {
        let words = match gvk.kind.as_str() {
            "StatefulSet" => "cannot be greater than status.readyReplicas",
            _ => "cannot be greater than readyReplicas",
        };
        errors.push(status.at("availableReplicas").invalid(words));
    }
}
