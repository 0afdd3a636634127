//! What a request is asked for, and whether who asks may have it.

use kuberbac::{Asked, Roles, Subject};
use serde_json::Value;

use crate::api::problem::Problem;
use crate::api::request::{Request, User};
use crate::api::route::{self, Query, Target};
use crate::cluster::Cluster;

pub mod grants;
#[cfg(test)]
mod tests;

const CLUSTER_ROLES: &str = "rbac.authorization.k8s.io/clusterroles";
const CLUSTER_BINDINGS: &str = "rbac.authorization.k8s.io/clusterrolebindings";
const ROLES: &str = "rbac.authorization.k8s.io/roles";
const BINDINGS: &str = "rbac.authorization.k8s.io/rolebindings";

impl Roles for Cluster {
    fn cluster_bindings(&self) -> Vec<Value> {
        self.store.values(CLUSTER_BINDINGS, "")
    }

    fn bindings(&self, namespace: &str) -> Vec<Value> {
        self.store.values(BINDINGS, &format!("{namespace}/"))
    }

    fn cluster_role(&self, name: &str) -> Option<Value> {
        self.store.get(CLUSTER_ROLES, name).map(|entry| entry.value())
    }

    fn role(&self, namespace: &str, name: &str) -> Option<Value> {
        self.store.get(ROLES, &format!("{namespace}/{name}")).map(|entry| entry.value())
    }
}

impl User {
    /// As roles know somebody.
    pub fn subject(&self) -> Subject<'_> {
        Subject { name: &self.name, groups: &self.groups }
    }
}

/// What a request asks for, in words of its own.
pub struct Wish {
    verb: String,
    what: What,
}

enum What {
    Objects { target: Target, name: String, namespace: String },
    Path(String),
}

impl Wish {
    /// Reads it from a request's method, path and query, as the server does.
    pub fn of(request: &Request) -> Wish {
        let Some(target) = route::target(&request.path) else {
            let path = route::decode_percent(&request.path);
            return Wish { verb: request.method.to_lowercase(), what: What::Path(path) };
        };
        let mut name = target.name.clone();
        let verb = match request.method.as_str() {
            "GET" | "HEAD" if target.watch => "watch",
            "GET" | "HEAD" if name.is_empty() => {
                let query = Query::parse(&request.query);
                name = name_selected(query.get("fieldSelector")).unwrap_or_default().to_owned();
                if query.flag("watch") { "watch" } else { "list" }
            }
            "GET" | "HEAD" => "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if name.is_empty() => "deletecollection",
            "DELETE" => "delete",
            _ => "",
        };
        let is_namespace = target.group.is_empty() && target.plural == "namespaces";
        let namespace = if is_namespace { target.name.clone() } else { target.namespace.clone() };
        Wish { verb: verb.to_owned(), what: What::Objects { target, name, namespace } }
    }

    /// The wish to make an object, where an update came upon none.
    pub fn to_create(target: &Target) -> Wish {
        let (name, namespace) = (target.name.clone(), target.namespace.clone());
        let what = What::Objects { target: target.clone(), name, namespace };
        Wish { verb: "create".to_owned(), what }
    }

    fn asked(&self) -> Asked<'_> {
        match &self.what {
            What::Path(path) => Asked::Path { verb: &self.verb, path },
            What::Objects { target, name, namespace } => Asked::Resource {
                verb: &self.verb,
                group: &target.group,
                resource: &target.plural,
                subresource: target.subresource.split('/').next().unwrap_or_default(),
                name,
                namespace,
            },
        }
    }

    /// Refuses it where no role allows it.
    ///
    /// # Errors
    ///
    /// 403 in the server's words.
    pub fn granted(&self, cluster: &Cluster, user: &User) -> Result<(), Problem> {
        let decision = kuberbac::decide(cluster, user.subject(), self.asked());
        if decision.allowed {
            return Ok(());
        }
        Err(self.refused(user, &self.verb, &decision.reason))
    }

    /// As [`Wish::granted`] for who acts in another's name: he needs the right to each part of
    /// that name.
    ///
    /// # Errors
    ///
    /// 403 in the server's words.
    pub fn lent(&self, cluster: &Cluster, user: &User, other: &User) -> Result<(), Problem> {
        let account = other.name.strip_prefix("system:serviceaccount:");
        let account = account.and_then(|rest| rest.split_once(':'));
        let part = |group, resource, subresource, name, namespace| {
            let asked = Asked::Resource {
                verb: "impersonate",
                group,
                resource,
                subresource,
                name,
                namespace,
            };
            kuberbac::decide(cluster, user.subject(), asked).allowed
        };
        const GROUP: &str = "authentication.k8s.io";
        let as_named = match account {
            Some((namespace, name)) => part("", "serviceaccounts", "", name, namespace),
            None => part("", "users", "", &other.name, ""),
        };
        let granted = as_named
            && other.asked_groups.iter().all(|group| part("", "groups", "", group, ""))
            && (other.uid.is_empty() || part(GROUP, "uids", "", &other.uid, ""))
            && other.extra.iter().all(|(key, values)| {
                values.iter().all(|value| part(GROUP, "userextras", key, value, ""))
            });
        if granted {
            return Ok(());
        }
        let mode = if account.is_some() { "serviceaccount" } else { "user-info" };
        Err(self.refused(user, &format!("impersonate-on:{mode}:{}", self.verb), ""))
    }

    fn refused(&self, user: &User, verb: &str, reason: &str) -> Problem {
        let asked = match self.asked() {
            Asked::Path { path, .. } => Asked::Path { verb, path },
            Asked::Resource { group, resource, subresource, name, namespace, .. } => {
                Asked::Resource { verb, group, resource, subresource, name, namespace }
            }
        };
        let mut why = kuberbac::denied(&user.name, asked);
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        match &self.what {
            What::Path(_) => {
                let mut problem = Problem::new(403, "Forbidden", format!("forbidden: {why}"));
                problem.details = Some(Value::Object(serde_json::Map::new()));
                problem
            }
            What::Objects { target, name, .. } => {
                Problem::forbidden_at(&target.group, &target.plural, name, &why)
            }
        }
    }
}

/// The one name that a field selector leaves.
fn name_selected(selector: &str) -> Option<&str> {
    selector.split(',').find_map(|part| {
        let value = part.trim().strip_prefix("metadata.name=")?;
        Some(value.strip_prefix('=').unwrap_or(value))
    })
}
