//! Which families of addresses a service has, in a cluster that has one.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::services::{kind_of, list, said};
use crate::api::problem::Cause;
use crate::{meta, validation};

/// The family of the cluster's addresses.
const OWN: &str = "IPv4";
/// The other one.
const OTHER: &str = "IPv6";
const SINGLE: &str = "SingleStack";

/// Fills in what a service does not say of its families.
///
/// # Errors
///
/// What is wrong with what it says, of its addresses as well.
pub(super) fn settle(old: Option<&Value>, service: &mut Value) -> Result<(), Vec<Cause>> {
    if kind_of(service) == "ExternalName" || old.is_some_and(|old| stays_preferred(old, service)) {
        return Ok(());
    }
    settle_policy(old, service);
    refused(validation::causes(&kubevalid::service_addresses(service, old)))?;
    let mut causes = Vec::new();
    if let Some(old) = old {
        release(old, service, &mut causes);
    }
    one_of_each(service, &mut causes);
    infer(service, &mut causes);
    refused(causes)?;
    if is_unselected(service) {
        // Who looks after its endpoints himself may have them in families that the cluster does not have.
        fill(service);
        if policy(service) != SINGLE && list(service, "ipFamilies").len() == 1 {
            let first = list(service, "ipFamilies")[0].to_owned();
            let second = if first == OWN { OTHER } else { OWN };
            service["spec"]["ipFamilies"] = json!([first, second]);
        }
        return Ok(());
    }
    refused(foreign(service))?;
    fill(service);
    Ok(())
}

fn refused(causes: Vec<Cause>) -> Result<(), Vec<Cause>> {
    if causes.is_empty() { Ok(()) } else { Err(causes) }
}

fn policy(service: &Value) -> &str {
    said(service, "ipFamilyPolicy")
}

/// Headless and without a selector.
fn is_unselected(service: &Value) -> bool {
    let selects = service["spec"]["selector"].as_object().is_some_and(|labels| !labels.is_empty());
    said(service, "clusterIP") == "None" && !selects
}

/// What prefers both families keeps those that it has until it is told otherwise.
fn stays_preferred(old: &Value, service: &Value) -> bool {
    let prefers = |service: &Value| policy(service) == "PreferDualStack";
    kind_of(old) == kind_of(service)
        && prefers(old)
        && prefers(service)
        && ["clusterIPs", "ipFamilies"].iter().all(|name| list(old, name) == list(service, name))
}

fn settle_policy(old: Option<&Value>, service: &mut Value) {
    if !service["spec"]["ipFamilyPolicy"].is_null() {
        return;
    }
    let before = old.map(|old| old["spec"]["ipFamilyPolicy"].clone()).unwrap_or_default();
    service["spec"]["ipFamilyPolicy"] = match before {
        Value::Null if is_unselected(service) => json!("RequireDualStack"),
        Value::Null => json!(SINGLE),
        before => before,
    };
}

fn cause(field: &str, shown: &Value, words: &str) -> Cause {
    meta::cause("FieldValueInvalid", field, &format!("Invalid value: {shown}: {words}"))
}

fn of_policy(service: &Value, words: &str) -> Cause {
    cause("spec.ipFamilyPolicy", &service["spec"]["ipFamilyPolicy"], words)
}

/// Who wants one family alone gives the second of each back; nobody else may have fewer than before.
fn release(old: &Value, service: &mut Value, causes: &mut Vec<Cause>) {
    let single = policy(service) == SINGLE;
    for (name, called) in
        [("clusterIPs", "secondary cluster IP"), ("ipFamilies", "secondary IP family")]
    {
        let (had, has) = (list(old, name), list(service, name));
        if single && had == has && has.len() > 1 {
            service["spec"][name] = json!([has[0]]);
        } else if !single && !has.is_empty() && has.len() < had.len() {
            let words = format!("must be 'SingleStack' to release the {called}");
            causes.push(of_policy(service, &words));
        }
    }
}

fn one_of_each(service: &Value, causes: &mut Vec<Cause>) {
    if policy(service) != SINGLE {
        return;
    }
    for (name, called) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
        if list(service, name).len() == 2 {
            let words = format!(
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple {called} are specified"
            );
            causes.push(of_policy(service, &words));
        }
    }
}

/// Families that are not said are those of the addresses.
fn infer(service: &mut Value, causes: &mut Vec<Cause>) {
    let mut families: Vec<String> =
        list(service, "ipFamilies").into_iter().map(str::to_owned).collect();
    let said = families.len();
    for (index, address) in list(service, "clusterIPs").into_iter().enumerate() {
        if address == "None" {
            break;
        }
        if index < families.len() {
            continue;
        }
        if matches!(address.parse(), Ok(IpAddr::V6(_))) {
            let field = format!("spec.clusterIPs[{index}]");
            let words = format!("{OTHER} is not configured on this cluster");
            causes.push(cause(&field, &service["spec"]["clusterIPs"], &words));
        } else {
            families.push(OWN.to_owned());
        }
    }
    if families.len() > said {
        service["spec"]["ipFamilies"] = json!(families);
    }
}

fn fill(service: &mut Value) {
    if list(service, "ipFamilies").is_empty() {
        service["spec"]["ipFamilies"] = json!([OWN]);
    }
}

/// What the cluster does not have.
fn foreign(service: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if policy(service) == "RequireDualStack" {
        let words = "this cluster is not configured for dual-stack services";
        causes.push(of_policy(service, words));
    }
    for (index, family) in list(service, "ipFamilies").into_iter().enumerate() {
        if family != OWN {
            let field = format!("spec.ipFamilies[{index}]");
            causes.push(cause(&field, &json!(family), "not configured on this cluster"));
        }
    }
    causes
}
