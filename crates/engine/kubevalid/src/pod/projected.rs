//! Volumes that show several things as files of one directory.

use std::collections::BTreeSet;

use manifest::field::FieldError;

use crate::cursor::At;
use crate::pod::downward;
use crate::pod::volumes::{self, mode};
use crate::{names, registration, selector};

/// A token's life in seconds at least: ten minutes.
const TOKEN_S_MIN: i64 = 600;
/// And at most.
const TOKEN_S_MAX: i64 = 1 << 32;
const KEY_TYPES: [&str; 6] =
    ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
/// Seconds that a certificate may be asked for at least, and at most; of Kubernetes' own signers less.
const CERTIFICATE_S_MIN: i64 = 3600;
const CERTIFICATE_S_MAX: i64 = 91 * 24 * 3600;
const OWN_CERTIFICATE_S_MAX: i64 = 24 * 3600;

/// Names what is wrong with a projected volume.
pub fn validate(at: &At<'_>, errors: &mut Vec<FieldError>) {
    mode(&at.at("defaultMode"), errors);
    let mut files = Files { of: at, seen: BTreeSet::new() };
    for source in at.at("sources").items() {
        let mut count = 0;
        for kind in ["secret", "configMap"] {
            let one = source.at(kind);
            if !one.is_set() {
                continue;
            }
            count += 1;
            if one.at("name").is_empty() {
                errors.push(one.at("name").required(""));
            }
            for item in one.at("items").items() {
                volumes::item(&item, errors);
                files.see(item.at("path").text(), one.at("name").text(), errors);
            }
        }
        let told = source.at("downwardAPI");
        if told.is_set() {
            count += 1;
            for item in told.at("items").items() {
                let item = At { value: item.value, path: told.path.clone() };
                file_of_pod(&item, errors);
                let path = item.at("path").text();
                files.see(path, path, errors);
            }
        }
        let more: [(&str, Rule); 3] = [
            ("serviceAccountToken", token),
            ("clusterTrustBundle", bundle),
            ("podCertificate", certificate),
        ];
        for (kind, rule) in more {
            let one = source.at(kind);
            if one.is_set() {
                count += 1;
                rule(&one, &mut files, errors);
            }
        }
        if count > 1 {
            errors.push(source.forbidden("may not specify more than 1 volume type per source"));
        }
    }
}

/// A file that tells something of the pod.
pub fn file_of_pod(file: &At<'_>, errors: &mut Vec<FieldError>) {
    let path = file.at("path");
    if path.is_empty() {
        errors.push(path.required(""));
    }
    volumes::own_path(&path, errors);
    let (field, resource) = (file.at("fieldRef"), file.at("resourceFieldRef"));
    if field.is_set() {
        downward::field(&field, &downward::IN_FILES, errors);
        if resource.is_set() {
            let words = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.push(FieldError::invalid(file.path.clone(), "resource", words));
        }
    } else if resource.is_set() {
        downward::resource_of_container(&resource, errors);
    } else {
        errors.push(file.required("one of fieldRef and resourceFieldRef is required"));
    }
    mode(&file.at("mode"), errors);
}

type Rule = fn(&At<'_>, &mut Files<'_>, &mut Vec<FieldError>);

/// The files of a volume, none of which may stand there twice.
struct Files<'a> {
    of: &'a At<'a>,
    seen: BTreeSet<String>,
}

impl Files<'_> {
    fn see(&mut self, path: &str, shown: &str, errors: &mut Vec<FieldError>) {
        if !path.is_empty() {
            self.see_any(path, shown, errors);
        }
    }

    fn see_any(&mut self, path: &str, shown: &str, errors: &mut Vec<FieldError>) {
        if !self.seen.insert(path.to_owned()) {
            let words = "conflicting duplicate paths";
            errors.push(FieldError::invalid(self.of.path.clone(), shown, words));
        }
    }
}

fn token(at: &At<'_>, files: &mut Files<'_>, errors: &mut Vec<FieldError>) {
    let life = at.at("expirationSeconds");
    if life.number().is_some_and(|seconds| seconds < TOKEN_S_MIN) {
        errors.push(life.invalid("may not specify a duration less than 10 minutes"));
    }
    if life.number().is_some_and(|seconds| seconds > TOKEN_S_MAX) {
        errors.push(life.invalid("may not specify a duration larger than 2^32 seconds"));
    }
    // The server names the volume's own path.
    let path = At { value: at.at("path").value, path: files.of.child("path") };
    if path.is_empty() {
        errors.push(path.required(""));
    } else {
        volumes::own_path(&path, errors);
    }
}

fn bundle(at: &At<'_>, files: &mut Files<'_>, errors: &mut Vec<FieldError>) {
    let (name, signer) = (at.at("name"), at.at("signerName"));
    let chosen = at.at("labelSelector");
    match (name.is_set(), signer.is_set()) {
        (true, true) => errors.push(at.invalid("only one of name and signerName may be used")),
        (true, false) => {
            if name.is_empty() {
                errors.push(name.required("must be a valid object name"));
            }
            let own = name.text().rsplit_once(':').map_or(name.text(), |(_, own)| own);
            errors.extend(
                names::subdomain(own, false).into_iter().map(|words| {
                    name.invalid(format!("not a valid clustertrustbundlename: {words}"))
                }),
            );
            if chosen.is_set() {
                errors.push(chosen.invalid("labelSelector must be unset if name is specified"));
            }
        }
        (false, true) => {
            if signer.is_empty() {
                errors.push(signer.required("must be a valid signer name"));
            }
            registration::signer_name(&signer, errors);
            if chosen.is_set() {
                selector::validate(&chosen, errors);
            }
        }
        (false, false) => {
            errors.push(at.required("either name or signerName must be specified"));
        }
    }
    let path = at.at("path");
    if path.is_empty() {
        errors.push(path.required(""));
    }
    volumes::own_path(&path, errors);
    files.see_any(path.text(), path.text(), errors);
}

fn certificate(at: &At<'_>, files: &mut Files<'_>, errors: &mut Vec<FieldError>) {
    let (signer, life) = (at.at("signerName"), at.at("maxExpirationSeconds"));
    registration::signer_name(&signer, errors);
    let kind = at.at("keyType");
    if !KEY_TYPES.contains(&kind.text()) {
        errors.push(FieldError::not_supported(kind.path.clone(), kind.text(), &KEY_TYPES));
    }
    if life.number().is_some_and(|seconds| seconds < CERTIFICATE_S_MIN) {
        let words = format!("if provided, maxExpirationSeconds must be >= {CERTIFICATE_S_MIN}");
        errors.push(life.invalid(words));
    }
    let domain = signer.text().split('/').next().unwrap_or_default();
    let most = match domain == "kubernetes.io" || domain.ends_with(".kubernetes.io") {
        true => OWN_CERTIFICATE_S_MAX,
        false => CERTIFICATE_S_MAX,
    };
    if life.number().is_some_and(|seconds| seconds > most) {
        errors.push(life.invalid(format!("if provided, maxExpirationSeconds must be <= {most}")));
    }
    let mut paths = 0;
    for field in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let path = at.at(field);
        if path.is_empty() {
            continue;
        }
        paths += 1;
        volumes::own_path(&path, errors);
        files.see(path.text(), path.text(), errors);
    }
    if paths == 0 {
        errors.push(at.required(
            "specify at least one of credentialBundlePath, keyPath, and certificateChainPath",
        ));
    }
}
