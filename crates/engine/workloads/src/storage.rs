//! PersistentVolumeClaims: bound at once to a volume made for them. Volumes wait for a claim.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{Context, Outcome, Write, print_time, text};

/// Binds a claim. One that asks for no class (`storageClassName: ""`) waits for a volume
/// that somebody makes, and one whose class does not exist waits for the class.
pub fn reconcile(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    if text(object, "/status/phase") == "Bound" {
        return outcome;
    }
    let class = object.pointer("/spec/storageClassName").and_then(Value::as_str);
    let known =
        |class: &str| context.storage_classes.iter().any(|known| manifest::name(known) == class);
    let pending = match class {
        Some("") => true,
        Some(class) => !known(class) && !context.storage_classes.is_empty(),
        None => false,
    };
    if pending {
        outcome.status(object, json!({"phase": "Pending"}));
        return outcome;
    }
    let volume = format!("pvc-{}", manifest::uid(object));
    if text(object, "/spec/volumeName") != volume && text(object, "/spec/volumeName").is_empty() {
        outcome.write(Write::Create(volume_for(object, &volume, class)));
        let mut bound = object.clone();
        bound["spec"]["volumeName"] = volume.into();
        manifest::set_annotation(&mut bound, "pv.kubernetes.io/bind-completed", "yes");
        manifest::set_annotation(&mut bound, "pv.kubernetes.io/bound-by-controller", "yes");
        outcome.write(Write::Update(bound));
        return outcome;
    }
    let status = json!({
        "phase": "Bound",
        "accessModes": object["spec"]["accessModes"],
        "capacity": {"storage": object.pointer("/spec/resources/requests/storage").cloned()
            .unwrap_or_else(|| "1Gi".into())},
    });
    outcome.status(object, status);
    outcome
}

/// Says whether a volume waits for a claim.
pub fn reconcile_volume(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let phase = match text(object, "/spec/claimRef/uid") {
        "" => "Available",
        _ => "Bound",
    };
    if matches!(text(object, "/status/phase"), "" | "Pending") {
        let since = print_time(context.now);
        outcome.status(object, json!({"phase": phase, "lastPhaseTransitionTime": since}));
    }
    outcome
}

fn volume_for(claim: &Value, name: &str, class: Option<&str>) -> Value {
    let mut volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": "tiphys.io/simulated"},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim.pointer("/spec/resources/requests/storage").cloned()
                .unwrap_or_else(|| "1Gi".into())},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": manifest::namespace(claim),
                "name": manifest::name(claim),
                "uid": manifest::uid(claim),
            },
            "hostPath": {"path": format!("/simulated/{name}"), "type": ""},
            "persistentVolumeReclaimPolicy": "Delete",
        },
    });
    if let Some(class) = class {
        volume["spec"]["storageClassName"] = class.into();
    }
    volume
}
