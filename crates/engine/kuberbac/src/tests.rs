use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

/// What every cluster has, and some of its own.
struct All(Vec<Value>);

impl All {
    fn with(own: &[Value]) -> All {
        All(furniture().chain(own.iter().cloned()).collect())
    }

    fn of(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let is_it = |object: &&Value| {
            object["kind"] == kind
                && object["metadata"]["namespace"].as_str().unwrap_or_default() == namespace
        };
        self.0.iter().filter(is_it).cloned().collect()
    }

    fn named(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.of(kind, namespace).into_iter().find(|object| object["metadata"]["name"] == name)
    }
}

impl Roles for All {
    fn cluster_bindings(&self) -> Vec<Value> {
        self.of("ClusterRoleBinding", "")
    }

    fn bindings(&self, namespace: &str) -> Vec<Value> {
        self.of("RoleBinding", namespace)
    }

    fn cluster_role(&self, name: &str) -> Option<Value> {
        self.named("ClusterRole", "", name)
    }

    fn role(&self, namespace: &str, name: &str) -> Option<Value> {
        self.named("Role", namespace, name)
    }
}

fn binding(kind: &str, name: &str, role: (&str, &str), subject: Value) -> Value {
    let mut binding = json!({
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"kind": role.0, "name": role.1},
        "subjects": [subject],
    });
    if kind == "RoleBinding" {
        binding["metadata"]["namespace"] = json!("shop");
    }
    binding
}

/// As `verb group resource/subresource name namespace`, or `verb path`.
fn answer(roles: &All, user: &str, groups: &[&str], asked: &str) -> (bool, String) {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let words: Vec<&str> = asked.split(' ').map(|word| word.trim_matches('-')).collect();
    let asked = match words.as_slice() {
        [verb, path] => Asked::Path { verb, path },
        [verb, group, resource, name, namespace] => {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            Asked::Resource { verb, group, resource, subresource, name, namespace }
        }
        _ => panic!("{asked}"),
    };
    let decision = decide(roles, Subject { name: user, groups: &groups }, asked);
    (decision.allowed, decision.reason)
}

#[test]
fn roles_allow_what_they_say_to_whom_they_are_bound() {
    let robot = json!({"kind": "ServiceAccount", "name": "robot"});
    let roles = All::with(&[
        json!({"kind": "Role", "metadata": {"name": "one", "namespace": "shop"}, "rules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/log"], "resourceNames": ["x"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
        ]}),
        json!({"kind": "ClusterRole", "metadata": {"name": "paths"}, "rules": [
            {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]},
        ]}),
        binding("RoleBinding", "one", ("Role", "one"), robot),
        binding(
            "RoleBinding",
            "lost",
            ("ClusterRole", "missing"),
            json!({"kind": "Group", "name": "g"}),
        ),
        binding(
            "ClusterRoleBinding",
            "see",
            ("ClusterRole", "view"),
            json!({"kind": "User", "name": "joe"}),
        ),
        binding(
            "ClusterRoleBinding",
            "paths",
            ("ClusterRole", "paths"),
            json!({"kind": "User", "name": "joe"}),
        ),
    ]);
    let robot = "system:serviceaccount:shop:robot";
    let by_one =
        r#"RBAC: allowed by RoleBinding "one/shop" of Role "one" to ServiceAccount "robot/shop""#;
    let by_see = r#"RBAC: allowed by ClusterRoleBinding "see" of ClusterRole "view" to User "joe""#;
    let by_paths =
        r#"RBAC: allowed by ClusterRoleBinding "paths" of ClusterRole "paths" to User "joe""#;
    let lost = r#"RBAC: clusterrole.rbac.authorization.k8s.io "missing" not found"#;
    for (user, groups, asked, allowed, reason) in [
        (robot, &[][..], "get - pods x shop", true, by_one),
        (robot, &[], "get - pods/log x shop", true, by_one),
        (robot, &[], "get - pods/exec x shop", false, ""),
        (robot, &[], "get - pods y shop", false, ""),
        (robot, &[], "list - pods - shop", false, ""),
        (robot, &[], "delete apps deployments/scale y shop", true, by_one),
        (robot, &[], "get - pods x other", false, ""),
        ("system:serviceaccount:other:robot", &[], "get - pods x shop", false, ""),
        (robot, &["g"], "create - pods - shop", false, lost),
        ("joe", &[], "list - pods - any", true, by_see),
        ("joe", &[], "list - secrets - any", false, ""),
        ("joe", &[], "get /metrics", true, by_paths),
        ("joe", &[], "get /logs/a/b", true, by_paths),
        ("joe", &[], "get /log", false, ""),
        ("joe", &[], "post /metrics", false, ""),
        ("any", &["system:masters"], "delete - nodes - -", true, ""),
        (
            "any",
            &["system:authenticated"],
            "get /openapi/v3",
            true,
            r#"RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated""#,
        ),
    ] {
        assert_eq!(
            answer(&roles, user, groups, asked),
            (allowed, reason.to_owned()),
            "{user} {asked}"
        );
    }
}

#[test]
fn a_denial_names_what_is_asked_and_where() {
    let asked = |subresource, namespace| Asked::Resource {
        verb: "update",
        group: "",
        resource: "namespaces",
        subresource,
        name: "a",
        namespace,
    };
    let told = denied("joe", asked("finalize", "a"));
    let words = r#"User "joe" cannot update resource "namespaces/finalize" in API group "" in the namespace "a""#;
    assert_eq!(told, words);
    let words =
        r#"User "joe" cannot update resource "namespaces" in API group "" at the cluster scope"#;
    assert_eq!(denied("joe", asked("", "")), words);
    let told = denied("joe", Asked::Path { verb: "get", path: "/nope" });
    assert_eq!(told, r#"User "joe" cannot get path "/nope""#);
}

#[test]
fn all_that_one_may_do_is_listed_with_roles_that_are_missing() {
    let user = json!({"kind": "User", "name": "joe"});
    let roles = All::with(&[binding("RoleBinding", "lost", ("Role", "missing"), user)]);
    let groups = ["system:authenticated".to_owned()];
    let all = rules_of(&roles, Subject { name: "joe", groups: &groups }, "shop");
    assert_eq!(
        all.problem.as_deref(),
        Some(r#"role.rbac.authorization.k8s.io "missing" not found"#)
    );
    let resources: BTreeSet<&str> =
        all.resources.iter().filter_map(|rule| rule["resources"][0].as_str()).collect();
    assert_eq!(resources, BTreeSet::from(["selfsubjectaccessreviews", "selfsubjectreviews"]));
    assert_eq!(all.paths.len(), 2);
}

#[test]
fn the_aggregated_roles_of_every_cluster_are_what_their_parts_add_up_to() {
    let roles = All::with(&[]);
    for name in ["view", "edit", "admin"] {
        let role = roles.cluster_role(name).expect("every cluster has it");
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{name}");
        let parts: Vec<Value> = roles
            .of("ClusterRole", "")
            .into_iter()
            .filter(|part| part["metadata"]["labels"][&label] == "true")
            .collect();
        assert_eq!(json!(union(&parts)), role["rules"], "{name}");
    }
}

#[test]
fn nobody_grants_what_he_does_not_have() {
    let ann = json!({"kind": "User", "name": "ann"});
    let roles = All::with(&[
        json!({"kind": "Role", "metadata": {"name": "own", "namespace": "shop"}, "rules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/log"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
            {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]},
            {"verbs": ["get"], "nonResourceURLs": ["/api/*"]},
        ]}),
        binding("RoleBinding", "ann", ("Role", "own"), ann.clone()),
        binding("RoleBinding", "ann-too", ("Role", "gone"), ann),
    ]);
    let lacks = |namespace: &str, rules: Value| {
        let groups = ["system:authenticated".to_owned(), "dev".to_owned()];
        let subject = Subject { name: "ann", groups: &groups };
        lacking(&roles, subject, namespace, "roles", rules.as_array().expect("a list"))
    };
    let fine = json!([
        {"verbs": ["list", "get"], "apiGroups": [""], "resources": ["pods", "services/log"]},
        {"verbs": ["delete"], "apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["x"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]},
        {"verbs": ["get"], "nonResourceURLs": ["/api/v1", "/api/*"]},
    ]);
    assert_eq!(lacks("shop", fine), None);
    let more = json!([
        {"verbs": ["list", "watch", "delete"], "apiGroups": [""], "resources": ["pods", "nodes"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"]},
        {"verbs": ["get", "put"], "nonResourceURLs": ["/metrics"]},
        {"verbs": ["watch"], "apiGroups": [""], "resources": ["pods"]},
    ]);
    // As the real server says it.
    assert_eq!(
        lacks("shop", more.clone()).expect("he lacks some"),
        "user \"ann\" (groups=[\"system:authenticated\" \"dev\"]) is attempting to grant RBAC permissions not currently held:\n\
         {APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"list\" \"watch\" \"delete\"]}\n\
         {APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"watch\" \"delete\" \"watch\"]}\n\
         {APIGroups:[\"\"], Resources:[\"secrets\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}\n\
         {NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}\n\
         {NonResourceURLs:[\"/metrics\"], Verbs:[\"put\"]}\
         ; resolution errors: [roles.rbac.authorization.k8s.io \"gone\" not found]"
    );
    assert!(
        lacks("", more)
            .expect("he lacks all")
            .contains("{NonResourceURLs:[\"/metrics\"], Verbs:[\"put\"]}")
    );
}
