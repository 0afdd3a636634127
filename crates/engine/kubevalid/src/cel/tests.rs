use manifest::field::FieldError;
use serde_json::json;

use super::{Variables, Wanted, admission, device};
use crate::cursor::At;

fn said(expression: &str) -> Vec<String> {
    let value = json!(expression);
    let at = At { value: &value, path: "e".to_owned() };
    let mut errors = Vec::new();
    admission(&at, &Variables::of_requests(false), Wanted::Boolean, &mut errors);
    errors.into_iter().map(|error: FieldError| error.detail).collect()
}

#[test]
fn expressions_of_policies_that_are_in_use_are_fine() {
    for expression in [
        "object.spec.replicas <= 5",
        "!has(object.metadata.labels) || object.metadata.labels.all(k, k.startsWith('a'))",
        "request.operation in ['CREATE', 'UPDATE'] && request.userInfo.groups.exists(g, g == 'x')",
        "authorizer.group('').resource('pods').namespace('x').check('get').allowed()",
        "object.spec.containers.filter(c, !has(c.securityContext)).size() == 0",
        "namespaceObject.metadata.labels['env'] == \"prod\" ? true : false",
        "quantity(object.spec.x).isLessThan(quantity('1Gi'))",
        "oldObject == null || oldObject.spec.?a.orValue(1) == 1",
        "object.spec.x.matches(r'^\\d+$') // why",
    ] {
        assert_eq!(said(expression), Vec::<String>::new(), "{expression}");
    }
}

#[test]
fn what_is_not_there_is_named_with_its_place() {
    assert_eq!(
        said("object.a && web"),
        [
            "compilation failed: ERROR: <input>:1:13: undeclared reference to 'web' (in container '')\n | object.a && web\n | ............^"
        ]
    );
    assert_eq!(
        said("request.bogus == 1"),
        [
            "compilation failed: ERROR: <input>:1:8: undefined field 'bogus'\n | request.bogus == 1\n | .......^"
        ]
    );
}

#[test]
fn the_type_must_be_what_is_asked_for() {
    assert_eq!(said("1 + 1"), ["must evaluate to bool but got int"]);
    assert_eq!(said("object.a"), ["must evaluate to bool but got dyn"]);
    assert_eq!(
        said("1 == 'a'"),
        [
            "compilation failed: ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | 1 == 'a'\n | ..^"
        ]
    );
}

#[test]
fn devices_are_chosen_by_what_may_be_a_yes() {
    let mut errors = Vec::new();
    for (expression, count) in [
        ("device.driver == 'x.io'", 0),
        ("device.attributes['x.io'].model", 0),
        ("device.driver", 1),
        ("device.name == 'x'", 1),
    ] {
        errors.clear();
        let value = json!(expression);
        device(&At { value: &value, path: "e".to_owned() }, &mut errors);
        assert_eq!(errors.len(), count, "{expression}: {errors:?}");
    }
}
