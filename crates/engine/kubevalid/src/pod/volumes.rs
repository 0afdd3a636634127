//! A pod's volumes.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::storage;

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
/// A token's life in seconds at least: ten minutes.
const TOKEN_S_MIN: i64 = 600;

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
    let mut sources = 0;
    for name in SOURCES {
        let at = volume.at(name);
        if !at.is_set() {
            continue;
        }
        sources += 1;
        if sources > 1 {
            errors.push(at.forbidden("may not specify more than 1 volume type"));
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
                    downward(&item, &at, errors);
                }
            }
            "projected" => projected(&at, errors),
            "csi" => required("driver", errors),
            "ephemeral" => {
                let template = at.at("volumeClaimTemplate");
                if template.is_set() {
                    storage::claim_spec(&template.at("spec"), errors);
                } else {
                    errors.push(template.required(""));
                }
            }
            _ => {}
        }
    }
    if sources == 0 {
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

fn mode(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.number().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        errors.push(at.invalid("must be a number between 0 and 0777 (octal), both inclusive"));
    }
}

fn items(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for item in at.at("items").items() {
        let (key, path) = (item.at("key"), item.at("path"));
        if key.is_empty() {
            errors.push(key.required(""));
        }
        if path.is_empty() {
            errors.push(path.required(""));
        }
        local_path(&path, errors);
        mode(&item.at("mode"), errors);
    }
}

fn downward(item: &At<'_>, whole: &At<'_>, errors: &mut Vec<FieldError>) {
    let path = item.at("path");
    if path.is_empty() {
        errors.push(path.required(""));
    }
    local_path(&path, errors);
    if !item.at("fieldRef").is_set() && !item.at("resourceFieldRef").is_set() {
        errors.push(whole.required("one of fieldRef and resourceFieldRef is required"));
    }
    mode(&item.at("mode"), errors);
}

fn projected(at: &At<'_>, errors: &mut Vec<FieldError>) {
    mode(&at.at("defaultMode"), errors);
    for source in at.at("sources").items() {
        let kinds =
            ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"];
        let set: Vec<&str> = kinds.into_iter().filter(|kind| source.at(kind).is_set()).collect();
        for extra in set.iter().skip(1) {
            errors.push(
                source.at(extra).forbidden("may not specify more than 1 volume type per source"),
            );
        }
        for field in ["secret", "configMap"] {
            let one = source.at(field);
            if one.is_set() {
                if one.at("name").is_empty() {
                    errors.push(one.at("name").required(""));
                }
                items(&one, errors);
            }
        }
        for item in source.to(&["downwardAPI", "items"]).items() {
            downward(&item, &source.at("downwardAPI"), errors);
        }
        let token = source.at("serviceAccountToken");
        if token.is_set() {
            let life = token.at("expirationSeconds");
            if life.number().is_some_and(|seconds| seconds < TOKEN_S_MIN) {
                errors.push(life.invalid("may not specify a duration less than 10 minutes"));
            }
            if token.at("path").is_empty() {
                errors.push(token.at("path").required(""));
            } else {
                local_path(&token.at("path"), errors);
            }
        }
    }
}
