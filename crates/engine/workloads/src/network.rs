//! Services and Ingresses: a load balancer answers where nobody else is asked for. APIServices:
//! whoever is asked would answer.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::endpoints;
use crate::outcome::{Condition, Context, LastUpdate, Outcome, conditions, set_condition, text};

/// The class that the simulated load balancer serves, besides none at all.
const CLASS: &str = "simulated";
/// What an IngressClass must name to be served.
const CONTROLLER: &str = "tiphys.io/simulated";

/// Gives a Service of type LoadBalancer its address, unless its class is somebody else's, and says
/// where the pods of a Service are reached.
pub fn reconcile_service(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    endpoints::follow(object, owned, context, &mut outcome);
    let served = text(object, "/spec/type") == "LoadBalancer"
        && matches!(text(object, "/spec/loadBalancerClass"), "" | CLASS);
    let balancer = match served {
        true => json!({"ingress": [{"ip": address(object), "ipMode": "VIP"}]}),
        false => json!({}),
    };
    let mut status = object.get("status").cloned().unwrap_or_else(|| json!({}));
    status["loadBalancer"] = balancer;
    if object.pointer("/status/loadBalancer").is_some() || served {
        outcome.status(object, status);
    }
    outcome
}

/// Gives an Ingress its address, unless its class is somebody else's.
pub fn reconcile_ingress(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let class = match text(object, "/spec/ingressClassName") {
        "" => manifest::annotation(object, "kubernetes.io/ingress.class").unwrap_or(""),
        named => named,
    };
    let served = matches!(class, "" | CLASS)
        || context.ingress_classes.iter().any(|known| {
            manifest::name(known) == class && text(known, "/spec/controller") == CONTROLLER
        });
    if served {
        let status = json!({"loadBalancer": {"ingress": [{"ip": address(object)}]}});
        outcome.status(object, status);
    }
    outcome
}

/// Says whether the Service is there that an APIService asks; one that asks none is looked after by
/// the API server.
pub fn reconcile_api_service(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    if object["spec"]["service"].is_null() {
        return outcome;
    }
    let (name, namespace) =
        (text(object, "/spec/service/name"), text(object, "/spec/service/namespace"));
    let (status, reason, message) = match context.neighbours.is_empty() {
        true => {
            let message = format!("service/{name} in {namespace:?} is not present");
            ("False", "ServiceNotFound", message)
        }
        false => ("True", "Passed", "all checks passed".to_owned()),
    };
    let mut all = conditions(object);
    let condition = Condition { kind: "Available", status, reason, message };
    set_condition(&mut all, &condition, context.now, LastUpdate::None);
    outcome.status(object, json!({"conditions": all}));
    outcome
}

/// An address out of the block that is kept for documentation.
fn address(object: &Value) -> String {
    let sum = manifest::uid(object)
        .bytes()
        .fold(5_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("203.0.113.{}", 1 + sum % 254)
}
