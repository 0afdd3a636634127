//! Nodes, and where services lead: Endpoints.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::{FieldError, FieldErrorKind};

use crate::cursor::At;
use crate::names;

const FIXED_BLOCK: &str = "node updates may not change podCIDR except from \"\" to valid";

/// A Node.
pub fn node(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    match old {
        None => {
            taints(&object, errors);
            amounts(&object, errors);
            features(&object.to(&["status", "declaredFeatures"]), errors);
            blocks(&spec.at("podCIDRs"), errors);
        }
        Some(old) => {
            amounts(&object, errors);
            features(&object.to(&["status", "declaredFeatures"]), errors);
            let mut seen = BTreeSet::new();
            for address in object.to(&["status", "addresses"]).items() {
                if !seen.insert(address.value.to_string()) {
                    let text = |field: &str| manifest::field::quote(address.at(field).text());
                    let shown =
                        format!("{{\"Type\":{},\"Address\":{}}}", text("type"), text("address"));
                    errors.push(address.duplicate().showing(shown));
                }
            }
            kept(&spec, &old.at("spec"), errors);
            taints(&object, errors);
            let number = spec.at("externalID");
            if number.text() != old.to(&["spec", "externalID"]).text() {
                errors.push(number.forbidden("may not be updated"));
            }
        }
    }
}

/// What a node says that it can: sorted names such as `MyFeature/part`.
fn features(list: &At<'_>, errors: &mut Vec<FieldError>) {
    const BYTES_MAX: usize = 253;
    let is_name = |name: &str| {
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.chars().all(|c| c.is_ascii_alphanumeric())
        };
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.split('/').all(word)
    };
    let mut before: Option<&str> = None;
    for feature in list.items() {
        let name = feature.text();
        match before {
            Some(other) if other == name => {
                errors.push(FieldError::duplicate(feature.path.clone(), name));
            }
            Some(other) if other > name => {
                errors.push(feature.invalid("list must be sorted alphabetically"));
            }
            _ => {}
        }
        before = Some(name);
        let quoted = manifest::field::quote(name);
        if name.len() > BYTES_MAX {
            let words = format!(
                "invalid feature name {quoted}: must be no more than {BYTES_MAX} characters"
            );
            errors.push(feature.invalid(words));
        } else if !is_name(name) {
            let words = format!(
                "invalid feature name {quoted}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
            );
            errors.push(feature.invalid(words));
        }
    }
}

fn kept(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let blocks = spec.at("podCIDRs");
    let before: Vec<&str> = old.at("podCIDRs").items().map(|one| one.text()).collect();
    let now: Vec<&str> = blocks.items().map(|one| one.text()).collect();
    if !before.is_empty() {
        if before.len() == now.len() {
            let changed = before.iter().zip(&now).filter(|(a, b)| a != b);
            errors.extend(changed.map(|_| blocks.forbidden(FIXED_BLOCK)));
        } else {
            errors.push(blocks.forbidden(FIXED_BLOCK));
        }
    }
    let provider = spec.at("providerID");
    let before = old.at("providerID");
    if !before.is_empty() && before.text() != provider.text() {
        errors.push(
            provider.forbidden("node updates may not change providerID except from \"\" to valid"),
        );
    }
}

fn blocks(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for one in at.items() {
        errors.extend(names::block_refusal(one.text()).map(|words| one.invalid(words)));
    }
    let families: Vec<bool> = at
        .items()
        .filter_map(|one| names::block(one.text()))
        .map(|(address, _)| address.is_ipv4())
        .collect();
    let both = families.contains(&true) && families.contains(&false);
    let count = at.items().count();
    let unreadable = at.items().enumerate().find(|(_, one)| names::block(one.text()).is_none());
    if let (true, Some((index, one))) = (count > 1, unreadable) {
        errors.push(FieldError::new(
            FieldErrorKind::Internal,
            at.path.clone(),
            "",
            format!(
                "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{index}]: <nil> (invalid CIDR address: {})",
                one.text()
            ),
        ));
    }
    if count > 1 && (!both || count > 2) {
        errors.push(at.invalid("may specify no more than one CIDR for each IP family"));
    }
}

/// The server looks for taints in the metadata, as it says.
fn taints(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let at = At {
        value: object.to(&["spec", "taints"]).value,
        path: object.at("metadata").child("taints"),
    };
    let mut seen = BTreeSet::new();
    for taint in at.items() {
        let (key, value, effect) = (taint.at("key"), taint.at("value"), taint.at("effect"));
        for words in names::qualified(key.text()) {
            errors.push(FieldError::invalid(key.path.clone(), key.text(), words));
        }
        let refusals = names::label_value(value.text());
        if !refusals.is_empty() {
            errors.push(value.invalid(refusals.join(";")));
        }
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if effect.is_empty() {
            errors.push(effect.required(""));
        } else if !known.contains(&effect.text()) {
            errors.push(effect.unsupported(&known));
        }
        if !seen.insert((effect.text(), key.text())) {
            let text = |at: &At<'_>| manifest::field::quote(at.text());
            let shown = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":{}}}",
                text(&key),
                text(&value),
                text(&effect),
                taint.at("timeAdded").value
            );
            let mut error = taint.duplicate().showing(shown);
            error.detail = "taints must be unique by key and effect pair".to_owned();
            errors.push(error);
        }
    }
}

fn amounts(object: &At<'_>, errors: &mut Vec<FieldError>) {
    for field in ["capacity", "allocatable"] {
        let list = object.to(&["status", field]);
        for (resource, _) in list.entries() {
            let at = list.at(resource);
            let Ok(amount) = Quantity::parse(at.text()) else { continue };
            if amount.sign() < 0 {
                errors.push(at.invalid("must be greater than or equal to 0"));
            }
            let counted = resource.contains('/') && !resource.contains("kubernetes.io/");
            let counted = counted || resource == "pods";
            if counted && amount.milli_value() % 1000 != 0 {
                errors.push(at.invalid("must be an integer"));
            }
        }
    }
}

/// Endpoints.
pub fn endpoints(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let subsets = object.at("subsets");
    if old.is_some_and(|old| subsets.is_as(&old.at("subsets"))) {
        return;
    }
    for subset in subsets.items() {
        let (ready, others) = (subset.at("addresses"), subset.at("notReadyAddresses"));
        if ready.is_empty() && others.is_empty() {
            errors.push(subset.required("must specify `addresses` or `notReadyAddresses`"));
        }
        ready.items().chain(others.items()).for_each(|one| address(&one, errors));
        let ports = subset.at("ports");
        let several = ports.items().count() > 1;
        ports.items().for_each(|one| port(&one, several, errors));
    }
}

fn address(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (ip, host, node) = (at.at("ip"), at.at("hostname"), at.at("nodeName"));
    let mut wrong = |at: &At<'_>, refusals: Vec<String>| {
        errors.extend(
            refusals
                .into_iter()
                .map(|words| FieldError::invalid(at.path.clone(), at.text(), words)),
        );
    };
    wrong(&ip, names::address(ip.text()));
    if !host.is_empty() {
        wrong(&host, names::label(host.text(), false));
    }
    if node.is_set() {
        wrong(&node, names::subdomain(node.text(), false));
    }
    wrong(
        &ip,
        match names::parsed_address(ip.text()).is_some() {
            true => names::outside_address(ip.text()),
            false => vec!["must be a valid IP address".to_owned()],
        },
    );
}

fn port(at: &At<'_>, named: bool, errors: &mut Vec<FieldError>) {
    let (name, number, protocol) = (at.at("name"), at.at("port"), at.at("protocol"));
    if !name.is_empty() {
        name.named(names::label(name.text(), false), errors);
    } else if named {
        errors.push(name.required(""));
    }
    let value = number.number().unwrap_or(0);
    for words in names::port_number(value) {
        errors.push(FieldError::invalid(number.path.clone(), value, words));
    }
    if protocol.is_empty() {
        errors.push(protocol.required(""));
    } else {
        protocol.one_of(&["SCTP", "TCP", "UDP"], errors);
    }
    let app = at.at("appProtocol");
    if app.is_set() {
        app.named(names::qualified(app.text()), errors);
    }
}
