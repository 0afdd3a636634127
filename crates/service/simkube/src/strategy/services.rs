//! Services: addresses and node ports, given out and taken back.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::api::problem::{Cause, Problem};
use crate::cluster::Cluster;
use crate::meta;
use crate::store::Store;

/// The network of cluster addresses; `kubernetes` has its first.
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 0);
const NETWORK_BITS: u32 = 12;
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;
/// How many node ports are kept for those who choose their own.
const CHOSEN_PORTS: u16 = 86;

/// Which addresses and node ports are taken.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<Option<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    ips: HashSet<String>,
    ports: BTreeSet<u16>,
    next: u32,
    next_port: u16,
}

impl Addresses {
    fn with<T>(&self, store: &Store, act: impl FnOnce(&mut Taken) -> T) -> T {
        let mut taken = self.0.lock();
        // Read once from what is kept, then followed.
        act(taken.get_or_insert_with(|| Taken::read(store)))
    }

    /// Notes what a service that was written has, and takes back what it had.
    pub fn hold(&self, store: &Store, old: Option<&Value>, service: &Value) {
        self.with(store, |taken| {
            if let Some(old) = old {
                for ip in ips(old) {
                    taken.ips.remove(&ip);
                }
                for port in ports(old) {
                    taken.ports.remove(&port);
                }
            }
            taken.ips.extend(ips(service));
            taken.ports.extend(ports(service));
        });
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
            if !self.ips.contains(&ip) {
                return ip;
            }
        }
    }

    /// A port that no service has. The first are kept for those who choose their own; each is given
    /// once before any is given again, so that two who write at once get different ones.
    fn free_port(&mut self) -> Option<u16> {
        let drawn = NODE_PORTS.end() - NODE_PORTS.start() + 1 - CHOSEN_PORTS;
        for _ in 0..drawn {
            self.next_port = (self.next_port + 1) % drawn;
            let port = NODE_PORTS.start() + CHOSEN_PORTS + self.next_port;
            if !self.ports.contains(&port) {
                return Some(port);
            }
        }
        NODE_PORTS.clone().find(|port| !self.ports.contains(port))
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
fn unnamed(service: &Value) -> Option<Cause> {
    let spec = &service["spec"];
    let given = spec["clusterIP"].as_str().unwrap_or_default();
    let has_none = spec["type"] == "ExternalName" || given == "None";
    if has_none || !meta::text(service, "name").is_empty() {
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
        release_all(old, service);
        return;
    }
    cluster.addresses.with(&cluster.store, |taken| {
        give_addresses(taken, service);
        if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
            give_ports(taken, &kind, old.is_none(), service);
        }
    });
    if kind == "ClusterIP" && old.is_some_and(|old| old["spec"]["type"] != "ClusterIP") {
        drop_ports(old, service);
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
    let outside = service["spec"]["externalIPs"].as_array().is_some_and(|list| !list.is_empty());
    let exposed =
        matches!(kind.as_str(), "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && outside);
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

/// A port that says no number keeps the one that the port of its name had, unless another has it.
fn keep_ports(old: &Value, service: &mut Value) {
    let number = |port: &Value| port["nodePort"].as_u64().unwrap_or(0);
    let list = |service: &Value| service["spec"]["ports"].as_array().cloned().unwrap_or_default();
    let before = list(old);
    let now: Vec<u64> = list(service).iter().map(number).collect();
    let used: Vec<u64> = before.iter().map(number).filter(|port| now.contains(port)).collect();
    let name = |port: &Value| port["name"].as_str().unwrap_or_default().to_owned();
    let ports = service["spec"]["ports"].as_array_mut();
    for port in ports.into_iter().flatten().filter(|port| number(port) == 0) {
        let had = before.iter().rev().find(|had| name(had) == name(port)).map_or(0, number);
        if had != 0 && !used.contains(&had) {
            port["nodePort"] = json!(had);
        }
    }
}

fn give_addresses(taken: &mut Taken, service: &mut Value) {
    let unsaid = service["spec"]["clusterIP"].as_str().is_none_or(str::is_empty);
    if unsaid && service["spec"]["clusterIPs"].as_array().is_some_and(|ips| !ips.is_empty()) {
        // Who says the list alone is refused.
        return;
    }
    let headless = service["spec"]["clusterIP"] == "None";
    let spec = &mut service["spec"];
    if headless {
        spec["clusterIP"] = json!("None");
        spec["clusterIPs"] = json!(["None"]);
    } else {
        let named = spec["clusterIP"].as_str().filter(|ip| !ip.is_empty()).map(str::to_owned);
        let ip = named.unwrap_or_else(|| taken.free_ip());
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

fn give_ports(taken: &mut Taken, kind: &str, is_new: bool, service: &mut Value) {
    let wanted = kind == "NodePort"
        || service["spec"]["allocateLoadBalancerNodePorts"].as_bool().unwrap_or(true);
    let chosen = |port: &Value| {
        port["nodePort"].as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
    };
    let ports = service["spec"]["ports"].as_array_mut();
    // One number serves TCP and UDP of the same port.
    let mut given: Vec<(Value, u16)> = ports
        .iter()
        .flat_map(|ports| ports.iter())
        .filter_map(|port| Some((port["port"].clone(), chosen(port)?)))
        .collect();
    for port in ports.into_iter().flatten() {
        if chosen(port).is_some() || !wanted {
            continue;
        }
        let mut same = given.iter().filter(|(number, _)| is_new && *number == port["port"]);
        let shared = same.next().map(|(_, port)| *port);
        if let Some(number) = shared.or_else(|| taken.free_port()) {
            given.push((port["port"].clone(), number));
            port["nodePort"] = json!(number);
        }
    }
    let local = kind == "LoadBalancer" && service["spec"]["externalTrafficPolicy"] == "Local";
    let absent = service["spec"]["healthCheckNodePort"].as_u64().unwrap_or(0) == 0;
    if let (true, true, Some(port)) = (local, absent, local.then(|| taken.free_port()).flatten()) {
        service["spec"]["healthCheckNodePort"] = json!(port);
    }
}

fn drop_ports(old: Option<&Value>, service: &mut Value) {
    let before = old.map(ports).unwrap_or_default();
    let list = service["spec"]["ports"].as_array_mut();
    for port in list.into_iter().flatten().filter_map(Value::as_object_mut) {
        let had = port.get("nodePort").and_then(Value::as_u64);
        if had.is_some_and(|had| before.iter().any(|port| u64::from(*port) == had)) {
            port.remove("nodePort");
        }
    }
}

fn release_all(old: Option<&Value>, service: &mut Value) {
    let Some(old) = old else { return };
    let Some(spec) = service["spec"].as_object_mut() else { return };
    for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if spec.get(name) == old["spec"].get(name) {
            spec.remove(name);
        }
    }
}

/// What is said where an address or a port that a service asks for is another's, or none of those that
/// there are. `service` stands as it would be kept.
///
/// # Errors
///
/// 422, or 500 for the port of health checks.
pub(super) fn allocate(
    cluster: &Cluster,
    old: Option<&Value>,
    service: &Value,
    dry_run: bool,
) -> Result<(), Problem> {
    let name = meta::text(service, "name");
    let invalid = |field: &str, message: String| {
        Err(Problem::invalid(
            "",
            "Service",
            name,
            &[meta::cause("FieldValueInvalid", field, &format!("Invalid value: {message}"))],
        ))
    };
    let foreign = families(service);
    if !foreign.is_empty() {
        return Err(Problem::invalid("", "Service", name, &foreign));
    }
    if let (None, false, Some(cause)) = (old, dry_run, unnamed(service)) {
        return Err(Problem::invalid("", "Service", name, &[cause]));
    }
    cluster.addresses.with(&cluster.store, |taken| {
        if let Err((ip, why)) = taken.address(old, service, dry_run) {
            let shown = &service["spec"]["clusterIPs"];
            return invalid(
                "spec.clusterIPs",
                format!("{shown}: failed to allocate IP {ip}: {why}"),
            );
        }
        let mut mine = Vec::new();
        if let Err((index, port, why)) = taken.node_ports(old, service, dry_run, &mut mine) {
            return invalid(&format!("spec.ports[{index}].nodePort"), format!("{port}: {why}"));
        }
        let port = service["spec"]["healthCheckNodePort"].as_i64().unwrap_or(0);
        if checks_health(service) && !old.is_some_and(checks_health) && port != 0 {
            return taken.port(port, dry_run, &mut mine).map_err(|why| {
                let why =
                    format!("failed to allocate requested HealthCheck NodePort {port}: {why}");
                let said = format!("Internal error occurred: {why}");
                let mut problem = Problem::new(500, "InternalError", said);
                problem.details = Some(json!({"causes": [{"message": why}]}));
                problem
            });
        }
        Ok(())
    })
}

/// What is wrong with the families of a service's addresses, of which the cluster has one.
fn families(service: &Value) -> Vec<Cause> {
    let spec = &service["spec"];
    let none_selected = spec["selector"].as_object().is_none_or(serde_json::Map::is_empty);
    if spec["type"] == "ExternalName" || (spec["clusterIP"] == "None" && none_selected) {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if spec["ipFamilyPolicy"] == "RequireDualStack" {
        causes.push(meta::cause(
            "FieldValueInvalid",
            "spec.ipFamilyPolicy",
            "Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services",
        ));
    }
    for (index, family) in spec["ipFamilies"].as_array().into_iter().flatten().enumerate() {
        if family != "IPv4" {
            let words = format!("Invalid value: {family}: not configured on this cluster");
            let field = format!("spec.ipFamilies[{index}]");
            causes.push(meta::cause("FieldValueInvalid", &field, &words));
        }
    }
    causes
}

fn checks_health(service: &Value) -> bool {
    service["spec"]["type"] == "LoadBalancer" && service["spec"]["externalTrafficPolicy"] == "Local"
}

impl Taken {
    /// Whether a new service may have the address that it has.
    fn address(
        &self,
        old: Option<&Value>,
        service: &Value,
        dry_run: bool,
    ) -> Result<(), (String, String)> {
        let external = |service: &Value| service["spec"]["type"] == "ExternalName";
        if external(service) || old.is_some_and(|old| !external(old)) {
            return Ok(());
        }
        for ip in ips(service) {
            let Ok(address) = ip.parse::<Ipv4Addr>() else { continue };
            let why = match u32::from(address) >> (32 - NETWORK_BITS) {
                _ if u32::from(address) == u32::from(NETWORK) => out_of_network(address),
                block if block == u32::from(NETWORK) >> (32 - NETWORK_BITS) => {
                    if dry_run || !self.ips.contains(&ip) {
                        continue;
                    }
                    "provided IP is already allocated".to_owned()
                }
                _ if dry_run => out_of_network(address),
                _ => "the provided network does not match the current range".to_owned(),
            };
            return Err((ip, why));
        }
        Ok(())
    }

    /// Whether a service may have the node ports that it has: the place of the first that it may not,
    /// and why.
    fn node_ports(
        &self,
        old: Option<&Value>,
        service: &Value,
        dry_run: bool,
        mine: &mut Vec<i64>,
    ) -> Result<(), (usize, i64, &'static str)> {
        if !matches!(service["spec"]["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
            return Ok(());
        }
        let numbers = |service: &Value| -> Vec<(i64, i64)> {
            let ports = service["spec"]["ports"].as_array();
            let number = |port: &Value, name: &str| port[name].as_i64().unwrap_or(0);
            let of = |port: &Value| (number(port, "port"), number(port, "nodePort"));
            ports.into_iter().flatten().map(of).collect()
        };
        let before: Vec<(i64, i64)> = old.map(numbers).unwrap_or_default();
        let mut of_port: Vec<(i64, i64)> = Vec::new();
        for (index, (port, number)) in numbers(service).into_iter().enumerate() {
            let asked = match old {
                Some(_) => !before.iter().any(|(_, had)| *had == number) && !mine.contains(&number),
                None => {
                    let known = of_port.iter().find(|(known, _)| *known == port);
                    let asked = known.is_none_or(|(_, known)| *known != number);
                    if known.is_none() {
                        of_port.push((port, number));
                    }
                    asked
                }
            };
            if number != 0 && asked {
                self.port(number, dry_run, mine).map_err(|why| (index, number, why))?;
            }
        }
        Ok(())
    }

    /// Whether a port is free.
    fn port(&self, port: i64, dry_run: bool, mine: &mut Vec<i64>) -> Result<(), &'static str> {
        let number = u16::try_from(port).ok();
        if !dry_run && !number.is_some_and(|port| NODE_PORTS.contains(&port)) {
            return Err(
                "provided port is not in the valid range. The range of valid ports is 30000-32767",
            );
        }
        if number.is_some_and(|port| self.ports.contains(&port)) || mine.contains(&port) {
            return Err("provided port is already allocated");
        }
        mine.push(port);
        Ok(())
    }
}

fn out_of_network(address: Ipv4Addr) -> String {
    format!(
        "the provided IP ({address}) is not in the valid range. The range of valid IPs is {NETWORK}/{NETWORK_BITS}"
    )
}
