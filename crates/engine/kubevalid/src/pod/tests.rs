//! What the goldens do not show: rules that need fields which few manifests have. The words are those that
//! the real server 1.36.3 gave to the same requests.

use manifest::Gvk;
use serde_json::{Value, json};

fn said(gvk: &Gvk, object: &Value) -> Vec<String> {
    crate::create(gvk, object, true).iter().map(ToString::to_string).collect()
}

/// What is said of a pod with these fields beside a container `a`.
fn of_pod(annotations: Value, fields: Value) -> Vec<String> {
    let mut spec = json!({
        "containers": [{"name": "a", "image": "i", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}],
        "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
    });
    for (name, value) in fields.as_object().expect("fields") {
        match name.as_str() {
            "context" => spec["containers"][0]["securityContext"] = value.clone(),
            name => spec[name] = value.clone(),
        }
    }
    let object = json!({"metadata": {"name": "p", "namespace": "n", "annotations": annotations}, "spec": spec});
    said(&Gvk::new("", "v1", "Pod"), &object)
}

#[test]
fn a_claim_of_a_stateful_set_is_a_volume_of_its_pods() {
    let set = |mounted: &str, claims: Value| {
        json!({
            "metadata": {"name": "db", "namespace": "n"},
            "spec": {
                "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate"},
                "replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"a": "b"}},
                "volumeClaimTemplates": claims,
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                    "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "subdomain": "Not_A_Name",
                    "terminationGracePeriodSeconds": 30,
                    // The claim of the same name hides it.
                    "volumes": [{"name": "data", "emptyDir": {}}],
                    "containers": [{"name": "a", "image": "i", "terminationMessagePolicy": "File",
                        "imagePullPolicy": "Always",
                        "volumeMounts": [{"name": mounted, "mountPath": "/data"}]}],
                }},
            },
        })
    };
    let gvk = Gvk::new("apps", "v1", "StatefulSet");
    let claim = |name: &str| {
        json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}})
    };
    assert_eq!(said(&gvk, &set("data", json!([claim("data")]))), [""; 0]);
    assert_eq!(said(&gvk, &set("more", json!([claim("data"), claim("more")]))), [""; 0]);
    assert_eq!(
        said(&gvk, &set("more", json!([claim("data")]))),
        ["spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"more\""]
    );
}

#[test]
fn what_is_shared_with_the_host_excludes_what_would_change_the_host() {
    let controls = |name: &str| json!({"sysctls": [{"name": name, "value": "1"}]});
    assert_eq!(
        of_pod(
            json!({}),
            json!({"hostNetwork": true, "securityContext": controls("net.ipv4.tcp_rmem")})
        ),
        [
            "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.tcp_rmem\": may not be specified when 'hostNetwork' is true"
        ]
    );
    assert_eq!(
        of_pod(
            json!({}),
            json!({"hostIPC": true, "securityContext": controls("kernel/shm_rmid_forced")})
        ),
        [
            "spec.securityContext.sysctls[0].name: Invalid value: \"kernel/shm_rmid_forced\": may not be specified when 'hostIPC' is true"
        ]
    );
    assert_eq!(
        of_pod(json!({}), json!({"hostPID": true, "hostUsers": false})),
        ["spec.HostPID: Forbidden: when `hostUsers` is false"]
    );
    let unmasked = json!({"procMount": "Unmasked"});
    assert_eq!(
        of_pod(json!({}), json!({"context": unmasked})),
        [
            "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"
        ]
    );
    assert_eq!(of_pod(json!({}), json!({"context": unmasked, "hostUsers": false})), [""; 0]);
}

#[test]
fn a_system_has_only_its_own_fields() {
    let fields = json!({"os": {"name": "windows"}, "hostPID": true,
        "context": {"capabilities": {"drop": ["ALL"]}, "runAsUser": 1}});
    assert_eq!(
        of_pod(json!({}), fields),
        [
            "spec.hostPID: Forbidden: cannot be set for a windows pod",
            "spec.containers[0].securityContext.capabilities: Forbidden: cannot be set for a windows pod",
            "spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
        ]
    );
    let fields =
        json!({"os": {"name": "linux"}, "context": {"windowsOptions": {"runAsUserName": "u"}}});
    assert_eq!(
        of_pod(json!({}), fields),
        [
            "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"
        ]
    );
}

#[test]
fn annotations_and_fields_name_the_same_profile() {
    let key = "container.apparmor.security.beta.kubernetes.io/a";
    let profile = |kind: &str| json!({"context": {"appArmorProfile": {"type": kind}}});
    assert_eq!(of_pod(json!({key: "unconfined"}), profile("Unconfined")), [""; 0]);
    assert_eq!(
        of_pod(json!({key: "unconfined"}), profile("RuntimeDefault")),
        [
            "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match"
        ]
    );
    assert_eq!(
        of_pod(
            json!({"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"}),
            json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}})
        ),
        [
            "spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"
        ]
    );
}

#[test]
fn a_certificate_that_is_none_is_warned_of() {
    use base64_of as encoded;
    let warned = |certificate: &str, key: &str| {
        let object = json!({"type": "kubernetes.io/tls", "metadata": {"name": "s"},
            "data": {"tls.crt": encoded(certificate), "tls.key": encoded(key)}});
        crate::warnings(&Gvk::new("", "v1", "Secret"), "", &object, None)
    };
    let block =
        |kind: &str, body: &str| format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
    let (certificate, key) = (block("CERTIFICATE", "AAAA"), block("RSA PRIVATE KEY", "AAAA"));
    assert_eq!(
        warned(&block("CERTIFICATE", "no base64!"), &key),
        ["tls: failed to find any PEM data in certificate input"]
    );
    assert_eq!(
        warned(&block("CERTIFICATE", "signed:somebody"), &key),
        ["tls: failed to find any PEM data in certificate input"],
        "a header is no content"
    );
    assert_eq!(
        warned(&key, &certificate),
        [
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
        ]
    );
    assert_eq!(
        warned(&certificate, &certificate),
        ["tls: found a certificate rather than a key in the PEM for the private key"]
    );
    assert_eq!(warned(&certificate, &key), [""; 0]);
}

fn base64_of(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * at) & 63];
            encoded.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    encoded
}
