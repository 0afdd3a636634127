//! What pods ask for as a whole: the sums that limit ranges and quotas look at.

use std::collections::BTreeMap;

use kubetypes::quantity::Quantity;
use serde_json::Value;

use crate::pod::amounts::quantity;

/// Amounts by the names of their resources.
pub type Amounts = BTreeMap<String, Quantity>;

/// Reads a list of resources.
pub fn amounts(list: &Value) -> Amounts {
    let entries = list.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), quantity(value)?))).collect()
}

/// Adds what `more` has.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(there) => there.add(amount),
            None => drop(sum.insert(name.clone(), amount.clone())),
        }
    }
}

/// Sums the `requests` or `limits` of a pod's containers; what the pod says of itself counts instead where
/// `as_a_whole` lets it.
pub fn of_pod(spec: &Value, list: &str, as_a_whole: fn(&str) -> bool) -> Amounts {
    let mut sum = of_containers(spec, list);
    for (name, amount) in amounts(&spec["resources"][list]) {
        if as_a_whole(&name) {
            sum.insert(name, amount);
        }
    }
    sum
}

/// Sums the `requests` or `limits` of containers: they run together, and those that begin one after the
/// other each beside those that stay.
pub fn of_containers(spec: &Value, list: &str) -> Amounts {
    let containers = |name: &str| spec[name].as_array().map_or(&[][..], Vec::as_slice);
    let asked = |container: &Value| amounts(&container["resources"][list]);
    let mut sum = Amounts::new();
    for container in containers("containers") {
        add(&mut sum, &asked(container));
    }
    let (mut stays, mut most) = (Amounts::new(), Amounts::new());
    for container in containers("initContainers") {
        let mut needs = asked(container);
        if container["restartPolicy"] == "Always" {
            add(&mut sum, &needs);
            add(&mut stays, &needs);
            needs = stays.clone();
        } else {
            add(&mut needs, &stays);
        }
        raise(&mut most, needs);
    }
    raise(&mut sum, most);
    sum
}

fn raise(most: &mut Amounts, other: Amounts) {
    for (name, amount) in other {
        if most.get(&name).is_none_or(|there| amount > *there) {
            most.insert(name, amount);
        }
    }
}
