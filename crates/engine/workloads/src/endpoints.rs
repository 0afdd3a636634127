//! Where the pods of a Service are reached: its EndpointSlices, and the older Endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::outcome::{
    Context, Outcome, Write, controlled_by, delete, is_deleting, of_kind, print_time, text, time,
};
use crate::template::{is_ready, phase};

/// Endpoints in one slice, as the controller has it where nobody says otherwise.
const ENDPOINTS_MAX: usize = 100;
/// Addresses in one Endpoints, of all its subsets.
const ADDRESSES_MAX: usize = 1000;

const SERVICE: &str = "kubernetes.io/service-name";
const SLICES_BY: &str = "endpointslice.kubernetes.io/managed-by";
const SLICES: &str = "endpointslice-controller.k8s.io";
const ENDPOINTS_BY: &str = "endpoints.kubernetes.io/managed-by";
const ENDPOINTS: &str = "endpoint-controller";
const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// Keeps the slices and the Endpoints of a Service that selects pods. The neighbours are the pods of
/// its namespace, and the Endpoints of its name.
pub fn follow(service: &Value, owned: &[Arc<Value>], context: &Context<'_>, outcome: &mut Outcome) {
    let spec = &service["spec"];
    if !spec["selector"].is_object() || spec["type"] == "ExternalName" {
        return;
    }
    let is_selected = |pod: &&Value| {
        manifest::kind(pod) == "Pod"
            && selects(service, pod)
            && !matches!(phase(pod), "Succeeded" | "Failed")
            && pod["status"]["podIPs"].as_array().is_some_and(|all| !all.is_empty())
    };
    let neighbours = || context.neighbours.iter().map(Arc::as_ref);
    let mut pods: Vec<&Value> = neighbours().filter(is_selected).collect();
    pods.sort_by_key(|pod| manifest::name(pod));
    let triggered = last_trigger(service, &pods);
    keep_slices(service, &pods, owned, &triggered, outcome);
    let known = neighbours().find(|object| manifest::kind(object) == "Endpoints");
    keep_endpoints(service, &pods, known, &triggered, outcome);
}

/// Whether a Service's selector names a pod; without one it names none.
pub fn selects(service: &Value, pod: &Value) -> bool {
    let labels = &pod["metadata"]["labels"];
    service["spec"]["selector"]
        .as_object()
        .is_some_and(|selector| selector.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// When the newest of what endpoints stand for came to be: a Service, or a pod's readiness.
fn last_trigger(service: &Value, pods: &[&Value]) -> String {
    let ready = pods.iter().filter_map(|pod| {
        let conditions = pod["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        time(ready, "/lastTransitionTime")
    });
    let made = time(service, "/metadata/creationTimestamp");
    ready.chain(made).max().map(print_time).unwrap_or_default()
}

/// Addresses that are reached by the same ports.
#[derive(Default)]
struct Group {
    ports: Vec<Value>,
    endpoints: Vec<Value>,
}

fn keep_slices(
    service: &Value,
    pods: &[&Value],
    owned: &[Arc<Value>],
    triggered: &str,
    outcome: &mut Outcome,
) {
    let labels = labels(service, &[(SERVICE, manifest::name(service)), (SLICES_BY, SLICES)]);
    let mut known: Vec<&Value> = of_kind(owned, "EndpointSlice")
        .into_iter()
        .filter(|slice| manifest::label(slice, SLICES_BY) == Some(SLICES) && !is_deleting(slice))
        .collect();
    for (family, ports, endpoints) in wanted_slices(service, pods) {
        let fits = |slice: &&Value| {
            slice["addressType"] == family && list(&slice["ports"]) == ports.as_slice()
        };
        let Some(at) = known.iter().position(fits) else {
            let mut metadata = Map::new();
            metadata.insert("generateName".into(), format!("{}-", manifest::name(service)).into());
            metadata.insert("namespace".into(), manifest::namespace(service).into());
            metadata.insert("labels".into(), labels.clone());
            metadata.insert("annotations".into(), json!({TRIGGERED: triggered}));
            metadata.insert("ownerReferences".into(), controlled_by(service));
            outcome.write(Write::Create(json!({
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata,
                "addressType": family,
                "endpoints": endpoints,
                "ports": ports,
            })));
            continue;
        };
        let slice = known.remove(at);
        if list(&slice["endpoints"]) != endpoints.as_slice()
            || slice["metadata"]["labels"] != labels
        {
            let mut changed = slice.clone();
            changed["endpoints"] = endpoints.into();
            changed["metadata"]["labels"] = labels.clone();
            trigger(&mut changed, triggered);
            outcome.write(Write::Update(changed));
        }
    }
    known.into_iter().for_each(|slice| outcome.write(delete(slice)));
}

/// For each slice that there should be its family, ports and endpoints; one without endpoints where
/// there would be none.
fn wanted_slices(service: &Value, pods: &[&Value]) -> Vec<(String, Vec<Value>, Vec<Value>)> {
    let mut wanted = Vec::new();
    for family in list(&service["spec"]["ipFamilies"]).iter().filter_map(Value::as_str) {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for pod in pods {
            let Some(address) = address_of(pod, family) else { continue };
            let ports = ports_of(service, pod, true);
            let group = groups.entry(json!(ports).to_string()).or_default();
            group.ports = ports;
            group.endpoints.push(endpoint(service, pod, address));
        }
        if groups.is_empty() {
            groups.insert(String::new(), Group::default());
        }
        for group in groups.into_values() {
            let mut chunks = group.endpoints.chunks(ENDPOINTS_MAX);
            let first = chunks.next().unwrap_or_default();
            for endpoints in std::iter::once(first).chain(chunks) {
                wanted.push((family.to_owned(), group.ports.clone(), endpoints.to_vec()));
            }
        }
    }
    wanted
}

fn endpoint(service: &Value, pod: &Value, address: &str) -> Value {
    let (serving, terminating) = (is_ready(pod), is_deleting(pod));
    let ready = publishes_all(service) || serving && !terminating;
    let mut endpoint = json!({
        "addresses": [address],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": target(pod),
    });
    if !text(pod, "/spec/nodeName").is_empty() {
        endpoint["nodeName"] = pod["spec"]["nodeName"].clone();
    }
    if let Some(hostname) = hostname(service, pod) {
        endpoint["hostname"] = hostname.into();
    }
    endpoint
}

fn keep_endpoints(
    service: &Value,
    pods: &[&Value],
    known: Option<&Value>,
    triggered: &str,
    outcome: &mut Outcome,
) {
    let mut all = labels(service, &[(ENDPOINTS_BY, ENDPOINTS)]);
    // What a Service is called there means nothing here.
    for own in [SERVICE, SLICES_BY] {
        if let Some(said) = manifest::label(service, own) {
            all[own] = said.into();
        }
    }
    let (subsets, is_cut) = subsets(service, pods);
    let mut endpoints = match known {
        None => json!({
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": manifest::name(service), "namespace": manifest::namespace(service)},
        }),
        Some(known) => known.clone(),
    };
    let is_same =
        list(&endpoints["subsets"]) == subsets.as_slice() && endpoints["metadata"]["labels"] == all;
    if known.is_some_and(is_deleting) || known.is_some() && is_same {
        return;
    }
    endpoints["subsets"] = subsets.into();
    endpoints["metadata"]["labels"] = all;
    trigger(&mut endpoints, triggered);
    if is_cut {
        endpoints["metadata"]["annotations"][OVER_CAPACITY] = "truncated".into();
    }
    outcome.write(match known {
        None => Write::Create(endpoints),
        Some(_) => Write::Update(endpoints),
    });
}

/// Addresses of an Endpoints that are reached by the same ports.
#[derive(Default)]
struct Subset {
    ports: Vec<Value>,
    ready: Vec<Value>,
    unready: Vec<Value>,
}

impl Subset {
    /// What is empty is not told.
    fn told(mut self) -> Value {
        let by_address = |a: &Value, b: &Value| text(a, "/ip").cmp(text(b, "/ip"));
        self.ready.sort_by(by_address);
        self.unready.sort_by(by_address);
        let fields =
            [("addresses", self.ready), ("notReadyAddresses", self.unready), ("ports", self.ports)];
        let told = fields.into_iter().filter(|(_, all)| !all.is_empty());
        Value::Object(told.map(|(field, all)| (field.to_owned(), all.into())).collect())
    }
}

/// The subsets of an Endpoints, and whether some addresses are too many for it.
fn subsets(service: &Value, pods: &[&Value]) -> (Vec<Value>, bool) {
    let first = list(&service["spec"]["ipFamilies"]).first().and_then(Value::as_str);
    let mut groups: BTreeMap<String, Subset> = BTreeMap::new();
    let (mut count, mut is_cut) = (0, false);
    for pod in pods.iter().filter(|pod| publishes_all(service) || !is_deleting(pod)) {
        let Some(ip) = address_of(pod, first.unwrap_or("IPv4")) else { continue };
        let ports = ports_of(service, pod, false);
        if ports.is_empty() && !(list(&service["spec"]["ports"]).is_empty() && is_headless(service))
        {
            continue;
        }
        if count == ADDRESSES_MAX {
            is_cut = true;
            break;
        }
        count += 1;
        let mut address = json!({"ip": ip, "targetRef": target(pod)});
        address["nodeName"] = pod["spec"]["nodeName"].clone();
        if let Some(hostname) = hostname(service, pod) {
            address["hostname"] = hostname.into();
        }
        let group = groups.entry(json!(ports).to_string()).or_default();
        group.ports = ports;
        match publishes_all(service) || is_ready(pod) {
            true => group.ready.push(address),
            false => group.unready.push(address),
        }
    }
    (groups.into_values().map(Subset::told).collect(), is_cut)
}

/// The ports of a Service as a pod has them; those that it does not have are left out.
fn ports_of(service: &Value, pod: &Value, is_slice: bool) -> Vec<Value> {
    let port = |of: &Value| {
        let number = match &of["targetPort"] {
            Value::String(name) => named_port(pod, name, &of["protocol"])?,
            number => number.clone(),
        };
        let mut port = json!({"port": number, "protocol": of["protocol"]});
        let name = of["name"].as_str().unwrap_or_default();
        if is_slice || !name.is_empty() {
            port["name"] = name.into();
        }
        if !of["appProtocol"].is_null() {
            port["appProtocol"] = of["appProtocol"].clone();
        }
        Some(port)
    };
    list(&service["spec"]["ports"]).iter().filter_map(port).collect()
}

/// The number that containers give a port; sidecars come after the others.
fn named_port(pod: &Value, name: &str, protocol: &Value) -> Option<Value> {
    let sidecars = list(&pod["spec"]["initContainers"])
        .iter()
        .filter(|container| container["restartPolicy"] == "Always");
    let containers = list(&pod["spec"]["containers"]).iter().chain(sidecars);
    containers
        .flat_map(|container| list(&container["ports"]))
        .find(|port| port["name"] == name && port["protocol"] == *protocol)
        .map(|port| port["containerPort"].clone())
}

/// The labels of a Service, with the controllers' own in the place of what it says of them.
fn labels(service: &Value, own: &[(&str, &str)]) -> Value {
    let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    for reserved in [SERVICE, SLICES_BY, HEADLESS] {
        labels.remove(reserved);
    }
    if is_headless(service) {
        labels.insert(HEADLESS.into(), "".into());
    }
    labels.extend(own.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
    Value::Object(labels)
}

/// Tells when what changed came to be; where nothing new did, nothing is told.
fn trigger(object: &mut Value, triggered: &str) {
    let is_new = manifest::annotation(object, TRIGGERED) != Some(triggered);
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    let Some(annotations) = object["metadata"]["annotations"].as_object_mut() else { return };
    annotations.remove(OVER_CAPACITY);
    match is_new {
        true => annotations.insert(TRIGGERED.into(), triggered.into()),
        false => annotations.remove(TRIGGERED),
    };
}

fn target(pod: &Value) -> Value {
    json!({
        "kind": "Pod",
        "name": manifest::name(pod),
        "namespace": manifest::namespace(pod),
        "uid": manifest::uid(pod),
    })
}

fn address_of<'a>(pod: &'a Value, family: &str) -> Option<&'a str> {
    let addresses = list(&pod["status"]["podIPs"]).iter().filter_map(|one| one["ip"].as_str());
    addresses.into_iter().find(|address| address.contains(':') == (family == "IPv6"))
}

fn hostname<'a>(service: &Value, pod: &'a Value) -> Option<&'a str> {
    let hostname = pod["spec"]["hostname"].as_str().filter(|name| !name.is_empty())?;
    (text(pod, "/spec/subdomain") == manifest::name(service)).then_some(hostname)
}

fn publishes_all(service: &Value) -> bool {
    service["spec"]["publishNotReadyAddresses"] == true
}

fn is_headless(service: &Value) -> bool {
    matches!(text(service, "/spec/clusterIP"), "" | "None")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
