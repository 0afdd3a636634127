use filetree::{MapTree, TreePath};
use serde_json::{Value, json};

use crate::{JsonnetError, Limits, Program, Variable, evaluate};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn variable(name: &str, value: &str, code: bool) -> Variable {
    Variable { name: name.to_owned(), value: value.to_owned(), code }
}

#[derive(Default)]
struct Given<'a> {
    files: &'a [(&'a str, &'a str)],
    external: Vec<Variable>,
    top_level: Vec<Variable>,
    libraries: Vec<TreePath>,
}

fn run(file: &str, text: &str, given: &Given<'_>) -> Result<Value, JsonnetError> {
    let tree = given
        .files
        .iter()
        .fold(MapTree::new(), |tree, (name, content)| tree.with(&path(name), content));
    let program = Program {
        file: &path(file),
        text,
        external: &given.external,
        top_level: &given.top_level,
        libraries: &given.libraries,
    };
    let text = evaluate(&tree, &program, &Limits::default(), &|| false)?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn programs_have_the_values_that_the_language_gives_them() {
    for (text, expected) in [
        ("1 + 2", json!(3)),
        ("{ a: 1, b:: 2, c: self.a + self.b }", json!({"a": 1, "c": 3})),
        ("local f(x, y=2) = x * y; [f(i) for i in std.range(1, 3)]", json!([2, 4, 6])),
        ("({ a: { x: 1 } } + { a+: { y: 2 } })", json!({"a": {"x": 1, "y": 2}})),
        ("'%05d %s %.2f' % [42, 'x', 3.14159]", json!("00042 x 3.14")),
        ("|||\n  one\n    two\n|||", json!("one\n  two\n")),
        ("std.manifestYamlDoc({ a: [1, 'b'] })", json!("\"a\":\n- 1\n- \"b\"")),
        ("std.manifestJsonEx({ a: [] }, '  ')", json!("{\n  \"a\": [\n\n  ]\n}")),
        (
            "std.base64('hi') + std.md5('') + std.asciiUpper('a')",
            json!("aGk=d41d8cd98f00b204e9800998ecf8427eA"),
        ),
        ("std.parseJson('{\"a\": 1.5}').a", json!(1.5)),
        ("{ [if false then 'a']: 1, ['b' + 'c']: 2 }", json!({"bc": 2})),
        ("std.thisFile", json!("app/main.jsonnet")),
    ] {
        assert_eq!(run("app/main.jsonnet", text, &Given::default()).unwrap(), expected, "{text}");
    }
}

#[test]
fn imports_come_from_beside_the_file_then_from_the_last_library() {
    let given = Given {
        files: &[
            ("app/near.libsonnet", "{ from: 'near', up: import '../shared/x.libsonnet' }"),
            ("shared/x.libsonnet", "'shared'"),
            ("one/lib.libsonnet", "'one'"),
            ("two/lib.libsonnet", "'two'"),
            ("app/text.txt", "plain"),
        ],
        libraries: vec![path("one"), path("two")],
        ..Given::default()
    };
    let text =
        "{ near: import 'near.libsonnet', lib: import 'lib.libsonnet', t: importstr 'text.txt' }";
    assert_eq!(
        run("app/main.jsonnet", text, &given).unwrap(),
        json!({"near": {"from": "near", "up": "shared"}, "lib": "two", "t": "plain"})
    );
    for outside in ["import '../../etc/passwd'", "import '/etc/passwd'", "import 'none'"] {
        let error = run("app/main.jsonnet", outside, &given).unwrap_err().to_string();
        assert!(error.contains("passwd") || error.contains("none"), "{error}");
    }
}

#[test]
fn variables_are_text_or_code() {
    let given = Given {
        external: vec![variable("s", "1", false), variable("c", "1 + 1", true)],
        top_level: vec![variable("name", "x", false), variable("n", "[1, 2]", true)],
        ..Given::default()
    };
    let text = "function(name, n, other='d') [std.extVar('s'), std.extVar('c'), name, n, other]";
    assert_eq!(run("a.jsonnet", text, &given).unwrap(), json!(["1", 2, "x", [1, 2], "d"]));
    let error = run("a.jsonnet", "std.extVar('none')", &given).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    let error = run("a.jsonnet", "function(a) a", &Given::default()).unwrap_err();
    assert!(error.to_string().contains('a'), "{error}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, expected) in [
        ("error 'so'", "so"),
        ("{ a: 1, a: 2 }", "a"),
        ("local x = ; 1", "a.jsonnet"),
        ("{ a: 1 }.b", "no such field: b"),
        ("assert false : 'no'; 1", "no"),
        ("local f(x) = f(x + 1) + 1; f(0)", "stack overflow"),
    ] {
        let error = run("a.jsonnet", text, &Given::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_program_that_does_not_end_is_left() {
    let tree = MapTree::new();
    let text = "local f(n) = if n < 0 then 0 else f(n + 1) tailstrict; f(0)";
    let program = Program {
        file: &path("a.jsonnet"),
        text: "std.foldl(function(a, b) a + b, std.range(1, 1000000000), 0)",
        external: &[],
        top_level: &[],
        libraries: &[],
    };
    let limits = Limits::default();
    let error = evaluate(&tree, &program, &limits, &|| true).unwrap_err();
    assert!(matches!(error, JsonnetError::Stopped), "{error}");
    let endless = Program { text, ..program };
    assert!(evaluate(&tree, &endless, &limits, &|| true).is_err());
}
