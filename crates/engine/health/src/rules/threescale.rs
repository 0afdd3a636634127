//! 3scale API management: the product itself, and the objects that it keeps in step.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, int, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended};

const GROUP: &str = "capabilities.3scale.net";

pub(super) const RULES: &[Entry] = &[
    ("apps.3scale.net", "APIManager", Rule::Code(api_manager)),
    (GROUP, "ActiveDoc", Rule::Code(capability)),
    (GROUP, "Application", Rule::Code(application)),
    (GROUP, "ApplicationAuth", Rule::Code(capability)),
    (GROUP, "Backend", Rule::Code(capability)),
    (GROUP, "CustomPolicyDefinition", Rule::Code(capability)),
    (GROUP, "DeveloperAccount", Rule::Code(capability)),
    (GROUP, "DeveloperUser", Rule::Code(developer_user)),
    (GROUP, "OpenAPI", Rule::Code(capability)),
    (GROUP, "Product", Rule::Code(capability)),
    (GROUP, "ProxyConfigPromote", Rule::Code(capability)),
    (GROUP, "Tenant", Rule::Code(tenant)),
];

/// All parts run, or the operator says what is missing.
fn api_manager(manager: &Value) -> Health {
    let list = |name: &str| items(manager, &format!("/status/deployments/{name}")).next();
    let runs = lookup(manager, "/status/deployments/ready").is_some()
        && list("starting").is_none()
        && list("stopped").is_none();
    let available = condition(manager, "Available");
    let reason = available.map_or("", |one| text(one, "/reason"));
    if runs || available.is_some_and(|one| text(one, "/status") == "True") {
        healthy("3scale APIManager is available")
    } else if !reason.is_empty() {
        degraded(format!("3scale APIManager is degraded: {reason}"))
    } else {
        progressing("Waiting for 3scale APIManager status...")
    }
}

/// The conditions that tell of failure, and what is said where they give no message.
const FAILURES: [(&str, &str); 3] = [
    ("Failed", "synchronization failed"),
    ("Invalid", "configuration is invalid"),
    ("Orphan", "references non-existing resources"),
];

/// The first condition in the list that holds and says something decides.
fn capability(object: &Value) -> Health {
    let kind = text(object, "/kind");
    // A backend refers to nothing else.
    let counts = |of: &&Value| {
        text(of, "/status") == "True" && (kind != "Backend" || text(of, "/type") != "Orphan")
    };
    let said = conditions(object).filter(counts).find_map(|one| {
        let (name, message) = (text(one, "/type"), text(one, "/message"));
        let failure = FAILURES.iter().find(|(failure, _)| *failure == name);
        match (name, failure) {
            (_, Some((_, otherwise))) => {
                Some(degraded(or(message, &format!("3scale {kind} {otherwise}"))))
            }
            ("In-progress", None) if kind == "ProxyConfigPromote" => Some(progressing(message)),
            ("Waiting", None) => Some(suspended(message)),
            ("Ready", None) => Some(healthy(format!("3scale {kind} is ready"))),
            ("Synced", None) => Some(healthy(format!("3scale {kind} is synced"))),
            _ => None,
        }
    });
    said.unwrap_or_else(|| progressing(format!("Waiting for 3scale {kind} status...")))
}

fn application(application: &Value) -> Health {
    if text(application, "/status/state") == "suspended" {
        return suspended("3scale Application is suspended");
    }
    match condition(application, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => healthy("3scale Application is ready"),
        Some(ready) => degraded(or(text(ready, "/message"), "3scale Application is not ready")),
        None => progressing("Waiting for 3scale Application status..."),
    }
}

/// A tenant is there once it and its first user have numbers.
fn tenant(tenant: &Value) -> Health {
    match condition(tenant, "Ready") {
        Some(ready) if text(ready, "/status") != "True" => {
            degraded(or(text(ready, "/message"), "3scale Tenant is degraded"))
        }
        Some(_) if int(tenant, "/status/tenantId") > 0 && int(tenant, "/status/adminId") > 0 => {
            healthy("3scale Tenant is ready")
        }
        _ => progressing("Waiting for 3scale Tenant status..."),
    }
}

fn developer_user(user: &Value) -> Health {
    if text(user, "/status/developerUserState") == "suspended" {
        return suspended("3scale Developer user is waiting for admin approval");
    }
    capability(user)
}

fn or(message: &str, otherwise: &str) -> String {
    if message.is_empty() { otherwise.to_owned() } else { message.to_owned() }
}
