//! A pod's containers.

use std::collections::BTreeSet;

use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::downward;
use crate::pod::volumes::local_path;
use crate::pod::{amounts, security};
use crate::service::port_or_name;

/// All containers of a pod's spec. `volumes`: what may be mounted.
pub fn validate_all(
    spec: &At<'_>,
    volumes: &BTreeSet<&str>,
    host_users: bool,
    errors: &mut Vec<FieldError>,
) {
    let containers = spec.at("containers");
    let around = Around {
        volumes,
        claims: claims(spec),
        host_users,
        restart: spec.at("restartPolicy").text(),
        grace_s: spec.at("terminationGracePeriodSeconds").number().filter(|seconds| *seconds >= 0),
    };
    let mut seen = BTreeSet::new();
    if containers.is_empty() {
        errors.push(containers.required(""));
    }
    let mut host_ports = BTreeSet::new();
    for container in containers.items() {
        let name = container.at("name");
        common(&container, &around, errors);
        if !seen.insert(name.text()) {
            errors.push(FieldError::duplicate(name.path.clone(), name.text()));
        }
        handlers(&container, around.grace_s, errors);
        restarts(&container, errors);
        for port in container.at("ports").items() {
            host_port(&port, &mut host_ports, errors);
        }
    }
    for container in spec.at("initContainers").items() {
        common(&container, &around, errors);
        let (own, rules) = (container.at("restartPolicy"), container.at("restartPolicyRules"));
        if own.is_set() {
            restarts(&container, errors);
        } else if !rules.is_empty() {
            errors.push(own.required("must specify restartPolicy when restart rules are used"));
        }
        let name = container.at("name");
        let is_again = match name.text() {
            "" => seen.contains(""),
            text => !seen.insert(text),
        };
        if is_again {
            errors.push(FieldError::duplicate(name.path.clone(), name.text()));
        }
        if own.text() == "Always" {
            handlers(&container, around.grace_s, errors);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            let at = container.at(field);
            if at.is_set() {
                let words = "may not be set for init containers without restartPolicy=Always";
                errors.push(at.forbidden(words));
            }
        }
        for policy in container.at("resizePolicy").items().map(|one| one.at("restartPolicy")) {
            if policy.text() == "RestartContainer" {
                errors.push(policy.invalid(
                    "must not be set to 'RestartContainer' for non-sidecar initContainers",
                ));
            }
        }
    }
    visitors(spec, &around, errors);
    amounts::of_pod(spec, &around.claims, errors);
}

fn host_port(port: &At<'_>, seen: &mut BTreeSet<String>, errors: &mut Vec<FieldError>) {
    let number = port.at("hostPort").number().unwrap_or(0);
    if number == 0 {
        return;
    }
    let key = format!("{}/{}/{number}", port.at("protocol").text(), port.at("hostIP").text());
    if !seen.insert(key.clone()) {
        errors.push(FieldError::duplicate(port.child("hostPort"), key));
    }
}

/// What a container has around it.
struct Around<'a> {
    volumes: &'a BTreeSet<&'a str>,
    claims: BTreeSet<&'a str>,
    host_users: bool,
    restart: &'a str,
    /// How long the pod has to end, in seconds.
    grace_s: Option<i64>,
}

/// The names of a pod's claims.
fn claims<'a>(spec: &At<'a>) -> BTreeSet<&'a str> {
    let claims = spec.at("resourceClaims");
    claims.items().map(|claim| claim.at("name").text()).filter(|name| !name.is_empty()).collect()
}

/// Containers for a look at the others.
fn visitors(spec: &At<'_>, around: &Around<'_>, errors: &mut Vec<FieldError>) {
    const NEVER: [&str; 9] = [
        "ports",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "restartPolicyRules",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
    ];
    const WORDS: &str = "cannot be set for an Ephemeral Container";
    if spec.at("ephemeralContainers").is_empty() {
        return;
    }
    let names = |field: &str| -> BTreeSet<&str> {
        spec.at(field).items().map(|container| container.at("name").text()).collect()
    };
    let others: BTreeSet<&str> = &names("containers") | &names("initContainers");
    let mut all = others.clone();
    for container in spec.at("ephemeralContainers").items() {
        common(&container, around, errors);
        let (name, image) = (container.at("name"), container.at("image"));
        if image.text().trim() != image.text() {
            errors.push(image.invalid("must not have leading or trailing whitespace"));
        }
        if !all.insert(name.text()) {
            errors.push(FieldError::duplicate(name.path.clone(), name.text()));
        }
        let target = container.at("targetContainerName");
        if !target.is_empty() && !others.contains(target.text()) {
            errors.push(FieldError::new(
                manifest::field::FieldErrorKind::NotFound,
                target.path.clone(),
                target.text(),
                "",
            ));
        }
        for field in NEVER {
            let at = container.at(field);
            let empty = field == "resources" && at.map().is_some_and(serde_json::Map::is_empty);
            if at.is_set() && !empty {
                errors.push(at.forbidden(WORDS));
            }
        }
        for mount in container.at("volumeMounts").items() {
            for field in ["subPath", "subPathExpr"] {
                if !mount.at(field).is_empty() {
                    errors.push(mount.at(field).forbidden(WORDS));
                }
            }
        }
    }
}

fn common(container: &At<'_>, around: &Around<'_>, errors: &mut Vec<FieldError>) {
    let (name, image) = (container.at("name"), container.at("image"));
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        name.named(names::label(name.text(), false), errors);
    }
    if image.is_empty() {
        errors.push(image.required(""));
    }
    container.at("terminationMessagePolicy").one_of(&["File", "FallbackToLogsOnError"], errors);
    ports(&container.at("ports"), errors);
    environment(&container.at("env"), errors);
    environment_from(&container.at("envFrom"), errors);
    mounts(container, around.volumes, errors);
    container.at("imagePullPolicy").one_of(&["Always", "IfNotPresent", "Never"], errors);
    amounts::of_container(&container.at("resources"), &around.claims, errors);
    resize_policy(&container.at("resizePolicy"), around.restart, errors);
    security::of_container(&container.at("securityContext"), around.host_users, errors);
}

fn ports(ports: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for port in ports.items() {
        let name = port.at("name");
        if !name.is_empty() {
            let refusals = names::port_name(name.text());
            if !refusals.is_empty() {
                name.named(refusals, errors);
            } else if !seen.insert(name.text()) {
                errors.push(name.duplicate());
            }
        }
        let (inner, outer) = (port.at("containerPort"), port.at("hostPort"));
        match inner.number().unwrap_or(0) {
            0 => errors.push(inner.required("")),
            number => inner.named(names::port_number(number), errors),
        }
        if let Some(number) = outer.number().filter(|number| *number != 0) {
            outer.named(names::port_number(number), errors);
        }
        let protocol = port.at("protocol");
        if protocol.is_empty() {
            errors.push(protocol.required(""));
        } else {
            protocol.one_of(&["SCTP", "TCP", "UDP"], errors);
        }
    }
}

fn environment(list: &At<'_>, errors: &mut Vec<FieldError>) {
    for variable in list.items() {
        let name = variable.at("name");
        if name.is_empty() {
            errors.push(name.required(""));
        } else {
            name.named(names::environment(name.text()), errors);
        }
        let from = variable.at("valueFrom");
        if !from.is_set() {
            continue;
        }
        let kinds =
            ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
        let set: Vec<&str> = kinds.into_iter().filter(|kind| from.at(kind).is_set()).collect();
        let wrong = |words: &str| FieldError::invalid(from.path.clone(), "", words);
        for kind in &set {
            let at = from.at(kind);
            match *kind {
                "fieldRef" => downward::field(&at, &downward::IN_VARIABLES, errors),
                "resourceFieldRef" => downward::resource(&at, errors),
                "fileKeyRef" => file_key(&at, errors),
                _ => {
                    let (object, key) = (at.at("name"), at.at("key"));
                    errors.extend(names::subdomain(object.text(), false).into_iter().map(
                        |words| FieldError::invalid(object.path.clone(), object.text(), words),
                    ));
                    if key.is_empty() {
                        errors.push(key.required(""));
                    } else {
                        key.named(names::config_key(key.text()), errors);
                    }
                }
            }
        }
        if set.is_empty() {
            errors.push(wrong(
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
            ));
        } else if !variable.at("value").is_empty() {
            errors.push(wrong("may not be specified when `value` is not empty"));
        } else if set.len() > 1 {
            errors.push(wrong("may not have more than one field specified at a time"));
        }
    }
}

/// A variable that stands in a file of a volume.
fn file_key(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (key, volume, path) = (at.at("key"), at.at("volumeName"), at.at("path"));
    if key.is_empty() {
        errors.push(key.required(""));
    } else {
        key.named(names::environment(key.text()), errors);
    }
    if volume.is_empty() {
        errors.push(volume.required(""));
    } else {
        volume.named(names::label(volume.text(), false), errors);
    }
    if path.is_empty() {
        errors.push(path.required(""));
    } else if path.text().split('/').any(|part| part == "..") {
        errors.push(path.invalid("must not contain '..'"));
    }
}

/// Files that variables stand in are in volumes of the pod's own.
pub fn files_are_here(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let lists = ["initContainers", "containers", "ephemeralContainers"].map(|list| spec.at(list));
    for variable in lists.iter().flat_map(At::items).flat_map(|one| one.at("env").items()) {
        let file = variable.to(&["valueFrom", "fileKeyRef"]);
        if !file.is_set() {
            continue;
        }
        let name = file.at("volumeName");
        let volume =
            spec.at("volumes").items().filter(|one| one.at("name").text() == name.text()).last();
        match volume {
            None => errors.push(FieldError::new(
                manifest::field::FieldErrorKind::NotFound,
                name.path.clone(),
                name.text(),
                "",
            )),
            Some(volume) if !volume.at("emptyDir").is_set() => {
                let words = "referenced volume must be of type emptyDir";
                errors.push(FieldError::invalid(name.path.clone(), name.text(), words));
            }
            Some(_) => {}
        }
    }
}

fn environment_from(list: &At<'_>, errors: &mut Vec<FieldError>) {
    for source in list.items() {
        let prefix = source.at("prefix");
        if !prefix.is_empty() {
            prefix.named(names::environment(prefix.text()), errors);
        }
        let mut sources = 0;
        for kind in ["configMapRef", "secretRef"] {
            let at = source.at(kind);
            if at.is_set() {
                sources += 1;
                let name = at.at("name");
                if name.is_empty() {
                    errors.push(name.required(""));
                } else {
                    name.named(names::subdomain(name.text(), true), errors);
                }
            }
        }
        let words = match sources {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        errors.push(FieldError::invalid(list.path.clone(), "", words));
    }
}

fn mounts(container: &At<'_>, volumes: &BTreeSet<&str>, errors: &mut Vec<FieldError>) {
    let list = container.at("volumeMounts");
    let mut seen = BTreeSet::new();
    for mount in list.items() {
        let (name, path) = (mount.at("name"), mount.at("mountPath"));
        if name.is_empty() {
            errors.push(name.required(""));
        }
        if !volumes.contains(name.text()) {
            errors.push(FieldError::new(
                manifest::field::FieldErrorKind::NotFound,
                name.path.clone(),
                name.text(),
                "",
            ));
        }
        if path.is_empty() {
            errors.push(path.required(""));
        }
        if !seen.insert(path.text()) {
            errors.push(path.invalid("must be unique"));
        }
        let devices = container.at("volumeDevices");
        let is_device =
            |field: &str, text: &str| devices.items().any(|device| device.at(field).text() == text);
        if is_device("name", name.text()) {
            errors.push(FieldError::invalid(
                name.path.clone(),
                name.text(),
                "must not already exist in volumeDevices",
            ));
        }
        if is_device("devicePath", path.text()) {
            errors.push(FieldError::invalid(
                path.path.clone(),
                path.text(),
                "must not already exist as a path in volumeDevices",
            ));
        }
        let (below, expression) = (mount.at("subPath"), mount.at("subPathExpr"));
        // The server names these without the mount's number.
        let moved = |field: &str| At { value: mount.at(field).value, path: list.child(field) };
        if !below.is_empty() {
            local_path(&moved("subPath"), errors);
        }
        if !expression.is_empty() {
            if !below.is_empty() {
                errors.push(expression.invalid("subPathExpr and subPath are mutually exclusive"));
            }
            local_path(&moved("subPathExpr"), errors);
        }
        propagation(container, &mount, &moved("mountPropagation"), errors);
        recursion(&mount, &moved("recursiveReadOnly"), errors);
    }
    devices(container, volumes, errors);
}

/// Who sees what is mounted beneath a mount. `at` is where the server names it.
fn propagation(container: &At<'_>, mount: &At<'_>, at: &At<'_>, errors: &mut Vec<FieldError>) {
    at.one_of(&["Bidirectional", "HostToContainer", "None"], errors);
    let privileged = container.to(&["securityContext", "privileged"]).flag();
    if mount.at("mountPropagation").text() == "Bidirectional" && !privileged {
        let words = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(at.forbidden(words));
    }
}

/// Whether what is mounted beneath a mount can only be read, too.
fn recursion(mount: &At<'_>, at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    match at.text() {
        "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.at("readOnly").flag() {
                errors.push(at.forbidden("may only be specified when readOnly is true"));
            }
            let propagation = mount.at("mountPropagation");
            if propagation.is_set() && propagation.text() != "None" {
                let words = "may only be specified when mountPropagation is None or not specified";
                errors.push(at.forbidden(words));
            }
        }
        _ => errors.push(at.unsupported(&["Disabled", "Enabled", "IfPossible"])),
    }
}

/// When a container is started again, whatever its pod says.
fn restarts(container: &At<'_>, errors: &mut Vec<FieldError>) {
    let (policy, rules) = (container.at("restartPolicy"), container.at("restartPolicyRules"));
    if !policy.is_set() && rules.is_empty() {
        return;
    }
    if policy.is_set() {
        policy.one_of(&["Always", "Never", "OnFailure"], errors);
    } else {
        errors.push(policy.required("must specify restartPolicy when restart rules are used"));
    }
    let count = rules.items().count();
    if count > RESTART_RULES_MAX {
        errors.push(FieldError::too_many(
            rules.path.clone(),
            count as u64,
            RESTART_RULES_MAX as u64,
        ));
    }
    for rule in rules.items() {
        let (action, codes) = (rule.at("action"), rule.at("exitCodes"));
        if !matches!(action.text(), "Restart" | "RestartAllContainers") {
            let known = ["Restart", "RestartAllContainers"];
            errors.push(FieldError::not_supported(action.path.clone(), action.text(), &known));
        }
        if !codes.is_set() {
            errors.push(codes.required("must be specified"));
            continue;
        }
        let operator = codes.at("operator");
        if !matches!(operator.text(), "In" | "NotIn") {
            let known = ["In", "NotIn"];
            let path = operator.path.clone();
            errors.push(FieldError::not_supported(path, operator.text(), &known));
        }
    }
}

const RESTART_RULES_MAX: usize = 20;

fn devices(container: &At<'_>, volumes: &BTreeSet<&str>, errors: &mut Vec<FieldError>) {
    let mounts = container.at("volumeMounts");
    let mounted =
        |field: &str, text: &str| mounts.items().any(|mount| mount.at(field).text() == text);
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for device in container.at("volumeDevices").items() {
        let (name, path) = (device.at("name"), device.at("devicePath"));
        if name.is_empty() {
            errors.push(name.required(""));
        }
        if names.contains(name.text()) {
            errors.push(name.invalid("must be unique"));
        }
        if !volumes.contains(name.text()) {
            errors.push(FieldError::new(
                manifest::field::FieldErrorKind::NotFound,
                name.path.clone(),
                name.text(),
                "",
            ));
        }
        if path.is_empty() {
            errors.push(path.required(""));
        }
        if paths.contains(path.text()) {
            errors.push(FieldError::invalid(path.path.clone(), path.text(), "must be unique"));
        }
        if path.text().split('/').any(|step| step == "..") {
            errors.push(path.invalid("can not contain backsteps ('..')"));
        } else {
            paths.insert(path.text());
        }
        if mounted("name", name.text()) {
            errors.push(name.invalid("must not already exist in volumeMounts"));
        }
        if mounted("mountPath", path.text()) {
            errors.push(path.invalid("must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name.text());
        }
    }
}

/// What happens when a container's resources change while it runs. `restart`: the pod's restart policy.
fn resize_policy(list: &At<'_>, restart: &str, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (policy, number) in list.items().zip(0..) {
        let (resource, policy) =
            (policy.at("resourceName").text(), policy.at("restartPolicy").text());
        if !seen.insert(resource) {
            errors.push(FieldError::duplicate(format!("{}[{number}]", list.path), resource));
        }
        let known: [(&str, &[&str]); 2] =
            [(resource, &["cpu", "memory"]), (policy, &["NotRequired", "RestartContainer"])];
        for (text, known) in known {
            if text.is_empty() {
                errors.push(list.required(""));
            } else if !known.contains(&text) {
                errors.push(FieldError::not_supported(list.path.clone(), text, known));
            }
        }
        if restart == "Never" && policy != "NotRequired" {
            errors.push(FieldError::invalid(
                list.path.clone(),
                policy,
                "must be 'NotRequired' when pod `restartPolicy` is 'Never'",
            ));
        }
    }
}

/// The handlers of a container that runs on: lifecycle and probes.
fn handlers(container: &At<'_>, grace_s: Option<i64>, errors: &mut Vec<FieldError>) {
    for hook in ["postStart", "preStop"] {
        let at = container.to(&["lifecycle", hook]);
        if at.is_set() {
            handler(&at, &["exec", "httpGet", "tcpSocket", "sleep"], errors);
            let alone = ["exec", "httpGet", "tcpSocket"].iter().all(|other| !at.at(other).is_set());
            if let (true, Some(grace_s)) = (alone, grace_s) {
                sleep(&at.at("sleep"), grace_s, errors);
            }
        }
    }
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let at = container.at(field);
        if !at.is_set() {
            continue;
        }
        handler(&at, &["exec", "httpGet", "tcpSocket", "grpc"], errors);
        for number in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            at.at(number).not_negative(errors);
        }
        let grace = at.at("terminationGracePeriodSeconds");
        if grace.number().is_some_and(|seconds| seconds <= 0) {
            errors.push(grace.invalid("must be greater than 0"));
        }
        if field == "readinessProbe" {
            if grace.is_set() {
                errors.push(grace.invalid("must not be set for readinessProbes"));
            }
        } else {
            let threshold = at.at("successThreshold");
            if threshold.number().is_some_and(|count| count != 1) {
                errors.push(threshold.invalid("must be 1"));
            }
        }
    }
}

/// A hook may sleep as long as the pod has to end.
fn sleep(at: &At<'_>, grace_s: i64, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let seconds = at.at("seconds").number().unwrap_or(0);
    if !(0..=grace_s).contains(&seconds) {
        let words =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_s})");
        errors.push(FieldError::invalid(at.path.clone(), seconds, words));
    }
}

fn handler(at: &At<'_>, kinds: &[&str], errors: &mut Vec<FieldError>) {
    let mut handlers = 0;
    for kind in kinds {
        let one = at.at(kind);
        if !one.is_set() {
            continue;
        }
        handlers += 1;
        if handlers > 1 {
            errors.push(one.forbidden("may not specify more than 1 handler type"));
            continue;
        }
        match *kind {
            "exec" if one.at("command").is_empty() => {
                errors.push(one.at("command").required(""));
            }
            "httpGet" => {
                if one.at("path").is_empty() {
                    errors.push(one.at("path").required(""));
                }
                port_or_name(&one.at("port"), errors);
                one.at("scheme").one_of(&["HTTP", "HTTPS"], errors);
                let headers = one.at("httpHeaders");
                for header in headers.items() {
                    let name = header.at("name").text();
                    errors.extend(
                        names::header(name)
                            .into_iter()
                            .map(|words| FieldError::invalid(headers.path.clone(), name, words)),
                    );
                }
            }
            "tcpSocket" => port_or_name(&one.at("port"), errors),
            "grpc" => {
                let port = one.at("port");
                port.named(names::port_number(port.number().unwrap_or(0)), errors);
            }
            _ => {}
        }
    }
    if handlers == 0 {
        errors.push(at.required("must specify a handler type"));
    }
}
