//! What controllers may say of workloads.

use std::collections::BTreeSet;

use manifest::Gvk;
use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;
use crate::pod::amounts::quantity;

/// Names what is wrong with a status.
pub fn validate(gvk: &Gvk, object: &At<'_>, errors: &mut Vec<FieldError>) {
    let status = object.at("status");
    match gvk.kind.as_str() {
        "FlowSchema" | "PriorityLevelConfiguration" => {
            return crate::flows::conditions(object, errors);
        }
        "ResourceQuota" => {
            for field in ["hard", "used"] {
                crate::quota::amounts(&status.at(field), errors);
            }
            return;
        }
        "Namespace" => return phase(object, errors),
        "CustomResourceDefinition" => {
            return crate::definitions::accepted_names(&status.at("acceptedNames"), errors);
        }
        "VolumeAttachment" => return crate::small::attachment_status(object, errors),
        "Service" => return load_balancer(object, errors),
        "Ingress" => {
            return status.to(&["loadBalancer", "ingress"]).items().for_each(|one| {
                balancer_address(&one.at("ip"), errors);
                balancer_host(&one.at("hostname"), errors);
            });
        }
        "PersistentVolumeClaim" => return claim(&status, errors),
        "HorizontalPodAutoscaler" => {
            status.at("currentReplicas").not_negative(errors);
            status.at("desiredReplicas").not_negative(errors);
            return;
        }
        "PodDisruptionBudget" => {
            conditions(&status.at("conditions"), errors);
            for field in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"]
            {
                status.at(field).not_negative(errors);
            }
            return;
        }
        "ValidatingAdmissionPolicy" => return policy(&status, errors),
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
        let words = "cannot be greater than status.replicas";
        errors.push(FieldError::invalid(status.child(field), count(field), words));
    }
    if count("availableReplicas") > count("readyReplicas") {
        let words = match gvk.kind.as_str() {
            "StatefulSet" => "cannot be greater than status.readyReplicas",
            _ => "cannot be greater than readyReplicas",
        };
        errors.push(FieldError::invalid(
            status.child("availableReplicas"),
            count("availableReplicas"),
            words,
        ));
    }
}

/// What the check of a policy's types has found.
fn policy(status: &At<'_>, errors: &mut Vec<FieldError>) {
    for warning in status.to(&["typeChecking", "expressionWarnings"]).items() {
        let (words, place) = (warning.at("warning"), warning.at("fieldRef"));
        if words.text().is_empty() {
            errors.push(words.required(""));
        }
        if place.text().trim().is_empty() {
            errors.push(place.required(""));
        }
    }
    conditions(&status.at("conditions"), errors);
}

/// Conditions in the form that all kinds share.
pub fn conditions(list: &At<'_>, errors: &mut Vec<FieldError>) {
    const REASON: &str = "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
    const REASON_MAX: usize = 1024;
    const MESSAGE_MAX: usize = 32 * 1024;
    let mut seen = BTreeSet::new();
    for condition in list.items() {
        let (kind, status) = (condition.at("type"), condition.at("status"));
        if !seen.insert(kind.text()) {
            errors.push(FieldError::duplicate(kind.path.clone(), kind.text()));
        }
        for words in names::qualified(kind.text()) {
            errors.push(FieldError::invalid(kind.path.clone(), kind.text(), words));
        }
        let known = ["False", "True", "Unknown"];
        if !known.contains(&status.text()) {
            errors.push(FieldError::not_supported(status.path.clone(), status.text(), &known));
        }
        let generation = condition.at("observedGeneration");
        if generation.number().is_some_and(|number| number < 0) {
            errors.push(generation.invalid("must be greater than or equal to zero"));
        }
        if !condition.at("lastTransitionTime").is_set() {
            errors.push(condition.at("lastTransitionTime").required(""));
        }
        let (reason, message) = (condition.at("reason"), condition.at("message"));
        if reason.is_empty() {
            errors.push(reason.required(""));
        } else {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let text = reason.text();
            let fits = text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.ends_with(word)
                && text.chars().all(|c| word(c) || c == ',' || c == ':');
            if !fits {
                errors.push(reason.invalid(REASON));
            }
            if text.len() > REASON_MAX {
                errors.push(FieldError::too_long(reason.path.clone(), REASON_MAX as u64));
            }
        }
        if message.text().len() > MESSAGE_MAX {
            errors.push(FieldError::too_long(message.path.clone(), MESSAGE_MAX as u64));
        }
    }
}

/// What is told of a claim of a volume.
fn claim(status: &At<'_>, errors: &mut Vec<FieldError>) {
    const STATES: [&str; 5] = [
        "ControllerResizeInProgress",
        "ControllerResizeInfeasible",
        "NodeResizeInProgress",
        "NodeResizeInfeasible",
        "NodeResizePending",
    ];
    let negative = |at: &At<'_>, value: &Value, errors: &mut Vec<FieldError>| {
        let below = quantity(value).map(|amount| amount.value()).filter(|value| *value < 0);
        if let Some(value) = below {
            let words = "must be a valid resource quantity";
            errors.push(FieldError::invalid(at.path.clone(), value, words));
        }
        below.is_some()
    };
    let wrong_key = |at: &At<'_>, name: &str, errors: &mut Vec<FieldError>| {
        let refusals = names::qualified(name);
        let native = !name.contains('/') || name.contains("kubernetes.io/");
        let foreign = refusals.is_empty() && native && name != "storage";
        if foreign {
            errors.push(FieldError::not_supported(at.path.clone(), name, &["storage"]));
        }
        let wrong = foreign || !refusals.is_empty();
        let refused = refusals.into_iter();
        errors.extend(refused.map(|words| FieldError::invalid(at.path.clone(), name, words)));
        wrong
    };
    let capacity = status.at("capacity");
    for (name, value) in capacity.entries() {
        negative(&capacity.key(name), value, errors);
    }
    let states = status.at("allocatedResourceStatuses");
    for (name, value) in states.entries() {
        wrong_key(&states, name, errors);
        if !STATES.contains(&value.as_str().unwrap_or_default()) {
            errors.push(FieldError::not_supported(states.path.clone(), name, &STATES));
        }
    }
    let allocated = status.at("allocatedResources");
    for (name, value) in allocated.entries() {
        if wrong_key(&allocated, name, errors) {
            continue;
        }
        let at = allocated.key(name);
        if !negative(&at, value, errors) && quantity(value).is_some_and(|amount| amount.sign() < 0)
        {
            errors.push(at.invalid("must be greater than or equal to 0"));
        }
    }
}

/// How often names met is never less than it was.
pub fn collisions(gvk: &Gvk, new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    if gvk.group != "apps" || !matches!(&*gvk.kind, "Deployment" | "StatefulSet" | "DaemonSet") {
        return;
    }
    let count = |object: &At<'_>| object.to(&["status", "collisionCount"]).number();
    let now = count(new).unwrap_or(0);
    if count(old).is_some_and(|before| now < before) {
        errors.push(FieldError::invalid("status.collisionCount", now, "cannot be decremented"));
    }
}

fn load_balancer(service: &At<'_>, errors: &mut Vec<FieldError>) {
    let list = service.to(&["status", "loadBalancer", "ingress"]);
    if service.to(&["spec", "type"]).text() != "LoadBalancer" {
        if !list.is_empty() {
            errors.push(list.forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
        }
        return;
    }
    for one in list.items() {
        let (address, mode) = (one.at("ip"), one.at("ipMode"));
        balancer_address(&address, errors);
        if !mode.is_set() {
            if !address.is_empty() {
                errors.push(mode.required("must be specified when `ip` is set"));
            }
        } else if address.is_empty() {
            errors.push(mode.forbidden("may not be specified when `ip` is not set"));
        } else {
            mode.one_of(&["Proxy", "VIP"], errors);
        }
        balancer_host(&one.at("hostname"), errors);
    }
}

fn balancer_address(address: &At<'_>, errors: &mut Vec<FieldError>) {
    if !address.is_empty() {
        address.named(names::address(address.text()), errors);
    }
}

fn balancer_host(host: &At<'_>, errors: &mut Vec<FieldError>) {
    if host.is_empty() {
        return;
    }
    host.named(names::subdomain(host.text(), false), errors);
    if names::parsed_address(host.text()).is_some() {
        errors.push(host.invalid("must be a DNS name, not an IP address"));
    }
}

/// A namespace ends when it is going, and not before.
fn phase(namespace: &At<'_>, errors: &mut Vec<FieldError>) {
    let going = namespace.to(&["metadata", "deletionTimestamp"]).is_set();
    let phase = namespace.to(&["status", "phase"]);
    let words = match (going, phase.text()) {
        (false, "Active") | (true, "Terminating") => return,
        (false, _) => "may only be 'Active' if `deletionTimestamp` is empty",
        (true, _) => "may only be 'Terminating' if `deletionTimestamp` is not empty",
    };
    // The server names the field as Go does.
    errors.push(FieldError::invalid("status.Phase", phase.text(), words));
}
