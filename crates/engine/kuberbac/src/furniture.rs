//! The roles and bindings that every cluster has from its first moment.

use serde_json::{Value, json};

/// One a line, without what all of them share.
const TABLE: &str = include_str!("../data/bootstrap.jsonl");

/// Returns the roles and bindings that an API server makes when it starts, and the aggregated
/// ones as its controller leaves them, without server-set fields.
pub fn furniture() -> impl Iterator<Item = Value> {
    TABLE.lines().map(|line| {
        let mut object: Value = serde_json::from_str(line).expect("the table is ours");
        object["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
        object["metadata"]["annotations"] =
            json!({"rbac.authorization.kubernetes.io/autoupdate": "true"});
        object["metadata"]["labels"]["kubernetes.io/bootstrapping"] = json!("rbac-defaults");
        if object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role"))
            && object.get("rules").is_none()
        {
            object["rules"] = Value::Null;
        }
        object
    })
}
