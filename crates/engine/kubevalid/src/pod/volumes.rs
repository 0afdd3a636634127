//! A pod's volumes.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::pod::projected;
use crate::{meta, names, sources, storage};

const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];
const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Names what is wrong with the volumes; answers the names of those that may be mounted.
pub fn validate<'a>(volumes: &At<'a>, errors: &mut Vec<FieldError>) -> BTreeSet<&'a str> {
    let mut known = BTreeSet::new();
    for volume in volumes.items() {
        let before = errors.len();
        source(&volume, errors);
        let name = volume.at("name");
        if name.is_empty() {
            errors.push(name.required(""));
        } else {
            name.named(names::label(name.text(), false), errors);
        }
        if known.contains(name.text()) {
            errors.push(name.duplicate());
        }
        if errors.len() == before {
            known.insert(name.text());
        }
    }
    known
}

fn source(volume: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut count = 0;
    for name in SOURCES {
        let at = volume.at(name);
        if !at.is_set() {
            continue;
        }
        count += 1;
        if count > 1 {
            let field = match name {
                "cephfs" => "cephFS",
                // As the server spells it.
                "downwardAPI" => "downwarAPI",
                name => name,
            };
            errors.push(FieldError::forbidden(
                volume.child(field),
                "may not specify more than 1 volume type",
            ));
            continue;
        }
        let required = |field: &str, errors: &mut Vec<FieldError>| {
            if at.at(field).is_empty() {
                errors.push(at.at(field).required(""));
            }
        };
        match name {
            "emptyDir" => {
                let limit = at.at("sizeLimit");
                if Quantity::parse(limit.text()).is_ok_and(|limit| limit.sign() < 0) {
                    errors
                        .push(limit.forbidden("SizeLimit field must be a valid resource quantity"));
                }
            }
            "hostPath" => host_path(&at, errors),
            "nfs" => nfs(&at, errors),
            "configMap" => {
                required("name", errors);
                mode(&at.at("defaultMode"), errors);
                items(&at, errors);
            }
            "secret" => {
                required("secretName", errors);
                mode(&at.at("defaultMode"), errors);
                items(&at, errors);
            }
            "persistentVolumeClaim" => required("claimName", errors),
            "downwardAPI" => {
                mode(&at.at("defaultMode"), errors);
                for item in at.at("items").items() {
                    projected::file_of_pod(
                        &At { value: item.value, path: at.path.clone() },
                        errors,
                    );
                }
            }
            "projected" => projected::validate(&at, errors),
            "csi" => {
                sources::driver(&at.at("driver"), errors);
                let secret = at.at("nodePublishSecretRef");
                if secret.is_set() && secret.at("name").is_empty() {
                    errors.push(secret.at("name").required(""));
                } else if secret.is_set() {
                    let name = secret.at("name").text();
                    let refused = names::subdomain(name, false).into_iter();
                    errors.extend(
                        refused.map(|words| FieldError::invalid(at.child("name"), name, words)),
                    );
                }
            }
            "gitRepo" => {
                required("repository", errors);
                local_path(&at.at("directory"), errors);
            }
            "image" => at.at("pullPolicy").one_of(&["Always", "IfNotPresent", "Never"], errors),
            "ephemeral" => {
                let template = at.at("volumeClaimTemplate");
                if template.is_set() {
                    labels_alone(&template.at("metadata"), errors);
                    storage::claim_spec(&template.at("spec"), errors);
                } else {
                    errors.push(template.required(""));
                }
            }
            other => sources::of_pod(other, volume, errors),
        }
    }
    if count == 0 {
        errors.push(volume.required("must specify a volume type"));
    }
}

pub fn host_path(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let path = at.at("path");
    if path.is_empty() {
        errors.push(path.required(""));
        return;
    }
    no_climbing(&path, errors);
    let kind = at.at("type");
    kind.one_of(&HOST_PATH_TYPES, errors);
}

pub fn nfs(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let path = at.at("path");
    for field in ["server", "path"] {
        if at.at(field).is_empty() {
            errors.push(at.at(field).required(""));
        }
    }
    if !path.text().starts_with('/') {
        errors.push(FieldError::invalid(
            path.path.clone(),
            path.text(),
            "must be an absolute path",
        ));
    }
}

fn no_climbing(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.text().split('/').any(|part| part == "..") {
        errors.push(at.invalid("must not contain '..'"));
    }
}

/// A path below the place where it is mounted.
pub fn local_path(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.text().starts_with('/') {
        errors.push(at.invalid("must be a relative path"));
    }
    no_climbing(at, errors);
}

/// The rights of a file.
pub fn mode(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.number().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        errors.push(at.invalid("must be a number between 0 and 0777 (octal), both inclusive"));
    }
}

/// A path below the place where it is mounted, of a name that the kubelet has no use for itself.
pub fn own_path(at: &At<'_>, errors: &mut Vec<FieldError>) {
    local_path(at, errors);
    if at.text().starts_with("..") && !at.text().starts_with("../") {
        errors.push(at.invalid("must not start with '..'"));
    }
}

fn items(at: &At<'_>, errors: &mut Vec<FieldError>) {
    at.at("items").items().for_each(|one| item(&one, errors));
}

/// A key, and the file that it becomes.
pub fn item(item: &At<'_>, errors: &mut Vec<FieldError>) {
    let (key, path) = (item.at("key"), item.at("path"));
    if key.is_empty() {
        errors.push(key.required(""));
    }
    if path.is_empty() {
        errors.push(path.required(""));
    }
    own_path(&path, errors);
    mode(&item.at("mode"), errors);
}

/// Of a claim's metadata only labels and annotations may be said beforehand.
fn labels_alone(metadata: &At<'_>, errors: &mut Vec<FieldError>) {
    const OTHERS: [(&str, &str); 13] = [
        ("name", "Name"),
        ("generateName", "GenerateName"),
        ("namespace", "Namespace"),
        ("selfLink", "SelfLink"),
        ("uid", "UID"),
        ("resourceVersion", "ResourceVersion"),
        ("generation", "Generation"),
        ("creationTimestamp", "CreationTimestamp"),
        ("deletionTimestamp", "DeletionTimestamp"),
        ("deletionGracePeriodSeconds", "DeletionGracePeriodSeconds"),
        ("ownerReferences", "OwnerReferences"),
        ("finalizers", "Finalizers"),
        ("managedFields", "ManagedFields"),
    ];
    meta::annotations(&metadata.at("annotations"), errors);
    meta::labels(&metadata.at("labels"), errors);
    for (field, shown) in OTHERS {
        let at = metadata.at(field);
        if !at.is_empty() && at.number() != Some(0) {
            errors.push(FieldError::forbidden(metadata.child(shown), "cannot be set"));
        }
    }
}
