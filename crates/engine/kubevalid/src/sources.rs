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
    Source { more: endpoints, ..source("glusterfs", &["endpoints", "path"]) },
    Source { more: flocker, ..source("flocker", &[]) },
    Source { more: volumes::nfs, ..source("nfs", &[]) },
    source("rbd", &["monitors", "image"]),
    Source { more: quobyte, ..source("quobyte", &[]) },
    source("cephfs", &["monitors"]),
    Source { more: iscsi, ..source("iscsi", &["targetPortal", "iqn"]) },
    Source { more: secret, ..source("cinder", &["volumeID"]) },
    Source { more: fibre, ..source("fc", &[]) },
    Source { more: options, ..source("flexVolume", &["driver"]) },
    Source { more: azure_file, ..source("azureFile", &["secretName", "shareName"]) },
    source("vsphereVolume", &["volumePath"]),
    source("photonPersistentDisk", &["pdID"]),
    source("portworxVolume", &["volumeID"]),
    Source { more: azure_disk, ..source("azureDisk", &["diskName", "diskURI"]) },
    source("scaleIO", &["gateway", "system", "volumeName"]),
    Source { more: local, ..source("local", &[]) },
    Source { more: storage_os, ..source("storageos", &["volumeName"]) },
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
        if new.is_set() != was.is_set() {
            return false;
        }
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
    initiators(at, Holder::Volume, errors);
}

/// Who mounts a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Pod,
    Volume,
}

/// What is asked of targets.
fn initiators(at: &At<'_>, holder: Holder, errors: &mut Vec<FieldError>) {
    let unknown = match holder {
        Holder::Pod => "must be valid format starting with iqn, eui, or naa",
        Holder::Volume => "must be valid format",
    };
    let (name, lun) = (at.at("iqn"), at.at("lun"));
    let named = |name: &At<'_>, errors: &mut Vec<FieldError>| match qualified(name.text()) {
        None => errors.push(name.invalid(unknown)),
        Some(false) => errors.push(name.invalid("must be valid format")),
        Some(true) => {}
    };
    if !name.is_empty() {
        named(&name, errors);
    }
    if lun.number().is_some_and(|lun| !(0..=255).contains(&lun)) {
        errors.push(lun.invalid("must be between 0 and 255, inclusive"));
    }
    let secret = at.at("secretRef");
    if (at.at("chapAuthDiscovery").flag() || at.at("chapAuthSession").flag()) && !secret.is_set() {
        errors.push(secret.required(""));
    }
    // A volume's secret is named, a pod's may be left open.
    if holder == Holder::Volume && secret.is_set() && secret.at("name").is_empty() {
        errors.push(secret.at("name").required(""));
    }
    let initiator = at.at("initiatorName");
    if initiator.is_set() {
        named(&At { value: initiator.value, path: at.child("initiatorname") }, errors);
    }
}

/// Whether a name that begins as one of iSCSI goes on like one; `None`: it does not begin so.
fn qualified(name: &str) -> Option<bool> {
    let start = ["iqn", "eui", "naa"].into_iter().find(|start| name.starts_with(start))?;
    let word = |length: usize| {
        let mut rest = name.chars().skip(3);
        rest.next().is_some()
            && rest.clone().count() == length
            && rest.all(|sign| sign.is_ascii_alphanumeric())
    };
    Some(match start {
        "eui" => word(16),
        "naa" => word(32),
        _ => {
            let Some((head, tail)) = name.split_once(':') else { return Some(false) };
            let mut parts = head.splitn(3, '.');
            let (_, date, domain) = (parts.next(), parts.next(), parts.next());
            let is_date = |date: &str| {
                date.len() == 7
                    && date.bytes().enumerate().all(|(index, byte)| match index {
                        4 => byte == b'-',
                        _ => byte.is_ascii_digit(),
                    })
            };
            let good = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.');
            let bad = |sign: char| ",;*&$|".contains(sign) || sign.is_ascii_whitespace();
            head.starts_with("iqn.")
                && date.is_some_and(is_date)
                && domain.is_some_and(|domain| !domain.is_empty() && domain.chars().all(good))
                && !tail.is_empty()
                && !tail.contains(bad)
        }
    })
}

/// Names what is wrong with what holds a pod's volume, where that may hold a volume of its own, too.
pub fn of_pod(name: &str, volume: &At<'_>, errors: &mut Vec<FieldError>) {
    let Some(source) = SOURCES.iter().find(|source| source.field == name) else { return };
    let at = At { value: volume.at(name).value, path: volume.child(source.shown) };
    for field in source.required {
        if at.at(field).is_empty() {
            errors.push(at.at(field).required(""));
        }
    }
    match name {
        "iscsi" => {
            initiators(&at, Holder::Pod, errors);
            let portal = at.at("targetPortal").text();
            let called = volume.at("name").text();
            if at.at("initiatorName").is_set() && called.len() + portal.len() >= 64 {
                let words = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
                errors.push(FieldError::invalid(volume.child("name"), called, words));
            }
        }
        "storageos" => {
            labels_of_volume(&at, errors);
            secret_name(&at, errors);
        }
        "cinder" => secret_name(&at, errors),
        "glusterfs" | "azureFile" => {}
        _ => (source.more)(&at, errors),
    }
}

fn secret_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let secret = at.at("secretRef");
    if secret.is_set() && secret.at("name").is_empty() {
        errors.push(secret.at("name").required(""));
    }
}

fn endpoints(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let namespace = at.at("endpointsNamespace");
    if namespace.is_set() && namespace.is_empty() {
        let words = "if the endpointnamespace is set, it must be a valid namespace name";
        errors.push(namespace.invalid(words));
    } else if namespace.is_set() {
        namespace.named(names::label(namespace.text(), false), errors);
    }
}

fn options(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let options = at.at("options");
    for (key, _) in options.entries() {
        let domain = key.split_once('/').map_or(key, |(domain, _)| domain);
        let domain = format!(".{}", domain.to_lowercase());
        if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
            errors.push(FieldError::invalid(
                options.key(key).path,
                key,
                "kubernetes.io and k8s.io namespaces are reserved",
            ));
        }
    }
}

fn azure_file(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let namespace = at.at("secretNamespace");
    if namespace.is_set() && namespace.is_empty() {
        errors.push(namespace.required(""));
    }
}

fn storage_os(at: &At<'_>, errors: &mut Vec<FieldError>) {
    labels_of_volume(at, errors);
    secret(at, errors);
}

fn labels_of_volume(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for field in ["volumeName", "volumeNamespace"] {
        let at = at.at(field);
        if !at.is_empty() {
            at.named(names::label(at.text(), false), errors);
        }
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
    driver(&at.at("driver"), errors);
    let volume = at.at("volumeHandle");
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
        type Rule = fn(&str, bool) -> Vec<String>;
        for (part, rule) in [("name", names::subdomain as Rule), ("namespace", names::label)] {
            let part = secret.at(part);
            if part.is_empty() {
                errors.push(part.required(""));
            } else {
                part.named(rule(part.text(), false), errors);
            }
        }
    }
}

/// The name of a driver of volumes.
pub fn driver(driver: &At<'_>, errors: &mut Vec<FieldError>) {
    if driver.is_empty() {
        errors.push(driver.required(""));
        return;
    }
    if driver.text().len() > 63 {
        errors.push(FieldError::too_long(driver.path.clone(), 63));
    }
    driver.named(names::subdomain(&driver.text().to_lowercase(), false), errors);
}
