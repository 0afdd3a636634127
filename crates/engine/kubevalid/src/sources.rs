//! What may hold the data of a persistent volume.

use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::volumes;

/// A source: how its field is called, how errors call it, and what must stand in it.
struct Source {
    field: &'static str,
    /// Where that is not the field's name.
    shown: &'static str,
    required: &'static [&'static str],
    /// What else is asked.
    more: fn(&At<'_>, &mut Vec<FieldError>),
}

const fn source(field: &'static str, required: &'static [&'static str]) -> Source {
    Source { field, shown: field, required, more: |_, _| {} }
}

/// In the order in which they are looked at.
const SOURCES: [Source; 22] = [
    Source { more: volumes::host_path, ..source("hostPath", &[]) },
    Source { shown: "persistentDisk", more: partition, ..source("gcePersistentDisk", &["pdName"]) },
    Source { more: partition, ..source("awsElasticBlockStore", &["volumeID"]) },
    source("glusterfs", &["endpoints", "path"]),
    Source { more: flocker, ..source("flocker", &[]) },
    Source { more: volumes::nfs, ..source("nfs", &[]) },
    source("rbd", &["monitors", "image"]),
    Source { more: quobyte, ..source("quobyte", &[]) },
    source("cephfs", &["monitors"]),
    Source { more: iscsi, ..source("iscsi", &["targetPortal", "iqn"]) },
    Source { more: secret, ..source("cinder", &["volumeID"]) },
    Source { more: fibre, ..source("fc", &[]) },
    source("flexVolume", &["driver"]),
    source("azureFile", &["secretName", "shareName"]),
    source("vsphereVolume", &["volumePath"]),
    source("photonPersistentDisk", &["pdID"]),
    source("portworxVolume", &["volumeID"]),
    Source { more: azure_disk, ..source("azureDisk", &["diskName", "diskURI"]) },
    source("scaleIO", &["gateway", "system", "volumeName"]),
    Source { more: local, ..source("local", &[]) },
    Source { more: secret, ..source("storageos", &["volumeName"]) },
    Source { more: csi, ..source("csi", &[]) },
];

/// Refuses what is wrong in the one source that a volume's spec has.
pub fn validate(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut count = 0;
    for source in &SOURCES {
        let at = spec.at(source.field);
        if !at.is_set() {
            continue;
        }
        count += 1;
        // Sources of other makers are not counted against each other.
        if count > 1 && source.field != "flexVolume" {
            let field = if source.field == "cephfs" { "cephFS" } else { source.field };
            let path = spec.child(field);
            errors.push(FieldError::forbidden(path, "may not specify more than 1 volume type"));
            continue;
        }
        let at = At { value: at.value, path: spec.child(source.shown) };
        for field in source.required {
            if at.at(field).is_empty() {
                errors.push(at.at(field).required(""));
            }
        }
        (source.more)(&at, errors);
        if source.field == "local" && !spec.to(&["nodeAffinity", "required"]).is_set() {
            errors.push(spec.at("nodeAffinity").required("Local volume requires node affinity"));
        }
    }
    if count == 0 {
        errors.push(spec.required("must specify a volume type"));
    }
}

/// Whether no source is another than it was. What secret a driver expands volumes with may be said later.
pub fn are_as(spec: &At<'_>, old: &At<'_>) -> bool {
    SOURCES.iter().all(|source| {
        let (new, was) = (spec.at(source.field), old.at(source.field));
        if source.field != "csi" || was.at(EXPANDS).is_set() || !was.is_set() {
            return new.is_as(&was);
        }
        let mut without = new.value.clone();
        if let Some(fields) = without.as_object_mut() {
            fields.remove(EXPANDS);
        }
        At { value: &without, path: new.path.clone() }.is_as(&was)
    })
}

const EXPANDS: &str = "controllerExpandSecretRef";

fn partition(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let number = at.at("partition");
    if number.number().is_some_and(|number| !(0..=255).contains(&number)) {
        errors.push(number.invalid("must be between 0 and 255, inclusive"));
    }
}

fn flocker(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (name, id) = (at.at("datasetName"), at.at("datasetUUID"));
    if name.is_empty() && id.is_empty() {
        errors.push(at.required("one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !id.is_empty() {
        let words = "datasetName and datasetUUID can not be specified simultaneously";
        errors.push(FieldError::invalid(at.path.clone(), "resource", words));
    }
    if name.text().contains('/') {
        errors.push(name.invalid("must not contain '/'"));
    }
}

fn quobyte(at: &At<'_>, errors: &mut Vec<FieldError>) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let (registry, tenant) = (at.at("registry"), at.at("tenant"));
    if registry.is_empty() {
        errors.push(registry.required(PAIRS));
    } else if tenant.text().len() >= 65 {
        errors.push(tenant.required("must be a UUID and may not exceed a length of 64 characters"));
    } else {
        for pair in registry.text().split(',').filter(|pair| pair.matches(':').count() != 1) {
            let _is_none = pair;
            errors.push(registry.invalid(PAIRS));
        }
    }
    if at.at("volume").is_empty() {
        errors.push(at.at("volume").required(""));
    }
}

fn iscsi(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (name, lun) = (at.at("iqn"), at.at("lun"));
    let known = ["iqn", "eui", "naa"].iter().any(|start| name.text().starts_with(start));
    if !name.is_empty() && !known {
        errors.push(name.invalid("must be valid format"));
    }
    if lun.number().is_some_and(|lun| !(0..=255).contains(&lun)) {
        errors.push(lun.invalid("must be between 0 and 255, inclusive"));
    }
    let secret = at.at("secretRef");
    if (at.at("chapAuthDiscovery").flag() || at.at("chapAuthSession").flag()) && !secret.is_set() {
        errors.push(secret.required(""));
    }
    if secret.is_set() && secret.at("name").is_empty() {
        errors.push(secret.at("name").required(""));
    }
}

fn fibre(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (targets, names, lun) = (at.at("targetWWNs"), at.at("wwids"), at.at("lun"));
    if targets.is_empty() && names.is_empty() {
        errors.push(targets.required("must specify either targetWWNs or wwids, but not both"));
    }
    if targets.is_empty() {
        return;
    }
    if !names.is_empty() {
        errors.push(targets.invalid("targetWWNs and wwids can not be specified simultaneously"));
    }
    if !lun.is_set() {
        errors.push(lun.required("lun is required if targetWWNs is specified"));
    } else if lun.number().is_some_and(|lun| !(0..=255).contains(&lun)) {
        errors.push(lun.invalid("must be between 0 and 255, inclusive"));
    }
}

fn secret(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let secret = at.at("secretRef");
    if !secret.is_set() {
        return;
    }
    for field in ["name", "namespace"] {
        if secret.at(field).is_empty() {
            errors.push(secret.at(field).required(""));
        }
    }
}

fn azure_disk(at: &At<'_>, errors: &mut Vec<FieldError>) {
    const MANAGED: &str = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
    const BLOB: &str =
        "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
    at.at("cachingMode").one_of(&["None", "ReadOnly", "ReadWrite"], errors);
    let (kind, place) = (at.at("kind"), at.at("diskURI"));
    kind.one_of(&["Dedicated", "Managed", "Shared"], errors);
    let (begins, example) = match kind.text() {
        "Managed" => ("/subscriptions/", MANAGED),
        _ => ("https://", BLOB),
    };
    if kind.is_set() && !place.text().starts_with(begins) {
        errors.push(FieldError::not_supported(place.path.clone(), place.text(), &[example]));
    }
}

fn local(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let path = at.at("path");
    if path.is_empty() {
        errors.push(path.required(""));
    } else if path.text().split('/').any(|step| step == "..") {
        errors.push(path.invalid("must not contain '..'"));
    }
}

fn csi(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (driver, volume) = (at.at("driver"), at.at("volumeHandle"));
    if driver.is_empty() {
        errors.push(driver.required(""));
    } else {
        if driver.text().len() > 63 {
            let mut error = FieldError::too_long("", 63);
            error.field = driver.path.clone();
            errors.push(error);
        }
        driver.named(names::subdomain(&driver.text().to_lowercase(), false), errors);
    }
    if volume.is_empty() {
        errors.push(volume.required(""));
    }
    for field in
        ["controllerPublishSecretRef", EXPANDS, "nodePublishSecretRef", "nodeExpandSecretRef"]
    {
        let secret = at.at(field);
        if !secret.is_set() {
            continue;
        }
        for part in ["name", "namespace"] {
            if secret.at(part).is_empty() {
                errors.push(secret.at(part).required(""));
            }
        }
    }
}
