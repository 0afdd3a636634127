//! What extends the server itself: API services, service networks, certificate requests.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;

/// An APIService.
pub fn api_service(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let (group, version) = (spec.at("group"), spec.at("version"));
    if group.is_empty() {
        if version.text() != "v1" {
            errors.push(
                group.required("only v1 may have an empty group and it better be legacy kube"),
            );
        }
    } else {
        group.named(names::subdomain(group.text(), false), errors);
    }
    for words in names::label_1035(version.text()) {
        errors.push(FieldError::invalid(version.path.clone(), version.text(), words));
    }
    for (field, max) in [("groupPriorityMinimum", 20_000), ("versionPriority", 1_000)] {
        let number = spec.at(field).number().unwrap_or(0);
        if !(1..=max).contains(&number) {
            let words = format!("must be positive and less than {max}");
            errors.push(FieldError::invalid(spec.child(field), number, words));
        }
    }
    let service = spec.at("service");
    let (bundle, insecure) = (spec.at("caBundle"), spec.at("insecureSkipTLSVerify"));
    if !service.is_set() {
        if !bundle.is_empty() {
            let bytes = crate::objects::decoded_length(bundle.text());
            errors.push(FieldError::invalid(
                bundle.path.clone(),
                format!("{bytes} bytes"),
                "local APIServices may not have a caBundle",
            ));
        }
        if insecure.flag() {
            errors.push(insecure.invalid("local APIServices may not have insecureSkipTLSVerify"));
        }
        return;
    }
    for field in ["namespace", "name"] {
        if service.at(field).is_empty() {
            errors.push(service.at(field).required(""));
        }
    }
    let port = service.at("port").number().unwrap_or(443);
    for words in names::port_number(port) {
        errors.push(FieldError::invalid(
            service.child("port"),
            port,
            format!("port is not valid: {words}"),
        ));
    }
    if insecure.flag() && !bundle.is_empty() {
        errors.push(insecure.invalid("may not be true if caBundle is present"));
    }
}

/// A ServiceCIDR.
pub fn service_network(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let blocks = object.to(&["spec", "cidrs"]);
    let Some(old) = old else { return networks(&blocks, errors) };
    let before: Vec<&str> = old.to(&["spec", "cidrs"]).items().map(|block| block.text()).collect();
    let now: Vec<At<'_>> = blocks.items().collect();
    let immutable = "field is immutable";
    if before.len() == now.len() {
        for (block, before) in now.iter().zip(&before) {
            if block.text() != *before {
                errors.push(block.invalid(immutable));
            }
        }
    } else if before.len() == 1 && now.len() == 2 {
        if now[0].text() != before[0] {
            errors.push(now[0].invalid(immutable));
        }
        networks(&blocks, errors);
    } else {
        errors.push(blocks.invalid(immutable));
    }
}

fn networks(blocks: &At<'_>, errors: &mut Vec<FieldError>) {
    let count = blocks.items().count();
    if count == 0 {
        errors.push(blocks.required("at least one CIDR required"));
        return;
    }
    if count > 2 {
        let shown = format!("{{\"CIDRs\":{}}}", blocks.value);
        errors.push(blocks.invalid("may only hold up to 2 values").showing(shown));
        return;
    }
    for block in blocks.items() {
        names::network(&block, errors);
    }
    let family = |block: At<'_>| names::block(block.text()).map(|(address, _)| address.is_ipv4());
    let families: Vec<Option<bool>> = blocks.items().map(family).collect();
    if let [first, second] = families.as_slice()
        && first == second
        && first.is_some()
    {
        errors.push(blocks.invalid(
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
        ));
    }
}

/// An IPAddress, which is called after the address.
pub fn address(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let parent = object.to(&["spec", "parentRef"]);
    if parent.is_set() {
        let group = parent.at("group");
        if !group.is_empty() {
            group.named(names::subdomain(group.text(), false), errors);
        }
        for (field, needed) in [("resource", true), ("name", true), ("namespace", false)] {
            let at = parent.at(field);
            if !at.is_empty() {
                at.named(names::path_segment(at.text(), false), errors);
            } else if needed {
                errors.push(at.required(""));
            }
        }
    } else {
        errors.push(parent.required(""));
    }
    if let Some(old) = old
        && parent.value != old.to(&["spec", "parentRef"]).value
    {
        let text = |field: &str| Value::from(parent.at(field).text());
        let shown = match parent.is_set() {
            true => format!(
                r#"{{"Group":{},"Resource":{},"Namespace":{},"Name":{}}}"#,
                text("group"),
                text("resource"),
                text("namespace"),
                text("name")
            ),
            false => "null".to_owned(),
        };
        errors.push(parent.invalid("field is immutable").showing(shown));
    }
}

/// How an IPAddress is called.
pub fn address_name(text: &str, _: bool) -> Vec<String> {
    names::address_refusals(text)
}

/// Any name will do.
pub fn any_name(_: &str, _: bool) -> Vec<String> {
    Vec::new()
}

/// What a certificate may be for.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// A CertificateSigningRequest.
pub fn certificate_request(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    match old {
        None => request_itself(&object, errors),
        Some(old) => certificate_request_through("", &object, &old, errors),
    }
}

/// What becomes of a CertificateSigningRequest through one of its doors.
pub fn certificate_request_through(
    subresource: &str,
    object: &At<'_>,
    old: &At<'_>,
    errors: &mut Vec<FieldError>,
) {
    request_itself(object, errors);
    kept_conditions(object, old, subresource == "approval", errors);
    let path = ["status", "certificate"];
    let (now, before) = (object.to(&path), old.to(&path));
    if now.text() == before.text() {
        return;
    }
    if subresource != "status" {
        errors.push(now.forbidden("updates may not set certificate content"));
    } else if !before.is_empty() {
        errors.push(now.forbidden("updates may not modify existing certificate content"));
    }
}

fn request_itself(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let request = spec.at("request");
    if !is_request(&crate::objects::decode(request.text())) {
        let words = "PEM block type must be CERTIFICATE REQUEST";
        errors.push(match !request.is_empty() {
            true => request.invalid(words),
            false => request.invalid(words).showing("null"),
        });
    }
    let usages = spec.at("usages");
    if usages.is_empty() {
        errors.push(usages.required(""));
    }
    for usage in usages.items() {
        if !USAGES.contains(&usage.text()) {
            errors.push(usage.unsupported(&USAGES));
        }
    }
    let mut seen = BTreeSet::new();
    for usage in usages.items() {
        if !seen.insert(usage.text()) {
            errors.push(usage.duplicate());
        }
    }
    let signer = spec.at("signerName");
    if signer.text() == "kubernetes.io/legacy-unknown" {
        errors.push(signer.invalid("the legacy signerName is not allowed via this API version"));
    } else {
        signer_name(&signer, errors);
    }
    let seconds = spec.at("expirationSeconds");
    if seconds.number().is_some_and(|seconds| seconds < 600) {
        errors
            .push(seconds.invalid("may not specify a duration less than 600 seconds (10 minutes)"));
    }
    request_conditions(object, errors);
    let certificate = object.to(&["status", "certificate"]);
    if !certificate.is_empty() {
        let content = crate::objects::decode(certificate.text());
        if !String::from_utf8_lossy(&content).contains("-----BEGIN CERTIFICATE-----") {
            errors.push(FieldError::invalid(
                certificate.path.clone(),
                "<certificate data>",
                "must contain at least one CERTIFICATE PEM block",
            ));
        }
    }
}

/// Whether the text holds one block of the right type; what is in the block is not looked at.
fn is_request(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.split_once("-----BEGIN CERTIFICATE REQUEST-----")
        .is_some_and(|(_, rest)| rest.contains("-----END CERTIFICATE REQUEST-----"))
}

/// A domain and a path below it.
pub fn signer_name(signer: &At<'_>, errors: &mut Vec<FieldError>) {
    if signer.is_empty() {
        errors.push(signer.required(""));
        return;
    }
    let wrong = |text: &str, words: String| FieldError::invalid(signer.path.clone(), text, words);
    let Some((domain, path)) =
        signer.text().split_once('/').filter(|(_, path)| !path.contains('/'))
    else {
        errors.push(signer.invalid(
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        ));
        return;
    };
    if domain.len() > 253 {
        errors.push(FieldError::too_long(signer.path.clone(), 253));
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let bad = labels.iter().find(|label| !names::label(label, false).is_empty());
    for words in bad.into_iter().flat_map(|label| told(label, names::label(label, false))) {
        errors.push(wrong(domain, words));
    }
    if labels.len() < 2 {
        let words = "should be a domain with at least two segments separated by dots";
        errors.push(wrong(domain, words.to_owned()));
    }
    let bad = path.split('.').find(|label| !names::subdomain(label, false).is_empty());
    for words in bad.into_iter().flat_map(|label| told(label, names::subdomain(label, false))) {
        errors.push(wrong(path, words));
    }
    if signer.text().len() > 571 {
        errors.push(FieldError::too_long(signer.path.clone(), 571));
    }
}

fn told(label: &str, refusals: Vec<String>) -> Vec<String> {
    let label = manifest::field::quote(label);
    refusals.into_iter().map(|words| format!("validating label {label}: {words}")).collect()
}

/// What is said of a request's conditions.
fn request_conditions(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let conditions = object.to(&["status", "conditions"]);
    let mut seen = BTreeSet::new();
    for condition in conditions.items() {
        let (kind, status) = (condition.at("type"), condition.at("status"));
        if kind.is_empty() {
            errors.push(kind.required(""));
        }
        let known: &[&str] = match kind.text() {
            "Approved" | "Denied" | "Failed" => &["True"],
            _ => &["False", "True", "Unknown"],
        };
        if status.is_empty() {
            errors.push(status.required(""));
        } else if !known.contains(&status.text()) {
            errors.push(status.unsupported(known));
        }
        let other = match kind.text() {
            "Approved" => "Denied",
            "Denied" => "Approved",
            _ => "",
        };
        if !other.is_empty() && seen.contains(other) {
            errors.push(FieldError::invalid(
                conditions.path.clone(),
                kind.text(),
                "Approved and Denied conditions are mutually exclusive",
            ));
        }
        if !seen.insert(kind.text()) {
            errors.push(FieldError::duplicate(kind.path.clone(), kind.text()));
        }
    }
}

/// What was decided stays, and is decided through the `approval` door alone.
fn kept_conditions(object: &At<'_>, old: &At<'_>, may_decide: bool, errors: &mut Vec<FieldError>) {
    let at = object.to(&["status", "conditions"]);
    let of = |object: &At<'_>, kind: &str| -> usize {
        let conditions = object.to(&["status", "conditions"]);
        conditions.items().filter(|one| one.at("type").text() == kind).count()
    };
    for kind in ["Approved", "Denied", "Failed"] {
        if of(object, kind) < of(old, kind) {
            let words = format!("updates may not remove a condition of type \"{kind}\"");
            errors.push(at.forbidden(&words));
        }
    }
    for kind in ["Approved", "Denied"] {
        if !may_decide && of(object, kind) > of(old, kind) {
            let words = format!("updates may not add a condition of type \"{kind}\"");
            errors.push(at.forbidden(&words));
        }
    }
}
