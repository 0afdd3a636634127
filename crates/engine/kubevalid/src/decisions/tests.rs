use serde_json::{Value, json};

use super::{Asked, Denial, decide, names};

const NULL: &Value = &Value::Null;

fn asked<'a>(object: &'a Value, around: &'a Value) -> Asked<'a> {
    Asked {
        group: "apps",
        version: "v1",
        served: &[],
        resource: "deployments",
        subresource: "",
        kind: "Deployment",
        name: "web",
        namespace: "shop",
        operation: "CREATE",
        object,
        old: NULL,
        around,
        user: ("ann", &[]),
        dry_run: false,
    }
}

#[test]
fn a_policy_is_asked_of_what_its_rules_name() {
    let around = json!({"metadata": {"name": "shop", "labels": {"env": "prod"}}});
    let object = json!({"metadata": {"name": "web", "labels": {"app": "web"}}});
    let asked = asked(&object, &around);
    let rule = |operations: &str, resources: &str| json!([{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": [operations], "resources": [resources]}]);
    for (resources, wanted) in [
        (json!({"resourceRules": rule("*", "*")}), true),
        (json!({"resourceRules": rule("UPDATE", "*")}), false),
        (json!({"resourceRules": rule("CREATE", "deployments/status")}), false),
        (
            json!({"resourceRules": rule("CREATE", "deployments"), "namespaceSelector": {"matchLabels": {"env": "prod"}}}),
            true,
        ),
        (
            json!({"resourceRules": rule("CREATE", "deployments"), "namespaceSelector": {"matchLabels": {"env": "dev"}}}),
            false,
        ),
        (
            json!({"objectSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}),
            true,
        ),
        (json!({"excludeResourceRules": rule("CREATE", "*")}), false),
        (json!({}), true),
    ] {
        assert_eq!(names(&resources, &asked), wanted, "{resources}");
    }
}

#[test]
fn what_a_policy_says_is_told_in_its_words() {
    let object = json!({"spec": {"replicas": 7}, "metadata": {"name": "web"}});
    let asked = asked(&object, NULL);
    let said = |spec: Value| decide(&json!({"spec": spec}), &json!({"data": {"max": "5"}}), &asked);
    let invalid =
        |text: &str| vec![Denial { message: text.to_owned(), reason: "Invalid".to_owned() }];
    assert_eq!(
        said(
            json!({"validations": [{"expression": "object.spec.replicas <= int(params.data.max)"}]})
        ),
        invalid("failed expression: object.spec.replicas <= int(params.data.max)")
    );
    assert_eq!(
        said(json!({
            "variables": [{"name": "most", "expression": "int(params.data.max)"}],
            "validations": [{"expression": "object.spec.replicas <= variables.most", "messageExpression": "'at most ' + string(variables.most)", "reason": "Forbidden"}],
        })),
        [Denial { message: "at most 5".to_owned(), reason: "Forbidden".to_owned() }]
    );
    assert_eq!(
        said(json!({"validations": [{"expression": "object.none == 1"}]})),
        invalid("expression 'object.none == 1' resulted in error: no such key: none")
    );
    assert_eq!(
        said(
            json!({"failurePolicy": "Ignore", "validations": [{"expression": "object.none == 1"}]})
        ),
        []
    );
    assert_eq!(
        said(json!({
            "matchConditions": [{"name": "not-ann", "expression": "request.userInfo.username != 'ann'"}],
            "validations": [{"expression": "false"}],
        })),
        []
    );
}
