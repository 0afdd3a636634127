//! Under whom and with which rights a pod runs.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;

/// A number of a user or group.
pub fn user(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.number().is_some_and(|id| !(0..=i64::from(i32::MAX)).contains(&id)) {
        errors.push(at.invalid("must be between 0 and 2147483647, inclusive"));
    }
}

pub fn of_pod(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let (at, shares) = (&spec.at("securityContext"), spec.at("shareProcessNamespace"));
    let shares_twice = || {
        let words = "ShareProcessNamespace and HostPID cannot both be enabled";
        let path = at.child("shareProcessNamespace");
        (shares.flag() && spec.at("hostPID").flag()).then(|| FieldError::invalid(path, true, words))
    };
    if !at.is_set() {
        errors.extend(shares_twice());
        return;
    }
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        user(&at.at(field), errors);
    }
    for group in at.at("supplementalGroups").items() {
        user(&group, errors);
    }
    errors.extend(shares_twice());
    let network = spec.at("hostNetwork").flag();
    kernel_settings(&at.at("sysctls"), network, spec.at("hostIPC").flag(), errors);
    at.at("fsGroupChangePolicy").one_of(&["Always", "OnRootMismatch"], errors);
    seccomp(&at.at("seccompProfile"), errors);
    windows(&at.at("windowsOptions"), errors);
    app_armor(&at.at("appArmorProfile"), errors);
    at.at("supplementalGroupsPolicy").one_of(&["Merge", "Strict"], errors);
    at.at("seLinuxChangePolicy").one_of(&["Recursive"], errors);
}

/// The longest name of a kernel setting, in bytes.
const SETTING_BYTES_MAX: usize = 253;

fn kernel_settings(list: &At<'_>, network: bool, ipc: bool, errors: &mut Vec<FieldError>) {
    const FORM: &str = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let mut seen = Vec::new();
    for name in list.items().map(|setting| setting.at("name")) {
        let text = name.text();
        let is_part = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            part.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_'))
                && part.bytes().next().is_some_and(plain)
                && part.bytes().last().is_some_and(plain)
        };
        if text.is_empty() {
            errors.push(name.required(""));
        } else if text.len() > SETTING_BYTES_MAX || !text.split(['.', '/']).all(is_part) {
            let words =
                format!("must have at most {SETTING_BYTES_MAX} characters and match regex {FORM}");
            errors.push(name.invalid(words));
        } else if seen.contains(&text) {
            errors.push(name.duplicate());
        }
        let dotted = dotted(text);
        if network && dotted.starts_with("net.") {
            errors.push(name.invalid("may not be specified when 'hostNetwork' is true"));
        } else if ipc && is_of_ipc(&dotted) {
            errors.push(name.invalid("may not be specified when 'hostIPC' is true"));
        }
        seen.push(text);
    }
}

/// A kernel setting's name with dots: where a slash comes first, both are swapped.
fn dotted(name: &str) -> String {
    match name.find(['.', '/']).map(|at| name.as_bytes()[at]) {
        Some(b'/') => name
            .chars()
            .map(|char| match char {
                '/' => '.',
                '.' => '/',
                other => other,
            })
            .collect(),
        _ => name.to_owned(),
    }
}

fn is_of_ipc(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
        "kernel.shm",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.msg",
    ];
    NAMES.contains(&name) || name.starts_with("fs.mqueue.")
}

fn seccomp(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let (kind, file) = (at.at("type"), at.at("localhostProfile"));
    match kind.text() {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => errors.push(kind.required("type is required when seccompProfile is set")),
        _ => errors.push(kind.unsupported(&["Localhost", "RuntimeDefault", "Unconfined"])),
    }
    if kind.text() == "Localhost" {
        match file.is_set() {
            false => errors.push(file.required("must be set when seccomp type is Localhost")),
            true if file.text().starts_with('/') => {
                errors.push(file.invalid("must be a relative path"));
            }
            true if file.text().split('/').any(|part| part == "..") => {
                errors.push(file.invalid("must not contain '..'"));
            }
            true => {}
        }
    } else if file.is_set() {
        let shown = format!(r#"{{"Type":{},"LocalhostProfile":{}}}"#, kind.value, file.value);
        let words = "can only be set when seccomp type is Localhost";
        errors.push(file.invalid(words).showing(shown));
    }
}

/// The longest name of a profile, in bytes.
const PROFILE_BYTES_MAX: usize = 4095;

fn app_armor(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let (kind, file) = (at.at("type"), at.at("localhostProfile"));
    match kind.text() {
        "Localhost" => {
            let text = file.text();
            if text.trim() != text {
                errors.push(file.invalid("must not be padded with whitespace"));
            } else if text.is_empty() {
                errors.push(file.required("must be set when AppArmor type is Localhost"));
            }
            if text.len() > PROFILE_BYTES_MAX {
                errors.push(FieldError::too_long(file.path.clone(), PROFILE_BYTES_MAX as u64));
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if file.is_set() {
                errors.push(file.invalid("can only be set when AppArmor type is Localhost"));
            }
        }
        "" => errors.push(kind.required("type is required when appArmorProfile is set")),
        _ => errors.push(kind.unsupported(&["Localhost", "RuntimeDefault", "Unconfined"])),
    }
}

/// The longest description of credentials, in bytes.
const CREDENTIALS_BYTES_MAX: usize = 64 << 10;

/// Who a container is on Windows.
fn windows(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (named, written) = (at.at("gmsaCredentialSpecName"), at.at("gmsaCredentialSpec"));
    if named.is_set() {
        named.named(crate::names::subdomain(named.text(), false), errors);
    }
    if written.is_set() && written.is_empty() {
        errors.push(written.invalid("gmsaCredentialSpec cannot be an empty string"));
    } else if written.text().len() > CREDENTIALS_BYTES_MAX {
        errors.push(written.invalid("gmsaCredentialSpec size must be under 64 KiB"));
    }
    let user = at.at("runAsUserName");
    if user.is_set() {
        user.named(windows_user(user.text()), errors);
    }
}

/// What is wrong with `DOMAIN\USER` or `USER`.
fn windows_user(text: &str) -> Vec<String> {
    const DOMAIN_BYTES_MAX: usize = 256;
    const USER_BYTES_MAX: usize = 104;
    let alone = |words: &str| vec![format!("runAsUserName {words}")];
    if text.is_empty() {
        return alone("cannot be an empty string");
    }
    if text.chars().any(|sign| sign.is_ascii_control()) {
        return alone("cannot contain control characters");
    }
    if text.matches('\\').count() > 1 {
        return alone("cannot contain more than one backslash");
    }
    let (domain, user) = match text.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, text),
    };
    let mut refusals = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= DOMAIN_BYTES_MAX) {
        refusals.push(format!("Domain length must be under {DOMAIN_BYTES_MAX} characters"));
    }
    if domain.is_some_and(|domain| !is_netbios(domain) && !is_windows_domain(domain)) {
        refusals.push("Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        refusals.push("User cannot be empty".to_owned());
    } else if user.len() > USER_BYTES_MAX {
        refusals.push(format!("User length must not be longer than {USER_BYTES_MAX} characters"));
    }
    if !user.is_empty() && user.chars().all(|sign| matches!(sign, '.' | ' ')) {
        refusals.push("User cannot contain only periods or spaces".to_owned());
    }
    const NEVER: &str = "\"/\\:;|=,+*?<>@[]";
    if user.contains(|sign| NEVER.contains(sign)) {
        refusals.push(format!("User cannot contain the following characters: {NEVER}"));
    }
    refusals.into_iter().map(|words| format!("runAsUserName's {words}")).collect()
}

fn is_netbios(domain: &str) -> bool {
    const NEVER: &str = "\\/:*?\"<>|";
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(|sign| NEVER.contains(sign))
}

/// Labels of letters, digits and hyphens, parted by dots.
fn is_windows_domain(domain: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    domain.split('.').all(|label| {
        let label = label.as_bytes();
        label.iter().all(|byte| plain(*byte) || *byte == b'-')
            && label.first().is_some_and(|byte| plain(*byte))
            && label.last().is_some_and(|byte| plain(*byte))
    })
}

/// `host_users`: whether the pod has the host's users.
pub fn of_container(at: &At<'_>, host_users: bool, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    user(&at.at("runAsUser"), errors);
    user(&at.at("runAsGroup"), errors);
    let mount = at.at("procMount");
    mount.one_of(&["Default", "Unmasked"], errors);
    if host_users && mount.text() == "Unmasked" {
        errors.push(mount.invalid("`hostUsers` must be false to use `Unmasked`"));
    }
    seccomp(&at.at("seccompProfile"), errors);
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
    windows(&at.at("windowsOptions"), errors);
    app_armor(&at.at("appArmorProfile"), errors);
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
