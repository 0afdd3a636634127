use serde_json::{Map, Value, json};

use crate::{Level, Policy, Standard, told, violations};

fn standard(text: &str) -> Standard {
    let (level, version) = text.split_once(':').expect("a level and a version");
    let level = match level {
        "baseline" => Level::Baseline,
        "restricted" => Level::Restricted,
        _ => Level::Privileged,
    };
    Standard { level, minor: version.strip_prefix("v1.").and_then(|minor| minor.parse().ok()) }
}

fn said(by: &str, spec: Value) -> String {
    told(&violations(standard(by), &json!({"metadata": {}, "spec": spec})))
}

fn policy(labels: &[(&str, &str)]) -> (String, String, Vec<String>) {
    let labels: Map<String, Value> = labels
        .iter()
        .map(|(name, value)| (format!("pod-security.kubernetes.io/{name}"), json!(value)))
        .collect();
    let (policy, bad) = Policy::of(Some(&labels));
    let bad = bad.into_iter().map(|bad| format!("{}: {}", bad.value, bad.must)).collect();
    (policy.enforce.to_string(), policy.warn.to_string(), bad)
}

#[test]
fn a_plain_pod_breaks_four_rules_of_the_strictest_standard() {
    let plain = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    assert_eq!(
        said("restricted:latest", plain.clone()),
        "allowPrivilegeEscalation != false (containers \"a\", \"b\" must set securityContext.allowPrivilegeEscalation=false), \
         unrestricted capabilities (containers \"a\", \"b\" must set securityContext.capabilities.drop=[\"ALL\"]), \
         runAsNonRoot != true (pod or containers \"a\", \"b\" must set securityContext.runAsNonRoot=true), \
         seccompProfile (pod or containers \"a\", \"b\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
    );
    assert_eq!(said("baseline:latest", plain.clone()), "");
    assert_eq!(
        said("restricted:v1.7", plain),
        "runAsNonRoot != true (pod or containers \"a\", \"b\" must set securityContext.runAsNonRoot=true)"
    );
}

#[test]
fn a_hardened_pod_breaks_nothing() {
    let hardened = json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "a", "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        }}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    });
    assert_eq!(said("restricted:latest", hardened), "");
}

#[test]
fn each_way_to_the_host_is_told_with_who_takes_it() {
    let cases = [
        (
            json!({"hostPID": true, "hostNetwork": true}),
            "host namespaces (hostNetwork=true, hostPID=true)",
        ),
        (
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
            "hostPath volumes (volume \"v\")",
        ),
        (
            json!({"containers": [{"name": "a", "ports": [{"hostPort": 90}, {"hostPort": 443}]}]}),
            "hostPort (container \"a\" uses hostPorts 443, 90)",
        ),
        (
            json!({"initContainers": [{"name": "i", "securityContext": {"privileged": true}}]}),
            "privileged (container \"i\" must not set securityContext.privileged=true)",
        ),
        (
            json!({"containers": [{"name": "a", "securityContext": {"capabilities": {"add": ["SYS_ADMIN", "CHOWN"]}}}]}),
            "non-default capabilities (container \"a\" must not include \"SYS_ADMIN\" in securityContext.capabilities.add)",
        ),
        (
            json!({"securityContext": {"seLinuxOptions": {"type": "x", "user": "u"}}}),
            "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x\"; user may not be set)",
        ),
        (
            json!({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]}}),
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            json!({"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "h"}}}]}),
            "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"h\")",
        ),
        (
            json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}},
                "containers": [{"name": "a", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]}),
            "seccompProfile (pod and container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
    ];
    for (spec, words) in cases {
        assert_eq!(said("baseline:latest", spec), words);
    }
}

#[test]
fn a_standard_is_that_of_its_version() {
    let sysctl = json!({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}});
    assert_eq!(said("baseline:v1.31", sysctl.clone()), "forbidden sysctls (net.ipv4.tcp_rmem)");
    assert_eq!(said("baseline:v1.32", sysctl), "");
    let windows = json!({"os": {"name": "windows"}, "containers": [{"name": "a"}]});
    assert!(!said("restricted:latest", windows.clone()).contains("seccomp"));
    assert!(said("restricted:v1.24", windows).contains("seccomp"));
    let own_users = json!({"hostUsers": false, "securityContext": {"runAsUser": 0},
        "containers": [{"name": "a", "securityContext": {"procMount": "Unmasked"}}]});
    assert_eq!(said("baseline:latest", own_users.clone()), "");
    assert!(said("restricted:latest", own_users.clone()).contains("procMount (container \"a\""));
    assert!(!said("restricted:latest", own_users.clone()).contains("runAsUser=0"));
    assert!(
        said("restricted:v1.34", own_users).contains("runAsUser=0 (pod must not set runAsUser=0)")
    );
}

#[test]
fn warnings_follow_what_is_enforced_where_nobody_says_otherwise() {
    let of = |labels: &[(&str, &str)]| policy(labels);
    let none = Vec::<String>::new();
    assert_eq!(of(&[]), ("privileged:latest".into(), "privileged:latest".into(), none.clone()));
    assert_eq!(
        of(&[("enforce", "baseline"), ("enforce-version", "v1.30")]),
        ("baseline:v1.30".into(), "baseline:v1.30".into(), none.clone())
    );
    assert_eq!(
        of(&[("enforce", "restricted"), ("warn", "baseline")]),
        ("restricted:latest".into(), "baseline:latest".into(), none.clone())
    );
    assert_eq!(
        of(&[("enforce", "restricted"), ("enforce-version", "v1.30"), ("warn-version", "v1.31")]),
        ("restricted:v1.30".into(), "restricted:v1.31".into(), none)
    );
    assert_eq!(
        of(&[("enforce", "no"), ("warn", "no"), ("warn-version", "v1.01")]),
        (
            "restricted:latest".into(),
            "privileged:latest".into(),
            vec![
                "no: must be one of privileged, baseline, restricted".into(),
                "no: must be one of privileged, baseline, restricted".into(),
                "v1.01: must be \"latest\" or \"v1.x\"".into(),
            ]
        )
    );
}
