use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Change, count};

fn quota(hard: Value, used: Value) -> Value {
    json!({"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}})
}

fn charged(quota: &Value, resource: &str, new: &Value) -> Result<Option<Value>, String> {
    Change { group: "", resource, door: "", old: &Value::Null, new }.charge(quota)
}

#[test]
fn what_is_left_is_used_up_and_no_more() {
    let two = quota(json!({"configmaps": "2"}), json!({"configmaps": "1"}));
    let object = json!({"metadata": {"name": "a"}});
    assert_eq!(charged(&two, "configmaps", &object), Ok(Some(json!({"configmaps": "2"}))));
    assert_eq!(charged(&two, "secrets", &object), Ok(None));
    let full = quota(json!({"configmaps": "2"}), json!({"configmaps": "2"}));
    assert_eq!(
        charged(&full, "configmaps", &object),
        Err(
            "exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"
                .to_owned()
        )
    );
    let unknown = quota(json!({"configmaps": "2"}), json!({}));
    assert_eq!(
        charged(&unknown, "configmaps", &object),
        Err("status unknown for quota: q, resources: configmaps".to_owned())
    );
}

#[test]
fn containers_say_what_a_quota_limits() {
    let hard = json!({"requests.cpu": "1", "limits.memory": "1Gi", "pods": "5"});
    let used = json!({"requests.cpu": "900m", "limits.memory": "0", "pods": "1"});
    let quota = quota(hard, used);
    let pod =
        |resources: Value| json!({"spec": {"containers": [{"name": "c", "resources": resources}]}});
    assert_eq!(
        charged(&quota, "pods", &pod(json!({}))),
        Err("failed quota: q: must specify limits.memory for: c; requests.cpu for: c".to_owned())
    );
    assert_eq!(
        charged(
            &quota,
            "pods",
            &pod(json!({"requests": {"cpu": "200m"}, "limits": {"memory": "1Mi"}}))
        ),
        Err("exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1".to_owned())
    );
}

#[test]
fn everything_in_a_namespace_is_counted() {
    let quota = quota(json!({"count/deployments.apps": "3", "services.nodeports": "5"}), json!({}));
    let key = |group: &str, resource: &str| (group.to_owned(), resource.to_owned());
    let objects = BTreeMap::from([
        (key("apps", "deployments"), vec![json!({}), json!({})]),
        (key("", "services"), vec![json!({"spec": {"type": "NodePort", "ports": [{}, {}]}})]),
    ]);
    assert_eq!(
        count(&quota, &objects)["used"],
        json!({"count/deployments.apps": "2", "services.nodeports": "2"})
    );
}
