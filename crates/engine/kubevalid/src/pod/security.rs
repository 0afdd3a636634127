//! Under whom and with which rights a pod runs.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;

fn user(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.number().is_some_and(|id| !(0..=i64::from(i32::MAX)).contains(&id)) {
        errors.push(at.invalid("must be between 0 and 2147483647, inclusive"));
    }
}

pub fn of_pod(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        user(&at.at(field), errors);
    }
    for group in at.at("supplementalGroups").items() {
        user(&group, errors);
    }
    for control in at.at("sysctls").items() {
        if control.at("name").is_empty() {
            errors.push(control.at("name").required(""));
        }
    }
    at.at("fsGroupChangePolicy").one_of(&["Always", "OnRootMismatch"], errors);
    at.at("supplementalGroupsPolicy").one_of(&["Merge", "Strict"], errors);
    profile(&at.at("seccompProfile"), "seccomp", errors);
    profile(&at.at("appArmorProfile"), "AppArmor", errors);
}

fn profile(at: &At<'_>, what: &str, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let (kind, file) = (at.at("type"), at.at("localhostProfile"));
    match kind.text() {
        "Localhost" => {
            if file.is_empty() {
                errors.push(file.required(&format!("must be set when {what} type is Localhost")));
            } else if file.text().starts_with('/') && what == "seccomp" {
                errors.push(file.invalid("must be a relative path"));
            } else if file.text().split('/').any(|part| part == "..") {
                errors.push(file.invalid("must not contain '..'"));
            }
        }
        other => {
            if !["RuntimeDefault", "Unconfined"].contains(&other) {
                let known = ["Localhost", "RuntimeDefault", "Unconfined"];
                match other {
                    "" => errors.push(kind.required("type is required when seccompProfile is set")),
                    _ => errors.push(kind.unsupported(&known)),
                }
            }
            if file.is_set() {
                let shown =
                    format!(r#"{{"Type":{},"LocalhostProfile":{}}}"#, kind.value, file.value);
                let words = format!("can only be set when {what} type is Localhost");
                errors.push(file.invalid(words).showing(shown));
            }
        }
    }
}

pub fn of_container(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    user(&at.at("runAsUser"), errors);
    user(&at.at("runAsGroup"), errors);
    at.at("procMount").one_of(&["Default", "Unmasked"], errors);
    profile(&at.at("seccompProfile"), "seccomp", errors);
    let escalation = at.at("allowPrivilegeEscalation").value == &Value::Bool(false);
    if escalation && at.at("privileged").flag() {
        let words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.push(at.invalid(words).showing(shown(at)));
    }
    let admin = at
        .to(&["capabilities", "add"])
        .items()
        .any(|capability| capability.text() == "CAP_SYS_ADMIN");
    if escalation && admin {
        let words =
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
        errors.push(at.invalid(words).showing(shown(at)));
    }
}

/// A security context as the server prints it: all fields, in their own order.
fn shown(at: &At<'_>) -> String {
    let capabilities = at.at("capabilities");
    let capabilities = match capabilities.is_set() {
        true => format!(
            r#"{{"Add":{},"Drop":{}}}"#,
            capabilities.at("add").value,
            capabilities.at("drop").value
        ),
        false => "null".to_owned(),
    };
    let mut text = format!(r#"{{"Capabilities":{capabilities}"#);
    for (shown, field) in [
        ("Privileged", "privileged"),
        ("SELinuxOptions", "seLinuxOptions"),
        ("WindowsOptions", "windowsOptions"),
        ("RunAsUser", "runAsUser"),
        ("RunAsGroup", "runAsGroup"),
        ("RunAsNonRoot", "runAsNonRoot"),
        ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem"),
        ("AllowPrivilegeEscalation", "allowPrivilegeEscalation"),
        ("ProcMount", "procMount"),
        ("SeccompProfile", "seccompProfile"),
        ("AppArmorProfile", "appArmorProfile"),
    ] {
        text.push_str(&format!(r#","{shown}":{}"#, at.at(field).value));
    }
    text.push('}');
    text
}
