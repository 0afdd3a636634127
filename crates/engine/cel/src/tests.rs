use serde_json::json;

use crate::{Value, eval, parse};

fn answer(expression: &str) -> String {
    let object = json!({
        "replicas": 3, "min": 1, "max": 5, "name": "web", "list": [3, 1, 2], "labels": {"a": "b"},
        "items": [{"name": "x", "port": 80}, {"name": "y", "port": 81}], "size": "1Gi",
    });
    let expr = match parse(expression) {
        Ok(expr) => expr,
        Err(fault) => return fault.words,
    };
    match eval(&expr, &[("self", Value::of(&object))]) {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn rules_of_definitions_in_use_come_to_their_answer() {
    for (expression, wanted) in [
        ("self.min <= self.replicas && self.replicas <= self.max", "Bool(true)"),
        ("has(self.name) && !has(self.other)", "Bool(true)"),
        ("!has(self.other) || self.other.size() > 3", "Bool(true)"),
        ("self.items.all(i, i.port > 0 && i.port < 81)", "Bool(false)"),
        ("self.items.exists_one(i, i.name == 'x')", "Bool(true)"),
        ("self.items.filter(i, i.port == 80).map(i, i.name) == ['x']", "Bool(true)"),
        ("self.name.matches('^[a-z]+$') && self.name.startsWith(\"w\")", "Bool(true)"),
        ("size(self.list) == 3 && self.list[0] == 3 && 2 in self.list", "Bool(true)"),
        ("'a' in self.labels && self.labels['a'] == 'b'", "Bool(true)"),
        ("self.?other.orValue(7)", "Int(7)"),
        ("quantity(self.size).isGreaterThan(quantity('500Mi'))", "Bool(true)"),
        ("self.list.sum() + -1", "Int(5)"),
        ("self.replicas > 2 ? 'many' : 'few'", "Text(\"many\")"),
        ("[1, 2].exists(x, x / 0 == 1 || x == 2)", "Bool(true)"),
        ("[1, 2].exists(x, x / 0 == 1)", "division by zero"),
        ("'%s has %d'.format([self.name, self.replicas])", "Text(\"web has 3\")"),
        ("self.other == 1", "no such key: other"),
        ("self.list[7]", "index out of bounds: 7"),
        ("isURL('https://x.io/a') && url('https://x.io:8/a').getPort() == '8'", "Bool(true)"),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", "Bool(true)"),
        (
            "timestamp('2026-03-01T10:00:00Z') - timestamp('2026-02-28T10:00:00Z') == duration('24h')",
            "Bool(true)",
        ),
        ("timestamp('2026-03-01T23:30:00Z').getDate('+01:00')", "Int(2)"),
        ("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", "Int(14)"),
        ("timestamp('2026-03-01T10:00:00Z').getDayOfWeek()", "Int(0)"),
        (
            "duration('1h30m').getMinutes() == 90 && duration('1500ms') > duration('1s')",
            "Bool(true)",
        ),
        ("string(duration('1500ms'))", "Text(\"1.5s\")"),
        ("string(timestamp('2026-03-01T10:00:00+02:00'))", "Text(\"2026-03-01T08:00:00Z\")"),
        ("duration('x')", "type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && !isSemver('v1.2')", "Bool(true)"),
        ("semver('v1.02', true).minor()", "Int(2)"),
        ("[{'a': 2}, {'a': 1}].sortBy(x, x.a)[0].a", "Int(1)"),
        ("format.dns1123LabelPrefix().validate('a-').hasValue()", "Bool(false)"),
        ("r'\\d' + \"\\n\" == '\\\\d\\n'", "Bool(true)"),
    ] {
        assert_eq!(answer(expression), wanted, "{expression}");
    }
}
