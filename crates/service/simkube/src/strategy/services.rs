//! Services: addresses and node ports, given out and taken back.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::api::problem::Cause;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::store::Store;

/// The network of cluster addresses; `kubernetes` has its first.
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 0);
const NETWORK_BITS: u32 = 12;
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// Which addresses and node ports are taken.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<Option<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    ips: HashSet<String>,
    ports: BTreeSet<u16>,
    next: u32,
}

impl Addresses {
    fn with<T>(&self, store: &Store, act: impl FnOnce(&mut Taken) -> T) -> T {
        let mut taken = self.0.lock();
        // Read once from what is kept, then followed.
        act(taken.get_or_insert_with(|| Taken::read(store)))
    }

    /// Takes back what a service had.
    pub fn release(&self, service: &Value) {
        let mut taken = self.0.lock();
        let Some(taken) = taken.as_mut() else { return };
        for ip in ips(service) {
            taken.ips.remove(&ip);
        }
        for port in ports(service) {
            taken.ports.remove(&port);
        }
    }
}

impl Taken {
    fn read(store: &Store) -> Taken {
        let mut taken = Taken::default();
        let services = store.list("/services", "", None, 0, None);
        for (_, entry) in services.map(|page| page.entries).unwrap_or_default() {
            let service = entry.value();
            taken.ips.extend(ips(&service));
            taken.ports.extend(ports(&service));
        }
        taken
    }

    fn free_ip(&mut self) -> String {
        let size = 1_u32 << (32 - NETWORK_BITS);
        loop {
            // Sixteen addresses are kept for those who choose their own.
            self.next = (self.next + 1) % (size - 32);
            let ip = Ipv4Addr::from(u32::from(NETWORK) + 16 + self.next).to_string();
            if self.ips.insert(ip.clone()) {
                return ip;
            }
        }
    }

    fn free_port(&mut self) -> Option<u16> {
        let port = NODE_PORTS.clone().find(|port| !self.ports.contains(port))?;
        self.ports.insert(port);
        Some(port)
    }
}

fn ips(service: &Value) -> Vec<String> {
    let list = service["spec"]["clusterIPs"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|ip| *ip != "None")
        .map(str::to_owned)
        .collect()
}

fn ports(service: &Value) -> Vec<u16> {
    let list = service["spec"]["ports"].as_array();
    let mut ports: Vec<u16> = list
        .into_iter()
        .flatten()
        .filter_map(|port| port.get("nodePort")?.as_u64())
        .filter_map(|port| u16::try_from(port).ok())
        .collect();
    ports.extend(
        service["spec"]["healthCheckNodePort"].as_u64().and_then(|port| u16::try_from(port).ok()),
    );
    ports
}

/// What is wrong with a service that has no name: the address that it is given is noted under its name,
/// which is found missing first.
pub(super) fn unnamed(kind: &Kind, service: &Value) -> Option<Cause> {
    let spec = &service["spec"];
    let given = spec["clusterIP"].as_str().unwrap_or_default();
    let has_none = spec["type"] == "ExternalName" || given == "None";
    if !kind.is("", "Service") || has_none || !meta::text(service, "name").is_empty() {
        return None;
    }
    let words = format!(
        "Invalid value: [\"\"]: failed to allocate IP: IPAddress.networking.k8s.io \"{given}\" is invalid: spec.parentRef.name: Required value"
    );
    Some(meta::cause("FieldValueInvalid", "spec.clusterIPs", &words))
}

/// Gives a service what its type needs, and keeps what it has.
pub(super) fn prepare(cluster: &Cluster, old: Option<&Value>, service: &mut Value) {
    if !service["spec"].is_object() {
        return;
    }
    if let Some(old) = old {
        keep(old, service);
    }
    let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    if kind == "ExternalName" {
        release_all(cluster, old, service);
        return;
    }
    cluster.addresses.with(&cluster.store, |taken| {
        give_addresses(taken, service);
        if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
            give_ports(taken, &kind, service);
        }
    });
    if kind == "ClusterIP" && old.is_some_and(|old| old["spec"]["type"] != "ClusterIP") {
        drop_ports(cluster, old, service);
    }
}

/// What an update leaves out stays, as long as the type does.
fn keep(old: &Value, service: &mut Value) {
    drop_of_other_type(old, service);
    let given = service["spec"].get("clusterIP").filter(|ip| !ip.is_null()).cloned();
    if let Some(ip) = given
        && ip != old["spec"]["clusterIP"]
        && service["spec"]["clusterIPs"] == old["spec"]["clusterIPs"]
        && ip.as_str().is_some_and(|ip| !ip.is_empty())
    {
        service["spec"]["clusterIPs"] = json!([ip]);
    }
    let external = |service: &Value| service["spec"]["type"] == "ExternalName";
    if external(old) || external(service) {
        return;
    }
    for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
        let absent = match service["spec"].get(name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str() == Some(""),
        };
        let wanted =
            name != "healthCheckNodePort" || service["spec"]["externalTrafficPolicy"] == "Local";
        if let (true, true, Some(value)) = (absent, wanted, old["spec"].get(name)) {
            service["spec"][name] = value.clone();
        }
    }
    if matches!(service["spec"]["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        keep_ports(old, service);
    }
}

/// What only the old type had, and nobody changed, goes with it.
fn drop_of_other_type(old: &Value, service: &mut Value) {
    let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    let exposed = matches!(kind.as_str(), "NodePort" | "LoadBalancer");
    let balanced = kind == "LoadBalancer";
    let addressed = kind != "ExternalName";
    let dropped = [
        ("externalTrafficPolicy", !exposed),
        ("healthCheckNodePort", !(balanced && service["spec"]["externalTrafficPolicy"] == "Local")),
        ("allocateLoadBalancerNodePorts", !balanced),
        ("loadBalancerClass", !balanced),
        ("clusterIP", !addressed),
        ("clusterIPs", !addressed),
        ("ipFamilies", !addressed),
        ("ipFamilyPolicy", !addressed),
        ("internalTrafficPolicy", !addressed),
    ];
    let Some(spec) = service["spec"].as_object_mut() else { return };
    for (name, drop) in dropped {
        if drop && spec.contains_key(name) && spec.get(name) == old["spec"].get(name) {
            spec.remove(name);
        }
    }
}

fn keep_ports(old: &Value, service: &mut Value) {
    let before: Vec<(Value, Value, Value)> = old["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|port| {
            Some((port["protocol"].clone(), port["port"].clone(), port.get("nodePort")?.clone()))
        })
        .collect();
    let ports = service["spec"]["ports"].as_array_mut();
    for port in ports.into_iter().flatten() {
        if port.get("nodePort").is_some() {
            continue;
        }
        let same = before
            .iter()
            .find(|(protocol, number, _)| *protocol == port["protocol"] && *number == port["port"]);
        if let Some((_, _, node_port)) = same {
            port["nodePort"] = node_port.clone();
        }
    }
}

fn give_addresses(taken: &mut Taken, service: &mut Value) {
    let headless =
        service["spec"]["clusterIP"] == "None" || service["spec"]["clusterIPs"][0] == "None";
    let spec = &mut service["spec"];
    if headless {
        spec["clusterIP"] = json!("None");
        spec["clusterIPs"] = json!(["None"]);
    } else {
        let named = spec["clusterIP"].as_str().filter(|ip| !ip.is_empty()).map(str::to_owned);
        let named = named.or_else(|| spec["clusterIPs"][0].as_str().map(str::to_owned));
        let ip = match named {
            Some(ip) => {
                taken.ips.insert(ip.clone());
                ip
            }
            None => taken.free_ip(),
        };
        spec["clusterIP"] = json!(ip);
        if spec.get("clusterIPs").is_none_or(Value::is_null) {
            spec["clusterIPs"] = json!([ip]);
        }
    }
    let selectorless = headless && spec.get("selector").is_none_or(Value::is_null);
    if spec.get("ipFamilyPolicy").is_none_or(Value::is_null) {
        spec["ipFamilyPolicy"] =
            json!(if selectorless { "RequireDualStack" } else { "SingleStack" });
    }
    if spec.get("ipFamilies").is_none_or(Value::is_null) {
        spec["ipFamilies"] = if selectorless { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) };
    }
}

fn give_ports(taken: &mut Taken, kind: &str, service: &mut Value) {
    let wanted = kind == "NodePort"
        || service["spec"]["allocateLoadBalancerNodePorts"].as_bool().unwrap_or(true);
    let ports = service["spec"]["ports"].as_array_mut();
    let mut given: Vec<(Value, u16)> = Vec::new();
    for port in ports.into_iter().flatten() {
        match port.get("nodePort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok())
        {
            Some(number) if number > 0 => {
                taken.ports.insert(number);
            }
            Some(_) | None if wanted => {
                // One number serves TCP and UDP of the same port.
                let shared =
                    given.iter().find(|(number, _)| *number == port["port"]).map(|(_, port)| *port);
                if let Some(number) = shared.or_else(|| taken.free_port()) {
                    given.push((port["port"].clone(), number));
                    port["nodePort"] = json!(number);
                }
            }
            Some(_) | None => {}
        }
    }
    let local = kind == "LoadBalancer" && service["spec"]["externalTrafficPolicy"] == "Local";
    let absent = service["spec"]["healthCheckNodePort"].as_u64().unwrap_or(0) == 0;
    if let (true, true, Some(port)) = (local, absent, local.then(|| taken.free_port()).flatten()) {
        service["spec"]["healthCheckNodePort"] = json!(port);
    }
}

fn drop_ports(cluster: &Cluster, old: Option<&Value>, service: &mut Value) {
    let before = old.map(ports).unwrap_or_default();
    let list = service["spec"]["ports"].as_array_mut();
    for port in list.into_iter().flatten().filter_map(Value::as_object_mut) {
        let had = port.get("nodePort").and_then(Value::as_u64);
        if had.is_some_and(|had| before.iter().any(|port| u64::from(*port) == had)) {
            port.remove("nodePort");
        }
    }
    cluster.addresses.with(&cluster.store, |taken| {
        for port in before {
            taken.ports.remove(&port);
        }
    });
}

fn release_all(cluster: &Cluster, old: Option<&Value>, service: &mut Value) {
    let Some(old) = old else { return };
    cluster.addresses.release(old);
    let Some(spec) = service["spec"].as_object_mut() else { return };
    for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if spec.get(name) == old["spec"].get(name) {
            spec.remove(name);
        }
    }
}
