//! What a pod tells its containers of itself.

use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::amounts::quantity;

/// What variables may tell.
pub const IN_VARIABLES: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What files may tell.
pub const IN_FILES: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
/// What is known at all, besides.
const KNOWN: [&str; 3] = ["spec.restartPolicy", "spec.schedulerName", "status.phase"];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const HUGE_PAGES: [&str; 2] = ["limits.hugepages-", "requests.hugepages-"];
const DIVISORS: [&str; 13] =
    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// A field of the pod, one of those that are `told` there.
pub fn field(at: &At<'_>, told: &[&str], errors: &mut Vec<FieldError>) {
    let (version, path) = (at.at("apiVersion"), at.at("fieldPath"));
    if version.is_set() && version.is_empty() {
        errors.push(version.required(""));
        return;
    }
    if path.is_empty() {
        errors.push(path.required(""));
        return;
    }
    let wrong = |why: String| path.invalid(format!("error converting fieldPath: {why}"));
    if version.is_set() && version.text() != "v1" {
        errors.push(wrong(format!("unsupported pod version: {}", version.text())));
        return;
    }
    let text = path.text();
    let subscript = text.strip_suffix("']").and_then(|text| text.split_once("['"));
    match subscript.filter(|(map, _)| !map.is_empty()) {
        Some(("metadata.annotations", key)) => {
            let refused = names::qualified(&key.to_lowercase());
            let key = key.to_lowercase();
            errors.extend(
                refused
                    .into_iter()
                    .map(|words| FieldError::invalid(at.path.clone(), key.as_str(), words)),
            );
        }
        Some(("metadata.labels", key)) => {
            let refused = names::qualified(key);
            errors.extend(
                refused.into_iter().map(|words| FieldError::invalid(at.path.clone(), key, words)),
            );
        }
        Some(_) => errors.push(wrong(format!("field label does not support subscript: {text}"))),
        None => {
            let named = if text == "spec.host" { "spec.nodeName" } else { text };
            let is_known =
                [&IN_VARIABLES[..], &IN_FILES, &KNOWN].iter().any(|list| list.contains(&named));
            if !is_known {
                errors.push(wrong(format!("field label not supported: {text}")));
            } else if !told.contains(&named) {
                errors.push(FieldError::not_supported(path.path.clone(), named, told));
            }
        }
    }
}

/// What a container asks for or may have, as one of its variables.
pub fn resource(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let resource = at.at("resource");
    let name = resource.text();
    if resource.is_empty() {
        errors.push(resource.required(""));
    } else if !HUGE_PAGES.iter().any(|start| name.starts_with(start)) && !RESOURCES.contains(&name)
    {
        errors.push(resource.unsupported(&RESOURCES));
    }
    let Some(divisor) = quantity(at.at("divisor").value).filter(|divisor| divisor.sign() != 0)
    else {
        return;
    };
    let shown = divisor.to_string();
    let what = match name.split_once('.') {
        Some(("limits" | "requests", "cpu")) => {
            if !matches!(shown.as_str(), "1m" | "1") {
                errors.push(FieldError::invalid(
                    at.child("divisor"),
                    name,
                    "only divisor's values 1m and 1 are supported with the cpu resource",
                ));
            }
            return;
        }
        Some(("limits" | "requests", "memory")) => "memory",
        Some(("limits" | "requests", "ephemeral-storage")) => "local ephemeral storage",
        Some(("limits" | "requests", pages)) if pages.starts_with("hugepages-") => "hugepages",
        _ => return,
    };
    if !DIVISORS.contains(&shown.as_str()) {
        let words = format!(
            "only divisor's values {} are supported with the {what} resource",
            DIVISORS.join(", ")
        );
        errors.push(FieldError::invalid(at.child("divisor"), name, words));
    }
}

/// The same in a file, which has to say of which container.
pub fn resource_of_container(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.at("containerName").is_empty() {
        return resource(at, errors);
    }
    errors.push(at.at("containerName").required(""));
    // What is left to say is said of a resource that nobody asks for.
    let before = errors.len();
    resource(at, errors);
    let divisor = at.child("divisor");
    let mut index = 0;
    errors.retain(|error| {
        index += 1;
        index <= before || error.field == divisor
    });
}
