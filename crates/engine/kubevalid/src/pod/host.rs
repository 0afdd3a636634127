//! What a pod takes of its node, and what its operating system permits.

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::names;

/// The longest name of a host that is set for a pod, in bytes.
const HOST_NAME_MAX: u64 = 64;

/// All containers with their places, in the order in which the server goes through them.
fn containers<'a>(spec: &At<'a>) -> impl Iterator<Item = At<'a>> + use<'a> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists.map(|list| spec.at(list)).into_iter().flat_map(|list| list.items())
}

/// On the host's network a container's port is the host's.
pub fn ports(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    if !spec.at("hostNetwork").flag() {
        return;
    }
    for port in spec.at("containers").items().flat_map(|container| container.at("ports").items()) {
        let (inner, outer) = (port.at("containerPort"), port.at("hostPort"));
        let number = outer.number().unwrap_or(0);
        if number != 0 && inner.number() != Some(number) {
            errors.push(outer.invalid("must match `containerPort` when `hostNetwork` is true"));
        }
    }
}

/// A pod with users of its own shares nothing else with the host.
pub fn users(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    const WORDS: &str = "when `hostUsers` is false";
    if spec.at("hostUsers").value != &Value::Bool(false) {
        return;
    }
    if spec.at("hostNetwork").flag() {
        errors.push(spec.at("hostNetwork").forbidden(WORDS));
    }
    // The server calls these two by their names inside.
    for (field, inside) in [("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.at(field).flag() {
            errors.push(FieldError::forbidden(spec.child(inside), WORDS));
        }
    }
    for container in containers(spec) {
        let devices = container.at("volumeDevices");
        if !devices.is_empty() {
            errors.push(devices.forbidden(WORDS));
        }
    }
}

pub fn name(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let name = spec.at("hostnameOverride");
    if !name.is_set() {
        return;
    }
    for (field, words) in [
        ("setHostnameAsFQDN", "may not be specified when setHostnameAsFQDN is true"),
        ("hostNetwork", "may not be specified when hostNetwork is true"),
    ] {
        if spec.at(field).flag() {
            errors.push(name.forbidden(words));
        }
    }
    if name.text().len() as u64 > HOST_NAME_MAX {
        errors.push(FieldError::too_long(name.path.clone(), HOST_NAME_MAX));
    }
    name.named(names::subdomain(name.text(), false), errors);
}

/// Containers of Windows that are processes of the host: all or none.
pub fn processes(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    const FIELD: [&str; 3] = ["securityContext", "windowsOptions", "hostProcess"];
    let of_pod = spec.to(&FIELD).value.as_bool();
    let (mut all, mut taken) = (0, 0);
    for container in containers(spec) {
        all += 1;
        let own = container.to(&FIELD);
        if let (Some(of_pod), Some(of_one)) = (of_pod, own.value.as_bool())
            && of_pod != of_one
        {
            let words = format!(
                "pod hostProcess value must be identical if both are specified, was {of_pod}"
            );
            errors.push(own.invalid(words));
        }
        if own.value.as_bool().or(of_pod) == Some(true) {
            taken += 1;
        }
    }
    if taken == 0 {
        return;
    }
    if taken != all {
        let words = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(FieldError::invalid(spec.path.clone(), "", words));
    }
    let network = spec.at("hostNetwork");
    if !network.flag() {
        let words = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(FieldError::invalid(network.path.clone(), json!(false), words));
    }
}

/// What the operating system that a pod names does not have.
pub fn system(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let system = spec.at("os");
    if !system.is_set() {
        return;
    }
    let name = system.at("name");
    match name.text() {
        "" => errors.push(name.required("")),
        "linux" => linux(spec, errors),
        "windows" => windows(spec, errors),
        _ => errors.push(FieldError::not_supported(
            system.path.clone(),
            name.value.clone(),
            &["linux", "windows"],
        )),
    }
}

fn linux(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let contexts = std::iter::once(spec.at("securityContext"))
        .chain(containers(spec).map(|container| container.at("securityContext")));
    for options in contexts.map(|context| context.at("windowsOptions")) {
        if options.is_set() {
            errors.push(options.forbidden("windows options cannot be set for a linux pod"));
        }
    }
}

fn windows(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let context = spec.at("securityContext");
    let of_pod = [
        context.at("appArmorProfile"),
        context.at("seLinuxOptions"),
        spec.at("hostUsers"),
        spec.at("hostPID"),
        spec.at("hostIPC"),
        context.at("seccompProfile"),
        context.at("fsGroup"),
        context.at("fsGroupChangePolicy"),
        context.at("sysctls"),
        spec.at("shareProcessNamespace"),
        context.at("runAsUser"),
        context.at("runAsGroup"),
        context.at("supplementalGroups"),
        context.at("supplementalGroupsPolicy"),
        context.at("seLinuxChangePolicy"),
    ];
    const OF_CONTAINERS: [&str; 10] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let of_containers = containers(spec).flat_map(|container| {
        let context = container.at("securityContext");
        OF_CONTAINERS.map(|field| context.at(field))
    });
    for field in of_pod.into_iter().chain(of_containers) {
        // A flag of the host counts where it is raised, a list where there is something in it.
        let plain = ["hostPID", "hostIPC"].iter().any(|flag| field.path.ends_with(flag));
        let counts = match plain {
            true => field.flag(),
            false => field.is_set() && !(field.path.ends_with("sysctls") && field.is_empty()),
        };
        if counts {
            errors.push(field.forbidden("cannot be set for a windows pod"));
        }
    }
}

const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_OF: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR_OF: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Profiles that annotations name.
pub fn annotations(annotations: &At<'_>, spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let fits = |profile: &str| {
        matches!(profile, "runtime/default" | "docker/default" | "unconfined")
            || profile.starts_with("localhost/")
    };
    let of_pod = annotations.entries().filter(|(key, _)| *key == SECCOMP);
    let of_containers = annotations.entries().filter(|(key, _)| key.starts_with(SECCOMP_OF));
    for (key, value) in of_pod.chain(of_containers) {
        if !fits(value.as_str().unwrap_or_default()) {
            let path = annotations.child(key);
            errors.push(FieldError::invalid(
                path,
                value.clone(),
                "must be a valid seccomp profile",
            ));
        }
    }
    for (key, value) in annotations.entries() {
        let Some(name) = key.strip_prefix(APP_ARMOR_OF) else { continue };
        let path = annotations.key(key).path;
        if !containers(spec).any(|container| container.at("name").text() == name) {
            errors.push(FieldError::invalid(path.clone(), name, "container not found"));
        }
        let profile = value.as_str().unwrap_or_default();
        let fits = matches!(profile, "" | "runtime/default" | "unconfined")
            || profile.starts_with("localhost/");
        if !fits {
            let words = format!("invalid AppArmor profile name: {profile:?}");
            errors.push(FieldError::invalid(path, profile, words));
        }
    }
}

/// Annotations and fields must name the same profiles.
pub fn annotations_agree(annotations: &At<'_>, spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let said = |key: &str| annotations.key(key).value.as_str();
    let of_pod = spec.to(&["securityContext", "seccompProfile"]);
    if let Some(annotation) = said(SECCOMP).filter(|_| of_pod.is_set()) {
        agree(annotation, &of_pod, &of_pod, "seccomp", errors);
    }
    for container in containers(spec) {
        let own = container.to(&["securityContext", "seccompProfile"]);
        let key = format!("{SECCOMP_OF}{}", container.at("name").text());
        if let Some(annotation) = said(&key).filter(|_| own.is_set()) {
            agree(annotation, &own, &own, "seccomp", errors);
        }
    }
    if spec.to(&["os", "name"]).text() == "windows" {
        return;
    }
    let of_pod = spec.to(&["securityContext", "appArmorProfile"]);
    for container in containers(spec) {
        let own = container.to(&["securityContext", "appArmorProfile"]);
        let held = if own.is_set() { &own } else { &of_pod };
        let key = format!("{APP_ARMOR_OF}{}", container.at("name").text());
        if let Some(annotation) = said(&key).filter(|_| held.is_set()) {
            agree(annotation, held, &own, "apparmor", errors);
        }
    }
}

/// `at` is where a disagreement is told.
fn agree(annotation: &str, field: &At<'_>, at: &At<'_>, what: &str, errors: &mut Vec<FieldError>) {
    let usual =
        annotation == "runtime/default" || what == "seccomp" && annotation == "docker/default";
    let file = annotation.strip_prefix("localhost/");
    let same = match field.at("type").text() {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => usual,
        "Localhost" => file.is_some(),
        _ => true,
    };
    if !same {
        let words = format!("{what} type in annotation and field must match");
        errors.push(at.at("type").forbidden(&words));
    } else if field.at("type").text() == "Localhost"
        && file != field.at("localhostProfile").value.as_str()
    {
        let words = format!("{what} profile in annotation and field must match");
        errors.push(at.at("localhostProfile").forbidden(&words));
    }
}
