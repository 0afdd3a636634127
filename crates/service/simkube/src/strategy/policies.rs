//! What the admission plugin ValidatingAdmissionPolicy does: requests are held to the policies that are
//! bound, from the moment at which they are.

use kubevalid::decisions::{self, Asked, Denial};
use serde_json::{Value, json};

use crate::api::problem::{Cause, Problem};
use crate::api::request::User;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

const GROUP: &str = "admissionregistration.k8s.io";
const POLICIES: &str = "admissionregistration.k8s.io/validatingadmissionpolicies";
const BINDINGS: &str = "admissionregistration.k8s.io/validatingadmissionpolicybindings";

/// What is asked of policies, and by whom.
pub struct Change<'a> {
    /// The resource, at the version of the request.
    pub kind: &'a Kind,
    /// `""` for the main one.
    pub door: &'a str,
    /// Whether the request names the object.
    pub named: bool,
    /// `None` where it is made.
    pub old: Option<&'a Value>,
    /// `None` where it goes.
    pub new: Option<&'a Value>,
    /// Who asks.
    pub user: &'a User,
    /// Whether nothing is kept.
    pub dry_run: bool,
}

/// Returns whether any policy is bound. Hardly any cluster has one, and every write asks.
pub fn are_bound(cluster: &Cluster) -> bool {
    cluster.store.holds_any(BINDINGS, "")
}

/// Refuses what a bound policy denies; answers with what the client is warned of.
///
/// # Errors
///
/// With the first denial, under the reason that the policy gives.
pub fn admit(cluster: &Cluster, change: &Change<'_>) -> Result<Vec<String>, Problem> {
    let mut warnings = Vec::new();
    if !are_bound(cluster) || change.kind.group == GROUP {
        return Ok(warnings);
    }
    let bindings = cluster.store.values(BINDINGS, "");
    let kind = change.kind;
    let subject = change.new.or(change.old).unwrap_or(&Value::Null);
    let is_namespace = kind.is("", "Namespace");
    let own = meta::text(subject, "name").to_owned();
    let name = if change.named { own.clone() } else { String::new() };
    let namespace = if is_namespace { own } else { meta::text(subject, "namespace").to_owned() };
    let around = cluster.store.get("/namespaces", &namespace).map(|entry| entry.value());
    let kinds = cluster.kinds();
    let served: Vec<String> = kinds
        .group(&kind.group)
        .into_iter()
        .flat_map(|group| &group.versions)
        .filter(|version| kinds.find(&kind.group, version, &kind.plural).is_some())
        .cloned()
        .collect();
    let asked = Asked {
        group: &kind.group,
        version: &kind.version,
        served: &served,
        resource: &kind.plural,
        subresource: change.door,
        kind: &kind.kind,
        name: &name,
        namespace: &namespace,
        operation: match (change.old, change.new) {
            (None, _) => "CREATE",
            (Some(_), Some(_)) => "UPDATE",
            (Some(_), None) => "DELETE",
        },
        object: change.new.unwrap_or(&Value::Null),
        old: change.old.unwrap_or(&Value::Null),
        around: around.as_ref().unwrap_or(&Value::Null),
        user: (&change.user.name, &change.user.groups),
        dry_run: change.dry_run,
    };
    let mut first = None;
    for policy in cluster.store.values(POLICIES, "") {
        let called = meta::text(&policy, "name");
        if !decisions::names(&policy["spec"]["matchConstraints"], &asked) {
            continue;
        }
        for binding in bindings.iter().filter(|one| one["spec"]["policyName"] == called) {
            let empty = json!({});
            let resources = binding["spec"].get("matchResources").unwrap_or(&empty);
            if !decisions::names(resources, &asked) {
                continue;
            }
            let bound = meta::text(binding, "name");
            let denials = match params(cluster, &policy, binding, &namespace, is_namespace) {
                Ok(params) => params
                    .iter()
                    .flat_map(|params| decisions::decide(&policy, params, &asked))
                    .collect(),
                Err(_) if policy["spec"]["failurePolicy"] == "Ignore" => Vec::new(),
                Err(why) => {
                    let message = format!("failed to configure binding: {why}");
                    let denial = Denial { message, reason: "Invalid".to_owned() };
                    first.get_or_insert((called.to_owned(), bound.to_owned(), denial));
                    Vec::new()
                }
            };
            let actions = binding["spec"]["validationActions"].as_array();
            let acts = |action: &str| actions.into_iter().flatten().any(|one| one == action);
            for denial in denials {
                if acts("Warn") {
                    warnings.push(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{called}' with binding '{bound}': {}",
                        denial.message
                    ));
                }
                if acts("Deny") {
                    first.get_or_insert((called.to_owned(), bound.to_owned(), denial));
                }
            }
        }
    }
    match first {
        None => Ok(warnings),
        Some((policy, binding, denial)) => {
            let called_as = if change.named { meta::name_asked(subject) } else { "Unknown" };
            let said = format!(
                "ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {}",
                denial.message
            );
            let mut problem = refused(kind, called_as, &said, &denial.reason);
            problem.warnings = warnings;
            Err(problem)
        }
    }
}

fn refused(kind: &Kind, name: &str, said: &str, reason: &str) -> Problem {
    let (code, reason) = match reason {
        "Unauthorized" => (401, "Unauthorized"),
        "Forbidden" => (403, "Forbidden"),
        "RequestEntityTooLarge" => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    let cause = Cause { message: said.to_owned(), ..meta::cause("", "", "") };
    let problem = Problem::forbidden(kind, name, said).because(&[cause]);
    Problem { code, reason, ..problem }
}

/// Returns what a policy's parameters are with a binding: null where it takes none, nothing at all where the
/// binding lets those pass that have none.
fn params(
    cluster: &Cluster,
    policy: &Value,
    binding: &Value,
    namespace: &str,
    is_namespace: bool,
) -> Result<Vec<Value>, String> {
    let (wanted, given) = (&policy["spec"]["paramKind"], &binding["spec"]["paramRef"]);
    if wanted.is_null() || given.is_null() {
        return Ok(vec![Value::Null]);
    }
    let text = |field: &str| wanted[field].as_str().unwrap_or_default();
    let kinds = cluster.kinds();
    let Some(kind) = kinds.of(text("apiVersion"), text("kind")) else {
        return Err(format!(
            "paramKind kind `{}, Kind={}` not known",
            text("apiVersion"),
            text("kind")
        ));
    };
    let named = given["namespace"].as_str().unwrap_or_default();
    let inside = match (kind.namespaced, named) {
        (false, "") => String::new(),
        (false, _) => {
            return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
                .to_owned());
        }
        (true, "") if namespace.is_empty() || is_namespace => {
            return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".to_owned());
        }
        (true, "") => namespace.to_owned(),
        (true, named) => named.to_owned(),
    };
    let found: Vec<Value> = match given["name"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => {
            let entry = cluster.store.get(&kind.table, &kind.key(&inside, name));
            entry.map(|entry| entry.value()).into_iter().collect()
        }
        None => {
            let prefix = if inside.is_empty() { String::new() } else { format!("{inside}/") };
            let mut all = cluster.store.values(&kind.table, &prefix);
            all.retain(|object| {
                kubevalid::selects(&given["selector"], &object["metadata"]["labels"])
            });
            all
        }
    };
    if found.is_empty() && given["parameterNotFoundAction"] == "Deny" {
        return Err(
            "no params found for policy binding with `Deny` parameterNotFoundAction".to_owned()
        );
    }
    Ok(found)
}
