//! Evictions: a pod goes if its budget lets it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::delete;
use super::options::DeleteOptions;
use super::problem::{Cause, Problem};
use super::request::{Request, Response};
use super::route::{Query, Target};
use super::subresources::{names_the_pod, success};
use super::write;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::store::Entry;
use crate::{body, crds, meta};

const BUDGETS: &str = "policy/poddisruptionbudgets";
const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

/// Evictions of a budget that its controller has not counted yet.
const UNCOUNTED_MAX: usize = 2000;

/// Answers an eviction.
///
/// # Errors
///
/// In the server's words; 429 where the pod's budget does not let it go.
pub fn evict(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    target: &Target,
    request: &Request,
    query: &Query,
) -> Result<Response, Problem> {
    if request.method != "POST" {
        return Err(Problem::method_not_allowed());
    }
    write::options(kind, request, query)?;
    let body = body::read(&request.content_type, &request.body, kind)?.value;
    names_the_pod(&body, target, "Eviction")?;
    let mut options = match body.get("deleteOptions") {
        Some(options) if !options.is_null() => {
            DeleteOptions::parse(&Query::default(), Some(options))?
        }
        Some(_) | None => DeleteOptions::default(),
    };
    options.dry_run |= query.get("dryRun") == "All";
    let key = kind.key(&target.namespace, &target.name);
    let entry = cluster.store.get(&kind.table, &key);
    let entry = entry.ok_or_else(|| Problem::not_found(kind, &target.name))?;
    keeps_budget(cluster, target, &entry, options.dry_run)?;
    if !options.dry_run {
        let now = cluster.now_text();
        write::change_as_server(cluster, kind, &target.namespace, &target.name, |pod| {
            let (reason, message) = ("EvictionByEvictionAPI", "Eviction API: evicting");
            let condition = crds::condition("DisruptionTarget", "True", reason, message, &now);
            crds::set_condition(pod, condition);
            true
        })?;
    }
    delete::delete(cluster, kind, &target.namespace, &target.name, &options)?;
    Ok(success())
}

/// Takes one disruption off the pod's budget, where it has one. Pods that have ended, have not
/// begun or are going already, and those that are not ready while enough others are, cost nothing.
fn keeps_budget(
    cluster: &Arc<Cluster>,
    target: &Target,
    entry: &Entry,
    dry_run: bool,
) -> Result<(), Problem> {
    let pod = entry.value();
    let phase = pod["status"]["phase"].as_str();
    if matches!(phase, Some("Succeeded" | "Failed" | "Pending")) || entry.meta.deleting {
        return Ok(());
    }
    let mut budgets = cluster.store.values(BUDGETS, &format!("{}/", target.namespace));
    budgets.retain(|budget| {
        let selector = &budget["spec"]["selector"];
        selector.is_object() && kubevalid::selects(selector, &pod["metadata"]["labels"])
    });
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [budget] => budget,
        _ => {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Problem::new(500, "", message));
        }
    };
    let number = |field: &str| budget["status"][field].as_i64().unwrap_or(0);
    let (healthy, desired) = (number("currentHealthy"), number("desiredHealthy"));
    let is_ready = conditions(&pod).any(|one| one["type"] == "Ready" && one["status"] == "True");
    let any_unready = budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
    if !is_ready && (any_unready || (healthy >= desired && desired > 0)) {
        return Ok(());
    }
    let name = meta::text(budget, "name");
    if number("observedGeneration") < manifest::generation(budget) {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refused(&why, Some(10)));
    }
    let uncounted = budget["status"]["disruptedPods"].as_object().map_or(0, serde_json::Map::len);
    let forbidden = |why: &str| Problem::forbidden_at("policy", "poddisruptionbudget", name, why);
    match number("disruptionsAllowed") {
        ..0 => return Err(forbidden("pdb disruptions allowed is negative")),
        _ if uncounted > UNCOUNTED_MAX => {
            return Err(forbidden(
                "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
            ));
        }
        0 => return Err(refused(&why_none(budget, name, healthy, desired), None)),
        _ => {}
    }
    if dry_run {
        return Ok(());
    }
    let kinds = cluster.kinds();
    let kind = kinds.of("policy/v1", "PodDisruptionBudget").expect("budgets are built in");
    let now = cluster.now_text();
    write::change_as_server(cluster, kind, &target.namespace, name, |budget| {
        let left = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) - 1;
        budget["status"]["disruptionsAllowed"] = json!(left);
        budget["status"]["disruptedPods"][&target.name] = json!(now);
        if left == 0 {
            let condition =
                crds::condition("DisruptionAllowed", "False", "InsufficientPods", "", &now);
            crds::set_condition(budget, condition);
        }
        true
    })
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["conditions"].as_array().into_iter().flatten()
}

/// Why a budget lets no pod go.
fn why_none(budget: &Value, name: &str, healthy: i64, desired: i64) -> String {
    let told = conditions(budget)
        .filter(|one| one["type"] == "DisruptionAllowed" && one["status"] == "False")
        .map(|one| (one["reason"].as_str(), one["message"].as_str().unwrap_or_default()))
        .find(|(_, message)| !message.is_empty());
    match told {
        Some((Some("SyncFailed"), message)) => format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {message}"
        ),
        _ if healthy <= desired => format!(
            "The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
        ),
        Some((reason, message)) => format!(
            "The disruption budget {name} does not allow evicting pods currently ({}): {message}",
            reason.unwrap_or_default()
        ),
        None => format!("The disruption budget {name} does not allow evicting pods currently"),
    }
}

fn refused(why: &str, retry_after_s: Option<u64>) -> Problem {
    let cause = Cause {
        reason: "DisruptionBudget".to_owned(),
        message: why.to_owned(),
        field: String::new(),
    };
    let mut problem = Problem::new(429, "TooManyRequests", REFUSED).because(&[cause]);
    if let (Some(seconds), Some(details)) = (retry_after_s, &mut problem.details) {
        details["retryAfterSeconds"] = json!(seconds);
    }
    problem
}
