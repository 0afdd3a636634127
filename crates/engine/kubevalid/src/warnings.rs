//! What the server says beside its answer of objects that it takes.

use kubetypes::quantity::Quantity;
use manifest::Gvk;
use serde_json::Value;

use crate::cursor::At;
use crate::formats;
use crate::pod::warnings as pods;

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Names what a client is told of an object that is kept. `subresource`: the door through which it
/// was changed, `""` the main one.
pub fn warnings(gvk: &Gvk, subresource: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    let object = At::root(new);
    let mut said = Vec::new();
    if subresource == "status" {
        status_addresses(gvk, &object, &mut said);
        return said;
    }
    if old.is_none() {
        said.extend(hostname(gvk, &object));
    }
    let raised = old.is_none_or(|old| match gvk.kind.as_str() {
        // Its template has a generation of its own.
        "DaemonSet" => {
            let [new, old] = [new, old].map(|set| manifest::annotation(set, TEMPLATE_GENERATION));
            new != old
        }
        _ => manifest::generation(old) != manifest::generation(new),
    });
    // Of a replication controller the template that goes is looked at, not the one that comes.
    let looked_at = match old.filter(|_| gvk.kind == "ReplicationController") {
        Some(old) => At::root(old),
        None => At::root(new),
    };
    templates(gvk, &looked_at, raised, old.is_some(), &mut said);
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("discovery.k8s.io", "EndpointSlice") => slice(&object, old.is_none(), &mut said),
        ("", "PersistentVolumeClaim") => {
            old_annotations(&object, &OLD_VOLUME_ANNOTATIONS[..1], &mut said);
            pods::claim_spec(&object.at("spec"), &mut said);
        }
        ("", "PersistentVolume") => volume(&object, &mut said),
        ("", "Service") => service(&object, &mut said),
        ("", "Node") => node(&object, &mut said),
        ("", "ResourceQuota") if old.is_none() => quota(&object, &mut said),
        ("", "ServiceAccount") => account(&object, old, &mut said),
        ("", "Secret") if object.at("type").text() == "kubernetes.io/tls" => {
            said.extend(key_pair(&object.at("data")));
        }
        ("networking.k8s.io", "Ingress") if old.is_none() => {
            let class = object.to(&["metadata", "annotations", "kubernetes.io/ingress.class"]);
            let named = object.to(&["spec", "ingressClassName"]).is_set();
            if class.is_set() && !named {
                said.push("annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead".to_owned());
            }
        }
        ("networking.k8s.io", "NetworkPolicy") => blocks(&object.at("spec"), &mut said),
        ("node.k8s.io", "RuntimeClass") => {
            let labels = object.to(&["scheduling", "nodeSelector"]);
            let old = labels.entries().filter_map(|(key, _)| pods::old_label(key));
            said.extend(old.map(|words| format!("scheduling.nodeSelector: {words}")));
        }
        ("storage.k8s.io", "StorageClass") => topologies(&object, &mut said),
        ("storage.k8s.io", "CSIStorageCapacity") => capacity_nodes(&object, &mut said),
        ("storage.k8s.io", "CSIDriver") => driver(&object, old, &mut said),
        ("resource.k8s.io", "ResourceSlice") => {
            let name = object.to(&["spec", "driver"]);
            if name.text().to_lowercase() != name.text() {
                said.push(format!("spec.driver: driver names should be lowercase; {} contains uppercase characters", manifest::field::quote(name.text())));
            }
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let known = old.map(formats::unknown).unwrap_or_default();
            let new = formats::unknown(new).into_iter().filter(|format| !known.contains(format));
            said.extend(
                new.map(|format| {
                    format!("unrecognized format {}", manifest::field::quote(&format))
                }),
            );
        }
        ("admissionregistration.k8s.io", _) if old.is_none() => {
            const OWN: &str = ".static.k8s.io";
            if object.to(&["metadata", "name"]).text().ends_with(OWN) {
                said.push(format!("metadata.name: names ending with \"{OWN}\" are reserved for static manifest-based configurations and cannot be managed via the API"));
            }
        }
        _ => {}
    }
    said
}

/// The templates of pods that a kind has, and what it says of them.
fn templates(gvk: &Gvk, object: &At<'_>, raised: bool, is_update: bool, said: &mut Vec<String>) {
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") if !is_update => pods::of_pod(object, false, said),
        ("", "PodTemplate") if raised => pods::of_pod(&object.at("template"), true, said),
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") | ("", "ReplicationController")
            if raised =>
        {
            pods::of_pod(&object.to(&["spec", "template"]), true, said);
        }
        ("apps", "StatefulSet") => {
            let spec = object.at("spec");
            if raised {
                pods::of_pod(&spec.at("template"), true, said);
            }
            for claim in spec.at("volumeClaimTemplates").items() {
                // The server leaves the name of the spec out, or writes it large.
                let path = if is_update { claim.child("Spec") } else { claim.path.clone() };
                pods::claim_spec(&At { value: claim.at("spec").value, path }, said);
            }
            if spec.at("revisionHistoryLimit").number().is_some_and(|limit| limit < 0) {
                said.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".to_owned());
            }
        }
        ("batch", "Job") if raised => job(&object.at("spec"), said),
        ("batch", "CronJob") => {
            let spec = object.at("spec");
            if raised {
                job(&spec.to(&["jobTemplate", "spec"]), said);
            }
            if is_update && spec.at("schedule").text().contains("TZ") {
                said.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".to_owned());
            }
        }
        _ => {}
    }
}

fn job(spec: &At<'_>, said: &mut Vec<String>) {
    let number = |field: &str| spec.at(field).number().unwrap_or(0);
    if spec.at("completionMode").text() == "Indexed"
        && number("completions") > 100_000
        && number("parallelism") > 10_000
    {
        said.push(format!("{}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail", spec.path));
    }
    pods::of_pod(&spec.at("template"), true, said);
}

const OLD_VOLUME_ANNOTATIONS: [(&str, &str); 2] = [
    (
        "volume.beta.kubernetes.io/storage-class",
        r#"deprecated since v1.8; use "storageClassName" attribute instead"#,
    ),
    (
        "volume.beta.kubernetes.io/mount-options",
        r#"deprecated since v1.31; use "mountOptions" attribute instead"#,
    ),
];

fn old_annotations(object: &At<'_>, known: &[(&str, &str)], said: &mut Vec<String>) {
    for (key, words) in known {
        let at = object.to(&["metadata", "annotations"]).key(key);
        if at.is_set() {
            said.push(format!("{}: {words}", at.path));
        }
    }
}

fn volume(object: &At<'_>, said: &mut Vec<String>) {
    const OLD: [(&str, &str, &str); 6] = [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        (
            "photonPersistentDisk",
            "photonPersistentDisk",
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];
    old_annotations(object, &OLD_VOLUME_ANNOTATIONS, said);
    let spec = object.at("spec");
    if spec.at("persistentVolumeReclaimPolicy").text() == "Recycle" {
        said.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".to_owned());
    }
    for term in spec.to(&["nodeAffinity", "required", "nodeSelectorTerms"]).items() {
        pods::node_term(&term, false, said);
    }
    for (field, shown, words) in OLD {
        if spec.at(field).is_set() {
            said.push(format!("{}: {words}", spec.child(shown)));
        }
    }
}

fn service(object: &At<'_>, said: &mut Vec<String>) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    if object.to(&["metadata", "annotations", HINTS]).is_set() {
        said.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let spec = object.at("spec");
    let own = spec.at("clusterIP").text();
    if !own.is_empty() && own != "None" {
        spec.at("clusterIPs").items().for_each(|one| pods::address(&one, said));
    }
    let kind = spec.at("type").text();
    let headless = kind == "ClusterIP" && own == "None";
    let outside = spec.at("externalIPs");
    let balancer = spec.at("loadBalancerIP");
    if headless {
        if !balancer.is_empty() {
            said.push("spec.loadBalancerIP is ignored for headless services".to_owned());
        }
        if !outside.is_empty() {
            said.push("spec.externalIPs is ignored for headless services".to_owned());
        }
        if spec.at("sessionAffinity").text() != "None" {
            said.push("spec.SessionAffinity is ignored for headless services".to_owned());
        }
    }
    outside.items().for_each(|one| pods::address(&one, said));
    if !outside.is_empty() && !headless && kind != "ExternalName" {
        said.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
                .to_owned(),
        );
    }
    if !balancer.is_empty() {
        pods::address(&balancer, said);
    }
    spec.at("loadBalancerSourceRanges").items().for_each(|one| pods::block(&one, said));
    if kind == "ExternalName" && !outside.is_empty() {
        said.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !spec.at("externalName").is_empty() {
        said.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if spec.at("trafficDistribution").text() == "PreferClose" {
        said.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .to_owned(),
        );
    }
}

fn node(object: &At<'_>, said: &mut Vec<String>) {
    let spec = object.at("spec");
    if spec.at("configSource").is_set() {
        said.push("spec.configSource: the feature is removed".to_owned());
    }
    if !spec.at("externalID").is_empty() {
        said.push(
            "spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned(),
        );
    }
    spec.at("podCIDRs").items().for_each(|one| pods::block(&one, said));
}

fn quota(object: &At<'_>, said: &mut Vec<String>) {
    let hard = object.to(&["spec", "hard"]);
    for resource in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let mut asked = format!("requests.{resource}");
        if !hard.at(&asked).is_set() && matches!(resource, "cpu" | "memory") {
            asked = resource.to_owned();
        }
        let limited = format!("limits.{resource}");
        let (request, limit) = (hard.at(&asked), hard.at(&limited));
        if let (Ok(a), Ok(b)) = (Quantity::parse(request.text()), Quantity::parse(limit.text()))
            && a > b
        {
            said.push(format!(
                "ResourceQuota {asked} ({}) should be less than {limited} ({})",
                request.text(),
                limit.text()
            ));
        }
    }
}

fn account(object: &At<'_>, old: Option<&Value>, said: &mut Vec<String>) {
    const KEY: &str = "kubernetes.io/enforce-mountable-secrets";
    let had = old.is_some_and(|old| manifest::annotation(old, KEY).is_some());
    if !had && object.to(&["metadata", "annotations", KEY]).is_set() {
        said.push(format!("metadata.annotations[{KEY}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"));
    }
}

/// What Go says of a certificate that it cannot read. What is in a readable one is not looked at.
/// What is wrong with a pair of a certificate and its key, in the words of Go's TLS library, as far as
/// the files' frames tell.
fn key_pair(data: &At<'_>) -> Option<String> {
    const KEY: &str = "PRIVATE KEY";
    let kinds = |field: &str| {
        let content = crate::objects::decode(data.at(field).text());
        blocks_of_pem(&String::from_utf8_lossy(&content))
    };
    let certificates = kinds("tls.crt");
    if !certificates.iter().any(|kind| kind == "CERTIFICATE") {
        return Some(match certificates.as_slice() {
            [] => "tls: failed to find any PEM data in certificate input".to_owned(),
            [one] if one.ends_with(KEY) => "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched".to_owned(),
            others => format!("tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: [{}]", others.join(" ")),
        });
    }
    let keys = kinds("tls.key");
    if keys.iter().any(|kind| kind.ends_with(KEY)) {
        return None;
    }
    Some(match keys.as_slice() {
        [] => "tls: failed to find any PEM data in key input".to_owned(),
        [one] if one == "CERTIFICATE" => {
            "tls: found a certificate rather than a key in the PEM for the private key".to_owned()
        }
        others => format!(
            "tls: failed to find PEM block with type ending in \"{KEY}\" in key input after skipping PEM blocks of the following types: [{}]",
            others.join(" ")
        ),
    })
}

/// The types of the PEM blocks of a text whose content decodes, in their order.
fn blocks_of_pem(text: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let begin = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let Some(kind) = begin else { continue };
        let end = format!("-----END {kind}-----");
        let rest = lines.clone();
        let body: Vec<&str> = rest.take_while(|line| line.trim_end() != end).collect();
        let ended = lines.clone().nth(body.len()).is_some();
        // Headers, as in `Proc-Type: 4,ENCRYPTED`, stand before the content, and never alone.
        let content: Vec<&str> =
            body.iter().skip_while(|line| line.contains(':')).copied().collect();
        let ended = ended && (content.len() == body.len() || !content.is_empty());
        let content: String =
            content.concat().chars().filter(|char| !char.is_whitespace()).collect();
        if ended && crate::objects::decodes(&content) {
            kinds.push(kind.to_owned());
            lines.nth(body.len());
        }
    }
    kinds
}

fn slice(object: &At<'_>, is_new: bool, said: &mut Vec<String>) {
    if is_new && object.at("addressType").text() == "FQDN" {
        said.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    let by = object.to(&["metadata", "labels", "endpointslice.kubernetes.io/managed-by"]).text();
    let known = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];
    let named = is_new && object.at("addressType").text() == "FQDN";
    if !known.contains(&by) && !named {
        for endpoint in object.at("endpoints").items() {
            endpoint.at("addresses").items().for_each(|one| pods::address(&one, said));
        }
    }
}

fn blocks(spec: &At<'_>, said: &mut Vec<String>) {
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for peer in spec.at(rules).items().flat_map(|rule| rule.at(peers).items()) {
            let block = peer.at("ipBlock");
            pods::block(&block.at("cidr"), said);
            block.at("except").items().for_each(|one| pods::block(&one, said));
        }
    }
}

fn topologies(object: &At<'_>, said: &mut Vec<String>) {
    for term in object.at("allowedTopologies").items() {
        for expression in term.at("matchLabelExpressions").items() {
            let key = expression.at("key");
            if let Some(words) = pods::old_label(key.text()) {
                said.push(format!("{}: {words}", key.path));
            }
        }
    }
}

fn capacity_nodes(object: &At<'_>, said: &mut Vec<String>) {
    let nodes = object.at("nodeTopology");
    pods::node_term(&nodes, false, said);
    let labels = nodes.at("matchLabels");
    for (label, _) in labels.entries() {
        if let Some(words) = pods::old_label(label) {
            said.push(format!("{}: {words}", labels.child(label)));
        }
    }
}

fn driver(object: &At<'_>, old: Option<&Value>, said: &mut Vec<String>) {
    let spec = object.at("spec");
    let requests = spec.at("tokenRequests");
    let changed = old.is_none_or(|old| old["spec"].get("tokenRequests") != Some(requests.value));
    if changed && !requests.is_empty() && !spec.at("serviceAccountTokenInSecrets").is_set() {
        said.push("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes".to_owned());
    }
}

fn status_addresses(gvk: &Gvk, object: &At<'_>, said: &mut Vec<String>) {
    let status = object.at("status");
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Service") | ("networking.k8s.io", "Ingress") => {
            for ingress in status.to(&["loadBalancer", "ingress"]).items() {
                let at = At { value: ingress.at("ip").value, path: ingress.path.clone() };
                pods::address(&at, said);
            }
        }
        ("", "Pod") => {
            for list in ["podIPs", "hostIPs"] {
                status.at(list).items().for_each(|one| pods::address(&one.at("ip"), said));
            }
        }
        _ => {}
    }
}

/// Pods are called after what makes them, and programs see that name.
fn hostname(gvk: &Gvk, object: &At<'_>) -> Option<String> {
    let used = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => "the Pod's hostname",
        ("apps", "Deployment" | "ReplicaSet")
        | ("batch", "Job" | "CronJob")
        | ("", "ReplicationController") => "Pod names and hostnames",
        _ => return None,
    };
    let name = object.to(&["metadata", "name"]);
    let refusals = crate::names::label(name.text(), false);
    (!refusals.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            refusals.join(" ")
        )
    })
}
