use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::request::{Answer, Request, User};
use crate::api::{answer, write};
use crate::authentic;
use crate::cluster::Cluster;
use crate::store::{Limits, Store};

fn cluster() -> Arc<Cluster> {
    let clock = Arc::new(|| Timestamp::from_second(1_700_000_000).expect("a time"));
    Cluster::new("main", Store::in_memory(Limits::default()), clock, false)
}

/// In whose name, as headers say it.
fn named(name: &str) -> User {
    let headers = [("impersonate-user", name)];
    authentic::lent(headers.into_iter()).expect("a name").expect("somebody")
}

fn ask(
    cluster: &Arc<Cluster>,
    user: &User,
    method: &str,
    target: &str,
    body: &Value,
) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        content_type: match method {
            "PATCH" => "application/apply-patch+yaml",
            _ => "application/json",
        }
        .to_owned(),
        user: user.clone(),
        body: Bytes::from(body.to_string()),
        ..Request::default()
    };
    match answer(cluster, &request, "") {
        Answer::Response(response) => {
            (response.code, serde_json::from_slice(&response.whole_body()).unwrap_or_default())
        }
        Answer::Watch(_) => panic!("a watch was opened"),
    }
}

fn made(cluster: &Arc<Cluster>, object: Value) {
    let (kind, target) = write::target_of(cluster, &object, "").expect("a kind that is served");
    let options = write::options_of("test");
    let write = write::Write::new(cluster, &kind, &target, &options, "");
    write.create_value(object).expect("the object is made");
}

fn bind(cluster: &Arc<Cluster>, role: &str, subject: Value) {
    made(
        cluster,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": "default"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        }),
    );
}

#[test]
fn whoever_is_bound_to_no_role_is_told_what_he_may_not_do() {
    let cluster = cluster();
    let joe = named("joe");
    for (method, target, words) in [
        (
            "GET",
            "/api/v1/namespaces/a/pods",
            r#"pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "a""#,
        ),
        (
            "GET",
            "/api/v1/pods?watch=1",
            r#"pods is forbidden: User "joe" cannot watch resource "pods" in API group "" at the cluster scope"#,
        ),
        (
            "GET",
            "/apis/apps/v1/namespaces/a/deployments?fieldSelector=metadata.name%3Dfoo",
            r#"deployments.apps "foo" is forbidden: User "joe" cannot list resource "deployments" in API group "apps" in the namespace "a""#,
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/a/deployments",
            r#"deployments.apps is forbidden: User "joe" cannot deletecollection resource "deployments" in API group "apps" in the namespace "a""#,
        ),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/a/deployments/x/scale",
            r#"deployments.apps "x" is forbidden: User "joe" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a""#,
        ),
        (
            "PUT",
            "/api/v1/namespaces/a/finalize",
            r#"namespaces "a" is forbidden: User "joe" cannot update resource "namespaces/finalize" in API group "" in the namespace "a""#,
        ),
        (
            "GET",
            "/apis/none.example/v1/foos",
            r#"foos.none.example is forbidden: User "joe" cannot list resource "foos" in API group "none.example" at the cluster scope"#,
        ),
        ("POST", "/api", r#"forbidden: User "joe" cannot post path "/api""#),
    ] {
        let (code, status) = ask(&cluster, &joe, method, target, &json!({}));
        assert_eq!((code, status["message"].as_str()), (403, Some(words)), "{method} {target}");
    }
    assert_eq!(ask(&cluster, &joe, "GET", "/apis", &json!({})).0, 200);
    assert_eq!(ask(&cluster, &User::anonymous(), "GET", "/version", &json!({})).0, 200);
    assert_eq!(ask(&cluster, &User::anonymous(), "GET", "/apis", &json!({})).0, 403);
}

#[test]
fn a_binding_counts_from_the_next_request_on() {
    let cluster = cluster();
    let joe = named("joe");
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    assert_eq!(ask(&cluster, &joe, "POST", maps, &map).0, 403);
    bind(&cluster, "edit", json!({"kind": "User", "name": "joe"}));
    assert_eq!(ask(&cluster, &joe, "POST", maps, &map).0, 201);
    assert_eq!(
        ask(&cluster, &joe, "GET", "/api/v1/namespaces/other/configmaps", &json!({})).0,
        403
    );
}

#[test]
fn who_may_patch_alone_makes_nothing_by_it() {
    let cluster = cluster();
    made(
        &cluster,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "patcher"},
            "rules": [{"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"]}],
        }),
    );
    bind(&cluster, "patcher", json!({"kind": "User", "name": "joe"}));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}});
    let one = "/api/v1/namespaces/default/configmaps/a?fieldManager=m";
    let (code, status) = ask(&cluster, &named("joe"), "PATCH", one, &map);
    let words = r#"configmaps "a" is forbidden: User "joe" cannot create resource "configmaps" in API group "" in the namespace "default""#;
    assert_eq!((code, status["message"].as_str()), (403, Some(words)));
    assert_eq!(ask(&cluster, &User::default(), "PATCH", one, &map).0, 201);
    assert_eq!(ask(&cluster, &named("joe"), "PATCH", one, &map).0, 200);
}

#[test]
fn a_token_lets_its_account_in_until_it_ends_or_the_account_goes() {
    let cluster = cluster();
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default"}});
    made(&cluster, account);
    let robot = "/api/v1/namespaces/default/serviceaccounts/robot";
    let admin = User::default();
    let (code, made) = ask(&cluster, &admin, "POST", &format!("{robot}/token"), &json!({}));
    assert_eq!(code, 201);
    let token = made["status"]["token"].as_str().expect("a token");
    let user = authentic::bearer(&cluster, token).expect("it is known");
    assert_eq!(user.name, "system:serviceaccount:default:robot");
    let groups =
        ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"];
    assert_eq!(user.groups, groups);
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let (_, told) = ask(&cluster, &admin, "POST", reviews, &review);
    assert_eq!(told["status"]["user"]["uid"], user.uid.as_str());
    for other in [&token[..token.len() - 2], "a.b.c", ""] {
        assert_eq!(authentic::bearer(&cluster, other), None, "{other}");
    }
    let late =
        Cluster::new("main", Store::in_memory(Limits::default()), Arc::new(Timestamp::now), false);
    late.keep_secret(cluster.secret());
    assert_eq!(authentic::bearer(&late, token), None);
    assert_eq!(ask(&cluster, &admin, "DELETE", robot, &json!({})).0, 200);
    assert_eq!(authentic::bearer(&cluster, token), None);
}

#[test]
fn reviews_tell_what_roles_say() {
    let cluster = cluster();
    bind(
        &cluster,
        "view",
        json!({"kind": "ServiceAccount", "name": "robot", "namespace": "default"}),
    );
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let admin = User::default();
    let asked = |spec: Value| {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        ask(&cluster, &admin, "POST", reviews, &review)
    };
    let robot = "system:serviceaccount:default:robot";
    let (_, told) = asked(
        json!({"user": robot, "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}),
    );
    let reason = r#"RBAC: allowed by RoleBinding "view/default" of ClusterRole "view" to ServiceAccount "robot/default""#;
    assert_eq!(told["status"], json!({"allowed": true, "reason": reason}));
    let (_, told) = asked(
        json!({"user": robot, "resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "default"}}),
    );
    assert_eq!(told["status"], json!({"allowed": false}));
    let (code, told) = asked(
        json!({"user": "z", "resourceAttributes": {}, "nonResourceAttributes": {"verb": "get"}}),
    );
    let words = r#".authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"","Verb":"get"}: cannot be specified in combination with resourceAttributes"#;
    assert_eq!((code, told["message"].as_str()), (422, Some(words)));
}

#[test]
fn in_anothers_name_acts_who_may() {
    let other = |headers: &[(&'static str, &'static str)]| authentic::lent(headers.iter().copied());
    assert_eq!(other(&[("accept", "a")]), Ok(None));
    let words = r#"requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name"#;
    assert_eq!(other(&[("impersonate-group", "g")]).expect_err("no name").message, words);
    let joe = named("joe");
    assert_eq!(joe.groups, ["system:authenticated"]);
    let robot = named("system:serviceaccount:a:robot");
    assert_eq!(robot.groups.first().map(String::as_str), Some("system:serviceaccounts"));
    let cluster = cluster();
    let wish = super::Wish::of(&Request {
        method: "GET".to_owned(),
        path: "/api".to_owned(),
        ..Request::default()
    });
    assert_eq!(wish.lent(&cluster, &User::default(), &joe), Ok(()));
    let words = r#"forbidden: User "joe" cannot impersonate-on:serviceaccount:get path "/api""#;
    assert_eq!(wish.lent(&cluster, &joe, &robot).expect_err("no right").message, words);
}

#[test]
fn roles_and_bindings_grant_no_more_than_who_writes_them_has() {
    let cluster = cluster();
    let joe = named("joe");
    bind(&cluster, "admin", json!({"kind": "User", "name": "joe"}));
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = |name: &str, verb: &str, resource: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name},
            "rules": [{"verbs": [verb], "apiGroups": [""], "resources": [resource]}],
        })
    };
    let binding = |name: &str, kind: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        })
    };
    let (roles, bindings) = (format!("{RBAC}/roles"), format!("{RBAC}/rolebindings"));
    let not_held = "is forbidden: user \"joe\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n";
    let lacks = r#"{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}"#;
    let cases = [
        ("POST", roles.clone(), role("fine", "list", "pods"), 201, String::new()),
        (
            "POST",
            roles.clone(),
            role("more", "get", "nodes"),
            403,
            format!("roles.rbac.authorization.k8s.io \"more\" {not_held}{lacks}"),
        ),
        (
            "PATCH",
            format!("{roles}/fine?fieldManager=m&force=true"),
            role("fine", "get", "nodes"),
            403,
            format!("roles.rbac.authorization.k8s.io \"fine\" {not_held}{lacks}"),
        ),
        ("POST", bindings.clone(), binding("a", "ClusterRole", "view"), 201, String::new()),
        (
            "POST",
            bindings.clone(),
            binding("b", "Role", "gone"),
            404,
            "rolebindings.rbac.authorization.k8s.io \"gone\" not found".to_owned(),
        ),
        (
            "POST",
            bindings.clone(),
            binding("c", "ClusterRole", "system:basic-user"),
            201,
            String::new(),
        ),
    ];
    for (method, target, body, code, words) in cases {
        let (answered, told) = ask(&cluster, &joe, method, &target, &body);
        assert_eq!(answered, code, "{told}");
        assert_eq!(told["message"].as_str().unwrap_or_default(), words);
    }
    let (code, told) =
        ask(&cluster, &joe, "POST", &bindings, &binding("d", "ClusterRole", "cluster-admin"));
    let said = told["message"].as_str().unwrap_or_default();
    assert!(code == 403 && said.ends_with("{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"), "{told}");
    let may_escalate = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "beyond"},
        "rules": [{"verbs": ["escalate", "bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"]}],
    });
    made(&cluster, may_escalate);
    bind(&cluster, "beyond", json!({"kind": "User", "name": "joe"}));
    assert_eq!(ask(&cluster, &joe, "POST", &roles, &role("more", "get", "nodes")).0, 201);
    let (code, _) =
        ask(&cluster, &joe, "POST", &bindings, &binding("d", "ClusterRole", "cluster-admin"));
    assert_eq!(code, 201);
}
