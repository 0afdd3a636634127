//! May this one do that?

use serde_json::Value;

use crate::grants::{Grant, covers};

/// Members may do everything, whatever roles say.
const MASTERS: &str = "system:masters";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// For example `system:serviceaccount:shop:robot`.
    pub name: &'a str,
    /// For example `system:authenticated`.
    pub groups: &'a [String],
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Objects.
    Resource {
        /// For example `list`.
        verb: &'a str,
        /// `""` for the core group.
        group: &'a str,
        /// In the plural.
        resource: &'a str,
        /// `""` for the object itself.
        subresource: &'a str,
        /// `""` for all of a kind.
        name: &'a str,
        /// `""` for all namespaces, and for kinds without.
        namespace: &'a str,
    },
    /// What is no object.
    Path {
        /// The method in lower case.
        verb: &'a str,
        /// For example `/version`.
        path: &'a str,
    },
}

/// Where roles and bindings are kept.
pub trait Roles {
    /// All ClusterRoleBindings, in the order in which they are asked.
    fn cluster_bindings(&self) -> Vec<Value>;
    /// The RoleBindings of a namespace.
    fn bindings(&self, namespace: &str) -> Vec<Value>;
    /// A ClusterRole.
    fn cluster_role(&self, name: &str) -> Option<Value>;
    /// A Role.
    fn role(&self, namespace: &str, name: &str) -> Option<Value>;
}

/// An answer, with its reason in the server's words; `""` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// For example `RBAC: allowed by …`.
    pub reason: String,
}

/// Returns whether somebody may do everything, whatever roles say.
pub fn is_master(subject: Subject<'_>) -> bool {
    subject.groups.iter().any(|group| group == MASTERS)
}

/// Returns whether somebody may do something.
pub fn decide(roles: &dyn Roles, subject: Subject<'_>, asked: Asked<'_>) -> Decision {
    if is_master(subject) {
        return Decision { allowed: true, reason: String::new() };
    }
    let namespace = match asked {
        Asked::Resource { namespace, .. } => namespace,
        Asked::Path { .. } => "",
    };
    let mut missing = Vec::new();
    for bound in bound(roles, subject, namespace) {
        let rules = match bound.rules(roles) {
            Ok(rules) => rules,
            Err(problem) => {
                missing.push(problem);
                continue;
            }
        };
        if rules.iter().any(|rule| allows(rule, asked)) {
            return Decision { allowed: true, reason: bound.reason() };
        }
    }
    let reason = match told(&missing) {
        None => String::new(),
        Some(problems) => format!("RBAC: {problems}"),
    };
    Decision { allowed: false, reason }
}

/// What decisions say of roles that are not there; `None` where all are.
pub(crate) fn told(missing: &[NoRole]) -> Option<String> {
    together(missing.iter().map(NoRole::of_decisions))
}

/// Several problems as Go joins them, none twice; `None` for none.
pub(crate) fn together(problems: impl Iterator<Item = String>) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for problem in problems {
        if !said.contains(&problem) {
            said.push(problem);
        }
    }
    match said.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

/// Says that somebody may not do something, as the server does; what stands before it names the
/// object.
pub fn denied(subject: &str, asked: Asked<'_>) -> String {
    match asked {
        Asked::Path { verb, path } => format!("User {subject:?} cannot {verb} path {path:?}"),
        Asked::Resource { verb, group, resource, subresource, namespace, .. } => {
            let resource = with_sub(resource, subresource);
            let place = match namespace {
                "" => "at the cluster scope".to_owned(),
                namespace => format!("in the namespace {namespace:?}"),
            };
            format!(
                "User {subject:?} cannot {verb} resource {resource:?} in API group {group:?} {place}"
            )
        }
    }
}

fn with_sub(resource: &str, subresource: &str) -> String {
    match subresource {
        "" => resource.to_owned(),
        subresource => format!("{resource}/{subresource}"),
    }
}

/// A binding that names the one who asks.
pub(crate) struct Bound {
    binding: Value,
    /// As reasons tell it.
    subject: String,
}

impl Bound {
    fn role_ref(&self, field: &str) -> &str {
        self.binding["roleRef"][field].as_str().unwrap_or_default()
    }

    fn metadata(&self, field: &str) -> &str {
        self.binding["metadata"][field].as_str().unwrap_or_default()
    }

    /// What its role allows.
    pub(crate) fn rules(&self, roles: &dyn Roles) -> Result<Vec<Value>, NoRole> {
        role_rules(roles, &self.binding["roleRef"], self.metadata("namespace"))
    }

    fn reason(&self) -> String {
        let name = match self.metadata("namespace") {
            "" => format!("ClusterRoleBinding {:?}", self.metadata("name")),
            namespace => {
                format!("RoleBinding {:?}", format!("{}/{namespace}", self.metadata("name")))
            }
        };
        let (kind, role) = (self.role_ref("kind"), self.role_ref("name"));
        format!("RBAC: allowed by {name} of {kind} {role:?} to {}", self.subject)
    }
}

/// There is no such role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRole {
    /// `clusterrole` or `role`, and its name.
    Missing(&'static str, String),
    /// Roles have no such kind.
    Kind(String),
}

impl NoRole {
    /// As decisions tell it.
    fn of_decisions(&self) -> String {
        match self {
            NoRole::Missing(kind, _) => self.told(kind),
            NoRole::Kind(_) => self.told(""),
        }
    }

    /// As whoever writes `resource` is told: the server says that one of those is missing.
    pub fn told(&self, resource: &str) -> String {
        match self {
            NoRole::Missing(_, name) => {
                format!("{resource}.rbac.authorization.k8s.io {name:?} not found")
            }
            NoRole::Kind(kind) => format!("unsupported role reference kind: {kind:?}"),
        }
    }
}

/// Returns the rules of the role that a binding in `namespace` names.
///
/// # Errors
///
/// [`NoRole`], where there is none.
pub fn role_rules(
    roles: &dyn Roles,
    role_ref: &Value,
    namespace: &str,
) -> Result<Vec<Value>, NoRole> {
    let text = |field: &str| role_ref[field].as_str().unwrap_or_default();
    let (found, kind) = match text("kind") {
        "ClusterRole" => (roles.cluster_role(text("name")), "clusterrole"),
        "Role" => (roles.role(namespace, text("name")), "role"),
        other => return Err(NoRole::Kind(other.to_owned())),
    };
    let mut found = found.ok_or_else(|| NoRole::Missing(kind, text("name").to_owned()))?;
    Ok(found["rules"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// All rules that hold for somebody in a namespace, and the roles that are not there.
pub(crate) fn held(
    roles: &dyn Roles,
    subject: Subject<'_>,
    namespace: &str,
) -> (Vec<Value>, Vec<NoRole>) {
    let (mut rules, mut missing) = (Vec::new(), Vec::new());
    for bound in bound(roles, subject, namespace) {
        match bound.rules(roles) {
            Ok(of_role) => rules.extend(of_role),
            Err(problem) => missing.push(problem),
        }
    }
    (rules, missing)
}

/// The bindings that name the one who asks: those of the whole cluster first.
pub(crate) fn bound(
    roles: &dyn Roles,
    subject: Subject<'_>,
    namespace: &str,
) -> impl Iterator<Item = Bound> {
    let mut bindings = roles.cluster_bindings();
    if !namespace.is_empty() {
        bindings.extend(roles.bindings(namespace));
    }
    bindings.into_iter().filter_map(move |binding| {
        let home = binding["metadata"]["namespace"].as_str().unwrap_or_default();
        let named = binding["subjects"].as_array().into_iter().flatten();
        let subject = named.filter_map(|named| is_named(named, home, subject)).next()?;
        Some(Bound { binding, subject })
    })
}

/// How reasons tell a binding's subject, where it is the one who asks.
fn is_named(named: &Value, home: &str, asks: Subject<'_>) -> Option<String> {
    let text = |field: &str| named[field].as_str().unwrap_or_default();
    let name = text("name");
    match text("kind") {
        "User" => (name == asks.name).then(|| format!("User {name:?}")),
        "Group" => asks.groups.iter().any(|group| group == name).then(|| format!("Group {name:?}")),
        "ServiceAccount" => {
            let namespace = Some(text("namespace")).filter(|said| !said.is_empty());
            let namespace = namespace.or(Some(home)).filter(|home| !home.is_empty())?;
            let rest = asks.name.strip_prefix("system:serviceaccount:")?;
            let is_it = rest.split_once(':') == Some((namespace, name));
            is_it.then(|| format!("ServiceAccount {:?}", format!("{name}/{namespace}")))
        }
        _ => None,
    }
}

/// Whether one rule of a role allows it.
fn allows(rule: &Value, asked: Asked<'_>) -> bool {
    match asked {
        Asked::Path { verb, path } => covers(rule, &Grant::Path { url: path, verb }),
        Asked::Resource { verb, group, resource, subresource, name, .. } => {
            let resource = &with_sub(resource, subresource);
            covers(rule, &Grant::Objects { group, resource, name: Some(name), verb })
        }
    }
}
