//! What controllers may say of workloads.

use manifest::Gvk;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;

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
        "Service" => return load_balancer(object, errors),
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
        errors.push(status.at("availableReplicas").invalid(words));
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
        let (address, mode, host) = (one.at("ip"), one.at("ipMode"), one.at("hostname"));
        if !address.is_empty() {
            address.named(names::address(address.text()), errors);
        }
        if !mode.is_set() {
            if !address.is_empty() {
                errors.push(mode.required("must be specified when `ip` is set"));
            }
        } else if address.is_empty() {
            errors.push(mode.forbidden("may not be specified when `ip` is not set"));
        } else {
            mode.one_of(&["Proxy", "VIP"], errors);
        }
        if !host.is_empty() {
            host.named(names::subdomain(host.text(), false), errors);
            if host.text().parse::<std::net::IpAddr>().is_ok() {
                errors.push(host.invalid("must be a DNS name, not an IP address"));
            }
        }
    }
}
