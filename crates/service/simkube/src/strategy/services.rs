//! Services: addresses and node ports, given out and taken back.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::api::problem::{Cause, Problem};
use crate::cluster::Cluster;
use crate::meta;
use crate::store::Store;
use crate::strategy::families;

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
///
/// # Errors
///
/// What is wrong with its addresses and their families: this is asked before all else.
pub(super) fn prepare(
    cluster: &Cluster,
    old: Option<&Value>,
    service: &mut Value,
) -> Result<(), Problem> {
    if !service["spec"].is_object() {
        return Ok(());
    }
    if let Some(old) = old {
        keep(old, service);
    }
    one_address(old, service);
    families::settle(old, service)
        .map_err(|causes| Problem::invalid("", "Service", meta::text(service, "name"), &causes))?;
    let kind = kind_of(service).to_owned();
    cluster.addresses.with(&cluster.store, |taken| {
        if kind != EXTERNAL && old.is_none_or(|old| kind_of(old) == EXTERNAL) {
            give_address(taken, service);
        }
        if has_node_ports(service) {
            give_ports(taken, &kind, old.is_none(), service);
        }
    });
    if let Some(old) = old {
        drop_of_other_type(old, service);
    }
    Ok(())
}

const EXTERNAL: &str = "ExternalName";

/// The type of a service.
pub(super) fn kind_of(service: &Value) -> &str {
    service["spec"]["type"].as_str().unwrap_or("ClusterIP")
}

/// A text of the spec, empty where there is none.
pub(super) fn said<'a>(service: &'a Value, name: &str) -> &'a str {
    service["spec"][name].as_str().unwrap_or_default()
}

/// The texts of a list of the spec.
pub(super) fn list<'a>(service: &'a Value, name: &str) -> Vec<&'a str> {
    service["spec"][name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn has_node_ports(service: &Value) -> bool {
    matches!(kind_of(service), "NodePort" | "LoadBalancer")
}

/// What was given to the service stays where an update does not say it.
fn keep(old: &Value, service: &mut Value) {
    if kind_of(old) != EXTERNAL && kind_of(service) != EXTERNAL {
        if said(service, "clusterIP").is_empty() && !said(old, "clusterIP").is_empty() {
            service["spec"]["clusterIP"] = old["spec"]["clusterIP"].clone();
        }
        if list(service, "clusterIPs").is_empty() && !list(old, "clusterIPs").is_empty() {
            service["spec"]["clusterIPs"] = old["spec"]["clusterIPs"].clone();
        }
    }
    if draws_node_ports(old) && draws_node_ports(service) {
        keep_ports(old, service);
    }
    let port = |service: &Value| service["spec"]["healthCheckNodePort"].as_i64().unwrap_or(0);
    if checks_health(old) && checks_health(service) && port(service) == 0 {
        service["spec"]["healthCheckNodePort"] = old["spec"]["healthCheckNodePort"].clone();
    }
}

/// Whether ports that say no number are given one.
fn draws_node_ports(service: &Value) -> bool {
    match kind_of(service) {
        "NodePort" => true,
        "LoadBalancer" => {
            service["spec"]["allocateLoadBalancerNodePorts"].as_bool().unwrap_or(true)
        }
        _ => false,
    }
}

/// The one address and the list of them say the same: who says or changes only the one means both.
fn one_address(old: Option<&Value>, service: &mut Value) {
    let address = said(service, "clusterIP").to_owned();
    let addresses = list(service, "clusterIPs");
    let Some(old) = old else {
        if !address.is_empty() && addresses.is_empty() {
            service["spec"]["clusterIPs"] = json!([address]);
        }
        return;
    };
    let known = list(old, "clusterIPs");
    if address == said(old, "clusterIP") {
        if addresses.is_empty() && !known.is_empty() {
            service["spec"]["clusterIPs"] = json!(known);
        }
    } else if addresses == known {
        match address.is_empty() {
            true => unset(service, "clusterIPs"),
            false => service["spec"]["clusterIPs"] = json!([address]),
        }
    }
}

fn unset(service: &mut Value, name: &str) {
    if let Some(spec) = service["spec"].as_object_mut() {
        spec.remove(name);
    }
}

/// What services of some types are.
type Trait = fn(&Value) -> bool;

/// What only the old type had, and nobody changed, goes with it.
fn drop_of_other_type(old: &Value, service: &mut Value) {
    let same = |service: &Value, name: &str| service["spec"].get(name) == old["spec"].get(name);
    let left = |is: Trait, service: &Value| is(old) && !is(service);
    if left(|service| kind_of(service) != EXTERNAL, service) {
        if same(service, "clusterIP") && same(service, "clusterIPs") {
            unset(service, "clusterIP");
            unset(service, "clusterIPs");
        }
        for name in ["ipFamilies", "ipFamilyPolicy"] {
            if same(service, name) {
                unset(service, name);
            }
        }
    }
    if left(has_node_ports, service) {
        drop_ports(old, service);
    }
    let balanced: Trait = |service| kind_of(service) == "LoadBalancer";
    let of_types: [(&str, Trait); 4] = [
        ("healthCheckNodePort", checks_health),
        ("allocateLoadBalancerNodePorts", balanced),
        ("loadBalancerClass", balanced),
        ("externalTrafficPolicy", is_outside),
    ];
    for (name, has) in of_types {
        if left(has, service) && same(service, name) {
            unset(service, name);
        }
    }
    if !balanced(service) && !service["status"]["loadBalancer"].is_null() {
        service["status"]["loadBalancer"] = json!({});
    }
}

/// What means nothing for a service of its type is not shown, whatever is kept.
pub(super) fn hide(service: &mut Value) {
    if kind_of(service) == EXTERNAL {
        unset(service, "internalTrafficPolicy");
    }
}

/// Whether a service can be reached from outside.
fn is_outside(service: &Value) -> bool {
    has_node_ports(service)
        || (kind_of(service) == "ClusterIP" && !list(service, "externalIPs").is_empty())
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

fn give_address(taken: &mut Taken, service: &mut Value) {
    if list(service, "clusterIPs").first().is_some_and(|first| !first.is_empty()) {
        return;
    }
    let ip = taken.free_ip();
    service["spec"]["clusterIP"] = json!(ip);
    service["spec"]["clusterIPs"] = json!([ip]);
}

fn give_ports(taken: &mut Taken, kind: &str, is_new: bool, service: &mut Value) {
    let wanted = draws_node_ports(service);
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

/// Node ports go, unless one of them is new.
fn drop_ports(old: &Value, service: &mut Value) {
    let number = |port: &Value| port["nodePort"].as_u64().filter(|number| *number > 0);
    let numbers = |service: &Value| -> Vec<u64> {
        service["spec"]["ports"].as_array().into_iter().flatten().filter_map(number).collect()
    };
    let before = numbers(old);
    if numbers(service).iter().all(|number| before.contains(number)) {
        let ports = service["spec"]["ports"].as_array_mut();
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            port.remove("nodePort");
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
        match taken.node_ports(old, service, dry_run, &mut mine) {
            Ok(()) => {}
            Err(Refused::Number { index, number, why }) => {
                let field = format!("spec.ports[{index}].nodePort");
                return invalid(&field, format!("{number}: {why}"));
            }
            Err(Refused::Twice { protocol, number }) => {
                let said = format!("duplicate nodePort: {{{protocol} {number}}}");
                return Err(Problem::new(500, "", said));
            }
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

fn checks_health(service: &Value) -> bool {
    kind_of(service) == "LoadBalancer" && said(service, "externalTrafficPolicy") == "Local"
}

/// Why a service may not have its node ports.
enum Refused {
    /// One may not be had.
    Number {
        /// Of the port.
        index: usize,
        number: i64,
        why: &'static str,
    },
    /// An update has one twice.
    Twice { protocol: String, number: i64 },
}

impl Taken {
    /// Whether a new service may have the address that it has.
    fn address(
        &self,
        old: Option<&Value>,
        service: &Value,
        dry_run: bool,
    ) -> Result<(), (String, String)> {
        let external = |service: &Value| kind_of(service) == EXTERNAL;
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

    /// Whether a service may have the node ports that it has.
    fn node_ports(
        &self,
        old: Option<&Value>,
        service: &Value,
        dry_run: bool,
        mine: &mut Vec<i64>,
    ) -> Result<(), Refused> {
        if !has_node_ports(service) {
            return Ok(());
        }
        let ports = |service: &Value| service["spec"]["ports"].as_array().cloned();
        let number = |port: &Value, name: &str| port[name].as_i64().unwrap_or(0);
        let before: Vec<i64> =
            old.and_then(ports).iter().flatten().map(|port| number(port, "nodePort")).collect();
        let mut of_port: Vec<(i64, i64)> = Vec::new();
        let mut seen: Vec<(String, i64)> = Vec::new();
        for (index, port) in ports(service).iter().flatten().enumerate() {
            let (at, number) = (number(port, "port"), number(port, "nodePort"));
            let asked = match old {
                Some(_) => !before.contains(&number) && !mine.contains(&number),
                None => {
                    let known = of_port.iter().find(|(known, _)| *known == at);
                    let asked = known.is_none_or(|(_, known)| *known != number);
                    if known.is_none() {
                        of_port.push((at, number));
                    }
                    asked
                }
            };
            if number != 0 && asked {
                self.port(number, dry_run, mine).map_err(|why| Refused::Number {
                    index,
                    number,
                    why,
                })?;
            }
            let protocol = port["protocol"].as_str().unwrap_or_default().to_owned();
            let one = (protocol, number);
            if old.is_some() && number != 0 && seen.contains(&one) {
                return Err(Refused::Twice { protocol: one.0, number });
            }
            seen.push(one);
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
