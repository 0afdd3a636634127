//! Whoever writes a role or a binding grants what it says: he needs to have it himself, or the
//! right to go beyond.

use kuberbac::{Asked, NoRole, is_master, lacking, role_rules};
use serde_json::{Value, json};

use crate::api::problem::Problem;
use crate::api::request::User;
use crate::api::route::Target;
use crate::cluster::Cluster;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses a role or a binding that grants more than who writes it has. `old` is what stands there;
/// objects of other kinds grant nothing.
///
/// # Errors
///
/// 403 in the server's words; 404 for a binding to a role that is not there.
pub fn held(
    cluster: &Cluster,
    user: &User,
    target: &Target,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Problem> {
    let plural = target.plural.as_str();
    let is_role = matches!(plural, "roles" | "clusterroles");
    let is_binding = matches!(plural, "rolebindings" | "clusterrolebindings");
    if target.group != GROUP || !(is_role || is_binding) || is_master(user.subject()) {
        return Ok(());
    }
    if is_role && may(cluster, user, "escalate", plural, &target.name, &target.namespace) {
        return Ok(());
    }
    if old.is_some_and(|old| grants_the_same(old, new)) {
        return Ok(());
    }
    let rules = match is_role {
        true => new["rules"].as_array().cloned().unwrap_or_default(),
        false => match bound(cluster, user, target, &new["roleRef"])? {
            Some(rules) => rules,
            None => return Ok(()),
        },
    };
    let name = new["metadata"]["name"].as_str().unwrap_or_default();
    let refused = |why: &str| Err(Problem::forbidden_at(GROUP, plural, name, why));
    if let Some(why) = lacking(cluster, user.subject(), &target.namespace, plural, &rules) {
        return refused(&why);
    }
    let gathers = |role: &Value| {
        role["aggregationRule"]["clusterRoleSelectors"].as_array().is_some_and(|of| !of.is_empty())
    };
    let all = [
        json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
        json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
    ];
    let is_gathered = plural == "clusterroles" && (gathers(new) || old.is_some_and(gathers));
    if is_gathered && lacking(cluster, user.subject(), "", plural, &all).is_some() {
        return refused("must have cluster-admin privileges to use the aggregationRule");
    }
    Ok(())
}

fn may(
    cluster: &Cluster,
    user: &User,
    verb: &str,
    resource: &str,
    name: &str,
    namespace: &str,
) -> bool {
    let asked = Asked::Resource { verb, group: GROUP, resource, subresource: "", name, namespace };
    kuberbac::decide(cluster, user.subject(), asked).allowed
}

/// What a binding grants; `None` where its role may be bound by who writes it, whatever it grants.
fn bound(
    cluster: &Cluster,
    user: &User,
    target: &Target,
    role: &Value,
) -> Result<Option<Vec<Value>>, Problem> {
    let text = |field: &str| role[field].as_str().unwrap_or_default();
    let resource = match text("kind") {
        "ClusterRole" => "clusterroles",
        "Role" => "roles",
        _ => "",
    };
    if text("apiGroup") == GROUP
        && !resource.is_empty()
        && may(cluster, user, "bind", resource, text("name"), &target.namespace)
    {
        return Ok(None);
    }
    role_rules(cluster, role, &target.namespace).map(Some).map_err(|none| {
        let said = none.told(&target.plural);
        match none {
            NoRole::Kind(_) => Problem::new(500, "", said),
            NoRole::Missing(_, name) => {
                let mut problem = Problem::new(404, "NotFound", said);
                problem.details =
                    Some(json!({"name": name, "group": GROUP, "kind": target.plural}));
                problem
            }
        }
    })
}

/// Whether an update moves nothing but what the collector of garbage may have to.
fn grants_the_same(old: &Value, new: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in ["ownerReferences", "finalizers", "selfLink", "managedFields"] {
                metadata.remove(field);
            }
        }
        object
    };
    rest(old) == rest(new)
}
