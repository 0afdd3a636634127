//! Volumes, claims and classes.

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::affinity;
use crate::selector;

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// What may hold the data of a volume.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flocker",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "local",
    "storageos",
    "csi",
    "flexVolume",
];

fn access_modes(at: &At<'_>, missing: &str, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(missing));
    }
    let alone = at.items().any(|mode| mode.text() == "ReadWriteOncePod");
    for mode in at.items() {
        if !MODES.contains(&mode.text()) {
            errors.push(FieldError::not_supported(at.path.clone(), mode.text(), &MODES));
        }
    }
    if alone && at.items().count() > 1 {
        errors.push(at.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

/// A size that must be more than nothing.
fn more_than_nothing(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let nothing = Quantity::parse(at.text()).is_ok_and(|size| size.sign() <= 0);
    if nothing {
        errors.push(at.invalid("must be greater than zero"));
    }
}

fn class_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_empty() {
        at.named(names::subdomain(at.text(), false), errors);
    }
}

pub fn claim(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    claim_spec(&spec, errors);
    let Some(old) = old else { return };
    let old = old.at("spec");
    let bound = object.to(&["status", "phase"]).text() == "Bound";
    let rest = |at: &At<'_>| {
        let mut fields = at.map().cloned().unwrap_or_default();
        if bound {
            fields.remove("resources");
            fields.remove("volumeAttributesClassName");
        }
        // A claim that has no volume or class yet may be given one.
        if old.at("volumeName").is_empty() {
            fields.remove("volumeName");
        }
        if !old.at("storageClassName").is_set() {
            fields.remove("storageClassName");
        }
        fields
    };
    if rest(&spec) != rest(&old) {
        errors.push(spec.forbidden(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ));
    }
}

/// A claim's spec, wherever it stands.
pub fn claim_spec(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    selector::validate(&spec.at("selector"), errors);
    access_modes(&spec.at("accessModes"), "at least 1 access mode is required", errors);
    let size = spec.to(&["resources", "requests", "storage"]);
    let at = At { value: size.value, path: format!("{}[storage]", spec.child("resources")) };
    if size.is_set() {
        more_than_nothing(&at, errors);
    } else {
        errors.push(at.required(""));
    }
    class_name(&spec.at("storageClassName"), errors);
    spec.at("volumeMode").one_of(&["Block", "Filesystem"], errors);
}

pub fn volume(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    access_modes(&spec.at("accessModes"), "", errors);
    let capacity = spec.at("capacity");
    if capacity.is_empty() {
        errors.push(capacity.required(""));
    }
    if !capacity.at("storage").is_set() || capacity.entries().count() > 1 {
        errors.push(FieldError::not_supported(
            capacity.path.clone(),
            capacity.value.clone(),
            &["storage"],
        ));
    } else {
        more_than_nothing(&capacity.key("storage"), errors);
    }
    let reclaim = spec.at("persistentVolumeReclaimPolicy");
    if !reclaim.is_empty() {
        reclaim.one_of(&["Delete", "Recycle", "Retain"], errors);
    }
    if spec.at("nodeAffinity").is_set() {
        affinity::node_selector(&spec.to(&["nodeAffinity", "required"]), errors);
    }
    let mut sources = 0;
    for source in SOURCES {
        let at = spec.at(source);
        if !at.is_set() {
            continue;
        }
        sources += 1;
        if sources > 1 {
            errors.push(at.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        match source {
            "hostPath" => crate::pod::volumes::host_path(&at, errors),
            "nfs" => crate::pod::volumes::nfs(&at, errors),
            "csi" => {
                for field in ["driver", "volumeHandle"] {
                    if at.at(field).is_empty() {
                        errors.push(at.at(field).required(""));
                    }
                }
            }
            "local" => {
                if at.at("path").is_empty() {
                    errors.push(at.at("path").required(""));
                }
                if !spec.at("nodeAffinity").is_set() {
                    errors.push(
                        spec.at("nodeAffinity").required("Local volume requires node affinity"),
                    );
                }
            }
            _ => {}
        }
    }
    if sources == 0 {
        errors.push(spec.required("must specify a volume type"));
    }
    if spec.to(&["hostPath", "path"]).text() == "/" && reclaim.text() == "Recycle" {
        errors.push(reclaim.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
    class_name(&spec.at("storageClassName"), errors);
    spec.at("volumeMode").one_of(&["Block", "Filesystem"], errors);
    if let Some(old) = old {
        let old = old.at("spec");
        if SOURCES.iter().any(|source| spec.at(source).value != old.at(source).value) {
            let path = spec.child("persistentvolumesource");
            let words = format!("{path} is immutable after creation");
            errors.push(FieldError::forbidden(path, words));
        }
    }
}

pub fn class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let provisioner = object.at("provisioner");
    let parameters = object.at("parameters");
    let binding = object.at("volumeBindingMode");
    if let Some(old) = &old {
        if parameters.value != old.at("parameters").value {
            errors.push(parameters.invalid("field is immutable"));
        }
        for field in ["provisioner", "reclaimPolicy", "volumeBindingMode"] {
            object.at(field).unchanged(&old.at(field), errors);
        }
        return;
    }
    if provisioner.is_empty() {
        errors.push(provisioner.required(""));
    } else {
        provisioner.named(names::qualified(&provisioner.text().to_lowercase()), errors);
    }
    for (key, _) in parameters.entries() {
        if key.is_empty() {
            errors.push(FieldError::invalid(
                parameters.path.clone(),
                "",
                "field can not be empty.",
            ));
        }
    }
    object.at("reclaimPolicy").one_of(&["Delete", "Retain"], errors);
    if binding.is_set() {
        binding.one_of(&["Immediate", "WaitForFirstConsumer"], errors);
    } else {
        errors.push(binding.required(""));
    }
}
