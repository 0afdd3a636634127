//! The checks, in the order in which the server tells of them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::policy::{Level, Standard};

/// What a pod breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// As in `host namespaces`.
    pub reason: String,
    /// Who, and how; may be empty.
    pub detail: String,
}

/// Returns what a pod breaks of a standard. `pod` is a pod or a pod template: `metadata` and `spec`.
pub fn violations(standard: Standard, pod: &Value) -> Vec<Violation> {
    let pod = Pod { annotations: &pod["metadata"]["annotations"], spec: &pod["spec"] };
    let applies = |check: &&Check| check.level <= standard.level && standard.is_since(check.since);
    // A stricter check stands in the place of a weaker one.
    let replaced: Vec<&str> =
        CHECKS.iter().filter(applies).filter_map(|check| check.instead_of).collect();
    CHECKS
        .iter()
        .filter(applies)
        .filter(|check| !replaced.contains(&check.id))
        .filter_map(|check| (check.violation)(&pod, standard))
        .collect()
}

/// Tells violations as messages do: reasons, with who and how.
pub fn told(violations: &[Violation]) -> String {
    let one = |violation: &Violation| match violation.detail.as_str() {
        "" => violation.reason.clone(),
        detail => format!("{} ({detail})", violation.reason),
    };
    violations.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Tells the reasons alone.
pub fn reasons(violations: &[Violation]) -> String {
    violations.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>().join(", ")
}

struct Check {
    id: &'static str,
    level: Level,
    /// The minor version that brought it.
    since: u32,
    /// The check that this one makes superfluous.
    instead_of: Option<&'static str>,
    violation: fn(&Pod<'_>, Standard) -> Option<Violation>,
}

const fn baseline(
    id: &'static str,
    since: u32,
    violation: fn(&Pod<'_>, Standard) -> Option<Violation>,
) -> Check {
    Check { id, level: Level::Baseline, since, instead_of: None, violation }
}

const fn restricted(
    id: &'static str,
    since: u32,
    instead_of: Option<&'static str>,
    violation: fn(&Pod<'_>, Standard) -> Option<Violation>,
) -> Check {
    Check { id, level: Level::Restricted, since, instead_of, violation }
}

const CHECKS: [Check; 19] = [
    baseline("appArmorProfile", 0, app_armor),
    baseline("capabilities_baseline", 0, added_capabilities),
    baseline("hostNamespaces", 0, host_namespaces),
    baseline("hostPathVolumes", 0, host_paths),
    baseline("hostPorts", 0, host_ports),
    baseline("hostProbesAndHostLifecycle", 34, probed_hosts),
    baseline("privileged", 0, privileged),
    baseline("procMount", 0, proc_mount_outside_user_namespaces),
    baseline("seLinuxOptions", 0, se_linux),
    baseline("seccompProfile_baseline", 0, seccomp),
    baseline("sysctls", 0, sysctls),
    baseline("windowsHostProcess", 0, host_process),
    restricted("allowPrivilegeEscalation", 8, None, privilege_escalation),
    restricted("capabilities_restricted", 22, Some("capabilities_baseline"), capabilities),
    restricted("procMount_restricted", 35, Some("procMount"), proc_mount),
    restricted("restrictedVolumes", 0, Some("hostPathVolumes"), volumes),
    restricted("runAsNonRoot", 0, None, non_root),
    restricted("runAsUser", 23, None, root_by_number),
    restricted("seccompProfile_restricted", 19, Some("seccompProfile_baseline"), seccomp_set),
];

/// What is looked at.
struct Pod<'a> {
    annotations: &'a Value,
    spec: &'a Value,
}

impl<'a> Pod<'a> {
    /// All containers: those that begin, those that run, those that were added.
    fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(move |list| spec[list].as_array().into_iter().flatten())
    }

    /// The names of the containers of which something holds.
    fn of_which(&self, holds: impl Fn(&Value) -> bool) -> Vec<&'a str> {
        self.containers().filter(|one| holds(one)).map(name).collect()
    }

    fn is_of_windows(&self) -> bool {
        self.spec["os"]["name"] == "windows"
    }

    fn has_own_users(&self) -> bool {
        self.spec["hostUsers"] == false
    }

    fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let annotations = self.annotations.as_object().into_iter().flatten();
        annotations.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// Who sets something: the pod, then containers by name.
    fn setters(&self, sets: impl Fn(&Value) -> bool) -> Vec<String> {
        let mut setters = Vec::new();
        if sets(&self.spec["securityContext"]) {
            setters.push("pod".to_owned());
        }
        let containers = self.of_which(|one| sets(&one["securityContext"]));
        if !containers.is_empty() {
            setters.push(many("container", &containers));
        }
        setters
    }

    /// The values of a text that the pod and its containers set, where they are not fit.
    fn unfit(&self, path: &str, fits: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let contexts = std::iter::once(&self.spec["securityContext"])
            .chain(self.containers().map(|one| &one["securityContext"]));
        contexts
            .filter_map(|context| type_in(context, path))
            .filter(|value| !fits(value))
            .map(str::to_owned)
            .collect()
    }
}

/// The `type` of a profile, where there is a profile.
fn type_in<'a>(context: &'a Value, profile: &str) -> Option<&'a str> {
    let profile = context.get(profile).filter(|profile| !profile.is_null())?;
    Some(profile["type"].as_str().unwrap_or_default())
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> =
        items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    items.join(", ")
}

fn plural(one: &str, count: usize) -> String {
    if count == 1 { one.to_owned() } else { format!("{one}s") }
}

/// `container "a"`, or `containers "a", "b"`.
fn many(what: &str, names: &[&str]) -> String {
    format!("{} {}", plural(what, names.len()), quoted(names))
}

/// Who uses what, as in `containers "a", "b" use hostPort 80`. `used` are the things of which there are
/// `count`.
fn uses(who: &str, names: &[&str], what: &str, count: usize, used: &str) -> String {
    let verb = if names.len() == 1 { "uses" } else { "use" };
    format!("{} {verb} {} {used}", many(who, names), plural(what, count))
}

fn broken(reason: impl Into<String>, detail: String) -> Option<Violation> {
    Some(Violation { reason: reason.into(), detail })
}

fn app_armor(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let fits = |kind: &str| matches!(kind, "RuntimeDefault" | "Localhost");
    let mut setters =
        pod.setters(|context| type_in(context, "appArmorProfile").is_some_and(|kind| !fits(kind)));
    let mut values: Vec<String> = pod.unfit("appArmorProfile", fits).into_iter().collect();
    let mut annotations: Vec<String> = pod
        .annotations()
        .filter(|(key, _)| key.starts_with("container.apparmor.security.beta.kubernetes.io/"))
        .filter(|(_, value)| {
            !(value.is_empty() || *value == "runtime/default" || value.starts_with("localhost/"))
        })
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    annotations.sort();
    if !annotations.is_empty() {
        setters.push(plural("annotation", annotations.len()));
        values.extend(annotations);
    }
    if setters.is_empty() {
        return None;
    }
    broken(
        plural("forbidden AppArmor profile", values.len()),
        format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            quoted(values)
        ),
    )
}

const USUAL_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Who adds capabilities that are not permitted, as one sentence.
fn adds(pod: &Pod<'_>, permitted: &[&str]) -> Option<String> {
    let added = |container: &Value| -> Vec<String> {
        texts(&container["securityContext"]["capabilities"]["add"])
            .filter(|one| !permitted.contains(one))
            .map(str::to_owned)
            .collect()
    };
    let containers = pod.of_which(|one| !added(one).is_empty());
    let all: BTreeSet<String> = pod.containers().flat_map(added).collect();
    (!containers.is_empty()).then(|| {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            many("container", &containers),
            quoted(all)
        )
    })
}

fn added_capabilities(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    broken("non-default capabilities", adds(pod, &USUAL_CAPABILITIES)?)
}

fn capabilities(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    if standard.is_since(25) && pod.is_of_windows() {
        return None;
    }
    let keeping = pod.of_which(|one| {
        !texts(&one["securityContext"]["capabilities"]["drop"]).any(|dropped| dropped == "ALL")
    });
    let keeps = (!keeping.is_empty()).then(|| {
        let who = many("container", &keeping);
        format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]")
    });
    let said: Vec<String> = keeps.into_iter().chain(adds(pod, &["NET_BIND_SERVICE"])).collect();
    if said.is_empty() {
        return None;
    }
    broken("unrestricted capabilities", said.join("; "))
}

fn host_namespaces(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let used: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|field| pod.spec[*field] == true)
        .map(|field| format!("{field}=true"))
        .collect();
    if used.is_empty() {
        return None;
    }
    broken("host namespaces", used.join(", "))
}

fn volumes_of_which<'a>(pod: &Pod<'a>, holds: impl Fn(&Value) -> bool) -> Vec<&'a Value> {
    pod.spec["volumes"].as_array().into_iter().flatten().filter(|one| holds(one)).collect()
}

fn has(volume: &Value, source: &str) -> bool {
    volume.get(source).is_some_and(|source| !source.is_null())
}

fn host_paths(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let found = volumes_of_which(pod, |volume| has(volume, "hostPath"));
    let names: Vec<&str> = found.into_iter().map(name).collect();
    if names.is_empty() {
        return None;
    }
    broken("hostPath volumes", many("volume", &names))
}

const FIT_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const OTHER_VOLUMES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

fn volumes(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let found =
        volumes_of_which(pod, |volume| !FIT_VOLUMES.iter().any(|source| has(volume, source)));
    if found.is_empty() {
        return None;
    }
    let kind = |volume: &Value| {
        OTHER_VOLUMES.into_iter().find(|source| has(volume, source)).unwrap_or("unknown")
    };
    let kinds: BTreeSet<&str> = found.iter().map(|volume| kind(volume)).collect();
    let names: Vec<&str> = found.into_iter().map(name).collect();
    let count = kinds.len();
    let said = uses("volume", &names, "restricted volume type", count, &quoted(kinds));
    broken("restricted volume types", said)
}

fn host_ports(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let ports = |container: &Value| -> Vec<String> {
        let ports = container["ports"].as_array().into_iter().flatten();
        let host = ports.filter_map(|port| port["hostPort"].as_i64()).filter(|port| *port != 0);
        host.map(|port| port.to_string()).collect()
    };
    let containers = pod.of_which(|one| !ports(one).is_empty());
    if containers.is_empty() {
        return None;
    }
    let all: BTreeSet<String> = pod.containers().flat_map(ports).collect();
    let all: Vec<String> = all.into_iter().collect();
    let said = uses("container", &containers, "hostPort", all.len(), &all.join(", "));
    broken("hostPort", said)
}

fn probed_hosts(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let hosts = |container: &Value| -> Vec<String> {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
        let probes = probes.into_iter().map(|probe| &container[probe]);
        let handlers = ["postStart", "preStop"];
        let handlers = handlers.into_iter().map(|handler| &container["lifecycle"][handler]);
        let each = probes.chain(handlers).flat_map(|one| [&one["httpGet"], &one["tcpSocket"]]);
        let named = each.filter_map(|asked| asked["host"].as_str());
        named.filter(|host| !host.is_empty()).map(str::to_owned).collect()
    };
    let names: BTreeSet<&str> = pod.of_which(|one| !hosts(one).is_empty()).into_iter().collect();
    if names.is_empty() {
        return None;
    }
    let names: Vec<&str> = names.into_iter().collect();
    let all: BTreeSet<String> = pod.containers().flat_map(hosts).collect();
    const WHAT: &str = "probe or lifecycle host";
    let count = all.len();
    broken(WHAT, uses("container", &names, WHAT, count, &quoted(all)))
}

fn privileged(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let containers = pod.of_which(|one| one["securityContext"]["privileged"] == true);
    if containers.is_empty() {
        return None;
    }
    let who = many("container", &containers);
    broken("privileged", format!("{who} must not set securityContext.privileged=true"))
}

fn proc_mount_outside_user_namespaces(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    match standard.is_since(35) && pod.has_own_users() {
        true => None,
        false => proc_mount(pod, standard),
    }
}

fn proc_mount(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let mount = |container: &Value| -> Option<String> {
        let mount = container["securityContext"]["procMount"].as_str()?;
        (mount != "Default").then(|| mount.to_owned())
    };
    let containers = pod.of_which(|one| mount(one).is_some());
    if containers.is_empty() {
        return None;
    }
    let all: BTreeSet<String> = pod.containers().filter_map(mount).collect();
    let who = many("container", &containers);
    broken("procMount", format!("{who} must not set securityContext.procMount to {}", quoted(all)))
}

fn se_linux(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    let fits = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || standard.is_since(31) && kind == "container_engine_t"
    };
    let has = |context: &Value, field: &str| {
        context["seLinuxOptions"][field].as_str().is_some_and(|text| !text.is_empty())
    };
    let setters = pod.setters(|context| {
        type_in(context, "seLinuxOptions").is_some_and(|kind| !fits(kind))
            || has(context, "user")
            || has(context, "role")
    });
    if setters.is_empty() {
        return None;
    }
    let mut said = Vec::new();
    let kinds = pod.unfit("seLinuxOptions", fits);
    if !kinds.is_empty() {
        said.push(format!("{} {}", plural("type", kinds.len()), quoted(kinds)));
    }
    for field in ["user", "role"] {
        if !pod.setters(|context| has(context, field)).is_empty() {
            said.push(format!("{field} may not be set"));
        }
    }
    let who = setters.join(" and ");
    broken(
        "seLinuxOptions",
        format!("{who} set forbidden securityContext.seLinuxOptions: {}", said.join("; ")),
    )
}

fn fits_seccomp(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

/// Who sets a profile of seccomp that is not permitted.
fn seccomp_unfit(pod: &Pod<'_>) -> Option<Violation> {
    let setters = pod.setters(|context| {
        type_in(context, "seccompProfile").is_some_and(|kind| !fits_seccomp(kind))
    });
    if setters.is_empty() {
        return None;
    }
    let kinds = quoted(pod.unfit("seccompProfile", fits_seccomp));
    let who = setters.join(" and ");
    broken(
        "seccompProfile",
        format!("{who} must not set securityContext.seccompProfile.type to {kinds}"),
    )
}

fn seccomp(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    match standard.is_since(19) {
        true => seccomp_unfit(pod),
        false => seccomp_annotated(pod),
    }
}

/// Before 1.19 annotations named the profiles.
fn seccomp_annotated(pod: &Pod<'_>) -> Option<Violation> {
    const OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
    let of_containers: Vec<String> = pod
        .containers()
        .map(|one| format!("container.seccomp.security.alpha.kubernetes.io/{}", name(one)))
        .collect();
    let found: BTreeSet<String> = pod
        .annotations()
        .filter(|(key, _)| *key == OF_POD || of_containers.iter().any(|own| own == key))
        .filter(|(_, value)| {
            !matches!(*value, "runtime/default" | "docker/default")
                && !value.starts_with("localhost/")
        })
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    if found.is_empty() {
        return None;
    }
    let what = plural("annotation", found.len());
    let found: Vec<String> = found.into_iter().collect();
    broken("seccompProfile", format!("forbidden {what} {}", found.join(", ")))
}

fn seccomp_set(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    if standard.is_since(25) && pod.is_of_windows() {
        return None;
    }
    if let Some(unfit) = seccomp_unfit(pod) {
        return Some(unfit);
    }
    let sets = |context: &Value| type_in(context, "seccompProfile").is_some();
    if sets(&pod.spec["securityContext"]) {
        return None;
    }
    let without = pod.of_which(|one| !sets(&one["securityContext"]));
    if without.is_empty() {
        return None;
    }
    let who = many("container", &without);
    broken(
        "seccompProfile",
        format!(
            "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
        ),
    )
}

/// Kernel settings that belong to the pod alone, with the minor version since which they are known to.
const SAFE_SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    let safe = |name: &str| {
        SAFE_SYSCTLS.iter().any(|(known, since)| *known == name && standard.is_since(*since))
    };
    let set = pod.spec["securityContext"]["sysctls"].as_array().into_iter().flatten();
    let unsafe_ones: Vec<&str> = set.map(name).filter(|name| !safe(name)).collect();
    if unsafe_ones.is_empty() {
        return None;
    }
    broken("forbidden sysctls", unsafe_ones.join(", "))
}

fn host_process(pod: &Pod<'_>, _: Standard) -> Option<Violation> {
    let setters = pod.setters(|context| context["windowsOptions"]["hostProcess"] == true);
    if setters.is_empty() {
        return None;
    }
    let who = setters.join(" and ");
    broken(
        "hostProcess",
        format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
    )
}

fn privilege_escalation(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    if standard.is_since(25) && pod.is_of_windows() {
        return None;
    }
    let containers =
        pod.of_which(|one| one["securityContext"]["allowPrivilegeEscalation"] != false);
    if containers.is_empty() {
        return None;
    }
    let who = many("container", &containers);
    broken(
        "allowPrivilegeEscalation != false",
        format!("{who} must set securityContext.allowPrivilegeEscalation=false"),
    )
}

fn non_root(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    const REASON: &str = "runAsNonRoot != true";
    if standard.is_since(35) && pod.has_own_users() {
        return None;
    }
    let setters = pod.setters(|context| context["runAsNonRoot"] == false);
    if !setters.is_empty() {
        let who = setters.join(" and ");
        return broken(REASON, format!("{who} must not set securityContext.runAsNonRoot=false"));
    }
    if pod.spec["securityContext"]["runAsNonRoot"] == true {
        return None;
    }
    let without = pod.of_which(|one| !one["securityContext"]["runAsNonRoot"].is_boolean());
    if without.is_empty() {
        return None;
    }
    let who = many("container", &without);
    broken(REASON, format!("pod or {who} must set securityContext.runAsNonRoot=true"))
}

fn root_by_number(pod: &Pod<'_>, standard: Standard) -> Option<Violation> {
    if standard.is_since(35) && pod.has_own_users() {
        return None;
    }
    let setters = pod.setters(|context| context["runAsUser"] == 0);
    if setters.is_empty() {
        return None;
    }
    broken("runAsUser=0", format!("{} must not set runAsUser=0", setters.join(" and ")))
}
